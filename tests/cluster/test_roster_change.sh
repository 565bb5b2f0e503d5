#!/usr/bin/env bash
# Real validators under load, by the commands of README.md "Changing the roster": a fifth, which
# runs before its epoch begins, joins with an empty store, the first primary leaves, another gets a
# new key, a sixth joins by a state of these days and keeps the handovers that it followed, and one
# that does not run is removed and learns of it when it is back.
# Everything that was sent is final, the audits agree across all epochs, and a proof of the last
# epoch verifies with the genesis file alone.
# ctest: serial slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

bin=$SYSTOLE_BIN
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/roster_change.XXXXXX")
net=$scratch/net
pids=

fail() {
    echo "FAILED: $*"
    for i in 0 1 2 3 4 5; do tail -n 5 "$net/v$i/log" 2>/dev/null || true; done
    exit 1
}
stop_all() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    wait
}
trap stop_all EXIT

# start N [--init]: the validator's process id stands in its folder.
start() {
    local n=$1
    shift
    "$bin/systoled" --config "$net/v$n/systoled.conf" "$@" >>"$net/v$n/output" 2>&1 &
    echo $! >"$net/v$n/process"
    pids="$pids $!"
}

# field NAME < JSON: the first number or word of that name.
field() {
    grep -o "\"$1\": *\"\{0,1\}[0-9a-zA-Z]*" | sed -n '1s/.*[: "]//p'
}

# told N NAME: what a validator says of itself; empty if it does not answer.
told() {
    "$bin/systole" status --net "$net" --json 2>/dev/null |
        sed -n "/\"name\": \"v$1\"/,/own_account/p" | field "$2" || true
}

# await N NAME LEAST: until it is at least that.
await() {
    local value i
    for i in $(seq 1 600); do
        value=$(told "$1" "$2")
        [ -n "$value" ] && [ "$value" -ge "$3" ] && return 0
        sleep 0.2
    done
    fail "v$1 does not reach $2 $3: it says ${value:-nothing}"
}

new_key() {
    "$bin/systole" keygen --json --out "$1" | field public_key
}

key_of() {
    "$bin/systole" roster --net "$net" --json |
        sed -n "/\"name\": *\"$1\"/,/consensus_key/s/.*\"consensus_key\": *\"\([0-9a-f]*\)\".*/\1/p"
}

# change KIND PROVERS APPROVERS FIELD...: keys that prove, validators that approve; "" for none.
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

# ended N: its process has ended by itself, and says that this is as it should be.
ended() {
    local pid i code=0
    pid=$(cat "$net/v$1/process")
    for i in $(seq 1 300); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.2
    done
    wait "$pid" || code=$?
    [ "$code" -eq 0 ] || fail "v$1 ended with $code, not by itself"
    grep -q left_the_roster "$net/v$1/log" || fail "v$1 does not say that it left the roster"
}

"$bin/systole" testnet "$net" --base-port 0 >/dev/null
for i in 0 1 2 3; do
    echo "heartbeat_ms = 100" >>"$net/v$i/systoled.conf"
    start $i --init
done
await 0 certified_height 1
"$bin/systole-bench" ndjson --bytes 12000000 >"$scratch/in.ndjson"
"$bin/systole" submit --net "$net" --report "$scratch/report.json" \
    "$scratch/in.ndjson" >"$scratch/submit.out" 2>"$scratch/submit.err" &
load=$!

