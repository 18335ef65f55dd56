/*
 * Two hosts that protect one VM, and the arbiter between them: terms, roles on disk, acks, lost links, lost hosts and
 * restarted agents. README.md beside this file tells what is modelled, what is not, and how to check it.
 *
 * There is no clock here. A message takes any time, and whatever waits may lose patience at any moment; so what holds
 * here holds for every timeout, and for every cut of every path in either direction: a cut is a delay that lasts until
 * somebody loses patience. Every step is atomic; a crash comes between any two.
 *
 * Each switch of the form WRONG_... breaks one rule on purpose. scripts/tests/model expects an error of each.
 */

#ifndef TERMS
#define TERMS 3 /* newest term under which a VM is protected */
#endif
#ifndef EPOCHS
#define EPOCHS 2 /* epochs of one protection */
#endif
#ifndef FAULTS
#define FAULTS 2 /* crashes of hosts and agents, lost standbys, lost answers of the arbiter */
#endif

/* ---- What a host has on disk: term.TermStore. Only this outlives the loss of its power. ---- */

mtype:role = { NONE, PRIMARY, STANDBY, ACTIVE, SUPERSEDED }; /* failover.Role */
mtype:role role[2];
byte term[2];

/* ---- What outlives the agent, but not the host: QEMU, and the kernel's rules that hold its output. ---- */

bool guest[2]; /* a copy runs here */
bool held[2];  /* release.OutputPlug: nothing leaves but what an ack releases */

#define visible(h) (guest[h] && !held[h])

/* ---- What dies with the agent. ---- */

bool agent[2];
mtype:primary = { P_NONE, REGISTERING, CONNECTING, SYNCING, PROTECTED, STOPPING, FENCED, ALONE, YIELDING, MOVING, STALE };
mtype:primary primary[2];
byte wanted[2]; /* the term of a protection before it is on disk */
mtype:standby = { S_NONE, PREPARED, READY, CLAIMING, ACTIVATING };
mtype:standby standby[2];
bool kept[2]; /* what the standby's last committed epoch contains, see below */

/* ---- The connection of a protection: ordered while it lasts, and never mended. peer.PeerConnection ---- */

mtype:frame = { EPOCH, ACK, STOP, STOPPED, YIELD, FAILED };
chan to_standby = [3] of { mtype:frame, bool };
chan to_primary = [3] of { mtype:frame };
chan outstanding = [2] of { bool }; /* PrimaryMachine: captured, not acked */
bool primary_end, standby_end;
byte captured;

/* STOP and STOPPED over another path, of the primary that asks: conductor.PeerInquiry */
mtype:inquiry = { IDLE, STOP_SENT, STOPPED_SENT };
mtype:inquiry inquiry[2];

/* ---- The arbiter's record, and a request of each host on its way. arbiter.Arbiter ---- */

byte record_term;
byte record_holder;
bool record_standby;

mtype:request = { NO_REQUEST, REGISTER, GO_ALONE, TAKE_OVER };
mtype:request request[2];
byte request_term[2];
bool waits[2]; /* the asker still listens */
mtype:verdict = { NO_VERDICT, GRANTED, DENIED };
mtype:verdict verdict[2];

#define record_is(t, h, s) (record_term == (t) && record_holder == (h) && record_standby == (s))
#define newest_term (term[0] > term[1] -> term[0] : term[1])
#define terms_used_up (term[0] >= TERMS || term[1] >= TERMS || record_term >= TERMS)
#define may_ask(h) (request[h] == NO_REQUEST && verdict[h] == NO_VERDICT)

/* ---- What is checked. ----
 * Output is data of which only one thing matters: whether a copy contains it. So one moment of the guest's life, any
 * one, is marked, and followed: which copies contain it, and whether the world was told. What holds for any one moment
 * holds for all, and epochs need no numbers.
 */

bool marked;   /* the moment has been */
bool has[2];   /* the copy that runs here contains it */
bool told;     /* output that depends on it was released */
bool excused;  /* faults took the last copy; nobody can be asked to run it on */
byte faults;
bool calm;     /* from now on nothing fails, no admin does anything, and nobody loses patience without cause */

#define fault (!calm && faults < FAULTS)

