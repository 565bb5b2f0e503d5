/* trial_rig.c: see trial_rig.h. */
#include "tests/unit/trial_rig.h"

#include <string.h>

static uint8_t kept[SY_STATE_VALUE_BYTES_MAX];

static unsigned org_of(unsigned key)
{
    switch (key) {
    case SPONSOR_ADMIN:
    case SPONSOR:
    case SPONSOR_2: return ORG_SPONSOR;
    case BOARD_ADMIN:
    case BOARD: return ORG_BOARD;
    case RIVAL_ADMIN:
    case RIVAL:
    case OTHER_BOARD: return ORG_RIVAL;
    case REGULATOR_1: return 0;
    case INVESTIGATOR_B: return ORG_B;
    default: return (key >= ADMIN_B && key <= NURSE_B) ? ORG_B : ORG_A;
    }
}

static void add_org(unsigned admin, unsigned kind)
{
    struct world_tx tx = world_register(org_of(admin), kind, admin);
    assert_applied(&tx);
}

static void add_key(unsigned admin, unsigned role, unsigned key)
{
    struct world_tx tx = world_issue(&world, admin, org_of(admin), role, key);
    assert_applied(&tx);
}

int set_up_trials(void **state)
{
    set_up(state);
    add_org(SPONSOR_ADMIN, SY_ORG_SPONSOR);
    add_org(BOARD_ADMIN, SY_ORG_AUTHORITY);
    add_org(RIVAL_ADMIN, SY_ORG_RESEARCH);
    add_key(SPONSOR_ADMIN, SY_ROLE_SPONSOR, SPONSOR);
    add_key(SPONSOR_ADMIN, SY_ROLE_SPONSOR, SPONSOR_2);
    add_key(BOARD_ADMIN, SY_ROLE_ETHICS, BOARD);
    add_key(RIVAL_ADMIN, SY_ROLE_ETHICS, OTHER_BOARD);
    add_key(RIVAL_ADMIN, SY_ROLE_INVESTIGATOR, RIVAL);
    add_key(ADMIN_A, SY_ROLE_INVESTIGATOR, INVESTIGATOR_A);
    add_key(ADMIN_B, SY_ROLE_INVESTIGATOR, INVESTIGATOR_B);
    return 0;
}

// --- transactions ------------------------------------------------------------------------------

static struct world_tx begin(uint16_t kind, unsigned key)
{
    struct world_tx tx = world_tx_of(kind, key, org_of(key));
    tx.payload.trial_register.trial_id = test_hash(TRIAL); // the first member of every kind
    return tx;
}

/* Lists of ids: each stands for the next 64 calls. */
static struct sy_list ids(unsigned first, unsigned second)
{
    static uint8_t rooms[64][64];
    static unsigned at;
    struct sy_list list = {0};
    at = (at + 1) % 64;
    struct sy_writer w = sy_writer_of(rooms[at], sizeof rooms[at]);
    struct sy_hash id = test_hash(first);
    sy_list_add_id(&list, &w, &id);
    id = test_hash(second);
    if (second != 0) sy_list_add_id(&list, &w, &id);
    return list;
}

struct world_tx trial_register(void)
{
    static const uint8_t shares[] = {1, 1};
    struct world_tx tx = begin(SY_KIND_trial_register, SPONSOR);
    struct sy_trial_register *p = &tx.payload.trial_register;
    p->protocol_commit = test_hash(PROTOCOL);
    p->sap_commit = test_hash(SAP);
    p->form_commit = test_hash(FORM);
    p->endpoints = ids(ENDPOINT, 0);
    p->target = 4;
    p->completion = COMPLETION_MS;
    p->sites = ids(ORG_A, ORG_B);
    p->shares = sy_slice_of(shares, sizeof shares);
    world_cosign(&tx, BOARD);
    return tx;
}

struct world_tx trial_amend(uint32_t version, unsigned form, unsigned endpoint)
{
    struct world_tx tx = begin(SY_KIND_trial_amend, SPONSOR);
    struct sy_trial_amend *p = &tx.payload.trial_amend;
    p->version = version;
    p->protocol_commit = test_hash(PROTOCOL + version);
    p->sap_commit = test_hash(SAP);
    p->form_commit = test_hash(FORM + form);
    p->endpoints = ids(ENDPOINT + endpoint, 0);
    p->target = 4;
    p->completion = COMPLETION_MS;
    p->sites = ids(ORG_B, ORG_A);
    p->changes_commit = test_hash(PROTOCOL + 50);
    p->reason = SY_TRIAL_SCIENCE;
    world_cosign(&tx, BOARD);
    return tx;
}

