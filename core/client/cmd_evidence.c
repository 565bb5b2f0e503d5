/* cmd_evidence.c: `systole evidence`: what stopped validators kept of others that told two stories,
 * in words, and as files that anybody can check. */
#include <stdlib.h>
#include <unistd.h>

#include "core/base/assert.h"
#include "core/base/os.h"
#include "core/client/cmd_validator.h"
#include "core/client/show.h"
#include "core/store/epochs.h"
#include "core/wire/render.h"

static const char about[] =
    "Reads the store of a stopped validator and says what evidence it keeps: which\n"
    "validator signed two statements that contradict each other, and about what.\n"
    "DIR is the validator's folder or, with --genesis, the store itself. --net takes\n"
    "every validator's store of a network that `systole testnet` made. --out writes\n"
    "each piece as a .syevidence file, which `systole verify` checks offline.\n";

/* A piece, and what became of it. */
struct piece {
    uint8_t kept[SY_EVIDENCE_VALUE_BYTES_MAX]; /* as the validator keeps it */
    size_t kept_size;
    uint8_t *bytes; /* malloc'ed: with handovers, as a file has it; NULL when there is a fault */
    size_t size;
    struct sy_evidence evidence; /* borrows bytes */
    const char *fault;           /* NULL: it holds */
    char path[SY_CMD_PATH_MAX];
};

struct unread {
    char name[SY_CMD_PATH_MAX];
    struct sy_error err;
};

struct run {
    const struct sy_cmd *cmd;
    const char *genesis_path;
    const char *net;
    const char *config;
    const char *out;
    struct sy_genesis genesis;
    sy_epochs *epochs;    /* that the store at hand shows */
    struct piece *pieces; /* SY_EVIDENCE_KEPT_MAX a store at most, without doubles */
    size_t piece_count;
    size_t piece_room;
    size_t bad;
    struct unread unread[SY_VALIDATORS_MAX];
    unsigned unread_count;
    unsigned read_count; /* stores */
};

/* ---- reading ------------------------------------------------------------------------------ */

static struct piece *add_piece(struct run *run)
{
    if (run->piece_count == run->piece_room) {
        size_t room = 2 * run->piece_room + 64;
        struct piece *moved = (struct piece *)realloc(run->pieces, room * sizeof *moved);
        if (!moved) return NULL;
        run->pieces = moved;
        run->piece_room = room;
    }
    struct piece *piece = &run->pieces[run->piece_count++];
    memset(piece, 0, sizeof *piece);
    return piece;
}

static bool is_known(const struct run *run, struct sy_slice value)
{
    for (size_t i = 0; i < run->piece_count; i++) {
        const struct piece *piece = &run->pieces[i];
        if (sy_slice_equal(sy_slice_of(piece->kept, piece->kept_size), value)) return true;
    }
    return false;
}

/* Makes the bytes of a file: the piece with the handovers to its epoch, as far as they are known.
 */
static sy_status complete_piece(struct run *run, struct piece *piece, struct sy_evidence *evidence)
{
    if (sy_epochs_roster(run->epochs, evidence->epoch)) {
        evidence->handovers = sy_epochs_handovers(run->epochs, evidence->epoch);
    }
    piece->size = SY_EVIDENCE_BYTES + evidence->handovers.size;
    piece->bytes = (uint8_t *)malloc(piece->size);
    if (!piece->bytes) return SY_ERR_NO_MEMORY;
    struct sy_writer w = sy_writer_of(piece->bytes, piece->size);
    sy_evidence_encode(&w, evidence);
    SY_ASSERT(!w.failed && w.used == piece->size);
    bool decodes = sy_evidence_decode(&piece->evidence, sy_writer_slice(&w), NULL);
    SY_ASSERT(decodes);
    return SY_OK;
}

/* Whatever the store says about a piece, only what it proves by itself is told. */
static sy_status take_piece(void *context, const struct sy_hash *signer,
                            const struct sy_record_key *key, struct sy_slice value)
{
    struct run *run = (struct run *)context;
    struct sy_evidence evidence;
    (void)signer;
    (void)key;
    if (is_known(run, value)) return SY_OK;
    struct piece *piece = add_piece(run);
    if (!piece) return SY_ERR_NO_MEMORY;
    memcpy(piece->kept, value.data, value.size);
    piece->kept_size = value.size;
    if (sy_evidence_decode(&evidence, value, &piece->fault)) {
        SY_TRY(complete_piece(run, piece, &evidence));
        if (sy_evidence_verify(&piece->evidence, &run->genesis, &piece->fault)) return SY_OK;
    }
    run->bad++;
    return SY_OK;
}