/* What must never be. Named for the message of whoever finds it; no part of a state. */
hidden byte two_visible, output_lost, undecided, not_protected, guest_lost;

inline check() {
  two_visible = visible(0) && visible(1);
  assert(!two_visible);
  output_lost = told && ((visible(0) && !has[0]) || (visible(1) && !has[1]));
  assert(!output_lost)
}

/* Output leaves freely here from now on. */
inline reveal(h) {
  held[h] = false;
  told = told || (guest[h] && has[h]);
  check()
}

inline destroy(h) {
  guest[h] = false;
  has[h] = false;
  held[h] = false
}

/* A standby that may be run from: its primary has shown nothing without it, nor told it to go, nor been granted that. */
#define usable(h) \
  (standby[h] == ACTIVATING || ((standby[h] == READY || standby[h] == CLAIMING) && !to_standby??[STOP, _] && \
    request[1 - h] != GO_ALONE && !record_is(term[h], 1 - h, false) && \
    ((role[1 - h] == PRIMARY && term[1 - h] == term[h]) || (role[1 - h] == SUPERSEDED && term[1 - h] == term[h] + 1))))
#define good(h) (usable(h) || (guest[h] && (role[h] != SUPERSEDED || primary[h] == MOVING)))

inline count_loss() {
  excused = excused || (!good(0) && !good(1))
}

/* ---- Ends of the connection. ---- */

inline close_primary_end() {
  do
  :: nempty(to_primary) -> to_primary?_
  :: nempty(outstanding) -> outstanding?_
  :: empty(to_primary) && empty(outstanding) -> break
  od;
  captured = 0;
  primary_end = false
}

inline close_standby_end() {
  do
  :: nempty(to_standby) -> to_standby?_, _
  :: empty(to_standby) -> break
  od;
  standby_end = false
}

inline send_to_standby(frame, content) {
  if
  :: standby_end -> to_standby!frame, content
  :: else
  fi
}

inline send_to_primary(frame) {
  if
  :: primary_end -> to_primary!frame
  :: else
  fi
}

inline ask(h, what, of_term) {
  request[h] = what;
  request_term[h] = of_term;
  waits[h] = true
}

/* ---- PrimaryMachine, PrimaryVm, and Reprotection in front of them. ---- */

/* Nobody but this host will show the VM. On disk first: PRIMARY on disk has to mean that nothing was shown without the
 * standby, because a primary that comes back without its guest hands over on the strength of it. */
inline go_on_alone(h) {
#ifdef WRONG_RELEASE_BEFORE_PERSIST
  reveal(h);
#else
  role[h] = NONE;
#endif
  primary[h] = ALONE
}

/* conductor.PeerInquiry: the peer's standby of this term is void for good, or there never was one. */
#define peer_void(h) \
  (agent[1 - h] && standby[1 - h] == S_NONE && term[1 - h] <= term[h] && (role[1 - h] == NONE || role[1 - h] == SUPERSEDED))
/* It has the newer term on disk. */
#define peer_newer(h) (agent[1 - h] && term[1 - h] > term[h])