struct world_tx activate_site(unsigned org, unsigned investigator)
{
    struct world_tx tx = begin(SY_KIND_site_activate, SPONSOR);
    tx.payload.site_activate.org_id = test_hash(org);
    if (investigator != 0) world_cosign(&tx, investigator);
    return tx;
}

struct world_tx consent_to(unsigned investigator, unsigned subject, uint32_t form_version)
{
    struct world_tx tx = begin(SY_KIND_subject_consent, investigator);
    struct sy_subject_consent *p = &tx.payload.subject_consent;
    p->subject_id = test_hash(SUBJECT + subject);
    p->consent_key = test_public(FRESH_KEY + subject);
    p->by = SY_CONSENTER_SUBJECT;
    p->form_version = form_version;
    p->form_commit = test_hash(FORM + form_version - 1);
    world_cosign(&tx, FRESH_KEY + subject);
    return tx;
}

struct world_tx enrol_subject(unsigned investigator, unsigned subject)
{
    struct world_tx tx = begin(SY_KIND_subject_enrol, investigator);
    tx.payload.subject_enrol.subject_id = test_hash(SUBJECT + subject);
    return tx;
}

struct world_tx withdraw_subject(unsigned key, unsigned subject, bool by_subject)
{
    struct world_tx tx = begin(SY_KIND_subject_withdraw, key);
    struct sy_subject_withdraw *p = &tx.payload.subject_withdraw;
    p->subject_id = test_hash(SUBJECT + subject);
    p->reason = SY_WITHDRAW_WISH;
    p->has_consent_key = by_subject;
    p->consent_key = test_public(FRESH_KEY + subject);
    if (by_subject) world_cosign(&tx, FRESH_KEY + subject);
    return tx;
}

struct world_tx draw_commit(unsigned key)
{
    struct world_tx tx = begin(SY_KIND_randomise_commit, key);
    struct sy_hash trial = test_hash(TRIAL), seed = test_hash(SEED);
    sy_trial_seed_commit(&tx.payload.randomise_commit.commit, &trial, &seed);
    tx.payload.randomise_commit.reveal_days = 30;
    return tx;
}

struct world_tx draw_salt(unsigned key)
{
    struct world_tx tx = begin(SY_KIND_randomise_salt, key);
    tx.payload.randomise_salt.salt = test_hash(SALT);
    return tx;
}

struct world_tx draw_reveal(unsigned key, unsigned seed)
{
    struct world_tx tx = begin(SY_KIND_randomise_reveal, key);
    tx.payload.randomise_reveal.seed = test_hash(seed);
    return tx;
}

struct world_tx data_commit(unsigned key, uint16_t visit)
{
    struct world_tx tx = begin(SY_KIND_data_commit, key);
    tx.payload.data_commit.visit = visit;
    tx.payload.data_commit.form = 7;
    tx.payload.data_commit.rows = 12;
    tx.payload.data_commit.root = test_hash(visit);
    return tx;
}

struct world_tx ae_report(unsigned key, unsigned subject, unsigned grade, bool serious)
{
    struct world_tx tx = begin(SY_KIND_ae_report, key);
    struct sy_ae_report *p = &tx.payload.ae_report;
    p->subject_id = test_hash(SUBJECT + subject);
    p->grade = (uint8_t)grade;
    p->serious = serious;
    p->related = SY_RELATED_POSSIBLY;
    p->aware = world.header.time_ms;
    return tx;
}

struct world_tx db_lock(uint64_t commits)
{
    struct world_tx tx = begin(SY_KIND_db_lock, SPONSOR);
    struct sy_db_lock *p = &tx.payload.db_lock;
    p->commits = commits;
    p->root = test_hash(88);
    p->meaning = SY_MEANING_APPROVAL;
    p->second = test_public(SPONSOR_2);
    p->second_meaning = SY_MEANING_REVIEW;
    world_cosign(&tx, SPONSOR_2);
    return tx;
}

struct world_tx unblind_all(unsigned key)
{
    return begin(SY_KIND_unblind, key);
}

struct world_tx unblind_one(unsigned key, unsigned subject)
{
    struct world_tx tx = begin(SY_KIND_unblind, key);
    tx.payload.unblind.has_subject_id = tx.payload.unblind.has_reason = true;
    tx.payload.unblind.subject_id = test_hash(SUBJECT + subject);
    tx.payload.unblind.reason = SY_UNBLIND_TREATMENT;
    return tx;
}

