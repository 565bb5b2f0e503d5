/* cmd_trace.c: `systole trace`: where goods have been, who holds a lot, and what a patient got.
 *
 * What is shown to whom validators decide (consensus/node/access_goods.h); what is withheld is told
 * to be, never left out. With --proofs every entry is kept, and --kept tells the same from them. */
#include <stdlib.h>

#include "core/base/os.h"
#include "core/client/cmd.h"
#include "core/client/places.h"
#include "core/client/show.h"
#include "core/client/show_goods.h"
#include "core/client/trace.h"

static const char about[] =
    "Traces goods; every entry is proven and checked against the genesis file.\n"
    "\n"
    "  01/GTIN/21/SERIAL   a unit: every step since it was commissioned, those of\n"
    "  or 00/SSCC          the containers it was in included; whose it is now, whether\n"
    "                      it is recalled, and what unit.verify would answer\n"
    "  GTIN --lot LOT      a lot: how many units there are, who holds how many (to its\n"
    "                      maker; to others their own count), whether it is recalled\n"
    "  PATIENT             every unit that the patient got, and its recalls\n"
    "\n"
    "--proofs FOLDER keeps each proof; --kept FOLDER tells the same from them, offline,\n"
    "with only the genesis file. Exit code 1: recalled, or not to be handed on.\n";

#define HOLDERS_MAX 65536u

struct trace_run {
    const struct sy_cmd *cmd;
    struct sy_cmd_where where;
    const char *key_path, *purpose, *lot_name, *proofs, *kept_folder, *genesis_path;
    uint64_t max_age_s;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_genesis *genesis; /* of --kept */
    struct sy_trace_asked asked;
    struct sy_trace_kept kept;
    sy_trace_get get;
    void *self; /* get's */
    struct sy_trace trace;
    struct sy_trace_lot lot;
    uint64_t withheld, units, recalled; /* steps or units; a patient's units */
    bool bad;                           /* recalled, or not to be handed on */
    sy_json json;
};

static const struct sy_hash nothing;

/* ---- words -------------------------------------------------------------------------------- */

static void print_id(const char *front, const struct sy_hash *id)
{
    char hex[65];
    sy_hex_encode(hex, id->bytes, sizeof id->bytes);
    printf("%s%s", front, hex);
}

static void print_when(uint64_t height, int64_t time_ms)
{
    char time[SY_CMD_TIME_BYTES];
    sy_cmd_time(time, time_ms);
    printf("block %llu, %s", (unsigned long long)height, time);
}

static const char *word(const char *name)
{
    return name != NULL ? name : "?";
}

static void put_hash(sy_json *json, const char *name, const struct sy_hash *hash)
{
    sy_json_put_hex(json, name, hash->bytes, sizeof hash->bytes);
}

/* ---- recalls ------------------------------------------------------------------------------ */

/* A recall that was closed as done leaves its lots recalled. */
static void tell_recall(struct trace_run *run, const struct sy_trace_lot *lot, const char *front)
{
    const struct sy_recall *recall = &lot->recall;
    const char *class = word(sy_enum_word(&sy_enum_recall_class, recall->recall_class));
    const char *reason = word(sy_enum_word(&sy_enum_recall_reason, recall->reason));
    if (run->cmd->json) {
        sy_json_put_bool(&run->json, "recalled", lot->recalled);
        if (!lot->recalled) return;
        sy_json_key(&run->json, "recall");
        sy_json_object_begin(&run->json);
        put_hash(&run->json, "recall", &lot->recall_id);
        sy_json_put_text(&run->json, "class", class);
        sy_json_put_text(&run->json, "reason", reason);
        sy_json_put_u64(&run->json, "height", recall->height);
        sy_json_put_i64(&run->json, "time_ms", recall->time_ms);
        sy_json_put_bool(&run->json, "by_regulator", sy_hash_is_zero(&recall->organisation));
        sy_json_put_bool(&run->json, "closed", recall->closed_height != 0);
        sy_json_object_end(&run->json);
        return;
    }
    if (!lot->recalled) {
        printf("%snot recalled\n", front);
        return;
    }
    printf("%sRECALLED, class %s (%s), ", front, class, reason);
    print_when(recall->height, recall->time_ms);
    print_id(", by recall ", &lot->recall_id);
    printf("%s\n", recall->closed_height != 0 ? ", which is closed as done" : "");
}

