/* wrong_clocks.c: whoever has a wrong clock says so, the others say it of him, and nobody well is
 * suspected. */
#include "tests/sim/sim_internal.h"

/* In SIM_PLANT_FAR_TIME all clocks are wrong, and so nobody's. */
static bool is_wrong(const struct world *world, const struct validator *validator)
{
    int64_t skew_ms = validator->skew_ms;
    if (world->options.plant == SIM_PLANT_FAR_TIME) return false;
    if (sim_plants(world, SIM_PLANT_WRONG_CLOCK, validator)) return false;
    if (sim_plants(world, SIM_PLANT_TIMELESS, validator)) return true;
    return skew_ms > SY_CLOCK_SKEW_MS_DEFAULT || skew_ms < -SY_CLOCK_SKEW_MS_DEFAULT;
}

void sim_check_clock(struct world *world, const struct validator *validator,
                     const struct sy_clocks_info *clocks)
{
    sim_note_branch(world, SIM_BRANCH_clock_off_said, clocks->off);
    if (!clocks->off || is_wrong(world, validator)) return;
    sim_fail(world, SIM_CHECK_ALARM, "validator %u says that its clock is off, which is right",
             validator->index);
}

/* Liars say what they like of their clocks. */
static bool names_them(struct world *world, const struct sy_clocks_info *clocks)
{
    for (uint16_t i = 0; i < sim_roster(world, world->options.epochs)->count; i++) {
        const struct validator *peer =
            &world->validators[sim_whose(world, world->options.epochs, i)];
        if (peer->faulty || !clocks->peers[i].heard) continue;
        if (clocks->peers[i].off != is_wrong(world, peer)) return false;
        sim_note_branch(world, SIM_BRANCH_clock_off_seen, clocks->peers[i].off);
    }
    return true;
}

bool sim_clocks_told(struct world *world)
{
    if (world->options.bad_clock == 0 && world->options.plant != SIM_PLANT_TIMELESS) return true;
    for (uint16_t i = 0; i < world->n; i++) {
        const struct validator *validator = &world->validators[i];
        if (validator->faulty || !sim_stays(world, validator)) continue;
        struct sy_clocks_info clocks = sim_info(world, validator)->clocks;
        if (clocks.off != is_wrong(world, validator)) return false;
        if (!clocks.off && !names_them(world, &clocks)) return false;
    }
    return true;
}
