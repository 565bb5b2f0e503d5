/* nation.h: a health system that lives on core/ledger alone, for benches of execution: no network,
 * no store, no signatures. Transactions are whole, but their signatures are zeros: execution looks
 * at none, because admission has verified them before. State lies in memory, and every entry that
 * execution asks for is counted.
 *
 * There are organisations (hospitals), each with an admin, a gateway, a doctor who may break the
 * glass and a nurse; patients with keys of their own, spread over the organisations as the national
 * load is (the first hundredth of them has 30 %; in it and among the others the k-th has 1/k of the
 * first's); records of theirs, and a consent each; payers, one of whom covers 40 % of the patients
 * and the others the rest; and a product of each organisation. Everything follows from the
 * numbers, so two runs do the same. One thread. */
#ifndef SY_BENCH_NATION_H
#define SY_BENCH_NATION_H

#include "core/base/prng.h"
#include "core/client/replay_state.h"
#include "core/ledger/ledger.h"
#include "core/wire/batch.h"
#include "core/wire/schema.h"

#define SY_NATION_SIGNERS_MAX 2u
#define SY_NATION_RECORDS 4u /* of each patient, when a nation begins */
#define SY_NATION_TXS_MAX 4096u
#define SY_NATION_MAKERS 4u
#define SY_NATION_PAYERS 8u

struct sy_nation_person {
    struct sy_public_key key;
    struct sy_hash organisation; /* zero: a regulator, a patient, or nobody yet */
    uint64_t nonce;              /* of the newest transaction */
};

struct sy_nation_org {
    struct sy_hash id;
    struct sy_nation_person admin, gateway, doctor, nurse;
};

struct sy_nation_payer {
    struct sy_hash id;
    struct sy_nation_person admin, clerk;
};

struct sy_nation_patient {
    struct sy_hash id;
    uint32_t organisation; /* that enrolled them */
    uint32_t payer;        /* that covers them */
    struct sy_nation_person wallet;
};

/* A transaction before it has bytes. */
struct sy_nation_plan {
    uint16_t kind;
    union sy_payload payload;
    struct sy_nation_person *signers[SY_NATION_SIGNERS_MAX];
    unsigned signer_count;
};

/* What one block cost. */
struct sy_nation_figures {
    uint64_t took_ns; /* CPU time of sy_ledger_execute, which has one thread */
    uint64_t txs, applied;
    uint64_t reads;  /* entries asked of the state: what the trie knows to be absent is not */
    uint64_t scans;  /* pieces of the state that the trie went through */
    uint64_t writes; /* entries put or removed */
    uint64_t receipt_bytes, tx_bytes;
};

typedef struct sy_nation {
    uint32_t org_count, patient_count, fresh_count;
    struct sy_genesis genesis;
    struct sy_nation_person regulators[2];
    struct sy_nation_org *orgs;
    struct sy_nation_patient *patients;
    struct sy_nation_payer payers[SY_NATION_PAYERS];
    struct sy_nation_payer sponsor, board; /* of clinical trials */
    struct sy_nation_person second_sponsor, investigator, researcher;
    struct sy_nation_person *fresh; /* nobody's keys yet */
    struct sy_nation_device {
        uint64_t number; /* and one; 0: none */
        struct sy_nation_person person;
    } * devices;     /* SY_NATION_DEVICES */
    int64_t step_ms; /* from a block to the next one; 0: a second */
    sy_replay_state *state;
    uint64_t reads, scans;
    sy_ledger *ledger;
    struct sy_header header; /* the newest */
    struct sy_block_result result;
    uint64_t seqs[SY_NATION_MAKERS];
    uint32_t fees_published, fees_brought; /* versions of the first payer's fees, so far */
    /* the block being filled */
    struct sy_batch_builder builders[SY_NATION_MAKERS];
    uint8_t *rooms[SY_NATION_MAKERS];
    unsigned maker;
    struct sy_hash *ids; /* SY_NATION_TXS_MAX */
    uint32_t tx_count;
    uint64_t tx_bytes;
    char texts[4][SY_ADDRESS_BYTES_MAX + 1]; /* of a change of the roster: name and addresses */
    uint8_t *scratch;                        /* for lists and one transaction */
    struct sy_writer lists;
    sy_prng prng;
} sy_nation;

/* sy_nation_open makes keys and state; fresh: how many keys more. Failures: SY_ERR_NO_MEMORY, and
 * whatever execution says. sy_nation_close frees it, after a failure too. */
sy_status sy_nation_open(sy_nation *nation, uint32_t organisations, uint32_t patients,
                         uint32_t fresh, struct sy_error *err);
void sy_nation_close(sy_nation *nation);

/* sy_nation_id is the random id of the number-th thing of a sort, a letter. */
struct sy_hash sy_nation_id(char sort, uint64_t number);

/* sy_nation_add gives a transaction its nonce and bytes and puts it into the block being filled.
 * False: the block holds no more, and nothing happened. */
bool sy_nation_add(sy_nation *nation, const struct sy_nation_plan *plan);

/* sy_nation_run executes the block and applies what it changes. */
sy_status sy_nation_run(sy_nation *nation, struct sy_nation_figures *figures, struct sy_error *err);

