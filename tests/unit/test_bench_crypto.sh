#!/bin/sh
# systole-bench jobs and crypto: what they take, say and print. ctest: timeout=900
set -u
bench=$SYSTOLE_BIN/systole-bench
dir=$SYSTOLE_SCRATCH/bench_crypto.$$
mkdir -p "$dir" || exit 1
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# RFC 8032 7.1, the first two, and each with something changed.
key1=d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a
sig1=e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
sig1=${sig1}5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
key2=3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c
sig2=92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
sig2=${sig2}085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
{
    echo "$key1 - $sig1"
    echo "$key1  $sig1"
    echo "$key2 72 $sig2"
    echo
    echo "$key2 73 $sig2"
    echo "$key1 72 $sig2"
} >"$dir/jobs"
for engine in auto openssl portable; do
    "$bench" jobs --engine "$engine" --repeat 6 "$dir/jobs" >"$dir/out" || fail "jobs of $engine"
    [ "$(tr -d '\n' <"$dir/out")" = 11100 ] || fail "$engine answers $(tr '\n' ' ' <"$dir/out")"
done
"$bench" jobs <"$dir/jobs" >"$dir/out" || fail "jobs from standard input"
[ "$(tr -d '\n' <"$dir/out")" = 11100 ] || fail "from standard input: $(tr '\n' ' ' <"$dir/out")"

"$bench" jobs --engine abacus "$dir/jobs" 2>"$dir/err" && fail "an engine that there is not"
grep -q "engine = abacus: this build has auto, .*openssl" "$dir/err" || fail "$(cat "$dir/err")"
"$bench" jobs "$dir/nothing" 2>"$dir/err" && fail "a file that there is not"
grep -q "$dir/nothing: No such file" "$dir/err" || fail "$(cat "$dir/err")"
for line in "$key1 72" "$key1 7 $sig1" "$key1 72 ${sig1}00" "$key1 72 $sig1 72" "zz 72 $sig1"; do
    { echo "$key1 - $sig1"; echo "$line"; } >"$dir/bad"
    "$bench" jobs "$dir/bad" >/dev/null 2>"$dir/err" && fail "taken: $line"
    grep -q "$dir/bad, line 2: not" "$dir/err" || fail "$line: $(cat "$dir/err")"
done

"$bench" crypto --rounds 1 --round-ms 1 --jobs 16 --json >"$dir/json" || fail "crypto"
for what in verify-enrolled verify-cold leaf201 node65 tree20; do
    grep -q "\"what\": \"$what\"" "$dir/json" || fail "no row of $what"
done
for engine in portable openssl; do
    grep -q "\"engine\": \"$engine\"" "$dir/json" || fail "no row of $engine"
done
for field in batch keys per_s ratio_to_openssl; do
    rows=$(grep -c '"what":' "$dir/json")
    [ "$(grep -c "\"$field\":" "$dir/json")" -eq "$rows" ] || fail "a row without $field"
done
"$bench" crypto --rounds 0 2>/dev/null && fail "no rounds at all"
"$bench" crypto --jobs 65537 2>/dev/null && fail "too many jobs"
echo "bench crypto: fine"
