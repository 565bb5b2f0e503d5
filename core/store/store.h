/* store.h: what a validator keeps: votes, bodies and evidence, the ledger, the state.
 *
 * Bytes go in and come out; what they mean is other rooms' business. One interface, two
 * implementations: LMDB, and an in-memory twin with the same promises for simulators and tests.
 *
 *   votes    records that must be durable before a message may leave, and batch bodies, appended
 *            once and kept until they are dropped. One call is one durable transaction. Evidence
 *            against validators rides along, in bounds, and is kept for good.
 *   ledger   blocks 0, 1, 2 ... (block 0 is the genesis block), their certificates, and where each
 *            transaction was ordered. Append only; one call is one durable transaction.
 *   notices  where each subject's events stand in the blocks; derived from them.
 *   directory  what can be searched for (organisations, credentials); derived from blocks and
 * state. state    key hash -> value, made from the blocks' deltas. Recent values live in bounded
 *            in-memory generations in front of a B-tree; a background thread merges them in. The
 *            state is derived: after a crash it is made again from the ledger's deltas.
 *
 * Durable means: when the call returns SY_OK, a power cut loses nothing of it; when it returns
 * anything else, nothing of it happened, but for SY_ERR_IO, after which opening the store again
 * tells whether it did.
 *
 * Full disk. A write that finds no room returns SY_ERR_DISK_FULL and changes nothing; from then on
 * every write to that environment returns SY_ERR_DISK_FULL at once until sy_store_resume. Reads go
 * on. A device error (SY_ERR_IO) stops all writes of that environment for good, and perhaps reads
 * too: open the store again.
 *
 * Threads. Votes, ledger and state are independent of each other. Within each, calls that write
 * are made by one thread at a time (the votes thread; the execution thread for ledger and state);
 * reads may come from any thread at any time, each thread with a reader or view of its own. A
 * reader or view is used by one thread at a time.
 *
 * Memory. Nothing returned points into the store's pages: a slice is a copy inside the reader or
 * view that gave it, good until that reader or view is asked for the same thing again or closed.
 * So the store may end an old read transaction at any time, and its maps may move and grow.
 *
 * Failpoints (core/base/os.h): store.votes.begin, store.votes.commit, store.votes.done and
 * likewise store.ledger.*; store.state.apply. With LMDB also store.state.begin and so on, in the
 * merger. "begin" and "commit" fail the call with nothing changed; at "done" it is durable, so
 * only "kill" does anything. */
#ifndef SY_STORE_STORE_H
#define SY_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/status.h"

typedef struct sy_store sy_store;
typedef struct sy_store_reader sy_store_reader;
typedef struct sy_state_view sy_state_view;

/* ---- opening ---------------------------------------------------------------------------- */

/* Zero in any number means its default. */
struct sy_store_config {
    const char *path;         /* folder of the store; ignored by the in-memory twin */
    struct sy_hash genesis;   /* hash of the network's genesis; another one is refused */
    bool init;                /* make a new store; an existing one is refused */
    bool read_only;           /* no writes (SY_ERR_PERMISSION); for audits of a stopped validator */
    uint64_t votes_map_bytes; /* first size of each memory map (16 GiB); they grow by themselves */
    uint64_t ledger_map_bytes;
    uint64_t state_map_bytes;
    uint64_t notices_map_bytes;
    uint64_t directory_map_bytes;
    uint64_t generation_bytes;  /* memory of one generation of recent state (32 MiB) */
    uint32_t generation_count;  /* how many of them, 2 to 16 (4) */
    uint32_t generation_blocks; /* a generation closes after so many blocks (4,096) */
    uint32_t view_count_max;    /* open views, 1 to 1,024 (64) */
    uint32_t view_age_ms_max;   /* older views are ended (60,000) */
    uint32_t snapshot_blocks;   /* the state after every so many blocks is held, until the next one
                                   is; 0: none is */
    uint32_t snapshot_age_ms_max; /* but no longer than this (3,600,000) */
    uint32_t recent_txs;          /* tx positions kept in memory before a run is written, 16 or more
                                  (65,536) */
};

