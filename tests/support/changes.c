/* changes.c: see changes.h. */
#include "tests/support/changes.h"

#include <stdio.h>

#include "core/base/assert.h"

static void begin(struct test_change *change, uint16_t kind)
{
    memset(change, 0, sizeof *change);
    change->kind = kind;
    change->room = sy_writer_of(change->approvals, sizeof change->approvals);
}

static void set_addresses(struct test_change *change, unsigned number)
{
    for (unsigned i = 1; i < 4; i++) {
        (void)snprintf(change->texts[i], sizeof change->texts[i], "tcp://127.0.0.1:%u",
                       40000 + 4 * number + i);
    }
}

static struct sy_slice text(const char *chars)
{
    return sy_slice_of(chars, strlen(chars));
}

void test_change_texts(struct test_change *change)
{
    if (change->kind == SY_KIND_validator_add) {
        struct sy_validator_add *p = &change->payload.validator_add;
        p->name = text(change->texts[0]);
        p->control_address = text(change->texts[1]);
        p->bulk_address = text(change->texts[2]);
        p->client_address = text(change->texts[3]);
    } else if (change->kind == SY_KIND_validator_rekey) {
        struct sy_validator_rekey *p = &change->payload.validator_rekey;
        p->control_address = text(change->texts[1]);
        p->bulk_address = text(change->texts[2]);
        p->client_address = text(change->texts[3]);
    }
}

void test_change_add(struct test_change *change, const struct sy_hash *genesis,
                     const struct sy_roster *now, unsigned v)
{
    struct sy_validator_add *p = &change->payload.validator_add;
    begin(change, SY_KIND_validator_add);
    p->epoch = now->epoch;
    sy_roster_hash(&p->roster_hash, genesis, now);
    p->org_id = test_hash(1000 + v);
    p->consensus_key = test_public(3 * v);
    p->link_key = test_public(3 * v + 1);
    p->admin_key = test_public(3 * v + 2);
    (void)snprintf(change->texts[0], sizeof change->texts[0], "validator %u", v);
    set_addresses(change, v);
    test_change_texts(change);
}

void test_change_remove(struct test_change *change, const struct sy_hash *genesis,
                        const struct sy_roster *now, unsigned index)
{
    struct sy_validator_remove *p = &change->payload.validator_remove;
    begin(change, SY_KIND_validator_remove);
    p->epoch = now->epoch;
    sy_roster_hash(&p->roster_hash, genesis, now);
    p->validator = now->validators[index].consensus_key;
}

void test_change_rekey(struct test_change *change, const struct sy_hash *genesis,
                       const struct sy_roster *now, unsigned index, unsigned what,
                       unsigned first_key)
{
    struct sy_validator_rekey *p = &change->payload.validator_rekey;
    begin(change, SY_KIND_validator_rekey);
    p->epoch = now->epoch;
    sy_roster_hash(&p->roster_hash, genesis, now);
    p->validator = now->validators[index].consensus_key;
    p->has_consensus_key = p->has_link_key = p->has_admin_key = (what & TEST_REKEY_KEYS) != 0;
    if (what & TEST_REKEY_KEYS) {
        p->consensus_key = test_public(first_key);
        p->link_key = test_public(first_key + 1);
        p->admin_key = test_public(first_key + 2);
    }
    p->has_control_address = p->has_bulk_address = p->has_client_address =
        (what & TEST_REKEY_ADDRESSES) != 0;
    if (what & TEST_REKEY_ADDRESSES) set_addresses(change, first_key);
    test_change_texts(change);
}

void test_change_param(struct test_change *change, const struct sy_hash *genesis,
                       const struct sy_roster *now, const struct sy_param_set *set)
{
    struct sy_param_enact *p = &change->payload.param_enact;
    begin(change, SY_KIND_param_enact);
    p->epoch = now->epoch;
    sy_roster_hash(&p->roster_hash, genesis, now);
    p->name = set->name;
    p->value = set->value;
    p->version = set->version;
    p->activation_height = set->activation_height;
}

static void prove(struct sy_signature *possession, const struct sy_public_key *key,
                  const struct sy_hash *digest)
{
    sy_sign(test_key(test_number(key)), possession, SY_SIG_POSSESSION, digest);
}

void test_change_prove(struct test_change *change, const struct sy_hash *genesis, unsigned sponsor,
                       uint64_t nonce)
{
    static const struct sy_hash nobody;
    struct sy_public_key sponsor_key = test_public(sponsor);
    struct sy_hash digest;
    bool adds = change->kind == SY_KIND_validator_add;
    struct sy_validator_add *a = &change->payload.validator_add;
    struct sy_validator_rekey *p = &change->payload.validator_rekey;
    sy_possession_digest(&digest, genesis, SY_ROLE_VALIDATOR, adds ? &a->org_id : &nobody,
                         &sponsor_key, nonce);
    if (adds) {
        prove(&a->consensus_possession, &a->consensus_key, &digest);
        prove(&a->link_possession, &a->link_key, &digest);
        prove(&a->admin_possession, &a->admin_key, &digest);
    } else if (change->kind == SY_KIND_validator_rekey && p->has_consensus_key) {
        prove(&p->consensus_possession, &p->consensus_key, &digest);
        prove(&p->link_possession, &p->link_key, &digest);
        prove(&p->admin_possession, &p->admin_key, &digest);
    }
}

