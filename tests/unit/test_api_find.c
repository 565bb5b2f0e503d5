/* test_api_find.c: searching the directory on the client port: the index follows the ledger, is
 * searched in pages, can be made again, and the ledger does not read it.
 * ctest: threaded timeout=300 */
#include <stdlib.h>
#include <time.h>

#include "core/client/read.h"
#include "tests/support/stores.h"
#include "tests/unit/api_rig.h"

static struct sy_client_request ask_as(const struct api_rig *rig, const struct sy_find *query,
                                       const sy_secret_key *key)
{
    struct sy_client_request request = {.kind = SY_REQUEST_FIND};
    request.body.find.read.purpose = SY_PURPOSE_OPERATIONS;
    request.body.find.query = *query;
    sy_read_find(&request.body.find.read, query);
    sy_read_sign(&request.body.find.read, key, &rig->chain.genesis);
    return request;
}

static void ask(struct api_rig *rig, sy_dial *dial, struct sy_found *found,
                const struct sy_find *query)
{
    struct sy_reader body;
    struct sy_client_request request = ask_as(rig, query, test_key(TEST_REGULATOR));
    assert_int_equal(arig_call(rig, dial, &request, &body), SY_ANSWER_FOUND);
    assert_true(sy_found_decode(&body, found));
    assert_true(found->count <= query->max);
}

/* Until the index has come as far as the ledger. */
static void catch_up(struct api_rig *rig, sy_dial *dial)
{
    const struct sy_find query = {.what = SY_STATE_ORG, .max = 1};
    const struct timespec pause = {.tv_nsec = 20000000};
    struct sy_found found;
    do {
        (void)nanosleep(&pause, NULL);
        ask(rig, dial, &found, &query);
    } while (found.next <= sy_ledger_certified(rig->chain.store));
}

/* How many there are in all, in pages of `max`; each in its order and once. */
static unsigned count_all(struct api_rig *rig, sy_dial *dial, struct sy_find query, uint16_t max)
{
    struct sy_found found;
    struct sy_hash last = {{0}};
    unsigned count = 0;
    query.max = max;
    do {
        ask(rig, dial, &found, &query);
        for (unsigned i = 0; i < found.count; i++) {
            assert_true(count == 0 || memcmp(last.bytes, found.ids[i].bytes, 32) < 0);
            last = found.ids[i];
            count++;
        }
        query.has_behind = true;
        query.behind = found.last;
    } while (found.more);
    return count;
}

/* The population: 2 organisations with an admin each, 3 gateways in all, 6 patients; a regulator of
 * the genesis. */
#define ORGS 2u
#define GATEWAYS 3u

CASE(api_finds_organisations_and_credentials)
{
    struct api_rig rig;
    struct sy_found found;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    catch_up(&rig, dial);
    struct sy_find orgs = {.what = SY_STATE_ORG, .max = SY_FIND_MAX};
    ask(&rig, dial, &found, &orgs);
    assert_int_equal(found.count, ORGS);
    assert_true(found.from == 0 && !found.more);
    struct sy_hash first = found.ids[0];
    // By the beginning of an id, half a byte of it too.
    struct sy_find by_id = orgs;
    for (by_id.digits = 1; by_id.digits <= 64; by_id.digits++) {
        memset(&by_id.prefix, 0, sizeof by_id.prefix);
        memcpy(by_id.prefix.bytes, first.bytes, by_id.digits / 2);
        if (by_id.digits % 2 == 1) {
            by_id.prefix.bytes[by_id.digits / 2] = first.bytes[by_id.digits / 2] & 0xf0;
        }
        ask(&rig, dial, &found, &by_id);
        assert_true(found.count >= 1 && sy_hash_equal(&found.ids[0], &first));
    }
    by_id.digits = 64;
    by_id.prefix.bytes[31] ^= 1;
    ask(&rig, dial, &found, &by_id);
    assert_int_equal(found.count, 0);
    // Nobody is suspended.
    orgs.active = SY_FIND_INACTIVE;
    ask(&rig, dial, &found, &orgs);
    assert_int_equal(found.count, 0);

    struct sy_find credentials = {.what = SY_STATE_CREDENTIAL, .max = SY_FIND_MAX};
    unsigned all = count_all(&rig, dial, credentials, SY_FIND_MAX);
    assert_int_equal(all, rig.chain.genesis.regulator_count + ORGS + GATEWAYS); // and no patients
    credentials.role = SY_ROLE_GATEWAY;
    assert_int_equal(count_all(&rig, dial, credentials, SY_FIND_MAX), GATEWAYS);
    credentials.active = SY_FIND_ACTIVE;
    assert_int_equal(count_all(&rig, dial, credentials, 1), GATEWAYS);
    credentials.has_organisation = true;
    credentials.organisation = first;
    unsigned of_first = count_all(&rig, dial, credentials, 2);
    assert_true(of_first >= 1 && of_first < GATEWAYS);
    credentials.role = SY_ROLE_PATIENT;
    credentials.has_organisation = false;
    credentials.active = SY_FIND_ANY;
    assert_int_equal(count_all(&rig, dial, credentials, SY_FIND_MAX), 0);
    sy_dial_close(dial);
    arig_close(&rig);
}

