#include "exec_pq_gen.h"

#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "emit/regs.h"
#include "golden/mirror.h"
#include "program/pack_pq.h"

/* What the operations before have left: feature-buffer words given out, LUT rows, the last operation's writes. */
typedef struct {
    const lt_config *c;
    lt_rng *r;
    int fb_next, row_next;
    int wrote_fb, wrote_words, wrote_map; /* map -1: none */
} maker;

static int range(maker *m, int lo, int hi)
{
    return lt_rng_range(m->r, lo, hi < lo ? lo : hi);
}

static bool chance(maker *m, int percent)
{
    return range(m, 0, 99) < percent;
}

static bool spatial(const maker *m)
{
    return m->c->pq_mode == QPQ_SPATIAL;
}

/* Makes a tree compare every element alone: what a level decides depends on the levels of the same element. */
static void part(qencoder *e, int cb)
{
    int levels = lt_clog2(e->prototypes), l = 0;

    for (int j = 0; j < e->length; j++)
        for (int own = 0; own < qenc_element_bits(e->prototypes, e->length, j); own++, l++) {
            int16_t *t = e->thresh + cb * (e->prototypes - 1) + (1 << l) - 1;
            e->dim[cb * levels + l] = (uint16_t)j;
            for (int n = 0; n < 1 << l; n++) t[n] = t[n & ((1 << own) - 1)];
        }
}

/* Of a layer: those of the configuration or, where the hardware can, fewer. */
static int prototypes(maker *m)
{
    int most = lt_clog2(m->c->pq_prototypes);
    return lt_pq_alone(m->c) && chance(m, 60) ? 1 << range(m, 1, most) : 1 << most;
}

static void make_encoder(maker *m, qencoder *e, bool is_unsigned)
{
    const lt_config *c = m->c;
    int entries = prototypes(m), levels = lt_clog2(entries), lo = is_unsigned ? 0 : -(1 << (c->pq_enc_bits - 1));
    int hi = lo + (1 << c->pq_enc_bits) - 1;
    /* codebooks of a few groups, the last one incomplete */
    int books =
        spatial(m) ? 2 * c->pq_chunks * c->lanes - range(m, 0, 1) : 2 * (c->lanes / c->pq_length) - range(m, 0, 1);
    size_t protos = (size_t)books * (size_t)entries;

    *e = (qencoder){.mode = c->pq_mode,
                    .encoder = c->pq_encoder,
                    .prototypes = entries,
                    .length = c->pq_length,
                    .codebooks = books,
                    .enc_bits = c->pq_enc_bits};
    e->proto = calloc(protos * (size_t)c->pq_length, sizeof *e->proto);
    e->dim = calloc((size_t)(books * levels), sizeof *e->dim);
    e->thresh = calloc((size_t)(books * (entries - 1)), sizeof *e->thresh);
    for (int i = 0; i < books * levels; i++) e->dim[i] = (uint16_t)range(m, 0, c->pq_length - 1);
    for (int i = 0; i < books * (entries - 1); i++) e->thresh[i] = (int16_t)range(m, lo, hi + 1);
    for (int cb = 0; cb < books && lt_pq_alone(c); cb++) part(e, cb);
    for (size_t i = 0; i < protos * (size_t)c->pq_length; i++) e->proto[i] = (int16_t)range(m, lo, hi);
}

static bool overlaps(int a, int n, int b, int k)
{
    return a < b + k && b < a + n;
}

/* A place for `words` words to read in the feature buffer that is not o's own output; sets the barrier if the
 * operation before writes there. */
static int place_input(maker *m, pq_job *j, int words, int out_words)
{
    int at;
    if (words > PQ_FB_WORDS / 2) return -1;
    do at = range(m, 0, PQ_FB_WORDS - words);
    while (overlaps(at, words, j->op.out_base, out_words));
    if (overlaps(at, words, m->wrote_fb, m->wrote_words)) j->barrier = true;
    return at;
}

