/* who_may_rig.c: the world in which it is asked who may do what; see who_may_rig.h. */
#include "tests/unit/who_may_rig.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/client/tx_json.h"
#include "core/crypto/hash.h"
#include "core/wire/delta.h"
#include "tests/support/changes.h"
#include "tests/unit/who_may_table.h"

#define PAIRS_MAX 40u
#define KEY_OF(standing, role) (210u + 30u * (unsigned)(standing) + (unsigned)(role))
#define HOUR_MS (3600 * 1000ll)
#define OTHER_KEYS 150u
#define OTHER_KEYS_MAX 50u

static struct ledger_world base, world;
static bool world_there; /* a copy of base in which nothing was applied */
static unsigned fresh_ids;
static sy_store *store;
static struct sy_access access_;
static struct sy_grants grants;
/* The transaction that created the first record, and its receipt. */
static uint8_t kept_tx[4096], kept_receipt[1024];
static size_t kept_tx_size, kept_receipt_size;

// --- names -------------------------------------------------------------------------------------

static const struct {
    const char *name;
    unsigned key;
} keys[] = {
    {"regulator_1", REGULATOR_1},
    {"regulator_2", REGULATOR_2},
    {"admin_a", ADMIN_A},
    {"gateway_a", GATEWAY_A},
    {"doctor_a", DOCTOR_A},
    {"payer_a", KEY_OF(OWN, SY_ROLE_PAYER)},
    {"admin_b", ADMIN_B},
    {"gateway_b", GATEWAY_B},
    {"admin_c", 140},
    {"admin_d", 145},
    {"wallet", KEY_OF(OWN, SY_ROLE_PATIENT)},
    {"wallet_granted", KEY_OF(GRANTED, SY_ROLE_PATIENT)},
    {"wallet_foreign", KEY_OF(FOREIGN, SY_ROLE_PATIENT)},
    {"guardian", KEY_OF(OWN, SY_ROLE_GUARDIAN)},
    {"guardian_granted", KEY_OF(GRANTED, SY_ROLE_GUARDIAN)},
    {"guardian_revoked", KEY_OF(REVOKED, SY_ROLE_GUARDIAN)},
    {"guardian_expired", KEY_OF(EXPIRED, SY_ROLE_GUARDIAN)},
    {"consensus_0", 0},
    {"consensus_1", 3},
    {"signer", KEY_OF(OWN, SY_ROLE_VALIDATOR)},
    {"sponsor_a", KEY_OF(OWN, SY_ROLE_SPONSOR)},
    {"ethics_b", KEY_OF(GRANTED, SY_ROLE_ETHICS)},
    {"researcher_c", KEY_OF(FOREIGN, SY_ROLE_RESEARCHER)},
    {"investigator_a", KEY_OF(OWN, SY_ROLE_INVESTIGATOR)},
    {"investigator_b", KEY_OF(GRANTED, SY_ROLE_INVESTIGATOR)},
};

/* Any other name is a key of its own, in the order in which they come. */
static unsigned key_named(const char *name)
{
    static char others[OTHER_KEYS_MAX][32];
    unsigned place = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(keys[i].name, name) == 0) return keys[i].key;
    }
    while (place < OTHER_KEYS_MAX && others[place][0] != '\0' && strcmp(others[place], name) != 0) {
        place++;
    }
    if (place == OTHER_KEYS_MAX || strlen(name) >= sizeof others[0]) {
        fail_msg("%s: too many keys, or too long a name: '%s'", WHO_MAY_FILE, name);
    }
    memcpy(others[place], name, strlen(name) + 1);
    return OTHER_KEYS + place;
}

static bool acts_for_org(unsigned role)
{
    return role != SY_ROLE_REGULATOR && role != SY_ROLE_PATIENT && role != SY_ROLE_GUARDIAN;
}

static struct sy_hash id_named(const char *name)
{
    struct sy_hash id;
    sy_sha256(&id, name, strlen(name));
    return id;
}

static const char *org_name(enum standing standing)
{
    return standing == GRANTED ? "org_b" : standing == FOREIGN ? "org_c" : "org_a";
}

