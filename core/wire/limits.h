/* limits.h: every bound on what travels or is stored, in one place, related by assertions.
 *
 * Limits that admission checks are consensus-critical: all validators must agree on them, so they
 * are constants of the protocol version and not configuration. */
#ifndef SY_WIRE_LIMITS_H
#define SY_WIRE_LIMITS_H

#include <stdint.h>

#define SY_PROTOCOL_VERSION 1
#define SY_TX_VERSION 1

/* Frames and batches. */
#define SY_FRAME_BYTES_MAX (1u << 20)                  /* one message on a link, payload in clear */
#define SY_BATCH_BYTES_MAX (SY_FRAME_BYTES_MAX - 4096) /* batch, header and signature included */
#define SY_BATCH_TXS_MAX 4096u
#define SY_BATCH_WINDOW 64u /* next <= seq < next + window, a maker */

/* Transactions. */
#define SY_TX_COSIGNERS_MAX 16u /* signers besides the first */
#define SY_TX_SIGNERS_MAX (1u + SY_TX_COSIGNERS_MAX)
#define SY_TX_BYTES_MAX (512u << 10) /* body and signatures */
#define SY_TX_PAYLOAD_SIGS_MAX 128u  /* {key, signature} pairs inside the payload */
#define SY_ATOMIC_PAYLOADS_MAX 4096u
#define SY_TX_LIFETIME_MS_MAX (24ll * 3600 * 1000) /* valid_until at most this far ahead */
#define SY_NONCE_WINDOW 4096u
#define SY_TIME_MS_MAX 253402300799999ll /* 9999-12-31T23:59:59.999Z: sums cannot wrap */
#define SY_TEXT_BYTES_MAX 256u
#define SY_CODE_BYTES_MAX 32u
#define SY_LIST_ITEMS_MAX 128u
#define SY_RECORD_BYTES_MAX (1ull << 40) /* size a record's commitment may state */
#define SY_CREDENTIAL_YEARS_MAX 5
#define SY_CONSENT_ITEMS_MAX 16u   /* classes, labels that one names */
#define SY_CONSENTS_LIVE_MAX 64u   /* not revoked, of one patient */
#define SY_CONSENTS_PASSED_MAX 48u /* from so many live ones on none is passed on */
#define SY_CONSENT_MS_MAX (10ll * 366 * 24 * 3600 * 1000) /* a grant ends at most so far ahead */
#define SY_BREAK_MS_MAX (4ll * 3600 * 1000)   /* an emergency access ends at most so far ahead */
#define SY_REVIEW_MS_MAX (72ll * 3600 * 1000) /* and holds up the next if not reviewed by then */
#define SY_BREAKS_OPEN_MAX 16u                /* of one key, not reviewed */
#define SY_MERGES_MAX 8u /* ids of patients that lead to the one in use, one after the other */
#define SY_LINKS_MAX 8u  /* of one patient's id */
#define SY_LOG_PATIENTS_MAX 32u     /* in one access.log */
#define SY_LOG_SPAN_MS_MAX 86400000 /* from its first disclosure to its last */
#define SY_LOG_AGE_MS_MAX 604800000 /* from its last one to block time */
#define SY_SIGNER_MS_MIN 86400000   /* from a validator's signing key to its next one */
#define SY_REQUEST_MS_MIN 86400000  /* between two requests of one organisation to a patient */
#define SY_EXPORT_MS_MAX (90ll * 24 * 3600 * 1000) /* an export is due at most so far ahead */
#define SY_EXPORT_EXCEPTIONS_MAX 32u               /* in one part of export.fulfil */
#define SY_SERIAL_BYTES_MAX 20u       /* of a serial number, of a lot: GS1 AI 21, AI 10 */
#define SY_SHIPMENT_ITEMS_MAX 32u     /* units and outermost containers in one custody.ship */
#define SY_CONTAINER_LOTS_MAX 32u     /* of different lots in one container, at any depth */
#define SY_CONTAINER_LEVELS_MAX 4u    /* containers around a unit */
#define SY_RECALL_LOTS_MAX 8u         /* in one recall */
#define SY_CORRECTIVE_MAX 8u          /* events that one event.correct names instead */
#define SY_REINSTATE_MS_MAX 864000000 /* from a unit's end until it may have been an error */
#define SY_RECALL_TOLD_MAX 512u       /* by one transaction; recall.notify tells the next */
#define SY_KELVIN_MAX 100000u         /* hundredths of a kelvin: a temperature */
#define SY_COND_INTERVAL_S_MAX 3600u  /* between two readings of a temperature */
#define SY_COND_READINGS_MAX 100000u  /* in one cond.commit */
#define SY_RX_REFILLS_MAX 24u
#define SY_TRIAL_ARMS_MAX 8u
#define SY_TRIAL_ENDPOINTS_MAX 8u          /* primary ones, of one version */
#define SY_TRIAL_SITES_MAX 32u             /* of one trial */
#define SY_TRIAL_SUBJECTS_MAX 100000u      /* enrolled in one trial */
#define SY_TRIAL_SITE_CONSENTS_MAX 200000u /* subjects of one site, enrolled or not */
#define SY_TRIAL_ROWS_MAX 1000000u         /* in one data.commit */
#define SY_TRIAL_REVEAL_DAYS_MAX 366u
#define SY_TRIAL_SERIOUS_MS_MAX 86400000 /* a serious event is told within so long */
#define SY_TRIAL_RESULT_MS_MAX (366ll * 24 * 3600 * 1000) /* results are due so long after */
#define SY_DATASET_CODES_MAX 32u     /* of one data set, and as many phenotypes */
#define SY_DATASET_CUSTODIANS_MAX 4u /* of one data set */
#define SY_QUERY_DATASETS_MAX 4u
#define SY_QUERY_TERMS_MAX 4u   /* a query's terms and the axes of its table, together */
#define SY_QUERY_CELLS_MAX 128u /* in one table */
#define SY_QUERY_SIDE_MAX 16u   /* rows of a table, columns of it */
#define SY_QUERY_MS_MAX \
    (90ll * 24 * 3600 * 1000) /* a query is decided and answered within so long */
