/* stream_rules.h: what the contracts about streams of devices judge alike (internal to
 * core/ledger/contracts).
 *
 * A device answers with the newest key of its line; who registered it answers for the key:
 *   there is no such device                               E_DEVICE_UNKNOWN {id}
 *   another key signed                                    E_SIGNER_MISSING {device id}
 *
 * Its firmware:
 *   none is attested, or the attestation is over          E_FIRMWARE {release attested, 0: none}
 *   the payload names another release                     E_FIRMWARE {release attested}
 *
 * The patient's consent ("consent covers"), whoever signs:
 *   there is no such consent of the patient               E_CONSENT_UNKNOWN {id}
 *   it is no grant to the device, or to devices, to
 *   write Observations for treatment; it was revoked, or
 *   what it was passed on from; it begins later, or than
 *   the window                                            E_CONSENT {id}
 *   it is over                                            E_CONSENT_EXPIRED {id, its end}
 *   the newest key of the device is revoked or outside
 *   its window                                            E_CRED_EXPIRED {key}
 *   it may not write them all the same (may.h)            E_CONSENT {consent that forbids it, or
 * id}
 */
#ifndef SY_LEDGER_CONTRACTS_STREAM_RULES_H
#define SY_LEDGER_CONTRACTS_STREAM_RULES_H

#include "core/ledger/exec.h"
#include "core/wire/state_stream.h"

/* The record class that samples are of. */
#define SY_STREAM_CLASS "Observation"

/* sy_stream_find: what is found borrows as sy_exec_find does. sy_stream_find_device: there is one
 * (else E_DEVICE_UNKNOWN). sy_stream_find_firmware: what is attested of a device; false: nothing
 * ever was. */
bool sy_stream_find(struct sy_exec *x, struct sy_stream *out, const struct sy_hash *id);
enum sy_refusal sy_stream_find_device(struct sy_exec *x, struct sy_device *out,
                                      const struct sy_hash *id);
bool sy_stream_find_firmware(struct sy_exec *x, struct sy_firmware *out,
                             const struct sy_hash *device_id);

/* sy_stream_device_signs: the payload's signer is this device. */
bool sy_stream_device_signs(const struct sy_exec *x, const struct sy_device *device);

/* sy_stream_find_own finds a stream whose device signs: E_STREAM_UNKNOWN, E_SIGNER_MISSING. */
enum sy_refusal sy_stream_find_own(struct sy_exec *x, struct sy_stream *out,
                                   const struct sy_hash *id);

/* sy_stream_check_firmware: the device runs what is attested; release 0: whichever that is. */
enum sy_refusal sy_stream_check_firmware(struct sy_exec *x, const struct sy_hash *device_id,
                                         uint32_t release);

/* sy_stream_check_consent: the stream's consent stands for its device, now and from from_ms on, and
 * the device may write. A stream that is being opened has no commits. Of a gateway's alerts the key
 * is looked for that stands now in the place of the one that signed the last commitment (before
 * any: that was registered), SY_STREAM_KEYS_MAX keys further at most. */
enum sy_refusal sy_stream_check_consent(struct sy_exec *x, const struct sy_stream *stream,
                                        const struct sy_hash *stream_id, int64_t from_ms);

#endif
