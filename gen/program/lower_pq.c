/* Convolution on the pq core: one operation per output group, codes (or values) in, LUT tiles or dense weights in the
 * two halves of the LUT memory. */
#include "base/bits.h"
#include "golden/mirror.h"
#include "program/builder.h"

#include <stdlib.h>

#include "program/kernel_cut.h"
#include "program/pack_pq.h"

/* Half a table is stored: the other half must be its negative, backwards. */
static lt_code check_mirror(const builder *b, const qlayer *l, const qencoder *e)
{
    long at = qlayer_unmirrored(l, e);
    if (at < 0) return LT_OK;
    long k = l->k, set = at / k / e->prototypes;
    int code = (int)(at / k % e->prototypes), opposite = e->prototypes - 1 - code, v = l->lut[at];
    return lt_fail(
        b->err, LT_EINPUT,
        "layer %s: table %ld, output %ld: got %d for code %d, expected %d, the negative of code %d's: %s has "
        "pq_mirror 1; prep and tune with this configuration make such tables",
        l->name, set, at % k, l->lut[at + (opposite - code) * k], opposite, -v, code, b->cfg->name);
}

/* Is every element of a subvector compared alone? */
static lt_code check_alone(const builder *b, const qlayer *l, const qencoder *e)
{
    int levels = lt_clog2(e->prototypes), nodes = e->prototypes - 1;

    for (int cb = 0; cb < e->codebooks; cb++)
        for (int i = 0, j = 0; i < levels; i++) {
            const int16_t *t = e->thresh + (size_t)cb * (size_t)nodes + (1 << i) - 1;
            while (j + 1 < e->length && qenc_element_level(e->prototypes, e->length, j + 1) <= i) j++;
            int own = 1 << (i - qenc_element_level(e->prototypes, e->length, j)); /* nodes of the element's level */
            bool alone = e->dim[cb * levels + i] == j;
            for (int n = 0; n < 1 << i; n++) alone = alone && t[n] == t[n & (own - 1)];
            if (alone) continue;
            return lt_fail(b->err, LT_EINPUT,
                           "layer %s: level %d of tree %d does not compare element %d alone, as pq_mirror 1 of %s has "
                           "it; prep and tune with this configuration make such trees",
                           l->name, i, cb, j, b->cfg->name);
        }
    return LT_OK;
}

/* The configuration's datapath is what the network was fitted for. */
static lt_code check_encoder(const builder *b, const qlayer *l)
{
    static const char *const modes[] = {"channel", "spatial"}, *const kinds[] = {"l1", "l2", "tree"};
    const lt_config *c = b->cfg;

    if (l->encoder < 0) {
        if (c->pq_dense) return LT_OK;
        return lt_fail(b->err, LT_EINPUT, "layer %s is dense; got pq_dense false, expected true", l->name);
    }
    const qencoder *e = &b->net->encoders[l->encoder];
    bool codes = e->prototypes == c->pq_prototypes || (lt_pq_alone(c) && e->prototypes < c->pq_prototypes);
    if ((int)e->mode == c->pq_mode && (int)e->encoder == c->pq_encoder && codes &&
        (e->length == c->pq_length || e->mode == QPQ_SPATIAL) && e->enc_bits == c->pq_enc_bits &&
        l->lut_bits <= c->pq_lut_bits) {
        if (lt_pq_alone(c)) LT_TRY(check_alone(b, l, e));
        return c->pq_mirror ? check_mirror(b, l, e) : LT_OK;
    }
    return lt_fail(
        b->err, LT_EINPUT,
        "layer %s was fitted for %s mode, %s encoder, %d prototypes, length %d, %d encoder bits, %d LUT bits; %s "
        "has %s, %s, %d, %d, %d, %d",
        l->name, modes[e->mode], kinds[e->encoder], e->prototypes, e->length, e->enc_bits, l->lut_bits, c->name,
        modes[c->pq_mode], kinds[c->pq_encoder], c->pq_prototypes, c->pq_length, c->pq_enc_bits, c->pq_lut_bits);
}