/* ---- units -------------------------------------------------------------------------------- */

static void put_conditions(sy_json *json, const struct sy_conditions *c)
{
    sy_json_key(json, "conditions");
    sy_json_object_begin(json);
    sy_json_put_decimal(json, "min_celsius", (int64_t)c->min - SY_KELVIN_OF_ZERO_CELSIUS, 2);
    sy_json_put_decimal(json, "max_celsius", (int64_t)c->max - SY_KELVIN_OF_ZERO_CELSIUS, 2);
    sy_json_put_i64(json, "from_ms", c->from_ms);
    sy_json_put_i64(json, "until_ms", sy_conditions_end(c->from_ms, c->interval_s, c->readings));
    sy_json_put_i64(json, "gap_ms", c->gap_ms);
    sy_json_put_bool(json, "out_of_range", c->breached);
    sy_json_object_end(json);
}

static void put_step(sy_json *json, const struct sy_trace_step *told)
{
    uint8_t room[128];
    struct sy_writer w = sy_writer_of(room, sizeof room);
    sy_json_object_begin(json);
    sy_json_put_text(json, "item", told->item);
    sy_json_put_u64(json, "depth", told->depth);
    sy_json_put_bool(json, "withheld", told->withheld);
    if (!told->withheld) {
        sy_json_put_u64(json, "number", told->number);
        if (told->has_from) put_hash(json, "from", &told->from);
        sy_unit_step_encode(&w, &told->step);
        (void)sy_show_goods(json, SY_STATE_UNIT_STEP, sy_writer_slice(&w));
    }
    if (told->has_conditions) put_conditions(json, &told->conditions);
    sy_json_object_end(json);
}

/* Hundredths of a kelvin as degrees Celsius. */
static void print_celsius(uint32_t kelvin)
{
    int32_t celsius = (int32_t)kelvin - SY_KELVIN_OF_ZERO_CELSIUS;
    int32_t size = celsius < 0 ? -celsius : celsius;
    printf("%s%d.%02d", celsius < 0 ? "-" : "", size / 100, size % 100);
}

static void print_conditions(const struct sy_conditions *c)
{
    char from[SY_CMD_TIME_BYTES], until[SY_CMD_TIME_BYTES];
    sy_cmd_time(from, c->from_ms);
    sy_cmd_time(until, sy_conditions_end(c->from_ms, c->interval_s, c->readings));
    printf(": ");
    print_celsius(c->min);
    printf(" to ");
    print_celsius(c->max);
    printf(" degrees Celsius, %s to %s", from, until);
    if (c->gap_ms > 0)
        printf(", nothing known %llu s before", (unsigned long long)c->gap_ms / 1000);
}

static void print_step(const struct sy_trace_step *told)
{
    const struct sy_unit_step *step = &told->step;
    printf("%*s", (int)(2 + 2 * told->depth), "");
    if (told->withheld) {
        printf("%s: what happened to it meanwhile is withheld from this key\n", told->item);
        return;
    }
    printf("%s %s", told->item, word(sy_step_name(step->kind)));
    if (step->has_parent) {
        printf(" %s 00/%.*s", step->kind == SY_STEP_PACKED ? "into" : "from", (int)SY_SSCC_BYTES,
               (const char *)step->parent);
    }
    if (step->kind == SY_STEP_SHIPPED && told->has_from) print_id(" by ", &told->from);
    print_id(step->kind == SY_STEP_SHIPPED ? " to " : " by ", &step->organisation);
    printf(", ");
    print_when(step->height, step->time_ms);
    if (told->has_conditions) print_conditions(&told->conditions);
    printf("\n");
}

static sy_status visit_step(void *self, const struct sy_trace_step *told, struct sy_error *err)
{
    struct trace_run *run = self;
    (void)err;
    run->withheld += told->withheld;
    if (run->cmd->json) {
        put_step(&run->json, told);
        return SY_OK;
    }
    // Others' things that went in and out of a container are not this one's way.
    bool others = told->step.kind == SY_STEP_FILLED || told->step.kind == SY_STEP_EMPTIED;
    if (told->withheld || told->depth == 0 || !others) print_step(told);
    return SY_OK;
}

