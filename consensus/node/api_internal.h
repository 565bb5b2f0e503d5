/* api_internal.h: what the API's files share. */
#ifndef SY_NODE_API_INTERNAL_H
#define SY_NODE_API_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "consensus/node/access.h"
#include "consensus/node/api.h"
#include "consensus/node/block_view.h"
#include "consensus/node/directory.h"
#include "consensus/node/inbox.h"
#include "consensus/node/notices.h"
#include "core/base/share.h"
#include "core/base/table.h"

#define JOBS 1024u
#define WAITS_MAX (JOBS / 4 * 3) /* jobs that WAITs may hold: SUBMITs and READs keep the rest */
#define AWAITED_MAX 65536u       /* transactions that all WAITs together wait for */
#define COPIES_MAX 1024u         /* ordered copies of one transaction that are looked at, */
#define COPIES_AT_ONCE 64u       /* and without a pause in between */
#define ANSWER_BYTES SY_SERVER_REPLY_MAX
#define SEEN_READS 65536u
#define SESSIONS 4096u /* whose shares are remembered: more than can be open */

/* What things cost a session, in bytes of blocks. */
#define WORK_REQUEST 4096u /* a small answer from the store */
#define WORK_READ 32768u   /* a signature */
#define WORK_LOOK 256u     /* looking for a transaction, or a key */
#define WORK_EVENT 2048u   /* judging whether one of its events may be seen */

#define KNOWN_KEYS 16384u

#define SY_API_RETRY_MS 100u /* when it is worth asking again */

enum job_state { JOB_FREE, JOB_SUBMIT, JOB_WAIT, JOB_PROOF, JOB_CERTIFICATE, JOB_NOTICES, JOB_OWN };

/* What the copies of a transaction that were looked at so far say, oldest first. */
struct decision {
    uint32_t next; /* copy to look at */
    bool may_know; /* one of them has the witness */
    bool decided;
    struct sy_tx_position told; /* the one that decides, else the last one */
};

/* A request that is not answered at once. */
struct job {
    enum job_state state;
    uint32_t generation; /* so that a late answer finds nobody instead of somebody else */
    struct sy_request server_request;
    struct sy_client_request request;
    bool released; /* the server's body was given back */
    bool deferred; /* SUBMIT: outcomes came before the consensus thread let go of the bytes */
    /* SUBMIT */
    struct sy_inbox_submit submit;
    uint32_t member; /* the first transaction of a known key; SY_SUBMIT_TXS_MAX: none */
    uint16_t held[SY_SUBMIT_TXS_MAX]; /* why transactions are put off; SY_APPLIED: they are not */
    uint32_t outcome_count;
    struct sy_submit_outcome outcomes[SY_SUBMIT_TXS_MAX];
    /* NOTICES */
    uint64_t looked_ns; /* when everything was looked through */
    /* WAIT, NOTICES */
    uint64_t deadline_ns;
    uint64_t order;  /* by arrival */
    uint32_t left;   /* transactions not final yet */
    uint32_t looked; /* the first so many were looked for; the others when the share allows */
    struct decision deciding;                         /* about the next one */
    struct sy_tx_position positions[SY_WAIT_IDS_MAX]; /* height 0: not final */
    /* PROOF, CERTIFICATE */
    struct sy_header header;
    uint8_t *proof; /* owned: an encoded state proof */
    size_t proof_bytes;
};

enum api_item_type {
    API_SUBMITTED = 1,
    API_OUTCOMES,
    API_CERTIFIED,
    API_PROVED,
    API_NOTICED,
    API_STOP
};
struct api_item {
    enum api_item_type type;
    uint64_t number; /* token, or height */
    sy_status status;
    struct proved *proved; /* owned */
};
/* Who waits for a transaction: item i of job j is waiter j * SY_WAIT_IDS_MAX + i. Those who wait
 * for one are chained. */
struct waiter {
    bool waits;
    bool is_first; /* no copy of the transaction was ordered when it was looked for, or since */
    uint32_t next, prev; /* UINT32_MAX: none */
};

/* What is remembered of a client's session. */
struct session {
    struct sy_share work;
    struct sy_share strangers;
    bool vouched; /* the server knows that it is somebody's */
};

struct proved {
    struct sy_header header;
    size_t size;
    uint8_t bytes[];
};

