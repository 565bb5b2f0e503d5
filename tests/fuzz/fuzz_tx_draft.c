/* Whatever file is given, a draft is refused or understood; what is understood is a transaction
 * that decodes and survives its file. An approval makes it longer, or leaves it as it was. */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/tx_draft.h"
#include "core/client/tx_json.h"
#include "tests/support/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void approve(sy_draft *draft)
{
    static struct sy_genesis genesis;
    static uint8_t before[SY_TX_BYTES_MAX];
    struct sy_error err = {SY_OK, ""};
    struct sy_slice bytes = sy_draft_bytes(draft);
    if (genesis.format == 0) test_genesis(&genesis, 4);
    memcpy(before, bytes.data, bytes.size);
    if (sy_draft_approve(draft, test_key(2), &genesis, &err) == SY_OK) {
        SY_ASSERT(sy_draft_bytes(draft).size > bytes.size);
        sy_status again = sy_draft_approve(draft, test_key(2), &genesis, &err);
        SY_ASSERT(again != SY_OK);
    } else {
        SY_ASSERT(err.text[0] != '\0');
        SY_ASSERT(sy_slice_equal(sy_draft_bytes(draft), sy_slice_of(before, bytes.size)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sy_error err = {SY_OK, ""};
    sy_draft *first = NULL;
    sy_draft *second = NULL;
    struct sy_tx tx;
    if (sy_draft_parse(&first, NULL, sy_slice_of(data, size), "input", &err) != SY_OK) {
        SY_ASSERT(err.text[0] != '\0' && !first);
        return 0;
    }
    enum sy_refusal code = sy_tx_decode(&tx, NULL, sy_draft_bytes(first), NULL);
    SY_ASSERT(code == SY_APPLIED);
    sy_json json;
    sy_json_init_growing(&json, SY_TX_JSON_BYTES_MAX);
    sy_draft_to_json(first, &json);
    const char *text = sy_json_finish(&json);
    SY_ASSERT(text);
    sy_status status = sy_draft_parse(&second, NULL, sy_slice_of(text, json.size), "file", &err);
    SY_ASSERT(status == SY_OK);
    SY_ASSERT(sy_slice_equal(sy_draft_bytes(first), sy_draft_bytes(second)));
    SY_ASSERT(sy_draft_missing(first) == sy_draft_missing(second));
    sy_json_free(&json);
    approve(second);
    sy_draft_close(first);
    sy_draft_close(second);
    return 0;
}
