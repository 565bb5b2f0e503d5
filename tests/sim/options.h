/* options.h: a world's options by name, so that a run can be described, repeated and made smaller.
 */
#ifndef SY_TESTS_SIM_OPTIONS_H
#define SY_TESTS_SIM_OPTIONS_H

#include <stddef.h>

#include "tests/sim/sim.h"

/* How a minimiser may make an option smaller. */
enum sim_shrink {
    SIM_SHRINK_NOT,
    SIM_SHRINK_HALVE,
    SIM_SHRINK_BITS /* drop one bit after the other */
};

/* sim_option_count names index < sim_option_count(); sim_option_value points into options. */
size_t sim_option_count(void);
const char *sim_option_name(size_t index);
enum sim_shrink sim_option_shrink(size_t index);
unsigned *sim_option_value(struct sim_options *options, size_t index);

/* sim_options_set takes "NAME=VALUE". False: no such option, or no number. */
bool sim_options_set(struct sim_options *options, const char *text);

/* sim_options_refuse says why nothing can be expected of a world of these options, and what to set,
 * or NULL: its liars are more than f, or whoever begins late and whose clock is wrong together are
 * more than a change of the roster can do without. No seed draws such a world; what is planted may
 * be one. Static text. */
const char *sim_options_refuse(const struct sim_options *options);

/* sim_options_command writes the systole-sim command that plays these options: the seed, and --set
 * for each that differs from what the seed draws. Cut short if out is too small. */
void sim_options_command(char *out, size_t out_size, const struct sim_options *options);

/* sim_minimise makes a failing world smaller, option by option, as long as the same check fails,
 * in at most runs_max runs. result is the last failing run's. Returns how many runs it took. */
unsigned sim_minimise(struct sim_options *options, struct sim_result *result, unsigned runs_max);

#endif
