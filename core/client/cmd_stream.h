/* cmd_stream.h: what the files of `systole stream` share; argv[0] is the part's name. */
#ifndef SY_CLIENT_CMD_STREAM_H
#define SY_CLIENT_CMD_STREAM_H

#include "core/client/cmd.h"
#include "core/wire/state_stream.h"

int sy_cmd_stream_commit(int argc, char **argv);
int sy_cmd_stream_prove(int argc, char **argv);
int sy_cmd_stream_coverage(int argc, char **argv);
int sy_cmd_stream_gaps(int argc, char **argv);

/* Whom to ask about streams, with which key, and what was answered last. Zero it; parse the
 * options' values into it (SY_STREAM_OPTIONS are the rows). */
struct sy_stream_asked {
    struct sy_cmd_where where;
    const char *key_path, *purpose_word;
    const char *proofs; /* folder in which each proof is kept; NULL: none */
    struct sy_cmd_net *net;
    sy_asker *asker;
    sy_secret_key *key;
    uint8_t purpose;
    struct sy_proven answer;
    uint64_t highest; /* of the blocks that prove what was read */
};
#define SY_STREAM_OPTIONS(asked)                                                                   \
    {                                                                                              \
        "key", SY_OPTION_TEXT, &(asked).key_path, "FILE", "key that signs (the client.conf's)", 0, \
        0},                                                                                        \
        {"purpose",                                                                                \
         SY_OPTION_TEXT,                                                                           \
         &(asked).purpose_word,                                                                    \
         "WORD",                                                                                   \
         "what the reads are for (treatment)",                                                     \
         0,                                                                                        \
         0},                                                                                       \
        SY_CMD_WHERE_OPTIONS((asked).where)

/* sy_stream_open_asked connects; sy_stream_close_asked frees it all, after a failure too. */
sy_status sy_stream_open_asked(struct sy_stream_asked *asked, struct sy_error *err);
void sy_stream_close_asked(struct sy_stream_asked *asked);

/* sy_stream_ask reads an entry, proven and at most a minute old; number: of those that have one,
 * else 0. *value is borrowed until the next is asked for. SY_ERR_NOT_FOUND: proven to be absent,
 * err is untouched then. */
sy_status sy_stream_ask(struct sy_stream_asked *asked, struct sy_slice *value,
                        enum sy_state_kind kind, const struct sy_hash *id, uint64_t number,
                        struct sy_error *err);

/* sy_stream_ask_whole reads a stream's own entry, which must be there; it borrows from the answer.
 */
sy_status sy_stream_ask_whole(struct sy_stream_asked *asked, struct sy_stream *stream,
                              const struct sy_hash *id, struct sy_error *err);

#endif
