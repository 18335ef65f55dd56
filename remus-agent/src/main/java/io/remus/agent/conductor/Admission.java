package io.remus.agent.conductor;

import io.remus.agent.arbiter.Pair;
import io.remus.agent.control.RefusedException;
import io.remus.agent.guest.RunningGuest;
import io.remus.agent.term.VmRecord;
import io.remus.core.epoch.Term;
import io.remus.core.failover.ArbiterKind;
import io.remus.core.failover.Role;
import io.remus.core.failover.Verdict;
import io.remus.core.wire.Frame;
import java.util.concurrent.ExecutionException;

/** What must be so before this host may protect a VM; each refusal says what to do about it. */
final class Admission {
  private static final long ASK_LIMIT_MS = 3_000;

  private final Surroundings around;

  Admission(Surroundings around) {
    this.around = around;
  }

  /** With one path and no arbiter every cut cable would be a lost host. */
  void requireSomebodyToAsk(String vm, Peer peer) {
    if (around.arbiter().kind() == ArbiterKind.NONE && !peer.hasSecondPath()) {
      throw RefusedException.conflict(
          "no-second-path",
          "VM %s cannot be protected: there is no arbiter and only one path to %s"
              .formatted(vm, peer.name()),
          "give [peers.%s] a heartbeat_address on another network, or configure an [arbiter]"
              .formatted(peer.name()));
    }
  }

  void requireOutputHeld(RunningGuest guest) {
    if (!guest.taps().isEmpty() && !around.features().holdsOutput()) {
      throw RefusedException.conflict(
          "output-not-held",
          "this kernel cannot hold the output of VM " + guest.name(),
          "use a kernel with nftables bridge support and NFQUEUE; see `remus doctor`");
    }
  }

  /** Newer than what either host knows, so that no old copy can pass for this one. */
  Term newTerm(RunningGuest guest, Peer peer) {
    long known = around.terms().find(guest.uuid()).map(VmRecord::term).orElse(0L);
    Frame.VmRecord there = ask(guest, peer);
    if (there.role() == Role.ACTIVE || there.role() == Role.PRIMARY) {
      throw RefusedException.conflict(
          "runs-elsewhere",
          "%s says that it runs VM %s itself, under term %d"
              .formatted(peer.name(), guest.name(), there.term()),
          "end the VM on one of the hosts; `remus status` on " + peer.name() + " tells more");
    }
    Term term = new Term(Math.max(known, there.term()) + 1);
    return register(
        new Pair(guest.uuid(), guest.name(), term, around.config().host(), peer.name()));
  }

  /** The arbiter may know of an attempt that neither host remembers. */
  private Term register(Pair pair) {
    Verdict verdict = around.arbiter().register(pair).join();
    if (verdict instanceof Verdict.Denied denied && isOurs(denied, pair)) {
      Term newer = denied.newest().next();
      return register(new Pair(pair.uuid(), pair.vm(), newer, pair.primary(), pair.standby()));
    }
    if (verdict instanceof Verdict.Denied denied) {
      throw RefusedException.conflict(
          "runs-elsewhere",
          "the arbiter says that %s runs VM %s under term %s"
              .formatted(denied.holder(), pair.vm(), denied.newest()),
          "end the VM on one of the hosts; `remus status` on " + denied.holder() + " tells more");
    }
    if (verdict instanceof Verdict.Unknown unknown) {
      throw RefusedException.conflict(
          "arbiter-unreachable",
          "VM %s cannot be protected: the arbiter cannot be asked: %s"
              .formatted(pair.vm(), unknown.why()),
          "bring it back: remus doctor tells what it sees of it");
    }
    return pair.term();
  }

  /** The peer was asked just now and does not run it; nor does anybody else. */
  private static boolean isOurs(Verdict.Denied denied, Pair pair) {
    return denied.holder().equals(pair.primary()) || denied.holder().equals(pair.standby());
  }

  private Frame.VmRecord ask(RunningGuest guest, Peer peer) {
    try {
      PeerInquiry.Answer answer =
          around.inquiry().ask(peer.paths(), guest.uuid(), ASK_LIMIT_MS).get();
      answer.connection().close();
      return answer.record();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw unreachable(guest.name(), peer, e);
    } catch (ExecutionException e) {
      throw unreachable(guest.name(), peer, e.getCause());
    }
  }

  private static RefusedException unreachable(String vm, Peer peer, Throwable cause) {
    return RefusedException.conflict(
        "backup-unreachable",
        "VM %s cannot be protected: %s".formatted(vm, Causes.message(cause)),
        "see that the agent runs on " + peer.name() + " and is reachable: remus doctor");
  }
}
