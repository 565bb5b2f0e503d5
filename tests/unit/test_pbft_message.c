/* test_pbft_message.c: which signatures are checked and made, with real keys; the bytes of the vote
 * store; what init refuses. */
#include "consensus/pbft/message.h"

#include <stdio.h>

#include "core/crypto/engine.h"
#include "tests/support/network.h"
#include "tests/support/test.h"

#define N 7u
#define SELF 2u

static struct sy_genesis genesis;
static struct sy_pbft_config config;
static struct sy_sig_job jobs[SY_MESSAGE_JOBS_MAX];

static int make_network(void **state)
{
    (void)state;
    test_genesis(&genesis, N);
    sy_pbft_config_default(&config);
    config.genesis = genesis.hash;
    config.n = N;
    config.self = SELF;
    return 0;
}

static struct sy_proposal some_proposal(uint64_t slot, unsigned entries)
{
    struct sy_proposal proposal = {.slot = slot, .time_ms = 1234, .count = (uint16_t)entries};
    for (uint16_t i = 0; i < entries; i++)
        proposal.entries[i] = (struct sy_entry){(uint16_t)(i % N), i + 1u, test_hash(i)};
    return proposal;
}

/* Signs what the effect owes with the key of validator self, as the node does. */
static size_t sign_effect(struct sy_pbft_effect *effect, uint16_t self)
{
    struct sy_own_signature own[SY_PBFT_OWN_MAX];
    struct sy_pbft_config mine = config;
    mine.self = self;
    size_t count = sy_pbft_effect_own(own, effect, &mine);
    for (size_t i = 0; i < count; i++)
        sy_sign(test_key(3u * self), own[i].signature, own[i].kind, &own[i].digest);
    return count;
}

static bool verify(const struct sy_message *message)
{
    size_t count;
    if (!sy_message_jobs(jobs, &count, message, &genesis.roster, &genesis.hash)) return false;
    if (count == 0) return false;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(jobs[i].leaf, SY_JOB_NO_LEAF);
        if (!sy_verify_one(&jobs[i].key, (enum sy_sig_kind)jobs[i].kind, &jobs[i].digest,
                           &jobs[i].signature))
            return false;
    }
    return true;
}

static void make_own(struct sy_pbft_effect *effect, uint8_t type, uint16_t self)
{
    memset(effect, 0, sizeof *effect);
    effect->type = SY_PBFT_SEND;
    struct sy_message *message = &effect->as.send.message;
    message->type = type;
    switch (type) {
    case SY_MESSAGE_PRE_PREPARE:
        message->body.pre_prepare.proposal = some_proposal(9, 3);
        message->body.pre_prepare.view = self; // its primary
        break;
    case SY_MESSAGE_PREPARE:
    case SY_MESSAGE_COMMIT:
        message->body.vote = (struct sy_vote){
            .type = type, .slot = 9, .proposal_digest = test_hash(1), .signer = self};
        break;
    case SY_MESSAGE_SEAL:
        message->body.seal = (struct sy_seal_message){
            .height = 9, .header_hash = test_hash(2), .seal = {.signer = self}};
        break;
    default:
        message->body.status = (struct sy_status_message){
            .signer = self, .counter = 5, .certified_height = 3, .prepared_mask = 6};
    }
}

static const uint8_t signed_types[] = {SY_MESSAGE_PRE_PREPARE, SY_MESSAGE_PREPARE,
                                       SY_MESSAGE_COMMIT, SY_MESSAGE_SEAL, SY_MESSAGE_STATUS};

CASE(own_messages_are_signed_once_and_verify)
{
    static struct sy_pbft_effect effect;
    for (size_t i = 0; i < sizeof signed_types; i++) {
        make_own(&effect, signed_types[i], 2);
        assert_false(verify(&effect.as.send.message));
        assert_int_equal(sign_effect(&effect, 2), 1);
        assert_true(verify(&effect.as.send.message));
    }
}

CASE(relayed_messages_are_not_signed_again)
{
    static struct sy_pbft_effect effect;
    for (size_t i = 0; i + 1 < sizeof signed_types; i++) { // a status is never relayed
        make_own(&effect, signed_types[i], 3);
        assert_int_equal(sign_effect(&effect, 3), 1);
        struct sy_pbft_effect relayed = effect;
        assert_int_equal(sign_effect(&relayed, 2), 0);
        assert_true(verify(&relayed.as.send.message));
    }
}

