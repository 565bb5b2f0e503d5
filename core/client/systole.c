/* systole.c: libsystole: the public names over the client room's own. Each handle is a thin box;
 * what it does is asker.c's, tx_draft.c's and core/wire's. Reading is in systole_read.c. */
#include "core/client/systole_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/address.h"
#include "core/base/os.h"
#include "core/client/tx_draft.h"
#include "core/client/tx_json.h"
#include "core/client/watch.h"
#include "core/wire/genesis_json.h"
#include "core/wire/render.h"
#include "core/wire/schema.h"
#include "core/wire/state.h"

#define TEXT_BYTES_MAX (32u << 20)

/* ---- results ------------------------------------------------------------------------------ */

_Thread_local struct sy_error sy_systole_error;

enum systole_result sy_systole_result(sy_status status)
{
    switch (status) {
    case SY_OK: return SYSTOLE_OK;
    case SY_ERR_ARGUMENT: return SYSTOLE_ERR_ARGUMENT;
    case SY_ERR_NOT_FOUND: return SYSTOLE_ERR_NOT_FOUND;
    case SY_ERR_EXISTS: return SYSTOLE_ERR_EXISTS;
    case SY_ERR_NO_MEMORY: return SYSTOLE_ERR_MEMORY;
    case SY_ERR_FORMAT: return SYSTOLE_ERR_FORMAT;
    case SY_ERR_VERSION: return SYSTOLE_ERR_VERSION;
    case SY_ERR_LIMIT: return SYSTOLE_ERR_LIMIT;
    case SY_ERR_CORRUPT:
    case SY_ERR_CRYPTO: return SYSTOLE_ERR_NOT_PROVEN;
    case SY_ERR_PERMISSION: return SYSTOLE_ERR_FORBIDDEN;
    case SY_ERR_NETWORK:
    case SY_ERR_CLOSED:
    case SY_ERR_BUSY: return SYSTOLE_ERR_NETWORK;
    case SY_ERR_TIMEOUT: return SYSTOLE_ERR_UNKNOWN;
    case SY_ERR_PRUNED: return SYSTOLE_ERR_PRUNED;
    default: return SYSTOLE_ERR_FILE;
    }
}

const char *systole_result_name(enum systole_result result)
{
    static const char *const names[] = {
        "ok",      "bad argument", "not found",  "exists",    "no memory", "file",    "bad form",
        "version", "limit",        "not proven", "forbidden", "network",   "unknown", "pruned"};
    unsigned number = (unsigned)result;
    return number < sizeof names / sizeof names[0] ? names[number] : "no result";
}

const char *systole_error_text(void)
{
    return sy_systole_error.text;
}

const char *systole_version(void)
{
    return SYSTOLE_VERSION;
}

void systole_free(void *text)
{
    free(text);
}

enum systole_result sy_systole_no_memory(void)
{
    return sy_systole_result(sy_fail(&sy_systole_error, SY_ERR_NO_MEMORY, "no memory"));
}

/* ---- networks ----------------------------------------------------------------------------- */

static sy_status take_addresses(systole_network *network, const char *const *addresses,
                                size_t count)
{
    if (count == 0) return SY_OK;
    if (count != network->genesis.roster.count) {
        return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                       "%zu addresses for %u validators: give one each", count,
                       (unsigned)network->genesis.roster.count);
    }
    for (size_t i = 0; i < count; i++) {
        SY_TRY(sy_address_parse(NULL, addresses[i], &sy_systole_error));
        if (strlen(addresses[i]) > SY_ADDRESS_BYTES_MAX) {
            return sy_fail(&sy_systole_error, SY_ERR_LIMIT, "address %zu is too long", i);
        }
        memcpy(network->addresses[i], addresses[i], strlen(addresses[i]) + 1);
        network->pointers[i] = network->addresses[i];
    }
    return SY_OK;
}

static sy_status open_asker(sy_asker **asker, const systole_network *network)
{
    bool observed = network->observer.name[0] != '\0';
    struct sy_asker_config config = {.genesis = &network->genesis,
                                     .addresses = network->address_count ? network->pointers : NULL,
                                     .validator = observed ? network->observer.name : NULL,
                                     .observers = &network->observer,
                                     .observer_count = observed};
    return sy_asker_open(asker, &config, &sy_systole_error);
}

