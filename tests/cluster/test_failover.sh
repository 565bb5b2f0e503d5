#!/bin/sh
# The primary of four real validators is killed twice under load: commits go on each time, through
# another view, nothing final is lost and every validator's audit gives the same. How long that
# takes is a bench's matter, not a test's.
# ctest: network slow plain timeout=900
set -eu

report=$SYSTOLE_SCRATCH/failover.json
export TMPDIR="$SYSTOLE_SCRATCH"
"$SYSTOLE_BIN/systole-bench" failover --kills 2 --rate 20 --json >"$report" || {
    cat "$report"
    echo "FAILED: systole-bench failover; the lines above say why"
    exit 1
}
cat "$report"

# figure NAME: one of the report's numbers.
figure() {
    sed -n "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p" "$report"
}

expect() {
    [ "$2" "$3" "$4" ] || { echo "FAILED: $1 is $2, not $3 $4"; exit 1; }
}
expect validators "$(figure validators)" -eq 4
expect kills "$(figure kills)" -eq 2
expect final "$(figure final)" -ge 2
expect refused "$(figure refused)" -eq 0
expect undecided "$(figure undecided)" -eq 0
expect lost "$(figure lost)" -eq 0
expect twice "$(figure twice)" -eq 0
expect views "$(figure views)" -ge 2
grep -q '"audits_equal": *true' "$report" || { echo "FAILED: the audits differ"; exit 1; }
