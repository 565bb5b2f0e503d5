/* limits.h: every bound on what travels or is stored, in one place, related by assertions.
 *
 * Limits that admission checks are consensus-critical: all validators must agree on them, so they
 * are constants of the protocol version and not configuration. */
#ifndef SY_WIRE_LIMITS_H
#define SY_WIRE_LIMITS_H

#include <stdint.h>

#define SY_PROTOCOL_VERSION 1
#define SY_TX_VERSION 1

/* Frames and batches. */
#define SY_FRAME_BYTES_MAX (1u << 20)                  /* one message on a link, payload in clear */
#define SY_BATCH_BYTES_MAX (SY_FRAME_BYTES_MAX - 4096) /* batch, header and signature included */
#define SY_BATCH_TXS_MAX 4096u
#define SY_BATCH_WINDOW 64u /* next <= seq < next + window, a maker */

/* Transactions. */
#define SY_TX_COSIGNERS_MAX 16u /* signers besides the first */
#define SY_TX_SIGNERS_MAX (1u + SY_TX_COSIGNERS_MAX)
#define SY_TX_BYTES_MAX (512u << 10) /* body and signatures */
#define SY_TX_PAYLOAD_SIGS_MAX 128u  /* {key, signature} pairs inside the payload */
#define SY_ATOMIC_PAYLOADS_MAX 4096u
#define SY_TX_LIFETIME_MS_MAX (24ll * 3600 * 1000) /* valid_until at most this far ahead */
#define SY_NONCE_WINDOW 4096u
#define SY_TIME_MS_MAX 253402300799999ll /* 9999-12-31T23:59:59.999Z: sums cannot wrap */
#define SY_TEXT_BYTES_MAX 256u
#define SY_CODE_BYTES_MAX 32u
#define SY_LIST_ITEMS_MAX 128u
#define SY_RECORD_BYTES_MAX (1ull << 40) /* size a record's commitment may state */
#define SY_CREDENTIAL_YEARS_MAX 5
#define SY_CONSENT_ITEMS_MAX 16u   /* classes, labels that one names */
#define SY_CONSENTS_LIVE_MAX 64u   /* not revoked, of one patient */
#define SY_CONSENTS_PASSED_MAX 48u /* from so many live ones on none is passed on */
#define SY_CONSENT_MS_MAX (10ll * 366 * 24 * 3600 * 1000) /* a grant ends at most so far ahead */
#define SY_BREAK_MS_MAX (4ll * 3600 * 1000)   /* an emergency access ends at most so far ahead */
#define SY_REVIEW_MS_MAX (72ll * 3600 * 1000) /* and holds up the next if not reviewed by then */
#define SY_BREAKS_OPEN_MAX 16u                /* of one key, not reviewed */

/* Blocks. */
#define SY_PROPOSAL_ENTRIES_MAX 64u
#define SY_PROPOSAL_TXS_MAX 16384u
#define SY_SLOT_MAX (UINT64_MAX / 2) /* slots, heights, views: sums with them cannot wrap */
#define SY_PROPOSAL_BYTES_MAX (4u << 20)
#define SY_EVENTS_PER_TX_MAX (2u * SY_ATOMIC_PAYLOADS_MAX)
#define SY_RECEIPT_KEYS_MAX (4u * SY_ATOMIC_PAYLOADS_MAX + 64u)
#define SY_STATE_VALUE_BYTES_MAX 4096u

/* Rosters and consensus. */
#define SY_VALIDATORS_MIN 4u
#define SY_VALIDATORS_MAX 100u
#define SY_REGULATORS_MAX 16u
#define SY_PBFT_WINDOW 64u   /* L: slots above the last stable seal */
#define SY_ROSTER_DELAY 128u /* K: a roster change takes effect at c + K */
#define SY_CLOCK_SKEW_MS_DEFAULT 2000
#define SY_NAME_BYTES_MAX 63u
#define SY_ADDRESS_BYTES_MAX 127u

_Static_assert(SY_BATCH_BYTES_MAX < SY_FRAME_BYTES_MAX, "a batch fits one frame");
_Static_assert(SY_TX_BYTES_MAX * 2 <= SY_FRAME_BYTES_MAX, "the largest tx leaves room in a batch");
_Static_assert(SY_TX_BYTES_MAX + 4096 <= SY_BATCH_BYTES_MAX, "any admissible tx fits a batch");
_Static_assert(SY_ATOMIC_PAYLOADS_MAX <= 65535, "a part's number fits 16 bits");
_Static_assert(SY_LIST_ITEMS_MAX <= 65535, "a list's count fits 16 bits");
_Static_assert(SY_PROPOSAL_TXS_MAX >= SY_BATCH_TXS_MAX, "a full batch fits a proposal");
_Static_assert(SY_PROPOSAL_BYTES_MAX >= SY_BATCH_BYTES_MAX, "a full batch fits a proposal");
_Static_assert(SY_ROSTER_DELAY >= SY_PBFT_WINDOW, "a roster change lies beyond the open window");
_Static_assert(SY_VALIDATORS_MAX * 4 <= 65536, "a validator's index fits 16 bits");

#endif
