/* ledger_world.c: see ledger_world.h. */
#include "tests/support/ledger_world.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"

#define LIST_ROOM (SY_TX_BYTES_MAX + 65536u)
#define BATCH_FRONT (SY_BATCH_HEADER_BYTES + 64u)

static void *must(void *memory)
{
    SY_ASSERT(memory != NULL);
    return memory;
}

static sy_status open_ledger(struct ledger_world *world)
{
    world->ledger = NULL;
    world->config.genesis = &world->genesis;
    world->config.source = state_array_source(&world->state);
    return sy_ledger_open(&world->ledger, &world->config, &world->err);
}

static void make_rooms(struct ledger_world *world)
{
    world->batch = must(malloc(SY_BATCH_BYTES_MAX));
    world->batch_bytes = BATCH_FRONT;
    world->payload_room = must(malloc(SY_TX_BYTES_MAX));
    world->list_room = must(malloc(LIST_ROOM));
    world->lists = sy_writer_of(world->list_room, LIST_ROOM);
}

static void open_world(struct ledger_world *world, unsigned n)
{
    test_genesis(&world->genesis, n);
    make_rooms(world);
    world->step_ms = 1000;
    uint8_t *room = must(malloc(SY_LEDGER_GENESIS_BYTES_MAX));
    struct sy_writer deltas = sy_writer_of(room, SY_LEDGER_GENESIS_BYTES_MAX);
    struct sy_hash root, opened;
    sy_status status = sy_ledger_genesis(&deltas, &root, &world->genesis);
    SY_ASSERT(status == SY_OK);
    state_array_apply(&world->state, sy_writer_slice(&deltas));
    free(room);
    sy_genesis_header(&world->header, &world->genesis, &root);
    status = open_ledger(world);
    SY_ASSERT(status == SY_OK);
    sy_ledger_state_root(world->ledger, &opened);
    SY_ASSERT(sy_hash_equal(&root, &opened));
}

void world_open(struct ledger_world *world, unsigned bucket_leaves, size_t trie_bytes_max)
{
    memset(world, 0, sizeof *world);
    world->config.trie_bucket_leaves = bucket_leaves;
    world->config.trie_bytes_max = trie_bytes_max;
    open_world(world, WORLD_VALIDATORS);
}

void world_open_of(struct ledger_world *world, unsigned n)
{
    memset(world, 0, sizeof *world);
    open_world(world, n);
}

void world_copy(struct ledger_world *world, const struct ledger_world *from, unsigned bucket_leaves,
                size_t trie_bytes_max)
{
    SY_ASSERT(from->batch_txs == 0);
    memset(world, 0, sizeof *world);
    world->config.trie_bucket_leaves = bucket_leaves;
    world->config.trie_bytes_max = trie_bytes_max;
    world->genesis = from->genesis;
    world->header = from->header;
    world->step_ms = from->step_ms;
    memcpy(world->nonces, from->nonces, sizeof world->nonces);
    state_array_copy(&world->state, &from->state);
    make_rooms(world);
    sy_status status = open_ledger(world);
    SY_ASSERT(status == SY_OK);
}

void world_close(struct ledger_world *world)
{
    sy_ledger_close(world->ledger);
    state_array_close(&world->state);
    free(world->batch);
    free(world->payload_room);
    free(world->list_room);
}

sy_status world_try_reopen(struct ledger_world *world)
{
    sy_ledger_close(world->ledger);
    return open_ledger(world);
}

void world_reopen(struct ledger_world *world)
{
    sy_status status = world_try_reopen(world);
    SY_ASSERT(status == SY_OK);
}

// --- transactions ------------------------------------------------------------------------------

struct world_tx world_tx_of(uint16_t kind, unsigned key, unsigned org)
{
    struct world_tx tx = {.kind = kind, .keys = {key}, .key_count = 1};
    if (org != 0) tx.organisation = test_hash(org);
    return tx;
}

