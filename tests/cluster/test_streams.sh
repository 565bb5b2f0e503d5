#!/usr/bin/env bash
# Streams of devices on real validators, by the commands of README.md "Streams of devices": a
# wearable commits to files of samples, sends the same again, skips and overlaps; one sample is
# proven, checked offline, and by nobody who changed it.
# ctest: network slow timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/streams.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

now=$(($(date +%s) * 1000))
soon=$((now + 86400000))

# samples FILE FROM COUNT: one a minute.
samples() {
    local i
    for i in $(seq 0 $(($3 - 1))); do
        printf '{"time": %s, "value": %s}\n' $(($2 + i * 60000)) $((60 + i % 40))
    done >"$1"
}
# stream CODE WHO WORDS...: what it says is in $scratch/told
stream() {
    local code=$1 who=$2 got=0
    shift 2
    "$bin/systole" stream "$@" --net "$net" --key "$keys/$who.pem" >"$scratch/told" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "stream $* ended with $got: $(cat "$scratch/told")"
}
says() { # WORDS...
    local words
    for words in "$@"; do
        grep -q -e "$words" "$scratch/told" || fail "no '$words' in $(cat "$scratch/told")"
    done
}

begin

echo "a hospital, a patient, and a wearable of the patient's that may write"
new_key hospital
new_key wallet
new_key wearable
new_key stranger
hospital=$(random_id) patient=$(random_id) device=$(random_id) consent=$(random_id)
stream=$(random_id)
applied org.register regulator hospital hospital org_id="$hospital" kind=hospital \
    name_hash="$(random_id)" admin_key="$(public hospital)" x25519_key="$(public hospital)" \
    endpoints= gs1_prefixes=
applied patient.enrol hospital wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=0 guardians=
applied device.register hospital - wearable device_id="$device" \
    device_key="$(public wearable)" org_id="$hospital" owner_kind=patient owner="$patient" \
    udi_commit="$(random_id)" class=wearable not_before=now not_after="$soon"
applied consent.grant wallet - - consent_id="$consent" patient_id="$patient" grantee_kind=key \
    grantee="$(public wearable)" actions=write purposes=treatment classes=Observation labels= \
    from=$((now - 7200000)) until="$soon"
refused E_FIRMWARE stream.open wearable - - stream_id="$stream" device_id="$device" \
    patient_id="$patient" system=LOINC kind=8867-4 unit=/min rate=60 tolerance=120 \
    consent="$consent" care_team=
applied device.firmware hospital wearable - device_id="$device" release=1 \
    firmware="$(random_id)" attest="$(random_id)" until="$soon"
refused E_UNIT stream.open wearable - - stream_id="$stream" device_id="$device" \
    patient_id="$patient" system=LOINC kind=8867-4 unit=kg rate=60 tolerance=120 \
    consent="$consent" care_team=
applied stream.open wearable wallet - stream_id="$stream" device_id="$device" \
    patient_id="$patient" system=LOINC kind=8867-4 unit=/min rate=60 tolerance=120 \
    consent="$consent" care_team="$hospital"

echo "three windows, of which one is missing in between"
samples "$scratch/first" $((now - 3600000)) 10
samples "$scratch/second" $((now - 3000000)) 10
samples "$scratch/third" $((now - 600000)) 10
stream 0 wearable commit "$stream" "$scratch/first" --out "$scratch/kept"
says "commitment 1: 10 samples"
stream 0 wearable commit "$stream" "$scratch/second" --out "$scratch/kept"
stream 0 wearable commit "$stream" "$scratch/third" --out "$scratch/kept"
[ "$(stat -c %a "$scratch/kept/$stream-1.samples")" = 600 ] || fail "anybody may read the samples"

halfway

echo "the same again, an overlap, another one's key"
cp "$scratch/kept/$stream-3.samples" "$scratch/before"
stream 0 wearable commit "$stream" "$scratch/third" --out "$scratch/kept"
says E_DUP_COMMIT "commitment 3: 10 samples"
cmp "$scratch/before" "$scratch/kept/$stream-3.samples" || fail "the batch has other salts now"
stream 2 wearable commit "$stream" "$scratch/second" --out "$scratch/kept"
says "was committed to up to"
refused E_OVERLAP stream.commit wearable - - stream_id="$stream" sequence=4 release=1 \
    from=$((now - 700000)) to=$((now - 1000)) samples=1 root="$(random_id)" backfill=false
