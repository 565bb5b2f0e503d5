#!/usr/bin/env bash
# Money on real validators, from an 837 to an 835: a line that `systole claims` makes is billed,
# decided by the plan, paid and taken back; `systole remit` proves and writes what the practice was
# paid, and `systole x12` finds that it balances.
# ctest: network slow timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/remit.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

day=86400000

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
        not_after=$(($(date +%s) * 1000 + day))
}
# remit CODE ARGUMENT...: what it says is in $scratch/remit
remit() {
    local code=$1 got=0
    shift
    "$bin/systole" remit --net "$net" --out "$scratch/835" "$@" "$(cat "$scratch/practice")" \
        >"$scratch/remit" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "remit $* ended with $got: $(cat "$scratch/remit")"
}
says() { # FILE WORDS...
    local file=$1 words
    shift
    for words in "$@"; do
        grep -q -e "$words" "$scratch/$file" || fail "no '$words' in $(cat "$scratch/$file")"
    done
}

begin

echo "a payer, a practice with a doctor, and a patient whom the payer covers"
register payer payer
register practice practice
issue payer clerk payer
issue practice doctor doctor
new_key wallet
patient=$(random_id)
plan=$(random_id)
coverage=$(random_id)
claim=$(random_id)
now=$(($(date +%s) * 1000))
applied patient.enrol practice wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=0 guardians=
applied plan.publish clerk - - plan_id="$plan" deductible=2000 copay_office=1000 \
    copay_emergency=0 copay_inpatient=0 copay_pharmacy=0 coinsurance_bp=1000 \
    out_of_pocket_max=100000 benefit_max=1000000 filing_days=365 dispute_days=30 fees_version=0 \
    pairs_version=0 units_version=0 exclusions_version=0 codes_version=0
applied coverage.add clerk - - coverage_id="$coverage" patient_id="$patient" plan_id="$plan" \
    from=$((now - day)) until=$((now + day)) order=1

echo "an 837 is billed, line by line as systole claims has it"
"$bin/systole" claims --lines "$SYSTOLE_SOURCE/tests/fuzz/corpus/bill/professional" \
    >"$scratch/claims" || fail "the 837 cannot be billed: $(cat "$scratch/claims")"
line=$(sed -n 's/^  \(1\/.*\)/\1/p' "$scratch/claims")
[ "$line" = "1/hc:99213:25/1/10000/11/AB" ] || fail "$line"
served=$(($(date +%s) * 1000 + 1000)) # whole seconds: the credential began within this one
while [ "$(date +%s)000" -le "$served" ]; do sleep 0.2; done
tag=$(random_id | cut -c 1-32)
other=$(random_id | cut -c 1-32)
applied claim.submit doctor - - claim_id="$claim" patient_id="$patient" coverage_id="$coverage" \
    rendering="$(public doctor)" class=office from="$served" until="$served" \
    diagnoses="$tag,$other" lines="$line" total=10000
remit 1 --key "$keys/practice.pem"
says remit "no remittance 1 of this organisation, proven"
[ ! -e "$scratch/835" ] || fail "an 835 of nothing"
applied claim.pay clerk - - claim_id="$claim" payees= shares= by_amount=false

halfway

echo "what was paid is written, and balances"
remit 0 --key "$keys/practice.pem" --payee-name "BONE AND JOINT CLINIC" --test
says remit "1 remittances of +63.00; go on with --from 2"
"$bin/systole" x12 --facts "$scratch/835" >"$scratch/facts" || fail "$(cat "$scratch/facts")"
says facts "payment = 63.00" "2100: charge = 100.00" "2100: paid = 63.00" \
    "2100: patient_owes = 37.00" "adjusted = PR-1 20.00" "1 of 1 remitted claims balance"
remit 1 --key "$keys/practice.pem" --from 2
remit 1 --key "$keys/wallet.pem"

echo "what is taken back stands in the next one, and is carried forward"
applied claim.reverse clerk - - claim_id="$claim" reason=overpaid
remit 0 --key "$keys/practice.pem" --from 2 --json
says remit '"amount": *-6300' '"next": *3'
"$bin/systole" x12 --facts "$scratch/835" >"$scratch/facts" || fail "$(cat "$scratch/facts")"
says facts "payment = 0.00" "2100: status = 22" "2100: paid = -63.00" "held_back = FB:2 -63.00"
echo "money: billed from an 837, paid, taken back, and remitted by 835"