void world_cosign(struct world_tx *tx, unsigned key)
{
    SY_ASSERT(tx->key_count < SY_TX_SIGNERS_MAX);
    tx->keys[tx->key_count++] = key;
}

/* Encodes a transaction with signatures of zeros. */
static void encode_tx(struct sy_writer *w, struct ledger_world *world, const struct world_tx *plan,
                      struct sy_slice payload)
{
    struct sy_tx tx;
    test_tx_begin(&tx, &world->genesis, plan->kind, plan->keys, plan->key_count);
    tx.organisation = plan->organisation;
    tx.nonce = plan->nonce != 0 ? plan->nonce : ++world->nonces[plan->keys[0]];
    tx.valid_until_ms =
        plan->valid_until_ms != 0 ? plan->valid_until_ms : world->header.time_ms + 3600 * 1000;
    tx.payload = payload;
    sy_tx_encode_body(w, &tx);
    static const struct sy_signature zeros;
    for (unsigned i = 0; i < plan->key_count; i++) sy_write_signature(w, &zeros);
}

bool world_add(struct ledger_world *world, const struct world_tx *plan)
{
    struct sy_writer payload = sy_writer_of(world->payload_room, SY_TX_BYTES_MAX);
    sy_payload_encode(&payload, sy_kind_by_number(plan->kind), &plan->payload);
    SY_ASSERT(!payload.failed);
    size_t left = SY_BATCH_BYTES_MAX - world->batch_bytes;
    struct sy_writer w = sy_writer_of(world->batch + world->batch_bytes, left);
    sy_write_u32(&w, 0);
    encode_tx(&w, world, plan, sy_writer_slice(&payload));
    if (w.failed || world->batch_txs == SY_BATCH_TXS_MAX) return false;
    sy_store_u32(w.data, (uint32_t)(w.used - 4));
    world->batch_bytes += w.used;
    world->batch_txs++;
    return true;
}

static struct sy_public_key maker_key(const struct ledger_world *world, unsigned maker)
{
    const struct sy_roster *roster = sy_ledger_roster(world->ledger, world->header.height + 1);
    return maker < roster->count ? roster->validators[maker].consensus_key : test_public(3 * maker);
}

uint64_t world_next_seq(const struct ledger_world *world, unsigned maker)
{
    struct sy_public_key key = maker_key(world, maker);
    struct sy_hash key_hash;
    struct sy_slice value;
    uint64_t seq = 1;
    sy_state_key_public(&key_hash, SY_STATE_MAKER, &key);
    bool good = !world_find(world, &value, &key_hash) || sy_count_decode(&seq, value);
    SY_ASSERT(good);
    return seq;
}

struct sy_slice world_batch(struct ledger_world *world, unsigned maker, uint64_t seq)
{
    struct sy_batch_header header = {
        .maker = maker_key(world, maker),
        .seq = seq,
        .count = world->batch_txs,
        .bytes = (uint32_t)(world->batch_bytes - BATCH_FRONT),
    };
    // The digest must cover the bytes; which tree it is makes no difference to execution.
    sy_sha256(&header.id_root, world->batch + BATCH_FRONT, header.bytes);
    struct sy_writer w = sy_writer_of(world->batch, BATCH_FRONT);
    sy_batch_header_encode(&w, &header);
    memset(world->batch + SY_BATCH_HEADER_BYTES, 0, 64);
    struct sy_slice batch = sy_slice_of(world->batch, world->batch_bytes);
    world->batch_bytes = BATCH_FRONT;
    world->batch_txs = 0;
    return batch;
}

struct sy_block_entry world_entry(const struct ledger_world *world, unsigned maker, uint64_t seq,
                                  struct sy_slice batch)
{
    struct sy_block_entry entry = {.batch = batch};
    entry.entry.maker = (uint16_t)maker;
    entry.entry.seq = seq;
    sy_batch_digest(&entry.entry.digest, &world->genesis.hash,
                    sy_slice_of(batch.data, SY_BATCH_HEADER_BYTES));
    return entry;
}

