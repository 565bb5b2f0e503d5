/* access_stream.h: who may see a device, its firmware and its streams, whatever the patient says
 * (internal to consensus/node; access.h). */
#ifndef SY_NODE_ACCESS_STREAM_H
#define SY_NODE_ACCESS_STREAM_H

#include "consensus/node/access.h"

/* sy_access_device: a device and its firmware: an organisation's are in the directory; a patient's
 * are seen by itself (line: of the reader's key) and by the organisation that answers for it.
 * False: *patient says whom to ask about. */
bool sy_access_device(sy_state_view *view, struct sy_hash *patient, const struct sy_hash *holder,
                      const struct sy_hash *line, const struct sy_hash *device_id);

/* sy_access_stream: a stream with all that it has: its device, and the organisation that answers
 * for that. False: *patient says whom to ask about, as of a record of *organisation's. */
bool sy_access_stream(sy_state_view *view, struct sy_hash *patient, struct sy_hash *organisation,
                      const struct sy_hash *holder, const struct sy_hash *line,
                      const struct sy_hash *stream_id);

#endif
