/* disk.c: COMMITs and certificates on their way into a validator's store.
 *
 * As in systoled, whatever waits while one transaction is being made durable goes into the next
 * one, votes first. A crash loses all that waits; the group under way may have become durable
 * untold, or its votes without its certificates. */
#include <stdlib.h>
#include <string.h>

#include "consensus/node/committer.h"
#include "core/base/assert.h"
#include "core/base/os.h"
#include "tests/sim/sim_internal.h"

#define GROUP_MAX 64u

static struct sy_slice *bytes_of(struct sy_node_effect *effect)
{
    return effect->type == SY_NODE_CERTIFY ? &effect->as.certify.certificate
                                           : &effect->as.commit.value;
}

static void begin_group(struct world *world, struct validator *validator)
{
    struct disk *disk = &validator->disk;
    size_t waiting = disk->count - disk->first;
    if (disk->flying > 0 || waiting == 0) return;
    disk->flying = waiting < GROUP_MAX ? waiting : GROUP_MAX;
    struct event event = {.type = EVENT_DISK, .node = validator->place, .life = validator->life};
    uint64_t delay_ns = sim_draw(world, world->options.disk_us);
    if (validator->index == world->odd && !world->calm && world->options.slow_disk > 1) {
        delay_ns *= world->options.slow_disk;
        sim_note_fault(world, SIM_FAULT_disk_slow);
    }
    sim_later(world, event, delay_ns);
}

static void make_room(struct disk *disk)
{
    if (disk->count < disk->room) return;
    if (disk->first > 0) {
        memmove(disk->items, disk->items + disk->first,
                (disk->count - disk->first) * sizeof *disk->items);
        disk->count -= disk->first;
        disk->first = 0;
        return;
    }
    disk->room = 2 * disk->room + 64;
    disk->items = (struct disk_item *)realloc(disk->items, disk->room * sizeof *disk->items);
    SY_ASSERT(disk->items != NULL);
}

void sim_disk_put(struct world *world, struct validator *validator,
                  const struct sy_node_effect *effect)
{
    struct disk *disk = &validator->disk;
    make_room(disk);
    struct disk_item *item = &disk->items[disk->count++];
    item->effect = *effect;
    struct sy_slice *bytes = bytes_of(&item->effect);
    item->bytes = (uint8_t *)malloc(bytes->size + 1);
    SY_ASSERT(item->bytes != NULL);
    if (bytes->size > 0) memcpy(item->bytes, bytes->data, bytes->size);
    bytes->data = item->bytes;
    begin_group(world, validator);
    if (effect->type == SY_NODE_COMMIT && sim_plants(world, SIM_PLANT_LYING_DISK, validator)) {
        disk->told_token = effect->as.commit.token;
        struct event lie = {.type = EVENT_NUDGE, .node = validator->place, .life = validator->life};
        sim_later(world, lie, 0);
    }
}

static size_t list_writes(struct world *world, const struct validator *validator,
                          struct sy_vote_write *writes)
{
    const struct disk *disk = &validator->disk;
    size_t count = 0;
    for (size_t i = disk->first; i < disk->first + disk->flying; i++) {
        const struct sy_node_effect *effect = &disk->items[i].effect;
        if (effect->type != SY_NODE_COMMIT) continue;
        if (effect->as.commit.what == SY_COMMIT_DROP &&
            sim_plants(world, SIM_PLANT_KEPT_VOTES, validator)) {
            continue;
        }
        count += sy_committer_writes(writes + count, effect);
    }
    return count;
}

bool sim_write_fails(struct validator *validator)
{
    return validator->fail_after >= 0 && validator->fail_after-- == 0;
}

/* False: the disk refused. */
static bool write_votes(struct world *world, struct validator *validator)
{
    struct sy_vote_write writes[2 * GROUP_MAX];
    struct sy_error err;
    size_t count = list_writes(world, validator, writes);
    if (count == 0) return true;
    bool fails = sim_write_fails(validator);
    if (fails) sy_os_failpoint_arm("store.votes.commit", 1, "eio");
    sy_status status = sy_votes_commit(validator->store, writes, count, &err);
    sy_os_failpoint_arm(NULL, 0, NULL);
    SY_ASSERT((status == SY_OK) == !fails);
    return !fails;
}

