/* exec.c: one transaction: who signed, may this copy run, payload by payload; see ledger.h for the
 * order of the checks and exec.h for what contracts see. */
#include "core/ledger/exec.h"

#include "core/base/assert.h"

// --- signers -----------------------------------------------------------------------------------

static void load_signer(struct sy_exec *x, struct sy_exec_signer *signer)
{
    SY_ASSERT(signer >= x->signers && signer < x->signers + x->signer_count);
    signer->known = false;
    signer->revoked = false;
    signer->valid = false;
    signer->suspended = false;
    signer->role = 0;
    signer->line = sy_hash_of_key(&signer->key);
    struct sy_credential credential;
    if (!sy_exec_find_credential(x, &credential, &signer->key)) return;
    // A validator's consensus, link or admin key signs no transactions: it is unknown here.
    if (credential.use != SY_KEY_TX) return;
    signer->known = true;
    signer->revoked = credential.revoked;
    signer->valid = sy_credential_valid(&credential, x->time_ms);
    signer->role = credential.role;
    signer->holder = credential.holder;
    signer->line = sy_credential_line(&credential, &signer->key);
    struct sy_org org;
    // What is read through a validator is logged whatever its organisation may do otherwise.
    if (signer->role == SY_ROLE_VALIDATOR) return;
    if (sy_exec_acts_for_org(signer->role) && sy_exec_find_org(x, &org, &signer->holder)) {
        signer->suspended = org.suspended;
    }
}

static void load_signers(struct sy_exec *x)
{
    SY_ASSERT(x->signer_count >= 1 && x->signer_count <= SY_TX_SIGNERS_MAX);
    for (unsigned i = 0; i < x->signer_count; i++) load_signer(x, &x->signers[i]);
    x->signers_stale = false;
}

/* The key that a payload brings, and that must therefore sign though nobody knows it. */
static const struct sy_public_key *new_key(const struct sy_kind *kind,
                                           const union sy_payload *payload)
{
    switch (kind->number) {
    case SY_KIND_org_register: return &payload->org_register.admin_key;
    case SY_KIND_patient_enrol:
        return payload->patient_enrol.has_wallet_key ? &payload->patient_enrol.wallet_key : NULL;
    case SY_KIND_patient_claim: return &payload->patient_claim.wallet_key;
    // A subject's key of one trial is enrolled for nothing, so that it leads to nobody.
    case SY_KIND_subject_consent: return &payload->subject_consent.consent_key;
    case SY_KIND_subject_withdraw:
        return payload->subject_withdraw.has_consent_key ? &payload->subject_withdraw.consent_key
                                                         : NULL;
    default: return NULL;
    }
}

static void mark_new_key(const struct sy_exec *x, bool *is_new, const struct sy_kind *kind,
                         const union sy_payload *payload)
{
    SY_ASSERT(kind->number != SY_KIND_atomic);
    const struct sy_public_key *key = new_key(kind, payload);
    for (unsigned i = 0; key != NULL && i < x->signer_count; i++) {
        if (sy_public_key_equal(&x->signers[i].key, key)) is_new[i] = true;
    }
}

/* Marks the signers whose keys this very transaction enrols. */
static void find_new_keys(const struct sy_exec *x, bool *is_new, const struct sy_kind *kind,
                          const union sy_payload *payload)
{
    if (kind->number != SY_KIND_atomic) {
        mark_new_key(x, is_new, kind, payload);
        return;
    }
    struct sy_part part;
    for (size_t offset = 0; sy_list_next_part(&payload->atomic.payloads, &offset, &part);) {
        const struct sy_kind *part_kind = sy_kind_by_number(part.kind);
        union sy_payload inner;
        if (part_kind == NULL || !sy_payload_decode(&inner, part_kind, part.payload, NULL)) return;
        mark_new_key(x, is_new, part_kind, &inner);
    }
}

static enum sy_refusal refuse_signer(struct sy_exec *x, enum sy_refusal code, unsigned index)
{
    SY_ASSERT(index < x->signer_count);
    SY_ASSERT(!sy_refusal_decides((uint16_t)code)); // it is judged before the nonce is consumed
    x->detail = index;
    return sy_refuse_key(x, code, &x->signers[index].key);
}

/* Keys that are new may sign, but not alone: somebody known must vouch with a signature, so that
 * no stranger makes state. */
