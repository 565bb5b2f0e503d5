#!/usr/bin/env bash
# Reads through real validators are logged: a doctor reads a patient's record, the patient is
# noticed and sees the entry; what the patient reads is not; a validator killed right behind its
# answer logs what it told, once; its signing key is enrolled once.
# ctest: network slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/reads.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

# reads WHO VALIDATOR: the record, through that one.
reads() {
    "$bin/systole" get --net "$net" --validator "$2" --key "$keys/$1.pem" record "$record" \
        >/dev/null || fail "$1 does not see the record through $2"
}
# logs: the ids of the logs that the patient was told of, one a line.
logs() {
    "$bin/systole" watch --net "$net" --key "$keys/wallet.pem" --from 1 --wait 0 --json "$patient" \
        >"$scratch/notices" 2>"$scratch/said" || fail "no notices: $(cat "$scratch/said")"
    grep access.disclosed "$scratch/notices" | sed 's/.*"object": *"\([0-9a-f]*\)".*/\1/' || true
}
await_logs() { # COUNT
    local i
    for i in $(seq 100); do
        [ "$(logs | wc -l)" -ge "$1" ] && return 0
        sleep 0.2
    done
    fail "the patient was told of $(logs | wc -l) logs, not $1"
}
# disclosed: how often the patient's entries in all logs say that they were read.
disclosed() {
    local id sum=0
    for id in $(logs); do
        sum=$((sum + $("$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self \
            --json disclosure "$id" --of "$patient" | field disclosures)))
    done
    echo "$sum"
}

begin "reads_log_ms = 200"
for name in admin doctor wallet; do new_key "$name"; done
org=$(random_id)
applied org.register regulator admin admin org_id="$org" kind=hospital name_hash="$(random_id)" \
    admin_key="$(public admin)" x25519_key="$(public admin)" endpoints= gs1_prefixes=
applied cred.issue admin - doctor subject_key="$(public doctor)" role=doctor specialty= \
    org_id="$org" scope= x25519_key="$(public doctor)" not_before=now \
    not_after=$(($(date +%s) * 1000 + 86400000))
patient=$(random_id)
record=$(random_id)
applied patient.enrol admin wallet wallet patient_id="$patient" wallet_key="$(public wallet)" \
    guardian_needed=0 guardians=
applied record.create doctor - - record_id="$record" subject_kind=patient subject="$patient" \
    class=Observation form=raw commit="$(random_id)" size=1024 author_role=doctor \
    patient_reported=false parents=
[ -z "$(logs)" ] || fail "what the patient's own transactions read was logged"

echo "a doctor reads; the patient is told by whom it was logged, and how often it was"
reads doctor v1
await_logs 1
log=$(logs)
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self --json log "$log" \
    >"$scratch/log" || fail "the patient does not see the log"
[ "$(disclosed)" = 1 ] || fail "the entry says $(disclosed), not once"
signer=$(field key <"$scratch/log")
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" --json signer "$(key_of v1)" \
    >"$scratch/signer" || fail "nobody knows who signs for v1"
[ "$(field key <"$scratch/signer")" = "$signer" ] || fail "v1 did not sign the log of its read"
grep -rq "$record" "$net"/v*/log && fail "a log line names a record"

echo "what the patient reads, notices and logs among it, makes no log"
reads wallet v1
reads wallet v2
reads doctor v2
await_logs 2
[ "$(disclosed)" = 2 ] || fail "twice the doctor read, and it was logged $(disclosed) times"

echo "a validator is killed behind its answer"
for i in 1 2 3; do
    reads doctor v1
    end v1 KILL
    start v1
    await v1 height 1
done
waits() { # has v1 a log that the ledger does not?
    [ -n "$(find "$net/v1/data/reads" -maxdepth 1 -name '*.leaves')" ]
}
for i in $(seq 100); do
    waits || break
    sleep 0.2
done
waits && fail "v1 still has a log to send"
[ "$(disclosed)" = 5 ] || fail "five times the doctor read, and it was logged $(disclosed) times"

echo "the operator shows the patient the leaves, which verify against the ledger"
systole() {
    "$bin/systole" "$@" >"$scratch/out" 2>&1
}
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self disclosure "$log" \
    --of "$patient" --proof "$scratch/entry.syproof" >/dev/null
systole access prove "$net"/v1/data/reads/kept/*.leaves --log "$log" --patient "$patient" \
    --out "$scratch/shown.json" || fail "no proof: $(cat "$scratch/out")"
verify() {
    systole access verify "$1" --disclosure "$scratch/entry.syproof" \
        --genesis "$net/genesis.json"
}
verify "$scratch/shown.json" || fail "what was shown does not verify: $(cat "$scratch/out")"
grep -q "$(public doctor) saw record $record for treatment, by enrolled" "$scratch/out" ||
    fail "who saw what is not told: $(cat "$scratch/out")"
sed 's/"index": 0/"index": 1/; s/\("leaf": "01\)\(..\)/\1ff/' "$scratch/shown.json" \
    >"$scratch/lie.json"
verify "$scratch/lie.json" && fail "a leaf that was changed verifies"
cat "$net"/v1/data/reads/kept/*.leaves | head -c -100 >"$scratch/cut.leaves"
systole access show "$scratch/cut.leaves" --patient "$patient" || fail "$(cat "$scratch/out")"
[ "$(grep -c " saw record " "$scratch/out")" = 3 ] ||
    fail "a file cut off shows $(cat "$scratch/out")"

echo "a hospital's gateway logs what it disclosed itself"
new_key gateway
applied cred.issue admin - gateway subject_key="$(public gateway)" role=gateway specialty= \
    org_id="$org" scope= x25519_key="$(public gateway)" not_before=now \
    not_after=$(($(date +%s) * 1000 + 86400000))
for i in 1 2; do
    echo "{\"patient\": \"$patient\", \"reader\": \"$(public doctor)\", \"purpose\": \"payment\"," \
        "\"ground\": \"enrolled\", \"record\": \"$record\", \"version\": $i," \
        "\"time_ms\": $(($(date +%s) * 1000 - 60000 * i))}"
done >"$scratch/disclosures"
systole access log "$scratch/disclosures" --net "$net" --out "$scratch/kept" ||
    fail "no log: $(cat "$scratch/out")"
own=$(basename "$scratch"/kept/*.json .json)
"$bin/systole" tx make --net "$net" --key "$keys/gateway.pem" --out "$scratch/draft2" access.log \
    "$scratch/kept/$own.json" >/dev/null
"$bin/systole" tx sign --net "$net" --key "$keys/gateway.pem" "$scratch/draft2" >/dev/null
"$bin/systole" tx send --net "$net" "$scratch/draft2" >"$scratch/sent" ||
    fail "$(cat "$scratch/sent")"
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self disclosure "$own" \
    --of "$patient" --proof "$scratch/entry.syproof" >/dev/null
systole access prove "$scratch/kept/$own.leaves" --patient "$patient" --leaf 2 \
    --out "$scratch/one.json"
verify "$scratch/one.json" || fail "the gateway's leaf does not verify: $(cat "$scratch/out")"
grep -q "the log has 2 about this patient" "$scratch/out" || fail "$(cat "$scratch/out")"
verify "$scratch/shown.json" && fail "another log's leaves verify"
echo '{"patient": "00", "reader": "11"}' >"$scratch/disclosures"
systole access log "$scratch/disclosures" --net "$net" --out "$scratch/kept" &&
    fail "nonsense was logged"
grep -q "disclosures:1: patient must be 64 hex digits" "$scratch/out" ||
    fail "$(cat "$scratch/out")"
echo "done"
