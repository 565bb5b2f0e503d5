# network.sh: what the scripts here that start nodes share. They source it, have a network's folder
# in $net and one of their own in $scratch, and end all nodes whatever happens (trap stop_all EXIT).
# A node is called as its folder in $net is; its process id stands there.
#
# SYSTOLE_LIAR names a validator that lies: systole-liar runs in its place, with the lies of
# SYSTOLE_LIES and the seed of SYSTOLE_TEST_SEED. SYSTOLE_HALFWAY asks for a change of the view in
# the middle of a script, where it calls `halfway`.
# shellcheck shell=bash

bin=$SYSTOLE_BIN
liar=${SYSTOLE_LIAR:-}
lies=${SYSTOLE_LIES:-proposals,votes,statuses,reads,notices}
seed=${SYSTOLE_TEST_SEED:-1}
pids=

fail() {
    echo "FAILED: $*"
    for log in "$net"/*/log; do
        echo "$log:"
        tail -n 5 "$log" || true
    done
    exit 1
}

# start NAME [--init]
start() {
    local name=$1 program=("$bin/systoled")
    shift
    if [ "$name" = "$liar" ]; then program=("$bin/systole-liar" --lies "$lies" --seed "$seed"); fi
    "${program[@]}" --config "$net/$name/systoled.conf" "$@" >>"$net/$name/output" 2>&1 &
    echo $! >"$net/$name/process"
    pids="$pids $!"
}

# end NAME SIGNAL: its exit code has to be 0, but for KILL.
end() {
    local pid code=0
    pid=$(cat "$net/$1/process")
    kill "-$2" "$pid"
    wait "$pid" || code=$?
    [ "$2" = KILL ] || [ "$code" -eq 0 ] || fail "$1 ended with $code"
}

stop_all() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    wait
    pids=
}

# field NAME < JSON: the first number or word of that name.
field() {
    grep -o "\"$1\": *\"\{0,1\}[0-9a-zA-Z]*" | sed -n '1s/.*[: "]//p'
}

# told NAME FIELD: what a node says of itself; empty if it does not answer.
told() {
    "$bin/systole" status --net "$net" --validator "$1" --json 2>/dev/null |
        sed 's/.*own_account//' | field "$2" || true
}

# await NAME FIELD LEAST: until it is at least that.
await() {
    local value i
    for i in $(seq 1 600); do
        value=$(told "$1" "$2")
        [ -n "$value" ] && [ "$value" -ge "$3" ] && return 0
        sleep 0.2
    done
    fail "$1 does not reach $2 $3: it says ${value:-nothing}"
}

# change_view ASKED: its primary falls silent, by itself if it is the liar, else by SIGSTOP, until
# the one that is asked, who is another one, is in a later view; then it goes on.
change_view() {
    local who pid view hush=STOP unhush=CONT
    who=$(told "$1" primary)
    view=$(told "$1" view)
    [ -n "$view" ] && [ -n "$who" ] || fail "$1 does not say who is the primary"
    [ "$who" != "$1" ] || fail "$1 is the primary itself"
    pid=$(cat "$net/$who/process")
    if [ "$who" = "$liar" ]; then hush=USR1 unhush=USR1; fi
    kill "-$hush" "$pid"
    await "$1" view $((view + 1))
    kill "-$unhush" "$pid"
}

# halfway: if the script is run for it, the view changes.
halfway() {
    [ -z "${SYSTOLE_HALFWAY:-}" ] && return
    if [ "$(told v1 primary)" = v1 ]; then change_view v2; else change_view v1; fi
}

# key_of NAME: the consensus key of a validator of the roster.
key_of() {
    "$bin/systole" roster --net "$net" --json |
        sed -n "/\"name\": *\"$1\"/,/consensus_key/s/.*\"consensus_key\": *\"\([0-9a-f]*\)\".*/\1/p"
}

# change KIND PROVERS APPROVERS FIELD...: a change of the roster. Files of keys that prove, nodes
# that approve; "" for none.
change() {
    local kind=$1 provers=$2 approvers=$3 draft=$scratch/draft fields=() roster name
    shift 3
    roster=$("$bin/systole" roster --net "$net" --json)
    for name in epoch="$(field epoch <<<"$roster")" \
        roster_hash="$(field roster_hash <<<"$roster")" "$@"; do
        fields+=(--field "$name")
    done
    "$bin/systole" tx make --net "$net" --key "$net/keys/regulator-0.pem" "${fields[@]}" \
        --out "$draft" "$kind"
    for name in $provers; do "$bin/systole" tx prove --net "$net" "$draft" --key "$name"; done
    for name in $approvers; do
        "$bin/systole" tx approve --net "$net" "$draft" --key "$net/$name/keys/admin.pem"
    done
    "$bin/systole" tx sign --net "$net" "$draft" --key "$net/keys/regulator-0.pem"
    "$bin/systole" tx send --net "$net" "$draft" || fail "$kind was not applied"
    rm -f "$draft"
}

# same_state NAME...: the nodes' stores, replayed from genesis, give one state root.
same_state() {
    local name roots
    for name in "$@"; do
        "$bin/systole" audit --json "$net/$name" >"$scratch/audit.$name" ||
            fail "the audit of $name: $(cat "$scratch/audit.$name")"
    done
    roots=$(cat "$scratch"/audit.* | sed -n 's/.*"state_root": *"\([0-9a-f]*\)".*/\1/p')
    [ "$(wc -l <<<"$roots")" -eq $# ] && [ "$(sort -u <<<"$roots" | wc -l)" -eq 1 ] ||
        fail "state roots differ: $roots"
}
