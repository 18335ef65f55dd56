# shellcheck shell=bash
# Words for benches: for how long a guest stands still, what it gets done, what the agents cost.
#
# The guest is bench-MIB (or boot-sector, for what needs no network), on hv1 unless another host is said. Times are ms.

# ---- standing still ----

# For how long QEMU itself says that the guest stood still, in SECONDS: from the moment the vCPUs stopped to the moment they
# ran on. The same for whatever stops it. QEMU answers on a second monitor of the VM.
stood_still() { # HOST VM SECONDS
  qmp_session "$1" "$2" sleep "$3" | still_times
}

# The same while the device state is saved COUNT times, to nowhere, and nothing else is done: the floor of every checkpoint.
floor_still() { # VM COUNT
  qmp_session hv1 "$1" save_states "$2" | still_times
}

save_states() { # COUNT
  local i
  for ((i = 0; i < $1; i++)); do
    echo '{"execute": "xen-save-devices-state", "arguments": {"filename": "/dev/null", "live": false}}'
    sleep 0.05
  done
}

# What QEMU says while COMMAND runs, whose output are orders to it.
qmp_session() { # HOST VM COMMAND...
  local host=$1 vm=$2
  shift 2
  {
    echo '{"execute": "qmp_capabilities"}'
    "$@"
  } | in_host "$host" socat -t 0.2 - "UNIX-CONNECT:/var/log/libvirt/qemu/$vm.qmp"
}

still_times() {
  jq -cs "$jq_median"'
    [.[] | select(.event == "STOP" or .event == "RESUME") | {event, us: (.timestamp | .seconds * 1e6 + .microseconds)}] as $e |
    [range(1; $e | length) | select($e[. - 1].event == "STOP" and $e[.].event == "RESUME") | ($e[.].us - $e[. - 1].us) / 1e3] | sort |
    if . == [] then null else {count: length, p50: median, p90: .[length * 9 / 10 | floor], p99: .[length * 99 / 100 | floor], max: .[-1]} end'
}

# Copying PAGES once, on the processor.
copy_ms() { # PAGES
  "$cache/bin/page-copy" "$1"
}

