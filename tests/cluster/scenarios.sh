# scenarios.sh: what is to hold for whoever uses the ledger, told on one network of real validators,
# each a function. They are sourced behind network.sh and signing.sh, in the order in which they
# stand here, and share hospitals a and b, a patient of a's and their keys (world).
#
# Numbers are those of the scenario list: 1 an altered record, 2 who may do what, 3 two hospitals at
# once, 6 every event, 12 nothing personal is left. Whoever adds another one adds scenario_N, which
# ends the script when it does not hold.
# shellcheck shell=bash

day_ms=86400000
now_ms() {
    echo $(($(date +%s) * 1000))
}

# credential ADMIN NAME ROLE ORGANISATION
credential() {
    new_key "$2"
    applied cred.issue "$1" - "$2" subject_key="$(public "$2")" role="$3" specialty= org_id="$4" \
        scope= x25519_key="$(public "$2")" not_before=now not_after=$(($(now_ms) + day_ms)) \
        break_glass=true
}
register() { # NAME: an organisation, its admin and its doctor
    new_key "admin_$1"
    random_id >"$scratch/org_$1"
    applied org.register regulator "admin_$1" "admin_$1" org_id="$(cat "$scratch/org_$1")" \
        kind=hospital name_hash="$(random_id)" admin_key="$(public "admin_$1")" \
        x25519_key="$(public "admin_$1")" endpoints= gs1_prefixes=
    credential "admin_$1" "doctor_$1" doctor "$(cat "$scratch/org_$1")"
}
# committed TEXT: form, commitment and size of a content, as fields.
committed() {
    printf '%s' "$1" >"$scratch/content"
    "$bin/systole" record commit --json "$scratch/content" >"$scratch/made"
    echo "form=raw commit=$(field commit <"$scratch/made") size=$(field size <"$scratch/made")"
}
create() { # WORD... AUTHOR ROLE RECORD: as `applied` or `refused CODE`
    local record=${*: -1} role=${*: -2:1} author=${*: -3:1}
    # shellcheck disable=SC2046 # each word is a field
    "${@:1:$#-3}" record.create "$author" - - record_id="$record" subject_kind=patient \
        subject="$patient" class=Observation $(committed "$record") author_role="$role" \
        patient_reported=false parents=
}

world() {
    register a
    register b
    credential admin_a nurse nurse "$(cat "$scratch/org_a")"
    new_key wallet
    patient=$(random_id)
    applied patient.enrol admin_a wallet wallet patient_id="$patient" \
        wallet_key="$(public wallet)" guardian_needed=0 guardians=
    new_key device
    applied device.register admin_a - device device_id="$(random_id)" \
        device_key="$(public device)" org_id="$(cat "$scratch/org_a")" owner_kind=patient \
        owner="$patient" udi_commit="$(random_id)" class="infusion pump" not_before=now \
        not_after=$(($(now_ms) + day_ms))
}

# --- 1: a byte of an imported body is altered ---------------------------------------------------

verified() { # FILE WORDS...: what `record verify` says of it has each of them
    local file=$1 word
    shift
    "$bin/systole" record verify --net "$net" "$scratch/$file" >"$scratch/said" 2>&1 || true
    for word in "$@"; do
        grep -q "$word" "$scratch/said" || fail "$file: no '$word' in $(cat "$scratch/said")"
    done
}
scenario_1() {
    cat >"$scratch/in.ndjson" <<'END'
{"resourceType":"Organization","id":"org1","name":"North"}
{"resourceType":"Patient","id":"p1","managingOrganization":{"reference":"Organization/org1"}}
{"resourceType":"Observation","id":"o1","status":"final","subject":{"reference":"Patient/p1"},"n":1}
END
    "$bin/systole" submit --net "$net" "$scratch/in.ndjson" >"$scratch/out" 2>&1 ||
        fail "the import: $(cat "$scratch/out")"
    sed -n 3p "$scratch/in.ndjson" >"$scratch/first.ndjson"
    sed 's/"n":1/"n":3/' "$scratch/first.ndjson" >"$scratch/altered.ndjson"
    sed 's/"final"/"amended"/' "$scratch/first.ndjson" >"$scratch/second.ndjson"
    verified first.ndjson ": registered" "version 1"
    verified altered.ndjson ": altered" "newest is version 1, registered by gateway [0-9a-f]* of"
    "$bin/systole" submit --net "$net" "$scratch/second.ndjson" >"$scratch/out" 2>&1 ||
        fail "the amendment: $(cat "$scratch/out")"
    verified first.ndjson "older version 1 of 2"
    verified second.ndjson ": registered" "version 2"
    verified altered.ndjson ": altered" "newest is version 2"
}

