#!/usr/bin/env bash
# The research commons on real validators, by the commands of README.md "Research": two hospitals
# publish a data set of theirs, a researcher asks, who may approves, and the custodians answer with
# a table of 3, 12 and 40: what shows the 3 is refused, one table is not, and its difference to
# another one stays out of reach.
# ctest: network slow plain timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/research.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

register() { # NAME KIND
    new_key "$1"
    random_id >"$scratch/$1"
    applied org.register regulator "$1" "$1" org_id="$(cat "$scratch/$1")" kind="$2" \
        name_hash="$(random_id)" admin_key="$(public "$1")" x25519_key="$(public "$1")" \
        endpoints= gs1_prefixes=
}
issue() { # ADMIN NAME ROLE
    new_key "$2"
    applied cred.issue "$1" - "$2" subject_key="$(public "$2")" role="$3" specialty= \
        org_id="$(cat "$scratch/$1")" scope= x25519_key="$(public "$2")" not_before=now \
        not_after=$(($(date +%s) * 1000 + 86400000))
}
# show WHO WORDS...: what `get` says, proven, is in $scratch/shown
show() {
    local who=$1
    shift
    "$bin/systole" get --net "$net" --key "$keys/$who.pem" "$@" --json >"$scratch/shown" ||
        fail "get $*: $(cat "$scratch/shown")"
}
says() { # WORDS...
    local words
    for words in "$@"; do
        tr -d ' \n' <"$scratch/shown" | grep -q -e "$words" ||
            fail "no '$words' in $(cat "$scratch/shown")"
    done
}
# counts NUMBER...: as fields have them; "-" is hidden
counts() {
    local count
    for count in "$@"; do
        if [ "$count" = - ]; then
            printf ffffffff
        else
            printf '%02x%02x0000' $((count & 255)) $((count >> 8))
        fi
    done
}
# propose ID BUDGET AGES: asks how many of these ages have potassium measured, by age; fields in
# $query
propose() {
    query=(query_id="$1" datasets="$dataset" codes="LOINC|2823-3" phenotypes= variants= devices=
        ages="$3" rows="one for all" columns="age band" purpose=study ethics_ref="$vote"
        budget="$2")
}
# answer CELL CELL CELL: the table of three bands, whose totals are as told as they are; fields in
# $table
answer() {
    table=(query_id="$asked" k=11 optouts="$optouts" rows=all
        columns="18 to 29,30 to 39,40 to 49" cells="$(counts "$@")" row_totals="$(counts 55)"
        column_totals="$(counts "$@")" total=55)
}
# unmade CODE: the table in $table is not even made: what is refused could be read in its block
unmade() {
    local fields=() word
    for word in "${table[@]}"; do fields+=(--field "$word"); done
    if "$bin/systole" tx make --net "$net" --key "$keys/east.pem" "${fields[@]}" \
        --out "$scratch/draft" query.result >"$scratch/sent" 2>&1; then
        fail "the table is made: ${table[*]}"
    fi
    grep -q "$1, row" "$scratch/sent" || fail "no $1 in $(cat "$scratch/sent")"
}

begin

echo "two hospitals, an ethics board, a researcher, a patient"
register east hospital
register west hospital
register authority authority
register institute research
issue authority board "ethics board"
issue institute researcher researcher
issue east insider researcher
new_key wallet
patient=$(random_id)
applied patient.enrol east wallet wallet patient_id="$patient" wallet_key="$(public wallet)" \
    guardian_needed=0 guardians=

echo "a data set is published by both hospitals and the board"
dataset=$(random_id) root=$(random_id) vote=$(random_id) optouts=0
data=(dataset_id="$dataset" custodians="$(cat "$scratch/east"),$(cat "$scratch/west")" needed=2
    ethics="$(cat "$scratch/authority")" schema_commit="$(random_id)"
    counts_root="$(random_id)" record_root="$root" as_of=1 basis="who did not opt out"
    genetic=false wearable=true codes="LOINC|2823-3" phenotypes= devices=wearable
    ages="18 to 29,30 to 39,40 to 49" people="100 to 999")
refused E_CUSTODIANS dataset.publish east board - "${data[@]}"
refused E_ETHICS dataset.publish east west - "${data[@]}"
applied dataset.publish east west,board - "${data[@]}"
refused E_DATASET_EXISTS dataset.publish east west,board - "${data[@]}"
data[0]=dataset_id=$(random_id)
refused E_LINEAGE dataset.publish east west,board - "${data[@]}"
show researcher dataset-version "$dataset" --number 1
says "\"record_root\":\"$root\"" '"codes":\["LOINC|2823-3"\]' '"people":"100to999"'

