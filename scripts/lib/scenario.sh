# shellcheck shell=bash
# Runs a scenario in a lab of its own and makes a verdict of it.
#
# A scenario is a file in scripts/scenarios: a first comment line that says what it shows, a function `scenario`, and where
# it differs from the usual two hosts with a VM, an array `lab_options` or a function `prepare` that runs before the lab.
# A second comment line "# On demand" keeps it out of scripts/test. A scenario that goes in rounds takes `rounds` for their
# number when it is given; one with chance in it `seed`, `round` (the one to do again) and `stop` (at the first failure).

# shellcheck source=scripts/lib/protection.sh
. "${BASH_SOURCE[0]%/*}/protection.sh"
# shellcheck source=scripts/lib/disk.sh
. "${BASH_SOURCE[0]%/*}/disk.sh"
# shellcheck source=scripts/lib/watch.sh
. "${BASH_SOURCE[0]%/*}/watch.sh"
# shellcheck source=scripts/lib/drill.sh
. "${BASH_SOURCE[0]%/*}/drill.sh"

declare -A facts=()
failures=() missed_targets=()
failures_file=${TMPDIR:-/tmp}/remus-failures.$$ # what failed in a subshell, which has an array of its own
# shellcheck disable=SC2034  # scenarios read some of them
finished=no skipped='' json='' keep=no rounds='' seed='' round='' stop=no scenario_name='' started_ns=0

scenario_list() {
  local file
  for file in "$repo"/scripts/scenarios/*; do
    printf '%-20s%s%s\n' "${file##*/}" "$(sed -n '1s/^# //p' "$file")" \
      "$(sed -n '2s/^# On demand.*/ (on demand)/p' "$file")"
  done
}

scenario_main() { # SCENARIO [--json FILE] [--rounds N] [--seed S] [--round R] [--stop] [--keep]
  scenario_name=${1-}
  local file=$repo/scripts/scenarios/$scenario_name
  [ -f "$file" ] || fail "no such scenario: $scenario_name; see: scripts/lab list"
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --json)
        json=${2-}
        [ -n "$json" ] || fail "--json needs a file"
        shift
        ;;
      --rounds)
        rounds=${2-}
        [[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "--rounds needs a number"
        shift
        ;;
      --seed | --round)
        [[ ${2-} =~ ^[1-9][0-9]{0,8}$ ]] || fail "$1 needs a number"
        printf -v "${1#--}" %s "$2"
        shift
        ;;
      --stop)
        # shellcheck disable=SC2034  # scenarios read it
        stop=yes
        ;;
      --keep) keep=yes ;;
      *) fail "run does not know: $1" ;;
    esac
    shift
  done
  need_root
  use_lab "$lab_name-$scenario_name"
  started_ns=$(realtime_ns)
  local lab_options=()
  prepare() { :; }
  # shellcheck source=/dev/null
  . "$file"
  trap scenario_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  prepare
  "$repo/scripts/lab" --name "$lab_name" up "${lab_options[@]}" 2>&1 | indent
  scenario
  finished=yes
}

indent() {
  sed 's/^/           /' >&2
}

# Every way out of a scenario comes through here: the verdict, what is needed to understand a failure, no trace else.
scenario_end() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP # a second signal must not stop the cleaning up
  [ $finished = yes ] || [ -n "$skipped" ] || failures+=("it came to an early end (exit status $status)")
  collect_failures
  [ ${#failures[@]} -eq 0 ] || save_logs
  [ $keep = yes ] || lab_down
  verdict
  [ -z "$json" ] || scenario_json >"$json"
  exit $((${#failures[@]} > 0))
}

# The hosts' logs outlive a lab that failed.
save_logs() {
  local host to=$cache/failures/$lab_name
  rm -rf "$to"
  for host in $(hosts); do
    mkdir -p "$to/$host"
    cp -a "$lab/hosts/$host/var/log/." "$to/$host/" 2>/dev/null || true
  done
  [ ! -d "$to" ] || say "           logs of all hosts: $to"
}

verdict() {
  local failure
  for failure in "${failures[@]}"; do
    step "FAILED: $failure"
  done
  if [ -n "$skipped" ]; then
    step "$scenario_name: SKIPPED: $skipped"
  elif [ ${#failures[@]} -gt 0 ]; then
    step "$scenario_name: FAILED"
  else
    step "$scenario_name: PASSED"
  fi
}

scenario_json() {
  local name
  {
    jq -n --arg scenario "$scenario_name" --arg skipped "$skipped" \
      '{scenario: $scenario, passed: ($ARGS.positional == [] and $skipped == ""), failures: $ARGS.positional}
       + if $skipped == "" then {} else {skipped: $skipped} end' --args -- "${failures[@]}"
    jq -n '{missed_targets: $ARGS.positional}' --args -- "${missed_targets[@]}"
    for name in "${!facts[@]}"; do
      jq --arg name "$name" '{($name): .}' <<<"${facts[$name]}" # not as an argument: those have a longest length
    done
  } | jq -s add
}

# ---- words for scenarios ----

step() { # TEXT...
  local ms=$((($(realtime_ns) - started_ns) / 1000000))
  say "$(printf '[%4d.%d s] %s' $((ms / 1000)) $((ms % 1000 / 100)) "$*")"
}

# A figure for the JSON. VALUE is JSON; nothing, or what is not there, is null.
fact() { # NAME VALUE
  facts[$1]=${2:-null}
}

failed() { # SENTENCE
  failures+=("$1")
  [ "$BASHPID" = $$ ] || printf '%s\n' "$1" >>"$failures_file"
}

collect_failures() {
  [ -e "$failures_file" ] || return 0
  mapfile -t -O ${#failures[@]} failures <"$failures_file"
  rm -f "$failures_file"
}

# What must hold. A failure is noted and the scenario goes on: the later figures are part of the story.
expect() { # SENTENCE COMMAND...
  local sentence=$1
  shift
  if "$@" >/dev/null 2>&1; then
    step "ok: $sentence"
  else
    failed "$sentence"
    step "NOT SO: $sentence"
  fi
}

# What should be reached on a machine that is not busy with other things; a miss is reported and does not fail.
target() { # SENTENCE COMMAND...
  local sentence=$1
  shift
  if ! "$@" >/dev/null 2>&1; then
    missed_targets+=("$sentence")
    step "target missed: $sentence"
  fi
}

# True when a jq condition holds for a JSON value; null never satisfies a comparison with a number.
holds() { # JSON CONDITION
  jq -e "$2" <<<"${1:-null}"
}

# Nothing after it counts: the machine cannot do what the scenario shows.
skip() { # REASON
  skipped=$1
  exit 0
}
