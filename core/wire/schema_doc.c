/* schema_doc.c: the table in words: `systole explain`, and CATALOGUE.md. */
#include "core/wire/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/wire/state_stream.h"

static void put(struct sy_writer *w, const char *text)
{
    sy_write_raw(w, text, strlen(text));
}

SY_PRINTF(2, 3) static void put_format(struct sy_writer *w, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof line) {
        w->failed = true;
        return;
    }
    put(w, line);
}

/* --- one field ----------------------------------------------------------------------------- */

static const char *type_name(uint8_t type)
{
    static const char *const names[SY_FIELD_TYPE_COUNT] = {
        [SY_FIELD_U8] = "u8",
        [SY_FIELD_U16] = "u16",
        [SY_FIELD_U32] = "u32",
        [SY_FIELD_U64] = "u64",
        [SY_FIELD_TIME] = "time",
        [SY_FIELD_BOOL] = "bool",
        [SY_FIELD_ENUM] = "enum",
        [SY_FIELD_SET] = "set",
        [SY_FIELD_ID] = "id",
        [SY_FIELD_HASH] = "hash",
        [SY_FIELD_KEY] = "key",
        [SY_FIELD_POSSESSION] = "possession",
        [SY_FIELD_TEXT] = "text",
        [SY_FIELD_BYTES] = "bytes",
        [SY_FIELD_TAG] = "tag",
        [SY_FIELD_ID_LIST] = "id list",
        [SY_FIELD_TEXT_LIST] = "text list",
        [SY_FIELD_TAG_LIST] = "tag list",
        [SY_FIELD_U32_LIST] = "u32 list",
        [SY_FIELD_APPROVAL_LIST] = "approval list",
        [SY_FIELD_PAYLOAD_LIST] = "payload list",
    };
    return names[type];
}

static void put_number_rule(struct sy_writer *w, const struct sy_field *field)
{
    if (field->min == 0 && field->max == 0) return;
    if (field->max == 0) {
        put_format(w, ", at least %" PRIu64, field->min);
    } else {
        put_format(w, ", %" PRIu64 " to %" PRIu64, field->min, field->max);
    }
}

static void put_text_rule(struct sy_writer *w, const struct sy_field *field)
{
    const char *unit = field->digits ? "digits" : "bytes";
    if (field->min == 0) {
        put_format(w, "at most %" PRIu64 " %s", field->max, unit);
    } else {
        put_format(w, "%" PRIu64 " to %" PRIu64 " %s", field->min, field->max, unit);
    }
}

static void put_count_rule(struct sy_writer *w, const struct sy_field *field)
{
    if (field->min == 0) {
        put_format(w, ", at most %u", (unsigned)field->items_max);
    } else {
        put_format(w, ", %" PRIu64 " to %u", field->min, (unsigned)field->items_max);
    }
}

static void put_enum_rule(struct sy_writer *w, const struct sy_enum *names)
{
    for (unsigned i = 0; i < names->count; i++) {
        put_format(w, "%s%s (%u)", i == 0 ? ": " : ", ", names->values[i].word,
                   (unsigned)names->values[i].number);
    }
}

void sy_field_rule(struct sy_writer *w, const struct sy_field *field)
{
    if (field->has_offset != SY_FIELD_REQUIRED) put(w, "optional ");
    put(w, type_name(field->type));
    switch (field->type) {
    case SY_FIELD_U8:
    case SY_FIELD_U16:
    case SY_FIELD_U32:
    case SY_FIELD_U64: put_number_rule(w, field); break;
    case SY_FIELD_TIME: put(w, ", ms since 1970"); break;
    case SY_FIELD_ENUM: put_enum_rule(w, field->names); break;
    case SY_FIELD_SET:
        if (field->min > 0) put_format(w, " of at least %" PRIu64, field->min);
        put_enum_rule(w, field->names);
        break;
    case SY_FIELD_POSSESSION:
        put_format(w, " by the key before it, for the role %s",
                   field->role ? sy_role_name(field->role) : "given in `role`");
        break;
    case SY_FIELD_TEXT:
    case SY_FIELD_BYTES:
        put(w, ", ");
        put_text_rule(w, field);
        break;
    case SY_FIELD_APPROVAL_LIST:
    case SY_FIELD_TAG_LIST: put_format(w, ", at most %u", (unsigned)field->items_max); break;
    case SY_FIELD_ID_LIST:
    case SY_FIELD_U32_LIST: put_count_rule(w, field); break;
    case SY_FIELD_TEXT_LIST:
        put_format(w, ", at most %u of ", (unsigned)field->items_max);
        put_text_rule(w, field);
        break;
    case SY_FIELD_PAYLOAD_LIST: put_count_rule(w, field); break;
    default: break;
    }
}

/* --- systole explain ----------------------------------------------------------------------- */