static bool make_shape(maker *m, pq_op *o)
{
    int big = chance(m, 25) ? 7 : 3, pad_b, pad_r, eff_r, eff_s;

    o->in_h = range(m, 1, chance(m, 20) ? 12 : 7);
    o->in_w = range(m, 1, chance(m, 20) ? 12 : 7);
    o->r = range(m, 1, big);
    o->s = chance(m, 70) ? o->r : range(m, 1, big);
    o->stride = chance(m, 60) ? 1 : range(m, 2, 4);
    o->dilation = chance(m, 85) ? 1 : range(m, 2, 3);
    eff_r = (o->r - 1) * o->dilation + 1;
    eff_s = (o->s - 1) * o->dilation + 1;
    o->pad_t = chance(m, 70) ? eff_r / 2 : range(m, -1, eff_r - 1);
    o->pad_l = chance(m, 70) ? eff_s / 2 : range(m, -1, eff_s);
    pad_b = chance(m, 70) ? eff_r / 2 : range(m, 0, eff_r - 1);
    pad_r = chance(m, 70) ? eff_s / 2 : range(m, 0, eff_s + 1);
    if (o->in_h + o->pad_t + pad_b < eff_r || o->in_w + o->pad_l + pad_r < eff_s) return false;
    o->out_h = (o->in_h + o->pad_t + pad_b - eff_r) / o->stride + 1;
    o->out_w = (o->in_w + o->pad_l + pad_r - eff_s) / o->stride + 1;
    return true;
}

/* Makes the second half of every table the negative of the first, backwards. */
static void mirror(const lt_config *c, qlayer *l, size_t tables, size_t entries)
{
    size_t k = (size_t)l->k;

    for (size_t t = 0; t < tables; t++)
        for (size_t code = 0; code < entries / 2; code++)
            for (size_t i = 0; i < k; i++) {
                int8_t *first = &l->lut[(t * entries + code) * k + i];
                if (*first == -(1 << (c->pq_lut_bits - 1))) ++*first; /* its negative has no code */
                l->lut[(t * entries + entries - 1 - code) * k + i] = (int8_t) - *first;
            }
}

static void make_tables(maker *m, pq_op *o)
{
    const lt_config *c = m->c;
    qlayer *l = &o->layer;
    int channels = pq_op_channels(c, o), groups = range(m, 1, 2), taps = spatial(m) ? 1 : o->r * o->s;
    int most = 1 << (c->pq_lut_bits - 1);

    *l = (qlayer){.k = groups * c->lanes - range(m, 0, 1),
                  .r = o->r,
                  .s = o->s,
                  .stride = o->stride,
                  .dilation = o->dilation,
                  .groups = 1,
                  .encoder = o->dense ? -1 : 0,
                  .lut_bits = c->pq_lut_bits};
    o->og = range(m, 0, groups - 1);
    o->books = (qencoder){.mode = c->pq_mode, .prototypes = prototypes(m), .codebooks = channels};
    /* the model does not look for what is missing: fill up to whole groups afterwards */
    l->k = groups * c->lanes;
    if (o->dense) {
        size_t n = (size_t)l->k * (size_t)channels * (size_t)(o->r * o->s);
        l->w = malloc(n);
        for (size_t i = 0; i < n; i++) l->w[i] = (int8_t)range(m, -127, 127);
    } else {
        size_t n = (size_t)channels * (size_t)taps * (size_t)o->books.prototypes * (size_t)l->k;
        l->lut = malloc(n);
        for (size_t i = 0; i < n; i++) l->lut[i] = (int8_t)range(m, -most, most - 1);
        if (c->pq_mirror) mirror(c, l, (size_t)channels * (size_t)taps, (size_t)o->books.prototypes);
    }
}

/* LUT rows for the operation; false if there are none left. */
static bool take_rows(maker *m, pq_case *k, pq_job *j)
{
    const lt_config *c = m->c;
    const qencoder *e = j->op.dense ? NULL : &j->op.books;
    int half = lt_pq_half_rows(c), set = lt_pq_step_rows(c, j->op.books.prototypes);

    j->rows = lt_pq_rows(c, &j->op.layer, e, j->op.count);
    j->row = m->row_next;
    if (!j->op.dense) j->row = (j->row + set - 1) / set * set;
    if (j->row + j->rows > 2 * half) return false;
    m->row_next = j->row + j->rows;
    k->half_used[j->row / half] = k->half_used[(m->row_next - 1) / half] = true;
    return true;
}

