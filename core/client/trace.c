/* trace.c: see trace.h. */
#include "core/client/trace.h"

#include "core/base/assert.h"

/* What was packed into what, from the thing that is traced outwards. */
struct frame {
    struct sy_hash id;
    char item[SY_EPC_TEXT_BYTES];
    uint64_t next, last; /* steps that count; next > last: done */
    bool peeked;         /* step `next` was read before */
    struct sy_unit_step step;
};

struct walk {
    struct sy_trace *trace;
    struct frame frames[SY_CONTAINER_LEVELS_MAX + 1];
    unsigned depth; /* frames in use */
    bool has_holder;
    struct sy_hash holder; /* whose it is, as far as the walk came */
};

static const struct sy_hash nothing;

static sy_status fail_form(struct sy_error *err)
{
    return sy_fail(err, SY_ERR_VERSION, "a proven entry is of an unknown form: upgrade");
}

static sy_status contradiction(struct sy_error *err, const char *item, const char *what)
{
    return sy_fail(err, SY_ERR_CORRUPT, "what is proven of %s contradicts itself: %s", item, what);
}

/* ---- entries ------------------------------------------------------------------------------ */

static sy_status get_unit(const struct sy_trace *trace, struct sy_unit *unit, const char *item,
                          struct sy_error *err)
{
    struct sy_epc epc;
    struct sy_slice value;
    if (!sy_epc_read(&epc, sy_slice_of(item, strlen(item)))) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "'%s' is neither 01/GTIN/21/SERIAL nor 00/SSCC (14 and 18 digits)", item);
    }
    struct sy_hash number = sy_goods_text(epc.number), serial = sy_goods_text(epc.serial);
    sy_status status = trace->get(trace->self, &value, SY_STATE_UNIT, &number, &serial, err);
    if (status != SY_OK) return status;
    return sy_unit_decode(unit, value) ? SY_OK : fail_form(err);
}

static sy_status get_step(const struct sy_trace *trace, const struct frame *frame,
                          struct sy_unit_step *step, uint64_t number, struct sy_error *err)
{
    struct sy_hash second = nothing;
    struct sy_slice value;
    sy_store_u64(second.bytes, number);
    sy_status status =
        trace->get(trace->self, &value, SY_STATE_UNIT_STEP, &frame->id, &second, err);
    if (status == SY_ERR_NOT_FOUND) {
        return contradiction(err, frame->item, "a step that is counted is absent");
    }
    if (status != SY_OK) return status;
    return sy_unit_step_decode(step, value) ? SY_OK : fail_form(err);
}

/* ---- walking ------------------------------------------------------------------------------ */

static void name_frame(struct frame *frame, const char *item)
{
    struct sy_epc epc;
    bool good = sy_epc_read(&epc, sy_slice_of(item, strlen(item)));
    SY_ASSERT(good && strlen(item) < sizeof frame->item);
    memcpy(frame->item, item, strlen(item) + 1);
    frame->id = sy_goods_id(epc.number, epc.serial);
}

/* What the temperature was, by the step's event. */
static sy_status get_conditions(const struct sy_trace *trace, struct sy_trace_step *told,
                                struct sy_error *err)
{
    struct sy_slice value;
    sy_status status =
        trace->get(trace->self, &value, SY_STATE_CONDITIONS, &told->step.event, &nothing, err);
    if (status == SY_ERR_PERMISSION) return SY_OK;
    if (status == SY_ERR_NOT_FOUND) {
        return contradiction(err, told->item, "the conditions that a step names are absent");
    }
    if (status != SY_OK) return status;
    if (!sy_conditions_decode(&told->conditions, value)) return fail_form(err);
    told->conditions.items = (struct sy_list){.count = 0};
    told->has_conditions = true;
    return SY_OK;
}

static sy_status tell(struct walk *walk, const struct frame *frame, uint64_t number,
                      const struct sy_unit_step *step, struct sy_error *err)
{
    struct sy_trace_step told = {.depth = (unsigned)(frame - walk->frames), .number = number};
    memcpy(told.item, frame->item, sizeof told.item);
    told.withheld = step == NULL;
    if (step != NULL) told.step = *step;
    if (step != NULL && walk->has_holder) {
        told.has_from = true;
        told.from = walk->holder;
    }
    bool known =
        step != NULL && (step->kind == SY_STEP_MONITORED || step->kind == SY_STEP_EXCURSION);
    if (known) SY_TRY(get_conditions(walk->trace, &told, err));
    return walk->trace->visit(walk->trace->visitor, &told, err);
}

