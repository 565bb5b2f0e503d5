/* ptx_run.c: runs one block of a kernel; see ptx.h. A thread runs until it ends or waits at a
 * barrier, then the next one: forwards and backwards in turns, as no order may matter. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "tests/ptx/ptx_arithmetic.h"

#define DEPTH_MAX 8u
#define LOCAL_BYTES 16384u
#define STRETCHES_MAX 250u

enum local_state { OUTSIDE, UNSET, SET }; // of a byte of local memory

/* What a thread that has begun and not ended holds. */
struct store {
    uint64_t *slots;
    uint8_t *is_set; // of each slot
    uint8_t local[LOCAL_BYTES], local_state[LOCAL_BYTES];
    struct store *next; // when it is free
};

struct frame {
    const struct ptx_function *function;
    uint32_t base;   // of its slots
    uint32_t back;   // the operation after the call
    uint32_t result; // slot of the caller, or PTX_NONE
    uint32_t local, local_end;
};

struct thread {
    enum { BEGINS, RUNS, WAITS, ENDED } state;
    uint32_t index, pc, depth; // depth: frames below the current one
    struct frame frames[DEPTH_MAX];
    struct store *store;
    bool has_carry;
    uint32_t carry;
    uint64_t steps;
};

struct machine {
    const struct ptx_program *program;
    const struct ptx_function *entry;
    const struct ptx_launch *launch;
    ptx_memory *memory;
    uint32_t slots; // that a thread can need
    struct store *free;
    uint8_t *shared;
    struct ptx_shadow *shared_shadow;
    uint8_t stretch; // between barriers, from 1
    struct thread threads[PTX_THREADS_MAX];
    sy_status status;
    struct sy_error *err;
};

static void fault(struct machine *m, const struct thread *thread, const struct ptx_op *op,
                  sy_status status, const char *format, ...)
{
    char text[256];
    va_list args;
    if (m->status != SY_OK) return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    m->status = sy_fail(m->err, status, "%s, line %u, thread %u: %s", m->launch->entry, op->line,
                        thread->index, text);
}

// --- frames --------------------------------------------------------------------------------------

static struct store *take_store(struct machine *m)
{
    struct store *store = m->free;
    if (store) {
        m->free = store->next;
        return store;
    }
    store = (struct store *)calloc(1, sizeof *store);
    SY_ASSERT(store);
    store->slots = (uint64_t *)calloc(m->slots, sizeof *store->slots);
    store->is_set = (uint8_t *)calloc(m->slots, 1);
    SY_ASSERT(store->slots && store->is_set);
    return store;
}

static void give_store(struct machine *m, struct thread *thread)
{
    if (!thread->store) return;
    thread->store->next = m->free;
    m->free = thread->store;
    thread->store = NULL;
}

static void free_stores(struct machine *m)
{
    for (uint32_t i = 0; i < PTX_THREADS_MAX; i++) give_store(m, &m->threads[i]);
    while (m->free) {
        struct store *store = m->free;
        m->free = store->next;
        free(store->slots);
        free(store->is_set);
        free(store);
    }
}

static uint64_t preset_value(const struct machine *m, const struct thread *thread,
                             const struct ptx_preset *preset)
{
    switch (preset->fill) {
    case PTX_CONSTANT: return preset->value;
    case PTX_TID_X: return thread->index;
    case PTX_CTAID_X: return m->launch->block;
    case PTX_NCTAID_Y: return 1; // Grids have one row.
    case PTX_DEPOT: return PTX_LOCAL_BASE + thread->frames[thread->depth].local;
    }
    return 0;
}

/* Makes the frame of a function at thread->depth. Its memory is aligned to what it asks for and to
 * no more. False: there is no room. */
