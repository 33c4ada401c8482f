#include "shell_core.h"

#include <string.h>

#include "emit/regs.h"

static uint64_t first_issue(const uint32_t *d, uint64_t start)
{
    return start + 1 + (uint64_t)lt_desc_get(d, LT_D_CODE_IN);
}

static uint64_t last_issue(const uint32_t *d, uint64_t start)
{
    uint64_t n = (uint64_t)lt_desc_get(d, LT_D_OUT_W), each = 1 + (uint64_t)lt_desc_get(d, LT_D_CHUNKS);
    return first_issue(d, start) + (n - 1) * each;
}

/* Cycles from the read of a word to the write of its result: with time between the words the core looks at what the
 * buffer holds a cycle later. */
static uint64_t delay(const uint32_t *d)
{
    return lt_desc_get(d, LT_D_CHUNKS) >= 2 ? 3 : 2;
}

/* The state keeps in spare[0] when the operation before is done. */
static lt_exec_time timing(const uint32_t *d, lt_exec_state *st, uint64_t start)
{
    uint64_t last = last_issue(d, start), before = st->spare[0];
    lt_exec_time t = {.ready = last + 3, .done = last + delay(d) + (uint64_t)lt_desc_get(d, LT_D_CODE_OUT)};

    t.issued = (uint64_t)lt_desc_get(d, LT_D_OUT_W);
    if (t.done <= before) t.done = before + 1;
    st->spare[0] = t.done;
    return t;
}

lt_exec_time lt_cycle_mac(const lt_config *cfg, const uint32_t desc[16], lt_exec_state *st, uint64_t start)
{
    (void)cfg;
    return timing(desc, st, start);
}

lt_exec_time lt_cycle_pq(const lt_config *cfg, const uint32_t desc[16], lt_exec_state *st, uint64_t start)
{
    (void)cfg;
    return timing(desc, st, start);
}

int core_words(const uint32_t desc[16])
{
    return (int)lt_desc_get(desc, LT_D_OUT_W);
}

void core_word(const uint32_t desc[16], const uint8_t *in, const uint8_t *res, uint8_t *out, int lanes)
{
    uint8_t layer = (uint8_t)lt_desc_get(desc, LT_D_LAYER);
    bool add = lt_desc_get(desc, LT_D_RES_EN);
    for (int i = 0; i < lanes; i++) out[i] = (uint8_t)(in[i] ^ layer ^ (add ? res[i] : 0));
}

/* Number of the word that operation o issues in cycle t, or -1. */
static int issues(const core_op *o, uint64_t t)
{
    uint64_t first = first_issue(o->desc, o->start), each = 1 + (uint64_t)lt_desc_get(o->desc, LT_D_CHUNKS);
    if (t < first || t > last_issue(o->desc, o->start) || (t - first) % each) return -1;
    return (int)((t - first) / each);
}

static void drive_op(core *c, const core_op *o, exec_pins *x, uint64_t now, int lanes)
{
    int k = issues(o, now);
    if (k >= 0) {
        x->issue = x->rd_en = 1;
        x->rd_addr = (uint16_t)(lt_desc_get(o->desc, LT_D_IN_BASE) + k);
    }
    k = issues(o, now - delay(o->desc)); /* before the next word is held */
    if (k >= 0) {
        x->wr_en = 1;
        x->wr_addr = (uint16_t)(lt_desc_get(o->desc, LT_D_OUT_BASE) + k);
        core_word(o->desc, (const uint8_t *)c->held, (const uint8_t *)x->res_data, (uint8_t *)x->wr_data, lanes);
    }
    if (issues(o, now - delay(o->desc) + 1) >= 0) memcpy(c->held, x->rd_data, sizeof c->held);
    k = issues(o, now - 1);
    if (k >= 0) {
        x->res_en = (uint8_t)lt_desc_get(o->desc, LT_D_RES_EN);
        x->res_addr = (uint16_t)(lt_desc_get(o->desc, LT_D_RES_BASE) + k);
    }
}

void core_drive(core *c, exec_pins *x, uint64_t now, int lanes)
{
    x->op_ready = x->op_done = x->rd_en = x->res_en = x->wr_en = x->issue = 0;
    x->rd_addr = x->res_addr = x->wr_addr = (uint16_t)(now * 40503); /* without enable they mean nothing */
    if (x->rst) {
        *c = (core){.stuck = c->stuck};
        return;
    }
    for (int i = 0; i < c->ops; i++) drive_op(c, &c->op[i], x, now, lanes);
    c->busy += c->ops > 0;
    c->idle_busy += c->ops > 0 && !x->issue;
    if (c->ops && now == c->op[0].time.done && !c->stuck) {
        x->op_done = 1;
        c->finished++;
        c->op[0] = c->op[1];
        c->ops--;
    }
    x->op_ready = now >= c->ready; /* the shell knows that there are never more than two */
    if (x->op_valid && x->op_ready) {
        if (c->ops == CORE_OPS) {
            c->overrun = true;
            return;
        }
        core_op *o = &c->op[c->ops++];
        memcpy(o->desc, x->desc, sizeof o->desc);
        o->start = now;
        o->time = timing(o->desc, &c->state, now);
        c->ready = o->time.ready;
        c->started++;
    }
}
