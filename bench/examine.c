#include "bench/examine.h"

#include <stdio.h>

#include "core/client/audit.h"
#include "core/client/cmd_validator.h"

#define VIEW_AGE_MS 86400000u

/* Counts what was told final and this store has no trace of. */
static sy_status search(sy_store *store, const struct sy_told *told, uint64_t *missing)
{
    sy_store_reader *reader;
    SY_TRY(sy_store_reader_open(&reader, store));
    sy_status status = SY_OK;
    for (uint32_t i = 0; status == SY_OK && i < told->txs->count; i++) {
        struct sy_tx_position position;
        size_t found = 0;
        if (!told->told_final[i]) continue;
        status = sy_ledger_find_tx(reader, &position, &found, 1, &told->txs->awaited[i].tx_id);
        *missing += found == 0;
    }
    sy_store_reader_close(reader);
    return status;
}

static sy_status look_into(const struct sy_examine_config *config, sy_store *store,
                           const struct sy_genesis *genesis, struct sy_audit_figures *figures,
                           uint64_t *missing, struct sy_error *err)
{
    struct sy_audit_config audit = {.genesis = genesis, .store = store};
    SY_TRY(sy_audit_run(&audit, figures, err));
    for (size_t i = 0; i < config->told_count; i++) {
        sy_status status = search(store, &config->told[i], missing);
        if (status != SY_OK) return sy_fail(err, status, "the ledger cannot be read");
    }
    return SY_OK;
}

static sy_status examine(const struct sy_examine_config *config, struct sy_audit_figures *figures,
                         uint64_t *missing, unsigned validator, struct sy_error *err)
{
    static struct sy_cmd_validator files;
    static struct sy_genesis genesis;
    char folder[600];
    sy_store *store = NULL;
    snprintf(folder, sizeof folder, "%s/v%u", sy_network_dir(config->network), validator);
    SY_TRY(sy_cmd_validator_find(&files, folder, NULL, err));
    SY_TRY(sy_cmd_validator_open(&store, &genesis, &files, VIEW_AGE_MS, err));
    sy_status status = look_into(config, store, &genesis, figures, missing, err);
    sy_store_close(store);
    if (status == SY_OK) return SY_OK;
    char what[sizeof err->text];
    snprintf(what, sizeof what, "%s", err->text);
    return sy_fail(err, status, "%s: %s", folder, what);
}

static bool same(const struct sy_audit_figures *a, const struct sy_audit_figures *b)
{
    return a->txs == b->txs && a->applied == b->applied &&
           sy_hash_equal(&a->state_root, &b->state_root);
}

sy_status sy_examine(struct sy_examination *found, const struct sy_examine_config *config,
                     struct sy_error *err)
{
    struct sy_audit_figures first = {0};
    *found = (struct sy_examination){.audits_equal = true};
    for (unsigned i = 0; i < config->validators; i++) {
        struct sy_audit_figures figures = {0};
        uint64_t missing = 0;
        if (i < 64 && (config->skip >> i & 1)) continue;
        fprintf(stderr, "auditing validator %u of %u\n", i + 1, config->validators);
        SY_TRY(examine(config, &figures, &missing, i, err));
        if (found->audits++ == 0) first = figures;
        if (missing > found->lost) found->lost = missing;
        if (figures.height > found->height) found->height = figures.height;
        found->audits_equal = found->audits_equal && same(&figures, &first);
        if (figures.applied > config->applied_max &&
            figures.applied - config->applied_max > found->twice) {
            found->twice = figures.applied - config->applied_max;
        }
    }
    return SY_OK;
}