static bool enter(const struct machine *m, struct thread *thread,
                  const struct ptx_function *function)
{
    struct frame *frame = &thread->frames[thread->depth];
    struct store *store = thread->store;
    const struct frame *below = thread->depth > 0 ? frame - 1 : NULL;
    uint32_t align = function->local_align > 0 ? function->local_align : 1;
    uint32_t local = below ? below->local_end : 0;
    local = (local + align - 1) / align * align;
    if (local % (2 * align) == 0) local += align;
    frame->function = function;
    frame->base = below ? below->base + below->function->slots : 0;
    frame->local = local;
    frame->local_end = local + function->local_bytes;
    if (frame->local_end > LOCAL_BYTES || function->slots > m->slots - frame->base) return false;
    memset(store->local_state + local, UNSET, function->local_bytes);
    memset(store->is_set + frame->base, 0, function->slots);
    for (uint32_t i = function->first_preset; i < function->preset_end; i++) {
        const struct ptx_preset *preset = &m->program->presets[i];
        store->slots[frame->base + preset->slot] = preset_value(m, thread, preset);
        store->is_set[frame->base + preset->slot] = 1;
    }
    thread->pc = function->first_op;
    thread->has_carry = false;
    return true;
}

static void call(struct machine *m, struct thread *thread, const struct ptx_op *op,
                 const uint64_t *v)
{
    const struct ptx_function *callee = &m->program->functions[op->target];
    const struct frame *caller = &thread->frames[thread->depth];
    uint32_t back = thread->pc;
    uint32_t result = op->out_count > 0 ? caller->base + op->out[0] : PTX_NONE;
    if (thread->depth + 1 == DEPTH_MAX) {
        fault(m, thread, op, SY_ERR_LIMIT, "calls lie too deep");
        return;
    }
    thread->depth++;
    if (!enter(m, thread, callee)) {
        fault(m, thread, op, SY_ERR_LIMIT, "there is no room for another frame");
        return;
    }
    struct frame *frame = &thread->frames[thread->depth];
    frame->back = back;
    frame->result = result;
    for (uint32_t i = 0; i < callee->parameter_count; i++) {
        thread->store->slots[frame->base + callee->parameters[i]] = v[i];
        thread->store->is_set[frame->base + callee->parameters[i]] = 1;
    }
}

static void leave(struct machine *m, struct thread *thread, const struct ptx_op *op)
{
    const struct frame *frame = &thread->frames[thread->depth];
    struct store *store = thread->store;
    memset(store->local_state + frame->local, OUTSIDE, frame->function->local_bytes);
    thread->has_carry = false;
    if (thread->depth == 0) {
        thread->state = ENDED;
        give_store(m, thread);
        return;
    }
    if (frame->result != PTX_NONE) {
        uint32_t from = frame->base + frame->function->result;
        if (!store->is_set[from]) fault(m, thread, op, SY_ERR_CORRUPT, "nothing set the result");
        store->slots[frame->result] = store->slots[from];
        store->is_set[frame->result] = 1;
    }
    thread->pc = frame->back;
    thread->depth--;
}

// --- memory --------------------------------------------------------------------------------------

static uint8_t *find_local(struct thread *thread, uint64_t address, size_t bytes, bool writes,
                           const char **wrong)
{
    uint64_t at = address - PTX_LOCAL_BASE;
    if (at >= LOCAL_BYTES || bytes > LOCAL_BYTES - at) return NULL;
    uint8_t *state = thread->store->local_state + at;
    for (size_t i = 0; i < bytes; i++) {
        if (state[i] == OUTSIDE) return NULL;
        if (!writes && state[i] == UNSET) *wrong = "nothing was written there";
    }
    if (writes) memset(state, SET, bytes);
    return thread->store->local + at;
}

static uint8_t *find_global(struct machine *m, const struct thread *thread, const struct ptx_op *op,
                            uint64_t address, size_t bytes, const char **wrong)
{
    struct ptx_shadow *shadow;
    uint8_t *found = ptx_memory_find(m->memory, &shadow, address, bytes);
    if (!found) return NULL;
    *wrong = ptx_shadow_note(shadow, bytes, thread->index, m->stretch, op->code == PTX_ST);
    for (size_t i = 0; op->space == PTX_CONSTANT_GLOBAL && i < bytes; i++) {
        if (shadow[i].writer > 1) *wrong = "ld.global.nc reads what this launch wrote";
    }
    return found;
}

