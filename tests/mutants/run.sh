#!/usr/bin/env bash
# run.sh [--by JUDGE]... [NAME...]: plants the faults of mutants.txt, or those named, one after the
# other, and says which test finds each. ctest does not run it: ./run mutants does. --by leaves out
# all judges but these: transcripts alone kill most, and then nothing is said about the others.
#
# The sources are copied to build/mutants/src; this tree is never touched. The control comes first:
# the copy as it is must pass every judge. Then, a mutant at a time: its lines change, the judges
# are built and run in the order below until one fails, the lines change back. A judge whose program
# is the control's, byte by byte, does not hold the change, and is passed over. A mutant that does
# not apply or compile, or changes no judge, is an error, and no kill.
#
# Exit status 0: the control passed and every mutant was killed; 1: not so; 2: it was not tried.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/mutants
src=$work/src
out=$work/out
logs=$work/logs
table=$here/mutants.txt
jobs=${SYSTOLE_MUTANT_JOBS:-2}
# A judge that runs this long hangs; the slowest takes a small part of it on a loaded machine.
hangs_after=600

# The judges, the quickest first: a name, the program, its arguments.
judges="
transcripts  tests/test_pbft_transcripts
message      tests/test_pbft_message
may          tests/test_may
consent      tests/test_ledger_consent
delegate     tests/test_ledger_delegate
emergency    tests/test_ledger_access
rotation     tests/test_ledger_keys
merge        tests/test_ledger_merge
who_may      tests/test_who_may
ed25519      tests/test_ed25519
key_tables   tests/test_key_tables
sizes        tests/test_engine_sizes
view_change  tests/test_wire_view_change
roster       tests/test_wire_roster
changes      tests/test_wire_roster_change
validator    tests/test_ledger_validator
signer       tests/test_ledger_signer
disclosed    tests/test_wire_disclosed
access       tests/test_access
notices      tests/test_access_notices
reads        tests/test_node_reads
api_reads    tests/test_api_reads
rosters      tests/test_ledger_rosters
governance   tests/test_ledger_governance
bounds       tests/test_pbft_bounds
pool_admit   tests/test_pool_admit
pool_ingress tests/test_pool_ingress
node_loop    tests/test_node_loop
requests     tests/test_node_requests
envelope     tests/test_ledger_envelope
record_graph tests/test_ledger_record_graph
record_erase tests/test_ledger_record_erase
places       tests/test_ledger_places
export       tests/test_ledger_export
goods        tests/test_ledger_goods
recall       tests/test_ledger_recall
exception    tests/test_ledger_exception
cold         tests/test_ledger_cold
excursion    tests/test_ledger_excursion
stream       tests/test_ledger_stream
stream_grant tests/test_ledger_stream_consent
streams      tests/test_stream_random
samples      tests/test_samples
trial        tests/test_ledger_trial
trial_data   tests/test_ledger_trial_data
research     tests/test_ledger_research
research_re  tests/test_ledger_research_result
trace        tests/test_trace
wire_money   tests/test_wire_money
claim_rules  tests/test_claim_rules
claims       tests/test_ledger_claims
auth         tests/test_ledger_auth
payments     tests/test_ledger_payments
settle       tests/test_ledger_settle
contest      tests/test_ledger_contest
priors       tests/test_ledger_priors
fraud        tests/test_ledger_fraud
death        tests/test_ledger_death
client_salts tests/test_client_salts
wire_find    tests/test_wire_find
bring        tests/test_bring
at_time      tests/test_at_time
valid        tests/test_valid
valid_ask    tests/test_valid_ask
record_check tests/test_record_check
layout       tests/test_import_layout
card         tests/test_card
sealed       tests/test_systole_sealed
resend       tests/test_resend
history      tests/test_history
history_make tests/test_history_make
asker        tests/test_asker
watch        tests/test_watch
suspension   tests/test_ledger_suspension
notices_of   tests/test_access_notices
api_find     tests/test_api_find
api_notices  tests/test_api_notices
directory    tests/directory_suite
x12          tests/test_x12
bill         tests/test_bill
remit        tests/test_remit
epcis        tests/test_epcis
edges        tests/engine_edges_suite
sim_4        bin/systole-sim --seeds 1..100 --validators 4 --jobs 2
sim_6        bin/systole-sim --seeds 1..50 --validators 6 --jobs 2
world        tests/test_pbft_world
whole        tests/test_pbft_whole"