/* Whoever packs, unpacks, receives or ends something is whose it is then. */
static void follow_holder(struct walk *walk, const struct sy_unit_step *step)
{
    bool others = step->kind == SY_STEP_SHIPPED || step->kind == SY_STEP_REFUSED ||
                  step->kind == SY_STEP_RELEASED || step->kind == SY_STEP_CONDEMNED ||
                  step->kind == SY_STEP_UNFIT;
    if (others) return; // of whom it goes to, who did not take it, or who made it
    walk->has_holder = true;
    walk->holder = step->organisation;
}

/* How many of the container's steps count: up to the unpacking, or all that there are by now. */
static sy_status end_of(struct walk *walk, struct frame *inner, struct frame *outer,
                        struct sy_error *err)
{
    struct sy_trace *trace = walk->trace;
    if (inner->next <= inner->last) {
        SY_TRY(get_step(trace, inner, &inner->step, inner->next, err));
        if (inner->step.kind != SY_STEP_UNPACKED) {
            return contradiction(err, inner->item, "it was moved while it was packed");
        }
        inner->peeked = true;
        outer->last = inner->step.parent_steps;
        return SY_OK;
    }
    sy_status status = get_unit(trace, &trace->top, outer->item, err);
    if (status == SY_ERR_NOT_FOUND) {
        return contradiction(err, outer->item, "it holds something and is absent");
    }
    if (status != SY_OK) return status;
    trace->has_top = true;
    memcpy(trace->top_item, outer->item, sizeof trace->top_item);
    outer->last = trace->top.steps;
    return SY_OK;
}

/* What was packed goes on with its container's steps. */
static sy_status enter(struct walk *walk, const struct sy_unit_step *packed, struct sy_error *err)
{
    struct frame *inner = &walk->frames[walk->depth - 1], *outer = inner + 1;
    char item[3 + SY_SSCC_BYTES + 1] = "00/";
    if (walk->depth > SY_CONTAINER_LEVELS_MAX) {
        return contradiction(err, inner->item, "it lies deeper than containers go");
    }
    memcpy(item + 3, packed->parent, SY_SSCC_BYTES);
    *outer = (struct frame){.next = packed->parent_steps + 1};
    name_frame(outer, item);
    // Where it is packed now decides whose it is.
    if (inner->next > inner->last) walk->trace->has_top = false;
    sy_status status = end_of(walk, inner, outer, err);
    if (status == SY_ERR_PERMISSION) {
        walk->has_holder = false;
        return tell(walk, outer, outer->next, NULL, err);
    }
    if (status == SY_OK) walk->depth++;
    return status;
}

static sy_status step_once(struct walk *walk, struct sy_error *err)
{
    struct frame *frame = &walk->frames[walk->depth - 1];
    struct sy_unit_step step = frame->step;
    uint64_t number = frame->next;
    if (!frame->peeked) {
        sy_status status = get_step(walk->trace, frame, &step, number, err);
        if (status == SY_ERR_PERMISSION) { // of a container that is another's by now
            walk->has_holder = false;
            frame->next = frame->last + 1;
            return tell(walk, frame, number, NULL, err);
        }
        if (status != SY_OK) return status;
    }
    frame->peeked = false;
    frame->next++;
    SY_TRY(tell(walk, frame, number, &step, err));
    follow_holder(walk, &step);
    return step.kind == SY_STEP_PACKED ? enter(walk, &step, err) : SY_OK;
}

