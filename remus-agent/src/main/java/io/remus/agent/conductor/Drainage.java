package io.remus.agent.conductor;

import io.remus.agent.control.RefusedException;
import io.remus.core.control.Drain;
import io.remus.core.control.VmRole;
import io.remus.core.control.VmState;
import io.remus.core.control.VmStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;

/** Empties this host for its maintenance, one VM after the other. */
final class Drainage {
  private final Conductor conductor;

  Drainage(Conductor conductor) {
    this.conductor = conductor;
  }

  /**
   * From now on this host takes no standby; its VMs are moved to their backups, and those that it
   * stands by for are told to look for another backup. Waits until all that is done.
   */
  Drain drain() {
    conductor.drain(true);
    List<String> moved = new ArrayList<>();
    List<Drain.Left> left = new ArrayList<>();
    for (VmStatus vm : conductor.vms()) {
      if (vm.state() == VmState.ACTIVE) {
        // It runs here since it was taken over, and nobody stands by for it.
        left.add(new Drain.Left(vm.name(), vm.reason()));
      } else if (vm.role() == VmRole.PRIMARY) {
        try {
          conductor.switchover(vm.name()).join();
          moved.add(vm.name());
        } catch (CompletionException | RefusedException e) {
          left.add(new Drain.Left(vm.name(), Causes.message(e)));
        }
      }
    }
    conductor.giveStandbysUp();
    return new Drain(moved, left);
  }
}
