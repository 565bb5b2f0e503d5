/* import_settle.c: what became of transactions. A receipt that decides one moves it from the
 * undecided to the decided, counts its resources and releases what was built on it; a refusal takes
 * back the rows it would have made true and refuses everything built on it, too.
 *
 * Exactly once: a transaction that may be on its way is never signed anew before a certified
 * block's time has passed its valid_until and its nonce is proven clear at such a block. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/assert.h"
#include "core/client/import_internal.h"
#include "core/wire/receipt.h"
#include "core/wire/state.h"

/* How often the same bytes are handed out again after a replay was told, before waiting for the
 * end of their validity: the receipt that decided may just not have been told yet. */
#define REPLAY_TRIES_MAX 3u
/* Block time between two readings of a nonce window for the same transaction. */
#define ASK_AGAIN_MS 5000

static sy_status latch(sy_importer *importer, sy_status status)
{
    if (status != SY_OK) importer->failed = true;
    return status;
}

static sy_status closed(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_CLOSED,
                   "the importer stopped after an earlier failure; run it again with --resume");
}

bool sy_import_has_failed(const sy_importer *importer, const struct sy_hash *label)
{
    return sy_table_find(&importer->failed_things, label) != NULL;
}

void sy_import_drop_old(sy_importer *importer, const struct sy_hash *tx_id)
{
    for (size_t i = importer->old_count; i-- > 0;) {
        if (tx_id != NULL && !sy_hash_equal(&importer->old[i].tx_id, tx_id)) continue;
        free(importer->old[i].tx);
        importer->old[i] = importer->old[--importer->old_count];
    }
}

/* --- resuming -------------------------------------------------------------------------------- */

sy_status sy_import_resume(sy_importer *importer, struct sy_error *err)
{
    struct sy_client_queued queued;
    for (uint64_t seq = 1;; seq = queued.seq + 1) {
        sy_status status = sy_client_queued_from(importer->store, &queued, seq, err);
        if (status == SY_ERR_NOT_FOUND) return SY_OK;
        if (status != SY_OK) return status;
        if (importer->window.count == importer->window.capacity) {
            return sy_fail(err, SY_ERR_LIMIT,
                           "an earlier run left more transactions undecided than the window takes; "
                           "choose a larger window");
        }
        struct sy_window_add add = sy_import_add_of(&queued);
        add.again = true;
        SY_TRY(sy_window_add(&importer->window, &add, err));
        importer->committed_seq = importer->newest_seq = queued.seq;
        importer->totals.txs_undecided++;
    }
}

/* --- deciding -------------------------------------------------------------------------------- */

static void count_made(sy_importer *importer, const struct sy_client_queued *queued, bool refused)
{
    if (queued->run != importer->run) return;
    for (uint32_t i = 0; i < queued->made_count; i++) {
        struct sy_client_made made;
        sy_client_made_at(&made, queued, i);
        sy_import_count(importer, made.type, refused ? SY_FATE_REFUSED : SY_FATE_FINAL);
    }
}

static sy_status settle_applied(sy_importer *importer, struct sy_pending *pending,
                                const struct sy_client_done *done, struct sy_error *err)
{
    struct sy_client_queued queued;
    SY_TRY(sy_client_get_queued(importer->store, &queued, pending->seq, err));
    count_made(importer, &queued, false);
    SY_TRY(sy_client_put_done(importer->store, done, err));
    importer->totals.txs_final++;
    importer->totals.txs_undecided--;
    sy_window_remove(&importer->window, pending, true);
    return SY_OK;
}

/* "file\nwhere\nresource" of a row, told with the reason. */
static void tell_refused(sy_importer *importer, const struct sy_client_queued *queued,
                         const char *why, uint16_t code)
{
    char place[SY_CLIENT_PLACE_BYTES_MAX + 1];
    const struct sy_refusal_info *info = sy_refusal_info(code);
    const struct sy_kind *kind = sy_kind_by_number(queued->kind);
    char what[256];
    memcpy(place, queued->place, sizeof place);
    char *where = strchr(place, '\n');
    char *resource = where == NULL ? NULL : strchr(where + 1, '\n');
    if (where != NULL) *where++ = '\0';
    if (resource != NULL) *resource++ = '\0';
    if (why != NULL) {
        snprintf(what, sizeof what, "%.40s was not sent: %.180s", kind == NULL ? "?" : kind->name,
                 why);
    } else {
        snprintf(what, sizeof what, "%.40s was refused: %s: %.150s",
                 kind == NULL ? "?" : kind->name, info->name, info->sentence);
    }
    sy_import_tell(importer, true, place, where == NULL ? "" : where,
                   resource == NULL ? "" : resource, what,
                   why != NULL ? "see the issue about that one, then import again" : info->remedy);
}