lt_code check_encoders(const builder *b)
{
    for (int i = 0; i < b->n_layers; i++)
        if (b->net->layers[i].op == QOP_CONV) LT_TRY(check_encoder(b, &b->net->layers[i]));
    return LT_OK;
}

/* The passes of a layer over its input chunks. Usually one; more if the tables of one output group exceed the LUT
 * memory: then each but the last leaves raw accumulators for the next. */
typedef struct {
    int chunks;   /* code words per input pixel */
    int per_pass; /* chunks of a pass */
    int passes;
    int rows;  /* LUT rows of a full pass */
    bool wide; /* a pass fills both LUT halves */
} pass_plan;

static const qencoder *encoder_of(const builder *b, const qlayer *l)
{
    return l->encoder >= 0 ? &b->net->encoders[l->encoder] : NULL;
}

static bool acc_short(const builder *b, const qlayer *l)
{
    return l->encoder >= 0 && lt_pq_acc_short(b->cfg, l, b->net->encoders[l->encoder].codebooks);
}

/* Is it quicker to load both halves, then compute, than to compute in passes with the next one's tables coming? Passes
 * store and load accumulators, wide operations keep nothing busy while they are loaded. */
static bool wide_pays(const builder *b, const qlayer *l, int chunks, int rows, int passes)
{
    const lt_config *c = b->cfg;
    const qtensor *out = &b->net->tensors[l->out];
    long pixels = (long)out->h * out->w, bytes = 0, sums = 2 * lt_pq_acc_words(c, acc_short(b, l));
    lt_pq_load to[LT_PQ_LUT_LOADS];
    int loads = lt_pq_lut_loads(c, l, 0, rows, to);

    if (b->prefer_wide) return true;
    for (int i = 0; i < loads; i++) bytes += (long)to[i].words * to[i].rows * b->target_bytes[TO_WEIGHT];
    long load = bytes * 8 / c->bus_bits, split = pixels * (chunks + sums * (passes - 1));
    return load + pixels * chunks <= (load > split ? load : split);
}

static bool plan_passes(const builder *b, const qlayer *l, int chunks, pass_plan *p)
{
    const lt_config *c = b->cfg;
    int half = lt_pq_half_rows(c), rows, most = chunks;
    const qencoder *e = encoder_of(b, l);

    rows = lt_pq_rows(c, l, e, chunks);
    /* the encoder memory holds pq_chunks words per half */
    if (l->encoder >= 0 && c->pq_mode == QPQ_SPATIAL && most > c->pq_chunks) most = c->pq_chunks;
    p->chunks = chunks;
    p->wide = most == chunks && rows > half && rows <= 2 * half;
    while (most > 1 && lt_pq_rows(c, l, e, most) > half) most--;
    if (p->wide && lt_pq_rows(c, l, e, most) <= half && !wide_pays(b, l, chunks, rows, ceil_div(chunks, most)))
        p->wide = false;
    if (p->wide) most = chunks;
    p->per_pass = most;
    p->passes = ceil_div(chunks, most);
    p->rows = lt_pq_rows(c, l, e, most);
    return p->wide || p->rows <= half;
}