static uint8_t *find_shared(struct machine *m, const struct thread *thread, const struct ptx_op *op,
                            uint64_t address, size_t bytes, const char **wrong)
{
    uint64_t at = address - PTX_SHARED_BASE;
    if (at >= m->entry->shared_bytes || bytes > m->entry->shared_bytes - at) return NULL;
    *wrong = ptx_shadow_note(m->shared_shadow + at, bytes, thread->index, m->stretch,
                             op->code == PTX_ST);
    return m->shared + at;
}

static const uint8_t *find_argument(const struct machine *m, uint64_t address, size_t bytes)
{
    uint64_t at = address - PTX_PARAM_BASE, all = m->launch->argument_bytes;
    return at < all && bytes <= all - at ? (const uint8_t *)m->launch->arguments + at : NULL;
}

static void access_memory(struct machine *m, struct thread *thread, const struct ptx_op *op,
                          const uint64_t *v)
{
    const bool writes = op->code == PTX_ST;
    const unsigned count = writes ? op->in_count - 1u : op->out_count, each = op->width / 8u;
    const uint64_t address = v[0] + (uint64_t)op->offset;
    const char *wrong = NULL;
    uint8_t *at = NULL;
    const uint8_t *from = NULL;
    switch ((enum ptx_space)op->space) {
    case PTX_GLOBAL:
    case PTX_CONSTANT_GLOBAL: at = find_global(m, thread, op, address, count * each, &wrong); break;
    case PTX_LOCAL: at = find_local(thread, address, count * each, writes, &wrong); break;
    case PTX_SHARED: at = find_shared(m, thread, op, address, count * each, &wrong); break;
    case PTX_PARAM: from = find_argument(m, address, count * each); break;
    }
    if (at) from = at;
    if (address % (count * each) != 0) wrong = "the address is not aligned";
    if (!from) wrong = "no such memory is there";
    if (wrong || !from) {
        fault(m, thread, op, SY_ERR_CORRUPT, "%u bytes at 0x%llx: %s", count * each,
              (unsigned long long)address, wrong);
        return;
    }
    const struct frame *frame = &thread->frames[thread->depth];
    for (unsigned k = 0; k < count; k++) { // The least byte first.
        uint64_t value = writes ? v[1 + k] : 0;
        for (unsigned i = 0; i < each; i++) {
            if (writes && at) at[k * each + i] = (uint8_t)(value >> 8 * i);
            if (!writes) value |= (uint64_t)from[k * each + i] << 8 * i;
        }
        if (writes) continue;
        if (op->is_signed)
            value = (uint64_t)((int64_t)(value << (64 - op->width)) >> (64 - op->width));
        thread->store->slots[frame->base + op->out[k]] = value & op->mask;
        thread->store->is_set[frame->base + op->out[k]] = 1;
    }
}

// Between generic addresses and those of one space.
static uint64_t convert_address(struct machine *m, const struct thread *thread,
                                const struct ptx_op *op, uint64_t address)
{
    bool is_to = op->code == PTX_CVTA_TO;
    uint64_t local = address - PTX_LOCAL_BASE - (is_to ? PTX_GENERIC_LOCAL : 0);
    if (op->space == PTX_GLOBAL && address < PTX_GENERIC_LOCAL) return address;
    if (op->space == PTX_LOCAL && local <= LOCAL_BYTES) {
        return is_to ? address - PTX_GENERIC_LOCAL : address + PTX_GENERIC_LOCAL;
    }
    fault(m, thread, op, SY_ERR_CORRUPT, "0x%llx is no address of that space",
          (unsigned long long)address);
    return 0;
}

// --- instructions --------------------------------------------------------------------------------

