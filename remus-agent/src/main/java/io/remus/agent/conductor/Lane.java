package io.remus.agent.conductor;

import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that moves a VM's machine and performs its actions; everybody else puts work into
 * its queue. Each VM has its own, so that no VM waits for another one's libvirt call.
 */
final class Lane implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Lane.class);

  private final String vm;
  private final ScheduledExecutorService thread;

  Lane(String vm) {
    this.vm = vm;
    ScheduledThreadPoolExecutor single =
        (ScheduledThreadPoolExecutor)
            Executors.newScheduledThreadPool(
                1,
                task -> {
                  Thread made = new Thread(task, "lane-" + vm);
                  made.setDaemon(true);
                  return made;
                });
    single.setRemoveOnCancelPolicy(true);
    single.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    thread = single;
  }

  /**
   * Queues work.
   *
   * @return false when the lane is closed and the work dropped: the VM is no longer its business
   */
  boolean execute(Runnable work) {
    try {
      thread.execute(guarded(work));
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  /** Queues work for later. */
  void after(long delayMs, Runnable work) {
    try {
      thread.schedule(guarded(work), delayMs, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("VM {}: too late for delayed work", vm);
    }
  }

  private Runnable guarded(Runnable work) {
    return () -> {
      try {
        work.run();
      } catch (RuntimeException e) {
        LOG.error("VM {}: unexpected failure", vm, e);
      }
    };
  }

  /** Takes no more work; what is queued still runs. */
  @Override
  public void close() {
    thread.shutdown();
  }
}
