/* api_rig.h: the client API over a small chain, and a client that speaks the protocol by hand.
 * There is no consensus: the test takes SUBMITs out of the inbox and answers them. */
#ifndef SY_TESTS_UNIT_API_RIG_H
#define SY_TESTS_UNIT_API_RIG_H

#include "consensus/node/api.h"
#include "consensus/node/inbox.h"
#include "tests/support/links.h"
#include "tests/support/service.h"
#include "tests/unit/chain_rig.h"

struct api_rig {
    struct chain_rig chain;
    struct test_service place; /* its key and address only */
    sy_arena arena;
    sy_ring *inbox;
    sy_api *api;
    uint8_t *answer; /* the newest answer */
    size_t answer_size;
    uint8_t *request;
};

/* arig_open_with: as arig_open, with the server's limits (its key and address are the rig's). */
void arig_open_with(struct api_rig *rig, const struct sy_server_config *server,
                    const struct sy_api_limits *limits, bool populated);
/* arig_open: a chain with the blocks of chain_populate, all certified, or with genesis alone.
 * limits may be NULL. */
void arig_open(struct api_rig *rig, const struct sy_api_limits *limits, bool populated);
/* arig_open_observer: as arig_open, of a node that is in no roster. */
void arig_open_observer(struct api_rig *rig);
/* arig_open_api opens the API again, which the test has closed. */
void arig_open_api(struct api_rig *rig);
/* arig_open_noting: as arig_open, of a validator that notes what is read. */
void arig_open_noting(struct api_rig *rig, const struct sy_reads_config *reads);
void arig_close(struct api_rig *rig);

sy_dial *arig_dial(const struct api_rig *rig);

/* arig_send puts a request on its way; arig_call waits for its answer, whose kind it returns (0:
 * busy) and whose body it opens. */
uint64_t arig_send(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *request);
uint8_t arig_call(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *request,
                  struct sy_reader *body);
/* arig_refused makes the call, asserts that it is refused and returns why (enum sy_answer_code). */
uint16_t arig_refused(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *request);

/* arig_tx copies a transaction of a block into room (SY_TX_BYTES_MAX). */
struct sy_slice arig_tx(struct api_rig *rig, uint8_t *room, uint64_t height, unsigned entry,
                        unsigned place);
struct sy_awaited arig_awaited(const struct api_rig *rig, struct sy_slice tx);

/* arig_wait is a WAIT for items, which stay the caller's. */
struct sy_client_request arig_wait(const struct sy_awaited *items, uint16_t count,
                                   uint32_t wait_ms);
/* arig_wait_call makes the call and fills what it tells of each: enum sy_tx_state and, when that is
 * FINAL, its receipt's code. */
struct arig_told {
    uint8_t state;
    uint16_t code;
    uint64_t height;
    uint32_t index;
};
void arig_wait_call(struct api_rig *rig, sy_dial *dial, const struct sy_client_request *wait,
                    struct arig_told *told);
/* arig_wait_read reads the body of such an answer. */
void arig_wait_read(struct sy_reader *body, uint16_t count, struct arig_told *told);
/* arig_ids is a READ of a block's ids, signed by key. */
struct sy_client_request arig_ids(const struct api_rig *rig, uint64_t height,
                                  const sy_secret_key *key);
/* arig_submit is a SUBMIT of transactions, encoded into section (of SY_FRAME_BYTES_MAX). */
struct sy_client_request arig_submit(uint8_t *section, const struct sy_slice *txs, uint16_t count);

#endif
