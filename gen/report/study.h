/* Results of `lutra study`: one row per setting and seed, kept in a CSV file that is also the state of the study. */
#ifndef LUTRA_REPORT_STUDY_H
#define LUTRA_REPORT_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

typedef struct {
    char name[QN_NAME];
    double error;
} study_layer;

/* Numbers that there are not are NAN. */
typedef struct {
    /* what was tried; fields that do not matter for the method are 0 or "-" */
    char model[80]; /* name and a checksum of its weights */
    char images[QN_NAME];
    int test_images;
    int mode, encoder; /* qpq_mode; qpq_encoder or STUDY_MIRRORED */
    int prototypes, length, lut_bits, enc_bits;
    char fit[64], method[32], assign[32]; /* fit of method STUDY_FILE: the network's name */
    double follow;
    int calib_images, recon_steps, train_images, epochs;
    uint32_t seed;
    uint32_t rest;    /* checksum of all other settings */
    const char *file; /* method STUDY_FILE, of a row that is to be measured: the path */
    bool mixed;       /* of such a row: layers have fewer prototypes than the setting says */
    /* what came of it */
    double float_accuracy, accuracy, mean_error; /* %, %; mean of the layers' */
    double own_cycles; /* per image, of a file's network whose layers have fewer prototypes than its setting */
    double seconds;
    int n_layers;
    study_layer *layers; /* lookup layers: reconstruction error */
    /* of the accelerator that matches it (study_join), and whether nothing is better in both (study_front) */
    char variant[160];
    double cycles, fmax_mhz, area_mm2, per_mm2, core_per_mm2; /* per image; inferences / s / mm2 */
    bool front;
} study_row;

typedef struct {
    study_row *rows;
    size_t n, cap;
} study_table;

void study_free(study_table *t);

/* Its setting in words, in a row of a table or of a list. */
enum { STUDY_SETTING = 96 };
void study_setting(const study_row *row, char text[STUDY_SETTING]);

/* A file that is not there is an empty table; one of another form is LT_EINPUT, as file:line. */
lt_code study_read(const char *path, study_table *t, lt_err *err);
lt_code study_write(const char *path, const study_table *t, lt_err *err);
/* The row in which the same was tried, or NULL. */
study_row *study_find(const study_table *t, const study_row *like);
/* The row of the same file's name and seed, or NULL. */
study_row *study_find_file(const study_table *t, const study_row *like);
/* Takes ownership of row->layers, also on failure. A file's row takes the place of that of its name and seed, which was
 * measured before the file changed. */
lt_code study_add(study_table *t, const study_row *row, lt_err *err);

/* The method of networks that come as files. */
#define STUDY_FILE "file"
bool study_is_file(const study_row *row);

/* Besides qpq_encoder: a tree whose tables are antisymmetric (configuration key pq_mirror). */
enum { STUDY_MIRRORED = QENC_TREE + 1, STUDY_ENCODERS };

static inline qpq_encoder study_encoder(const study_row *row)
{
    return row->encoder == STUDY_MIRRORED ? QENC_TREE : (qpq_encoder)row->encoder;
}

extern const char *const study_modes[];    /* by qpq_mode */
extern const char *const study_encoders[]; /* by qpq_encoder, and STUDY_MIRRORED */

/* ---- study_areas.c: accelerators ---- */

/* One line of a table that flows/explore.sh made. */
typedef struct {
    lt_config cfg;
    char variant[160];
    double cycles, fmax_mhz, area_mm2, per_mm2, core_per_mm2;
} study_area;

typedef struct {
    study_area *areas;
    size_t n, cap;
} study_areas;

void study_areas_free(study_areas *a);
/* base: the configuration that the variants are of; NULL: only the numbers are read (the baseline's table). */
lt_code study_areas_read(const char *path, const lt_config *base, study_areas *a, lt_err *err);
/* The one of most inferences / s / mm2 that computes what the row's setting needs; NULL: none. */
const study_area *study_area_of(const study_areas *a, const lt_config *base, const study_row *row);
/* Fills the columns of the accelerator in every row. */
void study_join(study_table *t, const study_areas *a, const lt_config *base);

/* base changed so that it runs the row's setting at the same rate of lookups: as KEY=VALUE,... (what explore.sh takes;
 * empty: base itself). LT_EINPUT if no such configuration is legal. */
lt_code study_variant(const lt_config *base, const study_row *row, lt_config *cfg, lt_buf *text, lt_err *err);

/* ---- study_groups.c, study_md.c, study_plot.c: the report ---- */

/* Rows that differ in nothing but the seed (files: and their contents). */
typedef struct {
    const study_row *row; /* one of them */
    int n;
    double accuracy, spread, error, reference; /* mean, largest distance from it, means of the mean errors and of the
                                                  float network's accuracy */
    bool front;
} study_group;

/* Groups of the rows of this model and these test images, in the order of the table; *groups is freed by the caller. */
lt_code study_group_rows(const study_table *t, const study_row *like, study_group **groups, size_t *n, lt_err *err);
/* Marks groups, and their rows in t, than which none is better in accuracy and in inferences / s / mm2. */
void study_front(study_table *t, study_group *groups, size_t n);

typedef struct {
    const char *command; /* regenerates everything */
    const char *config;  /* base configuration, NULL: none */
    double baseline;     /* inferences / s / mm2 of the best conventional accelerator, NAN: none */
    const char *baseline_name;
} study_origin;

/* Each appends one whole document. */
void study_markdown(const study_group *g, size_t n, const study_origin *o, lt_buf *b);
/* A gnuplot script that writes an SVG: accuracy against inferences / s / mm2 with the front, and against the error. */
void study_gnuplot(const study_group *g, size_t n, const char *svg, lt_buf *b);

#endif
