#!/usr/bin/env bash
# Records on real validators, by the commands of README.md "Versions, branches, erasure": a byte is
# altered and told; two hospitals amend one record at once, both branches stay, a merge joins them
# and nothing is lost; then records are erased, and no salt is left in the client's store, its free
# pages, the validators' stores or logs, whatever the bytes it would stand in are taken for.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/records.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

# content NAME TEXT: a file, its salt and what the ledger is told of it.
content() {
    printf '%s' "$2" >"$scratch/$1.json"
    "$bin/systole" record commit --json "$scratch/$1.json" >"$scratch/$1.made"
    field salt <"$scratch/$1.made" >"$scratch/$1.salt"
}
made() { # NAME: as fields
    echo "form=raw commit=$(field commit <"$scratch/$1.made")"
    echo "size=$(field size <"$scratch/$1.made")"
}
# says NAME WORDS...: what verify says of the file, as content of the record
says() {
    local name=$1 word
    shift
    "$bin/systole" record verify --net "$net" --key "$keys/doctor_a.pem" --record "$record" \
        --salt "$(cat "$scratch/$name.salt")" "$scratch/$name.json" >"$scratch/said" 2>&1 || true
    for word in "$@"; do
        grep -q "$word" "$scratch/said" || fail "$name: no '$word' in $(cat "$scratch/said")"
    done
}
history() { # KEY WORDS...
    local key=$1 word
    shift
    "$bin/systole" record history --net "$net" --key "$keys/$key.pem" "$record" \
        >"$scratch/history" 2>&1 || fail "no history: $(cat "$scratch/history")"
    for word in "$@"; do
        grep -q "$word" "$scratch/history" ||
            fail "history: no '$word' in $(cat "$scratch/history")"
    done
}
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

begin

