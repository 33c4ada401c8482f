/* Results against the golden model's: every dumped layer and the output. */
#ifndef LUTRA_TB_COMPARE_H
#define LUTRA_TB_COMPARE_H

#include <stdbool.h>
#include <stdint.h>
#include "program/expect.h"
#include "sim.h"

/* The first wrong value: of the first image, there of the first layer in execution order, there in [y][x][c] order. */
typedef struct {
    bool found;
    int image, layer;
    uint32_t c, y, x;
    int expected, got;
    uint64_t wrong, of; /* values of that layer and image */
} tb_mismatch;

typedef struct {
    uint64_t values, wrong;
    int layers; /* compared per image */
    tb_mismatch first;
} tb_comparison;

/* The tensors of image and expect must describe the same network, else LT_EINPUT. */
lt_code tb_compare_check(const lutra_image *image, const lt_expect *e, lt_err *err);

/* Adds what the last run left in memory. layer: only this one, or -1. */
lt_code tb_compare_image(const tb_sim *s, const lt_expect *e, const lt_expect_values *v, int image, uint32_t slot,
                         int layer, tb_comparison *c, lt_err *err);

#endif