enum systole_result systole_network_open(systole_network **out, const char *genesis_path,
                                         const char *const *addresses, size_t address_count)
{
    systole_network *network = (systole_network *)calloc(1, sizeof *network);
    if (!network) return sy_systole_no_memory();
    sy_status status = sy_genesis_load(&network->genesis, genesis_path, &sy_systole_error);
    if (status == SY_OK) status = take_addresses(network, addresses, address_count);
    network->address_count = address_count;
    if (status == SY_OK) status = open_asker(&network->net, network);
    if (status == SY_OK) {
        *out = network;
    } else {
        free(network);
    }
    return sy_systole_result(status);
}

enum systole_result systole_network_observe(systole_network *network, const uint8_t link_key[32],
                                            const char *address)
{
    struct sy_client_observer observer = {.name = "observer"}, before = network->observer;
    sy_asker *asker = NULL;
    sy_status status = sy_address_parse(NULL, address, &sy_systole_error);
    if (status != SY_OK) return sy_systole_result(status);
    if (strlen(address) > SY_ADDRESS_BYTES_MAX) {
        return sy_systole_result(
            sy_fail(&sy_systole_error, SY_ERR_ARGUMENT, "the address is too long"));
    }
    memcpy(observer.link_key.bytes, link_key, sizeof observer.link_key.bytes);
    memcpy(observer.address, address, strlen(address) + 1);
    network->observer = observer;
    status = open_asker(&asker, network);
    if (status == SY_OK) {
        sy_asker_close(network->net);
        network->net = asker;
    } else {
        network->observer = before;
    }
    return sy_systole_result(status);
}

void systole_network_close(systole_network *network)
{
    if (!network) return;
    sy_asker_close(network->net);
    free(network);
}

void systole_network_get_hash(const systole_network *network, uint8_t hash[32])
{
    memcpy(hash, network->genesis.hash.bytes, 32);
}

unsigned systole_network_count(const systole_network *network)
{
    return sy_epochs_newest(sy_asker_epochs(network->net))->count;
}

/* ---- keys --------------------------------------------------------------------------------- */

static enum systole_result box_key(systole_key **out, sy_secret_key *key)
{
    systole_key *box = (systole_key *)calloc(1, sizeof *box);
    if (!box) {
        sy_secret_key_close(key);
        return sy_systole_no_memory();
    }
    box->key = key;
    *out = box;
    return SYSTOLE_OK;
}

enum systole_result systole_key_load(systole_key **key, const char *path,
                                     const char *passphrase_path)
{
    sy_secret_key *secret = NULL;
    sy_status status = sy_secret_key_load(&secret, path, passphrase_path, &sy_systole_error);
    return status == SY_OK ? box_key(key, secret) : sy_systole_result(status);
}

enum systole_result systole_key_generate(systole_key **key, const char *path,
                                         const char *passphrase_path)
{
    sy_secret_key *secret = NULL;
    sy_status status = sy_secret_key_generate(&secret, &sy_systole_error);
    if (status == SY_OK && path) {
        status = sy_secret_key_save(secret, path, passphrase_path, &sy_systole_error);
    }
    if (status == SY_OK) return box_key(key, secret);
    sy_secret_key_close(secret);
    return sy_systole_result(status);
}

void systole_key_close(systole_key *key)
{
    if (!key) return;
    sy_secret_key_close(key->key);
    free(key);
}

void systole_key_get_public(const systole_key *key, uint8_t public_key[32])
{
    struct sy_public_key half;
    sy_secret_key_public(key->key, &half);
    memcpy(public_key, half.bytes, sizeof half.bytes);
}

/* ---- transactions ------------------------------------------------------------------------- */

static enum systole_result box_tx(systole_tx **out, sy_draft *draft)
{
    systole_tx *box = (systole_tx *)calloc(1, sizeof *box);
    if (!box) {
        sy_draft_close(draft);
        return sy_systole_no_memory();
    }
    box->draft = draft;
    *out = box;
    return SYSTOLE_OK;
}

/* Everything but the payload. */
static sy_status fill_envelope(struct sy_tx *tx, const struct sy_kind *kind,
                               const struct systole_tx_config *config)
{
    if (!config->signer || config->nonce == 0) {
        return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                       "a transaction needs a signer and a nonce");
    }
    if (config->cosigner_count > SY_TX_COSIGNERS_MAX) {
        return sy_fail(&sy_systole_error, SY_ERR_ARGUMENT, "at most %u cosigners",
                       SY_TX_COSIGNERS_MAX);
    }
    tx->kind = kind->number;
    tx->nonce = config->nonce;
    tx->valid_until_ms =
        config->valid_until_ms ? config->valid_until_ms : sy_os_wall_ms() + 3600 * 1000;
    memcpy(tx->signer.bytes, config->signer, 32);
    if (config->organisation) memcpy(tx->organisation.bytes, config->organisation, 32);
    tx->cosigner_count = (uint8_t)config->cosigner_count;
    for (size_t i = 0; i < config->cosigner_count; i++) {
        memcpy(tx->cosigners[i].bytes, config->cosigners + 32 * i, 32);
    }
    return SY_OK;
}

