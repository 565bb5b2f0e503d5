/* evidence.h: what the consensus machine found against a validator, as the evidence that is kept
 * and can be shown to anybody (core/wire/evidence.h). */
#ifndef SY_NODE_EVIDENCE_H
#define SY_NODE_EVIDENCE_H

#include "consensus/pbft/pbft.h"
#include "core/wire/evidence.h"

/* sy_node_evidence makes evidence of two contradicting messages. False: of this type of message
 * there is none that could be kept. Pure. */
SY_MUST_CHECK bool sy_node_evidence(struct sy_evidence *out, const struct sy_pbft_evidence *found,
                                    const struct sy_genesis *genesis);

#endif
