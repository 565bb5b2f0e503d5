/* rx.c: prescriptions: given, filled, cancelled, moved to another pharmacy.
 *
 * rx.issue (a doctor, or a gateway that names one, answers for it)
 *   the author is not who may write an order              see record_rules.h; class
 *                                                         MedicationRequest
 *   a controlled one: the author is no doctor, or the
 *   credential's scope does not name `controlled`         E_ROLE {doctor}, path control
 *   a strictly controlled one has refills                 E_SCHEMA, path refills
 *   the patient is not enrolled, or the id was merged     E_PATIENT_UNKNOWN, E_PATIENT_MERGED
 *   the author may not write to the patient's records     see record_rules.h
 *   the id is taken                                       E_RX_EXISTS {id}
 *   the window is empty, over, or ends over a year ahead  E_RX_WINDOW {latest end, ms}
 *   writes   prescription, the patient's place of it
 *   event    rx.issued about the patient, object: the prescription
 *
 * rx.dispense (a pharmacist or dispenser, or a pharmacy's or hospital's gateway)
 *   the event was applied before                          E_DUP_EVENT {id}
 *   there is no such prescription                         E_RX_UNKNOWN {id}
 *   the organisation dispenses nothing                    E_ROLE_KIND {role}
 *   it was cancelled                                      E_RX_STATE {id}
 *   another pharmacy holds it                             E_RX_PHARMACY {that}
 *   it is before its window                               E_RX_WINDOW {when it begins, ms}
 *   its window is over                                    E_RX_WINDOW {when it ended, ms}
 *   it was filled as often as it may                      E_REFILLS {refills}
 *   less than three quarters of the last fill's days ago  E_RX_WINDOW {when it can be, ms}
 *   more than a fill's quantity                           E_RX_QUANTITY {most}
 *   writes   prescription, which the pharmacy holds from then on, fill, goods event
 *   event    rx.dispensed about the patient, object: the prescription
 *
 * rx.cancel (the prescriber's organisation: a doctor or gateway; or the patient)
 *   there is no such prescription                         E_RX_UNKNOWN {id}
 *   signed by neither                                     E_NOT_AUTHOR {organisation}
 *   it was cancelled                                      E_RX_STATE {id}
 *   writes   prescription
 *   event    rx.cancelled about the patient, object: the prescription
 *
 * rx.transfer (the pharmacy that holds it, or the patient)
 *   there is no such prescription                         E_RX_UNKNOWN {id}
 *   no pharmacy holds it, or it was cancelled, or it is
 *   strictly controlled                                   E_RX_STATE {id}
 *   signed by neither                                     E_RX_PHARMACY {that}
 *   the other one is not registered                       E_ORG_UNKNOWN {id}
 *   is suspended                                          E_ORG_SUSPENDED {id}
 *   is no pharmacy or hospital, or the same               E_PARTNER {id}
 *   writes   prescription
 *   event    rx.transferred about the patient and the other pharmacy, object: the prescription
 *
 * Until its first fill no pharmacy holds a prescription: the patient shows its random id to whom
 * they choose, and whoever was not shown it cannot fill it. What is prescribed is only committed
 * to. */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/goods_rules.h"
#include "core/ledger/contracts/record_rules.h"
#include "core/wire/state_rx.h"

#define DAY_MS (24ll * 3600 * 1000)
#define WINDOW_MS_MAX (366 * DAY_MS)
#define ORDER_CLASS "MedicationRequest"
#define CONTROLLED "controlled"

static bool find_rx(struct sy_exec *x, struct sy_rx *rx, const struct sy_hash *id)
{
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_exec_key(x, &key_hash, SY_STATE_RX, id);
    if (!sy_exec_find(x, &value, &key_hash)) return false;
    if (sy_rx_decode(rx, value)) return true;
    x->failed = SY_ERR_CORRUPT;
    return false;
}

static void save_rx(struct sy_exec *x, const struct sy_hash *id, const struct sy_rx *rx)
{
    uint8_t room[512];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash key_hash;
    sy_rx_encode(&w, rx);
    sy_exec_key(x, &key_hash, SY_STATE_RX, id);
    sy_exec_save(x, &key_hash, &w);
}

static void tell_patient(struct sy_exec *x, enum sy_event_kind kind, const struct sy_rx *rx,
                         const struct sy_hash *id)
{
    sy_exec_event(x, kind, SY_SUBJECT_PATIENT, &rx->patient, id);
}

// --- issuing -----------------------------------------------------------------------------------

/* Controlled substances need a credential that says so: no scope means every class of record, but
 * not these. */