enum systole_result systole_tx_make(systole_tx **tx, const systole_network *network,
                                    const struct systole_tx_config *config)
{
    struct sy_tx fields;
    sy_draft *draft = NULL;
    memset(&fields, 0, sizeof fields);
    if (config->struct_bytes < sizeof *config || !config->kind || !config->fields) {
        return sy_systole_result(sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                                         "set struct_bytes, kind and fields of the configuration"));
    }
    const struct sy_kind *kind = sy_kind_by_name(config->kind);
    if (!kind) {
        return sy_systole_result(
            sy_fail(&sy_systole_error, SY_ERR_ARGUMENT, "there is no kind '%.60s'", config->kind));
    }
    uint8_t *payload = (uint8_t *)malloc(SY_TX_BYTES_MAX);
    if (!payload) return sy_systole_no_memory();
    struct sy_writer w = sy_writer_of(payload, SY_TX_BYTES_MAX);
    struct sy_slice json = sy_slice_of(config->fields, strlen(config->fields));
    sy_status status = fill_envelope(&fields, kind, config);
    if (status == SY_OK) status = sy_payload_from_json(&w, kind, json, "fields", &sy_systole_error);
    fields.payload = sy_writer_slice(&w);
    if (status == SY_OK)
        status = sy_draft_make(&draft, &network->genesis, &fields, &sy_systole_error);
    free(payload);
    return status == SY_OK ? box_tx(tx, draft) : sy_systole_result(status);
}

enum systole_result systole_tx_parse(systole_tx **tx, const systole_network *network,
                                     const char *text, size_t size)
{
    sy_draft *draft = NULL;
    sy_status status = sy_draft_parse(&draft, &network->genesis, sy_slice_of(text, size),
                                      "transaction", &sy_systole_error);
    return status == SY_OK ? box_tx(tx, draft) : sy_systole_result(status);
}

void systole_tx_close(systole_tx *tx)
{
    if (!tx) return;
    sy_draft_close(tx->draft);
    free(tx);
}

/* Gives a writer's text away; the writer is done. */
static enum systole_result give_text(char **out, sy_json *json)
{
    const char *text = sy_json_finish(json);
    char *copy = text ? strdup(text) : NULL;
    sy_json_free(json);
    if (!copy) return sy_systole_no_memory();
    *out = copy;
    return SYSTOLE_OK;
}

enum systole_result systole_tx_get_text(const systole_tx *tx, char **text)
{
    sy_json json;
    sy_json_init_growing(&json, TEXT_BYTES_MAX);
    sy_json_set_pretty(&json);
    sy_draft_to_json(tx->draft, &json);
    return give_text(text, &json);
}

void systole_tx_get_id(const systole_tx *tx, uint8_t tx_id[32])
{
    struct sy_hash id;
    sy_draft_id(tx->draft, &id);
    memcpy(tx_id, id.bytes, sizeof id.bytes);
}

enum systole_result systole_tx_prove(systole_tx *tx, const systole_network *network,
                                     const systole_key *key)
{
    unsigned proven;
    return sy_systole_result(
        sy_draft_prove(tx->draft, &proven, key->key, &network->genesis, &sy_systole_error));
}

enum systole_result systole_tx_approve(systole_tx *tx, const systole_network *network,
                                       const systole_key *key)
{
    return sy_systole_result(
        sy_draft_approve(tx->draft, key->key, &network->genesis, &sy_systole_error));
}

enum systole_result systole_tx_sign(systole_tx *tx, const systole_network *network,
                                    const systole_key *key)
{
    unsigned place;
    return sy_systole_result(
        sy_draft_sign(tx->draft, &place, key->key, &network->genesis, &sy_systole_error));
}

unsigned systole_tx_missing(const systole_tx *tx)
{
    return sy_draft_missing(tx->draft);
}

/* ---- asking ------------------------------------------------------------------------------- */

