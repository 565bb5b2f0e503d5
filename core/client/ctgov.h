/* ctgov.h: studies of ClinicalTrials.gov, of its first interface (FullStudiesResponse) or its
 * second (protocolSection), as what registers a trial and posts its
 * result.
 *
 * What the ledger is told of a study: salted commitments to its protocol section and to each
 * primary outcome, how many arms, how many subjects, when it is to be completed. Whom or what it is
 * about is never told. Commitments are to JSON with sorted keys and no white space, as jansson
 * writes it (JSON_SORT_KEYS | JSON_COMPACT), form 0 of sy_content_commit.
 *
 * Salts come from one secret, so that the same study gives the same commitments: an endpoint that
 * is said again in an amendment or a result is the same one, byte by byte. */
#ifndef SY_CLIENT_CTGOV_H
#define SY_CLIENT_CTGOV_H

#include "core/base/bytes.h"
#include "core/base/status.h"
#include "core/wire/limits.h"

#define SY_CTGOV_INPUT_BYTES_MAX (64u << 20)
#define SY_CTGOV_TABLES_MAX 10000u
#define SY_CTGOV_NCT_BYTES 12 /* "NCT00000000" */

/* One study. Texts are borrowed and good within the call that tells it. */
struct sy_ctgov_study {
    char nct[SY_CTGOV_NCT_BYTES];
    uint8_t version;       /* of the interface: 1 or 2 */
    uint32_t target;       /* subjects, from 1 */
    uint8_t arms;          /* from 1 */
    int64_t completion_ms; /* day (UTC) of the primary completion; of a month its last */
    bool has_results;
    const char *protocol;
    uint8_t endpoint_count; /* from 1 */
    const char *endpoints[SY_TRIAL_ENDPOINTS_MAX];
    /* What it found. result_fault: why that cannot be posted; NULL: it can, and the rest is set. */
    const char *result_fault;
    const char *effect; /* the primary outcome measures, a list */
    uint32_t table_count;
    const char *const *tables; /* every outcome measure */
    uint8_t result_endpoint_count;
    const char *result_endpoints[SY_TRIAL_ENDPOINTS_MAX]; /* the primary outcome that has a primary
                                                             measure's title, else the title */
};

/* Told each study in order, or, why being set, what is refused of it: name, path and reason. */
typedef void sy_ctgov_take(void *self, const struct sy_ctgov_study *study,
                           const struct sy_error *why);

/* sy_ctgov_read tells each study of an input: one of either interface, a list of them, or an answer
 * that holds some. SY_ERR_FORMAT names what is no JSON, or holds no study. Any thread. */
sy_status sy_ctgov_read(struct sy_slice text, const char *name, sy_ctgov_take *take, void *self,
                        struct sy_error *err);

/* sy_ctgov_salt is the salt of one text of a study: HMAC-SHA-256 of the secret over
 * "systole-trial-v1", the study's number, what it is ("endpoint") and the text, zero bytes between.
 */
sy_status sy_ctgov_salt(struct sy_hash *salt, const struct sy_hash *secret, const char *nct,
                        const char *what, struct sy_slice text, struct sy_error *err);

#endif
