#!/usr/bin/env bash
# Consents on real validators, by the commands of README.md "Whom a patient lets in": a stranger is
# refused, let in by a grant, and shut out again; a label and a denial do what they say; `systole
# may` says why, now and for heights gone by. In the middle the primary is killed, and the rest go
# on in another view.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/consents.XXXXXX")
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
record() { # WORD DOCTOR RECORD [FIELD...]: create it, as `applied` or `refused CODE`
    local word=$1 doctor=$2 id=$3
    shift 3
    $word record.create "$doctor" - - record_id="$id" subject_kind=patient subject="$patient" \
        class=Observation form=raw commit="$(random_id)" size=1024 author_role=doctor \
        patient_reported=false parents= "$@"
}
grant() { # CONSENT FIELD...: to hospital b, for a day
    local consent=$1
    shift
    applied consent.grant wallet - - consent_id="$consent" patient_id="$patient" \
        grantee_kind=organisation grantee="$(cat "$scratch/org_b")" classes= from=0 \
        until=$(($(date +%s) * 1000 + 86400000)) "$@"
}
sees() { # WHO RECORD
    "$bin/systole" get --net "$net" --key "$keys/$1.pem" record "$2" >/dev/null 2>&1
}
# decides WORDS... : what `systole may` says has each of them; the rest of the question before --
decides() {
    local question=() word
    while [ "$1" != -- ]; do
        question+=("$1")
        shift
    done
    shift
    "$bin/systole" may --net "$net" --key "$keys/wallet.pem" "${question[@]}" \
        >"$scratch/may" 2>&1 || true
    for word in "$@"; do
        grep -q "$word" "$scratch/may" ||
            fail "may ${question[*]}: no '$word' in $(cat "$scratch/may")"
    done
}

begin

echo "two hospitals, and a patient of the first"
register a
register b
new_key wallet
patient=$(random_id)
applied patient.enrol admin_a wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=0 guardians=
plain=$(random_id)
labelled=$(random_id)
tag=$(random_id | cut -c1-32)
record applied doctor_a "$plain"
record applied doctor_a "$labelled" sens_tag="$tag"
sees doctor_a "$plain" || fail "who treats does not see"
sees wallet "$labelled" || fail "the patient does not see"

echo "a stranger is refused, and told why"
sees doctor_b "$plain" && fail "a stranger sees"
record "refused E_NO_CARE" doctor_b "$(random_id)"
decides "$patient" "$(public doctor_b)" treatment read -- "^not allowed: nothing allows it"
decides "$patient" "$(public doctor_a)" research read -- "^not allowed" "not for this purpose"
height=$("$bin/systole" get --net "$net" block newest --json | field height)

echo "a grant lets the hospital in, but not to what has a label"
consent=$(random_id)
grant "$consent" actions=read,write purposes=treatment labels=
sees doctor_b "$plain" || fail "who is let in does not see"
sees doctor_b "$labelled" && fail "a grant without labels reaches one"
record applied doctor_b "$(random_id)"
decides "$patient" "$(public doctor_b)" treatment read --record "$plain" -- \
    "^allowed: a consent allows it, $consent"
decides "$patient" "$(public doctor_b)" treatment read --record "$labelled" -- \
    "^not allowed" "nearest is consent $consent" "label"
decides "$patient" "$(public doctor_b)" treatment read --at "$height" -- "^not allowed" \
    "as it stood"
"$bin/systole" consents --net "$net" --key "$keys/wallet.pem" "$patient" >"$scratch/list"
grep -q "$consent" "$scratch/list" && grep -q '"in force"' "$scratch/list" ||
    fail "the list lacks the consent: $(cat "$scratch/list")"
"$bin/systole" consents --net "$net" --key "$keys/doctor_b.pem" "$patient" >"$scratch/out" 2>&1 &&
    fail "who is let in sees whom else the patient lets in"
"$bin/systole" get --net "$net" --key "$keys/doctor_b.pem" --proof "$scratch/consent.syproof" \
    consent "$consent" >/dev/null || fail "who is let in does not see by what"
"$bin/systole" verify --genesis "$net/genesis.json" "$scratch/consent.syproof" >/dev/null ||
    fail "the consent's proof does not verify with the genesis file alone"

echo "only the patient may give, and take back"
refused E_NOT_SUBJECT consent.revoke doctor_b - - patient_id="$patient" consent_id="$consent"
new_key stranger
stranger=$(random_id)
applied patient.enrol admin_b stranger stranger patient_id="$stranger" \
    wallet_key="$(public stranger)" guardian_needed=0 guardians=
refused E_NOT_SUBJECT consent.revoke stranger - - patient_id="$patient" consent_id="$consent"
refused E_NOT_SUBJECT consent.revoke stranger - - patient_id="$stranger" consent_id="$consent"