proctype Primary(byte h) {
end:
  do
  /* Reprotection, and remus protect: the term is newer than what the hosts know; the arbiter may know a newer one. */
  :: d_step {
      primary[h] == P_NONE && standby[h] == S_NONE && agent[h] && agent[1 - h] && visible(h) &&
        role[1 - h] != PRIMARY && role[1 - h] != ACTIVE && !terms_used_up ->
      wanted[h] = newest_term + 1;
      primary[h] = REGISTERING
    }
  :: d_step { primary[h] == REGISTERING && may_ask(h) -> ask(h, REGISTER, wanted[h]) }
  :: d_step {
      primary[h] == REGISTERING && verdict[h] == DENIED && record_term < TERMS ->
      verdict[h] = NO_VERDICT;
      wanted[h] = record_term + 1
    }
  /* PrimaryMachine.start */
  :: d_step {
      primary[h] == REGISTERING && verdict[h] == GRANTED ->
      verdict[h] = NO_VERDICT;
      role[h] = PRIMARY;
      term[h] = wanted[h];
      primary[h] = CONNECTING
    }
  :: d_step {
      primary[h] == CONNECTING && agent[1 - h] && !guest[1 - h] && primary[1 - h] == P_NONE && standby[1 - h] == S_NONE &&
        term[1 - h] < term[h] ->
      assert(!primary_end && !standby_end && empty(to_standby) && empty(to_primary));
      primary_end = true;
      standby_end = true;
      primary[h] = SYNCING;
      /* StandbyMachine.start, Conductor.standby */
      role[1 - h] = STANDBY;
      term[1 - h] = term[h];
      standby[1 - h] = PREPARED
    }
  :: d_step {
      primary[h] == REGISTERING && verdict[h] == DENIED && record_term >= TERMS ->
      verdict[h] = NO_VERDICT;
      primary[h] = P_NONE
    }
  /* Refused, or lost before an epoch was committed there: the guest has been seen all the time. */
  :: d_step {
      (primary[h] == CONNECTING && !calm) || (primary[h] == SYNCING && (!calm || !standby_end)) ->
      if
      :: primary[h] == SYNCING -> close_primary_end()
      :: else
      fi;
      role[h] = NONE;
      primary[h] = P_NONE
    }
  :: d_step { primary[h] == SYNCING -> held[h] = true; primary[h] = PROTECTED }

  :: d_step {
      primary[h] == PROTECTED && captured < EPOCHS ->
      captured++;
      send_to_standby(EPOCH, has[h]);
      outstanding!has[h];
#ifdef WRONG_RELEASE_BEFORE_ACK
      told = told || has[h];
      check()
#endif
    }
  :: d_step {
      (primary[h] == PROTECTED || primary[h] == STOPPING) && to_primary?[ACK] ->
      to_primary?ACK;
      if
      :: outstanding?[true] -> told = true; check()
      :: else
      fi;
      outstanding?_
    }
  /* remus unprotect, an agent that is stopped, or a capture that failed. */
  :: d_step { primary[h] == PROTECTED && !calm -> send_to_standby(STOP, false); primary[h] = STOPPING }
  :: d_step { primary[h] == STOPPING && to_primary?[STOPPED] -> close_primary_end(); go_on_alone(h) }
  :: d_step {
      (primary[h] == PROTECTED || primary[h] == STOPPING) && to_primary?[FAILED] -> close_primary_end(); go_on_alone(h)
    }
  /* Link lost: not a word for the whole timeout, or closed from the other side. */
  :: d_step {
      (primary[h] == PROTECTED || primary[h] == STOPPING) && (!calm || (!standby_end && empty(to_primary))) ->
      close_primary_end();
      primary[h] = FENCED
    }

  /* The arbiter is asked by who has a guest to run on: the grant would take it from the standby. It reads the record
   * first and asks for nothing that it would be denied. */
  :: d_step {
      primary[h] == FENCED && may_ask(h) &&
#ifndef WRONG_ALONE_WITHOUT_A_GUEST
        guest[h] &&
#endif
        record_term == term[h] && record_holder == h ->
      ask(h, GO_ALONE, term[h])
    }
  :: d_step { primary[h] == FENCED && verdict[h] == GRANTED -> verdict[h] = NO_VERDICT; go_on_alone(h) }
  /* The peer may run the VM, and may not. This copy is held until the peer says which. */
  :: d_step {
      primary[h] == FENCED && verdict[h] == DENIED ->
      verdict[h] = NO_VERDICT;
#ifdef WRONG_DENIED_ENDS_THE_PRIMARY
      role[h] = SUPERSEDED;
      term[h] = record_term;
      primary[h] = STALE
#endif
    }
#ifdef WRONG_ALONE_UNASKED
  :: d_step { primary[h] == FENCED -> go_on_alone(h) }
#endif
  /* What the peer says over any path. Void and newer stay true, so that it does not matter how long the answer takes. */
#ifndef WRONG_ASK_THE_ARBITER_ONLY
  :: d_step { primary[h] == FENCED && peer_void(h) -> inquiry[h] = IDLE; go_on_alone(h) }
  :: d_step {
      primary[h] == FENCED && peer_newer(h) ->
      inquiry[h] = IDLE;
      role[h] = SUPERSEDED;
      term[h] = term[1 - h];
      primary[h] = STALE
    }
  :: d_step { primary[h] == FENCED && guest[h] && inquiry[h] == IDLE && agent[1 - h] && standby[1 - h] == READY ->
      inquiry[h] = STOP_SENT }
  :: d_step { primary[h] == FENCED && inquiry[h] == STOPPED_SENT -> inquiry[h] = IDLE; go_on_alone(h) }
#endif
  /* Lost with this host, and there is a standby. */
  :: d_step {
      primary[h] == FENCED && !guest[h] && agent[1 - h] && (standby[1 - h] == READY || standby[1 - h] == CLAIMING) ->
      role[h] = SUPERSEDED;
      term[h]++;
      primary[h] = YIELDING
    }

  :: d_step {
      primary[h] == ALONE ->
#ifdef WRONG_RELEASE_BEFORE_PERSIST
      role[h] = NONE;
#endif
      inquiry[h] = IDLE;
      verdict[h] = NO_VERDICT;
      waits[h] = false;
      primary[h] = P_NONE;
      reveal(h)
    }
  /* remus failover, or QEMU died. */
  :: d_step {
      primary[h] == PROTECTED && captured > len(outstanding) && !calm ->
#ifndef WRONG_SAY_SUPERSEDED_BEFORE_PERSIST
      role[h] = SUPERSEDED;
      term[h]++;
#endif
      primary[h] = YIELDING;
      count_loss()
    }
  :: d_step {
      primary[h] == YIELDING ->
#ifdef WRONG_SAY_SUPERSEDED_BEFORE_PERSIST
      if
      :: role[h] == PRIMARY -> role[h] = SUPERSEDED; term[h]++
      :: else
      fi;
#endif
      destroy(h);
      if
      :: primary_end -> send_to_standby(YIELD, false); close_primary_end()
      :: else
      fi;
      verdict[h] = NO_VERDICT;
      waits[h] = false;
      primary[h] = P_NONE
    }

  /* remus switchover: the guest has stopped and all that it said is out. It is kept, held, until the peer runs it; should
   * the peer have given its standby up instead, it goes on here under the term it was given up to. */
  :: d_step {
      primary[h] == PROTECTED && captured > 0 && len(outstanding) == 0 && !calm ->
      role[h] = SUPERSEDED;
      term[h]++;
      send_to_standby(YIELD, false);
      primary[h] = MOVING;
      count_loss()
    }
  :: d_step {
      primary[h] == MOVING && agent[1 - h] && term[1 - h] >= term[h] && !peer_void(h) ->
      destroy(h);
      close_primary_end();
      primary[h] = P_NONE
    }
  :: d_step {
      primary[h] == MOVING && (peer_void(h) || to_primary?[FAILED]
#ifdef WRONG_TAKE_BACK_UNASKED
        || true
#endif
        ) ->
      close_primary_end();
      go_on_alone(h)
    }
  :: d_step { primary[h] == STALE -> destroy(h); verdict[h] = NO_VERDICT; waits[h] = false; primary[h] = P_NONE }
  od
}