# --- 2: who may do what -------------------------------------------------------------------------

# rule KIND ROLE: "applied" or a code, as the table of who may do what has it for a key to which the
# thing is its own.
rule() {
    awk -F '|' -v kind="== $1" -v role="$2" '
        /^== / { on = $0 == kind }
        on && NF == 2 {
            split($2, codes, " ")
            count = split($1, roles, ",")
            for (i = 1; i <= count; i++) {
                gsub(/^ +| +$/, "", roles[i])
                if (roles[i] == role) named = codes[1]
                if (roles[i] == "others") others = codes[1]
            }
        }
        END { print named != "" ? named : others }
    ' "$SYSTOLE_SOURCE/tests/data/contracts/who_may.txt"
}
tries() { # ROLE KIND PROVER FIELD...: it gets what the table says
    local role=$1 kind=$2 prover=$3 want who=$1
    shift 3
    if [ "$role" = patient ]; then who=wallet; fi
    if [ "$role" = doctor ]; then who=doctor_a; fi
    want=$(rule "$kind" "$role")
    case $want in
    applied) applied "$kind" "$who" - "$prover" "$@" ;;
    E_*) refused "$want" "$kind" "$who" - "$prover" "$@" ;;
    *) fail "the table has no $kind for $role" ;;
    esac
    echo "$kind $role $want" >>"$scratch/tried"
}
tries_all() { # ROLE
    local role=$1 day=$(($(now_ms) + day_ms))
    local care=(class=Observation author_role="$role"
        patient_reported=false form=raw commit="$(random_id)" size=1024)
    scratch=$scratch/$role
    mkdir -p "$scratch"
    new_key "fresh_$role"
    tries "$role" record.create - "${care[@]}" record_id="$(random_id)" subject_kind=patient \
        subject="$patient" parents=
    tries "$role" record.contribute - "${care[@]}" record_id="$(random_id)" \
        patient_id="$patient" relation=derived parents="$parent"
    tries "$role" consent.grant - consent_id="$(random_id)" patient_id="$patient" \
        grantee_kind=organisation grantee="$org_c" actions=read purposes=treatment classes= \
        labels= from=0 until="$day"
    tries "$role" access.breakglass - break_id="$(random_id)" patient_id="$patient" \
        reason="danger to life" until=$(($(now_ms) + 3600000))
    tries "$role" cred.issue "fresh_$role" subject_key="$(public "fresh_$role")" role=nurse \
        specialty= org_id="$org_a" scope= x25519_key="$(public "fresh_$role")" not_before=now \
        not_after="$day"
    tries "$role" patient.enrol - patient_id="$(random_id)" guardian_needed=0 guardians=
}
scenario_2() {
    local role lanes=()
    parent=$(random_id)
    org_a=$(cat "$scratch/org_a")
    org_c=$(cat "$scratch/org_b")
    create applied doctor_a doctor "$parent"
    for role in doctor nurse patient device; do
        (tries_all "$role") >"$scratch/tries.$role" 2>&1 &
        lanes+=($!)
    done
    for role in doctor nurse patient device; do
        wait "${lanes[0]}" || fail "$(cat "$scratch/tries.$role")"
        lanes=("${lanes[@]:1}")
    done
    [ "$(cat "$scratch"/*/tried | wc -l)" -eq 24 ] || fail "not 24 cells were tried"
    [ "$(cat "$scratch"/*/tried | grep -c applied)" -ge 6 ] || fail "hardly anything is allowed"
    "$bin/systole" get --net "$net" --key "$keys/device.pem" record "$parent" \
        >"$scratch/out" 2>&1 && fail "a device sees the patient's record"
    "$bin/systole" get --net "$net" --key "$keys/wallet.pem" record "$parent" \
        >"$scratch/out" 2>&1 || fail "the patient does not see it: $(cat "$scratch/out")"
}

# --- 3: two hospitals amend one record at once --------------------------------------------------

