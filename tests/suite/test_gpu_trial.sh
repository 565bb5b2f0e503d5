#!/bin/sh
# test_gpu_trial.sh: systole-gpu on the host twin of a device: right by vectors and by chance,
# figures that are marked as no device's, a status of its own where there is no device; and its
# build by a bare compiler, without a library. ctest: timeout=1800
set -eu
program=$SYSTOLE_BIN/systole-gpu
scratch=$SYSTOLE_SCRATCH/gpu_trial
rm -rf "$scratch"
mkdir -p "$scratch"

fail() {
    echo "test_gpu_trial: $*" >&2
    exit 1
}

vectors=$SYSTOLE_SOURCE/../shared/vectors
[ -d "$vectors" ] || vectors=$scratch
"$program" check --twin --vectors "$vectors" >"$scratch/check" || fail "check failed"
cat "$scratch/check"
grep -q '^by chance .* as plain C says' "$scratch/check" || fail "nothing was tried by chance"

"$program" time --twin --out "$scratch/figures.json" >"$scratch/time" || fail "time failed"
grep -q '"host_twin": true' "$scratch/figures.json" || fail "figures are not marked"
for what in leaf201 nodes verify-enrolled verify-cold; do
    grep -q "\"what\": \"$what\"" "$scratch/figures.json" || fail "no row $what"
done

status=0
"$program" name >"$scratch/name" 2>&1 || status=$?
case $status in
0) echo "there is a device: $(cat "$scratch/name")" ;;
3) grep -q 'CUDA' "$scratch/name" || fail "no word of CUDA: $(cat "$scratch/name")" ;;
*) fail "name ends with $status: $(cat "$scratch/name")" ;;
esac
status=0
"$program" check extra 2>"$scratch/usage" || status=$?
[ "$status" = 2 ] || fail "usage ends with $status"

# A truncated vector is no reason to say that all is well.
head -c 5000 "$0" >"$scratch/wycheproof-ed25519.json"
if "$program" check --twin --vectors "$scratch" >/dev/null 2>"$scratch/broken"; then
    fail "broken vectors were taken"
fi
grep -q 'wycheproof' "$scratch/broken" || fail "broken vectors are not named"

sh "$SYSTOLE_SOURCE/gpu/build.sh" "$scratch/bare" || fail "the bare build failed"
"$scratch/bare/systole-gpu" time --twin >/dev/null || fail "the bare build does not run"
if command -v readelf >/dev/null; then
    needed=$(readelf -d "$scratch/bare/systole-gpu" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
        grep -vE '^(libc|libdl|libpthread|ld-linux[^.]*)\.' || true)
    [ -z "$needed" ] || fail "the bare build needs $needed"
fi
echo "the bare build needs nothing but the C library"