/* LUT rows or dense weights of one pass, to LUT row `at`; a load stays within one half. */
static void load_tables(builder *b, const qlayer *l, int first, int count, int og, int at)
{
    const lt_config *c = b->cfg;
    const qencoder *e = encoder_of(b, l);
    int half = lt_pq_half_rows(c), rows = lt_pq_rows(c, l, e, count);

    for (int row0 = 0; row0 < rows;) {
        int n = half - (at + row0) % half;
        size_t done = 0;
        lt_pq_load to[LT_PQ_LUT_LOADS];
        lt_buf words = {0};
        if (n > rows - row0) n = rows - row0;
        if (e)
            lt_pack_pq_lut(c, l, e, first, count, og, row0, n, &words);
        else
            lt_pack_pq_dense(c, l, b->net->tensors[l->in].c, first, count, og, row0, n, &words);
        int loads = lt_pq_lut_loads(c, l, at + row0, n, to);
        if (!lt_buf_ok(&words)) lt_fail(b->err, LT_EMEM, "out of memory");
        for (int i = 0; i < loads && lt_buf_ok(&words); i++) {
            lt_buf part = words;
            part.data += done;
            part.len = (size_t)(to[i].words * to[i].rows * b->target_bytes[TO_WEIGHT]);
            done += part.len;
            add_packed_load(b, TO_WEIGHT, to[i].address, to[i].words, to[i].rows, to[i].stride, &part);
        }
        lt_buf_free(&words);
        row0 += n;
    }
}

static void set_kernel(builder *b, uint32_t *d, const qlayer *l, const view *in, const view *out, int chunks, int map)
{
    /* a permission: cleared where it is impossible */
    bool stream = l->pad_t >= 0 && l->pad_l >= 0 && l->r <= 3 && l->s <= 3 && l->dilation == 1;

    set_field(b, d, LT_D_IN_H, in->rows);
    set_field(b, d, LT_D_IN_W, in->cols);
    set_field(b, d, LT_D_R, l->r);
    set_field(b, d, LT_D_S, l->s);
    set_field(b, d, LT_D_PAD_T, in->row0 - (out->row0 * l->stride - l->pad_t));
    set_field(b, d, LT_D_PAD_L, in->col0 - (out->col0 * l->stride - l->pad_l));
    set_field(b, d, LT_D_DENSE, l->encoder < 0);
    set_field(b, d, LT_D_STREAM, stream);
    set_field(b, d, LT_D_CODE_IN, b->at[l->in].code_base * code_word_chunks(b, l));
    set_field(b, d, LT_D_CODE_IN_MAP, map);
    b->map_used[map] = b->ops + 1;
    set_field(b, d, LT_D_CHUNKS, chunks);
    set_field(b, d, LT_D_OG, 1);
}

/* One operation of several that compute an output group. */
typedef struct {
    const qlayer *kernel; /* the layer, or the part of its kernel that is being computed */
    int og, pass;         /* counted over all passes of the output group */
    bool last;
    int first, count; /* chunks of the code map */
    int table;        /* number of the first of them in the layer */
    int chunks;       /* per pixel of the map */
    bool wide;        /* fills both LUT halves */
    bool acc_short;   /* accumulators are stored in two bytes */
} pass_op;

static uint32_t *add_pass(builder *b, const qlayer *l, const tiling *t, const pass_op *p, const view *vi,
                          const view *vo, const view *vr, int map)
{
    const lt_config *c = b->cfg;
    int half = lt_pq_half_rows(c), param = b->ops % 2 * c->param_groups;
    uint32_t op[16] = {0};

    if (!b->again) {
        b->weight_half = p->wide ? 0 : !b->weight_half;
        b->wide_weights = p->wide;
        load_tables(b, p->kernel, p->table, p->count, p->og, b->weight_half * half);
    }
    /* only the multipliers read unsigned bytes shifted */
    if (p->last) load_params(b, l, p->og, 1, param, l->encoder < 0 && !b->net->tensors[l->in].is_signed);
    set_field(b, op, LT_D_OPCODE, LT_OP_CONV);
    set_field(b, op, LT_D_WRITE_FB, b->at[l->out].wants_fb);
    if (p->pass) b->barrier = true; /* the sums of the pass before are read */
    set_groups(b, op, l, *vo, p->last ? vr : NULL, p->og, param);
    set_kernel(b, op, p->kernel, vi, vo, p->chunks, map);
    set_field(b, op, LT_D_WEIGHT_BASE, lt_pq_row_address(c, b->weight_half * half));
    if (l->encoder >= 0 && c->pq_mode == QPQ_SPATIAL) {
        int slot = b->ops % 2 * c->pq_chunks;
        load_encoder(b, &b->net->encoders[l->encoder], &b->net->tensors[l->in], p->table, p->count, slot);
        set_field(b, op, LT_D_ENC_BASE, slot);
    }
    if (p->last) set_code_output(b, op, l, t, p->og);
    if (!p->last) set_field(b, op, LT_D_OUT_BASE, t->acc_at[p->pass % 2]);
    lt_pq_finish_part(c, op, p->first, p->count);
    if (l->encoder >= 0) lt_pq_set_prototypes(c, op, encoder_of(b, l)->prototypes);
    if (p->pass) lt_pq_acc_in(op, t->acc_at[(p->pass - 1) % 2], p->acc_short);
    if (!p->last) lt_pq_acc_out(op, p->acc_short);
    check_in_place(b, l, op);
    return add_op(b, op);
}

