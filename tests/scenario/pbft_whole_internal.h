/* pbft_whole_internal.h: what the files of pbft_whole share.
 *
 *   pbft_whole_table.c   equal bytes get equal numbers
 *   pbft_whole_node.c    one machine and what surrounds it: its state put aside and back, one step
 *   pbft_whole_faulty.c  what the faulty validator can say
 *   pbft_whole_local.c   what one validator can do until it next sends something
 *   pbft_whole.c         the search, and what must hold between validators */
#ifndef SY_TESTS_SCENARIO_PBFT_WHOLE_INTERNAL_H
#define SY_TESTS_SCENARIO_PBFT_WHOLE_INTERNAL_H

#include "tests/scenario/pbft_whole.h"
#include "tests/scenario/pbft_world_internal.h"

#define WHOLE_N 4u
#define WHOLE_FAULTY 0u
#define WHOLE_SLOTS 2u
#define WHOLE_MESSAGES_MAX 1024u

/* --- pbft_whole_table.c ---------------------------------------------------------------------- */

struct whole_item {
    const uint8_t *bytes;
    size_t size;
};

/* Numbers count from 0; what is in a table stays where it is until table_close. */
struct whole_table {
    struct whole_item *items;
    size_t count, room;
    uint32_t *index; /* of count + 1 items by hash; 0: free */
    size_t index_room;
    uint8_t *chunk;
    size_t chunk_left;
    void *chunks; /* a list */
};

/* table_add gives the number of these bytes, and tells whether they are new. */
uint32_t table_add(struct whole_table *table, const void *bytes, size_t size, bool *is_new);
void table_close(struct whole_table *table);
/* grown gives room for at least `wanted` items, moved if need be. */
void *grown(void *items, size_t *room, size_t wanted, size_t item_bytes);

/* --- the world ------------------------------------------------------------------------------- */

/* Events: the number of a message, or one of these. */
enum {
    EVENT_WAITED = WHOLE_MESSAGES_MAX,
    EVENT_STORED,    /* the oldest record */
    EVENT_EXECUTED,  /* the oldest block */
    EVENT_CERTIFIED, /* the lowest certificate */
    EVENTS
};

struct message_set {
    uint64_t bits[WHOLE_MESSAGES_MAX / 64];
};

/* What the machine's own memory does not tell. */
struct aside {
    bool waited;
    uint8_t
        decided[WHOLE_SLOTS + 1]; /* number of the digest that was executed, decided in view 0 */
};

/* A state of one validator: its bytes are item `number` of `states`, and here is what is asked of
 * it often. Numbers of hashes count from 1. */
struct local {
    uint8_t node;
    bool waited, busy; /* busy: its disk or ledger has something under way */
    uint64_t view;
    uint8_t decided[WHOLE_SLOTS + 1], executed[WHOLE_SLOTS + 1];
};

/* A step of one validator, taken once and remembered. */
struct step {
    uint32_t from;
    uint16_t event;
    uint32_t to;
    uint32_t sent; /* number in `sets`; 0: nothing */
};

struct range {
    uint8_t *at;
    size_t size;
};
#define RANGES_MAX 64u

struct sent_message {
    uint8_t type;
    uint16_t signer;
    uint64_t view, slot; /* slot: of a seal its height */
    uint8_t digest;      /* number of the proposal digest or header hash */
    uint8_t
        fixes[WHOLE_SLOTS + 1]; /* NEW_VIEW: number of the digest; 0: null or free, 255: stable */
};

/* What one validator can do next: items of `outcomes`. */
struct local_moves {
    uint32_t first, count;
};
struct outcome {
    uint32_t to, sent;
};

struct whole {
    struct whole_rules rules;
    struct whole_result *result;
    struct world world;
    struct world_result world_result;
    struct sy_pbft_effects effects;
    uint64_t start_ns;

    struct whole_table hashes, blobs, messages, sets, lines, states;
    struct sent_message sent[WHOLE_MESSAGES_MAX];
    struct local *locals;
    size_t local_room;
    struct aside asides[WHOLE_N];
    struct range ranges[WHOLE_N][RANGES_MAX];
    unsigned range_count[WHOLE_N];
    uint8_t *opened[WHOLE_N]; /* the machines' memory at first */
    uint64_t *cells;          /* a state as it is made: line number << 32 | content */
    size_t cell_room;

    struct whole_table step_keys;
    struct step failed; /* the step in which a check failed */
    struct step *steps;
    size_t step_room;
    struct whole_table move_keys;
    struct local_moves *moves;
    size_t move_room;
    struct outcome *outcomes;
    size_t outcome_count, outcome_room;
    struct whole_table closure_keys;
    uint32_t *closures;
    size_t closure_room;
};

/* --- pbft_whole_node.c ----------------------------------------------------------------------- */

/* whole_node_open brings a started node to where the search begins, finds where its state lies, and
 * gives the number of the present one. */
uint32_t whole_node_open(struct whole *whole, uint16_t node);
/* whole_step is what this event makes of that state. A check that fails is in the world's result.
 */
const struct step *whole_step(struct whole *whole, uint32_t from, uint16_t event);
uint8_t whole_hash(struct whole *whole, const struct sy_hash *hash);
/* whole_message puts a message into the books: its number, or -1 if it is not modelled. */
int whole_message(struct whole *whole, const struct sy_message *message);
void whole_message_at(struct whole *whole, struct sy_message *out, unsigned number);
uint32_t whole_set(struct whole *whole, const struct message_set *set);
const struct message_set *whole_set_at(const struct whole *whole, uint32_t number);
static inline void set_put(struct message_set *set, unsigned number)
{
    set->bits[number / 64] |= (uint64_t)1 << number % 64;
}
static inline bool set_has(const struct message_set *set, unsigned number)
{
    return set->bits[number / 64] >> number % 64 & 1;
}

/* --- pbft_whole_faulty.c --------------------------------------------------------------------- */

/* faulty_closure adds to a set what the faulty validator can make of it. */
uint32_t faulty_closure(struct whole *whole, uint32_t set);

/* --- pbft_whole_local.c ---------------------------------------------------------------------- */

/* local_moves: what can become of a validator in this state by messages of the set, up to the first
 * step that sends. */
struct local_moves local_moves(struct whole *whole, uint32_t from, uint32_t set);
/* local_path lists, the last one first, events that lead from that state to the end of this step
 * (event EVENTS: any); 0: there are none. Nothing is tried anew. */
#define PATH_EVENTS_MAX 64u
unsigned local_path(const struct whole *whole, uint16_t events[PATH_EVENTS_MAX], uint32_t from,
                    uint32_t set, const struct step *last);

#endif