void world_execute(struct ledger_world *world, const struct sy_block_entry *entries, size_t count)
{
    struct sy_block_input input = {
        .height = world->header.height + 1,
        .epoch = sy_ledger_roster(world->ledger, world->header.height + 1)->epoch,
        .time_ms = world->header.time_ms + world->step_ms,
        .previous = &world->header,
        .entries = entries,
        .entry_count = count,
    };
    sy_status status = sy_ledger_execute(world->ledger, &world->result, &input, &world->err);
    SY_ASSERT(status == SY_OK);
    state_array_apply(&world->state, world->result.deltas);
    world->header = world->result.header;
}

void world_run(struct ledger_world *world)
{
    uint64_t seq = world_next_seq(world, 0);
    struct sy_slice batch = world_batch(world, 0, seq);
    struct sy_block_entry entry = world_entry(world, 0, seq, batch);
    world_execute(world, &entry, 1);
    SY_ASSERT(world->result.entries[0].ran);
    world->lists.used = 0;
}

void world_receipt(const struct ledger_world *world, struct sy_receipt *receipt, uint32_t index)
{
    SY_ASSERT(index < world->result.tx_count);
    const uint8_t *data = world->result.receipts.data + world->result.receipt_offsets[index];
    struct sy_reader r = sy_reader_of(sy_slice_of(data + 4, sy_load_u32(data)));
    bool good = sy_receipt_decode(&r, receipt) && sy_reader_done(&r);
    SY_ASSERT(good);
}

enum sy_refusal world_submit(struct ledger_world *world, const struct world_tx *tx)
{
    SY_ASSERT(world->batch_txs == 0);
    bool fits = world_add(world, tx);
    SY_ASSERT(fits);
    world_run(world);
    world_receipt(world, &world->receipt, 0);
    return (enum sy_refusal)world->receipt.code;
}

bool world_find(const struct ledger_world *world, struct sy_slice *value,
                const struct sy_hash *key_hash)
{
    const struct state_entry *entry = state_array_find(&world->state, key_hash);
    if (entry == NULL) return false;
    *value = sy_slice_of(entry->data, entry->size);
    return true;
}

void world_part(struct ledger_world *world, struct world_tx *tx, uint16_t kind, unsigned signer,
                const union sy_payload *payload)
{
    SY_ASSERT(tx->kind == SY_KIND_atomic);
    uint8_t room[8192];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_payload_encode(&w, sy_kind_by_number(kind), payload);
    SY_ASSERT(!w.failed);
    struct sy_part part = {.kind = kind, .signer = (uint8_t)signer, .payload = sy_writer_slice(&w)};
    sy_list_add_part(&tx->payload.atomic.payloads, &world->lists, &part);
    SY_ASSERT(!world->lists.failed);
}

// --- payloads ----------------------------------------------------------------------------------

struct world_tx world_register(unsigned org, unsigned kind, unsigned admin)
{
    struct world_tx tx = world_tx_of(SY_KIND_org_register, REGULATOR_1, 0);
    world_cosign(&tx, admin);
    struct sy_org_register *p = &tx.payload.org_register;
    p->org_id = test_hash(org);
    p->kind = (uint16_t)kind;
    p->name_hash = test_hash(3000 + org);
    p->admin_key = test_public(admin);
    p->x25519_key = test_public(admin + 50);
    return tx;
}

struct world_tx world_issue(const struct ledger_world *world, unsigned issuer, unsigned org,
                            unsigned role, unsigned key)
{
    bool regulator = issuer == REGULATOR_1 || issuer == REGULATOR_2;
    struct world_tx tx = world_tx_of(SY_KIND_cred_issue, issuer, regulator ? 0 : org);
    struct sy_cred_issue *p = &tx.payload.cred_issue;
    p->subject_key = test_public(key);
    p->role = (uint16_t)role;
    p->org_id = test_hash(org);
    p->x25519_key = test_public(key + 50);
    p->not_before = world->header.time_ms;
    p->not_after = world->header.time_ms + 365ll * 24 * 3600 * 1000;
    return tx;
}

