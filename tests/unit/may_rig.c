/* may_rig.c: see may_rig.h. */
#include "tests/unit/may_rig.h"

#include <string.h>

const char *const classes[CLASSES] = {"Observation", "Condition", SY_MAY_CLASS_PATIENT};
const struct sy_tag labels[LABELS] = {{{1}}, {{2}}, {{3}}};

struct shelf shelf;

static struct sy_writer begin_entry(void)
{
    assert_true(shelf.count < ENTRIES_MAX);
    return sy_writer_of(shelf.entries[shelf.count].bytes, sizeof shelf.entries[0].bytes);
}

static void end_entry(const struct sy_writer *w, enum sy_state_kind kind, const struct sy_hash *id,
                      const struct sy_hash *second)
{
    struct entry *entry = &shelf.entries[shelf.count++];
    assert_false(w->failed);
    entry->kind = kind;
    entry->id = *id;
    entry->second = second ? *second : (struct sy_hash){{0}};
    entry->size = w->used;
}

sy_status shelf_get(void *self, struct sy_slice *value, enum sy_state_kind kind,
                    const struct sy_hash *id, const struct sy_hash *second)
{
    static const struct sy_hash none;
    struct shelf *from = self;
    memset(from->lent, 0xEE, sizeof from->lent); // what was lent before is gone
    if (++from->gets == from->fail_at) return SY_ERR_IO;
    for (unsigned i = 0; i < from->count; i++) {
        const struct entry *entry = &from->entries[i];
        if (entry->kind != kind || !sy_hash_equal(&entry->id, id)) continue;
        if (!sy_hash_equal(&entry->second, second ? second : &none)) continue;
        memcpy(from->lent, entry->bytes, entry->size);
        *value = sy_slice_of(from->lent, entry->size - (i + 1 == from->spoil ? 1 : 0));
        return SY_OK;
    }
    return SY_ERR_NOT_FOUND;
}

static struct sy_hash key_id(unsigned key)
{
    struct sy_public_key public = test_public(key);
    struct sy_hash id;
    memcpy(id.bytes, public.bytes, sizeof id.bytes);
    return id;
}

unsigned plain_line(const struct plain_world *world, unsigned key)
{
    return world->keys[key].after == 0 ? key : world->keys[key].after - 1;
}

static void shelve_key(const struct plain_world *world, unsigned number)
{
    const struct plain_key *key = &world->keys[number];
    struct sy_credential credential = {.use = SY_KEY_TX,
                                       .role = key->role,
                                       .holder = test_hash(key->org),
                                       .revoked = key->revoked != NEVER,
                                       .revoked_height = key->revoked,
                                       .not_before_ms = key->from,
                                       .not_after_ms = key->until,
                                       .issued_height = key->issued};
    struct sy_hash id = key_id(number);
    struct sy_writer w = begin_entry();
    credential.has_line = key->after != 0;
    if (key->after != 0) credential.line = test_public(key->after - 1);
    if (number == NEXT_WALLET) credential.holder = test_hash(PATIENT);
    if (number == WALLET) credential.holder = test_hash(PATIENT);
    if (number == OTHER_WALLET) credential.holder = test_hash(PATIENT + 1);
    if (number == REGULATOR) credential.holder = (struct sy_hash){{0}};
    sy_credential_encode(&w, &credential);
    end_entry(&w, SY_STATE_CREDENTIAL, &id, NULL);
}

