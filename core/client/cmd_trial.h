/* cmd_trial.h: the parts of `systole trial`; argv[0] is the part's name. */
#ifndef SY_CLIENT_CMD_TRIAL_H
#define SY_CLIENT_CMD_TRIAL_H

int sy_cmd_trial_draft(int argc, char **argv);

#endif