echo "whoever looks for such data finds it"
found() { # CODE WORDS...: what `find dataset` says is in $scratch/found
    local code=$1 got=0
    shift
    "$bin/systole" find --net "$net" --validator v1 --key "$keys/researcher.pem" dataset "$@" \
        >"$scratch/found" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "find dataset $* ended with $got: $(cat "$scratch/found")"
}
indexed() { # OPTION: the index of a validator follows the blocks
    for _ in $(seq 50); do
        "$bin/systole" find --net "$net" --validator v1 --key "$keys/researcher.pem" dataset "$1" \
            >/dev/null 2>&1 && return
        sleep 0.2
    done
}
indexed --active
found 0 --active --code "LOINC|2823-3" --device wearable --ages "30 to 39" --wearable \
    --people "100 to 999"
grep -q "^$dataset version 1, 100 to 999 people, 1 codes, 0 phenotypes, wearable, active" \
    "$scratch/found" || fail "$(cat "$scratch/found")"
found 1 --code "LOINC|0000-0"
found 1 --phenotype HP:0001250
found 1 --genetic
found 1 --ages "0 to 17"
found 1 --device implant
found 1 --people "1,000 to 9,999"
found 1 --inactive
found 2 --ages "30"
found 2 --role doctor

echo "who asks does not decide"
asked=$(random_id)
propose "$asked" 3 ""
refused E_CONFLICT query.propose insider - - "${query[@]}"
applied query.propose researcher - - "${query[@]}"
applied query.approve board - - query_id="$asked"
applied query.approve east - - query_id="$asked"
answer - - 40
refused E_QUERY_STATE query.result east west - "${table[@]}"

echo "who opts out before the approval is in no answer"
applied contribute.optout wallet - - patient_id="$patient" classes= genetic=true
applied query.approve west - - query_id="$asked"
show researcher optouts current
says '"count":1'

halfway

echo "of 3, 12 and 40 nobody learns the 3"
answer 5 10 40
unmade E_SMALL_CELL
answer - 15 40
unmade E_RECOVERABLE
answer - - 42
unmade E_ROUNDING
answer - - 40
refused E_CUSTODIANS query.result east - - "${table[@]}"

refused E_OPTOUTS query.result east west - "${table[@]}"
optouts=1
answer - - 40
applied query.result east west - "${table[@]}"
refused E_QUERY_STATE query.result east west - "${table[@]}"
show wallet contribution "$patient" --purpose self
says '"in":false'
if "$bin/systole" get --net "$net" --key "$keys/researcher.pem" --purpose research contribution \
    "$patient" >/dev/null 2>&1; then
    fail "a researcher reads who contributes"
fi

echo "the answer is proven, with the records it came from and who approved"
for what in "dataset $dataset" "dataset-version $dataset --number 1" "query $asked" \
    "query-result $asked" "query-decision $asked --of $(cat "$scratch/west")" \
    "query-decision $asked --of $(cat "$scratch/authority")"; do
    # shellcheck disable=SC2086
    show researcher $what --proof "$scratch/proof.syproof"
    "$bin/systole" verify --genesis "$net/genesis.json" "$scratch/proof.syproof" >/dev/null ||
        fail "no proof of $what"
done
says '"approves":true'
show researcher query-result "$asked"
says '"cells":\[\[null,null,40\]\]' '"total":55' '"optouts":1'
show researcher query "$asked"
says '"status":"answered"' '"custodians_approved":2' '"ethics_board_approved":true'

echo "another table of the same people, whose difference would tell, is beyond the budget"
propose "$(random_id)" 3 ""
refused E_ASKED query.propose researcher - - "${query[@]}"
ages="18 to 29"
for band in "30 to 39" "40 to 49" "50 to 59" "60 to 69" "70 to 79" "80 and over"; do
    propose "$(random_id)" 128 "$ages"
    if ! apply query.propose researcher - - "${query[@]}"; then break; fi
    ages="$ages,$band"
done
grep -q E_BUDGET "$scratch/sent" || fail "there is no end to asking: $(cat "$scratch/sent")"

echo "a data set that is withdrawn is asked nothing"
applied dataset.withdraw board - - dataset_id="$dataset" reason="consent basis fell away"
indexed --inactive
found 0 --inactive
found 1 --active
propose "$(random_id)" 1 "80 and over"
refused E_DATASET_STATE query.propose researcher - - "${query[@]}"
stop_all
rm -rf "$scratch"
echo "research: asked, approved, answered, and nobody told"
