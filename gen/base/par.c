#include "base/par.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_JOBS = 64 };

int lt_jobs(void)
{
    const char *s = getenv("LUTRA_JOBS");
    long n = s ? strtol(s, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > MAX_JOBS ? MAX_JOBS : (int)n;
}

typedef struct {
    atomic_size_t next;
    size_t n;
    void (*fn)(void *, size_t, int);
    void *ctx;
} loop;

typedef struct {
    loop *l;
    int worker;
} seat;

static void *work(void *arg)
{
    seat *s = arg;
    for (size_t i; (i = atomic_fetch_add(&s->l->next, 1)) < s->l->n;) s->l->fn(s->l->ctx, i, s->worker);
    return NULL;
}

void lt_parallel_for(size_t n, void (*fn)(void *ctx, size_t i, int worker), void *ctx)
{
    pthread_t threads[MAX_JOBS];
    seat seats[MAX_JOBS];
    loop l = {.n = n, .fn = fn, .ctx = ctx};
    int jobs = lt_jobs(), started = 1;

    if ((size_t)jobs > n) jobs = n ? (int)n : 1;
    for (int i = 0; i < jobs; i++) seats[i] = (seat){&l, i};
    while (started < jobs && pthread_create(&threads[started], NULL, work, &seats[started]) == 0) started++;
    work(&seats[0]);
    for (int i = 1; i < started; i++) pthread_join(threads[i], NULL);
}
