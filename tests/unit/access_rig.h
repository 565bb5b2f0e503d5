/* access_rig.h: a small state, and who may read what of it (consensus/node/access.h). */
#ifndef SY_TESTS_UNIT_ACCESS_RIG_H
#define SY_TESTS_UNIT_ACCESS_RIG_H

#include "consensus/node/access.h"
#include "core/wire/state.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define NOW_MS (TEST_GENESIS_MS + 1000000)
#define ENTRIES_MAX 64u

/* Keys by number, ids by hash number. */
enum {
    KEY_REGULATOR = 1,
    KEY_ADMIN_A, /* organisation A enrolled the patient */
    KEY_DOCTOR_A,
    KEY_DOCTOR_B,     /* B holds an open care */
    KEY_DOCTOR_C,     /* C has nothing to do with the patient */
    KEY_AUDITOR_C,    /* of C */
    KEY_DOCTOR_D,     /* D is suspended; it enrolled OTHER_PATIENT */
    KEY_WALLET,       /* the patient's */
    KEY_OTHER_WALLET, /* another patient's */
    KEY_REVOKED_A,
    KEY_EXPIRED_A,
    KEY_EARLY_A,
    KEY_DEVICE_A,
    KEY_NEXT_C,      /* stands in KEY_DOCTOR_C's place where rig_breaks */
    KEY_CONSENSUS_A, /* a validator's key that A holds */
    KEY_GUARDIAN,    /* of OTHER_PATIENT: another patient's key */
    KEY_GATEWAY_B,
    KEY_NOBODY
};
enum {
    ORG_A = 100,
    ORG_B,
    ORG_C,
    ORG_D,
    PATIENT = 200,
    OTHER_PATIENT,
    NO_PATIENT,
    WARD, /* of A, without a key; C's doctor is the guardian */
    CARE_OPEN = 300,
    CARE_CLOSED,
    NO_CARE,
    RECORD_PATIENT = 400,
    RECORD_ORG,
    RECORD_KEY,
    RECORD_OTHER, /* of OTHER_PATIENT */
    RECORD_LABEL, /* of PATIENT, with a label */
    NO_RECORD,
    RECORD_WARD,
    CONSENT = 500,
    NO_CONSENT = 599,
    BREAK = 600,
    DEVICE_OF_A = 700, /* A's own */
    DEVICE_OF_PATIENT, /* KEY_DEVICE_A is its key */
    NO_DEVICE,
    RX = 800, /* A's, of PATIENT; no claim bills its fills */
    NO_RX
};

extern const struct sy_tag label; /* of RECORD_LABEL */

struct entry {
    struct sy_hash key;
    uint8_t bytes[512];
    size_t size;
};

struct state_rig {
    sy_store *store;
    struct sy_access access;
    struct entry entries[ENTRIES_MAX];
    unsigned count;
};

/* A consent of PATIENT to read, for treatment: what the cases below change one thing of. */
struct consent_of {
    unsigned number; /* from CONSENT on */
    uint8_t grantee_kind;
    unsigned grantee; /* key, organisation, or role */
    bool denies, labelled;
    const char *only_class;
    bool over;
};

extern uint64_t
    rig_subscribed; /* the next rig has B's subscription to PATIENT, from this number; 0: none */
extern uint32_t rig_groups;   /* its groups; 0: all */
extern const char *rig_class; /* its class; NULL: all */
extern unsigned rig_org;      /* whose records; 0: all */
extern uint64_t rig_from_height;
extern bool rig_breaks;       /* the next rig has a break, by C's doctor */
extern unsigned rig_break_id; /* BREAK unless it is changed */

void open_rig_with(struct state_rig *rig, const struct consent_of *consents, unsigned count);
void open_rig(struct state_rig *rig); /* without consents */
void close_rig(struct state_rig *rig);

/* A read for treatment; whether the key may see the entry; whether it may see the transaction,
 * whose receipt has these events. */
struct sy_read_request read_of(unsigned key, uint8_t state_kind, unsigned id);
bool may(const struct state_rig *rig, unsigned key, uint8_t state_kind, unsigned id);
bool may_tx(const struct state_rig *rig, unsigned reader, const struct sy_tx *tx,
            const struct sy_event *events, unsigned count);
/* A record of this patient was created. */
struct sy_event event_of(uint8_t subject_kind, unsigned subject);

#endif