static void put(struct thread *thread, const struct ptx_op *op, unsigned index, uint64_t value)
{
    uint32_t slot = thread->frames[thread->depth].base + op->out[index];
    thread->store->slots[slot] = value & op->mask;
    thread->store->is_set[slot] = 1;
}

static void chain(struct machine *m, struct thread *thread, const struct ptx_op *op,
                  struct ptx_count *count, const uint64_t *v)
{
    if (op->carry & PTX_CARRY_IN) {
        if (!thread->has_carry) {
            fault(m, thread, op, SY_ERR_CORRUPT, "nothing set the carry flag");
            return;
        }
        count->carries += thread->carry;
    }
    put(thread, op, 0, ptx_compute_carry(&thread->carry, op, v));
    if (op->carry & PTX_CARRY_OUT) thread->has_carry = true;
}

static void do_other(struct machine *m, struct thread *thread, const struct ptx_op *op,
                     const uint64_t *v)
{
    switch ((enum ptx_code)op->code) {
    case PTX_UNPACK:
        put(thread, op, 0, v[0]);
        put(thread, op, 1, v[0] >> op->width / 2);
        break;
    case PTX_CVTA:
    case PTX_CVTA_TO: put(thread, op, 0, convert_address(m, thread, op, v[0])); break;
    case PTX_LD:
    case PTX_ST: access_memory(m, thread, op, v); break;
    case PTX_BRA: thread->pc = op->target; break;
    case PTX_CALL: call(m, thread, op, v); break;
    case PTX_RET: leave(m, thread, op); break;
    case PTX_BAR: thread->state = WAITS; break;
    default: SY_UNREACHABLE("an instruction of another group");
    }
}

// Whether the guard lets it pass.
static bool is_let(struct machine *m, const struct thread *thread, const struct ptx_op *op)
{
    if (op->guard == PTX_NONE) return true;
    uint32_t slot = thread->frames[thread->depth].base + op->guard;
    if (!thread->store->is_set[slot]) {
        fault(m, thread, op, SY_ERR_CORRUPT, "nothing set the guard");
        return false;
    }
    return (thread->store->slots[slot] != 0) != op->guard_negates;
}

static void step(struct machine *m, struct thread *thread)
{
    const struct ptx_op *op = &m->program->ops[thread->pc];
    struct ptx_count *count = &m->program->counts[thread->pc];
    const struct store *store = thread->store;
    const uint32_t base = thread->frames[thread->depth].base;
    uint64_t v[PTX_IN_MAX];
    thread->pc++;
    count->runs++;
    if (++thread->steps > m->launch->steps_max) {
        fault(m, thread, op, SY_ERR_LIMIT, "it takes too long");
        return;
    }
    if (!is_let(m, thread, op)) return;
    for (unsigned i = 0; i < op->in_count; i++) {
        uint32_t slot = base + op->in[i];
        if (!store->is_set[slot]) {
            fault(m, thread, op, SY_ERR_CORRUPT, "nothing set source %u", i + 1);
            return;
        }
        v[i] = store->slots[slot];
    }
    if (op->code == PTX_REM && v[1] == 0) {
        fault(m, thread, op, SY_ERR_CORRUPT, "a remainder by 0");
    } else if (op->code <= PTX_LAST_PURE) {
        put(thread, op, 0, ptx_compute(op, v));
    } else if (op->code <= PTX_LAST_CARRY) {
        chain(m, thread, op, count, v);
    } else {
        do_other(m, thread, op, v);
    }
}

// --- blocks --------------------------------------------------------------------------------------

static void run_thread(struct machine *m, struct thread *thread)
{
    if (thread->state == BEGINS) {
        thread->store = take_store(m);
        if (!enter(m, thread, m->entry)) {
            fault(m, thread, &m->program->ops[m->entry->first_op], SY_ERR_LIMIT,
                  "there is no room for its frame");
        }
    }
    thread->state = RUNS;
    while (thread->state == RUNS && m->status == SY_OK) step(m, thread);
}