/* Takes back what the transaction would have made true. */
static sy_status take_back(sy_importer *importer, const struct sy_client_queued *queued,
                           struct sy_error *err)
{
    // Dropping writes, and the row lies in the store: copy what is walked.
    uint32_t count = queued->made_count;
    struct sy_client_made *made = count == 0 ? NULL : calloc(count, sizeof *made);
    if (count != 0 && made == NULL) {
        return sy_fail(err, SY_ERR_NO_MEMORY, "no memory to take back a transaction");
    }
    for (uint32_t i = 0; i < count; i++) sy_client_made_at(&made[i], queued, i);
    sy_status status = SY_OK;
    for (uint32_t i = 0; i < count && status == SY_OK; i++) {
        status = sy_client_drop_versions(importer->store, &made[i].label, made[i].version, err);
    }
    free(made);
    if (status != SY_OK || !queued->has_thing) return status;
    if (importer->failed_things.count < SY_IMPORT_FAILED_THINGS_MAX) {
        (void)sy_table_put(&importer->failed_things, &queued->thing, NULL);
    }
    return sy_client_drop_thing(importer->store, &queued->thing, err);
}

static sy_status refuse_one(sy_importer *importer, struct sy_pending *pending,
                            const struct sy_client_done *done, const char *why,
                            struct sy_error *err)
{
    struct sy_client_queued queued;
    SY_TRY(sy_client_get_queued(importer->store, &queued, pending->seq, err));
    count_made(importer, &queued, true);
    tell_refused(importer, &queued, why, done->code);
    SY_TRY(take_back(importer, &queued, err));
    SY_TRY(sy_client_put_done(importer->store, done, err));
    importer->totals.txs_refused++;
    importer->totals.txs_undecided--;
    importer->run_dirty = true;
    return SY_OK;
}

/* A list of seqs still to be refused, each once: everything in it is in the window. */
struct refusals {
    uint64_t *seqs;
    size_t count, capacity;
};

static bool note_refusal(struct refusals *list, uint64_t seq)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        uint64_t *seqs = realloc(list->seqs, capacity * sizeof *seqs);
        if (seqs == NULL) return false;
        list->seqs = seqs;
        list->capacity = capacity;
    }
    list->seqs[list->count++] = seq;
    return true;
}

sy_status sy_import_refuse_all(sy_importer *importer, struct sy_pending *pending,
                               const struct sy_client_done *done, const char *why,
                               struct sy_error *err)
{
    struct refusals list = {NULL, 0, 0};
    sy_status status = refuse_one(importer, pending, done, why, err);
    for (size_t at = 0; status == SY_OK && pending != NULL;) {
        uint64_t seq;
        bool noted = true;
        for (uint32_t i = 0; (seq = sy_window_dependent(&importer->window, pending, i)) != 0; i++) {
            noted = noted && note_refusal(&list, seq);
        }
        if (!noted) {
            status =
                sy_fail(err, SY_ERR_NO_MEMORY, "no memory to refuse what was built on another");
            break;
        }
        sy_window_remove(&importer->window, pending, false);
        pending = NULL;
        while (pending == NULL && at < list.count) {
            pending = sy_window_find_seq(&importer->window, list.seqs[at++]);
        }
        if (pending == NULL) break;
        struct sy_client_done dropped = {
            .seq = pending->seq, .tx_id = pending->tx_id, .code = done->code};
        status = refuse_one(importer, pending, &dropped, "what it is built on was refused", err);
    }
    free(list.seqs);
    return status;
}

/* --- told by the network --------------------------------------------------------------------- */

void sy_importer_on_received(sy_importer *importer, const struct sy_hash *tx_id)
{
    struct sy_pending *pending = sy_window_find_id(&importer->window, tx_id);
    if (pending == NULL || pending->received) return;
    pending->received = true;
    importer->totals.txs_received++;
}