struct world_tx world_enrol(unsigned key, unsigned org, unsigned patient)
{
    struct world_tx tx = world_tx_of(SY_KIND_patient_enrol, key, org);
    tx.payload.patient_enrol.patient_id = test_hash(patient);
    return tx;
}

struct world_tx world_open_care(unsigned key, unsigned org, unsigned care, unsigned patient)
{
    struct world_tx tx = world_tx_of(SY_KIND_care_open, key, org);
    struct sy_care_open *p = &tx.payload.care_open;
    p->care_id = test_hash(care);
    p->patient_id = test_hash(patient);
    p->org_id = test_hash(org);
    p->reason = SY_CARE_TREATMENT;
    return tx;
}

/* A grantee by its number: of a key, or of an organisation. */
static struct sy_hash grantee_of(unsigned grantee_kind, unsigned grantee)
{
    struct sy_hash id = test_hash(grantee);
    struct sy_public_key key;
    if (grantee_kind != SY_GRANTEE_KEY) return id;
    key = test_public(grantee);
    memcpy(id.bytes, key.bytes, sizeof id.bytes);
    return id;
}

struct world_tx world_grant(const struct ledger_world *world, unsigned key, unsigned consent,
                            unsigned patient, unsigned grantee_kind, unsigned grantee)
{
    struct world_tx tx = world_tx_of(SY_KIND_consent_grant, key, 0);
    struct sy_consent_grant *p = &tx.payload.consent_grant;
    p->consent_id = test_hash(consent);
    p->patient_id = test_hash(patient);
    p->grantee_kind = (uint16_t)grantee_kind;
    p->has_grantee = grantee_kind != SY_GRANTEE_ROLE;
    p->has_role = !p->has_grantee;
    if (p->has_grantee) p->grantee = grantee_of(grantee_kind, grantee);
    if (p->has_role) p->role = (uint16_t)grantee;
    p->actions = sy_set_known(&sy_enum_action);
    p->purposes = sy_set_known(&sy_enum_purpose);
    p->from = world->header.time_ms;
    p->until = world->header.time_ms + 365ll * 24 * 3600 * 1000;
    return tx;
}

struct world_tx world_deny(const struct ledger_world *world, unsigned key, unsigned consent,
                           unsigned patient, unsigned grantee_kind, unsigned grantee)
{
    struct world_tx grant = world_grant(world, key, consent, patient, grantee_kind, grantee);
    const struct sy_consent_grant *from = &grant.payload.consent_grant;
    struct world_tx tx = world_tx_of(SY_KIND_consent_deny, key, 0);
    tx.payload.consent_deny = (struct sy_consent_deny){
        .consent_id = from->consent_id,
        .patient_id = from->patient_id,
        .grantee_kind = from->grantee_kind,
        .has_grantee = from->has_grantee,
        .grantee = from->grantee,
        .has_role = from->has_role,
        .role = from->role,
        .actions = from->actions,
        .purposes = from->purposes,
        .from = from->from,
        .has_until = true,
        .until = from->until,
    };
    return tx;
}

struct world_tx world_delegate(const struct ledger_world *world, unsigned key, unsigned org,
                               unsigned consent, unsigned patient, unsigned parent,
                               unsigned grantee_kind, unsigned grantee)
{
    struct world_tx grant = world_grant(world, key, consent, patient, grantee_kind, grantee);
    const struct sy_consent_grant *from = &grant.payload.consent_grant;
    struct world_tx tx = world_tx_of(SY_KIND_consent_delegate, key, org);
    tx.payload.consent_delegate = (struct sy_consent_delegate){
        .consent_id = from->consent_id,
        .patient_id = from->patient_id,
        .grantee_kind = from->grantee_kind,
        .has_grantee = from->has_grantee,
        .grantee = from->grantee,
        .has_role = from->has_role,
        .role = from->role,
        .actions = from->actions & ~SY_SET_BIT(SY_ACTION_SHARE),
        .purposes = from->purposes,
        .from = from->from,
        .until = world->header.time_ms + 182ll * 24 * 3600 * 1000,
        .parent = test_hash(parent),
    };
    return tx;
}

