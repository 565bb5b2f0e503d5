/* approval.c: see approval.h. */
#include "core/wire/approval.h"

#include "core/base/assert.h"
#include "core/crypto/hash.h"

_Static_assert(4 + 32 + 32 + 2 + SY_NAME_BYTES_MAX + 3 * (32 + 64) +
                       3 * (1 + 2 + SY_ADDRESS_BYTES_MAX) + 8 <=
                   SY_APPROVED_BYTES_MAX,
               "any change of the roster fits");

static const struct sy_field *last_field(const struct sy_kind *kind)
{
    return &kind->fields[kind->field_count - 1];
}

bool sy_kind_is_approved(const struct sy_kind *kind)
{
    return kind->field_count > 0 && last_field(kind)->type == SY_FIELD_APPROVAL_LIST;
}

struct sy_roster_named sy_approved_roster(const struct sy_kind *kind,
                                          const union sy_payload *payload)
{
    SY_ASSERT(sy_kind_is_approved(kind));
    const struct sy_field *epoch = &kind->fields[0], *hash = &kind->fields[1];
    SY_ASSERT(epoch->type == SY_FIELD_U32 && hash->type == SY_FIELD_HASH);
    return (struct sy_roster_named){*(const uint32_t *)sy_field_of(epoch, payload),
                                    *(const struct sy_hash *)sy_field_of(hash, payload)};
}

const struct sy_list *sy_approvals_of(const struct sy_kind *kind, const union sy_payload *payload)
{
    SY_ASSERT(sy_kind_is_approved(kind));
    return (const struct sy_list *)sy_field_of(last_field(kind), payload);
}

struct sy_list *sy_approvals_of_mutable(const struct sy_kind *kind, union sy_payload *payload)
{
    SY_ASSERT(sy_kind_is_approved(kind));
    return (struct sy_list *)sy_field_of_mutable(last_field(kind), payload);
}

void sy_approved_encode(struct sy_writer *w, const struct sy_kind *kind,
                        const union sy_payload *payload)
{
    union sy_payload bare;
    memcpy(&bare, payload, kind->struct_bytes);
    *sy_approvals_of_mutable(kind, &bare) = (struct sy_list){0};
    sy_payload_encode(w, kind, &bare);
}

void sy_approval_digest(struct sy_hash *out, const struct sy_hash *genesis,
                        const struct sy_kind *kind, const union sy_payload *payload)
{
    uint8_t bytes[2 + SY_APPROVED_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    sy_write_u16(&w, kind->number);
    sy_approved_encode(&w, kind, payload);
    SY_ASSERT(!w.failed);
    sy_hash_digest(out, SY_DIGEST_APPROVAL, genesis, sy_writer_slice(&w));
}
