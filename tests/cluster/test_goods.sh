#!/usr/bin/env bash
# Goods on real validators, by the commands of README.md "Goods and prescriptions": a unit goes in
# a case from its maker to a pharmacy and to a patient; `systole trace` tells its way to those who
# may know it, from the network and from the proofs that were kept; a recall reaches the patient.
# ctest: network slow timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/goods.XXXXXX")
net=$scratch/net
keys=$scratch/keys
regulator=$net/keys/regulator-0.pem
. "$SYSTOLE_SOURCE/tests/cluster/signing.sh"
trap stop_all EXIT

gtin=09506000134352
unit=01/$gtin/21/A1
sscc=195060000000000012
far=$(($(date +%s) * 1000 + 86400000 * 300))

register() { # NAME KIND PREFIX
    new_key "$1"
    random_id >"$scratch/$1"
    applied org.register regulator "$1" "$1" org_id="$(cat "$scratch/$1")" kind="$2" \
        name_hash="$(random_id)" admin_key="$(public "$1")" x25519_key="$(public "$1")" \
        endpoints= gs1_prefixes="$3"
}
issue() { # ADMIN NAME ROLE
    new_key "$2"
    applied cred.issue "$1" - "$2" subject_key="$(public "$2")" role="$3" specialty= \
        org_id="$(cat "$scratch/$1")" scope= x25519_key="$(public "$2")" not_before=now \
        not_after=$(($(date +%s) * 1000 + 86400000))
}
event() { # KIND SIGNER FIELD...: applied, with an id of its own in $event
    local kind=$1 signer=$2
    shift 2
    event=$(random_id)
    applied "$kind" "$signer" - - event_id="$event" "$@"
}
# trace CODE WHO WORDS...: what it says is in $scratch/trace
trace() {
    local code=$1 who=$2 got=0
    shift 2
    "$bin/systole" trace --net "$net" --key "$keys/$who.pem" "$@" >"$scratch/trace" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "trace $* ended with $got: $(cat "$scratch/trace")"
}
says() { # WORDS...
    local words
    for words in "$@"; do
        grep -q -e "$words" "$scratch/trace" || fail "no '$words' in $(cat "$scratch/trace")"
    done
}
# hears WHO KIND SUBJECT WORDS: a notice says that; all of them are in $scratch/heard
hears() {
    local i
    for i in $(seq 150); do
        "$bin/systole" watch --net "$net" --key "$keys/$1.pem" --kind "$2" --from 1 --wait 0 --all \
            "$3" >"$scratch/heard" 2>&1 || true
        grep -q -e "$4" "$scratch/heard" && return
        sleep 0.2
    done
    fail "$1 does not hear '$4': $(cat "$scratch/heard")"
}

begin

echo "a maker, a pharmacy with a pharmacist, a practice with a doctor and a patient"
register maker manufacturer 9506000
register pharmacy pharmacy ""
register practice practice ""
issue pharmacy pharmacist pharmacist
issue practice doctor doctor
new_key wallet
patient=$(random_id)
applied patient.enrol practice wallet wallet patient_id="$patient" \
    wallet_key="$(public wallet)" guardian_needed=0 guardians=

echo "a unit in a case goes to the pharmacy"
applied product.register maker - - gtin=$gtin prefix=9506000 class=device
event unit.commission maker gtin=$gtin lot=L1 expiry=$far serials=A1,A2
event unit.aggregate maker parent=$sscc children=$unit
event custody.ship maker to="$(cat "$scratch/pharmacy")" items=00/$sscc
event custody.receive pharmacist shipment="$event" result=accept refused=
trace 0 maker $unit
says "packed into 00/$sscc" "00/$sscc shipped by $(cat "$scratch/maker") to" \
    "within 00/$sscc, of $(cat "$scratch/pharmacy")" "answer: verified"
event unit.disaggregate pharmacist parent=$sscc children=$unit

echo "who made it or had it sees its way, also through the case that is empty by now"
trace 0 maker $unit --proofs "$scratch/proofs"
says "00/$sscc received by $(cat "$scratch/pharmacy")" "unpacked from" "not recalled"
if grep -q withheld "$scratch/trace"; then fail "something is withheld: $(cat "$scratch/trace")"; fi
sed '$d' "$scratch/trace" >"$scratch/before"
trace 1 doctor $unit
says "may not read that"

