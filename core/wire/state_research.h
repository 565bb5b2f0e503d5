/* state_research.h: what the ledger's state holds of the research commons.
 *
 *   kind              id                                  value
 *   dataset           dataset id                          struct sy_dataset
 *   dataset version   pair(dataset, u32 number padded)    struct sy_dataset_version, from 1
 *   dataset root      record root                         32 id of the data set that has or had it
 *   query             query id                            struct sy_query
 *   query decision    pair(query, organisation)           struct sy_query_decision
 *   query result      query id                            struct sy_query_answer
 *   query asked       pair(dataset, predicate hash)       struct sy_query_asked, the newest
 *   research budget   pair(whose, u16 what padded)        struct sy_research_budget
 *   contribution      patient id                          struct sy_contribution; absent: nothing
 *                                                         was said
 *   optouts           zero                                struct sy_optouts; absent: none ever
 *
 * Versions and results are never written again, nor decisions about a query that was answered. What
 * an answer rests on follows from entries alone: the result and the query (which data sets, which
 * version of each), these versions (the root of the record versions, and the block whose state has
 * them), and the decisions of each data set's custodians and ethics board. No entry says who is in
 * a data set: a contribution is about research as such, and its value does not name the patient.
 * Encodings as in state.h. */
#ifndef SY_WIRE_STATE_RESEARCH_H
#define SY_WIRE_STATE_RESEARCH_H

#include "core/wire/state.h"

/* sy_research_key_of is sy_state_key_of for what stands here. */
bool sy_research_key_of(struct sy_hash *out, unsigned kind, const struct sy_hash *id,
                        const struct sy_hash *second);

void sy_research_key_version(struct sy_hash *out, const struct sy_hash *dataset, uint32_t number);

/*   32 ethics | u8 needed | u8 flags (1 withdrawn) | u32 version | u64 height | i64 time
 *   | [u16 reason | u64 height | i64 time withdrawn] | list custodians */
struct sy_dataset {
    struct sy_hash ethics; /* the organisation whose ethics board approves queries */
    uint8_t needed;        /* custodians that approve a query and sign its result */
    bool withdrawn;
    uint32_t version; /* the newest */
    uint64_t height;  /* when it was published */
    int64_t time_ms;
    uint16_t reason; /* enum sy_dataset_withdrawal */
    uint64_t withdrawn_height;
    int64_t withdrawn_ms;
    struct sy_list custodians; /* borrowed ids, 1 to SY_DATASET_CUSTODIANS_MAX */
};
void sy_dataset_encode(struct sy_writer *w, const struct sy_dataset *dataset);
bool sy_dataset_decode(struct sy_dataset *dataset, struct sy_slice bytes);

/*   32 schema commit | 32 counts root | 32 record root | u64 as of | u16 basis
 *   | u8 flags (1 genetic, 2 wearable, 4 beacon, which is genetic) | u32 devices | u32 ages
 *   | u16 people | [32 beacon root] | 32 custodian's key | 32 ethics board's key | u64 height
 *   | i64 time | list codes | list phenotypes */
struct sy_dataset_version {
    struct sy_hash schema_commit, counts_root;
    struct sy_hash record_root; /* of the record versions that it was made of ... */
    uint64_t as_of;             /* ... as the state of this height has them */
    uint16_t basis;             /* enum sy_dataset_basis */
    bool genetic, wearable, has_beacon;
    uint32_t devices; /* SET of enum sy_device_class */
    uint32_t ages;    /* SET of enum sy_age_band */
    uint16_t people;  /* enum sy_count_bucket */
    struct sy_hash beacon_root;
    struct sy_public_key custodian_key, ethics_key;
    uint64_t height;
    int64_t time_ms;
    struct sy_list codes, phenotypes; /* borrowed texts */
};
void sy_dataset_version_encode(struct sy_writer *w, const struct sy_dataset_version *version);
bool sy_dataset_version_decode(struct sy_dataset_version *version, struct sy_slice bytes);

/* A data set as a query asks it, and who has approved so far.
 *
 *   32 id | u32 version | u8 approvals | u8 ethics board approved */
struct sy_query_dataset {
    struct sy_hash id;
    uint32_t version;  /* the newest when it was proposed */
    uint8_t approvals; /* of custodians */
    bool ethics;
};

/* What is asked for; everything in it counts for whether two queries are the same.
 *
 *   u16 rows | u16 columns | u32 devices | u32 ages | list codes | list phenotypes
 *   | list variants */
struct sy_predicate {
    uint16_t rows, columns; /* enum sy_query_axis; rows below columns, or both one for all */
    uint32_t devices, ages; /* SETs; 0: any */
    struct sy_list codes, phenotypes, variants; /* borrowed texts, ascending */
};
/* sy_predicate_hash: SHA-256(0x00 || its encoding). */
void sy_predicate_hash(struct sy_hash *out, const struct sy_predicate *predicate);