static enum sy_refusal check_keys(struct sy_exec *x, const struct sy_kind *kind,
                                  const union sy_payload *payload)
{
    unsigned unknown = 0;
    for (unsigned i = 0; i < x->signer_count; i++) unknown += x->signers[i].known ? 0 : 1;
    if (unknown > 0) {
        bool is_new[SY_TX_SIGNERS_MAX] = {false};
        if (unknown < x->signer_count) find_new_keys(x, is_new, kind, payload);
        for (unsigned i = 0; i < x->signer_count; i++) {
            if (!x->signers[i].known && !is_new[i]) return refuse_signer(x, SY_E_KEY_UNKNOWN, i);
        }
    }
    for (unsigned i = 0; i < x->signer_count; i++) {
        if (x->signers[i].revoked) return refuse_signer(x, SY_E_KEY_REVOKED, i);
    }
    return SY_APPLIED;
}

/* A validator's signing key comes with the word of the consensus key, which admission has checked:
 * it needs nobody else's, and may do this one thing. */
static void vouch_for_signer(struct sy_exec *x, const struct sy_kind *kind,
                             const union sy_payload *payload)
{
    struct sy_exec_signer *signer = &x->signers[0];
    if (kind->number != SY_KIND_validator_signer || x->signer_count != 1 || signer->known) return;
    int index = sy_roster_find(x->roster, &payload->validator_signer.validator);
    if (index < 0) return;
    SY_ASSERT(index < x->roster->count && !signer->revoked);
    signer->known = signer->valid = true;
    signer->role = SY_ROLE_VALIDATOR;
    signer->holder = x->roster->validators[index].organisation;
}

// --- this copy ---------------------------------------------------------------------------------

