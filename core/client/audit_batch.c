/* audit_batch.c: the bodies of batches, checked as admission checks them: digest and maker as the
 * block names them, the maker's signature, both roots, every transaction's form, signatures and
 * proofs of possession. */
#include "core/client/audit_batch.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/crypto/engine_choice.h"
#include "core/wire/tx.h"

#define SLOTS_MAX 16u
/* Every signature has its 64 bytes in the batch; the maker's own is one more. */
#define JOBS_MAX (SY_BATCH_BYTES_MAX / 64u + 1u)

struct slot {
    bool used;
    uint64_t height;
    struct sy_batch batch;
    struct sy_submission submission;
    struct sy_tree_job trees[2];                  /* ids, signatures */
    struct sy_slice leaves[2 * SY_BATCH_TXS_MAX]; /* bodies, then signatures */
    struct sy_hash leaf_hashes[2 * SY_BATCH_TXS_MAX];
    struct sy_sig_job jobs[JOBS_MAX];
    uint32_t job_tx[JOBS_MAX]; /* which transaction a job is of */
    uint8_t verdicts[JOBS_MAX];
    uint8_t bytes[SY_BATCH_BYTES_MAX];
};

struct sy_audit_batches {
    const struct sy_genesis *genesis;
    sy_engine *engine;
    struct slot *slots;
    unsigned slot_count;
    unsigned flying;
    uint64_t signatures;
};

/* ---- opening ------------------------------------------------------------------------------ */

static unsigned count_threads(unsigned wanted)
{
    if (wanted > 0) return wanted > SY_ENGINE_THREADS_MAX ? SY_ENGINE_THREADS_MAX : wanted;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > 8 ? 8 : (unsigned)online;
}

sy_status sy_audit_batches_open(sy_audit_batches **out, const struct sy_genesis *genesis,
                                unsigned threads, struct sy_error *err)
{
    sy_audit_batches *batches = (sy_audit_batches *)calloc(1, sizeof *batches);
    if (!batches) return sy_fail(err, SY_ERR_NO_MEMORY, "audit: no memory");
    threads = count_threads(threads);
    batches->genesis = genesis;
    batches->slot_count = 2 * threads < SLOTS_MAX ? 2 * threads : SLOTS_MAX;
    batches->slots = (struct slot *)calloc(batches->slot_count, sizeof *batches->slots);
    struct sy_engine_config config = {.threads = threads,
                                      .queue = SLOTS_MAX,
                                      .leaves_max = 2 * SY_BATCH_TXS_MAX,
                                      .sample_every = 1024,
                                      .impls = sy_engine_cpu_impls};
    sy_status status = batches->slots ? sy_engine_open(&batches->engine, &config, err)
                                      : sy_fail(err, SY_ERR_NO_MEMORY, "audit: no memory");
    if (status == SY_OK) {
        *out = batches;
    } else {
        sy_audit_batches_close(batches);
    }
    return status;
}

void sy_audit_batches_close(sy_audit_batches *batches)
{
    if (!batches) return;
    sy_engine_close(batches->engine);
    free(batches->slots);
    free(batches);
}

sy_engine *sy_audit_batches_engine(const sy_audit_batches *batches)
{
    return batches->engine;
}

uint64_t sy_audit_batches_signatures(const sy_audit_batches *batches)
{
    return batches->signatures;
}

/* ---- what is asked ------------------------------------------------------------------------ */

static void add_job(struct slot *slot, uint32_t tx, const struct sy_sig_job *job)
{
    SY_ASSERT(slot->submission.job_count < JOBS_MAX);
    slot->job_tx[slot->submission.job_count] = tx;
    slot->jobs[slot->submission.job_count++] = *job;
}

static sy_status add_tx(sy_audit_batches *batches, struct slot *slot, uint32_t number,
                        struct sy_slice bytes, struct sy_error *err)
{
    struct sy_tx_proof proofs[SY_TX_PAYLOAD_SIGS_MAX];
    struct sy_tx tx;
    const char *what = "";
    enum sy_refusal code = sy_tx_decode(&tx, &what, bytes, sy_network_tag(batches->genesis));
    if (code != SY_APPLIED) {
        return sy_fail(err, SY_ERR_FORMAT,
                       "block %llu: transaction %u of batch #%llu is none (%s, field %s)",
                       (unsigned long long)slot->height, (unsigned)number,
                       (unsigned long long)slot->batch.header.seq,
                       sy_refusal_info((uint16_t)code)->name, what);
    }
    uint32_t count = slot->batch.header.count;
    slot->leaves[number] = tx.body;
    slot->leaves[count + number] = tx.signatures;
    for (unsigned i = 0; i < sy_tx_signer_count(&tx); i++) {
        struct sy_sig_job job = {
            .key = *sy_tx_signer_key(&tx, i), .leaf = number, .kind = SY_SIG_TX};
        memcpy(job.signature.bytes, tx.signatures.data + 64 * (size_t)i, 64);
        add_job(slot, number, &job);
    }
    unsigned proof_count =
        sy_tx_proofs(proofs, SY_TX_PAYLOAD_SIGS_MAX, &tx, &batches->genesis->hash);
    for (unsigned i = 0; i < proof_count; i++) {
        struct sy_sig_job job = {.key = proofs[i].key,
                                 .signature = proofs[i].signature,
                                 .digest = proofs[i].digest,
                                 .leaf = SY_JOB_NO_LEAF,
                                 .kind = proofs[i].sig_kind};
        add_job(slot, number, &job);
    }
    return SY_OK;
}