scenario_3() {
    local record one side heads
    record=$(random_id)
    create applied doctor_a doctor "$record"
    applied consent.grant wallet - - consent_id="$(random_id)" patient_id="$patient" \
        grantee_kind=organisation grantee="$(cat "$scratch/org_b")" actions=read,write \
        purposes=treatment,operations classes= labels= from=0 until=$(($(now_ms) + day_ms))
    for side in a b; do
        # shellcheck disable=SC2046
        draft "$scratch/draft_$side" record.amend doctor_$side - - record_id="$record" \
            prev_version=1 $(committed "branch $side") author_role=doctor reason=addition \
            branch=true
    done
    "$bin/systole" tx send --net "$net" "$scratch/draft_a" >"$scratch/sent_a" 2>&1 &
    one=$!
    "$bin/systole" tx send --net "$net" "$scratch/draft_b" >"$scratch/sent_b" 2>&1 ||
        fail "b's branch: $(cat "$scratch/sent_b")"
    wait $one || fail "a's branch: $(cat "$scratch/sent_a")"
    for heads in 1,2 2,3 2,3; do
        # shellcheck disable=SC2046
        apply record.merge doctor_a - - record_id="$record" heads="$heads" \
            $(committed "joined $heads") author_role=doctor resolution_hash="$(random_id)" || true
        cat "$scratch/sent" >>"$scratch/merges"
    done
    [ "$(grep -c "E_STALE_HEAD" "$scratch/merges")" -eq 2 ] || fail "$(cat "$scratch/merges")"
    "$bin/systole" record history --net "$net" --key "$keys/wallet.pem" "$record" \
        >"$scratch/history" 2>&1 || fail "no history: $(cat "$scratch/history")"
    [ "$(grep -c "^version" "$scratch/history")" -eq 4 ] || fail "$(cat "$scratch/history")"
    [ "$(grep -c "(head)" "$scratch/history")" -eq 1 ] || fail "$(cat "$scratch/history")"
    grep -q "^version 4 (head), joins 2 and 3" "$scratch/history" || fail "nothing joins them"
}

# --- 6: the patient gets every event ------------------------------------------------------------

# counted: how many events the ledger has counted about the patient.
counted() {
    "$bin/systole" get --net "$net" --key "$keys/wallet.pem" --purpose self --json patient \
        "$patient" | field events
}
scenario_6() { # VALIDATOR: that is killed
    local watcher import number i
    "$bin/systole" watch --net "$net" --key "$keys/wallet.pem" --from 1 --json "$patient" \
        >"$scratch/watched" 2>"$scratch/watch.err" &
    watcher=$!
    "$bin/systole" submit --net "$net" "$SYSTOLE_SOURCE/tests/data/fhir" >"$scratch/import" 2>&1 &
    import=$!
    create applied doctor_a doctor "$(random_id)"
    end "$1" KILL 2>/dev/null
    kill -9 $import 2>/dev/null || true
    wait $import 2>/dev/null || true
    start "$1"
    for i in 1 2 3; do create applied doctor_a doctor "$(random_id)"; done
    "$bin/systole" submit --net "$net" --resume "$SYSTOLE_SOURCE/tests/data/fhir" \
        >"$scratch/import" 2>&1 ||
        "$bin/systole" submit --net "$net" "$SYSTOLE_SOURCE/tests/data/fhir" \
            >"$scratch/import" 2>&1 || fail "the import goes not on: $(cat "$scratch/import")"
    number=$(counted)
    [ "$number" -ge 10 ] || fail "only $number events"
    for i in $(seq 300); do
        [ "$(wc -l <"$scratch/watched")" -lt "$number" ] || break
        sleep 0.1
    done
    kill $watcher
    wait $watcher 2>/dev/null || true
    sed -n 's/^{"number":\([0-9]*\),"shown":true,.*/\1/p' "$scratch/watched" >"$scratch/numbers"
    [ "$(tr '\n' ' ' <"$scratch/numbers")" = "$(seq -s ' ' "$number") " ] ||
        fail "of $number events: $(tr '\n' ' ' <"$scratch/numbers") $(cat "$scratch/watch.err")"
}

# --- 12: nothing personal is left on any validator ----------------------------------------------

