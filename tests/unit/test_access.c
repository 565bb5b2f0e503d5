/* Who may read what: every line of access.h's table, both ways. */
#include "consensus/node/access.h"

#include <stdlib.h>

#include "core/base/bytes.h"
#include "core/wire/delta.h"
#include "core/wire/state.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define NOW_MS (TEST_GENESIS_MS + 1000000)
#define ENTRIES_MAX 64u

/* Keys by number, ids by hash number. */
enum {
    KEY_REGULATOR = 1,
    KEY_ADMIN_A, /* organisation A enrolled the patient */
    KEY_DOCTOR_A,
    KEY_DOCTOR_B,     /* B holds an open care */
    KEY_DOCTOR_C,     /* C has nothing to do with the patient */
    KEY_AUDITOR_C,    /* of C */
    KEY_DOCTOR_D,     /* D is suspended; it enrolled OTHER_PATIENT */
    KEY_WALLET,       /* the patient's */
    KEY_OTHER_WALLET, /* another patient's */
    KEY_REVOKED_A,
    KEY_EXPIRED_A,
    KEY_EARLY_A,
    KEY_CONSENSUS_A, /* a validator's key that A holds */
    KEY_NOBODY
};
enum {
    ORG_A = 100,
    ORG_B,
    ORG_C,
    ORG_D,
    PATIENT = 200,
    OTHER_PATIENT,
    NO_PATIENT,
    CARE_OPEN = 300,
    CARE_CLOSED,
    NO_CARE,
    RECORD_PATIENT = 400,
    RECORD_ORG,
    RECORD_KEY,
    RECORD_OTHER, /* of OTHER_PATIENT */
    RECORD_LABEL, /* of PATIENT, with a label */
    NO_RECORD,
    CONSENT = 500,
    NO_CONSENT = 599
};

static const struct sy_tag label = {{0x5A, 1}};

struct entry {
    struct sy_hash key;
    uint8_t bytes[512];
    size_t size;
};

struct state_rig {
    sy_store *store;
    struct sy_access access;
    struct entry entries[ENTRIES_MAX];
    unsigned count;
};

static struct sy_writer begin_entry(struct state_rig *rig)
{
    assert_true(rig->count < ENTRIES_MAX);
    struct entry *entry = &rig->entries[rig->count];
    return sy_writer_of(entry->bytes, sizeof entry->bytes);
}

static struct sy_hash *end_entry(struct state_rig *rig, const struct sy_writer *w)
{
    assert_false(w->failed);
    struct entry *entry = &rig->entries[rig->count++];
    entry->size = w->used;
    return &entry->key;
}

static struct sy_hash id_of(unsigned number)
{
    struct sy_hash zero = {{0}};
    return number == 0 ? zero : test_hash(number);
}

static void add_credential(struct state_rig *rig, unsigned key, uint8_t role, unsigned holder)
{
    struct sy_credential credential = {.use = SY_KEY_TX,
                                       .role = role,
                                       .holder = id_of(holder),
                                       .not_before_ms = TEST_GENESIS_MS,
                                       .not_after_ms = INT64_MAX};
    if (key == KEY_REVOKED_A) credential.revoked = true;
    if (key == KEY_EXPIRED_A) credential.not_after_ms = NOW_MS - 1;
    if (key == KEY_EARLY_A) credential.not_before_ms = NOW_MS + 1;
    if (key == KEY_CONSENSUS_A) credential.use = SY_KEY_CONSENSUS;
    if (key == KEY_CONSENSUS_A) credential.role = 0;
    struct sy_writer w = begin_entry(rig);
    sy_credential_encode(&w, &credential);
    struct sy_public_key public = test_public(key);
    sy_state_key_public(end_entry(rig, &w), SY_STATE_CREDENTIAL, &public);
}

static void add_org(struct state_rig *rig, unsigned org, bool suspended)
{
    struct sy_org value = {.kind = SY_ORG_HOSPITAL, .suspended = suspended};
    struct sy_writer w = begin_entry(rig);
    if (suspended) value.suspend_reason = SY_SUSPEND_LICENCE;
    sy_org_encode(&w, &value);
    struct sy_hash id = test_hash(org);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_ORG, &id);
}

static void add_patient(struct state_rig *rig, unsigned patient, unsigned org, unsigned wallet)
{
    struct sy_patient value = {.organisation = test_hash(org), .claimed = wallet != 0};
    if (wallet != 0) value.wallet_key = test_public(wallet);
    struct sy_writer w = begin_entry(rig);
    sy_patient_encode(&w, &value);
    struct sy_hash id = test_hash(patient);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_PATIENT, &id);
}