systole_proof *sy_systole_new_proof(void)
{
    return (systole_proof *)calloc(1, sizeof(systole_proof));
}

/* Hands a proof over, or throws it away. */
enum systole_result sy_systole_give_proof(systole_proof **out, systole_proof *proof,
                                          sy_status status)
{
    if (status == SY_OK) {
        *out = proof;
    } else {
        systole_proof_close(proof);
    }
    return sy_systole_result(status);
}

enum systole_result systole_submit(systole_network *network, const systole_tx *tx)
{
    uint16_t code;
    sy_status status = sy_draft_check(tx->draft, &network->genesis, &sy_systole_error);
    if (status == SY_OK) {
        status = sy_asker_submit(network->net, &code, sy_draft_bytes(tx->draft), &sy_systole_error);
    }
    return sy_systole_result(status);
}

enum systole_result systole_wait(systole_network *network, systole_proof **out,
                                 const systole_tx *tx, int timeout_ms)
{
    struct sy_awaited awaited;
    sy_status status = sy_draft_check(tx->draft, &network->genesis, &sy_systole_error);
    if (status != SY_OK) return sy_systole_result(status);
    sy_awaited_of(&awaited, &network->genesis.hash, sy_draft_tx(tx->draft));
    systole_proof *proof = sy_systole_new_proof();
    if (!proof) return sy_systole_no_memory();
    status = sy_asker_wait(network->net, &proof->proven, &awaited, true,
                           timeout_ms < 0 ? 0 : timeout_ms, &sy_systole_error);
    return sy_systole_give_proof(out, proof, status);
}

enum systole_result systole_settle(systole_network *network, systole_proof **out,
                                   const systole_tx *tx, int timeout_ms)
{
    uint16_t code;
    sy_status status = sy_draft_check(tx->draft, &network->genesis, &sy_systole_error);
    if (status != SY_OK) return sy_systole_result(status);
    systole_proof *proof = sy_systole_new_proof();
    if (!proof) return sy_systole_no_memory();
    status = sy_asker_settle(network->net, &proof->proven, &code, sy_draft_bytes(tx->draft), true,
                             timeout_ms < 0 ? 0 : timeout_ms, &sy_systole_error);
    return sy_systole_give_proof(out, proof, status);
}

/* ---- notices ------------------------------------------------------------------------------ */

enum systole_result systole_watch_open(systole_watch **out, systole_network *network,
                                       enum systole_subject kind, const uint8_t subject[32],
                                       uint64_t from, const systole_key *key,
                                       enum systole_purpose purpose)
{
    struct sy_watch_config config = {.asker = network->net,
                                     .key = key->key,
                                     .subject_kind = (uint8_t)kind,
                                     .from = from,
                                     .purpose = (uint8_t)purpose};
    bool known = kind >= SYSTOLE_SUBJECT_ORGANISATION && kind <= SYSTOLE_SUBJECT_PATIENT &&
                 purpose >= SYSTOLE_PURPOSE_TREATMENT && purpose <= SYSTOLE_PURPOSE_EMERGENCY;
    if (from == 0 || !known) {
        return sy_systole_result(
            sy_fail(&sy_systole_error, SY_ERR_ARGUMENT,
                    "numbers begin with 1; kind and purpose are of their enums"));
    }
    memcpy(config.subject.bytes, subject, sizeof config.subject.bytes);
    systole_watch *box = (systole_watch *)calloc(1, sizeof *box);
    if (!box) return sy_systole_no_memory();
    sy_status status = sy_watch_open(&box->watch, &config, &sy_systole_error);
    if (status == SY_OK) {
        *out = box;
    } else {
        free(box);
    }
    return sy_systole_result(status);
}

void systole_watch_close(systole_watch *watch)
{
    if (!watch) return;
    sy_watch_close(watch->watch);
    free(watch);
}

enum systole_result systole_watch_next(systole_watch *watch, struct systole_notice *notice,
                                       int timeout_ms)
{
    struct sy_notice told;
    if (notice->struct_bytes < sizeof *notice) {
        return sy_systole_result(
            sy_fail(&sy_systole_error, SY_ERR_ARGUMENT, "set the notice's struct_bytes"));
    }
    sy_status status = sy_watch_next(watch->watch, &told, timeout_ms, &sy_systole_error);
    if (status != SY_OK) return sy_systole_result(status);
    notice->number = told.number;
    notice->shown = told.shown;
    notice->event = told.shown ? sy_event_name(told.kind) : "";
    memcpy(notice->object, told.object.bytes, sizeof notice->object);
    memcpy(notice->tx_id, told.tx_id.bytes, sizeof notice->tx_id);
    notice->height = told.height;
    notice->time_ms = told.time_ms;
    notice->global_number = told.global_number;
    return SYSTOLE_OK;
}

