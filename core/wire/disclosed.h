/* disclosed.h: one disclosure of something about a patient, and the access.log that commits to
 * many: what FORMAT.md's section 16 says.
 *
 *   leaf  u8 1 | 32 patient | 32 reader's key | 32 record | u32 version | u16 purpose | i64 time
 *         | u8 ground | 32 id of the ground | 32 salt
 *
 * Whoever disclosed keeps the leaves in a file, which is one or more logs, one after the other:
 *
 *   log    "SYLEAVES" | 16 network tag | 32 log id | entries, at most 4,096
 *   entry  leaf | 8 first bytes of SHA-256(32 log id | u32 number of the entry | leaf)
 *
 * so that a file that was cut off is one with fewer entries. The salt makes a leaf impossible to
 * guess from its hash: who has the leaf shows it, nobody else finds it.
 *
 * Everything is pure; any thread. */
#ifndef SY_WIRE_DISCLOSED_H
#define SY_WIRE_DISCLOSED_H

#include "core/crypto/merkle.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"
#include "core/wire/schema.h"

// clang-format off
enum sy_ground {
    SY_GROUND_CONSENT = 1,
    SY_GROUND_BREAK = 2,
    SY_GROUND_CARE = 3,
    SY_GROUND_ENROLLED = 4,  /* the organisation enrolled the patient */
    SY_GROUND_REQUEST = 5,   /* the patient's own request */
    SY_GROUND_OVERSIGHT = 6, /* a regulator, or an auditor who audits */
    SY_GROUND_COUNT
};
// clang-format on

struct sy_disclosed {
    struct sy_hash patient; /* the id in use */
    struct sy_public_key reader;
    struct sy_hash record; /* zero: the patient's entries that are no records */
    uint32_t version;      /* of the record; 0: not of one */
    uint16_t purpose;      /* enum sy_purpose */
    int64_t time_ms;
    uint8_t ground;    /* enum sy_ground */
    struct sy_hash by; /* id of the consent, break or care; zero for other grounds */
    struct sy_hash salt;
};

#define SY_LEAF_BYTES 176u
#define SY_LEAF_ENTRY_BYTES (SY_LEAF_BYTES + 8u)
#define SY_LEAVES_MAGIC "SYLEAVES"
#define SY_LEAVES_HEAD_BYTES (8u + 16u + 32u)

/* sy_ground_word is the word of a ground ("care"); NULL: there is no such ground.
 * sy_ground_named is the ground of a word; 0: none. */
const char *sy_ground_word(unsigned ground);
uint8_t sy_ground_named(const char *word);

void sy_disclosed_encode(struct sy_writer *w, const struct sy_disclosed *leaf);
/* sy_disclosed_decode accepts what the encoder writes of a known purpose and ground, an id with
 * the grounds that have one, and no version without a record. */
bool sy_disclosed_decode(struct sy_reader *r, struct sy_disclosed *leaf);
/* sy_disclosed_hash is the leaf hash (RFC 6962) of the encoding. */
void sy_disclosed_hash(struct sy_hash *out, const struct sy_disclosed *leaf);

/* --- a file's bytes --------------------------------------------------------------------------- */

void sy_leaves_head_encode(struct sy_writer *w, const uint8_t network[16],
                           const struct sy_hash *log_id);
void sy_leaves_entry_encode(struct sy_writer *w, const struct sy_hash *log_id, uint32_t number,
                            const struct sy_disclosed *leaf);

/* sy_leaves_head_next takes a log's head; sy_leaves_entry_next its next entry, from number 0 on.
 * False, and nothing is taken: what comes is none, whole and of this log. */
bool sy_leaves_head_next(struct sy_reader *r, uint8_t network[16], struct sy_hash *log_id);
bool sy_leaves_entry_next(struct sy_reader *r, struct sy_disclosed *leaf,
                          const struct sy_hash *log_id, uint32_t number);

/* sy_leaves_log_next gives the next log of a file, passing over what is none: leaves has room for
 * SY_LOG_LEAVES_MAX, *count of them are whole. False: there is no other log. */
#define SY_LOG_LEAVES_MAX 4096u
bool sy_leaves_log_next(struct sy_reader *r, uint8_t network[16], struct sy_hash *log_id,
                        struct sy_disclosed *leaves, uint32_t *count);

/* --- the transaction -------------------------------------------------------------------------- */

/* What an access.log's payload borrows. */
struct sy_log_room {
    uint8_t patients[SY_LOG_PATIENTS_MAX * 34];
    uint8_t roots[SY_LOG_PATIENTS_MAX * 34];
    uint8_t counts[SY_LOG_PATIENTS_MAX * 4];
};

/* sy_log_make fills the payload of an access.log of these leaves, which must be in the order of
 * their times: patients as they first come, each with the root over the leaves about them. hashes:
 * room for count. SY_ERR_ARGUMENT: there are none, times fall, or they span more than a day;
 * SY_ERR_LIMIT: more patients than one log names. */
SY_MUST_CHECK sy_status sy_log_make(struct sy_access_log *log, struct sy_log_room *room,
                                    struct sy_hash *hashes, const struct sy_hash *log_id,
                                    const struct sy_disclosed *leaves, size_t count);

/* sy_log_prove makes the path from leaves[index] to the root of its patient. hashes: as above. */
void sy_log_prove(struct sy_merkle_path *path, struct sy_hash *hashes,
                  const struct sy_disclosed *leaves, size_t count, size_t index);

#endif
