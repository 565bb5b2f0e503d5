/* pbft_transcript.h: one machine driven by text, and what it did as text: the language of the files
 * in tests/scenario/pbft/, which test_pbft_transcripts.c describes. */
#ifndef SY_TESTS_SCENARIO_PBFT_TRANSCRIPT_H
#define SY_TESTS_SCENARIO_PBFT_TRANSCRIPT_H

#include "consensus/pbft/message.h"
#include "consensus/pbft/pbft.h"

#define NAMES_MAX 64
#define WORDS_MAX 16
#define TEXT_MAX (256u << 10)
#define START_MS 1700000000000ll
#define START_NS (3600 * 1000 * MS) /* the monotonic clock has run for an hour */
#define MS 1000000ull

struct name {
    char text[16];
    struct sy_hash hash;
    struct sy_proposal proposal; /* of proposals */
};

struct transcript {
    sy_arena arena;
    sy_pbft *pbft;
    struct sy_pbft_config config;
    uint64_t now_ns;
    uint64_t timers[SY_PBFT_TIMER_COUNT];
    uint64_t token, executed, counter;
    bool hide_status, show_spared;
    bool show_view; /* the VIEW timer too */
    bool ask;       /* the answers to a start are commands */
    uint64_t boots, boot_token;
    bool boot_durable;
    uint64_t next_seqs[SY_VALIDATORS_MAX];
    struct sy_proposal running[SY_PBFT_WINDOW]; /* by height % window: what was to be executed */
    struct sy_pbft_info before;
    struct name names[NAMES_MAX];
    unsigned name_count;
    char *words[WORDS_MAX];
    unsigned word_count;
    char out[TEXT_MAX];
    size_t used;
    const char *file;
    unsigned line;
};

extern struct transcript t;

/* transcript_run runs the commands of text, which it takes apart, and leaves the commands and what
 * they led to in t.out. Fails the test at an unknown command. */
void transcript_run(char *text);

/* pbft_transcript_say.c */
void say(const char *format, ...) SY_PRINTF(1, 2);
struct name *name_of(const char *text);
/* name_view_change names its digest V<view>.<signer>. */
void name_view_change(const struct sy_view_change *change);
/* step runs one event, says what it led to, and gives the number of its effects. */
unsigned step(struct sy_pbft_event *event);
void step_message(const struct sy_message *message, uint16_t from);

#endif
