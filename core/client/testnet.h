/* testnet.h: a whole network in one folder of this machine: genesis, a folder a validator with its
 * configuration and keys, a regulator's key, and the configuration of a client.
 *
 *     DIR/genesis.json
 *     DIR/client.conf              what --net DIR reads (cmd.h)
 *     DIR/client/                  the client's own store; made when first used
 *     DIR/keys/regulator-0.pem
 *     DIR/v0/systoled.conf         likewise v1 ...
 *     DIR/v0/keys/{consensus,link,admin}.pem
 *     DIR/v0/data/                 made by systoled --init
 *     DIR/v0/{log,pid}             while and after systoled runs
 *     DIR/o0/                      an observer, likewise, with a link key alone; o1 ...
 *
 * Folders with keys have mode 0700, keys 0600. Validator i listens on 127.0.0.1 at base port + 10
 * i: control, bulk, client, http, and the port after them is kept for notices. Observers come
 * behind them as further validators would; every validator lets all of them in, and the client
 * knows them.
 */
#ifndef SY_CLIENT_TESTNET_H
#define SY_CLIENT_TESTNET_H

#include "core/wire/genesis.h"

#define SY_TESTNET_BASE_PORT 27100u
#define SY_TESTNET_PORTS 5u /* a validator */
#define SY_TESTNET_STRIDE 10u
#define SY_TESTNET_OBSERVERS_MAX 8u /* what a validator lets in */

struct sy_testnet_config {
    const char *folder;          /* missing, or empty */
    unsigned validators;         /* SY_VALIDATORS_MIN to SY_VALIDATORS_MAX */
    unsigned observers;          /* 0 to SY_TESTNET_OBSERVERS_MAX */
    unsigned base_port;          /* 0: free ones, wherever they are */
    const char *const *settings; /* "key = value" lines for every systoled.conf */
    unsigned setting_count;
};

/* What was made: each validator's first port, then each observer's, and the genesis. */
struct sy_testnet {
    struct sy_genesis genesis;
    uint16_t ports[SY_VALIDATORS_MAX + SY_TESTNET_OBSERVERS_MAX];
    struct sy_public_key observers[SY_TESTNET_OBSERVERS_MAX]; /* link keys */
};

/* sy_testnet_make lays it out. SY_ERR_EXISTS: something is in the folder; SY_ERR_NETWORK: a port is
 * taken; SY_ERR_ARGUMENT. After a failure nothing of it is left. */
sy_status sy_testnet_make(struct sy_testnet *net, const struct sy_testnet_config *config,
                          struct sy_error *err);

#endif
