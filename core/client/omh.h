/* omh.h: Open mHealth data points (openmhealth.org; IEEE 1752.1) as the samples of a stream.
 *
 * An input is JSON: points one behind another (NDJSON among them) or arrays of them. A point is a
 * measure's body, or a data point: {"header": ..., "body": ...}, whose schema is then the
 * measure's. omh_measures.def says which measures, in which unit, a stream can be of.
 *
 * A point becomes one sample: its number in the shortest form (72.50 is 72.5), at date_time or, of
 * a measure that is over an interval (steps, energy, sleep), at the interval's end. What is no
 * single measurement is refused, and so is a point of another measure or unit: a stream is of one.
 */
#ifndef SY_CLIENT_OMH_H
#define SY_CLIENT_OMH_H

#include "core/client/samples.h"

#define SY_OMH_INPUT_BYTES_MAX (64u << 20)

/* sy_omh_read makes samples of an input, in the order of their times, for a stream of this system,
 * kind and unit; salts are zeros. SY_ERR_ARGUMENT: no measure of Open mHealth is of such a stream.
 * SY_ERR_FORMAT names the point, the line that it begins in and what of it is wrong by its path.
 * SY_ERR_LIMIT: there are too many. On failure samples is empty. */
sy_status sy_omh_read(struct sy_samples *samples, struct sy_slice text, const char *name,
                      const struct sy_stream *stream, struct sy_error *err);

#endif