/* What a word behind an @ stands for. actor: NULL while the world is made. */
static void put_value(char *out, size_t size, const char *word, const struct actor *actor)
{
    int64_t now_ms = world.header.time_ms;
    struct sy_public_key key;
    struct sy_hash id;
    char fresh[32];
    bool asks = actor != NULL, named = strncmp(word, "key.", 4) == 0;
    if (strcmp(word, "now") == 0)
        (void)snprintf(out, size, "%lld", (long long)now_ms);
    else if (strcmp(word, "height") == 0) {
        (void)snprintf(out, size, "%llu", (unsigned long long)world.header.height);
    } else if (strcmp(word, "soon") == 0) {
        (void)snprintf(out, size, "%lld", (long long)(now_ms + HOUR_MS));
    } else if (strcmp(word, "year") == 0) {
        (void)snprintf(out, size, "%lld", (long long)(now_ms + 300 * 24 * HOUR_MS));
    } else if (strcmp(word, "role") == 0 && asks) {
        (void)snprintf(out, size, "%s", sy_enum_word(&sy_enum_role, (uint16_t)actor->role));
    } else if (strcmp(word, "key") == 0 || named) {
        assert_true(named || asks);
        key = test_public(named ? key_named(word + 4) : KEY_OF(actor->standing, actor->role));
        sy_hex_encode(out, key.bytes, sizeof key.bytes);
    } else {
        (void)snprintf(fresh, sizeof fresh, "new %u", fresh_ids);
        if (strcmp(word, "new") == 0) fresh_ids++;
        id = id_named(strcmp(word, "new") == 0           ? fresh
                      : strcmp(word, "org") == 0 && asks ? org_name(actor->standing)
                                                         : word);
        sy_hex_encode(out, id.bytes, sizeof id.bytes);
    }
}

/* Copies text with everything behind an @ replaced. */
static void expand(char *out, size_t size, const char *text, const struct actor *actor)
{
    size_t used = 0;
    while (*text != '\0') {
        char word[64], value[80];
        size_t length = 0;
        assert_true(used + sizeof value < size);
        if (*text != '@') {
            out[used++] = *text++;
            continue;
        }
        text++;
        while (isalnum((unsigned char)text[length]) || text[length] == '_' || text[length] == '.') {
            assert_true(length + 1 < sizeof word);
            word[length] = text[length];
            length++;
        }
        word[length] = '\0';
        text += length;
        put_value(value, sizeof value, word, actor);
        memcpy(out + used, value, strlen(value));
        used += strlen(value);
    }
    out[used] = '\0';
}

// --- transactions ------------------------------------------------------------------------------

/* The payload that the fields say; it borrows static room until the next call. */
static void make_payload(union sy_payload *payload, const struct sy_kind *kind, const char *name,
                         const char *fields, const struct actor *actor)
{
    static char text[4096];
    static uint8_t room[4096];
    const char *pairs[PAIRS_MAX];
    unsigned count = 0;
    struct sy_error err = {SY_OK, ""};
    struct sy_writer w = sy_writer_of(room, sizeof room);
    expand(text, sizeof text, fields, actor);
    for (char *rest = text; rest != NULL && count < PAIRS_MAX;) {
        while (*rest == ' ') rest++;
        pairs[count++] = rest;
        rest = strchr(rest, ';');
        if (rest != NULL) *rest++ = '\0';
    }
    if (sy_payload_from_fields(&w, kind, pairs, count, &err) != SY_OK) {
        fail_msg("%s: %s: %s", WHO_MAY_FILE, name, err.text);
    }
    assert_true(sy_payload_decode(payload, kind, sy_writer_slice(&w), NULL));
}

static void sign_by(struct world_tx *tx, unsigned key)
{
    for (unsigned i = 0; i < tx->key_count; i++) {
        if (tx->keys[i] == key) return;
    }
    world_cosign(tx, key);
}

/* What a quorum approves has approvals, which no field can say. */
static void make_approved(union sy_payload *payload, uint16_t kind)
{
    static struct test_change change;
    const struct sy_roster *now = sy_ledger_roster(world.ledger, world.header.height + 1);
    const struct sy_hash *genesis = &world.genesis.hash;
    if (kind == SY_KIND_validator_add) test_change_add(&change, genesis, now, 6);
    if (kind == SY_KIND_validator_remove) test_change_remove(&change, genesis, now, 4);
    if (kind == SY_KIND_validator_rekey) {
        test_change_rekey(&change, genesis, now, 1, TEST_REKEY_KEYS, 380);
    }
    if (kind == SY_KIND_param_enact) {
        const struct sy_param_set set = {SY_PARAM_RECORD_BYTES_MAX, 1000000, 1, 10000};
        test_change_param(&change, genesis, now, &set);
    }
    test_change_approve_by(&change, genesis, now, sy_quorum(now->count));
    *payload = change.payload;
}

