/* state_trial.h: what the ledger's state holds of clinical trials.
 *
 *   kind            id                                       value
 *   trial           trial id                                 struct sy_trial
 *   trial version   pair(trial, u32 number padded)           struct sy_trial_version, from 1
 *   trial site      pair(trial, organisation)                struct sy_trial_site; absent: not
 *                                                            active
 *   trial subject   pair(trial, subject id)                  struct sy_trial_subject
 *   trial key       a subject's key                          struct sy_trial_key: whose it is
 *   trial place     pair(trial, u32 number padded)           32 subject id, from 1
 *   trial beacon    pair(trial, u32 number padded)           struct sy_trial_lot, of that place
 *   trial data      pair(trial, u64 number padded)           struct sy_trial_data, from 1
 *   trial report    pair(trial, u64 number padded)           struct sy_trial_report, from 1
 *   trial draw      trial id                                 struct sy_trial_draw
 *   trial lock      trial id                                 struct sy_trial_lock
 *   trial result    trial id                                 struct sy_trial_result
 *
 * Versions, places, beacons, data and reports are never written again, so those that the newest
 * trial counts prove what stood at any time before. No entry has a patient's id: a subject is a
 * random id, and whose it is only its site knows. Encodings as in state.h. */
#ifndef SY_WIRE_STATE_TRIAL_H
#define SY_WIRE_STATE_TRIAL_H

#include "core/wire/state.h"

/* sy_trial_key_of is sy_state_key_of for what stands here. */
bool sy_trial_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                     const struct sy_hash *second);

/* What stands under numbers: little-endian, zero padded. */
void sy_trial_key_number(struct sy_hash *out, enum sy_state_kind kind, const struct sy_hash *trial,
                         uint64_t number);

/*   32 sponsor | 32 ethics | u8 flags (1 drawn, 2 locked, 4 unblinded, 8 revealed, 16 posted,
 *   32 endpoints were amended after the first enrolment) | u32 version | u32 form version
 *   | 32 form commit | u32 target | bytes16 shares | u32 sites | u32 subjects | u32 enrolled
 *   | u32 withdrawn | u32 first version, u64 height, i64 time of the first enrolment; 0: none
 *   | u64 data | 32 data root | u64 reports | u64 serious | u64 late | u64 height locked, 0: not
 *   | u64 height | i64 time */
struct sy_trial {
    struct sy_hash sponsor; /* organisation */
    struct sy_hash ethics;  /* the organisation whose ethics board approved it */
    bool drawn;             /* a seed was committed to, and salted */
    bool locked;
    bool unblinded; /* as a whole */
    bool revealed;  /* the seed */
    bool posted;    /* the result */
    bool endpoints_amended;
    uint32_t version;      /* the newest */
    uint32_t form_version; /* of the consent form */
    struct sy_hash form_commit;
    uint32_t target;
    uint8_t arm_count;
    uint8_t shares[SY_TRIAL_ARMS_MAX];
    uint32_t sites; /* active ones */
    uint32_t subjects, enrolled, withdrawn;
    uint32_t first_version; /* of the trial, at the first enrolment */
    uint64_t first_height;
    int64_t first_ms;
    uint64_t commits;         /* of data */
    struct sy_hash data_root; /* of all of them, see sy_trial_data_add */
    uint64_t reports, serious, late;
    uint64_t locked_height;
    uint64_t height; /* when it was registered */
    int64_t time_ms;
};
void sy_trial_encode(struct sy_writer *w, const struct sy_trial *trial);
bool sy_trial_decode(struct sy_trial *trial, struct sy_slice bytes);

/*   32 protocol commit | 32 sap commit | 32 form commit | u32 form version | u32 target
 *   | i64 completion | u8 flags (1 amends, 2 other endpoints, 4 after the first enrolment)
 *   | [32 changes commit | u16 reason] | 32 sponsor's key | 32 ethics board's key | u64 height
 *   | i64 time | list endpoints | list sites: u16 count, 32 each */
struct sy_trial_version {
    struct sy_hash protocol_commit, sap_commit, form_commit;
    uint32_t form_version;
    uint32_t target;
    int64_t completion_ms;
    bool amends;          /* it is not the first */
    bool other_endpoints; /* than the version before */
    bool after_first;     /* somebody was enrolled by then */
    struct sy_hash changes_commit;
    uint16_t reason; /* enum sy_trial_reason */
    struct sy_public_key sponsor_key, ethics_key;
    uint64_t height;
    int64_t time_ms;
    struct sy_list endpoints; /* borrowed ids */
    struct sy_list sites;     /* borrowed ids */
};
void sy_trial_version_encode(struct sy_writer *w, const struct sy_trial_version *version);
bool sy_trial_version_decode(struct sy_trial_version *version, struct sy_slice bytes);

