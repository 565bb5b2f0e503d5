/* cmd_find.c: `systole find`: searches the directory.
 *
 *     filters --> ids, one validator's word --> each entry's state proof --> shown if it fits
 *
 * Validators search an index that the ledger does not read, so what they leave out is not missed;
 * what is shown is proven. Three searches are complete: an organisation by a GS1 number, whose
 * prefix has an entry of its own, a single id, and validators, whose roster is proven whole. */
#include <stdlib.h>
#include <string.h>

#include "core/client/cmd.h"
#include "core/client/find_dataset.h"
#include "core/client/find_words.h"
#include "core/client/show.h"

static const char about[] =
    "Searches the directory: WHAT is org, credential, validator or dataset. ID is the\n"
    "first hex digits of its id (a credential's is its key), or all of it.\n"
    "\n"
    "Every entry that is shown is proven by the state. That there are no others is\n"
    "not proven, but for validators, and for --gs1: it gives the organisation whose\n"
    "registered prefix the digits begin with. Keys of patients, guardians and\n"
    "devices are not in the directory. A page ends with where the next one begins:\n"
    "give that as --behind.\n";

#define PREFIX_DIGITS_MIN 6u
#define PREFIX_DIGITS_MAX 12u

struct search {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    struct sy_find_words words;
    struct sy_dataset_words dataset_words;
    struct sy_dataset_wish wish;
    struct sy_hash of; /* the organisation's */
    const char *key_path, *organisation, *gs1, *behind;
    bool active, inactive;
    uint64_t max, max_age_s;
    struct sy_find find;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_found found;
    char told_by[SY_NAME_BYTES_MAX + 1];
    struct sy_proven answer; /* the newest; what is shown borrows it */
    struct sy_proven holder_proof;
    uint64_t lowest, highest; /* heights of the blocks that prove what is shown */
    unsigned shown, stale;    /* stale: told, and not (any more) what was searched for */
    sy_json json;
};

/* ---- the question ------------------------------------------------------------------------- */

static bool is_about(const struct search *search, const char *word)
{
    return strcmp(search->cmd->words[0], word) == 0;
}

static sy_status take_validator_filters(const struct search *search, struct sy_error *err)
{
    const struct sy_find_words *words = &search->words;
    bool any = words->kind || words->role || words->specialty || search->organisation ||
               words->name || search->gs1 || search->active || search->inactive || search->behind;
    if (!any) return SY_OK;
    return sy_fail(
        err, SY_ERR_ARGUMENT,
        "validators are found by the first digits of a key or of their organisation's id "
        "alone: there are at most %u",
        SY_VALIDATORS_MAX);
}

static sy_status take_page(struct search *search, struct sy_error *err)
{
    struct sy_find *find = &search->find;
    find->max = (uint16_t)search->max;
    if (search->active && search->inactive) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--active and --inactive exclude each other");
    }
    find->active = search->active     ? SY_FIND_ACTIVE
                   : search->inactive ? SY_FIND_INACTIVE
                                      : SY_FIND_ANY;
    if (!search->behind) return SY_OK;
    find->has_behind = true;
    return sy_cmd_hash(&find->behind, "--behind", search->behind, err);
}

/* The words of one kind are not those of another. */
static sy_status take_dataset_words(struct search *search, bool dataset, struct sy_error *err)
{
    const struct sy_find_words *others = &search->words;
    const struct sy_dataset_words *words = &search->dataset_words;
    bool of_others =
        others->kind || others->name || others->role || others->specialty || search->organisation;
    bool of_datasets = words->code || words->phenotype || words->device || words->ages ||
                       words->people || words->genetic || words->wearable;
    if (dataset ? of_others : of_datasets) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "code, phenotype, device, ages, people, genetic and wearable are asked of "
                       "data sets, and nothing else is");
    }
    return sy_dataset_wish_take(&search->wish, words, err);
}

static sy_status take_words(struct search *search, struct sy_error *err)
{
    SY_TRY(take_page(search, err));
    if (search->cmd->word_count > 1) search->words.id = search->cmd->words[1];
    if (is_about(search, "validator")) {
        SY_TRY(take_validator_filters(search, err));
        return sy_find_take_words(&search->find, &search->words, err);
    }
    bool org = is_about(search, "org"), dataset = is_about(search, "dataset");
    if (!org && !dataset && !is_about(search, "credential")) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "org, credential, validator or dataset is searched for, not '%.40s'",
                       search->cmd->words[0]);
    }
    SY_TRY(take_dataset_words(search, dataset, err));
    if (search->gs1 && !org) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--gs1 goes with `find org`");
    }
    if (search->organisation) {
        SY_TRY(sy_cmd_hash(&search->of, "--organisation", search->organisation, err));
        search->words.organisation = &search->of;
    }
    search->find.what = org ? SY_STATE_ORG : dataset ? SY_STATE_DATASET : SY_STATE_CREDENTIAL;
    return sy_find_take_words(&search->find, &search->words, err);
}

