# shellcheck shell=bash
# What every script here needs: where things are, how to speak, how to wait.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${REMUS_CACHE:-$repo/.cache}
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
# shellcheck disable=SC2034  # used by those who source this
product=$cache/product

say() {
  printf '%s\n' "$*" >&2
}

fail() {
  say "${0##*/}: $*"
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || fail "needs root: it makes namespaces and network interfaces"
}

# Waits until COMMAND succeeds. Gives up, and says what it waited for, after SECONDS.
wait_for() { # SECONDS WHAT COMMAND...
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { say "gave up waiting until $what"; return 1; }
    sleep 0.05
  done
}

realtime_ns() {
  date +%s%N
}

# The machine's processes are told apart by pid, start time and boot: pids come back, the three together do not.
process_identity() { # PID
  local stat boot
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  # The second field, the name, may hold anything; what follows its last parenthesis is numbers.
  # shellcheck disable=SC2086  # fields
  set -- $1 ${stat##*) }
  echo "$1 ${21} $boot"
}
