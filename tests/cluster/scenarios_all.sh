#!/usr/bin/env bash
# scenarios_all.sh [LIES...]: every way of lying (liar.h) x every script that can have a liar in its
# network, each with a change of the view in the middle; `none` is a network that only changes its
# view. SYSTOLE_TEST_SEED chooses another liar. Ends with 1 if anything failed.
set -u

cd "$SYSTOLE_SOURCE" || exit 2
[ $# -gt 0 ] || set -- none proposals votes statuses views blocks,bodies slow shun silent submits \
    reads,notices proposals,votes,statuses,bodies,submits,reads,notices
failed=0
for lies in "$@"; do
    for script in test_scenarios test_records test_identity test_consents test_envelopes \
        test_export; do
        log=$SYSTOLE_SCRATCH/$lies.$script.log
        who=v0 ways=$lies halfway=yes begun=$SECONDS
        if [ "$lies" = none ]; then who= ways=; fi
        if [ "$lies" = silent ]; then halfway=; fi # the view has changed when it begins
        result=ok
        SYSTOLE_LIAR=$who SYSTOLE_LIES=$ways SYSTOLE_HALFWAY=$halfway \
            bash "tests/cluster/$script.sh" >"$log" 2>&1 || result="FAILED, $log:"
        echo "$lies: $script: $result ($((SECONDS - begun)) s)"
        [ "$result" = ok ] || {
            failed=1
            grep -v '^{"t"' "$log" | tail -n 12
        }
    done
done
exit $failed
