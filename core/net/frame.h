/* frame.h: the bytes that travel between validators, and between clients and a validator.
 *
 * Every nanomsg message is one frame. All numbers are little-endian.
 *
 *   offset  size  field
 *        0     1  version, SY_FRAME_VERSION
 *        1     1  type, enum sy_frame_type
 *        2     2  zero
 *        4    16  session id, random, chosen by who starts the handshake
 *   HELLO    20  32  the sender's link key (zero when a client sends it), then the TLS flight
 *   FLIGHT   20   -  the TLS flight
 *   DATA     20   8  counter;  28: ciphertext || 16-byte tag
 *   KNOCK    20  32  the sender's link key: "please start a handshake with me"
 *   RESET    20   -  nothing: a server does not know this session
 *   BUSY     20   4  milliseconds after which to try again
 *
 * A DATA frame's plaintext begins with one byte (enum sy_inner_type). Frames shorter, longer or
 * other than their type allows are refused. Everything here is pure. */
#ifndef SY_NET_FRAME_H
#define SY_NET_FRAME_H

#include <stdbool.h>

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/wire/limits.h" /* SY_FRAME_BYTES_MAX: the largest message on any link */

#define SY_FRAME_VERSION 1u
#define SY_FRAME_HEAD 28u /* before a DATA frame's ciphertext */
#define SY_FRAME_TAG 16u
#define SY_FRAME_OVERHEAD (SY_FRAME_HEAD + SY_FRAME_TAG)
#define SY_FRAME_PREFIX 20u       /* what every frame begins with */
#define SY_FLIGHT_BYTES_MAX 8192u /* the largest flight of a handshake, either way */
/* The longest frame that is not a DATA frame. */
#define SY_FRAME_PLAIN_MAX (SY_FRAME_PREFIX + 32u + SY_FLIGHT_BYTES_MAX)

struct sy_session_id {
    uint8_t bytes[16];
};

enum sy_frame_type {
    SY_FRAME_HELLO = 1,
    SY_FRAME_FLIGHT = 2,
    SY_FRAME_DATA = 3,
    SY_FRAME_KNOCK = 4,
    SY_FRAME_RESET = 5,
    SY_FRAME_BUSY = 6
};

/* What a validator's plaintext is: the application's payload, or a sign of life of the link. */
enum sy_inner_type { SY_INNER_PAYLOAD = 1, SY_INNER_PING = 2 };

/* A parsed frame; it borrows from the bytes it was read from. */
struct sy_frame {
    enum sy_frame_type type;
    struct sy_session_id id;
    struct sy_public_key sender; /* HELLO, KNOCK */
    uint64_t counter;            /* DATA */
    uint32_t retry_ms;           /* BUSY */
    struct sy_slice flight;      /* HELLO, FLIGHT: never empty, at most SY_FLIGHT_BYTES_MAX */
    struct sy_slice sealed;      /* DATA: ciphertext || tag */
};

/* sy_frame_parse reads one frame. SY_ERR_LIMIT: over-long. SY_ERR_VERSION: an unknown version.
 * SY_ERR_FORMAT: anything else; *frame is then unspecified. */
sy_status sy_frame_parse(struct sy_frame *frame, struct sy_slice bytes);

/* sy_frame_encode writes any frame but DATA (sy_session_seal makes those) to out and returns its
 * length. Asserts that it fits out_bytes. */
size_t sy_frame_encode(uint8_t *out, size_t out_bytes, const struct sy_frame *frame);

/* sy_frame_encode_data writes the header of a DATA frame. */
void sy_frame_encode_data(uint8_t out[SY_FRAME_HEAD], const struct sy_session_id *id,
                          uint64_t counter);

static inline bool sy_session_id_equal(const struct sy_session_id *a, const struct sy_session_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

#endif
