#!/usr/bin/env bash
# A patient's notices on real validators: `systole watch` follows while each validator in turn is
# killed with -9 and comes back, is killed itself and goes on behind its number; and the number of
# every event is there once it was ever told, whatever died. Nobody else is told. An index of
# notices that was lost is made again. The same for a subject of an import whose gateway was killed.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/watch.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"

fail() {
    echo "FAILED: $*"
    for log in "$net"/*/log "$scratch"/watch.???; do
        echo "$log:"
        tail -n 5 "$log" || true
    done
    exit 1
}
stop_all() {
    for place in "$net"/v*/process "$scratch/watcher"; do
        [ ! -e "$place" ] || kill -9 "$(cat "$place")" 2>/dev/null || true
    done
    wait
}
trap stop_all EXIT

# applied KIND SIGNER COSIGNER PROVER FIELD...: "-" is nobody. Nonces are counted here: a validator
# that has just come back may show an older state.
applied() {
    local kind=$1 signer=$2 cosigner=$3 prover=$4 draft=$scratch/draft arguments=() name
    shift 4
    local nonce=$(($(cat "$scratch/nonce.$signer" 2>/dev/null || echo 100) + 1))
    echo "$nonce" >"$scratch/nonce.$signer"
    for name in "$@"; do arguments+=(--field "$name"); done
    if [ "$cosigner" != - ]; then arguments+=(--cosigner "$(public "$cosigner")"); fi
    if [ "$prover" != - ]; then arguments+=(--prove "$keys/$prover.pem"); fi
    rm -f "$draft"
    "$bin/systole" tx make --net "$net" --key "$keys/$signer.pem" --nonce "$nonce" \
        "${arguments[@]}" --out "$draft" "$kind" >/dev/null || fail "$kind: no draft"
    "$bin/systole" tx sign --net "$net" "$draft" --key "$keys/$signer.pem" >/dev/null
    if [ "$cosigner" != - ]; then
        "$bin/systole" tx cosign --net "$net" "$draft" --key "$keys/$cosigner.pem" >/dev/null
    fi
    local code=3
    for i in $(seq 10); do # sent again while nobody says what became of it
        code=0
        "$bin/systole" tx send --net "$net" "$draft" >"$scratch/sent" 2>&1 || code=$?
        [ $code -eq 3 ] || break
    done
    [ $code -eq 0 ] || fail "$kind was not applied: $(cat "$scratch/sent")"
}
record() {
    applied record.create doctor - - record_id="$(random_id)" subject_kind=patient \
        subject="$patient" class=Observation form=raw commit="$(random_id)" size=1024 \
        author_role=doctor patient_reported=false parents=
    events=$((events + 1))
}
start() { # VALIDATOR [--init]
    "$bin/systoled" --config "$net/v$1/systoled.conf" ${2-} >>"$net/v$1/output" 2>&1 &
    echo $! >"$net/v$1/process"
}
certified() { # VALIDATOR: it shows a certified block
    for i in $(seq 200); do
        "$bin/systole" get --net "$net" --validator "v$1" block 1 >/dev/null 2>&1 && return
        sleep 0.2
    done
    fail "v$1 shows no block"
}
watch_on() { # goes on with the patient's notices
    "$bin/systole" watch --net "$net" --key "$keys/wallet.pem" --json "$patient" \
        >>"$scratch/watch.out" 2>>"$scratch/watch.err" &
    echo $! >"$scratch/watcher"
}
numbers() {
    sed -n 's/^{"number":\([0-9]*\),"shown":true,.*/\1/p' "$scratch/watch.out"
}
# told: every event so far was told, and none else.
told() {
    for i in $(seq 600); do
        [ "$(numbers | sort -n | tail -n 1)" != "$events" ] || break
        sleep 0.1
    done
    [ "$(numbers | sort -n -u | tr '\n' ' ')" = "$(seq -s ' ' "$events") " ] ||
        fail "not every one of $events was told: $(numbers | tr '\n' ' ')"
}

"$bin/systole" testnet "$net" --base-port 0 --validators 4 --set "heartbeat_ms = 100" >/dev/null
for i in 0 1 2 3; do start $i --init; done
mkdir -p "$keys"
cp "$regulator" "$keys/regulator.pem"
for i in 0 1 2 3; do certified $i; done

echo "a hospital, its doctor, and a patient"
new_key admin
new_key doctor
new_key wallet
hospital=$(random_id)
patient=$(random_id)
applied org.register regulator admin admin org_id="$hospital" kind=hospital \
    name_hash="$(random_id)" admin_key="$(public admin)" x25519_key="$(public admin)" endpoints= \
    gs1_prefixes=
applied cred.issue admin - doctor subject_key="$(public doctor)" role=doctor specialty= \
    org_id="$hospital" scope= x25519_key="$(public doctor)" not_before=now \
    not_after=$(($(date +%s) * 1000 + 86400000))
applied patient.enrol admin wallet wallet patient_id="$patient" wallet_key="$(public wallet)" \
    guardian_needed=0 guardians=
events=1
watch_on
told

echo "every validator in turn is killed while the patient watches"
for v in 0 1 2 3; do
    record
    kill -9 "$(cat "$net/v$v/process")"
    for i in 1 2 3; do record; done
    told
    start $v
    certified $v
done

echo "the watch is killed, and goes on behind the last number that it kept"
kill -9 "$(cat "$scratch/watcher")"
for i in 1 2 3; do record; done
before=$(numbers | wc -l)
watch_on
told
again=$(($(numbers | wc -l) - before - 3))
[ "$again" -ge 0 ] && [ "$again" -le 8 ] || fail "$again were told again"
kill -9 "$(cat "$scratch/watcher")"