/* sy_store_open_lmdb opens the store under config->path: three LMDB environments votes/, ledger/
 * and state/, the file STORE, and a lock that keeps other processes out (SY_ERR_BUSY, naming the
 * process). All carry one random store id, the format version and the genesis hash.
 *
 * Refused, with a sentence that says what to do: a missing store (SY_ERR_NOT_FOUND); one that
 * exists when config->init asks for a new one (SY_ERR_EXISTS); another network's or another
 * format's (SY_ERR_ARGUMENT, SY_ERR_VERSION); environments that do not belong together, votes that
 * are missing or older than the ledger, a state newer than the ledger, truncated files
 * (SY_ERR_CORRUPT). A store whose making was interrupted counts as missing.
 *
 * Replays the deltas of blocks that the state B-tree lacks before it returns. SIGXFSZ is ignored
 * from then on, so that a file size limit is an error and not a death. */
sy_status sy_store_open_lmdb(sy_store **store, const struct sy_store_config *config,
                             struct sy_error *err);

/* sy_store_open_memory opens an empty twin in this process's memory. It starts no thread. */
sy_status sy_store_open_memory(sy_store **store, const struct sy_store_config *config);

/* sy_store_memory_crash does to a twin what a power cut and a restart do to a validator: what was
 * promised stays, everything else is gone, the state is made again from the ledger's deltas.
 * Views must be closed before; readers may stay. Asserts that it is a twin. */
void sy_store_memory_crash(sy_store *store);

/* sy_store_close ends the merger, closes everything and frees the store. Readers and views must
 * be closed before (asserted). NULL is fine. It makes nothing durable: that has been done. */
void sy_store_close(sy_store *store);

/* sy_store_id is the random id made at init. */
const struct sy_hash *sy_store_id(const sy_store *store);

/* sy_store_resume lets writes be tried again after SY_ERR_DISK_FULL. SY_OK: the environments take
 * writes (the next one may find the disk full again). SY_ERR_IO: the store must be opened anew.
 * No write of the caller's may be under way; one of the merger's is waited for. */
sy_status sy_store_resume(sy_store *store, struct sy_error *err);

/* ---- readers ---------------------------------------------------------------------------- */

/* sy_store_reader_open makes a reader. It holds memory for the largest values it has read, and no
 * transaction between calls. SY_ERR_LIMIT: over 256 are open. */
sy_status sy_store_reader_open(sy_store_reader **reader, sy_store *store);
void sy_store_reader_close(sy_store_reader *reader); /* NULL is fine */
/* sy_store_of is the store that a reader reads. */
sy_store *sy_store_of(const sy_store_reader *reader);

/* ---- votes and bodies ------------------------------------------------------------------- */

#define SY_VOTE_VALUE_BYTES_MAX (16u << 20)
#define SY_BODY_BYTES_MAX (1u << 20)
#define SY_BODY_HEAD_BYTES 320u /* how much of each body sy_bodies_each shows */

/* Records sort by type, then slot, then extra (a view, a maker, whatever the caller likes). */
struct sy_record_key {
    uint8_t type;
    uint64_t slot;
    uint64_t extra;
};

enum sy_vote_op {
    SY_VOTE_PUT_RECORD,      /* key, value: adds or replaces one record */
    SY_VOTE_DROP_RECORD,     /* key: forgets one record; absent is fine */
    SY_VOTE_DROP_BELOW,      /* key: forgets all records of key.type with a slot below key.slot */
    SY_VOTE_PUT_BODY,        /* body, value: stores a body under its digest; again is fine (kept) */
    SY_VOTE_DROP_BODY,       /* body: forgets a body; absent is fine */
    SY_VOTE_DROP_SPARE_BODY, /* body: likewise, unless a block that is not pruned names it */
    SY_VOTE_PUT_EVIDENCE /* body, key, value: keeps evidence (see below) against the key in body */
};

struct sy_vote_write {
    enum sy_vote_op op;
    struct sy_record_key key;
    struct sy_hash body;
    struct sy_slice value;
};