static sy_status get_lot(struct trace_run *run, const struct sy_lot_name *name,
                         struct sy_error *err)
{
    SY_TRY(sy_trace_lot(&run->lot, run->get, run->self, sy_slice_of(name->gtin, SY_GTIN_BYTES),
                        sy_slice_of(name->lot, name->lot_size), err));
    run->bad = run->bad || run->lot.recalled;
    return SY_OK;
}

static void tell_now(struct trace_run *run)
{
    const struct sy_trace *trace = &run->trace;
    const struct sy_unit *unit = &trace->unit;
    const char *status = word(sy_unit_status_name(unit->status));
    bool packed = trace->has_top ? strcmp(trace->top_item, run->cmd->words[0]) != 0 : true;
    bool under_way = trace->has_top && trace->top.under_way;
    if (run->cmd->json) {
        sy_json_put_text(&run->json, "status", status);
        sy_json_put_bool(&run->json, "owner_withheld", !trace->has_top);
        if (trace->has_top) put_hash(&run->json, "owner", &trace->top.owner);
        if (trace->has_top && packed) sy_json_put_text(&run->json, "within", trace->top_item);
        sy_json_put_bool(&run->json, "under_way", under_way);
        return;
    }
    printf("now %s", status);
    if (trace->has_top && packed) printf(", within %s", trace->top_item);
    if (trace->has_top)
        print_id(unit->status == SY_UNIT_HELD ? ", of " : " by ", &trace->top.owner);
    if (!trace->has_top) printf(", within a container that is withheld from this key");
    if (under_way) print_id(", under way in shipment ", &trace->top.shipment);
    printf("\n");
}

static void put_name(struct trace_run *run, const struct sy_lot_name *name)
{
    char lot[SY_SERIAL_BYTES_MAX + 1] = "", gtin[SY_GTIN_BYTES + 1] = "";
    memcpy(gtin, name->gtin, SY_GTIN_BYTES);
    memcpy(lot, name->lot, name->lot_size);
    if (!run->cmd->json) {
        printf("product %s, lot %s: ", gtin, lot);
        return;
    }
    sy_json_put_text(&run->json, "gtin", gtin);
    sy_json_put_text(&run->json, "lot", lot);
}

/* What a verification router would answer, from what is proven. */
static void tell_answer(struct trace_run *run)
{
    int64_t time_ms = run->kept_folder ? run->kept.time_ms : run->asked.time_ms;
    uint16_t answer = sy_trace_answer(&run->trace, &run->lot, time_ms);
    const char *text = answer != 0 ? word(sy_enum_word(&sy_enum_verify_answer, answer))
                                   : "not known: what decides it is withheld from this key";
    run->bad = run->bad || (answer != SY_VERIFY_GOOD && answer != 0);
    if (run->cmd->json) {
        sy_json_put_text(&run->json, "answer", answer != 0 ? text : "withheld");
    } else {
        printf("answer: %s\n", text);
    }
}

static sy_status tell_lots(struct trace_run *run, struct sy_error *err)
{
    const struct sy_unit *unit = &run->trace.unit;
    if (!unit->container) {
        put_name(run, &unit->name);
        SY_TRY(get_lot(run, &unit->name, err));
        tell_recall(run, &run->lot, "");
        tell_answer(run);
        return SY_OK;
    }
    if (run->cmd->json) {
        sy_json_key(&run->json, "lots");
        sy_json_array_begin(&run->json);
    }
    for (unsigned i = 0; i < unit->lot_count; i++) {
        if (run->cmd->json) sy_json_object_begin(&run->json);
        put_name(run, &unit->lots[i].name);
        SY_TRY(get_lot(run, &unit->lots[i].name, err));
        if (run->cmd->json) {
            sy_json_put_u64(&run->json, "units", unit->lots[i].units);
        } else {
            printf("%u units, ", (unsigned)unit->lots[i].units);
        }
        tell_recall(run, &run->lot, "");
        if (run->cmd->json) sy_json_object_end(&run->json);
    }
    if (run->cmd->json) sy_json_array_end(&run->json);
    return SY_OK;
}

