/* cold_rig.h: two units of a vaccine in goods_rig's world, and what cases say of temperatures. */
#ifndef SY_TESTS_UNIT_COLD_RIG_H
#define SY_TESTS_UNIT_COLD_RIG_H

#include "core/wire/state_cond.h"
#include "core/wire/state_exception.h"
#include "tests/unit/goods_rig.h"

#define HOUR_MS (3600ll * 1000)
#define CELSIUS(degrees) ((uint32_t)(27315 + 100 * (degrees)))

/* The maker has a and b of a vaccine that bears 2 to 8 degrees; a day has gone by. box: an SSCC of
 * the maker's. */
extern const char *a, *b, *box;
void make_two(void);

/* Block time of the next block, and that so many hours go by before it. */
int64_t now(void);
void wait_hours(unsigned hours);

/* Ships one or two things from the maker to the trader: the shipment. */
struct sy_hash send_away(const char *first, const char *second);

/* Transactions: what a product bears; twelve readings, every five minutes, of one hour: of nothing
 * yet, an item, a shipment (which may be event_id itself). */
struct world_tx storage(unsigned key, const char *gtin, int min, int max);
struct world_tx hour_of(unsigned key, uint32_t sequence, int64_t from_ms, int min, int max);
struct world_tx hour(unsigned key, const char *item, uint32_t sequence, int64_t from_ms, int min,
                     int max);
struct world_tx road_hour(unsigned key, const struct sy_hash *shipment, uint32_t sequence,
                          int64_t from_ms, int max);

/* What the state has; what is found stands until the next call. */
struct sy_conditions find_conditions(const struct sy_hash *id);
bool find_exception(struct sy_exception *out, const struct sy_hash *id);
struct sy_unit_step last_step(const char *epc);
void assert_held(const char *item, const struct sy_hash *by);

#endif