static void shelve_org(const struct plain_world *world, unsigned number)
{
    struct sy_org org = {.kind = SY_ORG_HOSPITAL,
                         .suspended = world->suspended[number] != NEVER,
                         .suspended_height = world->suspended[number]};
    struct sy_hash id = test_hash(number);
    struct sy_hash patient = test_hash(PATIENT);
    struct sy_hash care_id = test_hash(CARE + number);
    struct sy_writer w = begin_entry();
    sy_org_encode(&w, &org);
    end_entry(&w, SY_STATE_ORG, &id, NULL);
    if (world->cared[number] == NEVER) return;
    struct sy_care care = {
        .patient = patient, .organisation = id, .opened_height = world->cared[number]};
    w = begin_entry();
    sy_care_encode(&w, &care);
    end_entry(&w, SY_STATE_CARE, &care_id, NULL);
    w = begin_entry();
    sy_id_encode(&w, &care_id);
    end_entry(&w, SY_STATE_OPEN_CARE, &patient, &id);
}

static void shelve_patient(const struct plain_world *world)
{
    struct sy_patient patient = {.organisation = test_hash(world->enrolled_by),
                                 .claimed = world->claimed,
                                 .wallet_key = test_public(WALLET),
                                 .enrolled_height = world->enrolled};
    struct sy_hash id = test_hash(PATIENT);
    struct sy_writer w = begin_entry();
    sy_patient_encode(&w, &patient);
    if (world->enrolled != NEVER) end_entry(&w, SY_STATE_PATIENT, &id, NULL);
}

/* The id that was merged, and who treats the patient under it. */
static void shelve_old(const struct plain_world *world)
{
    struct sy_patient patient = {.organisation = test_hash(world->old_by),
                                 .enrolled_height = 1,
                                 .merged = true,
                                 .into = test_hash(PATIENT),
                                 .merged_height = world->merged};
    struct sy_hash id = test_hash(OLD);
    struct sy_writer w = begin_entry();
    sy_patient_encode(&w, &patient);
    end_entry(&w, SY_STATE_PATIENT, &id, NULL);
    if (world->old_care == ORGS) return;
    struct sy_hash org = test_hash(world->old_care), care_id = test_hash(CARE + 50);
    struct sy_care care = {.patient = id, .organisation = org, .opened_height = 1};
    w = begin_entry();
    sy_care_encode(&w, &care);
    end_entry(&w, SY_STATE_CARE, &care_id, NULL);
    w = begin_entry();
    sy_id_encode(&w, &care_id);
    end_entry(&w, SY_STATE_OPEN_CARE, &id, &org);
}

static struct sy_hash grantee_of(const struct plain_consent *plain)
{
    struct sy_hash id = {{0}};
    if (plain->circle == SY_GRANTEE_KEY) return key_id(plain->grantee);
    if (plain->circle == SY_GRANTEE_ORG) return test_hash(plain->grantee);
    sy_store_u16(id.bytes, (uint16_t)plain->grantee);
    return id;
}

static void shelve_consent(const struct plain_consent *plain, unsigned number)
{
    uint8_t room[256];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_consent consent = {.patient = test_hash(PATIENT),
                                 .number = number + 1,
                                 .grantee_kind = plain->circle,
                                 .grantee = grantee_of(plain),
                                 .denies = plain->denies,
                                 .revoked = plain->revoked != NEVER,
                                 .actions = plain->actions,
                                 .purposes = plain->purposes,
                                 .from_ms = plain->from,
                                 .until_ms = plain->until,
                                 .given_height = plain->given,
                                 .passed_on = plain->parent != 0,
                                 .parent = test_hash(CONSENT + plain->parent - 1),
                                 .revoked_height = plain->revoked};
    for (unsigned i = 0; i < CLASSES; i++) {
        struct sy_slice name = sy_slice_of(classes[i], strlen(classes[i]));
        if (plain->classes >> i & 1) sy_list_add_text(&consent.classes, &lists, name);
    }
    for (unsigned i = 0; i < LABELS; i++) {
        if (plain->labels >> i & 1) sy_list_add_tag(&consent.labels, &lists, &labels[i]);
    }
    struct sy_hash id = test_hash(CONSENT + number), patient = test_hash(PATIENT), place = {{0}};
    struct sy_writer w = begin_entry();
    sy_consent_encode(&w, &consent);
    end_entry(&w, SY_STATE_CONSENT, &id, NULL);
    sy_store_u64(place.bytes, number + 1);
    w = begin_entry();
    sy_id_encode(&w, &id);
    end_entry(&w, SY_STATE_CONSENT_PLACE, &patient, &place);
}

