#!/usr/bin/env bash
# Persons and keys on real validators, by the commands of README.md "Keys, persons, devices".
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/identity.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

register() { # NAME: an organisation, its admin and its doctor
    new_key "admin_$1"
    new_key "doctor_$1"
    random_id >"$scratch/org_$1"
    applied org.register regulator "admin_$1" "admin_$1" org_id="$(cat "$scratch/org_$1")" \
        kind=hospital name_hash="$(random_id)" admin_key="$(public "admin_$1")" \
        x25519_key="$(public "admin_$1")" endpoints= gs1_prefixes=
    applied cred.issue "admin_$1" - "doctor_$1" subject_key="$(public "doctor_$1")" role=doctor \
        specialty= org_id="$(cat "$scratch/org_$1")" scope= x25519_key="$(public "doctor_$1")" \
        not_before=now not_after=$(($(date +%s) * 1000 + 86400000))
}
record() { # WORD DOCTOR RECORD PATIENT: create it, as `applied` or `refused CODE`
    $1 record.create "$2" - - record_id="$3" subject_kind=patient subject="$4" \
        class=Observation form=raw commit="$(random_id)" size=1024 author_role=doctor \
        patient_reported=false parents=
}
# shows KEY THING ID WORDS...: what `systole get` shows of it has each of the words
shows() {
    local key=$1 thing=$2 id=$3 word
    shift 3
    "$bin/systole" get --net "$net" --key "$keys/$key.pem" "$thing" "$id" >"$scratch/got" 2>&1 ||
        fail "$thing $id is not shown to $key: $(cat "$scratch/got")"
    for word in "$@"; do
        grep -q "$word" "$scratch/got" || fail "$thing: no '$word' in $(cat "$scratch/got")"
    done
}
hides() { # KEY THING ID
    "$bin/systole" get --net "$net" --key "$keys/$1.pem" "$2" "$3" >/dev/null 2>&1 &&
        fail "$2 $3 is shown to $1"
    return 0
}

begin

echo "two hospitals; a patient of the first, with a guardian"
register a
# What was sent is known to whoever reads next: no validator that is behind is believed.
read -r tag height <"$net/client.seen"
[ "$height" -ge 1 ] || fail "no height was kept: $tag $height"
echo "$tag 1000000000" >"$net/client.seen"
"$bin/systole" get --net "$net" --key "$regulator" organisation "$(cat "$scratch/org_a")" \
    >"$scratch/out" 2>&1 && fail "a state from before what is known is shown"
grep -q "block 1000000000 is known" "$scratch/out" || fail "why not: $(cat "$scratch/out")"
echo "no height" >"$net/client.seen"
"$bin/systole" get --net "$net" --key "$regulator" organisation "$(cat "$scratch/org_a")" \
    >"$scratch/out" 2>&1 || fail "a broken hint hinders: $(cat "$scratch/out")"
register b
before=$("$bin/systole" get --net "$net" --json block newest | field height)
new_key guardian
new_key wallet
patient=$(random_id)
applied patient.enrol admin_a guardian guardian patient_id="$(random_id)" \
    wallet_key="$(public guardian)" guardian_needed=0 guardians=
applied patient.enrol admin_a wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=1 guardians="$(public guardian)"

echo "a doctor's key is replaced, and is still let in and kept out"
plain=$(random_id)
record applied doctor_a "$plain" "$patient"
hides doctor_b record "$plain"
applied consent.grant wallet - - consent_id=random patient_id="$patient" grantee_kind=key \
    grantee="$(public doctor_b)" actions=read,write purposes=treatment classes= labels= from=0 \
    until=$(($(date +%s) * 1000 + 86400000))
shows doctor_b record "$plain"
new_key next_b
applied key.rotate doctor_b - next_b old_key="$(public doctor_b)" role=doctor \
    new_key="$(public next_b)"
shows next_b record "$plain"
hides doctor_b record "$plain"
shows next_b credential "$(public doctor_b)" '"revoke_reason": "superseded"' \
    "\"successor\": \"$(public next_b)\""
