#!/usr/bin/env bash
# Observers of real validators under load, by the commands of README.md "Observers": one follows by
# blocks from the start, and one begins with a state, both in no roster; a client reads from them
# with proofs, and they refuse transactions. They are killed and come back, through changes of the
# roster that they did not see. One that no validator lists says so, and gets nothing. A validator
# that was removed, and is epochs behind, comes back as an observer over its own store.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/observer.XXXXXX")
net=$scratch/net
trap stop_all EXIT

# logged NAME TEXT: until its log has it.
logged() {
    local i
    for i in $(seq 1 300); do
        grep -q "$2" "$net/$1/log" 2>/dev/null && return 0
        sleep 0.2
    done
    fail "$1 does not log $2"
}

# read_from NAME KEY: a credential that an observer proves, and what anybody checks offline.
read_from() {
    rm -f "$scratch/key.syproof"
    "$bin/systole" get --net "$net" --validator "$1" --key "$net/keys/regulator-0.pem" \
        --proof "$scratch/key.syproof" credential "$2" >/dev/null || fail "$1 does not prove a key"
    "$bin/systole" verify --genesis "$net/genesis.json" "$scratch/key.syproof" >/dev/null ||
        fail "what $1 proves does not verify with the genesis file alone"
}

# Five validators, so that one can go; o0 to o2, of whom the validators do not know o2.
"$bin/systole" testnet "$net" --base-port 0 --validators 5 --observers 3 \
    --set "heartbeat_ms = 100" >/dev/null
for i in 0 1 2 3 4; do
    sed -i '/^observer = o2 /d' "$net/v$i/systoled.conf"
    start v$i --init
done
echo "join_by_snapshot = 1" >>"$net/o1/systoled.conf"
start o0 --init
start o2 --init
await v0 certified_height 1
"$bin/systole-bench" ndjson --bytes 6000000 >"$scratch/in.ndjson"
"$bin/systole" submit --net "$net" --report "$scratch/report.json" \
    "$scratch/in.ndjson" >"$scratch/submit.out" 2>"$scratch/submit.err" &
load=$!

echo "an observer follows, by blocks"
await o0 certified_height "$(told v0 certified_height)"
[ "$(told o0 role)" = observer ] || fail "o0 says that it is a $(told o0 role)"
[ "$(told v0 role)" = validator ] || fail "v0 says that it is a $(told v0 role)"
logged v0 '"guest","name":"o0","what":"observer"'
old_key=$(key_of v1)
read_from o0 "$old_key"

echo "it takes no transactions, and says so"
"$bin/systole" tx make --net "$net" --key "$net/keys/regulator-0.pem" --out "$scratch/refused" \
    --field epoch=0 --field roster_hash="$("$bin/systole" roster --net "$net" --json |
        field roster_hash)" --field "validator=$old_key" validator.remove
for i in 0 1 2 3; do
    "$bin/systole" tx approve --net "$net" "$scratch/refused" --key "$net/v$i/keys/admin.pem"
done
"$bin/systole" tx sign --net "$net" "$scratch/refused" --key "$net/keys/regulator-0.pem"
"$bin/systole" tx send --net "$net" --validator o0 --timeout 2 "$scratch/refused" \
    >"$scratch/refused.out" 2>&1 && fail "an observer took a transaction"
grep -q "observer.*submit to a validator" "$scratch/refused.out" ||
    fail "o0 refuses, and does not say why: $(cat "$scratch/refused.out")"

echo "one that nobody knows gets nothing"
logged o2 '"nobody_lets_in"'
[ "$(told o2 certified_height)" -eq 0 ] || fail "o2 was let in"

echo "it is killed; meanwhile one validator leaves, and another gets a new key"
end o0 KILL
end v4 TERM
change validator.remove "" "v0 v1 v2 v3" "validator=$(key_of v4)"
await v0 epoch 1
new_key=$("$bin/systole" keygen --json --out "$net/v1/keys/consensus2.pem" | field public_key)
change validator.rekey "$net/v1/keys/consensus2.pem" "v0 v2 v3" \
    "validator=$(key_of v1)" "consensus_key=$new_key"
await v0 epoch 2
sed -i 's/consensus\.pem/consensus2.pem/' "$net/v1/systoled.conf"
wait "$(cat "$net/v1/process")" || fail "v1 did not end by itself"
start v1
start o0
await o0 epoch 2
await o0 certified_height "$(told v0 certified_height)"
read_from o0 "$new_key"

echo "another one begins with a state, of a later roster than the genesis's"
await v0 certified_height 1030
start o1 --init
logged o1 '"joined"'
await o1 epoch 2
await o1 certified_height "$(told v0 certified_height)"
read_from o1 "$new_key"

echo "who was removed and is two epochs behind comes back as an observer"
key=$(sed -n 's/.*"link_key": *"\([0-9a-f]*\)".*/\1/p' "$net/genesis.json" | sed -n 5p)
control=$(sed -n 's/.*"control_address": *"\([^"]*\)".*/\1/p' "$net/genesis.json" | sed -n 5p)
bulk=$(sed -n 's/.*"bulk_address": *"\([^"]*\)".*/\1/p' "$net/genesis.json" | sed -n 5p)
client=$(sed -n 's/.*"client_address": *"\([^"]*\)".*/\1/p' "$net/genesis.json" | sed -n 5p)
printf '%s\n' "role = observer" "control = $control" "bulk = $bulk" "client = $client" \
    >>"$net/v4/systoled.conf"
sed -i '/^observer = /d' "$net/v4/systoled.conf"
echo "observer = former $key $client" >>"$net/client.conf"
for i in 0 1 2 3; do # one after the other: the network goes on
    echo "observer = former $key $control $bulk" >>"$net/v$i/systoled.conf"
    end v$i TERM
    start v$i
    await v$i certified_height "$(told o0 certified_height)"
done
start v4
await former epoch 2
await former certified_height "$(told v0 certified_height)"
read_from former "$new_key"

wait $load || fail "the client failed: $(tail -n 3 "$scratch/submit.err")"
refused=$(field refused <"$scratch/report.json")
[ "$refused" -eq 0 ] || fail "$refused resources were refused"
height=$(told v0 certified_height)
for name in o0 o1 former; do await $name certified_height "$height"; done
stop_all
same_state v0 v4 o0 o1
echo "passed: 3 observers, 2 changes, $(field final <"$scratch/report.json") resources final"
rm -rf "$scratch"