/* Each finds the one before of its key; the last is what is found first. */
static void shelve_break(const struct plain_world *world, unsigned number)
{
    const struct plain_break *plain = &world->breaks[number];
    unsigned of = plain->of_old ? OLD : PATIENT;
    struct sy_break entry = {.patient = test_hash(of),
                             .key = test_public(plain->key),
                             .height = plain->height,
                             .from_ms = plain->from,
                             .until_ms = plain->until};
    if (plain->unjustified != NEVER) {
        entry.reviewed = true;
        entry.outcome = SY_REVIEW_UNJUSTIFIED;
        entry.reviewed_height = plain->unjustified;
        entry.reviewer = test_public(plain->key);
    }
    struct sy_hash id = test_hash(BREAK + number), patient = test_hash(of);
    unsigned line = plain_line(world, plain->key);
    struct sy_hash key = key_id(line);
    bool last = true;
    for (unsigned i = 0; i < world->break_count; i++) {
        if (plain_line(world, world->breaks[i].key) != line || i == number) continue;
        if (world->breaks[i].of_old != plain->of_old) continue;
        if (i > number) last = false;
        if (i > number) continue;
        entry.has_previous = true;
        entry.previous = test_hash(BREAK + i);
    }
    struct sy_writer w = begin_entry();
    sy_break_encode(&w, &entry);
    end_entry(&w, SY_STATE_BREAK, &id, NULL);
    if (!last) return;
    w = begin_entry();
    sy_id_encode(&w, &id);
    end_entry(&w, SY_STATE_BREAK_OF, &patient, &key);
}

void shelve(const struct plain_world *world)
{
    uint8_t room[CONSENTS_MAX * 32];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_consents consents = {.given = world->consent_count};
    struct sy_hash patient = test_hash(PATIENT);
    shelf.count = 0;
    for (unsigned i = 0; i < KEYS; i++) shelve_key(world, i);
    for (unsigned i = 0; i < ORGS; i++) shelve_org(world, i);
    shelve_patient(world);
    if (world->merged != NEVER) shelve_old(world);
    for (unsigned i = 0; i < world->consent_count; i++) {
        struct sy_hash id = test_hash(CONSENT + i);
        shelve_consent(&world->consents[i], i);
        if (world->consents[i].revoked == NEVER) sy_list_add_id(&consents.live, &lists, &id);
    }
    for (unsigned i = 0; i < world->break_count; i++) shelve_break(world, i);
    if (world->consent_count == 0) return;
    struct sy_writer w = begin_entry();
    sy_consents_encode(&w, &consents);
    end_entry(&w, SY_STATE_CONSENTS, &patient, NULL);
}

struct sy_may_question question_of(const struct plain_question *plain, struct sy_hash *holder)
{
    struct sy_may_question question = {
        .subject = test_hash(plain->of_old ? OLD : PATIENT),
        .who = test_public(plain->key),
        .purpose = plain->purpose,
        .action = plain->action,
        .record_class = sy_slice_of(classes[plain->class], strlen(classes[plain->class])),
        .label = plain->label == 0 ? NULL : &labels[plain->label - 1],
        .height = plain->height,
        .time_ms = plain->time_ms,
        .past = plain->past,
    };
    *holder = test_hash(plain->holder - 1);
    if (plain->holder != 0) question.holder = holder;
    return question;
}

struct sy_may_answer ask(const struct plain_question *plain)
{
    struct sy_hash holder;
    struct sy_may_answer answer;
    struct sy_may_question question = question_of(plain, &holder);
    shelf.gets = 0;
    assert_int_equal(sy_may(&answer, &question, shelf_get, &shelf), SY_OK);
    return answer;
}
