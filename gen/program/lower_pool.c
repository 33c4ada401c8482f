/* Pooling, element-wise add and copies: the pool path of every core. */
#include "program/builder.h"
#include "program/mac_desc.h"
#include "program/pack_pq.h"

lt_code lower_pool(builder *b, const qlayer *l)
{
    const lt_config *c = b->cfg;
    /* pq: one output group per operation */
    int groups = ceil_div(l->k, c->lanes), set = c->core == CORE_PQ ? 1 : c->param_groups;
    const kernel_part kernel = {0, l->r, 0, l->s};
    const tile_needs needs = {.groups = 1, .kernel = kernel};
    tiling t;

    if (!plan_tiles(b, l, &needs, &t)) return no_room(b, l);
    if (t.groups) set = 1;
    for (int i = 0; i < t.count; i++) {
        for (int og0 = 0; og0 < groups; og0 += set) {
            int og = og0 + set <= groups ? set : groups - og0;
            int param = (b->ops % 2) * c->param_groups;
            view vi, vo, vr = {0};
            uint32_t op[16] = {0};

            open_group(b, i == 0 && og0 == 0 && (t.count > 1 || t.groups));
            load_input(b);
            tile_views(b, l, &t, i, og0 == 0, &vi, &vo, &vr);
            if (t.groups)
                load_part(b, l, &t, &vo, &kernel, og0, 1, &vi);
            else
                vi.base += og0 * vi.plane;
            load_params(b, l, og0, og, param, false);
            set_field(b, op, LT_D_OPCODE, LT_OP_POOL);
            set_field(b, op, LT_D_POOL_MAX, l->op == QOP_MAXPOOL);
            set_field(b, op, LT_D_WRITE_FB, b->at[l->out].wants_fb);
            set_groups(b, op, l, vo, &vr, og0, param);
            set_field(b, op, LT_D_IN_BASE, vi.base);
            set_field(b, op, LT_D_IN_PLANE, vi.plane);
            set_field(b, op, LT_D_IN_H, vi.rows);
            set_field(b, op, LT_D_IN_W, vi.cols);
            set_field(b, op, LT_D_R, l->r);
            set_field(b, op, LT_D_S, l->s);
            set_field(b, op, LT_D_PAD_T, vi.row0 - (vo.row0 * (l->stride > 0 ? l->stride : 1) - l->pad_t));
            set_field(b, op, LT_D_PAD_L, vi.col0 - (vo.col0 * (l->stride > 0 ? l->stride : 1) - l->pad_l));
            set_field(b, op, LT_D_OG, og);
            set_code_output(b, op, l, &t, og0);
            if (c->core == CORE_PQ) {
                lt_pq_finish_desc(c, op);
                check_in_place(b, l, op);
            } else {
                lt_mac_finish_desc(op);
            }
            end_op(b, add_op(b, op), l, &t, i, og0 + og == groups, &vo);
        }
    }
    return b->err->code;
}