/* ---- proving ------------------------------------------------------------------------------ */

/* number: of an entry that is one of several, else 0. */
static sy_status read_numbered(struct search *search, struct sy_proven *answer,
                               enum sy_state_kind kind, const struct sy_hash *id, uint32_t number,
                               struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .purpose = SY_PURPOSE_OPERATIONS};
    sy_store_u32(read.second.bytes, number);
    SY_TRY(sy_asker_read(search->asker, answer, &read, search->key,
                         (int64_t)search->max_age_s * 1000, err));
    uint64_t height = answer->proof.header.height;
    if (search->lowest == 0 || height < search->lowest) search->lowest = height;
    if (height > search->highest) search->highest = height;
    return SY_OK;
}

static sy_status read_entry(struct search *search, struct sy_proven *answer,
                            enum sy_state_kind kind, const struct sy_hash *id, struct sy_error *err)
{
    return read_numbered(search, answer, kind, id, 0, err);
}

static sy_status fail_form(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_VERSION, "an entry proven is of an unknown form: upgrade");
}

/* Whether the credential's organisation is suspended, proven as well. A regulator has none. */
static sy_status read_holder(struct search *search, bool *suspended, const struct sy_hash *holder,
                             struct sy_error *err)
{
    struct sy_org org;
    *suspended = false;
    if (sy_hash_is_zero(holder)) return SY_OK;
    SY_TRY(read_entry(search, &search->holder_proof, SY_STATE_ORG, holder, err));
    const struct sy_state_proof *state = &search->holder_proof.proof.state;
    if (!state->present) return SY_OK;
    if (!sy_org_decode(&org, state->value)) return fail_form(err);
    *suspended = org.suspended;
    return SY_OK;
}

/* ---- telling ------------------------------------------------------------------------------ */

static void print_hex(const char *front, const void *bytes)
{
    char hex[65];
    sy_hex_encode(hex, bytes, 32);
    printf("%s%s", front, hex);
}

static void tell_json(struct search *search, const struct sy_hash *id, bool active)
{
    sy_json_object_begin(&search->json);
    sy_json_put_hex(&search->json, "id", id->bytes, sizeof id->bytes);
    sy_json_put_bool(&search->json, "active", active);
    sy_json_put_u64(&search->json, "height", search->answer.proof.header.height);
    sy_json_key(&search->json, search->cmd->words[0]);
    sy_show_state(&search->json, search->find.what, search->answer.proof.state.value);
    if (search->find.what == SY_STATE_DATASET) {
        sy_json_key(&search->json, "newest");
        sy_show_state(&search->json, SY_STATE_DATASET_VERSION,
                      search->holder_proof.proof.state.value);
    }
    sy_json_object_end(&search->json);
}

static void tell_org(struct search *search, const struct sy_hash *id, const struct sy_org *org)
{
    const char *kind = sy_enum_word(&sy_enum_org_kind, org->kind);
    search->shown++;
    if (search->cmd->json) {
        tell_json(search, id, !org->suspended);
        return;
    }
    print_hex("", id->bytes);
    printf(" %s, %s, since block %llu\n", kind ? kind : "?",
           org->suspended ? "suspended" : "active", (unsigned long long)org->registered_height);
}

static const char *state_word(const struct sy_credential *credential, bool suspended,
                              int64_t time_ms)
{
    if (credential->revoked) return credential->has_successor ? "replaced" : "revoked";
    if (suspended) return "organisation suspended";
    if (credential->use != SY_KEY_TX) return "active";
    if (time_ms < credential->not_before_ms) return "not valid yet";
    return time_ms > credential->not_after_ms ? "expired" : "active";
}