static void add_care(struct state_rig *rig, unsigned care, unsigned org, uint64_t closed_height)
{
    struct sy_care value = {.patient = test_hash(PATIENT),
                            .organisation = test_hash(org),
                            .opened_height = 1,
                            .closed_height = closed_height};
    struct sy_writer w = begin_entry(rig);
    sy_care_encode(&w, &value);
    struct sy_hash id = test_hash(care);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_CARE, &id);
    if (closed_height != 0) return;
    w = begin_entry(rig);
    sy_id_encode(&w, &id);
    sy_state_key_open_care(end_entry(rig, &w), &value.patient, &value.organisation);
}

static void add_record(struct state_rig *rig, unsigned number, uint8_t subject_kind,
                       const struct sy_hash *subject)
{
    struct sy_record record = {.subject_kind = subject_kind,
                               .subject = *subject,
                               .holder = test_hash(ORG_A),
                               .record_class = sy_slice_of("Observation", 11),
                               .versions = 1,
                               .head_count = 1,
                               .heads = {1}};
    record.first.version = 1;
    record.first.form = SY_FORM_RAW;
    record.has_sens_tag = number == RECORD_LABEL;
    memcpy(record.sens_tag, label.bytes, sizeof record.sens_tag);
    struct sy_writer w = begin_entry(rig);
    sy_record_encode(&w, &record);
    struct sy_hash id = test_hash(number);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_RECORD, &id);
}

/* A consent of PATIENT to read, for treatment: what the cases below change one thing of. */
struct consent_of {
    unsigned number; /* from CONSENT on */
    uint8_t grantee_kind;
    unsigned grantee; /* key, organisation, or role */
    bool denies, labelled;
    const char *only_class;
    bool over;
};

static struct sy_hash grantee_of(const struct consent_of *about)
{
    struct sy_hash id = {{0}};
    struct sy_public_key key;
    if (about->grantee_kind == SY_GRANTEE_ORG) return test_hash(about->grantee);
    if (about->grantee_kind == SY_GRANTEE_ROLE) {
        sy_store_u16(id.bytes, (uint16_t)about->grantee);
        return id;
    }
    key = test_public(about->grantee);
    memcpy(id.bytes, key.bytes, sizeof id.bytes);
    return id;
}

static void add_consent(struct state_rig *rig, const struct consent_of *about)
{
    uint8_t room[64];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_consent consent = {.patient = test_hash(PATIENT),
                                 .number = 1,
                                 .grantee_kind = about->grantee_kind,
                                 .grantee = grantee_of(about),
                                 .denies = about->denies,
                                 .actions = SY_SET_BIT(SY_ACTION_READ),
                                 .purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT),
                                 .until_ms = about->over ? NOW_MS - 1 : NOW_MS + 1};
    struct sy_writer w = begin_entry(rig);
    if (about->labelled) sy_list_add_tag(&consent.labels, &lists, &label);
    if (about->only_class) {
        struct sy_slice name = sy_slice_of(about->only_class, strlen(about->only_class));
        sy_list_add_text(&consent.classes, &lists, name);
    }
    sy_consent_encode(&w, &consent);
    struct sy_hash id = test_hash(about->number);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_CONSENT, &id);
}

static void add_consents(struct state_rig *rig, const struct consent_of *abouts, unsigned count)
{
    uint8_t room[8 * 32];
    struct sy_writer lists = sy_writer_of(room, sizeof room);
    struct sy_consents consents = {.given = count};
    struct sy_hash patient = test_hash(PATIENT);
    for (unsigned i = 0; i < count; i++) {
        struct sy_hash id = test_hash(abouts[i].number);
        add_consent(rig, &abouts[i]);
        sy_list_add_id(&consents.live, &lists, &id);
    }
    struct sy_writer w = begin_entry(rig);
    sy_consents_encode(&w, &consents);
    sy_state_key_id(end_entry(rig, &w), SY_STATE_CONSENTS, &patient);
}

static int by_key(const void *a, const void *b)
{
    return sy_hash_compare(&((const struct entry *)a)->key, &((const struct entry *)b)->key);
}

static void apply(struct state_rig *rig)
{
    static uint8_t bytes[ENTRIES_MAX * 600];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_error err;
    qsort(rig->entries, rig->count, sizeof rig->entries[0], by_key);
    for (unsigned i = 0; i < rig->count; i++) {
        struct sy_delta delta = {.key = rig->entries[i].key, .op = SY_DELTA_PUT};
        delta.value = sy_slice_of(rig->entries[i].bytes, rig->entries[i].size);
        sy_delta_write(&w, &delta);
    }
    assert_int_equal(sy_state_apply(rig->store, 0, sy_writer_slice(&w), &err), SY_OK);
    assert_int_equal(sy_state_view_open(&rig->access.view, rig->store), SY_OK);
    rig->access.time_ms = NOW_MS;
}