#define SY_RESEARCH_K_MIN 11u /* people, that a cell stands for */
#define SY_RESEARCH_K_MAX 100u
#define SY_RESEARCH_CELLS_DEFAULT 256u /* of a researcher in an epoch */
#define SY_RESEARCH_CELLS_MAX 1000000u
#define SY_RESEARCH_ORG_FACTOR 4u      /* a researcher's organisation may ask so much more */
#define SY_DATASET_CELLS_DEFAULT 4096u /* of a data set in an epoch */
#define SY_DATASET_CUSTODIAN_FACTOR 4u /* a custodian's data sets answer so much more */
#define SY_RESEARCH_DAYS_DEFAULT 30u   /* in an epoch */
#define SY_RESEARCH_DAYS_MAX 366u
#define SY_OPTIN_MS_MIN 86400000                        /* from what a patient said before */
#define SY_STREAM_RATE_MAX 3600000u                     /* samples an hour: 1 kHz */
#define SY_STREAM_SAMPLES_MAX 100000u                   /* in one stream.commit */
#define SY_STREAM_SPAN_MS_MAX (31ll * 24 * 3600 * 1000) /* of one stream.commit */
#define SY_STREAM_TOLERANCE_S_MAX (31u * 24 * 3600)     /* between windows, that is no gap */
#define SY_STREAM_SKEW_MS 300000                        /* between a window's end and block time */
#define SY_STREAM_CARE_TEAM_MAX 7u                    /* told of one alert: its share of a block */
#define SY_STREAM_LATE_MS 120000                      /* the least, of a window with backfill */
#define SY_STREAM_ALERT_MS 60000                      /* from one alert to the next */
#define SY_STREAM_KEYS_MAX 64u                        /* of a device, since it committed last */
#define SY_FIRMWARE_MS_MAX (366ll * 24 * 3600 * 1000) /* that an attestation counts */
#define SY_CERT_INDEX_MAX 9999999999999999ull         /* 16 digits in a revocation list */