/* ---- proofs ------------------------------------------------------------------------------- */

enum systole_result systole_proof_verify(systole_proof **out, const systole_network *network,
                                         const void *bytes, size_t size)
{
    const char *what = "";
    systole_proof *proof = sy_systole_new_proof();
    uint8_t *copy = (uint8_t *)malloc(size + 1);
    if (!proof || !copy) {
        free(proof);
        free(copy);
        return sy_systole_no_memory();
    }
    if (size > 0) memcpy(copy, bytes, size);
    sy_status status =
        sy_proven_take(&proof->proven, copy, size, &network->genesis, &sy_systole_error);
    if (status == SY_OK && !sy_proof_verify(&proof->proven.proof, &network->genesis, NULL, &what)) {
        status = sy_fail(&sy_systole_error, SY_ERR_CRYPTO, "the proof does not hold: %s", what);
    }
    return sy_systole_give_proof(out, proof, status);
}

void systole_proof_close(systole_proof *proof)
{
    if (!proof) return;
    sy_proven_free(&proof->proven);
    free(proof);
}

void systole_proof_get_bytes(const systole_proof *proof, const void **bytes, size_t *size)
{
    *bytes = proof->proven.bytes;
    *size = proof->proven.size;
}

void systole_proof_get_info(const systole_proof *proof, struct systole_proof_info *out)
{
    const struct sy_proof *from = &proof->proven.proof;
    const struct sy_receipt *receipt = &proof->proven.receipt;
    struct systole_proof_info info = {.struct_bytes = out->struct_bytes,
                                      .kind = from->kind,
                                      .height = from->header.height,
                                      .time_ms = from->header.time_ms,
                                      .seals = from->certificate.count};
    memcpy(info.state_root, from->header.state_root.bytes, 32);
    if (from->kind == SY_PROOF_RECEIPT) {
        memcpy(info.tx_id, receipt->tx_id.bytes, 32);
        info.index = receipt->index;
        info.code = receipt->code;
        info.part = receipt->part;
    } else {
        info.present = from->state.present;
        if (from->state.present) {
            info.value = from->state.value.data;
            info.value_size = from->state.value.size;
        }
    }
    // A caller compiled against an earlier header has a shorter struct.
    memcpy(out, &info, out->struct_bytes < sizeof info ? out->struct_bytes : sizeof info);
}

enum systole_result systole_proof_get_json(const systole_proof *proof,
                                           const systole_network *network, char **text)
{
    sy_json json;
    sy_json_init_growing(&json, TEXT_BYTES_MAX);
    sy_json_set_pretty(&json);
    sy_proof_to_json(&json, &proof->proven.proof, &network->genesis);
    return give_text(text, &json);
}

/* ---- words -------------------------------------------------------------------------------- */

enum systole_result systole_explain(char **out, const char *word)
{
    uint64_t number = 0;
    const struct sy_kind *kind = sy_kind_by_name(word);
    const struct sy_refusal_info *info = sy_refusal_by_name(word);
    if (sy_parse_u64(&number, word, 0, UINT16_MAX)) {
        for (unsigned i = 0; (info = sy_refusal_at(i)) != NULL && info->number != number;) i++;
    }
    if (!kind && !info) {
        return sy_systole_result(
            sy_fail(&sy_systole_error, SY_ERR_NOT_FOUND, "there is no kind or code '%.60s'", word));
    }
    char *text = (char *)malloc(SY_CATALOGUE_BYTES_MAX + 1);
    if (!text) return sy_systole_no_memory();
    struct sy_writer w = sy_writer_of(text, SY_CATALOGUE_BYTES_MAX);
    if (kind) {
        sy_kind_explain(&w, kind);
    } else {
        sy_refusal_explain(&w, info->number);
    }
    text[w.used] = '\0';
    *out = text;
    return SYSTOLE_OK;
}

const char *systole_code_name(uint16_t code)
{
    return sy_refusal_info(code)->name;
}

const char *systole_code_sentence(uint16_t code)
{
    return sy_refusal_info(code)->sentence;
}

const char *systole_code_remedy(uint16_t code)
{
    return sy_refusal_info(code)->remedy;
}
