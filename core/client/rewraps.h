/* rewraps.h: envelopes that were opened to somebody before the ledger heard of the emergency.
 *
 * With the ledger out of reach a custodian may rewrap on an access.breakglass that is signed and
 * not sent. It has to be sent within an hour: so it is kept, durable before any envelope leaves, in
 * a folder of the custodian's:
 *
 *     DIR/ID.json       waits: {"format":"systole-rewrap-1","due_ms":...,"draft":{...}}
 *     DIR/sent/ID.json  the ledger applied it
 *     DIR/refused/ID.json  the ledger refused it: the access had no right to be
 *     DIR/log           one JSON object a line: what came late, or was refused; never health data
 *
 * ID is the transaction's id. One thread and one process at a time a folder. */
#ifndef SY_CLIENT_REWRAPS_H
#define SY_CLIENT_REWRAPS_H

#include "core/client/asker.h"
#include "core/client/tx_draft.h"

#define SY_REWRAP_DUE_MS (3600ll * 1000)
#define SY_REWRAPS_MAX 1024u

struct sy_rewrap {
    sy_draft *draft;
    struct sy_hash id;
    int64_t due_ms;
};

/* sy_rewrap_keep makes an entry durable, due an hour from now_ms; one that waits already keeps its
 * time. *due_ms says when. SY_ERR_PERMISSION: it waited for longer than that, or was sent before.
 */
sy_status sy_rewrap_keep(const char *folder, const sy_draft *draft, int64_t now_ms, int64_t *due_ms,
                         struct sy_error *err);

/* sy_rewraps_list reads all that wait, sorted by id; sy_rewraps_free frees them. SY_ERR_LIMIT. */
struct sy_rewraps {
    unsigned count;
    struct sy_rewrap items[SY_REWRAPS_MAX];
};
sy_status sy_rewraps_list(struct sy_rewraps *rewraps, const char *folder,
                          const struct sy_genesis *genesis, struct sy_error *err);
void sy_rewraps_free(struct sy_rewraps *rewraps);

/* sy_rewrap_settle files an entry under sent or refused. */
sy_status sy_rewrap_settle(const char *folder, const struct sy_rewrap *rewrap, bool applied,
                           struct sy_error *err);

/* sy_rewrap_alarm appends a line to the folder's log. what: "late", "refused". */
sy_status sy_rewrap_alarm(const char *folder, const struct sy_rewrap *rewrap, const char *what,
                          struct sy_error *err);

#endif
