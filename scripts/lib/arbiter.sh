# shellcheck shell=bash
# What a lab's agents ask when they have lost each other: hosts with etcd, or a switch that takes a host's power away.

# shellcheck disable=SC2034  # lan_address and the power switch's own
power_switch_address=10.77.0.210

# How many hosts with etcd an arbiter takes.
etcd_count() { # ARBITER
  case $1 in
    none | fence) echo 0 ;;
    etcd) echo 1 ;;
    etcd3) echo 3 ;;
    *) fail "--arbiter is none, etcd, etcd3 or fence, not: $1" ;;
  esac
}

etcd_hosts() {
  hosts | grep '^etcd' || true
}

# The member's own view of the network is its host's LAN. Its data lie in the host's /var: a power-off leaves them.
# Without fsync: here the machine never loses its power, and its disk belongs to many.
etcd_start() { # HOST
  local at member cluster=''
  at=http://$(lan_address "$1")
  for member in $(etcd_hosts); do
    cluster+=,$member=http://$(lan_address "$member"):2380
  done
  # shellcheck disable=SC2016  # for the inner shell
  in_host "$1" sh -c 'setsid etcd "$@" </dev/null >>/var/log/etcd.log 2>&1 & echo $! >/run/etcd.pid' etcd \
    --name "$1" --data-dir /var/lib/etcd --unsafe-no-fsync \
    --listen-client-urls "$at:2379,http://127.0.0.1:2379" --advertise-client-urls "$at:2379" \
    --listen-peer-urls "$at:2380" --initial-advertise-peer-urls "$at:2380" --initial-cluster "${cluster#,}" 9>&-
}

# Without most of its members none of them answers.
etcd_await() { # HOST
  wait_for 60 "etcd on $1 answers" in_host "$1" env ETCDCTL_API=3 etcdctl endpoint health ||
    { tail -n 20 "$lab/hosts/$1/var/log/etcd.log" >&2; return 1; }
}

etcd_signal() { # HOST SIGNAL
  # shellcheck disable=SC2016
  in_host "$1" sh -c 'kill -'"$2"' "$(cat /run/etcd.pid)"'
}

etcd_stop() { # HOST
  etcd_signal "$1" TERM
  # shellcheck disable=SC2016
  wait_for 30 "etcd on $1 has ended" in_host "$1" sh -c '! kill -0 "$(cat /run/etcd.pid)"'
}

# The agent's part of the configuration.
arbiter_conf() {
  local host
  case $(setting arbiter) in
    etcd*)
      printf '\n[arbiter]\nkind = "etcd"\nendpoints = ['
      for host in $(etcd_hosts); do
        printf '"http://%s:2379", ' "$(lan_address "$host")"
      done
      printf ']\n'
      ;;
    fence) printf '\n[arbiter]\nkind = "fence"\n' ;;
  esac
}

# The peer's part of it, below [peers.PEER].
fence_conf() { # PEER
  [ "$(setting arbiter)" != fence ] ||
    printf '\n[peers.%s.fence]\nagent = "fence_lab"\noptions = { ip = "%s", plug = "%s" }\n' "$1" "$power_switch_address" "$1"
}

# Hosts find the program where they find everything that was built for the lab.
fence_program() {
  mkdir -p "$cache/bin"
  install -m 755 "$repo/scripts/lib/fence_lab" "$cache/bin/fence_lab.$$"
  mv "$cache/bin/fence_lab.$$" "$cache/bin/fence_lab"
}

# A process of the machine, for it must kill hosts, that listens in the lab's LAN.
power_switch_start() {
  in_net switch ip address add "$power_switch_address/24" dev lan
  setsid nsenter --target "$(pid_of switch)" --net -- "$repo/scripts/lib/power-switch" "$lab" listen \
    "$power_switch_address" </dev/null >"$lab/power-switch.log" 2>&1 9>&- &
  wait_for 20 "the power switch listens" in_net switch socat -u OPEN:/dev/null "TCP:$power_switch_address:7421"
}

# It is found by its command line, which names the lab, so that one that was just being started is found, too.
power_switch_kill() {
  local pid
  while pid=$(pgrep --full --oldest "scripts/lib/power-switch $lab "); do
    kill -KILL "$pid" 2>/dev/null || true
  done
}
