#include "bench/population.h"

#include <stdlib.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/wire/schema.h"

#define YEAR_MS (365ll * 24 * 3600 * 1000)

struct person {
    sy_secret_key *key;
    struct sy_public_key public_key;
    struct sy_hash organisation;
    uint64_t nonce;
};

struct subject {
    struct sy_hash id;
    uint32_t gateway; /* who enrolled the patient */
};

struct sy_population {
    struct sy_population_config config;
    struct person regulator; /* its key is borrowed */
    struct person *admins;   /* one an organisation */
    struct person *gateways;
    struct subject *patients;
    sy_prng prng;
    uint32_t turn;
};

/* ---- who there is ------------------------------------------------------------------------ */

static sy_status make_person(sy_population *population, struct person *person)
{
    uint8_t seed[32];
    sy_prng_fill(&population->prng, seed, sizeof seed);
    SY_TRY(sy_secret_key_from_seed(&person->key, seed));
    sy_secret_key_public(person->key, &person->public_key);
    return SY_OK;
}

static sy_status populate(sy_population *population)
{
    const struct sy_population_config *config = &population->config;
    population->admins = (struct person *)calloc(config->organisations, sizeof(struct person));
    population->gateways = (struct person *)calloc(config->gateways, sizeof(struct person));
    population->patients = (struct subject *)calloc(config->patients, sizeof(struct subject));
    if (!population->admins || !population->gateways || !population->patients) {
        return SY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < config->organisations; i++) {
        SY_TRY(make_person(population, &population->admins[i]));
        sy_prng_fill(&population->prng, &population->admins[i].organisation, 32);
    }
    for (uint32_t i = 0; i < config->gateways; i++) {
        SY_TRY(make_person(population, &population->gateways[i]));
        population->gateways[i].organisation =
            population->admins[i % config->organisations].organisation;
    }
    for (uint32_t i = 0; i < config->patients; i++) {
        sy_prng_fill(&population->prng, &population->patients[i].id, 32);
        population->patients[i].gateway = i % config->gateways;
    }
    return SY_OK;
}

sy_status sy_population_open(sy_population **out, const struct sy_population_config *config,
                             struct sy_error *err)
{
    if (config->organisations == 0 || config->gateways < config->organisations ||
        config->patients < config->gateways) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "population: %u organisations, %u gateways, %u patients: an organisation "
                       "needs a gateway, and a gateway a patient",
                       config->organisations, config->gateways, config->patients);
    }
    sy_population *population = (sy_population *)calloc(1, sizeof *population);
    if (population == NULL) return sy_fail(err, SY_ERR_NO_MEMORY, "population: no memory");
    population->config = *config;
    sy_prng_seed(&population->prng, config->seed);
    sy_secret_key_public(config->regulator, &population->regulator.public_key);
    sy_status status = populate(population);
    if (status != SY_OK) {
        sy_population_close(population);
        return sy_fail(err, status, "population: %s", sy_status_name(status));
    }
    *out = population;
    return SY_OK;
}

const struct sy_genesis *sy_population_genesis(const sy_population *population)
{
    return population->config.genesis;
}

void sy_population_close(sy_population *population)
{
    if (population == NULL) return;
    for (uint32_t i = 0; population->admins && i < population->config.organisations; i++) {
        sy_secret_key_close(population->admins[i].key);
    }
    for (uint32_t i = 0; population->gateways && i < population->config.gateways; i++) {
        sy_secret_key_close(population->gateways[i].key);
    }
    free(population->admins);
    free(population->gateways);
    free(population->patients);
    free(population);
}

uint32_t sy_population_stage_count(const sy_population *population, unsigned stage)
{
    SY_ASSERT(stage < SY_POPULATION_STAGES);
    if (stage == 0) return population->config.organisations;
    return stage == 1 ? population->config.gateways : population->config.patients;
}

/* ---- signing ----------------------------------------------------------------------------- */

static void sign_into(struct sy_writer *w, const sy_secret_key *key, const struct sy_hash *id)
{
    struct sy_signature signature;
    sy_sign(key, &signature, SY_SIG_TX, id);
    sy_write_signature(w, &signature);
}

/* The whole transaction: payload by the schema, body, signatures of signer and cosigner. */
static struct sy_slice make_tx(sy_population *population, uint8_t *out, struct sy_hash *id,
                               uint16_t kind, const union sy_payload *payload,
                               const struct person *signer, const sy_secret_key *signer_key,
                               const struct person *cosigner, uint64_t nonce, int64_t until_ms)
{
    uint8_t payload_bytes[SY_POPULATION_TX_BYTES];
    struct sy_writer p = sy_writer_of(payload_bytes, sizeof payload_bytes);
    sy_payload_encode(&p, sy_kind_by_number(kind), payload);
    struct sy_tx tx = {.version = SY_TX_VERSION,
                       .kind = kind,
                       .signer = signer->public_key,
                       .organisation = signer->organisation,
                       .nonce = nonce,
                       .valid_until_ms = until_ms,
                       .payload = sy_writer_slice(&p)};
    memcpy(tx.network, sy_network_tag(population->config.genesis), sizeof tx.network);
    if (cosigner != NULL) {
        tx.cosigner_count = 1;
        tx.cosigners[0] = cosigner->public_key;
    }
    struct sy_writer w = sy_writer_of(out, SY_POPULATION_TX_BYTES);
    sy_tx_encode_body(&w, &tx);
    sy_hash_leaf(id, sy_writer_slice(&w));
    sign_into(&w, signer_key, id);
    if (cosigner != NULL) sign_into(&w, cosigner->key, id);
    SY_ASSERT(!p.failed && !w.failed);
    return sy_writer_slice(&w);
}

