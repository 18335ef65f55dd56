# shellcheck shell=bash
# Runs a bench in a lab of its own, and judges its figures.
#
# A bench is a file in scripts/benches: a first comment line that says what it measures, a function `bench`, and where it
# differs from the usual two hosts with a VM, an array `lab_options`. It measures each pair `runs` times. Words to use,
# besides those of scenarios: `sample`, `median_of`, `of_medians`, `paired`, `row`, `goal`, and those of measure.sh.

# shellcheck source=scripts/lib/lab.sh
. "${BASH_SOURCE[0]%/*}/lab.sh"
# shellcheck source=scripts/lib/scenario.sh
. "${BASH_SOURCE[0]%/*}/scenario.sh"
# shellcheck source=scripts/lib/measure.sh
. "${BASH_SOURCE[0]%/*}/measure.sh"
# shellcheck source=scripts/lib/colo.sh
. "${BASH_SOURCE[0]%/*}/colo.sh"

bench_name='' runs=3
declare -A samples=()
rows=() goals=()

bench_list() {
  local file
  for file in "$repo"/scripts/benches/*; do
    printf '%-20s%s\n' "${file##*/}" "$(sed -n '1s/^# //p' "$file")"
  done
}

bench_main() { # BENCH [--json FILE] [--runs N] [--keep] [--name NAME]
  bench_name=$1
  local name=bench file=$repo/scripts/benches/$1 lab_options=()
  [ -f "$file" ] || fail "no such bench: $bench_name; see: scripts/bench list"
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --json) json=${2:?--json needs a file} && shift ;;
      --name) name=${2:?--name needs a name} && shift ;;
      --runs)
        runs=${2-}
        [[ $runs =~ ^[1-9][0-9]*$ ]] || fail "--runs needs a number"
        shift
        ;;
      --keep) keep=yes ;;
      *) fail "bench does not know: $1" ;;
    esac
    shift
  done
  need_root
  # Nothing fails over here; a machine that is busy with being measured may be silent for longer than elsewhere.
  export REMUS_LAB_TIMEOUT=${REMUS_LAB_TIMEOUT:-5s}
  use_lab "$name-$bench_name"
  started_ns=$(realtime_ns)
  # shellcheck source=/dev/null
  . "$file"
  trap bench_end EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  fact load_average_before "[$(cut -d' ' -f1-3 /proc/loadavg | tr ' ' ,)]"
  "$repo/scripts/lab" --name "$lab_name" up "${lab_options[@]}" 2>&1 | indent
  bench
  finished=yes
}

# Every way out of a bench comes through here.
bench_end() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP # a second signal must not stop the cleaning up
  [ $finished = yes ] || [ -n "$skipped" ] || failures+=("it came to an early end (exit status $status)")
  collect_failures
  [ ${#failures[@]} -eq 0 ] || save_logs
  [ $keep = yes ] || lab_down
  bench_table
  bench_verdict
  [ -z "$json" ] || bench_json >"$json"
  exit $((${#failures[@]} + ${#missed_targets[@]} > 0))
}

bench_table() {
  local line
  [ ${#rows[@]} -eq 0 ] || printf '\n'
  for line in "${rows[@]}"; do
    printf '%s\n' "$line"
  done
}

bench_verdict() {
  local line
  printf '\n'
  [ -z "$skipped" ] || printf 'SKIPPED: %s\n' "$skipped"
  for line in "${goals[@]}"; do
    jq -r '"\(if .met then "met   " else "MISSED" end)  \(.target): \(.value // "no figure")"' <<<"$line"
  done
  for line in "${failures[@]}"; do
    printf 'FAILED  %s\n' "$line"
  done
}

bench_json() {
  local name
  {
    jq -n --arg bench "$bench_name" --argjson runs "$runs" \
      --arg skipped "$skipped" '{bench: $bench, runs: $runs, failures: $ARGS.positional}
        + if $skipped == "" then {} else {skipped: $skipped} end' --args -- "${failures[@]}"
    printf '%s\n' "${goals[@]}" | jq -s '{targets: .}'
    for name in "${!samples[@]}"; do
      # shellcheck disable=SC2086  # words
      printf '%s\n' ${samples[$name]} | jq -s --arg name "$name" '{samples: {($name): .}}'
    done | jq -s '{samples: (map(.samples) | add)}'
    for name in "${!facts[@]}"; do
      jq -n --arg name "$name" --argjson value "${facts[$name]}" '{($name): $value}'
    done
  } | jq -s add
}

# ---- words for benches ----

# Keeps one measured number, which goes to the JSON with all others of its name, in order.
sample() { # NAME NUMBER
  [[ ${2-} =~ ^-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$ ]] || fail "no figure for $1: ${2:-nothing}"
  samples[$1]+=" $2"
}

median_of() { # NUMBER...
  printf '%s\n' "$@" | jq -s "$jq_median"' median | . * 1000 | round / 1000'
}

# shellcheck disable=SC2016  # jq's
jq_median='def median: sort | if length % 2 == 1 then .[length / 2 | floor] else (.[length / 2 - 1] + .[length / 2]) / 2 end;'

# The median of all samples of a name.
median() { # NAME
  # shellcheck disable=SC2086  # words
  median_of ${samples[$1]-}
}

# The median of A / that of B, or with "-" A - B, where many of both were measured in turn.
of_medians() { # NAME-A /|- NAME-B
  jq -n "($(median "$1") $2 $(median "$3")) * 1000 | round / 1000"
}

# The median over the runs of what is A / B, or with "-" A - B, each pair measured one after the other.
paired() { # NAME-A /|- NAME-B
  # shellcheck disable=SC2086  # words
  jq -n --argjson a "$(printf '%s\n' ${samples[$1]} | jq -cs .)" --argjson b "$(printf '%s\n' ${samples[$3]} | jq -cs .)" \
    "$jq_median"' [$a, $b] | transpose | map(.[0] '"$2"' .[1]) | median | . * 1000 | round / 1000'
}

# A line of the table that is printed at the end.
row() { # TEXT...
  rows+=("$*")
}

# What is to be reached: a jq condition on a figure.
goal() { # SENTENCE VALUE CONDITION
  local met=false
  ! holds "${2:-null}" "$3" >/dev/null || met=true
  goals+=("$(jq -cn --arg target "$1" --argjson value "${2:-null}" --argjson met $met '{target: $target, value: $value, met: $met}')")
  [ $met = true ] || missed_targets+=("$1")
}
