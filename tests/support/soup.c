/* soup.c: see soup.h. */
#include "tests/support/soup.h"

#include "core/base/assert.h"

#define RECORDS 300u
#define CARES 20u
#define CONSENTS 60u

/* Ids by hash number: what is there, or may be. */
enum { CARE = 7000, RECORD = 8000, CONSENT = 9000, BREAK = 9500, OTHERS = 9600 };

// --- choices -----------------------------------------------------------------------------------

unsigned soup_draw(struct soup *soup, unsigned bound)
{
    SY_ASSERT(bound >= 1 && bound <= 65536);
    if (soup->bytes == NULL) return (unsigned)sy_prng_below(&soup->prng, bound);
    unsigned value = 0;
    for (unsigned room = 1; room < bound && soup->used < soup->size; room *= 256) {
        value = value * 256 + soup->bytes[soup->used++];
    }
    return value % bound;
}

bool soup_chance(struct soup *soup, unsigned n, unsigned d)
{
    return soup_draw(soup, d) < n;
}

bool soup_over(const struct soup *soup)
{
    return soup->bytes != NULL && soup->used == soup->size;
}

struct sy_slice soup_take(struct soup *soup, size_t size)
{
    size_t left = soup->size - soup->used;
    struct sy_slice taken = sy_slice_of(soup->bytes + soup->used, size < left ? size : left);
    SY_ASSERT(soup->bytes != NULL);
    soup->used += taken.size;
    return taken;
}

/* A generator for what is too long to be chosen byte by byte. */
static sy_prng *prng_of(struct soup *soup)
{
    if (soup->bytes != NULL) sy_prng_seed(&soup->prng, soup_draw(soup, 65536));
    return &soup->prng;
}

// --- who there is ------------------------------------------------------------------------------

/* The first kind of organisation that has the role; 0: none has. */
static unsigned org_kind_of(unsigned role)
{
    static const uint8_t kinds[SY_ROLE_COUNT] = {
        [SY_ROLE_ORG_ADMIN] = 0, // each organisation's own
        [SY_ROLE_GATEWAY] = SY_ORG_HOSPITAL,
        [SY_ROLE_DOCTOR] = SY_ORG_HOSPITAL,
        [SY_ROLE_NURSE] = SY_ORG_HOSPITAL,
        [SY_ROLE_PHARMACIST] = SY_ORG_PHARMACY,
        [SY_ROLE_LAB] = SY_ORG_LABORATORY,
        [SY_ROLE_PAYER] = SY_ORG_PAYER,
        [SY_ROLE_MANUFACTURER] = SY_ORG_MANUFACTURER,
        [SY_ROLE_WHOLESALER] = SY_ORG_WHOLESALER,
        [SY_ROLE_DISPENSER] = SY_ORG_PHARMACY,
        [SY_ROLE_SPONSOR] = SY_ORG_SPONSOR,
        [SY_ROLE_INVESTIGATOR] = SY_ORG_SPONSOR,
        [SY_ROLE_ETHICS] = SY_ORG_AUTHORITY,
        [SY_ROLE_RESEARCHER] = SY_ORG_RESEARCH,
        [SY_ROLE_AUDITOR] = SY_ORG_AUTHORITY,
    };
    return kinds[role];
}

static void must_apply(struct ledger_world *world, const struct world_tx *tx)
{
    enum sy_refusal code = world_submit(world, tx);
    SY_ASSERT(code == SY_APPLIED);
}

static void add_keen(struct ledger_world *world, unsigned role, unsigned key)
{
    struct world_tx tx = world_issue(world, ADMIN_A, ORG_A, role, key);
    tx.payload.cred_issue.has_break_glass = true;
    tx.payload.cred_issue.break_glass = true;
    must_apply(world, &tx);
}

