/* show.h: proven answers for people and for --json. Nothing is judged here: the caller verified. */
#ifndef SY_CLIENT_SHOW_H
#define SY_CLIENT_SHOW_H

#include <stdio.h>

#include "core/base/json.h"
#include "core/client/asker.h"
#include "core/wire/evidence.h"
#include "core/wire/state.h"

/* sy_show_state writes a state entry's value as an object, by its kind (enum sy_state_kind); a
 * value that cannot be read is shown as hex. */
void sy_show_state(sy_json *json, uint8_t state_kind, struct sy_slice value);

/* sy_show_version and sy_show_cosignature write a version's members, and a cosignature as an
 * object; sy_show_relation is the word of a link's relation. */
void sy_show_version(sy_json *json, const struct sy_record_version *version);
void sy_show_cosignature(sy_json *json, const struct sy_cosignature *item);
const char *sy_show_relation(uint16_t relation);

/* sy_show_proof writes the members "height", "time_ms", "epoch", "header_hash", "state_root" and
 * "sealed_by" of a proof, which carries the handovers to its epoch. */
void sy_show_proof(sy_json *json, const struct sy_proof *proof, const struct sy_genesis *genesis);

/* sy_show_proof_line prints one line: which block proves it, when, and whose seals it bears; and a
 * second one, sy_show_epoch_line's, unless the roster is the genesis's. */
void sy_show_proof_line(FILE *out, const struct sy_proof *proof, const struct sy_genesis *genesis);
void sy_show_epoch_line(FILE *out, uint32_t epoch);

/* sy_show_receipt_lines prints what a transaction did: applied, or refused with what to do. */
void sy_show_receipt_lines(FILE *out, const struct sy_receipt *receipt);

/* sy_show_evidence_lines prints what evidence says, in words: who, what twice, where, and the two
 * digests. sy_show_evidence_sentence is its first line, without a line break. */
#define SY_SHOW_SENTENCE_BYTES 256
void sy_show_evidence_sentence(char out[SY_SHOW_SENTENCE_BYTES], const struct sy_evidence *evidence,
                               const struct sy_genesis *genesis);
void sy_show_evidence_lines(FILE *out, const struct sy_evidence *evidence,
                            const struct sy_genesis *genesis);

/* sy_show_pretty prints a JSON writer's text (begun growing and pretty), with a line break, and
 * frees the writer. */
void sy_show_pretty(FILE *out, sy_json *json);

#endif