/* sy_votes_commit makes all writes, in order, in one durable transaction. The store does not check
 * that a body hashes to its digest. Fails with SY_ERR_LIMIT (a value over its bound), SY_ERR_IO,
 * SY_ERR_DISK_FULL. Bytes are borrowed for the call. */
sy_status sy_votes_commit(sy_store *store, const struct sy_vote_write *writes, size_t count,
                          struct sy_error *err);

/* Evidence that a validator contradicted itself is kept under the validator's 32-byte key and the
 * record key of what it said (type: which phase; extra: the view). It is never dropped, so it is
 * bounded: one piece a place, the first to come; SY_EVIDENCE_SIGNER_MAX pieces against one key, so
 * that a flood from one validator pushes out nobody else's; SY_EVIDENCE_KEPT_MAX in all. What finds
 * no place is passed over, and its write counts as made.
 *
 * Evidence gives way to votes: where a transaction finds no room on the disk, it is made without
 * its evidence, which is lost (the log says so), before any of its other writes is refused. */
#define SY_EVIDENCE_KEPT_MAX 1024u
#define SY_EVIDENCE_SIGNER_MAX 10u
#define SY_EVIDENCE_VALUE_BYTES_MAX 4096u

/* Called for each item; the value is borrowed for the call. Anything but SY_OK ends the walk and
 * becomes its result. It may not call the store. */
typedef sy_status (*sy_record_fn)(void *context, const struct sy_record_key *key,
                                  struct sy_slice value);
typedef sy_status (*sy_body_fn)(void *context, const struct sy_hash *digest, size_t body_bytes,
                                struct sy_slice head);

typedef sy_status (*sy_evidence_fn)(void *context, const struct sy_hash *signer,
                                    const struct sy_record_key *key, struct sy_slice value);

/* sy_votes_each shows every record in key order. SY_ERR_CORRUPT: a stored value is damaged. */
sy_status sy_votes_each(sy_store_reader *reader, sy_record_fn show, void *context,
                        struct sy_error *err);

/* sy_bodies_each shows every body in the order in which they were stored, by its size and its
 * first SY_BODY_HEAD_BYTES bytes (fewer if it is shorter), without touching the rest. */
sy_status sy_bodies_each(sy_store_reader *reader, sy_body_fn show, void *context,
                         struct sy_error *err);

/* sy_body_get gives one whole body, good until the reader's next sy_body_get. SY_ERR_NOT_FOUND;
 * SY_ERR_CORRUPT. */
sy_status sy_body_get(sy_store_reader *reader, struct sy_slice *body, const struct sy_hash *digest);

/* sy_evidence_each shows all evidence, by key and then by place. A damaged piece is passed over;
 * having shown all others, the walk then ends with SY_ERR_CORRUPT. */
sy_status sy_evidence_each(sy_store_reader *reader, sy_evidence_fn show, void *context,
                           struct sy_error *err);

/* sy_evidence_count is how many pieces are kept; cheap. 0 when the store cannot be read. */
uint64_t sy_evidence_count(sy_store_reader *reader);

/* ---- ledger ----------------------------------------------------------------------------- */

enum sy_block_part {
    SY_BLOCK_HEADER,
    SY_BLOCK_ORDER,    /* the proposal's entries */
    SY_BLOCK_RECEIPTS, /* packed by the ledger room */
    SY_BLOCK_DELTAS,   /* core/wire/delta.h */
    SY_BLOCK_TX_IDS,   /* 32 bytes each, in order of execution */
    SY_BLOCK_CERTIFICATE,
    SY_BLOCK_PARTS
};

#define SY_BLOCK_PART_BYTES_MAX (256u << 20)

struct sy_block_write {
    uint64_t height;
    struct sy_slice header;
    struct sy_slice order;
    struct sy_slice receipts;
    struct sy_slice deltas;
    const struct sy_hash *tx_ids;
    size_t tx_count;
};

struct sy_certificate_write {
    uint64_t height;
    struct sy_slice certificate;
};

struct sy_header_write {
    uint64_t height;
    struct sy_slice header;
    struct sy_slice certificate;
};

/* Where a copy of a transaction was ordered: the block and its place among the block's tx ids. */
struct sy_tx_position {
    uint64_t height;
    uint32_t index;
};

