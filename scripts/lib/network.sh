# shellcheck shell=bash
# Addresses and cables. A host called "switch" holds two bridges, lan and replication; every other host hangs on them.
#
#   LAN          hvN 10.77.0.N fd77::N   client 10.77.0.100 fd77::100   guest 10.77.0.50 fd77::50, small-N 10.77.0.6N fd77::6N
#                etcdN 10.77.0.20N fd77::20N   power switch 10.77.0.210
#   replication  hvN 10.78.0.N fd78::N
#
# In a hypervisor the LAN card lan0 is a port of br0, beside the guests' taps; repl0 stands alone.

# shellcheck disable=SC2034  # scenarios talk to it
guest_address=10.77.0.50

# Where a test VM answers.
address_of() { # VM
  case $1 in
    small-*) echo "10.77.0.6${1#small-}" ;;
    *) echo 10.77.0.50 ;;
  esac
}

host_number() { # HOST
  case $1 in
    hv*) echo "${1#hv}" ;;
    etcd*) echo "20${1#etcd}" ;;
    client) echo 100 ;;
  esac
}

lan_address() {
  echo "10.77.0.$(host_number "$1")"
}

replication_address() {
  echo "10.78.0.$(host_number "$1")"
}

address_book() {
  local i
  printf '127.0.0.1 localhost\n::1 localhost\n10.77.0.100 client\n10.77.0.50 guest\n'
  for i in $(seq "$(setting hosts)"); do
    printf '10.77.0.%s hv%s\n10.78.0.%s hv%s-replication\n' "$i" "$i" "$i" "$i"
  done
  for i in $(etcd_hosts); do
    echo "$(lan_address "$i") $i"
  done
}

# Without duplicate address detection an IPv6 address works at once.
quick_ipv6() { # HOST
  # shellcheck disable=SC2016  # for the inner shell
  in_net "$1" sh -c 'for f in default all; do echo 0 >/proc/sys/net/ipv6/conf/$f/accept_dad; done'
}

network_switch() {
  quick_ipv6 switch
  in_net switch ip -batch - <<END
link add lan type bridge forward_delay 0 mcast_snooping 0
link add replication type bridge forward_delay 0 mcast_snooping 0
link set lan up
link set replication up
END
}

# Plugs a host's cables in. The cable's ends vanish with the host.
network_host() { # HOST
  local pid n
  pid=$(pid_of "$1")
  n=$(host_number "$1")
  quick_ipv6 "$1"
  cable "$1" lan lan0 "$pid"
  if [[ $1 != hv* ]]; then
    in_net "$1" ip -batch - <<END
address add 10.77.0.$n/24 dev lan0
address add fd77::$n/64 dev lan0 nodad
link set lan0 up
END
    return
  fi
  cable "$1" replication repl0 "$pid"
  in_net "$1" ip -batch - <<END
link add br0 type bridge forward_delay 0 mcast_snooping 0
link set lan0 master br0
link set lan0 up
link set br0 up
address add 10.77.0.$n/24 dev br0
address add fd77::$n/64 dev br0 nodad
link set repl0 up
address add 10.78.0.$n/24 dev repl0
address add fd78::$n/64 dev repl0 nodad
END
}

# A card keeps its address when its host comes back: a new one would be away until the others' ARP entries are old.
cable() { # HOST NET CARD PID
  local port=$1-$2 address
  port=${port/replication/repl} # an interface's name has at most 15 characters
  address=$(printf '02:00:00:%02x:00:%02x' ${#2} "$(host_number "$1")")
  in_net switch ip -batch - <<END
link add $port type veth peer name $3 address $address netns $4
link set $port master $2
link set $port up
END
}

# A cut is made in the switch, without the loss of carrier that would tell both sides: the silent kind.
set_cable() { # HOST NET STATE, a bridge port's state: 0 disabled, 3 forwarding
  local port=$1-${2/replication/repl}
  in_net switch bridge link set dev "$port" state "$3"
}

nets_of() { # HOST NET|all
  case $2 in
    lan) echo lan ;;
    replication | all)
      [[ $1 == hv* ]] || { [ "$2" = all ] && echo lan && return; fail "$1 has no replication network"; }
      [ "$2" = replication ] && echo replication || echo lan replication
      ;;
    *) fail "--net is lan, replication or all, not: $2" ;;
  esac
}

network_cut() { # HOST NET|all
  local nets net
  nets=$(nets_of "$1" "$2")
  mkdir -p "$lab/hosts/$1/cut"
  for net in $nets; do
    set_cable "$1" "$net" 0
    touch "$lab/hosts/$1/cut/$net"
  done
}

network_heal() { # HOST
  local net
  for net in $(cut_nets "$1"); do
    set_cable "$1" "$net" 3
    rm "$lab/hosts/$1/cut/$net"
  done
}

cut_nets() { # HOST
  ls "$lab/hosts/$1/cut" 2>/dev/null || true
}