/*   32 investigator's key | u32 subjects | u32 enrolled | u32 withdrawn | u64 height | i64 time */
struct sy_trial_site {
    struct sy_public_key investigator; /* who signed that it is active */
    uint32_t subjects, enrolled, withdrawn;
    uint64_t height;
    int64_t time_ms;
};
void sy_trial_site_encode(struct sy_writer *w, const struct sy_trial_site *site);
bool sy_trial_site_decode(struct sy_trial_site *site, struct sy_slice bytes);

/*   32 site | 32 consent key | u16 by | u32 form version | u16 status | u32 place, 0: none
 *   | u64 height | i64 time of the consent | u64 height enrolled, 0: not | u64 height renewed, 0:
 * not | u8 flags (1 unblinded, 2 by the subject) | [u16 reason | u64 height withdrawn] | [u16
 * reason | 32 key | u64 height | i64 time unblinded] */
struct sy_trial_subject {
    struct sy_hash site;
    struct sy_public_key consent_key; /* made for this trial alone */
    uint16_t by;                      /* enum sy_trial_consenter */
    uint32_t form_version;            /* of the newest consent */
    uint16_t status;                  /* enum sy_trial_status */
    uint32_t place;
    uint64_t height; /* of the consent that they were enrolled by; before that, of the newest */
    int64_t time_ms;
    uint64_t enrolled_height;
    uint64_t renewed_height; /* of the newest consent since; 0: none */
    bool unblinded;          /* in an emergency */
    bool withdrew;           /* with their own key, and not by the site's word */
    uint16_t reason;         /* of who is withdrawn, enum sy_trial_withdrawal */
    uint64_t ended_height;   /* likewise */
    uint16_t unblinded_for;  /* enum sy_trial_emergency */
    struct sy_public_key unblinded_by;
    uint64_t unblinded_height;
    int64_t unblinded_ms;
};
void sy_trial_subject_encode(struct sy_writer *w, const struct sy_trial_subject *subject);
bool sy_trial_subject_decode(struct sy_trial_subject *subject, struct sy_slice bytes);

/* Whose a key is that consented, in which trial, for good: 32 trial | 32 subject. */
struct sy_trial_key {
    struct sy_hash trial, subject;
};
void sy_trial_key_encode(struct sy_writer *w, const struct sy_trial_key *key);
bool sy_trial_key_decode(struct sy_trial_key *key, struct sy_slice bytes);

/*   32 site | 32 key | u16 visit | u16 form | u32 rows | 32 root | u64 height | i64 time */
struct sy_trial_data {
    struct sy_hash site;
    struct sy_public_key key;
    uint16_t visit, form;
    uint32_t rows;
    struct sy_hash root;
    uint64_t height;
    int64_t time_ms;
};
void sy_trial_data_encode(struct sy_writer *w, const struct sy_trial_data *data);
bool sy_trial_data_decode(struct sy_trial_data *data, struct sy_slice bytes);
/* sy_trial_data_add: the root of all data commits with one more, whose value this is:
 * SHA-256(0x04 || root before || SHA-256(0x00 || value)); none: zeros. */
void sy_trial_data_add(struct sy_hash *root, struct sy_slice value);

/*   32 subject | 32 site | 32 key | u8 grade | u8 flags (1 serious, 2 late, which is serious)
 *   | u16 related | i64 aware | u64 height | i64 time */
struct sy_trial_report {
    struct sy_hash subject;
    struct sy_hash site;
    struct sy_public_key key;
    uint8_t grade;
    bool serious;
    bool late;        /* told more than a day after the site knew */
    uint16_t related; /* enum sy_trial_related */
    int64_t aware_ms;
    uint64_t height;
    int64_t time_ms;
};
void sy_trial_report_encode(struct sy_writer *w, const struct sy_trial_report *report);
bool sy_trial_report_decode(struct sy_trial_report *report, struct sy_slice bytes);