static void tell_credential(struct search *search, const struct sy_hash *id,
                            const struct sy_credential *credential, bool suspended)
{
    const char *role = sy_role_name(credential->role);
    const char *word = state_word(credential, suspended, search->answer.proof.header.time_ms);
    search->shown++;
    if (search->cmd->json) {
        tell_json(search, id, strcmp(word, "active") == 0);
        return;
    }
    print_hex("", id->bytes);
    printf(" %s", role ? role : "validator");
    if (credential->specialty.size > 0) {
        printf(" (%.*s)", (int)credential->specialty.size,
               (const char *)credential->specialty.data);
    }
    if (!sy_hash_is_zero(&credential->holder)) print_hex(" of ", credential->holder.bytes);
    printf(", %s\n", word);
}

static void tell_dataset(struct search *search, const struct sy_hash *id,
                         const struct sy_dataset *dataset, const struct sy_dataset_version *version)
{
    const char *people = sy_enum_word(&sy_enum_count_bucket, version->people);
    search->shown++;
    if (search->cmd->json) {
        tell_json(search, id, !dataset->withdrawn);
        return;
    }
    print_hex("", id->bytes);
    printf(" version %u, %s people, %u codes, %u phenotypes%s%s, %s\n", (unsigned)dataset->version,
           people ? people : "?", (unsigned)version->codes.count,
           (unsigned)version->phenotypes.count, version->genetic ? ", genetic" : "",
           version->wearable ? ", wearable" : "", dataset->withdrawn ? "withdrawn" : "active");
}

/* A data set is what its newest version says, which is proven as well. */
static sy_status show_dataset(struct search *search, const struct sy_hash *id, struct sy_error *err)
{
    struct sy_dataset dataset;
    struct sy_dataset_version version;
    const struct sy_state_proof *state = &search->holder_proof.proof.state;
    if (!sy_dataset_decode(&dataset, search->answer.proof.state.value)) return fail_form(err);
    SY_TRY(read_numbered(search, &search->holder_proof, SY_STATE_DATASET_VERSION, id,
                         dataset.version, err));
    if (!state->present || !sy_dataset_version_decode(&version, state->value)) {
        return fail_form(err);
    }
    bool stands = sy_find_dataset(&search->find, dataset.withdrawn);
    if (stands && sy_dataset_wish_fits(&search->wish, &version)) {
        tell_dataset(search, id, &dataset, &version);
    }
    search->stale += !stands;
    return SY_OK;
}

/* Reads the entry that was told of, and shows it if it is what was searched for. */
static sy_status show_entry(struct search *search, const struct sy_hash *id, struct sy_error *err)
{
    struct sy_org org;
    struct sy_credential credential;
    bool suspended;
    const struct sy_proof *proof = &search->answer.proof;
    SY_TRY(read_entry(search, &search->answer, (enum sy_state_kind)search->find.what, id, err));
    if (!proof->state.present) {
        search->stale++;
        return SY_OK;
    }
    if (search->find.what == SY_STATE_DATASET) return show_dataset(search, id, err);
    if (search->find.what == SY_STATE_ORG) {
        if (!sy_org_decode(&org, proof->state.value)) return fail_form(err);
        bool fits = sy_find_org(&search->find, &org);
        if (fits) tell_org(search, id, &org);
        search->stale += !fits;
        return SY_OK;
    }
    if (!sy_credential_decode(&credential, proof->state.value)) return fail_form(err);
    SY_TRY(read_holder(search, &suspended, &credential.holder, err));
    bool fits = sy_find_credential(&search->find, &credential, suspended, proof->header.time_ms);
    if (fits) tell_credential(search, id, &credential, suspended);
    search->stale += !fits;
    return SY_OK;
}

/* ---- the searches ------------------------------------------------------------------------- */

/* All prefixes that the digits begin with are asked for: one of them may have an entry. */
static sy_status find_gs1(struct search *search, struct sy_error *err)
{
    size_t digits = strlen(search->gs1);
    size_t most = digits < PREFIX_DIGITS_MAX ? digits : PREFIX_DIGITS_MAX;
    if (digits < PREFIX_DIGITS_MIN || strspn(search->gs1, "0123456789") != digits) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "--gs1 is a GS1 number: %u digits or more, of a GTIN without its indicator "
                       "digit",
                       PREFIX_DIGITS_MIN);
    }
    for (size_t size = most; size >= PREFIX_DIGITS_MIN; size--) {
        struct sy_hash prefix = {{0}}, id;
        memcpy(prefix.bytes, search->gs1, size);
        SY_TRY(read_entry(search, &search->answer, SY_STATE_PREFIX, &prefix, err));
        const struct sy_state_proof *state = &search->answer.proof.state;
        if (!state->present) continue;
        if (!sy_id_decode(&id, state->value)) return fail_form(err);
        return show_entry(search, &id, err);
    }
    return SY_OK;
}

