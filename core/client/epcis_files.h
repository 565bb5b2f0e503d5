/* epcis_files.h: all events of some files, judged one after the other, and the report of it, in the
 * form that the importer of records has (importer.h).
 *
 *     files -> documents -> events -> checked, hashed, known again? -> the caller
 *
 * A file holds one document, or one a line (.ndjson, .jsonl). What cannot be read is an issue, and
 * the rest goes on. Each event ends as one of final, duplicate or refused; what neither is yet is
 * the caller's to decide. One thread. */
#ifndef SY_CLIENT_EPCIS_FILES_H
#define SY_CLIENT_EPCIS_FILES_H

#include "core/base/json.h"
#include "core/client/epcis_seen.h"
#include "core/client/importer.h"

#define SY_EPCIS_TYPES (SY_EPCIS_ASSOCIATION + 1u)
#define SY_EPCIS_WHERE_BYTES 160u

struct sy_epcis_report {
    uint64_t files, documents, events, corrections, warnings;
    struct sy_import_type types[SY_EPCIS_TYPES]; /* by enum sy_epcis_type; 0: of no type */
    struct sy_import_issue *issues;              /* the first SY_IMPORT_ISSUES_KEPT */
    size_t issues_kept;
    uint64_t issues_total;
};

/* An event as it is handed on. */
struct sy_epcis_found {
    const struct sy_epcis_event *event;
    const char *file;
    char where[SY_EPCIS_WHERE_BYTES]; /* "line 7, epcisBody.eventList[3]" */
    struct sy_hash hash;
    bool correction; /* it declares an event wrong */
};

/* Is told each event that is good and no duplicate. Anything but SY_OK ends the run. */
typedef sy_status (*sy_epcis_take)(void *self, const struct sy_epcis_found *found,
                                   struct sy_error *err);

/* sy_epcis_report_open prepares an empty report; sy_epcis_report_close frees it (a zeroed one is
 * fine). */
sy_status sy_epcis_report_open(struct sy_epcis_report *report, struct sy_error *err);
void sy_epcis_report_close(struct sy_epcis_report *report);

/* sy_epcis_report_tell adds an issue; refused: it kept something back, else it is a warning. where:
 * the event's place in the file ("": the file), path: in the event, or "". The file's name is
 * borrowed, the rest copied. Counts of types are the caller's. */
void sy_epcis_report_tell(struct sy_epcis_report *report, bool refused, const char *file,
                          const char *where, const char *path, const char *what,
                          const char *remedy);

/* sy_epcis_report_json writes the report's members into an object that is open. */
void sy_epcis_report_json(const struct sy_epcis_report *report, sy_json *json);

/* sy_epcis_files reads the files (names are borrowed as long as the report; "-" is standard input)
 * and hands their good events to take. Fails when memory ends, there are more than
 * SY_EPCIS_EVENTS_MAX events, or take fails. */
sy_status sy_epcis_files(struct sy_epcis_report *report, char *const *files, size_t count,
                         sy_epcis_take take, void *self, struct sy_error *err);

#endif
