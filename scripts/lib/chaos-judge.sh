# shellcheck shell=bash
# What is looked at while chaos goes on, and judged after each round. A reason goes to `blame`.

# ---- the agents' word ----

state_on() { # HOST VM
  status_of "$1" "$2" | jq -r .state
}

# Both agents agree that this host's VM is protected by the other one.
protected_on() { # HOST VM
  [ "$(state_on "$1" "$2")" = protected ] && [ "$(state_on "$(other_host "$1")" "$2")" = standby ]
}

# ---- clients ----

crowd_start() {
  rm -f "$(client_file history)"
  : >"$(client_file dumps)"
  # shellcheck disable=SC2016  # for the inner shell
  in_host client sh -c 'echo $$ >/run/crowd.pid; exec ledger-crowd "$@"' crowd "$guest_address" 7000 --clients 3 --rate 50 \
    --history /var/log/history </dev/null >/dev/null 2>&1 9>&- &
  disown
  dumped_life='' dumped=0
  wait_for 30 "the clients are answered" crowd_answered 20
}

crowd_stop() {
  # shellcheck disable=SC2016
  in_host client sh -c 'kill "$(cat /run/crowd.pid)"' 2>/dev/null || true
  wait_for 60 "the clients have ended" crowd_gone
}

crowd_gone() {
  # shellcheck disable=SC2016
  ! in_host client sh -c 'kill -0 "$(cat /run/crowd.pid)"' 2>/dev/null
}

crowd_answers() {
  grep -c '^answer' "$(client_file history)" 2>/dev/null || true
}

crowd_answered() { # COUNT
  [ "$(crowd_answers)" -ge "$1" ]
}

# COUNT more answers, of questions asked from now on.
crowd_await() { # COUNT
  wait_for 30 "the clients are answered" crowd_answered $(($(crowd_answers) + $1))
}

# What the ledger has that was not read before; everything when it is another one, or when told to.
crowd_dump() { # [all]
  local life
  life=$(ask_guest 7000 life) || return 1
  [ "$life" = "$dumped_life" ] && [ "${1-}" != all ] || dumped=0
  in_host client ledger-crowd "$guest_address" 7000 --dump $((dumped + 1)) >"$chaos/dump" || return 1
  cat "$chaos/dump" >>"$(client_file dumps)"
  dumped_life=$life
  dumped=$(awk '$1 == "end" { print $3 }' "$chaos/dump")
}

# ---- what must not be left ----

# What a host holds, in words that are the same in each round.
census() { # HOST
  # shellcheck disable=SC2016  # for the inner shell
  in_host "$1" sh -c '
    echo "processes $(ps -eo stat,comm --no-headers | sed "/ ps$/d; / sh$/d; / sed$/d; / sort$/d; / paste$/d" |
      sed "s/^\(Z\|.\)[^ ]* */\1 /; s/^[^Z] //" | sort | paste -sd,)"
    echo "rules $(nft list ruleset 2>/dev/null | grep -c queue)"
    echo "queues $(wc -l </proc/net/netfilter/nfnetlink_queue)"
    echo "mounts $(wc -l </proc/self/mountinfo)"
    echo "links $(ip -o link | sed "s/^[0-9]*: //; s/[@:].*//; s/[0-9]*$//" | sort | paste -sd,)"
    # Not what a power-off left, as it does libvirt own files. A domain has another number each time.
    echo "fifos $(find /run /tmp /var/lib/libvirt /var/lib/remus -type p -newer /run/host-ready | sed "s/domain-[0-9]*/domain-N/" | paste -sd,)"
    echo "stage $(find /var/lib/remus/stage -type f | wc -l)"'
}

agent_census() { # HOST
  # shellcheck disable=SC2016
  in_host "$1" sh -c 'pid=$(cat /run/remus-agent.pid); echo "$pid $(ls /proc/$pid/fd | wc -l) $(ls /proc/$pid/task | wc -l)"'
}

declare -A usual=() agents_seen=()

# What the first round began with is what every round has to end with.
census_learn() {
  usual[primary]=$(census "$primary")
  usual[backup]=$(census "$backup")
}