/* --- approvals ----------------------------------------------------------------------------- */

static struct sy_list *approvals_of(struct test_change *change)
{
    return sy_approvals_of_mutable(sy_kind_by_number(change->kind), &change->payload);
}

void test_change_approve(struct test_change *change, const struct sy_hash *genesis, unsigned key)
{
    struct sy_hash digest;
    struct sy_approval approval = {.key = test_public(key)};
    sy_approval_digest(&digest, genesis, sy_kind_by_number(change->kind), &change->payload);
    sy_sign(test_key(key), &approval.signature, SY_SIG_APPROVAL, &digest);
    sy_list_add_approval(approvals_of(change), &change->room, &approval);
    SY_ASSERT(!change->room.failed);
}

void test_change_approve_by(struct test_change *change, const struct sy_hash *genesis,
                            const struct sy_roster *now, unsigned count)
{
    SY_ASSERT(count <= now->count);
    for (unsigned i = 0; i < count; i++) {
        test_change_approve(change, genesis, test_number(&now->validators[i].admin_key));
    }
}

void test_change_unapprove(struct test_change *change)
{
    *approvals_of(change) = (struct sy_list){0};
    change->room = sy_writer_of(change->approvals, sizeof change->approvals);
}

/* --- what becomes of them ------------------------------------------------------------------ */

static void copy_text(char *out, struct sy_slice chars)
{
    memcpy(out, chars.data, chars.size);
    out[chars.size] = 0;
}

static void follow_add(struct sy_roster *next, const struct sy_validator_add *p)
{
    struct sy_validator *validator = &next->validators[next->count++];
    memset(validator, 0, sizeof *validator);
    copy_text(validator->name, p->name);
    validator->organisation = p->org_id;
    validator->consensus_key = p->consensus_key;
    validator->link_key = p->link_key;
    validator->admin_key = p->admin_key;
    copy_text(validator->control_address, p->control_address);
    copy_text(validator->bulk_address, p->bulk_address);
    copy_text(validator->client_address, p->client_address);
}

static void follow_rekey(struct sy_validator *validator, const struct sy_validator_rekey *p)
{
    if (p->has_consensus_key) validator->consensus_key = p->consensus_key;
    if (p->has_link_key) validator->link_key = p->link_key;
    if (p->has_admin_key) validator->admin_key = p->admin_key;
    if (p->has_control_address) copy_text(validator->control_address, p->control_address);
    if (p->has_bulk_address) copy_text(validator->bulk_address, p->bulk_address);
    if (p->has_client_address) copy_text(validator->client_address, p->client_address);
}

void test_change_follow(struct sy_roster *next, const struct sy_roster *now,
                        const struct test_change *change)
{
    const struct sy_public_key *subject = change->kind == SY_KIND_validator_remove
                                              ? &change->payload.validator_remove.validator
                                              : &change->payload.validator_rekey.validator;
    memset(next, 0, sizeof *next);
    next->epoch = now->epoch + 1;
    for (unsigned i = 0; i < now->count; i++) {
        bool is_meant = change->kind != SY_KIND_validator_add &&
                        sy_public_key_equal(&now->validators[i].consensus_key, subject);
        if (is_meant && change->kind == SY_KIND_validator_remove) continue;
        struct sy_validator *validator = &next->validators[next->count++];
        *validator = now->validators[i];
        if (is_meant) follow_rekey(validator, &change->payload.validator_rekey);
    }
    if (change->kind == SY_KIND_validator_add) follow_add(next, &change->payload.validator_add);
}

void test_handover(struct sy_handover *handover, struct sy_writer *room,
                   const struct sy_hash *genesis, const struct sy_roster *now,
                   const struct test_change *change, uint64_t height)
{
    struct sy_roster next;
    size_t start = room->used;
    test_change_follow(&next, now, change);
    memset(handover, 0, sizeof *handover);
    handover->kind = change->kind;
    sy_approved_encode(room, sy_kind_by_number(change->kind), &change->payload);
    SY_ASSERT(!room->failed);
    handover->change = sy_slice_of(room->data + start, room->used - start);
    handover->header = (struct sy_header){.protocol = SY_PROTOCOL_VERSION,
                                          .height = height,
                                          .epoch = now->epoch,
                                          .time_ms = TEST_GENESIS_MS + (int64_t)height * 1000,
                                          .previous = test_hash(80),
                                          .state_root = test_hash(81)};
    sy_roster_hash(&handover->header.next_roster, genesis, &next);
    test_certify(&handover->certificate, genesis, now, &handover->header);
}