static sy_status find_entries(struct search *search, struct sy_error *err)
{
    if (search->gs1) return find_gs1(search, err);
    if (search->find.digits == 64) return show_entry(search, &search->find.prefix, err);
    SY_TRY(sy_asker_find(search->asker, &search->found, search->told_by, &search->find,
                         SY_PURPOSE_OPERATIONS, search->key, err));
    for (unsigned i = 0; i < search->found.count; i++) {
        SY_TRY(show_entry(search, &search->found.ids[i], err));
    }
    return SY_OK;
}

static bool names_validator(const struct search *search, const struct sy_validator *validator)
{
    const void *ids[] = {validator->consensus_key.bytes, validator->link_key.bytes,
                         validator->admin_key.bytes, validator->organisation.bytes};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct sy_hash id;
        memcpy(id.bytes, ids[i], sizeof id.bytes);
        if (sy_find_begins_with(&id, &search->find.prefix, search->find.digits)) return true;
    }
    return false;
}

static void tell_validator(struct search *search, unsigned index,
                           const struct sy_validator *validator)
{
    search->shown++;
    if (search->cmd->json) {
        sy_json_object_begin(&search->json);
        sy_json_put_u64(&search->json, "index", index);
        sy_json_put_text(&search->json, "name", validator->name);
        sy_json_put_hex(&search->json, "organisation", validator->organisation.bytes, 32);
        sy_json_put_hex(&search->json, "consensus_key", validator->consensus_key.bytes, 32);
        sy_json_put_hex(&search->json, "link_key", validator->link_key.bytes, 32);
        sy_json_put_hex(&search->json, "admin_key", validator->admin_key.bytes, 32);
        sy_json_put_text(&search->json, "client_address", validator->client_address);
        sy_json_object_end(&search->json);
        return;
    }
    printf("%s", validator->name);
    print_hex(" consensus ", validator->consensus_key.bytes);
    print_hex(" link ", validator->link_key.bytes);
    print_hex(" admin ", validator->admin_key.bytes);
    print_hex(" of ", validator->organisation.bytes);
    printf(" at %s\n", validator->client_address);
}

static sy_status find_validators(struct search *search, struct sy_error *err)
{
    static struct sy_client_block block;
    SY_TRY(sy_asker_learn(search->asker, err));
    SY_TRY(sy_asker_block(search->asker, &block, SY_HEIGHT_NEWEST, err));
    search->lowest = search->highest = block.header.height;
    const struct sy_roster *roster = sy_epochs_newest(sy_asker_epochs(search->asker));
    for (unsigned i = 0; i < roster->count; i++) {
        if (names_validator(search, &roster->validators[i])) {
            tell_validator(search, i, &roster->validators[i]);
        }
    }
    return SY_OK;
}

/* ---- the command -------------------------------------------------------------------------- */

/* Nothing is left out that there is. */
static bool is_complete(const struct search *search)
{
    return is_about(search, "validator") || search->gs1 || search->find.digits == 64;
}

static int finish_json(struct search *search)
{
    sy_json *json = &search->json;
    sy_json_array_end(json);
    sy_json_put_bool(json, "complete", is_complete(search));
    sy_json_put_u64(json, "lowest_height", search->lowest);
    sy_json_put_u64(json, "highest_height", search->highest);
    if (!is_complete(search)) {
        sy_json_put_text(json, "told_by", search->told_by);
        sy_json_put_u64(json, "looked_to_height", search->found.next - (search->found.next > 0));
        sy_json_put_u64(json, "looked_from_height", search->found.from);
        sy_json_put_u64(json, "stale", search->stale);
        if (search->found.more) sy_json_put_hex(json, "behind", search->found.last.bytes, 32);
    }
    return sy_cmd_json_end(json, search->shown > 0 ? SY_EXIT_DONE : SY_EXIT_REFUSED);
}

static int finish_text(const struct search *search)
{
    printf("%u found", search->shown);
    if (search->lowest > 0) {
        printf(", proven by blocks %llu to %llu", (unsigned long long)search->lowest,
               (unsigned long long)search->highest);
    }
    if (is_complete(search)) {
        printf("; there are no others\n");
    } else {
        printf(
            "; that there are no others is the word of %s alone, which has looked through blocks "
            "%llu to %llu\n",
            search->told_by, (unsigned long long)search->found.from,
            (unsigned long long)(search->found.next - (search->found.next > 0)));
    }
    if (search->found.more) {
        print_hex("more: --behind ", search->found.last.bytes);
        printf("\n");
    }
    return search->shown > 0 || search->found.more ? SY_EXIT_DONE : SY_EXIT_REFUSED;
}

