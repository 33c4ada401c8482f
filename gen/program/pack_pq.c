/* LUT rows and dense weights of the pq core: docs/architecture.md section 6. */
#include "program/pack_pq.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "golden/mirror.h"

enum { TAPS = 9 };

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static bool spatial(const lt_config *c)
{
    return c->pq_mode == QPQ_SPATIAL;
}

int lt_pq_group_words(const lt_config *c, bool raw)
{
    if (spatial(c)) return 1;
    return raw ? c->lanes / lt_pq_word_values(c) : c->lanes / (c->pq_length * c->pq_codebooks);
}

/* Weights of a lane in a LUT row of spatial mode. */
static int row_weights(const lt_config *c)
{
    int n = 1;
    while (2 * n <= c->pq_codebooks * c->pq_lut_bits / 8 && 2 * n <= c->lanes) n *= 2;
    return n;
}

/* One word of packed bits, padded to a power of two of bytes. */
typedef struct {
    uint8_t *byte;
    size_t bytes;
} bit_word;

static bit_word word_new(int bits, lt_buf *out)
{
    bit_word w = {NULL, 1};
    while (w.bytes * 8 < (size_t)bits) w.bytes *= 2;
    w.byte = calloc(w.bytes, 1);
    if (!w.byte) out->failed = true;
    return w;
}

static void word_put(bit_word *w, int at, int bits, unsigned v)
{
    for (int i = 0; w->byte && i < bits; i++)
        if (v >> i & 1) w->byte[(at + i) / 8] |= (uint8_t)(1u << ((at + i) % 8));
}

static void word_end(bit_word *w, lt_buf *out)
{
    if (w->byte) lt_buf_add(out, w->byte, w->bytes);
    free(w->byte);
}

/* Sub-kernels of 3 x 3 taps (1 x 3 if dilated), row-major. */
typedef struct {
    int r0, s0, rows, cols;
} sub_kernel;

static int sub_height(const qlayer *l)
{
    return l->dilation > 1 ? 1 : 3;
}

static int sub_count(const qlayer *l)
{
    return ceil_div(l->r, sub_height(l)) * ceil_div(l->s, 3);
}

static sub_kernel sub_at(const qlayer *l, int i)
{
    int across = ceil_div(l->s, 3), h = sub_height(l);
    sub_kernel k = {i / across * h, i % across * 3, 0, 0};
    k.rows = l->r - k.r0 < h ? l->r - k.r0 : h;
    k.cols = l->s - k.s0 < 3 ? l->s - k.s0 : 3;
    return k;
}

/* Kernel tap at window position `at` (row-major, newest column last), or -1. */
static int tap_at(const qlayer *l, const sub_kernel *k, int at)
{
    int r = at / 3, s = at % 3 - (3 - k->cols);
    return r < k->rows && s >= 0 ? (k->r0 + r) * l->s + k->s0 + s : -1;
}

static int dense_rows(const lt_config *c, const sub_kernel *k)
{
    return spatial(c) ? k->rows * k->cols * (c->lanes / row_weights(c)) : 1;
}

int lt_pq_step_rows(const lt_config *c, int prototypes)
{
    return c->pq_mirror ? prototypes / 2 : prototypes;
}

int lt_pq_rows(const lt_config *c, const qlayer *l, const qencoder *e, int chunks)
{
    int rows = 0;
    if (e) return sub_count(l) * chunks * lt_pq_step_rows(c, e->prototypes);
    for (int i = 0; i < sub_count(l); i++) {
        sub_kernel k = sub_at(l, i);
        rows += dense_rows(c, &k) * chunks;
    }
    return rows;
}

int lt_pq_row_address(const lt_config *c, int row)
{
    int half = lt_pq_half_rows(c);
    return (row / half << lt_clog2(half)) + row % half;
}

void lt_pq_window(const qlayer *l, int *rows, int *cols)
{
    int h = sub_height(l);
    *rows = l->r < h ? l->r : h;
    *cols = l->s < 3 ? l->s : 3;
}

int lt_pq_lut_loads(const lt_config *c, const qlayer *l, int row, int rows, lt_pq_load to[LT_PQ_LUT_LOADS])
{
    int at = lt_pq_row_address(c, row), tap = 2 << lt_clog2(lt_pq_half_rows(c)), down, across;

    if (spatial(c)) {
        to[0] = (lt_pq_load){at, rows, 1, tap};
        return 1;
    }
    lt_pq_window(l, &down, &across);
    at += (3 - across) * tap;
    if (across == 3) to[0] = (lt_pq_load){at, rows, 3 * down, tap};
    if (across == 1) to[0] = (lt_pq_load){at, rows, down, 3 * tap};
    if (across != 2) return 1;
    for (int i = 0; i < down; i++) to[i] = (lt_pq_load){at + 3 * i * tap, rows, 2, tap};
    return down;
}

/* Is window position `at` (row-major) used by the kernel? */
static bool in_window(const qlayer *l, int at)
{
    int down, across;
    lt_pq_window(l, &down, &across);
    return at / 3 < down && at % 3 >= 3 - across;
}

/* lut[codebook][tap][code][output] or 0 where there is none. */
static int entry(const qlayer *l, const qencoder *e, int cb, int tap, int code, int k)
{
    int taps = e->mode == QPQ_SPATIAL ? 1 : l->r * l->s;
    if (cb >= e->codebooks || tap < 0 || k >= l->k) return 0;
    return l->lut[((size_t)(cb * taps + tap) * (size_t)e->prototypes + (size_t)code) * (size_t)l->k + (size_t)k];
}

