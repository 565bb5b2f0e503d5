/* goods_rig.h: a maker, a wholesaler and two pharmacies in consent_rig's world, and what cases say
 * of goods. */
#ifndef SY_TESTS_UNIT_GOODS_RIG_H
#define SY_TESTS_UNIT_GOODS_RIG_H

#include "core/wire/state_goods.h"
#include "tests/unit/consent_rig.h"

/* By key number: admins, who may do all that goods need, and a pharmacist of each pharmacy. */
enum { MAKER = 130, TRADER, PHARMACY_P, PHARMACY_Q, PHARMACIST_P, PHARMACIST_Q, MAKER_KEY };
/* By hash number. */
enum { ORG_MAKER = 2010, ORG_TRADER, ORG_P, ORG_Q, EVENT = 20000 };

#define PRODUCT_1 "09506000134352" /* both with the maker's prefix 9506000 */
#define PRODUCT_2 "09506000134369"
#define EXPIRY_MS (TEST_GENESIS_MS + 400ll * 24 * 3600 * 1000)

#define WITH_GOODS(name) cmocka_unit_test_setup_teardown(name, set_up_goods, tear_down)
int set_up_goods(void **state); /* both products are registered */

/* The organisation that one of the keys above acts for. */
unsigned org_of(unsigned key);

/* "01/GTIN/21/SERIAL" and "00/SSCC"; sscc_of(trader, n) is a number with its prefix and check
 * digit. Static text, good for the next 64 calls. */
const char *unit_epc(const char *gtin, const char *serial);
const char *sscc_of(unsigned key, unsigned number);
const char *case_epc(const char *sscc);

struct sy_slice text_of(const char *text);
/* A list of texts, ended by NULL; it stands for the next 64 calls. */
struct sy_list texts(const char *first, ...) __attribute__((sentinel));
struct sy_list texts_of(const char *const *items, unsigned count);

/* Transactions, each with an event id of its own (the newest is event_id). */
extern struct sy_hash event_id;
unsigned next_event(void); /* the number of a hash that is no event's yet */
struct world_tx register_product(unsigned key, const char *gtin, const char *prefix);
struct world_tx commission(unsigned key, const char *gtin, const char *lot, struct sy_list serials);
struct world_tx verify(unsigned key, const char *gtin, const char *serial, const char *lot);
struct world_tx pack(unsigned key, const char *sscc, struct sy_list children);
struct world_tx unpack(unsigned key, const char *sscc, struct sy_list children);
struct world_tx ship(unsigned key, unsigned to, struct sy_list items);
struct world_tx receive(unsigned key, const struct sy_hash *shipment, unsigned result);
struct world_tx decommission(unsigned key, const char *epc, unsigned reason);

struct world_tx report(unsigned key, unsigned reason, struct sy_list items);
struct world_tx report_of(unsigned key, unsigned reason, const struct sy_hash *shipment,
                          struct sy_list items);
struct world_tx respond(unsigned key, const struct sy_hash *exception, unsigned outcome,
                        struct sy_list items);
struct world_tx correct(unsigned key, const struct sy_hash *corrected, unsigned reason);

/* Ships and receives; both are applied. */
void hand_to(unsigned from, unsigned to, struct sy_list items);

/* What the state has, which must be there. */
struct sy_unit find_goods(const char *epc);
struct sy_lot find_lot(const char *gtin, const char *lot);
/* Whose it is, with whatever it is packed into: an organisation's number. */
unsigned owner_of(const char *epc);
/* How many of a lot an organisation holds; 0 when it never did. */
uint64_t held_by(const char *gtin, const char *lot, unsigned org);
uint16_t answer_of(const struct sy_hash *event);
/* The newest receipt's n-th event. */
struct sy_event goods_told(unsigned n);
void assert_goods_told(unsigned n, unsigned kind, unsigned org, const struct sy_hash *object);

#endif
