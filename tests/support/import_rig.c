/* import_rig.c: see import_rig.h. */
#include "tests/support/import_rig.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/test.h"

#define RIG_IDLE_MAX 200u

void rig_open(struct import_rig *rig)
{
    memset(rig, 0, sizeof *rig);
    test_folder(rig->folder, sizeof rig->folder, "import");
    snprintf(rig->store, sizeof rig->store, "%s/client", rig->folder);
    snprintf(rig->regulator, sizeof rig->regulator, "%s/regulator.pem", rig->folder);
    sy_status status = sy_secret_key_save(test_key(TEST_REGULATOR), rig->regulator, NULL, NULL);
    SY_ASSERT(status == SY_OK);
    world_open(&rig->world, 0, 0);
    sy_prng_seed(&rig->prng, test_seed());
    rig_jump(rig, sy_os_wall_ms() - rig->world.header.time_ms);
}

void rig_close(struct import_rig *rig)
{
    for (size_t i = 0; i < rig->outcome_count; i++) {
        free(rig->outcomes[i].receipt);
        free(rig->outcomes[i].proof);
        free(rig->outcomes[i].certificate);
    }
    free(rig->outcomes);
    world_close(&rig->world);
    sy_status status = sy_os_remove_tree(rig->folder, NULL);
    SY_ASSERT(status == SY_OK);
}

struct sy_importer_config rig_config(const struct import_rig *rig)
{
    return (struct sy_importer_config){
        .store_path = rig->store,
        .regulator_key_path = rig->regulator,
        .genesis = &rig->world.genesis,
    };
}

void rig_jump(struct import_rig *rig, int64_t ms)
{
    rig->world.step_ms = ms;
    world_execute(&rig->world, NULL, 0);
    rig->world.step_ms = 5;
    rig->blocks++;
}

/* --- admission ------------------------------------------------------------------------------- */

/* What every validator checks of every transaction before it may be ordered. */
static void admit(const struct import_rig *rig, const struct sy_import_action *action)
{
    struct sy_tx tx;
    struct sy_hash id;
    struct sy_tx_proof proofs[4];
    const char *what = NULL;
    enum sy_refusal code =
        sy_tx_decode(&tx, &what, action->tx, sy_network_tag(&rig->world.genesis));
    if (code != SY_APPLIED) fail_msg("not canonical: %s", what);
    sy_tx_id(&id, &tx);
    assert_true(sy_hash_equal(&id, &action->tx_id));
    for (unsigned i = 0; i < sy_tx_signer_count(&tx); i++) {
        struct sy_signature signature;
        memcpy(signature.bytes, tx.signatures.data + 64 * i, 64);
        assert_true(sy_verify_one(sy_tx_signer_key(&tx, i), SY_SIG_TX, &id, &signature));
    }
    unsigned count = sy_tx_proofs(proofs, 4, &tx, &rig->world.genesis.hash);
    assert_true(count <= 4);
    for (unsigned i = 0; i < count; i++) {
        assert_true(sy_verify_one(&proofs[i].key, (enum sy_sig_kind)proofs[i].sig_kind,
                                  &proofs[i].digest, &proofs[i].signature));
    }
}

/* Puts whole bytes into the batch being filled; false: it is full. */
static bool add_bytes(struct ledger_world *world, struct sy_slice tx)
{
    if (world->batch_txs == SY_BATCH_TXS_MAX ||
        world->batch_bytes + 4 + tx.size > SY_BATCH_BYTES_MAX) {
        return false;
    }
    sy_store_u32(world->batch + world->batch_bytes, (uint32_t)tx.size);
    memcpy(world->batch + world->batch_bytes + 4, tx.data, tx.size);
    world->batch_bytes += 4 + tx.size;
    world->batch_txs++;
    return true;
}

/* --- outcomes -------------------------------------------------------------------------------- */

static struct rig_outcome *find_outcome(const struct import_rig *rig, const struct sy_hash *id)
{
    for (size_t i = rig->outcome_count; i-- > 0;) {
        struct rig_outcome *outcome = &rig->outcomes[i];
        if (outcome->decides && sy_hash_equal(&outcome->id, id)) return outcome;
    }
    return NULL;
}

static uint8_t *copy_bytes(struct sy_slice bytes)
{
    uint8_t *copy = malloc(bytes.size);
    SY_ASSERT(copy != NULL);
    memcpy(copy, bytes.data, bytes.size);
    return copy;
}

