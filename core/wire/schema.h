/* schema.h: ONE table of transaction kinds and their fields, from which C structs, encoder,
 * decoder, rules, JSON rendering, `systole explain KIND` and CATALOGUE.md derive.
 *
 * kinds.def declares each kind once as a list of fields; enums.def names the numbers:
 *
 *     K(record_create, 20, "record.create", SY_ROLES_RECORD, "who signs", "what it does")
 *     F(S, record_id, ID,  REQUIRED, (),                             "the record's random id")
 *     F(S, size,      U64, REQUIRED, (.min = 1, .max = 1ull << 40),  "bytes of content ...")
 *
 * From the list come `struct sy_record_create` (members in order, typed by field type; an OPTIONAL
 * one has `bool has_<name>` in front), a member of `union sy_payload`, and a row of the table.
 *
 * Encodings, fields in order and nothing between:
 *     U8 U16 U32 U64 little-endian · TIME i64 ms · BOOL u8 0 or 1 · ENUM u16 · TAG 16 raw
 *     SET u32, bit n for the enum's number n
 *     ID HASH KEY 32 raw · POSSESSION 64 raw · TEXT BYTES u16 length, bytes
 *     ID_LIST u16 count, 32 raw each · TAG_LIST u16 count, 16 raw each · U32_LIST u16 count, u32
 * each TEXT_LIST u16 count, (u16 length, bytes) each APPROVAL_LIST u16 count, (32 key, 64
 * signature) each PAYLOAD_LIST u16 count, (u16 kind, u8 signer, u32 length, payload) each An
 * OPTIONAL field has u8 0 or 1 in front. A POSSESSION belongs to the KEY right before it and stands
 * exactly when that key does, without a byte of its own.
 *
 * Two steps, because they are judged at two places:
 *   form   sy_payload_decode: canonical bytes, a length or count within its limit, a known kind,
 *          nothing left over. Admission judges it without any state; what breaks it is no
 *          transaction and is answered E_DECODE, never ordered.
 *   rules  sy_payload_check: known enum numbers, bounds of values, content of texts, least
 *          lengths, no zero id, no item twice. Execution judges them after key, nonce, expiry,
 *          organisation and role, and gives a receipt with E_SCHEMA and the path. Clients call it
 *          before they sign.
 * What needs two fields or state (not_before < not_after, guardian_needed <= guardians) is the
 * contract's, in core/ledger/contracts.
 *
 * Payloads decode into a caller's union with borrowed slices; lists stay encoded (struct sy_list)
 * and are walked. Nothing allocates; everything here is pure and may be called from any thread. */
#ifndef SY_WIRE_SCHEMA_H
#define SY_WIRE_SCHEMA_H

#include "core/base/json.h"
#include "core/wire/codec.h"
#include "core/wire/limits.h"
#include "core/wire/receipt.h"
#include "core/wire/tx.h"

#include "core/wire/enums.def"
#include "core/wire/kinds.def"
#include "core/wire/kinds_claims.def"
#include "core/wire/kinds_export.def"
#include "core/wire/kinds_goods.def"
#include "core/wire/kinds_records.def"
#include "core/wire/kinds_research.def"
#include "core/wire/kinds_streams.def"
#include "core/wire/kinds_trials.def"

/* --- names of numbers ------------------------------------------------------------------------ */

/* enum sy_role, enum sy_org_kind, enum sy_suspend_reason ...; constants stand in enums.def. */
#define SY_ENUM_CONSTANT(constant, number, word) constant = (number),
#define SY_ENUM_DECLARE(name) enum sy_##name{SY_ENUM_##name(SY_ENUM_CONSTANT)};
SY_ENUMS(SY_ENUM_DECLARE)
#undef SY_ENUM_DECLARE
#undef SY_ENUM_CONSTANT

enum { SY_ROLE_COUNT = SY_ROLE_AUDITOR + 1, SY_ORG_KIND_COUNT = SY_ORG_AUTHORITY + 1 };

/* Signer roles: one bit each in a mask, words in every rendering. */
#define SY_ROLE_BIT(role) (UINT32_C(1) << (role))
_Static_assert(SY_ROLE_COUNT <= 32, "a role is one bit of a 32-bit mask");