sy_status sy_importer_on_refused(sy_importer *importer, const struct sy_hash *tx_id, uint16_t code,
                                 struct sy_error *err)
{
    if (importer->failed) return closed(err);
    struct sy_pending *pending = sy_window_find_id(&importer->window, tx_id);
    if (pending == NULL) sy_import_drop_old(importer, tx_id);
    if (pending == NULL || code == SY_E_BUSY) return SY_OK;
    struct sy_client_done done = {.seq = pending->seq, .tx_id = *tx_id, .code = code};
    return latch(importer, sy_import_refuse_all(importer, pending, &done, NULL, err));
}

/* A code that decides only that copy: the transaction may have run, or may run later. */
static void hold(sy_importer *importer, struct sy_pending *pending, uint16_t code)
{
    pending->code = code;
    pending->borrowed = false;
    bool ready_again = code == SY_E_REPLAY && pending->tries < REPLAY_TRIES_MAX;
    if (pending->state == SY_PENDING_READY) return;
    pending->state = SY_PENDING_HELD;
    importer->some_held = true;
    if (pending->valid_until_ms < importer->window.earliest_ms) {
        importer->window.earliest_ms = pending->valid_until_ms;
    }
    if (!ready_again) return;
    pending->tries++;
    pending->again = true;
    sy_window_make_ready(&importer->window, pending);
}

/* Once an epoch: what anybody needs to check its headers later. */
static sy_status keep_handovers(sy_importer *importer, const struct sy_import_outcome *outcome,
                                struct sy_error *err)
{
    while (importer->kept_epoch < outcome->header->epoch) {
        uint32_t epoch = importer->kept_epoch;
        struct sy_slice before = sy_epochs_handovers(outcome->epochs, epoch);
        struct sy_slice all = sy_epochs_handovers(outcome->epochs, epoch + 1);
        struct sy_slice one = sy_slice_of(all.data + before.size, all.size - before.size);
        SY_TRY(sy_client_put_handover(importer->store, epoch, one, err));
        importer->kept_epoch++;
    }
    return SY_OK;
}

static sy_status settle(sy_importer *importer, struct sy_pending *pending,
                        const struct sy_import_outcome *outcome, const struct sy_receipt *receipt,
                        struct sy_error *err)
{
    struct sy_client_done done = {
        .seq = pending->seq,
        .tx_id = pending->tx_id,
        .height = receipt->height,
        .code = receipt->code,
        .proof = outcome->receipt_proof,
    };
    SY_TRY(keep_handovers(importer, outcome, err));
    SY_TRY(sy_client_put_header(importer->store, outcome->header, outcome->certificate, err));
    if (receipt->height > importer->totals.newest_height) {
        importer->totals.newest_height = receipt->height;
    }
    importer->run_dirty = true;
    // Somebody else of this organisation opened it: what was wanted is so.
    bool stands = receipt->code == SY_APPLIED || receipt->code == SY_E_CARE_EXISTS;
    if (stands) return settle_applied(importer, pending, &done, err);
    return sy_import_refuse_all(importer, pending, &done, NULL, err);
}

sy_status sy_importer_on_final(sy_importer *importer, const struct sy_import_outcome *outcome,
                               struct sy_error *err)
{
    if (importer->failed) return closed(err);
    struct sy_pending *pending = sy_window_find_id(&importer->window, &outcome->tx_id);
    if (pending == NULL) sy_import_drop_old(importer, &outcome->tx_id);
    if (pending == NULL) return SY_OK;
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(outcome->receipt);
    if (!sy_receipt_decode(&r, &receipt) || !sy_reader_done(&r) ||
        !sy_hash_equal(&receipt.tx_id, &outcome->tx_id) ||
        receipt.height != outcome->header->height) {
        return sy_fail(err, SY_ERR_FORMAT,
                       "a receipt does not decode, or is about another "
                       "transaction; ask another validator");
    }
    sy_importer_on_block_time(importer, outcome->header->time_ms);
    if (receipt.code != SY_APPLIED && !sy_refusal_decides(receipt.code)) {
        hold(importer, pending, receipt.code);
        return SY_OK;
    }
    importer->steps++;
    return latch(importer, settle(importer, pending, outcome, &receipt, err));
}

void sy_importer_resend(sy_importer *importer, const struct sy_hash *tx_id)
{
    struct sy_pending *pending;
    if (tx_id != NULL) {
        pending = sy_window_find_id(&importer->window, tx_id);
        if (pending == NULL || pending->state != SY_PENDING_OUT) return;
        pending->again = true;
        sy_window_make_ready(&importer->window, pending);
        return;
    }
    for (uint32_t slot = 0; (pending = sy_window_next(&importer->window, &slot)) != NULL;) {
        if (pending->state != SY_PENDING_OUT) continue;
        pending->again = true;
        sy_window_make_ready(&importer->window, pending);
    }
}

