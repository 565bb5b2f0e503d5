#!/usr/bin/env bash
# The story of README.md, "One patient's story, from nothing", as it stands there: four validators,
# two hospitals, a patient, a record, an emergency, a consent, an erasure and an audit. Nothing in
# it may fail but what its comments say does.
# ctest: network slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

scratch=$(mktemp -d "$SYSTOLE_SCRATCH/story.XXXXXX")
end() {
    local pid
    for pid in "$scratch"/net/v*/pid; do
        [ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
    done
}
trap end EXIT
fail() {
    echo "FAILED: $*"
    tail -n 30 "$scratch/told"
    exit 1
}

# Each command that fails is told with the line that it stands in.
{
    echo "trap 'echo \"\$LINENO\" >>failed' ERR"
    sed -n '/^## One patient/,/^## Whom/s/^    //p' "$SYSTOLE_SOURCE/README.md"
} >"$scratch/story"
[ "$(wc -l <"$scratch/story")" -gt 60 ] || fail "the story is not in README.md"
: >"$scratch/failed"
PATH=$SYSTOLE_BIN:$PATH
(cd "$scratch" && bash story) >"$scratch/told" 2>&1 || fail "the audit of the store"

grep -n 'exit code 1' "$scratch/story" | cut -d : -f 1 >"$scratch/meant"
[ "$(wc -l <"$scratch/meant")" -eq 2 ] || fail "two commands are to answer 1"
cmp -s "$scratch/meant" "$scratch/failed" ||
    fail "failed in lines $(tr '\n' ' ' <"$scratch/failed")of the story"
# Whoever reads slowly finds the validators' own logs of reads among them.
applied=$(sed -n 's/.* transactions (\([0-9]*\) applied, 0 refused).*/\1/p' "$scratch/told")
[ "${applied:-0}" -ge 12 ] || fail "not all was applied"
grep -q '^not allowed: ' "$scratch/told" || fail "the stranger is let in"
grep -q 'breakglass.used' "$scratch/told" || fail "the patient is not told of the emergency"
grep -q 'erased' "$scratch/told" || fail "nothing was erased"
echo "story: all as README.md says"
