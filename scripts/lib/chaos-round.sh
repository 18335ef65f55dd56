# shellcheck shell=bash
# Does what a plan says, mends everything, and waits for the pair to be protected again.

steps_done=() # as plan_steps, with the hosts' names and the times at which it happened
hit=()        # the hosts that something was done to
jobs=()       # what takes longer than a step may

# Steps in their time. Roles are those of the round's beginning.
run_plan() {
  local step at began=${EPOCHREALTIME/[.,]/} now
  steps_done=() hit=() jobs=()
  for step in "${plan_steps[@]}"; do
    at=${step%% *}
    now=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
    [ "$at" -le "$now" ] || sleep "$(seconds $((at - now)))"
    now=$(((${EPOCHREALTIME/[.,]/} - began) / 1000))
    # shellcheck disable=SC2086  # words
    do_step "$now" ${step#* }
  done
}

do_step() { # NOW_MS WORD ROLE [ARGUMENT...]
  local now=$1 word=$2 host=${!3} # etcd, too
  shift 3
  [ "$word" = power-on ] || powered "$host" || return 0
  hit+=("$host")
  case $word in
    cut | block | slow | failover | switchover) hit=(hv1 hv2) ;;
  esac
  steps_done+=("$now $word $host $*")
  case $word in
    power-off) power_off "$host" ;;
    power-on) in_background power_on_again "$host" ;;
    qemu-kill) qemu_kill "$host" ledger ;;
    agent-kill) agent_crash "$host" ;;
    agent-stop) agent_crash "$host" TERM ;;
    agent-start) in_background agent_again "$host" ;;
    agent-freeze) agent_freeze "$host" ;;
    agent-thaw) agent_thaw "$host" ;;
    libvirt-kill) libvirt_kill "$host" ;;
    libvirt-start) in_background libvirt_again "$host" ;;
    cut) network_cut "$host" "$1" ;;
    mend) network_heal "$host" ;;
    block) link_block "$host" "$1" "$2" ;;
    open) link_open "$host" ;;
    slow) link_slow "$host" "$1" "$2" ;;
    full-speed) link_full_speed "$host" ;;
    state-full) state_fill "$host" ;;
    state-drain) state_drain "$host" ;;
    clock) clock_set "$host" "$1" ;;
    etcd-kill) etcd_signal "$host" KILL 2>/dev/null || true ;;
    etcd-freeze) etcd_signal "$host" STOP 2>/dev/null || true ;;
    etcd-thaw) etcd_signal "$host" CONT 2>/dev/null || true ;;
    etcd-start) etcd_again "$host" ;;
    failover) in_background admin failover "$host" ledger --yes ;;
    switchover) in_background admin switchover "$host" ledger ;;
    unprotect) in_background admin_reprotects "$host" "$1" ;;
    guest-destroy | guest-reset) vm_tool "$host" "${word#guest-}" ledger >/dev/null 2>&1 || true ;;
    guest-start)
      judge_intent
      guest_begun_on "$host"
      vm_tool "$host" start ledger >/dev/null
      ;;
  esac
}

in_background() { # COMMAND...
  "$@" </dev/null 9>&- &
  jobs+=($!)
}

power_on_again() { # HOST
  powered "$1" || power_on "$1"
}

# The old one may still be ending in order.
agent_again() { # HOST
  wait_for 30 "the agent on $1 has ended" agent_gone "$1"
  agent_launch "$1"
}

# A command may be refused or fail in the middle of a fault; what it then leaves is judged like all else.
admin() { # COMMAND HOST ARGUMENTS...
  local command=$1 host=$2 said
  shift 2
  said=$(remus "$host" "$command" "$@" 2>&1) || step "remus $command on $host: $(tail -n 1 <<<"$said")"
}

admin_reprotects() { # HOST SECONDS
  admin unprotect "$1" ledger
  sleep "$2"
  admin_protects "$1"
}

admin_protects() { # HOST
  admin protect "$1" ledger --backup "$(other_host "$1")"
}

other_host() { # HOST
  [ "$1" = hv1 ] && echo hv2 || echo hv1
}

# ---- mending ----

mend_all() {
  local job host
  mend_etcd
  for job in "${jobs[@]}"; do
    wait "$job" || blame lab "something that was started in the background failed: see the log"
  done
  for host in $(hypervisors); do
    judge_agent_lives "$host"
  done
  jobs=()
  for host in $(hypervisors); do
    in_background mend "$host"
  done
  for job in "${jobs[@]}"; do
    wait "$job" || blame lab "a host could not be mended: see the log"
  done
}

# First, since agents need it to come back.
mend_etcd() {
  network_heal "$etcd"
  etcd_signal "$etcd" CONT 2>/dev/null || true
  etcd_again "$etcd"
  etcd_await "$etcd"
}

# Whether it was killed or not.
etcd_again() { # HOST
  etcd_signal "$1" 0 2>/dev/null || etcd_start "$1"
}

# Nobody killed it: then it has to be there.
judge_agent_lives() { # HOST
  powered "$1" || return 0
  agent_runs "$1" || [[ " ${steps_done[*]}" =~ (power-off|agent-kill|agent-stop)\ $1 ]] ||
    blame agent-died "the agent on $1 ended by itself"
}

mend() { # HOST
  if powered "$1"; then
    network_heal "$1"
    link_full_speed "$1"
    agent_thaw "$1"
    state_drain "$1"
    clock_set "$1" +0
    libvirt_again "$1"
  else
    power_on "$1"
  fi
  link_open "$1"
  agent_start "$1"
}

# ---- waiting for protection ----

# Sets $ending: "protected" (by $primary now), "ended" (no guest runs any more), "stuck"; and $helped: whether that took a
# "command", as it does after `remus unprotect` and `remus recover`, or came by "itself".
await_pair() {
  local began=$SECONDS none=0 host asked=$SECONDS acked
  local -A acked_before=()
  helped=itself ending=stuck
  while ((SECONDS - began < again_s)); do
    for host in hv1 hv2; do
      # That acks go on coming, for the word may be from before the fault was noticed.
      if protected_on "$host" ledger; then
        acked=$(status_of "$host" ledger | jq -c '[.term, .epoch.acked]')
        if [ "${acked_before[$host]-$acked}" != "$acked" ]; then
          primary=$host backup=$(other_host "$host") ending=protected
          return
        fi
        acked_before[$host]=$acked
      fi
    done
    host=$(guest_host)
    if [ -n "$host" ]; then
      none=0
    elif ((none++ > 12)); then
      ending=ended
      return
    fi
    if ((SECONDS - asked > 3)) && [[ $host == hv* ]] && nobody_else_protects; then
      asked=$SECONDS
      protect_again "$host"
    fi
    sleep 0.2
  done
}

# Where the guest runs; nothing when it runs nowhere, "unknown" when a host cannot say.
guest_host() {
  local host running
  for host in hv1 hv2; do
    running=$(vm_tool "$host" list --name --state-running 2>/dev/null) || running=unknown
    case $running in
      *ledger*) echo "$host" && return ;;
      unknown) echo unknown && return ;;
    esac
  done
}

# The admin has ended protection, or has started the guest where both copies were gone.
nobody_else_protects() {
  [ "$started_again" = yes ] || [[ " ${plan_faults[*]} " == *" unprotect "* ]]
}

protect_again() { # HOST
  local state
  state=$(state_on "$1" ledger) || true
  case ${state:-none} in
    none | unprotected | active)
      helped=command
      admin_protects "$1"
      ;;
  esac
}