void soup_populate(struct ledger_world *world)
{
    world_populate(world);
    for (unsigned kind = 1; kind < SY_ORG_KIND_COUNT; kind++) {
        struct world_tx tx = world_register(SOUP_ORG + kind, kind, SOUP_ADMIN + kind);
        must_apply(world, &tx);
    }
    for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
        unsigned kind = org_kind_of(role);
        if (kind == 0) continue;
        struct world_tx tx =
            world_issue(world, SOUP_ADMIN + kind, SOUP_ORG + kind, role, SOUP_ROLE + role);
        must_apply(world, &tx);
    }
    add_keen(world, SY_ROLE_DOCTOR, SOUP_KEEN_DOCTOR);
    add_keen(world, SY_ROLE_NURSE, SOUP_KEEN_NURSE);
}

unsigned soup_issued(unsigned keys[SOUP_PEOPLE_MAX])
{
    static const unsigned first[] = {
        GATEWAY_A, DOCTOR_A, NURSE_A, PHARMACIST_A,     LAB_A,
        GATEWAY_B, DOCTOR_B, NURSE_B, SOUP_KEEN_DOCTOR, SOUP_KEEN_NURSE};
    unsigned count = sizeof first / sizeof first[0];
    memcpy(keys, first, sizeof first);
    for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
        if (org_kind_of(role) != 0) keys[count++] = SOUP_ROLE + role;
    }
    SY_ASSERT(count <= SOUP_PEOPLE_MAX);
    return count;
}

unsigned soup_orgs(unsigned numbers[SOUP_PEOPLE_MAX])
{
    unsigned count = 2;
    numbers[0] = ORG_A;
    numbers[1] = ORG_B;
    for (unsigned kind = 1; kind < SY_ORG_KIND_COUNT; kind++) numbers[count++] = SOUP_ORG + kind;
    return count;
}

static const unsigned people[] = {REGULATOR_1, REGULATOR_2, ADMIN_A,        GATEWAY_A, DOCTOR_A,
                                  NURSE_A,     LAB_A,       ADMIN_B,        GATEWAY_B, DOCTOR_B,
                                  NURSE_B,     GATEWAY_A,   WALLET_CLAIMED, GATEWAY_B, DOCTOR_A};

static unsigned draw_person(struct soup *soup)
{
    if (soup_chance(soup, 1, 12)) return FRESH_KEY + soup_draw(soup, 40);
    if (soup_chance(soup, 2, 3)) return people[soup_draw(soup, sizeof people / sizeof people[0])];
    unsigned issued[SOUP_PEOPLE_MAX];
    return issued[soup_draw(soup, soup_issued(issued))];
}

static unsigned draw_org(struct soup *soup)
{
    return ORG_A + (soup_chance(soup, 1, 6) ? soup_draw(soup, 6) : soup_draw(soup, 2));
}

static unsigned draw_patient(struct soup *soup)
{
    return PATIENT + soup_draw(soup, 8);
}

static bool find_credential(const struct soup *soup, struct sy_credential *out, unsigned key)
{
    struct sy_public_key public_key = test_public(key);
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &public_key);
    return world_find(soup->world, &value, &key_hash) && sy_credential_decode(out, value);
}

/* Mostly the organisation that the key acts for, as state has it. */
static void fit_signer(struct world_tx *tx, struct soup *soup)
{
    struct sy_credential credential;
    tx->organisation = (struct sy_hash){{0}};
    if (!find_credential(soup, &credential, tx->keys[0])) return;
    bool acts = credential.role != SY_ROLE_PATIENT && credential.role != SY_ROLE_REGULATOR;
    if (acts) tx->organisation = credential.holder;
    if (soup_chance(soup, 1, 30)) tx->organisation = test_hash(draw_org(soup));
}

static unsigned role_of(const struct soup *soup, unsigned key)
{
    struct sy_credential credential;
    return find_credential(soup, &credential, key) ? credential.role : SY_ROLE_DOCTOR;
}