/* sy_ledger_append adds count consecutive blocks in one durable transaction. The first must be
 * the ledger's next (0 in a new one), else SY_ERR_ARGUMENT. Deltas must be well formed
 * (core/wire/delta.h), else SY_ERR_FORMAT. Bytes are borrowed for the call. */
sy_status sy_ledger_append(sy_store *store, const struct sy_block_write *blocks, size_t count,
                           struct sy_error *err);

/* sy_ledger_put_certificates stores certificates of appended blocks, in any order, in one durable
 * transaction; one that is there is kept. SY_ERR_ARGUMENT: no such block yet. May be called by
 * another thread than sy_ledger_append's. */
sy_status sy_ledger_put_certificates(sy_store *store, const struct sy_certificate_write *writes,
                                     size_t count, struct sy_error *err);

/* sy_ledger_next is the height that the next append must have: the number of durable blocks. Any
 * thread. */
uint64_t sy_ledger_next(const sy_store *store);

/* sy_ledger_height is the newest durable block's height; 0 while there is none or only the
 * genesis block (which needs no certificate). Any thread. */
uint64_t sy_ledger_height(const sy_store *store);

/* sy_ledger_certified is the highest h such that the certificates of all blocks 1..h are durable;
 * 0: none. Any thread. */
uint64_t sy_ledger_certified(const sy_store *store);

/* sy_ledger_get gives one part of one block, good until the reader is asked for the same part
 * again. SY_ERR_NOT_FOUND: no such block, or no certificate yet; SY_ERR_PRUNED: the block lies
 * below sy_ledger_pruned, where only headers and certificates are; SY_ERR_CORRUPT: damaged. */
sy_status sy_ledger_get(sy_store_reader *reader, struct sy_slice *part, uint64_t height,
                        enum sy_block_part which);

/* sy_ledger_find_tx finds every ordered copy of a transaction, oldest first: *found of them in
 * all, the first max into positions. A transaction that was never ordered has none (SY_OK), and
 * neither has one whose copies are all below sy_ledger_pruned. */
sy_status sy_ledger_find_tx(sy_store_reader *reader, struct sy_tx_position *positions,
                            size_t *found, size_t max, const struct sy_hash *tx_id);

/* ---- notices ---------------------------------------------------------------------------- */

/* Where each event of a subject stands, so that it is found by its number. What an event is, and
 * the 32 bytes that name one, are other rooms' business (core/wire/notice.h); here a name leads to
 * places, and whoever asks looks there whether it is the right one.
 *
 * This index is derived from the receipts, and no block waits for it: one thread follows the
 * ledger, offers each block's places once it is certified, and goes on after a restart where
 * sy_notices_next says. Nothing that execution does reads it. A missing one begins empty. */
struct sy_notice_place {
    struct sy_hash name;
    uint32_t index; /* of the receipt in its block */
};

/* sy_notices_next is the height that comes next: places of all blocks below are found, but for
 * those below sy_ledger_pruned. Any thread. */
uint64_t sy_notices_next(const sy_store *store);

/* sy_notices_append adds a block's places, in the order of its receipts. height: the next one, or a
 * later one where those between are pruned; else SY_ERR_ARGUMENT. Found at once; durable some
 * blocks later, and offered again if the process ends before. One thread, at any time. */
sy_status sy_notices_append(sy_store *store, uint64_t height, const struct sy_notice_place *places,
                            size_t count, struct sy_error *err);

/* sy_notices_prune forgets places in blocks below sy_ledger_pruned, a bounded piece of them and not
 * before a whole run of them can go. The appending thread's. */
sy_status sy_notices_prune(sy_store *store, struct sy_error *err);

/* sy_notices_find tells where the event of this name may stand: *found places in all, the first max
 * into positions, oldest first, none below sy_ledger_pruned. Mostly one, or none; names that begin
 * alike bring more. recent: only what is in memory, which is where every block's places are first;
 * cheap. */
sy_status sy_notices_find(sy_store_reader *reader, struct sy_tx_position *positions, size_t *found,
                          size_t max, const struct sy_hash *name, bool recent);

