/* The decision who may do what with a patient's records: a table of cases, and thousands of random
 * worlds against a second implementation that follows may.h's sentences one by one over plain
 * structs. */
#include "tests/unit/may_rig.h"

// --- the second implementation -----------------------------------------------------------------

/* Is the question, put about OLD, one about PATIENT by then? */
static bool asks_patient(const struct plain_world *world, const struct plain_question *q)
{
    return !q->of_old || (world->merged != NEVER && world->merged <= q->height);
}

static bool has_happened(uint64_t height, const struct plain_question *q)
{
    return height != NEVER && height <= q->height;
}

static bool plain_names(const struct plain_world *world, const struct plain_consent *c,
                        unsigned key)
{
    const struct plain_key *who = &world->keys[key];
    if (c->circle == SY_GRANTEE_KEY) return c->grantee == plain_line(world, key);
    bool device = who->role == SY_ROLE_DEVICE;
    if (c->circle == SY_GRANTEE_ORG && device && !c->denies) return false;
    if (c->circle == SY_GRANTEE_ORG) return who->org != NO_ORG && c->grantee == who->org;
    return c->grantee == who->role;
}

/* Which of the six things a consent must fit does it not? Bit i for enum sy_may_miss i. */
static unsigned plain_misses(const struct plain_consent *c, const struct plain_question *q)
{
    unsigned bits = 0;
    bool label_good = c->labels == 0 ? c->denies || q->label == 0
                                     : q->label != 0 && (c->labels >> (q->label - 1) & 1) != 0;
    if (q->time_ms > c->until) bits |= 1u << SY_MAY_MISS_EXPIRED;
    if (q->time_ms < c->from) bits |= 1u << SY_MAY_MISS_EARLY;
    if (!label_good) bits |= 1u << SY_MAY_MISS_LABEL;
    if (c->classes != 0 && !(c->classes >> q->class & 1)) bits |= 1u << SY_MAY_MISS_CLASS;
    if (!(c->purposes >> q->purpose & 1)) bits |= 1u << SY_MAY_MISS_PURPOSE;
    if (!(c->actions >> q->action & 1)) bits |= 1u << SY_MAY_MISS_ACTION;
    return bits;
}

static bool plain_stands(const struct plain_world *world, const struct plain_consent *c,
                         const struct plain_question *q)
{
    if (!has_happened(c->given, q) || has_happened(c->revoked, q)) return false;
    return c->parent == 0 || plain_stands(world, &world->consents[c->parent - 1], q);
}

