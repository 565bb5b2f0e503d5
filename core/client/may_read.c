/* may_read.c: proven state for decisions; see may_read.h. */
#include "core/client/may_read.h"

#include "core/wire/request.h"

sy_status sy_may_read(void *self, struct sy_slice *value, enum sy_state_kind kind,
                      const struct sy_hash *id, const struct sy_hash *second)
{
    struct sy_may_reader *reader = (struct sy_may_reader *)self;
    struct sy_read_request read = {.subject = SY_READ_STATE,
                                   .state_kind = (uint8_t)kind,
                                   .id = *id,
                                   .purpose = SY_PURPOSE_OPERATIONS};
    if (second) read.second = *second;
    sy_status status = sy_asker_read(reader->asker, &reader->answer, &read, reader->key,
                                     reader->max_age_ms, reader->err);
    if (status == SY_ERR_NOT_FOUND) return SY_ERR_NETWORK;
    if (status != SY_OK) return status;
    const struct sy_proof *proof = &reader->answer.proof;
    uint64_t height = proof->header.height;
    if (reader->lowest == 0 || height < reader->lowest) reader->lowest = height;
    if (height > reader->highest) reader->highest = height;
    if (!proof->state.present) return SY_ERR_NOT_FOUND;
    *value = proof->state.value;
    return SY_OK;
}

void sy_may_reader_free(struct sy_may_reader *reader)
{
    sy_proven_free(&reader->answer);
}
