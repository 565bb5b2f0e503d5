/* sig_message.c: the message that is signed: the one part of keys.h that needs no OpenSSL. */
#include "core/base/assert.h"
#include "core/crypto/keys.h"

void sy_sig_message(uint8_t out[SY_SIG_MESSAGE_BYTES], enum sy_sig_kind kind,
                    const struct sy_hash *digest)
{
    static const uint8_t tag[14] = {'s', 'y', 's', 't', 'o', 'l', 'e',
                                    '-', 's', 'i', 'g', '-', 'v', '1'};
    _Static_assert(sizeof tag + 1 + sizeof digest->bytes == SY_SIG_MESSAGE_BYTES,
                   "tag, kind and digest fill the message");
    SY_ASSERT(kind >= SY_SIG_TX && kind < SY_SIG_KIND_COUNT);
    memcpy(out, tag, sizeof tag);
    out[sizeof tag] = (uint8_t)kind;
    memcpy(out + sizeof tag + 1, digest->bytes, sizeof digest->bytes);
}
