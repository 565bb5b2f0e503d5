/* changes.h: changes of the roster and of parameters, and who approves, seals and follows them.
 *
 * Validator number v of any roster here has the keys 3 v, 3 v + 1 and 3 v + 2 (network.h) until it
 * is given others. Approvals and seals are real signatures; possessions are zeros, which execution
 * never looks at, until somebody proves them (sy_draft_prove). */
#ifndef SY_TESTS_SUPPORT_CHANGES_H
#define SY_TESTS_SUPPORT_CHANGES_H

#include "core/wire/roster_change.h"
#include "tests/support/network.h"

/* A change and the room that its payload borrows: it must stay where it is. */
struct test_change {
    uint16_t kind;
    union sy_payload payload;
    char texts[4][SY_ADDRESS_BYTES_MAX + 1]; /* name, control, bulk, client address */
    uint8_t approvals[SY_VALIDATORS_MAX * SY_APPROVAL_BYTES];
    struct sy_writer room;
};

/* What a rekey brings. */
enum { TEST_REKEY_KEYS = 1, TEST_REKEY_ADDRESSES = 2, TEST_REKEY_ALL = 3 };

/* Each makes a change of the roster `now`, approved by nobody. The one that is added has number v;
 * a rekey brings the keys first_key to first_key + 2 and addresses made of them. */
void test_change_add(struct test_change *change, const struct sy_hash *genesis,
                     const struct sy_roster *now, unsigned v);
void test_change_remove(struct test_change *change, const struct sy_hash *genesis,
                        const struct sy_roster *now, unsigned index);
void test_change_rekey(struct test_change *change, const struct sy_hash *genesis,
                       const struct sy_roster *now, unsigned index, unsigned what,
                       unsigned first_key);

/* test_change_param makes no change of a roster, but what `now` may decide about a parameter
 * (param.enact), approved by nobody. What is said below of approvals is for it, too. */
void test_change_param(struct test_change *change, const struct sy_hash *genesis,
                       const struct sy_roster *now, const struct sy_param_set *set);

/* test_change_texts points a name and addresses that the payload has at their text again, after a
 * test changed it. */
void test_change_texts(struct test_change *change);

/* test_change_prove signs the possessions of the keys that the change brings, for a transaction of
 * a sponsor (by number) without an organisation. Before any approval. */
void test_change_prove(struct test_change *change, const struct sy_hash *genesis, unsigned sponsor,
                       uint64_t nonce);

/* test_change_approve adds the approval of a key, by its number; test_change_approve_by those of a
 * roster's first `count` validators. Afterwards nothing but the list may be changed. */
void test_change_approve(struct test_change *change, const struct sy_hash *genesis, unsigned key);
void test_change_approve_by(struct test_change *change, const struct sy_hash *genesis,
                            const struct sy_roster *now, unsigned count);
/* test_change_unapprove takes all approvals back. */
void test_change_unapprove(struct test_change *change);

/* test_change_follow is the roster that the change makes, put together here field by field. */
void test_change_follow(struct sy_roster *next, const struct sy_roster *now,
                        const struct test_change *change);

/* test_handover is what proves it to somebody who knows `now`: a header of this height that names
 * the next roster, sealed by the first quorum of `now`. The change's bytes are written into room.
 */
void test_handover(struct sy_handover *handover, struct sy_writer *room,
                   const struct sy_hash *genesis, const struct sy_roster *now,
                   const struct test_change *change, uint64_t height);

#endif