shows next_b credential "$(public next_b)" "\"first_key\": \"$(public doctor_b)\""
"$bin/systole" may --net "$net" --key "$keys/wallet.pem" "$patient" "$(public next_b)" treatment \
    read >"$scratch/may" || fail "may: $(cat "$scratch/may")"
new_key other
refused E_NOT_HOLDER key.rotate admin_b - other old_key="$(public next_b)" role=doctor \
    new_key="$(public other)"

echo "a wallet is lost, and the guardian gives the patient another one"
new_key wallet_2
refused E_NOT_HOLDER key.rotate doctor_a - wallet_2 old_key="$(public wallet)" role=patient \
    new_key="$(public wallet_2)"
applied key.rotate guardian - wallet_2 old_key="$(public wallet)" role=patient \
    new_key="$(public wallet_2)"
hides wallet patient "$patient"
shows wallet_2 patient "$patient" "\"wallet_key\": \"$(public wallet_2)\""
shows wallet_2 record "$plain"

halfway

echo "somebody unknown turns out to be the patient"
doe=$(random_id)
found=$(random_id)
evidence=$(random_id)
applied patient.enrol admin_b - - patient_id="$doe" guardian_needed=0 guardians=
record applied next_b "$found" "$doe"
hides wallet_2 record "$found"
hides doctor_a record "$found"
refused E_SIGNER_MISSING patient.merge admin_b - - patient_id="$doe" into_id="$patient" \
    evidence_hash="$evidence"
applied patient.merge admin_b wallet_2 - patient_id="$doe" into_id="$patient" \
    evidence_hash="$evidence"
shows wallet_2 record "$found"
shows doctor_a record "$found"
shows next_b patient "$doe" "\"merged_into\": \"$patient\""
record "refused E_PATIENT_MERGED" next_b "$(random_id)" "$doe"
grep -q "$patient" "$scratch/sent" || fail "nothing says which id to name: $(cat "$scratch/sent")"
"$bin/systole" may --net "$net" --key "$keys/wallet_2.pem" "$doe" "$(public doctor_a)" treatment \
    read >"$scratch/may" || fail "may: $(cat "$scratch/may")"
grep -q "merged into $patient" "$scratch/may" || fail "may does not say so: $(cat "$scratch/may")"
"$bin/systole" may --net "$net" --key "$keys/wallet_2.pem" --record "$found" "$patient" \
    "$(public doctor_a)" treatment read >"$scratch/may" || fail "may: $(cat "$scratch/may")"

echo "guardians speak for somebody who has no key"
ward=$(random_id)
statement=$(random_id)
applied patient.enrol admin_a - - patient_id="$ward" guardian_needed=0 guardians=
refused E_NOT_SUBJECT guardian.act guardian - - patient_id="$ward" action="agree for the patient" \
    guardian_needed=0 guardians= statement="$statement"
hides guardian patient "$ward"
applied guardian.act admin_a - - patient_id="$ward" action="replace the guardians" \
    guardian_needed=1 guardians="$(public guardian)"
applied guardian.act guardian - - patient_id="$ward" action="agree for the patient" \
    guardian_needed=0 guardians= statement="$statement"
shows guardian patient "$ward" "$(public guardian)"
refused E_NOT_SUBJECT guardian.act admin_a - - patient_id="$ward" action="replace the guardians" \
    guardian_needed=0 guardians=

echo "a device of the patient's"
new_key pump
device=$(random_id)
applied device.register admin_a - pump device_id="$device" device_key="$(public pump)" \
    org_id="$(cat "$scratch/org_a")" owner_kind=patient owner="$patient" \
    udi_commit="$(random_id)" class="infusion pump" not_before=now \
    not_after=$(($(date +%s) * 1000 + 86400000))
shows wallet_2 device "$device" '"class": "infusion pump"' "$(public pump)"
shows pump device "$device"
hides pump record "$plain"
applied cred.revoke admin_a - - subject_key="$(public pump)" reason="key lost" at=0
hides pump device "$device"

