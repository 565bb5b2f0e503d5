#!/usr/bin/env bash
# Real validators under load, by the commands of README.md "Changing the roster": a fifth, which
# runs before its epoch begins, joins with an empty store, the first primary leaves, another gets a
# new key, a sixth joins by a state of these days and keeps the handovers that it followed, and one
# that does not run is removed and learns of it when it is back.
# Everything that was sent is final, the audits agree across all epochs, and a proof of the last
# epoch verifies with the genesis file alone.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/roster_change.XXXXXX")
net=$scratch/net
trap stop_all EXIT

new_key() {
    "$bin/systole" keygen --json --out "$1" | field public_key
}

# ended NAME: its process has ended by itself, and says that this is as it should be.
ended() {
    local pid i code=0
    pid=$(cat "$net/$1/process")
    for i in $(seq 1 300); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.2
    done
    wait "$pid" || code=$?
    [ "$code" -eq 0 ] || fail "$1 ended with $code, not by itself"
    grep -q left_the_roster "$net/$1/log" || fail "$1 does not say that it left the roster"
}

"$bin/systole" testnet "$net" --base-port 0 >/dev/null
for i in 0 1 2 3; do
    echo "heartbeat_ms = 100" >>"$net/v$i/systoled.conf"
    start v$i --init
done
await v0 certified_height 1
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
    start "v$n" --init
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
await v0 epoch 1
await v4 epoch 1
grep '"guest"' "$net/v0/log" | grep v4 | grep -q announced || fail "v0 did not let v4 in early"
await v4 certified_height "$(told v0 certified_height)"

echo "the first primary leaves"
change validator.remove "" "v1 v2 v3 v4" "validator=$(key_of v0)"
ended v0
await v2 epoch 2

echo "another one gets a new key"
consensus=$(new_key "$net/v1/keys/consensus2.pem")
change validator.rekey "$net/v1/keys/consensus2.pem" "v2 v3 v4" \
    "validator=$(key_of v1)" "consensus_key=$consensus"
ended v1
sed -i 's/consensus\.pem/consensus2.pem/' "$net/v1/systoled.conf"
await v2 epoch 3
start v1
await v1 epoch 3

echo "a sixth validator begins with a state, of a later roster than the genesis's"
await v2 certified_height 1030
newcomer 5 "join_by_snapshot = 1" v2 v3 v4
await v2 epoch 4
await v5 epoch 4
grep '"joined"' "$net/v5/log" | grep -q '"epoch":[1-9]' || fail "v5 did not follow handovers"

echo "the validators set a parameter"
change param.enact "" "v1 v2 v4 v5" name=record_bytes_max value=1000000 version=1 \
    "activation_height=$(($(told v2 certified_height) + 200))"
"$bin/systole" get --net "$net" --key "$net/keys/regulator-0.pem" --json params current |
    tr -d ' \n' | grep -q '"version":1,.*"value":1000000' ||
    fail "the parameter that a quorum enacted does not wait for its height"

echo "one leaves that does not run"
end v3 TERM
change validator.remove "" "v1 v2 v4 v5" "validator=$(key_of v3)"
await v2 epoch 5
start v3
ended v3

wait $load || fail "the client failed: $(tail -n 3 "$scratch/submit.err")"
cat "$scratch/submit.out"
refused=$(field refused <"$scratch/report.json")
[ "$refused" -eq 0 ] || fail "$refused resources were refused"
await v1 certified_height "$(told v2 certified_height)"
"$bin/systole" get --net "$net" --key "$net/keys/regulator-0.pem" \
    --proof "$scratch/key.syproof" credential "$consensus" ||
    fail "the new key's credential is not proven"
stop_all

"$bin/systole" verify --genesis "$net/genesis.json" "$scratch/key.syproof" ||
    fail "the proof does not verify with the genesis file alone"
same_state v1 v2 v4 v5
for i in 0 3; do
    "$bin/systole" audit "$net/v$i" || fail "the audit of v$i, which left"
done
echo "passed: 5 changes under load, $(field final <"$scratch/report.json") resources final"
rm -rf "$scratch"
