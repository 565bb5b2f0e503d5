/* test_api_reads.c: what the client port tells of patients is noted before it is told, or not told.
 * ctest: threaded timeout=300 */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/read.h"
#include "core/wire/notice.h"
#include "tests/unit/api_rig.h"

enum { VALIDATOR = 1 };

static struct api_rig rig;
static sy_dial *dial;
static char folder[64];
static uint8_t room[SY_TX_BYTES_MAX];

static int set_up(void **state)
{
    static sy_secret_key *key;
    (void)state;
    struct sy_genesis genesis;
    test_genesis(&genesis, CHAIN_VALIDATORS);
    memcpy(&key, &(const sy_secret_key *){test_key(3 * VALIDATOR)}, sizeof key);
    memcpy(folder, "/tmp/systole-reads-XXXXXX", 26);
    assert_non_null(mkdtemp(folder));
    struct sy_reads_config reads = {.folder = folder,
                                    .consensus = sy_signer_of_key(key),
                                    .validator = test_public(3 * VALIDATOR),
                                    .organisation =
                                        genesis.roster.validators[VALIDATOR].organisation,
                                    .delay_ns = 1000000,
                                    .kept_bytes_max = 1 << 20};
    arig_open_noting(&rig, &reads);
    dial = arig_dial(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sy_os_failpoint_arm(NULL, 0, NULL);
    sy_dial_close(dial);
    arig_close(&rig);
    assert_int_equal(sy_os_remove_tree(folder, NULL), SY_OK);
    return 0;
}

/* Leaves that are written down, whatever became of their files. */
static unsigned noted(struct sy_disclosed *last)
{
    char path[400];
    unsigned count = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        uint8_t *bytes, network[16];
        size_t size;
        struct sy_hash id;
        if (strstr(entry->d_name, ".leaves") == NULL) continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        assert_int_equal(sy_os_read_file(&bytes, &size, path, 1 << 20, NULL), SY_OK);
        struct sy_reader r = sy_reader_of(sy_slice_of(bytes, size));
        assert_true(sy_leaves_head_next(&r, network, &id));
        for (uint32_t i = 0; sy_leaves_entry_next(&r, last, &id, i); i++) count++;
        free(bytes);
    }
    (void)closedir(dir);
    return count;
}

/* The record.create in block 4, entry 0, place 0, read by a key. */
static struct sy_client_request read_tx(const sy_secret_key *key, struct sy_tx *tx)
{
    struct sy_client_request request = {.kind = SY_REQUEST_READ};
    struct sy_read_request *read = &request.body.read;
    struct sy_slice bytes = arig_tx(&rig, room, 4, 0, 0);
    assert_int_equal(sy_tx_decode(tx, NULL, bytes, NULL), SY_APPLIED);
    sy_tx_id(&read->id, tx);
    read->subject = SY_READ_TX;
    read->purpose = SY_PURPOSE_AUDIT;
    sy_read_sign(read, key, &rig.chain.genesis);
    return request;
}

static union sy_payload payload_of(const struct sy_tx *tx)
{
    union sy_payload payload;
    assert_true(sy_payload_decode(&payload, sy_kind_by_number(tx->kind), tx->payload, NULL));
    return payload;
}

CASE(what_is_told_of_a_patient_is_noted_first)
{
    struct sy_disclosed leaf;
    struct sy_reader body;
    struct sy_tx tx;
    struct sy_client_request request = read_tx(test_key(TEST_REGULATOR), &tx);
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_READ);
    assert_int_equal(noted(&leaf), 1);
    union sy_payload payload = payload_of(&tx);
    struct sy_public_key regulator = test_public(TEST_REGULATOR);
    struct sy_header header;
    sy_executor_head(rig.chain.executor, &header, &(struct sy_hash){{0}});
    assert_memory_equal(leaf.patient.bytes, payload.record_create.subject.bytes, 32);
    assert_memory_equal(leaf.record.bytes, payload.record_create.record_id.bytes, 32);
    assert_memory_equal(leaf.reader.bytes, regulator.bytes, 32);
    assert_int_equal(leaf.purpose, SY_PURPOSE_AUDIT);
    assert_int_equal(leaf.ground, SY_GROUND_OVERSIGHT);
    assert_true(leaf.time_ms == header.time_ms);
    assert_false(sy_hash_is_zero(&leaf.salt));
}

/* An observer can log nothing, so it tells nothing of a patient; what is about nobody it tells. */
CASE(an_observer_does_not_tell_what_is_to_be_noted)
{
    struct api_rig observer;
    struct sy_reader body;
    struct sy_tx tx;
    arig_open_observer(&observer);
    sy_dial *to = arig_dial(&observer);
    struct sy_client_request request = read_tx(test_key(TEST_REGULATOR), &tx);
    assert_int_equal(arig_refused(&observer, to, &request), SY_ANSWER_OBSERVER);
    struct sy_client_request ids = arig_ids(&observer, 4, test_key(TEST_REGULATOR));
    assert_int_equal(arig_call(&observer, to, &ids, &body), SY_ANSWER_IDS);
    sy_dial_close(to);
    arig_close(&observer);
}

