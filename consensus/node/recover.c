#include "consensus/node/recover.h"

#include "core/base/assert.h"

struct recovery {
    sy_node *node;
    const struct sy_roster *roster;
    uint16_t index; /* the own one */
    struct sy_node_effects *effects;
    sy_node_carry carry;
    void *self;
    int64_t now_ms;
    uint64_t now_ns;
    struct sy_record_key unreadable; /* type 0: none */
};

static void feed(struct recovery *recovery, struct sy_node_event *event)
{
    event->now_ms = recovery->now_ms;
    event->now_ns = recovery->now_ns;
    const struct sy_node_event *next = event;
    bool more = true;
    while (more) {
        more = sy_node_step(recovery->node, recovery->effects, next);
        recovery->carry(recovery->self, recovery->effects);
        next = NULL;
    }
}

/* The store checks sums; a record that does not decode is from another version or another roster.
 * Losing it could unsay a vote, so it may not be passed over. */
static sy_status show_record(void *context, const struct sy_record_key *key, struct sy_slice value)
{
    struct recovery *recovery = (struct recovery *)context;
    struct sy_pbft_record record;
    uint32_t epoch;
    if (sy_pbft_record_epoch(&epoch, value) && epoch < recovery->roster->epoch) return SY_OK;
    if (!sy_pbft_record_decode(&record, value, recovery->index, recovery->roster->count)) {
        recovery->unreadable = *key;
        return SY_ERR_CORRUPT;
    }
    struct sy_node_event event = {.type = SY_NODE_RECORD};
    event.as.record = value;
    feed(recovery, &event);
    return SY_OK;
}

static sy_status show_body(void *context, const struct sy_hash *digest, size_t body_bytes,
                           struct sy_slice head)
{
    (void)body_bytes;
    struct sy_node_event event = {.type = SY_NODE_BODY};
    event.as.body.digest = *digest;
    event.as.body.head = head;
    feed((struct recovery *)context, &event);
    return SY_OK;
}

/* ---- the ledger's part ------------------------------------------------------------------- */

static sy_status read_block(sy_store_reader *reader, uint64_t height, struct sy_header *header,
                            struct sy_proposal *order)
{
    struct sy_slice bytes;
    SY_TRY(sy_ledger_get(reader, &bytes, height, SY_BLOCK_HEADER));
    struct sy_reader in = sy_reader_of(bytes);
    if (!sy_header_decode(&in, header)) return SY_ERR_CORRUPT;
    order->count = 0;
    // Of the newest certified block the header is enough; after a state from peers it is all.
    if (height <= sy_ledger_certified(sy_store_of(reader))) return SY_OK;
    SY_TRY(sy_ledger_get(reader, &bytes, height, SY_BLOCK_ORDER));
    in = sy_reader_of(bytes);
    return sy_proposal_decode(&in, order) ? SY_OK : SY_ERR_CORRUPT;
}

/* The state knows each maker's next seq after the newest block. Going back over the blocks above
 * the certified one gives it there: the first seq that ran since. */
static sy_status next_seqs_at(uint64_t *next_seqs, sy_store_reader *reader, sy_executor *executor,
                              const struct sy_roster *roster, uint64_t certified, uint64_t newest)
{
    for (uint16_t i = 0; i < roster->count; i++) {
        SY_TRY(sy_executor_next_seq(executor, &next_seqs[i], &roster->validators[i].consensus_key));
    }
    struct sy_header header;
    struct sy_proposal order;
    for (uint64_t height = newest; height > certified; height--) {
        SY_TRY(read_block(reader, height, &header, &order));
        for (uint16_t i = order.count; i > 0; i--) {
            const struct sy_entry *entry = &order.entries[i - 1];
            if (entry->maker < roster->count) next_seqs[entry->maker] = entry->seq;
        }
    }
    return SY_OK;
}

static sy_status read_certificate(sy_store_reader *reader, struct sy_certificate *certificate,
                                  uint64_t height, unsigned n)
{
    struct sy_slice bytes;
    SY_TRY(sy_ledger_get(reader, &bytes, height, SY_BLOCK_CERTIFICATE));
    struct sy_reader in = sy_reader_of(bytes);
    return sy_certificate_decode(&in, certificate, n) ? SY_OK : SY_ERR_CORRUPT;
}