/* One part, whose fields are those of the scenario of the first kind that is named record.create.
 */
static void make_atomic(struct world_tx *tx, const struct actor *actor)
{
    union sy_payload part;
    for (unsigned i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i].name, "record.create") != 0) continue;
        make_payload(&part, scenarios[i].kind, "atomic", scenarios[i].fields, actor);
        world_part(&world, tx, SY_KIND_record_create, 0, &part);
    }
    assert_int_equal(tx->payload.atomic.payloads.count, 1);
}

/* A validator's signing key is nobody's until its own transaction enrols it. */
static bool enrols_signer(uint16_t kind, const struct actor *actor)
{
    return kind == SY_KIND_validator_signer && actor->role == SY_ROLE_VALIDATOR &&
           actor->standing == OWN;
}

static struct world_tx make_tx(const struct scenario *scenario, const struct actor *actor)
{
    uint16_t kind = scenario->kind->number;
    struct world_tx tx = world_tx_of(kind, KEY_OF(actor->standing, actor->role), 0);
    if (acts_for_org(actor->role)) tx.organisation = id_named(org_name(actor->standing));
    if (enrols_signer(kind, actor)) {
        const struct sy_roster *now = sy_ledger_roster(world.ledger, world.header.height + 1);
        tx.keys[0] = key_named("signer that nobody knows yet");
        tx.organisation = now->validators[1].organisation;
    }
    if (kind == SY_KIND_atomic) {
        make_atomic(&tx, actor);
    } else if (sy_kind_is_approved(scenario->kind)) {
        make_approved(&tx.payload, kind);
    } else {
        make_payload(&tx.payload, scenario->kind, scenario->name, scenario->fields, actor);
    }
    for (unsigned i = 0; i < scenario->cosigner_count; i++) {
        sign_by(&tx, key_named(scenario->cosigners[i]));
    }
    return tx;
}

// --- the world ---------------------------------------------------------------------------------

/* Writes an entry past execution; the ledger is opened anew afterwards. */
static void put_entry(enum sy_state_kind kind, const struct sy_hash *id, const struct sy_writer *w)
{
    struct sy_hash key_hash;
    assert_false(w->failed);
    sy_state_key_id(&key_hash, kind, id);
    state_array_put(&world.state, &key_hash, sy_writer_slice(w));
}

static void put_credential(unsigned number, unsigned role, enum standing standing)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_public_key key = test_public(number);
    struct sy_credential credential = {.use = SY_KEY_TX,
                                       .role = (uint8_t)role,
                                       .not_before_ms = TEST_GENESIS_MS,
                                       .not_after_ms = INT64_MAX,
                                       .break_glass =
                                           role == SY_ROLE_DOCTOR || role == SY_ROLE_NURSE};
    struct sy_hash id;
    if (acts_for_org(role)) credential.holder = id_named(org_name(standing));
    if (role == SY_ROLE_PATIENT) credential.holder = id_named("patient");
    if (standing == REVOKED) {
        credential.revoked = true;
        credential.revoke_reason = SY_REVOKE_LOST;
        credential.revoked_height = 1;
    }
    if (standing == EXPIRED) credential.not_after_ms = TEST_GENESIS_MS + 1;
    sy_credential_encode(&w, &credential);
    memcpy(id.bytes, key.bytes, sizeof id.bytes);
    put_entry(SY_STATE_CREDENTIAL, &id, &w);
}

