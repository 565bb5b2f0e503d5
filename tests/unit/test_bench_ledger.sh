#!/bin/sh
# systole-bench ledger: a figure of every kind that is not said to be left out, and of the mix; as
# lines and as JSON the same kinds; what it refuses. ctest: timeout=600
set -u
bench=$SYSTOLE_BIN/systole-bench
dir=$SYSTOLE_SCRATCH/bench_ledger.$$
mkdir -p "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
small="--organisations 3 --patients 40 --txs 20 --rounds 2"

# shellcheck disable=SC2086 # words
"$bench" ledger $small >"$dir/out" || fail "small: $(cat "$dir/out")"
# shellcheck disable=SC2086
"$bench" ledger $small --json >"$dir/json" || fail "small, as JSON"
figure='^[a-z._]* *[0-9]* tx/s *[0-9]* ns a tx ([0-9]*\.\.[0-9]*) *[0-9.]* read *[0-9.]* written'
figure="$figure *[0-9]* receipt bytes *[0-9]* tx bytes$"
grep "$figure" "$dir/out" | cut -d' ' -f1 | sort >"$dir/kinds"
sed -n 's/^\([a-z._]*\) *left out$/\1/p' "$dir/out" | sort >"$dir/left_out"
# Every kind of the catalogue is measured or said to be left out, once.
sed -n 's/^### \([a-z._]*\)$/\1/p' "$SYSTOLE_SOURCE/core/wire/CATALOGUE.md" >"$dir/catalogue"
[ "$(wc -l <"$dir/catalogue")" -ge 22 ] || fail "kinds of CATALOGUE.md: $(cat "$dir/catalogue")"
{ cat "$dir/catalogue"; echo mix; } | sort >"$dir/all"
sort "$dir/kinds" "$dir/left_out" | cmp -s - "$dir/all" || fail "kinds: $(cat "$dir/out")"
[ "$(wc -l <"$dir/kinds")" -ge 20 ] || fail "only $(wc -l <"$dir/kinds") kinds are measured"
sed -n 's/.*"kind": "\(.*\)",/\1/p' "$dir/json" | sort | cmp -s - "$dir/kinds" ||
    fail "JSON has other kinds: $(cat "$dir/json")"
# What is measured is applied, all of it; only the mix has some that is to be refused.
[ "$(grep -c '"refused": 0$' "$dir/json")" -ge "$(($(wc -l <"$dir/kinds") - 1))" ] ||
    fail "something is refused: $(cat "$dir/json")"

"$bench" ledger --patients 40 --txs 20 --rounds 1 --kind care.close >"$dir/out" || fail "one kind"
[ "$(grep -c "tx/s" "$dir/out")" = 1 ] && grep -q "^care.close " "$dir/out" ||
    fail "care.close alone: $(cat "$dir/out")"
for options in "--txs 0" "--txs 9 --patients 8" "--txs 40 --organisations 2" "--organisations 1" \
    "--rounds 32" "--kind care.shut" "--what" "more"; do
    # shellcheck disable=SC2086
    "$bench" ledger $options >"$dir/out" 2>"$dir/err"
    [ $? = 2 ] || fail "ledger $options is taken"
    grep -q "^usage: systole-bench ledger" "$dir/err" || fail "$(cat "$dir/err")"
done
echo "bench_ledger: fine"
