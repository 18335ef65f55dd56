# shellcheck shell=bash
# Ways to break a host, each with the way back. Power and cables are in lab.sh and network.sh.
#
#   agent_freeze hv1, agent_thaw hv1        SIGSTOP and SIGCONT
#   agent_crash hv1                         SIGKILL, or another signal; does not wait for its end
#   qemu_kill hv1 ledger                    SIGKILL to the VM's QEMU, also a standby's
#   libvirt_kill hv1, libvirt_again hv1
#   link_block hv1 lan in, link_open hv1    frames from the host (out) or to it (in) are lost, without a word; the others pass
#   link_slow hv1 replication 20, link_full_speed hv1   at most so many Mbit/s each way
#   clock_set hv1 +3600, clock_set hv1 +0   what time of day the agent takes it for; needs `agents_with_own_clocks` before the lab
#   state_fill hv1, state_drain hv1         the disk that /var/lib/remus is on is full; needs `lab up --state-disk`

# ---- agent ----

agent_freeze() { # HOST
  agent_crash "$1" STOP
}

agent_thaw() { # HOST
  agent_crash "$1" CONT
}

# An agent that has ended already is no error.
agent_crash() { # HOST [SIGNAL]
  # shellcheck disable=SC2016  # for the inner shell
  in_host "$1" sh -c 'kill -"$0" "$(cat /run/remus-agent.pid)"' "${2:-KILL}" 2>/dev/null || true
}

# ---- QEMU and libvirt ----

qemu_kill() { # HOST VM
  # shellcheck disable=SC2016
  in_host "$1" sh -c 'kill -KILL "$(cat "/run/libvirt/qemu/$0.pid")"' "$2" 2>/dev/null || true
}

libvirt_kill() { # HOST
  # shellcheck disable=SC2016
  in_host "$1" sh -c 'kill -KILL "$(cat /run/libvirtd.pid)"' 2>/dev/null || true
}

libvirt_gone() { # HOST
  # shellcheck disable=SC2016
  ! in_host "$1" sh -c 'kill -0 "$(cat /run/libvirtd.pid)"' 2>/dev/null
}

# Whether it was killed or not.
libvirt_again() { # HOST
  libvirt_gone "$1" || return 0
  libvirt_start "$1"
}

# ---- links ----

port_of() { # HOST NET
  echo "$1-${2/replication/repl}"
}

card_of() { # NET
  [ "$1" = lan ] && echo lan0 || echo repl0
}

# In the switch, on the host's port: what comes in there was sent by the host.
link_block() { # HOST NET in|out
  local port hook
  port=$(port_of "$1" "$2")
  [ "$3" = out ] && hook=ingress || hook=egress
  in_net switch nft "table netdev block-$port { chain frames { type filter hook $hook device $port priority 0; policy drop; }; }"
}

link_open() { # HOST
  local table
  in_net switch nft list tables netdev | { grep -o "block-$1-[a-z]*" || true; } | while read -r table; do
    in_net switch nft delete table netdev "$table"
  done
}

# At both ends of the cable, for a queue is where frames go out.
link_slow() { # HOST NET MBIT
  local shape="root tbf rate $3mbit burst 256kb latency 400ms"
  # shellcheck disable=SC2086  # words
  {
    in_net switch tc qdisc replace dev "$(port_of "$1" "$2")" $shape
    in_net "$1" tc qdisc replace dev "$(card_of "$2")" $shape
  }
}

link_full_speed() { # HOST
  local net
  for net in lan replication; do
    in_net switch tc qdisc delete dev "$(port_of "$1" "$net")" root 2>/dev/null || true
    in_net "$1" tc qdisc delete dev "$(card_of "$net")" root 2>/dev/null || true
  done
}

# ---- disk ----

state_fill() { # HOST
  in_host "$1" sh -c 'cat /dev/zero >/var/lib/remus/ballast' 2>/dev/null || true
}

state_drain() { # HOST
  in_host "$1" rm -f /var/lib/remus/ballast
}

# ---- clock ----

# Their wall clock is libfaketime's, which looks into a file every second; what they time goes by the monotonic clock, which
# nobody moves. Without the fix for old C libraries: with it, waits in a JVM end early.
agents_with_own_clocks() {
  export REMUS_LAB_AGENT_ENVIRONMENT='LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1
    FAKETIME_TIMESTAMP_FILE=/run/clock FAKETIME_CACHE_DURATION=1 DONT_FAKE_MONOTONIC=1 FAKETIME_FORCE_MONOTONIC_FIX=0
    NO_FAKE_STAT=1'
}

clock_set() { # HOST SECONDS (with + or -)
  # shellcheck disable=SC2016  # for the inner shell
  in_host "$1" sh -c 'echo "$0" >/run/clock' "$2"
}