echo "the patient says what is to be brought, and how"
applied notify.prefs wallet_2 - - patient_id="$patient" off=care,identity digest=records
# watched WORDS...: `systole watch` tells all so far
watched() {
    "$bin/systole" watch --net "$net" --key "$keys/wallet_2.pem" --from 1 --wait 0 "$@" "$patient" \
        >"$scratch/got" 2>&1 || fail "watch: $(cat "$scratch/got")"
}
watched --all
all=$(wc -l <"$scratch/got")
grep -q "^1 patient.enrolled" "$scratch/got" || fail "not all is told: $(cat "$scratch/got")"
grep -q "digest\|switched off" "$scratch/got" && fail "--all holds something back"
watched
grep -q "^1 switched off" "$scratch/got" || fail "what is off is told: $(cat "$scratch/got")"
grep -q "^digest of 20" "$scratch/got" || fail "there is no digest: $(cat "$scratch/got")"
grep -q "^  [0-9]* record.created" "$scratch/got" || fail "no record in: $(cat "$scratch/got")"
grep -q "^[0-9]* consent.changed" "$scratch/got" || fail "no consent: $(cat "$scratch/got")"
next=$(cat "$net"/client/watch/*"$patient")
# Who saw what may have been logged meanwhile, which is a notice, too.
[ "${next#next }" -gt "$all" ] || fail "$all notices, and the watch goes on at $next"

echo "a hospital subscribes to what another one keeps of the patient, and from a height on"
theirs=$(random_id)
record applied next_b "$theirs" "$patient"
subscribe() { # FIELD...: what admin_a is shown: $scratch/got
    applied sub.create admin_a - - patient_id="$patient" purpose=treatment from_number=1 "$@"
    "$bin/systole" watch --net "$net" --key "$keys/admin_a.pem" --purpose treatment --from 1 \
        --wait 0 --json "$patient" >"$scratch/got" 2>&1 || fail "watch: $(cat "$scratch/got")"
    applied sub.cancel admin_a - - patient_id="$patient"
}
refused E_ORG_UNKNOWN sub.create admin_a - - patient_id="$patient" purpose=treatment \
    from_number=1 org_id="$patient"
subscribe org_id="$(cat "$scratch/org_b")"
grep -q "$theirs" "$scratch/got" || fail "b's record is not told: $(cat "$scratch/got")"
grep -q "$plain" "$scratch/got" && fail "a's record is told"
subscribe
grep -q "$plain" "$scratch/got" || fail "a's record is not told: $(cat "$scratch/got")"
height=$("$bin/systole" get --net "$net" --json block newest | field height)
subscribe from_height=$((height + 1))
grep -q "$theirs" "$scratch/got" && fail "what came before is told"
grep -q "sub.changed" "$scratch/got" || fail "what came after is not: $(cat "$scratch/got")"

echo "regulators set a parameter and publish a schedule, for later"
height=$("$bin/systole" get --net "$net" --json block newest | field height)
applied param.set regulator - - name=record_bytes_max value=1000000 version=1 \
    activation_height=$((height + 1000))
refused E_NEXT_VERSION param.set regulator - - name=record_bytes_max value=1000000 version=1 \
    activation_height=$((height + 1000))
refused E_ACTIVATION param.set regulator - - name=record_bytes_max value=1000000 version=2 \
    activation_height=$((height + 1))
shows wallet_2 params current '"version": 1' '"name": "record_bytes_max"' \
    "\"activation_height\": $((height + 1000))"
list=$(random_id)
applied schedule.publish regulator - - kind="unit limits" version=1 root="$list" \
    activation_height=$((height + 1000))
"$bin/systole" get --net "$net" --key "$keys/doctor_a.pem" --kind "unit limits" schedule \
    regulators >"$scratch/got" || fail "the schedule is not shown: $(cat "$scratch/got")"
grep -q "$list" "$scratch/got" || fail "another schedule is shown: $(cat "$scratch/got")"
"$bin/systole" get --net "$net" --key "$keys/doctor_a.pem" --kind "unit limits" --version 1 \
    schedule regulators >"$scratch/got" || fail "its first version is not shown"
"$bin/systole" get --net "$net" --key "$keys/doctor_a.pem" --kind "unit limits" --version 2 \
    schedule regulators >"$scratch/got" && fail "a version is shown that there is not"

echo "the directory is searched, each answer proven; one validator makes its index again"
new_key admin_c
applied org.register regulator admin_c admin_c org_id="$(random_id | tee "$scratch/org_c")" \
    kind=pharmacy name_hash="$(printf 'Pharmacy at the bridge' | sha256sum | cut -c1-64)" \
    admin_key="$(public admin_c)" x25519_key="$(public admin_c)" endpoints= gs1_prefixes=0614141
org_a=$(cat "$scratch/org_a")
org_c=$(cat "$scratch/org_c")
# found WORDS... -- ARGUMENTS...: each word, a line each, is what `systole find` shows; none: it
# finds nothing. An index may be a moment behind.
found() {
    local words=() word i
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    for i in $(seq 50); do
        "$bin/systole" find --net "$net" --key "$keys/doctor_a.pem" "$@" >"$scratch/got" 2>&1 ||
            [ "${#words[@]}" -eq 0 ] || { sleep 0.2 && continue; }
        for word in "${words[@]}"; do
            grep -q "$word" "$scratch/got" || { sleep 0.2 && continue 2; }
        done
        grep -q "^${#words[@]} found" "$scratch/got" && return 0
        sleep 0.2
    done
    fail "find $*: $(cat "$scratch/got")"
}
found "$org_a hospital, active" -- org "${org_a:0:9}"
found "$org_c pharmacy, active" -- org --kind pharmacy
found "$org_c" -- org --name "Pharmacy at the bridge"
found "$org_c" -- org --gs1 0614141123452
found -- org --gs1 0714141123452
grep -q "there are no others" "$scratch/got" || fail "absence is not proven: $(cat "$scratch/got")"
found -- org --inactive
found "$(public doctor_a) doctor of $org_a, active" -- credential --role doctor \
    --organisation "$org_a"
found "$(public doctor_b) doctor.*, replaced" -- credential --role doctor --inactive
found -- credential "$(public pump | cut -c1-20)"
found v2 -- validator "$("$bin/systole" find validator --net "$net" --json | tr , '\n' |
    sed -n '/"name": "v2"/,$p' | field consensus_key | cut -c1-16)"
"$bin/systole" find --net "$net" --key "$keys/doctor_a.pem" org --max 1 >"$scratch/got"
behind=$(sed -n 's/^more: --behind //p' "$scratch/got")
found "active" "active" -- org --behind "$behind"
applied org.suspend regulator - - org_id="$org_c" reason=fraud from=0
found "$org_c pharmacy, suspended" -- org --inactive
then=("$bin/systole" get --net "$net" --key "$keys/doctor_a.pem" credential "$(public doctor_b)")
"${then[@]}" --at "$before" >"$scratch/got" || fail "not valid then: $(cat "$scratch/got")"
grep -q "at block $before .* it was valid" "$scratch/got" || fail "at: $(cat "$scratch/got")"
"${then[@]}" --at "$(($(date +%s) * 1000))" >"$scratch/got" && fail "valid after it was replaced"
grep -q "it was revoked" "$scratch/got" || fail "at: $(cat "$scratch/got")"
"${then[@]}" --at 1 >"$scratch/got" && fail "valid before it was enrolled"
"$bin/systole" get --net "$net" --at 1 block newest >"$scratch/got" 2>&1 &&
    fail "a block has no --at"
grep -q -e '--at goes with' "$scratch/got" || fail "block --at: $(cat "$scratch/got")"

echo "an organisation is suspended twice; how its doctor stood at any time is proven and kept"
# newest NAME: height and time of the block that has what was applied last, as NAME_at and NAME_ms;
# who is asked for the newest block may be behind
newest() {
    local tag height
    read -r tag height <"$net/client.seen"
    "$bin/systole" get --net "$net" --json block "$height" >"$scratch/newest" ||
        fail "block $height of $tag"
    printf -v "$1_at" %s "$height"
    printf -v "$1_ms" %s "$(field time_ms <"$scratch/newest")"
}
proofs=$scratch/proofs
mkdir "$proofs"
# stood NAME WHEN VALID VERDICT: how doctor_a stood, online, and from a file of its own offline
stood() {
    local code=1
    if [ "$3" = true ]; then code=0; fi
    for i in $(seq 50); do # until a block has passed the time
        status=0
        "$bin/systole" get --net "$net" --key "$keys/admin_b.pem" --json --at "$2" \
            --proof "$proofs/$1.syvalid" credential "$(public doctor_a)" >"$scratch/got" 2>&1 ||
            status=$?
        grep -q "no block is later" "$scratch/got" || break
        sleep 0.2
    done
    [ "$status" = "$code" ] || fail "$1: exit code $status: $(cat "$scratch/got")"
    "$bin/systole" verify --json --genesis "$net/genesis.json" "$proofs/$1.syvalid" \
        >"$scratch/got" || fail "$1 does not hold: $(cat "$scratch/got")"
    grep -q "\"key\": *\"$(public doctor_a)\"" "$scratch/got" || fail "$1: $(cat "$scratch/got")"
    grep -q "\"valid\": *$3" "$scratch/got" || fail "$1: $(cat "$scratch/got")"
    grep -q "$4" "$scratch/got" || fail "$1 is no '$4': $(cat "$scratch/got")"
}
newest before
applied org.suspend regulator - - org_id="$org_a" reason="licence lapsed" from=0
newest first
applied org.reinstate regulator - - org_id="$org_a" reason="cause removed" from=0
newest between
applied org.suspend regulator - - org_id="$org_a" reason=fraud from=0
newest second
stood before "$before_at" true "it was valid"
stood first "$first_at" false "its organisation was suspended"
stood between "$between_at" true "it was valid"
stood second "$second_at" false "its organisation was suspended"
stood first_time "$((first_ms + 1))" false "its organisation was suspended"
stood between_time "$between_ms" true "it was valid"
stood too_early 1 false "it was not enrolled yet"
"$bin/systole" get --net "$net" --key "$keys/admin_b.pem" --at $(($(date +%s) * 1000 + 3600000)) \
    --proof "$scratch/none" credential "$(public doctor_a)" >"$scratch/got" 2>&1 &&
    fail "a time to come is proven"
grep -q "no block is later" "$scratch/got" || fail "why not: $(cat "$scratch/got")"
[ ! -e "$scratch/none" ] || fail "a time to come was kept"
"$bin/systole" verify --genesis "$net/genesis.json" "$proofs" >"$scratch/got" ||
    fail "not all of them hold: $(cat "$scratch/got")"
grep -q "^7 proofs hold" "$scratch/got" || fail "verify: $(cat "$scratch/got")"
"$bin/systole" verify --genesis "$net/genesis.json" "$proofs/first.syvalid" >"$scratch/got"
grep -q "before block $((first_at + 1)): its organisation was suspended" "$scratch/got" ||
    fail "verify: $(cat "$scratch/got")"
printf X | dd of="$proofs/first.syvalid" bs=1 seek=300 conv=notrunc 2>/dev/null
"$bin/systole" verify --genesis "$net/genesis.json" "$proofs" >"$scratch/got" 2>&1 &&
    fail "one that was changed holds"
applied org.reinstate regulator - - org_id="$org_a" reason="cause removed" from=0
grep -q "6 proofs hold.* 1 do not" "$scratch/got" || fail "verify: $(cat "$scratch/got")"
end v1 TERM
start v1 --rebuild-index
found "$org_c" -- --validator v1 org --inactive

echo "identity: all as it should be"
