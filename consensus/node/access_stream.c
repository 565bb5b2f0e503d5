/* access_stream.c: see access_stream.h. */
#include "consensus/node/access_stream.h"

#include "core/wire/state_stream.h"

static bool finds_device(sy_state_view *view, struct sy_device *device, bool *absent,
                         const struct sy_hash *id)
{
    struct sy_hash place;
    struct sy_slice value;
    sy_state_key_id(&place, SY_STATE_DEVICE, id);
    sy_status status = sy_state_view_get(view, &value, &place);
    *absent = status == SY_ERR_NOT_FOUND;
    return status == SY_OK && sy_device_decode(device, value);
}

static bool is_itself(const struct sy_device *device, const struct sy_hash *line)
{
    return memcmp(device->key.bytes, line->bytes, sizeof line->bytes) == 0;
}

bool sy_access_device(sy_state_view *view, struct sy_hash *patient, const struct sy_hash *holder,
                      const struct sy_hash *line, const struct sy_hash *device_id)
{
    struct sy_device device;
    bool absent;
    *patient = (struct sy_hash){{0}};
    if (!finds_device(view, &device, &absent, device_id)) return absent;
    if (device.owner_kind == SY_SUBJECT_ORG) return true;
    *patient = device.owner;
    return is_itself(&device, line) || sy_hash_equal(&device.organisation, holder);
}

bool sy_access_stream(sy_state_view *view, struct sy_hash *patient, struct sy_hash *organisation,
                      const struct sy_hash *holder, const struct sy_hash *line,
                      const struct sy_hash *stream_id)
{
    struct sy_hash place;
    struct sy_slice value;
    struct sy_stream stream;
    struct sy_device device;
    bool absent;
    *patient = *organisation = (struct sy_hash){{0}};
    sy_state_key_id(&place, SY_STATE_STREAM, stream_id);
    sy_status status = sy_state_view_get(view, &value, &place);
    if (status == SY_ERR_NOT_FOUND) return true;
    if (status != SY_OK || !sy_stream_decode(&stream, value)) return false;
    *patient = stream.patient;
    *organisation = stream.organisation;
    if (sy_hash_equal(&stream.organisation, holder)) return true;
    return finds_device(view, &device, &absent, &stream.device) && is_itself(&device, line);
}
