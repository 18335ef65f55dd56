# shellcheck shell=bash
# The lab as a whole: up, down, power, status.

# shellcheck source=scripts/lib/common.sh
. "${BASH_SOURCE[0]%/*}/common.sh"
# shellcheck source=scripts/lib/state.sh
. "${BASH_SOURCE[0]%/*}/state.sh"
# shellcheck source=scripts/lib/host.sh
. "${BASH_SOURCE[0]%/*}/host.sh"
# shellcheck source=scripts/lib/network.sh
. "${BASH_SOURCE[0]%/*}/network.sh"
# shellcheck source=scripts/lib/libvirt.sh
. "${BASH_SOURCE[0]%/*}/libvirt.sh"
# shellcheck source=scripts/lib/arbiter.sh
. "${BASH_SOURCE[0]%/*}/arbiter.sh"
# shellcheck source=scripts/lib/agent.sh
. "${BASH_SOURCE[0]%/*}/agent.sh"
# shellcheck source=scripts/lib/faults.sh
. "${BASH_SOURCE[0]%/*}/faults.sh"

# What has to exist before a lab can start. Quick when it does.
lab_prepare() { # AGENTS(yes|no)
  "$repo/scripts/setup"
  "$repo/src-test-vms/build"
  [ "$1" = no ] || "$repo/scripts/build"
}

# Options: --hosts N (2), --bare (no VM), --no-agent (libvirt only), --root FOLDER (another Debian for the hypervisors),
# --arbiter none|etcd|etcd3|fence, --state-disk (/var/lib/remus is a small file system of its own, to be filled)
lab_up() {
  local hosts=2 agents=yes vm=yes root=/ arbiter=none state_disk=no
  while [ $# -gt 0 ]; do
    case $1 in
      --hosts) hosts=${2-} && shift ;;
      --bare) vm=no ;;
      --no-agent) agents=no ;;
      --root) root=${2-} && shift ;;
      --arbiter) arbiter=${2-} && shift ;;
      --state-disk) state_disk=yes ;;
      *) fail "up does not know: $1" ;;
    esac
    shift
  done
  [[ $hosts =~ ^[1-9]$ ]] || fail "--hosts is 1 to 9, not: $hosts"
  etcd_count "$arbiter" >/dev/null
  need_root
  lab_prepare "$agents"
  lock_lab
  if lab_complete "$hosts" "$arbiter" "$state_disk"; then
    say "lab $lab_name is up already"
    return
  fi
  lab_remove
  # Whatever goes wrong from here on, nothing stays behind.
  trap lab_undo EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  lab_build "$hosts" "$agents" "$root" "$arbiter" "$state_disk" "$vm"
  trap - EXIT INT TERM HUP
  touch "$lab/complete"
  say "lab $lab_name is up: $(hosts | paste -sd' ')"
}

lab_complete() { # HOSTS ARBITER STATE_DISK
  local host
  [ -e "$lab/complete" ] && [ "$(setting hosts)" = "$1" ] && [ "$(setting arbiter)" = "$2" ] &&
    [ "$(setting state_disk)" = "$3" ] || return 1
  for host in $(hosts); do
    powered "$host" || return 1
  done
}

starting=() # jobs that bring up a host each

lab_build() { # HOSTS AGENTS ROOT ARBITER STATE_DISK(yes|no) VM(yes|no)
  local host job all=(switch client)
  mkdir -p "$lab/hosts"
  printf 'hosts=%s\nagents=%s\nroot=%s\narbiter=%s\nstate_disk=%s\n' "${@:1:5}" >"$lab/settings"
  # The switch, the client and etcd's hosts are always of this machine: they are the world around the product.
  for host in $(seq -f etcd%.0f "$(etcd_count "$4")") $(seq -f hv%.0f "$1"); do
    mkdir -p "$lab/hosts/$host"
    all+=("$host")
  done
  for host in "${all[@]}"; do
    host_files "$host" "$(root_of "$host")"
  done
  for host in "${all[@]}"; do
    [[ $host != hv* ]] || hypervisor_files "$host"
  done
  [ "$2" = no ] || pki_files
  host_start switch /
  network_switch
  if [ "$4" = fence ]; then
    fence_program
    power_switch_start
  fi
  for host in "${all[@]:1}"; do
    host_on "$host" &
    starting+=($!)
  done
  [ "$6" = no ] || lab_guest
  for job in "${starting[@]}"; do
    wait "$job"
  done
  starting=()
  for host in $(etcd_hosts); do
    etcd_await "$host"
  done
  libvirt_remember hv1
  [ "$6" = no ] || wait_for 60 "the ledger answers" guest_answers
}

