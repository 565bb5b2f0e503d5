/* signers.c: see signers.h. */
#include "consensus/node/signers.h"

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/base/siphash.h"

#define ROUND (4u * SY_SIGNERS_SEEN)

void sy_signers_start(struct sy_signers *signers, sy_engine *engine)
{
    *signers = (struct sy_signers){.engine = engine};
    sy_os_random(signers->seed, sizeof signers->seed);
}

void sy_signers_roster(struct sy_signers *signers, const struct sy_roster *roster,
                       const struct sy_hash *genesis)
{
    for (uint16_t i = 0; i < roster->count; i++) {
        (void)sy_engine_key_hint(signers->engine, &roster->validators[i].consensus_key, genesis);
    }
}

void sy_signers_note(void *self, const struct sy_public_key *key,
                     const struct sy_hash *organisation)
{
    struct sy_signers *signers = (struct sy_signers *)self;
    // 0 stands for nothing seen.
    uint64_t print = sy_siphash13(signers->seed, key->bytes, sizeof key->bytes) | 1;
    uint64_t *place = &signers->seen[print >> 32 & (SY_SIGNERS_SEEN - 1)];
    SY_ASSERT(place < signers->seen + SY_SIGNERS_SEEN);
    if (*place == print) return;
    if (++signers->told == ROUND) sy_signers_start(signers, signers->engine);
    *place = print;
    (void)sy_engine_key_hint(signers->engine, key, organisation);
}
