/* tx_json.h: payloads from JSON, by the schema's table alone (core/wire/schema.h).
 *
 * The form is the one that sy_payload_to_json writes: an object with a member a field, names as in
 * kinds.def, lower-case hex for ids, hashes, keys, tags and bytes, words (or numbers) for enums,
 * whole numbers for numbers and for times in ms since 1970, true and false, lists as arrays, parts
 * of an atomic transaction as {kind, signer, payload}. What is optional may be left out. Two words
 * save typing: "random" for an id draws a fresh one, "now" for a time is the present.
 *
 * A proof of possession may be left out too: it then stands as 64 zero bytes until sy_draft_prove
 * makes it (tx_draft.h), since it signs the finished envelope.
 *
 * A member that no field has, a missing one, another type and a broken rule are refused with their
 * path. Nothing here keeps state; any thread. */
#ifndef SY_CLIENT_TX_JSON_H
#define SY_CLIENT_TX_JSON_H

#include "core/wire/schema.h"

#define SY_TX_JSON_BYTES_MAX (4u << 20)

/* sy_payload_from_json writes the payload's encoding into out. name stands for the text in
 * sentences ("stdin"). SY_ERR_FORMAT: no JSON; SY_ERR_ARGUMENT: it does not fit the kind;
 * SY_ERR_LIMIT: longer than a transaction may be. */
sy_status sy_payload_from_json(struct sy_writer *out, const struct sy_kind *kind,
                               struct sy_slice json, const char *name, struct sy_error *err);

/* sy_payload_from_fields does the same for "name=value" pairs, as a command line gives them: lists
 * are separated by commas, an empty value is an empty list. Not for atomic. */
sy_status sy_payload_from_fields(struct sy_writer *out, const struct sy_kind *kind,
                                 const char *const *pairs, unsigned count, struct sy_error *err);

#endif