static bool make_conv(maker *m, pq_case *k, pq_job *j)
{
    const lt_config *c = m->c;
    pq_op *o = &j->op;
    int words;

    o->dense = c->pq_dense && chance(m, 40);
    o->chunks = range(m, 1, c->pq_chunks + 1);
    o->first = chance(m, 80) ? 0 : range(m, 0, o->chunks - 1);
    o->count = chance(m, 80) ? o->chunks - o->first : range(m, 1, o->chunks - o->first);
    if (spatial(m) && !o->dense && (o->r > 3 || o->s > 3 || o->dilation > 1)) return false;
    words = (o->in_h + 2) / 3 * o->in_w * o->chunks; /* DENSE: values */
    if (words > c->pq_code_words * pq_op_values(c, o)) return false;
    o->code_in = range(m, 0, c->pq_code_words * pq_op_values(c, o) - words);
    o->map_in = range(m, 0, 1);
    if (m->wrote_map == o->map_in) j->barrier = true;
    make_tables(m, o);
    if (!take_rows(m, k, j)) return false;
    if (spatial(m) && !o->dense) {
        if (o->first + o->count > lt_pq_enc_words(c)) return false;
        o->enc_in = &k->enc[0];
        o->in_unsigned = k->enc_unsigned[0];
        j->enc_word = o->first; /* words are loaded in order */
    }
    return true;
}

/* Requantisation, residual, where results go. */
static bool make_output(maker *m, pq_case *k, pq_job *j, int number)
{
    const lt_config *c = m->c;
    pq_op *o = &j->op;
    int pixels = o->out_h * o->out_w, words;

    o->raw = spatial(m) || chance(m, 30);
    o->out_unsigned = spatial(m) ? chance(m, 40) : k->enc_unsigned[number % 2];
    o->shift = range(m, 0, c->acc_bits + c->mult_bits - 9);
    o->lo = o->out_unsigned ? 0 : range(m, -128, 0);
    o->hi = o->out_unsigned ? range(m, 1, 255) : range(m, 1, 127);
    for (int i = 0; i < c->lanes; i++) {
        o->bias[i] = range(m, -(1 << (c->acc_bits - 3)), 1 << (c->acc_bits - 3));
        o->mult[i] = (uint16_t)range(m, 0, (1 << c->mult_bits) - 1);
    }
    o->write_fb = chance(m, 60);
    o->write_code = !o->write_fb || chance(m, 50);
    o->map_out = o->pool ? range(m, 0, 1) : !o->map_in;
    j->param_group = number;

    o->out_base = m->fb_next;
    m->fb_next += pixels;
    if (m->fb_next > PQ_FB_WORDS) return false;

    words = lt_pq_group_words(c, o->raw);
    o->chunk0 = range(m, 0, 2);
    o->out_chunks = o->chunk0 + words + range(m, 0, 1);
    o->row0 = range(m, 0, 4);
    words = ((o->row0 + o->out_h + 2) / 3) * o->out_w * o->out_chunks;
    if (o->write_code && words > c->pq_code_words) {
        o->write_code = false;
        o->write_fb = true;
    }
    o->code_out = o->write_code ? range(m, 0, c->pq_code_words - words) : 0;
    if (!spatial(m) && o->write_code && !o->raw) {
        j->enc_word = number % 2;
        o->enc_out = &k->enc[j->enc_word];
        o->enc_group = k->enc_group[j->enc_word];
    }

    if (chance(m, 40)) {
        o->res_step = range(m, 1, 2);
        o->res_w = (o->out_w - 1) * o->res_step + 1 + range(m, 0, 2);
        o->res_unsigned = chance(m, 50);
        o->res_mult = range(m, 0, (1 << c->mult_bits) - 1) >> range(m, 0, c->mult_bits - 4);
        o->res = true;
        if (c->lanes > c->post_lanes && chance(m, 30)) { /* in place */
            o->res_step = 1;
            o->res_w = o->out_w;
            o->res_base = o->out_base;
        } else {
            o->res_base = place_input(m, j, ((o->out_h - 1) * o->res_step + 1) * o->res_w, pixels);
        }
        if (o->res_base < 0) return false;
    }
    return true;
}

static void set(uint32_t *d, lt_dfield f, int v)
{
    if (!lt_desc_put(d, f, v)) abort();
}