CASE(every_signed_field_is_covered)
{
    static struct sy_pbft_effect effect;
    static uint8_t bytes[8192];
    static struct sy_message changed;
    for (size_t i = 0; i < sizeof signed_types; i++) {
        make_own(&effect, signed_types[i], 2);
        assert_int_equal(sign_effect(&effect, 2), 1);
        struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
        sy_message_encode(&w, &effect.as.send.message);
        assert_false(w.failed);
        unsigned flipped = 0;
        for (size_t bit = 0; bit < w.used * 8; bit += 5) { // co-prime to 8: every byte is met
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (sy_message_decode(&changed, sy_slice_of(bytes, w.used), N)) {
                assert_false(verify(&changed));
                flipped++;
            }
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_true(flipped > 50);
    }
}

CASE(signatures_of_one_kind_are_none_of_another)
{
    static struct sy_pbft_effect effect;
    make_own(&effect, SY_MESSAGE_PREPARE, 2);
    assert_int_equal(sign_effect(&effect, 2), 1);
    effect.as.send.message.type = SY_MESSAGE_COMMIT;
    effect.as.send.message.body.vote.type = SY_MESSAGE_COMMIT;
    assert_false(verify(&effect.as.send.message));
}

CASE(a_block_lists_every_seal_of_its_certificate)
{
    static struct sy_message message;
    message.type = SY_MESSAGE_BLOCK;
    message.body.block.header = (struct sy_header){.protocol = 1, .height = 4};
    message.body.block.proposal = some_proposal(4, 0);
    test_certificate(&message.body.block.certificate, &genesis, &message.body.block.header);
    size_t count;
    assert_true(sy_message_jobs(jobs, &count, &message, &genesis.roster, &genesis.hash));
    assert_int_equal(count, sy_quorum(N));
    assert_true(verify(&message));
    message.body.block.header.time_ms++;
    assert_false(verify(&message));
}

/* The message's fields that say whose it is. A pre-prepare is its view's primary's. */
static uint16_t *signer_of(struct sy_message *message)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: return NULL;
    case SY_MESSAGE_SEAL: return &message->body.seal.seal.signer;
    case SY_MESSAGE_STATUS: return &message->body.status.signer;
    default: return &message->body.vote.signer;
    }
}

static uint32_t *epoch_of(struct sy_message *message)
{
    switch (message->type) {
    case SY_MESSAGE_PRE_PREPARE: return &message->body.pre_prepare.proposal.epoch;
    case SY_MESSAGE_SEAL: return &message->body.seal.epoch;
    case SY_MESSAGE_STATUS: return &message->body.status.epoch;
    default: return &message->body.vote.epoch;
    }
}

CASE(signers_and_epochs_outside_the_roster_are_refused)
{
    static struct sy_pbft_effect effect;
    size_t count;
    struct sy_message *message = &effect.as.send.message;
    for (size_t i = 0; i < sizeof signed_types; i++) {
        make_own(&effect, signed_types[i], 2);
        assert_true(sy_message_jobs(jobs, &count, message, &genesis.roster, &genesis.hash));
        *epoch_of(message) = genesis.roster.epoch + 1;
        bool status = message->type == SY_MESSAGE_STATUS; // of a later epoch: a hint, unchecked
        bool taken = sy_message_jobs(jobs, &count, message, &genesis.roster, &genesis.hash);
        assert_int_equal(taken, status);
        if (status) assert_int_equal(count, 0);
        *epoch_of(message) = genesis.roster.epoch;
        if (signer_of(message) == NULL) continue;
        *signer_of(message) = N;
        assert_false(sy_message_jobs(jobs, &count, message, &genesis.roster, &genesis.hash));
    }
    static struct sy_message block = {.type = SY_MESSAGE_BLOCK};
    block.body.block.header.epoch = 1;
    assert_false(sy_message_jobs(jobs, &count, &block, &genesis.roster, &genesis.hash));
    block.body.block.header.epoch = 0;
    block.body.block.certificate.count = 1;
    block.body.block.certificate.seals[0].signer = N;
    assert_false(sy_message_jobs(jobs, &count, &block, &genesis.roster, &genesis.hash));
}

