/* pbft_transcript_say.c: what a machine did, as text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/crypto/hash.h"
#include "tests/scenario/pbft_transcript.h"
#include "tests/support/test.h"

struct transcript t;

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(t.out + t.used, TEXT_MAX - t.used, format, arguments);
    va_end(arguments);
    SY_ASSERT(length >= 0 && (size_t)length < TEXT_MAX - t.used);
    t.used += (size_t)length;
}

struct name *name_of(const char *text)
{
    for (unsigned i = 0; i < t.name_count; i++)
        if (strcmp(t.names[i].text, text) == 0) return &t.names[i];
    SY_ASSERT(t.name_count < NAMES_MAX && strlen(text) < sizeof t.names[0].text);
    struct name *name = &t.names[t.name_count++];
    memset(name, 0, sizeof *name);
    strcpy(name->text, text);
    sy_sha256(&name->hash, text, strlen(text));
    return name;
}

static const char *word(const struct sy_hash *hash)
{
    for (unsigned i = 0; i < t.name_count; i++)
        if (sy_hash_equal(&t.names[i].hash, hash)) return t.names[i].text;
    return sy_hash_is_zero(hash) ? "nothing" : "?";
}

/* --- effects as text ------------------------------------------------------------------------- */

static void say_proposal(const struct sy_proposal *proposal)
{
    say(" [%+lld ms", (long long)(proposal->time_ms - START_MS));
    for (uint16_t i = 0; i < proposal->count; i++)
        say(" %u:%llu", proposal->entries[i].maker, (unsigned long long)proposal->entries[i].seq);
    say("]");
}

/* A proposal's name; the machine's own ones are named when they are first seen. */
static const char *proposal_word(const struct sy_proposal *proposal)
{
    struct sy_hash digest;
    sy_proposal_digest(&digest, &t.config.genesis, proposal);
    if (strcmp(word(&digest), "?") == 0) {
        char text[16];
        snprintf(text, sizeof text, "P%llu", (unsigned long long)proposal->slot);
        struct name *name = name_of(text);
        name->hash = digest;
        name->proposal = *proposal;
    }
    return word(&digest);
}

static void say_bits(uint64_t mask)
{
    say(" ");
    for (unsigned i = 0; i == 0 || mask >> i; i++) say("%u", (unsigned)(mask >> i & 1));
}

void name_view_change(const struct sy_view_change *change)
{
    char text[16];
    snprintf(text, sizeof text, "V%u.%u", (unsigned)change->view, change->signer);
    sy_view_change_digest(&name_of(text)->hash, &t.config.genesis, change, t.config.n);
}

static void say_view_change(const struct sy_view_change *change)
{
    static struct sy_prepared prepared;
    name_view_change(change);
    say("VIEW_CHANGE view %llu of %u stable %llu [", (unsigned long long)change->view,
        change->signer, (unsigned long long)change->stable_height);
    struct sy_reader walk = sy_view_change_walk(change);
    for (bool first = true; sy_view_change_next(&walk, &prepared, change, t.config.n);) {
        say("%s%s:%llu by", first ? "" : ", ", proposal_word(&prepared.proposal),
            (unsigned long long)prepared.view);
        for (uint16_t i = 0; i < prepared.count; i++) say(" %u", prepared.statements[i].signer);
        first = false;
    }
    say("]");
}

static void say_new_view(const struct sy_new_view *message)
{
    say("NEW_VIEW view %llu of", (unsigned long long)message->view);
    for (uint16_t i = 0; i < message->count; i++) say(" %u", message->changes[i].signer);
}

static void say_view_fetch(const struct sy_view_fetch *fetch)
{
    say("VIEW_FETCH view %llu held", (unsigned long long)fetch->view);
    for (uint16_t i = 0; i < t.config.n; i++)
        if (fetch->held[i / 8] >> i % 8 & 1) say(" %u", i);
}

static void say_view(uint64_t view)
{
    if (view != 0) say(" view %llu", (unsigned long long)view);
}

