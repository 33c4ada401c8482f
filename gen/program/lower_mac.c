/* Convolution on the ws and ews cores: output-group sets, array schedule (A, B, D, tile), weights. */
#include "program/builder.h"

#include <stdlib.h>
#include <string.h>

#include "program/mac_desc.h"
#include "program/pack_mac.h"

/* How the layer's channels map onto the array. */
typedef struct {
    int cg, cg_step; /* input groups per output group; see architecture.md */
    int og;          /* output groups */
    int set;         /* output groups per operation */
    int words;       /* weight words per output group */
} shape;

/* A block-diagonal layer needs only the input group that matches the output group. */
static bool block_diagonal(const qlayer *l, const qtensor *in, int lanes)
{
    int cpg = in->c / l->groups, kpg = l->k / l->groups;
    return l->groups > 1 && cpg == kpg && lanes % cpg == 0;
}

static lt_code plan_shape(const builder *b, const qlayer *l, shape *s)
{
    const lt_config *c = b->cfg;
    const qtensor *in = &b->net->tensors[l->in];
    bool diag = block_diagonal(l, in, c->lanes);

    s->cg = diag ? 1 : groups_of(b, in);
    s->cg_step = diag;
    s->og = ceil_div(l->k, c->lanes);
    s->words = s->cg * l->r * l->s * c->lanes;
    if (s->words > 2 * c->wb_words)
        return lt_fail(
            b->err, LT_EINPUT,
            "layer %s: one output group needs %d weight words; wb_words = %d holds 2 x %d: at least %d needed", l->name,
            s->words, c->wb_words, c->wb_words, ceil_div(s->words, 2));
    s->set = s->words > c->wb_words ? 1 : c->wb_words / s->words;
    if (s->set > s->og) s->set = s->og;
    if (s->set > c->param_groups) s->set = c->param_groups;
    return LT_OK;
}

/* Fewest cycles, then fewest feature-buffer reads, over every legal A, B, D and tile. */
static void choose_schedule(const builder *b, const shape *s, const qlayer *l, int og, const uint32_t *op,
                            uint32_t *best)
{
    const lt_config *c = b->cfg;
    int taps = l->r * l->s;
    uint64_t best_cycles = UINT64_MAX;
    double best_reads = 0;

    for (int a = 1; a <= c->prf_depth && a <= og; a++) {
        if (og % a || a > c->psum_words) continue;
        for (int bb = 1; bb <= s->cg; bb++) {
            if (s->cg % bb || (s->cg_step && bb > 1)) continue;
            for (int d = 1; d <= taps; d++) {
                /* with two weights per multiplier one works while the other loads */
                if (taps % d || a * bb * d > c->wrf_depth || (c->wrf_depth == 2 && a * bb * d > 1)) continue;
                int tile = c->psum_words / a > 255 ? 255 : c->psum_words / a;
                uint32_t op2[16];
                memcpy(op2, op, sizeof op2);
                lt_desc_put(op2, LT_D_A, a);
                lt_desc_put(op2, LT_D_B, bb);
                lt_desc_put(op2, LT_D_D, d);
                lt_desc_put(op2, LT_D_TILE_W, tile);
                lt_exec_state st = {0};
                uint64_t cycles = lt_cycle_mac(c, op2, &st, 0).done;
                bool slides = c->arf_depth >= bb * l->s * (d / l->s) && d % l->s == 0 && l->dilation == 1;
                double reads = 1.0 / a / (slides && l->stride < l->s ? (double)l->s / l->stride : 1);
                if (cycles < best_cycles || (cycles == best_cycles && reads < best_reads)) {
                    best_cycles = cycles;
                    best_reads = reads;
                    memcpy(best, op2, sizeof op2);
                }
            }
        }
    }
}

static void load_weights(builder *b, const qlayer *l, const shape *s, int og0, int og, const uint32_t *op)
{
    const lt_config *c = b->cfg;
    lt_mac_schedule sch = {(int)lt_desc_get(op, LT_D_A), (int)lt_desc_get(op, LT_D_B), (int)lt_desc_get(op, LT_D_D)};
    lt_buf words = {0};

    lt_pack_mac_weights(l, b->net->tensors[l->in].c, c->lanes, og0, og, s->cg, s->cg_step, &sch, &words);
    uint32_t at = add_blob(b, words.data, words.len);
    add_load(b, LUTRA_BASE_PROGRAM, at, TO_WEIGHT, b->weight_half * c->wb_words, og * s->words, 1, 0, 0);
    if (!lt_buf_ok(&words)) lt_fail(b->err, LT_EMEM, "out of memory");
    lt_buf_free(&words);
}

lt_code lower_conv_mac(builder *b, const qlayer *l)
{
    const lt_config *c = b->cfg;
    const qtensor *in = &b->net->tensors[l->in];
    shape s = {0};
    tiling t;

    LT_TRY(plan_shape(b, l, &s));
    if (!plan_tiles(b, l, in->h, 0, &t)) return no_room(b, l);
    bool resident = s.set == s.og;
    for (int i = 0; i < t.count; i++) {
        for (int og0 = 0; og0 < s.og; og0 += s.set) {
            int og = og0 + s.set <= s.og ? s.set : s.og - og0, param = (b->ops % 2) * c->param_groups;
            view vi, vo, vr = {0};
            uint32_t op[16] = {0}, best[16];

            bool wide = s.words > c->wb_words;
            open_group(b, wide || b->wide_weights || (i == 0 && og0 == 0 && t.count > 1));
            load_input(b);
            tile_views(b, l, &t, i, og0 == 0, &vi, &vo, &vr);
            set_field(b, op, LT_D_OPCODE, LT_OP_CONV);
            set_field(b, op, LT_D_WRITE_FB, 1);
            set_groups(b, op, l, vo, &vr, og0, param);
            set_field(b, op, LT_D_IN_BASE, vi.base + (s.cg_step ? og0 * vi.plane : 0));
            set_field(b, op, LT_D_IN_PLANE, vi.plane);
            set_field(b, op, LT_D_IN_H, vi.rows);
            set_field(b, op, LT_D_IN_W, in->w);
            set_field(b, op, LT_D_PAD_T, vi.row0 - (vo.row0 * l->stride - l->pad_t));
            set_field(b, op, LT_D_PAD_L, l->pad_l);
            set_field(b, op, LT_D_CG, s.cg);
            set_field(b, op, LT_D_CG_STEP, s.cg_step);
            set_field(b, op, LT_D_OG, og);
            choose_schedule(b, &s, l, og, op, best);
            if (!resident || i == 0) {
                b->weight_half = wide ? 0 : !b->weight_half;
                load_weights(b, l, &s, og0, og, best);
            }
            b->wide_weights = wide;
            set_field(b, best, LT_D_WEIGHT_BASE, b->weight_half * c->wb_words);
            load_params(b, l, og0, og, param, !in->is_signed);
            lt_mac_finish_desc(best);
            end_op(b, add_op(b, best), l, &t, i, og0 + og == s.og, &vo);
        }
    }
    return b->err->code;
}