CASE(requests_carry_no_signature)
{
    static struct sy_message message;
    const uint8_t types[] = {SY_MESSAGE_BATCH_FETCH, SY_MESSAGE_BLOCK_FETCH, SY_MESSAGE_SLOT_FETCH};
    for (size_t i = 0; i < sizeof types; i++) {
        size_t count = 99;
        message.type = types[i];
        assert_true(sy_message_jobs(jobs, &count, &message, &genesis.roster, &genesis.hash));
        assert_int_equal(count, 0);
    }
}

/* --- records --------------------------------------------------------------------------------- */

/* The certificate of validator `self`, who prepared the proposal too. */
static void make_prepared(struct sy_pbft_record *record, uint64_t view, uint16_t self)
{
    memset(record, 0, sizeof *record);
    record->type = SY_PBFT_RECORD_PREPARED;
    record->slot = 9;
    record->view = view;
    record->as.prepared.proposal = some_proposal(9, SY_PROPOSAL_ENTRIES_MAX);
    record->as.prepared.view = view;
    test_prepared_by(&record->as.prepared, N, self);
}

CASE(a_prepared_certificate_needs_no_signature_of_its_holder)
{
    static struct sy_pbft_effect effect;
    effect.type = SY_PBFT_PERSIST;
    make_prepared(&effect.as.persist.record, 0, SELF);
    for (uint16_t i = 0; i < N; i++) assert_int_equal(sign_effect(&effect, i), 0);
}

/* --- view change ----------------------------------------------------------------------------- */

/* A VIEW_CHANGE of validator `signer` for view 3 above height 8, with one certificate of slot 9,
 * and all signatures but the signer's own. */
static void make_change(struct sy_view_change *change, uint16_t signer)
{
    static uint8_t bytes[SY_VIEW_CHANGE_BYTES_MAX];
    struct sy_pbft_record record;
    struct sy_writer w = sy_writer_of(bytes, sizeof bytes);
    memset(change, 0, sizeof *change);
    change->view = 3;
    change->signer = signer;
    change->stable_height = 8;
    struct sy_header header = {.protocol = 1, .height = 8};
    sy_header_hash(&change->stable_hash, &genesis.hash, &header);
    test_certificate(&change->certificate, &genesis, &header);
    make_prepared(&record, 1, signer);
    struct sy_prepared *prepared = &record.as.prepared;
    for (uint16_t i = 0; i < prepared->count; i++) {
        struct sy_seal *statement = &prepared->statements[i];
        static struct sy_pbft_effect effect;
        effect = (struct sy_pbft_effect){.type = SY_PBFT_SEND};
        struct sy_message *message = &effect.as.send.message;
        if (statement->signer == 1) {
            message->type = SY_MESSAGE_PRE_PREPARE;
            message->body.pre_prepare.proposal = prepared->proposal;
            message->body.pre_prepare.view = 1;
            assert_int_equal(sign_effect(&effect, 1), 1);
            statement->signature = message->body.pre_prepare.signature;
        } else {
            message->type = SY_MESSAGE_PREPARE;
            struct sy_vote *vote = &message->body.vote;
            *vote = (struct sy_vote){
                .type = SY_MESSAGE_PREPARE, .view = 1, .slot = 9, .signer = statement->signer};
            sy_proposal_digest(&vote->proposal_digest, &genesis.hash, &prepared->proposal);
            assert_int_equal(sign_effect(&effect, statement->signer), 1);
            statement->signature = vote->signature;
        }
    }
    sy_prepared_encode(&w, prepared);
    change->count = 1;
    change->prepared = sy_writer_slice(&w);
}

static bool verify_change(const struct sy_message *message)
{
    static struct sy_sig_job many[1 + (SY_PBFT_WINDOW + 1) * N];
    size_t count = 0;
    if (!sy_message_jobs(many, &count, message, &genesis.roster, &genesis.hash)) return false;
    assert_int_equal(count, 1 + sy_quorum(N) + sy_quorum(N) - 1);
    for (size_t i = 0; i < count; i++)
        if (!sy_verify_one(&many[i].key, (enum sy_sig_kind)many[i].kind, &many[i].digest,
                           &many[i].signature))
            return false;
    return true;
}