static enum sy_refusal check_control(struct sy_exec *x, const struct sy_rx_issue *p,
                                     const struct sy_record_author *author)
{
    struct sy_credential credential;
    struct sy_slice item;
    bool named = false;
    if (p->control == SY_CONTROL_NONE) return SY_APPLIED;
    if (p->control == SY_CONTROL_STRICT && p->refills > 0) {
        return sy_refuse_path(x, SY_E_SCHEMA, "refills");
    }
    if (author->role == SY_ROLE_DOCTOR && sy_exec_find_credential(x, &credential, &author->key)) {
        for (size_t offset = 0; !named && sy_list_next_text(&credential.scope, &offset, &item);) {
            named =
                item.size == strlen(CONTROLLED) && memcmp(item.data, CONTROLLED, item.size) == 0;
        }
    }
    if (named) return SY_APPLIED;
    (void)sy_refuse_path(x, SY_E_ROLE, "control");
    return sy_refuse_role(x, SY_ROLE_BIT(SY_ROLE_DOCTOR));
}

static enum sy_refusal check_order(struct sy_exec *x, const struct sy_rx_issue *p,
                                   struct sy_record_author *author)
{
    struct sy_slice order = sy_slice_of(ORDER_CLASS, strlen(ORDER_CLASS));
    enum sy_refusal code =
        sy_record_judge_author(x, author, p->has_author ? &p->author : NULL, p->author_role, order);
    if (code == SY_APPLIED) code = check_control(x, p, author);
    if (code == SY_APPLIED) code = sy_record_check_patient(x, &p->patient_id, false);
    if (code == SY_APPLIED) {
        code = sy_record_check_writing(x, &p->patient_id, order, NULL, &author->key);
    }
    return code;
}

enum sy_refusal sy_contract_rx_issue(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_rx_issue *p = &payload->rx_issue;
    struct sy_record_author author;
    SY_ASSERT(x->kind->number == SY_KIND_rx_issue && x->by->valid);
    enum sy_refusal code = check_order(x, p, &author);
    if (code != SY_APPLIED) return code;
    if (sy_exec_has(x, SY_STATE_RX, &p->rx_id)) return sy_refuse_hash(x, SY_E_RX_EXISTS, &p->rx_id);
    if (p->from > p->until || p->until < x->time_ms || p->until - x->time_ms > WINDOW_MS_MAX) {
        x->detail = (uint64_t)(x->time_ms + WINDOW_MS_MAX);
        return SY_E_RX_WINDOW;
    }
    struct sy_rx rx = {
        .patient = p->patient_id,
        .organisation = x->by->holder,
        .author = author.key,
        .drug_commit = p->drug_commit,
        .control = p->control,
        .quantity = p->quantity,
        .days = p->days,
        .refills = p->refills,
        .from_ms = p->from,
        .until_ms = p->until,
        .height = x->height,
    };
    save_rx(x, &p->rx_id, &rx);
    sy_exec_place(x, &p->patient_id, SY_PLACE_RX, &p->rx_id, 0);
    tell_patient(x, SY_EVENT_RX_ISSUED, &rx, &p->rx_id);
    return SY_APPLIED;
}

// --- filling -----------------------------------------------------------------------------------

static bool dispenses(unsigned org_kind)
{
    return org_kind == SY_ORG_PHARMACY || org_kind == SY_ORG_HOSPITAL;
}

static enum sy_refusal check_pharmacy(struct sy_exec *x, const struct sy_rx *rx,
                                      const struct sy_hash *id)
{
    struct sy_org org;
    if (!sy_exec_find_org(x, &org, &x->by->holder) || !dispenses(org.kind)) {
        x->detail = x->by->role;
        return SY_E_ROLE_KIND;
    }
    if (rx->cancelled_height != 0) return sy_refuse_hash(x, SY_E_RX_STATE, id);
    if (!rx->has_pharmacy || sy_hash_equal(&rx->pharmacy, &x->by->holder)) return SY_APPLIED;
    return sy_refuse_hash(x, SY_E_RX_PHARMACY, &rx->pharmacy);
}

static enum sy_refusal refuse_time(struct sy_exec *x, int64_t time_ms)
{
    x->detail = (uint64_t)time_ms;
    return SY_E_RX_WINDOW;
}

static enum sy_refusal check_fill(struct sy_exec *x, const struct sy_rx *rx, uint32_t quantity)
{
    // Three quarters of the days have to be used up; days are bounded, so nothing wraps.
    int64_t next_ms = rx->filled_ms + (int64_t)rx->days * DAY_MS / 4 * 3;
    if (x->time_ms < rx->from_ms) return refuse_time(x, rx->from_ms);
    if (x->time_ms > rx->until_ms) return refuse_time(x, rx->until_ms);
    if (rx->fills > rx->refills) {
        x->detail = rx->refills;
        return SY_E_REFILLS;
    }
    if (rx->fills > 0 && x->time_ms < next_ms) return refuse_time(x, next_ms);
    if (quantity <= rx->quantity) return SY_APPLIED;
    x->detail = rx->quantity;
    return SY_E_RX_QUANTITY;
}