static struct world_tx draw_governance(struct soup *soup)
{
    unsigned key = draw_person(soup);
    struct world_tx tx;
    switch (soup_draw(soup, 4)) {
    case 0:
        tx = world_register(draw_org(soup), 1 + soup_draw(soup, 10),
                            FRESH_KEY + soup_draw(soup, 40));
        if (soup_chance(soup, 1, 8)) tx.key_count = 1;
        return tx;
    case 1:
        tx = world_tx_of(soup_chance(soup, 5, 6) ? SY_KIND_org_reinstate : SY_KIND_org_suspend,
                         REGULATOR_1, 0);
        if (soup_chance(soup, 3, 4)) world_cosign(&tx, REGULATOR_2);
        tx.payload.org_suspend.org_id = test_hash(draw_org(soup)); // same members, same places
        tx.payload.org_suspend.reason = 1;
        return tx;
    case 2:
        tx = world_issue(soup->world, key, draw_org(soup), 1 + soup_draw(soup, 20),
                         FRESH_KEY + soup_draw(soup, 40));
        break;
    default:
        tx = world_tx_of(SY_KIND_cred_revoke, key, 0);
        tx.payload.cred_revoke.subject_key = test_public(FRESH_KEY + soup_draw(soup, 40));
        tx.payload.cred_revoke.reason = SY_REVOKE_LEFT;
    }
    fit_signer(&tx, soup);
    return tx;
}

static struct world_tx draw_care(struct soup *soup)
{
    unsigned key = draw_person(soup);
    struct world_tx tx;
    unsigned wallet = FRESH_KEY + soup_draw(soup, 40);
    switch (soup_draw(soup, 4)) {
    case 0:
        tx = world_enrol(key, 0, draw_patient(soup));
        if (soup_chance(soup, 1, 2)) break;
        tx.payload.patient_enrol.has_wallet_key = true;
        tx.payload.patient_enrol.wallet_key = test_public(wallet);
        if (wallet != key) world_cosign(&tx, wallet);
        break;
    case 1:
        tx = world_tx_of(SY_KIND_patient_claim, key, 0);
        tx.payload.patient_claim.patient_id = test_hash(draw_patient(soup));
        tx.payload.patient_claim.wallet_key = test_public(wallet);
        if (wallet != key) world_cosign(&tx, wallet);
        break;
    case 2:
        tx =
            world_open_care(key, draw_org(soup), CARE + soup_draw(soup, CARES), draw_patient(soup));
        if (key != WALLET_CLAIMED && soup_chance(soup, 1, 2)) world_cosign(&tx, WALLET_CLAIMED);
        break;
    default:
        tx = world_tx_of(SY_KIND_care_close, key, 0);
        tx.payload.care_close.care_id = test_hash(CARE + soup_draw(soup, CARES));
    }
    fit_signer(&tx, soup);
    return tx;
}

static struct world_tx draw_record(struct soup *soup)
{
    unsigned key = draw_person(soup);
    unsigned record = RECORD + soup_draw(soup, RECORDS);
    unsigned role = role_of(soup, key);
    struct world_tx tx;
    if (soup_chance(soup, 1, 2)) {
        tx = world_record(key, role, 0, record, draw_patient(soup));
        struct sy_record_create *p = &tx.payload.record_create;
        p->patient_reported = role == SY_ROLE_PATIENT;
        p->has_encounter = soup_chance(soup, 1, 4);
        p->encounter = test_hash(RECORD + soup_draw(soup, RECORDS));
        p->has_author = soup_chance(soup, 1, 5);
        p->author = test_public(draw_person(soup));
    } else if (soup_chance(soup, 5, 6)) {
        tx = world_amend(key, role, 0, record, 1 + soup_draw(soup, 3));
        tx.payload.record_amend.branch = soup_chance(soup, 1, 2);
    } else {
        tx = world_retract(key, 0, record);
    }
    fit_signer(&tx, soup);
    return tx;
}

