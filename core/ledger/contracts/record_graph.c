/* record_graph.c: what joins versions and records: merges, contributions, cosignatures, duplicates.
 *
 * record.merge
 *   the record does not exist                             E_RECORD_UNKNOWN {id}
 *   author: as in record_rules.h; one who is neither
 *   doctor nor gateway nor the patient                    E_ROLE {roles of the kind}, path
 * author_role may not amend it, erased, retracted: record_rules.h one of heads is no head
 * E_STALE_HEAD {newest head}, path heads it has 2^32 - 1 versions E_HEADS {8} size: record_rules.h
 *   writes   record, record version
 *   event    record.merged about the subject, object: the record
 *
 * record.contribute
 *   the id is taken                                       E_RECORD_EXISTS {id}
 *   patient, author, class, writing, size: record_rules.h
 *   a parent does not exist                               E_RECORD_UNKNOWN {id}
 *   it is about somebody else                             E_PATIENT_MISMATCH {id}
 *   it was erased                                         E_RECORD_ERASED {id}
 *   the relation is replaces and the author may not amend
 *   a parent                                              as in record_rules.h
 *   another relation, and the author may not read one that
 *   is not the organisation's own, see may.h:
 *     a consent forbids it                                E_CONSENT {consent id}
 *     one that is over allowed it                         E_CONSENT_EXPIRED {consent id, its end}
 *     nothing allows it                                   E_NO_CARE {patient id}
 *   writes   record, patient, patient place; of each parent record and record link
 *   event    record.linked about the patient, object: the new record
 *
 * record.cosign (a practitioner answers for it)
 *   the record does not exist                             E_RECORD_UNKNOWN {id}
 *   it has no such version                                E_VERSION_UNKNOWN {versions}
 *   neither record nor version is the organisation's own:
 *     about no patient                                    E_NOT_AUTHOR {holder}
 *     the key may not write, see may.h                    E_CONSENT, E_CONSENT_EXPIRED, E_NO_CARE
 *   the credential is limited to other classes            E_ROLE {}, path class
 *   it was erased                                         E_RECORD_ERASED {id}
 *   it was retracted                                      E_RECORD_STATE {id}
 *   as author, and it is another one's: neither the
 *   version's author nor of the organisation whose
 *   gateway is                                            E_NOT_AUTHOR {author}
 *   as author of an order, and no prescriber              E_ROLE {doctor, gateway}, path class
 *   as verifier, and it is the version's author           E_SELF_VERIFIED {key}
 *   the key signed the version before                     E_COSIGNED {key}
 *   sixteen did                                           E_COSIGNATURES {16}
 *   writes   cosignatures
 *   event    record.signed about the subject, object: the record
 *
 * record.dup_report
 *   the two are one                                       E_SCHEMA, path other_id
 *   either does not exist                                 E_RECORD_UNKNOWN {id}
 *   they are about two subjects                           E_PATIENT_MISMATCH {other}
 *   neither is the signer's own (or the signer's, who is
 *   the patient)                                          E_NOT_AUTHOR {holder of the first}
 *   about a patient, and the key may not read both: as for parents
 *   either was erased                                     E_RECORD_ERASED {id}
 *   they were reported before                             E_DUPLICATE {other}
 *   writes   duplicate; of both record and record link
 *   event    record.duplicate about the subject, twice, object: each record
 */
#include "core/base/assert.h"
#include "core/ledger/contracts/contracts.h"
#include "core/ledger/contracts/record_rules.h"

// --- record.merge ------------------------------------------------------------------------------

/* Takes the heads that are joined out and puts the next version in; what it joins goes into the
 * version, ascending, as heads stand. */