/* --- what time has overtaken ----------------------------------------------------------------- */

void sy_importer_on_block_time(sy_importer *importer, int64_t time_ms)
{
    if (time_ms > importer->block_time_ms) importer->block_time_ms = time_ms;
}

/* A clock that runs ahead: told that valid_until was too far off, its time has come now. */
static bool is_due_again(const struct sy_pending *pending, int64_t time_ms)
{
    return pending->state == SY_PENDING_HELD && pending->code == SY_E_EXPIRED &&
           pending->valid_until_ms > time_ms &&
           pending->valid_until_ms - time_ms <= SY_TX_LIFETIME_MS_MAX;
}

bool sy_import_expired(sy_importer *importer, struct sy_public_key *key, int64_t *after_ms)
{
    struct sy_import_window *window = &importer->window;
    int64_t time_ms = importer->block_time_ms;
    bool news = importer->some_held && importer->looked_at_ms != time_ms;
    if (!news && time_ms <= window->earliest_ms) return false;
    int64_t earliest_ms = INT64_MAX;
    bool found = false;
    struct sy_pending *pending;
    importer->some_held = false;
    importer->looked_at_ms = time_ms;
    for (uint32_t slot = 0; (pending = sy_window_next(window, &slot)) != NULL;) {
        if (is_due_again(pending, time_ms)) {
            pending->again = true;
            sy_window_make_ready(window, pending);
        }
        bool out = pending->state == SY_PENDING_OUT || pending->state == SY_PENDING_HELD;
        bool over = pending->valid_until_ms < time_ms;
        if (out && over && pending->ask_after_ms <= time_ms) pending->state = SY_PENDING_PROOF;
        if (pending->ask_after_ms > time_ms) importer->some_held = true;
        if (pending->state == SY_PENDING_HELD) importer->some_held = true;
        if (pending->state == SY_PENDING_PROOF && !found) {
            found = true;
            *key = pending->signer;
            *after_ms = pending->valid_until_ms;
        }
        if (!over && pending->valid_until_ms < earliest_ms) earliest_ms = pending->valid_until_ms;
    }
    if (!found) window->earliest_ms = earliest_ms;
    return found;
}

/* One transaction whose nonce is proven at a time past its end. */
static sy_status judge_expired(sy_importer *importer, struct sy_pending *pending, bool used,
                               struct sy_error *err)
{
    bool hopeless = pending->code == SY_E_KEY_UNKNOWN || pending->code == SY_E_KEY_REVOKED;
    if (used) {
        // It ran, nobody else signs with this key: its receipt is asked for again.
        pending->ask_after_ms = importer->block_time_ms + ASK_AGAIN_MS;
        pending->again = true;
        sy_window_make_ready(&importer->window, pending);
        return SY_OK;
    }
    if (!hopeless) return sy_import_sign_again(importer, pending, err);
    struct sy_client_done done = {
        .seq = pending->seq, .tx_id = pending->tx_id, .code = pending->code};
    return sy_import_refuse_all(importer, pending, &done, NULL, err);
}

sy_status sy_importer_on_nonce(sy_importer *importer, const struct sy_public_key *key,
                               struct sy_slice value, const struct sy_header *header,
                               struct sy_error *err)
{
    if (importer->failed) return closed(err);
    struct sy_nonces nonces = {.highest = 0};
    if (value.data != NULL && !sy_nonces_decode(&nonces, value)) {
        return sy_fail(err, SY_ERR_FORMAT, "a nonce window does not decode; ask another validator");
    }
    sy_importer_on_block_time(importer, header->time_ms);
    if (sy_public_key_equal(key, &importer->nonce_asked)) importer->nonce_is_asked = false;
    for (uint32_t slot = 0;;) {
        struct sy_pending *pending = sy_window_next(&importer->window, &slot);
        if (pending == NULL) return SY_OK;
        bool meant = pending->state == SY_PENDING_PROOF &&
                     sy_public_key_equal(&pending->signer, key) &&
                     pending->valid_until_ms < header->time_ms;
        if (!meant) continue;
        bool used = sy_nonces_seen(&nonces, pending->nonce);
        SY_TRY(latch(importer, judge_expired(importer, pending, used, err)));
    }
}
