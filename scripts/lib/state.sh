# shellcheck shell=bash
# The lab's state on disk, and which of its hosts are powered on.
#
#   $lab/settings        what `up` was told, for `power-on`: hosts, agents, root, arbiter, state_disk
#   $lab/hosts/HOST/     pid (identity of its pid 1), etc/ and var/ (survive a power-off), cut/, power-off-at

lab_name=${REMUS_LAB:-default}
lab_home=${REMUS_LAB_HOME:-/var/tmp/remus-lab}

use_lab() { # NAME
  case $1 in
    '' | *[!a-z0-9-]*) fail "a lab's name is made of a-z, 0-9 and '-', not: $1" ;;
  esac
  lab_name=$1
  lab=$lab_home/$1
}

# One command at a time changes a lab. The lock must not reach a host's processes: they would hold it for ever.
lock_lab() {
  mkdir -p "$lab_home"
  chmod 700 "$lab_home" # copies of /etc below it
  exec 9>"$lab_home/$lab_name.lock"
  flock -n 9 || { say "lab $lab_name: waiting for another command"; flock 9; }
}

lab_exists() {
  [ -d "$lab" ]
}

need_lab() {
  lab_exists || fail "lab $lab_name is not up; start it with: scripts/lab up"
}

need_host() { # HOST
  need_lab
  [ -d "$lab/hosts/$1" ] || fail "lab $lab_name has no host $1; it has: $(hosts | grep -v switch | paste -sd" ")"
}

need_power() { # HOST
  need_host "$1"
  powered "$1" || fail "$1 is powered off; try: scripts/lab power-on $1"
}

hosts() {
  [ ! -d "$lab/hosts" ] || ls "$lab/hosts"
}

hypervisors() {
  hosts | grep '^hv' || true
}

setting() { # NAME
  sed -n "s/^$1=//p" "$lab/settings"
}

# A power-off, a crash of the machine and a pid that came back all read as "off".
powered() { # HOST
  local pid identity
  [ -s "$lab/hosts/$1/pid" ] && identity=$(cat "$lab/hosts/$1/pid") && pid=${identity%% *} &&
    [ "$(process_identity "$pid")" = "$identity" ]
}

pid_of() { # HOST
  local identity
  identity=$(cat "$lab/hosts/$1/pid") && echo "${identity%% *}"
}
