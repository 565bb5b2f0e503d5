/* cmd_history.c: `systole record history`: a record's whole graph, proven entry by entry.
 *
 *     record --> how many versions, which are heads --> each version, and who signed it besides
 *            --> its parents, and how many records name it --> each link --> what that record is
 *
 * The record's entry says how many versions and links there are, so an entry that is kept back
 * would be missed. What another record is, its own consents and labels decide: it may be withheld
 * from a key that sees this one. */
#include <stdlib.h>

#include "core/client/cmd.h"
#include "core/client/cmd_record.h"
#include "core/client/show.h"
#include "core/wire/state.h"

static const char about[] =
    "Shows a record's heads, all its versions with authors and cosignatures, which\n"
    "versions join which, its parents, and the records that name it, whatever\n"
    "organisation registered them. Every entry is proven and checked against the\n"
    "genesis file. Records that the key may not see are told by their ids alone.\n";

#define ENTRIES_MAX 4096u /* versions, and links, that are shown at most */

struct history {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *purpose;
    uint64_t max_age_s;
    struct sy_hash record_id;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    uint8_t purpose_number;
    struct sy_proven answer;       /* the newest */
    struct sy_proven record_proof; /* what record borrows */
    struct sy_record record;
    uint64_t lowest, highest; /* heights of the blocks that prove it */
    sy_json json;
};

/* ---- reading ------------------------------------------------------------------------------ */

/* Reads an entry; *present: whether it is there. SY_ERR_PERMISSION: withheld from this key. */
static sy_status read_entry(struct history *h, bool *present, enum sy_state_kind kind,
                            const struct sy_hash *id, uint64_t number, struct sy_error *err)
{
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .purpose = h->purpose_number};
    if (kind != SY_STATE_RECORD) sy_store_u64(read.second.bytes, number);
    SY_TRY(sy_asker_read(h->asker, &h->answer, &read, h->key, (int64_t)h->max_age_s * 1000, err));
    uint64_t height = h->answer.proof.header.height;
    if (h->lowest == 0 || height < h->lowest) h->lowest = height;
    if (height > h->highest) h->highest = height;
    *present = h->answer.proof.state.present;
    return SY_OK;
}

static sy_status fail_form(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_VERSION, "a proven entry is of an unknown form: upgrade");
}

/* A count in one proven entry promises another one, so its absence is no answer. */
static sy_status fail_absent(const char *what, uint64_t number, struct sy_error *err)
{
    return sy_fail(err, SY_ERR_CORRUPT, "%s %llu is counted and not there", what,
                   (unsigned long long)number);
}

static sy_status read_record(struct history *h, struct sy_error *err)
{
    bool present;
    SY_TRY(read_entry(h, &present, SY_STATE_RECORD, &h->record_id, 0, err));
    if (!present) {
        return sy_fail(err, SY_ERR_NOT_FOUND, "there is no record %s", h->cmd->words[0]);
    }
    // The record borrows its proof's bytes, which therefore are kept.
    h->record_proof = h->answer;
    memset(&h->answer, 0, sizeof h->answer);
    if (!sy_record_decode(&h->record, h->record_proof.proof.state.value)) return fail_form(err);
    if (h->record.versions <= ENTRIES_MAX && h->record.links <= ENTRIES_MAX) return SY_OK;
    return sy_fail(err, SY_ERR_LIMIT, "it has %u versions and %llu links; %u each is the most",
                   (unsigned)h->record.versions, (unsigned long long)h->record.links, ENTRIES_MAX);
}

static sy_status read_version(struct history *h, struct sy_record_version *version, uint32_t number,
                              struct sy_error *err)
{
    bool present;
    *version = h->record.first;
    if (number == 1) return SY_OK;
    SY_TRY(read_entry(h, &present, SY_STATE_RECORD_VERSION, &h->record_id, number, err));
    if (!present) return fail_absent("version", number, err);
    bool good = sy_record_version_decode(version, h->answer.proof.state.value);
    return good ? SY_OK : fail_form(err);
}

static sy_status read_cosignatures(struct history *h, struct sy_cosignatures *list, uint32_t number,
                                   struct sy_error *err)
{
    bool present;
    list->count = 0;
    SY_TRY(read_entry(h, &present, SY_STATE_COSIGNATURES, &h->record_id, number, err));
    if (!present) return SY_OK;
    return sy_cosignatures_decode(list, h->answer.proof.state.value) ? SY_OK : fail_form(err);
}

/* What another record is; *seen: false: it is withheld. other borrows the newest answer. */
static sy_status read_other(struct history *h, struct sy_record *other, bool *seen,
                            const struct sy_hash *id, struct sy_error *err)
{
    bool present;
    struct sy_error why = {SY_OK, ""};
    sy_status status = read_entry(h, &present, SY_STATE_RECORD, id, 0, &why);
    *seen = status == SY_OK && present;
    if (status == SY_ERR_PERMISSION) return SY_OK;
    if (status != SY_OK) return sy_fail(err, status, "%s", why.text);
    if (!present) return sy_fail(err, SY_ERR_CORRUPT, "a linked record is not there");
    return sy_record_decode(other, h->answer.proof.state.value) ? SY_OK : fail_form(err);
}

