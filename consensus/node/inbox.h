/* inbox.h: what the other threads of systoled tell the consensus thread. */
#ifndef SY_NODE_INBOX_H
#define SY_NODE_INBOX_H

#include "core/base/ring.h"
#include "core/wire/request.h"

enum sy_inbox_type {
    SY_INBOX_DURABLE = 1, /* number: commit token (store thread) */
    SY_INBOX_CERTIFIED,   /* number: height (store thread) */
    SY_INBOX_EXECUTED,    /* pointer: struct sy_executed in a slot to give back (execution) */
    SY_INBOX_SUBMIT,      /* number: token; pointer: struct sy_inbox_submit (API thread) */
    SY_INBOX_FAILED,      /* a thread cannot go on: status; pointer: static text, what failed */
    SY_INBOX_DRAIN,       /* stop taking transactions */
    SY_INBOX_FLAP,        /* number: a peer whose transport is cut; for drills */
    SY_INBOX_STOP         /* end the loop */
};

/* A SUBMIT; the API's until sy_api_submitted. */
struct sy_inbox_submit {
    const struct sy_client_request *request;
    const uint16_t *held; /* as sy_pool_on_submit takes it */
};

struct sy_inbox_item {
    enum sy_inbox_type type;
    sy_status status;
    uint64_t number;
    const void *pointer;
};

#endif