static struct sy_signature possess(const sy_population *population, const struct person *of,
                                   enum sy_role role, const struct person *sponsor, uint64_t nonce)
{
    struct sy_hash digest;
    struct sy_signature signature;
    sy_possession_digest(&digest, &population->config.genesis->hash, (uint8_t)role,
                         &of->organisation, &sponsor->public_key, nonce);
    sy_sign(of->key, &signature, SY_SIG_POSSESSION, &digest);
    return signature;
}

static struct sy_public_key x25519_of(sy_population *population)
{
    struct sy_public_key key;
    sy_prng_fill(&population->prng, key.bytes, sizeof key.bytes);
    return key;
}

/* ---- the stages -------------------------------------------------------------------------- */

static struct sy_slice org_register(sy_population *population, uint8_t *out, struct sy_hash *id,
                                    uint32_t index, int64_t until_ms)
{
    struct person *admin = &population->admins[index];
    uint64_t nonce = ++population->regulator.nonce;
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    struct sy_org_register *org = &payload.org_register;
    org->org_id = admin->organisation;
    org->kind = SY_ORG_HOSPITAL;
    sy_prng_fill(&population->prng, &org->name_hash, 32);
    org->admin_key = admin->public_key;
    org->admin_possession =
        possess(population, admin, SY_ROLE_ORG_ADMIN, &population->regulator, nonce);
    org->x25519_key = x25519_of(population);
    return make_tx(population, out, id, SY_KIND_org_register, &payload, &population->regulator,
                   population->config.regulator, admin, nonce, until_ms);
}

static struct sy_slice cred_issue(sy_population *population, uint8_t *out, struct sy_hash *id,
                                  uint32_t index, int64_t until_ms)
{
    struct person *gateway = &population->gateways[index];
    struct person *admin = &population->admins[index % population->config.organisations];
    uint64_t nonce = ++admin->nonce;
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    struct sy_cred_issue *cred = &payload.cred_issue;
    cred->subject_key = gateway->public_key;
    cred->subject_possession = possess(population, gateway, SY_ROLE_GATEWAY, admin, nonce);
    cred->role = SY_ROLE_GATEWAY;
    cred->org_id = gateway->organisation;
    cred->x25519_key = x25519_of(population);
    cred->not_before = population->config.genesis->created_ms;
    cred->not_after = until_ms + YEAR_MS;
    return make_tx(population, out, id, SY_KIND_cred_issue, &payload, admin, admin->key, NULL,
                   nonce, until_ms);
}

static struct sy_slice patient_enrol(sy_population *population, uint8_t *out, struct sy_hash *id,
                                     uint32_t index, int64_t until_ms)
{
    const struct subject *patient = &population->patients[index];
    struct person *gateway = &population->gateways[patient->gateway];
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    payload.patient_enrol.patient_id = patient->id;
    return make_tx(population, out, id, SY_KIND_patient_enrol, &payload, gateway, gateway->key,
                   NULL, ++gateway->nonce, until_ms);
}

struct sy_slice sy_population_stage(sy_population *population, uint8_t *out, struct sy_hash *id,
                                    unsigned stage, uint32_t index, int64_t valid_until_ms)
{
    SY_ASSERT(index < sy_population_stage_count(population, stage));
    if (stage == 0) return org_register(population, out, id, index, valid_until_ms);
    if (stage == 1) return cred_issue(population, out, id, index, valid_until_ms);
    return patient_enrol(population, out, id, index, valid_until_ms);
}

struct sy_slice sy_population_record(sy_population *population, uint8_t *out, struct sy_hash *id,
                                     int64_t valid_until_ms)
{
    static const char *const classes[] = {"Observation", "Encounter", "Procedure", "Immunization"};
    uint32_t index = population->turn++ % population->config.gateways;
    struct person *gateway = &population->gateways[index];
    /* A patient that this gateway enrolled: index, index + gateways, ... */
    uint32_t own = (population->config.patients - 1 - index) / population->config.gateways + 1;
    uint32_t patient =
        index + population->config.gateways * (uint32_t)sy_prng_below(&population->prng, own);
    const char *class = classes[sy_prng_below(&population->prng, 4)];
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    struct sy_record_create *record = &payload.record_create;
    sy_prng_fill(&population->prng, &record->record_id, 32);
    record->subject_kind = SY_SUBJECT_PATIENT;
    record->subject = population->patients[patient].id;
    record->class = sy_slice_of(class, strlen(class));
    record->form = SY_FORM_RAW;
    sy_prng_fill(&population->prng, &record->commit, 32);
    record->size = 256 * (1 + sy_prng_below(&population->prng, 16));
    record->author_role = SY_ROLE_GATEWAY;
    return make_tx(population, out, id, SY_KIND_record_create, &payload, gateway, gateway->key,
                   NULL, ++gateway->nonce, valid_until_ms);
}

struct sy_slice sy_population_merge(sy_population *population, uint8_t *out, struct sy_hash *id,
                                    uint32_t patient, uint32_t into, int64_t valid_until_ms)
{
    SY_ASSERT(patient < population->config.patients && into < population->config.patients);
    struct person *gateway = &population->gateways[population->patients[patient].gateway];
    const struct person *other = &population->gateways[population->patients[into].gateway];
    union sy_payload payload;
    memset(&payload, 0, sizeof payload);
    payload.patient_merge.patient_id = population->patients[patient].id;
    payload.patient_merge.into_id = population->patients[into].id;
    sy_prng_fill(&population->prng, &payload.patient_merge.evidence_hash, 32);
    return make_tx(population, out, id, SY_KIND_patient_merge, &payload, gateway, gateway->key,
                   other, ++gateway->nonce, valid_until_ms);
}