# newcomer N SETTING APPROVER...: makes keys and a folder for it, on free ports, and starts it; then
# the others add it.
newcomer() {
    local n=$1 setting=$2 keys=$net/v$1/keys consensus link admin ports
    shift 2
    mkdir -p "$keys"
    consensus=$(new_key "$keys/consensus.pem")
    link=$(new_key "$keys/link.pem")
    admin=$(new_key "$keys/admin.pem")
    "$bin/systole" testnet "$scratch/ports$n" --base-port 0 >/dev/null # free ports, once more
    ports=$(sed -n 's/.*"control_address": *"\([^"]*\)".*/control = \1/p
        s/.*"bulk_address": *"\([^"]*\)".*/bulk = \1/p
        s/.*"client_address": *"\([^"]*\)".*/client = \1/p' "$scratch/ports$n/genesis.json" |
        head -n 3)
    sed '/^http/d' "$net/v3/systoled.conf" >"$net/v$n/systoled.conf"
    printf '%s\n' "$ports" "$setting" >>"$net/v$n/systoled.conf"
    start "$n" --init
    address() {
        sed -n "s/^$1 = //p" <<<"$ports"
    }
    change validator.add "$keys/consensus.pem $keys/link.pem $keys/admin.pem" "$*" \
        org_id=random "name=v$n" "consensus_key=$consensus" "link_key=$link" "admin_key=$admin" \
        "control_address=$(address control)" "bulk_address=$(address bulk)" \
        "client_address=$(address client)"
}

echo "a fifth validator"
newcomer 4 "" v0 v1 v3
await 0 epoch 1
await 4 epoch 1
grep '"guest"' "$net/v0/log" | grep v4 | grep -q announced || fail "v0 did not let v4 in early"
await 4 certified_height "$(told 0 certified_height)"

echo "the first primary leaves"
change validator.remove "" "v1 v2 v3 v4" "validator=$(key_of v0)"
ended 0
await 2 epoch 2

echo "another one gets a new key"
consensus=$(new_key "$net/v1/keys/consensus2.pem")
change validator.rekey "$net/v1/keys/consensus2.pem" "v2 v3 v4" \
    "validator=$(key_of v1)" "consensus_key=$consensus"
ended 1
sed -i 's/consensus\.pem/consensus2.pem/' "$net/v1/systoled.conf"
await 2 epoch 3
start 1
await 1 epoch 3

echo "a sixth validator begins with a state, of a later roster than the genesis's"
await 2 certified_height 1030
newcomer 5 "join_by_snapshot = 1" v2 v3 v4
await 2 epoch 4
await 5 epoch 4
grep '"joined"' "$net/v5/log" | grep -q '"epoch":[1-9]' || fail "v5 did not follow handovers"

echo "one leaves that does not run"
kill "$(cat "$net/v3/process")"
wait "$(cat "$net/v3/process")" || fail "v3 did not stop cleanly"
change validator.remove "" "v1 v2 v4 v5" "validator=$(key_of v3)"
await 2 epoch 5
start 3
ended 3

wait $load || fail "the client failed: $(tail -n 3 "$scratch/submit.err")"
cat "$scratch/submit.out"
refused=$(field refused <"$scratch/report.json")
[ "$refused" -eq 0 ] || fail "$refused resources were refused"
await 1 certified_height "$(told 2 certified_height)"
"$bin/systole" get --net "$net" --key "$net/keys/regulator-0.pem" \
    --proof "$scratch/key.syproof" credential "$consensus" ||
    fail "the new key's credential is not proven"
stop_all
pids=

"$bin/systole" verify --genesis "$net/genesis.json" "$scratch/key.syproof" ||
    fail "the proof does not verify with the genesis file alone"
for i in 1 2 4 5; do
    "$bin/systole" audit --json "$net/v$i" >"$scratch/audit$i" ||
        fail "the audit of v$i: $(cat "$scratch/audit$i")"
done
roots=$(cat "$scratch"/audit? | sed -n 's/.*"state_root": *"\([0-9a-f]*\)".*/\1/p')
[ "$(wc -l <<<"$roots")" -eq 4 ] && [ "$(sort -u <<<"$roots" | wc -l)" -eq 1 ] ||
    fail "the validators' state roots differ: $roots"
for i in 0 3; do
    "$bin/systole" audit "$net/v$i" || fail "the audit of v$i, which left"
done
echo "passed: 5 changes under load, $(field final <"$scratch/report.json") resources final"
rm -rf "$scratch"
