/* find_dataset.h: which data sets for research are searched for, in words, and whether one fits. */
#ifndef SY_CLIENT_FIND_DATASET_H
#define SY_CLIENT_FIND_DATASET_H

#include "core/base/status.h"
#include "core/wire/state_research.h"

/* Words of options, borrowed; NULL or false: whatever it is. */
struct sy_dataset_words {
    const char *code;      /* "LOINC|2823-3" */
    const char *phenotype; /* "HP:0001250" */
    const char *device;    /* a class: "wearable" */
    const char *ages;      /* a band: "18 to 29" */
    const char *people;    /* a bucket, or more: "100 to 999" */
    bool genetic, wearable;
};

struct sy_dataset_wish {
    const struct sy_dataset_words *words;
    uint16_t device, ages, people; /* numbers of the words; 0: any */
};

/* sy_dataset_wish_take reads the words, which it borrows. SY_ERR_ARGUMENT: there is no such word.
 */
sy_status sy_dataset_wish_take(struct sy_dataset_wish *wish, const struct sy_dataset_words *words,
                               struct sy_error *err);

/* sy_dataset_wish_fits: the version has all that is wished for. */
bool sy_dataset_wish_fits(const struct sy_dataset_wish *wish,
                          const struct sy_dataset_version *version);

#endif