/* ---- StandbyMachine, StandbyVm. ---- */

inline void_standby(h) {
  role[h] = NONE;
  kept[h] = false;
  standby[h] = S_NONE;
  verdict[h] = NO_VERDICT;
  waits[h] = false;
  if
  :: standby_end -> close_standby_end()
  :: else
  fi
}

/* The newer term is on disk before anything of it is seen. */
inline claim_is_good(h) {
  if
  :: standby_end -> close_standby_end()
  :: else
  fi;
  verdict[h] = NO_VERDICT;
  waits[h] = false;
#ifndef WRONG_ACTIVATE_BEFORE_PERSIST
  role[h] = ACTIVE;
  term[h]++;
#endif
  standby[h] = ACTIVATING
}

proctype Standby(byte h) {
end:
  do
  :: d_step {
      (standby[h] == PREPARED || standby[h] == READY) && standby_end && to_standby?[EPOCH, _] ->
      to_standby?EPOCH, kept[h];
      send_to_primary(ACK);
      standby[h] = READY
    }
  :: d_step {
      (standby[h] == PREPARED || standby[h] == READY) && standby_end && to_standby?[STOP, _] ->
      send_to_primary(STOPPED);
      void_standby(h)
    }
  :: d_step { standby[h] == READY && standby_end && to_standby?[YIELD, _] -> claim_is_good(h) }
  /* Lost before the first epoch. */
  :: d_step { standby[h] == PREPARED && (!calm || (!primary_end && empty(to_standby))) -> void_standby(h) }
  /* Suspect: what comes now is too late. It waits for the primary's word, or for its own patience to end. */
  :: d_step {
      standby[h] == READY && standby_end && (!calm || (!primary_end && empty(to_standby))) -> close_standby_end()
    }

  /* Expired. From here on it commits nothing and answers no STOP until it knows what became of its claim. That only the
   * reading of the record fails, and nothing was claimed, is no step. */
  :: d_step {
      standby[h] == READY && (!calm || !agent[1 - h]) && may_ask(h) ->
      if
      :: standby_end -> close_standby_end()
      :: else
      fi;
      standby[h] = CLAIMING;
      ask(h, TAKE_OVER, term[h])
    }
  :: d_step { standby[h] == CLAIMING && may_ask(h) -> ask(h, TAKE_OVER, term[h]) }
  :: d_step { standby[h] == CLAIMING && verdict[h] == GRANTED -> claim_is_good(h) }
  :: d_step { standby[h] == CLAIMING && verdict[h] == DENIED -> void_standby(h) }
#ifdef WRONG_ACTIVATE_UNASKED
  :: d_step { standby[h] == READY -> claim_is_good(h) }
#endif

  /* What the primary says over any path. */
  :: d_step {
      (standby[h] == READY || standby[h] == CLAIMING) && agent[1 - h] && role[1 - h] == SUPERSEDED &&
        term[1 - h] == term[h] + 1 ->
      claim_is_good(h)
    }
#ifdef WRONG_SAY_SUPERSEDED_BEFORE_PERSIST
  :: d_step { standby[h] == READY && primary[1 - h] == YIELDING && role[1 - h] == PRIMARY -> claim_is_good(h) }
#endif
  :: d_step {
      standby[h] == READY && agent[1 - h] && (term[1 - h] > term[h] || role[1 - h] != PRIMARY) &&
        !(role[1 - h] == SUPERSEDED && term[1 - h] == term[h] + 1) ->
      void_standby(h)
    }
  :: d_step {
      agent[h] && inquiry[1 - h] == STOP_SENT ->
      if
      :: standby[h] == READY -> void_standby(h); inquiry[1 - h] = STOPPED_SENT
      :: else -> inquiry[1 - h] = IDLE
      fi
    }

  /* Its QEMU died, or its disk is full. */
  :: d_step {
      (standby[h] == PREPARED || standby[h] == READY) && fault ->
      faults++;
      send_to_primary(FAILED);
      void_standby(h);
      count_loss()
    }

  :: d_step {
      standby[h] == ACTIVATING ->
      guest[h] = true;
      has[h] = kept[h];
      kept[h] = false;
      reveal(h);
      standby[h] = S_NONE
    }
  /* It does not come to life. Only a primary that moved it here waits for that. */
  :: d_step {
      standby[h] == ACTIVATING && fault ->
      faults++;
      excused = excused || primary[1 - h] != MOVING;
      void_standby(h)
    }
#ifdef WRONG_ACTIVATE_BEFORE_PERSIST
  :: d_step { standby[h] == S_NONE && guest[h] && role[h] == STANDBY && agent[h] -> role[h] = ACTIVE; term[h]++ }
#endif
  od
}

