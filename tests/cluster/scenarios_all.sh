#!/usr/bin/env bash
# scenarios_all.sh [-j N] [LIES...] [test_NAME...]: every way of lying (liar.h) x every script that
# can have a liar in its network, each with a change of the view in the middle; `none` is a network
# that only changes its view. Names of scripts choose among them, -j plays N at a time.
# SYSTOLE_TEST_SEED draws the lies. Ends with 1 if anything failed.
set -u

cd "$SYSTOLE_SOURCE" || exit 2
jobs=1
if [ "${1:-}" = -j ]; then
    [[ "${2:-}" =~ ^[1-9][0-9]?$ ]] || {
        echo "scenarios: -j takes a number, 1 to 99" >&2
        exit 2
    }
    jobs=$2
    shift 2
fi
ways=() scripts=()
for word in "$@"; do
    case $word in
    test_*)
        [ -e "tests/cluster/$word.sh" ] || {
            echo "scenarios: there is no tests/cluster/$word.sh" >&2
            exit 2
        }
        scripts+=("$word")
        ;;
    *) ways+=("$word") ;;
    esac
done
[ ${#ways[@]} -gt 0 ] || ways=(none proposals votes statuses views blocks,bodies slow shun silent
    submits reads,notices proposals,votes,statuses,bodies,submits,reads,notices)
[ ${#scripts[@]} -gt 0 ] || scripts=(test_scenarios test_records test_identity test_consents
    test_envelopes test_export test_claims test_money test_goods test_trial test_streams
    test_research)

# play LIES SCRIPT: one run; tells how it went.
play() {
    local lies=$1 script=$2 log=$SYSTOLE_SCRATCH/$1.$2.log who=v0 lied=$1 halfway=yes
    local begun=$SECONDS result=ok
    if [ "$lies" = none ]; then who= lied=; fi
    if [ "$lies" = silent ]; then halfway=; fi # the view has changed when it begins
    SYSTOLE_LIAR=$who SYSTOLE_LIES=$lied SYSTOLE_HALFWAY=$halfway \
        bash "tests/cluster/$script.sh" >"$log" 2>&1 || result="FAILED, $log:"
    echo "$lies: $script: $result ($((SECONDS - begun)) s)"
    [ "$result" = ok ] || {
        grep -v '^{"t"' "$log" | tail -n 12
        return 1
    }
}

failed=0 running=0
for lies in "${ways[@]}"; do
    for script in "${scripts[@]}"; do
        if [ "$running" -eq "$jobs" ]; then
            wait -n || failed=1
            running=$((running - 1))
        fi
        play "$lies" "$script" &
        running=$((running + 1))
    done
done
while [ "$running" -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
exit $failed
