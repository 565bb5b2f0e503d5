/* roster_change.c: see roster_change.h. */
#include "core/wire/roster_change.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/keys.h"

/* --- applying -------------------------------------------------------------------------------- */

static bool put_text(char *out, size_t max, struct sy_slice text)
{
    if (text.size > max || memchr(text.data, 0, text.size) != NULL) return false;
    memset(out, 0, max + 1);
    memcpy(out, text.data, text.size);
    return true;
}

/* The fields of a payload that a validator's entry has; absent ones are NULL. */
struct fields {
    const struct sy_slice *name;
    const struct sy_public_key *keys[3]; /* consensus, link, admin */
    const struct sy_slice *addresses[3]; /* control, bulk, client */
};

static const char *const address_names[3] = {"control_address", "bulk_address", "client_address"};

static enum sy_refusal fill(struct sy_validator *validator, const char **path,
                            const struct fields *fields)
{
    struct sy_public_key *keys[3] = {&validator->consensus_key, &validator->link_key,
                                     &validator->admin_key};
    char *addresses[3] = {validator->control_address, validator->bulk_address,
                          validator->client_address};
    *path = "name";
    if (fields->name && !put_text(validator->name, SY_NAME_BYTES_MAX, *fields->name)) {
        return SY_E_SCHEMA;
    }
    for (unsigned i = 0; i < 3; i++) {
        if (fields->keys[i]) *keys[i] = *fields->keys[i];
        *path = address_names[i];
        if (!fields->addresses[i]) continue;
        if (!put_text(addresses[i], SY_ADDRESS_BYTES_MAX, *fields->addresses[i])) {
            return SY_E_SCHEMA;
        }
    }
    return SY_APPLIED;
}

/* A key has one role of one validator; a change may not bring one twice either. */
static bool brings_used_key(const struct sy_roster *roster, const struct fields *fields)
{
    for (unsigned i = 0; i < 3; i++) {
        const struct sy_public_key *key = fields->keys[i];
        if (!key) continue;
        if (sy_roster_holds(roster, key)) return true;
        for (unsigned k = 0; k < i; k++) {
            if (fields->keys[k] && sy_public_key_equal(fields->keys[k], key)) return true;
        }
    }
    return false;
}

static enum sy_refusal add(struct sy_roster *next, const char **path,
                           const struct sy_validator_add *p)
{
    if (next->count >= SY_VALIDATORS_MAX) return SY_E_QUORUM;
    const struct fields fields = {&p->name,
                                  {&p->consensus_key, &p->link_key, &p->admin_key},
                                  {&p->control_address, &p->bulk_address, &p->client_address}};
    if (brings_used_key(next, &fields)) return SY_E_KEY_IN_USE;
    struct sy_validator *validator = &next->validators[next->count++];
    memset(validator, 0, sizeof *validator);
    validator->organisation = p->org_id;
    return fill(validator, path, &fields);
}

static enum sy_refusal remove_one(struct sy_roster *next, const struct sy_validator_remove *p)
{
    int index = sy_roster_find(next, &p->validator);
    if (index < 0) return SY_E_VALIDATOR_UNKNOWN;
    if (next->count <= SY_VALIDATORS_MIN) return SY_E_QUORUM;
    next->count--;
    memmove(&next->validators[index], &next->validators[index + 1],
            (size_t)(next->count - index) * sizeof next->validators[0]);
    memset(&next->validators[next->count], 0, sizeof next->validators[0]);
    return SY_APPLIED;
}

static enum sy_refusal rekey(struct sy_roster *next, const char **path,
                             const struct sy_validator_rekey *p)
{
    int index = sy_roster_find(next, &p->validator);
    if (index < 0) return SY_E_VALIDATOR_UNKNOWN;
    const struct fields fields = {NULL,
                                  {p->has_consensus_key ? &p->consensus_key : NULL,
                                   p->has_link_key ? &p->link_key : NULL,
                                   p->has_admin_key ? &p->admin_key : NULL},
                                  {p->has_control_address ? &p->control_address : NULL,
                                   p->has_bulk_address ? &p->bulk_address : NULL,
                                   p->has_client_address ? &p->client_address : NULL}};
    if (brings_used_key(next, &fields)) return SY_E_KEY_IN_USE;
    struct sy_validator before = next->validators[index];
    enum sy_refusal code = fill(&next->validators[index], path, &fields);
    if (code != SY_APPLIED) return code;
    bool same = memcmp(&before, &next->validators[index], sizeof before) == 0;
    return same ? SY_E_ROSTER_SAME : SY_APPLIED;
}

/* What is left to judge are names and addresses: everything else was, on the way. */
static enum sy_refusal judge(const struct sy_roster *next, const char **path)
{
    if (sy_roster_check(next, NULL) == SY_OK) return SY_APPLIED;
    *path = sy_roster_wrong(next);
    return SY_E_SCHEMA;
}

enum sy_refusal sy_roster_apply(struct sy_roster *next, const char **path,
                                const struct sy_roster *now, uint16_t kind,
                                const union sy_payload *payload)
{
    enum sy_refusal code;
    *next = *now;
    next->epoch = now->epoch + 1;
    if (kind == SY_KIND_validator_add) {
        code = add(next, path, &payload->validator_add);
    } else if (kind == SY_KIND_validator_remove) {
        code = remove_one(next, &payload->validator_remove);
    } else {
        SY_ASSERT(kind == SY_KIND_validator_rekey);
        code = rekey(next, path, &payload->validator_rekey);
    }
    return code == SY_APPLIED ? judge(next, path) : code;
}