struct sy_enum_value {
    uint16_t number;
    const char *word;
};
struct sy_enum {
    const char *name; /* "role" */
    const struct sy_enum_value *values;
    unsigned count;
};

/* sy_enum_role, sy_enum_org_kind, ... */
#define SY_ENUM_EXTERN(name) extern const struct sy_enum sy_enum_##name;
SY_ENUMS(SY_ENUM_EXTERN)
SY_ENUM_EXTERN(subject_kind)
#undef SY_ENUM_EXTERN

/* sy_enum_word gives a number's word, or NULL for a number that has none. sy_enum_number reads a
 * word of size bytes; false: no such word. */
const char *sy_enum_word(const struct sy_enum *names, uint16_t number);
bool sy_enum_number(uint16_t *number, const struct sy_enum *names, const char *word, size_t size);

/* SY_SET_BIT is the bit of a SET that stands for a number of its enum: one below 32, which
 * sy_set_known asserts of every number of the enum. It has the bits of all of them. */
#define SY_SET_BIT(number) (UINT32_C(1) << (number))
uint32_t sy_set_known(const struct sy_enum *names);

/* sy_role_name is "organisation admin" and so on; NULL for a number that is no role. */
const char *sy_role_name(unsigned role);

/* --- lists ----------------------------------------------------------------------------------- */

enum sy_field_type {
    SY_FIELD_U8 = 1,
    SY_FIELD_U16,
    SY_FIELD_U32,
    SY_FIELD_U64,
    SY_FIELD_TIME,       /* i64 ms since 1970, 0 .. SY_TIME_MS_MAX */
    SY_FIELD_BOOL,       /* u8 0 or 1 */
    SY_FIELD_ENUM,       /* u16 from `names` */
    SY_FIELD_SET,        /* u32: bit n says that number n of `names` is in it */
    SY_FIELD_ID,         /* 32 random bytes, never all zero */
    SY_FIELD_HASH,       /* 32 bytes */
    SY_FIELD_KEY,        /* Ed25519 or X25519 public key, 32 bytes */
    SY_FIELD_POSSESSION, /* 64-byte signature by the KEY right before it */
    SY_FIELD_TEXT,       /* printable UTF-8 (sy_text_is_printable) */
    SY_FIELD_BYTES,
    SY_FIELD_TAG, /* 16 bytes: HMAC'ed code or label */
    SY_FIELD_ID_LIST,
    SY_FIELD_TEXT_LIST,
    SY_FIELD_TAG_LIST,
    SY_FIELD_U32_LIST,
    SY_FIELD_APPROVAL_LIST, /* last in a kind: keys and what they signed of all before */
    SY_FIELD_PAYLOAD_LIST,  /* atomic only: {u16 kind, u8 signer, u32 length, payload} */
    SY_FIELD_TYPE_COUNT
};

struct sy_tag {
    uint8_t bytes[16];
};

/* A list stays as it is encoded. items is borrowed; its form was checked by whoever made the list:
 * sy_payload_decode or the sy_list_add functions. */
struct sy_list {
    uint16_t count;
    struct sy_slice items; /* without the count in front */
};

/* One payload of an atomic transaction. */
struct sy_part {
    uint16_t kind;
    uint8_t signer; /* index of the tx's signer that answers for it */
    struct sy_slice payload;
};

/* One approval: kind APPROVAL over sy_approval_digest (approval.h). */
struct sy_approval {
    struct sy_public_key key;
    struct sy_signature signature;
};
#define SY_APPROVAL_BYTES (32u + 64u)

/* Walking: start with *offset = 0; each call gives the next item, false after the last. */
bool sy_list_next_id(const struct sy_list *list, size_t *offset, struct sy_hash *id);
bool sy_list_next_text(const struct sy_list *list, size_t *offset, struct sy_slice *text);
bool sy_list_next_tag(const struct sy_list *list, size_t *offset, struct sy_tag *tag);
bool sy_list_next_u32(const struct sy_list *list, size_t *offset, uint32_t *number);
bool sy_list_next_approval(const struct sy_list *list, size_t *offset,
                           struct sy_approval *approval);