/* Money: so that 9,000 of the largest amounts are summed within an int64. */
#define SY_MONEY_MAX 1000000000000000ull
#define SY_BASIS_POINTS 10000u
#define SY_COVERAGE_ORDERS 9u
#define SY_COVERAGES_MAX 32u    /* of one patient and order, for which claims may come */
#define SY_FILING_DAYS_MAX 3650 /* after the last day of service */
#define SY_CLAIM_LINES_MAX 50u
#define SY_CLAIM_DIAGNOSES_MAX 12u
#define SY_CLAIM_SPAN_MS_MAX (366ll * 24 * 3600 * 1000)
#define SY_PAYEES_MAX 16u
#define SY_SETTLE_PAYEES_MAX 64u                 /* in one settle.batch */
#define SY_BALANCE_MAX (INT64_MAX / 2)           /* of a sum of payments, to either side */
#define SY_HOLD_MS_MAX (60ll * 24 * 3600 * 1000) /* by an appeal or dispute */
#define SY_AUTH_CODES_MAX 16u                    /* of one authorisation */
#define SY_AUTH_CODE_BYTES_MAX 19u
#define SY_ROW_BYTES_MAX 112u

#define SY_RECORD_HEADS_MAX 8u
#define SY_RECORD_PARENTS_MAX 8u
#define SY_COSIGNATURES_MAX 16u /* of one version */
/* How long a record about a patient is kept after its newest version, whatever the patient wants:
 * what is billed by (SY_CLASS...BILLING of contracts/record_erase.c), and all else. */
#define SY_RETENTION_BILLING_MS (6ll * 366 * 24 * 3600 * 1000)
#define SY_RETENTION_MS (10ll * 366 * 24 * 3600 * 1000)

/* Blocks. */
#define SY_PROPOSAL_ENTRIES_MAX 64u
#define SY_PROPOSAL_TXS_MAX 16384u
#define SY_SLOT_MAX (UINT64_MAX / 2) /* slots, heights, views: sums with them cannot wrap */
#define SY_PROPOSAL_BYTES_MAX (4u << 20)
#define SY_EVENTS_PER_TX_MAX (2u * SY_ATOMIC_PAYLOADS_MAX)
#define SY_RECEIPT_KEYS_MAX (4u * SY_ATOMIC_PAYLOADS_MAX + 64u)
/* A receipt's keys and events together, so that it is proven in one frame: 64 KiB are for the rest.
 */
#define SY_RECEIPT_LISTS_BYTES_MAX (SY_FRAME_BYTES_MAX - (64u << 10))
#define SY_STATE_VALUE_BYTES_MAX 4096u

/* Rosters and consensus. */
#define SY_VALIDATORS_MIN 4u
#define SY_VALIDATORS_MAX 100u
#define SY_REGULATORS_MAX 16u
#define SY_ACTIVATION_DELAY \
    100u /* a parameter or a schedule counts so many blocks later, or more */
#define SY_CREDENTIAL_MS_MAX (SY_CREDENTIAL_YEARS_MAX * 366ll * 24 * 3600 * 1000)
#define SY_PBFT_WINDOW 64u   /* L: slots above the last stable seal */
#define SY_ROSTER_DELAY 128u /* K: a roster change takes effect at c + K */
#define SY_CLOCK_SKEW_MS_DEFAULT 2000
#define SY_NAME_BYTES_MAX 63u
#define SY_ADDRESS_BYTES_MAX 127u

_Static_assert(SY_BATCH_BYTES_MAX < SY_FRAME_BYTES_MAX, "a batch fits one frame");
_Static_assert(SY_TX_BYTES_MAX * 2 <= SY_FRAME_BYTES_MAX, "the largest tx leaves room in a batch");
_Static_assert(SY_TX_BYTES_MAX + 4096 <= SY_BATCH_BYTES_MAX, "any admissible tx fits a batch");
_Static_assert(SY_ATOMIC_PAYLOADS_MAX <= 65535, "a part's number fits 16 bits");
_Static_assert(SY_LIST_ITEMS_MAX <= 65535, "a list's count fits 16 bits");
_Static_assert(SY_PROPOSAL_TXS_MAX >= SY_BATCH_TXS_MAX, "a full batch fits a proposal");
_Static_assert(SY_PROPOSAL_BYTES_MAX >= SY_BATCH_BYTES_MAX, "a full batch fits a proposal");
_Static_assert(SY_ROSTER_DELAY >= SY_PBFT_WINDOW, "a roster change lies beyond the open window");
_Static_assert(SY_VALIDATORS_MAX * 4 <= 65536, "a validator's index fits 16 bits");

#endif