/* The own validator operator's key is what validator 0 signs with. */
static void put_signer(void)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_validator_key signer = {.key = test_public(KEY_OF(OWN, SY_ROLE_VALIDATOR)),
                                      .time_ms = TEST_GENESIS_MS};
    struct sy_public_key validator = test_public(0);
    struct sy_hash id, consensus;
    memcpy(consensus.bytes, validator.bytes, sizeof consensus.bytes);
    memcpy(id.bytes, signer.key.bytes, sizeof id.bytes);
    sy_validator_key_encode(&w, &signer);
    put_entry(SY_STATE_SIGNER, &consensus, &w);
    w = sy_writer_of(room, sizeof room);
    sy_id_encode(&w, &consensus);
    put_entry(SY_STATE_SIGNER_OF, &id, &w);
}

/* Keys of everybody but the wallets that the world enrols by itself. */
static void put_credentials(void)
{
    for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
        for (unsigned standing = OWN; standing < STANDINGS; standing++) {
            bool enrolled = role == SY_ROLE_PATIENT && standing <= FOREIGN;
            if (enrolled) continue;
            put_credential(KEY_OF(standing, role), role, (enum standing)standing);
        }
    }
    put_credential(key_named("sponsor_second"), SY_ROLE_SPONSOR, OWN); // another person
    put_signer();
    world_reopen(&world);
}

