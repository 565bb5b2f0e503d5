#!/usr/bin/env bash
# story.sh NET: one patient's story on the running network of `systole testnet NET`, told as it
# happens: hospital, payer, pharmacy, trial and device, by the commands that README.md explains.
# `./run demo` plays it behind its stream of data. Every line that names a block is a transaction
# that was proven final there; what has to be refused is said with its code. Keys and files go to
# NET/story. `systole` is found by PATH. Ends with 1 at the first thing that is not as it is told.
set -eu -o pipefail

[ $# -eq 1 ] && [ -r "$1/genesis.json" ] || {
    echo "usage: bench/story.sh NET" >&2
    exit 2
}
net=$1
home=$net/story
umask 077
mkdir "$home" 2>/dev/null || {
    echo "story: $home is there: the story was played on this network, and is played once" >&2
    exit 1
}
cp "$net/keys/regulator-0.pem" "$home/regulator.pem"
day=86400000
now=$(($(date +%s) * 1000))
soon=$((now + day))
transactions=0

fail() {
    echo "story: $*" >&2
    exit 1
}
chapter() {
    printf '\n%s\n' "$1"
}
# line LEFT TEXT
line() {
    printf '  %-14s  %s\n' "$1" "$2"
}
random_id() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}
# new_key NAME [x25519]: its two halves are NAME.pem and NAME.pub.
new_key() {
    systole keygen ${2:+--"$2"} --out "$home/$1.pem" >"$home/$1.pub" 2>"$home/told" ||
        fail "$(cat "$home/told")"
}
public() {
    cat "$home/$1.pub"
}
# new_id NAME: id NAME gives it from then on.
new_id() {
    random_id >"$home/$1.id"
}
id() {
    cat "$home/$1.id"
}