/* One tile of one output group's passes over the chunks of a map; more: others of it follow. */
static void add_passes(builder *b, const qlayer *l, const tiling *t, int tile, const pass_plan *p, pass_op *o,
                       bool more, const view *vi, const view *vo, const view *vr, int map, bool *open)
{
    int groups = ceil_div(l->k, b->cfg->lanes), table = o->table;

    for (int n = 0; n < p->passes; n++) {
        if (!*open) open_group(b, false);
        *open = false;
        if (p->wide || b->wide_weights) wait_for_all(b); /* nothing may still use either half */
        o->first = n * p->per_pass;
        o->count = o->first + p->per_pass <= p->chunks ? p->per_pass : p->chunks - o->first;
        o->table = table + o->first;
        o->chunks = p->chunks;
        o->wide = p->wide;
        o->last = !more && n == p->passes - 1;
        uint32_t *d = add_pass(b, l, t, o, vi, vo, vr, map);
        end_op(b, d, l, t, tile, o->last && o->og == groups - 1, vo);
        o->pass++;
    }
}

/* A tile whose input has to go through the code memory a few groups at a time, for every output group anew. */
static void lower_split(builder *b, const qlayer *l, const tiling *t, int tile, const kernel_cut *cut, const view *vi,
                        const view *vo, const view *vr, bool *open)
{
    const kernel_part kernel = {0, l->r, 0, l->s};
    int groups = ceil_div(l->k, b->cfg->lanes), in_groups = groups_of(b, &b->net->tensors[l->in]), map;
    int each = code_group_chunks(b, l);

    for (int og = 0; og < groups && b->err->code == LT_OK; og++) {
        pass_op o = {.og = og, .acc_short = acc_short(b, l)};
        for (int g = 0; g < in_groups; g += t->groups) {
            int n = g + t->groups <= in_groups ? t->groups : in_groups - g;
            view in = *vi;
            pass_plan p;

            if (!*open) open_group(b, false);
            *open = true;
            if (b->at[l->in].in_dram)
                load_part(b, l, t, vo, &kernel, g, n, &in);
            else
                in.base += g * in.plane;
            code_for_groups(b, l, &in, g, n, open, &map);
            for (int k = 0; k < cut->n; k++) {
                o.kernel = &cut->part[k];
                o.table = g * each;
                plan_passes(b, o.kernel, n * each, &p);
                add_passes(b, l, t, tile, &p, &o, g + n < in_groups || k < cut->n - 1, &in, vo, vr, map, open);
            }
        }
    }
}