bool sy_list_next_part(const struct sy_list *list, size_t *offset, struct sy_part *part);

/* Building: start with a zeroed list and a writer over room that outlives the list; use the writer
 * for nothing else until the list is complete. When the room or a limit ends, the writer fails. */
void sy_list_add_id(struct sy_list *list, struct sy_writer *w, const struct sy_hash *id);
void sy_list_add_text(struct sy_list *list, struct sy_writer *w, struct sy_slice text);
void sy_list_add_tag(struct sy_list *list, struct sy_writer *w, const struct sy_tag *tag);
void sy_list_add_u32(struct sy_list *list, struct sy_writer *w, uint32_t number);
void sy_list_add_approval(struct sy_list *list, struct sy_writer *w,
                          const struct sy_approval *approval);
void sy_list_add_part(struct sy_list *list, struct sy_writer *w, const struct sy_part *part);

/* --- payloads -------------------------------------------------------------------------------- */

#define SY_C_U8 uint8_t
#define SY_C_U16 uint16_t
#define SY_C_U32 uint32_t
#define SY_C_U64 uint64_t
#define SY_C_TIME int64_t
#define SY_C_BOOL bool
#define SY_C_ENUM uint16_t
#define SY_C_SET uint32_t
#define SY_C_ID struct sy_hash
#define SY_C_HASH struct sy_hash
#define SY_C_KEY struct sy_public_key
#define SY_C_POSSESSION struct sy_signature
#define SY_C_TEXT struct sy_slice
#define SY_C_BYTES struct sy_slice
#define SY_C_TAG struct sy_tag
#define SY_C_ID_LIST struct sy_list
#define SY_C_TEXT_LIST struct sy_list
#define SY_C_TAG_LIST struct sy_list
#define SY_C_U32_LIST struct sy_list
#define SY_C_APPROVAL_LIST struct sy_list
#define SY_C_PAYLOAD_LIST struct sy_list

#define SY_MEMBER_REQUIRED(name)
#define SY_MEMBER_OPTIONAL(name) bool has_##name;
#define SY_MEMBER(S, name, type, presence, rule, doc) SY_MEMBER_##presence(name) SY_C_##type name;

/* struct sy_org_register, struct sy_org_suspend, ...: the members stand in kinds.def. */
#define SY_KIND_STRUCT(kind, number, name, roles, signers, doc) \
    struct sy_##kind {                                          \
        SY_FIELDS_##kind(SY_MEMBER, sy_##kind)                  \
    };
SY_KINDS(SY_KIND_STRUCT)
#undef SY_KIND_STRUCT
#undef SY_MEMBER
#undef SY_MEMBER_REQUIRED
#undef SY_MEMBER_OPTIONAL

/* SY_KIND_ORG_REGISTER would be noise: a kind's number is SY_KIND_org_register. */
#define SY_KIND_NUMBER(kind, number, name, roles, signers, doc) SY_KIND_##kind = (number),
enum sy_kind_number { SY_KINDS(SY_KIND_NUMBER) };
#undef SY_KIND_NUMBER

/* Any payload: payload.org_register, payload.record_create, ... */
#define SY_KIND_MEMBER(kind, number, name, roles, signers, doc) struct sy_##kind kind;
union sy_payload {
    SY_KINDS(SY_KIND_MEMBER)
};
#undef SY_KIND_MEMBER

/* --- the table ------------------------------------------------------------------------------- */

#define SY_FIELD_REQUIRED UINT16_MAX

/* A field's row. min and max: of an integer's value (max 0: the type's own), of the bytes of a
 * TEXT, BYTES or item of a TEXT_LIST; the min of a PAYLOAD_LIST, ID_LIST or U32_LIST counts items,
 * a SET's members. */
struct sy_field {
    const char *name;
    const char *doc;
    uint8_t type;        /* enum sy_field_type */
    uint16_t offset;     /* of the member in its struct */
    uint16_t has_offset; /* of has_<name>; SY_FIELD_REQUIRED: there is none */
    uint64_t min;
    uint64_t max;
    uint16_t items_max;          /* lists */
    bool digits;                 /* TEXT and TEXT_LIST: only 0 to 9 */
    uint8_t role;                /* POSSESSION: the role claimed; 0: the payload's own `role` */
    const struct sy_enum *names; /* ENUM and SET */
};