static void populate(struct state_rig *rig)
{
    add_credential(rig, KEY_REGULATOR, SY_ROLE_REGULATOR, 0);
    add_credential(rig, KEY_ADMIN_A, SY_ROLE_ORG_ADMIN, ORG_A);
    add_credential(rig, KEY_DOCTOR_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_DOCTOR_B, SY_ROLE_DOCTOR, ORG_B);
    add_credential(rig, KEY_DOCTOR_C, SY_ROLE_DOCTOR, ORG_C);
    add_credential(rig, KEY_AUDITOR_C, SY_ROLE_AUDITOR, ORG_C);
    add_credential(rig, KEY_DOCTOR_D, SY_ROLE_DOCTOR, ORG_D);
    add_credential(rig, KEY_WALLET, SY_ROLE_PATIENT, PATIENT);
    add_credential(rig, KEY_OTHER_WALLET, SY_ROLE_PATIENT, OTHER_PATIENT);
    add_credential(rig, KEY_REVOKED_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_EXPIRED_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_EARLY_A, SY_ROLE_DOCTOR, ORG_A);
    add_credential(rig, KEY_CONSENSUS_A, 0, ORG_A);
    for (unsigned org = ORG_A; org <= ORG_D; org++) add_org(rig, org, org == ORG_D);
    add_patient(rig, PATIENT, ORG_A, KEY_WALLET);
    add_patient(rig, OTHER_PATIENT, ORG_D, 0);
    add_care(rig, CARE_OPEN, ORG_B, 0);
    add_care(rig, CARE_CLOSED, ORG_C, 5);
    struct sy_hash patient = test_hash(PATIENT);
    struct sy_hash org = test_hash(ORG_A);
    struct sy_hash key;
    struct sy_public_key public = test_public(KEY_DOCTOR_A);
    memcpy(key.bytes, public.bytes, sizeof key.bytes);
    struct sy_hash other = test_hash(OTHER_PATIENT);
    add_record(rig, RECORD_PATIENT, SY_SUBJECT_PATIENT, &patient);
    add_record(rig, RECORD_LABEL, SY_SUBJECT_PATIENT, &patient);
    add_record(rig, RECORD_OTHER, SY_SUBJECT_PATIENT, &other);
    add_record(rig, RECORD_ORG, SY_SUBJECT_ORG, &org);
    add_record(rig, RECORD_KEY, SY_SUBJECT_KEY, &key);
}

static void open_rig_with(struct state_rig *rig, const struct consent_of *consents, unsigned count)
{
    struct sy_store_config config = {.init = true};
    memset(rig, 0, sizeof *rig);
    assert_int_equal(sy_store_open_memory(&rig->store, &config), SY_OK);
    populate(rig);
    if (count > 0) add_consents(rig, consents, count);
    apply(rig);
}

static void open_rig(struct state_rig *rig)
{
    open_rig_with(rig, NULL, 0);
}

static void close_rig(struct state_rig *rig)
{
    sy_state_view_close(rig->access.view);
    sy_store_close(rig->store);
}

static struct sy_read_request read_of(unsigned key, uint8_t state_kind, unsigned id)
{
    return (struct sy_read_request){.subject = SY_READ_STATE,
                                    .state_kind = state_kind,
                                    .id = test_hash(id),
                                    .purpose = SY_PURPOSE_TREATMENT,
                                    .reader = test_public(key)};
}

static bool may(const struct state_rig *rig, unsigned key, uint8_t state_kind, unsigned id)
{
    struct sy_read_request read = read_of(key, state_kind, id);
    return sy_access_state(&rig->access, &read);
}

/* ---- the table --------------------------------------------------------------------------- */

CASE(access_shows_the_directory_to_any_reader)
{
    static const uint8_t kinds[] = {
        SY_STATE_PARAMS,      SY_STATE_ROSTER,       SY_STATE_VALIDATOR, SY_STATE_MAKER,
        SY_STATE_EVENT_COUNT, SY_STATE_CREDENTIAL,   SY_STATE_ORG,       SY_STATE_ORG_EVENTS,
        SY_STATE_PREFIX,      SY_STATE_ROSTER_CHANGE};
    struct state_rig rig;
    open_rig(&rig);
    for (size_t i = 0; i < sizeof kinds; i++) {
        assert_true(may(&rig, KEY_DOCTOR_C, kinds[i], ORG_A));
        assert_true(may(&rig, KEY_OTHER_WALLET, kinds[i], ORG_A));
        assert_false(may(&rig, KEY_NOBODY, kinds[i], ORG_A));
    }
    close_rig(&rig);
}

