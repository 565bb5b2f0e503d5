#!/usr/bin/env bash
# Envelopes on real validators, by the commands of README.md "Content beside the ledger": shared
# with who may read, refused to who may not, opened offline, and nothing that was changed passes.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/envelopes.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
on=(--net "$net" --validator v1) # asked for everything; does not lie
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

# new_box NAME: an X25519 key
new_box() {
    "$bin/systole" keygen --x25519 --json --out "$keys/$1.box.pem" | field public_key \
        >"$keys/$1.box"
}
box() {
    cat "$keys/$1.box"
}
register() { # NAME: an organisation, its admin and its doctor
    new_key "admin_$1"
    new_key "doctor_$1"
    new_box "org_$1"
    new_box "doctor_$1"
    random_id >"$scratch/org_$1"
    applied org.register regulator "admin_$1" "admin_$1" org_id="$(cat "$scratch/org_$1")" \
        kind=hospital name_hash="$(random_id)" admin_key="$(public "admin_$1")" \
        x25519_key="$(box "org_$1")" endpoints= gs1_prefixes=
    applied cred.issue "admin_$1" - "doctor_$1" subject_key="$(public "doctor_$1")" role=doctor \
        specialty= org_id="$(cat "$scratch/org_$1")" scope= x25519_key="$(box "doctor_$1")" \
        not_before=now not_after=$(($(date +%s) * 1000 + 86400000))
}
# share WORDS...: hospital a's doctor shares; --to and more as given. It says: $scratch/shared.
share() {
    "$bin/systole" share "${on[@]}" --key "$keys/doctor_a.pem" --out "$scratch/e.syenvelope" \
        "$@" >"$scratch/shared" 2>&1
}
# no_share WORDS -- ARGUMENT...: it is refused, and says WORDS
no_share() {
    local words=$1
    shift 2
    rm -f "$scratch/e.syenvelope"
    share "$@" && fail "shared: $*"
    grep -q "$words" "$scratch/shared" || fail "no '$words' in: $(cat "$scratch/shared")"
    [ ! -e "$scratch/e.syenvelope" ] || fail "a refused share leaves an envelope"
}
# opens BOX [FILE] [ARGUMENT...]: offline; the content stands in $scratch/content
opens() {
    local whose=$1 file=${2:-$scratch/e.syenvelope}
    shift
    if [ $# -gt 0 ]; then shift; fi
    rm -f "$scratch/content"
    "$bin/systole" open --x25519-key "$keys/$whose.box.pem" --out "$scratch/content" "$@" \
        --genesis "$net/genesis.json" "$file" >"$scratch/opened" 2>&1
}
no_open() { # WORDS BOX [FILE]...
    local words=$1
    shift
    opens "$@" && fail "it opens: $*"
    [ ! -e "$scratch/content" ] || fail "content that is not proven was written"
    grep -q "$words" "$scratch/opened" || fail "no '$words' in: $(cat "$scratch/opened")"
}

begin


echo "two hospitals, a patient of the first, and a record of two versions"
register a
register b
new_key wallet
new_box wallet
patient=$(random_id)
applied patient.enrol admin_a wallet wallet patient_id="$patient" wallet_key="$(public wallet)" \
    guardian_needed=0 guardians= x25519_key="$(box wallet)"
content=$scratch/observation.json
printf '{"resourceType":"Observation","valueQuantity":{"value":7.10}}' >"$content"
commitment() { # FILE: as fields; its salt in $scratch/salt
    "$bin/systole" record commit --json "$1" >"$scratch/commitment"
    field salt <"$scratch/commitment" >"$scratch/salt"
    echo "form=raw commit=$(field commit <"$scratch/commitment")" \
        "size=$(field size <"$scratch/commitment")"
}
record=$(random_id)
# shellcheck disable=SC2046
applied record.create doctor_a - - record_id="$record" subject_kind=patient subject="$patient" \
    class=Observation author_role=doctor patient_reported=false parents= $(commitment "$content")
salt=$(cat "$scratch/salt")

echo "the patient opens what the hospital shares, and nobody else does"
share "$record" "$content" --salt "$salt" --to "$patient" || fail "$(cat "$scratch/shared")"
grep -q "it is the patient's own key" "$scratch/shared" || fail "$(cat "$scratch/shared")"
grep -q "custodian $(cat "$scratch/org_a")" "$scratch/shared" || fail "no custodian"
grep -q -a "Observation\|$record\|$patient\|$salt" "$scratch/e.syenvelope" &&
    fail "an envelope tells a stranger what is in it"
opens wallet || fail "$(cat "$scratch/opened")"
cmp "$content" "$scratch/content" || fail "another content comes out"
grep -q "version 1 of record $record" "$scratch/opened" || fail "$(cat "$scratch/opened")"
opens org_a || fail "the custodian's emergency key does not open it"
no_open "not sealed to this key" doctor_b

echo "who may not read is refused, and told why"
no_share "nothing allows it" -- "$record" "$content" --salt "$salt" --to "$(public doctor_b)"
no_share "nothing allows it" -- "$record" "$content" --salt "$salt" --to "$patient" \
    --to "$(cat "$scratch/org_b")"
no_share "no key or organisation of that id" -- "$record" "$content" --salt "$salt" \
    --to "$(random_id)"
consent=$(random_id)
until=$(($(date +%s) * 1000 + 86400000))
grant() { # ID FIELD...
    local id=$1
    shift
    applied consent.grant wallet - - consent_id="$id" patient_id="$patient" classes= labels= \
        actions=read purposes=treatment from=0 until="$until" "$@"
}
grant "$consent" grantee_kind=organisation grantee="$(cat "$scratch/org_b")"
new_key next_admin_b
applied key.rotate admin_b - next_admin_b old_key="$(public admin_b)" \
    role="organisation admin" new_key="$(public next_admin_b)"
share "$record" "$content" --salt "$salt" --to "$(public doctor_b)" \
    --to "$(cat "$scratch/org_b")" || fail "$(cat "$scratch/shared")"
grep -q "a consent allows it, $consent" "$scratch/shared" || fail "$(cat "$scratch/shared")"
cp "$scratch/e.syenvelope" "$scratch/granted.syenvelope"
opens doctor_b || fail "$(cat "$scratch/opened")"
opens org_b || fail "$(cat "$scratch/opened")"
opens doctor_b "$scratch/e.syenvelope" "${on[@]}" --key "$keys/doctor_b.pem" \
    --consent "$consent" || fail "$(cat "$scratch/opened")"
no_open "no consent" doctor_b "$scratch/e.syenvelope" "${on[@]}" --key "$keys/doctor_b.pem" \
    --consent "$(random_id)"
no_share "not for this purpose" -- "$record" "$content" --salt "$salt" --purpose research \
    --to "$(public doctor_b)"
applied consent.revoke wallet - - patient_id="$patient" consent_id="$consent"
no_share "nothing allows it" -- "$record" "$content" --salt "$salt" --to "$(public doctor_b)"
no_open "was revoked" doctor_b "$scratch/granted.syenvelope" "${on[@]}" \
    --key "$keys/doctor_b.pem" --consent "$consent"

halfway

echo "a grant that commits to an envelope covers that one"
share "$record" "$content" --salt "$salt" --to "$(public doctor_b)" --before-grant --json ||
    fail "$(cat "$scratch/shared")"
wrapped=$(field wrapped_key_hash <"$scratch/shared")
cp "$scratch/e.syenvelope" "$scratch/committed.syenvelope"
bound=$(random_id)
grant "$bound" grantee_kind=key grantee="$(public doctor_b)" wrapped_key_hash="$wrapped"
opens doctor_b "$scratch/committed.syenvelope" "${on[@]}" --key "$keys/doctor_b.pem" \
    --consent "$bound" || fail "$(cat "$scratch/opened")"
no_share "commits to keys that were wrapped before" -- "$record" "$content" --salt "$salt" \
    --to "$(public doctor_b)"
share "$record" "$content" --salt "$salt" --to "$(public doctor_b)" --before-grant
no_open "commits to another envelope" doctor_b "$scratch/e.syenvelope" "${on[@]}" \
    --key "$keys/doctor_b.pem" --consent "$bound"

echo "only what is registered is shared, and no changed file opens"
printf '{"resourceType":"Observation","valueQuantity":{"value":7.1}}' >"$scratch/altered.json"
no_share "altered" -- "$record" "$scratch/altered.json" --salt "$salt" --to "$patient"
no_share "altered" -- "$record" "$content" --salt "$(random_id)" --to "$patient"
# shellcheck disable=SC2046
applied record.amend doctor_a - - record_id="$record" prev_version=1 reason=correction \
    branch=false author_role=doctor $(commitment "$scratch/altered.json")
no_share "older version 1 of 2" -- "$record" "$content" --salt "$salt" --to "$patient"
share "$record" "$content" --salt "$salt" --to "$patient" --version 1 ||
    fail "$(cat "$scratch/shared")"
opens wallet || fail "$(cat "$scratch/opened")"
grep -q "not the current one" "$scratch/opened" || fail "an older version is not told"
salt=$(cat "$scratch/salt")
share "$record" "$scratch/altered.json" --salt "$salt" --to "$patient" ||
    fail "$(cat "$scratch/shared")"
opens wallet || fail "$(cat "$scratch/opened")"
cmp "$scratch/altered.json" "$scratch/content" || fail "another content comes out"
grep -q "version 2 of record $record" "$scratch/opened" || fail "$(cat "$scratch/opened")"
size=$(stat -c %s "$scratch/e.syenvelope")
for at in 9 30 60 64 70 130 300 $((size / 2)) $((size - 1)); do
    cp "$scratch/e.syenvelope" "$scratch/changed"
    old=$(od -An -tu1 -j "$at" -N1 "$scratch/changed" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\x$(printf %x $((old ^ 1)))" |
        dd of="$scratch/changed" bs=1 seek="$at" conv=notrunc status=none
    no_open "" wallet "$scratch/changed"
done
head -c $((size - 1)) "$scratch/e.syenvelope" >"$scratch/cut"
no_open "cut off" wallet "$scratch/cut"
"$bin/systole" testnet "$scratch/other" --base-port 0 --validators 4 >/dev/null
"$bin/systole" open --x25519-key "$keys/wallet.box.pem" --genesis "$scratch/other/genesis.json" \
    "$scratch/e.syenvelope" >"$scratch/opened" 2>&1 && fail "another network's envelope opens"
grep -q "another network" "$scratch/opened" || fail "$(cat "$scratch/opened")"

echo "in an emergency the custodian opens an envelope to who broke the glass"
new_key nurse_b
new_box nurse_b
applied cred.issue next_admin_b - nurse_b subject_key="$(public nurse_b)" role=nurse specialty= \
    org_id="$(cat "$scratch/org_b")" scope= x25519_key="$(box nurse_b)" not_before=now \
    not_after="$until" break_glass=true
pending=$scratch/pending
cp "$scratch/draft" "$scratch/other_kind"
cp "$scratch/e.syenvelope" "$scratch/kept.syenvelope"
rewrap() { # BOX ARGUMENT...
    local whose=$1
    shift
    rm -f "$scratch/r.syenvelope"
    "$bin/systole" rewrap --x25519-key "$keys/$whose.box.pem" --out "$scratch/r.syenvelope" "$@" \
        "$scratch/kept.syenvelope" >"$scratch/rewrapped" 2>&1
}
no_rewrap() { # WORDS BOX ARGUMENT...
    local words=$1
    shift
    rewrap "$@" && fail "rewrapped: $*"
    grep -q "$words" "$scratch/rewrapped" || fail "no '$words' in: $(cat "$scratch/rewrapped")"
    [ ! -e "$scratch/r.syenvelope" ] || fail "a refused rewrap leaves an envelope"
}
online=("${on[@]}" --key "$keys/doctor_a.pem")
no_rewrap "no emergency access" org_a "${online[@]}" --to "$(public nurse_b)"
no_open "not sealed to this key" nurse_b "$scratch/kept.syenvelope"
broken=$(random_id)
break_glass() { # ID: as fields
    echo "break_id=$1 patient_id=$patient until=$(($(date +%s) * 1000 + 3600000))"
}
# shellcheck disable=SC2046
applied access.breakglass nurse_b - - reason="danger to life" $(break_glass "$broken")
no_rewrap "not the emergency key" wallet "${online[@]}" --to "$(public nurse_b)"
no_rewrap "not sealed to this key" org_b "${online[@]}" --to "$(public nurse_b)"
no_rewrap "no emergency access" org_a "${online[@]}" --to "$(public doctor_b)"
rewrap org_a "${online[@]}" --to "$(public nurse_b)" || fail "$(cat "$scratch/rewrapped")"
opens nurse_b "$scratch/r.syenvelope" || fail "$(cat "$scratch/opened")"
cmp "$scratch/altered.json" "$scratch/content" || fail "another content comes out"
opens wallet "$scratch/r.syenvelope" || fail "the patient is shut out"

echo "with the ledger out of reach a signed entry will do, for an hour"
for who in nurse_b doctor_b; do
    "$bin/systole" get "${on[@]}" --key "$keys/doctor_a.pem" \
        --proof "$scratch/$who.syproof" credential "$(public "$who")" >/dev/null
done
entry() { # ID SIGNER FILE [ARGUMENT...]: signed, not sent
    local arguments=("${@:4}") name
    # shellcheck disable=SC2046
    for name in $(break_glass "$1"); do arguments+=(--field "$name"); done
    "$bin/systole" tx make "${on[@]}" --key "$keys/$2.pem" --read-key "$regulator" \
        --valid-until $(($(date +%s) * 1000 + 14400000)) --field reason="danger to life" \
        "${arguments[@]}" --out "$3" access.breakglass >/dev/null
    "$bin/systole" tx sign "${on[@]}" "$3" --key "$keys/$2.pem" >/dev/null
}
offline() { # ENTRY WHO: as arguments
    echo "--genesis $net/genesis.json --entry $1 --credential $scratch/$2.syproof" \
        "--pending $pending"
}
entry "$(random_id)" nurse_b "$scratch/entry"
entry "$(random_id)" doctor_b "$scratch/entry_doctor"
# shellcheck disable=SC2046
no_rewrap "not the credential of who signed" org_a $(offline "$scratch/entry" doctor_b)
# shellcheck disable=SC2046
no_rewrap "does not let its holder" org_a $(offline "$scratch/entry_doctor" doctor_b)
# shellcheck disable=SC2046
no_rewrap "not valid for another hour" org_a $(offline "$scratch/draft" nurse_b)
# shellcheck disable=SC2046
no_rewrap "no access.breakglass" org_a $(offline "$scratch/other_kind" nurse_b)
[ ! -e "$pending" ] || fail "a refused entry is kept"
# shellcheck disable=SC2046
rewrap org_a $(offline "$scratch/entry" nurse_b) || fail "$(cat "$scratch/rewrapped")"
opens nurse_b "$scratch/r.syenvelope" || fail "$(cat "$scratch/opened")"
kept() { # WANTED-EXIT WORDS ARGUMENT...
    local wanted=$1 words=$2 code=0
    shift 2
    "$bin/systole" rewrap --pending "$pending" "${on[@]}" "$@" >"$scratch/kept" 2>&1 || code=$?
    [ "$code" -eq "$wanted" ] || fail "rewrap $*: exit code $code: $(cat "$scratch/kept")"
    grep -q "$words" "$scratch/kept" || fail "no '$words' in: $(cat "$scratch/kept")"
}
kept 0 ": waiting, due" --list
kept 0 ": sent, due" --submit
kept 0 '"entries": \[\]' --list --json
# shellcheck disable=SC2046
no_rewrap "has that entry already" org_a $(offline "$scratch/entry" nurse_b)
[ ! -e "$pending/log" ] || fail "an alarm without cause: $(cat "$pending/log")"

echo "an entry that comes late, or has no right to be, is an alarm"
entry "$broken" nurse_b "$scratch/entry_taken"
nonce=$("$bin/systole" tx show "$scratch/entry_taken" | field nonce) # that one is not used yet
entry "$(random_id)" nurse_b "$scratch/entry_late" --nonce $((nonce + 1))
for file in entry_taken entry_late; do
    # shellcheck disable=SC2046
    rewrap org_a $(offline "$scratch/$file" nurse_b) || fail "$(cat "$scratch/rewrapped")"
done
for file in "$pending"/*.json; do
    body=$(tr -d '\n ' <"$file" | sed 's/.*"body":"\([0-9a-f]*\)".*/\1/')
    grep -q "$body" "$scratch/entry_late" && sed -i 's/"due_ms":[0-9]*/"due_ms":1000/' "$file"
done
kept 1 ": late, due" --list
grep -q '"what":"late"' "$pending/log" || fail "no alarm in the log: $(cat "$pending/log")"
# shellcheck disable=SC2046
no_rewrap "should have been submitted" org_a $(offline "$scratch/entry_late" nurse_b)
kept 1 ": sent late, due" --submit
grep -q ": refused, due" "$scratch/kept" || fail "$(cat "$scratch/kept")"
grep -q '"what":"refused"' "$pending/log" || fail "no alarm in the log: $(cat "$pending/log")"
kept 0 '"entries": \[\]' --submit --json

echo "the record of somebody unknown is opened to whoever names the patient that it was"
doe=$(random_id)
doe_record=$(random_id)
cp "$scratch/kept.syenvelope" "$scratch/patients.syenvelope"
doe_proof() { # FILE
    "$bin/systole" get "${on[@]}" --key "$keys/doctor_a.pem" --proof "$scratch/$1" patient \
        "$doe" >/dev/null
}
applied patient.enrol admin_a - - patient_id="$doe" guardian_needed=0 guardians=
printf '{"resourceType":"Observation","valueQuantity":{"value":9}}' >"$scratch/doe.json"
# shellcheck disable=SC2046
applied record.create doctor_a - - record_id="$doe_record" subject_kind=patient subject="$doe" \
    class=Observation author_role=doctor patient_reported=false parents= \
    $(commitment "$scratch/doe.json")
share "$doe_record" "$scratch/doe.json" --salt "$(cat "$scratch/salt")" \
    --to "$(cat "$scratch/org_a")" || fail "$(cat "$scratch/shared")"
cp "$scratch/e.syenvelope" "$scratch/kept.syenvelope"
doe_proof doe_before.syproof
applied patient.merge admin_a wallet - patient_id="$doe" into_id="$patient" \
    evidence_hash="$(random_id)"
doe_proof doe.syproof
entry "$(random_id)" nurse_b "$scratch/entry_doe"
named=$(offline "$scratch/entry_doe" nurse_b)
# shellcheck disable=SC2086
no_rewrap "about another patient" org_a $named
# shellcheck disable=SC2086
no_rewrap "not about the record's patient" org_a $named --patient "$scratch/nurse_b.syproof"
# shellcheck disable=SC2086
no_rewrap "does not show" org_a $named --patient "$scratch/doe_before.syproof"
# shellcheck disable=SC2086
rewrap org_a $named --patient "$scratch/doe.syproof" || fail "$(cat "$scratch/rewrapped")"
opens nurse_b "$scratch/r.syenvelope" || fail "$(cat "$scratch/opened")"
cmp "$scratch/doe.json" "$scratch/content" || fail "another content comes out"
mv "$scratch/patients.syenvelope" "$scratch/kept.syenvelope"

echo "a health card is anchored, and whoever is shown it may ask"
new_key reader
applied cred.issue next_admin_b - reader subject_key="$(public reader)" role=nurse specialty= \
    org_id="$(cat "$scratch/org_b")" scope= x25519_key="$(box org_b)" not_before=now \
    not_after="$until"
"$bin/systole" keygen --p256 --out "$keys/card.pem" >/dev/null 2>&1
"$bin/systole" card jwks "$keys/card.pem" --out "$scratch/jwks.json"
printf '{"resourceType":"Bundle","type":"collection","entry":[]}' >"$scratch/bundle.json"
card() { # INDEX: issue one, as fields of cert.issue
    "$bin/systole" card issue "$scratch/bundle.json" --card-key "$keys/card.pem" \
        --issuer https://hospital.example/cards --revocation-index "$1" --json \
        --out "$scratch/card" >"$scratch/issued"
    echo "patient_id=$patient kind=immunisation revocation_index=$1" \
        "jws_hash=$(field jws_hash <"$scratch/issued")" \
        "key_id=$(field key_id <"$scratch/issued")"
}
check_card() {
    "$bin/systole" card check "$scratch/card" --jwks "$scratch/jwks.json" "${on[@]}" \
        --key "$keys/reader.pem" --organisation "$(cat "$scratch/org_a")" >"$scratch/checked" 2>&1
}
fields=$(card 1)
check_card && fail "a card that nobody anchored is anchored"
grep -q "did not anchor" "$scratch/checked" || fail "$(cat "$scratch/checked")"
# shellcheck disable=SC2086
refused E_NO_CARE cert.issue doctor_b - - $fields
# shellcheck disable=SC2086
applied cert.issue doctor_a - - $fields
check_card || fail "$(cat "$scratch/checked")"
grep -q "^valid" "$scratch/checked" || fail "$(cat "$scratch/checked")"
# shellcheck disable=SC2086
refused E_CERT_EXISTS cert.issue doctor_a - - $fields
revoke_card() { # ORGANISATION: the card issued last
    "$bin/systole" card revoke "$(field jws_hash <"$scratch/issued")" "${on[@]}" \
        --crl "$scratch/crl.json" --key "$keys/reader.pem" --organisation "$1" \
        >"$scratch/revoked" 2>&1
}
revoke_card "$(cat "$scratch/org_b")" && fail "another organisation's card is taken back"
[ ! -e "$scratch/crl.json" ] || fail "a list of nothing"
revoke_card "$(cat "$scratch/org_a")" || fail "$(cat "$scratch/revoked")"
grep -q "1 added, 1 in all, crlVersion 1" "$scratch/revoked" || fail "$(cat "$scratch/revoked")"
revoke_card "$(cat "$scratch/org_a")" || fail "$(cat "$scratch/revoked")"
grep -q "0 added, 1 in all, crlVersion 1" "$scratch/revoked" || fail "$(cat "$scratch/revoked")"
"$bin/systole" card check "$scratch/card" --jwks "$scratch/jwks.json" \
    --crl "$scratch/crl.json" >"$scratch/checked" 2>&1 && fail "what was taken back holds"
grep -q "revoked" "$scratch/checked" || fail "$(cat "$scratch/checked")"
# shellcheck disable=SC2046
refused E_CERT_INDEX cert.issue doctor_a - - $(card 1)

echo "a record is handed over, and its new custodian opens what is sealed"
applied consent.grant wallet - - consent_id="$(random_id)" patient_id="$patient" classes= labels= \
    actions=read,write purposes=treatment from=0 until="$until" grantee_kind=organisation \
    grantee="$(cat "$scratch/org_b")"
hand_over() { # WORDS COMMIT: by both admins
    # shellcheck disable=SC2086
    $1 custody.move admin_a next_admin_b - record_id="$record" version=2 commit="$2" \
        org_id="$(cat "$scratch/org_b")"
}
opens wallet "$scratch/kept.syenvelope" || fail "$(cat "$scratch/opened")"
made=$("$bin/systole" record commit "$scratch/content" --salt "$salt" --json | field commit)
hand_over "refused E_CONTENT" "$(random_id)"
refused E_NOT_CUSTODIAN custody.move next_admin_b - - record_id="$record" version=2 commit="$made" \
    org_id="$(cat "$scratch/org_b")"
hand_over applied "$made"
share "$record" "$scratch/altered.json" --salt "$salt" --to "$patient" ||
    fail "$(cat "$scratch/shared")"
grep -q "custodian $(cat "$scratch/org_b")" "$scratch/shared" || fail "$(cat "$scratch/shared")"
opens org_b || fail "the new custodian's key does not open it"
no_open "not sealed to this key" org_a
hand_over "refused E_CUSTODY" "$made"

echo "what was erased is not rewrapped for an emergency"
rewrap org_a "${online[@]}" --to "$(public nurse_b)" || fail "$(cat "$scratch/rewrapped")"
applied consent.grant wallet - - consent_id="$(random_id)" patient_id="$patient" classes= labels= \
    actions=read purposes=treatment,operations from=0 until="$until" grantee_kind=organisation \
    grantee="$(cat "$scratch/org_b")"
"$bin/systole" record erase "${on[@]}" --key "$keys/next_admin_b.pem" --cosign "$keys/wallet.pem" \
    --basis unlawful "$record" >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
no_rewrap "was erased" org_a "${online[@]}" --to "$(public nurse_b)"

echo "what was imported is shared from the client's own store"
"$bin/systole" submit --net "$net" "$SYSTOLE_SOURCE/tests/data" >"$scratch/submitted" 2>&1 ||
    fail "$(tail -n 5 "$scratch/submitted")"
bundle=$SYSTOLE_SOURCE/tests/data/fhir/2-castellano.json
"$bin/systole" record verify "${on[@]}" --key "$regulator" --json "$bundle" >"$scratch/known" ||
    true
imported=$(tr -d '\n' <"$scratch/known" |
    grep -o '"resource": *"Observation[^}]*"registered"[^}]*' | sed -n 1p | field record)
[ -n "$imported" ] || fail "no Observation in $bundle: $(head -c 600 "$scratch/known")"
"$bin/systole" get "${on[@]}" --key "$regulator" --json record "$imported" >"$scratch/got"
holder=$(tr -d '\n' <"$scratch/got" | field holder)
"$bin/systole" share "${on[@]}" --key "$regulator" --out "$scratch/i.syenvelope" --to "$holder" \
    "$imported" "$bundle" >"$scratch/shared" 2>&1 || fail "$(cat "$scratch/shared")"
grep -q "organisation $holder" "$scratch/shared" || fail "$(cat "$scratch/shared")"
no_open "not sealed to this key" wallet "$scratch/i.syenvelope"

echo "no store has any of it"
stop_all
if grep -r -a -q "valueQuantity" "$net"/v*/data; then fail "content is on the ledger"; fi