die() {
    echo "mutants: $*" >&2
    exit 2
}

# each_judge COMMAND...: runs COMMAND... NAME PROGRAM ARGUMENT... for one after the other, until it
# fails.
each_judge() {
    local line
    while read -r line; do
        [ -z "$by" ] || [[ " $by " = *" ${line%% *} "* ]] || continue
        # The words of a line are meant to be split.
        # shellcheck disable=SC2086
        [ -z "$line" ] || "$@" $line </dev/null || return 1
    done <<<"$judges"
}

# --- the copy ------------------------------------------------------------------------------------

# Only what differs is copied, and is newer than what was built from it.
copy_sources() {
    mkdir -p "$src" "$logs"
    local list=$work/files file
    (cd "$root" && find . -path ./build -prune -o -path ./.git -prune -o -type f -print) |
        sort >"$list"
    (cd "$src" && find . -type f) | sort | comm -13 "$list" - |
        while read -r file; do rm "$src/$file"; done
    while read -r file; do
        cmp -s "$root/$file" "$src/$file" && continue
        mkdir -p "$(dirname "$src/$file")"
        cp "$root/$file" "$src/$file" || exit 2
    done <"$list"
}

configure() {
    # What a mutant leaves unused is no error of it.
    (cd "$src" && CC=gcc cmake --preset dev -B "$out" -DSYSTOLE_WERROR=OFF) \
        >"$logs/configure.log" 2>&1 || {
        tail -20 "$logs/configure.log" >&2
        die "the copy does not configure"
    }
}

# --- the table -----------------------------------------------------------------------------------

names() {
    sed -n 's/^= \([a-z0-9_]*\): .*/\1/p' "$table"
}

meaning() {
    sed -n "s/^= $1: //p" "$table"
}

# hunks NAME: its lines.
hunks() {
    awk -v name="$1" '/^=/ { inside = ($2 == name ":"); next } /^#/ { next } inside && NF' "$table"
}

# replace FILE OLD NEW: in the copy, if OLD stands there once.
replace() {
    local file=$src/$1 text rest
    [ -f "$file" ] || { echo "there is no $1"; return 1; }
    text=$(cat "$file" && echo x) # command substitution would eat empty lines at the end
    text=${text%x}
    rest=${text#*"$2"}
    [ "$rest" != "$text" ] || { echo "$1 has no such lines:"; echo "$2"; return 1; }
    [ "${rest#*"$2"}" = "$rest" ] || { echo "$1 has these lines twice:"; echo "$2"; return 1; }
    printf '%s' "${text%%"$2"*}$3$rest" >"$file"
}

# apply NAME: changes the copy. On failure it says why.
apply() {
    local line file= old= new=
    while IFS= read -r line; do
        case $line in
        @*)
            [ -z "$file" ] || replace "$file" "$old" "$new" || return 1
            file=${line#@ } old= new=
            ;;
        -*) old+=${line#-}$'\n' ;;
        +*) new+=${line#+}$'\n' ;;
        ' '*) old+=${line# }$'\n' new+=${line# }$'\n' ;;
        *) echo "mutants.txt: $line"; return 1 ;;
        esac
    done < <(hunks "$1")
    [ -n "$file" ] || { echo "there is no such mutant"; return 1; }
    replace "$file" "$old" "$new"
}