/* False: the disk refused. */
static bool write_certificates(struct validator *validator)
{
    struct sy_certificate_write writes[GROUP_MAX];
    struct sy_error err = {SY_OK, ""};
    const struct disk *disk = &validator->disk;
    size_t count = 0;
    for (size_t i = disk->first; i < disk->first + disk->flying; i++) {
        const struct sy_node_effect *effect = &disk->items[i].effect;
        if (effect->type != SY_NODE_CERTIFY) continue;
        writes[count].height = effect->as.certify.height;
        writes[count++].certificate = effect->as.certify.certificate;
    }
    if (count == 0) return true;
    bool fails = sim_write_fails(validator);
    if (fails) sy_os_failpoint_arm("store.ledger.commit", 1, "enospc");
    sy_status status = sy_ledger_put_certificates(validator->store, writes, count, &err);
    sy_os_failpoint_arm(NULL, 0, NULL);
    SY_ASSERT((status == SY_OK) == !fails); /* a certificate comes after its block */
    return !fails;
}

bool sim_disk_flush(struct world *world, struct validator *validator)
{
    struct disk *disk = &validator->disk;
    while (disk->first < disk->count) {
        size_t waiting = disk->count - disk->first;
        if (disk->flying == 0) disk->flying = waiting < GROUP_MAX ? waiting : GROUP_MAX;
        if (!write_votes(world, validator) || !write_certificates(validator)) {
            sim_note_fault(world, SIM_FAULT_write_failed);
            disk->flying = 0;
            validator->running = false;
            return false;
        }
        for (; disk->flying > 0; disk->flying--) free(disk->items[disk->first++].bytes);
    }
    return true;
}

void sim_on_disk(struct world *world, struct validator *validator)
{
    struct disk *disk = &validator->disk;
    uint64_t token = 0;
    uint64_t height = 0;
    if (!write_votes(world, validator) || !write_certificates(validator)) {
        sim_note_fault(world, SIM_FAULT_write_failed);
        disk->flying = 0;
        validator->running = false; /* the same disk: no block becomes durable either */
        sim_crash(world, validator);
        return;
    }
    for (; disk->flying > 0; disk->flying--, disk->first++) {
        const struct sy_node_effect *effect = &disk->items[disk->first].effect;
        if (effect->type == SY_NODE_COMMIT) token = effect->as.commit.token;
        if (effect->type == SY_NODE_CERTIFY) height = effect->as.certify.height;
        free(disk->items[disk->first].bytes);
    }
    begin_group(world, validator);
    uint32_t life = validator->life;
    if (token > 0) {
        struct sy_node_event event = {.type = SY_NODE_DURABLE};
        event.as.token = token;
        sim_feed(world, validator, &event);
    }
    if (height > 0 && validator->up && validator->life == life) {
        if (!validator->faulty) sim_check_certified(world, validator, height);
        sim_prune(world, validator);
        if (!validator->up || validator->life != life) return;
        struct sy_node_event event = {.type = SY_NODE_CERTIFIED};
        event.as.height = height;
        sim_feed(world, validator, &event);
    }
}

void sim_disk_crash(struct world *world, struct validator *validator)
{
    struct disk *disk = &validator->disk;
    uint64_t luck = sy_prng_below(&world->prng, 3);
    validator->fail_after = -1;
    if (disk->flying > 0 && luck > 0) (void)write_votes(world, validator);
    if (disk->flying > 0 && luck > 1) (void)write_certificates(validator);
    if (disk->count > disk->first && luck == 0) sim_note_fault(world, SIM_FAULT_write_lost);
    for (size_t i = disk->first; i < disk->count; i++) free(disk->items[i].bytes);
    disk->first = disk->count = disk->flying = 0;
}