CASE(what_is_told_of_nobody_is_not_noted)
{
    struct sy_disclosed leaf;
    struct sy_reader body;
    struct sy_tx tx;
    struct sy_client_request ids = arig_ids(&rig, 4, test_key(TEST_REGULATOR));
    assert_int_equal(arig_call(&rig, dial, &ids, &body), SY_ANSWER_IDS);
    assert_int_equal(noted(&leaf), 0);
    struct sy_client_request stranger = read_tx(test_key(77), &tx);
    assert_int_equal(arig_refused(&rig, dial, &stranger), SY_ANSWER_FORBIDDEN);
    assert_int_equal(noted(&leaf), 0);
}

CASE(what_cannot_be_noted_is_not_told)
{
    struct sy_disclosed leaf;
    struct sy_reader body;
    struct sy_tx tx;
    struct sy_client_request request = read_tx(test_key(TEST_REGULATOR), &tx);
    sy_os_failpoint_arm("reads.append", 1, "enospc+");
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_BUSY);
    assert_int_equal(noted(&leaf), 0);
    sy_os_failpoint_arm(NULL, 0, NULL);
    request = read_tx(test_key(TEST_REGULATOR), &tx);
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_READ);
    assert_int_equal(noted(&leaf), 1);
}

static struct sy_client_request ask_notices(const struct sy_hash *patient, uint64_t from)
{
    const struct sy_notices_asked asked = {SY_SUBJECT_PATIENT, *patient, from, 8, 0};
    struct sy_client_request request = {.kind = SY_REQUEST_READ};
    request.body.read.purpose = SY_PURPOSE_AUDIT;
    sy_read_notices(&request.body.read, &asked);
    sy_read_sign(&request.body.read, test_key(TEST_REGULATOR), &rig.chain.genesis);
    return request;
}

/* Or whoever waits for a patient's notices would make one by it. */
CASE(notices_are_noted_when_some_are_shown)
{
    struct sy_disclosed leaf;
    struct sy_reader body;
    struct sy_tx tx;
    (void)read_tx(test_key(TEST_REGULATOR), &tx);
    struct sy_hash patient = payload_of(&tx).record_create.subject;
    struct sy_client_request request = ask_notices(&patient, 1000000);
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_NOTICES);
    assert_int_equal(noted(&leaf), 0);
    const struct sy_notices_asked asked = {SY_SUBJECT_PATIENT, patient, 1, 8, SY_WAIT_MS_MAX};
    request = ask_notices(&patient, 1);
    sy_read_notices(&request.body.read, &asked); // until its follower has found them
    sy_read_sign(&request.body.read, test_key(TEST_REGULATOR), &rig.chain.genesis);
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_NOTICES);
    assert_in_range(noted(&leaf), 1, 8);
    assert_memory_equal(leaf.patient.bytes, patient.bytes, 32);
}

static void next_item(struct sy_inbox_item *item)
{
    struct pollfd fd = {.fd = sy_ring_fd(rig.inbox), .events = POLLIN};
    while (!sy_ring_pop(rig.inbox, item)) {
        assert_int_equal(poll(&fd, 1, TEST_PATIENCE_MS), 1);
    }
}

/* The log's transactions go to the pool as any client's, and nobody waits for their answer. */
CASE(logs_are_submitted_and_clients_are_answered_meanwhile)
{
    struct sy_inbox_item item;
    struct sy_reader body;
    struct sy_tx tx;
    struct sy_slice bytes;
    size_t offset = 0;
    struct sy_client_request request = read_tx(test_key(TEST_REGULATOR), &tx);
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_READ);
    next_item(&item);
    assert_int_equal(item.type, SY_INBOX_SUBMIT);
    const struct sy_inbox_submit *submit = (const struct sy_inbox_submit *)item.pointer;
    assert_int_equal(submit->request->body.submit.count, 1);
    assert_int_equal(submit->held[0], SY_APPLIED);
    assert_true(sy_submit_next(submit->request, &offset, &bytes));
    assert_int_equal(sy_tx_decode(&tx, NULL, bytes, sy_network_tag(&rig.chain.genesis)),
                     SY_APPLIED);
    assert_int_equal(tx.kind, SY_KIND_validator_signer);
    request = read_tx(test_key(TEST_REGULATOR), &tx);
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_READ);
    const struct sy_submit_outcome outcome = {.state = SY_TX_RECEIVED};
    sy_api_submitted(rig.api, item.number);
    sy_api_outcomes(rig.api, item.number, 1, &outcome);
    request = read_tx(test_key(TEST_REGULATOR), &tx);
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_READ);
}

#define WITH_API(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        WITH_API(what_is_told_of_a_patient_is_noted_first),
        WITH_API(what_is_told_of_nobody_is_not_noted),
        WITH_API(what_cannot_be_noted_is_not_told),
        WITH_API(an_observer_does_not_tell_what_is_to_be_noted),
        WITH_API(notices_are_noted_when_some_are_shown),
        WITH_API(logs_are_submitted_and_clients_are_answered_meanwhile),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
