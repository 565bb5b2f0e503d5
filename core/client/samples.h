/* samples.h: the samples of a stream's window off the ledger: as a device's file has them, as a
 * batch with salts, of which stream.commit tells the root, and one of them with what proves it.
 *
 *   input   a line of JSON each, in the order of their times: {"time": MS, "value": NUMBER}
 *   leaf    16 salt | i64 time | bytes16 value: the number as it is written in the input
 *   batch   magic "SYSAMPL1" | 16 network tag | 32 stream | u32 sequence | u32 release | i64 from
 *           | i64 to | u8 backfill | u32 count | leaves | 32 SHA-256 of all bytes before
 *   proof   magic "SYSMPRF1" | 16 network tag | 32 stream | u32 sequence | leaf | u32 index, from 0
 *           | u8 count of siblings | siblings from the leaf upwards | bytes32 .syproof of the entry
 *           "stream commit" | 32 SHA-256 of all bytes before
 *
 * A batch is as private as the samples, and whoever loses it can prove none of them. A proof tells
 * one sample, and of the others how many there are. Files of strangers are judged here; what is
 * decoded is as the encoder writes it. One thread at a time a batch. */
#ifndef SY_CLIENT_SAMPLES_H
#define SY_CLIENT_SAMPLES_H

#include "core/client/asker.h"
#include "core/wire/state_stream.h"

#define SY_SAMPLE_VALUE_BYTES_MAX 32u
#define SY_SAMPLE_LEAF_BYTES_MAX (16u + 8u + 2u + SY_SAMPLE_VALUE_BYTES_MAX)
#define SY_SAMPLES_LINE_BYTES_MAX 256u
#define SY_SAMPLES_INPUT_BYTES_MAX (SY_STREAM_SAMPLES_MAX * (SY_SAMPLES_LINE_BYTES_MAX + 1u))
#define SY_SAMPLES_BATCH_BYTES_MAX (256u + SY_STREAM_SAMPLES_MAX * SY_SAMPLE_LEAF_BYTES_MAX)

struct sy_sample {
    uint8_t salt[16];
    int64_t time_ms;
    char value[SY_SAMPLE_VALUE_BYTES_MAX + 1]; /* a JSON number */
};

struct sy_samples {
    uint8_t network[SY_NETWORK_TAG_BYTES];
    struct sy_hash stream;
    uint32_t sequence, release;
    int64_t from_ms, to_ms;
    bool backfill;
    uint32_t count;          /* at least one */
    struct sy_sample *items; /* owned */
};
/* Zero it first; frees, and wipes what it frees. */
void sy_samples_free(struct sy_samples *samples);

/* sy_samples_read takes an input's lines; blank ones are passed over. Salts are zeros.
 * SY_ERR_FORMAT names the line that is none, or is before the one above it; SY_ERR_LIMIT: there are
 * too many. */
sy_status sy_samples_read(struct sy_samples *samples, struct sy_slice text, const char *name,
                          struct sy_error *err);

/* sy_samples_salt draws a salt for each. sy_samples_same: the same times and values in this order.
 */
void sy_samples_salt(struct sy_samples *samples);
bool sy_samples_same(const struct sy_samples *a, const struct sy_samples *b);

/* sy_samples_window chooses from and to for a stream: from where the stream ended, if that is no
 * gap, else from the first sample, to behind the last one; longer, into time of which nothing is
 * committed, as far as so many samples need it by the stream's rate. SY_ERR_ARGUMENT says why there
 * is no such window. */
sy_status sy_samples_window(struct sy_samples *samples, const struct sy_stream *stream,
                            int64_t now_ms, struct sy_error *err);

/* sy_samples_refused: a proven receipt with this code says that no commitment to the batch stands
 * or will. Not so if it was sent before: that may apply yet. A nonce that was used, or a time, says
 * something of one copy alone. */
bool sy_samples_refused(uint16_t code, bool sent_before);

/* sy_samples_root: SY_ERR_NO_MEMORY. sy_samples_path: index below count (asserted). */
sy_status sy_samples_root(struct sy_hash *root, const struct sy_samples *samples,
                          struct sy_error *err);
sy_status sy_samples_path(struct sy_merkle_path *path, const struct sy_samples *samples,
                          uint32_t index, struct sy_error *err);

/* Batches as files. decode: SY_ERR_FORMAT, SY_ERR_NO_MEMORY; name stands for it in sentences. */
void sy_samples_encode(struct sy_writer *w, const struct sy_samples *samples);
sy_status sy_samples_decode(struct sy_samples *samples, struct sy_slice bytes, const char *name,
                            struct sy_error *err);

/* One sample, proven. */
struct sy_sample_proof {
    uint8_t network[SY_NETWORK_TAG_BYTES];
    struct sy_hash stream;
    uint32_t sequence;
    struct sy_sample sample;
    struct sy_merkle_path path; /* leaf_count is told by the entry alone: 0 until it is verified */
    struct sy_slice entry;      /* borrowed: the whole .syproof */
};
#define SY_SAMPLE_PROOF_BYTES_MAX (64u << 20) /* with many handovers */

/* sy_sample_proof_is: do these bytes begin as such a file? */
bool sy_sample_proof_is(struct sy_slice bytes);
void sy_sample_proof_encode(struct sy_writer *w, const struct sy_sample_proof *proof);
/* Borrows from bytes. *what: what cannot be read. Nothing is verified. */
bool sy_sample_proof_decode(struct sy_sample_proof *proof, struct sy_slice bytes,
                            const char **what);

/* sy_sample_proof_verify_by checks all of it against the genesis: the entry is the one of this
 * stream and number, certified by the network; the sample's leaf leads to its root, and lies in its
 * window. *commit is that entry, proven the work area and holder of its proof. SY_ERR_CRYPTO: it
 * proves nothing; SY_ERR_FORMAT; SY_ERR_NO_MEMORY. */
sy_status sy_sample_proof_verify_by(const struct sy_verifier *verifier,
                                    struct sy_sample_proof *proof,
                                    struct sy_stream_commit_entry *commit, struct sy_proven *proven,
                                    const struct sy_genesis *genesis, struct sy_error *err);

#endif
