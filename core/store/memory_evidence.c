/* See memory_evidence.h. */
#include "core/store/memory_evidence.h"

#include <stdlib.h>

int sy_record_key_compare(const struct sy_record_key *a, const struct sy_record_key *b)
{
    if (a->type != b->type) return a->type < b->type ? -1 : 1;
    if (a->slot != b->slot) return a->slot < b->slot ? -1 : 1;
    if (a->extra != b->extra) return a->extra < b->extra ? -1 : 1;
    return 0;
}

sy_status sy_memory_evidence_reserve(struct sy_memory_evidence *evidence)
{
    if (evidence->pieces) return SY_OK;
    evidence->pieces =
        (struct sy_memory_piece *)calloc(SY_EVIDENCE_KEPT_MAX, sizeof *evidence->pieces);
    return evidence->pieces ? SY_OK : SY_ERR_NO_MEMORY;
}

bool sy_memory_evidence_put(struct sy_memory_evidence *evidence, const struct sy_vote_write *write,
                            uint8_t *copy)
{
    size_t at = 0;
    size_t of_signer = 0;
    for (size_t i = 0; i < evidence->count; i++) {
        const struct sy_memory_piece *piece = &evidence->pieces[i];
        int by_signer = sy_hash_compare(&piece->signer, &write->body);
        int order = by_signer ? by_signer : sy_record_key_compare(&piece->key, &write->key);
        if (order == 0) return false;
        if (order < 0) at = i + 1;
        of_signer += by_signer == 0;
    }
    if (evidence->count >= SY_EVIDENCE_KEPT_MAX || of_signer >= SY_EVIDENCE_SIGNER_MAX)
        return false;
    memmove(evidence->pieces + at + 1, evidence->pieces + at,
            (evidence->count - at) * sizeof *evidence->pieces);
    evidence->pieces[at] =
        (struct sy_memory_piece){write->body, write->key, copy, write->value.size};
    evidence->count++;
    return true;
}

sy_status sy_memory_evidence_each(const struct sy_memory_evidence *evidence, sy_evidence_fn show,
                                  void *context)
{
    for (size_t i = 0; i < evidence->count; i++) {
        const struct sy_memory_piece *piece = &evidence->pieces[i];
        SY_TRY(show(context, &piece->signer, &piece->key, sy_slice_of(piece->data, piece->size)));
    }
    return SY_OK;
}

void sy_memory_evidence_free(struct sy_memory_evidence *evidence)
{
    for (size_t i = 0; i < evidence->count; i++) free(evidence->pieces[i].data);
    free(evidence->pieces);
    *evidence = (struct sy_memory_evidence){0};
}
