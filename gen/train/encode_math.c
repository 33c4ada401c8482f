/* One subvector: codes, soft assignment, gradients. */
#pragma GCC optimize("O3") /* loops over values: vector code */

#include <math.h>
#include <string.h>

#include "train/encode_internal.h"

static void distances(const enc_book *b, const float *table, const float *v, float *d)
{
    for (int k0 = 0; k0 < b->lanes; k0 += ENC_LANES) {
        float sum[ENC_LANES] = {0};
        for (int j = 0; j < b->length; j++) {
            const float *t = table + j * b->lanes + k0;
            float x = v[j];
            if (b->kind == QENC_L1)
                for (int i = 0; i < ENC_LANES; i++) sum[i] += fabsf(x - t[i]);
            else
                for (int i = 0; i < ENC_LANES; i++) sum[i] += (x - t[i]) * (x - t[i]);
        }
        memcpy(d + k0, sum, sizeof sum);
    }
}

int enc_hard(const enc_book *b, const float *v)
{
    if (b->kind == QENC_TREE) {
        int node = 0;
        for (int level = 0; level < b->depth; level++) node = 2 * node + 1 + (v[b->dim[level]] >= b->hard[node]);
        return node - (b->codes - 1);
    }
    float d[ENC_MAX_CODES];
    int best = 0;
    distances(b, b->hard, v, d);
    for (int k = 1; k < b->codes; k++)
        if (d[k] < d[best]) best = k;
    return best;
}

/* Probability of going right at every node: integers, so the edge lies half a step below the threshold. */
static void splits(const enc_book *b, const float *v, float *right)
{
    for (int level = 0, node = 0; level < b->depth; level++) {
        float per = 1 / (b->temperature * b->width[level]), x = v[b->dim[level]] + 0.5f;
        for (int i = 0; i < 1 << level; i++, node++) right[node] = 1 / (1 + expf((b->soft[node] - x) * per));
    }
}

void enc_soft(const enc_book *b, const float *v, float *p)
{
    if (b->kind == QENC_TREE) {
        float right[ENC_MAX_CODES], reach[2 * ENC_MAX_CODES];
        splits(b, v, right);
        reach[0] = 1;
        for (int n = 0; n < b->codes - 1; n++) {
            reach[2 * n + 1] = reach[n] * (1 - right[n]);
            reach[2 * n + 2] = reach[n] * right[n];
        }
        memcpy(p, reach + b->codes - 1, (size_t)b->codes * sizeof *p);
        return;
    }
    float d[ENC_MAX_CODES], least = INFINITY, sum = 0, per = 1 / (b->temperature * b->width[0]);
    distances(b, b->soft, v, d);
    for (int k = 0; k < b->codes; k++) least = fminf(least, d[k]);
    for (int k = 0; k < b->codes; k++) sum += p[k] = expf((least - d[k]) * per);
    for (int k = 0; k < b->codes; k++) p[k] /= sum;
}

/* With V(n) the expected h below node n: the gradient by the probability of going right is reach(n) (V(right) -
 * V(left)). */
static float tree_back(const enc_book *b, const float *v, const float *h, float *gv, float *gtable)
{
    float right[ENC_MAX_CODES], reach[2 * ENC_MAX_CODES], value[2 * ENC_MAX_CODES], gt = 0;

    splits(b, v, right);
    reach[0] = 1;
    for (int n = 0; n < b->codes - 1; n++) {
        reach[2 * n + 1] = reach[n] * (1 - right[n]);
        reach[2 * n + 2] = reach[n] * right[n];
    }
    memcpy(value + b->codes - 1, h, (size_t)b->codes * sizeof *h);
    for (int n = b->codes - 2; n >= 0; n--)
        value[n] = value[2 * n + 1] + right[n] * (value[2 * n + 2] - value[2 * n + 1]);
    memset(gv, 0, (size_t)b->length * sizeof *gv);
    for (int level = 0, n = 0; level < b->depth; level++) {
        float per = 1 / (b->temperature * b->width[level]), x = v[b->dim[level]] + 0.5f;
        for (int i = 0; i < 1 << level; i++, n++) {
            float gz = reach[n] * (value[2 * n + 2] - value[2 * n + 1]) * right[n] * (1 - right[n]);
            gv[b->dim[level]] += gz * per;
            gtable[n] -= gz * per;
            gt -= gz * (x - b->soft[n]) * per / b->temperature;
        }
    }
    return gt;
}

float enc_soft_back(const enc_book *b, const float *v, const float *h, float *gv, float *gtable)
{
    float d[ENC_MAX_CODES], p[ENC_MAX_CODES], mean = 0, gt = 0;
    float per = 1 / (b->temperature * b->width[0]);

    if (b->kind == QENC_TREE) return tree_back(b, v, h, gv, gtable);
    enc_soft(b, v, p);
    distances(b, b->soft, v, d);
    for (int k = 0; k < b->codes; k++) mean += p[k] * h[k];
    memset(gv, 0, (size_t)b->length * sizeof *gv);
    for (int k = 0; k < b->codes; k++) {
        float gl = p[k] * (h[k] - mean), gd = -gl * per;
        gt += gl * d[k] * per / b->temperature;
        for (int j = 0; j < b->length; j++) {
            float diff = v[j] - b->soft[j * b->lanes + k];
            float g = gd * (b->kind == QENC_L1 ? (float)((diff > 0) - (diff < 0)) : 2 * diff);
            gv[j] += g;
            gtable[k * b->length + j] -= g;
        }
    }
    return gt;
}

void enc_slope_back(const enc_book *b, const float *h, float *gv)
{
    for (int j = 0; j < b->length; j++) {
        const float *s = b->slope + j * b->codes;
        float sum = 0;
        for (int k = 0; k < b->codes; k++) sum += s[k] * h[k];
        gv[j] = sum;
    }
}

/* slope = (C^T C + ridge)^-1 C^T with C the centred means: Cholesky in place. The ridge keeps directions in which the
 * means hardly differ from blowing up what rounding did to the tables. scratch: length^2 + length doubles. */
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
        double x[ENC_MAX_LENGTH];
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
void enc_width(const enc_book *b, const float *mean, float *width)
{
    if (b->kind != QENC_TREE) {
        double sum = 0;
        for (int k = 0; k < b->codes; k++) {
            double least = INFINITY;
            for (int i = 0; i < b->codes; i++) {
                double d = 0;
                for (int j = 0; j < b->length && i != k; j++) {
                    double e = (double)b->soft[j * b->lanes + k] - (double)b->soft[j * b->lanes + i];
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
