#!/usr/bin/env bash
# A clinical trial on real validators, by the commands of README.md "Clinical trials": registered,
# amended late, locked, revealed, posted with another endpoint; old consents, late data and early
# unblinding are refused; `systole trial` tells it, from the network and from the proofs kept.
# ctest: network slow plain timeout=600
[ -n "${BASH_VERSION:-}" ] || exec bash "$0"
set -eu -o pipefail

. "$SYSTOLE_SOURCE/tests/cluster/network.sh"
scratch=$(mktemp -d "$SYSTOLE_SCRATCH/trial.XXXXXX")
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
# trial CODE WHO WORDS...: what it says is in $scratch/told
trial() {
    local code=$1 who=$2 got=0
    shift 2
    "$bin/systole" trial --net "$net" --key "$keys/$who.pem" --json "$trial" "$@" \
        >"$scratch/told" 2>&1 || got=$?
    [ "$got" -eq "$code" ] || fail "trial $* ended with $got: $(cat "$scratch/told")"
}
says() { # WORDS...
    local words
    for words in "$@"; do
        grep -q -e "$words" "$scratch/told" || fail "no '$words' in $(cat "$scratch/told")"
    done
}

begin

echo "a sponsor with two persons, an ethics board, a site"
register house sponsor
register authority authority
register clinic practice
issue house sponsor sponsor
issue house statistician sponsor
issue authority board "ethics board"
issue clinic investigator investigator
new_key subject_1
new_key subject_2

trial=$(random_id)
seed=$(random_id)
commit=$(printf '04%s%s' "$trial" "$seed" | xxd -r -p | sha256sum | cut -c1-64)
form=$(random_id)
endpoint=$(random_id)
one=$(random_id)
two=$(random_id)
protocol() { # FORM ENDPOINT
    echo "protocol_commit=$(random_id)" "sap_commit=$commit" "form_commit=$1" "endpoints=$2" \
        target=10 completion=$(($(date +%s) * 1000 + 86400000)) "sites=$(cat "$scratch/clinic")"
}
consent() { # SUBJECT ID VERSION FORM
    applied subject.consent investigator "$1" - trial_id="$trial" subject_id="$2" \
        consent_key="$(public "$1")" by=subject form_version="$3" form_commit="$4"
}

echo "it is registered, opened and drawn before anybody takes part"
refused E_TRIAL_STATE subject.enrol investigator - - trial_id="$trial" subject_id="$one"
# shellcheck disable=SC2046
applied trial.register sponsor board - trial_id="$trial" $(protocol "$form" "$endpoint") shares=0101
applied site.activate sponsor investigator - trial_id="$trial" org_id="$(cat "$scratch/clinic")"
applied randomise.commit sponsor - - trial_id="$trial" commit="$commit" reveal_days=30
applied randomise.salt board - - trial_id="$trial" salt="$(random_id)"
consent subject_1 "$one" 1 "$form"
applied subject.enrol investigator - - trial_id="$trial" subject_id="$one"
trial 0 investigator
says '"arms_hidden": true' '"registered_before_enrolment": true' '"endpoints_switched": false'

echo "a late amendment switches the endpoint, and brings another form"
form_2=$(random_id)
other=$(random_id)
consent subject_2 "$two" 1 "$form"
# shellcheck disable=SC2046
applied trial.amend sponsor board - trial_id="$trial" version=2 $(protocol "$form_2" "$other") \
    changes_commit="$(random_id)" reason=scientific
refused E_CONSENT_VERSION subject.enrol investigator - - trial_id="$trial" subject_id="$two"
consent subject_2 "$two" 2 "$form_2"
applied subject.enrol investigator - - trial_id="$trial" subject_id="$two"
applied subject.withdraw board subject_2 - trial_id="$trial" subject_id="$two" \
    consent_key="$(public subject_2)" reason="subject's wish"
applied data.commit investigator - - trial_id="$trial" visit=1 form=1 root="$commit" rows=3

echo "a study of ClinicalTrials.gov is registered, its commitments the same when it is read again"
cat >"$scratch/study.json" <<'STUDY'
{"protocolSection": {"identificationModule": {"nctId": "NCT00000001"},
  "designModule": {"studyType": "INTERVENTIONAL", "enrollmentInfo": {"count": 30}},
  "statusModule": {"primaryCompletionDateStruct": {"date": "2013-01"}},
  "armsInterventionsModule": {"armGroups": [{"label": "drug"}, {"label": "placebo"}]},
  "outcomesModule": {"primaryOutcomes": [{"measure": "pain", "timeFrame": "1 year"}]}},
 "resultsSection": {"outcomeMeasuresModule":
  {"outcomeMeasures": [{"type": "PRIMARY", "title": "pain"}]}}}
