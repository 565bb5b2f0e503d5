/* audit_certificates.c: certificates of blocks, judged some hundred blocks at a time by the engine
 * that judges the batches.
 *
 * So a bad one shows when later blocks were already compared. What is told is as if each had been
 * judged at its place all the same: before any other difference is told those that wait are judged,
 * and the figures go back to what they were before the block of the first bad one. */
#include "core/client/audit_internal.h"

sy_status sy_audit_certificates_open(struct audit *audit)
{
    return sy_sig_queue_open(&audit->waiting.queue, sy_audit_batches_engine(audit->batches),
                             audit->err);
}

static void certify(struct sy_audit_figures *figures, const struct audit_certificate *certificate)
{
    figures->header_hash = certificate->header_hash;
    figures->certified = certificate->height;
    figures->certified_state_root = certificate->state_root;
}

static sy_status refuse(struct audit *audit, uint64_t height)
{
    return sy_fail(audit->err, SY_ERR_CRYPTO, "block %llu: its certificate does not hold",
                   (unsigned long long)height);
}

sy_status sy_audit_certificates_settle(struct audit *audit)
{
    struct audit_certificates *waiting = &audit->waiting;
    unsigned count = waiting->count;
    if (count == 0) return SY_OK;
    waiting->count = 0;
    sy_sig_queue_decide(waiting->queue);
    for (unsigned i = 0; i < count; i++) {
        const struct audit_certificate *certificate = &waiting->certificates[i];
        if (certificate->holds) continue;
        *audit->figures = certificate->before;
        if (i > 0) certify(audit->figures, &certificate[-1]);
        return refuse(audit, certificate->height);
    }
    certify(audit->figures, &waiting->certificates[count - 1]);
    return SY_OK;
}

sy_status sy_audit_certificates_add(struct audit *audit, struct sy_slice bytes, unsigned n)
{
    struct audit_certificates *waiting = &audit->waiting;
    struct sy_verifier verifier = sy_sig_queue_verifier(waiting->queue);
    struct sy_certificate decoded;
    struct sy_reader r = sy_reader_of(bytes);
    if (waiting->count == AUDIT_CERTIFICATES_MAX) SY_TRY(sy_audit_certificates_settle(audit));
    struct audit_certificate *certificate = &waiting->certificates[waiting->count];
    sy_sig_queue_item(waiting->queue, &certificate->holds);
    if (!sy_certificate_decode(&r, &decoded, n) || !sy_reader_done(&r) ||
        !sy_epochs_certified_by(audit->epochs, &verifier, &audit->head, &decoded)) {
        return refuse(audit, audit->height);
    }
    certificate->height = audit->height;
    certificate->state_root = audit->head.state_root;
    certificate->before = *audit->figures;
    sy_header_hash(&certificate->header_hash, &audit->config->genesis->hash, &audit->head);
    waiting->count++;
    return SY_OK;
}
