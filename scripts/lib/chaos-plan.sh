# shellcheck shell=bash
# What goes wrong in one round of chaos, drawn from a seed alone: the same seed and round give the same plan.
#
#   plan_round 7 3        fills the plan of round 3 of seed 7
#   plan_text             "at 1.300 s cut primary replication; at 2.100 s mend primary; ..."
#
# A plan speaks of the hosts as primary and backup, as they are when the round begins, and of the one with etcd.

plan_steps=() # "AT_MS WORD ROLE [ARGUMENT...]", in order of time
plan_faults=() # the kinds

# ---- chance ----

random_state=0

# SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014): its numbers are good for any
# seed, also for neighbours. `draw N` puts one of 0..N-1 into $drawn.
draw() { # N
  local z
  random_state=$((random_state + 0x9e3779b97f4a7c15))
  z=$(((random_state ^ (random_state >> 30 & 0x3ffffffff)) * 0xbf58476d1ce4e5b9))
  z=$(((z ^ (z >> 27 & 0x1fffffffff)) * 0x94d049bb133111eb))
  z=$((z ^ (z >> 31 & 0x1ffffffff)))
  drawn=$(((z >> 1 & 0x7fffffffffffffff) % $1))
}

draw_between() { # FROM TO
  draw $(($2 - $1 + 1))
  drawn=$((drawn + $1))
}

draw_of() { # WORD...
  local words=("$@")
  draw $#
  drawn=${words[drawn]}
}

# ---- faults ----

# Each kind as often as it is named.
fault_kinds=(power-off power-off qemu-kill agent-kill agent-kill agent-stop agent-freeze agent-freeze libvirt-kill cut cut
  cut-off cut-off flap one-way slow state-full clock clock etcd-kill etcd-freeze etcd-cut failover switchover switchover unprotect
  guest-reset guest-destroy)

# The admin's own will, which another fault at the same time would only make unclear.
stands_alone() { # KIND
  [[ $1 == unprotect || $1 == guest-destroy ]]
}

step_at() { # AT_MS WORD ROLE [ARGUMENT...]
  plan_steps+=("$*")
}

# A fault from AT_MS on, and its end.
plan_fault() { # KIND AT_MS
  local kind=$1 at=$2 role net i end
  draw_of primary backup
  role=$drawn
  draw_of replication replication lan
  net=$drawn
  plan_faults+=("$kind")
  case $kind in
    power-off)
      draw_between 500 4000
      step_at "$at" power-off "$role"
      step_at $((at + drawn)) power-on "$role"
      ;;
    qemu-kill) step_at "$at" qemu-kill "$role" ;;
    agent-kill | agent-stop)
      draw_between 50 4000
      step_at "$at" "$kind" "$role"
      step_at $((at + drawn)) agent-start "$role"
      ;;
    agent-freeze)
      draw_between 50 4000
      step_at "$at" agent-freeze "$role"
      step_at $((at + drawn)) agent-thaw "$role"
      ;;
    libvirt-kill)
      draw_between 100 2000
      step_at "$at" libvirt-kill "$role"
      step_at $((at + drawn)) libvirt-start "$role"
      ;;
    cut)
      draw_between 100 3000
      step_at "$at" cut "$role" "$net"
      step_at $((at + drawn)) mend "$role"
      ;;
    cut-off)
      draw_between 100 4000
      step_at "$at" cut "$role" all
      step_at $((at + drawn)) mend "$role"
      ;;
    flap)
      draw_between 3 6
      end=$at
      for ((i = drawn; i > 0; i--)); do
        draw_between 30 400
        step_at "$end" cut "$role" "$net"
        end=$((end + drawn))
        step_at "$end" mend "$role"
        draw_between 30 400
        end=$((end + drawn))
      done
      ;;
    one-way)
      draw_of in out
      step_at "$at" block "$role" "$net" "$drawn"
      draw_between 100 3000
      step_at $((at + drawn)) open "$role"
      ;;
    slow)
      draw_of 1 4 16 64
      step_at "$at" slow "$role" "$net" "$drawn"
      draw_between 500 3000
      step_at $((at + drawn)) full-speed "$role"
      ;;
    state-full)
      draw_between 500 3000
      step_at "$at" state-full "$role"
      step_at $((at + drawn)) state-drain "$role"
      ;;
    clock)
      draw_of -3600 +3600
      step_at "$at" clock "$role" "$drawn"
      draw_between 500 3000
      step_at $((at + drawn)) clock "$role" +0
      ;;
    etcd-kill | etcd-freeze)
      draw_between 100 4000
      step_at "$at" "$kind" etcd
      step_at $((at + drawn)) "$([ "$kind" = etcd-kill ] && echo etcd-start || echo etcd-thaw)" etcd
      ;;
    etcd-cut)
      draw_between 100 4000
      step_at "$at" cut etcd all
      step_at $((at + drawn)) mend etcd
      ;;
    failover | switchover) step_at "$at" "$kind" "$role" ;;
    unprotect)
      draw_between 0 1500
      step_at "$at" unprotect primary "$(seconds "$drawn")" # and protect again after so many seconds
      ;;
    guest-reset) step_at "$at" guest-reset primary ;;
    guest-destroy)
      draw_between 2500 4000 # so long that a backup that takes over by mistake is seen
      step_at "$at" guest-destroy primary
      step_at $((at + drawn)) guest-start primary
      ;;
  esac
}

plan_round() { # SEED ROUND
  local kind second at
  random_state=$(($1 * 1000003 + $2))
  plan_steps=() plan_faults=()
  draw_of "${fault_kinds[@]}"
  kind=$drawn
  draw_between 100 2500
  at=$drawn
  plan_fault "$kind" "$at"
  draw 100
  if [ "$drawn" -lt 35 ] && ! stands_alone "$kind"; then
    draw_of "${fault_kinds[@]}"
    second=$drawn
    draw_between 0 1500
    stands_alone "$second" || plan_fault "$second" $((at + drawn))
  fi
  mapfile -t plan_steps < <(printf '%s\n' "${plan_steps[@]}" | sort -s -n -k 1,1)
}

plan_text() {
  local step text=''
  for step in "${plan_steps[@]}"; do
    text+="at $(seconds "${step%% *}") s ${step#* }; "
  done
  echo "${text%; }"
}

seconds() { # MILLISECONDS
  printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
}
