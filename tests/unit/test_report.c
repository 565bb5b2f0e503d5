/* What operators are told of evidence, when a change of the roster moves validators up. */
#include "consensus/node/daemon_internal.h"
#include "tests/unit/node_rig.h"

static void keep_evidence(sy_store *store, const struct sy_public_key *against)
{
    struct sy_error err;
    struct sy_vote_write write = {.op = SY_VOTE_PUT_EVIDENCE,
                                  .key = {.type = SY_MESSAGE_COMMIT, .slot = 7},
                                  .value = sy_slice_of("two statements", 14)};
    memcpy(write.body.bytes, against->bytes, sizeof write.body.bytes);
    assert_int_equal(sy_votes_commit(store, &write, 1, &err), SY_OK);
}

CASE(evidence_is_told_of_who_it_is_against_whatever_his_place)
{
    static struct sy_daemon daemon;
    static struct sy_roster roster;
    struct node_rig rig;
    struct sy_store_config config = {.init = true};
    nrig_open(&rig, 1, 0);
    assert_int_equal(sy_store_open_memory(&daemon.store, &config), SY_OK);
    assert_int_equal(sy_store_reader_open(&daemon.reader, daemon.store), SY_OK);
    assert_int_equal(pthread_mutex_init(&daemon.snapshot.lock, NULL), 0);
    roster = rig.genesis.roster;
    daemon.node = rig.node;
    daemon.roster = &roster;
    keep_evidence(daemon.store, &roster.validators[3].consensus_key);
    sy_daemon_refresh(&daemon, rig.now_ns);
    assert_int_equal(daemon.snapshot.evidence[3], 1);

    roster.epoch = 1; /* validator 2 has left */
    roster.validators[2] = roster.validators[3];
    roster.count = 3;
    sy_daemon_refresh(&daemon, rig.now_ns);
    assert_int_equal(daemon.snapshot.evidence[3], 0);
    assert_int_equal(daemon.snapshot.evidence[2], 1);
    pthread_mutex_destroy(&daemon.snapshot.lock);
    sy_store_reader_close(daemon.reader);
    sy_store_close(daemon.store);
    nrig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(evidence_is_told_of_who_it_is_against_whatever_his_place),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