static void note_unread(struct run *run, const char *name, const struct sy_error *why)
{
    SY_ASSERT(run->unread_count < SY_VALIDATORS_MAX); // at most one a store
    struct unread *unread = &run->unread[run->unread_count++];
    (void)snprintf(unread->name, sizeof unread->name, "%s", name);
    unread->err = *why;
}

static sy_status read_pieces(struct run *run, sy_store *store, struct sy_error *err)
{
    sy_store_reader *reader = NULL;
    SY_TRY(sy_epochs_open(&run->epochs, &run->genesis, err));
    sy_status status = sy_store_reader_open(&reader, store);
    if (status == SY_OK) status = sy_epochs_take_store(run->epochs, store, reader, err);
    if (status == SY_OK) status = sy_evidence_each(reader, take_piece, run, err);
    if (status == SY_ERR_NO_MEMORY) status = sy_fail(err, status, "evidence: no memory");
    sy_store_reader_close(reader);
    sy_epochs_close(run->epochs);
    run->epochs = NULL;
    return status;
}

/* Evidence that is damaged keeps no other from being told. */
static sy_status read_store(struct run *run, const char *word, struct sy_error *err)
{
    struct sy_cmd_validator validator = {"", ""};
    sy_store *store = NULL;
    SY_TRY(sy_cmd_validator_find(&validator, word, run->genesis_path, err));
    SY_TRY(sy_cmd_validator_open(&store, &run->genesis, &validator, 0, err));
    sy_status status = read_pieces(run, store, err);
    sy_store_close(store);
    if (status != SY_ERR_CORRUPT) return status;
    note_unread(run, word, err);
    return SY_OK;
}

/* Every validator of a testnet; those that cannot be read (they run) are noted. */
static sy_status read_net(struct run *run, struct sy_error *err)
{
    char folder[SY_CMD_PATH_MAX];
    for (unsigned i = 0; i < SY_VALIDATORS_MAX; i++) {
        int size = snprintf(folder, sizeof folder, "%s/v%u", run->net, i);
        if (size < 0 || (size_t)size >= sizeof folder) {
            return sy_fail(err, SY_ERR_ARGUMENT, "--net: the path is too long");
        }
        if (access(folder, F_OK) != 0) break;
        struct sy_error why = {SY_OK, ""};
        if (read_store(run, folder, &why) == SY_OK) {
            run->read_count++;
        } else {
            note_unread(run, folder, &why);
        }
    }
    if (run->read_count > 0) return SY_OK;
    if (run->unread_count == 0) {
        return sy_fail(err, SY_ERR_ARGUMENT,
                       "%s has no validators (v0, v1 ...): --net names a folder that `systole "
                       "testnet` made",
                       run->net);
    }
    *err = run->unread[0].err;
    return err->status;
}

/* ---- files -------------------------------------------------------------------------------- */

/* The name says what it is about; its end, of the checksum, tells apart what two validators kept
 * about the same. */
static sy_status write_piece(const struct run *run, struct piece *piece, struct sy_error *err)
{
    const struct sy_evidence *evidence = &piece->evidence;
    char hex[17];
    sy_hex_encode(hex, piece->bytes + piece->size - 32, 8);
    int size =
        snprintf(piece->path, sizeof piece->path,
                 "%s/epoch%u-validator%u-%s-view%llu-slot%llu-%s.syevidence", run->out,
                 evidence->epoch, (unsigned)evidence->signer, sy_evidence_phase(evidence->type),
                 (unsigned long long)evidence->view, (unsigned long long)evidence->slot, hex);
    if (size < 0 || (size_t)size >= sizeof piece->path) {
        return sy_fail(err, SY_ERR_ARGUMENT, "--out: the path is too long");
    }
    return sy_os_write_file(piece->path, piece->bytes, piece->size, 0644, err);
}

static sy_status write_files(struct run *run, struct sy_error *err)
{
    if (!run->out) return SY_OK;
    SY_TRY(sy_os_make_dirs(run->out, 0755, err));
    for (size_t i = 0; i < run->piece_count; i++) {
        if (!run->pieces[i].fault) SY_TRY(write_piece(run, &run->pieces[i], err));
    }
    return SY_OK;
}

/* ---- telling ------------------------------------------------------------------------------ */

static void tell_piece(const struct run *run, const struct piece *piece)
{
    if (piece->fault) {
        printf("a stored piece proves nothing: %s\n", piece->fault);
        return;
    }
    sy_show_evidence_lines(stdout, &piece->evidence, &run->genesis);
    if (run->out) printf("  in %s\n", piece->path);
}