/* To whom the unit was dispensed, for those who may know. */
static sy_status tell_patient(struct trace_run *run, struct sy_error *err)
{
    struct sy_epc epc;
    struct sy_slice value;
    struct sy_dispensed dispensed;
    const char *text = run->cmd->words[0];
    if (run->trace.unit.container || run->trace.unit.status == SY_UNIT_HELD) return SY_OK;
    if (!sy_epc_read(&epc, sy_slice_of(text, strlen(text)))) return SY_OK;
    struct sy_hash id = sy_goods_id(epc.number, epc.serial);
    sy_status status = run->get(run->self, &value, SY_STATE_DISPENSED, &id, &nothing, err);
    if (status == SY_ERR_NOT_FOUND || status == SY_ERR_PERMISSION) return SY_OK;
    if (status != SY_OK) return status;
    if (!sy_dispensed_decode(&dispensed, value)) {
        return sy_fail(err, SY_ERR_VERSION, "a proven entry is of an unknown form: upgrade");
    }
    if (run->cmd->json) {
        put_hash(&run->json, "patient", &dispensed.patient);
    } else {
        print_id("dispensed to patient ", &dispensed.patient);
        printf("\n");
    }
    return SY_OK;
}

static sy_status trace_unit(struct trace_run *run, struct sy_error *err)
{
    struct sy_trace *trace = &run->trace;
    *trace =
        (struct sy_trace){.get = run->get, .self = run->self, .visit = visit_step, .visitor = run};
    if (run->cmd->json) {
        sy_json_put_text(&run->json, "item", run->cmd->words[0]);
        sy_json_key(&run->json, "path");
        sy_json_array_begin(&run->json);
    } else {
        printf("%s\n", run->cmd->words[0]);
    }
    SY_TRY(sy_trace_walk(trace, run->cmd->words[0], err));
    if (run->cmd->json) {
        sy_json_array_end(&run->json);
        sy_json_put_u64(&run->json, "withheld", run->withheld);
        sy_json_put_u64(&run->json, "first_height", trace->unit.height);
        if (trace->has_maker) put_hash(&run->json, "maker", &trace->maker);
    } else if (trace->has_maker) {
        printf("commissioned in block %llu", (unsigned long long)trace->unit.height);
        print_id(" by ", &trace->maker);
        printf("\n");
    }
    tell_now(run);
    SY_TRY(tell_patient(run, err));
    return tell_lots(run, err);
}

/* ---- lots --------------------------------------------------------------------------------- */

static sy_status get_holder(struct trace_run *run, uint64_t *units, const struct sy_hash *lot_id,
                            const struct sy_hash *organisation, struct sy_error *err)
{
    struct sy_slice value;
    struct sy_lot_holder holder;
    sy_status status = run->get(run->self, &value, SY_STATE_LOT_HOLDER, lot_id, organisation, err);
    *units = 0;
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    if (!sy_lot_holder_decode(&holder, value)) {
        return sy_fail(err, SY_ERR_VERSION, "a proven entry is of an unknown form: upgrade");
    }
    *units = holder.units;
    return SY_OK;
}

static void tell_holder(struct trace_run *run, const struct sy_hash *organisation, uint64_t units)
{
    if (!run->cmd->json) {
        print_id("  ", organisation);
        printf(" %llu units\n", (unsigned long long)units);
        return;
    }
    sy_json_object_begin(&run->json);
    put_hash(&run->json, "organisation", organisation);
    sy_json_put_u64(&run->json, "units", units);
    sy_json_object_end(&run->json);
}

/* Whom the key acts for. *out zero: nobody that holds goods. */
static sy_status own_organisation(struct trace_run *run, struct sy_hash *out, struct sy_error *err)
{
    struct sy_public_key key;
    struct sy_hash id;
    struct sy_slice value;
    struct sy_credential credential;
    *out = nothing;
    if (run->key == NULL) return SY_OK;
    sy_secret_key_public(run->key, &key);
    memcpy(id.bytes, key.bytes, sizeof id.bytes);
    sy_status status = run->get(run->self, &value, SY_STATE_CREDENTIAL, &id, &nothing, err);
    if (status == SY_ERR_NOT_FOUND || status == SY_ERR_PERMISSION) return SY_OK;
    if (status != SY_OK) return status;
    if (sy_credential_decode(&credential, value)) *out = credential.holder;
    return SY_OK;
}