/* Mostly of the patient who has a key, about those who take part here. */
static struct world_tx draw_consent(struct soup *soup)
{
    unsigned key = soup_chance(soup, 5, 6) ? WALLET_CLAIMED : draw_person(soup);
    unsigned patient = soup_chance(soup, 5, 6) ? PATIENT_CLAIMED : draw_patient(soup);
    unsigned consent = CONSENT + soup_draw(soup, CONSENTS);
    unsigned kind = 1 + soup_draw(soup, 3);
    unsigned grantee = kind == SY_GRANTEE_KEY   ? draw_person(soup)
                       : kind == SY_GRANTEE_ORG ? draw_org(soup)
                                                : 1 + soup_draw(soup, SY_ROLE_COUNT - 1);
    struct world_tx tx;
    switch (soup_draw(soup, 5)) {
    case 0: tx = world_deny(soup->world, key, consent, patient, kind, grantee); break;
    case 4:
        key = draw_person(soup);
        tx = world_delegate(soup->world, key, 0, consent, patient,
                            CONSENT + soup_draw(soup, CONSENTS), kind, grantee);
        tx.payload.consent_delegate.until =
            soup->world->header.time_ms + (int64_t)soup_draw(soup, 3000);
        break;
    case 1: tx = world_revoke(key, consent, patient); break;
    default:
        tx = world_grant(soup->world, key, consent, patient, kind, grantee);
        tx.payload.consent_grant.until =
            soup->world->header.time_ms + (int64_t)soup_draw(soup, 20000);
        tx.payload.consent_grant.actions = 2 + 2 * soup_draw(soup, 7);
    }
    fit_signer(&tx, soup);
    return tx;
}

/* By nurse and doctor of A, who may, and by everybody else. */
static struct world_tx draw_emergency(struct soup *soup)
{
    unsigned key = soup_chance(soup, 2, 3) ? SOUP_KEEN_DOCTOR : draw_person(soup);
    struct world_tx tx = world_tx_of(SY_KIND_access_breakglass, key, 0);
    if (soup_chance(soup, 1, 3)) {
        tx = world_tx_of(SY_KIND_access_review, soup_chance(soup, 2, 3) ? ADMIN_A : key, 0);
        tx.payload.access_review.break_id = test_hash(BREAK + soup_draw(soup, CONSENTS));
        tx.payload.access_review.outcome = SY_REVIEW_JUSTIFIED;
    } else {
        tx.payload.access_breakglass.break_id = test_hash(BREAK + soup_draw(soup, CONSENTS));
        tx.payload.access_breakglass.patient_id = test_hash(draw_patient(soup));
        tx.payload.access_breakglass.reason = SY_BREAK_LIFE;
        tx.payload.access_breakglass.until =
            soup->world->header.time_ms + (int64_t)soup_draw(soup, 20000);
    }
    fit_signer(&tx, soup);
    return tx;
}

static struct world_tx draw_atomic(struct soup *soup)
{
    struct world_tx tx = world_tx_of(SY_KIND_atomic, GATEWAY_A, ORG_A);
    world_cosign(&tx, DOCTOR_B);
    unsigned parts = 1 + soup_draw(soup, 5);
    for (unsigned i = 0; i < parts; i++) {
        struct world_tx part = soup_chance(soup, 1, 3) ? draw_care(soup) : draw_record(soup);
        if (part.kind == SY_KIND_record_create) {
            part.payload.record_create.author_role = SY_ROLE_GATEWAY;
            part.payload.record_create.has_author = false;
            part.payload.record_create.has_encounter = false;
        }
        world_part(soup->world, &tx, part.kind, soup_draw(soup, 8) == 0 ? 1 : 0, &part.payload);
    }
    return tx;
}

void soup_signers(struct soup *soup, struct world_tx *tx)
{
    unsigned more = soup_chance(soup, 1, 2) ? 0 : 1 + soup_draw(soup, 3);
    tx->keys[0] = draw_person(soup);
    tx->key_count = 1;
    for (unsigned i = 0; i < more; i++) {
        unsigned key = draw_person(soup);
        bool there = false;
        for (unsigned k = 0; k < tx->key_count; k++) there = there || tx->keys[k] == key;
        if (!there) world_cosign(tx, key);
    }
    fit_signer(tx, soup);
}

static struct sy_hash id_of_key(unsigned key)
{
    struct sy_public_key public_key = test_public(key);
    struct sy_hash id;
    memcpy(id.bytes, public_key.bytes, sizeof id.bytes);
    return id;
}

