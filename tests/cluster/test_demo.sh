#!/usr/bin/env bash
# What `./run demo` does, after building: a stream, the story of bench/story.sh, the audits and the
# proofs; and that it ends with 1, and keeps its folder, when the story is not as it is told.
# ctest: network slow timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

scratch=$(mktemp -d "$SYSTOLE_SCRATCH/demo.XXXXXX")
fail() {
    echo "FAILED: $*"
    tail -n 40 "$scratch/told"
    exit 1
}
# demo CODE STORY FOLDER [OPTION]
demo() {
    local got=0
    "$SYSTOLE_BIN/systole-bench" demo --sample "$SYSTOLE_SOURCE/tests/data" --story "$2" \
        --dir "$scratch/$3" --report "$scratch/report" ${4+"$4"} >"$scratch/told" 2>&1 || got=$?
    [ "$got" -eq "$1" ] || fail "the demo ended with $got, not $1"
}
says() { # WORDS...
    local words
    for words in "$@"; do
        grep -q -e "$words" "$scratch/told" || fail "no '$words'"
    done
}

end() {
    local pid
    for pid in "$scratch"/net/v*/pid; do
        [ ! -e "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
    done
}
trap end EXIT

demo 0 "$SYSTOLE_SOURCE/bench/story.sh" net --keep
says "^The hospital" "^The payer" "C18  *the same visit" "E_ALREADY_PAID" "^The pharmacy" \
    "the pack that she got is recalled" "^The trial" "E_BLINDED" "^Research" "E_OPTOUTS" \
    "^The device" \
    "72 a minute" "^Another network" "breakglass.used" "access.disclosed" \
    "audits equal  *4 of 4" "systole watch --net $scratch/net"
grep -q '"state_roots_equal": true' "$scratch/report" || fail "$(cat "$scratch/report")"

# Each row of the table is a command that ends as it says on the network that was left up.
{
    echo "PATH=$SYSTOLE_BIN:\$PATH SYSTOLE=$SYSTOLE_SOURCE"
    sed -n '/^## What it is for/,/^## What it promises/{
        s/^    \(cd .*\|as() .*\)/\1/p
        s/^| [^|]* | `\([^`]*\)`\( (exit code 1[^|]*\)\{0,1\}.*|$/\1 #\2/p
    }' "$SYSTOLE_SOURCE/README.md" |
        sed -e "s,/tmp/net,$scratch/net,g" \
            -e '/#$/s/ #$/ >told 2>\&1 || { cat told; exit 1; }/' \
            -e '/# (exit/s/ # .*/ >told 2>\&1 \&\& exit 1; [ $? -eq 1 ] || exit 1/'
} >"$scratch/rows"
[ "$(grep -c told "$scratch/rows")" -ge 14 ] || fail "rows are missing: $(cat "$scratch/rows")"
bash -x "$scratch/rows" >"$scratch/told" 2>&1 || fail "a row of README.md does not hold"
end

sed 's/"paid": \*14400/"paid": *14401/' "$SYSTOLE_SOURCE/bench/story.sh" >"$scratch/wrong.sh"
chmod +x "$scratch/wrong.sh"
demo 1 "$scratch/wrong.sh" wrong
says "^story: no '\"paid\": \*14401'" "wrong.sh ended with 1"
[ -d "$scratch/wrong/story" ] || fail "the folder of a demo that failed is gone"
echo "demo: told, audited, shown by each row of README.md; and not when it is wrong"
