/* ndjson.h: `systole-bench ndjson`: FHIR R4 resources without end, one a line, from a seed. */
#ifndef SY_BENCH_NDJSON_H
#define SY_BENCH_NDJSON_H

/* sy_bench_ndjson runs the command; argv[0] is its name. Returns the exit code. */
int sy_bench_ndjson(int argc, char **argv);

#endif
