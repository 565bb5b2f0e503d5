/* record_check.h: content against the ledger: the commitment is made again and compared with a
 * proven state entry. One thread at a time. */
#ifndef SY_CLIENT_RECORD_CHECK_H
#define SY_CLIENT_RECORD_CHECK_H

#include "core/client/asker.h"
#include "core/client/client_store.h"
#include "core/wire/state.h"

enum sy_record_result {
    SY_RECORD_REGISTERED, /* the bytes of the (or a) current version */
    SY_RECORD_OLDER,      /* of an earlier version */
    SY_RECORD_ALTERED,    /* of no version, though the record is known */
    SY_RECORD_UNKNOWN,    /* no such record, or no such version yet, on the ledger */
    SY_RECORD_ERASED,     /* its content was erased: whether these bytes were it nobody can say */
    SY_RECORD_VERDICTS
};

struct sy_record_verdict {
    enum sy_record_result verdict;
    bool record_known; /* record_id is filled */
    bool retracted;
    bool pending; /* UNKNOWN: the client signed it, but it is not on the ledger (yet) */
    struct sy_hash record_id;
    uint32_t version; /* that has the bytes; 0: none */
    uint32_t head;    /* the newest one; 0: unknown */
    uint64_t height;  /* of the block that proves it; 0: nothing was read */
    bool registered;  /* REGISTERED, OLDER, ALTERED: who registered the version, or the newest */
    struct sy_record_version entry;
    uint64_t erased_height; /* ERASED */
    int64_t erased_ms;
    uint16_t erase_basis;
};

struct sy_record_checker {
    sy_asker *asker;          /* borrowed, as is everything but the last two */
    sy_client_store *store;   /* NULL: only sy_record_check_content */
    const sy_secret_key *key; /* signs reads; NULL: the gateway's of the record's organisation */
    const char *keys_folder;  /* the client's folder, whose keys/ has it */
    int64_t max_age_ms;
    struct sy_proven answer;
    struct {
        struct sy_hash organisation;
        sy_secret_key *key;
    } gateway; /* the one opened last */
};

/* sy_record_check_known judges bytes by the client's store: label is the resource's. Fails when the
 * network or the store cannot say, never because of the bytes. */
sy_status sy_record_check_known(struct sy_record_checker *checker,
                                struct sy_record_verdict *verdict, const struct sy_hash *label,
                                struct sy_slice bytes, struct sy_error *err);

/* sy_record_check_content judges bytes by a record's id and the salt of their version. */
sy_status sy_record_check_content(struct sy_record_checker *checker,
                                  struct sy_record_verdict *verdict, const struct sy_hash *record,
                                  const struct sy_hash *salt, struct sy_slice bytes,
                                  struct sy_error *err);

/* sy_record_checker_close frees what the checker holds of its own. */
void sy_record_checker_close(struct sy_record_checker *checker);

/* "registered", "older" ... and the whole sentence. */
#define SY_RECORD_SENTENCE_BYTES 400
const char *sy_record_verdict_name(enum sy_record_result verdict);
void sy_record_verdict_words(char *out, size_t size, const struct sy_record_verdict *verdict);

#endif
