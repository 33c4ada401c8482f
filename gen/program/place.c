/* Homes of tensors in the feature buffer. Banks are single-port, so two tensors used at the same time never share one:
 * tensors get whole banks. */
#include "program/builder.h"

static int words_of(const builder *b, int t)
{
    const qtensor *q = &b->net->tensors[t];
    return groups_of(b, q) * q->h * q->w;
}

unsigned banks_touched(const builder *b, int base, int words)
{
    unsigned mask = 0;
    for (int bank = base / b->cfg->fb_words; bank <= (base + words - 1) / b->cfg->fb_words; bank++) mask |= 1u << bank;
    return mask;
}

unsigned banks_of(const builder *b, int t)
{
    const place *p = &b->at[t];
    return p->in_fb ? ((1u << p->banks) - 1) << p->bank : 0;
}

int find_run(const builder *b, int words, unsigned busy)
{
    int need = ceil_div(words, b->cfg->fb_words);
    for (int first = 0; first + need <= b->cfg->fb_banks; first++) {
        int n = 0;
        while (n < need && b->bank_tensor[first + n] < 0 && !(busy >> (first + n) & 1)) n++;
        if (n == need) return first * b->cfg->fb_words;
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
    p->bank = base / b->cfg->fb_words;
    p->banks = ceil_div(words, b->cfg->fb_words);
    for (int i = 0; i < p->banks; i++) b->bank_tensor[p->bank + i] = t;
    return true;
}

void take_over(builder *b, int t, int old)
{
    place *p = &b->at[t], *q = &b->at[old];
    p->in_fb = true;
    p->base = q->base;
    p->bank = q->bank;
    p->banks = q->banks;
    q->in_fb = false;
    for (int i = 0; i < p->banks; i++) b->bank_tensor[p->bank + i] = t;
}

void release_dead(builder *b)
{
    for (int i = 0; i < b->cfg->fb_banks; i++) {
        int t = b->bank_tensor[i];
        if (t < 0 || t == b->output_tensor) continue;
        if (qnet_last_use(b->net, t) > b->layer && !(b->at[t].dump_only && t != 0)) continue;
        b->bank_tensor[i] = -1;
        b->at[t].in_fb = false;
    }
    for (int m = 0; m < 2; m++) {
        int t = b->map_tensor[m];
        if (t < 0 || qnet_last_use(b->net, t) > b->layer) continue;
        b->map_tensor[m] = -1;
        b->at[t].code = CODE_NONE;
    }
}
