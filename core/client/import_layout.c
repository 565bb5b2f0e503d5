/* import_layout.c: see import_layout.h. */
#include "core/client/import_layout.h"

#include <stdlib.h>

#include "core/base/assert.h"

static struct sy_slice system_of(const struct sy_layout *layout)
{
    return sy_slice_of(layout->system, strlen(layout->system));
}

/* The name of what begins with this version there: of a record here, or of the version's place. */
static void label_of(const struct sy_layout *layout, struct sy_hash *label, enum sy_label_kind kind,
                     uint32_t version)
{
    uint8_t room[32 + 4];
    memcpy(room, layout->record.bytes, 32);
    sy_store_u32(room + 32, version);
    sy_client_label(layout->store, label, kind, system_of(layout), layout->record_class,
                    sy_slice_of(room, sizeof room));
}

/* All that the version came from is covered. Stops where that was said before. */
static void cover(struct sy_layout *layout, uint32_t version)
{
    for (;;) {
        version = layout->versions[version - 1].parent;
        if (version == 0 || version > layout->count || layout->covered[version - 1]) return;
        layout->covered[version - 1] = true;
    }
}

static sy_status load(struct sy_layout *layout, struct sy_error *err)
{
    struct sy_hash label;
    for (uint32_t v = 1; v <= layout->count; v++) {
        label_of(layout, &label, SY_LABEL_PLACE, v);
        sy_status status = sy_client_get_place(layout->store, &layout->places[v - 1], &label, err);
        if (status == SY_ERR_NOT_FOUND) {
            layout->places[v - 1].number = 0;
        } else if (status != SY_OK) {
            return status;
        } else {
            cover(layout, v);
        }
    }
    return SY_OK;
}

sy_status sy_layout_open(struct sy_layout *layout, sy_client_store *store, const char *system,
                         const struct sy_hash *record, struct sy_slice record_class,
                         const struct sy_record_version *versions, uint32_t count,
                         struct sy_error *err)
{
    *layout = (struct sy_layout){.store = store,
                                 .system = system,
                                 .record = *record,
                                 .record_class = record_class,
                                 .versions = versions,
                                 .count = count};
    layout->places = calloc(count + 1u, sizeof *layout->places);
    layout->covered = calloc(count + 1u, sizeof *layout->covered);
    sy_status status = layout->places && layout->covered
                           ? load(layout, err)
                           : sy_fail(err, SY_ERR_NO_MEMORY, "out of memory");
    if (status != SY_OK) sy_layout_close(layout);
    return status;
}

void sy_layout_close(struct sy_layout *layout)
{
    free(layout->places);
    free(layout->covered);
    layout->places = NULL;
    layout->covered = NULL;
}

/* The nearest version that it came from and that stands here; NULL: none does. */
static const struct sy_client_place *nearest(const struct sy_layout *layout, uint32_t version)
{
    for (;;) {
        version = layout->versions[version - 1].parent;
        if (version == 0 || version > layout->count) return NULL;
        if (layout->places[version - 1].number != 0) return &layout->places[version - 1];
    }
}

const struct sy_client_place *sy_layout_place(struct sy_layout *layout, uint32_t version)
{
    SY_ASSERT(version >= 1 && version <= layout->count);
    struct sy_client_place *own = &layout->places[version - 1];
    if (own->number != 0) return own;
    if (layout->covered[version - 1]) return NULL;
    const struct sy_client_place *base = nearest(layout, version);
    uint32_t newest = 0;
    if (base == NULL) label_of(layout, &own->label, SY_LABEL_RESOURCE, version);
    for (uint32_t i = 0; base != NULL && i < layout->count; i++) {
        const struct sy_client_place *other = &layout->places[i];
        if (other->number == 0 || !sy_hash_equal(&other->label, &base->label)) continue;
        if (other->number > newest) newest = other->number;
        own->branch = own->branch || other->base == base->number;
    }
    if (base != NULL) {
        own->label = base->label;
        own->base = base->number;
    }
    own->number = newest + 1;
    cover(layout, version);
    return own;
}

sy_status sy_layout_keep(const struct sy_layout *layout, uint32_t version, struct sy_error *err)
{
    struct sy_hash label;
    SY_ASSERT(version >= 1 && version <= layout->count);
    label_of(layout, &label, SY_LABEL_PLACE, version);
    return sy_client_put_place(layout->store, &label, &layout->places[version - 1], err);
}