CASE(access_shows_a_patients_credential_to_those_who_see_the_patient)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_read_request read = read_of(KEY_DOCTOR_C, SY_STATE_CREDENTIAL, ORG_A);
    struct sy_public_key wallet = test_public(KEY_WALLET);
    memcpy(read.id.bytes, wallet.bytes, sizeof read.id.bytes);
    assert_false(sy_access_state(&rig.access, &read));
    struct sy_read_request own = read_of(KEY_WALLET, SY_STATE_CREDENTIAL, ORG_A);
    own.id = read.id;
    assert_true(sy_access_state(&rig.access, &own));
    struct sy_read_request treating = read_of(KEY_DOCTOR_B, SY_STATE_CREDENTIAL, ORG_A);
    treating.id = read.id;
    assert_true(sy_access_state(&rig.access, &treating));
    close_rig(&rig);
}

CASE(access_knows_readers_by_a_credential_that_holds_now)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may(&rig, KEY_DOCTOR_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_REVOKED_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_EXPIRED_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_EARLY_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_CONSENSUS_A, SY_STATE_ORG, ORG_A));
    assert_false(may(&rig, KEY_DOCTOR_D, SY_STATE_ORG, ORG_A)); /* its organisation is suspended */
    rig.access.time_ms = NOW_MS - 1;
    assert_true(may(&rig, KEY_EXPIRED_A, SY_STATE_ORG, ORG_A));
    rig.access.time_ms = NOW_MS + 1;
    assert_true(may(&rig, KEY_EARLY_A, SY_STATE_ORG, ORG_A));
    close_rig(&rig);
}

static bool may_nonces(const struct state_rig *rig, unsigned reader, unsigned of)
{
    struct sy_read_request read = read_of(reader, SY_STATE_NONCES, 1);
    struct sy_public_key key = test_public(of);
    memcpy(read.id.bytes, key.bytes, sizeof read.id.bytes);
    return sy_access_state(&rig->access, &read);
}

CASE(access_shows_nonces_to_the_key_and_its_organisation)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may_nonces(&rig, KEY_DOCTOR_A, KEY_DOCTOR_A));
    assert_true(may_nonces(&rig, KEY_ADMIN_A, KEY_DOCTOR_A));
    assert_false(may_nonces(&rig, KEY_DOCTOR_B, KEY_DOCTOR_A));
    assert_true(may_nonces(&rig, KEY_WALLET, KEY_WALLET));
    assert_false(may_nonces(&rig, KEY_OTHER_WALLET, KEY_WALLET));
    assert_false(may_nonces(&rig, KEY_DOCTOR_A, KEY_WALLET));
    assert_false(may_nonces(&rig, KEY_REVOKED_A, KEY_REVOKED_A));
    close_rig(&rig);
}

/* Everything about a patient: the wallet, who enrolled, who treats. */
CASE(access_shows_a_patient_to_the_patient_and_who_treats)
{
    struct state_rig rig;
    open_rig(&rig);
    static const struct {
        uint8_t kind;
        unsigned id;
    } about[] = {{SY_STATE_PATIENT, PATIENT},
                 {SY_STATE_OPEN_CARE, PATIENT},
                 {SY_STATE_RECORD, RECORD_PATIENT},
                 {SY_STATE_RECORD_VERSION, RECORD_PATIENT},
                 {SY_STATE_CARE, CARE_OPEN}};
    for (size_t i = 0; i < sizeof about / sizeof about[0]; i++) {
        assert_true(may(&rig, KEY_WALLET, about[i].kind, about[i].id));
        assert_true(may(&rig, KEY_DOCTOR_A, about[i].kind, about[i].id));
        assert_true(may(&rig, KEY_DOCTOR_B, about[i].kind, about[i].id));
        assert_false(may(&rig, KEY_DOCTOR_C, about[i].kind, about[i].id)); /* its care is closed */
        assert_false(may(&rig, KEY_AUDITOR_C, about[i].kind, about[i].id));
        assert_false(may(&rig, KEY_OTHER_WALLET, about[i].kind, about[i].id));
        assert_false(may(&rig, KEY_NOBODY, about[i].kind, about[i].id));
        assert_true(may(&rig, KEY_REGULATOR, about[i].kind, about[i].id));
    }
    assert_false(may(&rig, KEY_OTHER_WALLET, SY_STATE_PATIENT, OTHER_PATIENT)); /* unclaimed */
    assert_false(may(&rig, KEY_DOCTOR_D, SY_STATE_PATIENT, OTHER_PATIENT));     /* suspended */
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_CARE, CARE_CLOSED)); /* its own, though over */
    assert_false(may(&rig, KEY_DOCTOR_B, SY_STATE_PATIENT, NO_PATIENT));
    close_rig(&rig);
}

