/* nation_streams.c: what devices of patients do, by number: each number is a device of its own, of
 * the number's patient, registered by the organisation that enrolled them. */
#include "bench/nation.h"

#include <string.h>

#include "core/base/assert.h"

#define MINUTE_MS 60000ll
#define YEAR_MS (365ll * 24 * 3600 * 1000)

/* Ids of devices, consents, streams: sorts that nothing else has. */
#define DEVICE '+'
#define CONSENT '*'
#define STREAM '~'

static struct sy_nation_patient *patient_of(sy_nation *nation, uint64_t number)
{
    return &nation->patients[number % nation->patient_count];
}

static struct sy_nation_org *home_of(sy_nation *nation, uint64_t number)
{
    return &nation->orgs[patient_of(nation, number)->organisation];
}

static struct sy_nation_person *device_of(sy_nation *nation, uint64_t number)
{
    struct sy_nation_person *device = sy_nation_device(nation, number);
    device->organisation = home_of(nation, number)->id;
    return device;
}

static void begin(struct sy_nation_plan *plan, uint16_t kind, struct sy_nation_person *signer)
{
    memset(plan, 0, sizeof *plan);
    plan->kind = kind;
    plan->signers[0] = signer;
    plan->signer_count = 1;
}

void sy_nation_equip(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_org *org = home_of(nation, number);
    begin(plan, SY_KIND_device_register, &org->admin);
    struct sy_device_register *p = &plan->payload.device_register;
    p->device_id = sy_nation_id(DEVICE, number);
    p->device_key = device_of(nation, number)->key;
    p->org_id = org->id;
    p->owner_kind = SY_SUBJECT_PATIENT;
    p->owner = patient_of(nation, number)->id;
    p->udi_commit = sy_nation_id('u', number);
    p->class = SY_DEVICE_HUB;
    p->not_before = nation->header.time_ms;
    p->not_after = nation->header.time_ms + YEAR_MS;
}

void sy_nation_attest(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_device_firmware, &home_of(nation, number)->gateway);
    plan->signers[1] = device_of(nation, number);
    plan->signer_count = 2;
    struct sy_device_firmware *p = &plan->payload.device_firmware;
    p->device_id = sy_nation_id(DEVICE, number);
    p->release = 1;
    p->firmware = sy_nation_id('w', 1);
    p->attest = sy_nation_id('a', number);
    p->until = nation->header.time_ms + YEAR_MS / 2;
}

void sy_nation_let_device(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    struct sy_nation_patient *patient = patient_of(nation, number);
    begin(plan, SY_KIND_consent_grant, &patient->wallet);
    struct sy_consent_grant *p = &plan->payload.consent_grant;
    p->consent_id = sy_nation_id(CONSENT, number);
    p->patient_id = patient->id;
    p->grantee_kind = SY_GRANTEE_KEY;
    p->has_grantee = true;
    memcpy(p->grantee.bytes, device_of(nation, number)->key.bytes, sizeof p->grantee.bytes);
    p->actions = SY_SET_BIT(SY_ACTION_WRITE);
    p->purposes = SY_SET_BIT(SY_PURPOSE_TREATMENT);
    p->from = nation->header.time_ms - MINUTE_MS; // where sy_nation_sample may begin
    p->until = nation->header.time_ms + YEAR_MS;
}

void sy_nation_open_stream(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_stream_open, device_of(nation, number));
    struct sy_stream_open *p = &plan->payload.stream_open;
    p->stream_id = sy_nation_id(STREAM, number);
    p->device_id = sy_nation_id(DEVICE, number);
    p->patient_id = patient_of(nation, number)->id;
    p->system = SY_STREAM_LOINC;
    p->kind = sy_slice_of("8867-4", 6);
    p->unit = sy_slice_of("/min", 4);
    p->rate = 600000; // ten thousand a minute
    p->consent = sy_nation_id(CONSENT, number);
}

void sy_nation_commit_window(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number,
                             uint32_t sequence, int64_t from_ms, int64_t to_ms)
{
    SY_ASSERT(from_ms < to_ms);
    begin(plan, SY_KIND_stream_commit, device_of(nation, number));
    struct sy_stream_commit *p = &plan->payload.stream_commit;
    p->stream_id = sy_nation_id(STREAM, number);
    p->sequence = sequence;
    p->release = 1;
    p->from = from_ms;
    p->to = to_ms;
    p->samples = (uint32_t)((to_ms - from_ms) / 6); // as many as the rate says
    if (p->samples > SY_STREAM_SAMPLES_MAX) p->samples = SY_STREAM_SAMPLES_MAX;
    p->root = sy_nation_id('r', number * 65537 + sequence);
}

void sy_nation_sample(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    int64_t now_ms = nation->header.time_ms;
    sy_nation_commit_window(nation, plan, number, 1, now_ms - MINUTE_MS, now_ms);
}

void sy_nation_alert(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_stream_alert, device_of(nation, number));
    struct sy_stream_alert *p = &plan->payload.stream_alert;
    p->stream_id = sy_nation_id(STREAM, number);
    p->sequence = 1;
    p->rule = sy_nation_id('q', number);
    p->level = SY_ALERT_CRITICAL;
    p->at = nation->header.time_ms;
}

void sy_nation_close_stream(sy_nation *nation, struct sy_nation_plan *plan, uint64_t number)
{
    begin(plan, SY_KIND_stream_close, device_of(nation, number));
    plan->payload.stream_close.stream_id = sy_nation_id(STREAM, number);
    plan->payload.stream_close.reason = SY_STREAM_CLOSE_DONE;
}