# send KIND SIGNER COSIGNERS PROVER FIELD=VALUE...: makes, signs, cosigns and sends a transaction;
# "-" is nobody, cosigners stand between commas. Exit code of `tx send`; its words are in "sent".
send() {
    local kind=$1 signer=$2 cosigners=${3//,/ } prover=$4 arguments=() name draft=$home/draft.json
    shift 4
    [ "$cosigners" != - ] || cosigners=
    for name in "$@"; do arguments+=(--field "$name"); done
    for name in $cosigners; do arguments+=(--cosigner "$(public "$name")"); done
    [ "$prover" = - ] || arguments+=(--prove "$home/$prover.pem")
    rm -f "$draft"
    {
        systole tx make --net "$net" --key "$home/$signer.pem" --out "$draft" \
            --read-key "$home/regulator.pem" "${arguments[@]}" "$kind" &&
            systole tx sign --net "$net" "$draft" --key "$home/$signer.pem" &&
            for name in $cosigners; do
                systole tx cosign --net "$net" "$draft" --key "$home/$name.pem" || return 1
            done
    } >"$home/sent" 2>&1 && systole tx send --net "$net" "$draft" --json >"$home/sent" 2>&1
}
# quietly KIND ...: as send; it has to be applied. Its block is in $block.
quietly() {
    send "$@" || fail "$1 was not applied: $(cat "$home/sent")"
    block=$(sed -n 's/.*"height": *\([0-9]*\).*/\1/p' "$home/sent" | head -n 1)
    transactions=$((transactions + 1))
}
# step TEXT KIND ...: and tells it.
step() {
    local text=$1
    shift
    quietly "$@"
    line "block $block" "$text"
}
# refused CODE TEXT KIND ...: the ledger has to refuse it with that code.
refused() {
    local code=$1 text=$2
    shift 2
    ! send "$@" || fail "$1 was applied, and has to be refused with $code"
    grep -q "$code" "$home/sent" || fail "$1 is not refused with $code: $(cat "$home/sent")"
    line "$code" "$text"
}
# ask CODE WHO COMMAND...: a command signed by WHO that ends with CODE; its words are in "told".
ask() {
    local code=$1 who=$2 got=0
    shift 2
    systole "$@" --net "$net" --key "$home/$who.pem" >"$home/told" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "systole $* ended with $got, not $code: $(cat "$home/told")"
}
# says PATTERN...: each is in "told".
says() {
    local words
    for words in "$@"; do
        grep -q -e "$words" "$home/told" || fail "no '$words' in: $(cat "$home/told")"
    done
}

# organisation NAME KIND [PREFIX]: a regulator lets it in, with an admin's key of its name.
organisation() {
    new_key "$1"
    new_key "$1_box" x25519
    new_id "$1"
    quietly org.register regulator "$1" "$1" org_id="$(id "$1")" kind="$2" \
        name_hash="$(printf '%s' "$1" | sha256sum | cut -c 1-64)" admin_key="$(public "$1")" \
        x25519_key="$(public "$1_box")" endpoints= gs1_prefixes="${3:-}"
}
# person ORGANISATION NAME ROLE [FIELD...]: its admin certifies a key.
person() {
    local org=$1 name=$2 role=$3
    shift 3
    new_key "$name"
    new_key "${name}_box" x25519
    quietly cred.issue "$org" - "$name" subject_key="$(public "$name")" role="$role" specialty= \
        org_id="$(id "$org")" scope= x25519_key="$(public "${name}_box")" not_before="$now" \
        not_after="$soon" "$@"
}

# new_record NAME CLASS CONTENT: what registers it is in "created".
new_record() {
    new_id "$1"
    printf '%s' "$3" >"$home/$1.json"
    systole record commit "$home/$1.json" >"$home/committed" 2>"$home/told" ||
        fail "$(cat "$home/told")"
    sed -n 's/^salt //p' "$home/committed" >"$home/$1.salt"
    # shellcheck disable=SC2207
    created=(record.create doctor - - record_id="$(id "$1")" subject_kind=patient
        subject="$patient" class="$2" $(head -n 1 "$home/committed") author_role=doctor
        patient_reported=false parents=)
}

meet() {
    chapter "Who is there"
    organisation hospital hospital
    line "block $block" "a regulator lets a hospital in"
    person hospital doctor doctor
    person hospital investigator investigator
    organisation clinic hospital
    person clinic stranger doctor break_glass=true
    line "block $block" "and another one, whose doctor has never seen the patient"
    organisation payer payer
    person payer clerk payer
    line "block $block" "a payer with a clerk"
    organisation maker manufacturer 9506000
    organisation pharmacy pharmacy
    person pharmacy pharmacist pharmacist
    line "block $block" "a manufacturer, a pharmacy with a pharmacist"
    organisation sponsor sponsor
    person sponsor manager sponsor
    person sponsor statistician sponsor
    organisation authority authority
    person authority board "ethics board"
    organisation institute research
    person institute researcher researcher
    line "block $block" "a sponsor of trials, an ethics board, a researcher"
}

at_the_hospital() {
    chapter "The hospital"
    new_key wallet
    new_key wallet_box x25519
    new_id patient
    patient=$(id patient) label=5a010203040506070809101112131415
    step "she is enrolled: a random id and her wallet's key; no name stands on the ledger" \
        patient.enrol hospital wallet wallet patient_id="$patient" wallet_key="$(public wallet)" \
        guardian_needed=0 guardians= x25519_key="$(public wallet_box)"
    new_record record Observation '{"resourceType":"Observation","code":{"text":"potassium"}}'
    step "her doctor registers a laboratory result: a salted commitment, not the result" \
        "${created[@]}"
    new_record genome MolecularSequence '{"resourceType":"MolecularSequence","type":"dna"}'
    step "and her genetic report, under a label of its own" "${created[@]}" sens_tag="$label"
    ask 0 doctor share --to "$patient" --out "$home/kept.syenvelope" \
        --salt "$(cat "$home/record.salt")" "$(id record)" "$home/record.json"
    systole open --x25519-key "$home/wallet_box.pem" --net "$net" --out "$home/mine.json" \
        "$home/kept.syenvelope" >"$home/told" 2>&1 || fail "$(cat "$home/told")"
    cmp -s "$home/mine.json" "$home/record.json" || fail "her copy is another one"
    line "her copy" "sealed to her alone, opened offline, and the one that was registered"
    sed 's/potassium/magnesium/' "$home/record.json" >"$home/altered.json"
    ask 1 doctor record verify --record "$(id record)" --salt "$(cat "$home/record.salt")" \
        "$home/altered.json"
    line "altered" "one word of the result is changed: 'systole record verify' says so"
}

with_the_payer() {
    local plan coverage claim bill
    chapter "The payer"
    new_id claim
    plan=$(random_id) coverage=$(random_id) claim=$(id claim)
    quietly plan.publish clerk - - plan_id="$plan" deductible=10000 copay_office=2000 \
        copay_emergency=0 copay_inpatient=0 copay_pharmacy=0 coinsurance_bp=2000 \
        out_of_pocket_max=100000 benefit_max=1000000 filing_days=365 dispute_days=30 \
        fees_version=0 pairs_version=0 units_version=0 exclusions_version=0 codes_version=0
    step "she is covered: 100.00 deductible, 20.00 a visit, then 20 %" \
        coverage.add clerk - - coverage_id="$coverage" patient_id="$patient" plan_id="$plan" \
        from="$((now - day))" until="$soon" order=1
    bill=(patient_id="$patient" coverage_id="$coverage" rendering="$(public doctor)" class=office
        from="$visited" until="$visited" diagnoses=5a010203040506070809101112131415
        lines=1/hc:99213/1/30000/11/A total=30000)
    step "the visit is billed, 300.00, and decided by the plan in the same block" \
        claim.submit doctor - - claim_id="$claim" "${bill[@]}"
    refused C18 "the same visit billed again is a duplicate, whoever is asked to pay" \
        claim.submit doctor - - claim_id="$(random_id)" "${bill[@]}"
    step "the payer pays, once" \
        claim.pay clerk - - claim_id="$claim" payees= shares= by_amount=false
    refused E_ALREADY_PAID "and not twice" \
        claim.pay clerk - - claim_id="$claim" payees= shares= by_amount=false
    ask 0 wallet get claim "$claim" --purpose self --json
    says '"paid": *14400' '"patient_owes": *15600'
    line "she reads" "144.00 paid, 156.00 hers: proven, with no bill from anybody in between"
}

at_the_pharmacy() {
    local gtin=09506000134352 unit=01/09506000134352/21/A1 case=195060000000000012 shipment rx
    chapter "The pharmacy"
    shipment=$(random_id) rx=$(random_id)
    quietly product.register maker - - gtin=$gtin prefix=9506000 class=drug
    quietly unit.commission maker - - event_id="$(random_id)" gtin=$gtin lot=L1 \
        expiry=$((now + 300 * day)) serials=A1,A2
    step "the manufacturer makes packs A1 and A2 of lot L1, and puts A1 into a case" \
        unit.aggregate maker - - event_id="$(random_id)" parent=$case children=$unit
    quietly custody.ship maker - - event_id="$shipment" to="$(id pharmacy)" items=00/$case
    quietly custody.receive pharmacist - - event_id="$(random_id)" shipment="$shipment" \
        result=accept refused=
    step "the case is shipped, received and unpacked: custody changes in two steps" \
        unit.disaggregate pharmacist - - event_id="$(random_id)" parent=$case children=$unit
    step "her doctor prescribes" \
        rx.issue doctor - - rx_id="$rx" patient_id="$patient" drug_commit="$(random_id)" \
        control="not controlled" quantity=1 days=30 refills=0 from=0 until="$soon" \
        author_role=doctor
    quietly rx.dispense pharmacist - - event_id="$(random_id)" rx_id="$rx" quantity=1
    step "the pharmacist fills it, and hands her pack A1" \
        unit.dispense pharmacist - - event_id="$(random_id)" unit=$unit rx_id="$rx"
    ask 1 maker trace $unit
    says "now dispensed"
    line "pack A1" "made, packed, shipped, received, dispensed: 'systole trace', each step proven"
    step "the manufacturer recalls lot L1" \
        recall.issue maker - - recall_id="$(random_id)" gtin=$gtin lots=L1 class=I \
        reason=contamination
    ask 1 wallet trace "$patient" --purpose self
    says "RECALLED"
    line "she reads" "the pack that she got is recalled"
}

# protocol: fields of trial.register that are commitments and plans.
protocol() {
    echo "protocol_commit=$(random_id)" "sap_commit=$(random_id)" "form_commit=$form" \
        "endpoints=$(random_id)" target=10 completion="$soon" "sites=$(id hospital)" shares=0101
}

in_a_trial() {
    local trial form seed commit subject
    chapter "The trial"
    new_id trial
    trial=$(id trial) form=$(random_id) seed=$(random_id) subject=$(random_id)
    commit=$(printf '04%s%s' "$trial" "$seed" | tr -d '\n' | unhex | sha256sum | cut -c 1-64)
    # shellcheck disable=SC2046
    step "a trial is registered, by its sponsor and an ethics board, before anybody takes part" \
        trial.register manager board - trial_id="$trial" $(protocol)
    quietly site.activate manager investigator - trial_id="$trial" org_id="$(id hospital)"
    quietly randomise.commit manager - - trial_id="$trial" commit="$commit" reveal_days=30
    step "the draw: the sponsor is bound to a secret, the board then adds its own salt" \
        randomise.salt board - - trial_id="$trial" salt="$(random_id)"
    new_key subject
    step "she consents, by a key that was made for this trial: nothing in it leads to her" \
        subject.consent investigator subject - trial_id="$trial" subject_id="$subject" \
        consent_key="$(public subject)" by=subject form_version=1 form_commit="$form"
    step "she has a place; its arm is drawn by nobody who could have chosen it" \
        subject.enrol investigator - - trial_id="$trial" subject_id="$subject"
    refused E_BLINDED "nobody may look before the data are locked" \
        unblind manager - - trial_id="$trial"
    ask 0 investigator trial --json "$trial"
    says '"registered_before_enrolment": true' '"endpoints_switched": false'
    line "anybody reads" "registered before the first enrolment, no endpoint switched: proven"
}

# unhex < HEX: its bytes.
unhex() {
    local digits
    digits=$(cat)
    printf '%b' "$(sed 's/../\\x&/g' <<<"$digits")"
}

for_research() {
    local root table
    chapter "Research"
    new_id dataset
    new_id query
    root=$(random_id)
    step "two hospitals publish what their data have: no person, but the root of the records" \
        dataset.publish hospital clinic,board - dataset_id="$(id dataset)" \
        custodians="$(id hospital),$(id clinic)" needed=2 ethics="$(id authority)" \
        schema_commit="$(random_id)" counts_root="$(random_id)" record_root="$root" as_of=1 \
        basis="who did not opt out" genetic=false wearable=true codes="LOINC|2823-3" \
        phenotypes= devices=wearable ages="18 to 29,30 to 39,40 to 49" people="100 to 999"
    step "a researcher asks how many had their potassium measured, by age" \
        query.propose researcher - - query_id="$(id query)" datasets="$(id dataset)" \
        codes="LOINC|2823-3" phenotypes= variants= devices= ages= rows="one for all" \
        columns="age band" purpose=study ethics_ref="$(random_id)" budget=3
    quietly query.approve board - - query_id="$(id query)"
    quietly query.approve hospital - - query_id="$(id query)"
    step "she does not want to be counted" \
        contribute.optout wallet - - patient_id="$patient" classes= genetic=true
    step "an ethics board and both hospitals approve" \
        query.approve clinic - - query_id="$(id query)"
    table=(query_id="$(id query)" k=11 rows=all columns="18 to 29,30 to 39,40 to 49"
        cells=ffffffffffffffff28000000 row_totals=37000000
        column_totals=ffffffffffffffff28000000 total=55)
    refused E_OPTOUTS "an answer that does not know of her is none" \
        query.result hospital clinic - "${table[@]}" optouts=0
    step "of 3, 12 and 40 the 40 is told, and what all sum up to: the 3 follows from nothing" \
        query.result hospital clinic - "${table[@]}" optouts=1
}

with_a_device() {
    local device stream consent i
    chapter "The device"
    new_id stream
    device=$(random_id) stream=$(id stream) consent=$(random_id)
    new_key wearable
    quietly device.register hospital - wearable device_id="$device" \
        device_key="$(public wearable)" org_id="$(id hospital)" owner_kind=patient \
        owner="$patient" udi_commit="$(random_id)" class=wearable not_before="$now" \
        not_after="$soon"
    step "she wears a monitor; the hospital and the device attest what it runs" \
        device.firmware hospital wearable - device_id="$device" release=1 \
        firmware="$(random_id)" attest="$(random_id)" until="$soon"
    quietly consent.grant wallet - - consent_id="$consent" patient_id="$patient" \
        grantee_kind=key grantee="$(public wearable)" actions=write purposes=treatment \
        classes=Observation labels= from=$((now - day)) until="$soon"
    step "she lets it write, and names the hospital as who is to be alerted" \
        stream.open wearable wallet - stream_id="$stream" device_id="$device" \
        patient_id="$patient" system=LOINC kind=8867-4 unit=/min rate=60 tolerance=120 \
        consent="$consent" care_team="$(id hospital)"
    for i in 0 1 2 3 4; do
        echo "{\"time\": $((now - 3600000 + i * 60000)), \"value\": $((70 + i))}"
    done >"$home/samples.jsonl"
    ask 0 wearable stream commit "$stream" "$home/samples.jsonl" --out "$home/samples"
    says "commitment 1: 5 samples"
    transactions=$((transactions + 1))
    systole stream prove "$home/samples/$stream-1.samples" 3 --out "$home/one.sysample" \
        --net "$net" --key "$home/wearable.pem" >"$home/told" 2>&1 || fail "$(cat "$home/told")"
    systole verify --genesis "$net/genesis.json" "$home/one.sysample" >"$home/told" ||
        fail "$(cat "$home/told")"
    says "sample 72 at"
    line "one sample" "of five that one root stands for is proven to anybody, offline: 72 a minute"
    step "its alert reaches her and the hospital at once" \
        stream.alert wearable - - stream_id="$stream" sequence=1 rule="$(random_id)" \
        level=critical at=now
}

elsewhere() {
    local export fields
    chapter "Another network"
    new_key box x25519
    export=$(random_id)
    step "she asks the hospital to hand over all that there is of her" \
        export.request wallet - - export_id="$export" patient_id="$patient" \
        org_id="$(id hospital)" recipient_key="$(public box)" due="$soon"
    ask 0 hospital export --request "$export" --out "$home/folder" \
        --content "$(id record):$(cat "$home/record.salt"):$home/record.json" \
        --content "$(id genome):$(cat "$home/genome.salt"):$home/genome.json" "$patient"
    # shellcheck disable=SC2207
    fields=($(grep -o 'field [^ ]*' "$home/told" | sed 's/^field //'))
    step "it does: nothing may be missing that the ledger has" \
        export.fulfil hospital - - "${fields[@]}"
    ask 0 wallet get export "$export" --proof "$home/folder/proofs/export.syproof"
    cp "$net/genesis.json" "$home/genesis.json"
    systole export verify --genesis "$home/genesis.json" --x25519-key "$home/box.pem" \
        "$home/folder" >"$home/told" 2>&1 || fail "$(cat "$home/told")"
    line "whole" "checked by its receiver with nothing of this network but its genesis file"
}

who_knows() {
    local grant i
    chapter "Who knows"
    ask 1 wallet may "$patient" "$(public stranger)" treatment read
    line "not allowed" "the other hospital's doctor may not read her records"
    step "there is an emergency: that doctor breaks the glass, for an hour" \
        access.breakglass stranger - - break_id="$(random_id)" patient_id="$patient" \
        reason="danger to life" until=$((now + 3600000))
    ask 0 stranger get record "$(id record)" --purpose emergency
    grant=$(random_id)
    step "she lets the other hospital in herself" \
        consent.grant wallet - - consent_id="$grant" patient_id="$patient" \
        grantee_kind=organisation grantee="$(id clinic)" actions=read purposes=treatment \
        classes= labels= from=now until="$soon"
    ask 0 stranger get record "$(id record)"
    ask 1 stranger get record "$(id genome)"
    says "may not read that"
    line "not allowed" "but not to what is genetic: no grant opens a label that it does not name"
    step "and shuts it out again" \
        consent.revoke wallet - - consent_id="$grant" patient_id="$patient"
    for i in $(seq 100); do # validators commit to their logs of reads a little later
        ask 0 wallet watch "$patient" --from 1 --wait 0
        ! grep -q access.disclosed "$home/told" || break
        sleep 0.2
    done
    says access.disclosed
    line "she was told" "who read, too; all of it numbered without a gap, each proven:"
    awk '{ printf "%5d %-17s%s", $1, $2, (NR % 4) ? "" : "\n" } END { if (NR % 4) print "" }' \
        "$home/told"
}

# The visit is billed behind the second in which the doctor's credential began.
visited=$now
meet
at_the_hospital
with_the_payer
at_the_pharmacy
in_a_trial
for_research
with_a_device
elsewhere
who_knows
printf '\n%s transactions\n\n' "$transactions"
