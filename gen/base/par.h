/* Data parallel loops over all cores. */
#ifndef LUTRA_BASE_PAR_H
#define LUTRA_BASE_PAR_H

#include <stddef.h>

/* Number of worker threads: LUTRA_JOBS if set, else the online cores. */
int lt_jobs(void);

/* Calls fn(ctx, i, worker) for every i in 0..n-1, each once, from lt_jobs() threads; worker is 0..lt_jobs()-1.
 * Results must not depend on which worker ran which i. */
void lt_parallel_for(size_t n, void (*fn)(void *ctx, size_t i, int worker), void *ctx);

#endif