refused E_SEQ stream.commit wearable - - stream_id="$stream" sequence=6 release=1 \
    from=$((now + 1)) to=$((now + 61000)) samples=1 root="$(random_id)" backfill=false
refused E_ROLE stream.commit hospital - - stream_id="$stream" sequence=4 release=1 \
    from=$((now + 1)) to=$((now + 61000)) samples=1 root="$(random_id)" backfill=false

echo "points of Open mHealth are samples, too; a statistic is none"
iso() { date -u -d "@$(($1 / 1000))" +%Y-%m-%dT%H:%M:%SZ; }
for i in 3 1 2; do
    printf '{"heart_rate": {"value": 6%s.5, "unit": "beats/min"}, "effective_time_frame": ' "$i"
    printf '{"date_time": "%s"}}\n' "$(iso $((now + i * 60000)))"
done >"$scratch/points"
stream 0 wearable commit "$stream" --open-mhealth "$scratch/points" --out "$scratch/kept"
says "commitment 4: 3 samples"
sed 's/}}$/}, "descriptive_statistic": "minimum"}/' "$scratch/points" >"$scratch/statistics"
stream 1 wearable commit "$stream" --open-mhealth "$scratch/statistics" --out "$scratch/kept"
says "line 1, point 1, descriptive_statistic: a statistic is no measurement"

echo "the patient sees what is there, and what is missing"
stream 0 wallet coverage "$stream" --proofs "$scratch/proofs"
says "heart rate (LOINC 8867-4) in /min" "4 windows, 33 samples, 1 gaps" "gap, #3" "each proven"
"$bin/systole" verify --genesis "$net/genesis.json" "$scratch/proofs" >/dev/null ||
    fail "a proof that was kept does not hold"
stream 0 wallet gaps "$stream"
says "before window #3"
stream 1 stranger gaps "$stream"

"$bin/systole" record list --net "$net" --key "$keys/wallet.pem" --purpose self --places \
    "$patient" >"$scratch/told" 2>&1 || fail "the patient's entries: $(cat "$scratch/told")"
says "$stream  stream"

echo "one sample is proven offline"
stream 0 wearable prove "$scratch/kept/$stream-2.samples" 3 --out "$scratch/one.sysample"
"$bin/systole" verify --genesis "$net/genesis.json" "$scratch/one.sysample" >"$scratch/told" 2>&1 ||
    fail "the sample is not proven: $(cat "$scratch/told")"
says "sample 62 at" "commitment 2, number 3 of 10" "signed by device key $(public wearable)"
stream 2 wearable prove "$scratch/kept/$stream-2.samples" 11 --out "$scratch/none"
# The value's second digit: "62" behind magic, network, stream, sequence, salt, time and length.
cp "$scratch/one.sysample" "$scratch/changed.sysample"
printf 3 | dd of="$scratch/changed.sysample" bs=1 seek=87 conv=notrunc 2>/dev/null
"$bin/systole" verify --genesis "$net/genesis.json" "$scratch/changed.sysample" \
    >"$scratch/told" 2>&1 && fail "a changed sample is proven"
says "checksum"

echo "an alert reaches the patient; the patient's word ends the stream"
applied stream.alert wearable - - stream_id="$stream" sequence=1 rule="$(random_id)" \
    level=critical at=now
applied consent.revoke wallet - - consent_id="$consent" patient_id="$patient"
samples "$scratch/fourth" $((now + 240000)) 1
stream 1 wearable commit "$stream" "$scratch/fourth" --out "$scratch/kept"
says E_CONSENT
[ ! -e "$scratch/kept/$stream-5.samples" ] || fail "what was refused is kept"
applied stream.close wallet - - stream_id="$stream" reason="patient's wish"
stream 0 wallet coverage "$stream" --last 1
says "closed"
stream 0 wearable commit "$stream" --open-mhealth "$scratch/points" --out "$scratch/kept"
says E_DUP_COMMIT

stop_all
rm -rf "$scratch"
