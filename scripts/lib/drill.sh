# shellcheck shell=bash
# Words for scenarios about drills, on the backup of a protected VM.

# What the guest answers on a port, asked in the clone's network.
drill_question() { # PORT
  echo "echo last | socat -t 5 - TCP:$guest_address:$1,connect-timeout=5"
}

# A drill with a check; prints what the command says, as JSON.
drill() { # VM COMMAND
  remus "$backup" drill "$1" --address 10.77.0.99/24 --check "$2" -o json
}

# A drill that asks the clone's ledger for its last entry: of the client's entries it has all that were answered before, none
# that was not sent yet, and the same history.
drill_knows_the_ledger() { # VM PORT
  local before after report entry sequence hash log
  log=$(client_file "$client.log")
  before=$(client_answers)
  step "remus drill $1 --address 10.77.0.99/24 --check '$(drill_question "$2")'   (on $backup)"
  report=$(drill "$1" "$(drill_question "$2")") || true
  after=$(client_answers)
  entry=$(jq -r '.check.output // empty' <<<"$report")
  read -r sequence hash <<<"$entry"
  step "epoch $(jq .drill.epoch <<<"$report"): the clone's ledger ends with entry ${sequence:-none}; the client had $before answers before, $after after"
  fact "drill_$2" "$(jq -c . <<<"${report:-null}")"
  expect "the check passes" holds "$report" '.passed'
  expect "the clone knows every append that was answered before the drill" test "${sequence:-0}" -ge "$before"
  # The clone may know what the client has not heard yet.
  expect "the clone's history is the client's" wait_for 30 "the client has that entry" grep -q ",${sequence:-none},${hash:-none}$" "$log"
  expect "nothing of the drill is left" drill_leaves_nothing "$backup"
}

# A drill without a check, which goes on.
drill_start() { # VM
  step "remus drill $1 --address 10.77.0.99/24   (on $backup)"
  remus "$backup" drill "$1" --address 10.77.0.99/24 2>&1 | indent
  expect "the clone runs" drill_runs "$backup" "$1"
}

drill_runs() { # HOST VM
  vm_tool "$1" list --name --state-running | grep -qx "$2-drill"
}

drill_leaves_nothing() { # HOST
  ! vm_tool "$1" list --all --name | grep -q -- '-drill$' &&
    [ -z "$(in_host "$1" ip netns list)" ] &&
    [ -z "$(in_host "$1" find /var/lib/remus -path '*drill*' -not -name drills)" ]
}

# What leaves HOST for the others with the guest's address: as long as the guest runs elsewhere, nothing may.
uplink_watch() { # HOST
  in_host "$1" tcpdump -Z root --immediate-mode -U -Q out -i lan0 -w /var/log/uplink.pcap 'ether src 52:54:00:77:00:50' \
    </dev/null >/dev/null 2>"$lab/hosts/$1/var/log/uplink.log" &
  disown # that it dies with its host is no news
  wait_for 10 "tcpdump listens on $1" grep -q listening "$lab/hosts/$1/var/log/uplink.log"
}

uplink_packets() { # HOST
  tcpdump -r "$lab/hosts/$1/var/log/uplink.pcap" 2>/dev/null | wc -l
}
