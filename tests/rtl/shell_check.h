/* Running a program and comparing everything it leaves behind. */
#ifndef LUTRA_TESTS_SHELL_CHECK_H
#define LUTRA_TESTS_SHELL_CHECK_H

#include "shell_bench.h"

/* After a program ended well: memory, load words, status, counters, profile records, against the reference and what the
 * bench saw. Returns the counters. */
lt_counters check_results(bench *b, program *p);

/* Runs a random program; without stalls its counters must also be those of the cycle model. */
void check_random(bench *b, program *p, lt_rng *rng, uint64_t seed, bool stalls);

/* The programs so far made every counter count. */
void check_coverage(bench *b);

#endif