# restore NAME: the files that it changed, as they are in the tree.
restore() {
    local file
    for file in $(hunks "$1" | sed -n 's/^@ //p' | sort -u); do
        [ -f "$root/$file" ] && cp "$root/$file" "$src/$file"
    done
}

# --- judging -------------------------------------------------------------------------------------

# What a judge is built into.
build() {
    nice -n 10 cmake --build "$out" -j "$jobs" --target "${1##*/}"
}

# run_judge LOG PROGRAM ARGUMENT...
run_judge() {
    local log=$1 program=$2
    shift 2
    (
        cd "$out/scratch" && ulimit -c 0 || exit 1
        export SYSTOLE_SOURCE=$src SYSTOLE_BIN=$out/bin SYSTOLE_SCRATCH=$out/scratch
        export SYSTOLE_BUILD=$out SYSTOLE_TEST_SEED=1
        timeout -k 10 "$hangs_after" nice -n 10 "$out/$program" "$@"
        exit $? # so that this shell tells of a signal, in the log
    ) >"$log" 2>&1
}

control_judge() {
    local name=$1 program=$2 start=$SECONDS
    shift 2
    build "$program" >"$logs/control-build-$name.log" 2>&1 || {
        tail -20 "$logs/control-build-$name.log" >&2
        die "the control does not build"
    }
    run_judge "$logs/control-$name.log" "$program" "$@" || {
        tail -20 "$logs/control-$name.log" >&2
        printf '%-34s FAILED by %s\n' control "$name"
        return 1
    }
    cksum <"$out/$program" >"$work/control-$name.sum"
    printf '%-34s passed %-14s %4d s\n' control "$name" $((SECONDS - start))
}

# judge MUTANT NAME PROGRAM ARGUMENT...: fails when the mutant is found or does not build; the word
# for it is left in $verdict.
judge() {
    local mutant=$1 name=$2 program=$3
    local log=$logs/$mutant-$name.log
    shift 3
    build "$program" >"$logs/$mutant-build.log" 2>&1 || {
        verdict="ERROR: does not compile"
        return 1
    }
    cksum <"$out/$program" | cmp -s - "$work/control-$name.sum" && return 0
    changed=yes
    run_judge "$log" "$program" "$@"
    local status=$?
    [ "$status" -eq 0 ] && return 0
    verdict="$name"
    [ "$status" -ne 124 ] || verdict="$name, which hung"
    return 1
}

try() {
    local mutant=$1 start=$SECONDS why
    verdict= changed=
    if ! why=$(apply "$mutant"); then
        echo "$why" >&2
        verdict="ERROR: does not apply"
    elif each_judge judge "$mutant"; then
        verdict=SURVIVED
        [ -n "$changed" ] || verdict="ERROR: changes no judge"
    fi
    restore "$mutant"
    case $verdict in
    SURVIVED | ERROR*) bad=$((bad + 1)) ;;
    esac
    printf '%-34s %-26s %4d s  %s\n' "$mutant" "$verdict" $((SECONDS - start)) \
        "$(meaning "$mutant")"
}

main() {
    local mutant chosen bad=0 count=0 start=$SECONDS
    by=
    while [ "${1:-}" = --by ]; do
        [[ "$judges" = *$'\n'"${2:-} "* ]] ||
            die "there is no judge '${2:-}'; there are:" $(echo "$judges" | sed 's/ .*//')
        by="$by $2"
        shift 2
    done
    chosen=${*:-$(names)}
    for mutant in $chosen; do
        names | grep -qx "$mutant" || die "mutants.txt has no mutant '$mutant'; it has:" $(names)
    done
    copy_sources
    configure
    each_judge control_judge || exit 1
    printf '\n%-34s %-26s\n' mutant "killed by"
    for mutant in $chosen; do
        try "$mutant"
        count=$((count + 1))
    done
    printf '\n%d mutants, %d not killed, %d s (logs: build/mutants/logs)\n' "$count" "$bad" \
        $((SECONDS - start))
    [ "$bad" -eq 0 ]
}

main "$@"