static void say_message(const struct sy_message *message)
{
    const struct sy_status_message *status = &message->body.status;
    const struct sy_range_fetch *range = &message->body.range_fetch;
    const struct sy_vote *vote = &message->body.vote;
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE:
        say("PRE_PREPARE %s slot %llu", proposal_word(&message->body.pre_prepare.proposal),
            (unsigned long long)message->body.pre_prepare.proposal.slot);
        say_view(message->body.pre_prepare.view);
        say_proposal(&message->body.pre_prepare.proposal);
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        say("%s %s slot %llu of %u", message->type == SY_MESSAGE_PREPARE ? "PREPARE" : "COMMIT",
            word(&vote->proposal_digest), (unsigned long long)vote->slot, vote->signer);
        say_view(vote->view);
        break;
    case SY_MESSAGE_SEAL:
        say("SEAL %s height %llu", word(&message->body.seal.header_hash),
            (unsigned long long)message->body.seal.height);
        break;
    case SY_MESSAGE_STATUS:
        say("STATUS %llu.%llu certified %llu executed %llu has",
            (unsigned long long)(status->counter >> 32),
            (unsigned long long)(status->counter & UINT32_MAX),
            (unsigned long long)status->certified_height,
            (unsigned long long)status->executed_height);
        say_bits(status->pre_prepared_mask);
        say_bits(status->prepared_mask);
        say_bits(status->committed_mask);
        say_view(status->view);
        if (!status->in_view) say(" awaited");
        break;
    case SY_MESSAGE_BLOCK_FETCH:
    case SY_MESSAGE_SLOT_FETCH:
        say("%s %llu count %u",
            message->type == SY_MESSAGE_SLOT_FETCH ? "SLOT_FETCH" : "BLOCK_FETCH",
            (unsigned long long)range->first, range->count);
        break;
    case SY_MESSAGE_VIEW_CHANGE: say_view_change(&message->body.view_change); break;
    case SY_MESSAGE_NEW_VIEW: say_new_view(&message->body.new_view); break;
    case SY_MESSAGE_VIEW_FETCH: say_view_fetch(&message->body.view_fetch); break;
    default: say("message %u", message->type);
    }
}

static void say_record(const struct sy_pbft_record *record)
{
    switch (record->type) {
    case SY_PBFT_RECORD_PREPARE:
        say("PREPARE %s slot %llu view %llu", proposal_word(&record->as.prepare.proposal),
            (unsigned long long)record->slot, (unsigned long long)record->view);
        break;
    case SY_PBFT_RECORD_PREPARED:
        say("PREPARED %s slot %llu view %llu by", proposal_word(&record->as.prepared.proposal),
            (unsigned long long)record->slot, (unsigned long long)record->view);
        for (uint16_t i = 0; i < record->as.prepared.count; i++)
            say(" %u", record->as.prepared.statements[i].signer);
        break;
    case SY_PBFT_RECORD_VIEW_CHANGE: say_view_change(&record->as.view_change); break;
    case SY_PBFT_RECORD_NEW_VIEW: say_new_view(&record->as.new_view); break;
    case SY_PBFT_RECORD_BOOT: say("BOOT %llu", (unsigned long long)record->as.boots); break;
    default: say("HALTED height %llu", (unsigned long long)record->slot);
    }
}

static void say_evidence(const struct sy_pbft_evidence *evidence)
{
    say("evidence against %u: ", evidence->signer);
    switch (evidence->type) {
    case SY_MESSAGE_PRE_PREPARE:
        say("PRE_PREPARE %s", proposal_word(&evidence->pair.pre_prepares[0].proposal));
        say(" and %s", proposal_word(&evidence->pair.pre_prepares[1].proposal));
        break;
    case SY_MESSAGE_SEAL:
        say("SEAL %s", word(&evidence->pair.seals[0].header_hash));
        say(" and %s", word(&evidence->pair.seals[1].header_hash));
        break;
    default:
        say("%s %s", evidence->type == SY_MESSAGE_PREPARE ? "PREPARE" : "COMMIT",
            word(&evidence->pair.votes[0].proposal_digest));
        say(" and %s", word(&evidence->pair.votes[1].proposal_digest));
    }
}

static void say_timer(const struct sy_pbft_effect *effect)
{
    static const char *const names[] = {"BATCH", "HEARTBEAT", "STATUS", "CLOCK",
                                        "BODY",  "BLOCK",     "VIEW"};
    _Static_assert(sizeof names / sizeof names[0] == SY_PBFT_TIMER_COUNT, "a name for each");
    uint64_t at = effect->as.set_timer.at_ns;
    t.timers[effect->as.set_timer.timer] = at;
    if (at == SY_PBFT_NEVER)
        say("timer %s off", names[effect->as.set_timer.timer]);
    else
        say("timer %s at %llu ms", names[effect->as.set_timer.timer],
            (unsigned long long)((at - START_NS) / MS));
}

static void say_certified(const struct sy_pbft_effect *effect)
{
    say("certified %llu %s by", (unsigned long long)effect->as.certified.height,
        word(&effect->as.certified.header_hash));
    for (uint16_t i = 0; i < effect->as.certified.certificate.count; i++)
        say(" %u", effect->as.certified.certificate.seals[i].signer);
}

