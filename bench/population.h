/* population.h: a small nation made up for load: organisations, their gateways, patients, and
 * signed transactions about them. Everything follows from one seed, so two processes can make the
 * same.
 *
 *   stage 0   org.register    an organisation each (a regulator and its admin)
 *   stage 1   cred.issue      a gateway key each, spread over the organisations
 *   stage 2   patient.enrol   unclaimed patients, spread over the gateways
 *   then      record.create   about a random patient, signed by a gateway of its organisation
 *
 * A stage's transactions depend on the stage before being final. One thread at a time. */
#ifndef SY_BENCH_POPULATION_H
#define SY_BENCH_POPULATION_H

#include "core/base/prng.h"
#include "core/crypto/keys.h"
#include "core/wire/genesis.h"
#include "core/wire/tx.h"

typedef struct sy_population sy_population;

struct sy_population_config {
    const struct sy_genesis *genesis; /* borrowed */
    const sy_secret_key *regulator;   /* borrowed; one of the genesis's */
    uint32_t organisations;
    uint32_t gateways; /* signing keys of the load; at least one an organisation */
    uint32_t patients; /* at least one a gateway */
    uint64_t seed;
};

#define SY_POPULATION_STAGES 3u
/* No transaction of a population is longer. */
#define SY_POPULATION_TX_BYTES 1024u

/* sy_population_open makes the keys and ids. SY_ERR_ARGUMENT: too few gateways or patients. */
sy_status sy_population_open(sy_population **population, const struct sy_population_config *config,
                             struct sy_error *err);
const struct sy_genesis *sy_population_genesis(const sy_population *population);
void sy_population_close(sy_population *population); /* NULL is fine */

/* sy_population_stage_count is how many transactions a stage has. */
uint32_t sy_population_stage_count(const sy_population *population, unsigned stage);

/* sy_population_stage writes transaction index of a stage into out (SY_POPULATION_TX_BYTES) and
 * gives its id. Each call signs with the next nonce of its key. */
struct sy_slice sy_population_stage(sy_population *population, uint8_t *out, struct sy_hash *id,
                                    unsigned stage, uint32_t index, int64_t valid_until_ms);

/* sy_population_record writes the next record.create, signers in turn. */
struct sy_slice sy_population_record(sy_population *population, uint8_t *out, struct sy_hash *id,
                                     int64_t valid_until_ms);

/* sy_population_merge writes the patient.merge of a patient, by index, into another one of another
 * organisation; both of their gateways sign. */
struct sy_slice sy_population_merge(sy_population *population, uint8_t *out, struct sy_hash *id,
                                    uint32_t patient, uint32_t into, int64_t valid_until_ms);

#endif
