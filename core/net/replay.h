/* replay.h: a window over counters that lets each be seen once, in any order.
 *
 * RFC 6479: a ring of bits, one word of which is always being cleared ahead of the newest counter,
 * so that moving on costs a word and never a shift. Counters that fall behind the window count as
 * seen. Pure. */
#ifndef SY_NET_REPLAY_H
#define SY_NET_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define SY_REPLAY_WORDS 64u
/* Counters at least this far behind the newest are still told apart. */
#define SY_REPLAY_WINDOW ((SY_REPLAY_WORDS - 1u) * 64u)

struct sy_replay {
    uint64_t limit; /* one more than the newest counter seen; 0: none was seen */
    uint64_t words[SY_REPLAY_WORDS];
};

/* sy_replay_is_fresh says whether counter was not seen and is not too old. */
static inline bool sy_replay_is_fresh(const struct sy_replay *replay, uint64_t counter)
{
    if (counter >= replay->limit) return counter != UINT64_MAX;
    if (replay->limit - 1 - counter >= SY_REPLAY_WINDOW) return false;
    return (replay->words[counter / 64 % SY_REPLAY_WORDS] >> (counter % 64) & 1u) == 0;
}

/* sy_replay_mark records a fresh counter as seen. */
static inline void sy_replay_mark(struct sy_replay *replay, uint64_t counter)
{
    if (counter >= replay->limit) {
        uint64_t newest_word = replay->limit == 0 ? 0 : (replay->limit - 1) / 64;
        uint64_t ahead = counter / 64 - newest_word;
        if (ahead > SY_REPLAY_WORDS) ahead = SY_REPLAY_WORDS;
        for (uint64_t i = 0; i < ahead; i++) {
            replay->words[(counter / 64 - i) % SY_REPLAY_WORDS] = 0;
        }
        replay->limit = counter + 1;
    }
    replay->words[counter / 64 % SY_REPLAY_WORDS] |= UINT64_C(1) << (counter % 64);
}

#endif
