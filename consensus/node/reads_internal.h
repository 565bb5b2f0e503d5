/* reads_internal.h: what reads.c (files and queue) and reads_log.c (transactions) share. */
#ifndef SY_NODE_READS_INTERNAL_H
#define SY_NODE_READS_INTERNAL_H

#include "consensus/node/reads.h"
#include "core/base/table.h"
#include "core/crypto/keys.h"
#include "core/wire/tx.h"

#define READS_VOUCHES 16u
#define READS_LATELY 16384u
#define READS_FILE_BYTES_MAX (SY_LEAVES_HEAD_BYTES + SY_READS_LEAVES_MAX * SY_LEAF_ENTRY_BYTES)
#define READS_TX_BYTES_MAX 4096u

/* A sealed log. */
struct waiting {
    struct sy_hash id;
    bool sent; /* as a transaction with this nonce, good until that time */
    uint64_t nonce;
    int64_t until_ms;
    uint64_t again_ns; /* when it may be sent, or sent again */
};

/* The log that is being written. */
struct writing {
    int fd; /* -1: none */
    struct sy_hash id;
    uint32_t count;
    uint32_t patient_count;
    struct sy_hash patients[SY_LOG_PATIENTS_MAX];
    int64_t first_ms, last_ms;
    uint64_t opened_ns;
};

struct sy_reads {
    struct sy_reads_config config;
    char folder[SY_READS_PATH_MAX];
    sy_secret_key *key;
    struct sy_public_key public_key;
    struct sy_signature vouches[READS_VOUCHES]; /* for nonces from 1 on */
    struct writing open;
    struct waiting logs[SY_READS_LOGS_MAX]; /* oldest first */
    uint32_t count;
    bool enrolled; /* the key, as state showed it last */
    bool failing;  /* the disk did not take the last leaf */
    struct waiting enrolment;
    sy_arena arena;
    struct sy_table lately; /* what is no record: when it was noted, by whom and what for */
    uint64_t nonce;         /* the last one used */
    uint64_t look_ns;       /* when state is to be looked at */
    uint32_t kept_since_trim;
    struct sy_disclosed leaves[SY_READS_LEAVES_MAX]; /* of the log in hand */
    struct sy_hash hashes[SY_READS_LEAVES_MAX];
    uint8_t file[READS_FILE_BYTES_MAX];
    uint8_t txs[SY_READS_FLIGHT_MAX * (4 + READS_TX_BYTES_MAX)];
};

/* reads.c */
void sy_reads_path(const sy_reads *reads, char path[SY_READS_PATH_MAX], const struct sy_hash *id);
/* Reads a log's leaves into reads->leaves; *count of them are whole. */
sy_status sy_reads_load(sy_reads *reads, uint32_t *count, const struct sy_hash *id);
/* Replaces a log's file by reads->leaves. */
sy_status sy_reads_rewrite(sy_reads *reads, const struct sy_hash *id, uint32_t count);
/* Moves a settled log's leaves to kept/. */
sy_status sy_reads_keep(sy_reads *reads, const struct sy_hash *id);
void sy_reads_seal(sy_reads *reads, uint64_t now_ns);

/* reads_log.c */
/* Finds out from state whether the key may serve; makes another one when it may not. */
sy_status sy_reads_open_key(sy_reads *reads, struct sy_error *err);

#endif