CASE(access_tells_that_there_is_no_such_record_or_care)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_RECORD, NO_RECORD));
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_RECORD_VERSION, NO_RECORD));
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_CARE, NO_CARE));
    assert_false(may(&rig, KEY_NOBODY, SY_STATE_RECORD, NO_RECORD));
    close_rig(&rig);
}

CASE(access_shows_directory_records_to_any_reader)
{
    struct state_rig rig;
    open_rig(&rig);
    assert_true(may(&rig, KEY_DOCTOR_C, SY_STATE_RECORD, RECORD_ORG));
    assert_true(may(&rig, KEY_OTHER_WALLET, SY_STATE_RECORD, RECORD_KEY));
    assert_false(may(&rig, KEY_NOBODY, SY_STATE_RECORD, RECORD_KEY));
    close_rig(&rig);
}

CASE(access_lets_auditors_read_for_an_audit_only)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_read_request read = read_of(KEY_AUDITOR_C, SY_STATE_PATIENT, PATIENT);
    for (uint8_t purpose = SY_PURPOSE_TREATMENT; purpose <= SY_PURPOSE_EMERGENCY; purpose++) {
        read.purpose = purpose;
        assert_true(sy_access_state(&rig.access, &read) == (purpose == SY_PURPOSE_AUDIT));
    }
    read.reader = test_public(KEY_DOCTOR_C); /* the purpose alone opens nothing */
    assert_false(sy_access_state(&rig.access, &read));
    close_rig(&rig);
}

CASE(access_knows_no_other_kinds)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_hash key;
    for (unsigned kind = 0; kind < 256; kind++) {
        struct sy_read_request read = read_of(KEY_DOCTOR_A, (uint8_t)kind, PATIENT);
        bool known = kind >= SY_STATE_PARAMS && kind < SY_STATE_KIND_COUNT;
        assert_true(sy_read_key(&key, &read) == known);
        if (!known) assert_false(sy_access_state(&rig.access, &read));
    }
    close_rig(&rig);
}

/* ---- consents ---------------------------------------------------------------------------- */

enum column { COL_WALLET, COL_A, COL_B, COL_C, COL_OTHER, COL_REGULATOR, COL_COUNT };
static const unsigned column_keys[COL_COUNT] = {KEY_WALLET,   KEY_DOCTOR_A,     KEY_DOCTOR_B,
                                                KEY_DOCTOR_C, KEY_OTHER_WALLET, KEY_REGULATOR};

/* Who reads what under which consents; a letter a column: y or n. A enrolled the patient and wrote
 * the records, B holds an open care, C has nothing but what is granted. */
struct access_line {
    const char *what;
    struct consent_of consents[2];
    const char *patient, *record,
        *labelled; /* the patient's entry, the record, the one with a label */
};

static const struct access_line access_lines[] = {
    {"none", {{0}}, "yyynny", "yyynny", "yynnny"},
    {"to C", {{CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false}}, "yyyyny", "yyyyny", "yynnny"},
    {"to C's doctor",
     {{CONSENT, SY_GRANTEE_KEY, KEY_DOCTOR_C, .denies = false}},
     "yyyyny",
     "yyyyny",
     "yynnny"},
    {"to doctors",
     {{CONSENT, SY_GRANTEE_ROLE, SY_ROLE_DOCTOR, .denies = false}},
     "yyyyny",
     "yyyyny",
     "yynnny"},
    {"to another patient",
     {{CONSENT, SY_GRANTEE_KEY, KEY_OTHER_WALLET, .denies = false}},
     "yyynyy",
     "yyynyy",
     "yynnny"},
    {"to C, with the label",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .labelled = true}},
     "yyynny",
     "yyynny",
     "yynyny"},
    {"to C, of observations",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .only_class = "Observation"}},
     "yyynny",
     "yyyyny",
     "yynnny"},
    {"to C, of the patient's entry",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .only_class = "Patient"}},
     "yyyyny",
     "yyynny",
     "yynnny"},
    {"to C, over", {{CONSENT, SY_GRANTEE_ORG, ORG_C, .over = true}}, "yyynny", "yyynny", "yynnny"},
    {"not to A", {{CONSENT, SY_GRANTEE_ORG, ORG_A, .denies = true}}, "ynynny", "ynynny", "ynnnny"},
    {"not to A, of the label",
     {{CONSENT, SY_GRANTEE_ORG, ORG_A, .denies = true, .labelled = true}},
     "yyynny",
     "yyynny",
     "ynnnny"},
    {"not to doctors, but to B's",
     {{CONSENT, SY_GRANTEE_ROLE, SY_ROLE_DOCTOR, .denies = true},
      {CONSENT + 1, SY_GRANTEE_KEY, KEY_DOCTOR_B, .denies = false}},
     "ynynny",
     "ynynny",
     "ynnnny"},
    {"to C and not to its doctor",
     {{CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false},
      {CONSENT + 1, SY_GRANTEE_KEY, KEY_DOCTOR_C, .denies = true}},
     "yyynny",
     "yyynny",
     "yynnny"},
};