echo "the proofs that were kept say the same, without the network"
kept=0
"$bin/systole" trace --net "$net" --kept "$scratch/proofs" $unit >"$scratch/kept" || kept=$?
[ "$kept" -eq 0 ] || fail "the proofs kept do not hold"
sed '$d' "$scratch/kept" | cmp -s - "$scratch/before" || fail "the proofs kept say something else"
"$bin/systole" verify --genesis "$net/genesis.json" "$scratch/proofs" >/dev/null ||
    fail "systole verify does not take them"
for proof in "$scratch"/proofs/*; do break; done
cp "$proof" "$scratch/whole"
printf 'x' | dd of="$proof" bs=1 seek=200 conv=notrunc 2>/dev/null
if "$bin/systole" trace --net "$net" --kept "$scratch/proofs" $unit >/dev/null 2>&1; then
    fail "a proof that was altered is believed"
fi
cp "$scratch/whole" "$proof"

halfway

echo "the patient gets it, and hears of its recall"
rx=$(random_id)
applied rx.issue doctor - - rx_id="$rx" patient_id="$patient" drug_commit="$(random_id)" \
    control="not controlled" quantity=1 days=30 refills=0 from=0 \
    until=$(($(date +%s) * 1000 + 86400000)) author_role=doctor
event rx.dispense pharmacist rx_id="$rx" quantity=1
event unit.dispense pharmacist unit=$unit rx_id="$rx"
trace 0 wallet --purpose self "$patient"
says "$unit, lot L1, from $(cat "$scratch/pharmacy")" "not recalled" "1 units, 0 of them recalled"
trace 1 maker $unit
says "now dispensed" "answer: not for distribution"
trace 0 maker $gtin --lot L1
says "2 units" "1 held, 1 dispensed" "$(cat "$scratch/maker") 1 units" \
    "$(cat "$scratch/pharmacy") 0 units"
trace 0 pharmacist $gtin --lot L1
says "other holders are withheld" "$(cat "$scratch/pharmacy") 0 units"
first_recall=$(random_id)
applied recall.issue maker - - recall_id="$first_recall" gtin=$gtin lots=L1 class=I \
    reason=contamination
trace 1 wallet --purpose self "$patient"
says "RECALLED" "1 units, 1 of them recalled"
trace 1 wallet --json --purpose self "$patient"
says '"recalled": *true' '"recalled_units": *1'
trace 1 pharmacist $gtin --lot L1
says "RECALLED"
trace 2 maker $gtin

echo "a counterfeit, a clone, a stolen pallet: each is stopped, and its maker hears of it"
register corner pharmacy ""
issue corner dispenser pharmacist
event unit.commission maker gtin=$gtin lot=L2 expiry=$far serials=B1,B2,B3
event custody.ship maker to="$(cat "$scratch/pharmacy")" items=01/$gtin/21/B1
event custody.receive pharmacist shipment="$event" result=accept refused=
prescribed() { # PHARMACIST: a prescription that it filled is $rx
    rx=$(random_id)
    applied rx.issue doctor - - rx_id="$rx" patient_id="$patient" drug_commit="$(random_id)" \
        control="not controlled" quantity=1 days=30 refills=0 from=0 \
        until=$(($(date +%s) * 1000 + 86400000)) author_role=doctor
    event rx.dispense "$1" rx_id="$rx" quantity=1
}
asked() { # SERIAL LOT ANSWER: what the pharmacist at the corner is told of a pack
    event unit.verify dispenser gtin=$gtin serial="$1" lot="$2" expiry=$far
    "$bin/systole" get --net "$net" --key "$keys/dispenser.pem" event "$event" --json \
        >"$scratch/answer" || fail "$(cat "$scratch/answer")"
    grep -q "\"answer\": *\"$3\"" "$scratch/answer" || fail "$1: not $3: $(cat "$scratch/answer")"
    suspect="$suspect $event"
}
hand_out() { # CODE PHARMACIST UNIT: refused
    refused "$1" unit.dispense "$2" - - event_id="$(random_id)" unit="$3" rx_id="$rx"
}
suspect=
prescribed dispenser
hand_out E_UNIT_UNKNOWN dispenser 01/$gtin/21/FAKE
asked FAKE L2 "no such unit"
event exception.report dispenser reason="unknown serial number" items=01/$gtin/21/FAKE
suspect="$suspect $event"
refused E_UNIT_EXISTS unit.commission maker - - event_id="$(random_id)" gtin=$gtin lot=L2 \
    expiry=$far serials=B1
hand_out E_NOT_OWNER dispenser $unit # which the other pharmacy dispensed
asked A1 L1 "not for distribution"
hand_out E_NOT_OWNER dispenser 01/$gtin/21/B1 # which the other pharmacy has
pallet=195060000000000029
event unit.aggregate maker parent=$pallet children=01/$gtin/21/B2,01/$gtin/21/B3
event custody.ship maker to="$(cat "$scratch/pharmacy")" items=00/$pallet
shipment=$event
event unit.decommission maker item=00/$pallet reason=stolen
suspect="$suspect $event"
refused E_UNIT_STATE custody.receive pharmacist - - event_id="$(random_id)" shipment="$shipment" \
    result=accept refused=
for thief in corner pharmacy; do
    who=dispenser
    if [ $thief = pharmacy ]; then who=pharmacist; fi
    refused E_NOT_OWNER unit.disaggregate $who - - event_id="$(random_id)" parent=$pallet \
        children=01/$gtin/21/B2
done
hand_out E_NOT_OWNER dispenser 01/$gtin/21/B2
asked B3 L2 "not for distribution"
trace 1 maker 01/$gtin/21/B2
says "not for distribution"
for event in $suspect; do
    hears maker organisation "$(cat "$scratch/maker")" "suspect.found $event"
done

echo "what is recalled is neither shipped nor dispensed; who has or had it hears of it"
refused E_RECALLED custody.ship maker - - event_id="$(random_id)" \
    to="$(cat "$scratch/corner")" items=01/$gtin/21/A2
recall=$(random_id)
prescribed pharmacist
applied recall.issue regulator - - recall_id="$recall" gtin=$gtin lots=L2 class=II reason=packaging
hand_out E_RECALLED pharmacist 01/$gtin/21/B1
asked B1 L2 recalled
for name in maker pharmacy; do
    hears $name organisation "$(cat "$scratch/$name")" "recall.issued $recall"
    hears $name organisation "$(cat "$scratch/$name")" "recall.issued $first_recall"
done
hears wallet patient "$patient" "recall.issued $first_recall"
hears corner organisation "$(cat "$scratch/corner")" "unit.verified $event"
if grep -q "$recall" "$scratch/heard"; then fail "the corner never had any of L2"; fi
prescribed pharmacist
hears wallet patient "$patient" "rx.issued $rx"
if grep -q "$recall" "$scratch/heard"; then fail "the patient never had any of L2"; fi

echo "what is suspect is held, and its maker lets it go"
event exception.report maker reason=suspect items=01/$gtin/21/A2
"$bin/systole" get --net "$net" --key "$keys/maker.pem" exception "$event" >"$scratch/exception"
grep -q '"reason": *"suspect"' "$scratch/exception" || fail "$(cat "$scratch/exception")"
trace 1 maker 01/$gtin/21/A2
says "A2 quarantined by $(cat "$scratch/maker")" "now quarantined" "not for distribution"
event exception.respond maker exception="$event" outcome=cleared items=01/$gtin/21/A2
trace 1 maker 01/$gtin/21/A2
says "A2 released by" "now held" "answer: recalled"

echo "what was too warm is held; who may see the goods sees what they had"
applied product.storage maker - - gtin=$gtin min=27515 max=28115
now=$(($(date +%s) * 1000))
hour() { # SEQUENCE HOURS-AGO MAX: of A2, whose lowest temperature is 3.85 degrees Celsius
    event cond.commit maker item=01/$gtin/21/A2 sequence="$1" from=$((now - $2 * 3600000)) \
        interval=300 readings=12 min=27700 max="$3" root="$(random_id)"
}
get() { # WHO WORDS...: what is told is in $scratch/got
    local who=$1
    shift
    "$bin/systole" get --net "$net" --key "$keys/$who.pem" "$@" >"$scratch/got" 2>&1
}
hour 1 2 28000
hour 2 1 28650
get pharmacist conditions "$event" || fail "a holder of the lot is not told: $(cat "$scratch/got")"
grep -q '"max_celsius": *13.35' "$scratch/got" || fail "$(cat "$scratch/got")"
if get doctor conditions "$event"; then
    fail "conditions are shown to whoever has nothing to do with the goods"
fi
get doctor storage $gtin || fail "what a product bears is not everybody's to know"
grep -q '"max_celsius": *8.00' "$scratch/got" || fail "$(cat "$scratch/got")"
trace 1 maker 01/$gtin/21/A2
says "A2 monitored by" "3.85 to 6.85 degrees Celsius" "A2 out of range by" \
    "3.85 to 13.35 degrees" "now quarantined"
event exception.respond maker exception="$event" outcome=unfit items=01/$gtin/21/A2
trace 1 maker 01/$gtin/21/A2
says "A2 found unfit by" "now quarantined"
trace 1 maker 01/$gtin/21/NONE
echo "goods: traced, from the network and from proofs, by those who may"
