/* test_wire_format.c: what FORMAT.md says in numbers is what the code does. */
#include "tests/support/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "core/wire/delta.h"
#include "core/wire/envelope.h"
#include "core/wire/evidence.h"
#include "core/wire/proof.h"
#include "core/wire/request.h"
#include "core/wire/schema.h"
#include "core/wire/state.h"
#include "core/wire/sync.h"
#include "core/wire/vote.h"

#define NUMBER(name)            \
    {                           \
#name, (uint64_t)(name) \
    }
static const struct {
    const char *name;
    uint64_t value;
} numbers[] = {
    NUMBER(SY_BATCH_HEADER_BYTES),
    NUMBER(SY_BATCH_FRONT_BYTES),
    NUMBER(SY_HEADER_BYTES),
    NUMBER(SY_EVENT_BYTES),
    NUMBER(SY_EVIDENCE_BYTES),
    NUMBER(SY_DELTA_ITEM_BYTES),
    NUMBER(SY_SIG_MESSAGE_BYTES),
    NUMBER(SY_NETWORK_TAG_BYTES),
    NUMBER(SY_PROTOCOL_VERSION),
    NUMBER(SY_TX_VERSION),
    NUMBER(SY_GENESIS_FORMAT),
    NUMBER(SY_FRAME_BYTES_MAX),
    NUMBER(SY_BATCH_BYTES_MAX),
    NUMBER(SY_BATCH_TXS_MAX),
    NUMBER(SY_BATCH_WINDOW),
    NUMBER(SY_TX_BYTES_MAX),
    NUMBER(SY_TX_COSIGNERS_MAX),
    NUMBER(SY_TX_PAYLOAD_SIGS_MAX),
    NUMBER(SY_TX_LIFETIME_MS_MAX),
    NUMBER(SY_ATOMIC_PAYLOADS_MAX),
    NUMBER(SY_NONCE_WINDOW),
    NUMBER(SY_TIME_MS_MAX),
    NUMBER(SY_TEXT_BYTES_MAX),
    NUMBER(SY_CODE_BYTES_MAX),
    NUMBER(SY_LIST_ITEMS_MAX),
    NUMBER(SY_RECORD_BYTES_MAX),
    NUMBER(SY_CREDENTIAL_YEARS_MAX),
    NUMBER(SY_PROPOSAL_ENTRIES_MAX),
    NUMBER(SY_PROPOSAL_TXS_MAX),
    NUMBER(SY_PROPOSAL_BYTES_MAX),
    NUMBER(SY_SLOT_MAX),
    NUMBER(SY_EVENTS_PER_TX_MAX),
    NUMBER(SY_RECEIPT_KEYS_MAX),
    NUMBER(SY_RECEIPT_LISTS_BYTES_MAX),
    NUMBER(SY_RECEIPT_PATH_BYTES_MAX),
    NUMBER(SY_STATE_VALUE_BYTES_MAX),
    NUMBER(SY_VALIDATORS_MIN),
    NUMBER(SY_VALIDATORS_MAX),
    NUMBER(SY_REGULATORS_MAX),
    NUMBER(SY_PBFT_WINDOW),
    NUMBER(SY_ROSTER_DELAY),
    NUMBER(SY_NAME_BYTES_MAX),
    NUMBER(SY_ADDRESS_BYTES_MAX),
    NUMBER(SY_FETCH_DIGESTS_MAX),
    NUMBER(SY_FETCH_BLOCKS_MAX),
    NUMBER(SY_MERKLE_PATH_MAX),
    NUMBER(SY_TRIE_DEPTH_MAX),
    NUMBER(SY_CHUNK_ENTRIES_BYTES_MAX),
    NUMBER(SY_SNAPSHOT_BLOCKS),
    NUMBER(SY_ENVELOPE_WRAP_BYTES),
    NUMBER(SY_ENVELOPE_CHUNK_BYTES),
    NUMBER(SY_ENVELOPE_WRAPS_MAX),
    NUMBER(SY_ENVELOPE_BODY_MAX),
};
#define NUMBER_COUNT (sizeof numbers / sizeof numbers[0])

