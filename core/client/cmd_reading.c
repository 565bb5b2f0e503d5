#include "core/client/cmd_reading.h"

#define AGE_MS_MAX 60000

sy_status sy_cmd_reading_open(struct sy_cmd_reading *reading)
{
    struct sy_error *err = &reading->err;
    SY_TRY(sy_cmd_connect(&reading->net, &reading->asker, &reading->where, 0, err));
    SY_TRY(sy_cmd_read_key(&reading->key, reading->net, reading->key_path, err));
    reading->reader.asker = reading->asker;
    reading->reader.key = reading->key;
    reading->reader.max_age_ms = AGE_MS_MAX;
    reading->reader.err = err;
    return SY_OK;
}

void sy_cmd_reading_close(struct sy_cmd_reading *reading)
{
    sy_may_reader_free(&reading->reader);
    sy_secret_key_close(reading->key);
    sy_asker_close(reading->asker);
    sy_cmd_net_close(reading->net);
    *reading = (struct sy_cmd_reading){.key_path = NULL};
}