struct sy_kind {
    uint16_t number;
    const char *name;    /* "record.create" */
    const char *doc;     /* what it does */
    const char *signers; /* who must sign, in words */
    uint32_t roles;      /* bits of the roles that may answer for it; 0: its parts decide */
    const struct sy_field *fields;
    uint16_t field_count;
    uint16_t struct_bytes;
};

/* The kind of a number or a name, or the position-th one; NULL: there is none. Static storage. */
const struct sy_kind *sy_kind_by_number(uint16_t number);
const struct sy_kind *sy_kind_by_name(const char *name);
const struct sy_kind *sy_kind_at(unsigned position);

/* Where something stands in a payload: "gs1_prefixes[2]", "payloads[3].size". */
#define SY_PATH_BYTES_MAX (SY_RECEIPT_PATH_BYTES_MAX + 1)
struct sy_path {
    char text[SY_PATH_BYTES_MAX];
};

/* sy_payload_decode reads one whole payload and judges its form. out borrows bytes. False: not
 * canonical; *path (may be NULL) is then the name of the field, static text. The parts of an atomic
 * payload must be of known kinds, not atomic, and of good form themselves. */
bool sy_payload_decode(union sy_payload *out, const struct sy_kind *kind, struct sy_slice bytes,
                       const char **path);

/* sy_payload_encode writes a payload; the writer fails when its room ends or when the payload has
 * no canonical encoding (a text over its limit, say). */
void sy_payload_encode(struct sy_writer *w, const struct sy_kind *kind,
                       const union sy_payload *payload);

/* sy_payload_check judges the rules of a payload whose form is good, the parts of an atomic one
 * included. False: *path (may be NULL) says which field; sy_field_rule says what its rule is. */
bool sy_payload_check(const struct sy_kind *kind, const union sy_payload *payload,
                      struct sy_path *path);

/* sy_text_is_printable: well-formed UTF-8 (RFC 3629) without controls (C0, DEL, C1), line and
 * paragraph separators (U+2028, U+2029), directional marks and overrides (U+061C, U+200E, U+200F,
 * U+202A to U+202E, U+2066 to U+2069) and U+FEFF, which would let two texts look alike. */
bool sy_text_is_printable(struct sy_slice text);

/* sy_field_present says whether the payload has the field. sy_field_of is the address of its
 * member, typed by field->type, for readers that work from the table alone. */
bool sy_field_present(const struct sy_kind *kind, const struct sy_field *field,
                      const union sy_payload *payload);
const void *sy_field_of(const struct sy_field *field, const union sy_payload *payload);
void *sy_field_of_mutable(const struct sy_field *field, union sy_payload *payload);
void sy_field_set_present(const struct sy_field *field, union sy_payload *payload, bool present);
/* sy_kind_field finds a field by name; NULL: there is none. */
const struct sy_field *sy_kind_field(const struct sy_kind *kind, const char *name);

/* --- renderings ------------------------------------------------------------------------------ */

/* sy_payload_to_json writes an object: names as in kinds.def, lower-case hex, words for ENUMs (the
 * number when it has none), lists of them for SETs, int64 ms, absent fields left out, parts as
 * {kind, signer, payload}. */
void sy_payload_to_json(struct sy_json *json, const struct sy_kind *kind,
                        const union sy_payload *payload);

/* sy_field_rule writes a field's type and rule in words: "text list, at most 16 of 6 to 12 digits".
 * sy_kind_explain writes what `systole explain KIND` prints; sy_refusal_explain the same for a
 * code; sy_schema_write_markdown writes CATALOGUE.md. The writer fails when its room ends;
 * SY_CATALOGUE_BYTES_MAX is room enough for any of them. */
#define SY_CATALOGUE_BYTES_MAX (256u << 10)
void sy_field_rule(struct sy_writer *w, const struct sy_field *field);
void sy_kind_explain(struct sy_writer *w, const struct sy_kind *kind);
void sy_refusal_explain(struct sy_writer *w, uint16_t code);
void sy_schema_write_markdown(struct sy_writer *w);

#endif
