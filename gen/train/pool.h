/* Threads that stay: a training step is about eighty short parallel loops, too many to start threads for each. */
#ifndef LUTRA_TRAIN_POOL_H
#define LUTRA_TRAIN_POOL_H

#include <stddef.h>
#include "base/err.h"

typedef struct lt_pool lt_pool;

/* `workers` threads in all, the caller being one of them; 0: lt_jobs(). If the system refuses threads there are fewer.
 */
lt_code lt_pool_create(lt_pool **p, int workers, lt_err *err);
void lt_pool_free(lt_pool *p);
int lt_pool_size(const lt_pool *p);

/* Calls fn(ctx, i, worker) for every i in 0..n-1, each once; worker is 0..lt_pool_size()-1. Returns when all are done.
 * Results must not depend on which worker ran which i. */
void lt_pool_run(lt_pool *p, size_t n, void (*fn)(void *ctx, size_t i, int worker), void *ctx);

#endif
