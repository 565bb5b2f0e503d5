/* cmd_tx.h: what the two files of `systole tx` share. */
#ifndef SY_CLIENT_CMD_TX_H
#define SY_CLIENT_CMD_TX_H

#include "core/client/tx_draft.h"

/* `systole tx make`; argv[0] is "make". */
int sy_cmd_tx_make(int argc, char **argv);

/* sy_cmd_draft_load reads a draft's file ("-": standard input); genesis may be NULL. */
sy_status sy_cmd_draft_load(sy_draft **draft, const struct sy_genesis *genesis, const char *path,
                            struct sy_error *err);

/* sy_cmd_draft_save writes it to path; NULL or "-": standard output. tells: then says on standard
 * output, in JSON, which file has which transaction (nothing, when the draft itself went there). */
sy_status sy_cmd_draft_save(const sy_draft *draft, const char *path, bool tells,
                            struct sy_error *err);

#endif