/* ---- directory -------------------------------------------------------------------------- */

/* An ordered map of small keys to small values, in which whoever follows the ledger keeps what is
 * to be found by more than its id. What keys and values say is other rooms' business
 * (consensus/node/directory.h).
 *
 * Like the notices it is derived, no block waits for it, nothing that execution does reads it, and
 * a missing one begins empty. It outlives what is pruned: sy_directory_from says from which height
 * on no block was passed over. */
#define SY_DIRECTORY_KEY_BYTES_MAX 96u
#define SY_DIRECTORY_VALUE_BYTES_MAX 256u
#define SY_DIRECTORY_LAG_BLOCKS 4096u

struct sy_directory_write {
    struct sy_slice key; /* 1 to SY_DIRECTORY_KEY_BYTES_MAX bytes */
    struct sy_slice value;
};

/* sy_directory_next is the height that comes next; sy_directory_from the height from which on every
 * block below that was looked at, 0: all were. Any thread. */
uint64_t sy_directory_next(const sy_store *store);
uint64_t sy_directory_from(const sy_store *store);

/* sy_directory_append adds what blocks first to last bring: puts, in order, in one durable
 * transaction with how far it came. first: the next height, or a later one where those between are
 * pruned; else SY_ERR_ARGUMENT. Blocks that bring nothing are durable some thousands later, and
 * looked at again if the process ends before. One thread, at any time. */
sy_status sy_directory_append(sy_store *store, uint64_t first, uint64_t last,
                              const struct sy_directory_write *writes, size_t count,
                              struct sy_error *err);

/* sy_directory_clear empties it, durably: the next height is 0. The appending thread's.
 * SY_ERR_PRUNED: history is not whole, so it could not be made again; nothing happened. */
sy_status sy_directory_clear(sy_store *store, struct sy_error *err);

/* Called for each entry; both are borrowed for the call. False ends the walk. It may not call the
 * store. */
typedef bool (*sy_directory_fn)(void *user, struct sy_slice key, struct sy_slice value);

/* sy_directory_scan visits, in the order of their keys' bytes, the entries whose keys begin with
 * prefix and stand behind `behind` (an empty one: all). SY_ERR_CORRUPT: an entry is damaged. */
sy_status sy_directory_scan(sy_store_reader *reader, struct sy_slice prefix, struct sy_slice behind,
                            sy_directory_fn visit, void *user);

/* ---- pruning ---------------------------------------------------------------------------- */

/* sy_store_prune does one slice of forgetting history below height `below`: orders, receipts,
 * deltas, lists of tx ids, their places in the tx index, and the bodies that the orders name.
 * Headers, certificates and state stay. *more: there is more to do now.
 *
 * A slice is at most SY_PRUNE_BLOCKS_MAX blocks in three small transactions, so commits go on in
 * between: first sy_ledger_pruned rises to its new height, durably; then the slice's bodies are
 * dropped; then its blocks' parts. A crash anywhere leaves what the next call takes up: nothing is
 * ever answered from half of a block. What may not go stays, whatever `below` says: the newest
 * certified block and all above it, and blocks whose changes a restart would replay (those that
 * are not wholly in the state's B-tree).
 *
 * Fails as the writes do; SY_ERR_CORRUPT: a stored order is damaged. One thread at a time. */
sy_status sy_store_prune(sy_store *store, bool *more, uint64_t below, struct sy_error *err);

#define SY_PRUNE_BLOCKS_MAX 64u

/* sy_ledger_pruned is the lowest height whose block is here whole; blocks below have header and
 * certificate. 0: nothing was pruned. Never goes down. Any thread. */
uint64_t sy_ledger_pruned(const sy_store *store);

/* ---- a state from elsewhere ------------------------------------------------------------- */

/* A store without blocks can begin with the state of a certified height that others have executed.
 * Its entries are put in key order, a chunk at a time; every put is durable with how far it came,
 * so after a crash the next begin goes on behind it. The store checks order and form; that these
 * are the entries of that state is the caller's to know (core/ledger/snapshot.h), before it puts
 * them. Until the end nothing is appended or applied (SY_ERR_EXISTS). Views must be closed, and one
 * thread does all of it. */
