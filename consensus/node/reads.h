/* reads.h: what was read through this validator about patients, written down before it is told, and
 * logged on the ledger by transactions of the validator's own (access.log; the key: contracts/
 * signer.c).
 *
 *     decided READ --note--> FOLDER/LOG ID.leaves --seal--> access.log --certified--> FOLDER/kept/
 *
 * Each file is one log, whose id is its name: drawn when the first leaf is written, so that however
 * often its transaction is made anew, after kill -9 too, the ledger takes it once (E_LOG_EXISTS). A
 * leaf is written to its file before the answer leaves, and made durable when the file is sealed: a
 * killed process loses nothing, a power cut what delay_ns lets stand open. A file is sealed when it
 * is that old, or holds as much as one log may; it goes when state shows its log at a certified
 * height, its leaves then moving to a file a day in kept/ (disclosed.h has the format), of which
 * the oldest are dropped beyond a bound. When too much waits, or the disk takes no more, a read is
 * refused instead of told unrecorded.
 *
 * Each read of a record is a leaf of its own. What is no record (the patient's entry, which a watch
 * of notices asks for every few seconds) is noted once an hour for the same reader, purpose and
 * ground, as long as the process remembers.
 *
 * The signing key is FOLDER/signer.pem, made here. When the first log waits, it is enrolled with
 * the consensus key's word, which is given for a few nonces when this is opened, because that key
 * is the consensus thread's. Everything else is for one thread, the API's. */
#ifndef SY_NODE_READS_H
#define SY_NODE_READS_H

#include "core/crypto/signer.h"
#include "core/store/store.h"
#include "core/wire/disclosed.h"
#include "core/wire/genesis.h"

#define SY_READS_LEAVES_MAX 512u /* in one log */
#define SY_READS_LOGS_MAX 2048u  /* that wait for the ledger */
#define SY_READS_FLIGHT_MAX 8u   /* transactions under way at once */
#define SY_READS_PATH_MAX 512u
#define SY_READS_AGAIN_NS 3600000000000ull /* what is no record is noted anew */

typedef struct sy_reads sy_reads;

struct sy_reads_config {
    const char *folder;     /* copied; at most SY_READS_PATH_MAX - 100 bytes */
    const char *passphrase; /* file for the signing key, borrowed while it is opened; NULL: none */
    sy_store *store;        /* borrowed, as genesis */
    const struct sy_genesis *genesis;
    struct sy_signer consensus;     /* used by sy_reads_open alone */
    struct sy_public_key validator; /* its public half */
    struct sy_hash organisation;    /* the validator's, in the roster */
    uint64_t delay_ns;              /* from a log's first leaf to its transaction */
    uint64_t kept_bytes_max;
    uint32_t logs_max; /* that wait; 0: SY_READS_LOGS_MAX, which is the most */
};

/* sy_reads_open makes the folder, finds or makes the key, and takes up what an earlier run left. */
SY_MUST_CHECK sy_status sy_reads_open(sy_reads **reads, const struct sy_reads_config *config,
                                      struct sy_error *err);
/* sy_reads_close leaves on disk, durable, what waits. NULL is fine. */
void sy_reads_close(sy_reads *reads);

/* sy_reads_note writes leaves down; their salts are drawn here. Times may not fall from call to
 * call. SY_OK: they will be logged. SY_ERR_BUSY: too much waits; or what the disk says: some of
 * them may be logged, and the read must not be answered. */
SY_MUST_CHECK sy_status sy_reads_note(sy_reads *reads, const struct sy_disclosed *leaves,
                                      size_t count, uint64_t now_ns);

/* sy_reads_wake is when sy_reads_turn has something to do; UINT64_MAX: never, unless something is
 * noted or certified. */
uint64_t sy_reads_wake(const sy_reads *reads);
/* sy_reads_certified says that more is certified: logs may be there. */
void sy_reads_certified(sy_reads *reads);

/* sy_reads_turn seals what is due, settles what a view of the state shows, and gives transactions
 * to submit: *txs is u32 length, tx each, as SUBMIT has them, borrowed until the next turn; the
 * result counts them, 0: none. certified and time_ms: of the newest certified header. */
uint16_t sy_reads_turn(sy_reads *reads, struct sy_slice *txs, sy_state_view *view,
                       uint64_t certified, int64_t time_ms, uint64_t now_ns);

/* sy_reads_waiting is how many logs are not settled yet, the open one included. */
uint32_t sy_reads_waiting(const sy_reads *reads);

#endif