CASE(a_view_change_verifies_with_all_that_it_shows)
{
    static struct sy_pbft_effect effect;
    effect.type = SY_PBFT_SEND;
    struct sy_message *message = &effect.as.send.message;
    message->type = SY_MESSAGE_VIEW_CHANGE;
    for (uint16_t signer = 0; signer < 3; signer++) {
        make_change(&message->body.view_change, signer);
        struct sy_view_change *change = &message->body.view_change;
        // The own seal in the certificate is filled in, too.
        memset(&change->certificate.seals[signer].signature, 0, 64);
        assert_false(verify_change(message));
        assert_int_equal(sign_effect(&effect, signer), 2);
        assert_true(verify_change(message));
        change->certificate.seals[1].signature.bytes[5] ^= 1;
        assert_false(verify_change(message));
        change->certificate.seals[1].signature.bytes[5] ^= 1;
        change->view++;
        assert_false(verify_change(message));
        change->view--;
        assert_true(verify_change(message));
        uint8_t *last = (uint8_t *)(uintptr_t)(change->prepared.data + change->prepared.size - 1);
        *last ^= 1; // of a PREPARE
        assert_false(verify_change(message));
    }
}

CASE(a_new_view_is_signed_by_its_primary)
{
    static struct sy_pbft_effect effect;
    effect.type = SY_PBFT_SEND;
    struct sy_message *message = &effect.as.send.message;
    message->type = SY_MESSAGE_NEW_VIEW;
    message->body.new_view = (struct sy_new_view){.view = 2, .signer = 2, .count = 5};
    for (uint16_t i = 0; i < 5; i++) message->body.new_view.changes[i].signer = i;
    assert_int_equal(sign_effect(&effect, 1), 0); // relayed
    assert_int_equal(sign_effect(&effect, 2), 1);
    assert_true(verify(message));
    message->body.new_view.changes[3].digest.bytes[0] ^= 1;
    assert_false(verify(message));
}

CASE(a_record_of_an_own_proposal_is_signed)
{
    static struct sy_pbft_effect effect;
    effect.type = SY_PBFT_PERSIST;
    effect.as.persist.record.type = SY_PBFT_RECORD_PREPARE;
    effect.as.persist.record.as.prepare.proposal = some_proposal(9, 2);
    assert_int_equal(sign_effect(&effect, 0), 1);
    assert_int_equal(sign_effect(&effect, 1), 0);
    effect.as.persist.record.type = SY_PBFT_RECORD_BOOT;
    assert_int_equal(sign_effect(&effect, 0), 0);
}

CASE(a_certificate_verifies_once_the_own_seal_is_filled_in)
{
    static struct sy_pbft_effect effect;
    struct sy_header header = {.protocol = 1, .height = 4};
    effect.type = SY_PBFT_CERTIFIED;
    struct sy_certificate *certificate = &effect.as.certified.certificate;
    test_certificate(certificate, &genesis, &header);
    memset(&certificate->seals[2].signature, 0, sizeof certificate->seals[2].signature);
    assert_false(sy_certificate_verify(certificate, &genesis.roster, &genesis.hash, &header));
    effect.as.certified.height = 4;
    sy_header_hash(&effect.as.certified.header_hash, &genesis.hash, &header);
    assert_int_equal(sign_effect(&effect, 2), 1);
    assert_true(sy_certificate_verify(certificate, &genesis.roster, &genesis.hash, &header));
    assert_int_equal(sign_effect(&effect, 6), 0);
}

static size_t encode(uint8_t *bytes, const struct sy_pbft_record *record)
{
    struct sy_writer w = sy_writer_of(bytes, SY_PBFT_RECORD_BYTES_MAX);
    sy_pbft_record_encode(&w, record);
    assert_false(w.failed);
    return w.used;
}