static void make_desc(maker *m, pq_job *j)
{
    const lt_config *c = m->c;
    const pq_op *o = &j->op;
    uint32_t *d = j->desc;

    set(d, LT_D_OPCODE, o->pool ? LT_OP_POOL : LT_OP_CONV);
    set(d, LT_D_IN_UNSIGNED, o->in_unsigned);
    set(d, LT_D_OUT_UNSIGNED, o->out_unsigned);
    set(d, LT_D_RES_EN, o->res);
    set(d, LT_D_RES_UNSIGNED, o->res_unsigned);
    set(d, LT_D_BARRIER, j->barrier);
    set(d, LT_D_WRITE_FB, o->write_fb);
    set(d, LT_D_WRITE_CODE, o->write_code);
    set(d, LT_D_CODE_RAW, o->raw);
    set(d, LT_D_IN_H, o->in_h);
    set(d, LT_D_IN_W, o->in_w);
    set(d, LT_D_STRIDE, o->stride);
    set(d, LT_D_DILATION, o->dilation);
    set(d, LT_D_OUT_BASE, o->out_base);
    set(d, LT_D_OUT_H, o->out_h);
    set(d, LT_D_OUT_W, o->out_w);
    set(d, LT_D_R, o->r);
    set(d, LT_D_S, o->s);
    set(d, LT_D_PAD_T, o->pad_t);
    set(d, LT_D_PAD_L, o->pad_l);
    set(d, LT_D_OG, 1);
    set(d, LT_D_PARAM_BASE, j->param_group);
    set(d, LT_D_SHIFT, o->shift);
    set(d, LT_D_LO, o->lo);
    set(d, LT_D_HI, o->hi);
    set(d, LT_D_RES_BASE, o->res_base);
    set(d, LT_D_RES_W, o->res_w);
    set(d, LT_D_RES_STEP, o->res_step);
    set(d, LT_D_RES_OG_COUNT, o->res);
    set(d, LT_D_RES_MULT, o->res_mult);
    set(d, LT_D_OUT_ROW0, o->row0);
    set(d, LT_D_CODE_OUT, o->code_out);
    set(d, LT_D_CODE_OUT_MAP, o->map_out);
    set(d, LT_D_CODE_OUT_CHUNKS, o->out_chunks);
    set(d, LT_D_CODE_OG0, o->chunk0);
    set(d, LT_D_ENC_BASE, j->enc_word);
    if (o->pool) {
        set(d, LT_D_POOL_MAX, o->max);
        set(d, LT_D_IN_BASE, o->in_base);
        lt_pq_finish_desc(c, d);
        return;
    }
    set(d, LT_D_DENSE, o->dense);
    set(d, LT_D_STREAM, chance(m, 80)); /* a permission: cleared where it cannot be */
    set(d, LT_D_CODE_IN, o->code_in);
    set(d, LT_D_CODE_IN_MAP, o->map_in);
    set(d, LT_D_CHUNKS, o->chunks);
    set(d, LT_D_WEIGHT_BASE, lt_pq_row_address(c, j->row));
    lt_pq_finish_part(c, d, o->first, o->count);
    if (!o->dense) lt_pq_set_prototypes(c, d, o->books.prototypes);
    if (o->acc_in) lt_pq_acc_in(d, o->acc_base, o->acc_short);
    if (o->acc_out) lt_pq_acc_out(d, o->acc_short);
}

static bool make_job(maker *m, pq_case *k, pq_job *j, int number)
{
    pq_op *o = &j->op;
    bool ok;

    *j = (pq_job){.barrier = chance(m, 30)};
    if (!make_shape(m, o)) return false;
    if (o->out_h * o->out_w > 150) return false;
    o->in_unsigned = chance(m, 40);
    o->pool = chance(m, 25);
    ok = o->pool || make_conv(m, k, j);
    ok = ok && make_output(m, k, j, number);
    if (ok && o->pool) {
        o->max = chance(m, 50);
        /* a window without any position inside has no maximum */
        if (o->max && (o->pad_t >= o->r || o->pad_l >= o->s || o->dilation > 1)) o->max = false;
        for (int p = 0; o->max && p < o->out_h; p++) /* ... on the far side */
            if (p * o->stride - o->pad_t >= o->in_h) o->max = false;
        for (int q = 0; o->max && q < o->out_w; q++)
            if (q * o->stride - o->pad_l >= o->in_w) o->max = false;
        o->in_base = place_input(m, j, o->in_h * o->in_w, o->out_h * o->out_w);
        ok = o->in_base >= 0;
    }
    if (!ok) {
        free(o->layer.lut);
        free(o->layer.w);
        return false;
    }
    return true;
}