/* The receipt's audit path under the newest header. */
static void make_proof(struct import_rig *rig, struct rig_outcome *outcome, uint32_t index)
{
    const struct sy_block_result *result = &rig->world.result;
    struct sy_hash *scratch = calloc(result->tx_count, sizeof *scratch);
    static uint8_t room[1u << 20];
    struct sy_receipt_proof proof = {.receipt =
                                         sy_slice_of(outcome->receipt, outcome->receipt_bytes)};
    SY_ASSERT(scratch != NULL);
    sy_merkle_path_make(&proof.receipt_path, scratch, result->receipt_leaves, result->tx_count,
                        index);
    free(scratch);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_receipt_proof_encode(&w, &proof);
    SY_ASSERT(!w.failed);
    outcome->proof = copy_bytes(sy_writer_slice(&w));
    outcome->proof_bytes = w.used;
}

static void seal_header(struct import_rig *rig, struct rig_outcome *outcome)
{
    struct sy_certificate certificate;
    uint8_t room[16384];
    test_certificate(&certificate, &rig->world.genesis, &rig->world.header);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_certificate_encode(&w, &certificate);
    SY_ASSERT(!w.failed);
    outcome->certificate = copy_bytes(sy_writer_slice(&w));
    outcome->certificate_bytes = w.used;
    outcome->header = rig->world.header;
}

static struct rig_outcome *note_outcome(struct import_rig *rig, uint32_t index)
{
    const struct sy_block_result *result = &rig->world.result;
    if (rig->outcome_count == rig->outcome_capacity) {
        rig->outcome_capacity = rig->outcome_capacity == 0 ? 256 : rig->outcome_capacity * 2;
        rig->outcomes = realloc(rig->outcomes, rig->outcome_capacity * sizeof *rig->outcomes);
        SY_ASSERT(rig->outcomes != NULL);
    }
    struct rig_outcome *outcome = &rig->outcomes[rig->outcome_count++];
    memset(outcome, 0, sizeof *outcome);
    const uint8_t *data = result->receipts.data + result->receipt_offsets[index];
    struct sy_receipt receipt;
    world_receipt(&rig->world, &receipt, index);
    outcome->id = result->tx_ids[index];
    outcome->receipt_bytes = sy_load_u32(data);
    outcome->receipt = copy_bytes(sy_slice_of(data + 4, outcome->receipt_bytes));
    outcome->decides = receipt.code == SY_APPLIED || sy_refusal_decides(receipt.code);
    make_proof(rig, outcome, index);
    seal_header(rig, outcome);
    return outcome;
}

const struct rig_outcome *rig_decide(struct import_rig *rig, const struct sy_import_action *send)
{
    const struct rig_outcome *known = find_outcome(rig, &send->tx_id);
    if (known != NULL) return known;
    admit(rig, send);
    bool fits = add_bytes(&rig->world, send->tx);
    SY_ASSERT(fits);
    world_run(&rig->world);
    rig->blocks++;
    return note_outcome(rig, 0);
}

static sy_status tell(const struct import_rig *rig, sy_importer *importer,
                      const struct rig_outcome *outcome, struct sy_error *err)
{
    struct sy_header header = outcome->header;
    if (rig->epochs) header.epoch = sy_epochs_newest(rig->epochs)->epoch;
    struct sy_import_outcome told = {
        .tx_id = outcome->id,
        .receipt = sy_slice_of(outcome->receipt, outcome->receipt_bytes),
        .receipt_proof = sy_slice_of(outcome->proof, outcome->proof_bytes),
        .header = &header,
        .certificate = sy_slice_of(outcome->certificate, outcome->certificate_bytes),
        .epochs = rig->epochs,
    };
    return sy_importer_on_final(importer, &told, err);
}

/* --- running --------------------------------------------------------------------------------- */

struct flight {
    struct sy_import_action sends[RIG_TXS_MAX];
    size_t count;
};

static bool is_lost(struct import_rig *rig)
{
    return rig->lose_every != 0 && sy_prng_chance(&rig->prng, 1, rig->lose_every);
}

/* Orders sends[from..] in one block as far as it goes and tells what became of them. Returns how
 * many were taken. */
