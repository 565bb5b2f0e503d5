#!/bin/sh
# coverage.sh: which lines and branches of the protocol's code simulated worlds execute.
#
#     sh tests/sim/coverage.sh [ARGUMENT OF systole-sim...]      default: --seeds 1..500
#
# Builds build/coverage with gcc's counters, plays the worlds, and prints a table by file. The
# annotated sources (what was never executed: "#####", "branch ... never executed") lie in
# build/coverage/annotated.
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- --seeds 1..500
root=$PWD
build=$root/build/coverage
CC=gcc CFLAGS=--coverage cmake --preset dev -B "$build" >/dev/null
cmake --build "$build" -j "$(nproc)" --target systole-sim >/dev/null
find "$build" -name '*.gcda' -delete
"$build/bin/systole-sim" "$@" | grep -E '^seeds|^FAILED'
rm -rf "$build/annotated"
mkdir -p "$build/annotated"
cd "$build" # sources are named from here
printf '%-36s %8s %8s %9s %8s\n' file lines '% run' branches '% taken'
for room in pbft pool node; do
    objects=$build/CMakeFiles/sy_$room.dir/consensus/$room
    gcov -b -c -o "$objects" "$objects"/*.gcda 2>/dev/null | tr -d "'" |
        awk -v room="consensus/$room/" '
            /^File/ { file = $2; at = index(file, room); file = substr(file, at) }
            /^Lines executed/ { split($2, part, /[:%]/); lines = $4; run = part[2] }
            /^Taken at least once/ {
                split($4, part, /[:%]/)
                if (at) printf "%-36s %8d %8.1f %9d %8.1f\n", file, lines, run, $6, part[2]
            }'
done | sort
mv ./*.gcov annotated/
