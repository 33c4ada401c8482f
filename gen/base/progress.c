#include "base/progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct lt_progress {
    pthread_mutex_t lock;
    const char *what;
    size_t total, done;
    double start, shown;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

lt_progress *lt_progress_start(const char *what, size_t total)
{
    if (!isatty(STDERR_FILENO)) return NULL;
    lt_progress *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    pthread_mutex_init(&p->lock, NULL);
    p->what = what;
    p->total = total;
    p->start = p->shown = now();
    return p;
}

void lt_progress_add(lt_progress *p, size_t done)
{
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->done += done;
    double t = now();
    if (t - p->shown > 0.2 && p->done) {
        double left = (t - p->start) * (double)(p->total - p->done) / (double)p->done;
        fprintf(stderr, "\r%s: %zu/%zu (%.0f %%), %.0f s left   ", p->what, p->done, p->total,
                100.0 * (double)p->done / (double)p->total, left);
        p->shown = t;
    }
    pthread_mutex_unlock(&p->lock);
}

void lt_progress_end(lt_progress *p)
{
    if (!p) return;
    fprintf(stderr, "\r%s: %zu in %.1f s%30s\n", p->what, p->done, now() - p->start, "");
    pthread_mutex_destroy(&p->lock);
    free(p);
}