static enum sy_refusal join_heads(struct sy_exec *x, struct sy_record *record,
                                  struct sy_record_version *version, const struct sy_list *heads)
{
    uint32_t number;
    unsigned kept = 0, joined = 0;
    uint32_t all[SY_RECORD_HEADS_MAX];
    SY_ASSERT(record->head_count >= 1 && record->head_count <= SY_RECORD_HEADS_MAX);
    x->detail = record->heads[record->head_count - 1u];
    for (unsigned i = 0; i < record->head_count; i++) {
        bool named = false;
        for (size_t offset = 0; !named && sy_list_next_u32(heads, &offset, &number);) {
            named = number == record->heads[i];
        }
        if (named) all[joined++] = record->heads[i];
        if (!named) record->heads[kept++] = record->heads[i];
    }
    if (joined != heads->count) return sy_refuse_path(x, SY_E_STALE_HEAD, "heads");
    if (record->versions == UINT32_MAX) {
        x->detail = SY_RECORD_HEADS_MAX;
        return SY_E_HEADS;
    }
    SY_ASSERT(joined >= 2 && kept + joined == record->head_count);
    x->detail = 0;
    version->version = ++record->versions;
    version->parent = all[0];
    version->other_count = (uint8_t)(joined - 1);
    memcpy(version->others, all + 1, (joined - 1) * sizeof *all);
    record->heads[kept++] = version->version;
    record->head_count = (uint8_t)kept;
    return SY_APPLIED;
}

