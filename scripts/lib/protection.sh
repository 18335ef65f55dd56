# shellcheck shell=bash
# Words for scenarios about protected VMs: protect, load, watch, capture, fail over.

# Which host is which; a scenario that goes to and fro swaps them.
primary=hv1 backup=hv2

swap_hosts() {
  local former=$primary
  primary=$backup backup=$former
}

remus() { # HOST ARGUMENTS...
  local host=$1
  shift
  in_host "$host" remus "$@"
}

# The status of one VM as its host's agent sees it; nothing when the agent knows no such VM.
status_of() { # HOST VM
  # Over the socket: the command takes a second of CPU to start, which a scenario that waits does not have.
  in_host "$1" curl --silent --fail --max-time 5 --unix-socket /run/remus/agent.sock "http://remus/v1/vms/$2" 2>/dev/null | jq -c .
}

status_holds() { # HOST VM CONDITION
  local status
  status=$(status_of "$1" "$2") && [ -n "$status" ] && holds "$status" "$3"
}

protect() { # VM [OPTIONS...]
  local vm=$1
  shift
  step "remus protect $vm --backup $backup $* --wait   (on $primary)"
  remus "$primary" protect "$vm" --backup "$backup" --interval "${REMUS_LAB_INTERVAL:-25ms}" "$@" --wait </dev/null 2>&1 |
    indent
  wait_for 30 "$vm is protected" status_holds "$primary" "$vm" '.state == "protected"'
}

# Without a command: the agents protect the VM again by themselves.
await_protected() { # VM
  local began
  began=$(realtime_ns)
  expect "$primary protects $1 again by itself" wait_for 60 "$1 is protected again" status_holds "$primary" "$1" '.state == "protected"'
  fact "protected_again_by_${backup}_s" "$(jq -n "($(realtime_ns) - $began) / 1e8 | round / 10")"
}

# ---- several VMs ----

# Any word about the client, the guest or its load, for one VM of several: each has a client of its own.
on_vm() { # VM COMMAND...
  # shellcheck disable=SC2034  # the words read them
  local client=$1 guest_address
  guest_address=$(address_of "$1")
  shift
  "$@"
}

# Starts small VMs on a host, and waits until their ledgers answer.
small_vms_start() { # HOST NUMBER...
  local host=$1 n
  shift
  for n in "$@"; do
    vm_start "$host" "small-$n"
  done 2>&1 | indent
  for n in "$@"; do
    wait_for 90 "the ledger of small-$n answers" on_vm "small-$n" guest_answers
  done
}

# ---- load ----

dirty_pages() { # PAGES-PER-SECOND
  step "the guest dirties $1 pages a second (64 bytes each, 64 MiB in turn)"
  ask_guest 7001 "rate $1 16384 64" | grep -q ok
}

# The client's files, seen from outside.
client_file() { # NAME
  echo "$lab/hosts/client/var/log/$1"
}

# With the ledger in the guest's RAM; on_disk (disk.sh) makes it another.
client=client client_port=7000 client_options=()

client_start() { # APPENDS-PER-SECOND
  step "a client appends $1 payloads a second to the ledger on port $client_port, over one TCP connection"
  rm -f "$(client_file "$client.json")" "$(client_file "$client.log")"
  # shellcheck disable=SC2016  # for the inner shell
  in_host client sh -c 'echo $$ >"/run/$0.pid"
    exec ledger-client "$@" --json "/var/log/$0.json" --log "/var/log/$0.log"' "$client" \
    "$guest_address" "$client_port" --rate "$1" "${client_options[@]}" </dev/null >/dev/null &
  client_await 100
}

# Waits for COUNT more answers.
client_await() { # COUNT
  wait_for 60 "the client has $1 more answers" client_has $(($(client_answers) + $1))
}

client_answers() {
  local file
  file=$(client_file "$client.log")
  if [ -e "$file" ]; then
    wc -l <"$file"
  else
    echo 0
  fi
}

client_has() { # COUNT
  [ "$(client_answers)" -ge "$1" ]
}

