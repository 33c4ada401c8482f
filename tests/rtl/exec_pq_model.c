#include "exec_pq_model.h"

#include <string.h>

#include "base/bits.h"
#include "golden/mirror.h"
#include "program/pack_pq.h"

static bool spatial(const lt_config *c)
{
    return c->pq_mode == QPQ_SPATIAL;
}

static int value_of(uint8_t byte, bool is_unsigned)
{
    return is_unsigned ? byte : (int8_t)byte;
}

int pq_op_channels(const lt_config *c, const pq_op *o)
{
    if (spatial(c)) return o->chunks * c->lanes;
    return o->dense ? o->chunks : o->chunks * c->pq_codebooks;
}

int pq_op_values(const lt_config *c, const pq_op *o)
{
    return o->dense && !spatial(c) ? lt_pq_word_values(c) : 1;
}

/* The word of codes (or spatial mode's values), or the byte with the value. */
static const uint8_t *code_word(const lt_config *c, const pq_op *o, const pq_memory *m, int y, int x, int chunk)
{
    int at = o->code_in + y / 3 * o->in_w * o->chunks + x * o->chunks + chunk, values = pq_op_values(c, o);
    return &m->code[o->map_in][y % 3][at / values][at % values];
}

/* Bits of a word, lowest first. */
static int bits_of(const uint8_t *word, int at, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++) v |= (word[(at + i) / 8] >> ((at + i) % 8) & 1) << i;
    return v;
}

/* Code of v[length]; e == codebook data of one subvector. */
static int encode(const lt_config *c, const qencoder *e, int cb, bool is_unsigned, const uint8_t *v, int step)
{
    int drop = 8 - c->pq_enc_bits, best = 0, levels = lt_clog2(e->prototypes);
    long best_d = -1;

    if (cb >= e->codebooks) return 0;
    if (e->encoder == QENC_TREE) {
        int node = 0;
        for (int l = 0; l < levels; l++) {
            int x = value_of(v[e->dim[cb * levels + l] * step], is_unsigned) >> drop;
            node = 2 * node + 1 + (x >= e->thresh[cb * (e->prototypes - 1) + node]);
        }
        return node - (e->prototypes - 1);
    }
    for (int k = 0; k < e->prototypes; k++) {
        long d = 0;
        for (int i = 0; i < e->length; i++) {
            long diff =
                (value_of(v[i * step], is_unsigned) >> drop) - e->proto[(cb * e->prototypes + k) * e->length + i];
            d += e->encoder == QENC_L2 ? diff * diff : diff < 0 ? -diff : diff;
        }
        if (best_d < 0 || d < best_d) best_d = d, best = k;
    }
    return best;
}

/* Bits of a code in memory, which has room for the configuration's prototypes, that are those of an encoder of fewer:
 * of every element the first. */
static int code_in(const lt_config *c, int word, int prototypes)
{
    int code = 0, left = lt_clog2(c->pq_prototypes);

    if (!lt_pq_alone(c)) return word;
    for (int j = 0; j < c->pq_length; j++) {
        int all = qenc_element_bits(c->pq_prototypes, c->pq_length, j);
        int own = qenc_element_bits(prototypes, c->pq_length, j);
        code = code << own | (word >> (left - own) & ((1 << own) - 1));
        left -= all;
    }
    return code;
}

/* The code in memory, where the other bits are 0. */
static int code_out(const lt_config *c, int code, int prototypes)
{
    int word = 0, left = lt_clog2(prototypes);

    if (!lt_pq_alone(c)) return code;
    for (int j = 0; j < c->pq_length; j++) {
        int all = qenc_element_bits(c->pq_prototypes, c->pq_length, j);
        int own = qenc_element_bits(prototypes, c->pq_length, j);
        left -= own;
        word = word << all | (code >> left & ((1 << own) - 1)) << (all - own);
    }
    return word;
}

