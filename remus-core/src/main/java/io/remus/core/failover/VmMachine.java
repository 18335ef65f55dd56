package io.remus.core.failover;

import io.remus.core.control.EventRecord.Level;
import io.remus.core.control.VmState;
import java.util.ArrayList;
import java.util.List;

/**
 * What the machines of both sides have in common: a state with its reason, and the actions
 * collected while one event is handled.
 *
 * @param <A> the side's actions
 */
public abstract class VmMachine<A> {
  private final List<A> actions = new ArrayList<>();
  private boolean ended;

  /** Where protection stands. */
  protected VmState state;

  /** Why, for the sysadmin. */
  protected String reason;

  protected VmMachine(VmState state, String reason) {
    this.state = state;
    this.reason = reason;
  }

  public final VmState state() {
    return state;
  }

  /** Why it is in this state, for the sysadmin. */
  public final String reason() {
    return reason;
  }

  /** Whether this machine has done its work; events change nothing any more. */
  public final boolean ended() {
    return ended;
  }

  /** The action that makes a message known. */
  protected abstract A tell(Level level, String message);

  /** The last action of all. */
  protected abstract A lastAction();

  protected final void enter(VmState next, String why, Level level) {
    state = next;
    reason = why;
    emit(tell(level, why));
  }

  protected final void emit(A action) {
    actions.add(action);
  }

  protected final void end() {
    ended = true;
    emit(lastAction());
  }

  /** The actions emitted since the last call. */
  protected final List<A> take() {
    List<A> taken = List.copyOf(actions);
    actions.clear();
    return taken;
  }
}