STUDY
echo "plan" >"$scratch/plan"
echo "I agree" >"$scratch/form"
study=$scratch/study.json
published=${SYSTOLE_DATA:-}/trials-ctgov/NCT00763412.json
if [ -e "$published" ]; then study=$published; fi
echo "${study##*/}"
study() { # OUT
    "$bin/systole" trial draft --secret "$scratch/secret" --plan "$scratch/plan" \
        --form "$scratch/form" --site "$(cat "$scratch/clinic")" \
        --completion "$year_ahead" --out "$1" "$study"
}
year_ahead=$(($(date +%s) * 1000 + 31536000000))
study "$scratch/fields" && study "$scratch/again"
cmp "$scratch/fields" "$scratch/again" || fail "the study's commitments are others"
send_fields() { # KIND COSIGNER FIELDS
    "$bin/systole" tx make "${on[@]}" --key "$keys/sponsor.pem" --read-key "$regulator" \
        --cosigner "$(public "$2")" --out "$scratch/draft" "$1" "$3" >/dev/null
    "$bin/systole" tx sign "${on[@]}" "$scratch/draft" --key "$keys/sponsor.pem" >/dev/null
    "$bin/systole" tx cosign "${on[@]}" "$scratch/draft" --key "$keys/$2.pem" >/dev/null
    "$bin/systole" tx send "${on[@]}" "$scratch/draft" >"$scratch/sent" 2>&1 ||
        fail "$1 of a study was not applied: $(cat "$scratch/sent")"
}
rm -f "$scratch/draft"
send_fields trial.register board "$scratch/fields"
study_id=$(field trial_id <"$scratch/fields")
applied db.lock sponsor statistician - trial_id="$study_id" commits=0 root="$commit" \
    meaning=approval second="$(public statistician)" second_meaning=review
rm -f "$scratch/draft"
"$bin/systole" trial draft --result --secret "$scratch/secret" --second "$(public statistician)" \
    --meaning authorship --second-meaning responsibility --out "$scratch/fields" "$study"
send_fields result.post statistician "$scratch/fields"
"$bin/systole" trial --net "$net" --key "$keys/board.pem" --json "$study_id" >"$scratch/told" ||
    fail "the study is not as it should be: $(cat "$scratch/told")"
says '"endpoints_switched": false' '"posted": true'

halfway

echo "locked by two, unblinded, revealed, posted"
refused E_BLINDED unblind sponsor - - trial_id="$trial"
refused E_BLINDED randomise.reveal sponsor - - trial_id="$trial" seed="$seed"
applied db.lock sponsor statistician - trial_id="$trial" commits=1 root="$commit" \
    meaning=approval second="$(public statistician)" second_meaning=review
refused E_LOCKED data.commit investigator - - trial_id="$trial" visit=2 form=1 root="$commit" rows=1
applied unblind sponsor - - trial_id="$trial"
refused E_SEED randomise.reveal sponsor - - trial_id="$trial" seed="$(random_id)"
applied randomise.reveal sponsor - - trial_id="$trial" seed="$seed"
applied result.post sponsor statistician - trial_id="$trial" effect_commit="$(random_id)" \
    tables_root="$commit" endpoints="$other" meaning=authorship second="$(public statistician)" \
    second_meaning=responsibility

echo "all of it is told, and the same offline"
trial 1 board --data --proofs "$scratch/proofs"
says '"endpoints_switched": true' '"data_as_counted": true' '"arms_hidden": false' \
    '"enrolled_by_arm": \[' '"registered_version": 1' '"seed_late": false'
cp "$scratch/told" "$scratch/online"
got=0
"$bin/systole" trial --kept "$scratch/proofs" --genesis "$net/genesis.json" --json "$trial" --data \
    >"$scratch/told" 2>&1 || got=$?
[ "$got" -eq 1 ] || fail "offline it ended with $got: $(cat "$scratch/told")"
cmp "$scratch/told" "$scratch/online" || fail "offline it tells something else"
trial 0 investigator --at 253402300799999
says '"version": 2'
trial 1 investigator --at 1
says '"version": 0'
echo "done"