struct world_tx world_revoke(unsigned key, unsigned consent, unsigned patient)
{
    struct world_tx tx = world_tx_of(SY_KIND_consent_revoke, key, 0);
    tx.payload.consent_revoke.patient_id = test_hash(patient);
    tx.payload.consent_revoke.consent_id = test_hash(consent);
    return tx;
}

struct world_tx world_record(unsigned key, unsigned role, unsigned org, unsigned record,
                             unsigned patient)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_create, key, org);
    struct sy_record_create *p = &tx.payload.record_create;
    p->record_id = test_hash(record);
    p->subject_kind = SY_SUBJECT_PATIENT;
    p->subject = test_hash(patient);
    p->class = sy_slice_of("Observation", 11);
    p->form = SY_FORM_RAW;
    p->commit = test_hash(record + 1000000);
    p->size = 1024;
    p->author_role = (uint16_t)role;
    return tx;
}

struct world_tx world_amend(unsigned key, unsigned role, unsigned org, unsigned record,
                            uint32_t prev_version)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_amend, key, org);
    struct sy_record_amend *p = &tx.payload.record_amend;
    p->record_id = test_hash(record);
    p->prev_version = prev_version;
    p->form = SY_FORM_RAW;
    p->commit = test_hash(record + 2000000 + prev_version);
    p->size = 2048;
    p->author_role = (uint16_t)role;
    p->reason = SY_AMEND_CORRECTION;
    return tx;
}

struct world_tx world_retract(unsigned key, unsigned org, unsigned record)
{
    struct world_tx tx = world_tx_of(SY_KIND_record_retract, key, org);
    tx.payload.record_retract.record_id = test_hash(record);
    tx.payload.record_retract.reason = SY_RETRACT_ERROR;
    return tx;
}

static void must_apply(struct ledger_world *world, const struct world_tx *tx)
{
    enum sy_refusal code = world_submit(world, tx);
    SY_ASSERT(code == SY_APPLIED);
}

static void must_issue(struct ledger_world *world, unsigned issuer, unsigned org, unsigned role,
                       unsigned key)
{
    struct world_tx tx = world_issue(world, issuer, org, role, key);
    must_apply(world, &tx);
}

void world_populate(struct ledger_world *world)
{
    struct world_tx tx = world_register(ORG_A, SY_ORG_HOSPITAL, ADMIN_A);
    must_apply(world, &tx);
    tx = world_register(ORG_B, SY_ORG_PRACTICE, ADMIN_B);
    must_apply(world, &tx);
    must_issue(world, ADMIN_A, ORG_A, SY_ROLE_GATEWAY, GATEWAY_A);
    must_issue(world, ADMIN_A, ORG_A, SY_ROLE_DOCTOR, DOCTOR_A);
    must_issue(world, ADMIN_A, ORG_A, SY_ROLE_NURSE, NURSE_A);
    must_issue(world, ADMIN_A, ORG_A, SY_ROLE_PHARMACIST, PHARMACIST_A);
    must_issue(world, ADMIN_A, ORG_A, SY_ROLE_LAB, LAB_A);
    must_issue(world, ADMIN_B, ORG_B, SY_ROLE_GATEWAY, GATEWAY_B);
    must_issue(world, ADMIN_B, ORG_B, SY_ROLE_DOCTOR, DOCTOR_B);
    must_issue(world, ADMIN_B, ORG_B, SY_ROLE_NURSE, NURSE_B);
    tx = world_enrol(GATEWAY_A, ORG_A, PATIENT);
    must_apply(world, &tx);
    tx = world_enrol(GATEWAY_A, ORG_A, PATIENT_CLAIMED);
    tx.payload.patient_enrol.has_wallet_key = true;
    tx.payload.patient_enrol.wallet_key = test_public(WALLET_CLAIMED);
    world_cosign(&tx, WALLET_CLAIMED);
    must_apply(world, &tx);
}