/* Judges nonce and time, and consumes the nonce when both are good. */
static enum sy_refusal consume_nonce(struct sy_exec *x)
{
    struct sy_hash id = sy_hash_of_key(&x->tx->signer);
    struct sy_hash key_hash;
    sy_exec_key(x, &key_hash, SY_STATE_NONCES, &id);
    struct sy_nonces nonces = {.highest = 0};
    struct sy_slice value;
    if (sy_exec_find(x, &value, &key_hash) && !sy_nonces_decode(&nonces, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_E_REPLAY;
    }
    if (!sy_nonces_accept(&nonces, x->tx->nonce)) {
        x->detail = nonces.highest;
        return SY_E_REPLAY;
    }
    // Compared without subtracting: valid_until may be any number.
    if (x->tx->valid_until_ms < x->time_ms ||
        x->tx->valid_until_ms > x->time_ms + SY_TX_LIFETIME_MS_MAX) {
        x->detail = (uint64_t)x->time_ms;
        return SY_E_EXPIRED;
    }
    sy_nonces_use(&nonces, x->tx->nonce);
    SY_ASSERT(sy_nonces_seen(&nonces, x->tx->nonce));
    uint8_t room[16 + SY_NONCE_WINDOW / 8];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_nonces_encode(&w, &nonces);
    sy_exec_save(x, &key_hash, &w);
    return SY_APPLIED;
}

// --- payloads ----------------------------------------------------------------------------------

/* The organisation field says for whom the first signer acts; a new key acts for whoever vouches.
 */
static enum sy_refusal check_organisation(struct sy_exec *x)
{
    static const struct sy_hash none;
    const struct sy_exec_signer *signer = x->signers[0].known ? &x->signers[0] : x->by;
    SY_ASSERT(signer != NULL && signer->known);
    const struct sy_hash *holder = sy_exec_acts_for_org(signer->role) ? &signer->holder : &none;
    if (sy_hash_equal(&x->tx->organisation, holder)) return SY_APPLIED;
    (void)sy_refuse_hash(x, SY_E_ROLE, holder);
    return sy_refuse_path(x, SY_E_ROLE, "organisation");
}

/* Finds who answers: the part's signer, or the first one whose role may. */
static enum sy_refusal choose_signer(struct sy_exec *x, int index)
{
    x->by = NULL;
    for (unsigned i = 0; i < x->signer_count && x->by == NULL; i++) {
        const struct sy_exec_signer *signer = &x->signers[i];
        bool may = signer->known && (x->kind->roles & SY_ROLE_BIT(signer->role)) != 0;
        if (may && (index < 0 || (unsigned)index == i)) x->by = signer;
    }
    SY_ASSERT(x->by == NULL || (x->kind->roles & SY_ROLE_BIT(x->by->role)) != 0);
    return x->by != NULL ? SY_APPLIED : sy_refuse_role(x, x->kind->roles);
}

static enum sy_refusal check_signers(struct sy_exec *x, bool first, int index)
{
    if (x->signers_stale) load_signers(x);
    SY_ASSERT(!x->signers_stale && x->signer_count >= 1);
    for (unsigned i = 0; i < x->signer_count; i++) {
        if (x->signers[i].suspended) {
            return sy_refuse_hash(x, SY_E_ORG_SUSPENDED, &x->signers[i].holder);
        }
    }
    enum sy_refusal code = choose_signer(x, index);
    if (code != SY_APPLIED) return code;
    return first ? check_organisation(x) : SY_APPLIED;
}

/* What was said of something else is not to be told with a refusal. */
static void say_nothing(struct sy_exec *x)
{
    x->detail = 0;
    x->detail_hash = (struct sy_hash){{0}};
    x->path.text[0] = '\0';
}

/* The parts before this one have left it room. */
static enum sy_refusal check_room(struct sy_exec *x)
{
    size_t keys, value_bytes;
    sy_overlay_wrote(x->state, &keys, &value_bytes);
    if (keys <= SY_RECEIPT_KEYS_MAX && sy_overlay_has_room(x->state)) return SY_APPLIED;
    x->detail = SY_RECEIPT_KEYS_MAX;
    return SY_E_KEYS;
}

/* Runs one payload; index: the signer that answers for it, or -1. */
static enum sy_refusal run_payload(struct sy_exec *x, const struct sy_kind *kind,
                                   const union sy_payload *payload, bool first, int index)
{
    sy_overlay_relax(x->state);
    say_nothing(x);
    x->kind = kind;
    enum sy_refusal code = check_room(x);
    if (code == SY_APPLIED) code = check_signers(x, first, index);
    if (code != SY_APPLIED) return code;
    if (!sy_payload_check(kind, payload, &x->path)) return SY_E_SCHEMA;
    for (unsigned i = 0; i < x->signer_count; i++) {
        // A part before this one may have revoked a signer; for this part that is no longer valid.
        const struct sy_exec_signer *signer = &x->signers[i];
        if (signer->known && !signer->valid) {
            return sy_refuse_key(x, SY_E_CRED_EXPIRED, &signer->key);
        }
    }
    sy_contract contract = sy_contract_of(kind->number);
    SY_ASSERT(contract != NULL);
    SY_ASSERT(x->by->valid && !x->by->suspended);
    return contract(x, payload);
}

/* Runs the parts in order until one is refused; *part says which. */
static enum sy_refusal run_parts(struct sy_exec *x, uint16_t *part_index,
                                 const struct sy_atomic *atomic)
{
    SY_ASSERT(atomic->payloads.count <= SY_ATOMIC_PAYLOADS_MAX);
    if (atomic->payloads.count == 0) return sy_refuse_path(x, SY_E_SCHEMA, "payloads");
    struct sy_part part;
    uint16_t index = 0;
    for (size_t offset = 0; sy_list_next_part(&atomic->payloads, &offset, &part); index++) {
        *part_index = index;
        const struct sy_kind *kind = sy_kind_by_number(part.kind);
        union sy_payload payload;
        if (kind == NULL || sy_contract_of(part.kind) == NULL ||
            !sy_payload_decode(&payload, kind, part.payload, NULL)) {
            x->failed = SY_ERR_FORMAT;
            return SY_E_SCHEMA;
        }
        enum sy_refusal code = run_payload(x, kind, &payload, index == 0, part.signer);
        if (code != SY_APPLIED || x->failed != SY_OK) return code;
    }
    SY_ASSERT(index == atomic->payloads.count);
    *part_index = 0;
    return SY_APPLIED;
}

// --- the transaction ---------------------------------------------------------------------------

static void begin_tx(struct sy_exec *x, const struct sy_tx *tx)
{
    x->tx = tx;
    x->signer_count = sy_tx_signer_count(tx);
    SY_ASSERT(x->failed == SY_OK); // or the block would have been abandoned before
    SY_ASSERT(x->signer_count <= SY_TX_SIGNERS_MAX);
    for (unsigned i = 0; i < x->signer_count; i++) x->signers[i].key = *sy_tx_signer_key(tx, i);
    x->events.used = 0;
    x->event_count = 0;
    x->events_lost = false;
    say_nothing(x);
    sy_overlay_relax(x->state);
    load_signers(x);
}

/* Can a receipt name all that was written and told? Else the detail is the bound that is passed. */
static bool fits_receipt(struct sy_exec *x, size_t key_count)
{
    if (x->events_lost) {
        x->detail = SY_EVENTS_PER_TX_MAX;
    } else if (key_count > SY_RECEIPT_KEYS_MAX) {
        x->detail = SY_RECEIPT_KEYS_MAX;
    } else if (key_count * sizeof(struct sy_hash) + x->events.used > SY_RECEIPT_LISTS_BYTES_MAX) {
        x->detail = SY_RECEIPT_LISTS_BYTES_MAX;
    } else {
        return true;
    }
    return false;
}

/* Takes what is over the share of the transaction's bytes out of a surplus. */
static bool take_surplus(size_t *surplus, size_t used, size_t share)
{
    size_t over = used > share ? used - share : 0;
    if (over > *surplus) return false;
    *surplus -= over;
    return true;
}

/* Does the block hold all that was written and told? Else the detail is the surplus it has. */
static bool fits_block(struct sy_exec *x, size_t list_bytes)
{
    size_t keys, value_bytes, size = x->tx->body.size;
    struct sy_exec_surplus left = x->surplus;
    sy_overlay_wrote(x->state, &keys, &value_bytes);
    if (!take_surplus(&left.keys, keys, size / SY_EXEC_BYTES_PER_KEY + SY_EXEC_KEYS_PER_TX)) {
        x->detail = left.keys;
    } else if (!take_surplus(&left.value_bytes, value_bytes, size * SY_EXEC_VALUE_BYTES_PER_BYTE)) {
        x->detail = left.value_bytes;
    } else if (!take_surplus(&left.list_bytes, list_bytes, size * SY_EXEC_LIST_BYTES_PER_BYTE)) {
        x->detail = left.list_bytes;
    } else {
        x->surplus = left;
        return true;
    }
    return false;
}

/* keys: room for SY_RECEIPT_KEYS_MAX; *key_count were written, perhaps more. */
static enum sy_refusal judge(struct sy_exec *x, uint16_t *part, struct sy_hash *keys,
                             size_t *key_count, const struct sy_kind *kind,
                             const union sy_payload *payload)
{
    vouch_for_signer(x, kind, payload);
    enum sy_refusal code = check_keys(x, kind, payload);
    if (code != SY_APPLIED) return code;
    code = consume_nonce(x);
    if (code != SY_APPLIED || x->failed != SY_OK) return code;
    // What was written up to here stays; what contracts write from here on may be taken back.
    uint64_t next_event = x->next_event;
    sy_overlay_mark(x->state);
    code = kind->number == SY_KIND_atomic ? run_parts(x, part, &payload->atomic)
                                          : run_payload(x, kind, payload, true, -1);
    SY_ASSERT(x->next_event == next_event + x->event_count);
    if (code == SY_APPLIED && x->failed == SY_OK) {
        say_nothing(x);
        *key_count = sy_overlay_written(x->state, keys, SY_RECEIPT_KEYS_MAX);
        size_t list_bytes = *key_count * sizeof *keys + x->events.used;
        if (!fits_receipt(x, *key_count) || !fits_block(x, list_bytes)) code = SY_E_KEYS;
    }
    if (code != SY_APPLIED) {
        sy_overlay_rollback(x->state);
        x->next_event = next_event;
        x->events.used = 0;
        x->event_count = 0;
    }
    return code;
}

sy_status sy_exec_run(struct sy_exec *x, struct sy_receipt *receipt, struct sy_hash *keys,
                      const struct sy_tx *tx)
{
    const struct sy_kind *kind = sy_kind_by_number(tx->kind);
    union sy_payload payload;
    if (kind == NULL || (kind->number != SY_KIND_atomic && sy_contract_of(tx->kind) == NULL) ||
        !sy_payload_decode(&payload, kind, tx->payload, NULL)) {
        return SY_ERR_FORMAT;
    }
    begin_tx(x, tx);
    uint16_t part = 0;
    size_t count = 0;
    enum sy_refusal code = judge(x, &part, keys, &count, kind, &payload);
    if (x->failed != SY_OK) return x->failed;
    receipt->code = (uint16_t)code;
    receipt->part = part;
    receipt->detail = code == SY_APPLIED ? 0 : x->detail;
    receipt->detail_hash = code == SY_APPLIED ? (struct sy_hash){{0}} : x->detail_hash;
    receipt->path = sy_slice_of(x->path.text, code == SY_APPLIED ? 0 : strlen(x->path.text));
    if (code != SY_APPLIED) count = 0;
    SY_ASSERT(code == SY_APPLIED || x->event_count == 0);
    receipt->key_count = (uint32_t)count;
    receipt->keys = sy_slice_of(keys, count * sizeof *keys);
    receipt->event_count = x->event_count;
    receipt->events = sy_writer_slice(&x->events);
    return SY_OK;
}