/*   32 researcher | 32 organisation | u16 status | u16 purpose | 32 ethics ref | u16 budget
 *   | u64 height | i64 time | u64 height approved, 0: not | u64 opt-outs then
 *   | u64 height denied or answered, 0: not | u8 data sets, each as above | predicate */
struct sy_query {
    struct sy_hash researcher; /* first key of the line */
    struct sy_hash organisation;
    uint16_t status;  /* enum sy_query_status */
    uint16_t purpose; /* enum sy_query_purpose */
    struct sy_hash ethics_ref;
    uint16_t budget; /* cells */
    uint64_t height; /* when it was proposed */
    int64_t time_ms;
    uint64_t approved_height; /* the last approval that it took */
    uint64_t optouts;         /* that there were then: an answer knows of these at least */
    uint64_t ended_height;
    uint8_t dataset_count;
    struct sy_query_dataset datasets[SY_QUERY_DATASETS_MAX];
    struct sy_predicate predicate;
};
void sy_query_encode(struct sy_writer *w, const struct sy_query *query);
bool sy_query_decode(struct sy_query *query, struct sy_slice bytes);

/* What one organisation said to a query, for good.
 *
 *   32 key | u16 reason, 0: it approves | u64 height | i64 time */
struct sy_query_decision {
    struct sy_public_key key;
    uint16_t reason; /* enum sy_query_denial; 0: it approves */
    uint64_t height;
    int64_t time_ms;
};
void sy_query_decision_encode(struct sy_writer *w, const struct sy_query_decision *decision);
bool sy_query_decision_decode(struct sy_query_decision *decision, struct sy_slice bytes);

#define SY_QUERY_HIDDEN UINT32_MAX /* of a cell or a total that is not told */

/*   u16 k | u64 opt-outs | u64 height | i64 time | u8 flags (1 total) | [u32 total]
 *   | list rows | list columns | bytes16 cells | bytes16 row totals | bytes16 column totals
 *   | u8 custodians who signed, 32 key each */
struct sy_query_answer {
    uint16_t k;
    uint64_t optouts; /* that it knows of: all that there were */
    uint64_t height;
    int64_t time_ms;
    bool has_total;
    uint32_t total;
    struct sy_list rows, columns;              /* borrowed texts: names */
    struct sy_slice cells;                     /* borrowed: u32 each, row by row */
    struct sy_slice row_totals, column_totals; /* borrowed: u32 each, or empty */
    uint8_t key_count;
    struct sy_public_key keys[SY_TX_SIGNERS_MAX];
};
void sy_query_answer_encode(struct sy_writer *w, const struct sy_query_answer *result);
bool sy_query_answer_decode(struct sy_query_answer *result, struct sy_slice bytes);

/*   u64 epoch | 32 query */
struct sy_query_asked {
    uint64_t epoch;
    struct sy_hash query; /* the one that was approved in it */
};
void sy_query_asked_encode(struct sy_writer *w, const struct sy_query_asked *asked);
bool sy_query_asked_decode(struct sy_query_asked *asked, struct sy_slice bytes);

/* Whose cells a budget counts. */
enum sy_budget_of {
    SY_BUDGET_RESEARCHER = 1,   /* first key of a line */
    SY_BUDGET_ORGANISATION = 2, /* a researcher's */
    SY_BUDGET_DATASET = 3,
    SY_BUDGET_CUSTODIAN = 4 /* an organisation: of all its data sets */
};
void sy_research_key_budget(struct sy_hash *out, const struct sy_hash *whose,
                            enum sy_budget_of what);

/* What was charged in the epoch in which it was charged last; epoch n begins research_days times
 * n days after 1970.
 *
 *   u64 epoch | u64 cells */
struct sy_research_budget {
    uint64_t epoch;
    uint64_t cells;
};
void sy_research_budget_encode(struct sy_writer *w, const struct sy_research_budget *budget);
bool sy_research_budget_decode(struct sy_research_budget *budget, struct sy_slice bytes);

/* What a patient said last. In: classes (none: all) may be counted, genetic data only if so said,
 * and no others. Out: classes (none: all) may not, nor genetic data if so said.
 *
 *   u8 flags (1 in, 2 genetic) | u32 times said | u64 height | i64 time | list classes */
struct sy_contribution {
    bool in, genetic;
    uint32_t times; /* from 1 */
    uint64_t height;
    int64_t time_ms;
    struct sy_list classes; /* borrowed texts */
};
void sy_contribution_encode(struct sy_writer *w, const struct sy_contribution *contribution);
bool sy_contribution_decode(struct sy_contribution *contribution, struct sy_slice bytes);

/*   u64 count, from 1 | u64 height | i64 time of the newest */
struct sy_optouts {
    uint64_t count; /* ever */
    uint64_t height;
    int64_t time_ms;
};
void sy_optouts_encode(struct sy_writer *w, const struct sy_optouts *optouts);
bool sy_optouts_decode(struct sy_optouts *optouts, struct sy_slice bytes);

#endif