struct world_tx result_post(unsigned endpoint)
{
    struct world_tx tx = begin(SY_KIND_result_post, SPONSOR);
    struct sy_result_post *p = &tx.payload.result_post;
    p->effect_commit = test_hash(90);
    p->tables_root = test_hash(91);
    p->endpoints = ids(ENDPOINT + endpoint, 0);
    p->meaning = SY_MEANING_AUTHOR;
    p->second = test_public(SPONSOR_2);
    p->second_meaning = SY_MEANING_RESPONSIBILITY;
    world_cosign(&tx, SPONSOR_2);
    return tx;
}

// --- how far it is -----------------------------------------------------------------------------

void make_trial(void)
{
    struct world_tx tx = trial_register();
    assert_applied(&tx);
}

void make_sites(void)
{
    make_trial();
    struct world_tx tx = activate_site(ORG_A, INVESTIGATOR_A);
    assert_applied(&tx);
    tx = activate_site(ORG_B, INVESTIGATOR_B);
    assert_applied(&tx);
}

void make_drawn(void)
{
    make_sites();
    struct world_tx tx = draw_commit(SPONSOR);
    assert_applied(&tx);
    tx = draw_salt(BOARD);
    assert_applied(&tx);
}

void make_enrolled(unsigned subjects)
{
    make_drawn();
    for (unsigned i = 1; i <= subjects; i++) {
        struct world_tx tx = consent_to(INVESTIGATOR_A, i, 1);
        assert_applied(&tx);
        tx = enrol_subject(INVESTIGATOR_A, i);
        assert_applied(&tx);
    }
}

void make_locked(void)
{
    make_enrolled(2);
    struct world_tx tx = data_commit(GATEWAY_A, 1);
    assert_applied(&tx);
    tx = db_lock(1);
    assert_applied(&tx);
}

void make_revealed(void)
{
    make_locked();
    struct world_tx tx = unblind_all(SPONSOR);
    assert_applied(&tx);
    tx = draw_reveal(SPONSOR, SEED);
    assert_applied(&tx);
}

// --- what the state has ------------------------------------------------------------------------

static struct sy_slice find(enum sy_state_kind kind, const struct sy_hash *second)
{
    struct sy_hash id = test_hash(TRIAL), key_hash;
    struct sy_slice value;
    assert_true(sy_state_key_of(&key_hash, kind, &id, second));
    assert_true(world_find(&world, &value, &key_hash));
    memcpy(kept, value.data, value.size);
    return sy_slice_of(kept, value.size);
}

struct sy_slice find_number(enum sy_state_kind kind, uint64_t number)
{
    struct sy_hash second = {{0}};
    sy_store_u64(second.bytes, number);
    return find(kind, &second);
}

struct sy_trial find_trial(void)
{
    struct sy_trial trial;
    assert_true(sy_trial_decode(&trial, find_number(SY_STATE_TRIAL, 0)));
    return trial;
}

struct sy_trial_version find_protocol(uint32_t number)
{
    struct sy_trial_version version;
    assert_true(sy_trial_version_decode(&version, find_number(SY_STATE_TRIAL_VERSION, number)));
    return version;
}

struct sy_trial_site find_site(unsigned org)
{
    struct sy_hash second = test_hash(org);
    struct sy_trial_site site;
    assert_true(sy_trial_site_decode(&site, find(SY_STATE_TRIAL_SITE, &second)));
    return site;
}

struct sy_trial_subject find_subject(unsigned subject)
{
    struct sy_hash second = test_hash(SUBJECT + subject);
    struct sy_trial_subject found;
    assert_true(sy_trial_subject_decode(&found, find(SY_STATE_TRIAL_SUBJECT, &second)));
    return found;
}

struct sy_trial_draw find_draw(void)
{
    struct sy_trial_draw draw;
    assert_true(sy_trial_draw_decode(&draw, find_number(SY_STATE_TRIAL_DRAW, 0)));
    return draw;
}

struct sy_trial_lock find_lock(void)
{
    struct sy_trial_lock lock;
    assert_true(sy_trial_lock_decode(&lock, find_number(SY_STATE_TRIAL_LOCK, 0)));
    return lock;
}

struct sy_trial_result find_outcome(void)
{
    struct sy_trial_result result;
    assert_true(sy_trial_result_decode(&result, find_number(SY_STATE_TRIAL_RESULT, 0)));
    return result;
}

void assert_trial_told(unsigned n, unsigned kind, unsigned org, unsigned object)
{
    struct sy_event event;
    struct sy_hash about = test_hash(org), named = test_hash(object);
    size_t offset = (size_t)n * SY_EVENT_BYTES;
    assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.subject_kind, SY_SUBJECT_ORG);
    assert_memory_equal(&event.subject, &about, sizeof about);
    assert_memory_equal(&event.object, &named, sizeof named);
}

void assert_number(uint64_t detail)
{
    assert_int_equal(world.receipt.detail, detail);
}