hypervisor_files() { # HOST
  libvirt_files "$1"
  [ "$(setting state_disk)" = no ] || state_disk_create "$lab/hosts/$1/state.img"
}

root_of() { # HOST
  [[ $1 == hv* ]] && setting root || echo /
}

# Power, cables, libvirt, agent, etcd: what a host does when it is switched on.
host_on() { # HOST
  host_start "$1" "$(root_of "$1")"
  network_host "$1"
  [[ $1 != etcd* ]] || etcd_start "$1"
  [[ $1 == hv* ]] || return 0
  if [ "$(setting agents)" = yes ]; then
    agent_files "$1"
    libvirt_start "$1"
    agent_start "$1"
  else
    libvirt_start "$1"
  fi
}

# It boots while the agents start.
lab_guest() {
  wait_for 60 "hv1 can start a VM" vm_tool hv1 version
  vm_start hv1 ledger
}

# The way out of an `up` that failed or was interrupted.
lab_undo() {
  trap '' INT TERM HUP
  if [ ${#starting[@]} -gt 0 ]; then
    kill "${starting[@]}" 2>/dev/null || true
    wait "${starting[@]}" || true
  fi
  lab_remove
  say "lab $lab_name is not up: everything that was started has been removed"
}

lab_remove() {
  local host
  power_switch_kill
  for host in $(hosts); do
    host_kill "$host"
  done
  hosts_kill_unborn
  rm -rf --one-file-system "$lab"
}

lab_down() {
  need_root
  lock_lab
  lab_remove
  rm -f "$lab_home/$lab_name.lock"
  rmdir --ignore-fail-on-non-empty "$lab_home"
}

power_off() { # HOST
  [ "$1" != switch ] || fail "$1 has no power button; lab $lab_name has: $(hosts | grep -v switch | paste -sd' ')"
  realtime_ns >"$lab/hosts/$1/power-off-at"
  host_kill "$1"
  # The kernel takes a dead namespace's interfaces away in its own time.
  wait_for 30 "the cables of $1 are gone" no_cables "$1"
  # A cut belongs to the cable that went with the host.
  rm -rf "$lab/hosts/$1/cut"
}

no_cables() { # HOST
  ! in_net switch ip -oneline link show | grep -q " $1-"
}

power_on() { # HOST
  ! powered "$1" || fail "$1 is on already"
  host_on "$1"
}

# ---- status ----

host_json() { # HOST
  local power=off libvirt=false agent=false vms='[]'
  if powered "$1"; then
    power=on
    if [[ $1 == hv* ]]; then
      vms=$(vm_tool "$1" list --name 2>/dev/null | jq -Rn '[inputs | select(. != "")]') && libvirt=true
      ! agent_runs "$1" || agent=true
    fi
  fi
  jq -n --arg host "$1" --arg power "$power" --argjson libvirt "$libvirt" --argjson agent "$agent" \
    --argjson vms "$vms" --arg cut "$(cut_nets "$1")" --arg lan "$(lan_address "$1")" \
    '{host: $host, power: $power, lan: $lan, libvirt: $libvirt, agent: $agent, vms: $vms, cut: ($cut / "\n" - [""])}'
}

lab_json() {
  local host
  for host in $(hosts | grep -v switch); do
    host_json "$host"
  done | jq -s --arg lab "$lab_name" '{lab: $lab, hosts: .}'
}

lab_status() { # [--json]
  need_lab
  if [ "${1-}" = --json ]; then
    lab_json
  else
    lab_json | jq -r '.hosts[] | [.host, .power, .lan,
        "libvirt " + if .libvirt then "runs" else "-" end,
        "agent " + if .agent then "runs" else "-" end,
        "VMs: " + if .vms == [] then "none" else .vms | join(" ") end,
        if .cut == [] then empty else "cut: " + (.cut | join(" ")) end] | join("\t")'
  fi
}
