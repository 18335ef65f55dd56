# shellcheck shell=bash
# A host's remus-agent: keys, configuration, start and stop.

# One authority for all labs, a certificate for each host. Kept for as long as the product is the same: each key takes a second.
pki_make() (
  flock 8
  [ "$cache/pki/ca.crt" -nt "$cache/product.stamp" ] || {
    rm -rf "$cache/pki"
    "$product/bin/remus" pki init --directory "$cache/pki" >/dev/null
  }
  for host in $(hypervisors); do
    [ -e "$cache/pki/$host.crt" ] || "$product/bin/remus" pki issue "$host" --address "$(replication_address "$host")" \
      --address "$(lan_address "$host")" --directory "$cache/pki" >/dev/null
  done
) 8>"$cache/pki.lock"

pki_files() {
  local host
  pki_make
  install -D -m 600 -t "$lab/pki" "$cache"/pki/ca.*
  for host in $(hypervisors); do
    install -m 600 -t "$lab/pki" "$cache/pki/$host".*
    install -D -m 644 "$lab/pki/ca.crt" "$lab/hosts/$host/etc/remus/pki/ca.crt"
    install -m 644 "$lab/pki/$host.crt" "$lab/hosts/$host/etc/remus/pki/host.crt"
    install -m 600 "$lab/pki/$host.key" "$lab/hosts/$host/etc/remus/pki/host.key"
  done
}

agent_files() { # HOST
  local peer
  {
    printf 'host = "%s"\n' "$1"
    for peer in $(hypervisors); do
      [ "$peer" = "$1" ] || printf '\n[peers.%s]\naddress = "%s"\nheartbeat_address = "%s"\n' \
        "$peer" "$(replication_address "$peer")" "$(lan_address "$peer")"
      [ "$peer" = "$1" ] || fence_conf "$peer"
    done
    printf '\n[failover]\nheartbeat = "%s"\ntimeout = "%s"\nreprotect = "%s"\nagent_grace = "%s"\n' \
      "${REMUS_LAB_HEARTBEAT:-50ms}" "${REMUS_LAB_TIMEOUT:-500ms}" "${REMUS_LAB_REPROTECT:-manual}" "${REMUS_LAB_GRACE:-5s}"
    printf '\n[protection]\nidle_interval = "%s"\n' "${REMUS_LAB_IDLE_INTERVAL:-200ms}"
    arbiter_conf
    printf '\n[log]\nepochs = "/var/log/remus/epochs.log"\n'
  } >"$lab/hosts/$1/etc/remus/remus.conf"
}

agent_launch() { # HOST
  ! agent_runs "$1" || return 0
  # shellcheck disable=SC2016,SC2086  # for the inner shell; words
  in_host "$1" env ${REMUS_LAB_AGENT_ENVIRONMENT-} sh -c 'setsid remus-agent </dev/null >>/var/log/remus/agent.log 2>&1 &
    echo $! >/run/remus-agent.pid' 9>&-
}

agent_start() { # HOST
  agent_launch "$1"
  agent_await "$1"
}

agent_await() { # HOST
  wait_for 30 "the agent on $1 answers" agent_answers "$1" ||
    { tail -n 20 "$lab/hosts/$1/var/log/remus/agent.log" >&2; return 1; }
}

# Over the socket: starting the command again and again would take the processor from the agent that is waited for.
agent_answers() { # HOST
  in_host "$1" curl --silent --fail --max-time 5 --unix-socket /run/remus/agent.sock http://remus/v1/vms
}

# shellcheck disable=SC2016  # for the inner shell
agent_runs() { # HOST
  in_host "$1" sh -c 'kill -0 "$(cat /run/remus-agent.pid)"' 2>/dev/null
}

agent_gone() { # HOST
  ! agent_runs "$1"
}

agent_signal() { # HOST SIGNAL
  ! agent_gone "$1" || return 0
  # shellcheck disable=SC2016
  in_host "$1" sh -c 'kill -'"$2"' "$(cat /run/remus-agent.pid)"'
  wait_for 30 "the agent on $1 has ended" agent_gone "$1"
}
