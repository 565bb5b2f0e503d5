/* stream_rig.c: see stream_rig.h. */
#include "tests/unit/stream_rig.h"

#include <string.h>

static uint8_t kept[SY_STATE_VALUE_BYTES_MAX];

struct sy_slice words(const char *text)
{
    return sy_slice_of(text, strlen(text));
}

int64_t stream_now(void)
{
    return world.header.time_ms + world.step_ms;
}

/* Some transaction that changes nothing of streams makes a block at that time. */
void wait_ms(int64_t ms)
{
    static unsigned made;
    int64_t step_ms = world.step_ms;
    world.step_ms = ms;
    struct world_tx tx = world_enrol(GATEWAY_A, ORG_A, FRESH_ID + 100000 + made++);
    tx.valid_until_ms = stream_now() + HOUR_MS;
    assert_applied(&tx);
    world.step_ms = step_ms;
}

struct world_tx add_device(unsigned device, unsigned key, unsigned owner_kind, unsigned owner)
{
    struct world_tx tx = world_tx_of(SY_KIND_device_register, ADMIN_A, ORG_A);
    struct sy_device_register *p = &tx.payload.device_register;
    p->device_id = test_hash(device);
    p->device_key = test_public(key);
    p->org_id = test_hash(ORG_A);
    p->owner_kind = (uint16_t)owner_kind;
    p->owner = test_hash(owner);
    p->udi_commit = test_hash(1);
    p->class = SY_DEVICE_WEARABLE;
    p->not_before = world.header.time_ms;
    p->not_after = world.header.time_ms + 100 * 24 * HOUR_MS;
    return tx;
}

struct world_tx attest(unsigned device, unsigned key, uint32_t release)
{
    struct world_tx tx = world_tx_of(SY_KIND_device_firmware, GATEWAY_A, ORG_A);
    struct sy_device_firmware *p = &tx.payload.device_firmware;
    p->device_id = test_hash(device);
    p->release = release;
    p->firmware = test_hash(3000 + release);
    p->attest = test_hash(4000);
    p->until = stream_now() + 50 * 24 * HOUR_MS;
    world_cosign(&tx, key);
    return tx;
}

struct world_tx open_stream(unsigned stream, unsigned device, unsigned key)
{
    static const struct {
        const char *kind, *unit;
    } kinds[STREAM_KINDS] = {{"8867-4", "/min"},   {"9279-1", "/min"},  {"59408-5", "%"},
                             {"8480-6", "mm[Hg]"}, {"2339-0", "mg/dL"}, {"8310-5", "Cel"}};
    const unsigned which = (stream - STREAM) % STREAM_KINDS;
    struct world_tx tx = world_tx_of(SY_KIND_stream_open, key, ORG_A);
    struct sy_stream_open *p = &tx.payload.stream_open;
    p->stream_id = test_hash(stream);
    p->device_id = test_hash(device);
    p->patient_id = test_hash(PATIENT_CLAIMED);
    p->system = SY_STREAM_LOINC;
    p->kind = words(kinds[which].kind);
    p->unit = words(kinds[which].unit);
    p->rate = 60;
    p->tolerance = 120;
    p->consent = test_hash(GRANT);
    return tx;
}

struct world_tx commit_window(uint32_t sequence, int64_t from_ms, int64_t to_ms)
{
    struct world_tx tx = world_tx_of(SY_KIND_stream_commit, WEARABLE_KEY, ORG_A);
    struct sy_stream_commit *p = &tx.payload.stream_commit;
    p->stream_id = test_hash(STREAM);
    p->sequence = sequence;
    p->release = 1;
    p->from = from_ms;
    p->to = to_ms;
    p->samples = (uint32_t)((to_ms - from_ms) / MINUTE_MS);
    p->root = test_hash(5000 + sequence);
    p->backfill = to_ms < stream_now() - SY_STREAM_SKEW_MS;
    return tx;
}

struct world_tx alert(unsigned key, uint32_t sequence)
{
    struct world_tx tx = world_tx_of(SY_KIND_stream_alert, key, ORG_A);
    struct sy_stream_alert *p = &tx.payload.stream_alert;
    p->stream_id = test_hash(STREAM);
    p->sequence = sequence;
    p->rule = test_hash(6000 + sequence);
    p->level = SY_ALERT_CRITICAL;
    p->at = stream_now();
    return tx;
}

struct world_tx close_stream(unsigned key)
{
    unsigned org = key == WALLET_CLAIMED ? 0 : ORG_A;
    struct world_tx tx = world_tx_of(SY_KIND_stream_close, key, org);
    tx.payload.stream_close.stream_id = test_hash(STREAM);
    tx.payload.stream_close.reason = SY_STREAM_CLOSE_DONE;
    return tx;
}

int set_up_device(void **state)
{
    set_up(state);
    struct world_tx tx = add_device(WEARABLE, WEARABLE_KEY, SY_SUBJECT_PATIENT, PATIENT_CLAIMED);
    assert_applied(&tx);
    tx = attest(WEARABLE, WEARABLE_KEY, 1);
    assert_applied(&tx);
    tx = world_grant(&world, WALLET_CLAIMED, GRANT, PATIENT_CLAIMED, SY_GRANTEE_KEY, WEARABLE_KEY);
    tx.payload.consent_grant.from = 0; // late windows are of before the world's first block
    assert_applied(&tx);
    return 0;
}

int set_up_stream(void **state)
{
    set_up_device(state);
    struct world_tx tx = open_stream(STREAM, WEARABLE, WEARABLE_KEY);
    assert_applied(&tx);
    return 0;
}

/* Keeps what is found until the next call. */
static bool keep(struct sy_slice *out, const struct sy_hash *key_hash)
{
    struct sy_slice value;
    if (!world_find(&world, &value, key_hash)) return false;
    memcpy(kept, value.data, value.size);
    *out = sy_slice_of(kept, value.size);
    return true;
}

struct sy_stream find_stream(unsigned stream)
{
    struct sy_hash key_hash, id = test_hash(stream);
    struct sy_slice value;
    struct sy_stream found;
    sy_state_key_id(&key_hash, SY_STATE_STREAM, &id);
    assert_true(keep(&value, &key_hash));
    assert_true(sy_stream_decode(&found, value));
    return found;
}

struct sy_stream_commit_entry find_commit(uint64_t number)
{
    struct sy_hash key_hash, id = test_hash(STREAM);
    struct sy_slice value;
    struct sy_stream_commit_entry found;
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_COMMIT, &id, number);
    assert_true(keep(&value, &key_hash));
    assert_true(sy_stream_commit_decode(&found, value));
    return found;
}

bool find_gap(struct sy_stream_gap *gap, uint64_t number)
{
    struct sy_hash key_hash, id = test_hash(STREAM);
    struct sy_slice value;
    sy_state_key_stream(&key_hash, SY_STATE_STREAM_GAP, &id, number);
    if (!keep(&value, &key_hash)) return false;
    assert_true(sy_stream_gap_decode(gap, value));
    return true;
}

void assert_stream_told(uint32_t index, uint16_t kind, uint8_t subject_kind, unsigned subject)
{
    struct sy_event event;
    size_t offset = 0;
    struct sy_hash about = test_hash(subject), stream = test_hash(STREAM);
    for (uint32_t i = 0; i <= index; i++) {
        assert_true(sy_receipt_next_event(&world.receipt, &offset, &event));
    }
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.subject_kind, subject_kind);
    assert_memory_equal(&event.subject, &about, sizeof about);
    assert_memory_equal(&event.object, &stream, sizeof stream);
}