# The epochs of a VM since line FROM of its host's log: pages, start to ack, scan and copy in the pause, epochs a second.
epochs_since() { # VM FROM
  epochs_after "$1" "$2" | jq -Rcs "$jq_median"'
    [split("\n")[] | select(. != "") | split(",") | map(tonumber? // 0)] |
    if length < 2 then null else
      {pages: (map(.[8]) | median), ack_ms: (map((.[6] - .[3]) / 1e6) | median),
       scan_ms: (map(.[10] / 1e6) | median), copied_ms: (map(.[11] / 1e6) | median),
       per_second: ((length - 1) / ((.[-1][3] - .[0][3]) / 1e9))} | map_values(. * 1000 | round / 1000) end'
}

# Dirties PAGES in each epoch of so many ms, 64 bytes in each, in turn over as much memory as four epochs take, 430 MiB at most.
dirty_each() { # PAGES MS
  step "  $1 pages in every $2 ms"
  ask_guest 7001 "rate $(($1 * 1000 / $2)) $(($1 * 4 < 110000 ? $1 * 4 : 110000)) 64" | grep -q ok
}

# Samples for one point: a protected VM that dirties PAGES in each epoch of MS, looked at for SECONDS, beside the floor that
# was sampled last.
pause_beside_floor() { # NAME VM PAGES MS SECONDS
  local from still epochs copied
  dirty_each "$3" "$4"
  watch_epochs "$2" $((1000 / $4 < 3 ? 3 : 1000 / $4))
  from=$(epochs_logged "$2")
  still=$(stood_still hv1 "$2" "$5")
  epochs=$(epochs_since "$2" "$from")
  copied=$(copy_ms "$(jq '.pages | if . < 1 then 1 else . end | round' <<<"$epochs")")
  step "    stood still $still; $epochs; copying alone $copied ms"
  sample "$1_still_ms" "$(jq .p50 <<<"$still")"
  sample "$1_still_p99_ms" "$(jq .p99 <<<"$still")"
  sample "$1_pages" "$(jq .pages <<<"$epochs")"
  sample "$1_ack_ms" "$(jq .ack_ms <<<"$epochs")"
  sample "$1_per_second" "$(jq .per_second <<<"$epochs")"
  sample "$1_scan_ms" "$(jq .scan_ms <<<"$epochs")"
  sample "$1_copied_ms" "$(jq .copied_ms <<<"$epochs")"
  sample "$1_copy_ms" "$copied"
  sample "$1_over_floor" "$(jq -n "$(jq .p50 <<<"$still") / ($(last_of floor_still_ms) + $copied)")"
}

floor_sample() { # VM
  local still
  still=$(floor_still "$1" 60)
  step "  the floor: stop, save, restart $still"
  sample floor_still_ms "$(jq .p50 <<<"$still")"
}

last_of() { # SAMPLE
  echo "${samples[$1]##* }"
}

# ---- a VM with or without protection ----

bench_vm_start() { # MIB
  step "the guest bench-$1 starts on hv1"
  vm_start hv1 "bench-$1" 2>&1 | indent
  wait_for 120 "the guest answers" guest_answers
}

protect_at() { # INTERVAL VM
  REMUS_LAB_INTERVAL=$1 protect "$2"
  watch_epochs "$2" 3
}

unprotect() { # VM
  remus hv1 unprotect "$1" 2>&1 | indent
}

# From here on epochs of a guest that sends nothing are as long as this, as far as the VM's own interval allows.
idle_interval() { # DURATION
  local host
  for host in $(hypervisors); do
    agent_signal "$host" TERM
    REMUS_LAB_IDLE_INTERVAL=$1 agent_files "$host"
    agent_start "$host"
  done
}

still_protected() { # VM
  expect "it was protected all the time" status_holds hv1 "$1" '.state == "protected"'
}

# ---- what it gets done ----

# Seconds of the guest's own clock for COUNT pieces of work.
work_s() { # compile|fields|fill|zeros COUNT
  local found
  found=$(ask_patiently 7008 "$*")
  holds "$found" .done >/dev/null || fail "the guest could not do: $* (${found:-no answer})"
  jq .seconds <<<"$found"
}

# Requests for pages of 4 KiB over connections that stay open: {per_second, ms: {p50, p99}}.
web() { # CONNECTIONS SECONDS
  in_host client wrk --threads 1 --connections "$1" --duration "$2s" --latency --timeout 10s "http://$guest_address:7080/" |
    jq -Rcs 'def ms: capture("(?<n>[0-9.]+)(?<u>us|ms|s)") | (.n | tonumber) * {us: 0.001, ms: 1, s: 1000}[.u];
      {per_second: (capture("Requests/sec: *(?<n>[0-9.]+)").n | tonumber),
       ms: {p50: (capture("50% *(?<t>[0-9.a-z]+)").t | ms), p99: (capture("99% *(?<t>[0-9.a-z]+)").t | ms)}}'
}

# MiB a second through so many TCP connections that do nothing else, from the guest to the client or to it: over SECONDS,
# after as many in which TCP finds its pace.
bulk() { # out|in CONNECTIONS SECONDS
  local i bytes began
  local -a jobs=()
  for ((i = 0; i < $2; i++)); do
    "bulk_$1" $((2 * $3 + 2)) >/dev/null 2>&1 &
    jobs+=($!)
  done
  sleep "$3"
  bytes=$(bulk_bytes "$1") began=$(realtime_ns)
  sleep "$3"
  jq -n "($(bulk_bytes "$1") - $bytes) / 1048576 / (($(realtime_ns) - $began) / 1e9) * 10 | round / 10"
  wait "${jobs[@]}" || true # curl calls its time limit an error
}

bulk_out() { # SECONDS
  in_host client curl --silent --max-time "$1" "http://$guest_address:7080/bulk"
}

bulk_in() { # SECONDS
  in_host client timeout "$1" cat /dev/zero |
    in_host client curl --silent --max-time "$1" --upload-file - "http://$guest_address:7080/"
}

bulk_bytes() { # out|in
  local direction=rx
  [ "$1" = out ] || direction=tx
  in_host client cat "/sys/class/net/lan0/statistics/${direction}_bytes"
}

# What somebody who types waits for an echo, 20 times a second: {p50, p99, max}.
echo_latency() { # SECONDS
  local report
  client_start 20 >/dev/null 2>&1
  client_await $((20 * $1))
  report=$(client_stop)
  jq -c .latency_ms <<<"$report"
}

# ---- what the agents cost ----

# Clock ticks that a host's agent has used so far.
agent_ticks() { # HOST
  # shellcheck disable=SC2016  # for the inner shell
  in_host "$1" sh -c 'awk "{ print \$14 + \$15 }" "/proc/$(cat /run/remus-agent.pid)/stat"'
}

# Both agents together, in per cent of one core, over SECONDS.
agents_cpu() { # SECONDS
  local before began after
  before=$(($(agent_ticks hv1) + $(agent_ticks hv2))) began=$(realtime_ns)
  sleep "$1"
  after=$(($(agent_ticks hv1) + $(agent_ticks hv2)))
  jq -n "($after - $before) / $(getconf CLK_TCK) / (($(realtime_ns) - $began) / 1e9) * 1000 | round / 10"
}