echo "the primary dies; the others go on"
end v0 KILL
height=$("$bin/systole" get --net "$net" block newest --json | field height)
sensitive=$(random_id)
grant "$sensitive" actions=read purposes=treatment labels="$tag"
sees doctor_b "$labelled" || fail "a grant that names the label does not reach it"
applied consent.revoke wallet - - patient_id="$patient" consent_id="$consent"
sees doctor_b "$plain" && fail "what was revoked still lets in"
record "refused E_NO_CARE" doctor_b "$(random_id)"
refused E_CONSENT_STATE consent.revoke wallet - - patient_id="$patient" consent_id="$consent"
decides "$patient" "$(public doctor_b)" treatment read --at "$height" -- \
    "^allowed: a consent allows it, $consent"
now=$("$bin/systole" get --net "$net" block "$height" --json | field time_ms)
decides "$patient" "$(public doctor_b)" treatment read --at "$now" -- "^allowed"

echo "a grant is passed on, as far as it goes and as long as it stands"
register c
shared=$(random_id)
grant "$shared" actions=read,share purposes=treatment labels=
passed=$(random_id)
pass_on() { # as `applied` or `refused CODE`
    local word=$1
    shift
    $word consent.delegate admin_b - - consent_id="$passed" patient_id="$patient" parent="$shared" \
        grantee_kind=key grantee="$(public doctor_c)" purposes=treatment classes= labels= \
        from=now until=$(($(date +%s) * 1000 + 3600000)) "$@"
}
pass_on "refused E_SCOPE_WIDER" actions=read,write
pass_on applied actions=read
sees doctor_c "$plain" || fail "whom a grant was passed on to does not see"
decides "$patient" "$(public doctor_c)" treatment read -- "^allowed: a consent allows it, $passed"
applied consent.revoke wallet - - patient_id="$patient" consent_id="$shared"
sees doctor_c "$plain" && fail "what was passed on outlives its parent"
"$bin/systole" consents --net "$net" --key "$keys/wallet.pem" "$patient" >"$scratch/list"
grep -q '"parent revoked"' "$scratch/list" || fail "the list does not tell that a parent is gone"

echo "a denial stops who treats, but for one doctor"
denial=$(random_id)
applied consent.deny wallet - - consent_id="$denial" patient_id="$patient" grantee_kind=role \
    role=doctor actions=read,write purposes=treatment classes= labels= from=0
sees doctor_a "$plain" && fail "a denial does not stop who treats"
record "refused E_CONSENT" doctor_a "$(random_id)"
decides "$patient" "$(public doctor_a)" treatment read -- \
    "^not allowed: a consent forbids it, $denial"
applied consent.grant wallet - - consent_id="$(random_id)" patient_id="$patient" grantee_kind=key \
    grantee="$(public doctor_a)" actions=read purposes=treatment classes= labels= from=0 \
    until=$(($(date +%s) * 1000 + 86400000))
sees doctor_a "$plain" || fail "a grant to one key does not stand over a denial of the role"
"$bin/systole" consents --net "$net" --key "$keys/wallet.pem" --all --json "$patient" \
    >"$scratch/list"
[ "$(field given <"$scratch/list")" -eq 6 ] || fail "not 6 consents were given"
[ "$(field live <"$scratch/list")" -eq 4 ] || fail "not 4 consents are live"
grep -q '"revoked"' "$scratch/list" || fail "--all does not show what was revoked"

echo "in an emergency the glass is broken, and everybody hears of it"
applied consent.revoke wallet - - patient_id="$patient" consent_id="$sensitive"
new_key nurse_b
applied cred.issue admin_b - nurse_b subject_key="$(public nurse_b)" role=nurse specialty= \
    org_id="$(cat "$scratch/org_b")" scope= x25519_key="$(public nurse_b)" not_before=now \
    not_after=$(($(date +%s) * 1000 + 86400000)) break_glass=true
broken=$(random_id)
break_glass() { # WORD... WHO
    local who=${*: -1}
    "${@:1:$#-1}" access.breakglass "$who" - - break_id="$broken" patient_id="$patient" \
        reason="danger to life" until=$(($(date +%s) * 1000 + 3600000))
}
sees_in_emergency() {
    "$bin/systole" get --net "$net" --key "$keys/nurse_b.pem" --purpose emergency \
        record "$labelled" >/dev/null 2>&1
}
break_glass refused E_ROLE doctor_b
sees_in_emergency && fail "an emergency alone opens what has a label"
break_glass applied nurse_b
sees_in_emergency || fail "who broke the glass does not see"
sees nurse_b "$labelled" && fail "who broke the glass sees for another purpose, too"
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" break "$broken" >"$scratch/out" ||
    fail "the patient does not see who broke the glass"
grep -q "danger to life" "$scratch/out" || fail "the reason is not told: $(cat "$scratch/out")"
decides "$patient" "$(public nurse_b)" emergency read --label "$tag" -- \
    "^allowed: the key broke the glass, $broken"
refused E_ROLE access.review nurse_b - - break_id="$broken" outcome=justified
refused E_NOT_AUTHOR access.review admin_a - - break_id="$broken" outcome=justified
applied access.review admin_b - - break_id="$broken" outcome=justified
refused E_BREAK_STATE access.review admin_b - - break_id="$broken" outcome=unjustified

echo "every store replays to the same state"
stop_all
for i in 0 1 2 3; do
    "$bin/systole" audit "$net/v$i" >"$scratch/audit" 2>&1 || fail "v$i: $(cat "$scratch/audit")"
done
