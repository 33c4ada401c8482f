/* Exact time of one operation in lutra_exec_pq; the names are those of lutra_pq_issue.v and lutra_exec_pq.v.
 *
 * Only the ends of pixels can be held up (post unit, code writer), so an operation is a sequence of pixels with known
 * numbers of cycles between them. */
#include "base/bits.h"
#include "golden/cycle.h"

#include <stdlib.h>

#include "config/pq_shape.h"
#include "emit/regs.h"

enum { ACC_IN = 1 << 20, ACC_OUT = 1 << 21, ACC_SHORT = 1 << 23 };

/* st->spare */
enum { LAST_END, NEXT_END, BEFORE }; /* issue cycle of the last pixel's end, earliest of the next; 1: there was one */

static int get(const uint32_t *d, lt_dfield f)
{
    return (int)lt_desc_get(d, f);
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

static int enc_latency(const lt_config *c)
{
    int code = lt_clog2(c->pq_prototypes);
    bool split = c->pq_encoder == QENC_L2 && c->pq_enc_bits * c->pq_length > 20; /* squares wait in a register */
    if (c->pq_encoder == QENC_TREE) return 2 + code;
    return 3 + split + (code - lt_clog2(c->pq_enc_cycles) + 1) / 2 + (c->pq_enc_cycles > 1);
}

/* Cycles from a step's issue to its accumulation. */
static int core_latency(const lt_config *c)
{
    bool spatial = c->pq_mode == QPQ_SPATIAL;
    int banks = spatial ? c->pq_codebooks : 9 * c->pq_codebooks, sum = (banks + 2) / 3 <= 6 ? 2 : 3;
    if (c->pq_dense > 0 && sum < 3) sum = 3;
    return (spatial ? 2 + enc_latency(c) : 3) + 1 + sum;
}

static int post_latency(const lt_config *c)
{
    int n = c->lanes / c->post_lanes;
    return n + 6 + (n > 1 && 6 % n == 0);
}

/* Passes of a step whose sub-kernel has rows x cols taps. */
static int passes(const lt_config *c, const uint32_t *d, int rows, int cols)
{
    if (get(d, LT_D_OPCODE) == LT_OP_POOL) return 1;
    if (!get(d, LT_D_DENSE)) return c->pq_mode == QPQ_SPATIAL ? c->pq_enc_cycles : 1;
    if (c->pq_mode == QPQ_SPATIAL) return c->lanes / c->pq_dense * rows * cols;
    return c->pq_dense == 9 ? 1 : c->pq_dense == 3 ? rows : rows * cols;
}

/* Cycles that a pixel takes when it is gathered. */
static uint64_t gather_cycles(const lt_config *c, const uint32_t *d)
{
    int kr = get(d, LT_D_R), ks = get(d, LT_D_S), tall = get(d, LT_D_DILATION) == 1 ? 3 : 1;
    uint64_t n = 0;

    if (get(d, LT_D_OPCODE) == LT_OP_POOL) return (uint64_t)kr * (uint64_t)ks;
    for (int r = 0; r < kr; r += tall)
        for (int s = 0; s < ks; s += 3) {
            int cols = min(3, ks - s);
            n += (uint64_t)(cols - 1 + passes(c, d, min(tall, kr - r), cols)) * (uint64_t)get(d, LT_D_CHUNKS);
        }
    return n;
}

typedef struct {
    const lt_config *cfg;
    lt_exec_state *st;
    uint64_t now, issued; /* next free issue cycle */
    int post_cycles, latency, interval;
    bool res, acc_out;
    uint64_t first_end; /* issue cycle of the first pixel's end */
    uint64_t *ends;     /* of every pixel, where somebody wants them */
} walk;

/* `cycles` issue cycles, the last of which ends a pixel. */
static void pixel(walk *w, uint64_t cycles, bool op_last)
{
    uint64_t *s = w->st->spare, end = w->now + cycles - 1;

    w->issued += cycles;
    if (!w->acc_out && s[BEFORE]) {
        if (end < s[NEXT_END]) end = s[NEXT_END];
        if (w->res)
            while (end - s[LAST_END] <= (uint64_t)w->latency && (end - s[LAST_END]) % (uint64_t)w->post_cycles) end++;
    }
    w->now = end + 1;
    if (w->acc_out) return;
    s[BEFORE] = 1;
    s[LAST_END] = end;
    s[NEXT_END] = end + (uint64_t)(op_last && w->interval <= w->latency ? w->latency + 1 : w->interval);
}

/* All pixels of an operation. */
static void walk_pixels(walk *w, const uint32_t d[16])
{
    const lt_config *c = w->cfg;
    int out_w = get(d, LT_D_OUT_W), out_h = get(d, LT_D_OUT_H), chunks = get(d, LT_D_CHUNKS);
    int acc_words = d[0] & ACC_SHORT ? 2 : (c->acc_bits + 7) / 8, load = d[0] & ACC_IN ? acc_words : 0,
        store = d[0] & ACC_OUT ? acc_words : 0;
    bool stream = get(d, LT_D_STREAM) && get(d, LT_D_OPCODE) == LT_OP_CONV;
    uint64_t step = stream ? 0 : gather_cycles(c, d), n = 0;
    int pass = stream ? passes(c, d, get(d, LT_D_R), get(d, LT_D_S)) : 0;

    for (int p = 0; p < out_h; p++)
        for (int q = 0; q < out_w; q++) {
            bool last = p == out_h - 1 && q == out_w - 1;
            if (stream) { /* columns that complete no pixel, then the one that does */
                int wait = q > 0   ? get(d, LT_D_STRIDE) - 1
                           : p > 0 ? (int)(d[6] >> 16 & 0xfff) - 1
                                   : (int)(d[12] >> 16 & 0xfff);
                step = (uint64_t)(wait + pass) * (uint64_t)chunks;
            }
            pixel(w, step + (uint64_t)load, last);
            if (w->ends) w->ends[n++] = w->now - 1;
            if (p == 0 && q == 0) w->first_end = w->now - 1;
            w->now += (uint64_t)store;
            w->issued += (uint64_t)store;
        }
}

static walk walk_start(const lt_config *c, const uint32_t d[16], lt_exec_state *st, uint64_t start)
{
    return (walk){.cfg = c,
                  .st = st,
                  .now = start + 1,
                  .post_cycles = c->lanes / c->post_lanes,
                  .latency = post_latency(c),
                  .interval = (int)(d[7] >> 16 & 0xfff),
                  .res = get(d, LT_D_RES_EN),
                  .acc_out = (d[0] & ACC_OUT) != 0};
}

lt_exec_time lt_cycle_pq(const lt_config *c, const uint32_t d[16], lt_exec_state *st, uint64_t start)
{
    walk w = walk_start(c, d, st, start);
    uint64_t before = st->drained;
    lt_exec_time t;

    if ((get(d, LT_D_BARRIER) || w.acc_out) && w.now < before + 1) w.now = before + 1;
    walk_pixels(&w, d);

    uint64_t end = w.now - 1, handed;
    int ps = core_latency(c);
    if (w.acc_out) {
        t.done = end + (uint64_t)ps + 2;
        handed = end + (uint64_t)ps + 1;
    } else {
        bool coded = c->pq_mode == QPQ_CHANNEL;
        int items = 1;
        if (get(d, LT_D_WRITE_CODE) && coded)
            items = get(d, LT_D_CODE_RAW) ? c->lanes / lt_pq_word_values(c)
                                          : c->lanes / (c->pq_length * c->pq_codebooks) * c->pq_enc_cycles;
        t.done = end + (uint64_t)(ps + 1 + post_latency(c) + items - 1 + (coded ? enc_latency(c) : 1) + 1);
        handed = w.first_end + (uint64_t)ps + 1;
    }
    t.ready = end + 1 > handed ? end + 1 : handed;
    if (t.ready < before + 1) t.ready = before + 1;
    t.issued = w.issued;
    st->drained = t.done;
    return t;
}

/* A residual is read when its pixel's sum enters the post unit, the result written post_latency cycles later. */
bool lt_cycle_pq_meet(const lt_config *c, const uint32_t d[16], int pair_words)
{
    int out_w = get(d, LT_D_OUT_W), n = out_w * get(d, LT_D_OUT_H), step = get(d, LT_D_RES_STEP);
    lt_exec_state st = {0};
    walk w = walk_start(c, d, &st, 0);
    bool meet = false;

    w.ends = malloc((size_t)n * sizeof *w.ends);
    if (!w.ends) return true; /* unknown */
    walk_pixels(&w, d);
    for (int i = 0, j = 0; i < n && !meet; i++) { /* pixel i is read, pixel j written */
        while (w.ends[j] + (uint64_t)w.latency < w.ends[i]) j++;
        if (w.ends[j] + (uint64_t)w.latency != w.ends[i]) continue;
        int from = get(d, LT_D_RES_BASE) + i / out_w * (int)(d[10] >> 16) + i % out_w * step;
        int to = get(d, LT_D_OUT_BASE) + j;
        meet = from / pair_words == to / pair_words && (from - to) % 2 == 0;
    }
    free(w.ends);
    return meet;
}