/* An id that the field may mean, by its name; those of names that are not known here come from a
 * pool of the name's own. */
static struct sy_hash draw_id(struct soup *soup, const char *name)
{
    unsigned sum = 0;
    switch (soup_draw(soup, 8)) {
    case 0: return id_of_key(draw_person(soup));
    case 1: return test_hash(draw_org(soup));
    case 2: return test_hash(RECORD + soup_draw(soup, RECORDS));
    default: break;
    }
    if (strstr(name, "patient") || strcmp(name, "subject") == 0) {
        return test_hash(draw_patient(soup));
    }
    if (strncmp(name, "org", 3) == 0) return test_hash(draw_org(soup));
    if (strstr(name, "care")) return test_hash(CARE + soup_draw(soup, CARES));
    if (strstr(name, "record")) return test_hash(RECORD + soup_draw(soup, RECORDS));
    if (strstr(name, "consent") || strcmp(name, "parent") == 0) {
        return test_hash(CONSENT + soup_draw(soup, CONSENTS));
    }
    if (strstr(name, "break")) return test_hash(BREAK + soup_draw(soup, CONSENTS));
    if (strcmp(name, "grantee") == 0) {
        return soup_chance(soup, 1, 2) ? id_of_key(draw_person(soup)) : test_hash(draw_org(soup));
    }
    for (size_t i = 0; name[i] != '\0'; i++) sum = sum * 31 + (unsigned char)name[i];
    return test_hash(OTHERS + 16 * (sum % 24) + soup_draw(soup, 12));
}

/* Values that mean something, for some of the fields of a random payload. */
static void fit_payload(struct soup *soup, union sy_payload *payload, const struct sy_kind *kind)
{
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        void *value = sy_field_of_mutable(field, payload);
        if (!sy_field_present(kind, field, payload) || soup_chance(soup, 1, 16)) continue;
        if (field->type == SY_FIELD_ID) *(struct sy_hash *)value = draw_id(soup, field->name);
        if (field->type == SY_FIELD_KEY) {
            *(struct sy_public_key *)value = test_public(draw_person(soup));
        }
        if (field->type == SY_FIELD_TIME) {
            *(int64_t *)value = soup->world->header.time_ms - 2000 + 10 * soup_draw(soup, 4096);
        }
    }
}

/* A payload of any kind, by the schema alone. */
static struct world_tx draw_any(struct soup *soup)
{
    unsigned count = 0;
    while (sy_kind_at(count) != NULL) count++;
    const struct sy_kind *kind = sy_kind_at(soup_draw(soup, count));
    while (kind->number == SY_KIND_atomic) kind = sy_kind_at(soup_draw(soup, count));
    struct world_tx tx = world_tx_of(kind->number, 0, 0);
    test_payload(&tx.payload, kind, &soup->world->lists, prng_of(soup));
    if (soup_chance(soup, 7, 8)) fit_payload(soup, &tx.payload, kind);
    soup_signers(soup, &tx);
    return tx;
}

struct world_tx soup_tx(struct soup *soup)
{
    struct world_tx tx;
    unsigned choice = soup_draw(soup, 27);
    if (choice < 2) {
        tx = draw_governance(soup);
    } else if (choice < 7) {
        tx = draw_care(soup);
    } else if (choice < 17) {
        tx = draw_record(soup);
    } else if (choice < 19) {
        tx = draw_atomic(soup);
    } else if (choice < 22) {
        tx = draw_consent(soup);
    } else if (choice < 23) {
        tx = draw_emergency(soup);
    } else {
        tx = draw_any(soup);
    }
    uint64_t last = soup->world->nonces[tx.keys[0]];
    if (soup_chance(soup, 1, 25)) tx.nonce = 1 + soup_draw(soup, (unsigned)last + 10);
    if (soup_chance(soup, 1, 60)) tx.nonce = last + 2 * SY_NONCE_WINDOW;
    if (soup_chance(soup, 1, 40)) tx.valid_until_ms = soup->world->header.time_ms - 5;
    return tx;
}