/* *told: false: they are withheld, all of them. */
static sy_status tell_holders(struct trace_run *run, bool *told, const struct sy_hash *lot_id,
                              struct sy_error *err)
{
    uint64_t count = run->lot.lot.holders, units;
    *told = true;
    if (count > HOLDERS_MAX) {
        return sy_fail(err, SY_ERR_LIMIT, "it had %llu holders; %u is the most",
                       (unsigned long long)count, HOLDERS_MAX);
    }
    for (uint64_t number = 1; number <= count; number++) {
        struct sy_hash second = nothing, organisation;
        struct sy_slice value;
        sy_store_u64(second.bytes, number);
        sy_status status = run->get(run->self, &value, SY_STATE_LOT_PLACE, lot_id, &second, err);
        if (status == SY_ERR_PERMISSION && number == 1) {
            *told = false;
            return SY_OK;
        }
        if (status == SY_ERR_NOT_FOUND) {
            return sy_fail(err, SY_ERR_CORRUPT, "a holder of the lot is counted and absent");
        }
        if (status != SY_OK) return status;
        if (!sy_id_decode(&organisation, value)) {
            return sy_fail(err, SY_ERR_VERSION, "a proven entry is of an unknown form: upgrade");
        }
        SY_TRY(get_holder(run, &units, lot_id, &organisation, err));
        tell_holder(run, &organisation, units);
    }
    return SY_OK;
}

static void tell_counts(struct trace_run *run)
{
    const struct sy_lot *lot = &run->lot.lot;
    uint64_t held = lot->commissioned - lot->dispensed - lot->ended;
    char time[SY_CMD_TIME_BYTES];
    sy_cmd_time(time, lot->expiry_ms);
    if (run->cmd->json) {
        sy_json_put_i64(&run->json, "expiry_ms", lot->expiry_ms);
        sy_json_put_u64(&run->json, "commissioned", lot->commissioned);
        sy_json_put_u64(&run->json, "dispensed", lot->dispensed);
        sy_json_put_u64(&run->json, "ended", lot->ended);
        sy_json_put_u64(&run->json, "held", held);
        return;
    }
    printf("%llu units, expiring %s: %llu held, %llu dispensed, %llu ended\n",
           (unsigned long long)lot->commissioned, time, (unsigned long long)held,
           (unsigned long long)lot->dispensed, (unsigned long long)lot->ended);
}

static sy_status trace_lot(struct trace_run *run, struct sy_error *err)
{
    const char *gtin = run->cmd->words[0];
    struct sy_slice name = sy_slice_of(run->lot_name, strlen(run->lot_name));
    struct sy_hash own;
    uint64_t units;
    bool told = true;
    if (!sy_goods_serial_good(name)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "'%s' is no lot: 1 to 20 of GS1's characters",
                       run->lot_name);
    }
    struct sy_hash lot_id = sy_goods_id(sy_slice_of(gtin, strlen(gtin)), name);
    SY_TRY(
        sy_trace_lot(&run->lot, run->get, run->self, sy_slice_of(gtin, strlen(gtin)), name, err));
    if (run->lot.absent) return sy_fail(err, SY_ERR_NOT_FOUND, "no unit of it was commissioned");
    run->bad = run->lot.recalled;
    tell_recall(run, &run->lot, "");
    if (run->lot.seen) tell_counts(run);
    if (run->cmd->json) {
        sy_json_key(&run->json, "holders");
        sy_json_array_begin(&run->json);
    }
    if (run->lot.seen) SY_TRY(tell_holders(run, &told, &lot_id, err));
    if (run->lot.seen && !told) {
        SY_TRY(own_organisation(run, &own, err));
        SY_TRY(get_holder(run, &units, &lot_id, &own, err));
        tell_holder(run, &own, units);
    }
    told = told && run->lot.seen;
    if (run->cmd->json) {
        sy_json_array_end(&run->json);
        sy_json_put_bool(&run->json, "holders_withheld", !told);
    } else if (!told) {
        printf("%s withheld from this key\n",
               run->lot.seen ? "its other holders are" : "its counts and holders are");
    }
    return SY_OK;
}

/* ---- patients ----------------------------------------------------------------------------- */

static sy_status get_place(void *self, struct sy_slice *value, uint64_t *height,
                           enum sy_state_kind kind, const struct sy_hash *id, uint64_t number,
                           struct sy_error *err)
{
    struct trace_run *run = self;
    struct sy_hash second = nothing;
    sy_store_u64(second.bytes, number);
    sy_status status = run->get(run->self, value, kind, id, &second, err);
    *height = run->kept_folder ? run->kept.highest : run->asked.highest;
    return status;
}

