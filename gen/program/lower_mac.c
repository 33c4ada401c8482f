/* Convolution on the ws and ews cores: output-group sets, array schedule (A, B, D, tile), weights. */
#include "program/lower_mac.h"

#include <stdlib.h>
#include <string.h>

#include "program/pack_mac.h"

/* A block-diagonal layer needs only the input group that matches the output group. */
static bool block_diagonal(const qlayer *l, const qtensor *in, int lanes)
{
    int cpg = in->c / l->groups, kpg = l->k / l->groups;
    return l->groups > 1 && cpg == kpg && lanes % cpg == 0;
}

static mac_shape plan_shape(const builder *b, const qlayer *l)
{
    const lt_config *c = b->cfg;
    const qtensor *in = &b->net->tensors[l->in];
    mac_shape s = {.cg_step = block_diagonal(l, in, c->lanes)};

    s.cg = s.cg_step ? 1 : groups_of(b, in);
    s.og = ceil_div(l->k, c->lanes);
    s.words = s.cg * l->r * l->s * c->lanes;
    s.set = s.words > c->wb_words ? 1 : c->wb_words / s.words;
    if (s.set > s.og) s.set = s.og;
    if (s.set > c->param_groups) s.set = c->param_groups;
    return s;
}

/* The best descriptor so far: fewest cycles, then fewest reads of activations. */
typedef struct {
    uint64_t cycles;
    double reads;
    uint32_t op[16];
} schedule_choice;

static void consider(const lt_config *c, const uint32_t *op, double reads, schedule_choice *best)
{
    lt_exec_state st = {0};
    uint64_t cycles = lt_cycle_mac(c, op, &st, 0).done;
    if (cycles > best->cycles || (cycles == best->cycles && reads >= best->reads)) return;
    best->cycles = cycles;
    best->reads = reads;
    memcpy(best->op, op, sizeof best->op);
}

/* A tile narrower than the partial sums allow can be faster: the output splits into more equal tiles, so that the last
 * is not too short to hide its loads of weights, and fewer sums are left to drain after it. */
enum { NARROWEST_TILE = 8, WIDEST_TILE = 255 };

void choose_schedule(const builder *b, const mac_shape *s, const qlayer *l, const lt_mac_part *part, int og,
                     uint32_t *op)
{
    const lt_config *c = b->cfg;
    int taps = part->r * part->s;
    schedule_choice best = {.cycles = UINT64_MAX};
    bool in_passes = lt_desc_get(op, LT_D_ACC_IN) || lt_desc_get(op, LT_D_ACC_OUT); /* they have one tile */

    for (int a = 1; a <= c->prf_depth && a <= og; a++) {
        if (og % a || a > c->psum_words) continue;
        int widest = c->psum_words / a < WIDEST_TILE ? c->psum_words / a : WIDEST_TILE;
        int narrowest = in_passes || widest < NARROWEST_TILE ? widest : NARROWEST_TILE;
        for (int bb = 1; bb <= part->cg; bb++) {
            if (part->cg % bb || (s->cg_step && bb > 1)) continue;
            for (int d = 1; d <= taps; d++) {
                /* with two weights per multiplier one works while the other loads */
                if (taps % d || a * bb * d > c->wrf_depth || (c->wrf_depth == 2 && a * bb * d > 1)) continue;
                bool slides = c->arf_depth >= bb * part->s * (d / part->s) && d % part->s == 0 && l->dilation == 1;
                double reads = 1.0 / a / (slides && l->stride < part->s ? (double)part->s / l->stride : 1);
                for (int tile = widest; tile >= narrowest; tile--)
                    if (lt_desc_put(op, LT_D_A, a) && lt_desc_put(op, LT_D_B, bb) && lt_desc_put(op, LT_D_D, d) &&
                        lt_desc_put(op, LT_D_TILE_W, tile))
                        consider(c, op, reads, &best);
            }
        }
    }
    memcpy(op, best.op, sizeof best.op);
}

uint32_t add_weights(builder *b, const qlayer *l, const mac_shape *s, const lt_mac_part *part, int og0, int og,
                     const uint32_t *op, int *words)
{
    lt_mac_schedule sch = {(int)lt_desc_get(op, LT_D_A), (int)lt_desc_get(op, LT_D_B), (int)lt_desc_get(op, LT_D_D)};
    lt_buf packed = {0};

    lt_pack_mac_weights(l, b->net->tensors[l->in].c, b->cfg->lanes, og0, og, s->cg_step, part, &sch, &packed);
    uint32_t at = add_blob(b, packed.data, packed.len);
    if (!lt_buf_ok(&packed)) lt_fail(b->err, LT_EMEM, "out of memory");
    lt_buf_free(&packed);
    *words = og * part->cg * part->r * part->s * b->cfg->lanes;
    return at;
}

