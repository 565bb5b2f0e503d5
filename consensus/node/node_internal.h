/* node_internal.h: what the node loop's files share. Not for other rooms. */
#ifndef SY_NODE_NODE_INTERNAL_H
#define SY_NODE_NODE_INTERNAL_H

#include "consensus/node/node.h"
#include "consensus/pbft/message.h"
#include "core/base/share.h"
#include "core/wire/sync.h"

#define COMMITS_MAX 8192u     /* COMMITs that are not durable yet */
#define WORK_MAX 8192u        /* events for the consensus machine that wait their turn */
#define OUT_BYTES (24u << 20) /* everything one step encodes */
#define SYNC_BYTES_MAX 64u    /* of a message beside consensus that a running node looks at */

/* VIEW_CHANGEs at the engine at once: one of a peer, of so many peers. */
#define CHANGE_CHECKS_MAX 16u

/* How many of a peer's checks of VIEW_CHANGEs may come to nothing, a second. */
#define VAIN_CHANGE_JOBS_PER_S 64u

/* How many signatures the good VIEW_CHANGEs of one signer may cost, a second: the largest there can
 * be every two seconds. A correct validator leaves views more and more slowly. Copies that a
 * peer passes on meanwhile may cost as much again, and are that peer's. */
#define GOOD_CHANGE_JOBS_PER_S 2048u

/* A message with more signatures to check than this does not go before the votes. */
#define URGENT_JOBS_MAX 256u

/* A consensus message whose signatures are at the engine. */
struct vote_check {
    bool used;
    uint16_t from;
    struct sy_message message;
    struct sy_submission submission;
    struct sy_sig_job *jobs; /* room for SY_MESSAGE_JOBS_MAX; of change_checks for any message's */
    uint8_t *verdicts;
    uint8_t *bytes; /* of change_checks alone: what the message borrows */
};

/* What a COMMIT that becomes durable sets free. */
struct commit {
    enum sy_node_commit what;
    uint64_t pbft_token;   /* RECORD */
    struct sy_hash digest; /* BODY */
};

enum work_type { WORK_PBFT, WORK_MESSAGE, WORK_STORED };

struct work {
    enum work_type type;
    struct sy_pbft_event event; /* PBFT */
    struct vote_check *check;   /* MESSAGE: freed afterwards */
    struct sy_hash digest;      /* STORED */
};

struct sy_node {
    struct sy_node_config config;
    sy_pool *pool;
    sy_pbft *pbft;
    struct sy_pool_effects *pool_effects;
    struct sy_pbft_effects *pbft_effects;
    struct sy_node_effects *effects; /* of the running step */
    struct vote_check *checks;       /* vote_checks of them, then change_checks */
    uint16_t *free_checks;           /* indices of those not in use, of the first kind */
    uint32_t free_count;
    uint32_t change_checks;
    uint16_t shares[SY_VALIDATORS_MAX];                /* checks in use, by peer */
    struct sy_share vain_changes[SY_VALIDATORS_MAX];   /* by peer */
    struct sy_share good_changes[SY_VALIDATORS_MAX];   /* by signer */
    struct sy_share copied_changes[SY_VALIDATORS_MAX]; /* by peer */
    uint8_t *out;
    size_t out_used;
    struct commit *commits; /* ring: token t at t % COMMITS_MAX */
    uint64_t commit_made;
    uint64_t commit_durable;
    struct work *work; /* ring */
    uint64_t work_in, work_out;
    uint64_t timers[SY_PBFT_TIMER_COUNT];
    uint64_t pool_wake_ns;
    uint64_t next_epoch; /* height from which another roster orders; 0: none is known */
    struct sy_clocks clocks;
    uint64_t certified_height;
    uint64_t history_from[SY_VALIDATORS_MAX]; /* what peers said they keep; 0: nothing said */
    uint64_t blocks_from[SY_VALIDATORS_MAX];  /* as in struct sy_node_info, like the next */
    bool history_gone;
    struct sy_sync_message sync_message; /* being read */
    struct sy_message guest_message;     /* likewise */
    uint64_t next_seqs[SY_VALIDATORS_MAX];
    int64_t now_ms;
    uint64_t now_ns;
    uint64_t frames_malformed;
    uint64_t frames_shed;
    uint64_t vote_signatures;
    uint8_t evidence[SY_VALIDATORS_MAX]; /* pieces given to the store, against each validator */
    bool resumed;
};

/* node.c */
struct sy_node_effect *sy_node_emit(sy_node *node, enum sy_node_effect_type type);
/* Room in the step's byte buffer; the writer is asserted to have fitted by sy_node_keep. */
struct sy_writer sy_node_writer(sy_node *node, size_t bytes_max);
struct sy_slice sy_node_keep(sy_node *node, const struct sy_writer *writer);
struct work *sy_node_queue(sy_node *node, enum work_type type);
struct sy_pbft_event *sy_node_queue_pbft(sy_node *node, enum sy_pbft_event_type type);

/* Whether anybody still keeps what comes next here, after something that bears on it changed. */
void sy_node_look_for_history(sy_node *node);

/* inbound.c */
void sy_node_on_frame(sy_node *node, uint16_t peer, struct sy_slice bytes);
void sy_node_on_vote_checked(sy_node *node, struct vote_check *check);
bool sy_node_owns_check(const sy_node *node, const void *owner);
void sy_node_free_check(sy_node *node, struct vote_check *check);

/* outbound.c */
void sy_node_translate_pool(sy_node *node);
void sy_node_translate_pbft(sy_node *node);

#endif
