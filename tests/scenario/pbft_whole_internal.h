/* pbft_whole_internal.h: what the files of pbft_whole share.
 *
 *   pbft_whole_table.c   equal bytes get equal numbers
 *   pbft_whole_node.c    one machine and what surrounds it: its state put aside and back, one step
 *   pbft_whole_faulty.c  what the faulty validator can say
 *   pbft_whole_alike.c   states that nothing can tell apart become the same
 *   pbft_whole_local.c   what one validator can do until it next shows something
 *   pbft_whole.c         the search, and what must hold between validators */
#ifndef SY_TESTS_SCENARIO_PBFT_WHOLE_INTERNAL_H
#define SY_TESTS_SCENARIO_PBFT_WHOLE_INTERNAL_H

#include "tests/scenario/pbft_whole.h"
#include "tests/scenario/pbft_world_internal.h"

#define WHOLE_N 4u
#define WHOLE_FAULTY 0u
#define WHOLE_MESSAGES_MAX 1024u
#define WHOLE_GROUPS 7u /* of messages: changing the view; two slots in two views; seals */

/* What of a machine's memory a world of two slots can touch. */
#define SLOTS_TOUCHED 5u /* a correct primary goes on above the two */
#define CHANGE_BYTES 2048u

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
    uint8_t settled[WHOLE_SLOTS + 1]; /* number of the digest that was decided; */
    uint8_t decided[WHOLE_SLOTS + 1]; /* likewise, in view 0 */
};

/* A state of one validator: its bytes are item `number` of `states`, and here is what is asked of
 * it often. Numbers of hashes count from 1. */
struct local {
    uint8_t node;
    bool waited, busy; /* busy: its disk or ledger has something under way */
    bool begun;
    uint64_t view;
    uint8_t lacks;                    /* a VIEW_CHANGE that a NEW_VIEW names */
    bool committed[WHOLE_SLOTS + 1];  /* in its view */
    uint8_t settled[WHOLE_SLOTS + 1]; /* decided, in any view, */
    uint8_t decided[WHOLE_SLOTS + 1], executed[WHOLE_SLOTS + 1]; /* in view 0; and executed */
    uint32_t at_rest;                                            /* number + 1 */
    uint32_t asked;            /* of so many messages was it asked */
    struct message_set wanted; /* which of them it wants (P35) */
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
    uint64_t view, slot;    /* slot: of a seal its height */
    uint8_t digest;         /* number of the proposal digest, header hash or VIEW_CHANGE's digest */
    bool shows;             /* VIEW_CHANGE: that something was prepared */
    uint8_t named[WHOLE_N]; /* NEW_VIEW: numbers of the digests of the VIEW_CHANGEs, 0: none */
    uint8_t
        fixes[WHOLE_SLOTS + 1]; /* NEW_VIEW: number of the digest; 0: null or free, 255: stable */
};

/* What a validator can do: a state that it reaches, and what it sends on the way. */
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

    struct message_set groups[WHOLE_GROUPS];
    struct message_set faulty; /* what the faulty validator signed */

    struct whole_table step_keys;
    struct step failed; /* the step in which a check failed */
    struct step *steps;
    size_t step_room;
    struct whole_table move_keys, outcomes, lists; /* a list: numbers of outcomes, rising */
    uint32_t *moves;
    size_t move_room;
    struct whole_table closure_keys;
    uint32_t *closures;
    size_t closure_room;
};

/* --- pbft_whole_node.c ----------------------------------------------------------------------- */

/* whole_node_open brings a started node to where the search begins, finds where its state lies, and
 * gives the number of the present one. */
uint32_t whole_node_open(struct whole *whole, uint16_t node);
/* whole_node_clear empties what of a node's model outlives a world (pbft_world.c): the next world
 * would take the blocks for unused, since none is marked as executed between two steps. */
void whole_node_clear(struct whole *whole, uint16_t node);
/* whole_step is what this event makes of that state. A check that fails is in the world's result.
 */
const struct step *whole_step(struct whole *whole, uint32_t from, uint16_t event);
/* whole_at_rest is the state that stands for this one once it showed something. */
uint32_t whole_at_rest(struct whole *whole, uint32_t at);
/* whole_wants brings up to date which messages a state wants. */
const struct message_set *whole_wants(struct whole *whole, uint32_t at);
uint8_t whole_hash(struct whole *whole, const struct sy_hash *hash);
const struct sy_hash *whole_hash_at(const struct whole *whole, uint8_t number);
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

/* --- pbft_whole_alike.c ---------------------------------------------------------------------- */

/* whole_alike gives the node's memory the one form that stands for all that are like it. */
void whole_alike(struct whole *whole, uint16_t node);
/* whole_alike_at_rest goes further, for a state that just showed something. */
void whole_alike_at_rest(struct whole *whole, uint16_t node);
/* whole_one_certificate: the one certificate that stands for all of this holder's. */
void whole_one_certificate(struct whole *whole, struct sy_prepared *prepared, uint16_t holder);

/* --- pbft_whole_faulty.c --------------------------------------------------------------------- */

/* faulty_closure adds to a set what the faulty validator can make of it. */
uint32_t faulty_closure(struct whole *whole, uint32_t set);

/* --- pbft_whole_local.c ---------------------------------------------------------------------- */

/* local_moves lists what can become of a validator in this state by messages of the set, up to the
 * first step that shows something: the number of a list, 0: nothing. */
uint32_t local_moves(struct whole *whole, uint32_t from, uint32_t set);
/* Lists, as sets. */
struct list {
    const uint32_t *items;
    size_t count;
};
struct list list_at(const struct whole *whole, uint32_t number);
uint32_t list_of(struct whole *whole, uint32_t item);
uint32_t list_join(struct whole *whole, uint32_t a, uint32_t b);
uint32_t list_without(struct whole *whole, uint32_t a, uint32_t b);
uint32_t list_common(struct whole *whole, uint32_t a, uint32_t b);
struct outcome outcome_at(const struct whole *whole, uint32_t number);

/* local_path lists, the last one first, events that lead from that state to the end of this step
 * (event EVENTS: any); 0: there are none. Nothing is tried anew. */
#define PATH_EVENTS_MAX 64u
unsigned local_path(struct whole *whole, uint16_t events[PATH_EVENTS_MAX], uint32_t from,
                    uint32_t set, const struct step *last);

#endif