# Ends the client and prints its report.
client_stop() {
  # shellcheck disable=SC2016
  in_host client sh -c 'kill "$(cat "/run/$0.pid")"' "$client"
  # Not `wait`: whoever takes the report does so in a subshell, whose child the client is not.
  wait_for 30 "the client has written its report" client_ended
  cat "$(client_file "$client.json")"
}

client_ended() {
  # shellcheck disable=SC2016
  ! in_host client sh -c 'kill -0 "$(cat "/run/$0.pid")"' "$client" 2>/dev/null
}

# Expects that no answered append is lost and the connection is the same as at the start.
client_judge() { # REPORT
  local field
  for field in acked lost duplicated mismatches reconnects latency_ms; do
    fact "$field" "$(jq -c ".$field" <<<"$1")"
  done
  expect "nothing that was answered is lost, doubled or changed" \
    holds "$1" '.acked > 0 and .lost == 0 and .duplicated == 0 and .mismatches == 0'
  expect "the same TCP connection goes on" holds "$1" '.reconnects == 0'
}

expect_no_gap() { # REPORT MILLISECONDS
  fact longest_gap_ms "$(jq .longest_gap_ms <<<"$1")"
  expect "the client never waited more than $2 ms" holds "$1" ".longest_gap_ms <= $2"
}

# ---- epochs ----

# Follows the primary until COUNT more epochs are acked, with a line of figures now and then. It counts in the epoch log:
# asking the agent again and again would cost the very CPU that is measured.
watch_epochs() { # VM COUNT
  local wanted told=$SECONDS deadline=$((SECONDS + 60 + $2 / 5))
  wanted=$(($(epochs_logged "$1") + $2))
  while [ "$(epochs_logged "$1")" -lt "$wanted" ]; do
    [ "$SECONDS" -lt "$deadline" ] || { say "gave up waiting for $2 epochs"; return 1; }
    if ((SECONDS - told >= 8)); then
      told=$SECONDS
      step "$(status_of "$primary" "$1" | figures_line)"
    fi
    sleep 0.2
  done
}

epochs_logged() { # VM
  local count
  count=$(grep -c "^$1," "$lab/hosts/$primary/var/log/remus/epochs.log" 2>/dev/null) || true
  echo "${count:-0}"
}

# Their lines in the log, but for the first COUNT.
epochs_after() { # VM COUNT
  grep "^$1," "$lab/hosts/$primary/var/log/remus/epochs.log" | tail -n "+$(($2 + 1))"
}

# How long the guest stood still in each of these, in ms.
pauses_after() { # VM COUNT
  epochs_after "$1" "$2" | awk -F, '{ print ($6 - $5) / 1e6 }'
}

figures_line() {
  jq -r '"epoch \(.epoch.acked) acked: pause \(.figures.pause_ms.p50) ms (p99 \(.figures.pause_ms.p99)), " +
    "start to ack \(.figures.ack_ms.p50) ms, \(.figures.dirty_pages.p50) pages, " +
    "\(.figures.bytes_per_epoch.p50) bytes, \(.figures.epochs_per_second) epochs/s"'
}

# Copies the primary's figures into the facts.
note_figures() { # STATUS
  local field
  for field in epochs epochs_per_second pause_ms ack_ms dirty_pages bytes_per_epoch held_packets dropped_packets; do
    fact "$field" "$(jq -c ".figures.$field" <<<"$1")"
  done
}

# ---- captures ----

guest_tap() { # HOST VM
  vm_tool "$1" domiflist "$2" | awk 'NF { print $1; exit }'
}

# Captures what the guest says, each packet written at once: nothing may be lost when the host loses its power.
capture_start() { # HOST INTERFACE FILE (below /var/log)
  in_host "$1" tcpdump -Z root --immediate-mode -U -B 16384 --time-stamp-precision=nano -i "$2" -w "/var/log/$3" \
    'ether src 52:54:00:77:00:50' </dev/null >/dev/null 2>"$lab/hosts/$1/var/log/tcpdump.log" &
  disown # that it dies with its host is no news
  wait_for 10 "tcpdump listens on $1" grep -q listening "$lab/hosts/$1/var/log/tcpdump.log"
}