/* ---- Agents and hosts end and come back: Startup. ---- */

inline forget(h) {
  agent[h] = false;
  if
  :: primary_end && primary[h] != P_NONE -> close_primary_end()
  :: else
  fi;
  if
  :: standby_end && standby[h] != S_NONE -> close_standby_end()
  :: else
  fi;
  /* An agent that starts finds a standby that was about to run, and cannot run it: what it needs is gone. */
  excused = excused || standby[h] == ACTIVATING;
  primary[h] = P_NONE;
  standby[h] = S_NONE;
  kept[h] = false;
  inquiry[h] = IDLE;
  /* A request may be on its way still. */
  waits[h] = false;
  verdict[h] = NO_VERDICT
}

proctype Host(byte h) {
end:
  do
  /* The agent is killed: the guest runs on, and so do the rules that hold its output. */
  :: d_step { agent[h] && fault -> faults++; forget(h); count_loss() }
  /* The host loses its power. */
  :: d_step {
      (agent[h] || guest[h]) && fault ->
      faults++;
      excused = excused || visible(h);
      destroy(h);
      forget(h);
      count_loss()
    }
  :: d_step {
      !agent[h] ->
      agent[h] = true;
      if
      :: role[h] == PRIMARY -> primary[h] = FENCED
      :: role[h] == STANDBY -> role[h] = NONE
      :: role[h] == SUPERSEDED -> destroy(h)
      :: role[h] == NONE -> reveal(h)
      :: else
      fi
    }
  od
}

