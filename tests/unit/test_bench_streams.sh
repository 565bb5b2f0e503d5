#!/bin/sh
# systole-bench streams: a few gateways for some minutes, each answered as it has to be, twice the
# same; as lines and as JSON the same counts; what it refuses.
set -u
bench=$SYSTOLE_BIN/systole-bench
dir=$SYSTOLE_SCRATCH/bench_streams.$$
mkdir -p "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
"$bench" streams --gateways 40 --minutes 30 >"$dir/out" || fail "small: $(cat "$dir/out")"
"$bench" streams --gateways 40 --minutes 30 --json >"$dir/json" || fail "small, as JSON"
number() { # NAME: of the JSON
    sed -n "s/.*\"$1\": \([0-9]*\),*$/\1/p" "$dir/json"
}
for name in windows gaps sent_again overlapping out_of_order silent; do
    [ "$(number $name)" -gt 0 ] || fail "no $name: $(cat "$dir/json")"
done
sum=$(($(number windows) + $(number sent_again) + $(number overlapping) + $(number out_of_order)))
[ $((sum + $(number silent))) = 1200 ] || fail "$sum and silence are not 1200: $(cat "$dir/json")"
grep -q "^40 gateways, 30 minutes: $(number windows) windows .* $(number gaps) gaps$" "$dir/out" ||
    fail "other counts: $(cat "$dir/out" "$dir/json")"
grep -q "^sent again $(number sent_again), overlapping $(number overlapping)" "$dir/out" ||
    fail "other counts: $(cat "$dir/out" "$dir/json")"
for options in "--gateways 0" "--gateways 20000" "--minutes 0" "--minutes x" "--what" "more"; do
    # shellcheck disable=SC2086
    "$bench" streams $options >"$dir/out" 2>"$dir/err"
    [ $? = 2 ] || fail "streams $options is taken"
    grep -q "^usage: systole-bench streams" "$dir/err" || fail "$(cat "$dir/err")"
done
echo "bench_streams: fine"