static char *page;

static int read_page(void **state)
{
    char path[512];
    size_t size;
    uint8_t *bytes;
    struct sy_error err;
    const char *source = getenv("SYSTOLE_SOURCE");
    (void)state;
    (void)snprintf(path, sizeof path, "%s/core/wire/FORMAT.md", source ? source : ".");
    if (sy_os_read_file(&bytes, &size, path, 1u << 20, &err) != SY_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    page = (char *)bytes;
    return 0;
}

static int free_page(void **state)
{
    (void)state;
    free(page);
    return 0;
}

CASE(every_number_of_the_code_stands_in_the_page)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        char row[128];
        (void)snprintf(row, sizeof row, "\n| `%s` | %" PRIu64 " |\n", numbers[i].name,
                       numbers[i].value);
        if (!strstr(page, row)) {
            fail_msg("FORMAT.md has no row: | `%s` | %" PRIu64 " |", numbers[i].name,
                     numbers[i].value);
        }
    }
}

CASE(every_number_of_the_page_is_one_of_the_code)
{
    unsigned rows = 0;
    for (const char *at = page; (at = strstr(at, "\n| `SY_")) != NULL; at += 5) {
        char name[64];
        size_t length = strcspn(at + 4, "`");
        bool known = false;
        assert_true(length < sizeof name);
        memcpy(name, at + 4, length);
        name[length] = 0;
        for (size_t i = 0; i < NUMBER_COUNT; i++) {
            known = known || strcmp(numbers[i].name, name) == 0;
        }
        if (!known) fail_msg("FORMAT.md names %s, which this test does not check", name);
        rows++;
    }
    assert_int_equal(rows, NUMBER_COUNT);
}

static void assert_row(const char *format, const char *name, unsigned number)
{
    char row[128];
    (void)snprintf(row, sizeof row, format, name, number);
    if (!strstr(page, row)) fail_msg("FORMAT.md has no row that starts with \"%s\"", row + 1);
}

CASE(digest_kinds_are_those_of_the_page)
{
    assert_row("\n| %s | %u |", "possession", SY_DIGEST_POSSESSION);
    assert_row("\n| %s | %u |", "batch", SY_DIGEST_BATCH);
    assert_row("\n| %s | %u |", "pre-prepare", SY_DIGEST_PRE_PREPARE);
    assert_row("\n| %s | %u |", "prepare", SY_DIGEST_PREPARE);
    assert_row("\n| %s | %u |", "commit", SY_DIGEST_COMMIT);
    assert_row("\n| %s | %u |", "view-change", SY_DIGEST_VIEW_CHANGE);
    assert_row("\n| %s | %u |", "new-view", SY_DIGEST_NEW_VIEW);
    assert_row("\n| %s | %u |", "seal", SY_DIGEST_SEAL);
    assert_row("\n| %s | %u |", "approval", SY_DIGEST_APPROVAL);
    assert_row("\n| %s | %u |", "status", SY_DIGEST_STATUS);
    assert_row("\n| %s | %u |", "read", SY_DIGEST_READ);
    assert_row("\n| %s | %u |", "proposal", SY_DIGEST_PROPOSAL);
    assert_row("\n| %s | %u |", "header", SY_DIGEST_HEADER);
    assert_row("\n| %s | %u |", "roster", SY_DIGEST_ROSTER);
    assert_row("\n| %s | %u |", "genesis", SY_DIGEST_GENESIS);
    assert_row("\n| %s | %u |", "witness", SY_DIGEST_WITNESS);
}

static void assert_type(unsigned number, const char *name)
{
    char row[64];
    (void)snprintf(row, sizeof row, "\n| %u | %s |", number, name);
    if (!strstr(page, row)) fail_msg("FORMAT.md has no row that starts with \"%s\"", row + 1);
}