/* Cuts the kernel into parts whose tables for one chunk, at least, fit the LUT memory. */
static lt_code cut_kernel(builder *b, const qlayer *l, int chunks, kernel_cut *cut)
{
    const lt_config *c = b->cfg;
    int down = l->dilation == 1 ? 3 : 1; /* rows of a sub-kernel */
    qlayer part = *l;
    pass_plan p;

    while (!plan_passes(b, &part, chunks, &p)) {
        if (part.r > down)
            part.r = (part.r - 1) / down * down;
        else if (part.s > 3)
            part.s = (part.s - 1) / 3 * 3;
        else if (part.r > 1)
            part.r--;
        else if (part.s > 1)
            part.s--;
        else
            return lt_fail(b->err, LT_EINPUT,
                           "layer %s: the tables of one chunk need %d LUT rows; pq_lut_rows = %d gives 2 x %d", l->name,
                           p.rows, c->pq_lut_rows, lt_pq_half_rows(c));
    }
    return kernel_cut_make(l, l->encoder >= 0 ? &b->net->encoders[l->encoder] : NULL, b->net->tensors[l->in].c, part.r,
                           part.s, cut, b->err);
}

/* Input groups that the code memory holds at once, over the whole layer or, if not even one, for a tile; 0: all. */
static int split_groups(const builder *b, const qlayer *l)
{
    const qtensor *in = &b->net->tensors[l->in];
    int rows = (l->r - 1) * l->dilation + 1, cols = (l->s - 1) * l->dilation + 1, room = code_room(b);

    if (rows > in->h) rows = in->h;
    if (cols > in->w) cols = in->w;
    room *= code_word_chunks(b, l);
    if (b->at[l->in].code != CODE_NONE || ceil_div(rows, 3) * cols * code_chunks(b, l) <= room) return 0;
    int n = room / (ceil_div(in->h, 3) * in->w * code_group_chunks(b, l));
    return n > 0 ? n : 1;
}

static lt_code lower_parts(builder *b, const qlayer *l, const kernel_cut *cut, int chunks, int split)
{
    const lt_config *c = b->cfg;
    int groups = ceil_div(l->k, c->lanes);
    pass_plan p;
    tiling t;

    plan_passes(b, &cut->part[0], chunks, &p);
    bool several = p.passes > 1 || cut->n > 1 || split;
    /* an input that is not in the code memory yet is copied there, as much at a time as fits */
    const tile_needs needs = {.code_chunks = b->at[l->in].code == CODE_NONE ? chunks : 0,
                              .word_chunks = code_word_chunks(b, l),
                              .acc_words = several ? lt_pq_acc_words(c, acc_short(b, l)) : 0,
                              .acc_buffers = p.passes * cut->n == 2 && !split ? 1 : 2,
                              .groups = split,
                              .split = split > 0};
    if (!plan_tiles(b, l, &needs, &t)) {
        if (p.passes == 1 || b->prefer_wide) return no_room(b, l);
        b->prefer_wide = true; /* it may do without stored accumulators */
        lt_code rc = lower_parts(b, l, cut, chunks, split);
        b->prefer_wide = false;
        return rc;
    }
    for (int i = 0; i < t.count; i++) {
        view vi, vo, vr = {0};
        int map;
        bool open = true; /* the group of the next operation has loads already */

        open_group(b, i == 0 && (t.count > 1 || t.groups));
        load_input(b);
        tile_views(b, l, &t, i, true, &vi, &vo, &vr);
        if (t.groups) {
            lower_split(b, l, &t, i, cut, &vi, &vo, &vr, &open);
            continue;
        }
        code_for_tile(b, l, &t, &vi, &open, &map);
        if (b->remake >= 0 || b->err->code != LT_OK) return b->err->code;
        for (int og = 0; og < groups; og++) {
            pass_op o = {.og = og, .acc_short = acc_short(b, l)};
            for (int k = 0; k < cut->n; k++) {
                o.kernel = &cut->part[k];
                o.table = 0;
                plan_passes(b, o.kernel, chunks, &p);
                add_passes(b, l, &t, i, &p, &o, k < cut->n - 1, &vi, &vo, &vr, map, &open);
            }
        }
    }
    return b->err->code;
}

