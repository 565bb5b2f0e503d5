/* cmd_reading.h: what the commands share that read a patient's entries and judge them: whom to ask,
 * with which key, and the reader over both. */
#ifndef SY_CLIENT_CMD_READING_H
#define SY_CLIENT_CMD_READING_H

#include "core/client/cmd.h"
#include "core/client/may_read.h"

/* Zero it; parse the options' values into it (SY_CMD_READING_OPTIONS are the rows). */
struct sy_cmd_reading {
    const char *key_path;
    struct sy_cmd_where where;
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    struct sy_may_reader reader; /* takes no answer that is older than a minute */
    struct sy_error err;         /* why opening or a read failed */
};
#define SY_CMD_READING_OPTIONS(reading)              \
    {"key",                                          \
     SY_OPTION_TEXT,                                 \
     &(reading).key_path,                            \
     "FILE",                                         \
     "key that signs the reads (the client.conf's)", \
     0,                                              \
     0},                                             \
        SY_CMD_WHERE_OPTIONS((reading).where)

/* sy_cmd_reading_open connects and loads the key, as sy_cmd_connect and sy_cmd_read_key do; on
 * failure reading->err says why. sy_cmd_reading_close frees it all, after a failure too. */
sy_status sy_cmd_reading_open(struct sy_cmd_reading *reading);
void sy_cmd_reading_close(struct sy_cmd_reading *reading);

#endif
