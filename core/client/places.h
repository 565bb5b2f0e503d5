/* places.h: everything a patient has, by number, proven to be all of it.
 *
 *     the patient's entry (n places) --> place 1 ... place n --> each record's id
 *                                              |
 *                                              +-- a merged id --> its entry, its places ...
 *
 * Where the entries come from, a network that is asked or a folder of proofs, is the caller's.
 * Entries may be of several heights: a place never changes, and an id that was merged gets no more.
 * One thread at a time. */
#ifndef SY_CLIENT_PLACES_H
#define SY_CLIENT_PLACES_H

#include "core/client/asker.h"
#include "core/wire/state.h"

struct sy_places;

/* sy_places_get proves an entry: SY_STATE_PATIENT, or SY_STATE_PATIENT_PLACE with its number.
 * *value borrows until the next call; *height: as of when. SY_ERR_NOT_FOUND: proven to be absent.
 */
typedef sy_status (*sy_places_get)(void *self, struct sy_slice *value, uint64_t *height,
                                   enum sy_state_kind kind, const struct sy_hash *id,
                                   uint64_t number, struct sy_error *err);
/* Told of each place in order, those of a merged id in the place of that id's. */
typedef sy_status (*sy_places_visit)(void *self, const struct sy_patient_place *place,
                                     const struct sy_hash *patient, uint64_t number,
                                     struct sy_error *err);

struct sy_places {
    sy_places_get get;
    void *self; /* get's */
    sy_places_visit visit;
    void *visitor; /* visit's self */
    /* filled by sy_places_walk: */
    uint64_t as_of;   /* height as of which it is all */
    uint64_t places;  /* of the id itself */
    uint64_t records; /* merged ids' included */
};

/* sy_places_walk visits them all. SY_ERR_NOT_FOUND: there is no such patient; SY_ERR_CORRUPT: what
 * was proven contradicts itself (no execution wrote it) or an entry that has to be is absent. */
sy_status sy_places_walk(struct sy_places *walk, const struct sy_hash *patient,
                         struct sy_error *err);

/* A get that asks the network; self: struct sy_places_asked. It takes no answer that is older than
 * the patient's entry was, and keeps each proof as a file in `folder`, unless that is NULL. Fails
 * as sy_asker_read, whose SY_ERR_NOT_FOUND, which nobody proves, is SY_ERR_NETWORK here. */
struct sy_places_asked {
    sy_asker *asker;
    const sy_secret_key *key; /* borrowed: signs the reads */
    uint8_t purpose;
    int64_t max_age_ms;
    const char *folder;
    struct sy_proven answer;
};
sy_status sy_places_ask(void *self, struct sy_slice *value, uint64_t *height,
                        enum sy_state_kind kind, const struct sy_hash *id, uint64_t number,
                        struct sy_error *err);

/* A get that reads what the one above kept; self: struct sy_places_kept. Each proof is verified
 * with the genesis alone. SY_ERR_NOT_FOUND never: SY_ERR_FORMAT when a file is missing. */
struct sy_places_kept {
    const struct sy_genesis *genesis;
    const char *folder;
    struct sy_proven answer;
};
sy_status sy_places_load(void *self, struct sy_slice *value, uint64_t *height,
                         enum sy_state_kind kind, const struct sy_hash *id, uint64_t number,
                         struct sy_error *err);

/* sy_places_path is the file in folder that has the proof of an entry; number 0: none. False: it is
 * too long. */
#define SY_PLACES_PATH_BYTES 1200
bool sy_places_path(char out[SY_PLACES_PATH_BYTES], const char *folder, const struct sy_hash *id,
                    uint64_t number);

#endif