census_is_usual() { # HOST ROLE
  local found
  found=$(census "$1")
  [ "$found" = "${usual[$2]}" ]
}

judge_leaks() {
  local role host line
  for role in primary backup; do
    host=${!role}
    # The runner's own commands need a moment to be gone.
    wait_for 5 "nothing is left on $host" census_is_usual "$host" "$role" 2>/dev/null && continue
    while read -r line; do
      blame leak "$host has as $role: $line"
    done < <(diff <(echo "${usual[$role]}") <(census "$host") | sed -n 's/^> //p')
  done
  judge_agent_growth
}

# The same process in the same role: by and by more files or threads than at first is growth. What garbage still holds, such as a
# connection to libvirt, is none.
judge_agent_growth() {
  local role found key
  for role in primary backup; do
    found=$(agent_census "${!role}")
    key=${!role}-$role-${found%% *}
    agents_seen[$key]=${agents_seen[$key]:-$found}
    agent_has_not_grown "${!role}" "${agents_seen[$key]}" && continue
    agent_collects "${!role}"
    wait_for 10 "garbage is gone" agent_has_not_grown "${!role}" "${agents_seen[$key]}" 2>/dev/null ||
      blame leak "the agent on ${!role} has (pid, files, threads) as $role $(agent_census "${!role}"), once ${agents_seen[$key]}"
  done
}

agent_has_not_grown() { # HOST CENSUS-AT-FIRST
  local files threads first_files first_threads
  read -r _ first_files first_threads <<<"$2"
  read -r _ files threads < <(agent_census "$1")
  [ "$files" -le $((first_files + 25)) ] && [ "$threads" -le $((first_threads + 15)) ]
}

agent_collects() { # HOST
  # shellcheck disable=SC2016  # for the inner shell
  in_host "$1" sh -c 'jcmd "$(cat /run/remus-agent.pid)" GC.run' >/dev/null
}

# ---- the verdict on a round ----

# Within an epoch's pause libvirt says "paused", for some milliseconds.
judge_copies() {
  wait_for 5 "the guest runs" vm_is "$primary" running 2>/dev/null ||
    blame paused "the guest on $primary is $(vm_tool "$primary" domstate ledger 2>&1 | head -n 1)"
  wait_for 5 "the standby waits" standby_waits 2>/dev/null ||
    judge_other_copy "$(qemu_status "$backup" 2>/dev/null)"
}

judge_other_copy() { # QEMU-STATUS
  case $1 in
    running) blame two-active "the guest runs on $backup, too" ;;
    '') blame no-standby "there is no standby on $backup" ;;
    *) blame paused "the VM on $backup is no standby but $1" ;;
  esac
}

vm_is() { # HOST STATE
  [ "$(vm_tool "$1" domstate ledger)" = "$2" ]
}

qemu_status() { # HOST
  vm_tool "$1" qemu-monitor-command ledger '{"execute":"query-status"}' | jq -r .return.status
}

standby_waits() {
  [ "$(qemu_status "$backup")" = inmigrate ]
}

judge_visible() {
  seen=$(visible 2>"$chaos/visible.txt") || true
  holds "$seen" '.interleaved == 0' >/dev/null || blame two-active "two hosts showed the guest: $seen"
  holds "$seen" '.dropped == 0' >/dev/null || blame unseen "the watch missed frames: $seen"
  [ "$arp_is_held" = no ] || holds "$seen" '.arp == 0' >/dev/null || blame two-active "two hosts answered for the guest by ARP: $seen"
}

# FROM and TO are the round's, for the longest gap.
judge_history() { # FROM_NS TO_NS [all]
  crowd_dump "${3-}" || blame unreadable "the ledger could not be read to its end"
  history=$("$cache/bin/history-check" "$(client_file history)" "$(client_file dumps)" "$1" "$2" 2>"$chaos/history.txt") || true
  holds "$history" .linearizable >/dev/null || blame history "not linearizable: $history"
}

# The owner ended the guest a while ago: then it runs nowhere.
judge_intent() {
  local host
  for host in $(hypervisors); do
    [ -z "$(vm_tool "$host" list --name --state-running)" ] || blame intent "the owner ended the guest, and it runs on $host"
  done
}
