#!/usr/bin/env bash
# A whole record goes to another network, by the commands of README.md "To another network": it is
# asked for, handed over, checked without the network that it comes from, and anchored in the other;
# what is left out of it, altered or another's is told. About half a minute.
# ctest: network plain slow timeout=900
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/export.XXXXXX")
net=$scratch/from
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

# register NAME: an organisation, its admin and its gateway
register() {
    new_key "admin_$1"
    new_key "gateway_$1"
    random_id >"$scratch/org_$1"
    applied org.register regulator "admin_$1" "admin_$1" org_id="$(cat "$scratch/org_$1")" \
        kind=hospital name_hash="$(random_id)" admin_key="$(public "admin_$1")" \
        x25519_key="$(public "admin_$1")" endpoints= gs1_prefixes=
    applied cred.issue "admin_$1" - "gateway_$1" subject_key="$(public "gateway_$1")" \
        role=gateway specialty= org_id="$(cat "$scratch/org_$1")" scope= \
        x25519_key="$(public "gateway_$1")" not_before=now \
        not_after=$(($(date +%s) * 1000 + 86400000))
}
# record NAME ORG [FIELD]: a record of the patient's, its content NAME.json
record() {
    random_id >"$scratch/$1.id"
    printf '{"resourceType":"Observation","id":"%s","value":7.10}' "$1" >"$scratch/$1.json"
    "$bin/systole" record commit --json "$scratch/$1.json" >"$scratch/$1.made"
    field salt <"$scratch/$1.made" >"$scratch/$1.salt"
    applied record.create "gateway_$2" - - record_id="$(cat "$scratch/$1.id")" \
        subject_kind=patient subject="$patient" class=Observation form=raw \
        commit="$(field commit <"$scratch/$1.made")" size="$(field size <"$scratch/$1.made")" \
        author_role=gateway patient_reported=false parents= ${3+"$3"}
}
# amended NAME OF BRANCH [VERSION]: another content NAME.json of the record OF, from its first
# version or this one
amended() {
    cp "$scratch/$2.id" "$scratch/$1.id"
    printf '{"resourceType":"Observation","id":"%s","value":8.20}' "$1" >"$scratch/$1.json"
    "$bin/systole" record commit --json "$scratch/$1.json" >"$scratch/$1.made"
    field salt <"$scratch/$1.made" >"$scratch/$1.salt"
    applied record.amend gateway_a - - record_id="$(cat "$scratch/$1.id")" prev_version="${4-1}" \
        form=raw commit="$(field commit <"$scratch/$1.made")" \
        size="$(field size <"$scratch/$1.made")" author_role=gateway reason=correction branch="$3"
}
# joined NAME OF HEADS: one content NAME.json in the place of these heads of OF
joined() {
    cp "$scratch/$2.id" "$scratch/$1.id"
    printf '{"resourceType":"Observation","id":"%s","value":9.30}' "$1" >"$scratch/$1.json"
    "$bin/systole" record commit --json "$scratch/$1.json" >"$scratch/$1.made"
    field salt <"$scratch/$1.made" >"$scratch/$1.salt"
    applied record.merge gateway_a - - record_id="$(cat "$scratch/$1.id")" heads="$3" \
        form=raw commit="$(field commit <"$scratch/$1.made")" \
        size="$(field size <"$scratch/$1.made")" author_role=gateway \
        resolution_hash="$(random_id)"
}
# given NAME...: as options of the export
given() {
    local name
    for name in "$@"; do
        echo "--content $(cat "$scratch/$name.id"):$(cat "$scratch/$name.salt"):$scratch/$name.json"
    done
}
# exported NAME...: the contents that are given, read by $who; it says: $scratch/fulfil and said
exported() {
    # shellcheck disable=SC2046
    "$bin/systole" export --net "$net" --key "$keys/$who.pem" --request "$export" \
        --out "$scratch/folder" $(given "$@") "$patient" >"$scratch/fulfil" 2>"$scratch/said"
}
# requested: an export to the key of the box, by the patient
requested() {
    export=$(random_id)
    applied export.request wallet - - export_id="$export" patient_id="$patient" \
        org_id="$(cat "$scratch/org_a")" recipient_key="$(cat "$keys/box")" \
        due=$(($(date +%s) * 1000 + 86400000))
}
# fulfilled: the ledger is told of what was exported, and proves it
fulfilled() {
    # shellcheck disable=SC2086
    applied export.fulfil gateway_a - - $fields
    "$bin/systole" get --net "$net" --key "$keys/wallet.pem" \
        --proof "$scratch/folder/proofs/export.syproof" export "$export" |
        grep -q '"fulfilled": true' || fail "it is not fulfilled"
}
# checked [ARGUMENT...]: offline
checked() {
    "$bin/systole" export verify --genesis "$scratch/from.json" "$@" "$scratch/folder" \
        >"$scratch/said" 2>&1
}
not_whole() { # WORDS ARGUMENT...
    local words=$1
    shift
    checked "$@" && fail "whole: $(cat "$scratch/said")"
    grep -q "$words" "$scratch/said" || fail "no '$words' in $(cat "$scratch/said")"
}