static void put_roles(struct sy_writer *w, uint32_t roles)
{
    const char *comma = "";
    for (unsigned role = 1; role < SY_ROLE_COUNT; role++) {
        if ((roles & SY_ROLE_BIT(role)) == 0) continue;
        put_format(w, "%s%s", comma, sy_role_name(role));
        comma = ", ";
    }
    if (roles == 0) put(w, "those of its payloads");
}

void sy_kind_explain(struct sy_writer *w, const struct sy_kind *kind)
{
    put_format(w, "%s (kind %u)\n  %s\n\n", kind->name, (unsigned)kind->number, kind->doc);
    put_format(w, "Signed by: %s\nRoles that may answer for it: ", kind->signers);
    put_roles(w, kind->roles);
    put(w, "\n\nFields, in order:\n");
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        put_format(w, "  %s\n      ", field->name);
        sy_field_rule(w, field);
        put_format(w, "\n      %s\n", field->doc);
    }
}

static const char *where_judged(uint16_t code)
{
    if (code == SY_APPLIED) return "a receipt";
    if (code < SY_REFUSAL_ORDERED_FROM) return "an answer to the client; nothing was ordered";
    if (code < SY_REFUSAL_DECIDES_FROM) {
        return "a receipt; the nonce stands, another copy may still be applied";
    }
    return "a receipt; the nonce is used up, the transaction is decided";
}

void sy_refusal_explain(struct sy_writer *w, uint16_t code)
{
    const struct sy_refusal_info *info = sy_refusal_info(code);
    put_format(w, "%s (code %u)\n  %s\n\nWhat to do: %s\nGiven as: %s\n", info->name,
               (unsigned)code, info->sentence, info->remedy, where_judged(code));
}

/* --- CATALOGUE.md -------------------------------------------------------------------------- */

static void put_kind_section(struct sy_writer *w, const struct sy_kind *kind)
{
    put_format(w, "\n### %s\n\nKind %u. %s\n\n", kind->name, (unsigned)kind->number, kind->doc);
    put_format(w, "Signed by %s. Roles that may answer for it: ", kind->signers);
    put_roles(w, kind->roles);
    put(w, ".\n\n| field | type and rule | meaning |\n|---|---|---|\n");
    for (unsigned i = 0; i < kind->field_count; i++) {
        const struct sy_field *field = &kind->fields[i];
        put_format(w, "| `%s` | ", field->name);
        sy_field_rule(w, field);
        put_format(w, " | %s |\n", field->doc);
    }
}

static void put_refusals(struct sy_writer *w)
{
    const struct sy_refusal_info *info;
    put(w, "\n## Refusal codes\n\n"
           "Codes below 32 are answers to the client: nothing was ordered. From 32 on there is a\n"
           "receipt; from 48 on (and 0) the nonce is used up and the transaction is decided.\n\n"
           "| code | number | what happened | what to do |\n|---|---|---|---|\n");
    for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL; i++) {
        put_format(w, "| `%s` | %u | %s | %s |\n", info->name, (unsigned)info->number,
                   info->sentence, info->remedy);
    }
}

static void put_events(struct sy_writer *w)
{
    put(w, "\n## Events\n\n| event | number |\n|---|---|\n");
    for (uint16_t kind = SY_EVENT_ORG_ADDED; kind < SY_EVENT_KIND_COUNT; kind++) {
        if (strcmp(sy_event_name(kind), "unknown") == 0) continue; // numbers have gaps
        put_format(w, "| `%s` | %u |\n", sy_event_name(kind), (unsigned)kind);
    }
}

static void put_stream_kinds(struct sy_writer *w)
{
    const struct sy_stream_kind *kind;
    put(w, "\n## Kinds of streams\n\n"
           "What `stream.open` may name; units are UCUM codes. Rows and units stay for good.\n\n"
           "| system | kind | what is measured | units |\n|---|---|---|---|\n");
    for (unsigned i = 0; (kind = sy_stream_kind_at(i)) != NULL; i++) {
        put_format(w, "| %s | `%s` | %s |", sy_enum_word(&sy_enum_stream_system, kind->system),
                   kind->code, kind->name);
        for (const char *at = kind->units; *at != '\0'; at += strspn(at, " ")) {
            int size = (int)strcspn(at, " ");
            put_format(w, " `%.*s`", size, at);
            at += size;
        }
        put(w, " |\n");
    }
}

void sy_schema_write_markdown(struct sy_writer *w)
{
    const struct sy_kind *kind;
    put(w, "# The transaction catalogue\n\n"
           "Written by `systole explain --markdown` from core/wire/kinds.def, enums.def,\n"
           "stream_kinds.def and refusal.def; a test compares it. Encodings of the types stand in\n"
           "FORMAT.md. A possession is there exactly when the key before it is.\n\n"
           "## Kinds\n");
    for (unsigned i = 0; (kind = sy_kind_at(i)) != NULL; i++) put_kind_section(w, kind);
    put_stream_kinds(w);
    put_events(w);
    put_refusals(w);
}