/* A unit is its product's organisation's at first. */
static sy_status find_maker(struct walk *walk, const char *item, struct sy_error *err)
{
    struct sy_trace *trace = walk->trace;
    struct sy_epc epc;
    struct sy_slice value;
    struct sy_product product;
    if (trace->unit.container) return SY_OK;
    bool good = sy_epc_read(&epc, sy_slice_of(item, strlen(item)));
    SY_ASSERT(good);
    struct sy_hash gtin = sy_goods_text(epc.number);
    sy_status status = trace->get(trace->self, &value, SY_STATE_PRODUCT, &gtin, &nothing, err);
    if (status == SY_ERR_PERMISSION) return SY_OK;
    if (status == SY_ERR_NOT_FOUND) return contradiction(err, item, "its product is absent");
    if (status != SY_OK) return status;
    if (!sy_product_decode(&product, value)) return fail_form(err);
    trace->has_maker = walk->has_holder = true;
    trace->maker = walk->holder = product.organisation;
    return SY_OK;
}

sy_status sy_trace_walk(struct sy_trace *trace, const char *epc, struct sy_error *err)
{
    static const struct sy_unit empty;
    struct walk walk = {.trace = trace, .depth = 1};
    struct sy_unit again = {.steps = 0};
    trace->has_maker = false;
    SY_TRY(get_unit(trace, &trace->unit, epc, err));
    trace->has_top = true;
    trace->top = trace->unit;
    name_frame(&walk.frames[0], epc);
    memcpy(trace->top_item, walk.frames[0].item, sizeof trace->top_item);
    walk.frames[0].next = 1;
    walk.frames[0].last = trace->unit.steps;
    SY_TRY(find_maker(&walk, epc, err));
    while (walk.depth > 0) {
        const struct frame *frame = &walk.frames[walk.depth - 1];
        if (frame->next > frame->last) {
            walk.depth--;
            continue;
        }
        SY_TRY(step_once(&walk, err));
    }
    // Unpacked since then: it was not in its container all the time that was looked at.
    SY_TRY(get_unit(trace, &again, epc, err));
    if (!trace->has_top) trace->top = empty;
    if (again.steps == trace->unit.steps) return SY_OK;
    return sy_fail(err, SY_ERR_BUSY, "%s was moved while it was traced: ask again", epc);
}

/* ---- lots --------------------------------------------------------------------------------- */

static sy_status get_recall(struct sy_trace_lot *out, sy_trace_get get, void *self,
                            struct sy_error *err)
{
    struct sy_slice value;
    SY_TRY(get(self, &value, SY_STATE_RECALL, &out->recall_id, &nothing, err));
    if (!sy_recall_decode(&out->recall, value)) return fail_form(err);
    out->recall.lots = (struct sy_list){.count = 0};
    return SY_OK;
}

sy_status sy_trace_lot(struct sy_trace_lot *out, sy_trace_get get, void *self, struct sy_slice gtin,
                       struct sy_slice name, struct sy_error *err)
{
    struct sy_hash first = sy_goods_text(gtin), second = sy_goods_text(name);
    struct sy_slice value;
    *out = (struct sy_trace_lot){.seen = false};
    sy_status status = get(self, &value, SY_STATE_LOT, &first, &second, err);
    if (status == SY_OK) {
        if (!sy_lot_decode(&out->lot, value)) return fail_form(err);
        out->seen = true;
    } else if (status == SY_ERR_NOT_FOUND) {
        out->absent = true;
    } else if (status != SY_ERR_PERMISSION) {
        return status;
    }
    status = get(self, &value, SY_STATE_LOT_RECALL, &first, &second, err);
    if (status == SY_ERR_NOT_FOUND) return SY_OK;
    if (status != SY_OK) return status;
    if (!sy_id_decode(&out->recall_id, value)) return fail_form(err);
    out->recalled = true;
    return get_recall(out, get, self, err);
}

uint16_t sy_trace_answer(const struct sy_trace *trace, const struct sy_trace_lot *lot,
                         int64_t time_ms)
{
    if (trace->unit.status != SY_UNIT_HELD) return SY_VERIFY_ENDED;
    if (trace->has_top && trace->top.status != SY_UNIT_HELD) return SY_VERIFY_ENDED;
    if (lot->recalled) return SY_VERIFY_RECALLED;
    if (!trace->has_top || !lot->seen) return 0;
    return lot->lot.expiry_ms < time_ms ? SY_VERIFY_EXPIRED : SY_VERIFY_GOOD;
}