static bool inside(const pq_op *o, int y, int x)
{
    return y >= 0 && y < o->in_h && x >= 0 && x < o->in_w;
}

static int64_t lut(const lt_config *c, const pq_op *o, int cb, int tap, int code, int lane)
{
    const qlayer *l = &o->layer;
    int taps = spatial(c) ? 1 : o->r * o->s;
    if (spatial(c) && cb >= o->enc_in->codebooks) return 0; /* a channel that does not exist */
    return l->lut[((cb * taps + tap) * o->books.prototypes + code) * l->k + o->og * c->lanes + lane];
}

/* Sum of one lookup step in spatial mode: every channel's 3 x 3 window. */
static int64_t window_sum(const lt_config *c, const pq_op *o, const pq_memory *m, int p, int q, int chunk, int lane)
{
    int64_t sum = 0;
    for (int ch = 0; ch < c->lanes; ch++) {
        uint8_t v[9] = {0};
        for (int r = 0; r < o->r; r++)
            for (int s = 0; s < o->s; s++) {
                int y = p * o->stride + r * o->dilation - o->pad_t, x = q * o->stride + s * o->dilation - o->pad_l;
                if (inside(o, y, x)) v[r * 3 + s + 3 - o->s] = code_word(c, o, m, y, x, chunk)[ch];
            }
        int code = encode(c, o->enc_in, chunk * c->lanes + ch, o->in_unsigned, v, 1);
        sum += lut(c, o, chunk * c->lanes + ch, 0, code, lane);
    }
    return sum;
}

static int64_t tap_sum(const lt_config *c, const pq_op *o, const pq_memory *m, int y, int x, int chunk, int tap,
                       int lane)
{
    const uint8_t *word = code_word(c, o, m, y, x, chunk);
    int bits = lt_clog2(c->pq_prototypes), k = o->og * c->lanes + lane, taps = o->r * o->s;
    int64_t sum = 0;

    if (o->dense && spatial(c)) {
        for (int ch = 0; ch < c->lanes; ch++)
            sum += value_of(word[ch], o->in_unsigned) *
                   o->layer.w[(k * pq_op_channels(c, o) + chunk * c->lanes + ch) * taps + tap];
    } else if (o->dense) {
        sum = value_of(word[0], o->in_unsigned) * o->layer.w[(k * pq_op_channels(c, o) + chunk) * taps + tap];
    } else {
        for (int u = 0; u < c->pq_codebooks; u++)
            sum += lut(c, o, chunk * c->pq_codebooks + u, tap,
                       code_in(c, bits_of(word, u * bits, bits), o->books.prototypes), lane);
    }
    return sum;
}

static int64_t conv_acc(const lt_config *c, const pq_op *o, const pq_memory *m, int p, int q, int lane)
{
    int64_t acc = 0;
    for (int chunk = o->first; chunk < o->first + o->count; chunk++) {
        if (spatial(c) && !o->dense) {
            acc += window_sum(c, o, m, p, q, chunk, lane);
            continue;
        }
        for (int r = 0; r < o->r; r++)
            for (int s = 0; s < o->s; s++) {
                int y = p * o->stride + r * o->dilation - o->pad_t, x = q * o->stride + s * o->dilation - o->pad_l;
                if (inside(o, y, x)) acc += tap_sum(c, o, m, y, x, chunk, r * o->s + s, lane);
            }
    }
    return acc;
}

static int64_t pool_acc(const pq_op *o, const pq_memory *m, int p, int q, int lane)
{
    int64_t acc = o->max ? -256 : 0;
    for (int r = 0; r < o->r; r++)
        for (int s = 0; s < o->s; s++) {
            int y = p * o->stride + r * o->dilation - o->pad_t, x = q * o->stride + s * o->dilation - o->pad_l;
            if (!inside(o, y, x)) continue;
            int v = value_of(m->fb[o->in_base + y * o->in_w + x][lane], o->in_unsigned);
            if (!o->max)
                acc += v;
            else if (v > acc)
                acc = v;
        }
    return acc;
}