static sy_status fill_slot(sy_audit_batches *batches, struct slot *slot,
                           const struct sy_hash *digest, struct sy_error *err)
{
    const struct sy_batch_header *header = &slot->batch.header;
    struct sy_sig_job job = {.key = header->maker,
                             .signature = slot->batch.signature,
                             .digest = *digest,
                             .leaf = SY_JOB_NO_LEAF,
                             .kind = SY_SIG_BATCH};
    slot->submission = (struct sy_submission){.leaves = slot->leaves,
                                              .leaf_count = 2 * header->count,
                                              .leaf_hashes = slot->leaf_hashes,
                                              .jobs = slot->jobs,
                                              .verdicts = slot->verdicts,
                                              .trees = slot->trees,
                                              .tree_count = 2,
                                              .owner = slot};
    slot->trees[0] = (struct sy_tree_job){.first = 0, .count = header->count};
    slot->trees[1] = (struct sy_tree_job){.first = header->count, .count = header->count};
    add_job(slot, UINT32_MAX, &job);
    size_t offset = 0;
    struct sy_slice tx;
    for (uint32_t i = 0; sy_batch_next(&slot->batch, &offset, &tx); i++) {
        SY_ASSERT(i < header->count); // sy_batch_decode counted them
        SY_TRY(add_tx(batches, slot, i, tx, err));
    }
    return SY_OK;
}

/* ---- what is answered --------------------------------------------------------------------- */

static sy_status judge(sy_audit_batches *batches, struct slot *slot, struct sy_error *err)
{
    unsigned long long height = slot->height;
    unsigned long long seq = slot->batch.header.seq;
    const struct sy_submission *submission = &slot->submission;
    batches->signatures += submission->job_count;
    for (uint32_t i = 0; i < submission->job_count; i++) {
        if (slot->verdicts[i]) continue;
        if (slot->job_tx[i] == UINT32_MAX) {
            return sy_fail(err, SY_ERR_CRYPTO,
                           "block %llu: the maker's signature of batch #%llu "
                           "is wrong",
                           height, seq);
        }
        char key[65];
        sy_hex_encode(key, slot->jobs[i].key.bytes, 32);
        return sy_fail(err, SY_ERR_CRYPTO,
                       "block %llu: a signature of transaction %u of batch #%llu, by key %s, is "
                       "wrong",
                       height, (unsigned)slot->job_tx[i], seq, key);
    }
    if (!sy_hash_equal(&slot->trees[0].root, &slot->batch.header.id_root) ||
        !sy_hash_equal(&slot->trees[1].root, &slot->batch.header.signature_root)) {
        return sy_fail(err, SY_ERR_CORRUPT,
                       "block %llu: the transactions of batch #%llu are not those that its maker "
                       "signed",
                       height, seq);
    }
    return SY_OK;
}

/* Takes one finished batch; waits for it. */
static sy_status take_one(sy_audit_batches *batches, struct sy_error *err)
{
    struct sy_submission *submission;
    while (!(submission = sy_engine_done(batches->engine))) {
        struct pollfd fd = {.fd = sy_engine_done_fd(batches->engine), .events = POLLIN};
        (void)poll(&fd, 1, 100);
    }
    struct slot *slot = (struct slot *)submission->owner;
    slot->used = false;
    batches->flying--;
    return judge(batches, slot, err);
}

static struct slot *free_slot(sy_audit_batches *batches)
{
    for (unsigned i = 0; i < batches->slot_count; i++) {
        if (!batches->slots[i].used) return &batches->slots[i];
    }
    return NULL;
}

static sy_status check_head(const sy_audit_batches *batches, const struct slot *slot,
                            const struct sy_roster *roster, struct sy_hash *digest,
                            const struct sy_entry *entry, struct sy_error *err)
{
    sy_batch_digest(digest, &batches->genesis->hash, slot->batch.header_bytes);
    if (sy_hash_equal(digest, &entry->digest) && entry->maker < roster->count &&
        slot->batch.header.seq == entry->seq &&
        sy_public_key_equal(&slot->batch.header.maker,
                            &roster->validators[entry->maker].consensus_key)) {
        return SY_OK;
    }
    return sy_fail(
        err, SY_ERR_CORRUPT, "block %llu: the body of batch #%llu of maker %u is another batch's",
        (unsigned long long)slot->height, (unsigned long long)entry->seq, (unsigned)entry->maker);
}

sy_status sy_audit_batches_add(sy_audit_batches *batches, uint64_t height,
                               const struct sy_roster *roster, const struct sy_entry *entry,
                               struct sy_slice body, struct sy_error *err)
{
    struct slot *slot;
    struct sy_hash digest;
    while (!(slot = free_slot(batches))) SY_TRY(take_one(batches, err));
    slot->height = height;
    if (body.size <= sizeof slot->bytes) memcpy(slot->bytes, body.data, body.size);
    if (body.size > sizeof slot->bytes ||
        !sy_batch_decode(&slot->batch, sy_slice_of(slot->bytes, body.size))) {
        return sy_fail(err, SY_ERR_FORMAT, "block %llu: the body of batch #%llu is no batch",
                       (unsigned long long)height, (unsigned long long)entry->seq);
    }
    SY_TRY(check_head(batches, slot, roster, &digest, entry, err));
    SY_TRY(fill_slot(batches, slot, &digest, err));
    sy_status status = sy_engine_submit(batches->engine, &slot->submission);
    if (status != SY_OK) return sy_fail(err, status, "audit: the engine takes no more");
    slot->used = true;
    batches->flying++;
    return SY_OK;
}

sy_status sy_audit_batches_finish(sy_audit_batches *batches, struct sy_error *err)
{
    while (batches->flying > 0) SY_TRY(take_one(batches, err));
    return SY_OK;
}