static sy_status feed_ledger(struct recovery *recovery, sy_store *store, sy_store_reader *reader,
                             sy_executor *executor, const struct sy_genesis *genesis,
                             const struct sy_roster *roster)
{
    uint64_t certified = sy_ledger_certified(store);
    uint64_t newest = sy_ledger_height(store);
    uint64_t base = sy_executor_epoch_base(executor, certified + 1);
    uint64_t next_seqs[SY_VALIDATORS_MAX] = {0};
    struct sy_header header;
    struct sy_proposal order;
    SY_TRY(next_seqs_at(next_seqs, reader, executor, roster, certified, newest));
    SY_TRY(read_block(reader, certified, &header, &order));
    struct sy_node_event start = {.type = SY_NODE_START};
    start.as.start.certified_height = certified;
    start.as.start.next_seqs = next_seqs;
    start.as.start.next_epoch = sy_executor_next_epoch(executor, certified + 1);
    struct sy_certificate certificate;
    if (certified > base) {
        SY_TRY(read_certificate(reader, &certificate, certified, roster->count));
        start.as.start.certificate = &certificate;
    }
    sy_header_hash(&start.as.start.header_hash, &genesis->hash, &header);
    feed(recovery, &start);
    for (uint64_t height = certified + 1; height <= newest; height++) {
        SY_TRY(read_block(reader, height, &header, &order));
        struct sy_node_ran ran[SY_PROPOSAL_ENTRIES_MAX];
        for (uint16_t i = 0; i < order.count; i++) {
            ran[i] = (struct sy_node_ran){.maker = order.entries[i].maker,
                                          .seq = order.entries[i].seq,
                                          .digest = order.entries[i].digest};
        }
        struct sy_node_event executed = {.type = SY_NODE_EXECUTED};
        executed.as.executed.height = height;
        executed.as.executed.next_epoch = start.as.start.next_epoch;
        executed.as.executed.ran = ran;
        executed.as.executed.ran_count = order.count;
        sy_header_hash(&executed.as.executed.header_hash, &genesis->hash, &header);
        feed(recovery, &executed);
    }
    return SY_OK;
}

sy_status sy_node_recover(sy_node *node, struct sy_node_effects *effects, sy_store *store,
                          sy_executor *executor, const struct sy_genesis *genesis,
                          const struct sy_roster *roster, sy_node_carry carry, void *self,
                          int64_t now_ms, uint64_t now_ns, struct sy_error *err)
{
    struct recovery recovery = {.node = node,
                                .roster = roster,
                                .index = sy_node_index(node),
                                .effects = effects,
                                .carry = carry,
                                .self = self,
                                .now_ms = now_ms,
                                .now_ns = now_ns};
    sy_store_reader *reader = NULL;
    sy_status status = sy_store_reader_open(&reader, store);
    if (status != SY_OK) return sy_fail(err, status, "recovery: too many store readers");
    status = feed_ledger(&recovery, store, reader, executor, genesis, roster);
    if (status != SY_OK) {
        (void)sy_fail(err, status, "recovery: the ledger's newest blocks cannot be read (%s)",
                      sy_status_name(status));
    }
    // Who is no validator now has no votes to keep to: those of when it was one stay where they
    // are.
    bool votes = recovery.index != SY_PBFT_OBSERVER;
    if (status == SY_OK && votes) status = sy_votes_each(reader, show_record, &recovery, err);
    if (recovery.unreadable.type != 0) {
        (void)sy_fail(err, status,
                      "recovery: the vote record of type %u, slot %llu cannot be read: this store "
                      "is of another version or damaged; without its votes this validator must "
                      "come back under a new key",
                      recovery.unreadable.type, (unsigned long long)recovery.unreadable.slot);
    }
    if (status == SY_OK) status = sy_bodies_each(reader, show_body, &recovery, err);
    sy_store_reader_close(reader);
    if (status != SY_OK) return status;
    struct sy_node_event resume = {.type = SY_NODE_RESUME};
    feed(&recovery, &resume);
    return SY_OK;
}