static void assert_columns(const struct state_rig *rig, const char *what, const char *expected,
                           uint8_t kind, unsigned id)
{
    for (unsigned i = 0; i < COL_COUNT; i++) {
        bool sees = may(rig, column_keys[i], kind, id);
        if (sees != (expected[i] == 'y')) {
            fail_msg("%s: %s %u, column %u is %d", what, sy_state_kind_name(kind), id, i, sees);
        }
    }
}

CASE(access_follows_consents)
{
    for (size_t i = 0; i < sizeof access_lines / sizeof access_lines[0]; i++) {
        const struct access_line *line = &access_lines[i];
        struct state_rig rig;
        unsigned count = 0;
        while (count < 2 && line->consents[count].number != 0) count++;
        open_rig_with(&rig, line->consents, count);
        assert_columns(&rig, line->what, line->patient, SY_STATE_PATIENT, PATIENT);
        assert_columns(&rig, line->what, line->patient, SY_STATE_OPEN_CARE, PATIENT);
        assert_columns(&rig, line->what, line->record, SY_STATE_RECORD, RECORD_PATIENT);
        assert_columns(&rig, line->what, line->record, SY_STATE_RECORD_VERSION, RECORD_PATIENT);
        assert_columns(&rig, line->what, line->labelled, SY_STATE_RECORD, RECORD_LABEL);
        close_rig(&rig);
    }
}

CASE(access_is_for_the_purpose_that_is_named)
{
    static const struct consent_of to_c = {CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false};
    struct state_rig rig;
    open_rig_with(&rig, &to_c, 1);
    for (uint8_t purpose = SY_PURPOSE_TREATMENT; purpose <= SY_PURPOSE_EMERGENCY; purpose++) {
        bool treating = purpose <= SY_PURPOSE_OPERATIONS || purpose == SY_PURPOSE_EMERGENCY;
        struct sy_read_request read = read_of(KEY_DOCTOR_B, SY_STATE_RECORD, RECORD_PATIENT);
        read.purpose = purpose;
        assert_true(sy_access_state(&rig.access, &read) == treating);
        read.reader = test_public(KEY_DOCTOR_C);
        assert_true(sy_access_state(&rig.access, &read) == (purpose == SY_PURPOSE_TREATMENT));
        read.reader = test_public(KEY_WALLET);
        assert_true(sy_access_state(&rig.access, &read));
    }
    close_rig(&rig);
}

/* Who treats must know whom to show what; others see the consent that is about them. */
CASE(access_shows_consents_to_the_patient_who_treats_and_who_they_are_about)
{
    static const struct consent_of both[] = {
        {CONSENT, SY_GRANTEE_ORG, ORG_C, .denies = false},
        {CONSENT + 1, SY_GRANTEE_KEY, KEY_OTHER_WALLET, .denies = true}};
    struct state_rig rig;
    open_rig_with(&rig, both, 2);
    assert_columns(&rig, "list", "yyynny", SY_STATE_CONSENTS, PATIENT);
    assert_columns(&rig, "place", "yyynny", SY_STATE_CONSENT_PLACE, PATIENT);
    assert_columns(&rig, "C's", "yyyyny", SY_STATE_CONSENT, CONSENT);
    assert_columns(&rig, "the other patient's", "yyynyy", SY_STATE_CONSENT, CONSENT + 1);
    assert_columns(&rig, "none", "yyyyyy", SY_STATE_CONSENT, NO_CONSENT);
    close_rig(&rig);
    static const struct consent_of not_a = {CONSENT, SY_GRANTEE_ORG, ORG_A, .denies = true};
    open_rig_with(&rig, &not_a, 1);
    assert_columns(&rig, "list", "ynynny", SY_STATE_CONSENTS, PATIENT);
    assert_columns(&rig, "A's", "yyynny", SY_STATE_CONSENT, CONSENT); /* it may know that */
    close_rig(&rig);
}

/* ---- transactions ------------------------------------------------------------------------ */

static bool may_tx(const struct state_rig *rig, unsigned reader, const struct sy_tx *tx,
                   const struct sy_event *events, unsigned count)
{
    uint8_t bytes[3 * SY_EVENT_BYTES];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    struct sy_receipt receipt = {.event_count = count};
    struct sy_read_request read = read_of(reader, 0, 1);
    read.subject = SY_READ_TX;
    for (unsigned i = 0; i < count; i++) sy_event_encode(&w, &events[i]);
    assert_false(w.failed);
    receipt.events = sy_writer_slice(&w);
    return sy_access_tx(&rig->access, &read, &receipt, tx);
}