/* ---- telling ------------------------------------------------------------------------------ */

static void print_id(const char *front, const struct sy_hash *id)
{
    char hex[65];
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    printf("%s%s", front, hex);
}

static void print_who(uint8_t role, const struct sy_public_key *key, const struct sy_hash *holder,
                      uint64_t height, int64_t time_ms)
{
    char time[SY_CMD_TIME_BYTES], hex[65];
    const char *word = sy_role_name(role);
    sy_cmd_time(time, time_ms);
    sy_hex_encode(hex, key->bytes, sizeof key->bytes);
    printf("%s %s", word ? word : "?", hex);
    print_id(" of ", holder);
    printf(", block %llu, %s\n", (unsigned long long)height, time);
}

static void print_version(const struct history *h, const struct sy_record_version *version)
{
    bool head = false;
    for (unsigned i = 0; i < h->record.head_count; i++) {
        head = head || h->record.heads[i] == version->version;
    }
    printf("version %u%s", (unsigned)version->version, head ? " (head)" : "");
    if (version->other_count > 0) {
        printf(", joins %u", (unsigned)version->parent);
        for (unsigned i = 0; i < version->other_count; i++) {
            printf(" and %u", (unsigned)version->others[i]);
        }
    } else if (version->parent > 0) {
        const char *reason = sy_enum_word(&sy_enum_amend_reason, version->reason);
        printf(", amends %u (%s)", (unsigned)version->parent, reason ? reason : "?");
    }
    printf("\n  by ");
    print_who(version->author_role, &version->author, &version->holder, version->height,
              version->time_ms);
    print_id("  commit ", &version->commit);
    printf("\n");
}

static void print_cosignatures(const struct sy_cosignatures *list)
{
    for (unsigned i = 0; i < list->count; i++) {
        const struct sy_cosignature *item = &list->items[i];
        const char *meaning = sy_enum_word(&sy_enum_cosign_meaning, item->meaning);
        printf("  signed as %s by ", meaning ? meaning : "?");
        print_who(item->role, &item->key, &item->holder, item->height, item->time_ms);
    }
}

static void put_version(struct history *h, const struct sy_record_version *version,
                        const struct sy_cosignatures *list)
{
    sy_json_object_begin(&h->json);
    sy_show_version(&h->json, version);
    sy_json_key(&h->json, "cosignatures");
    sy_json_array_begin(&h->json);
    for (unsigned i = 0; i < list->count; i++) sy_show_cosignature(&h->json, &list->items[i]);
    sy_json_array_end(&h->json);
    sy_json_object_end(&h->json);
}

/* A parent, or a record that names this one. */
static void tell_other(struct history *h, const char *relation, const struct sy_hash *id,
                       const struct sy_record *other, bool seen)
{
    if (h->cmd->json) {
        sy_json_object_begin(&h->json);
        sy_json_put_text(&h->json, "relation", relation);
        sy_json_put_hex(&h->json, "record", id->bytes, sizeof id->bytes);
        sy_json_put_bool(&h->json, "seen", seen);
        if (seen) {
            sy_json_key(&h->json, "class");
            sy_json_text_bytes(&h->json, other->record_class.data, other->record_class.size);
            sy_json_put_hex(&h->json, "holder", other->holder.bytes, sizeof other->holder.bytes);
            sy_json_put_bool(&h->json, "erased", other->erased);
            sy_json_put_bool(&h->json, "retracted", other->retracted);
        }
        sy_json_object_end(&h->json);
        return;
    }
    printf("  %s ", relation);
    print_id("", id);
    if (seen) {
        printf(", %.*s", (int)other->record_class.size, (const char *)other->record_class.data);
        print_id(" held by ", &other->holder);
        printf("%s%s\n", other->erased ? ", erased" : "", other->retracted ? ", retracted" : "");
    } else {
        printf(", withheld from this key\n");
    }
}

/* ---- the parts ---------------------------------------------------------------------------- */

static void begin_part(struct history *h, const char *name, const char *title)
{
    if (!h->cmd->json) {
        if (title) printf("%s\n", title);
        return;
    }
    sy_json_key(&h->json, name);
    sy_json_array_begin(&h->json);
}

static void end_part(struct history *h)
{
    if (h->cmd->json) sy_json_array_end(&h->json);
}

static sy_status tell_versions(struct history *h, struct sy_error *err)
{
    begin_part(h, "graph", NULL);
    for (uint32_t number = 1; number <= h->record.versions; number++) {
        struct sy_record_version version;
        struct sy_cosignatures list;
        SY_TRY(read_version(h, &version, number, err));
        SY_TRY(read_cosignatures(h, &list, number, err));
        if (h->cmd->json) {
            put_version(h, &version, &list);
        } else {
            print_version(h, &version);
            print_cosignatures(&list);
        }
    }
    end_part(h);
    return SY_OK;
}