static void tell_unit(struct trace_run *run, const struct sy_dispensed *dispensed,
                      const char *serial)
{
    char gtin[SY_GTIN_BYTES + 1] = "", lot[SY_SERIAL_BYTES_MAX + 1] = "";
    bool returned = dispensed->returned_height != 0;
    memcpy(gtin, dispensed->name.gtin, SY_GTIN_BYTES);
    memcpy(lot, dispensed->name.lot, dispensed->name.lot_size);
    if (!run->cmd->json) {
        printf("01/%s/21/%s, lot %s%s", gtin, serial, lot, returned ? ", returned" : "");
        print_id(", from ", &dispensed->organisation);
        printf(", ");
        print_when(dispensed->height, dispensed->time_ms);
        printf("\n");
        tell_recall(run, &run->lot, "  ");
        return;
    }
    sy_json_object_begin(&run->json);
    sy_json_put_text(&run->json, "gtin", gtin);
    sy_json_put_text(&run->json, "serial", serial);
    sy_json_put_text(&run->json, "lot", lot);
    put_hash(&run->json, "from", &dispensed->organisation);
    put_hash(&run->json, "because_of", &dispensed->cause);
    sy_json_put_u64(&run->json, "height", dispensed->height);
    sy_json_put_i64(&run->json, "time_ms", dispensed->time_ms);
    sy_json_put_bool(&run->json, "returned", returned);
    tell_recall(run, &run->lot, "");
    sy_json_object_end(&run->json);
}

static sy_status visit_place(void *self, const struct sy_patient_place *place,
                             const struct sy_hash *patient, uint64_t number, struct sy_error *err)
{
    struct trace_run *run = self;
    struct sy_slice value;
    struct sy_dispensed dispensed;
    char serial[SY_SERIAL_BYTES_MAX + 1] = "";
    (void)patient;
    (void)number;
    if (place->what != SY_PLACE_UNIT) return SY_OK;
    SY_TRY(run->get(run->self, &value, SY_STATE_DISPENSED, &place->id, &nothing, err));
    if (!sy_dispensed_decode(&dispensed, value)) {
        return sy_fail(err, SY_ERR_VERSION, "a proven entry is of an unknown form: upgrade");
    }
    // The next read takes what the serial borrows.
    memcpy(serial, dispensed.serial.data, dispensed.serial.size);
    dispensed.serial = sy_slice_of(NULL, 0);
    const struct sy_lot_name name = dispensed.name;
    SY_TRY(sy_trace_lot(&run->lot, run->get, run->self, sy_slice_of(name.gtin, SY_GTIN_BYTES),
                        sy_slice_of(name.lot, name.lot_size), err));
    run->units++;
    if (run->lot.recalled && dispensed.returned_height == 0) {
        run->recalled++;
        run->bad = true;
    }
    tell_unit(run, &dispensed, serial);
    return SY_OK;
}

static sy_status trace_patient(struct trace_run *run, struct sy_error *err)
{
    struct sy_hash patient;
    struct sy_places walk = {.get = get_place, .self = run, .visit = visit_place, .visitor = run};
    SY_TRY(sy_cmd_hash(&patient, "PATIENT", run->cmd->words[0], err));
    if (run->cmd->json) {
        sy_json_key(&run->json, "units");
        sy_json_array_begin(&run->json);
    }
    SY_TRY(sy_places_walk(&walk, &patient, err));
    if (run->cmd->json) {
        sy_json_array_end(&run->json);
        sy_json_put_u64(&run->json, "recalled_units", run->recalled);
        return SY_OK;
    }
    printf(
        "%llu units, %llu of them recalled and not returned: as is proven, there are no others\n",
        (unsigned long long)run->units, (unsigned long long)run->recalled);
    return SY_OK;
}

/* ---- the run ------------------------------------------------------------------------------ */