static int tell_text(const struct run *run, int code)
{
    for (size_t i = 0; i < run->piece_count; i++) tell_piece(run, &run->pieces[i]);
    for (unsigned i = 0; i < run->unread_count; i++) {
        fprintf(stderr, "systole evidence: not all of %s was read: %s\n", run->unread[i].name,
                run->unread[i].err.text);
    }
    if (run->piece_count == 0) {
        puts("no evidence is kept: nobody was seen telling two stories");
    } else {
        printf("%zu pieces of evidence, both signatures of each verified; %zu more prove nothing\n",
               run->piece_count - run->bad, run->bad);
    }
    return code;
}

static void put_piece(const struct run *run, const struct piece *piece, sy_json *json)
{
    char sentence[SY_SHOW_SENTENCE_BYTES];
    sy_json_object_begin(json);
    sy_json_put_bool(json, "proven", piece->fault == NULL);
    if (piece->fault) {
        sy_json_put_text(json, "why", piece->fault);
    } else {
        sy_show_evidence_sentence(sentence, &piece->evidence, &run->genesis);
        sy_json_put_text(json, "says", sentence);
        if (run->out) sy_json_put_text(json, "file", piece->path);
        sy_json_key(json, "evidence");
        sy_evidence_to_json(json, &piece->evidence, &run->genesis);
    }
    sy_json_object_end(json);
}

static int tell_json(const struct run *run, int code)
{
    sy_json json;
    sy_cmd_json_begin(&json);
    sy_json_put_u64(&json, "proven", run->piece_count - run->bad);
    sy_json_put_u64(&json, "bad", run->bad);
    sy_json_key(&json, "pieces");
    sy_json_array_begin(&json);
    for (size_t i = 0; i < run->piece_count; i++) put_piece(run, &run->pieces[i], &json);
    sy_json_array_end(&json);
    sy_json_key(&json, "unread");
    sy_json_array_begin(&json);
    for (unsigned i = 0; i < run->unread_count; i++) {
        sy_json_object_begin(&json);
        sy_json_put_text(&json, "folder", run->unread[i].name);
        sy_json_put_text(&json, "why", run->unread[i].err.text);
        sy_json_object_end(&json);
    }
    sy_json_array_end(&json);
    return sy_cmd_json_end(&json, code);
}

/* ---- the run ------------------------------------------------------------------------------ */

static int run_evidence(struct run *run)
{
    const struct sy_cmd *cmd = run->cmd;
    struct sy_error err = {SY_OK, ""};
    const char *word = run->config ? run->config : cmd->words[0];
    sy_status status = run->net ? read_net(run, &err) : read_store(run, word, &err);
    if (status == SY_OK) status = write_files(run, &err);
    if (status != SY_OK) return sy_cmd_fail(cmd, &err);
    int code = run->bad == 0 && run->unread_count == 0 ? SY_EXIT_DONE : SY_EXIT_REFUSED;
    return cmd->json ? tell_json(run, code) : tell_text(run, code);
}

int sy_cmd_evidence(int argc, char **argv)
{
    static struct run run; /* too large for a small stack; one command a process */
    const struct sy_option options[] = {
        {"net", SY_OPTION_TEXT, &run.net, "DIR", "a network that `systole testnet DIR` made", 0, 0},
        {"config", SY_OPTION_TEXT, &run.config, "FILE", "the validator's systoled.conf", 0, 0},
        {"genesis", SY_OPTION_TEXT, &run.genesis_path, "FILE",
         "the network's genesis file, instead of the one that systoled.conf names", 0, 0},
        {"out", SY_OPTION_TEXT, &run.out, "FOLDER", "write each piece there, as a file", 0, 0},
    };
    struct sy_cmd cmd = {.name = "evidence",
                         .arguments = "[DIR]",
                         .about = about,
                         .options = options,
                         .option_count = sizeof options / sizeof options[0],
                         .words_max = 1};
    int exit_code;
    if (!sy_cmd_parse(&cmd, &exit_code, argc, argv)) return exit_code;
    if (cmd.word_count + (run.net != NULL) + (run.config != NULL) != 1) {
        return sy_cmd_usage(&cmd, "name one of DIR, --net DIR and --config FILE");
    }
    run.cmd = &cmd;
    exit_code = run_evidence(&run);
    for (size_t i = 0; i < run.piece_count; i++) free(run.pieces[i].bytes);
    free(run.pieces);
    run.cmd = NULL;
    return exit_code;
}
