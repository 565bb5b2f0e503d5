/* cmd_record.h: what the files of `systole record` share; argv[0] is the part's name. */
#ifndef SY_CLIENT_CMD_RECORD_H
#define SY_CLIENT_CMD_RECORD_H

int sy_cmd_record_history(int argc, char **argv);
int sy_cmd_record_erase(int argc, char **argv);
int sy_cmd_record_commit(int argc, char **argv);
int sy_cmd_record_list(int argc, char **argv);

#endif
