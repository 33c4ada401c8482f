#include "train/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/par.h"

enum { MAX_WORKERS = 64 };

struct lt_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    unsigned long turn; /* number of the loop that runs; guarded by lock, as are the next three */
    int busy;
    bool stop;
    int workers;
    void (*fn)(void *, size_t, int);
    void *ctx;
    size_t n;
    atomic_size_t next;
    pthread_t threads[MAX_WORKERS];
    struct seat {
        lt_pool *pool;
        int worker;
    } seats[MAX_WORKERS];
};

static void drain(lt_pool *p, int worker)
{
    for (size_t i; (i = atomic_fetch_add(&p->next, 1)) < p->n;) p->fn(p->ctx, i, worker);
}

static void *serve(void *arg)
{
    struct seat *s = arg;
    lt_pool *p = s->pool;
    unsigned long seen = 0;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->stop && p->turn == seen) pthread_cond_wait(&p->work, &p->lock);
        if (p->stop) break;
        seen = p->turn;
        pthread_mutex_unlock(&p->lock);
        drain(p, s->worker);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0) pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

lt_code lt_pool_create(lt_pool **out, int workers, lt_err *err)
{
    lt_pool *p = calloc(1, sizeof *p);

    *out = p;
    if (!p) return lt_fail(err, LT_EMEM, "out of memory");
    if (workers < 1) workers = lt_jobs();
    if (workers > MAX_WORKERS) workers = MAX_WORKERS;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    for (p->workers = 1; p->workers < workers; p->workers++) {
        p->seats[p->workers] = (struct seat){p, p->workers};
        if (pthread_create(&p->threads[p->workers], NULL, serve, &p->seats[p->workers]) != 0) break;
    }
    return LT_OK;
}

void lt_pool_free(lt_pool *p)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->workers; i++) pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

int lt_pool_size(const lt_pool *p)
{
    return p->workers;
}

void lt_pool_run(lt_pool *p, size_t n, void (*fn)(void *ctx, size_t i, int worker), void *ctx)
{
    if (p->workers == 1 || n < 2) {
        for (size_t i = 0; i < n; i++) fn(ctx, i, 0);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    p->n = n;
    atomic_store(&p->next, 0);
    p->busy = p->workers - 1;
    p->turn++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    drain(p, 0);
    pthread_mutex_lock(&p->lock);
    while (p->busy) pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