/* The patient's wallet is this key, which the state has enrolled. */
static void put_wallet(unsigned key)
{
    uint8_t room[SY_STATE_VALUE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    struct sy_hash id = id_named("patient"), key_hash;
    struct sy_patient patient;
    struct sy_slice value;
    sy_state_key_id(&key_hash, SY_STATE_PATIENT, &id);
    assert_true(world_find(&world, &value, &key_hash));
    assert_true(sy_patient_decode(&patient, value));
    patient.wallet_key = test_public(key);
    sy_patient_encode(&w, &patient);
    put_entry(SY_STATE_PATIENT, &id, &w);
    world_reopen(&world);
}

/* The organisation for which the state says that a key acts. */
static struct sy_hash organisation_of(unsigned key)
{
    struct sy_public_key public_key = test_public(key);
    struct sy_credential credential;
    struct sy_hash key_hash;
    struct sy_slice value;
    sy_state_key_public(&key_hash, SY_STATE_CREDENTIAL, &public_key);
    if (!world_find(&world, &value, &key_hash) || !sy_credential_decode(&credential, value) ||
        !acts_for_org(credential.role)) {
        return (struct sy_hash){{0}};
    }
    return credential.holder;
}

static void keep_newest(void)
{
    const uint8_t *tx = world.batch + SY_BATCH_HEADER_BYTES + 64;
    const uint8_t *receipt = world.result.receipts.data + world.result.receipt_offsets[0];
    kept_tx_size = sy_load_u32(tx);
    kept_receipt_size = sy_load_u32(receipt);
    assert_true(kept_tx_size <= sizeof kept_tx && kept_receipt_size <= sizeof kept_receipt);
    memcpy(kept_tx, tx + 4, kept_tx_size);
    memcpy(kept_receipt, receipt + 4, kept_receipt_size);
}

static void make_all(void)
{
    for (unsigned i = 0; i < made_count; i++) {
        const struct made *made = &mades[i];
        unsigned key = key_named(made->keys[0]);
        struct world_tx tx = world_tx_of(made->kind->number, key, 0);
        tx.organisation = organisation_of(key);
        make_payload(&tx.payload, made->kind, made->kind->name, made->fields, NULL);
        for (unsigned k = 1; k < made->key_count; k++) sign_by(&tx, key_named(made->keys[k]));
        enum sy_refusal code = world_submit(&world, &tx);
        if (code != SY_APPLIED) {
            fail_msg("%s, line %u: the world cannot be made: %s", WHO_MAY_FILE, made->line,
                     sy_refusal_info((uint16_t)code)->name);
        }
        if (kept_tx_size == 0 && made->kind->number == SY_KIND_record_create) keep_newest();
    }
}

static void open_store(void)
{
    struct sy_store_config config = {.init = true};
    size_t size = 1 << 20;
    uint8_t *bytes = (uint8_t *)malloc(size);
    struct sy_error err;
    struct sy_writer w = sy_writer_of(bytes, size);
    assert_non_null(bytes);
    for (size_t i = 0; i < base.state.count; i++) {
        const struct state_entry *entry = &base.state.entries[i];
        struct sy_delta delta = {.key = entry->key_hash,
                                 .op = SY_DELTA_PUT,
                                 .value = sy_slice_of(entry->data, entry->size)};
        sy_delta_write(&w, &delta);
    }
    assert_false(w.failed);
    assert_int_equal(sy_store_open_memory(&store, &config), SY_OK);
    assert_int_equal(sy_state_apply(store, 0, sy_writer_slice(&w), &err), SY_OK);
    assert_int_equal(sy_state_view_open(&access_.view, store), SY_OK);
    access_.time_ms = base.header.time_ms;
    access_.grants = &grants;
    access_.roster = sy_ledger_roster(base.ledger, base.header.height);
    free(bytes);
}

void rig_open(void)
{
    table_read();
    world_open_of(&world, 5);
    put_credentials();
    make_all();
    world_copy(&base, &world, 0, 0);
    world_there = true;
    open_store();
}

void rig_close(void)
{
    if (world_there) world_close(&world);
    world_close(&base);
    sy_state_view_close(access_.view);
    sy_store_close(store);
}

// --- asking ------------------------------------------------------------------------------------

const char *rig_execute(const struct scenario *scenario, const struct actor *actor)
{
    bool wallet = actor->role == SY_ROLE_PATIENT && actor->standing >= REVOKED;
    if (!world_there) world_copy(&world, &base, 0, 0);
    if (wallet) put_wallet(KEY_OF(actor->standing, actor->role));
    struct world_tx tx = make_tx(scenario, actor);
    enum sy_refusal code = world_submit(&world, &tx);
    world_there = code != SY_APPLIED && !wallet;
    if (!world_there) world_close(&world);
    return code == SY_APPLIED ? "applied" : sy_refusal_info((uint16_t)code)->name;
}

/* The value of a read's field, or zero. */
static void read_field(struct sy_hash *out, const char *text, const char *name)
{
    const char *found = strstr(text, name);
    char hex[65] = "";
    if (found == NULL) return;
    found += strlen(name);
    size_t length = strcspn(found, "; ");
    if (length == 64) {
        memcpy(hex, found, 64);
        assert_true(sy_hex_decode(out->bytes, sizeof out->bytes, hex));
    } else {
        sy_store_u64(out->bytes, strtoull(found, NULL, 10));
    }
}

static uint8_t state_kind_named(const char *name)
{
    for (unsigned kind = SY_STATE_PARAMS; kind < SY_STATE_KIND_COUNT; kind++) {
        const char *known = sy_state_kind_name(kind);
        if (known != NULL && strcmp(known, name) == 0) return (uint8_t)kind;
    }
    fail_msg("%s: nothing in state is called '%s'", WHO_MAY_FILE, name);
    return 0;
}

static bool reads_tx(const struct sy_read_request *read)
{
    struct sy_tx tx;
    struct sy_receipt receipt;
    struct sy_reader r = sy_reader_of(sy_slice_of(kept_receipt, kept_receipt_size));
    assert_int_equal(sy_tx_decode(&tx, NULL, sy_slice_of(kept_tx, kept_tx_size), NULL), SY_APPLIED);
    assert_true(sy_receipt_decode(&r, &receipt));
    return sy_access_tx(&access_, read, &receipt, &tx);
}

const struct sy_grants *rig_grants(void)
{
    return &grants;
}

struct sy_hash rig_id(const char *name)
{
    return id_named(name);
}

const char *rig_read(const struct scenario *scenario, const struct actor *actor)
{
    char text[1024];
    bool audits = strstr(scenario->fields, "purpose=audit") != NULL;
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .purpose = audits ? SY_PURPOSE_AUDIT : SY_PURPOSE_TREATMENT,
                                   .reader = test_public(KEY_OF(actor->standing, actor->role))};
    expand(text, sizeof text, scenario->fields, actor);
    read_field(&read.id, text, "id=");
    read_field(&read.second, text, "second=");
    bool sees;
    if (strcmp(scenario->what, "transaction") == 0) {
        sees = reads_tx(&read);
    } else if (strcmp(scenario->what, "ids") == 0) {
        sees = sy_access_ids(&access_, &read);
    } else if (strcmp(scenario->what, "at all") == 0) {
        sees = sy_access_known(&access_, &read.reader);
    } else {
        read.state_kind = state_kind_named(scenario->what);
        sees = sy_access_state(&access_, &read);
    }
    return sees ? "yes" : "no";
}