static sy_status tell_parents(struct history *h, struct sy_error *err)
{
    struct sy_hash id;
    struct sy_record other;
    bool seen;
    const char *relation = h->record.relation ? sy_show_relation(h->record.relation) : "refers to";
    begin_part(h, "parents", h->record.parents.count > 0 ? "parents" : NULL);
    for (size_t offset = 0; sy_list_next_id(&h->record.parents, &offset, &id);) {
        SY_TRY(read_other(h, &other, &seen, &id, err));
        tell_other(h, relation, &id, &other, seen);
    }
    end_part(h);
    return SY_OK;
}

static sy_status tell_links(struct history *h, struct sy_error *err)
{
    struct sy_record_link link;
    struct sy_record other;
    bool present, seen;
    begin_part(h, "named_by", h->record.links > 0 ? "named by" : NULL);
    for (uint64_t number = 1; number <= h->record.links; number++) {
        SY_TRY(read_entry(h, &present, SY_STATE_RECORD_LINK, &h->record_id, number, err));
        if (!present) return fail_absent("link", number, err);
        if (!sy_record_link_decode(&link, h->answer.proof.state.value)) return fail_form(err);
        SY_TRY(read_other(h, &other, &seen, &link.other, err));
        tell_other(h, sy_show_relation(link.relation), &link.other, &other, seen);
    }
    end_part(h);
    return SY_OK;
}

static void tell_record(struct history *h)
{
    const struct sy_record *record = &h->record;
    if (h->cmd->json) {
        sy_json_key(&h->json, "record");
        sy_show_state(&h->json, SY_STATE_RECORD, h->record_proof.proof.state.value);
        return;
    }
    print_id("record ", &h->record_id);
    printf(": %.*s", (int)record->record_class.size, (const char *)record->record_class.data);
    print_id(", held by ", &record->holder);
    printf("\n");
    if (record->retracted) {
        printf("retracted in block %llu\n", (unsigned long long)record->retracted_height);
    }
    if (record->erased) {
        const char *basis = sy_enum_word(&sy_enum_erase_basis, record->erase_basis);
        printf("erased in block %llu (%s): its commitments stay, and say nothing\n",
               (unsigned long long)record->erased_height, basis ? basis : "?");
    }
}

/* ---- the run ------------------------------------------------------------------------------ */

static sy_status run_history(struct history *h, struct sy_error *err)
{
    SY_TRY(sy_cmd_hash(&h->record_id, "RECORD", h->cmd->words[0], err));
    SY_TRY(sy_cmd_purpose(&h->purpose_number, h->purpose, err));
    SY_TRY(sy_cmd_connect(&h->net, &h->asker, &h->where, 0, err));
    SY_TRY(sy_cmd_read_key(&h->key, h->net, h->key_path, err));
    SY_TRY(read_record(h, err));
    if (h->cmd->json) sy_cmd_json_begin(&h->json);
    tell_record(h);
    SY_TRY(tell_versions(h, err));
    SY_TRY(tell_parents(h, err));
    return tell_links(h, err);
}

static int finish(struct history *h, sy_status status, const struct sy_error *err)
{
    if (status != SY_OK) {
        sy_json_free(&h->json);
        return sy_cmd_fail(h->cmd, err);
    }
    if (h->cmd->json) {
        sy_json_put_u64(&h->json, "lowest_height", h->lowest);
        sy_json_put_u64(&h->json, "highest_height", h->highest);
        return sy_cmd_json_end(&h->json, SY_EXIT_DONE);
    }
    printf("proven by blocks %llu to %llu\n", (unsigned long long)h->lowest,
           (unsigned long long)h->highest);
    return SY_EXIT_DONE;
}

int sy_cmd_record_history(int argc, char **argv)
{
    static struct history h; /* too large for a small stack; one command a process */
    h.purpose = "treatment";
    h.max_age_s = 60;
    const struct sy_option options[] = {
        {"key", SY_OPTION_TEXT, &h.key_path, "FILE", "key that signs the reads (the client.conf's)",
         0, 0},
        {"purpose", SY_OPTION_TEXT, &h.purpose, "WORD", "why, as for `systole get` (treatment)", 0,
         0},
        {"max-age", SY_OPTION_NUMBER, &h.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(h.where),
    };
    struct sy_cmd cmd = {.name = "record history",
                         .arguments = "RECORD",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    h.cmd = &cmd;
    exit_code = finish(&h, run_history(&h, &err), &err);
    sy_proven_free(&h.answer);
    sy_proven_free(&h.record_proof);
    sy_secret_key_close(h.key);
    sy_asker_close(h.asker);
    sy_cmd_net_close(h.net);
    h.cmd = NULL;
    return exit_code;
}
