/* Labelled images: CIFAR-10 read directly from its binary files, and a procedural set that needs no file at all. */
#ifndef LUTRA_MODEL_DATASET_H
#define LUTRA_MODEL_DATASET_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "model/graph.h"

typedef struct {
    char name[QN_NAME];
    int n, c, h, w, classes;
    uint8_t *pixels; /* [n][c][h][w] */
    uint8_t *labels; /* [n], each < classes */
} lt_dataset;

typedef enum { LT_TRAIN, LT_TEST } lt_split;

void lt_dataset_free(lt_dataset *d);

static inline size_t lt_image_size(const lt_dataset *d)
{
    return (size_t)d->c * (size_t)d->h * (size_t)d->w;
}
static inline const uint8_t *lt_dataset_image(const lt_dataset *d, size_t i)
{
    return d->pixels + i * lt_image_size(d);
}

/* Appends up to max records of one CIFAR-10 binary file (plain or gzip; Krizhevsky 2009: 1 label byte, then 1024 R,
 * 1024 G, 1024 B) to d, which is zero or holds CIFAR-10 images. A size that is no multiple of 3073 bytes, an empty file
 * or a label above 9 is LT_EINPUT and names the record. */
lt_code lt_cifar10_append(lt_dataset *d, const char *path, int max, lt_err *err);

/* The CIFAR-10 split below data_dir (data_dir/cifar10/, data_dir/cifar-10-batches-bin/ or data_dir itself; .bin or
 * .bin.gz), at most max images in file order; max <= 0: all. */
lt_code lt_cifar10_load(lt_dataset *d, const char *data_dir, lt_split split, int max, lt_err *err);

/* Image i of the procedural set: pixels [3][h][w] and its label 0..9. Depends on nothing but the arguments, so any part
 * of the set can be made in any order. Ten classes of shape and texture; colours, contrast, polarity, place, size,
 * phase, clutter and noise are nuisances, so that raw pixels say little (docs in procedural.c). */
uint8_t lt_procedural_image(uint64_t seed, lt_split split, uint32_t i, int h, int w, uint8_t *pixels);

/* n images of the procedural set. */
lt_code lt_procedural_load(lt_dataset *d, uint64_t seed, lt_split split, int n, int h, int w, lt_err *err);

/* What a command uses: CIFAR-10 from data_dir when that is given and the network reads 3x32x32, else the procedural set
 * at the network's input size (max <= 0: 10,000 images). The network must read 3 channels. */
lt_code lt_dataset_open(lt_dataset *d, const lt_graph *g, const char *data_dir, lt_split split, int max, uint64_t seed,
                        lt_err *err);
/* The same for any input shape; name is the network's, for messages. */
lt_code lt_dataset_for(lt_dataset *d, lt_shape in, const char *name, const char *data_dir, lt_split split, int max,
                       uint64_t seed, lt_err *err);

/* Network input of one image: out[C][H][W] = (byte/255 - mean[c]) / std[c]. */
void lt_preprocess(const lt_preproc *pre, lt_shape s, const uint8_t *image, float *out);

#endif