struct sy_api {
    struct sy_api_config config;
    sy_server *server;
    _Atomic(sy_runner *) runner;
    atomic_bool draining;
    sy_store_reader *reader;
    sy_arena arena;
    sy_ring *items;
    pthread_t thread;
    bool started;
    bool stopping;
    struct job *jobs;
    uint32_t wait_count;   /* jobs that are WAITs */
    uint64_t wait_made;    /* WAITs so far */
    uint64_t wait_wake_ns; /* no WAIT ends before */
    uint64_t certified;
    struct sy_table waiting; /* tx id -> u64: the newest waiter */
    struct waiter *waiters;
    uint32_t awaited;         /* transactions of all WAITs */
    struct sy_table sessions; /* session -> struct session */
    uint64_t *session_order;  /* ring, the oldest is forgotten */
    uint64_t session_count;
    struct sy_share strangers;  /* of all sessions */
    struct sy_table known_keys; /* enrolled once, known for ever */
    struct sy_table seen;       /* reads: hash of reader and nonce */
    struct sy_hash *seen_order;
    uint64_t seen_count;
    struct sy_block_views views;
    struct sy_proof proof;    /* of the answer under way */
    struct sy_roster roster;  /* the state's, when it was last needed; count 0: never */
    sy_reads *reads;          /* NULL: nothing is noted */
    struct sy_grants *grants; /* of the read under way; NULL: nothing is noted or refused */
    bool own_under_way;       /* a SUBMIT of the reads' */
    sy_notices *notices;
    sy_directory *directory;
    atomic_bool noticed;      /* an item about it is under way */
    uint64_t notices_made;    /* questions that waited, so far */
    uint64_t notices_wake_ns; /* no question for notices ends before */
    uint8_t *answer;
    uint8_t *collected; /* headers of an answer under way */
    char *text;
};

/* api.c */
/* Spends from what the session may cost. */
void sy_api_work(sy_api *api, struct session *session, uint64_t amount);
/* Tells the server that a member sent this request, which is not answered yet. */
void sy_api_vouch(sy_api *api, const struct sy_request *from);
/* The session that a request came in; never NULL. Good until the next call. */
struct session *sy_api_session(sy_api *api, const struct sy_request *from);
struct job *sy_api_job_find(sy_api *api, uint64_t token, enum job_state state);
struct job *sy_api_job_take(sy_api *api, enum job_state state, struct sy_request *server_request,
                            const struct sy_client_request *request);
void sy_api_job_free(sy_api *api, struct job *job);
uint64_t sy_api_token(const sy_api *api, const struct job *job);
void sy_api_reply(sy_api *api, const struct sy_request *to, const struct sy_writer *writer);
void sy_api_refuse(sy_api *api, const struct sy_request *to, uint64_t request_id,
                   enum sy_answer_code code, const char *sentence);

/* api_submit.c */
void sy_api_on_submit(sy_api *api, struct sy_request *from,
                      const struct sy_client_request *request);
void sy_api_on_submitted(sy_api *api, uint64_t token);
void sy_api_on_outcomes(sy_api *api, uint64_t token);

/* api_wait.c */
/* The copy that decides a transaction at certified heights, or the last one. False: none yet, or
 * the witness is that of none of them. NULL: whoever asks is judged otherwise. */
bool sy_api_decide(sy_api *api, struct sy_tx_position *position, const struct sy_hash *tx_id,
                   const struct sy_hash *witness);
void sy_api_on_wait(sy_api *api, struct sy_request *from, const struct sy_client_request *request);
void sy_api_wait_certified(sy_api *api, uint64_t height);
uint64_t sy_api_wait_deadlines(sy_api *api, uint64_t now_ns);

/* api_reads.c */
/* Notes what a read that is about to be answered tells of patients. False: it may not be told, as
 * it cannot be noted now, or never by an observer; *why is then the code to refuse it with. */
bool sy_api_note(sy_api *api, const struct sy_access *access, enum sy_answer_code *why);
/* A SUBMIT of the reads' was heard of; false: the token is none of theirs. */
bool sy_api_own_heard(sy_api *api, uint64_t token);
/* Seals, settles and submits what is due; when to come again. */
uint64_t sy_api_reads_due(sy_api *api, uint64_t now_ns);

/* api_roster.c */
/* Loads api->roster from a view of the state, unless it is that one already. */
bool sy_api_take_roster(sy_api *api, sy_state_view *view);
void sy_api_on_handovers(sy_api *api, struct sy_request *from,
                         const struct sy_client_request *request);

/* api_read.c */
bool sy_api_header(sy_api *api, struct sy_header *header, uint64_t height);
/* Opens what reads are judged by, as of now; whoever it was opened for closes its view. */
bool sy_api_access_open(sy_api *api, struct sy_access *access);
void sy_api_refuse_pruned(sy_api *api, const struct sy_request *to, uint64_t request_id);
void sy_api_on_block(sy_api *api, struct sy_request *from, const struct sy_client_request *request);
void sy_api_on_read(sy_api *api, struct sy_request *from, const struct sy_client_request *request);
void sy_api_on_proof(sy_api *api, struct job *job, sy_status status, struct proved *proved);
void sy_api_read_certified(sy_api *api);

/* Judges who asks, and opens what they are judged by; 0: go on. Whoever goes on closes the view. */
enum sy_answer_code sy_api_read_judge(sy_api *api, struct sy_access *access,
                                      const struct sy_request *from,
                                      const struct sy_read_request *read);
void sy_api_read_refuse(sy_api *api, const struct sy_request *from, uint64_t id,
                        enum sy_answer_code code);

/* api_find.c */
void sy_api_on_find(sy_api *api, struct sy_request *from, const struct sy_client_request *request);

/* api_notices.c */
void sy_api_on_notices(sy_api *api, struct sy_request *from,
                       const struct sy_client_request *request, const struct sy_access *access);
/* More blocks' notices can be found. */
void sy_api_noticed(sy_api *api);
uint64_t sy_api_notices_deadlines(sy_api *api, uint64_t now_ns);

#endif
