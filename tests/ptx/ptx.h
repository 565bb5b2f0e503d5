/* ptx.h: runs PTX, the language that nvcc translates device code to, on the processor, so that a
 * test sees what nvcc made of the kernels (gpu/kernels.cu) without a device.
 *
 * It knows the instructions that nvcc makes of these kernels and their siblings of other types
 * (ptx_opcodes.c), as NVIDIA's "PTX ISA", version 9.0, describes them; what it does not know it
 * refuses by name and line, never passes over. One block of a grid runs at a time: its threads one
 * after the other, each until it ends or comes to a barrier.
 *
 * Found beside wrong results, each with the line of the instruction:
 *   - a register, a byte of memory, or the carry flag read before anything set it; calls and
 *     returns leave the flag unset
 *   - memory outside of what the launch was given, of the arguments, of the block's shared memory
 *     or of the frames on a thread's stack; addresses that are no multiple of what is read there
 *   - a byte that one thread writes and another reads or writes with no barrier between; a byte
 *     written that ld.global.nc reads
 *   - barriers that not all threads of the block come to; threads that never end
 *
 * Threads: a program and a memory belong to one thread at a time. */
#ifndef SY_TESTS_PTX_PTX_H
#define SY_TESTS_PTX_PTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

typedef struct ptx_program ptx_program;
typedef struct ptx_memory ptx_memory;

#define PTX_THREADS_MAX 128u

/* ptx_parse translates a module, a text with a terminator, which may go afterwards. SY_ERR_FORMAT,
 * with the line: it is not understood. The program is released by ptx_free, which takes NULL. */
sy_status ptx_parse(ptx_program **out, const char *text, struct sy_error *err);
void ptx_free(ptx_program *program);

/* Global memory: what was added, at the addresses it has in this process. */
ptx_memory *ptx_memory_open(void);
void ptx_memory_close(ptx_memory *memory);

/* ptx_memory_add lends bytes (> 0) at start, until the memory is closed; it overlaps nothing that
 * was added before. is_set: they may be read before anything is written there. */
void ptx_memory_add(ptx_memory *memory, void *start, size_t bytes, bool is_set);

struct ptx_launch {
    const char *entry;
    uint32_t block;        /* the one that runs */
    uint32_t threads;      /* PTX_THREADS_MAX at most */
    const void *arguments; /* its only parameter */
    size_t argument_bytes;
    uint64_t steps_max; /* instructions of one thread */
};

/* ptx_run runs one block. SY_ERR_NOT_FOUND: no such entry; SY_ERR_ARGUMENT: it takes other
 * arguments or fewer threads; SY_ERR_CORRUPT: it does what it must not (above), memory is as it was
 * then; SY_ERR_LIMIT: a thread takes too long. */
sy_status ptx_run(ptx_program *program, ptx_memory *memory, const struct ptx_launch *launch,
                  struct sy_error *err);

/* What the instructions of a program did since it was parsed or ptx_forget was called. */
struct ptx_place {
    uint32_t line;      /* of the text, from 1 */
    uint64_t runs;      /* by all threads */
    bool takes_carry;   /* adds or subtracts the carry flag */
    bool is_difference; /* subtracts it */
    uint64_t carries;   /* runs in which the flag it took was 1 */
};
size_t ptx_places(const ptx_program *program);
void ptx_get_place(struct ptx_place *out, const ptx_program *program, size_t index);
void ptx_forget(ptx_program *program);

#endif
