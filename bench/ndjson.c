/* ndjson.c: a stream that looks like a hospital group's export: a few organisations and
 * practitioners, then patients, each with encounters and their observations. Every line names only
 * what stood before it. The same seed gives the same bytes. */
#include "bench/ndjson.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "core/base/bytes.h"
#include "core/base/prng.h"

#define ORGANISATIONS 8u
#define PRACTITIONERS 64u
#define ENCOUNTERS_A_PATIENT 4u
#define OBSERVATIONS_AN_ENCOUNTER 12u

static const char usage[] =
    "usage: systole-bench ndjson [--bytes N] [--seed S]\n"
    "\n"
    "  --bytes N   stop at the first line end at or after so many bytes (1048576)\n"
    "  --seed S    another seed, another stream (1)\n";

struct stream {
    sy_prng prng;
    uint64_t written;
    uint64_t limit;
    uint64_t seed;
};

/* Takes printf's result; a line that could not be written ends the stream. */
static bool count(struct stream *stream, int size)
{
    if (size < 0) return false;
    stream->written += (uint64_t)size;
    return stream->written < stream->limit;
}

static bool put_directory(struct stream *stream)
{
    for (unsigned i = 0; i < ORGANISATIONS; i++) {
        bool more = count(stream, printf("{\"resourceType\":\"Organization\",\"id\":\"o%" PRIu64
                                         "-%u\",\"active\":true,\"name\":\"Hospital %u\"}\n",
                                         stream->seed, i, i));
        if (!more) return false;
    }
    for (unsigned i = 0; i < PRACTITIONERS; i++) {
        bool more =
            count(stream, printf("{\"resourceType\":\"Practitioner\",\"id\":\"d%" PRIu64
                                 "-%u\",\"active\":true,\"name\":[{\"family\":\"Doctor%u\"}]}\n",
                                 stream->seed, i, i));
        if (!more) return false;
    }
    return true;
}

static bool put_observation(struct stream *stream, uint64_t patient, unsigned encounter,
                            unsigned index, unsigned doctor)
{
    unsigned whole = (unsigned)sy_prng_below(&stream->prng, 300);
    uint64_t parts = sy_prng_below(&stream->prng, 1000000000000000ull);
    return count(
        stream,
        printf("{\"resourceType\":\"Observation\",\"id\":\"b%" PRIu64 "-%" PRIu64
               "-%u-%u\",\"status\":\"final\",\"category\":[{\"coding\":[{\"system\":"
               "\"http://terminology.hl7.org/CodeSystem/observation-category\",\"code\":"
               "\"vital-signs\",\"display\":\"vital-signs\"}]}],\"code\":{\"coding\":[{\"system\":"
               "\"http://loinc.org\",\"code\":\"8302-2\",\"display\":\"Body Height\"}],\"text\":"
               "\"Body Height\"},\"subject\":{\"reference\":\"Patient/p%" PRIu64 "-%" PRIu64
               "\"},\"encounter\":{\"reference\":\"Encounter/e%" PRIu64 "-%" PRIu64
               "-%u\"},\"performer\":[{\"reference\":\"Practitioner/d%" PRIu64
               "-%u\"}],\"effectiveDateTime\":\"2020-03-01T09:30:00+00:00\",\"issued\":"
               "\"2020-03-01T09:30:00.000+00:00\",\"valueQuantity\":{\"value\":%u.%015" PRIu64
               ",\"unit\":\"cm\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"cm\"}}\n",
               stream->seed, patient, encounter, index, stream->seed, patient, stream->seed,
               patient, encounter, stream->seed, doctor, whole, parts));
}

static bool put_encounter(struct stream *stream, uint64_t patient, unsigned encounter,
                          unsigned organisation)
{
    unsigned doctor = (unsigned)sy_prng_below(&stream->prng, PRACTITIONERS);
    bool more = count(
        stream,
        printf("{\"resourceType\":\"Encounter\",\"id\":\"e%" PRIu64 "-%" PRIu64
               "-%u\",\"status\":\"finished\",\"class\":{\"code\":\"AMB\"},\"subject\":"
               "{\"reference\":\"Patient/p%" PRIu64 "-%" PRIu64 "\"},\"participant\":[{"
               "\"individual\":{\"reference\":\"Practitioner/d%" PRIu64
               "-%u\"}}],\"serviceProvider\":{\"reference\":\"Organization/o%" PRIu64 "-%u\"}}\n",
               stream->seed, patient, encounter, stream->seed, patient, stream->seed, doctor,
               stream->seed, organisation));
    for (unsigned i = 0; more && i < OBSERVATIONS_AN_ENCOUNTER; i++) {
        more = put_observation(stream, patient, encounter, i, doctor);
    }
    return more;
}

static bool put_patient(struct stream *stream, uint64_t patient)
{
    unsigned organisation = (unsigned)(patient % ORGANISATIONS);
    bool more =
        count(stream,
              printf("{\"resourceType\":\"Patient\",\"id\":\"p%" PRIu64 "-%" PRIu64
                     "\",\"gender\":\"unknown\",\"birthDate\":\"1970-01-01\","
                     "\"managingOrganization\":{\"reference\":\"Organization/o%" PRIu64 "-%u\"}}\n",
                     stream->seed, patient, stream->seed, organisation));
    for (unsigned i = 0; more && i < ENCOUNTERS_A_PATIENT; i++) {
        more = put_encounter(stream, patient, i, organisation);
    }
    return more;
}

int sy_bench_ndjson(int argc, char **argv)
{
    static const struct option longs[] = {{"bytes", required_argument, NULL, 'b'},
                                          {"seed", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    struct stream stream = {.limit = 1u << 20, .seed = 1};
    bool fine = true;
    int option;
    optind = 1;
    while (fine && (option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (option) {
        case 'b': fine = sy_parse_u64(&stream.limit, optarg, 1, UINT64_MAX); break;
        case 's': fine = sy_parse_u64(&stream.seed, optarg, 0, UINT64_MAX); break;
        default: fine = false;
        }
    }
    if (!fine || optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    sy_prng_seed(&stream.prng, stream.seed);
    bool more = put_directory(&stream);
    for (uint64_t patient = 0; more; patient++) more = put_patient(&stream, patient);
    if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
    fputs("systole-bench ndjson: the output cannot be written\n", stderr);
    return 1;
}
