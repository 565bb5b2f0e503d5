/* powercut.h: a disk that can lose power, or room, at any system call.
 *
 * Linking this file puts its own write, pwrite, writev, fdatasync, fsync and statvfs before the C
 * library's in the whole program, LMDB included. Calls on files named data.mdb are counted; the
 * N-th can be made to fail, or to be the moment of a power cut: of everything written since a
 * file's last sync, each page then survives or not by the throw of a coin (as it may on a disk with
 * a cache), the call under way may be torn, and the process dies by SIGKILL. A write through an
 * O_DSYNC descriptor is durable when it returns. Syncs are not passed on to the real disk: nobody
 * cuts its power here, and they cost time.
 *
 * What it cannot show: files and folders whose creation was not synced, and disks that lie. */
#ifndef SY_TESTS_SUPPORT_POWERCUT_H
#define SY_TESTS_SUPPORT_POWERCUT_H

#include <stdbool.h>
#include <stdint.h>

enum powercut_action {
    POWERCUT_COUNT,  /* nothing happens; calls are counted */
    POWERCUT_DIE,    /* the nth call is the power cut */
    POWERCUT_ENOSPC, /* the nth write and all later ones find no room, until the next arm; writes of
                        LMDB's meta page, whose room is there, are left alone and not counted */
    POWERCUT_SHORT,  /* the nth call writes half of its bytes; later writes find no room */
    POWERCUT_EIO     /* the nth call fails; later ones work */
};

/* powercut_arm counts from zero from now on. seed decides the coins. syncs_lie: syncs make nothing
 * durable (so that a test can see that the cut is a cut). */
void powercut_arm(enum powercut_action action, uint64_t nth, uint64_t seed, bool syncs_lie);

/* powercut_calls is how many calls were counted since. */
uint64_t powercut_calls(void);

#endif
