/* may_rig.h: small worlds as plain structs, and as the state that a decision reads
 * (core/ledger/may.h).
 */
#ifndef SY_TESTS_UNIT_MAY_RIG_H
#define SY_TESTS_UNIT_MAY_RIG_H

#include "core/ledger/may.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define CONSENTS_MAX 13u
#define BREAKS_MAX 4u
#define ENTRIES_MAX 256u
#define NEVER 0
#define HEIGHT 100u /* what the present is */
#define NOW_MS 1000

/* Who there is, by key number; NOBODY has no credential. */
enum {
    WALLET,
    OTHER_WALLET,
    REGULATOR,
    AUDITOR_0,
    DOCTOR_0,
    NURSE_0,
    DOCTOR_1,
    RESEARCHER_1,
    DOCTOR_2,
    NEXT_DOCTOR_1, /* stands in DOCTOR_1's place */
    NEXT_WALLET,   /* and in WALLET's */
    DEVICE_1,
    KEYS,
    NOBODY = KEYS
};
enum { ORGS = 3, PATIENT = 500, OLD = 502, CARE = 600, CONSENT = 700, BREAK = 800, NO_ORG = 99 };

enum { CLASSES = 3, LABELS = 3 };
extern const char *const classes[CLASSES];
extern const struct sy_tag labels[LABELS];

struct plain_key {
    unsigned org;   /* NO_ORG: none */
    unsigned after; /* one more than the first key of its line; 0: itself */
    uint8_t role;
    uint64_t issued, revoked; /* heights */
    int64_t from, until;
};

struct plain_consent {
    uint8_t circle; /* enum sy_grantee_kind */
    unsigned grantee;
    bool denies;
    uint32_t actions, purposes;
    unsigned classes, labels; /* bits */
    int64_t from, until;
    uint64_t given, revoked; /* heights */
    unsigned parent;         /* 0: the patient's own; else one more than the place of its parent */
};

struct plain_break {
    bool of_old; /* of OLD: before it was merged */
    unsigned key;
    uint64_t height;
    int64_t from, until;  /* later ones do not begin before; none lasts longer than it may */
    uint64_t unjustified; /* height at which it was judged so; NEVER */
};

struct plain_world {
    struct plain_key keys[KEYS];
    uint64_t suspended[ORGS]; /* height */
    uint64_t enrolled;        /* height; NEVER: no such patient */
    unsigned enrolled_by;
    bool claimed;
    uint64_t merged;      /* height at which OLD was merged into PATIENT; NEVER: there is no OLD */
    unsigned old_by;      /* who enrolled OLD */
    unsigned old_care;    /* an organisation that treats OLD from the first block on; ORGS: none */
    uint64_t cared[ORGS]; /* height at which a relation that is open was opened */
    struct plain_consent consents[CONSENTS_MAX];
    unsigned consent_count;
    struct plain_break breaks[BREAKS_MAX]; /* heights rise */
    unsigned break_count;
};

struct plain_question {
    bool of_old; /* about OLD, not PATIENT */
    unsigned key, class;
    unsigned label;  /* 0: none, else one more than its place */
    unsigned holder; /* 0: nobody, else one more than the organisation */
    uint16_t purpose, action;
    uint64_t height;
    int64_t time_ms;
    bool past;
};

struct entry {
    enum sy_state_kind kind;
    struct sy_hash id, second;
    uint8_t bytes[512];
    size_t size;
};

struct shelf {
    struct entry entries[ENTRIES_MAX];
    unsigned count;
    unsigned gets, fail_at; /* the fail_at-th call fails; 0: none */
    unsigned spoil;         /* of the entries, from 1: is cut by a byte when asked for */
    uint8_t lent[512];      /* what was given last, spoilt by the next call */
};

extern struct shelf shelf; /* the world that was shelved last */

/* A sy_may_get over a shelf. */
sy_status shelf_get(void *self, struct sy_slice *value, enum sy_state_kind kind,
                    const struct sy_hash *id, const struct sy_hash *second);

/* The first key of a key's line. */
unsigned plain_line(const struct plain_world *world, unsigned key);

/* Puts a world on the shelf. */
void shelve(const struct plain_world *world);
/* The question as sy_may takes it; holder is room that it may point to. */
struct sy_may_question question_of(const struct plain_question *plain, struct sy_hash *holder);
/* The decision over the shelf, which must be made. */
struct sy_may_answer ask(const struct plain_question *plain);

#endif
