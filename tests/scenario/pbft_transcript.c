/* pbft_transcript.c: the commands of transcripts. */
#include "tests/scenario/pbft_transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "core/crypto/merkle.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

/* --- words ----------------------------------------------------------------------------------- */

static const char *option(const char *key)
{
    size_t length = strlen(key);
    for (unsigned i = 1; i < t.word_count; i++)
        if (strncmp(t.words[i], key, length) == 0 && t.words[i][length] == '=')
            return t.words[i] + length + 1;
    return NULL;
}

static int64_t number(const char *key, int64_t otherwise)
{
    const char *text = option(key);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

/* A list of numbers: calls visit for each. */
static unsigned list(uint64_t *out, unsigned max, const char *text)
{
    unsigned count = 0;
    while (text && *text && count < max) {
        char *end;
        out[count++] = strtoull(text, &end, 10);
        text = *end == ',' ? end + 1 : end;
    }
    return count;
}

/* maker:seq, or maker:seq=maker:seq where the second names the body. */
static struct sy_entry entry_of(const char *text)
{
    struct sy_entry entry = {0};
    char body[16];
    char *end;
    entry.maker = (uint16_t)strtoul(text, &end, 10);
    SY_ASSERT(*end == ':');
    entry.seq = strtoull(end + 1, &end, 10);
    snprintf(body, sizeof body, "%u:%llu", entry.maker, (unsigned long long)entry.seq);
    if (*end == '=') snprintf(body, sizeof body, "%.*s", (int)strcspn(end + 1, ","), end + 1);
    entry.digest = name_of(body)->hash;
    return entry;
}

static void entries_of(struct sy_proposal *proposal, const char *text)
{
    while (text && *text) {
        proposal->entries[proposal->count++] = entry_of(text);
        text = strchr(text, ',');
        if (text) text++;
    }
}

/* --- commands -------------------------------------------------------------------------------- */

static void set_next(const char *text)
{
    if (text) (void)list(t.next_seqs, SY_VALIDATORS_MAX, text);
}

static void do_machine(void)
{
    sy_arena_close(&t.arena);
    memset(&t.config, 0, sizeof t.config);
    sy_pbft_config_default(&t.config);
    t.config.n = (uint16_t)number("n", 4);
    t.config.self = (uint16_t)number("self", 0);
    t.config.epoch = (uint32_t)number("epoch", 0);
    t.config.base = (uint64_t)number("base", 0);
    t.config.pipeline_slots = (uint32_t)number("pipeline", 4);
    t.config.skew_ms = number("skew_ms", 2000);
    t.show_view = option("view_ms") != NULL;
    // Where a transcript is not about views, none is left.
    t.config.view_ns = (uint64_t)number("view_ms", 3600000) * MS;
    if (option("observer")) t.config.self = SY_PBFT_OBSERVER;
    t.ask = option("ask") != NULL;
    t.boots = t.boot_token = 0;
    t.boot_durable = false;
    sy_sha256(&t.config.genesis, "genesis", 7);
    assert_int_equal(sy_arena_open(&t.arena, sy_pbft_footprint(t.config.n)), SY_OK);
    assert_int_equal(sy_pbft_init(&t.pbft, &t.arena, &t.config, NULL), SY_OK);
    for (unsigned i = 0; i < SY_PBFT_TIMER_COUNT; i++) t.timers[i] = SY_PBFT_NEVER;
    for (unsigned i = 0; i < SY_VALIDATORS_MAX; i++) t.next_seqs[i] = 1;
    memset(&t.before, 0, sizeof t.before);
}

static void do_start(void)
{
    struct sy_pbft_event event = {.type = SY_PBFT_START};
    set_next(option("next"));
    t.executed = (uint64_t)number("height", 0);
    event.as.start.certified_height = t.executed;
    event.as.start.header_hash = name_of(option("header") ? option("header") : "G")->hash;
    static struct sy_certificate certificate;
    certificate.count = (uint16_t)sy_quorum(t.config.n);
    for (uint16_t i = 0; i < certificate.count; i++) certificate.seals[i].signer = i;
    if (t.executed > t.config.base) event.as.start.certificate = &certificate;
    event.as.start.next_epoch = (uint64_t)number("next_epoch", 0);
    event.as.start.next_seqs = t.next_seqs;
    step(&event);
}

/* A prepared certificate of `holder`: name:view, by the lowest validators that can be. */
static void prepared_of(struct sy_writer *w, const char *text, uint16_t holder)
{
    static struct sy_prepared prepared;
    char *end;
    char word[16];
    size_t length = strcspn(text, ":");
    SY_ASSERT(length < sizeof word);
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    prepared.proposal = name_of(word)->proposal;
    prepared.view = strtoull(text + length + 1, &end, 10);
    test_prepared_by(&prepared, t.config.n, holder);
    sy_prepared_encode(w, &prepared);
}

/* view=V [stable=H [header=NAME]] [prepared=NAME:VIEW,...]; its digest is named V<view>.<signer>.
 */
static void fill_view_change(struct sy_view_change *change, uint16_t signer)
{
    static uint8_t bytes[SY_VIEW_CHANGE_BYTES_MAX];
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    memset(change, 0, sizeof *change);
    change->epoch = (uint32_t)number("epoch", t.config.epoch);
    change->view = (uint64_t)number("view", 1);
    change->signer = signer;
    change->stable_height = (uint64_t)number("stable", 0);
    if (option("header")) {
        change->stable_hash = name_of(option("header"))->hash;
        change->certificate.count = (uint16_t)sy_quorum(t.config.n);
        for (uint16_t i = 0; i < change->certificate.count; i++)
            change->certificate.seals[i].signer = i;
    }
    for (const char *text = option("prepared"); text && *text;) {
        prepared_of(&w, text, signer);
        change->count++;
        text = strchr(text, ',');
        if (text) text++;
    }
    change->prepared = sy_writer_slice(&w);
    name_view_change(change);
}

/* view=V signers=...: names the VIEW_CHANGEs V<view>.<signer>. */
static void fill_new_view(struct sy_new_view *message)
{
    uint64_t signers[SY_VALIDATORS_MAX];
    *message = (struct sy_new_view){.epoch = (uint32_t)number("epoch", t.config.epoch),
                                    .view = (uint64_t)number("view", 1)};
    message->signer = (uint16_t)(message->view % t.config.n);
    message->count = (uint16_t)list(signers, SY_VALIDATORS_MAX, option("signers"));
    for (uint16_t i = 0; i < message->count; i++) {
        char text[16];
        snprintf(text, sizeof text, "V%u.%u", (unsigned)message->view, (unsigned)signers[i]);
        message->changes[i].signer = (uint16_t)signers[i];
        message->changes[i].digest = name_of(text)->hash;
    }
}

static void do_view_change(void)
{
    static struct sy_message message;
    message.type = SY_MESSAGE_VIEW_CHANGE;
    fill_view_change(&message.body.view_change, (uint16_t)number("from", 2));
    step_message(&message, (uint16_t)number("by", number("from", 2)));
}

/* Names the digest of one that comes later. */
static void do_name_change(void)
{
    struct sy_view_change change;
    fill_view_change(&change, (uint16_t)number("from", 2));
}

static void do_new_view(void)
{
    static struct sy_message message;
    message.type = SY_MESSAGE_NEW_VIEW;
    fill_new_view(&message.body.new_view);
    step_message(&message, (uint16_t)number("by", message.body.new_view.signer));
}

static void do_view_fetch(void)
{
    static struct sy_message message;
    uint64_t held[SY_VALIDATORS_MAX];
    message = (struct sy_message){.type = SY_MESSAGE_VIEW_FETCH};
    message.body.view_fetch.view = (uint64_t)number("view", 1);
    unsigned count = list(held, SY_VALIDATORS_MAX, option("held"));
    for (unsigned i = 0; i < count; i++)
        message.body.view_fetch.held[held[i] / 8] |= (uint8_t)(1u << held[i] % 8);
    step_message(&message, (uint16_t)number("from", 2));
}

static void do_restore(void)
{
    static struct sy_pbft_record record;
    memset(&record, 0, sizeof record);
    const char *what = t.words[1];
    const struct name *name = name_of(t.word_count > 2 ? t.words[2] : "G");
    record.slot = name->proposal.slot;
    record.view = (uint64_t)number("view", 0);
    if (strcmp(what, "prepare") == 0) {
        record.type = SY_PBFT_RECORD_PREPARE;
        record.as.prepare.proposal = name->proposal;
        record.as.prepare.view = record.view;
    } else if (strcmp(what, "prepared") == 0) {
        uint64_t signers[SY_VALIDATORS_MAX];
        record.type = SY_PBFT_RECORD_PREPARED;
        record.as.prepared.proposal = name->proposal;
        record.as.prepared.view = record.view;
        record.as.prepared.count = (uint16_t)list(signers, SY_VALIDATORS_MAX, option("signers"));
        for (uint16_t i = 0; i < record.as.prepared.count; i++)
            record.as.prepared.statements[i].signer = (uint16_t)signers[i];
    } else if (strcmp(what, "view_change") == 0) {
        record = (struct sy_pbft_record){.type = SY_PBFT_RECORD_VIEW_CHANGE};
        fill_view_change(&record.as.view_change, t.config.self);
    } else if (strcmp(what, "new_view") == 0) {
        record = (struct sy_pbft_record){.type = SY_PBFT_RECORD_NEW_VIEW};
        fill_new_view(&record.as.new_view);
    } else if (strcmp(what, "boot") == 0) {
        record = (struct sy_pbft_record){.type = SY_PBFT_RECORD_BOOT};
        record.as.boots = strtoull(t.words[2], NULL, 10);
    } else {
        record = (struct sy_pbft_record){.type = SY_PBFT_RECORD_HALTED,
                                         .slot = (uint64_t)number("height", 1)};
        record.as.halt = (struct sy_pbft_halt){SY_PBFT_ALARM_DIVERGED, name->hash, name->hash};
    }
    struct sy_pbft_event event = {.type = SY_PBFT_RESTORE};
    event.as.record = &record;
    step(&event);
}

static void do_proposal(void)
{
    struct name *name = name_of(t.words[1]);
    memset(&name->proposal, 0, sizeof name->proposal);
    name->proposal.slot = (uint64_t)number("slot", 1);
    name->proposal.time_ms = START_MS + number("time", 0);
    name->proposal.epoch = (uint32_t)number("epoch", t.config.epoch);
    entries_of(&name->proposal, option("entries"));
    sy_proposal_digest(&name->hash, &t.config.genesis, &name->proposal);
}

static void do_pre_prepare(void)
{
    static struct sy_message message;
    message.type = SY_MESSAGE_PRE_PREPARE;
    message.body.pre_prepare.proposal = name_of(t.words[1])->proposal;
    message.body.pre_prepare.view = (uint64_t)number("view", 0);
    step_message(&message, (uint16_t)number("from", 0));
}

static void do_votes(uint8_t type)
{
    static struct sy_message message;
    uint64_t signers[SY_VALIDATORS_MAX];
    const struct name *name = name_of(t.words[1]);
    unsigned count = list(signers, SY_VALIDATORS_MAX, option("signers"));
    for (unsigned i = 0; i < count; i++) {
        message.type = type;
        message.body.vote =
            (struct sy_vote){.type = type,
                             .epoch = (uint32_t)number("epoch", t.config.epoch),
                             .view = (uint64_t)number("view", 0),
                             .slot = (uint64_t)number("slot", (int64_t)name->proposal.slot),
                             .proposal_digest = name->hash,
                             .signer = (uint16_t)signers[i]};
        step_message(&message, (uint16_t)signers[i]);
    }
}

static void do_seals(void)
{
    static struct sy_message message;
    uint64_t signers[SY_VALIDATORS_MAX];
    unsigned count = list(signers, SY_VALIDATORS_MAX, option("signers"));
    for (unsigned i = 0; i < count; i++) {
        message.type = SY_MESSAGE_SEAL;
        message.body.seal =
            (struct sy_seal_message){.height = (uint64_t)number("height", 1),
                                     .epoch = (uint32_t)number("epoch", t.config.epoch),
                                     .header_hash = name_of(t.words[1])->hash,
                                     .seal = {.signer = (uint16_t)signers[i]}};
        step_message(&message, (uint16_t)signers[i]);
    }
}

static void do_block(void)
{
    static struct sy_message message;
    struct sy_hash leaves[SY_PROPOSAL_ENTRIES_MAX];
    uint64_t signers[SY_VALIDATORS_MAX];
    memset(&message, 0, sizeof message);
    message.type = SY_MESSAGE_BLOCK;
    struct sy_block_message *block = &message.body.block;
    block->proposal.slot = (uint64_t)number("slot", 1);
    block->proposal.time_ms = START_MS + number("time", 0);
    entries_of(&block->proposal, option("entries"));
    block->header = (struct sy_header){.protocol = SY_PROTOCOL_VERSION,
                                       .height = block->proposal.slot,
                                       .time_ms = START_MS + number("ran", number("time", 0)),
                                       .previous = name_of(option("previous"))->hash};
    block->header.epoch = (uint32_t)number("epoch", t.config.epoch);
    struct sy_proposal truth = {0};
    entries_of(&truth, option("root") ? option("root") : option("entries"));
    for (uint16_t i = 0; i < truth.count; i++)
        sy_hash_leaf(&leaves[i], sy_slice_of(truth.entries[i].digest.bytes, 32));
    sy_merkle_root(&block->header.batches_root, leaves, leaves, truth.count);
    const char *sealers = option("signers") ? option("signers") : "0,1,2";
    block->certificate.count = (uint16_t)list(signers, SY_VALIDATORS_MAX, sealers);
    for (uint16_t i = 0; i < block->certificate.count; i++)
        block->certificate.seals[i].signer = (uint16_t)signers[i];
    sy_header_hash(&name_of(t.words[1])->hash, &t.config.genesis, &block->header);
    step_message(&message, (uint16_t)number("from", 2));
}

static uint64_t mask_of(const char *key)
{
    uint64_t mask = 0;
    const char *text = option(key);
    for (unsigned i = 0; text && text[i]; i++) mask |= (uint64_t)(text[i] == '1') << i;
    return mask;
}

/* A counter as statuses show it, START.NUMBER, or a plain number. */
static uint64_t counter_of(const char *text)
{
    char *end;
    uint64_t counter = strtoull(text, &end, 10);
    return *end == '.' ? counter << 32 | strtoull(end + 1, NULL, 10) : counter;
}

/* The own STATUS comes back from a peer. */
static void own_status(uint64_t counter, uint16_t from)
{
    static struct sy_message message;
    message.type = SY_MESSAGE_STATUS;
    message.body.status = (struct sy_status_message){
        .epoch = t.config.epoch, .signer = t.config.self, .counter = counter};
    step_message(&message, from);
}

static void do_own_status(void)
{
    own_status(counter_of(t.words[1]), (uint16_t)number("from", 2));
}

static void do_status(void)
{
    static struct sy_message message;
    t.counter++;
    message.type = SY_MESSAGE_STATUS;
    message.body.status = (struct sy_status_message){
        .epoch = (uint32_t)number("epoch", t.config.epoch),
        .signer = (uint16_t)number("from", 2),
        .time_ms = START_MS + number("time", 0),
        .view = (uint64_t)number("view", 0),
        .in_view = number("in_view", 1) != 0,
        .counter = option("counter") ? counter_of(option("counter")) : t.counter,
        .certified_height = (uint64_t)number("certified", 0),
        .executed_height = (uint64_t)number("executed", number("certified", 0)),
        .pre_prepared_mask = mask_of("pre"),
        .prepared_mask = mask_of("prepared"),
        .committed_mask = mask_of("committed")};
    step_message(&message, (uint16_t)number("by", message.body.status.signer));
}

static void do_slot_fetch(void)
{
    static struct sy_message message;
    message.type = SY_MESSAGE_SLOT_FETCH;
    message.body.range_fetch = (struct sy_range_fetch){.first = (uint64_t)number("first", 1),
                                                       .count = (uint16_t)number("count", 1),
                                                       .view = (uint64_t)number("view", 0)};
    step_message(&message, (uint16_t)number("from", 2));
}

static void do_batch(enum sy_pbft_event_type type)
{
    struct sy_pbft_event event = {.type = type};
    struct sy_entry entry = entry_of(t.words[1]);
    event.as.batch.digest = entry.digest;
    event.as.batch.maker = entry.maker;
    event.as.batch.seq = entry.seq;
    event.as.batch.tx_count = (uint32_t)number("txs", 1);
    event.as.batch.bytes = (uint32_t)number("bytes", 1000);
    event.as.batch.condemned = t.word_count > 2 && strcmp(t.words[2], "condemned") == 0;
    step(&event);
}

/* Where a transcript is not about that, the others answer a start at once. */
static void answer_start(void)
{
    struct sy_pbft_info info;
    sy_pbft_get_info(t.pbft, &info, t.now_ns);
    if (t.ask || !t.boot_durable) return;
    for (uint16_t i = 0; i < t.config.n && info.asking; i++) {
        if (i == t.config.self) continue;
        own_status(t.boots << 32 | 1, i);
        sy_pbft_get_info(t.pbft, &info, t.now_ns);
    }
}

static void do_persisted(void)
{
    struct sy_pbft_event event = {.type = SY_PBFT_PERSISTED};
    event.as.token = (uint64_t)number("token", (int64_t)t.token);
    if (t.boots > 0 && event.as.token >= t.boot_token) t.boot_durable = true;
    step(&event);
    answer_start();
}

static void do_executed(void)
{
    const struct sy_proposal *proposal = &t.running[++t.executed % SY_PBFT_WINDOW];
    for (uint16_t i = 0; i < proposal->count; i++) {
        uint64_t *next = &t.next_seqs[proposal->entries[i].maker];
        if (proposal->slot == t.executed && proposal->entries[i].seq == *next) ++*next;
    }
    set_next(option("next"));
    struct sy_pbft_event event = {.type = SY_PBFT_EXECUTED};
    event.as.executed.height = t.executed;
    event.as.executed.next_epoch = (uint64_t)number("next_epoch", 0);
    event.as.executed.header_hash = name_of(t.words[1])->hash;
    event.as.executed.next_seqs = t.next_seqs;
    step(&event);
}

static void fire_due_timers(void)
{
    for (;;) {
        unsigned first = 0;
        for (unsigned i = 1; i < SY_PBFT_TIMER_COUNT; i++)
            if (t.timers[i] < t.timers[first]) first = i;
        if (t.timers[first] > t.now_ns) return;
        t.timers[first] = SY_PBFT_NEVER;
        struct sy_pbft_event event = {.type = SY_PBFT_TIMER};
        event.as.timer = (enum sy_pbft_timer)first;
        step(&event);
    }
}

/* Time passes while the machine is not run: timers come late. */
static void do_sleep(void)
{
    t.now_ns += strtoull(t.words[1], NULL, 10) * MS;
    fire_due_timers();
}

static void do_heard(void)
{
    sy_pbft_heard(t.pbft, (uint16_t)strtoul(t.words[1], NULL, 10), t.now_ns);
}

/* Time passes from one timer to the next, as it would. */
static void do_wait(void)
{
    uint64_t end = t.now_ns + strtoull(t.words[1], NULL, 10) * MS;
    for (;;) {
        uint64_t at = end;
        for (unsigned i = 0; i < SY_PBFT_TIMER_COUNT; i++)
            if (t.timers[i] < at) at = t.timers[i];
        if (at > t.now_ns) t.now_ns = at;
        fire_due_timers();
        if (t.now_ns >= end) return;
    }
}

static void say_view(const struct sy_pbft_info *info)
{
    static const char *const why[] = {[SY_PBFT_LEFT_NEVER] = "none left",
                                      [SY_PBFT_LEFT_SLOT] = "left for a slot",
                                      [SY_PBFT_LEFT_BATCH] = "left for a batch",
                                      [SY_PBFT_LEFT_HEARTBEAT] = "left for a heartbeat",
                                      [SY_PBFT_LEFT_SEALS] = "left for seals",
                                      [SY_PBFT_LEFT_NEW_VIEW] = "left for a NEW_VIEW",
                                      [SY_PBFT_LEFT_JOINED] = "left to join others"};
    say("  view %llu%s of %u, %s", (unsigned long long)info->view, info->in_view ? "" : " awaited",
        info->primary, why[info->left_why]);
    if (info->left_why == SY_PBFT_LEFT_BATCH) say(" of %u", info->left_maker);
    if (info->left_waited_ms > 0) say(" after %llu ms", (unsigned long long)info->left_waited_ms);
    say("\n");
}

static void do_info(void)
{
    struct sy_pbft_info info;
    sy_pbft_get_info(t.pbft, &info, t.now_ns);
    if (info.view != 0) say_view(&info);
    say("  certified %llu executed %llu decided %llu proposed %llu told %llu ready %u late %u "
        "refused %u%s%s, stalled %llu ms, primary silent %llu ms\n",
        (unsigned long long)info.certified_height, (unsigned long long)info.executed_height,
        (unsigned long long)info.decided_height, (unsigned long long)info.proposed_height,
        (unsigned long long)info.best_peer_height, info.ready_batches, info.late_proposals,
        info.refused_proposals,
        info.halted   ? " HALTED"
        : info.asking ? " ASKING"
                      : "",
        info.stalled ? " STALLED" : "", (unsigned long long)info.stalled_ms,
        (unsigned long long)info.primary_silent_ms);
}

static void do_peer(void)
{
    struct sy_pbft_peer_info info;
    sy_pbft_get_peer(t.pbft, &info, (uint16_t)strtoul(t.words[1], NULL, 10), t.now_ns);
    if (info.status_age_ns == UINT64_MAX)
        say("  no status");
    else
        say("  status %llu ms ago", (unsigned long long)(info.status_age_ns / MS));
    say(", certified %llu executed %llu, equivocations %llu\n",
        (unsigned long long)info.certified_height, (unsigned long long)info.executed_height,
        (unsigned long long)info.equivocations);
}

static void do_simple(enum sy_pbft_event_type type)
{
    struct sy_pbft_event event = {.type = type};
    if (type == SY_PBFT_CERTIFICATE_DURABLE) event.as.height = strtoull(t.words[1], NULL, 10);
    step(&event);
}

/* --- the language ---------------------------------------------------------------------------- */

static void do_resume(void)
{
    do_simple(SY_PBFT_RESUME);
}
static void do_certified(void)
{
    do_simple(SY_PBFT_CERTIFICATE_DURABLE);
}
static void do_prepare(void)
{
    do_votes(SY_MESSAGE_PREPARE);
}
static void do_commit(void)
{
    do_votes(SY_MESSAGE_COMMIT);
}
static void do_ready(void)
{
    do_batch(SY_PBFT_BATCH_READY);
}
static void do_drop(void)
{
    do_batch(SY_PBFT_BATCH_DROPPED);
}
static void do_hide(void)
{
    t.hide_status = true;
}

static void do_show(void)
{
    t.show_spared = true;
}

static const struct {
    const char *verb;
    void (*run)(void);
} commands[] = {
    {"machine", do_machine},
    {"start", do_start},
    {"restore", do_restore},
    {"resume", do_resume},
    {"proposal", do_proposal},
    {"pre_prepare", do_pre_prepare},
    {"prepare", do_prepare},
    {"commit", do_commit},
    {"seal", do_seals},
    {"block", do_block},
    {"status", do_status},
    {"own_status", do_own_status},
    {"slot_fetch", do_slot_fetch},
    {"view_change", do_view_change},
    {"new_view", do_new_view},
    {"view_fetch", do_view_fetch},
    {"name_change", do_name_change},
    {"ready", do_ready},
    {"drop", do_drop},
    {"persisted", do_persisted},
    {"executed", do_executed},
    {"certified", do_certified},
    {"wait", do_wait},
    {"sleep", do_sleep},
    {"heard", do_heard},
    {"info", do_info},
    {"hide", do_hide},
    {"peer", do_peer},
    {"show", do_show},
};

static bool run_command(void)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(t.words[0], commands[i].verb) != 0) continue;
        commands[i].run();
        return true;
    }
    return false;
}

static void run_line(const char *line)
{
    char copy[512];
    SY_ASSERT(strlen(line) < sizeof copy);
    say("%s\n", line);
    if (line[0] == '#' || line[0] == 0) return;
    strcpy(copy, line);
    t.word_count = 0;
    for (char *at = strtok(copy, " "); at && t.word_count < WORDS_MAX; at = strtok(NULL, " "))
        t.words[t.word_count++] = at;
    if (t.word_count == 0 || !run_command())
        fail_msg("%s:%u: unknown command \"%s\"", t.file, t.line, line);
}

/* Runs the commands of a transcript and leaves the whole new text in t.out. */
void transcript_run(char *text)
{
    memset(&t.names, 0, sizeof t.names);
    t.name_count = 0;
    t.hide_status = t.show_spared = false;
    t.used = 0;
    t.now_ns = START_NS;
    t.line = 0;
    t.token = t.executed = t.counter = 0;
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');
        if (end) *end = 0;
        t.line++;
        if (line[0] != ' ') run_line(line);
        line = end ? end + 1 : NULL;
    }
}
