/* What the runs cost, per layer and in total, and whether the cycle model said so. */
#ifndef LUTRA_TB_STATS_H
#define LUTRA_TB_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include "sim.h"

/* Sums over all images. A layer's share is the difference between its profile record and the one before. */
typedef struct {
    uint64_t cycles, exec_busy, read_stall, write_stall, core_stall, read_beats, write_beats;
} tb_layer_stats;

typedef struct {
    int images, runs, batch; /* a run works on a batch of images */
    lutra_layer *info;       /* [layers] */
    tb_layer_stats *layer;   /* [layers] */
    int layers;
    tb_layer_stats total;    /* of the counters at the end of each run */
    uint64_t macs;           /* of one image */
    uint64_t first_latency;  /* clock cycles from the driver's call to its return, first image */
    uint64_t first_end, end; /* clock at the return of the first and of the last image */
    bool predicted;          /* compared with the cycle model */
    bool exact;              /* ... and every record equal */
    char difference[240];    /* the first one that is not, */
    char differing[120];     /* and the names of all counters that ever differ, each after a space */
} tb_stats;

lt_code tb_stats_init(tb_stats *s, const lutra_image *image, lt_err *err);
void tb_stats_free(tb_stats *s);

/* Adds a run; LT_EINTERNAL if its profile records make no sense. */
lt_code tb_stats_add(tb_stats *s, const lutra_image *image, const tb_run *run, lt_err *err);
/* Compares a run with the image's prediction: every counter of every record must be equal. */
void tb_stats_compare(tb_stats *s, const lutra_image *image, const tb_run *run);

/* Clock cycles per image in the long run: (tN - t1) / (N - 1); 0 with less than two images. */
double tb_stats_steady(const tb_stats *s);
/* Used part of what the core could have multiplied in these cycles; negative if the image does not say. */
double tb_stats_utilisation(const tb_stats *s, int layer);

#endif
