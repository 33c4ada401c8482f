/* Constants of encoders: slopes of the straight-through estimate, widths of the soft assignment. */
#include <math.h>

#include "train/encode_internal.h"

/* slope = (C^T C + ridge)^-1 C^T with C the centred means: Cholesky in place. The ridge keeps directions in which the
 * means hardly differ from blowing up what rounding did to the tables. */
void enc_slope(const float *mean, int codes, int length, float *slope, double *scratch)
{
    double *a = scratch, *centre = scratch + length * length, trace = 0;

    for (int j = 0; j < length; j++) {
        centre[j] = 0;
        for (int k = 0; k < codes; k++) centre[j] += (double)mean[k * length + j] / codes;
    }
    for (int i = 0; i < length; i++)
        for (int j = 0; j < length; j++) {
            double s = 0;
            for (int k = 0; k < codes; k++)
                s += ((double)mean[k * length + i] - centre[i]) * ((double)mean[k * length + j] - centre[j]);
            a[i * length + j] = s;
            if (i == j) trace += s;
        }
    for (int i = 0; i < length; i++) a[i * length + i] += ENC_RIDGE * trace / length + 1e-6;
    for (int i = 0; i < length; i++)
        for (int j = 0; j <= i; j++) {
            double s = a[i * length + j];
            for (int m = 0; m < j; m++) s -= a[i * length + m] * a[j * length + m];
            a[i * length + j] = i == j ? sqrt(s) : s / a[j * length + j];
        }
    for (int k = 0; k < codes; k++) {
        double x[LK_MAX_LENGTH];
        for (int i = 0; i < length; i++) {
            x[i] = (double)mean[k * length + i] - centre[i];
            for (int m = 0; m < i; m++) x[i] -= a[i * length + m] * x[m];
            x[i] /= a[i * length + i];
        }
        for (int i = length - 1; i >= 0; i--) {
            for (int m = i + 1; m < length; m++) x[i] -= a[m * length + i] * x[m];
            x[i] /= a[i * length + i];
        }
        for (int i = 0; i < length; i++) slope[i * codes + k] = (float)x[i];
    }
}

/* Distances: mean over prototypes of that to the nearest other. Trees: per level, mean distance of a leaf's mean from
 * the thresholds on its way. */
void enc_width(const lk_book *b, const float *mean, float *width)
{
    if (b->kind != QENC_TREE) {
        double sum = 0;
        for (int k = 0; k < b->codes; k++) {
            double least = INFINITY;
            for (int i = 0; i < b->codes; i++) {
                double d = 0;
                for (int j = 0; j < b->length && i != k; j++) {
                    double e = (double)b->soft[k * b->length + j] - (double)b->soft[i * b->length + j];
                    d += b->kind == QENC_L1 ? fabs(e) : e * e;
                }
                if (i != k) least = fmin(least, d);
            }
            sum += least;
        }
        width[0] = (float)fmax(sum / b->codes, 1);
        return;
    }
    for (int level = 0; level < b->depth; level++) {
        double sum = 0;
        for (int leaf = 0; leaf < b->codes; leaf++) {
            int node = (1 << level) - 1 + (leaf >> (b->depth - level));
            sum += fabs((double)mean[leaf * b->length + b->dim[level]] + 0.5 - (double)b->soft[node]);
        }
        width[level] = (float)fmax(sum / b->codes, 1);
    }
}
