/* epochs.c: worlds whose roster changes on the way: validators get new keys or addresses, one
 * change after another, each approved by all and handed in by clients like everything else. */
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/wire/roster_change.h"
#include "tests/sim/sim_internal.h"
#include "tests/support/network.h"

#define NONCE_BASE 2000u /* far above those of the population's regulator */
#define KEY_BASE 350u
#define LIFETIME_MS (12ll * 3600 * 1000)

const struct sy_roster *sim_roster(const struct world *world, uint32_t epoch)
{
    SY_ASSERT(epoch <= world->options.epochs);
    return &world->rosters[epoch];
}

unsigned sim_key_number(const struct world *world, uint32_t epoch, uint16_t index)
{
    for (uint32_t k = epoch; k > 0; k--) {
        const struct sy_public_key *key = &world->rosters[k].validators[index].consensus_key;
        const struct sy_public_key *old = &world->rosters[k - 1].validators[index].consensus_key;
        if (!sy_public_key_equal(key, old)) return KEY_BASE + k - 1;
    }
    return 3u * index;
}

static uint64_t nonce_of(uint32_t epoch)
{
    return NONCE_BASE + epoch;
}

static void prove(const struct world *world, struct sy_validator_rekey *rekey, uint32_t epoch)
{
    static const struct sy_hash none;
    struct sy_public_key sponsor = test_public(TEST_REGULATOR);
    struct sy_hash digest;
    rekey->has_consensus_key = true;
    rekey->consensus_key = test_public(KEY_BASE + epoch);
    sy_possession_digest(&digest, &world->genesis->hash, SY_ROLE_VALIDATOR, &none, &sponsor,
                         nonce_of(epoch));
    sy_sign(test_key(KEY_BASE + epoch), &rekey->consensus_possession, SY_SIG_POSSESSION, &digest);
}

static void draw_change(struct world *world, struct sy_validator_rekey *rekey, uint32_t epoch)
{
    static const char *const addresses[] = {"tcp://127.0.0.1:1", "tcp://127.0.0.1:2",
                                            "tcp://127.0.0.1:3"};
    const struct sy_roster *now = &world->rosters[epoch];
    uint64_t whom = sy_prng_below(&world->prng, now->count);
    memset(rekey, 0, sizeof *rekey);
    rekey->epoch = epoch;
    sy_roster_hash(&rekey->roster_hash, &world->genesis->hash, now);
    rekey->validator = now->validators[whom].consensus_key;
    if (sy_prng_chance(&world->prng, 1, 2)) {
        prove(world, rekey, epoch);
        return;
    }
    rekey->has_client_address = true;
    rekey->client_address = sy_slice_of(addresses[epoch % 3], strlen(addresses[epoch % 3]));
}

void sim_epochs_open(struct world *world)
{
    unsigned count = world->options.epochs;
    world->rosters = (struct sy_roster *)calloc(count + 1, sizeof *world->rosters);
    world->changes = (union sy_payload *)calloc(count + 1, sizeof *world->changes);
    SY_ASSERT(world->rosters != NULL && world->changes != NULL);
    world->rosters[0] = world->genesis->roster;
    for (uint32_t k = 0; k < count; k++) {
        const char *path;
        draw_change(world, &world->changes[k].validator_rekey, k);
        enum sy_refusal code = sy_roster_apply(&world->rosters[k + 1], &path, &world->rosters[k],
                                               SY_KIND_validator_rekey, &world->changes[k]);
        SY_ASSERT(code == SY_APPLIED);
    }
}

void sim_epochs_close(struct world *world)
{
    free(world->rosters);
    free(world->changes);
}

struct sy_slice sim_epoch_change(const struct world *world, struct sy_writer *room,
                                 struct sy_hash *id, uint32_t epoch)
{
    const struct sy_kind *kind = sy_kind_by_number(SY_KIND_validator_rekey);
    const struct sy_roster *now = &world->rosters[epoch];
    union sy_payload payload = world->changes[epoch];
    uint8_t list[SY_VALIDATORS_MAX * SY_APPROVAL_BYTES];
    struct sy_writer w = sy_writer_of(list, sizeof list);
    struct sy_hash digest;
    sy_approval_digest(&digest, &world->genesis->hash, kind, &payload);
    for (uint16_t i = 0; i < now->count; i++) {
        struct sy_approval approval = {.key = now->validators[i].admin_key};
        sy_sign(test_key(3u * i + 2), &approval.signature, SY_SIG_APPROVAL, &digest);
        sy_list_add_approval(&payload.validator_rekey.approvals, &w, &approval);
    }
    unsigned regulator = TEST_REGULATOR;
    struct sy_tx tx;
    size_t start = room->used;
    sy_payload_encode(room, kind, &payload);
    test_tx_begin(&tx, world->genesis, kind->number, &regulator, 1);
    tx.payload = sy_slice_of(room->data + start, room->used - start);
    memset(&tx.organisation, 0, sizeof tx.organisation);
    tx.nonce = nonce_of(epoch);
    tx.valid_until_ms = TEST_GENESIS_MS + LIFETIME_MS;
    struct sy_slice bytes = test_tx_sign(room, &tx, &regulator, 1);
    enum sy_refusal code = sy_tx_decode(&tx, NULL, bytes, NULL);
    SY_ASSERT(code == SY_APPLIED);
    sy_tx_id(id, &tx);
    return bytes;
}

/* What clients were told is received goes into a batch first. */
static void drain(struct world *world, struct validator *validator)
{
    struct sy_node_event event = {.type = SY_NODE_DRAIN,
                                  .now_ms = sim_wall_ms(world, validator),
                                  .now_ns = sim_clock_ns(world, validator)};
    const struct sy_node_event *next = &event;
    for (bool more = true; more && !validator->doomed; next = NULL) {
        more = sy_node_step(validator->node, world->effects, next);
        sim_carry(world, validator, world->effects);
    }
}

void sim_turn(struct world *world, struct validator *validator)
{
    SY_ASSERT(validator->up && sy_node_epoch_over(validator->node));
    uint32_t epoch = validator->roster.epoch;
    drain(world, validator);
    if (validator->doomed || !sim_disk_flush(world, validator)) {
        sim_crash(world, validator);
        return;
    }
    sim_note_branch(world, SIM_BRANCH_epoch_over, 1);
    sim_note_totals(world, validator);
    sim_validator_stop(validator);
    validator->left_below = 0; /* views count from 0 again */
    sim_start(world, validator);
    if (world->done || validator->faulty || !validator->up) return;
    if (validator->roster.epoch != epoch + 1) {
        sim_fail(world, SIM_CHECK_AGREEMENT, "validator %u goes from epoch %u to %u",
                 validator->index, (unsigned)epoch, (unsigned)validator->roster.epoch);
    }
    if (validator->roster.epoch > world->epoch) world->epoch = validator->roster.epoch;
}