echo "nobody else is told"
new_key other
applied patient.enrol admin other other patient_id="$(random_id)" wallet_key="$(public other)" \
    guardian_needed=0 guardians=
for who in other doctor admin; do
    "$bin/systole" watch --net "$net" --key "$keys/$who.pem" --from 1 --wait 0 "$patient" \
        >"$scratch/out" 2>&1 && fail "$who is told the patient's notices"
    grep -q "told to their subject" "$scratch/out" || fail "$who: $(cat "$scratch/out")"
done
"$bin/systole" watch --net "$net" --key "$keys/admin.pem" --kind organisation --wait 0 \
    "$hospital" >"$scratch/out" || fail "an admin is not told what is about the organisation"
grep -q "^1 org.added $hospital " "$scratch/out" || fail "no org.added: $(cat "$scratch/out")"
"$bin/systole" watch --net "$net" --key "$keys/doctor.pem" --kind key --wait 0 \
    "$(public doctor)" >"$scratch/out" || fail "a key is not told what is about it"
grep -q "^1 cred.issued " "$scratch/out" || fail "no cred.issued: $(cat "$scratch/out")"

echo "who saw what: a gateway logs it, and the patient sees their part"
new_key gateway
applied cred.issue admin - gateway subject_key="$(public gateway)" role=gateway specialty= \
    org_id="$hospital" scope= x25519_key="$(public gateway)" not_before=now \
    not_after=$(($(date +%s) * 1000 + 86400000))
log=$(random_id)
now=$("$bin/systole" get --net "$net" block newest --json | field time_ms)
applied access.log gateway - - log_id="$log" first="$now" last="$now" patients="$patient" \
    roots="$(random_id)" counts=03000000
events=$((events + 1))
"$bin/systole" watch --net "$net" --key "$keys/wallet.pem" --from "$events" --count 1 \
    --wait 60000 "$patient" >"$scratch/out" || fail "$(cat "$scratch/out")"
grep -q "^$events access.disclosed $log " "$scratch/out" || fail "not told: $(cat "$scratch/out")"
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self --json \
    disclosure "$log" --of "$patient" >"$scratch/out" || fail "$(cat "$scratch/out")"
[ "$(field disclosures <"$scratch/out")" -eq 3 ] || fail "not three: $(cat "$scratch/out")"
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self --json log "$log" \
    >"$scratch/out" || fail "$(cat "$scratch/out")"
grep -q "$hospital" "$scratch/out" || fail "whose log is it: $(cat "$scratch/out")"
"$bin/systole" get --net "$net" --key "$keys/other.pem" --purpose self log "$log" \
    >"$scratch/out" 2>&1 && fail "another patient sees the log"
applied notify.ack wallet - - patient_id="$patient" number="$events"
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self --json ack "$patient" |
    grep -q "\"acknowledged\": *$events" || fail "what was acknowledged is not shown"

echo "a validator that lost its index of notices makes it again"
kill -9 "$(cat "$net/v2/process")"
rm -r "$net"/v2/data/notices
start 2
certified 2
"$bin/systole" watch --net "$net" --validator v2 --key "$keys/wallet.pem" --from 1 \
    --count "$events" --wait 60000 "$patient" >"$scratch/out" || fail "$(cat "$scratch/out")"
[ "$(wc -l <"$scratch/out")" -eq "$events" ] || fail "v2 told: $(cat "$scratch/out")"

echo "an import is killed, a validator with it; the subjects' numbers have no gap"
"$bin/systole" submit --net "$net" "$SYSTOLE_SOURCE/tests/data" >"$scratch/import" 2>&1 &
import=$!
kill -9 "$(cat "$net/v1/process")"
kill -9 $import
wait $import 2>/dev/null || true
"$bin/systole" submit --net "$net" --resume "$SYSTOLE_SOURCE/tests/data" >"$scratch/import" 2>&1 ||
    "$bin/systole" submit --net "$net" "$SYSTOLE_SOURCE/tests/data" >"$scratch/import" 2>&1 ||
    fail "the import does not go on: $(cat "$scratch/import")"
newest=$("$bin/systole" get --net "$net" block newest --json | field height)
for height in $(seq "$newest" -1 1); do
    id=$("$bin/systole" get --net "$net" block "$height" --json | tr -d ' \n' |
        sed -n 's/.*"tx_ids":\["\([0-9a-f]*\)".*/\1/p')
    [ -n "$id" ] || continue
    subject=$("$bin/systole" get --net "$net" --purpose audit receipt "$id" --json | tr -d ' \n' |
        sed -n 's/.*"subject_kind":"patient","subject":"\([0-9a-f]*\)".*/\1/p')
    [ -z "$subject" ] || [ "$subject" = "$patient" ] || break
done
[ -n "$subject" ] || fail "the import left no patient"
counted=$("$bin/systole" get --net "$net" --purpose audit patient "$subject" --json |
    field events)
"$bin/systole" watch --net "$net" --key "$regulator" --purpose audit --from 1 --count "$counted" \
    --wait 60000 "$subject" >"$scratch/out" || fail "$(cat "$scratch/out")"
[ "$(sed 's/ .*//' "$scratch/out" | tr '\n' ' ')" = "$(seq -s ' ' "$counted") " ] ||
    fail "the ledger counted $counted: $(cat "$scratch/out")"