static int64_t wrap(int64_t v, int bits)
{
    v = (int64_t)((uint64_t)v << (64 - bits));
    return v >> (64 - bits);
}

static uint8_t requantise(const lt_config *c, const pq_op *o, int64_t acc, int lane, int res)
{
    int64_t v = wrap(acc + o->bias[lane], c->acc_bits) * o->mult[lane] + (int64_t)res * o->res_mult;
    v = (v + (o->shift ? (int64_t)1 << (o->shift - 1) : 0)) >> o->shift;
    return (uint8_t)(v < o->lo ? o->lo : v > o->hi ? o->hi : v);
}

static void write_code(const lt_config *c, const pq_op *o, pq_memory *m, int p, int q, const uint8_t *y)
{
    int row = o->row0 + p, n = c->pq_codebooks, bits = lt_clog2(c->pq_prototypes);
    uint8_t(*bank)[PQ_WORD_BYTES] = m->code[o->map_out][row % 3];
    int at = o->code_out + row / 3 * o->out_w * o->out_chunks + q * o->out_chunks + o->chunk0;

    if (spatial(c)) {
        memcpy(bank[at], y, (size_t)c->lanes);
    } else if (o->raw) {
        int values = lt_pq_word_values(c);
        for (int i = 0; i < c->lanes; i++) {
            if (i % values == 0) memset(bank[at + i / values], 0, PQ_WORD_BYTES);
            bank[at + i / values][i % values] = y[i];
        }
    } else {
        int words = c->lanes / (n * c->pq_length);
        for (int w = 0; w < words; w++) {
            memset(bank[at + w], 0, PQ_WORD_BYTES);
            for (int u = 0; u < n; u++) {
                int local = w * n + u, code = encode(c, o->enc_out, o->enc_group * words * n + local, o->out_unsigned,
                                                     y + local * c->pq_length, 1);
                code = code_out(c, code, o->enc_out->prototypes);
                for (int b = 0; b < bits; b++)
                    if (code >> b & 1) bank[at + w][(u * bits + b) / 8] |= (uint8_t)(1 << (u * bits + b) % 8);
            }
        }
    }
}

void pq_model_run(const lt_config *c, const pq_op *o, pq_memory *m)
{
    int bytes = o->acc_short ? 2 : (c->acc_bits + 7) / 8;

    for (int p = 0; p < o->out_h; p++)
        for (int q = 0; q < o->out_w; q++) {
            int pixel = p * o->out_w + q;
            uint8_t y[PQ_MAX_LANES];
            int64_t acc[PQ_MAX_LANES];
            for (int lane = 0; lane < c->lanes; lane++) {
                acc[lane] = o->pool ? pool_acc(o, m, p, q, lane) : conv_acc(c, o, m, p, q, lane);
                int64_t stored = 0;
                for (int b = 0; o->acc_in && b < bytes; b++)
                    stored = stored * 256 + value_of(m->fb[o->acc_base + pixel * bytes + b][lane], b > 0);
                acc[lane] += stored;
                acc[lane] = wrap(acc[lane], c->acc_bits);
            }
            for (int lane = 0; lane < c->lanes; lane++) {
                if (o->acc_out) {
                    for (int b = 0; b < bytes; b++)
                        m->fb[o->out_base + pixel * bytes + b][lane] = (uint8_t)(acc[lane] >> 8 * (bytes - 1 - b));
                    continue;
                }
                int res = 0;
                if (o->res)
                    res = value_of(m->fb[o->res_base + p * o->res_step * o->res_w + q * o->res_step][lane],
                                   o->res_unsigned);
                y[lane] = requantise(c, o, acc[lane], lane, res);
            }
            if (o->acc_out) continue;
            if (o->write_fb) memcpy(m->fb[o->out_base + pixel], y, (size_t)c->lanes);
            if (o->write_code) write_code(c, o, m, p, q, y);
        }
}