static sy_status open_source(struct trace_run *run, struct sy_error *err)
{
    if (run->kept_folder != NULL) {
        if (run->proofs != NULL) {
            return sy_fail(err, SY_ERR_ARGUMENT, "give --proofs or --kept, not both");
        }
        SY_TRY(sy_cmd_genesis(&run->genesis, run->genesis_path, &run->where, err));
        run->kept = (struct sy_trace_kept){.genesis = run->genesis, .folder = run->kept_folder};
        run->get = sy_trace_load;
        run->self = &run->kept;
        return SY_OK;
    }
    SY_TRY(sy_cmd_connect(&run->net, &run->asker, &run->where, 0, err));
    SY_TRY(sy_cmd_read_key(&run->key, run->net, run->key_path, err));
    run->asked = (struct sy_trace_asked){.asker = run->asker,
                                         .key = run->key,
                                         .max_age_ms = (int64_t)run->max_age_s * 1000,
                                         .folder = run->proofs};
    SY_TRY(sy_cmd_purpose(&run->asked.purpose, run->purpose, err));
    if (run->proofs != NULL) SY_TRY(sy_os_make_dirs(run->proofs, 0700, err));
    run->get = sy_trace_ask;
    run->self = &run->asked;
    return SY_OK;
}

static sy_status run_trace(struct trace_run *run, struct sy_error *err)
{
    const char *what = run->cmd->words[0];
    bool epc = strchr(what, '/') != NULL;
    bool gtin = strlen(what) == SY_GTIN_BYTES && strspn(what, "0123456789") == SY_GTIN_BYTES;
    if (gtin != (run->lot_name != NULL)) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--lot LOT goes with a GTIN: 14 digits");
    }
    SY_TRY(open_source(run, err));
    if (run->cmd->json) sy_cmd_json_begin(&run->json);
    if (epc) return trace_unit(run, err);
    return gtin ? trace_lot(run, err) : trace_patient(run, err);
}

static int finish(struct trace_run *run, sy_status status, const struct sy_error *err)
{
    uint64_t lowest = run->kept_folder ? run->kept.lowest : run->asked.lowest;
    uint64_t highest = run->kept_folder ? run->kept.highest : run->asked.highest;
    int code = run->bad ? SY_EXIT_REFUSED : SY_EXIT_DONE;
    if (status != SY_OK) {
        sy_json_free(&run->json);
        return sy_cmd_fail(run->cmd, err);
    }
    if (run->cmd->json) {
        sy_json_put_u64(&run->json, "lowest_height", lowest);
        sy_json_put_u64(&run->json, "highest_height", highest);
        return sy_cmd_json_end(&run->json, code);
    }
    printf("proven by blocks %llu to %llu\n", (unsigned long long)lowest,
           (unsigned long long)highest);
    return code;
}

int sy_cmd_trace(int argc, char **argv)
{
    static struct trace_run run; /* too large for a small stack; one command a process */
    run.purpose = "operations";
    run.max_age_s = 60;
    const struct sy_option options[] = {
        {"lot", SY_OPTION_TEXT, &run.lot_name, "LOT", "the lot of a GTIN", 0, 0},
        {"proofs", SY_OPTION_TEXT, &run.proofs, "FOLDER", "keep every proof there", 0, 0},
        {"kept", SY_OPTION_TEXT, &run.kept_folder, "FOLDER", "tell from proofs kept, offline", 0,
         0},
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "for --kept: genesis file (genesis.json, or --net's or --config's)", 0, 0},
        {"key", SY_OPTION_TEXT, &run.key_path, "FILE",
         "key that signs the reads (the client.conf's)", 0, 0},
        {"purpose", SY_OPTION_TEXT, &run.purpose, "WORD",
         "why, as for `systole get` (operations); a patient: self", 0, 0},
        {"max-age", SY_OPTION_NUMBER, &run.max_age_s, "SECONDS",
         "refuse proofs of a state older than this (60); 0: any", 0, 86400},
        SY_CMD_WHERE_OPTIONS(run.where),
    };
    struct sy_cmd cmd = {.name = "trace",
                         .arguments = "WHAT",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_min = 1,
                         .words_max = 1};
    int exit_code;
    struct sy_error err = {SY_OK, ""};
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    run.cmd = &cmd;
    exit_code = finish(&run, run_trace(&run, &err), &err);
    sy_proven_free(&run.asked.answer);
    sy_proven_free(&run.kept.answer);
    free(run.genesis);
    sy_secret_key_close(run.key);
    sy_asker_close(run.asker);
    sy_cmd_net_close(run.net);
    run.cmd = NULL;
    return exit_code;
}