CASE(message_types_are_those_of_the_page)
{
    assert_type(SY_MESSAGE_PRE_PREPARE, "PRE_PREPARE");
    assert_type(SY_MESSAGE_PREPARE, "PREPARE");
    assert_type(SY_MESSAGE_COMMIT, "COMMIT");
    assert_type(SY_MESSAGE_SEAL, "SEAL");
    assert_type(SY_MESSAGE_STATUS, "STATUS");
    assert_type(SY_MESSAGE_BATCH, "BATCH");
    assert_type(SY_MESSAGE_BATCH_FETCH, "BATCH_FETCH");
    assert_type(SY_MESSAGE_BLOCK_FETCH, "BLOCK_FETCH");
    assert_type(SY_MESSAGE_BLOCK, "BLOCK");
    assert_type(SY_MESSAGE_SLOT_FETCH, "SLOT_FETCH");
    assert_type(SY_MESSAGE_VIEW_CHANGE, "VIEW_CHANGE");
    assert_type(SY_MESSAGE_NEW_VIEW, "NEW_VIEW");
    assert_type(SY_MESSAGE_VIEW_FETCH, "VIEW_FETCH");
}

CASE(client_messages_are_those_of_the_page)
{
    assert_type(SY_REQUEST_HELLO, "HELLO");
    assert_type(SY_REQUEST_SUBMIT, "SUBMIT");
    assert_type(SY_REQUEST_WAIT, "WAIT");
    assert_type(SY_REQUEST_BLOCK, "BLOCK");
    assert_type(SY_REQUEST_READ, "READ");
    assert_type(SY_REQUEST_STATUS, "STATUS");
    assert_type(SY_REQUEST_HANDOVERS, "HANDOVERS");
    assert_type(SY_REQUEST_FIND, "FIND");
    assert_type(SY_ANSWER_FOUND, "FOUND");
    assert_type(SY_ANSWER_HELLO, "HELLO");
    assert_type(SY_ANSWER_SUBMIT, "SUBMIT");
    assert_type(SY_ANSWER_WAIT, "WAIT");
    assert_type(SY_ANSWER_BLOCK, "BLOCK");
    assert_type(SY_ANSWER_READ, "READ");
    assert_type(SY_ANSWER_STATUS, "STATUS");
    assert_type(SY_ANSWER_REFUSED, "REFUSED");
    assert_type(SY_ANSWER_IDS, "IDS");
    assert_type(SY_ANSWER_HANDOVERS, "HANDOVERS");
}

CASE(every_kind_of_state_stands_in_the_page)
{
    for (unsigned kind = SY_STATE_PARAMS; kind < SY_STATE_KIND_COUNT; kind++) {
        char row[16];
        if (sy_state_kind_name(kind) == NULL) continue; // numbers have gaps
        (void)snprintf(row, sizeof row, "\n| %u | ", kind);
        if (!strstr(page, row)) fail_msg("FORMAT.md has no row for state kind %u", kind);
    }
}

// Every type of the catalogue has its encoding in section 4.1.
CASE(every_type_of_field_stands_in_the_page)
{
    static const char *const types[] = {
        "time",  "bool",  "enum",    "id,",       "hash,",    "key",           "possession",  "tag",
        "text,", "bytes", "id list", "text list", "u32 list", "approval list", "payload list"};
    const char *section = strstr(page, "### 4.1 Payloads");
    assert_non_null(section);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const char *found = strstr(section, types[i]);
        assert_non_null(found);
        assert_true(found < strstr(section, "### 4.2"));
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(every_number_of_the_code_stands_in_the_page),
        cmocka_unit_test(every_number_of_the_page_is_one_of_the_code),
        cmocka_unit_test(digest_kinds_are_those_of_the_page),
        cmocka_unit_test(message_types_are_those_of_the_page),
        cmocka_unit_test(client_messages_are_those_of_the_page),
        cmocka_unit_test(every_kind_of_state_stands_in_the_page),
        cmocka_unit_test(every_type_of_field_stands_in_the_page),
    };
    return cmocka_run_group_tests(cases, read_page, free_page);
}