static bool hidden(const struct sy_pbft_effect *effect)
{
    if (effect->type == SY_PBFT_SET_TIMER && !t.show_view &&
        effect->as.set_timer.timer == SY_PBFT_TIMER_VIEW) {
        t.timers[SY_PBFT_TIMER_VIEW] = effect->as.set_timer.at_ns;
        return true;
    }
    if (!t.hide_status) return false;
    if (effect->type == SY_PBFT_SEND) return effect->as.send.message.type == SY_MESSAGE_STATUS;
    if (effect->type != SY_PBFT_SET_TIMER) return false;
    if (effect->as.set_timer.timer != SY_PBFT_TIMER_STATUS) return false;
    t.timers[SY_PBFT_TIMER_STATUS] = effect->as.set_timer.at_ns;
    return true;
}

static void say_effect(const struct sy_pbft_effect *effect)
{
    if (hidden(effect)) return;
    say("  ");
    switch (effect->type) {
    case SY_PBFT_PERSIST:
        t.token = effect->as.persist.token;
        if (effect->as.persist.record.type == SY_PBFT_RECORD_BOOT) {
            t.boots = effect->as.persist.record.as.boots;
            t.boot_token = t.token;
        }
        say("persist %llu: ", (unsigned long long)t.token);
        say_record(&effect->as.persist.record);
        break;
    case SY_PBFT_SEND:
        if (effect->as.send.to == SY_PBFT_ALL)
            say("send all: ");
        else
            say("send %u%s: ", effect->as.send.to, effect->as.send.again ? " again" : "");
        say_message(&effect->as.send.message);
        break;
    case SY_PBFT_FETCH_BODY:
        say("fetch body %u:%llu", effect->as.fetch_body.maker,
            (unsigned long long)effect->as.fetch_body.seq);
        if (effect->as.fetch_body.whom != SY_PBFT_ALL) say(" from %u", effect->as.fetch_body.whom);
        break;
    case SY_PBFT_SEND_BODY:
        say("send body %s to %u", word(&effect->as.send_body.digest), effect->as.send_body.to);
        break;
    case SY_PBFT_EXECUTE:
        t.running[effect->as.execute.proposal.slot % SY_PBFT_WINDOW] = effect->as.execute.proposal;
        say("execute %llu%s", (unsigned long long)effect->as.execute.proposal.slot,
            effect->as.execute.adopted ? " adopted" : "");
        say_proposal(&effect->as.execute.proposal);
        break;
    case SY_PBFT_CERTIFIED: say_certified(effect); break;
    case SY_PBFT_DROP_VOTES:
        say("drop votes to %llu", (unsigned long long)effect->as.height);
        break;
    case SY_PBFT_SET_TIMER: say_timer(effect); break;
    case SY_PBFT_ALARM:
        say("alarm %s at %llu: own %s, seen %s",
            effect->as.alarm.alarm == SY_PBFT_ALARM_DIVERGED ? "DIVERGED" : "FORGOTTEN",
            (unsigned long long)effect->as.alarm.height, word(&effect->as.alarm.own),
            word(&effect->as.alarm.certified));
        break;
    case SY_PBFT_EVIDENCE: say_evidence(&effect->as.evidence); break;
    }
    say("\n");
}

unsigned step(struct sy_pbft_event *event)
{
    static struct sy_pbft_effects effects;
    static const char *const why[] = {"STALE",    "FUTURE",    "DUPLICATE",
                                      "CONFLICT", "MALFORMED", "UNEXPECTED"};
    _Static_assert(sizeof why / sizeof why[0] == SY_PBFT_IGNORED_COUNT, "a name for each");
    event->now_ns = t.now_ns;
    event->now_ms = START_MS + (int64_t)((t.now_ns - START_NS) / MS);
    sy_pbft_step(t.pbft, &effects, event);
    struct sy_pbft_info info;
    sy_pbft_get_info(t.pbft, &info, t.now_ns);
    for (unsigned i = 0; i < SY_PBFT_IGNORED_COUNT; i++)
        if (info.ignored_total[i] != t.before.ignored_total[i]) say("  ignored: %s\n", why[i]);
    t.before = info;
    for (uint32_t i = 0; i < effects.count; i++) say_effect(&effects.items[i]);
    return effects.count;
}

void step_message(const struct sy_message *message, uint16_t from)
{
    struct sy_pbft_event event = {.type = SY_PBFT_MESSAGE};
    event.as.message.from = from;
    event.as.message.message = message;
    bool wanted = sy_pbft_wants(t.pbft, message);
    if (!wanted && t.show_spared) say("  spared\n");
    unsigned effects = step(&event);
    if (!wanted && effects > 0)
        fail_msg("%s:%u: a message that is not wanted has an effect", t.file, t.line);
}