static int run_find(struct search *search)
{
    struct sy_error err = {SY_OK, ""};
    bool validators = is_about(search, "validator");
    sy_status status = take_words(search, &err);
    if (status == SY_OK) {
        status = sy_cmd_connect(&search->net, &search->asker, &search->where, 0, &err);
    }
    if (status == SY_OK && !validators) {
        status = sy_cmd_read_key(&search->key, search->net, search->key_path, &err);
    }
    if (status == SY_OK && search->cmd->json) {
        sy_cmd_json_begin(&search->json);
        sy_json_key(&search->json, "found");
        sy_json_array_begin(&search->json);
    }
    if (status == SY_OK) {
        status = validators ? find_validators(search, &err) : find_entries(search, &err);
    }
    if (status == SY_OK) return search->cmd->json ? finish_json(search) : finish_text(search);
    sy_json_free(&search->json);
    return sy_cmd_fail(search->cmd, &err);
}

static void close_search(struct search *search)
{
    sy_proven_free(&search->answer);
    sy_proven_free(&search->holder_proof);
    sy_secret_key_close(search->key);
    sy_asker_close(search->asker);
    sy_cmd_net_close(search->net);
    search->cmd = NULL;
}

int sy_cmd_find(int argc, char **argv)
{
    static struct search search; /* too large for a small stack; one command a process */
    search.max = 25;
    search.max_age_s = 60;
    const struct sy_option options[] = {
        {"kind", SY_OPTION_TEXT, &search.words.kind, "WORD",
         "an organisation's: hospital, payer, ...", 0, 0},
        {"name", SY_OPTION_TEXT, &search.words.name, "TEXT",
         "an organisation's, exactly: its hash stands on the ledger", 0, 0},
        {"gs1", SY_OPTION_TEXT, &search.gs1, "DIGITS", "whose GS1 prefix these begin with", 0, 0},
        {"role", SY_OPTION_TEXT, &search.words.role, "WORD", "a credential's: doctor, gateway, ...",
         0, 0},
        {"specialty", SY_OPTION_TEXT, &search.words.specialty, "CODE", "a credential's", 0, 0},
        {"organisation", SY_OPTION_TEXT, &search.organisation, "ID", "whose credentials", 0, 0},
        {"code", SY_OPTION_TEXT, &search.dataset_words.code, "SYSTEM|CODE", "that a data set has",
         0, 0},
        {"phenotype", SY_OPTION_TEXT, &search.dataset_words.phenotype, "HP:N",
         "that a data set has", 0, 0},
        {"device", SY_OPTION_TEXT, &search.dataset_words.device, "CLASS",
         "of which a data set has data: wearable, monitor, ...", 0, 0},
        {"ages", SY_OPTION_TEXT, &search.dataset_words.ages, "BAND",
         "an age band of a data set: \"18 to 29\", ...", 0, 0},
        {"people", SY_OPTION_TEXT, &search.dataset_words.people, "BUCKET",
         "of a data set, or more: \"100 to 999\", ...", 0, 0},
        {"genetic", SY_OPTION_SWITCH, &search.dataset_words.genetic, NULL,
         "a data set that has genetic data", 0, 0},
        {"wearable", SY_OPTION_SWITCH, &search.dataset_words.wearable, NULL,
         "a data set that has data of wearables and other devices", 0, 0},
        {"active", SY_OPTION_SWITCH, &search.active, NULL,
         "not suspended or withdrawn; a credential that counts now", 0, 0},
        {"inactive", SY_OPTION_SWITCH, &search.inactive, NULL, "the others", 0, 0},
        {"max", SY_OPTION_NUMBER, &search.max, "N", "how many at most (25)", 1, SY_FIND_MAX},
        {"behind", SY_OPTION_TEXT, &search.behind, "ID", "where the page before ended", 0, 0},
        {"key", SY_OPTION_TEXT, &search.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        {"max-age", SY_OPTION_NUMBER, &search.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(search.where),
    };
    struct sy_cmd cmd = {.name = "find",
                         .arguments = "WHAT [ID]",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 2};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    search.cmd = &cmd;
    exit_code = run_find(&search);
    close_search(&search);
    return exit_code;
}