/*   32 commit | u16 reveal days | u64 height | u8 flags (1 salted, 2 revealed, which is salted,
 *   4 late, which is revealed) | [32 salt | u64 height salted]
 *   | [32 seed | u64 height | i64 time revealed] */
struct sy_trial_draw {
    struct sy_hash commit; /* sy_trial_seed_commit */
    uint16_t reveal_days;
    uint64_t height;
    bool salted;
    bool revealed;
    bool late; /* revealed more than so many days after the lock */
    struct sy_hash salt;
    uint64_t salted_height;
    struct sy_hash seed;
    uint64_t revealed_height;
    int64_t revealed_ms;
};
void sy_trial_draw_encode(struct sy_writer *w, const struct sy_trial_draw *draw);
bool sy_trial_draw_decode(struct sy_trial_draw *draw, struct sy_slice bytes);

/* sy_trial_seed_commit: SHA-256(0x04 || trial || seed). */
void sy_trial_seed_commit(struct sy_hash *out, const struct sy_hash *trial,
                          const struct sy_hash *seed);
/* What a place is drawn with beside seed and salt: 32 beacon | u64 height enrolled. Whose the place
 * is stands elsewhere, so that everybody may read this. */
struct sy_trial_lot {
    struct sy_hash beacon;
    uint64_t height;
};
void sy_trial_lot_encode(struct sy_writer *w, const struct sy_trial_lot *lot);
bool sy_trial_lot_decode(struct sy_trial_lot *lot, struct sy_slice bytes);
/* sy_trial_beacon is a block's, from the hash of the header before it and its own time:
 * SHA-256(0x04 || previous || i64 time padded). */
void sy_trial_beacon(struct sy_hash *out, const struct sy_hash *previous, int64_t time_ms);

/* sy_trial_arm is the arm of a place, from 0: the first 8 bytes, little-endian, of SHA-256(0x04 ||
 * SHA-256(0x04 || SHA-256(0x04 || seed || salt) || u32 place padded) || beacon), modulo the sum of
 * the shares, counted through the arms. A trial that decoded, or was judged, has an arm. */
unsigned sy_trial_arm(const struct sy_trial *trial, const struct sy_trial_draw *draw,
                      uint32_t place, const struct sy_hash *beacon);

/* Two persons, and as what each signed. */
struct sy_trial_signers {
    struct sy_public_key keys[2];
    uint16_t meanings[2]; /* enum sy_trial_meaning */
};

/*   u64 commits | 32 data root | 32 root | u32 enrolled | 2 of: 32 key | u16 meaning
 *   | i64 reveal due | u64 height | i64 time | u64 height | i64 time unblinded; 0: not */
struct sy_trial_lock {
    uint64_t commits;
    struct sy_hash data_root; /* of all data commits, as the ledger has them */
    struct sy_hash root;      /* of the database, as the sponsor says */
    uint32_t enrolled;
    struct sy_trial_signers signers;
    int64_t reveal_due_ms; /* until when the seed is to be revealed; 0: none was committed to */
    uint64_t height;
    int64_t time_ms;
    uint64_t unblinded_height;
    int64_t unblinded_ms;
};
void sy_trial_lock_encode(struct sy_writer *w, const struct sy_trial_lock *lock);
bool sy_trial_lock_decode(struct sy_trial_lock *lock, struct sy_slice bytes);

/*   32 effect commit | 32 tables root | u8 flags (1 switched, 2 late) | u32 registered version
 *   | 2 of: 32 key | u16 meaning | u64 height | i64 time | list endpoints */
struct sy_trial_result {
    struct sy_hash effect_commit, tables_root;
    bool switched;               /* the endpoints are not those of registered_version */
    bool late;                   /* more than a year after the completion that was said last */
    uint32_t registered_version; /* at the first enrolment; nobody was enrolled: the newest */
    struct sy_trial_signers signers;
    uint64_t height;
    int64_t time_ms;
    struct sy_list endpoints; /* borrowed ids */
};
void sy_trial_result_encode(struct sy_writer *w, const struct sy_trial_result *result);
bool sy_trial_result_decode(struct sy_trial_result *result, struct sy_slice bytes);

/* sy_trial_list_has: one of the ids is this one. sy_trial_lists_same: the same set, as no id stands
 * twice in either. */
bool sy_trial_list_has(const struct sy_list *list, const struct sy_hash *id);
bool sy_trial_lists_same(const struct sy_list *a, const struct sy_list *b);

#endif