/* Code whose entries lie in row `row` of a step. Where elements are compared alone, a row's lowest bits are the most
 * significant ones of a code, element by element, so that fewer prototypes are fewer high bits: bit i of the row, is
 * bit (i + 1) div L of element (i + 1) mod L, counted from its highest; bit 0 of element 0 is the mirrored half's. */
static int code_of_row(const lt_config *c, const qencoder *e, int row)
{
    int bits = lt_clog2(e->prototypes), code = 0;

    if (!lt_pq_alone(c)) return row;
    for (int i = 1; i < bits; i++) {
        int level = qenc_element_level(e->prototypes, c->pq_length, i % c->pq_length) + i / c->pq_length;
        code |= (row >> (i - 1) & 1) << (bits - 1 - level);
    }
    return code;
}

void lt_pack_pq_lut(const lt_config *c, const qlayer *l, const qencoder *e, int first, int chunks, int og, int row0,
                    int rows, lt_buf *words)
{
    int n = c->pq_codebooks, t = c->lanes, bits = c->pq_lut_bits, set = lt_pq_step_rows(c, e->prototypes);

    for (int at = 0; at < (spatial(c) ? 1 : TAPS); at++) {
        if (!spatial(c) && !in_window(l, at)) continue;
        for (int row = row0; row < row0 + rows; row++) {
            int step = row / set, code = code_of_row(c, e, row % set), chunk = first + step % chunks;
            sub_kernel k = sub_at(l, step / chunks);
            int tap = spatial(c) ? 0 : tap_at(l, &k, at);
            bit_word w = word_new(n * t * bits, words);
            for (int u = 0; u < n; u++)
                for (int lane = 0; lane < t; lane++)
                    word_put(&w, (u * t + lane) * bits, bits,
                             (unsigned)entry(l, e, chunk * n + u, tap, code, og * t + lane));
            word_end(&w, words);
        }
    }
}

/* w[output][channel][tap], 0 where there is none; channel counts over all convolution groups. */
static int weight(const qlayer *l, int in_c, int k, int channel, int tap)
{
    int cg = in_c / l->groups, kg = l->k / l->groups;
    if (k >= l->k || channel >= in_c || tap < 0 || channel / cg != k / kg) return 0;
    return l->w[((size_t)k * (size_t)cg + (size_t)(channel % cg)) * (size_t)(l->r * l->s) + (size_t)tap];
}

/* Byte number `at` of a lane's entries, all banks one behind the other. */
static void put_weight(const lt_config *c, bit_word *w, int lane, int at, int v)
{
    for (int i = 0; i < 8; i++) {
        int bit = at * 8 + i, bank = bit / c->pq_lut_bits;
        word_put(w, (bank * c->lanes + lane) * c->pq_lut_bits + bit % c->pq_lut_bits, 1, (unsigned)v >> i & 1u);
    }
}

static void dense_row_channel(const lt_config *c, const qlayer *l, int in_c, int first, int chunks, int og, int at,
                              int row, lt_buf *words)
{
    sub_kernel k = sub_at(l, row / chunks);
    bit_word w = word_new(c->pq_codebooks * c->lanes * c->pq_lut_bits, words);
    for (int lane = 0; lane < c->lanes; lane++)
        put_weight(c, &w, lane, 0, weight(l, in_c, og * c->lanes + lane, first + row % chunks, tap_at(l, &k, at)));
    word_end(&w, words);
}

/* Row `row` of the whole layer: step, then window rows, columns from the newest, blocks of channels. */
static void dense_row_spatial(const lt_config *c, const qlayer *l, int in_c, int first, int chunks, int og, int row,
                              lt_buf *words)
{
    int per = row_weights(c), blocks = c->lanes / per, sub = 0;
    sub_kernel k = sub_at(l, 0);
    while (row >= dense_rows(c, &k) * chunks) {
        row -= dense_rows(c, &k) * chunks;
        k = sub_at(l, ++sub);
    }
    int chunk = first + row / dense_rows(c, &k), pass = row % dense_rows(c, &k);
    int block = pass % blocks, age = pass / blocks % k.cols, r = pass / blocks / k.cols;
    bit_word w = word_new(c->pq_codebooks * c->lanes * c->pq_lut_bits, words);
    for (int lane = 0; lane < c->lanes; lane++)
        for (int i = 0; i < per; i++)
            put_weight(c, &w, lane, i,
                       weight(l, in_c, og * c->lanes + lane, chunk * c->lanes + block * per + i,
                              tap_at(l, &k, r * 3 + 2 - age)));
    word_end(&w, words);
}

void lt_pack_pq_dense(const lt_config *c, const qlayer *l, int in_c, int first, int chunks, int og, int row0, int rows,
                      lt_buf *words)
{
    if (spatial(c)) {
        for (int row = row0; row < row0 + rows; row++) dense_row_spatial(c, l, in_c, first, chunks, og, row, words);
        return;
    }
    for (int at = 0; at < TAPS; at++)
        for (int row = row0; in_window(l, at) && row < row0 + rows; row++)
            dense_row_channel(c, l, in_c, first, chunks, og, at, row, words);
}
