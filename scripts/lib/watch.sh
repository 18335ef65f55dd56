# shellcheck shell=bash
# On which host the guest is seen: every frame of it, in the switch, for as long as a scenario watches.

guest_mac=52:54:00:77:00:50

watch_start() {
  : >"$lab/hosts/switch/var/log/begun" # "NS HOST": where the scenario itself started the guest
  # shellcheck disable=SC2016  # for the inner shell
  in_host switch sh -c 'echo $$ >/run/watch.pid; exec guest-watch "$@"' watch $guest_mac /var/log/watch \
    </dev/null >"$lab/hosts/switch/var/log/watching" 2>&1 9>&- &
  disown
  wait_for 10 "the switch is watched" grep -q watching "$lab/hosts/switch/var/log/watching"
}

watch_stop() {
  # shellcheck disable=SC2016
  in_host switch sh -c 'kill "$(cat /run/watch.pid)"'
}

guest_begun_on() { # HOST
  echo "$(realtime_ns) $1" >>"$lab/hosts/switch/var/log/begun"
}

# In the host, where its state may have a disk of its own.
events_of() { # HOST
  ! powered "$1" || in_host "$1" sh -c 'cat /var/lib/remus/events.jsonl.1 /var/lib/remus/events.jsonl 2>/dev/null' || true
}

# When a host began to run the guest, by its agent's own word before it did so. Where chaos has moved its clock by an hour, the
# word is from before the scenario or from the future (as long as no scenario takes an hour).
moves() {
  local host
  for host in $(hypervisors); do
    events_of "$host" | jq -r --arg host "$host" --argjson began $((started_ns / 1000000000)) '
      def true_time: if . > now then . - 3600 elif . < $began then . + 3600 else . end;
      select(.vm == "ledger" and .state == "activating") | .time
      | "\(.[:19] + "Z" | fromdate | true_time)\((.[20:-1] + "000000000")[:9]) \($host)"'
  done
  cat "$lab/hosts/switch/var/log/begun"
}

# Frames of the guest that a host has put on the LAN so far.
frames_from() { # HOST
  awk -v port="$1-lan" '$2 == port' "$lab/hosts/switch/var/log/watch" | wc -l
}

# The verdict on all that was seen.
visible() {
  moves | sort -n >"$lab/hosts/switch/var/log/moves"
  "$cache/bin/visible-check" "$lab/hosts/switch/var/log/watch" "$lab/hosts/switch/var/log/moves"
}
