#!/usr/bin/env bash
# Scenarios (scenarios.sh) on four real validators of which one lies (liar.h), with a change of the
# view in the middle: who uses the ledger is told nothing that is not so, the honest validators
# agree, and what the liar said twice is evidence that anybody can check. SYSTOLE_LIAR says who lies
# (nobody: empty), SYSTOLE_LIES how; ./run scenarios tries every way.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

export SYSTOLE_LIAR=${SYSTOLE_LIAR-v0}
. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/scenarios.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
. "$SYSTOLE_SOURCE/tests/cluster/scenarios.sh"
trap stop_all EXIT

tells() { # LIE: somebody is to tell it
    [ -n "$liar" ] && [[ ,$lies, == *,"$1",* ]]
}
step() {
    echo "$1 (${SECONDS} s)"
}

# lead: the liar is the primary, as often as it takes until somebody has heard two proposals of it.
lead() {
    local i
    for i in $(seq 60); do
        ! grep -q '"equivocation","signer":0,"type":1' "$net"/v[123]/log || return 0
        if [ "$(told v1 primary)" = "$liar" ]; then
            sleep 0.5
        elif [ "$(told v1 primary)" = v1 ]; then
            change_view v2
        else
            change_view v1
        fi
    done
    fail "$liar never proposed two things, or nobody noticed"
}

# caught: the liar, asked alone, is named, or shows what is so, or was so at the height that is told
# with it; asked among others it harms nobody. What is asked for changes in between, so that it has
# something old to show.
ask() { # FILE ARGUMENT...: what is known of the nurse
    local file=$1
    shift
    "$bin/systole" get --net "$net" --key "$regulator" --json "$@" credential \
        "$(public nurse)" >"$scratch/$file.json" 2>"$scratch/$file.err" || return 1
    sed '/^  "height"/,$d' "$scratch/$file.json" >"$scratch/$file"
}
height_of() { # FILE
    field height <"$scratch/$1.json"
}
caught() {
    local i named=0 shown=0 times=16
    ask before --validator v1 || fail "v1: $(cat "$scratch/before.err")"
    "$bin/systole" watch --net "$net" --validator v1 --key "$keys/wallet.pem" --from 1 --count 3 \
        --wait 30000 "$patient" >"$scratch/first" || fail "v1 tells no notices"
    for i in 1 2 3 4; do ask old --validator "$liar" || true; done
    applied cred.revoke admin_a - - subject_key="$(public nurse)" reason="holder left" at=0
    ask truth --validator v1 || fail "v1: $(cat "$scratch/truth.err")"
    cmp -s "$scratch/before" "$scratch/truth" && fail "nothing has changed"
    for i in $(seq $times); do
        if ask told --validator "$liar"; then
            shown=$((shown + 1))
            cmp -s "$scratch/told" "$scratch/truth" ||
                { cmp -s "$scratch/told" "$scratch/before" &&
                    [ "$(height_of told)" -lt "$(height_of truth)" ]; } ||
                fail "$liar had it believed: $(cat "$scratch/told.json")"
        else
            named=$((named + 1))
            grep -q "$liar" "$scratch/told.err" ||
                fail "nobody is named: $(cat "$scratch/told.err")"
        fi
    done
    if tells reads; then
        [ $named -ge 8 ] || fail "$liar was caught $named times of $times"
    elif tells silent; then # if it missed the first block it cannot ask for it, and says so
        ! grep -q "does not hold" "$scratch/told.err" || fail "$(cat "$scratch/told.err")"
    else
        [ $shown -eq $times ] || fail "$liar showed it $shown times of $times"
    fi
    for i in 1 2 3 4 5 6 7; do
        "$bin/systole" watch --net "$net" --validator "$liar" --key "$keys/wallet.pem" --from 1 \
            --count 3 --wait 300 "$patient" >"$scratch/told" 2>"$scratch/told.err" ||
            grep -q . "$scratch/told.err" || fail "the watch says nothing"
        head -n "$(wc -l <"$scratch/told")" "$scratch/first" | cmp - "$scratch/told" ||
            fail "$liar had it believed: $(cat "$scratch/told")"
    done
    for i in $(seq 8); do
        ask told || fail "nobody shows it: $(cat "$scratch/told.err")"
        cmp -s "$scratch/told" "$scratch/truth" || fail "not so: $(cat "$scratch/told")"
    done
}

# shows TYPE WORDS: who said in its log that the liar contradicted itself in a message of that type
# keeps evidence of it, unless the places it has for one signer were taken by then.
shows() {
    local name
    for name in v1 v2 v3; do
        grep -q "\"equivocation\",\"signer\":0,\"type\":$1}" "$net/$name/log" || continue
        [ "$(grep -c "^$liar " "$scratch/accused.$name")" -lt 10 ] || continue
        grep -q "^$liar .* $2" "$scratch/accused.$name" ||
            fail "$name: no '$2' in $(cat "$scratch/accused.$name")"
    done
}

# accused: the honest keep evidence against the liar, which anybody can check, and against nobody
# else.
accused() {
    local file name found=0
    for name in v1 v2 v3; do
        "$bin/systole" evidence --out "$scratch/evidence" "$net/$name" >"$scratch/accused.$name" \
            2>&1 || fail "the evidence of $name: $(tail -n 3 "$scratch/accused.$name")"
    done
    cat "$scratch"/accused.v? >"$scratch/accused"
    for file in "$scratch"/evidence/*.syevidence; do
        [ -e "$file" ] || continue
        found=$((found + 1))
        "$bin/systole" verify --genesis "$net/genesis.json" "$file" >"$scratch/out" 2>&1 ||
            fail "$file: $(cat "$scratch/out")"
    done
    grep "signed\|sealed" "$scratch/accused" | grep -v "^$liar " && fail "who is accused?"
    shows 1 "signed two proposals"
    shows 2 "signed PREPARE for two"
    shows 3 "signed COMMIT for two"
    shows 4 "sealed two blocks"
    if tells proposals || tells votes; then
        [ $found -gt 0 ] || fail "no evidence"
    else
        [ $found -eq 0 ] || fail "evidence where nobody said two things"
    fi
    echo "  $found pieces of evidence"
}

begin
if tells proposals; then lead; fi
step "a world: two hospitals, a patient, a device"
world
step "1: what is altered is told from what is registered"
scenario_1
step "2: who may do what is answered as the table has it"
scenario_2
view=$(told v1 view)
if ! tells silent; then
    SYSTOLE_HALFWAY=1 halfway
    [ "$(told v3 view)" -gt 0 ] || fail "the view is the first one"
    step "halfway: view $view became $(told v2 view)"
fi
step "3: two hospitals amend one record at once"
scenario_3
step "6: the patient gets every event, whoever is killed"
scenario_6 v3
step "12: nothing personal is left, nor what was erased"
scenario_12
if [ -n "$liar" ]; then
    step "what the liar tells is not believed"
    caught
fi
stop_all
salt_is_left "$erased" && fail "a salt of what was erased: $(cat "$scratch/scan")"
step "the honest agree"
same_state v1 v2 v3
if [ -n "$liar" ]; then
    for name in ${lies//,/ }; do
        [ "$name" != blocks ] || continue # that somebody needs one of it is chance
        grep -q "^lie: $name$" "$net/$liar/output" || fail "$liar never told: $name"
    done
    accused
fi
step "scenarios: all as it should be"
