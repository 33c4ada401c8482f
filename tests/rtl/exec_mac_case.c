#include "exec_mac_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit/regs.h"
#include "golden/qnet.h"
#include "program/mac_desc.h"
#include "program/pack_mac.h"
#include "program/pack_params.h"

/* A tensor in the feature buffer. */
typedef struct {
    int base, plane, groups, h, w;
    bool is_unsigned;
} area;

typedef struct {
    const lt_config *cfg;
    lt_rng *rng;
    mac_case *c;
    qlayer l; /* weights, bias and multipliers of the operation being made */
    int in_c;
    bool is_pool, diagonal, has_res;
    int cg, og, a, b, d, tile, out_h, out_w;
    bool in_passes; /* one tile, one set: the terms may come in several operations */
    lt_mac_part part[MAX_OPS];
    int parts;
    area in, out, res;
    int in_bank, out_bank, res_bank; /* res_bank: -1 without residual */
    int res_off, res_count, param_group;
} maker;

static int rnd(maker *m, int lo, int hi)
{
    return lt_rng_range(m->rng, lo, hi);
}

static bool chance(maker *m, int percent)
{
    return rnd(m, 1, 100) <= percent;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int divisor_up_to(maker *m, int n, int most)
{
    int d;
    do d = rnd(m, 1, n < most ? n : most);
    while (n % d);
    return d;
}

static void *filled(maker *m, size_t n, size_t size)
{
    uint8_t *p = malloc(n * size + 1);
    if (!p) abort();
    for (size_t i = 0; i < n * size; i++) p[i] = (uint8_t)lt_rng_u32(m->rng);
    return p;
}

/* Puts a tensor somewhere into a bank; false if it is too large. */
static bool put_area(maker *m, area *t, int bank)
{
    int words = m->cfg->fb_words, rows = t->h * t->w, most;

    if (rows * t->groups > words) return false;
    most = t->groups > 1 ? (words - rows) / (t->groups - 1) : rows + 9;
    t->plane = rnd(m, rows, most > rows + 7 ? rows + 7 : most);
    t->base = bank * words + rnd(m, 0, words - (t->groups - 1) * t->plane - rows);
    return true;
}

/* ---- choices ---- */

/* A, B, D for a part of the terms. */
static void choose_schedule(maker *m, const lt_mac_part *p)
{
    const lt_config *c = m->cfg;

    m->b = m->d = 1;
    if (!m->in_passes) m->a = 1;
    if (c->wrf_depth <= 2) return;
    do {
        if (!m->in_passes) m->a = divisor_up_to(m, m->og, least(c->prf_depth, c->psum_words));
        m->b = divisor_up_to(m, p->cg, c->wrf_depth);
        m->d = divisor_up_to(m, p->r * p->s, c->wrf_depth);
        if (p->s <= c->wrf_depth && chance(m, 40)) m->d = p->s;
    } while (m->a * m->b * m->d > c->wrf_depth);
}

/* Cuts the layer's terms into at most n parts. */
static void choose_parts(maker *m, int n)
{
    m->part[0] = (lt_mac_part){0, m->cg, 0, m->l.r, 0, m->l.s};
    for (m->parts = 1; m->parts < n; m->parts++) {
        lt_mac_part *p = &m->part[rnd(m, 0, m->parts - 1)], *q = &m->part[m->parts];
        int *const size[] = {&p->cg, &p->r, &p->s}, *const rest[] = {&q->cg, &q->r, &q->s};
        int *const first[] = {&q->c0, &q->r0, &q->s0};
        int axis = rnd(m, 0, 2), all = *size[axis];
        if (all == 1) return;
        *q = *p;
        *size[axis] = rnd(m, 1, all - 1);
        *rest[axis] = all - *size[axis];
        *first[axis] += *size[axis];
    }
}

static bool parts_fit(const maker *m)
{
    for (int i = 0; i < m->parts; i++)
        if (m->part[i].cg * m->part[i].r * m->part[i].s * m->og > 2 * m->cfg->wb_words / m->cfg->lanes) return false;
    return true;
}

/* Kernel, channels and weights; false if they do not fit the weight buffer. room: most operations. */
static bool choose_conv(maker *m, int room)
{
    const lt_config *c = m->cfg;
    int lanes = c->lanes;

    m->l.groups = 1;
    m->diagonal = chance(m, 25);
    m->og = rnd(m, 1, least(c->param_groups, MAX_OG));
    m->in_passes = room > 1 && chance(m, 40);
    if (m->in_passes) m->a = m->og = rnd(m, 1, least(least(c->prf_depth, c->psum_words), m->og));
    if (m->diagonal) {
        int cpg = divisor_up_to(m, lanes, lanes);
        m->cg = 1;
        m->l.groups = rnd(m, (m->og - 1) * lanes / cpg + 1, m->og * lanes / cpg);
        m->l.k = m->in_c = m->l.groups * cpg;
    } else {
        m->cg = rnd(m, 1, m->in_passes ? 6 : 4);
        m->in_c = rnd(m, (m->cg - 1) * lanes + 1, m->cg * lanes);
        m->l.k = rnd(m, (m->og - 1) * lanes + 1, m->og * lanes);
        if (chance(m, 20)) {
            do m->l.groups = divisor_up_to(m, m->in_c, m->in_c);
            while (m->l.k % m->l.groups);
        }
    }
    m->l.r = rnd(m, 1, 5);
    m->l.s = chance(m, 50) ? m->l.r : rnd(m, 1, 6);
    choose_parts(m, m->in_passes ? rnd(m, 1, room) : 1);
    if (!parts_fit(m)) return false;

    size_t n = (size_t)(m->l.k * (m->in_c / m->l.groups) * m->l.r * m->l.s);
    m->l.w = filled(m, n, 1);
    for (size_t i = 0; i < n; i++)
        if (m->l.w[i] == -128) m->l.w[i] = 0;
    if (!m->in_passes) choose_schedule(m, &m->part[0]);
    return true;
}

static void choose_pool(maker *m)
{
    m->og = m->cg = rnd(m, 1, m->cfg->param_groups < MAX_OG ? m->cfg->param_groups : MAX_OG);
    m->l.k = m->in_c = rnd(m, (m->og - 1) * m->cfg->lanes + 1, m->og * m->cfg->lanes);
    m->l.op = chance(m, 50) ? QOP_MAXPOOL : QOP_SUMPOOL;
    m->l.r = chance(m, 30) ? 1 : rnd(m, 1, 6);
    m->l.s = chance(m, 50) ? m->l.r : rnd(m, 1, 6);
    m->a = m->b = m->d = 1;
    m->part[0] = (lt_mac_part){0, 1, 0, m->l.r, 0, m->l.s};
    m->parts = 1;
    m->in_passes = false;
}

static bool inside(const maker *m, int y, int x, int r, int s, int *iy, int *ix)
{
    *iy = y * m->l.stride - m->l.pad_t + r * m->l.dilation;
    *ix = x * m->l.stride - m->l.pad_l + s * m->l.dilation;
    return *iy >= 0 && *iy < m->in.h && *ix >= 0 && *ix < m->in.w;
}

/* A maximum needs at least one position inside the input. */
static bool windows_ok(const maker *m)
{
    int iy, ix;

    if (!m->is_pool || m->l.op != QOP_MAXPOOL) return true;
    for (int y = 0; y < m->out_h; y++)
        for (int x = 0; x < m->out_w; x++) {
            bool any = false;
            for (int r = 0; r < m->l.r; r++)
                for (int s = 0; s < m->l.s; s++) any |= inside(m, y, x, r, s, &iy, &ix);
            if (!any) return false;
        }
    return true;
}

static bool choose_sizes(maker *m)
{
    bool fc = !m->is_pool && chance(m, 10);

    m->in = (area){.groups = m->is_pool || m->diagonal ? m->og : m->cg, .is_unsigned = chance(m, 50)};
    m->in.h = fc ? m->l.r : rnd(m, 1, 12);
    m->in.w = fc ? m->l.s : rnd(m, 1, 12);
    m->l.stride = chance(m, 60) ? 1 : rnd(m, 1, 4);
    m->l.dilation = chance(m, 75) ? 1 : rnd(m, 1, 3);
    m->l.pad_t = fc ? 0 : rnd(m, -2, m->l.r);
    m->l.pad_l = fc ? 0 : rnd(m, -2, m->l.s);
    m->out_h = fc ? 1 : rnd(m, 1, chance(m, 20) ? 12 : 6);
    m->out_w = fc ? 1 : rnd(m, 1, chance(m, 20) ? 14 : 7);
    if (m->in_passes && m->out_h * m->out_w * m->a > m->cfg->psum_words) return false;
    m->out = (area){.groups = m->og, .h = m->out_h, .w = m->out_w};
    int cap = m->cfg->psum_words / m->a;
    m->tile = cap > 255 ? 255 : cap;
    if (chance(m, 50)) m->tile = rnd(m, m->in_passes ? m->out_h * m->out_w : 1, m->tile);
    return windows_ok(m);
}

/* Residual tensor: shifted groups, subsampled, or the output itself (in place). */
static bool choose_residual(maker *m)
{
    bool pair = m->cfg->lanes / m->cfg->post_lanes >= 2;

    m->res = (area){.is_unsigned = chance(m, 50)};
    if (pair && chance(m, 40)) {
        m->res_bank = m->out_bank;
        if (chance(m, 70)) { /* in place */
            m->res.base = m->out.base;
            m->res.plane = m->out.plane;
            m->res.w = m->out.w;
            m->l.res_step = 1;
            m->res_off = 0;
            m->res_count = m->og;
            return true;
        }
    }
    m->l.res_step = chance(m, 60) ? 1 : rnd(m, 1, 4);
    m->res_off = chance(m, 50) ? 0 : rnd(m, 0, m->og);
    m->res_count = rnd(m, 1, m->og + 1);
    m->res.groups = m->res_count;
    m->res.h = (m->out_h - 1) * m->l.res_step + 1;
    m->res.w = (m->out_w - 1) * m->l.res_step + 1 + rnd(m, 0, 1);
    if (!put_area(m, &m->res, m->res_bank)) return false;
    /* in the output's bank it must not be overwritten while it is needed */
    int end = m->res.base + (m->res.groups - 1) * m->res.plane + m->res.h * m->res.w;
    int out_end = m->out.base + (m->out.groups - 1) * m->out.plane + m->out.h * m->out.w;
    return m->res_bank != m->out_bank || end <= m->out.base || out_end <= m->res.base;
}

static void choose_post(maker *m)
{
    const lt_config *c = m->cfg;
    int lo_most = chance(m, 50) ? 0 : -128;

    m->l.bias = malloc(sizeof *m->l.bias * (size_t)m->l.k);
    m->l.mult = malloc(sizeof *m->l.mult * (size_t)m->l.k);
    if (!m->l.bias || !m->l.mult) abort();
    int spread = rnd(m, 0, c->acc_bits - 1), mult_bits = rnd(m, 1, c->mult_bits);
    for (int k = 0; k < m->l.k; k++) {
        m->l.bias[k] = (int32_t)(lt_rng_u32(m->rng) & ((1u << spread) - 1)) - (int32_t)((1u << spread) / 2);
        m->l.mult[k] = (uint16_t)(lt_rng_u32(m->rng) & ((1u << mult_bits) - 1));
    }
    /* mostly results of a few bits, at times any shift */
    int width = 14 + mult_bits;
    m->l.shift = chance(m, 80) ? rnd(m, width - 12, width - 4) : rnd(m, 0, 47);
    if (m->l.shift < 0) m->l.shift = 0;
    if (m->l.shift > 47) m->l.shift = 47;
    m->l.res_mult = (int)(lt_rng_u32(m->rng) >> rnd(m, 32 - c->mult_bits, 31));
    m->l.lo = lo_most ? -rnd(m, 0, 128) : 0;
    m->l.hi = lo_most ? rnd(m, 0, 127) : rnd(m, 0, 255);
}

/* Banks: input, output and residual in three different ones, and clear of what the operation before still works on. */
static bool choose_banks(maker *m, const maker *before, bool barrier)
{
    int n = m->cfg->fb_banks;

    m->in_bank = rnd(m, 0, n - 1);
    m->out_bank = rnd(m, 0, n - 1);
    m->res_bank = m->has_res ? rnd(m, 0, n - 1) : -1;
    if (m->in_bank == m->out_bank || m->in_bank == m->res_bank || m->out_bank == m->res_bank) return false;
    return barrier || !before || (m->in_bank != before->out_bank && m->in_bank != before->res_bank);
}

/* ---- golden model ---- */

static int value_at(const maker *m, const area *t, int c, int y, int x)
{
    int lanes = m->cfg->lanes;
    uint8_t v = m->c->after[(t->base + c / lanes * t->plane + y * t->w + x) * lanes + c % lanes];

    return t->is_unsigned ? v : (int8_t)v;
}

static int64_t accumulate(const maker *m, int k, int y, int x)
{
    const qlayer *l = &m->l;
    int64_t acc = m->is_pool && l->op == QOP_MAXPOOL ? INT64_MIN : 0;
    int iy, ix;

    if (!m->is_pool && k >= l->k) return 0;
    for (int r = 0; r < l->r; r++)
        for (int s = 0; s < l->s; s++) {
            if (!inside(m, y, x, r, s, &iy, &ix)) continue;
            if (m->is_pool) {
                int v = value_at(m, &m->in, k, iy, ix);
                if (l->op == QOP_SUMPOOL)
                    acc += v;
                else if (v > acc)
                    acc = v;
                continue;
            }
            int cpg = m->in_c / l->groups, c0 = k / (l->k / l->groups) * cpg;
            for (int c = 0; c < cpg; c++)
                acc += value_at(m, &m->in, c0 + c, iy, ix) * l->w[((k * cpg + c) * l->r + r) * l->s + s];
        }
    return acc;
}

/* The value of the low acc_bits bits. */
static int64_t wrapped(const maker *m, int64_t v)
{
    int drop = 64 - m->cfg->acc_bits;
    return (int64_t)((uint64_t)v << drop) >> drop;
}

static int requantise(const maker *m, int k, int64_t acc, int res)
{
    const qlayer *l = &m->l;
    int64_t bias = k < l->k ? l->bias[k] : 0, mult = k < l->k ? l->mult[k] : 0;
    __int128 v = (__int128)wrapped(m, acc + bias) * mult + (__int128)res * l->res_mult;

    if (l->shift) v += (__int128)1 << (l->shift - 1);
    v >>= l->shift;
    return v < l->lo ? l->lo : v > l->hi ? l->hi : (int)v;
}

static void run_golden(maker *m)
{
    int lanes = m->cfg->lanes;

    for (int k = 0; k < m->og * lanes; k++) {
        int rg = k / lanes - m->res_off;
        for (int y = 0; y < m->out_h; y++)
            for (int x = 0; x < m->out_w; x++) {
                int res = 0;
                if (m->has_res && rg >= 0 && rg < m->res_count)
                    res = value_at(m, &m->res, k - m->res_off * lanes, y * m->l.res_step, x * m->l.res_step);
                int at = m->out.base + k / lanes * m->out.plane + y * m->out_w + x;
                m->c->after[at * lanes + k % lanes] = (uint8_t)requantise(m, k, accumulate(m, k, y, x), res);
            }
    }
}

/* Words read for the terms of p: every word of a tap once for all its outputs; with kept words only the columns that
 * are new to a row. */
static long count_reads(const maker *m, const lt_mac_part *p)
{
    const lt_config *c = m->cfg;
    bool step = m->is_pool || m->diagonal;
    int d = m->is_pool ? p->r * p->s : m->d, words = step ? m->a : m->b, iy, ix;
    bool keeps = c->arf_depth > 0 && d % p->s == 0 && m->l.dilation == 1 && d * words <= c->arf_depth;
    int log = 2; /* width of the hardware's pixel counter */
    while (log < 8 && 1 << log <= c->psum_words) log++;
    int tile = m->is_pool ? (1 << log) - 1 : m->tile;
    long n = 0;

    for (int y = 0; y < m->out_h; y++)
        for (int x = 0; x < m->out_w; x++)
            for (int r = 0; r < p->r; r++)
                for (int s = 0; s < p->s; s++) {
                    if (!inside(m, y, x, p->r0 + r, p->s0 + s, &iy, &ix)) continue;
                    if (keeps && x && (y * m->out_w + x) % tile && s + m->l.stride < p->s) continue;
                    n += step ? m->og : p->cg * (m->og / m->a);
                }
    return n;
}

/* ---- descriptor ---- */

static void put(op_case *o, lt_dfield f, int64_t v)
{
    if (!lt_desc_put(o->desc, f, v)) {
        fprintf(stderr, "field %s does not take %lld\n", lt_desc_fields[f].name, (long long)v);
        abort();
    }
}

static void fill_descriptor(maker *m, op_case *o, int pass, bool barrier)
{
    const qlayer *l = &m->l;
    bool last = pass == m->parts - 1;

    for (int i = 0; i < 16; i++) o->desc[i] = lt_rng_u32(m->rng); /* what is not used must not matter */
    o->desc[0] &= ~(1u << 22);                                    /* not finished (mac_desc.h) */
    put(o, LT_D_OPCODE, m->is_pool ? LT_OP_POOL : LT_OP_CONV);
    put(o, LT_D_IN_UNSIGNED, m->in.is_unsigned);
    if (last) put(o, LT_D_RES_EN, m->has_res);
    put(o, LT_D_BARRIER, barrier);
    put(o, LT_D_WRITE_FB, 1);
    put(o, LT_D_POOL_MAX, l->op == QOP_MAXPOOL);
    put(o, LT_D_IN_BASE, m->in.base);
    put(o, LT_D_IN_PLANE, m->in.plane);
    put(o, LT_D_IN_H, m->in.h);
    put(o, LT_D_IN_W, m->in.w);
    put(o, LT_D_STRIDE, l->stride);
    put(o, LT_D_DILATION, l->dilation);
    if (last) put(o, LT_D_OUT_BASE, m->out.base);
    if (last) put(o, LT_D_OUT_PLANE, m->out.plane);
    put(o, LT_D_OUT_H, m->out_h);
    put(o, LT_D_OUT_W, m->out_w);
    put(o, LT_D_R, l->r);
    put(o, LT_D_S, l->s);
    put(o, LT_D_PAD_T, l->pad_t);
    put(o, LT_D_PAD_L, l->pad_l);
    put(o, LT_D_OG, m->og);
    put(o, LT_D_PARAM_BASE, m->param_group);
    put(o, LT_D_SHIFT, l->shift);
    put(o, LT_D_LO, l->lo);
    put(o, LT_D_HI, l->hi);
    if (!m->is_pool) {
        put(o, LT_D_ACC_IN, pass > 0);
        put(o, LT_D_ACC_OUT, !last);
        put(o, LT_D_CG_STEP, m->diagonal);
        put(o, LT_D_TILE_W, m->tile);
        put(o, LT_D_A, m->a);
        put(o, LT_D_B, m->b);
        put(o, LT_D_D, m->d);
        put(o, LT_D_WEIGHT_BASE, o->weight_at);
    }
    if (m->has_res) {
        put(o, LT_D_RES_UNSIGNED, m->res.is_unsigned);
        put(o, LT_D_RES_BASE, m->res.base);
        put(o, LT_D_RES_PLANE, m->res.plane);
        put(o, LT_D_RES_W, m->res.w);
        put(o, LT_D_RES_STEP, l->res_step);
        put(o, LT_D_RES_OG_OFF, m->res_off);
        put(o, LT_D_RES_OG_COUNT, m->res_count);
        put(o, LT_D_RES_MULT, l->res_mult);
    }
    if (m->is_pool)
        lt_mac_finish_desc(o->desc);
    else if (!lt_mac_finish_part(o->desc, &m->part[pass], l->pad_t, l->pad_l))
        abort();
}

static void pack(maker *m, op_case *o, int pass)
{
    const lt_config *c = m->cfg;
    const lt_mac_part *p = &m->part[pass];
    int words = p->cg * p->r * p->s * m->og * c->lanes, half = words <= c->wb_words;

    if (!m->is_pool) {
        const lt_mac_schedule s = {m->a, m->b, m->d};
        lt_pack_mac_weights(&m->l, m->in_c, c->lanes, 0, m->og, m->diagonal, p, &s, &o->weights);
        if (half && chance(m, 80))
            o->weight_at = rnd(m, 0, 1) * c->wb_words + rnd(m, 0, c->wb_words - words);
        else
            o->weight_at = rnd(m, 0, 2 * c->wb_words - words);
        o->wb_used = (o->weight_at < c->wb_words) | (o->weight_at + words > c->wb_words) << 1;
    }
    if (pass < m->parts - 1) return;
    lt_pack_params(&m->l, m->in_c, c->lanes, c->post_lanes, 0, m->og, !m->is_pool && m->in.is_unsigned, &o->params);
    o->param_at = m->param_group * (c->lanes / c->post_lanes);
    if (!lt_buf_ok(&o->weights) || !lt_buf_ok(&o->params)) abort();
}

static void drop_layer(qlayer *l)
{
    free(l->w);
    free(l->bias);
    free(l->mult);
    memset(l, 0, sizeof *l);
}

/* One try at a layer behind `before`: the operations it takes, at most `room`, or 0 if the choices do not go together.
 */
static int make_layer(maker *m, const maker *before, op_case *o, int room)
{
    bool barrier = !before || chance(m, 40);

    m->is_pool = chance(m, 30);
    if (m->is_pool)
        choose_pool(m);
    else if (!choose_conv(m, room))
        return 0;
    m->has_res = chance(m, 40);
    if (!choose_sizes(m) || !choose_banks(m, before, barrier)) return 0;
    if (!put_area(m, &m->in, m->in_bank) || !put_area(m, &m->out, m->out_bank)) return 0;
    if (m->has_res && !choose_residual(m)) return 0;
    choose_post(m);
    for (int i = 0; i < m->parts; i++) {
        int half = (m->c->n + i) % 2;
        m->param_group = half * m->cfg->param_groups + rnd(m, 0, m->cfg->param_groups - m->og);
        if (m->in_passes) choose_schedule(m, &m->part[i]);
        pack(m, &o[i], i);
        fill_descriptor(m, &o[i], i, i == 0 ? barrier : chance(m, 20));
        o[i].reads = count_reads(m, &m->part[i]);
    }
    run_golden(m);
    return m->parts;
}

void case_make(const lt_config *cfg, lt_rng *rng, mac_case *c)
{
    size_t bytes = (size_t)(cfg->fb_banks * cfg->fb_words * cfg->lanes);
    maker m[2] = {{.cfg = cfg, .rng = rng, .c = c}, {.cfg = cfg, .rng = rng, .c = c}};
    const maker *before = NULL;
    int n = rnd(&m[0], 1, MAX_OPS);

    memset(c, 0, sizeof *c);
    c->before = filled(&m[0], bytes, 1);
    c->after = malloc(bytes);
    if (!c->after) abort();
    memcpy(c->after, c->before, bytes);
    while (c->n < n) {
        maker *now = &m[before == &m[0]];
        drop_layer(&now->l);
        int made = make_layer(now, before, &c->op[c->n], n - c->n);
        if (made) {
            c->n += made;
            before = now;
        }
    }
    drop_layer(&m[0].l);
    drop_layer(&m[1].l);
}

void case_free(mac_case *c)
{
    for (int i = 0; i < c->n; i++) {
        lt_buf_free(&c->op[i].weights);
        lt_buf_free(&c->op[i].params);
    }
    free(c->before);
    free(c->after);
}

void case_describe(const op_case *o, char *text, int size)
{
    static const lt_dfield fields[] = {
        LT_D_IN_UNSIGNED, LT_D_ACC_IN,     LT_D_ACC_OUT,     LT_D_BARRIER, LT_D_POOL_MAX, LT_D_IN_H,   LT_D_IN_W,
        LT_D_STRIDE,      LT_D_DILATION,   LT_D_OUT_H,       LT_D_OUT_W,   LT_D_R,        LT_D_S,      LT_D_PAD_T,
        LT_D_PAD_L,       LT_D_CG,         LT_D_OG,          LT_D_CG_STEP, LT_D_TILE_H,   LT_D_TILE_W, LT_D_A,
        LT_D_B,           LT_D_D,          LT_D_WEIGHT_BASE, LT_D_SHIFT,   LT_D_LO,       LT_D_HI,     LT_D_RES_EN,
        LT_D_RES_STEP,    LT_D_RES_OG_OFF, LT_D_RES_BASE,    LT_D_OUT_BASE};
    int n = snprintf(text, (size_t)size, "%s", lt_desc_get(o->desc, LT_D_OPCODE) == LT_OP_POOL ? "POOL" : "CONV");

    for (size_t i = 0; i < sizeof fields / sizeof *fields && n < size; i++)
        n += snprintf(text + n, (size_t)(size - n), " %s=%lld", lt_desc_fields[fields[i]].name,
                      (long long)lt_desc_get(o->desc, fields[i]));
}