begin

echo "two hospitals, seven records, one of them erased, one retracted, two kept by the other"
register a
register b
new_key wallet
patient=$(random_id)
applied patient.enrol admin_a wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=0 guardians=
applied care.open gateway_b wallet - care_id="$(random_id)" patient_id="$patient" \
    org_id="$(cat "$scratch/org_b")" reason="agreed with the patient"
record one a
record two a sens_tag=5a010203040506070809101112131415
amended left one false
amended right one true
new_key doctor_a
applied cred.issue admin_a - doctor_a subject_key="$(public doctor_a)" role=doctor specialty= \
    org_id="$(cat "$scratch/org_a")" scope= x25519_key="$(public doctor_a)" not_before=now \
    not_after=$(($(date +%s) * 1000 + 86400000))
applied record.cosign doctor_a - - record_id="$(cat "$scratch/one.id")" version=2 meaning=verifier
sibling=$(random_id)
applied patient.enrol admin_a - - patient_id="$sibling" guardian_needed=0 guardians=
applied patient.link admin_a wallet - patient_id="$sibling" other_id="$patient" \
    evidence_hash="$(random_id)"
record gone a
record theirs b
applied record.dup_report gateway_a - - record_id="$(cat "$scratch/one.id")" \
    other_id="$(cat "$scratch/two.id")"
record fork a
amended prong fork false
amended tine fork true
# As many heads as may be, two of which are joined, and one more: without the join that is too many.
record many a
amended many_2 many false
for i in 3 4 5 6 7 8 9; do amended "many_$i" many true; done
joined many_10 many 2,3
amended many_11 many true
many="many many_2 many_3 many_4 many_5 many_6 many_7 many_8 many_9 many_10 many_11"
applied record.retract gateway_a - - record_id="$(cat "$scratch/two.id")" reason="wrong patient"
record hidden b sens_tag=5a010203040506070809101112131415
applied record.erase admin_a wallet - record_id="$(cat "$scratch/gone.id")" basis=unlawful

echo "the patient sees all of them, and that there are no others; others see how many they do not"
"$bin/systole" record list --net "$net" --key "$keys/wallet.pem" "$patient" >"$scratch/list" ||
    fail "$(cat "$scratch/list")"
grep -q "7 shown, 0 withheld, of 7 records" "$scratch/list" || fail "$(cat "$scratch/list")"
grep -q "$(cat "$scratch/gone.id")  erased" "$scratch/list" || fail "$(cat "$scratch/list")"
"$bin/systole" record list --net "$net" --key "$keys/wallet.pem" --skip 1 --limit 2 "$patient" |
    grep -q "2 shown, 0 withheld, of 7" || fail "pages"
"$bin/systole" record list --net "$net" --key "$keys/gateway_b.pem" "$patient" >"$scratch/list" ||
    fail "$(cat "$scratch/list")"
grep -q "6 shown, 1 withheld, of 7 records" "$scratch/list" || fail "$(cat "$scratch/list")"
grep -q "$(cat "$scratch/two.id")  withheld" "$scratch/list" || fail "$(cat "$scratch/list")"

halfway

echo "an export that is not whole is none"
"$bin/systole" keygen --x25519 --json --out "$keys/box.pem" | field public_key >"$keys/box"
requested
"$bin/systole" get --net "$net" --key "$keys/wallet.pem" export "$export" |
    grep -q '"overdue": false' || fail "the export's status"