# What is personal in the import below, as it stands there; a needle a line.
personal() {
    cat <<'END'
Quirinius-Obermaier
Zenobia Thekla
MRN-77120045-X
0176-5550199
Kastanienweg 77b
zenobia@obermaier.example
1961-04-23
urticaria after penicillin
DROP TABLE patients
%s%n%08x
level":"error
<script>alert(
../../../../etc/shadow
Wohnungsschlüssel
GWJ-4471-KK
END
}
# A resource a line; what is indented goes on with the one before.
hostile() {
    sed -z 's/\n *\([^{ ]\)/\1/g' <<'END'
{"resourceType":"Organization","id":"h-org","name":"Ward Quirinius-Obermaier"}
{"resourceType":"Patient","id":"h-p","managingOrganization":{"reference":"Organization/h-org"}
 ,"identifier":[{"system":"urn:mrn","value":"MRN-77120045-X"}
 ,{"system":"urn:card","value":"GWJ-4471-KK"}]
 ,"name":[{"family":"Quirinius-Obermaier","given":["Zenobia Thekla"]}]
 ,"telecom":[{"value":"0176-5550199"},{"value":"zenobia@obermaier.example"}]
 ,"birthDate":"1961-04-23","address":[{"line":["Kastanienweg 77b"]}]}
{"resourceType":"Observation","id":"h-o1","status":"final","subject":{"reference":"Patient/h-p"
 ,"display":"Zenobia Thekla"}
 ,"valueString":"urticaria after penicillin'); DROP TABLE patients;--"}
{"resourceType":"Observation","id":"h-o2","status":"final","subject":{"reference":"Patient/h-p"}
 ,"note":[{"text":"%s%n%08x\",\"level\":\"error"}
 ,{"text":"<script>alert(1)</script> ../../../../etc/shadow Wohnungsschlüssel"}]}
END
}
# Lines that cannot be taken, which a log might quote. (What the importer tells whoever imports may
# name what is wrong with them.)
broken() {
    printf '%s\n' \
        '{"resourceType":"Patient","id":"Quirinius-Obermaier","name":[{"family":"Zenobia' \
        '{"resourceType":"urticaria after penicillin","id":"MRN-77120045-X"}' \
        '{"resourceType":"Observation","id":"h-x","subject":{"reference":"Kastanienweg 77b"}}'
}
# found_in PATH...: the needles that are found there, in any file.
found_in() {
    grep -r -a -o -h -F -f "$scratch/needles" "$@" | sort -u || true
}
metrics_of() { # VALIDATOR
    local port
    port=$(sed -n 's|^http = tcp://127.0.0.1:||p' "$net/$1/systoled.conf")
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
    cat <&3
    exec 3>&-
}
scenario_12() {
    local i name imported commits
    personal >"$scratch/needles"
    hostile >"$scratch/hostile.ndjson"
    broken >"$scratch/broken.ndjson"
    [ "$(found_in "$scratch/hostile.ndjson" | wc -l)" -ge $(($(personal | wc -l) - 1)) ] ||
        fail "the import does not have what is looked for: $(found_in "$scratch/hostile.ndjson")"
    "$bin/systole" submit --net "$net" "$scratch/hostile.ndjson" >"$scratch/out" 2>&1 ||
        fail "the import: $(cat "$scratch/out")"
    "$bin/systole" submit --net "$net" "$scratch/broken.ndjson" >"$scratch/told_broken" 2>&1 &&
        fail "what is broken was taken"
    sed -n 3p "$scratch/hostile.ndjson" >"$scratch/h1.ndjson"
    sed -n 4p "$scratch/hostile.ndjson" >"$scratch/h2.ndjson"
    verified h1.ndjson ": registered"
    verified h2.ndjson ": registered"
    mkdir -p "$scratch/metrics"
    for i in 0 1 2 3; do metrics_of "v$i" >"$scratch/metrics/v$i"; done
    grep -q systole_node_height_certified "$scratch/metrics/v1" || fail "no metrics"
    "$bin/systole" record verify --net "$net" --json "$scratch/h1.ndjson" >"$scratch/said" || true
    imported=$(field record <"$scratch/said")
    commits=$("$bin/systole" get --net "$net" record "$imported" --version 1 --json |
        grep -o '"commit": *"[0-9a-f]*' | sed -n '1s/.*"//p')
    salt_is_left "$commits" || fail "no salt, and nothing was erased: $(cat "$scratch/scan")"
    "$bin/systole" record erase --net "$net" --basis "legal duty" --cosign "$regulator" \
        "$imported" >"$scratch/sent" 2>&1 || fail "not erased: $(cat "$scratch/sent")"
    verified h1.ndjson "erased"
    verified h2.ndjson ": registered"
    for name in v0 v1 v2 v3 client; do
        [ -z "$(found_in "$net/$name")" ] || fail "$name has $(found_in "$net/$name")"
    done
    [ -z "$(found_in "$scratch/metrics" "$scratch/out")" ] ||
        fail "told: $(found_in "$scratch/metrics" "$scratch/out")"
    erased=$commits
}
# salt_is_left COMMIT: the salt of the first hostile observation is somewhere.
salt_is_left() {
    local code=0
    printf '%s' "$(cat "$scratch/h1.ndjson")" >"$scratch/bytes"
    "$bin/systole-salts" "$1" "$scratch/bytes" "$net/client" "$net"/v? >"$scratch/scan" || code=$?
    [ $code -le 1 ] || fail "the scan: $(cat "$scratch/scan")"
    [ $code -eq 1 ]
}
