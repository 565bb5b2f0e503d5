#!/bin/sh
# systole-bench state: three figures, all roots right; what it refuses.
set -u
bench=$SYSTOLE_BIN/systole-bench
dir=$SYSTOLE_SCRATCH/bench_state.$$
mkdir -p "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

for entries in 1 5000; do
    "$bench" state --entries $entries --changes 1 --rounds 2 >"$dir/out" || fail "$entries entries"
    whats=$(cut -d' ' -f1 "$dir/out" | tr '\n' ' ')
    [ "$whats" = "rebuild update chunk " ] || fail "$(cat "$dir/out")"
    grep -vq "^[a-z]* *[0-9]* entries/s *[0-9.]* ns an entry ([0-9.]*\.\.[0-9.]*)$" "$dir/out" &&
        fail "lines: $(cat "$dir/out")"
done
for options in "--entries 0" "--changes 3 --entries 2" "--rounds 102" "--what" "more"; do
    # shellcheck disable=SC2086 # words
    "$bench" state $options >"$dir/out" 2>"$dir/err"
    [ $? = 2 ] || fail "state $options is taken"
    grep -q "^usage: systole-bench state" "$dir/err" || fail "$(cat "$dir/err")"
done
echo "bench_state: fine"