who=wallet
# shellcheck disable=SC2086
exported one left two prong tine $many && fail "it is whole without one of two heads"
grep -q "missing: version 3 of record $(cat "$scratch/one.id")" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
# shellcheck disable=SC2086
exported one left right prong tine $many && fail "it is whole without its second record"
grep -q "missing: version 1 of record $(cat "$scratch/two.id")" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
[ ! -e "$scratch/folder/manifest.syexport" ] || fail "what is not whole has a manifest"
who=gateway_a
rm -r "$scratch/folder"
# shellcheck disable=SC2086
exported one left right two prong tine $many || fail "$(cat "$scratch/said")"
grep -q "7 records, 4 of them here with 17 contents, 1 erased, 2 kept" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
grep -q -r -a "Observation" "$scratch/folder/contents" "$scratch/folder/histories" &&
    fail "a folder tells what is in it"

cp "$net/genesis.json" "$scratch/from.json"
not_whole "nothing proves why" # one that its gateway may not see

echo "the ledger is told, and refuses less"
# shellcheck disable=SC2013
fields=$(grep -o 'field [^ ]*' "$scratch/fulfil" | sed 's/^field //')
# shellcheck disable=SC2086
refused E_INCOMPLETE export.fulfil gateway_a - - ${fields/included=4/included=3}
fulfilled

echo "later there is more of the same records, and another export"
mv "$scratch/folder" "$scratch/first"
amended left_2 one false 2
amended twig fork true
requested
# shellcheck disable=SC2086
exported one left right left_2 two fork prong tine twig $many || fail "$(cat "$scratch/said")"
# shellcheck disable=SC2013
fields=$(grep -o 'field [^ ]*' "$scratch/fulfil" | sed 's/^field //')
fulfilled
mv "$scratch/folder" "$scratch/second"
mv "$scratch/first" "$scratch/folder"

echo "the network it comes from stops; the folder is checked without it"
stop_all
rm -rf "$net"
checked --x25519-key "$keys/box.pem" || fail "$(cat "$scratch/said")"
grep -q "whole as of block [0-9]*: 7 records, 4 here (17 envelopes opened), 1 erased, 2 kept" \
    "$scratch/said" || fail "$(cat "$scratch/said")"
grep -q "1 of them by whom the folder does not say" "$scratch/said" || fail "$(cat "$scratch/said")"
grep -q "in histories: 18 versions, 1 cosignatures, 2 links; 3 records with several heads" \
    "$scratch/said" || fail "$(cat "$scratch/said")"
grep -q "linked to patient $sibling" "$scratch/said" || fail "$(cat "$scratch/said")"
grep -q "is kept by $(cat "$scratch/org_b")" "$scratch/said" || fail "$(cat "$scratch/said")"
grep -q "told of it, in time" "$scratch/said" || fail "$(cat "$scratch/said")"
history=$scratch/folder/histories/$(cat "$scratch/one.id").syhistory
cp "$history" "$scratch/kept"
printf x >>"$history"
not_whole "its history was changed" # without the key, too
not_whole "its history was changed" --x25519-key "$keys/box.pem"
cp "$scratch/folder/histories/$(cat "$scratch/two.id").syhistory" "$history"
not_whole "its history was changed"
rm "$history"
not_whole "its history is missing"
cp "$scratch/kept" "$history"
envelope=$scratch/folder/contents/$(cat "$scratch/two.id")-1.syenvelope
cp "$envelope" "$scratch/kept"
printf x >>"$envelope"
not_whole "its envelope was changed"
rm "$envelope"
not_whole "its envelope is missing"
cp "$scratch/kept" "$envelope"
mv "$scratch/folder/proofs/$patient-2.syproof" "$scratch/kept"
not_whole "$patient-2.syproof is missing"
cp "$scratch/folder/proofs/$patient-1.syproof" "$scratch/folder/proofs/$patient-2.syproof"
not_whole "is about something else"
mv "$scratch/kept" "$scratch/folder/proofs/$patient-2.syproof"

echo "it is anchored in the other network, once"
net=$scratch/to
regulator=$net/keys/regulator-0.pem
on=(--net "$net")
begin
register c
here=$(random_id)
new_key here
applied patient.enrol admin_c here here patient_id="$here" wallet_key="$(public here)" \
    guardian_needed=0 guardians=
