/* stream_rig.h: a patient's wearable in consent_rig's world, and what cases say of streams. */
#ifndef SY_TESTS_UNIT_STREAM_RIG_H
#define SY_TESTS_UNIT_STREAM_RIG_H

#include "core/wire/state_stream.h"
#include "tests/unit/consent_rig.h"

enum {
    WEARABLE_KEY = FRESH_KEY, /* by key number */
    OTHER_KEY,
    NEXT_KEY
};
enum {
    WEARABLE = FRESH_ID + 700, /* by hash number: the claimed patient's, registered by A */
    OTHER_DEVICE,
    STREAM,
    OTHER_STREAM,
    GRANT = CONSENT + 700 /* of the claimed patient to the wearable */
};
enum { STREAM_KINDS = 6 };
#define MINUTE_MS 60000ll
#define HOUR_MS (60 * MINUTE_MS)

#define WITH_STREAM(name) cmocka_unit_test_setup_teardown(name, set_up_stream, tear_down)
#define WITH_DEVICE(name) cmocka_unit_test_setup_teardown(name, set_up_device, tear_down)
int set_up_device(void **state); /* registered, its firmware's release 1 attested, let write */
int set_up_stream(void **state); /* and its stream of heart rates open, 60 an hour */

/* Block time of the next block, and that so much time goes by before it. */
int64_t stream_now(void);
void wait_ms(int64_t ms);

struct sy_slice words(const char *text);

/* Transactions. Of streams STREAM, STREAM + 1, ... each STREAM_KINDS-th is of the same kind, STREAM
 * of heart rates. A commit is to ten minutes up to now, with a sample a minute. */
struct world_tx add_device(unsigned device, unsigned key, unsigned owner_kind, unsigned owner);
struct world_tx attest(unsigned device, unsigned key, uint32_t release);
struct world_tx open_stream(unsigned stream, unsigned device, unsigned key);
struct world_tx commit_window(uint32_t sequence, int64_t from_ms, int64_t to_ms);
struct world_tx alert(unsigned key, uint32_t sequence);
struct world_tx close_stream(unsigned key);

/* What the state has, which must be there. */
struct sy_stream find_stream(unsigned stream);
struct sy_stream_commit_entry find_commit(uint64_t number);
bool find_gap(struct sy_stream_gap *gap, uint64_t number);

/* The newest receipt's event `index` is of this kind, about this subject; of the stream. */
void assert_stream_told(uint32_t index, uint16_t kind, uint8_t subject_kind, unsigned subject);

#endif