captures_start() { # VM
  step "capturing on the guest's tap in $primary and at the client"
  capture_start "$primary" "$(guest_tap "$primary" "$1")" tap.pcap
  capture_start client lan0 client.pcap
}

# Compares both captures with the primary's log of acks, up to the moment at which the primary lost its power.
judge_output_commit() { # VM
  local result
  result=$(output-commit-run "$1") || true
  fact output_commit "$result"
  fact early_packets "$(jq .early_packets <<<"${result:-null}")"
  step "$(jq -r '"\(.compared_packets) packets compared over \(.epochs) epochs, \(.early_packets) early, \(.unmatched_packets) never seen at the tap"' <<<"$result")"
  expect "no packet left before its epoch's ack, over at least 1,000 epochs" \
    holds "$result" '.early_packets == 0 and .unmatched_packets == 0 and .compared_packets >= 1000 and .epochs >= 1000'
}

output-commit-run() { # VM
  "$cache/bin/output-commit" "$1" "$lab/hosts/$primary/var/log/remus/epochs.log" "$lab/hosts/$primary/var/log/tap.pcap" \
    "$(client_file client.pcap)" "$(cat "$lab/hosts/$primary/power-off-at")"
}

# ---- failover ----

timeout_ms() {
  local timeout=${REMUS_LAB_TIMEOUT:-500ms}
  case $timeout in
    *ms) echo "${timeout%ms}" ;;
    *s) echo $((${timeout%s} * 1000)) ;;
  esac
}

lose_primary() {
  step "$primary loses its power"
  power_off "$primary"
}

await_takeover() { # VM
  wait_for 30 "$backup has taken over" status_holds "$backup" "$1" '.state == "active"'
  local status
  status=$(status_of "$backup" "$1")
  fact detect_ms "$(jq .takeover.detect_ms <<<"$status")"
  fact activate_ms "$(jq .takeover.activate_ms <<<"$status")"
  step "$backup runs $1: detected after $(jq .takeover.detect_ms <<<"$status") ms, active after $(jq .takeover.activate_ms <<<"$status") ms more"
}

# From the power-off to the answer that ended the client's longest wait: the timeout, and what the client's TCP adds.
judge_outage() { # REPORT [TCP-MILLISECONDS]
  local off_ns outage tcp_ms=${2:-600}
  off_ns=$(cat "$lab/hosts/$primary/power-off-at")
  outage=$(jq "((.longest_gap_end_realtime_ns - $off_ns) / 1e3 | floor) / 1e3" <<<"$1")
  fact outage_ms "$outage"
  step "power-off to the client's next answer: $outage ms"
  expect "the outage is at most the failover timeout and $tcp_ms ms" \
    holds "$outage" ". > 0 and . <= $(timeout_ms) + $tcp_ms"
}

# The whole story: protect, load, power-off, takeover, verdict. VM has the ledger's address.
failover_story() { # VM
  local status report
  protect "$1"
  dirty_pages 45000
  captures_start "$1"
  client_start 200
  watch_epochs "$1" "${REMUS_LAB_EPOCHS:-1200}"
  status=$(status_of "$primary" "$1")
  step "$(figures_line <<<"$status")"
  note_figures "$status"
  lose_primary
  client_await 1000
  await_takeover "$1"
  report=$(client_stop)
  judge_outage "$report"
  client_judge "$report"
  judge_output_commit "$1"
  target "pause: median at most 3 ms, p99 at most 12 ms" holds "$status" '.figures.pause_ms | .p50 <= 3 and .p99 <= 12'
  target "at least 30 epochs a second" holds "$status" '.figures.epochs_per_second >= 30'
  target "start to ack: median at most 12 ms" holds "$status" '.figures.ack_ms.p50 <= 12'
}