// All threads ended, or all wait at one barrier.
static bool has_ended(struct machine *m)
{
    const struct thread *first = &m->threads[0];
    for (uint32_t i = 1; i < m->launch->threads && m->status == SY_OK; i++) {
        const struct thread *thread = &m->threads[i];
        if (thread->state == first->state && (first->state == ENDED || thread->pc == first->pc)) {
            continue;
        }
        const struct thread *waits = thread->state == WAITS ? thread : first;
        fault(m, waits, &m->program->ops[waits->pc - 1], SY_ERR_CORRUPT,
              "not all threads come to the barrier");
    }
    if (m->stretch == STRETCHES_MAX) {
        fault(m, first, &m->program->ops[first->pc - 1], SY_ERR_LIMIT, "barriers without end");
    }
    m->stretch++;
    return first->state == ENDED;
}

static void run_block(struct machine *m)
{
    uint32_t count = m->launch->threads;
    do {
        for (uint32_t i = 0; i < count && m->status == SY_OK; i++) {
            run_thread(m, &m->threads[m->stretch % 2 ? i : count - 1 - i]);
        }
    } while (m->status == SY_OK && !has_ended(m) && m->status == SY_OK);
}

static const struct ptx_function *find_entry(const struct ptx_program *program, const char *name)
{
    for (size_t i = 0; i < program->function_count; i++) {
        const struct ptx_function *function = &program->functions[i];
        if (function->is_entry && strcmp(function->name, name) == 0) return function;
    }
    return NULL;
}

sy_status ptx_run(ptx_program *program, ptx_memory *memory, const struct ptx_launch *launch,
                  struct sy_error *err)
{
    const struct ptx_function *entry = find_entry(program, launch->entry);
    if (!entry) return sy_fail(err, SY_ERR_NOT_FOUND, "there is no entry %s", launch->entry);
    if (launch->threads == 0 || launch->threads > entry->threads_max ||
        launch->argument_bytes != entry->argument_bytes) {
        return sy_fail(err, SY_ERR_ARGUMENT, "%s takes %u bytes and %u threads", launch->entry,
                       entry->argument_bytes, entry->threads_max);
    }
    struct machine *m = (struct machine *)calloc(1, sizeof *m);
    SY_ASSERT(m);
    *m = (struct machine){.program = program,
                          .entry = entry,
                          .launch = launch,
                          .memory = memory,
                          .stretch = 1,
                          .err = err};
    m->slots = entry->slots; // Nothing calls itself: each function once at most.
    for (size_t i = 0; i < program->function_count; i++) {
        if (!program->functions[i].is_entry) m->slots += program->functions[i].slots;
    }
    m->shared = (uint8_t *)calloc(entry->shared_bytes + 1, 1);
    m->shared_shadow =
        (struct ptx_shadow *)calloc(entry->shared_bytes + 1, sizeof *m->shared_shadow);
    SY_ASSERT(m->shared && m->shared_shadow);
    for (uint32_t i = 0; i < PTX_THREADS_MAX; i++) m->threads[i].index = i;
    ptx_memory_start(memory);
    run_block(m);
    sy_status status = m->status;
    free_stores(m);
    free(m->shared);
    free(m->shared_shadow);
    free(m);
    return status;
}

// --- what was done -------------------------------------------------------------------------------

size_t ptx_places(const ptx_program *program)
{
    return program->op_count;
}

void ptx_get_place(struct ptx_place *out, const ptx_program *program, size_t index)
{
    const struct ptx_op *op = &program->ops[index];
    const struct ptx_count *count = &program->counts[index];
    *out = (struct ptx_place){.line = op->line,
                              .runs = count->runs,
                              .takes_carry = op->carry & PTX_CARRY_IN,
                              .is_difference = op->code == PTX_SUB_CARRY,
                              .carries = count->carries};
}

void ptx_forget(ptx_program *program)
{
    memset(program->counts, 0, program->op_count * sizeof *program->counts);
}