struct sy_install {
    bool active;
    bool whole; /* every entry is there */
    uint64_t height;
    struct sy_hash root; /* of the state at height: another one is another state */
    struct sy_hash next; /* first key that may be put; meaningless when whole */
};

/* sy_install_begin takes up an earlier try for this height and root, or throws away what another
 * one left and starts at the first key. *install tells how far it is. SY_ERR_EXISTS: the store has
 * blocks. */
sy_status sy_install_begin(sy_store *store, struct sy_install *install, uint64_t height,
                           const struct sy_hash *root, struct sy_error *err);

/* sy_install_get tells how far an install came that was not finished; active false: there is none.
 */
void sy_install_get(const sy_store *store, struct sy_install *install);

/* sy_install_put adds a chunk's entries: packed deltas, all puts, none below install.next, all
 * below `behind`, from which the next put goes on; NULL: these were the last. One durable
 * transaction. SY_ERR_FORMAT: the entries are something else; SY_ERR_ARGUMENT: none is under way.
 */
sy_status sy_install_put(sy_store *store, struct sy_slice entries, const struct sy_hash *behind,
                         struct sy_error *err);

/* sy_install_finish makes the store begin at the install's height: as if all below had been pruned,
 * with header and certificate of that height (sy_ledger_base), and below it those of the `earlier`
 * heights alone, which rise (handovers.h needs the ends of epochs). SY_ERR_ARGUMENT: not every
 * entry is there, or earlier is not in order. After another failure close the store and open it
 * again: the state is whole, and finish may be called again unless it has happened. */
sy_status sy_install_finish(sy_store *store, struct sy_slice header, struct sy_slice certificate,
                            const struct sy_header_write *earlier, size_t earlier_count,
                            struct sy_error *err);

/* sy_ledger_base is the lowest height from which on every header is here; below it SY_ERR_PRUNED is
 * all there is, but for what sy_install_finish was given. 0 unless the store began with an
 * installed state. Any thread. */
uint64_t sy_ledger_base(const sy_store *store);

/* ---- state ------------------------------------------------------------------------------ */

/* sy_state_apply makes block height's deltas visible to new views. Heights are consecutive from
 * 0; a block may be applied before or after it is appended, but no more than one generation's
 * worth ahead. SY_ERR_BUSY: the generations are full, nothing happened, wait with sy_state_wait;
 * SY_ERR_ARGUMENT: another height is next; SY_ERR_FORMAT: malformed deltas. Execution thread. */
sy_status sy_state_apply(sy_store *store, uint64_t height, struct sy_slice deltas,
                         struct sy_error *err);

/* sy_state_wait waits until sy_state_apply may have room again; timeout_ms -1: for ever.
 * SY_ERR_TIMEOUT; SY_ERR_DISK_FULL or SY_ERR_IO when the merger has stopped for that reason;
 * SY_ERR_BUSY when the blocks that fill the generations must be appended first. */
sy_status sy_state_wait(sy_store *store, int timeout_ms);

/* sy_state_next is the height that sy_state_apply expects next. Any thread. */
uint64_t sy_state_next(const sy_store *store);

/* sy_state_get gives the newest value of a key; good until the next sy_state_get or
 * sy_state_apply. SY_ERR_NOT_FOUND: absent. Execution thread only: it is cheaper than a view. */
sy_status sy_state_get(sy_store *store, struct sy_slice *value, const struct sy_hash *key);

/* sy_state_flush merges everything applied into the B-tree and waits for it. Needs the blocks
 * appended. Execution thread; for snapshots and tests. */
sy_status sy_state_flush(sy_store *store, struct sy_error *err);

/* sy_state_view_open pins the state as it is now, at view height sy_state_view_height: later
 * blocks do not change what it shows. SY_ERR_LIMIT: too many views; SY_ERR_NOT_FOUND: no block
 * was applied yet. */
sy_status sy_state_view_open(sy_state_view **view, sy_store *store);
void sy_state_view_close(sy_state_view *view); /* NULL is fine */
uint64_t sy_state_view_height(const sy_state_view *view);