CASE(api_gives_stable_pages)
{
    struct api_rig rig;
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    catch_up(&rig, dial);
    struct sy_find credentials = {.what = SY_STATE_CREDENTIAL};
    unsigned all = count_all(&rig, dial, credentials, SY_FIND_MAX);
    for (uint16_t max = 1; max <= all + 1; max++) {
        assert_int_equal(count_all(&rig, dial, credentials, max), all);
    }
    sy_dial_close(dial);
    arig_close(&rig);
}

CASE(api_refuses_searches_that_are_not_the_signers)
{
    struct api_rig rig;
    struct sy_reader body;
    const struct sy_find query = {.what = SY_STATE_ORG, .max = 5};
    arig_open(&rig, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    struct sy_client_request request = ask_as(&rig, &query, test_key(77)); /* nobody's key */
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_FORBIDDEN);
    request = ask_as(&rig, &query, test_key(TEST_REGULATOR));
    request.body.find.query.max = 6; /* another query than was signed */
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_MALFORMED);
    request = ask_as(&rig, &query, test_key(TEST_REGULATOR));
    request.body.find.read.signature.bytes[3] ^= 1;
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_MALFORMED);
    request = ask_as(&rig, &query, test_key(TEST_REGULATOR));
    assert_int_equal(arig_call(&rig, dial, &request, &body), SY_ANSWER_FOUND);
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_STALE_READ); /* sent again */
    request.kind = SY_REQUEST_READ; /* a search is no READ */
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_MALFORMED);
    sy_dial_close(dial);
    arig_close(&rig);
}

static void run_block(struct api_rig *rig)
{
    chain_add_records(&rig->chain, 3);
    (void)chain_batch(&rig->chain, 3);
    chain_run(&rig->chain);
    chain_certify(&rig->chain);
    if (rig->api != NULL) sy_api_certified(rig->api, rig->chain.done->header.height);
}

/* The index is lost, or says what is not so: it is made again, and no block's state is another. */
CASE(the_index_is_made_again_and_the_ledger_does_not_read_it)
{
    struct api_rig rig, plain;
    struct sy_error err = {SY_OK, ""};
    uint8_t garbage[33] = "o";
    const struct sy_directory_write lie = {sy_slice_of(garbage, sizeof garbage),
                                           sy_slice_of("?", 1)};
    arig_open(&rig, NULL, true);
    arig_open(&plain, NULL, true);
    sy_dial *dial = arig_dial(&rig);
    catch_up(&rig, dial);
    struct sy_find orgs = {.what = SY_STATE_ORG, .max = SY_FIND_MAX};
    struct sy_client_request request;
    sy_dial_close(dial);
    sy_api_stop(rig.api);
    sy_api_close(rig.api);
    rig.api = NULL;
    uint64_t next = sy_directory_next(rig.chain.store);
    assert_int_equal(sy_directory_append(rig.chain.store, next, next, &lie, 1, &err), SY_OK);
    run_block(&rig);
    run_block(&plain);
    assert_true(
        sy_hash_equal(&rig.chain.done->header.state_root, &plain.chain.done->header.state_root));
    arig_open_api(&rig);
    dial = arig_dial(&rig);
    request = ask_as(&rig, &orgs, test_key(TEST_REGULATOR));
    assert_int_equal(arig_refused(&rig, dial, &request), SY_ANSWER_BUSY); // damaged
    sy_dial_close(dial);
    sy_api_close(rig.api);
    rig.api = NULL;
    assert_int_equal(sy_directory_clear(rig.chain.store, &err), SY_OK);
    arig_open_api(&rig);
    dial = arig_dial(&rig);
    catch_up(&rig, dial);
    assert_int_equal(count_all(&rig, dial, orgs, 1), ORGS);
    struct sy_find credentials = {.what = SY_STATE_CREDENTIAL};
    assert_int_equal(count_all(&rig, dial, credentials, 3),
                     rig.chain.genesis.regulator_count + ORGS + GATEWAYS);
    sy_dial_close(dial);
    arig_close(&rig);
    arig_close(&plain);
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(api_finds_organisations_and_credentials),
        cmocka_unit_test(api_gives_stable_pages),
        cmocka_unit_test(api_refuses_searches_that_are_not_the_signers),
        cmocka_unit_test(the_index_is_made_again_and_the_ledger_does_not_read_it),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
