/* fuzz_valid.c: any bytes as a .syvalid file of the test network, whose last 32 bytes are mended to
 * be the right checksum. What decodes has one encoding, and judging it ends; what holds is about
 * the one key of which the samples tell, as nobody here can sign anything else. */
#include "core/base/assert.h"
#include "core/client/valid.h"
#include "core/crypto/hash.h"
#include "tests/support/network.h"

#define ROOM (1u << 17)
#define SAMPLE_KEY 350u /* of tests/unit/test_valid.c, which writes the samples */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sy_genesis genesis;
    static uint8_t mended[ROOM], again[ROOM];
    static struct sy_valid valid;
    struct sy_hash checksum;
    struct sy_error err = {SY_OK, ""};
    enum sy_at_verdict verdict;
    const char *what = NULL;
    if (genesis.format == 0) test_genesis(&genesis, 4);
    if (size < sizeof checksum || size > sizeof mended) return 0;
    memcpy(mended, data, size - sizeof checksum);
    sy_sha256(&checksum, mended, size - sizeof checksum);
    memcpy(mended + size - sizeof checksum, checksum.bytes, sizeof checksum);

    struct sy_slice bytes = sy_slice_of(mended, size);
    if (!sy_valid_decode(&valid, bytes, &what)) {
        SY_ASSERT(what != NULL);
        return 0;
    }
    SY_ASSERT(sy_valid_is(bytes));
    struct sy_writer w = sy_writer_of(again, sizeof again);
    sy_valid_encode(&w, &valid);
    SY_ASSERT(!w.failed && sy_slice_equal(sy_writer_slice(&w), bytes));
    if (sy_valid_judge(&verdict, &valid, &err) == SY_OK) {
        SY_ASSERT(sy_at_verdict_sentence(verdict) != NULL);
    }
    if (sy_valid_verify(&verdict, &valid, &genesis, &err) == SY_OK) {
        struct sy_public_key key = test_public(SAMPLE_KEY);
        SY_ASSERT(sy_public_key_equal(&key, &valid.key));
    } else {
        SY_ASSERT(err.text[0] != '\0');
    }
    return 0;
}