/* The first consent of a circle that fits and denies or not; -1: none. */
static int plain_first(const struct plain_world *world, const struct plain_question *q,
                       unsigned circle, bool denies)
{
    for (unsigned i = 0; i < world->consent_count; i++) {
        const struct plain_consent *c = &world->consents[i];
        unsigned counts_as = c->parent != 0 ? (unsigned)SY_GRANTEE_ROLE : c->circle;
        if (counts_as == circle && c->denies == denies && plain_stands(world, c, q) &&
            plain_names(world, c, q->key) && plain_misses(c, q) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static unsigned plain_treating_misses(const struct plain_world *world,
                                      const struct plain_question *q)
{
    unsigned bits = 0;
    if (q->action == SY_ACTION_SHARE) bits |= 1u << SY_MAY_MISS_ACTION;
    if (q->purpose != SY_PURPOSE_TREATMENT && q->purpose != SY_PURPOSE_PAYMENT &&
        q->purpose != SY_PURPOSE_OPERATIONS && q->purpose != SY_PURPOSE_EMERGENCY) {
        bits |= 1u << SY_MAY_MISS_PURPOSE;
    }
    if (q->label != 0 && q->holder != world->keys[q->key].org + 1) {
        bits |= 1u << SY_MAY_MISS_LABEL;
    }
    return bits;
}

static bool plain_treats(const struct plain_world *world, const struct plain_question *q)
{
    unsigned org = world->keys[q->key].org;
    if (org == NO_ORG || world->keys[q->key].role == SY_ROLE_DEVICE) return false;
    if (q->of_old && (org == world->old_by || org == world->old_care)) return true;
    if (!asks_patient(world, q)) return false;
    return world->enrolled_by == org || has_happened(world->cared[org], q);
}

static void plain_nearest(struct sy_may_answer *out, const struct plain_world *world,
                          const struct plain_question *q, bool treats)
{
    unsigned count = asks_patient(world, q) ? world->consent_count : 0; // OLD has none
    for (unsigned miss = SY_MAY_MISS_EXPIRED; miss < SY_MAY_MISS_NONE; miss++) {
        for (unsigned i = 0; i < count; i++) {
            const struct plain_consent *c = &world->consents[i];
            if (c->denies || !plain_stands(world, c, q) || !plain_names(world, c, q->key)) {
                continue;
            }
            if (plain_misses(c, q) != 1u << miss) continue;
            out->miss = (enum sy_may_miss)miss;
            out->missed = test_hash(CONSENT + i);
            if (miss == SY_MAY_MISS_EXPIRED) out->missed_ms = c->until;
            if (miss == SY_MAY_MISS_EARLY) out->missed_ms = c->from;
            return;
        }
        if (treats && plain_treating_misses(world, q) == 1u << miss) {
            out->miss = (enum sy_may_miss)miss;
            return;
        }
    }
}

static enum sy_may_ground plain_bar(const struct plain_world *world, const struct plain_question *q)
{
    uint64_t enrolled = q->of_old ? 1 : world->enrolled;
    if (q->of_old && world->merged == NEVER) return SY_MAY_NO_SUBJECT;
    if (!has_happened(enrolled, q)) return SY_MAY_NO_SUBJECT;
    if (q->key >= KEYS) return SY_MAY_NO_CREDENTIAL;
    const struct plain_key *key = &world->keys[q->key];
    bool holds = has_happened(key->issued, q) && !has_happened(key->revoked, q) &&
                 q->time_ms >= key->from && q->time_ms <= key->until;
    if (!holds) return SY_MAY_NO_CREDENTIAL;
    if (key->org != NO_ORG && has_happened(world->suspended[key->org], q)) return SY_MAY_SUSPENDED;
    bool wallet = q->key == WALLET || q->key == NEXT_WALLET;
    if (wallet && world->claimed && asks_patient(world, q)) return SY_MAY_SELF;
    bool reads = q->action == SY_ACTION_READ;
    if (reads && q->key == REGULATOR) return SY_MAY_OVERSIGHT;
    if (reads && q->key == AUDITOR_0 && q->purpose == SY_PURPOSE_AUDIT) return SY_MAY_OVERSIGHT;
    return 0;
}

/* The newest break of one of the ids that lets the key read; -1: none. */
static int plain_break(const struct plain_world *world, const struct plain_question *q, bool of_old)
{
    bool asked = q->action == SY_ACTION_READ && q->purpose == SY_PURPOSE_EMERGENCY;
    for (unsigned i = world->break_count; asked && i-- > 0;) {
        const struct plain_break *b = &world->breaks[i];
        bool theirs = plain_line(world, b->key) == plain_line(world, q->key);
        if (b->of_old != of_old || !theirs || !has_happened(b->height, q)) continue;
        if (q->time_ms <= b->until && !has_happened(b->unjustified, q)) return (int)i;
    }
    return -1;
}

static struct sy_may_answer plain_may(const struct plain_world *world,
                                      const struct plain_question *q)
{
    struct sy_may_answer out = {.ground = plain_bar(world, q), .miss = SY_MAY_MISS_NONE};
    out.allowed = out.ground == SY_MAY_SELF || out.ground == SY_MAY_OVERSIGHT;
    bool merged = asks_patient(world, q);
    if (out.ground != SY_MAY_NO_SUBJECT) out.subject = test_hash(merged ? PATIENT : OLD);
    if (out.ground != 0) return out;
    int broken = q->of_old ? plain_break(world, q, true) : -1;
    if (broken < 0 && merged) broken = plain_break(world, q, false);
    if (broken >= 0) {
        out.ground = SY_MAY_EMERGENCY;
        out.allowed = true;
        out.consent = test_hash(BREAK + (unsigned)broken);
        return out;
    }
    out.treats = plain_treats(world, q);
    for (unsigned circle = SY_GRANTEE_KEY; merged && circle <= SY_GRANTEE_ROLE; circle++) {
        int denial = plain_first(world, q, circle, true);
        int grant = plain_first(world, q, circle, false);
        if (denial < 0 && grant < 0) continue;
        out.ground = denial >= 0 ? SY_MAY_DENIED : SY_MAY_GRANTED;
        out.allowed = denial < 0;
        out.consent = test_hash(CONSENT + (unsigned)(denial >= 0 ? denial : grant));
        return out;
    }
    if (out.treats && plain_treating_misses(world, q) == 0) {
        out.ground = SY_MAY_TREATMENT;
        out.allowed = true;
        return out;
    }
    out.ground = SY_MAY_NOTHING;
    plain_nearest(&out, world, q, out.treats);
    return out;
}

static bool answers_equal(const struct sy_may_answer *a, const struct sy_may_answer *b)
{
    return a->allowed == b->allowed && a->ground == b->ground && a->treats == b->treats &&
           sy_hash_equal(&a->subject, &b->subject) && sy_hash_equal(&a->consent, &b->consent) &&
           a->miss == b->miss && sy_hash_equal(&a->missed, &b->missed) &&
           a->missed_ms == b->missed_ms;
}

// --- random worlds -----------------------------------------------------------------------------

static unsigned draw(sy_prng *prng, unsigned bound)
{
    return (unsigned)sy_prng_below(prng, bound);
}

static uint64_t draw_height(sy_prng *prng, unsigned one_in)
{
    return sy_prng_chance(prng, 1, one_in) ? 1 + draw(prng, HEIGHT) : NEVER;
}

static void draw_keys(struct plain_world *world, sy_prng *prng)
{
    static const struct plain_key keys[KEYS] = {
        [WALLET] = {.org = NO_ORG, .role = SY_ROLE_PATIENT},
        [OTHER_WALLET] = {.org = NO_ORG, .role = SY_ROLE_PATIENT},
        [REGULATOR] = {.org = NO_ORG, .role = SY_ROLE_REGULATOR},
        [AUDITOR_0] = {.org = 0, .role = SY_ROLE_AUDITOR},
        [DOCTOR_0] = {.org = 0, .role = SY_ROLE_DOCTOR},
        [NURSE_0] = {.org = 0, .role = SY_ROLE_NURSE},
        [DOCTOR_1] = {.org = 1, .role = SY_ROLE_DOCTOR},
        [RESEARCHER_1] = {.org = 1, .role = SY_ROLE_RESEARCHER},
        [DOCTOR_2] = {.org = 2, .role = SY_ROLE_DOCTOR},
        [NEXT_DOCTOR_1] = {.org = 1, .role = SY_ROLE_DOCTOR, .after = DOCTOR_1 + 1},
        [DEVICE_1] = {.org = 1, .role = SY_ROLE_DEVICE},
        [NEXT_WALLET] = {.org = NO_ORG, .role = SY_ROLE_PATIENT, .after = WALLET + 1},
    };
    memcpy(world->keys, keys, sizeof keys);
    for (unsigned i = 0; i < KEYS; i++) {
        world->keys[i].issued = sy_prng_chance(prng, 1, 4) ? 1 + draw(prng, HEIGHT) : 1;
        world->keys[i].revoked = draw_height(prng, 8);
        world->keys[i].from = sy_prng_chance(prng, 1, 8) ? draw(prng, NOW_MS) : 0;
        world->keys[i].until = sy_prng_chance(prng, 1, 8) ? draw(prng, NOW_MS) : INT64_MAX;
    }
}

static uint32_t draw_set(const struct sy_enum *names, sy_prng *prng)
{
    uint32_t set = SY_SET_BIT(1 + draw(prng, names->count));
    for (unsigned i = 1; i <= names->count; i++) {
        if (sy_prng_chance(prng, 1, 2)) set |= SY_SET_BIT(i);
    }
    return set;
}

static void draw_consent(struct plain_consent *c, sy_prng *prng)
{
    static const uint8_t roles[] = {SY_ROLE_DOCTOR,  SY_ROLE_NURSE,   SY_ROLE_RESEARCHER,
                                    SY_ROLE_PATIENT, SY_ROLE_AUDITOR, SY_ROLE_DEVICE};
    *c = (struct plain_consent){.circle = (uint8_t)(1 + draw(prng, 3))};
    c->grantee = c->circle == SY_GRANTEE_KEY   ? draw(prng, KEYS)
                 : c->circle == SY_GRANTEE_ORG ? draw(prng, ORGS)
                                               : roles[draw(prng, sizeof roles)];
    c->denies = sy_prng_chance(prng, 1, 3);
    c->actions = draw_set(&sy_enum_action, prng);
    c->purposes = draw_set(&sy_enum_purpose, prng);
    c->classes = sy_prng_chance(prng, 1, 2) ? 0 : draw(prng, 1u << CLASSES);
    c->labels = sy_prng_chance(prng, 1, 2) ? 0 : draw(prng, 1u << LABELS);
    c->from = sy_prng_chance(prng, 1, 3) ? draw(prng, NOW_MS) : 0;
    c->until = sy_prng_chance(prng, 1, 3) ? c->from + draw(prng, NOW_MS) : INT64_MAX;
    c->given = 1 + draw(prng, HEIGHT);
    if (sy_prng_chance(prng, 1, 4))
        c->revoked = c->given + draw(prng, HEIGHT - (unsigned)c->given + 1);
}

static void draw_world(struct plain_world *world, sy_prng *prng)
{
    memset(world, 0, sizeof *world);
    draw_keys(world, prng);
    for (unsigned i = 0; i < ORGS; i++) {
        world->suspended[i] = draw_height(prng, 12);
        world->cared[i] = draw_height(prng, 4);
    }
    world->enrolled = sy_prng_chance(prng, 1, 30) ? NEVER : 1 + draw(prng, HEIGHT / 4);
    world->enrolled_by = draw(prng, ORGS);
    world->claimed = sy_prng_chance(prng, 2, 3);
    if (world->enrolled != NEVER && sy_prng_chance(prng, 1, 2)) {
        world->merged = world->enrolled + draw(prng, HEIGHT / 2);
    }
    world->old_by = draw(prng, ORGS);
    world->old_care = draw(prng, ORGS + 1);
    world->consent_count = draw(prng, 13);
    world->break_count = draw(prng, BREAKS_MAX + 1);
    uint64_t height = 1;
    int64_t from = 0;
    for (unsigned i = 0; i < world->break_count; i++) {
        height += draw(prng, HEIGHT / BREAKS_MAX);
        from += draw(prng, NOW_MS / BREAKS_MAX);
        world->breaks[i] = (struct plain_break){
            .of_old = world->merged != NEVER && sy_prng_chance(prng, 1, 2),
            .key = sy_prng_chance(prng, 1, 3)   ? DOCTOR_1
                   : sy_prng_chance(prng, 1, 2) ? NEXT_DOCTOR_1
                                                : NURSE_0,
            .height = height,
            .from = from,
            .until = from + (int64_t)draw(prng, 2 * NOW_MS),
            .unjustified = sy_prng_chance(prng, 1, 3) ? height + draw(prng, HEIGHT / 2) : NEVER};
    }
    for (unsigned i = 0; i < world->consent_count; i++) {
        struct plain_consent *c = &world->consents[i];
        draw_consent(c, prng);
        if (i == 0 || c->denies || !sy_prng_chance(prng, 1, 3)) continue;
        unsigned parent = draw(prng, i); // as contracts see to it: a grant of the patient's
        if (!world->consents[parent].denies && world->consents[parent].parent == 0) {
            c->parent = parent + 1;
        }
    }
}

static struct plain_question draw_question(sy_prng *prng)
{
    struct plain_question q = {.of_old = sy_prng_chance(prng, 1, 3),
                               .key = draw(prng, KEYS + 1),
                               .class = draw(prng, CLASSES),
                               .label = sy_prng_chance(prng, 1, 2) ? 0 : 1 + draw(prng, LABELS),
                               .holder = sy_prng_chance(prng, 1, 2) ? 0 : 1 + draw(prng, ORGS),
                               .purpose = (uint16_t)(1 + draw(prng, sy_enum_purpose.count)),
                               .action = (uint16_t)(1 + draw(prng, sy_enum_action.count)),
                               .height = SY_MAY_NOW,
                               .time_ms = NOW_MS};
    if (sy_prng_chance(prng, 1, 8)) {
        q.action = SY_ACTION_READ;
        q.purpose = SY_PURPOSE_EMERGENCY;
    }
    q.past = sy_prng_chance(prng, 1, 3);
    if (q.past) {
        q.height = draw(prng, HEIGHT + 5);
        q.time_ms = draw(prng, NOW_MS + 1);
    }
    return q;
}

CASE(decision_is_the_same_by_two_implementations)
{
    sy_prng prng;
    unsigned grounds[SY_MAY_NOTHING + 1] = {0};
    unsigned misses[SY_MAY_MISS_NONE + 1] = {0};
    sy_prng_seed(&prng, test_seed());
    for (unsigned round = 0; round < 10000; round++) {
        static struct plain_world world;
        draw_world(&world, &prng);
        shelve(&world);
        for (unsigned i = 0; i < 12; i++) {
            struct plain_question q = draw_question(&prng);
            struct sy_may_answer answer = ask(&q);
            struct sy_may_answer plain = plain_may(&world, &q);
            if (!answers_equal(&answer, &plain)) {
                fail_msg("round %u, question %u: ground %d, by the sentences %d; miss %d, %d",
                         round, i, (int)answer.ground, (int)plain.ground, (int)answer.miss,
                         (int)plain.miss);
            }
            grounds[answer.ground]++;
            misses[answer.miss]++;
        }
    }
    for (unsigned i = SY_MAY_NO_SUBJECT; i <= SY_MAY_NOTHING; i++) assert_true(grounds[i] > 100);
    for (unsigned i = SY_MAY_MISS_EXPIRED; i <= SY_MAY_MISS_NONE; i++) assert_true(misses[i] > 30);
}

// --- the table ---------------------------------------------------------------------------------

/* One line: up to three consents, a question, and what comes of it. What is not given: a consent to
 * everything, from the first block on and without an end; reading an Observation without a label
 * for treatment, now. Organisation 0 enrolled the patient. */
struct line {
    const char *what;
    struct plain_consent consents[3];
    struct plain_question question;
    enum sy_may_ground ground;
    enum sy_may_miss miss;
    int by; /* consent that decides or nearly does, -1: none */
};

static struct plain_consent filled_consent(struct plain_consent c)
{
    if (c.given == 0) c.given = 1;
    if (c.actions == 0) c.actions = sy_set_known(&sy_enum_action);
    if (c.purposes == 0) c.purposes = sy_set_known(&sy_enum_purpose);
    if (c.until == 0) c.until = INT64_MAX;
    return c;
}

static struct plain_question filled_question(struct plain_question q)
{
    if (q.purpose == 0) q.purpose = SY_PURPOSE_TREATMENT;
    if (q.action == 0) q.action = SY_ACTION_READ;
    if (q.height == 0) q.height = SY_MAY_NOW;
    q.time_ms = NOW_MS;
    return q;
}

// clang-format off
#define TO(circle_, ...) {.circle = SY_GRANTEE_##circle_, .grantee = __VA_ARGS__}
#define NOT_TO(circle_, ...) TO(circle_, __VA_ARGS__, .denies = true)
#define ASK(...) {.key = __VA_ARGS__}
#define OF_OLD(...) {.of_old = true, .key = __VA_ARGS__}
#define NO_CONSENT {{0}}
#define READ SY_SET_BIT(SY_ACTION_READ)
#define WRITE SY_SET_BIT(SY_ACTION_WRITE)
#define TREAT SY_SET_BIT(SY_PURPOSE_TREATMENT)
/* What comes of it, and by which consent. */
#define BY(ground) SY_MAY_##ground, SY_MAY_MISS_NONE, -1
#define GRANTED(by) SY_MAY_GRANTED, SY_MAY_MISS_NONE, (by)
#define DENIED(by) SY_MAY_DENIED, SY_MAY_MISS_NONE, (by)
#define MISSED(miss, by) SY_MAY_NOTHING, SY_MAY_MISS_##miss, (by)

static const struct line lines[] = {
    {"a grant to a key is its holder's", {TO(KEY, DOCTOR_1)}, ASK(NEXT_DOCTOR_1), GRANTED(0)},
    {"and so is a denial", {TO(ORG, 1), NOT_TO(KEY, DOCTOR_1)}, ASK(NEXT_DOCTOR_1), DENIED(1)},
    {"a wallet that replaced another is the patient's", NO_CONSENT, ASK(NEXT_WALLET), BY(SELF)},
    {"under a merged id, who enrolled it treats", NO_CONSENT, OF_OLD(DOCTOR_2), BY(TREATMENT)},
    {"and so does whoever treats the patient", NO_CONSENT, OF_OLD(DOCTOR_0), BY(TREATMENT)},
    {"but not the other way", NO_CONSENT, ASK(DOCTOR_2), BY(NOTHING)},
    {"the patient's key is that of both", NO_CONSENT, OF_OLD(WALLET), BY(SELF)},
    {"the patient's grants reach it", {TO(ORG, 1)}, OF_OLD(DOCTOR_1), GRANTED(0)},
    {"and the patient's denials", {NOT_TO(ORG, 2)}, OF_OLD(DOCTOR_2), DENIED(0)},
    {"a device is not its organisation", {TO(ORG, 1)}, ASK(DEVICE_1), BY(NOTHING)},
    {"but kept out with it", {TO(ROLE, SY_ROLE_DEVICE), NOT_TO(ORG, 1)}, ASK(DEVICE_1), DENIED(1)},
    {"and let in by its key", {TO(KEY, DEVICE_1)}, ASK(DEVICE_1), GRANTED(0)},
    {"a stranger may nothing", NO_CONSENT, ASK(DOCTOR_1), BY(NOTHING)},
    {"who enrolled treats", NO_CONSENT, ASK(DOCTOR_0), BY(TREATMENT)},
    {"who treats may not research",
     NO_CONSENT, ASK(DOCTOR_0, .purpose = SY_PURPOSE_RESEARCH), MISSED(PURPOSE, -1)},
    {"who treats may not pass on",
     NO_CONSENT, ASK(DOCTOR_0, .action = SY_ACTION_SHARE), MISSED(ACTION, -1)},
    {"who treats does not see a label", NO_CONSENT, ASK(DOCTOR_0, .label = 1), MISSED(LABEL, -1)},
    {"but its own", NO_CONSENT, ASK(DOCTOR_0, .label = 1, .holder = 1), BY(TREATMENT)},
    {"the patient may", {NOT_TO(ROLE, SY_ROLE_PATIENT)}, ASK(WALLET), BY(SELF)},
    {"another patient may not", NO_CONSENT, ASK(OTHER_WALLET), BY(NOTHING)},
    {"but by a grant", {TO(KEY, OTHER_WALLET)}, ASK(OTHER_WALLET), GRANTED(0)},
    {"a regulator reads", {NOT_TO(KEY, REGULATOR)}, ASK(REGULATOR), BY(OVERSIGHT)},
    {"and does not write",
     NO_CONSENT, ASK(REGULATOR, .action = SY_ACTION_WRITE), BY(NOTHING)},
    {"an auditor audits",
     NO_CONSENT, ASK(AUDITOR_0, .purpose = SY_PURPOSE_AUDIT), BY(OVERSIGHT)},
    {"nobody knows this key", NO_CONSENT, ASK(NOBODY), BY(NO_CREDENTIAL)},
    {"a grant to the key", {TO(KEY, DOCTOR_1)}, ASK(DOCTOR_1), GRANTED(0)},
    {"a grant to the organisation", {TO(ORG, 1)}, ASK(DOCTOR_1), GRANTED(0)},
    {"a grant to the role", {TO(ROLE, SY_ROLE_DOCTOR)}, ASK(DOCTOR_1), GRANTED(0)},
    {"grants to others",
     {TO(KEY, DOCTOR_2), TO(ORG, 2), TO(ROLE, SY_ROLE_NURSE)}, ASK(DOCTOR_1), BY(NOTHING)},
    {"the first grant decides", {TO(ORG, 1), TO(ORG, 1)}, ASK(DOCTOR_1), GRANTED(0)},
    {"the narrowest grant decides",
     {TO(ROLE, SY_ROLE_DOCTOR), TO(ORG, 1), TO(KEY, DOCTOR_1)}, ASK(DOCTOR_1), GRANTED(2)},
    {"a denial stands over a grant to the same",
     {TO(ORG, 1), NOT_TO(ORG, 1)}, ASK(DOCTOR_1), DENIED(1)},
    {"and over one to a wider circle",
     {TO(ROLE, SY_ROLE_DOCTOR), NOT_TO(KEY, DOCTOR_1)}, ASK(DOCTOR_1), DENIED(1)},
    {"a grant to a narrower circle stands",
     {NOT_TO(ROLE, SY_ROLE_DOCTOR), TO(KEY, DOCTOR_1)}, ASK(DOCTOR_1), GRANTED(1)},
    {"a denial stops who treats", {NOT_TO(ROLE, SY_ROLE_DOCTOR)}, ASK(DOCTOR_0), DENIED(0)},
    {"a denial of writing leaves reading",
     {NOT_TO(ORG, 0, .actions = WRITE)}, ASK(DOCTOR_0), BY(TREATMENT)},
    {"a grant without labels covers none",
     {TO(KEY, DOCTOR_1)}, ASK(DOCTOR_1, .label = 2), MISSED(LABEL, 0)},
    {"a grant covers the label it names",
     {TO(KEY, DOCTOR_1, .labels = 2)}, ASK(DOCTOR_1, .label = 2), GRANTED(0)},
    {"no other", {TO(KEY, DOCTOR_1, .labels = 2)}, ASK(DOCTOR_1, .label = 3), MISSED(LABEL, 0)},
    {"and nothing without", {TO(KEY, DOCTOR_1, .labels = 2)}, ASK(DOCTOR_1), MISSED(LABEL, 0)},
    {"a denial without labels covers all",
     {TO(KEY, DOCTOR_1, .labels = 2), NOT_TO(KEY, DOCTOR_1)}, ASK(DOCTOR_1, .label = 2), DENIED(1)},
    {"a denial of one label leaves the rest",
     {NOT_TO(KEY, DOCTOR_0, .labels = 1)}, ASK(DOCTOR_0), BY(TREATMENT)},
    {"another class", {TO(KEY, DOCTOR_1, .classes = 2)}, ASK(DOCTOR_1), MISSED(CLASS, 0)},
    {"another purpose", {TO(KEY, DOCTOR_1, .purposes = TREAT)},
     ASK(DOCTOR_1, .purpose = SY_PURPOSE_PAYMENT), MISSED(PURPOSE, 0)},
    {"another action", {TO(KEY, DOCTOR_1, .actions = READ)},
     ASK(DOCTOR_1, .action = SY_ACTION_SHARE), MISSED(ACTION, 0)},
    {"the last instant", {TO(KEY, DOCTOR_1, .until = NOW_MS)}, ASK(DOCTOR_1), GRANTED(0)},
    {"is over", {TO(KEY, DOCTOR_1, .until = NOW_MS - 1)}, ASK(DOCTOR_1), MISSED(EXPIRED, 0)},
    {"the first instant", {TO(KEY, DOCTOR_1, .from = NOW_MS)}, ASK(DOCTOR_1), GRANTED(0)},
    {"is to come", {TO(KEY, DOCTOR_1, .from = NOW_MS + 1)}, ASK(DOCTOR_1), MISSED(EARLY, 0)},
    {"two misses are not near",
     {TO(KEY, DOCTOR_1, .until = 5, .classes = 2)}, ASK(DOCTOR_1), BY(NOTHING)},
    {"the nearest of two",
     {TO(KEY, DOCTOR_1, .classes = 2), TO(ORG, 1, .until = 5)}, ASK(DOCTOR_1), MISSED(EXPIRED, 1)},
    {"a denial that is over denies nothing",
     {NOT_TO(KEY, DOCTOR_0, .until = 5)}, ASK(DOCTOR_0), BY(TREATMENT)},
    {"what was revoked is gone", {TO(KEY, DOCTOR_1, .revoked = 9)}, ASK(DOCTOR_1), BY(NOTHING)},
    {"it counted before",
     {TO(KEY, DOCTOR_1, .revoked = 9)}, ASK(DOCTOR_1, .past = true, .height = 8), GRANTED(0)},
    {"and not from then on",
     {TO(KEY, DOCTOR_1, .revoked = 9)}, ASK(DOCTOR_1, .past = true, .height = 9), BY(NOTHING)},
    {"nor before it was given", {TO(KEY, DOCTOR_1, .given = 7, .revoked = 9)},
     ASK(DOCTOR_1, .past = true, .height = 6), BY(NOTHING)},
    {"what was passed on",
     {TO(KEY, DOCTOR_2), TO(KEY, DOCTOR_1, .parent = 1)}, ASK(DOCTOR_1), GRANTED(1)},
    {"goes with its parent",
     {TO(KEY, DOCTOR_2, .revoked = 9), TO(KEY, DOCTOR_1, .parent = 1)}, ASK(DOCTOR_1), BY(NOTHING)},
    {"and stood before", {TO(KEY, DOCTOR_2, .revoked = 9), TO(KEY, DOCTOR_1, .parent = 1)},
     ASK(DOCTOR_1, .past = true, .height = 8), GRANTED(1)},
    {"any denial stands over it",
     {TO(KEY, DOCTOR_2), TO(KEY, DOCTOR_1, .parent = 1), NOT_TO(ROLE, SY_ROLE_DOCTOR)},
     ASK(DOCTOR_1), DENIED(2)},
};
// clang-format on

static void plain_start(struct plain_world *world)
{
    sy_prng prng;
    memset(world, 0, sizeof *world);
    sy_prng_seed(&prng, 1);
    draw_keys(world, &prng);
    for (unsigned i = 0; i < KEYS; i++) {
        world->keys[i].issued = 1;
        world->keys[i].revoked = NEVER;
        world->keys[i].from = 0;
        world->keys[i].until = INT64_MAX;
    }
    world->enrolled = 1;
    world->claimed = true;
    world->merged = 2;
    world->old_by = 2;
    world->old_care = ORGS;
}

CASE(decisions_are_those_of_the_table)
{
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const struct line *line = &lines[i];
        struct plain_world world;
        plain_start(&world);
        for (unsigned k = 0; k < 3 && line->consents[k].circle != 0; k++) {
            world.consents[world.consent_count++] = filled_consent(line->consents[k]);
        }
        shelve(&world);
        struct plain_question question = filled_question(line->question);
        struct sy_may_answer answer = ask(&question);
        struct sy_hash none = {{0}},
                       by = line->by < 0 ? none : test_hash(CONSENT + (unsigned)line->by);
        bool named = answer.ground == SY_MAY_NOTHING ? sy_hash_equal(&answer.missed, &by)
                                                     : sy_hash_equal(&answer.consent, &by);
        if (answer.ground != line->ground || answer.miss != line->miss || !named) {
            fail_msg("%s: ground %d, miss %d", line->what, (int)answer.ground, (int)answer.miss);
        }
    }
}

// --- state that fails --------------------------------------------------------------------------

static sy_status ask_damaged(const struct plain_question *plain)
{
    struct sy_hash holder;
    struct sy_may_answer answer;
    struct sy_may_question question = question_of(plain, &holder);
    shelf.gets = 0;
    return sy_may(&answer, &question, shelf_get, &shelf);
}

/* A world whose decision reads every kind of entry. */
static struct plain_question shelve_all_kinds(void)
{
    struct plain_world world;
    struct plain_question q = {.key = DOCTOR_1, .past = true, .height = 50};
    plain_start(&world);
    world.cared[1] = 5;
    world.consents[0] =
        filled_consent((struct plain_consent){.circle = SY_GRANTEE_KEY, .grantee = DOCTOR_1});
    world.consents[1] = filled_consent(
        (struct plain_consent){.circle = SY_GRANTEE_ROLE, .grantee = SY_ROLE_DOCTOR});
    world.consent_count = 2;
    shelve(&world);
    return filled_question(q);
}

CASE(failures_of_the_source_are_handed_on)
{
    struct plain_question q = shelve_all_kinds();
    assert_int_equal(ask_damaged(&q), SY_OK);
    unsigned gets = shelf.gets;
    assert_int_equal(gets,
                     10); // patient, key, organisation, care twice, list, two places, two consents
    for (unsigned i = 1; i <= gets; i++) {
        shelf.fail_at = i;
        assert_int_equal(ask_damaged(&q), SY_ERR_IO);
    }
    shelf.fail_at = 0;
}

CASE(values_that_nobody_wrote_are_corrupt)
{
    struct plain_question q = shelve_all_kinds();
    unsigned corrupt = 0;
    for (unsigned i = 1; i <= shelf.count; i++) {
        shelf.spoil = i;
        sy_status status = ask_damaged(&q);
        assert_true(status == SY_OK || status == SY_ERR_CORRUPT);
        if (status == SY_ERR_CORRUPT) corrupt++;
    }
    shelf.spoil = 0;
    assert_int_equal(corrupt, 10);
    // What is named and not there: a place, a consent, a care.
    static const enum sy_state_kind kinds[] = {SY_STATE_CONSENT_PLACE, SY_STATE_CONSENT,
                                               SY_STATE_CARE};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        (void)shelve_all_kinds();
        for (unsigned i = 0; i < shelf.count; i++) {
            if (shelf.entries[i].kind == kinds[k]) shelf.entries[i].kind = SY_STATE_MAKER;
        }
        assert_int_equal(ask_damaged(&q), SY_ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(decision_is_the_same_by_two_implementations),
        cmocka_unit_test(decisions_are_those_of_the_table),
        cmocka_unit_test(failures_of_the_source_are_handed_on),
        cmocka_unit_test(values_that_nobody_wrote_are_corrupt),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