static size_t run_block(struct import_rig *rig, sy_importer *importer, struct flight *flight,
                        size_t from, sy_status *status, struct sy_error *err)
{
    static bool ordered[RIG_TXS_MAX];
    size_t most = rig->block_txs == 0 ? 256 : rig->block_txs;
    size_t taken = 0;
    for (; from + taken < flight->count && taken < most; taken++) {
        const struct sy_import_action *send = &flight->sends[from + taken];
        ordered[taken] =
            rig->executes_copies || !send->again || find_outcome(rig, &send->tx_id) == NULL;
        if (ordered[taken] && !add_bytes(&rig->world, send->tx)) break;
    }
    bool any = rig->world.batch_txs != 0;
    if (any) world_run(&rig->world);
    rig->blocks += any;
    uint32_t index = 0;
    for (size_t i = 0; i < taken && *status == SY_OK; i++) {
        struct sy_hash id = flight->sends[from + i].tx_id;
        const struct rig_outcome *outcome =
            ordered[i] ? note_outcome(rig, index++) : find_outcome(rig, &id);
        sy_importer_on_received(importer, &id);
        if (rig->hides) continue;
        if (is_lost(rig)) {
            sy_importer_resend(importer, &id);
            continue;
        }
        *status = tell(rig, importer, outcome, err);
        // A copy was refused as a replay; the receipt that decided comes a little later.
        bool replayed = !outcome->decides && find_outcome(rig, &id) != NULL;
        if (replayed && *status == SY_OK)
            *status = tell(rig, importer, find_outcome(rig, &id), err);
    }
    return taken;
}

static sy_status answer_nonce(struct import_rig *rig, sy_importer *importer,
                              const struct sy_import_action *action, struct sy_error *err)
{
    struct sy_hash key_hash;
    struct sy_slice value = {NULL, 0};
    rig->nonces_read++;
    while (rig->world.header.time_ms <= action->after_ms) rig_jump(rig, 1000);
    sy_state_key_public(&key_hash, SY_STATE_NONCES, &action->key);
    (void)world_find(&rig->world, &value, &key_hash);
    return sy_importer_on_nonce(importer, &action->key, value, &rig->world.header, err);
}

sy_status rig_run(struct import_rig *rig, sy_importer *importer, struct sy_error *err)
{
    static struct flight flight;
    struct sy_import_action action;
    flight.count = 0;
    for (;;) {
        SY_TRY(sy_importer_next(importer, &action, err));
        if (action.kind == SY_IMPORT_DONE) return SY_OK;
        if (action.kind == SY_IMPORT_NONCE) SY_TRY(answer_nonce(rig, importer, &action, err));
        if (action.kind == SY_IMPORT_SEND) {
            rig->sends++;
            rig->again += action.again;
            admit(rig, &action);
            flight.sends[flight.count++] = action;
        }
        bool full = flight.count == RIG_TXS_MAX;
        if (action.kind != SY_IMPORT_WAIT && !full) continue;
        if (rig->swallows || (flight.count == 0 && rig->hides)) return SY_OK;
        // With nothing on its way only time can help: half an hour passes.
        if (flight.count == 0) rig_jump(rig, 30 * 60 * 1000);
        if (flight.count == 0 && ++rig->idle == RIG_IDLE_MAX) fail_msg("waits for ever");
        sy_status status = SY_OK;
        for (size_t at = 0; at < flight.count && status == SY_OK;) {
            at += run_block(rig, importer, &flight, at, &status, err);
        }
        flight.count = 0;
        SY_TRY(status);
        sy_importer_on_block_time(importer, rig->world.header.time_ms);
    }
}

sy_status rig_import(struct import_rig *rig, const struct sy_importer_config *config,
                     const char *const *paths, struct sy_import_totals *totals,
                     struct sy_error *err)
{
    sy_importer *importer;
    memset(totals, 0, sizeof *totals);
    SY_TRY(sy_importer_open(&importer, config, err));
    sy_status status = SY_OK;
    for (size_t i = 0; paths[i] != NULL && status == SY_OK; i++) {
        status = sy_importer_add(importer, paths[i], err);
    }
    if (status == SY_OK) status = rig_run(rig, importer, err);
    sy_importer_totals(importer, totals);
    sy_importer_close(importer);
    return status;
}

/* --- looking --------------------------------------------------------------------------------- */

/* State keys are hashes, so what an entry is follows from which decoder takes it whole. */
void rig_records(struct import_rig *rig, size_t *records, size_t *amendments)
{
    *records = *amendments = 0;
    for (size_t i = 0; i < rig->world.state.count; i++) {
        const struct state_entry *entry = &rig->world.state.entries[i];
        struct sy_record record;
        if (!sy_record_decode(&record, sy_slice_of(entry->data, entry->size))) continue;
        ++*records;
        *amendments += record.versions - 1;
    }
}

void rig_samples(char *out, size_t size, const char *file)
{
    const char *source = getenv("SYSTOLE_SOURCE");
    snprintf(out, size, "%s/tests/data/fhir%s%s", source == NULL ? "." : source,
             file[0] == '\0' ? "" : "/", file);
}

void rig_write(const struct import_rig *rig, char *path, size_t size, const char *name,
               const char *text)
{
    snprintf(path, size, "%s/%s", rig->folder, name);
    assert_int_equal(sy_os_write_file(path, text, strlen(text), 0600, NULL), SY_OK);
}