echo "what is imported is told from what was altered"
cat >"$scratch/in.ndjson" <<'END'
{"resourceType":"Organization","id":"org1","name":"North"}
{"resourceType":"Patient","id":"p1","managingOrganization":{"reference":"Organization/org1"}}
{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/p1"},"n":1}
{"resourceType":"Observation","id":"o2","status":"final","subject":{"reference":"Patient/p1"},"n":2}
END
"$bin/systole" submit --net "$net" "$scratch/in.ndjson" >"$scratch/out" 2>&1 ||
    fail "the import: $(cat "$scratch/out")"
verify() { # NAME RESULT [WORDS]
    "$bin/systole" record verify --net "$net" "$scratch/$1" >"$scratch/said" 2>&1 || true
    grep -q ": $2" "$scratch/said" && grep -q "${3:-$2}" "$scratch/said" ||
        fail "$1 is not told as $2 ${3:-}: $(cat "$scratch/said")"
}
sed -n 3p "$scratch/in.ndjson" >"$scratch/o1.ndjson"
sed -n 4p "$scratch/in.ndjson" >"$scratch/o2.ndjson"
sed 's/"n":1/"n":3/' "$scratch/o1.ndjson" >"$scratch/altered.ndjson"
verify o1.ndjson registered "version 1"
verify altered.ndjson altered "newest is version 1, registered by gateway [0-9a-f]* of"
sed 's/"final"/"amended"/' "$scratch/o1.ndjson" >"$scratch/second.ndjson"
"$bin/systole" submit --net "$net" "$scratch/second.ndjson" >"$scratch/out" 2>&1 || fail "amending"
read -r tag seen <"$net/client.seen"
grep -q " height $seen\$" "$scratch/out" ||
    fail "whoever reads next knows of $seen: $tag: $(cat "$scratch/out")"
verify o1.ndjson "older version 1 of 2"
verify second.ndjson registered "version 2"
verify altered.ndjson altered "newest is version 2"

echo "two hospitals amend at once: both branches stay"
register a
register b
new_key wallet
patient=$(random_id)
applied patient.enrol admin_a wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=0 guardians=
record=$(random_id)
for name in first branch_a branch_b stale joined; do content "$name" "{\"text\":\"$name\"}"; done
content note '{"text":"a note of the other hospital"}'
# shellcheck disable=SC2046 # each word of `made` is a field
applied record.create doctor_a - - record_id="$record" subject_kind=patient subject="$patient" \
    class=Observation $(made first) author_role=doctor patient_reported=false parents=
applied consent.grant wallet - - consent_id="$(random_id)" patient_id="$patient" \
    grantee_kind=organisation grantee="$(cat "$scratch/org_b")" actions=read,write \
    purposes=treatment,operations classes= labels= from=0 \
    until=$(($(date +%s) * 1000 + 86400000))
for side in a b; do
    # shellcheck disable=SC2046
    draft "$scratch/draft_$side" record.amend doctor_$side - - record_id="$record" prev_version=1 \
        $(made branch_$side) author_role=doctor reason=addition branch=true
done
"$bin/systole" tx send --net "$net" "$scratch/draft_a" >"$scratch/sent_a" 2>&1 &
one=$!
"$bin/systole" tx send --net "$net" "$scratch/draft_b" >"$scratch/sent_b" 2>&1 ||
    fail "b's branch: $(cat "$scratch/sent_b")"
wait $one || fail "a's branch: $(cat "$scratch/sent_a")"
says first "older version 1 of 3"
says branch_a ": registered, version [23]" "registered by doctor"
says branch_b ": registered, version [23]"
# shellcheck disable=SC2046 # who meant to go on from the first version is told that it is no head
refused E_STALE_HEAD record.amend doctor_a - - record_id="$record" prev_version=1 $(made stale) \
    author_role=doctor reason=addition branch=false
history wallet "^version 2 (head), amends 1" "^version 3 (head), amends 1" \
    "$(cat "$scratch/org_a")" "$(cat "$scratch/org_b")"

halfway

echo "a merge joins them, and nothing is lost or twice"
merge() { # CODE or applied, HEADS
    # shellcheck disable=SC2046,SC2086
    $1 record.merge doctor_a - - record_id="$record" heads="$2" $(made joined) \
        author_role=doctor resolution_hash="$(random_id)"
}
merge "refused E_STALE_HEAD" 1,2
merge applied 2,3
merge "refused E_STALE_HEAD" 2,3
says joined ": registered, version 4"
says branch_a "older version [23] of 4"
says branch_b "older version [23] of 4"
history wallet "^version 4 (head), joins 2 and 3" "^version 3, amends 1"
[ "$(grep -c "^version" "$scratch/history")" -eq 4 ] || fail "not 4 versions"
[ "$(grep -c "(head)" "$scratch/history")" -eq 1 ] || fail "not one head"

echo "others sign it, and make something of it"
applied record.cosign doctor_b - - record_id="$record" version=4 meaning=verifier
refused E_COSIGNED record.cosign doctor_b - - record_id="$record" version=4 meaning=legal
refused E_SELF_VERIFIED record.cosign doctor_a - - record_id="$record" version=4 meaning=verifier
note=$(random_id)
# shellcheck disable=SC2046
applied record.contribute doctor_b - - record_id="$note" patient_id="$patient" \
    class=DiagnosticReport $(made note) author_role=doctor patient_reported=false \
    relation=derived parents="$record"
twin=$(random_id)
# shellcheck disable=SC2046
applied record.create doctor_b - - record_id="$twin" subject_kind=patient subject="$patient" \
    class=Observation $(made stale) author_role=doctor patient_reported=false parents=
applied record.dup_report doctor_b - - record_id="$record" other_id="$twin"
history wallet "signed as verifier by doctor $(public doctor_b)" \
    "derived $note, DiagnosticReport held by $(cat "$scratch/org_b")" "duplicate $twin"
"$bin/systole" record history --net "$net" --key "$keys/wallet.pem" --json "$note" \
    >"$scratch/history" || fail "no history of the child"
grep -q "\"record\": *\"$record\"" "$scratch/history" ||
    fail "the child does not name its parent: $(cat "$scratch/history")"

echo "retention wins over consent; what is unlawful is erased"
erase() { # BASIS
    "$bin/systole" record erase --net "$net" --key "$keys/admin_a.pem" --basis "$1" \
        --cosign "$keys/wallet.pem" "$record" >"$scratch/sent" 2>&1
}
erase "consent withdrawn" && fail "a record is erased within its retention"
grep -q "E_RETENTION.*until 20[3-9]" "$scratch/sent" || fail "until when: $(cat "$scratch/sent")"
"$bin/systole" record erase --net "$net" --key "$keys/admin_a.pem" --local "$record" \
    >"$scratch/sent" 2>&1 && fail "--local destroys what the ledger keeps"
erase unlawful || fail "not erased: $(cat "$scratch/sent")"
for name in first branch_a branch_b joined; do says $name ": erased in block"; done
history wallet "^erased in block" "^version 4 (head), joins 2 and 3" "derived $note"
refused E_RECORD_ERASED record.cosign doctor_a - - record_id="$record" version=4 meaning=legal

echo "of what was imported no salt is left anywhere"
places=("$net/client" "$scratch/out")
for i in 0 1 2 3; do places+=("$net/v$i"); done
commit_of() { # RECORD VERSION
    "$bin/systole" get --net "$net" record "$1" --version "$2" --json |
        grep -o '"commit": *"[0-9a-f]*' | sed -n '1s/.*"//p'
}
scan() { # NAME: how often the salt of a file's commitment is found
    printf '%s' "$(cat "$scratch/$1.ndjson")" >"$scratch/bytes"
    "$bin/systole-salts" "$2" "$scratch/bytes" "${places[@]}" >"$scratch/scan" || [ $? -eq 1 ] ||
        fail "the scan: $(cat "$scratch/scan")"
    cut -d' ' -f1 <"$scratch/scan"
}
"$bin/systole" record verify --net "$net" --json "$scratch/o1.ndjson" >"$scratch/said" || true
imported=$(field record <"$scratch/said")
"$bin/systole" record verify --net "$net" --json "$scratch/o2.ndjson" >"$scratch/said" || true
other=$(field record <"$scratch/said")
first=$(commit_of "$imported" 1)
second=$(commit_of "$imported" 2)
third=$(commit_of "$other" 1)
[ "$(scan o1 "$first")" -eq 1 ] || fail "before, not in one place: $(cat "$scratch/scan")"
[ "$(scan second "$second")" -eq 1 ] || fail "before: $(cat "$scratch/scan")"
"$bin/systole" record erase --net "$net" --basis "legal duty" --cosign "$regulator" "$imported" \
    >"$scratch/sent" 2>&1 || fail "not erased: $(cat "$scratch/sent")"
grep -q "2 salts of it destroyed" "$scratch/sent" || fail "what: $(cat "$scratch/sent")"
verify o1.ndjson erased "legal duty"
verify altered.ndjson erased
"$bin/systole" submit --net "$net" "$scratch/second.ndjson" >"$scratch/out2" 2>&1 &&
    fail "what was erased is registered again"
grep -q "was erased" "$scratch/out2" || fail "the import does not say why: $(cat "$scratch/out2")"
verify o2.ndjson registered "version 1"
stop_all
[ "$(scan o1 "$first")" -eq 0 ] || fail "a salt is left: $(cat "$scratch/scan")"
[ "$(scan second "$second")" -eq 0 ] || fail "a salt is left: $(cat "$scratch/scan")"
echo "  $(cat "$scratch/scan")"
[ "$(scan o2 "$third")" -eq 1 ] || fail "another's salt is gone: $(cat "$scratch/scan")"

echo "every store replays to the same state"
for i in 0 1 2 3; do
    "$bin/systole" audit "$net/v$i" >"$scratch/audit" 2>&1 || fail "v$i: $(cat "$scratch/audit")"
done