static struct sy_event event_of(uint8_t subject_kind, unsigned subject)
{
    return (struct sy_event){.kind = SY_EVENT_RECORD_CREATED,
                             .subject_kind = subject_kind,
                             .subject = test_hash(subject),
                             .object =
                                 test_hash(subject == PATIENT ? RECORD_PATIENT : RECORD_OTHER)};
}

CASE(access_shows_a_transaction_to_signers_and_their_organisation)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_tx tx = {
        .signer = test_public(KEY_DOCTOR_A), .organisation = test_hash(ORG_A), .cosigner_count = 1};
    tx.cosigners[0] = test_public(KEY_NOBODY);
    assert_true(may_tx(&rig, KEY_DOCTOR_A, &tx, NULL, 0));
    assert_true(may_tx(&rig, KEY_NOBODY, &tx, NULL, 0)); /* what it signed itself */
    assert_true(may_tx(&rig, KEY_ADMIN_A, &tx, NULL, 0));
    assert_false(may_tx(&rig, KEY_REVOKED_A, &tx, NULL, 0));
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, NULL, 0)); /* refused: no events to go by */
    assert_true(may_tx(&rig, KEY_REGULATOR, &tx, NULL, 0));
    /* A patient signs for no organisation, and a regulator has none either: zero opens nothing. */
    memset(&tx.organisation, 0, sizeof tx.organisation);
    tx.signer = test_public(KEY_WALLET);
    assert_false(may_tx(&rig, KEY_DOCTOR_A, &tx, NULL, 0));
    close_rig(&rig);
}

CASE(access_shows_a_transaction_to_who_may_see_all_its_subjects)
{
    struct state_rig rig;
    open_rig(&rig);
    struct sy_tx tx = {.signer = test_public(KEY_NOBODY), .organisation = test_hash(ORG_A)};
    struct sy_event events[] = {event_of(SY_SUBJECT_ORG, ORG_A),
                                event_of(SY_SUBJECT_PATIENT, PATIENT),
                                event_of(SY_SUBJECT_PATIENT, OTHER_PATIENT)};
    assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, events, 1)); /* the directory is everybody's */
    assert_true(may_tx(&rig, KEY_DOCTOR_B, &tx, events, 2));
    assert_true(may_tx(&rig, KEY_WALLET, &tx, events, 2));
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, events, 2));
    assert_false(may_tx(&rig, KEY_DOCTOR_B, &tx, events, 3)); /* one of two patients */
    assert_false(may_tx(&rig, KEY_WALLET, &tx, events, 3));
    close_rig(&rig);
}

CASE(access_shows_what_happened_to_a_record_or_consent_as_that)
{
    static const struct consent_of to_c = {CONSENT, SY_GRANTEE_ORG, ORG_C,
                                           .only_class = "Observation"};
    struct state_rig rig;
    struct sy_tx tx = {.signer = test_public(KEY_NOBODY), .organisation = test_hash(ORG_A)};
    struct sy_event event = event_of(SY_SUBJECT_PATIENT, PATIENT);
    open_rig_with(&rig, &to_c, 1);
    assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    event.object = test_hash(RECORD_LABEL);
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    assert_false(may_tx(&rig, KEY_DOCTOR_B, &tx, &event, 1)); /* treats, and wrote it not */
    assert_true(may_tx(&rig, KEY_WALLET, &tx, &event, 1));
    event.object = test_hash(NO_RECORD);
    assert_false(may_tx(&rig, KEY_WALLET, &tx, &event, 1)); /* no state that execution made */
    event.kind = SY_EVENT_CONSENT_CHANGED;
    event.object = test_hash(CONSENT);
    assert_true(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    assert_true(may_tx(&rig, KEY_DOCTOR_B, &tx, &event, 1));
    assert_false(may_tx(&rig, KEY_OTHER_WALLET, &tx, &event, 1));
    event.object = test_hash(NO_CONSENT);
    assert_false(may_tx(&rig, KEY_WALLET, &tx, &event, 1));
    event.kind = SY_EVENT_CARE_OPENED;
    assert_false(may_tx(&rig, KEY_DOCTOR_C, &tx, &event, 1));
    assert_true(may_tx(&rig, KEY_DOCTOR_B, &tx, &event, 1));
    close_rig(&rig);
}

/* ---- members --------------------------------------------------------------------------------- */

CASE(access_shows_ids_to_members_only)
{
    static const struct {
        unsigned key;
        bool may;
    } readers[] = {{KEY_REGULATOR, true},    {KEY_ADMIN_A, true},    {KEY_DOCTOR_A, true},
                   {KEY_DOCTOR_C, true},     {KEY_AUDITOR_C, true},  {KEY_DOCTOR_D, false},
                   {KEY_WALLET, false},      {KEY_REVOKED_A, false}, {KEY_EXPIRED_A, false},
                   {KEY_EARLY_A, false},     {KEY_NOBODY, false},    {KEY_CONSENSUS_A, false},
                   {KEY_OTHER_WALLET, false}};
    static struct sy_roster roster;
    struct state_rig rig;
    open_rig(&rig);
    rig.access.roster = &roster;
    roster.count = 4;
    for (unsigned i = 0; i < 4; i++) {
        roster.validators[i].consensus_key = test_public(300 + 3 * i);
        roster.validators[i].link_key = test_public(301 + 3 * i);
        roster.validators[i].admin_key = test_public(302 + 3 * i);
    }
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        struct sy_read_request read = {.purpose = SY_PURPOSE_TREATMENT,
                                       .reader = test_public(readers[i].key)};
        sy_read_ids(&read, 1);
        if (sy_access_ids(&rig.access, &read) != readers[i].may) fail_msg("key %u", readers[i].key);
    }
    for (unsigned key = 299; key <= 312; key++) {
        struct sy_read_request read = {.purpose = SY_PURPOSE_AUDIT, .reader = test_public(key)};
        sy_read_ids(&read, 1);
        assert_true(sy_access_ids(&rig.access, &read) == (key >= 300 && key < 312));
    }
    close_rig(&rig);
}