import() {
    "$bin/systole" import --net "$net" --key "$keys/gateway_c.pem" --patient "$here" \
        --source-genesis "$scratch/from.json" --x25519-key "$keys/box.pem" "$scratch/folder" \
        >"$scratch/said" 2>&1
}
import || fail "$(cat "$scratch/said")"
grep -q "Observation  *17 read, 16 accepted, 0 duplicate, 1 rejected" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
left="1 cosignatures, 1 versions .* 1 joins .* 2 links .* 1 linked patients"
grep -q "left out, .*: $left; 1 versions beyond .*; 1 branches" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
import || fail "$(cat "$scratch/said")"
grep -q "Observation  *17 read, 0 accepted, 16 duplicate, 1 rejected" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
grep -q "Provenance  *1 read, 0 accepted, 1 duplicate" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
"$bin/systole" record list --net "$net" --key "$keys/here.pem" --places "$here" >"$scratch/list"
map=$(sed -n 's/  id map$//p' "$scratch/list")
"$bin/systole" get --net "$net" --key "$keys/here.pem" id-map "$map" | grep -q "$here" ||
    fail "the id map: $(cat "$scratch/list")"
grep -q "6 shown, 0 withheld, of 6 records" "$scratch/list" || fail "$(cat "$scratch/list")"
grep -q "$(cat "$scratch/one.id")" "$scratch/folder/lineage.json" || fail "no lineage"
grep -q "$(public doctor_a)" "$scratch/folder/lineage.json" || fail "no cosigner in the lineage"
grep -q "$sibling" "$scratch/folder/lineage.json" || fail "no linked patient in the lineage"
# there NAME: the record here that was one of that name there; several: one a line
there() {
    tr '{' '\n' <"$scratch/folder/lineage.json" |
        grep "\"source_record\":\"$(cat "$scratch/$1.id")" |
        sed -n 's/.*"record":"\([0-9a-f]*\)".*/\1/p' | sort -u
}
there=$(there one)
"$bin/systole" record history --net "$net" --key "$keys/here.pem" "$there" >"$scratch/history" ||
    fail "$(cat "$scratch/history")"
[ "$(grep -c "(head), amends 1" "$scratch/history")" = 2 ] ||
    fail "there are not two heads: $(cat "$scratch/history")"
"$bin/systole" get --net "$net" --key "$keys/here.pem" record "$(there two)" >"$scratch/got"
grep -q '"retract_reason": "wrong patient"' "$scratch/got" ||
    fail "what was retracted lives: $(cat "$scratch/got")"
grep -q '"source_retracted":"wrong patient"' "$scratch/folder/lineage.json" ||
    fail "the lineage does not say that it was retracted"
[ "$(there fork | wc -l)" = 2 ] || fail "one head took the place of another"
for each in $(there fork) "$there"; do
    "$bin/systole" get --net "$net" --key "$keys/here.pem" record "$each" >"$scratch/got"
    grep -q '"retracted": false' "$scratch/got" || fail "what was not is retracted"
done
echo "what another export brings is added; what it superseded there is left out and told"
rm -r "$scratch/folder"
mv "$scratch/second" "$scratch/folder"
import || fail "$(cat "$scratch/said")"
grep -q "Observation  *20 read, 2 accepted, 16 duplicate, 1 rejected" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
grep -q "1 versions came late, .*; of 0 the record was erased" "$scratch/said" ||
    fail "$(cat "$scratch/said")"
[ "$(there one)" = "$there" ] || fail "the record is another one: $(there one)"
"$bin/systole" record history --net "$net" --key "$keys/here.pem" "$there" >"$scratch/history" ||
    fail "$(cat "$scratch/history")"
[ "$(grep -c "(head), amends 2" "$scratch/history")" = 1 ] ||
    fail "nothing was added to what came before: $(cat "$scratch/history")"
[ "$(there fork | wc -l)" = 3 ] || fail "a twig without its branch: $(there fork)"
import || fail "$(cat "$scratch/said")"
grep -q "Observation  *20 read, 0 accepted, 18 duplicate, 1 rejected" "$scratch/said" ||
    fail "$(cat "$scratch/said")"

printf x >>"$scratch/folder/contents/$(cat "$scratch/two.id")-1.syenvelope"
import && fail "what was changed is imported"
grep -q "is not whole" "$scratch/said" || fail "$(cat "$scratch/said")"
echo "done"
