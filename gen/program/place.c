/* Homes of tensors in the feature buffer. Banks are single-port, so two tensors used at the same time never share one:
 * tensors get whole banks, or whole pairs of banks where neighbouring words lie in the two banks of a pair. Here and in
 * `builder`, `bank` stands for either. */
#include "program/builder.h"

static int pairs(const lt_config *c)
{
    return c->core == CORE_PQ && c->pq_fb_pairs;
}

static int bank_words(const builder *b)
{
    return b->cfg->fb_words << pairs(b->cfg);
}

static int banks(const builder *b)
{
    return b->cfg->fb_banks >> pairs(b->cfg);
}

static int words_of(const builder *b, int t)
{
    const qtensor *q = &b->net->tensors[t];
    return groups_of(b, q) * q->h * q->w;
}

unsigned banks_touched(const builder *b, int base, int words)
{
    unsigned mask = 0;
    for (int bank = base / bank_words(b); bank <= (base + words - 1) / bank_words(b); bank++) mask |= 1u << bank;
    return mask;
}

unsigned banks_of(const builder *b, int t)
{
    const place *p = &b->at[t];
    return p->in_fb ? ((1u << p->banks) - 1) << p->bank : 0;
}

int find_run(const builder *b, int words, unsigned busy)
{
    int need = ceil_div(words, bank_words(b));
    for (int first = 0; first + need <= banks(b); first++) {
        int n = 0;
        while (n < need && b->bank_tensor[first + n] < 0 && !(busy >> (first + n) & 1)) n++;
        if (n == need) return first * bank_words(b);
    }
    return -1;
}

bool take_banks(builder *b, int t, unsigned busy)
{
    int words = words_of(b, t), base = find_run(b, words, busy);
    if (base < 0) return false;
    place *p = &b->at[t];
    p->in_fb = true;
    p->base = base;
    p->bank = base / bank_words(b);
    p->banks = ceil_div(words, bank_words(b));
    for (int i = 0; i < p->banks; i++) b->bank_tensor[p->bank + i] = t;
    return true;
}

/* Is the residual r of layer l read before the results o come to lie where it was? The operations, one per output
 * group, follow each other, and so do their pixels; a residual word is read before the result of the same pixel is
 * written. */
static bool read_in_time(const builder *b, const qlayer *l, const qtensor *r, const qtensor *o)
{
    int pixels = o->h * o->w;

    if (l->res_c_off != 0) return false;
    if (l->res_step == 1 && r->c == o->c && r->h == o->h && r->w == o->w) return true;
    /* pq: each group reads its own plane, which begins behind the results of the groups before, and in it words that
     * lie no nearer than the results so far; the mac cores work on several groups at once */
    return b->cfg->core == CORE_PQ && r->h * r->w >= pixels && r->w >= o->w &&
           groups_of(b, o) * pixels <= b->at[l->res].banks * bank_words(b);
}

bool in_place(const builder *b, const qlayer *l)
{
    if (l->res < 0 || !b->at[l->res].in_fb || qnet_last_use(b->net, l->res) > b->layer || l->res == l->in) return false;
    if (b->cfg->lanes == b->cfg->post_lanes && (!pairs(b->cfg) || b->at[l->out].apart)) return false;
    return read_in_time(b, l, &b->net->tensors[l->res], &b->net->tensors[l->out]);
}

void check_in_place(builder *b, const qlayer *l, const uint32_t *op)
{
    const place *o = &b->at[l->out];
    if (!pairs(b->cfg) || l->res < 0 || !lt_desc_get(op, LT_D_RES_EN) || !lt_desc_get(op, LT_D_WRITE_FB)) return;
    if (!o->in_fb || !b->at[l->res].in_fb || o->bank != b->at[l->res].bank) return;
    if (lt_cycle_pq_meet(b->cfg, op, bank_words(b))) b->apart = l->out;
}

void take_over(builder *b, int t, int old)
{
    place *p = &b->at[t], *q = &b->at[old];
    p->in_fb = true;
    p->base = q->base;
    p->bank = q->bank;
    p->banks = ceil_div(words_of(b, t), bank_words(b));
    for (int i = 0; i < p->banks; i++) b->bank_tensor[p->bank + i] = t;
}

void release_dead(builder *b)
{
    for (int i = 0; i < banks(b); i++) {
        int t = b->bank_tensor[i];
        if (t < 0 || t == b->output_tensor) continue;
        if (qnet_last_use(b->net, t) > b->layer && !(b->at[t].dump_only && t != 0)) continue;
        b->bank_tensor[i] = -1;
        b->at[t].in_fb = false;
        for (int k = 0; k < b->batch && b->images > 1; k++) b->places[k * b->net->n_tensors + t].in_fb = false;
    }
    for (int m = 0; m < 2; m++) {
        int t = b->map_tensor[m];
        if (t < 0 || qnet_last_use(b->net, t) > b->layer) continue;
        b->map_tensor[m] = -1;
        b->at[t].code = CODE_NONE;
        for (int k = 0; k < b->batch && b->images > 1; k++) b->places[k * b->net->n_tensors + t].code = CODE_NONE;
    }
}