/* ---- keys -------------------------------------------------------------------------------- */

CASE(access_derives_the_key_that_a_read_names)
{
    struct sy_hash key, expected;
    struct sy_hash patient = test_hash(PATIENT);
    struct sy_hash org = test_hash(ORG_B);
    struct sy_read_request read = read_of(KEY_DOCTOR_A, SY_STATE_OPEN_CARE, PATIENT);
    read.second = org;
    assert_true(sy_read_key(&key, &read));
    sy_state_key_open_care(&expected, &patient, &org);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_RECORD_VERSION, RECORD_ORG);
    sy_store_u32(read.second.bytes, 7);
    assert_true(sy_read_key(&key, &read));
    struct sy_hash record = test_hash(RECORD_ORG);
    sy_state_key_record_version(&expected, &record, 7);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_VALIDATOR, 1);
    memset(&read.id, 0, sizeof read.id);
    sy_store_u16(read.id.bytes, 3);
    assert_true(sy_read_key(&key, &read));
    sy_state_key_validator(&expected, 3);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_PREFIX, 1);
    memset(&read.id, 0, sizeof read.id);
    memcpy(read.id.bytes, "0614141", 7);
    assert_true(sy_read_key(&key, &read));
    sy_state_key_prefix(&expected, sy_slice_of("0614141", 7));
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_MAKER, PATIENT);
    struct sy_public_key public;
    memcpy(public.bytes, read.id.bytes, sizeof public.bytes);
    assert_true(sy_read_key(&key, &read));
    sy_state_key_public(&expected, SY_STATE_MAKER, &public);
    assert_true(sy_hash_equal(&key, &expected));

    read = read_of(KEY_DOCTOR_A, SY_STATE_PARAMS, PATIENT); /* about nothing in particular */
    assert_true(sy_read_key(&key, &read));
    sy_state_key_zero(&expected, SY_STATE_PARAMS);
    assert_true(sy_hash_equal(&key, &expected));
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(access_shows_the_directory_to_any_reader),
        cmocka_unit_test(access_shows_a_patients_credential_to_those_who_see_the_patient),
        cmocka_unit_test(access_knows_readers_by_a_credential_that_holds_now),
        cmocka_unit_test(access_shows_nonces_to_the_key_and_its_organisation),
        cmocka_unit_test(access_shows_a_patient_to_the_patient_and_who_treats),
        cmocka_unit_test(access_tells_that_there_is_no_such_record_or_care),
        cmocka_unit_test(access_shows_directory_records_to_any_reader),
        cmocka_unit_test(access_lets_auditors_read_for_an_audit_only),
        cmocka_unit_test(access_knows_no_other_kinds),
        cmocka_unit_test(access_shows_a_transaction_to_signers_and_their_organisation),
        cmocka_unit_test(access_shows_a_transaction_to_who_may_see_all_its_subjects),
        cmocka_unit_test(access_follows_consents),
        cmocka_unit_test(access_is_for_the_purpose_that_is_named),
        cmocka_unit_test(access_shows_consents_to_the_patient_who_treats_and_who_they_are_about),
        cmocka_unit_test(access_shows_what_happened_to_a_record_or_consent_as_that),
        cmocka_unit_test(access_shows_ids_to_members_only),
        cmocka_unit_test(access_derives_the_key_that_a_read_names),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