/* ---- The guest lives, and comes to the marked moment. ---- */

proctype Guest(byte h) {
end:
  d_step {
    guest[h] && primary[h] != MOVING && !marked ->
    marked = true;
    has[h] = true;
    told = visible(h);
    check()
  }
}

/* ---- The arbiter: one compare-and-swap for each request, some time after it was sent. arbiter.Ruling ---- */

inline put(new_term, holder, with_standby) {
  record_term = new_term;
  record_holder = holder;
  record_standby = with_standby;
  ok = true
}

proctype Arbiter(byte h) {
  bool ok;
end:
  do
  :: d_step {
      request[h] != NO_REQUEST ->
      if
      :: request[h] == REGISTER ->
        ok = record_is(request_term[h], h, true);
        if
        :: record_term < request_term[h] -> put(request_term[h], h, true)
        :: else
        fi
      :: request[h] == GO_ALONE ->
        ok = record_is(request_term[h], h, false);
        if
        :: record_is(request_term[h], h, true) -> put(request_term[h], h, false)
        :: else
        fi
      :: request[h] == TAKE_OVER ->
        ok = record_term == request_term[h] + 1 && record_holder == h;
        if
        :: record_is(request_term[h], 1 - h, true) -> put(request_term[h] + 1, h, false)
        :: else
        fi
      fi;
      if
      :: waits[h] -> verdict[h] = (ok -> GRANTED : DENIED)
      :: else
      fi;
      request[h] = NO_REQUEST;
      request_term[h] = 0;
      waits[h] = false;
      ok = false
    }
  /* Applied, and the answer is lost: the verdict is unknown, and asked for again. */
  :: d_step { verdict[h] != NO_VERDICT && fault -> faults++; verdict[h] = NO_VERDICT }
  /* Nobody waits for it any more, and it never arrives. */
  :: d_step { request[h] != NO_REQUEST && !waits[h] -> request[h] = NO_REQUEST; request_term[h] = 0 }
  od
}

/* ---- It becomes calm, at any moment, and everything that can happen then has happened. ---- */

#define is_protected(h) (primary[h] == PROTECTED && standby[1 - h] == READY && primary_end && standby_end && len(outstanding) == 0)

proctype Judge() {
end:
  calm = true;
  timeout;
  undecided = (guest[0] && !visible(0) && !is_protected(0)) || (guest[1] && !visible(1) && !is_protected(1));
  assert(!undecided);
  not_protected = (visible(0) || visible(1)) && !terms_used_up;
  assert(!not_protected);
  guest_lost = !guest[0] && !guest[1] && !excused;
  assert(!guest_lost)
}

init {
  byte i;
  d_step {
    for (i : 0 .. 1) {
      role[i] = NONE;
      agent[i] = true;
      primary[i] = P_NONE;
      standby[i] = S_NONE;
      inquiry[i] = IDLE;
      request[i] = NO_REQUEST;
      verdict[i] = NO_VERDICT
    }
    guest[0] = true
  }
  atomic {
    run Primary(0); run Primary(1);
    run Standby(0); run Standby(1);
    run Host(0); run Host(1);
    run Guest(0); run Guest(1);
    run Arbiter(0); run Arbiter(1);
    run Judge()
  }
}
