#include "model/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/par.h"

enum {
    CIFAR_SIDE = 32,
    CIFAR_PIXELS = 3 * CIFAR_SIDE * CIFAR_SIDE,
    CIFAR_RECORD = 1 + CIFAR_PIXELS,
    CIFAR_MAX_RECORDS = 100000, /* of one file */
    DEFAULT_IMAGES = 10000
};

void lt_dataset_free(lt_dataset *d)
{
    free(d->pixels);
    free(d->labels);
    *d = (lt_dataset){0};
}

static lt_code grow(lt_dataset *d, size_t more, lt_err *err)
{
    size_t n = (size_t)d->n + more;
    uint8_t *p = realloc(d->pixels, n * lt_image_size(d) + 1);
    if (p) d->pixels = p;
    uint8_t *l = realloc(d->labels, n + 1);
    if (l) d->labels = l;
    return p && l ? LT_OK : lt_fail(err, LT_EMEM, "%s: out of memory for %zu images", d->name, n);
}

lt_code lt_cifar10_append(lt_dataset *d, const char *path, int max, lt_err *err)
{
    char *data;
    size_t len;

    LT_TRY(lt_read_file(path, (size_t)CIFAR_RECORD * CIFAR_MAX_RECORDS, &data, &len, err));
    size_t n = len / CIFAR_RECORD, take = max < (int)n ? (size_t)(max < 0 ? 0 : max) : n;
    lt_code rc = LT_OK;
    if (len == 0 || len % CIFAR_RECORD)
        rc = lt_fail(err, LT_EINPUT, "%s: %zu bytes, expected a positive multiple of the %d-byte CIFAR-10 record%s",
                     path, len, CIFAR_RECORD, len ? ": truncated or another format" : "");
    for (size_t i = 0; i < n && rc == LT_OK; i++)
        if ((uint8_t)data[i * CIFAR_RECORD] > 9)
            rc = lt_fail(err, LT_EINPUT, "%s: record %zu: label %d, expected 0..9", path, i,
                         (uint8_t)data[i * CIFAR_RECORD]);
    if (rc == LT_OK) {
        if (!d->name[0]) snprintf(d->name, sizeof d->name, "cifar10");
        d->c = 3;
        d->h = d->w = CIFAR_SIDE;
        d->classes = 10;
        rc = grow(d, take, err);
    }
    for (size_t i = 0; i < take && rc == LT_OK; i++) {
        const char *rec = data + i * CIFAR_RECORD;
        d->labels[d->n] = (uint8_t)rec[0];
        memcpy(d->pixels + (size_t)d->n * CIFAR_PIXELS, rec + 1, CIFAR_PIXELS);
        d->n++;
    }
    free(data);
    return rc;
}

/* Finds file (.bin or .bin.gz) in the places where people keep it. */
static bool locate(const char *data_dir, const char *file, char *path, size_t cap)
{
    static const char *const folders[] = {"/cifar10", "/cifar-10-batches-bin", ""};
    static const char *const endings[] = {"", ".gz"};
    struct stat st;

    for (size_t f = 0; f < sizeof folders / sizeof *folders; f++)
        for (size_t e = 0; e < 2; e++)
            if (snprintf(path, cap, "%s%s/%s%s", data_dir, folders[f], file, endings[e]) < (int)cap &&
                stat(path, &st) == 0)
                return true;
    return false;
}

lt_code lt_cifar10_load(lt_dataset *d, const char *data_dir, lt_split split, int max, lt_err *err)
{
    char file[32], path[4096];
    int files = split == LT_TRAIN ? 5 : 1;

    *d = (lt_dataset){0};
    for (int i = 0; i < files && (max <= 0 || d->n < max); i++) {
        if (split == LT_TRAIN)
            snprintf(file, sizeof file, "data_batch_%d.bin", i + 1);
        else
            snprintf(file, sizeof file, "test_batch.bin");
        lt_code rc = locate(data_dir, file, path, sizeof path)
                         ? lt_cifar10_append(d, path, max > 0 ? max - d->n : CIFAR_MAX_RECORDS, err)
                         : lt_fail(err, LT_EIO, "%s: no cifar10/%s or %s.gz found", data_dir, file, file);
        if (rc != LT_OK) {
            lt_dataset_free(d);
            return rc;
        }
    }
    snprintf(d->name, sizeof d->name, "cifar10-%s", split == LT_TRAIN ? "train" : "test");
    return LT_OK;
}

typedef struct {
    lt_dataset *d;
    uint64_t seed;
    lt_split split;
} painting;

static void paint(void *ctx, size_t i, int worker)
{
    painting *p = ctx;
    (void)worker;
    p->d->labels[i] =
        lt_procedural_image(p->seed, p->split, (uint32_t)i, p->d->h, p->d->w, p->d->pixels + i * lt_image_size(p->d));
}

lt_code lt_procedural_load(lt_dataset *d, uint64_t seed, lt_split split, int n, int h, int w, lt_err *err)
{
    *d = (lt_dataset){.c = 3, .h = h, .w = w, .classes = 10};
    if (n < 0 || h < 1 || h > LT_MAX_SIDE || w < 1 || w > LT_MAX_SIDE)
        return lt_fail(err, LT_EINPUT, "procedural images: %d of %dx%d, expected sides of 1..%d", n, h, w, LT_MAX_SIDE);
    snprintf(d->name, sizeof d->name, "procedural-%s", split == LT_TRAIN ? "train" : "test");
    lt_code rc = grow(d, (size_t)n, err);
    if (rc != LT_OK) {
        lt_dataset_free(d);
        return rc;
    }
    d->n = n;
    painting p = {d, seed, split};
    lt_parallel_for((size_t)n, paint, &p);
    return LT_OK;
}

lt_code lt_dataset_open(lt_dataset *d, const lt_graph *g, const char *data_dir, lt_split split, int max, uint64_t seed,
                        lt_err *err)
{
    return lt_dataset_for(d, g->nodes[0].shape, g->name, data_dir, split, max, seed, err);
}

lt_code lt_dataset_for(lt_dataset *d, lt_shape in, const char *name, const char *data_dir, lt_split split, int max,
                       uint64_t seed, lt_err *err)
{
    *d = (lt_dataset){0};
    if (in.c != 3) return lt_fail(err, LT_EINPUT, "%s reads %d channels; the image sets have 3 (RGB)", name, in.c);
    if (data_dir && data_dir[0] && in.h == CIFAR_SIDE && in.w == CIFAR_SIDE)
        return lt_cifar10_load(d, data_dir, split, max, err);
    return lt_procedural_load(d, seed, split, max > 0 ? max : DEFAULT_IMAGES, in.h, in.w, err);
}

void lt_preprocess(const lt_preproc *pre, lt_shape s, const uint8_t *image, float *out)
{
    size_t plane = (size_t)s.h * (size_t)s.w;
    for (int c = 0; c < s.c; c++)
        for (size_t i = 0; i < plane; i++, image++, out++) *out = ((float)*image / 255.0f - pre->mean[c]) / pre->std[c];
}
