# shellcheck shell=bash
# All benches one after the other, and plots of what they found.

# In the order of docs/benchmarks.md.
suite=(pause colo ram work many outage disk tls)

bench_all() { # [--json FILE] [OPTIONS-OF-A-BENCH...]
  local bench to='' missed=0 found
  local -a options=()
  while [ $# -gt 0 ]; do
    case $1 in
      --json) to=${2:?--json needs a file} && shift ;;
      *) options+=("$1") ;;
    esac
    shift
  done
  found=$(mktemp -d)
  # shellcheck disable=SC2064  # the value of now
  trap "rm -rf '$found'" EXIT
  for bench in "${suite[@]}"; do
    say ""
    say "==== $bench ===="
    "$repo/scripts/bench" "$bench" --json "$found/$bench.json" "${options[@]}" || missed=1
  done
  [ -z "$to" ] || machine_json "$found"/*.json >"$to"
  exit $missed
}

# Where and with what it was measured; each bench by its name.
machine_json() { # FILE...
  jq -s --arg kernel "$(uname -r)" --arg cpu "$(sed -n 's/^model name[^:]*: //p;T;q' /proc/cpuinfo)" --argjson cores "$(nproc)" \
    --argjson mib "$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)" \
    --arg qemu "$(qemu-system-x86_64 --version | sed -n 's/.*version //p')" --arg commit "$(git -C "$repo" rev-parse --short HEAD 2>/dev/null)" \
    '{machine: {$kernel, $cpu, $cores, $mib, $qemu}, commit: $commit, benches: (map({(.bench): .}) | add)}' "$@"
}

# Writes SVG files from what `all` wrote.
bench_plot() { # FILE FOLDER
  local from=${1:?plot needs a file that \`all\` wrote} to=${2:?plot needs a folder}
  "$repo/scripts/setup"
  mkdir -p "$to"
  plot_pause "$from" "$to/pause.svg"
  plot_ram "$from" "$to/ram.svg"
  plot_work "$from" "$to/work.svg"
}

# A gnuplot program on stdin, drawn to FILE; $data is the table of numbers that jq makes of the figures.
drawn() { # JSON FILE JQ
  local table
  table=$(jq -r "$jq_median $3" "$1") || return
  {
    printf 'set terminal svg size 720,400 dynamic background rgb "white" font "sans-serif,12"\nset output "%s"\n' "$2"
    # shellcheck disable=SC2016  # gnuplot's
    printf '$data << END\n%s\nEND\n' "$table"
    cat
  } | gnuplot
}

plot_pause() { # JSON FILE
  # shellcheck disable=SC2016  # jq's and gnuplot's
  drawn "$1" "$2" '.benches.pause.samples as $s | ($s.floor_still_ms | median) as $floor |
    [$s | keys[] | select(test("^pages_[0-9]+_pages$")) | rtrimstr("_pages") | [$s[. + "_pages"], $s[. + "_still_ms"],
      $s[. + "_still_p99_ms"], $s[. + "_copy_ms"]] | map(median) | .[3] += $floor] | sort[] | join(" ")' <<'END'
set logscale xy
set xlabel "dirty pages in an epoch"
set ylabel "the guest stands still, ms"
set key top left
set grid
plot $data using 1:2 with linespoints lw 2 title "median", $data using 1:3 with linespoints title "99 %", \
  $data using 1:4 with lines dashtype 2 lc "black" title "the floor: stop, save, restart, copy"
END
}

plot_ram() { # JSON FILE
  # shellcheck disable=SC2016
  drawn "$1" "$2" '.benches.ram.samples as $s | [$s | keys[] | select(test("^still_[0-9]+_ms$")) | ltrimstr("still_") | rtrimstr("_ms") |
    [(tonumber / 1024), ($s["still_" + . + "_ms"] | median), ($s["still_" + . + "_p99_ms"] | median)]] | sort[] | join(" ")' <<'END'
set xlabel "RAM that an idle guest has filled, GiB"
set ylabel "it stands still, ms"
set yrange [0:*]
set key top left
set grid
plot $data using 1:2 with linespoints lw 2 title "median", $data using 1:3 with linespoints title "99 %"
END
}

plot_work() { # JSON FILE
  # shellcheck disable=SC2016
  drawn "$1" "$2" '.benches.work.samples as $s | def part($state; $figure): ($s[$state + "_" + $figure] | median) as $a | ($s[$state + "_" + $figure + "_beside"] | median) as $b |
    if $figure | endswith("_s") and (test("per") | not) then $b / $a else $a / $b end;
    (["compiler", "compile_s"], ["small\\nwrites", "fields_s"], ["requests", "web_per_s"], ["bulk out", "bulk_out"],
     ["bulk out\\n4 streams", "bulk_out_4"], ["bulk in", "bulk_in"]) |
    "\"\(.[0])\" \(part("25ms"; .[1])) \(part("100ms"; .[1])) \(part("default"; .[1]))"' <<'END'
set style data histograms
set style fill solid 0.8
set ylabel "part of the speed unprotected"
set yrange [0:1.1]
set grid ytics
set key outside top center horizontal
plot $data using 2:xtic(1) title "40 epochs/s", $data using 3 title "10 epochs/s", $data using 4 title "default"
END
}