/* sy_nation_refusal is the first refusal of the newest block; SY_APPLIED: there is none. */
uint16_t sy_nation_refusal(const sy_nation *nation);

/* sy_nation_fresh is the person of a number modulo `fresh`, whose key is made when it is first
 * asked for. */
struct sy_nation_person *sy_nation_fresh(sy_nation *nation, uint64_t number);

/* sy_nation_device is the device of a number, whose key is made when it is first asked for. Of
 * numbers that are SY_NATION_DEVICES apart the last one asked for is kept. */
#define SY_NATION_DEVICES 65536u
struct sy_nation_person *sy_nation_device(sy_nation *nation, uint64_t number);

/* sy_nation_key is a key that nobody else has. */
struct sy_public_key sy_nation_key(uint64_t number);

/* What people do, each for a number of its own: the same number names the same thing again, so that
 * what one made the other may change. Records and consents numbered below sy_nation_first are those
 * that a nation begins with. */
typedef void (*sy_nation_deed)(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
uint64_t sy_nation_first(const sy_nation *nation);

void sy_nation_register(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_suspend(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_reinstate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_issue(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_revoke_key(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_enrol(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_enrol_unclaimed(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_claim(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_open_care(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_close_care(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_record(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_amend(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_retract(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_branch(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_merge(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_contribute(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_cosign(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_erase(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_report_twice(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_grant(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_deny(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_delegate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_revoke(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_revoke_delegate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_break(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_review(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_move(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_card(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_prescribe(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_fill(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_transfer(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_cancel(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* Claims (nation_money.c). */
/* A code set that counts, by which plans know how long services take: its publication, and its page
 * once it does. */
void sy_nation_publish_codes(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_bring_codes(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* Fees that no plan is priced by, of the first payer: the next version, whatever the number; and
 * the page of the next whose page did not come. */
void sy_nation_publish_fees(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_bring_fees(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_publish_plan(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_cover_all(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_cover(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_end_cover(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_ask_payer(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_authorise(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_bill(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* What was billed under that number, under another id. */
void sy_nation_bill_twice(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_bill_reviewed(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_adjudicate(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_pay(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_reverse(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* With as many as one settlement may name, of whoever the payer owes. */
void sy_nation_settle(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_appeal(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_dispute(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_bill_flagged(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_clear(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* A minute of a doctor's day; all of it, another claim; what the first is flagged by then; and the
 * other one taken back. */
void sy_nation_bill_minute(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_bill_day(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_flag(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_reverse_day(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* Goods (nation_goods.c): a number is a case of 24 units. sy_nation_prefix is the company prefix of
 * an organisation; it stands until the next call. */
struct sy_slice sy_nation_prefix(uint32_t org);
void sy_nation_make_first(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_make_product(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_store(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_commission(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_verify(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_pack(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_unpack(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_monitor(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_send(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_receive(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_end(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_correct(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_dispense(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_take_back(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_doubt(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_acquit(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_recall(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_close_recall(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* A lot of the first organisation's product that so many patients have had, a unit each, whom two
 * transactions tell of its recall: number / SY_NATION_WIDE is the lot. The prescription of the
 * number is filled there. */
#define SY_NATION_WIDE (2u * SY_RECALL_TOLD_MAX)
void sy_nation_commission_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_fill_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_dispense_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_recall_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_notify_wide(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* Trials (nation_trials.c): a number is a trial with one subject. The first two register who runs
 * them. */
#define SY_NATION_TRIAL_ORGS 2u
#define SY_NATION_TRIAL_STAFF 5u
void sy_nation_trial_org(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_trial_staff(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_register_trial(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_amend_trial(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_open_site(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_agree(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_place(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_leave(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_seed(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_salt(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_unblind(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_reveal(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_collect(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_report_event(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_lock(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_post(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* Research (nation_research.c): a number is a data set of the first organisation's, and a query of
 * it. The first two set the budgets of the network. */
#define SY_NATION_BUDGETS 2u
void sy_nation_widen(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_publish_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_update_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_withdraw_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_ask_data(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_agree_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_approve_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_deny_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_answer_query(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* Of the patient whom sy_nation_enrol enrols by the number. */
void sy_nation_opt_in(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_opt_out(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* Streams (nation_streams.c): a number is a device of its patient, with one stream.
 * sy_nation_commit_window is any window of it, with as many samples as its rate says. */
void sy_nation_equip(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_attest(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_let_device(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_open_stream(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_sample(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_alert(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_close_stream(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_commit_window(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number,
                             uint32_t sequence, int64_t from_ms, int64_t to_ms);
/* Changes of the roster, which a quorum approves; its last validator is the one that goes, or gets
 * a new key. One after the other: sy_nation_turn goes on to the epoch that the newest has begun. */
void sy_nation_add_validator(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_remove_validator(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
void sy_nation_rekey_validator(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
sy_status sy_nation_turn(sy_nation *nation, struct sy_error *err);
void sy_nation_atomic(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);
/* A record that another organisation than the patient's has no right to. */
void sy_nation_trespass(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number);

#endif