/* Splits the convolution j into j, which stores its sums, and `then`, which goes on with the other chunks. */
static bool split(maker *m, pq_case *k, pq_job *j, pq_job *then)
{
    const lt_config *c = m->c;
    pq_op *o = &j->op;
    int row_next = m->row_next, bytes;

    if (o->pool || o->count < 2) return false;
    if (!o->acc_in) o->acc_short = lt_pq_acc_short(c, &o->layer, pq_op_channels(c, o)) && chance(m, 70);
    bytes = lt_pq_acc_words(c, o->acc_short);
    if (o->out_h * o->out_w * bytes > 400) return false;
    if (m->fb_next + o->out_h * o->out_w * bytes > PQ_FB_WORDS) return false;
    if (o->dense && o->in_unsigned) return false; /* the bias correction would have to be split too */
    pq_job whole = *j;
    *then = *j;
    then->op.first = o->first + 1;
    then->op.count = o->count - 1;
    then->op.acc_in = true;
    then->op.acc_base = m->fb_next;
    then->barrier = true;
    if (o->enc_in) then->enc_word = then->op.first;
    o->count = 1;
    j->rows = lt_pq_rows(c, &o->layer, o->dense ? NULL : &o->books, 1);
    o->acc_out = true;
    o->out_base = m->fb_next;
    o->write_fb = o->write_code = o->res = false;
    m->fb_next += o->out_h * o->out_w * bytes;
    if (!take_rows(m, k, then)) {
        m->row_next = row_next;
        *j = whole;
        return false;
    }
    if (then->op.res && overlaps(then->op.res_base, 400, o->out_base, o->out_h * o->out_w * bytes))
        then->op.res = false;
    /* both own the tables, see pq_case_free */
    return true;
}

static void remember(maker *m, const pq_job *j)
{
    const pq_op *o = &j->op;
    m->wrote_fb = o->out_base;
    m->wrote_words = o->write_fb ? o->out_h * o->out_w : 0;
    m->wrote_map = o->write_code ? o->map_out : -1;
}

void pq_case_make(const lt_config *c, lt_rng *r, pq_case *k)
{
    maker m = {.c = c, .r = r, .wrote_map = -1};
    int want = range(&m, 1, PQ_MAX_OPS);

    memset(k, 0, sizeof *k);
    for (int i = 0; i < 2; i++) {
        k->enc_unsigned[i] = chance(&m, 50);
        make_encoder(&m, &k->enc[i], k->enc_unsigned[i]);
        k->enc_group[i] = range(&m, 0, 1);
    }
    for (int tries = 0; k->jobs < want && tries < 200 && k->jobs < 2 * c->param_groups; tries++) {
        maker saved = m;
        pq_job *j = &k->job[k->jobs];
        bool half[2] = {k->half_used[0], k->half_used[1]};
        if (!make_job(&m, k, j, k->jobs)) {
            m.row_next = saved.row_next;
            m.fb_next = saved.fb_next;
            k->half_used[0] = half[0], k->half_used[1] = half[1];
            continue;
        }
        /* half of what is split once is split again: passes that both take and leave sums */
        for (int odds = 30; chance(&m, odds) && k->jobs + 1 < want && split(&m, k, j, j + 1); odds = 50) {
            make_desc(&m, j);
            j++;
            k->jobs++;
        }
        remember(&m, j);
        make_desc(&m, j);
        k->jobs++;
    }
}

void pq_case_free(pq_case *k)
{
    for (int i = 0; i < k->jobs; i++) {
        if (k->job[i].op.acc_in) continue; /* the one before frees them */
        free(k->job[i].op.layer.lut);
        free(k->job[i].op.layer.w);
    }
    for (int i = 0; i < 2; i++) {
        free(k->enc[i].proto);
        free(k->enc[i].dim);
        free(k->enc[i].thresh);
    }
}