void set_conv(builder *b, uint32_t *op, const view *in, int cg_step)
{
    set_field(b, op, LT_D_OPCODE, LT_OP_CONV);
    set_field(b, op, LT_D_IN_PLANE, in->plane);
    set_field(b, op, LT_D_IN_H, in->rows);
    set_field(b, op, LT_D_IN_W, in->cols);
    set_field(b, op, LT_D_CG_STEP, cg_step);
}

void set_part(builder *b, uint32_t *op, const qlayer *l, const lt_mac_part *part, const view *in, const view *out)
{
    if (!lt_mac_finish_part(op, part, in->row0 - (out->row0 * l->stride - l->pad_t),
                            in->col0 - (out->col0 * l->stride - l->pad_l)) &&
        b->err->code == LT_OK)
        lt_fail(b->err, LT_EINPUT, "layer %s: more than 127 rows or columns of padding", l->name);
}

/* Gives op the schedule of another operation. */
void set_schedule_of(builder *b, const uint32_t *from, uint32_t *op)
{
    static const lt_dfield fields[] = {LT_D_A, LT_D_B, LT_D_D, LT_D_TILE_W};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        set_field(b, op, fields[i], lt_desc_get(from, fields[i]));
}

/* All terms of a set of output groups in one operation. */
static lt_code lower_whole(builder *b, const qlayer *l, const mac_shape *s, const tiling *t)
{
    const lt_config *c = b->cfg;
    const lt_mac_part whole = {0, s->cg, 0, l->r, 0, l->s};
    bool resident = s->set == s->og, wide = s->words > c->wb_words;
    uint32_t first[16]; /* the first operation, whose schedule the weights are packed for */

    for (int i = 0; i < t->count; i++) {
        for (int og0 = 0; og0 < s->og; og0 += s->set) {
            int og = og0 + s->set <= s->og ? s->set : s->og - og0, param = (b->ops % 2) * c->param_groups, words;
            view vi, vo, vr = {0};
            uint32_t op[16] = {0};

            open_group(b, wide || b->wide_weights || (i == 0 && og0 == 0 && t->count > 1));
            load_input(b);
            tile_views(b, l, t, i, og0 == 0, &vi, &vo, &vr);
            set_conv(b, op, &vi, s->cg_step);
            set_field(b, op, LT_D_WRITE_FB, 1);
            set_groups(b, op, l, vo, &vr, og0, param);
            set_field(b, op, LT_D_IN_BASE, vi.base + (s->cg_step ? og0 * vi.plane : 0));
            set_field(b, op, LT_D_OG, og);
            set_field(b, op, LT_D_CG, s->cg);
            set_field(b, op, LT_D_R, l->r);
            set_field(b, op, LT_D_S, l->s);
            if (!resident || i == 0) {
                choose_schedule(b, s, l, &whole, og, op);
                memcpy(first, op, sizeof first);
                b->weight_half = wide ? 0 : !b->weight_half;
                uint32_t at = add_weights(b, l, s, &whole, og0, og, op, &words);
                add_load(b, LUTRA_BASE_PROGRAM, at, TO_WEIGHT, b->weight_half * c->wb_words, words, 1, 0, 0);
            } else {
                set_schedule_of(b, first, op);
            }
            b->wide_weights = wide;
            set_field(b, op, LT_D_WEIGHT_BASE, b->weight_half * c->wb_words);
            load_params(b, l, og0, og, param, !b->net->tensors[l->in].is_signed);
            set_part(b, op, l, &whole, &vi, &vo);
            end_op(b, add_op(b, op), l, t, i, og0 + og == s->og, &vo);
        }
    }
    return b->err->code;
}

lt_code lower_conv_mac(builder *b, const qlayer *l)
{
    enum { FIELD = 255 }; /* CG, R and S have 8 bits */
    const lt_config *c = b->cfg;
    mac_shape s = plan_shape(b, l);
    mac_passes p = {0};
    bool must = s.words > 2 * c->wb_words || s.cg > FIELD || l->r > FIELD || l->s > FIELD;
    tiling t;

    LT_TRY(plan_passes_mac(b, l, &s, &p));
    const lt_mac_part *first = p.parts; /* the largest */
    tile_needs needs = {.groups = first->cg, .kernel = {0, first->r, 0, first->s}, .passes = p.count > 1};
    lt_code rc;
    if (!plan_tiles(b, l, &needs, &t))
        rc = no_room(b, l);
    else if (must || t.groups || (s.words > c->wb_words && passes_win(b, l, &s, &t, &p)))
        rc = lower_in_passes(b, l, &s, &t, &p);
    else
        rc = lower_whole(b, l, &s, &t);
    free(p.parts);
    return rc;
}