lt_code lower_conv_pq(builder *b, const qlayer *l)
{
    int split = split_groups(b, l), chunks = split ? split * code_group_chunks(b, l) : code_chunks(b, l);
    const place *in = &b->at[l->in];
    kernel_cut cut = {0};

    if (split && !in->in_fb && !in->in_dram) { /* its values are needed */
        b->remake = l->in;
        return b->err->code;
    }
    lt_code rc = cut_kernel(b, l, chunks, &cut);
    if (rc == LT_OK) rc = lower_parts(b, l, &cut, chunks, split);
    kernel_cut_free(&cut);
    return rc;
}

/* What one image of a batch contributes to a layer. */
typedef struct {
    tiling t;
    view in, out, res;
    int map;
} part_of_image;

/* Is the layer one operation per output group and image, all on chip? */
static bool plan_batch(builder *b, const qlayer *l, const kernel_cut *cut, int chunks, pass_plan *p,
                       part_of_image *part)
{
    if (cut->n != 1 || !plan_passes(b, l, chunks, p) || p->passes > 1) return false;
    for (int i = 0; i < b->batch; i++) {
        select_image(b, i);
        const tile_needs needs = {.code_chunks = b->at[l->in].code == CODE_NONE ? chunks : 0,
                                  .word_chunks = code_word_chunks(b, l),
                                  .acc_buffers = 1};
        if (b->at[l->in].in_dram || b->at[l->out].in_dram || (l->res >= 0 && b->at[l->res].in_dram)) return false;
        if (!plan_tiles(b, l, &needs, &part[i].t) || part[i].t.count > 1 || part[i].t.groups) return false;
    }
    return true;
}

static void lower_shared(builder *b, const qlayer *l, const pass_plan *p, part_of_image *part)
{
    int groups = ceil_div(l->k, b->cfg->lanes);
    bool open = false;

    for (int i = 0; i < b->batch && b->remake < 0; i++) {
        select_image(b, i);
        tile_views(b, l, &part[i].t, 0, true, &part[i].in, &part[i].out, &part[i].res);
        code_for_tile(b, l, &part[i].t, &part[i].in, &open, &part[i].map);
    }
    if (b->remake >= 0) return;
    for (int og = 0; og < groups; og++)
        for (int i = 0; i < b->batch; i++) {
            const pass_op o = {.kernel = l,
                               .og = og,
                               .last = true,
                               .count = p->chunks,
                               .chunks = p->chunks,
                               .wide = p->wide,
                               .acc_short = acc_short(b, l)};
            select_image(b, i);
            b->again = i > 0;
            b->goes_on = i < b->batch - 1;
            if (i == 0) open_group(b, false);
            if (i == 0 && (p->wide || b->wide_weights)) wait_for_all(b); /* nothing may still use either half */
            uint32_t *d = add_pass(b, l, &part[i].t, &o, &part[i].in, &part[i].out, &part[i].res, part[i].map);
            end_op(b, d, l, &part[i].t, 0, og == groups - 1, &part[i].out);
        }
    b->again = b->goes_on = false;
}

lt_code lower_conv_batch(builder *b, const qlayer *l, bool *done)
{
    kernel_cut cut = {0};
    pass_plan p;

    *done = false;
    select_image(b, 0);
    if (split_groups(b, l)) return LT_OK;
    int chunks = code_chunks(b, l);
    part_of_image *part = calloc((size_t)b->batch, sizeof *part);
    if (!part) return lt_fail(b->err, LT_EMEM, "out of memory");
    b->prefer_wide = true; /* accumulators of several images have no room */
    lt_code rc = cut_kernel(b, l, chunks, &cut);
    if (rc == LT_OK && plan_batch(b, l, &cut, chunks, &p, part)) {
        lower_shared(b, l, &p, part);
        *done = true;
    }
    b->prefer_wide = false;
    kernel_cut_free(&cut);
    free(part);
    return b->err->code;
}