enum sy_refusal sy_contract_record_merge(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_merge *p = &payload->record_merge;
    SY_ASSERT(x->kind->number == SY_KIND_record_merge && x->by->valid && p->heads.count >= 2);
    struct sy_record record;
    struct sy_record_author author;
    if (!sy_exec_find_record(x, &record, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    enum sy_refusal code = sy_record_judge_author(x, &author, p->has_author ? &p->author : NULL,
                                                  p->author_role, record.record_class);
    if (code != SY_APPLIED) return code;
    if ((x->kind->roles & SY_ROLE_BIT(author.role)) == 0) {
        (void)sy_refuse_path(x, SY_E_ROLE, "author_role");
        return sy_refuse_role(x, x->kind->roles);
    }
    code = sy_record_find_own(x, &record, &p->record_id, &author.key);
    if (code != SY_APPLIED) return code;
    struct sy_record_version version = {
        .form = p->form,
        .commit = p->commit,
        .size = p->size,
        .author = author.key,
        .author_role = author.role,
        .holder = x->by->holder,
        .height = x->height,
        .time_ms = x->time_ms,
        .has_locator_commit = p->has_locator_commit,
        .patient_reported = author.role == SY_ROLE_PATIENT,
        .locator_commit = p->locator_commit,
        .resolution_hash = p->resolution_hash,
    };
    code = join_heads(x, &record, &version, &p->heads);
    if (code == SY_APPLIED) code = sy_record_check_size(x, p->size);
    if (code != SY_APPLIED) return code;
    sy_record_save_version(x, &p->record_id, &version);
    sy_exec_save_record(x, &p->record_id, &record);
    sy_exec_event(x, SY_EVENT_RECORD_MERGED, (enum sy_subject_kind)record.subject_kind,
                  &record.subject, &p->record_id);
    return SY_APPLIED;
}

// --- links -------------------------------------------------------------------------------------

/* May the key read a record that is not its organisation's own? */
static enum sy_refusal check_reading(struct sy_exec *x, const struct sy_record *record,
                                     const struct sy_public_key *key)
{
    struct sy_may_answer answer;
    if (record->subject_kind != SY_SUBJECT_PATIENT) return SY_APPLIED;
    if (sy_hash_equal(&record->holder, &x->by->holder)) return SY_APPLIED;
    sy_record_ask(x, &answer, record, key, SY_ACTION_READ);
    if (answer.allowed) return SY_APPLIED;
    return sy_record_refuse(x, &answer, SY_E_NO_CARE, &record->subject);
}

/* Makes a record name another one. */
static void add_link(struct sy_exec *x, const struct sy_hash *record_id, uint16_t relation,
                     const struct sy_hash *other)
{
    struct sy_record record;
    struct sy_record_link link = {.relation = relation, .other = *other, .height = x->height};
    struct sy_hash key_hash;
    uint8_t room[64];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    if (!sy_exec_find_record(x, &record, record_id)) return; // it was found: the source fails
    record.links++;
    sy_exec_save_record(x, record_id, &record);
    sy_record_link_encode(&w, &link);
    sy_state_key_record_link(&key_hash, record_id, record.links);
    sy_exec_save(x, &key_hash, &w);
}

// --- record.contribute -------------------------------------------------------------------------

static enum sy_refusal check_parents(struct sy_exec *x, const struct sy_record_contribute *p,
                                     const struct sy_public_key *author)
{
    struct sy_hash id;
    SY_ASSERT(p->parents.count >= 1 && p->parents.count <= SY_RECORD_PARENTS_MAX);
    for (size_t offset = 0; sy_list_next_id(&p->parents, &offset, &id);) {
        struct sy_record parent;
        enum sy_refusal code =
            sy_record_find_linked(x, &parent, &id, SY_SUBJECT_PATIENT, &p->patient_id);
        if (code != SY_APPLIED) return code;
        code = p->relation == SY_RELATION_REPLACES ? sy_record_check_own(x, &parent, author)
                                                   : check_reading(x, &parent, author);
        if (code != SY_APPLIED) return code;
    }
    return SY_APPLIED;
}

static void save_contributed(struct sy_exec *x, const struct sy_record_contribute *p,
                             const struct sy_record_author *author)
{
    struct sy_record record = {
        .subject_kind = SY_SUBJECT_PATIENT,
        .subject = p->patient_id,
        .holder = x->by->holder,
        .record_class = p->class,
        .has_sens_tag = p->has_sens_tag,
        .relation = p->relation,
        .versions = 1,
        .head_count = 1,
        .heads = {1},
        .parents = p->parents,
        .first =
            {
                .version = 1,
                .form = p->form,
                .commit = p->commit,
                .size = p->size,
                .author = author->key,
                .author_role = author->role,
                .holder = x->by->holder,
                .height = x->height,
                .time_ms = x->time_ms,
                .has_locator_commit = p->has_locator_commit,
                .patient_reported = p->patient_reported,
                .locator_commit = p->locator_commit,
            },
    };
    memcpy(record.sens_tag, p->sens_tag.bytes, sizeof record.sens_tag);
    sy_exec_save_record(x, &p->record_id, &record);
}

enum sy_refusal sy_contract_record_contribute(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_contribute *p = &payload->record_contribute;
    SY_ASSERT(x->kind->number == SY_KIND_record_contribute && x->by->valid && p->size > 0);
    struct sy_record_author author;
    const struct sy_tag *label = p->has_sens_tag ? &p->sens_tag : NULL;
    if (sy_exec_has(x, SY_STATE_RECORD, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_EXISTS, &p->record_id);
    }
    enum sy_refusal code = sy_record_check_patient(x, &p->patient_id, p->patient_reported);
    if (code != SY_APPLIED) return code;
    code = sy_record_judge_author(x, &author, p->has_author ? &p->author : NULL, p->author_role,
                                  p->class);
    if (code != SY_APPLIED) return code;
    code = sy_record_check_writing(x, &p->patient_id, p->class, label, &author.key);
    if (code == SY_APPLIED) code = sy_record_check_size(x, p->size);
    if (code == SY_APPLIED) code = check_parents(x, p, &author.key);
    if (code != SY_APPLIED) return code;
    save_contributed(x, p, &author);
    sy_exec_place(x, &p->patient_id, SY_PLACE_RECORD, &p->record_id, 1);
    struct sy_hash id;
    for (size_t offset = 0; sy_list_next_id(&p->parents, &offset, &id);) {
        add_link(x, &id, p->relation, &p->record_id);
    }
    sy_exec_event(x, SY_EVENT_RECORD_LINKED, SY_SUBJECT_PATIENT, &p->patient_id, &p->record_id);
    return SY_APPLIED;
}

// --- record.cosign -----------------------------------------------------------------------------

/* May the key sign versions of the record besides their authors? */
static enum sy_refusal check_cosigner(struct sy_exec *x, const struct sy_record *record,
                                      const struct sy_record_version *version)
{
    struct sy_may_answer answer;
    struct sy_credential credential;
    bool own = sy_hash_equal(&record->holder, &x->by->holder) ||
               sy_hash_equal(&version->holder, &x->by->holder);
    if (!own && record->subject_kind != SY_SUBJECT_PATIENT) {
        return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &record->holder);
    }
    if (!own) {
        sy_record_ask(x, &answer, record, &x->by->key, SY_ACTION_WRITE);
        if (!answer.allowed) return sy_record_refuse(x, &answer, SY_E_NO_CARE, &record->subject);
    }
    if (!sy_exec_find_credential(x, &credential, &x->by->key)) return SY_APPLIED; // source fails
    if (sy_record_scope_allows(&credential.scope, record->record_class)) return SY_APPLIED;
    return sy_refuse_path(x, SY_E_ROLE, "class");
}

static enum sy_refusal check_meaning(struct sy_exec *x, const struct sy_record *record,
                                     const struct sy_record_version *version, uint16_t meaning)
{
    struct sy_hash author = sy_exec_line(x, &version->author); // the holder, whichever key it was
    bool is_author = sy_hash_equal(&author, &x->by->line);
    SY_ASSERT(meaning >= SY_COSIGN_AUTHOR && meaning <= SY_COSIGN_LEGAL);
    if (meaning == SY_COSIGN_VERIFIER && is_author) {
        return sy_refuse_key(x, SY_E_SELF_VERIFIED, &x->by->key);
    }
    if (meaning != SY_COSIGN_AUTHOR) return SY_APPLIED;
    // The source system knew no practitioner: one of its organisation says that it was them.
    bool unnamed =
        version->author_role == SY_ROLE_GATEWAY && sy_hash_equal(&version->holder, &x->by->holder);
    if (!is_author && !unnamed) return sy_refuse_key(x, SY_E_NOT_AUTHOR, &version->author);
    if (sy_record_prescribes(x->by->role) || !sy_class_needs_prescriber(record->record_class)) {
        return SY_APPLIED;
    }
    (void)sy_refuse_path(x, SY_E_ROLE, "class");
    return sy_refuse_role(x, SY_ROLE_BIT(SY_ROLE_DOCTOR) | SY_ROLE_BIT(SY_ROLE_GATEWAY));
}

/* Adds the signer to those who signed the version. */
static enum sy_refusal add_cosignature(struct sy_exec *x, const struct sy_record_cosign *p)
{
    struct sy_cosignatures list = {.count = 0};
    struct sy_hash key_hash;
    struct sy_slice value;
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_state_key_cosignatures(&key_hash, &p->record_id, p->version);
    if (sy_exec_find(x, &value, &key_hash) && !sy_cosignatures_decode(&list, value)) {
        x->failed = SY_ERR_CORRUPT;
        return SY_APPLIED;
    }
    for (unsigned i = 0; i < list.count; i++) {
        struct sy_hash line = sy_exec_line(x, &list.items[i].key);
        if (sy_hash_equal(&line, &x->by->line)) {
            return sy_refuse_key(x, SY_E_COSIGNED, &x->by->key);
        }
    }
    if (list.count >= SY_COSIGNATURES_MAX) {
        x->detail = SY_COSIGNATURES_MAX;
        return SY_E_COSIGNATURES;
    }
    list.items[list.count++] = (struct sy_cosignature){.key = x->by->key,
                                                       .role = x->by->role,
                                                       .holder = x->by->holder,
                                                       .meaning = p->meaning,
                                                       .height = x->height,
                                                       .time_ms = x->time_ms};
    sy_cosignatures_encode(&w, &list);
    sy_exec_save(x, &key_hash, &w);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_record_cosign(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_cosign *p = &payload->record_cosign;
    SY_ASSERT(x->kind->number == SY_KIND_record_cosign && x->by->valid && p->version > 0);
    struct sy_record record;
    struct sy_record_version version;
    if (!sy_exec_find_record(x, &record, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    if (p->version > record.versions) {
        x->detail = record.versions;
        return SY_E_VERSION_UNKNOWN;
    }
    if (!sy_record_find_version(x, &version, &record, &p->record_id, p->version)) {
        return SY_E_VERSION_UNKNOWN; // the source fails
    }
    enum sy_refusal code = check_cosigner(x, &record, &version);
    if (code != SY_APPLIED) return code;
    if (record.erased) return sy_refuse_hash(x, SY_E_RECORD_ERASED, &p->record_id);
    if (record.retracted) return sy_refuse_hash(x, SY_E_RECORD_STATE, &p->record_id);
    code = check_meaning(x, &record, &version, p->meaning);
    if (code == SY_APPLIED) code = add_cosignature(x, p);
    if (code != SY_APPLIED || x->failed != SY_OK) return code;
    sy_exec_event(x, SY_EVENT_RECORD_SIGNED, (enum sy_subject_kind)record.subject_kind,
                  &record.subject, &p->record_id);
    return SY_APPLIED;
}

// --- record.dup_report -------------------------------------------------------------------------

/* Finds both records, which are of one subject. The one whose holder the signer acts for may be
 * either; the patient holds all. */
static enum sy_refusal find_pair(struct sy_exec *x, struct sy_record *one, struct sy_record *other,
                                 const struct sy_record_dup_report *p)
{
    if (!sy_exec_find_record(x, one, &p->record_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->record_id);
    }
    if (!sy_exec_find_record(x, other, &p->other_id)) {
        return sy_refuse_hash(x, SY_E_RECORD_UNKNOWN, &p->other_id);
    }
    bool same = sy_record_same_subject(x, one, other->subject_kind, &other->subject);
    if (!same) return sy_refuse_hash(x, SY_E_PATIENT_MISMATCH, &p->other_id);
    bool patient = x->by->role == SY_ROLE_PATIENT &&
                   sy_record_same_subject(x, one, SY_SUBJECT_PATIENT, &x->by->holder);
    bool own = sy_hash_equal(&one->holder, &x->by->holder) ||
               sy_hash_equal(&other->holder, &x->by->holder);
    if (!patient && !own) return sy_refuse_hash(x, SY_E_NOT_AUTHOR, &one->holder);
    enum sy_refusal code = check_reading(x, one, &x->by->key);
    if (code == SY_APPLIED) code = check_reading(x, other, &x->by->key);
    if (code != SY_APPLIED) return code;
    if (one->erased) return sy_refuse_hash(x, SY_E_RECORD_ERASED, &p->record_id);
    if (other->erased) return sy_refuse_hash(x, SY_E_RECORD_ERASED, &p->other_id);
    return SY_APPLIED;
}

enum sy_refusal sy_contract_record_dup_report(struct sy_exec *x, const union sy_payload *payload)
{
    const struct sy_record_dup_report *p = &payload->record_dup_report;
    SY_ASSERT(x->kind->number == SY_KIND_record_dup_report && x->by->valid);
    struct sy_record one, other;
    struct sy_hash key_hash;
    struct sy_slice value;
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    if (sy_hash_equal(&p->record_id, &p->other_id)) {
        return sy_refuse_path(x, SY_E_SCHEMA, "other_id");
    }
    enum sy_refusal code = find_pair(x, &one, &other, p);
    if (code != SY_APPLIED) return code;
    sy_state_key_duplicate(&key_hash, &p->record_id, &p->other_id);
    if (sy_exec_find(x, &value, &key_hash)) {
        return sy_refuse_hash(x, SY_E_DUPLICATE, &p->other_id);
    }
    struct sy_duplicate duplicate = {.reporter = x->by->key,
                                     .holder = x->by->holder,
                                     .height = x->height,
                                     .time_ms = x->time_ms};
    enum sy_subject_kind kind = (enum sy_subject_kind)one.subject_kind;
    struct sy_hash subject = one.subject;
    sy_duplicate_encode(&w, &duplicate);
    sy_exec_save(x, &key_hash, &w);
    add_link(x, &p->record_id, SY_LINK_DUPLICATE, &p->other_id);
    add_link(x, &p->other_id, SY_LINK_DUPLICATE, &p->record_id);
    sy_exec_event(x, SY_EVENT_RECORD_DUPLICATE, kind, &subject, &p->record_id);
    sy_exec_event(x, SY_EVENT_RECORD_DUPLICATE, kind, &subject, &p->other_id);
    return SY_APPLIED;
}