static void make_record(struct sy_pbft_record *record, unsigned which)
{
    memset(record, 0, sizeof *record);
    record->slot = 77;
    record->view = 3;
    switch (which) {
    case 0:
        record->type = SY_PBFT_RECORD_PREPARE;
        record->as.prepare.proposal = some_proposal(77, 5);
        record->as.prepare.view = 3;
        break;
    case 1: make_prepared(record, 3, SELF); break;
    case 2:
        record->type = SY_PBFT_RECORD_BOOT;
        record->as.boots = 12;
        break;
    case 3:
        record->type = SY_PBFT_RECORD_VIEW_CHANGE;
        make_change(&record->as.view_change, SELF);
        break;
    case 4:
        record->type = SY_PBFT_RECORD_NEW_VIEW;
        record->as.new_view = (struct sy_new_view){.view = 9, .signer = 2, .count = 5};
        for (uint16_t i = 0; i < 5; i++) record->as.new_view.changes[i].signer = i;
        break;
    default:
        record->type = SY_PBFT_RECORD_HALTED;
        record->as.halt = (struct sy_pbft_halt){SY_PBFT_ALARM_DIVERGED, test_hash(1), test_hash(2)};
    }
}

CASE(records_have_one_encoding_and_come_back)
{
    static struct sy_pbft_record record, back;
    static uint8_t bytes[SY_PBFT_RECORD_BYTES_MAX], again[SY_PBFT_RECORD_BYTES_MAX];
    for (unsigned which = 0; which < 6; which++) {
        make_record(&record, which);
        size_t size = encode(bytes, &record);
        assert_true(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), SELF, N));
        assert_int_equal(encode(again, &back), size);
        assert_memory_equal(bytes, again, size);
        for (size_t cut = 0; cut < size; cut++)
            assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, cut), SELF, N));
        bytes[size] = 0;
        assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size + 1), SELF, N));
    }
}

CASE(records_with_impossible_values_are_refused)
{
    static struct sy_pbft_record record, back;
    static uint8_t bytes[SY_PBFT_RECORD_BYTES_MAX];
    make_record(&record, 1);
    record.as.prepared.statements[0].signer = N; // not in the roster
    size_t size = encode(bytes, &record);
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), SELF, N));
    record.as.prepared.statements[0].signer = 1; // twice
    size = encode(bytes, &record);
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), SELF, N));
    record.as.prepared.statements[0].signer = SELF; // the holder's own is not among them
    size = encode(bytes, &record);
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), SELF, N));
    make_record(&record, 1);
    size = encode(bytes, &record);
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), 1, N)); // another's
    record.as.prepared.count--;                                                 // one too few
    size = encode(bytes, &record);
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), SELF, N));
    make_record(&record, 3);
    size = encode(bytes, &record);
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), 1, N));
    make_record(&record, 5);
    record.as.halt.alarm = SY_PBFT_ALARM_NONE;
    size = encode(bytes, &record);
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), SELF, N));
    bytes[0] = 99;
    assert_false(sy_pbft_record_decode(&back, sy_slice_of(bytes, size), SELF, N));
}

CASE(the_longest_records_fit_their_bounds)
{
    static struct sy_pbft_record record;
    static uint8_t bytes[SY_PBFT_RECORD_BYTES_MAX], room[SY_PBFT_RECORD_BYTES_MAX];
    make_prepared(&record, 0, SELF);
    record.as.prepared.count = SY_VALIDATORS_MAX;
    for (uint16_t i = 0; i < SY_VALIDATORS_MAX; i++) record.as.prepared.statements[i].signer = i;
    assert_true(encode(bytes, &record) <= SY_PBFT_RECORD_BYTES_SHORT);
    struct sy_writer w = sy_writer_of(room, sizeof room);
    for (unsigned i = 0; i < SY_PBFT_WINDOW; i++) sy_prepared_encode(&w, &record.as.prepared);
    assert_false(w.failed);
    struct sy_pbft_record change = {.type = SY_PBFT_RECORD_VIEW_CHANGE};
    change.as.view_change.stable_height = 1;
    change.as.view_change.certificate.count = SY_VALIDATORS_MAX;
    change.as.view_change.count = SY_PBFT_WINDOW;
    change.as.view_change.prepared = sy_writer_slice(&w);
    assert_true(encode(bytes, &change) <= SY_PBFT_RECORD_BYTES_MAX);
}

