#!/usr/bin/env bash
# Claims on real validators, by the commands of README.md "Claims and payments": a visit is billed,
# decided and paid; the payer settles by the ledger's net, which both sides prove; a visit after the
# patient's death is held.
# ctest: network slow plain timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/claims.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

now() { echo $(($(date +%s) * 1000)); }

register() { # NAME KIND
    new_key "$1"
    random_id >"$scratch/$1"
    applied org.register regulator "$1" "$1" org_id="$(cat "$scratch/$1")" kind="$2" \
        name_hash="$(random_id)" admin_key="$(public "$1")" x25519_key="$(public "$1")" \
        endpoints= gs1_prefixes=
}
issue() { # ADMIN NAME ROLE: certified from ten days ago on
    new_key "$2"
    applied cred.issue "$1" - "$2" subject_key="$(public "$2")" role="$3" specialty= \
        org_id="$(cat "$scratch/$1")" scope= x25519_key="$(public "$2")" \
        not_before=$(($(now) - 864000000)) not_after=$(($(now) + 86400000))
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
        grep -q -e "$words" "$scratch/shown" || fail "no '$words' in $(cat "$scratch/shown")"
    done
}
# bill CLAIM FROM [WORD...]: a visit of 300.00, as `applied` or `refused CODE`; to $billed
bill() {
    local id=$1 from=$2
    shift 2
    [ $# -gt 0 ] || set -- applied
    "$@" claim.submit doctor - - claim_id="$id" patient_id="$patient" coverage_id="$billed" \
        rendering="$(public doctor)" class=office from="$from" until="$from" \
        diagnoses=5a010203040506070809101112131415 lines=1/hc:99213/1/30000/11/A total=30000 \
        ${prior:+prior_claim="$prior"}
}
# publish CLERK PLAN DEDUCTIBLE COPAY COINSURANCE
publish() {
    applied plan.publish "$1" - - plan_id="$2" deductible="$3" copay_office="$4" \
        copay_emergency=0 copay_inpatient=0 copay_pharmacy=0 coinsurance_bp="$5" \
        out_of_pocket_max=100000 benefit_max=1000000 filing_days=365 dispute_days=30 \
        fees_version=0 pairs_version=0 units_version=0 exclusions_version=0 codes_version=0
}
cover() { # CLERK COVERAGE PLAN ORDER
    applied coverage.add "$1" - - coverage_id="$2" patient_id="$patient" plan_id="$3" \
        from=0 until=$(($(now) + 86400000)) order="$4"
}

begin

echo "a hospital with a doctor, a payer, and a patient whom it covers"
register hospital hospital
register payer payer
issue hospital doctor doctor
issue hospital gateway gateway
issue payer clerk payer
new_key wallet
patient=$(random_id) plan=$(random_id) coverage=$(random_id)
applied patient.enrol gateway wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=0 guardians=
publish clerk "$plan" 10000 2000 2000
cover clerk "$coverage" "$plan" 1
billed=$coverage prior=

echo "a visit is billed, decided and paid, once"
claim=$(random_id) visited=$(($(now) - 3600000))
bill "$claim" "$visited"
bill "$(random_id)" "$visited" refused C18
applied claim.pay clerk - - claim_id="$claim" payees= shares= by_amount=false
refused E_ALREADY_PAID claim.pay clerk - - claim_id="$claim" payees= shares= by_amount=false
show wallet --purpose self claim "$claim"
says '"status": *"paid"' '"paid": *14400' '"patient_owes": *15600'

halfway

echo "a second payer is not billed the same, but what the first left; the patient sees both"
register second payer
issue second clerk_2 payer
plan_2=$(random_id) coverage_2=$(random_id) rest=$(random_id)
publish clerk_2 "$plan_2" 0 0 0
cover clerk_2 "$coverage_2" "$plan_2" 2
billed=$coverage_2
bill "$rest" "$visited" refused C18
grep -q "$claim" "$scratch/sent" || fail "whose double is not told: $(cat "$scratch/sent")"
prior=$claim
bill "$rest" "$visited"
bill "$(random_id)" "$visited" refused C18
grep -q "$rest" "$scratch/sent" || fail "whose double is not told: $(cat "$scratch/sent")"
applied claim.pay clerk_2 - - claim_id="$rest" payees= shares= by_amount=false
both() { # STATUS PAID OWES: of the second claim, as the patient sees them; the first is as it was
    show wallet --purpose self claim "$claim"
    says '"status": *"paid"' '"paid": *14400' '"patient_owes": *15600'
    show wallet --purpose self claim "$rest"
    says "\"status\": *\"$1\"" "\"paid\": *$2" "\"patient_owes\": *$3"
}
owed() { # PAYER AMOUNT MOVES
    show doctor owed "$(cat "$scratch/$1")" --of "$(cat "$scratch/hospital")"
    says "\"amount\": *$2," "\"moves\": *$3"
}
both paid 15600 0 # 144.00, 156.00 and nothing: the 300.00 that were charged
owed payer 14400 1
owed second 15600 1

echo "it is taken back: what the payer loses again is what the hospital gives"
refused E_CLAIM_LATER claim.reverse clerk - - claim_id="$claim" reason=duplicate
applied claim.reverse clerk_2 - - claim_id="$rest" reason="billed in error"
refused E_CLAIM_STATE claim.reverse clerk_2 - - claim_id="$rest" reason="billed in error"
both reversed 15600 0 # as it was decided; of what is owed it is gone
owed payer 14400 1
owed second 0 2
billed=$coverage prior=

echo "the payer settles what the ledger says, once, and both prove it"
hospital=$(cat "$scratch/hospital") payer=$(cat "$scratch/payer") settlement=$(random_id)
show doctor owed "$payer" --of "$hospital"
says '"amount": *14400' '"moves": *1'
paid=$(field last_ms <"$scratch/shown")
refused E_NET settle.batch clerk - - settlement_id="$settlement" from=0 until="$paid" \
    nets="$hospital=14399" reference="$(random_id)"
grep -q 14400 "$scratch/sent" || fail "the right net is not told: $(cat "$scratch/sent")"
applied settle.batch clerk - - settlement_id="$settlement" from=0 until="$paid" \
    nets="$hospital=14400" reference="$(random_id)"
refused E_SETTLED settle.batch clerk - - settlement_id="$(random_id)" from="$paid" \
    until="$paid" nets="$hospital=14400" reference="$(random_id)"
for who in doctor clerk; do
    show "$who" settlement "$settlement" --of "$hospital" --proof "$scratch/$who.syproof"
    says '"net": *14400' '"moves": *1'
    "$bin/systole" verify --genesis "$net/genesis.json" "$scratch/$who.syproof" >/dev/null ||
        fail "the settlement's proof does not hold"
done
show doctor settlements "$hospital" --number 1
says "$settlement"
show doctor balance "$hospital"
says '"amount": *0' '"settlements": *1'
if "$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self settlement \
    "$settlement" --of "$hospital" >/dev/null 2>&1; then
    fail "the patient reads what organisations settle"
fi

echo "a visit after the patient died is held, and cleared"
care=$(random_id) late=$(random_id)
applied care.open gateway - - care_id="$care" patient_id="$patient" org_id="$hospital" \
    reason="treatment under way"
applied care.close gateway - - care_id="$care" died=$(($(now) - 5 * 86400000))
bill "$late" $(($(now) - 1800000))
show clerk claim "$late"
says '"after death"'
refused E_CLAIM_HELD claim.pay clerk - - claim_id="$late" payees= shares= by_amount=false
applied fraud.clear clerk - - claim_id="$late" rule="after death"
applied claim.pay clerk - - claim_id="$late" payees= shares= by_amount=false
show doctor owed "$payer" --of "$hospital"
says '"moves": *1' '"settled_until_ms"'

echo "claims: billed, paid and settled, and held after a death"
