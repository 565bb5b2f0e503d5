/* share.h: what has to be proven before content leaves: which version of which record it is, whose
 * keys it is sealed to, and that they may read it.
 *
 *     content, salt --> proven record and version: is it what is registered?
 *     recipient     --> proven credential, organisation or patient: its X25519 key
 *                   --> core/ledger/may.h over proven state: may it read this?
 *     custodian     --> the organisation that keeps the record: its emergency key
 *
 * Whatever height is proven the asker expects from then on, so that the newest block, at whose time
 * rights are judged, is none from before it: of a liar's old block, a right that ended would stand.
 *
 * One thread at a time. */
#ifndef SY_CLIENT_SHARE_H
#define SY_CLIENT_SHARE_H

#include "core/client/may_read.h"
#include "core/wire/envelope.h"

enum sy_recipient_kind {
    SY_RECIPIENT_KEY = 1,
    SY_RECIPIENT_ORG,
    SY_RECIPIENT_PATIENT,
    SY_RECIPIENT_CUSTODIAN /* an organisation, not for what it may read: for emergencies */
};

struct sy_recipient {
    enum sy_recipient_kind kind;
    struct sy_hash id;           /* the key, or the organisation's or patient's id */
    struct sy_public_key who;    /* the key whose right is judged: an organisation's first admin's,
                                    a patient's own */
    struct sy_public_key x25519; /* as the ledger has it */
    struct sy_may_answer answer; /* filled by sy_share_judge */
    bool bound;                  /* the grant that decides commits to other wrapped keys */
};

/* Zero it, then set the borrowed members; sy_share_free frees the answers. Too large for a small
 * stack. */
struct sy_share {
    sy_asker *asker;          /* borrowed */
    const sy_secret_key *key; /* borrowed: signs the reads; has to see the patient's consents */
    int64_t max_age_ms;       /* of an answer */
    uint16_t purpose;         /* enum sy_purpose: what for recipients would read */
    bool whole;               /* older versions and a retracted record, too (an export) */
    struct sy_error *err;     /* borrowed: why a call failed */
    struct sy_may_reader reader;
    struct sy_proven record_proof, version_proof; /* the second for versions from 2 on */
    struct sy_client_block block;                 /* at whose time recipients are judged */
    /* what sy_share_find found */
    struct sy_hash record, subject, holder;
    bool about_patient; /* else a directory entry, which anybody may read */
    bool has_label;
    struct sy_tag label;
    char class_room[SY_CODE_BYTES_MAX];
    size_t class_size;
    uint32_t version;
    uint16_t form;
};

/* sy_share_find finds which version of the record has this content under this salt: *version in
 * and out, 0: whichever is current. SY_ERR_PERMISSION: the content is not that version's, or
 * another's, or the record was retracted; else as sy_asker_read. */
sy_status sy_share_find(struct sy_share *share, uint32_t *version, const struct sy_hash *record,
                        const struct sy_hash *salt, struct sy_slice content);

/* sy_share_check_record fails (SY_ERR_PERMISSION) when share->record is retracted or erased by now:
 * for who has an envelope of before. */
sy_status sy_share_check_record(struct sy_share *share);

/* sy_share_resolve finds what an id names, a key before an organisation before a patient, and its
 * X25519 key. SY_ERR_NOT_FOUND: nothing; SY_ERR_PERMISSION: it has no such key, or no key holds. */
sy_status sy_share_resolve(struct sy_share *share, struct sy_recipient *out,
                           const struct sy_hash *id);

/* sy_share_custodian is the organisation that keeps the record: its author's, or, of what a patient
 * registered, the one that enrolled the patient. */
sy_status sy_share_custodian(struct sy_share *share, struct sy_recipient *out);

/* sy_share_judge fills answer and bound of a recipient. time_ms: block time to judge at. */
sy_status sy_share_judge(struct sy_share *share, struct sy_recipient *recipient, int64_t time_ms);

/* sy_share_recipients asks for the newest block, resolves and judges what `count` ids name (at most
 * SY_SHARE_RECIPIENTS_MAX), and puts the custodian behind them. before_grant: they need not be
 * allowed to read yet. SY_ERR_PERMISSION: one may not, or its grant commits to other keys; err
 * names it. Else as sy_share_resolve. */
#define SY_SHARE_RECIPIENTS_MAX (SY_ENVELOPE_WRAPS_MAX - 1u)
sy_status sy_share_recipients(struct sy_share *share, struct sy_recipient *out,
                              const struct sy_hash *ids, unsigned count, bool before_grant);

/* What sy_share_seal made. */
struct sy_share_sealed {
    uint8_t *file; /* malloc'ed: the envelope */
    size_t size;
    struct sy_hash hashes[SY_ENVELOPE_WRAPS_MAX]; /* wrapped hashes, in the order of the keys */
};

/* sy_share_seal seals the version that sy_share_find found, with its proofs, to `count` X25519
 * keys (1 to SY_ENVELOPE_WRAPS_MAX). SY_ERR_CRYPTO: nothing can be sealed to keys[*bad];
 * SY_ERR_LIMIT: the content is too large. */
sy_status sy_share_seal(struct sy_share *share, struct sy_share_sealed *sealed, unsigned *bad,
                        const uint8_t network[16], const struct sy_public_key *keys, unsigned count,
                        const struct sy_hash *salt, struct sy_slice content);

void sy_share_free(struct sy_share *share);

#endif