static void save_fill(struct sy_exec *x, const struct sy_rx_dispense *p, const struct sy_rx *rx)
{
    struct sy_rx_fill fill = {.organisation = x->by->holder,
                              .key = x->by->key,
                              .quantity = p->quantity,
                              .height = x->height,
                              .time_ms = x->time_ms};
    struct sy_hash number = {{0}}, key_hash;
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_store_u64(number.bytes, rx->fills);
    sy_rx_fill_encode(&w, &fill);
    sy_state_key_pair(&key_hash, SY_STATE_RX_FILL, &p->rx_id, &number);
    sy_exec_save(x, &key_hash, &w);
}

enum sy_refusal sy_contract_rx_dispense(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_rx_dispense *p = &payload->rx_dispense;
    struct sy_rx rx;
    SY_ASSERT(x->kind->number == SY_KIND_rx_dispense && x->by->valid);
    enum sy_refusal code = sy_goods_check_event(x, &p->event_id);
    if (code != SY_APPLIED) return code;
    if (!find_rx(x, &rx, &p->rx_id)) return sy_refuse_hash(x, SY_E_RX_UNKNOWN, &p->rx_id);
    code = check_pharmacy(x, &rx, &p->rx_id);
    if (code == SY_APPLIED) code = check_fill(x, &rx, p->quantity);
    if (code != SY_APPLIED) return code;
    rx.fills++;
    rx.has_pharmacy = true;
    rx.pharmacy = x->by->holder;
    rx.filled_ms = x->time_ms;
    save_rx(x, &p->rx_id, &rx);
    save_fill(x, p, &rx);
    sy_goods_save_event(x, &p->event_id, 0);
    tell_patient(x, SY_EVENT_RX_DISPENSED, &rx, &p->rx_id);
    return SY_APPLIED;
}

// --- ending and moving -------------------------------------------------------------------------

/* The patient, or as many guardians as it takes; under the id that is in use. */
static bool patient_signed(struct sy_exec *x, const struct sy_rx *rx)
{
    struct sy_patient patient;
    struct sy_hash live = sy_exec_live_id(x, &rx->patient);
    return sy_exec_find_patient(x, &patient, &live) && sy_exec_subject_signed(x, &patient);
}

enum sy_refusal sy_contract_rx_cancel(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_rx_cancel *p = &payload->rx_cancel;
    struct sy_rx rx;
    SY_ASSERT(x->kind->number == SY_KIND_rx_cancel && x->by->valid);
    if (!find_rx(x, &rx, &p->rx_id)) return sy_refuse_hash(x, SY_E_RX_UNKNOWN, &p->rx_id);
    if (!sy_hash_equal(&rx.organisation, &x->by->holder) && !patient_signed(x, &rx)) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &rx.organisation);
    }
    if (rx.cancelled_height != 0) return sy_refuse_hash(x, SY_E_RX_STATE, &p->rx_id);
    rx.cancelled_height = x->height;
    save_rx(x, &p->rx_id, &rx);
    tell_patient(x, SY_EVENT_RX_CANCELLED, &rx, &p->rx_id);
    return SY_APPLIED;
}

static enum sy_refusal check_other(struct sy_exec *x, const struct sy_rx *rx,
                                   const struct sy_hash *to)
{
    struct sy_org org;
    if (!sy_exec_find_org(x, &org, to)) return sy_refuse_hash(x, SY_E_ORG_UNKNOWN, to);
    if (org.suspended) return sy_refuse_hash(x, SY_E_ORG_SUSPENDED, to);
    bool other = dispenses(org.kind) && !sy_hash_equal(&rx->pharmacy, to);
    return other ? SY_APPLIED : sy_refuse_hash(x, SY_E_PARTNER, to);
}

enum sy_refusal sy_contract_rx_transfer(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_rx_transfer *p = &payload->rx_transfer;
    struct sy_rx rx;
    SY_ASSERT(x->kind->number == SY_KIND_rx_transfer && x->by->valid);
    if (!find_rx(x, &rx, &p->rx_id)) return sy_refuse_hash(x, SY_E_RX_UNKNOWN, &p->rx_id);
    bool moves = rx.has_pharmacy && rx.cancelled_height == 0 && rx.control != SY_CONTROL_STRICT;
    if (!moves) return sy_refuse_hash(x, SY_E_RX_STATE, &p->rx_id);
    if (!sy_hash_equal(&rx.pharmacy, &x->by->holder) && !patient_signed(x, &rx)) {
        return sy_refuse_hash(x, SY_E_RX_PHARMACY, &rx.pharmacy);
    }
    enum sy_refusal code = check_other(x, &rx, &p->to);
    if (code != SY_APPLIED) return code;
    rx.pharmacy = p->to;
    save_rx(x, &p->rx_id, &rx);
    tell_patient(x, SY_EVENT_RX_TRANSFERRED, &rx, &p->rx_id);
    sy_exec_event(x, SY_EVENT_RX_TRANSFERRED, SY_SUBJECT_ORG, &p->to, &p->rx_id);
    return SY_APPLIED;
}
