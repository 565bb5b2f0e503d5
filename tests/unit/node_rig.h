/* node_rig.h: the node loop of one validator of four; the other three are played by tests, which
 * hold their keys. */
#ifndef SY_TESTS_UNIT_NODE_RIG_H
#define SY_TESTS_UNIT_NODE_RIG_H

#include "consensus/node/node.h"
#include "core/store/store.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define NRIG_LOG_MAX 8192u
#define NRIG_MS 1000000ull
#define NRIG_FRAME_BYTES (1u << 16)

/* An effect; bytes that it borrowed are copied. */
struct nrig_effect {
    struct sy_node_effect effect;
    struct sy_slice bytes;
};

struct node_rig {
    struct sy_genesis genesis;
    struct sy_node_config config;
    sy_arena arena;
    sy_node *node;
    sy_engine *engine;
    struct sy_node_effects *effects;
    struct sy_submission *flying[128];
    unsigned flying_count;
    bool hold_checks;
    bool hold_commits;
    uint64_t token; /* of the newest COMMIT */
    struct nrig_effect *log;
    unsigned logged;
    uint8_t *room;
    struct sy_writer writer;
    int64_t now_ms;
    uint64_t now_ns;
    uint16_t self;
    struct sy_hash head; /* of the newest block that the rig made up */
};

/* nrig_open starts validator `self` at a certified height (0: genesis), with nothing stored. */
void nrig_open(struct node_rig *rig, uint16_t self, uint64_t certified_height);
void nrig_open_with(struct node_rig *rig, const struct sy_node_config *config,
                    uint64_t certified_height);
void nrig_config(struct node_rig *rig, struct sy_node_config *config, uint16_t self);
void nrig_close(struct node_rig *rig);

void nrig_feed(struct node_rig *rig, struct sy_node_event *event);
void nrig_frame(struct node_rig *rig, uint16_t peer, struct sy_slice bytes);
void nrig_tick(struct node_rig *rig, uint64_t later_ns);
void nrig_check(struct node_rig *rig);   /* the oldest check comes back */
void nrig_durable(struct node_rig *rig); /* all COMMITs are durable */

/* Messages of the other validators, signed; the bytes are good until the rig is closed. */
struct sy_slice nrig_encode(struct node_rig *rig, const struct sy_message *message);
struct sy_slice nrig_pre_prepare(struct node_rig *rig, const struct sy_proposal *proposal);
struct sy_slice nrig_vote(struct node_rig *rig, uint8_t type, uint16_t signer, uint64_t slot,
                          const struct sy_hash *digest);
struct sy_slice nrig_seal(struct node_rig *rig, uint16_t signer, uint64_t height,
                          const struct sy_hash *hash);
struct sy_slice nrig_batch(struct node_rig *rig, uint16_t maker, uint64_t seq);
struct sy_hash nrig_batch_digest(const struct node_rig *rig, struct sy_slice batch);

/* nrig_decide plays all others of one slot: proposal, votes, execution, seals, certificate. */
void nrig_decide(struct node_rig *rig, struct sy_proposal *proposal);

unsigned nrig_count(const struct node_rig *rig, enum sy_node_effect_type type);
/* nrig_sent finds the newest SEND of a message type and decodes it; false: none. */
bool nrig_sent(const struct node_rig *rig, struct sy_message *message, uint8_t type);
/* nrig_committed counts COMMITs of a kind. */
unsigned nrig_committed(const struct node_rig *rig, enum sy_node_commit what);
/* nrig_store_commits writes every COMMIT so far to a store, as systoled does. */
void nrig_store_commits(const struct node_rig *rig, sy_store *store);
const struct nrig_effect *nrig_last(const struct node_rig *rig, enum sy_node_effect_type type);
void nrig_forget(struct node_rig *rig);
const struct sy_node_info *nrig_info(const struct node_rig *rig);

#endif
