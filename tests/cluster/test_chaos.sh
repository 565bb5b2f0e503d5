#!/bin/sh
# Four real validators, of which one is killed, one stopped, all are overloaded, and all are killed
# at once: nothing final is lost, everything is decided, and every validator's audit gives the same.
# Needs no privileges; ./run chaos does the rest. Whether views change under overload depends on the
# machine, so it is a bench's matter (and its exit code's), not this test's.
# ctest: network slow plain timeout=900
set -eu

report=$SYSTOLE_SCRATCH/chaos.json
export TMPDIR="$SYSTOLE_SCRATCH"
status=0
"$SYSTOLE_BIN/systole-bench" chaos 1 --seed 1 --rate 20 --faults kill,stop,overload,everybody \
    --json >"$report" || status=$?
cat "$report"

# figure NAME: one of the report's numbers; of several with that name the last, which is the whole.
figure() {
    sed -n "s/.*\"$1\": *\([0-9][0-9]*\).*/\1/p" "$report"
}

fail() {
    echo "FAILED: $*"
    exit 1
}

expect() {
    [ -n "$2" ] && [ "$2" "$3" "$4" ] || fail "$1 is ${2:-missing}, not $3 $4"
}
expect validators "$(figure validators)" -eq 4
expect rounds_total "$(figure rounds_total)" -eq 4
for fault in kill stop overload everybody; do
    grep -q "\"fault\": *\"$fault\"" "$report" || fail "no round of $fault"
done
grep -q '"left_out": *\[\]' "$report" || fail "something was left out that needs no privileges"
expect final "$(figure final)" -ge 4000
expect refused "$(figure refused)" -eq 0
expect undecided "$(figure undecided)" -eq 0
expect lost "$(figure lost)" -eq 0
expect twice "$(figure twice)" -eq 0
expect audits "$(figure audits)" -eq 4
grep -q '"audits_equal": *true' "$report" || fail "the audits differ"
# The exit code says the same, but for the views.
if [ "$status" -eq 0 ]; then
    expect overload_views "$(figure overload_views)" -eq 0
else
    expect overload_views "$(figure overload_views)" -gt 0
fi

# What cannot be meant is refused with the reason.
if "$SYSTOLE_BIN/systole-bench" chaos --faults kill,meteor 2>"$report.err"; then
    fail "a fault that there is not was taken"
fi
grep -q "no fault 'meteor'" "$report.err" || fail "the refusal does not name it"