CASE(only_votes_up_to_the_height_are_droppable)
{
    assert_true(sy_pbft_record_droppable(SY_PBFT_RECORD_PREPARE, 5, 5));
    assert_true(sy_pbft_record_droppable(SY_PBFT_RECORD_PREPARED, 4, 5));
    assert_false(sy_pbft_record_droppable(SY_PBFT_RECORD_PREPARE, 6, 5));
    assert_false(sy_pbft_record_droppable(SY_PBFT_RECORD_BOOT, 0, 5));
    assert_false(sy_pbft_record_droppable(SY_PBFT_RECORD_HALTED, 1, 5));
    assert_false(sy_pbft_record_droppable(SY_PBFT_RECORD_VIEW_CHANGE, 0, 5));
    assert_false(sy_pbft_record_droppable(SY_PBFT_RECORD_NEW_VIEW, 0, 5));
}

/* --- init ------------------------------------------------------------------------------------ */

static void refuse(const struct sy_pbft_config *wrong, const char *word)
{
    sy_arena arena;
    sy_pbft *pbft;
    struct sy_error err;
    assert_int_equal(sy_arena_open(&arena, sy_pbft_footprint(N)), SY_OK);
    assert_int_equal(sy_pbft_init(&pbft, &arena, wrong, &err), SY_ERR_ARGUMENT);
    if (!strstr(err.text, word)) fail_msg("\"%s\" does not say \"%s\"", err.text, word);
    sy_arena_close(&arena);
}

CASE(config_out_of_bounds_is_refused_by_name)
{
    struct sy_pbft_config wrong = config;
    wrong.n = 3;
    refuse(&wrong, "validators");
    wrong.n = SY_VALIDATORS_MAX + 1;
    refuse(&wrong, "validators");
    wrong = config;
    wrong.self = N;
    refuse(&wrong, "index");
    wrong = config;
    wrong.pipeline_slots = 0;
    refuse(&wrong, "pipeline");
    wrong.pipeline_slots = SY_PBFT_WINDOW;
    refuse(&wrong, "pipeline");
    wrong = config;
    wrong.skew_ms = 0;
    refuse(&wrong, "skew");
    wrong = config;
    wrong.status_ns = 0;
    refuse(&wrong, "period");
}

CASE(the_footprint_is_exactly_what_init_carves)
{
    const uint16_t sizes[] = {4, 7, SY_VALIDATORS_MAX};
    for (size_t i = 0; i < 3; i++) {
        struct sy_pbft_config sized = config;
        struct sy_error err;
        sy_arena arena;
        sy_pbft *pbft;
        sized.n = sizes[i];
        assert_int_equal(sy_arena_open(&arena, sy_pbft_footprint(sizes[i])), SY_OK);
        assert_int_equal(sy_pbft_init(&pbft, &arena, &sized, &err), SY_OK);
        assert_int_equal(arena.used_bytes, sy_pbft_footprint(sizes[i]));
        sy_arena_close(&arena);
        assert_int_equal(sy_arena_open(&arena, sy_pbft_footprint(sizes[i]) - 64), SY_OK);
        assert_int_equal(sy_pbft_init(&pbft, &arena, &sized, &err), SY_ERR_NO_MEMORY);
        sy_arena_close(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(own_messages_are_signed_once_and_verify),
        cmocka_unit_test(relayed_messages_are_not_signed_again),
        cmocka_unit_test(every_signed_field_is_covered),
        cmocka_unit_test(signatures_of_one_kind_are_none_of_another),
        cmocka_unit_test(a_block_lists_every_seal_of_its_certificate),
        cmocka_unit_test(signers_and_epochs_outside_the_roster_are_refused),
        cmocka_unit_test(requests_carry_no_signature),
        cmocka_unit_test(a_prepared_certificate_needs_no_signature_of_its_holder),
        cmocka_unit_test(a_view_change_verifies_with_all_that_it_shows),
        cmocka_unit_test(a_new_view_is_signed_by_its_primary),
        cmocka_unit_test(a_record_of_an_own_proposal_is_signed),
        cmocka_unit_test(a_certificate_verifies_once_the_own_seal_is_filled_in),
        cmocka_unit_test(records_have_one_encoding_and_come_back),
        cmocka_unit_test(records_with_impossible_values_are_refused),
        cmocka_unit_test(the_longest_records_fit_their_bounds),
        cmocka_unit_test(only_votes_up_to_the_height_are_droppable),
        cmocka_unit_test(config_out_of_bounds_is_refused_by_name),
        cmocka_unit_test(the_footprint_is_exactly_what_init_carves),
    };
    return cmocka_run_group_tests(cases, make_network, NULL);
}