sy_status sy_roster_follow(struct sy_roster *next, const struct sy_hash *genesis,
                           const struct sy_roster *now, uint16_t kind, struct sy_slice change)
{
    union sy_payload payload;
    const char *path;
    struct sy_hash hash;
    const struct sy_kind *row = sy_kind_by_number(kind);
    if (!row || !sy_kind_changes_roster(kind)) return SY_ERR_FORMAT;
    if (!sy_payload_decode(&payload, row, change, NULL)) return SY_ERR_FORMAT;
    if (!sy_payload_check(row, &payload, NULL)) return SY_ERR_FORMAT;
    if (sy_approvals_of(row, &payload)->count != 0) return SY_ERR_FORMAT;
    struct sy_roster_named named = sy_approved_roster(row, &payload);
    sy_roster_hash(&hash, genesis, now);
    if (named.epoch != now->epoch || !sy_hash_equal(&named.hash, &hash)) return SY_ERR_FORMAT;
    bool applied = sy_roster_apply(next, &path, now, kind, &payload) == SY_APPLIED;
    return applied ? SY_OK : SY_ERR_FORMAT;
}

/* --- handovers ------------------------------------------------------------------------------- */

void sy_handover_encode(struct sy_writer *w, const struct sy_handover *handover)
{
    if (handover->change.size > SY_ROSTER_CHANGE_BYTES_MAX) w->failed = true;
    sy_write_u16(w, handover->kind);
    sy_write_bytes16(w, handover->change);
    sy_header_encode(w, &handover->header);
    sy_certificate_encode(w, &handover->certificate);
}

bool sy_handover_decode(struct sy_reader *r, struct sy_handover *handover, unsigned n)
{
    handover->kind = sy_read_u16(r, "handover.kind");
    handover->change = sy_read_bytes16(r, SY_ROSTER_CHANGE_BYTES_MAX, "handover.change");
    (void)sy_header_decode(r, &handover->header);
    if (!r->failed) (void)sy_certificate_decode(r, &handover->certificate, n);
    return !r->failed;
}

sy_status sy_handover_take(struct sy_roster *roster, const struct sy_hash *genesis,
                           const struct sy_handover *handover, struct sy_error *err)
{
    return sy_handover_take_by(&sy_verifier_openssl, roster, genesis, handover, err);
}

sy_status sy_handover_take_by(const struct sy_verifier *verifier, struct sy_roster *roster,
                              const struct sy_hash *genesis, const struct sy_handover *handover,
                              struct sy_error *err)
{
    struct sy_roster next;
    struct sy_hash hash;
    if (sy_roster_follow(&next, genesis, roster, handover->kind, handover->change) != SY_OK) {
        return sy_fail(err, SY_ERR_CRYPTO, "the change after epoch %u is none of its roster's",
                       (unsigned)roster->epoch);
    }
    sy_roster_hash(&hash, genesis, &next);
    if (!sy_hash_equal(&hash, &handover->header.next_roster)) {
        return sy_fail(err, SY_ERR_CRYPTO,
                       "the header that ends epoch %u names another roster than the change makes",
                       (unsigned)roster->epoch);
    }
    if (!sy_certificate_verify_by(verifier, &handover->certificate, roster, genesis,
                                  &handover->header)) {
        return sy_fail(err, SY_ERR_CRYPTO, "the header that ends epoch %u is not certified by it",
                       (unsigned)roster->epoch);
    }
    *roster = next;
    return SY_OK;
}

bool sy_handovers_decode(struct sy_reader *r, struct sy_slice *handovers, uint32_t epoch)
{
    struct sy_handover handover;
    size_t start = r->used;
    for (uint32_t i = 0; i < epoch && !r->failed; i++) {
        (void)sy_handover_decode(r, &handover, SY_ROSTER_UNKNOWN);
    }
    *handovers = r->failed ? sy_slice_of(NULL, 0) : sy_slice_of(r->data + start, r->used - start);
    return !r->failed;
}

sy_status sy_handovers_follow(struct sy_roster *roster, uint64_t *ended,
                              const struct sy_hash *genesis, struct sy_slice handovers,
                              uint32_t epoch, struct sy_error *err)
{
    return sy_handovers_follow_by(&sy_verifier_openssl, roster, ended, genesis, handovers, epoch,
                                  err);
}

sy_status sy_handovers_follow_by(const struct sy_verifier *verifier, struct sy_roster *roster,
                                 uint64_t *ended, const struct sy_hash *genesis,
                                 struct sy_slice handovers, uint32_t epoch, struct sy_error *err)
{
    struct sy_handover handover;
    struct sy_reader r = sy_reader_of(handovers);
    uint64_t last = 0; // height of the epoch before
    for (uint32_t i = 0; i < epoch; i++) {
        if (!sy_handover_decode(&r, &handover, SY_ROSTER_UNKNOWN)) break;
        // A roster's seals count for the heights of its epoch.
        if (handover.header.height <= last) {
            return sy_fail(err, SY_ERR_CRYPTO, "epoch %u ends before its first height",
                           (unsigned)i);
        }
        SY_TRY(sy_handover_take_by(verifier, roster, genesis, &handover, err));
        last = handover.header.height;
    }
    if (ended) *ended = last;
    if (sy_reader_done(&r)) return SY_OK;
    return sy_fail(err, SY_ERR_FORMAT, "there is not one handover for each epoch before %u",
                   (unsigned)epoch);
}