/* sy_state_view_get gives a key's value at the view's height; good until the next call on the
 * view. SY_ERR_NOT_FOUND: absent; SY_ERR_TIMEOUT: the view grew too old, or a map had to grow
 * while later blocks were being merged: close it and open another. */
sy_status sy_state_view_get(sy_state_view *view, struct sy_slice *value, const struct sy_hash *key);

/* sy_state_view_scan starts a walk, in key order, over the keys whose first `bits` bits (0 to 256)
 * are prefix's; from, unless NULL, skips the keys below it. One walk a view at a time. */
sy_status sy_state_view_scan(sy_state_view *view, const struct sy_hash *prefix, unsigned bits,
                             const struct sy_hash *from);

/* sy_state_view_next gives the walk's next entry; both good until the next call on the view.
 * SY_ERR_NOT_FOUND: the walk is over; SY_ERR_TIMEOUT as above. */
sy_status sy_state_view_next(sy_state_view *view, const struct sy_hash **key,
                             struct sy_slice *value);

/* Called for each entry; value borrowed for the call. False ends the walk early, which is no
 * failure. It may not call the store. */
typedef bool (*sy_entry_fn)(void *user, const struct sy_hash *key, struct sy_slice value);

/* sy_state_view_each is a whole walk: it visits the entries under a prefix, in key order.
 * SY_ERR_TIMEOUT as above. */
sy_status sy_state_view_each(sy_state_view *view, const struct sy_hash *prefix, unsigned bits,
                             sy_entry_fn visit, void *user);

/* ---- held states ------------------------------------------------------------------------ */

/* With config.snapshot_blocks the store holds the state at the newest height that is a multiple of
 * it, while later blocks are applied and merged, so that it can be given to others. It costs no
 * memory: a generation ends with such a height, and once it is merged, a read transaction on the
 * B-tree alone shows that state. What that keeps from being used again is what later merges
 * replace; it is let go when the next height is there, when it grows too old, and, now and then,
 * when a map had to grow. (The twin keeps every version anyway.) */

/* sy_snapshot_height is the height whose state is held; 0: none is. Any thread. */
uint64_t sy_snapshot_height(sy_store *store);

/* sy_snapshot_scan visits, in key order, the entries of the held state at height whose first `bits`
 * bits (0 to 256) are prefix's. SY_ERR_NOT_FOUND: that state is not held any more, or not yet;
 * SY_ERR_TIMEOUT: it was let go in the middle. One scan at a time, others wait; any thread. */
sy_status sy_snapshot_scan(sy_store *store, uint64_t height, const struct sy_hash *prefix,
                           unsigned bits, sy_entry_fn visit, void *user);

/* ---- figures ---------------------------------------------------------------------------- */

enum sy_store_env {
    SY_ENV_VOTES,
    SY_ENV_LEDGER,
    SY_ENV_STATE,
    SY_ENV_NOTICES,
    SY_ENV_DIRECTORY,
    SY_ENV_COUNT
};

struct sy_store_env_stats {
    uint64_t file_bytes; /* on disk */
    uint64_t map_bytes;  /* of address space; the file cannot be larger */
    uint64_t commits;    /* durable transactions since opening */
    uint64_t commit_us;  /* time spent in them, fsync included */
    uint64_t commit_us_max;
    uint64_t value_bytes; /* given to the store by its callers */
    uint64_t map_growths;
    uint64_t readers_cleared; /* stale readers of dead processes */
    bool full;                /* refuses writes: no room */
    bool failed;              /* refuses writes: device error */
};

struct sy_store_stats {
    struct sy_store_env_stats env[SY_ENV_COUNT];
    uint64_t state_complete_height; /* merged into the B-tree */
    uint64_t state_slices;          /* merge transactions since opening */
    uint64_t state_slice_us_max;
    uint32_t generations_used;
    uint32_t views_open;
    uint64_t views_ended; /* by the store, for age or a growing map */
};

/* sy_store_stats_get fills stats. Any thread. */
void sy_store_stats_get(sy_store *store, struct sy_store_stats *stats);

#endif
