#include "golden/cycle_dma.h"

#include <string.h>

/* ---- burst generator ---- */

static void gen_set(lt_gen *g, const lt_dma_cmd *c)
{
    g->addr = g->row_addr = c->addr;
    g->stride = c->stride;
    g->rows = c->rows;
}

/* Beats minus one of the burst that is asked for; *fits: it ends the row. */
static uint32_t gen_len(const lt_gen *g, uint32_t max_burst, bool *fits)
{
    uint32_t room = ~g->addr & (max_burst - 1);
    *fits = g->left <= room;
    return *fits ? g->left : room;
}

static void gen_edge(lt_gen *g, bool go, bool ack, uint32_t max_burst, uint32_t row_m1)
{
    bool fits;
    uint32_t len;

    switch (g->state) {
    case GEN_IDLE:
        if (!go) return;
        g->state = GEN_BURST;
        g->left = row_m1;
        return;
    case GEN_BURST:
        if (!ack) return;
        len = gen_len(g, max_burst, &fits);
        g->addr += len + 1;
        g->left -= len + 1;
        if (fits) g->state = g->rows == 1 ? GEN_IDLE : GEN_STEP;
        return;
    case GEN_STEP:
        g->row_addr += g->stride;
        g->addr = g->row_addr;
        g->rows--;
        g->left = row_m1;
        g->state = GEN_BURST;
        return;
    }
}

/* ---- read engine ---- */

lt_rd_look lt_rd_see(const lt_rd *m, uint64_t now)
{
    lt_rd_look l = {0};
    bool some = m->bursts > 0, valid = some && now >= m->burst[0].due;
    bool take_load = some && !m->burst[0].fetch && m->d_busy && !m->d_last;

    l.beat_end = m->d.wide || m->d_left == 0 || m->sub == m->d.last_step;
    bool box_ready = !m->full || l.beat_end;
    l.rready = (some && m->burst[0].fetch) || (take_load && box_ready);
    l.beat = valid && l.rready;
    l.burst_end = l.beat && m->burst[0].beats == 1;
    l.take = l.beat && take_load;
    l.fetch_last = l.burst_end && m->burst[0].fetch;
    l.done = m->full && m->d_last && l.beat_end;
    l.pass = m->c_pass && !m->d_busy;
    return l;
}

static void box_edge(lt_rd *m, const lt_rd_look *l)
{
    bool shown = m->full, sub_last = m->sub == m->d.last_step;

    if (l->take)
        m->full = !m->d.wide || sub_last;
    else if (l->beat_end)
        m->full = false;
    if (m->d.wide) {
        if (l->take) m->sub = sub_last ? 0 : m->sub + 1;
    } else if (shown) {
        m->sub = l->beat_end ? 0 : m->sub + 1;
    }
    if (shown) m->d_left = m->d_left == 0 ? m->d.words_m1 : m->d_left - 1;
}

bool lt_rd_edge(lt_rd *m, const lt_rd_look *l, uint64_t now, int latency, const lt_dma_cmd *set, bool go,
                uint32_t fetch)
{
    bool free = !m->ar_valid && m->bursts < LT_RD_BURSTS, ack = m->gen.state == GEN_BURST && free && !fetch;
    bool fetch_ack = free && fetch, gen_idle = m->gen.state == GEN_IDLE, fits;
    uint32_t len = gen_len(&m->gen, LT_RD_BURST, &fits);
    bool last = fits && m->gen.rows == 1, d_last = l->burst_end && m->burst[0].last;

    box_edge(m, l);
    if (l->beat) m->burst[0].beats--;
    if (l->burst_end) memmove(&m->burst[0], &m->burst[1], (size_t)--m->bursts * sizeof m->burst[0]);
    m->ar_valid = ack || fetch_ack;
    if (m->ar_valid) { /* the memory takes it in the next cycle */
        m->burst[m->bursts].due = now + 1 + (uint64_t)latency;
        m->burst[m->bursts].beats = fetch_ack ? fetch : len + 1;
        m->burst[m->bursts].fetch = fetch_ack;
        m->burst[m->bursts].last = ack && last;
        m->bursts++;
    }
    if (l->pass) {
        m->d = m->c;
        m->d_left = m->c.words_m1;
    }
    if (l->pass || l->done) m->d_busy = l->pass;
    if (d_last || l->done) m->d_last = d_last;

    gen_edge(&m->gen, go, ack, LT_RD_BURST, m->c.row_m1);
    if (m->cmd == CMD_RUN && gen_idle && !m->c_pass) m->cmd = CMD_EMPTY;
    if (l->pass) m->c_pass = false;
    if (go) {
        m->cmd = CMD_RUN;
        m->c_pass = true;
    }
    if (set) {
        m->cmd = CMD_WAIT;
        m->c = *set;
        gen_set(&m->gen, set);
    }
    return fetch_ack;
}

/* ---- write engine; the memory always takes data, so nothing is ever held up ---- */

lt_wr_look lt_wr_see(const lt_wr *m, uint64_t now)
{
    return (lt_wr_look){.done = m->cmd == CMD_RUN && m->gen.state == GEN_IDLE && m->bursts == 0,
                        .beat = m->beat_valid,
                        .b_take = m->responses > 0 && now >= m->response[0]};
}

static void wr_step(lt_wr *m, bool *burst_end)
{
    bool several_words = !m->c.wide && m->c.last_step > 0, row_end = m->row_left == 0, profile = m->c.profile;
    bool sub_last = m->sub == (profile ? m->c.row_m1 : m->c.last_step);
    bool word_end = !m->c.wide || sub_last, beat_end = !several_words || profile || sub_last || row_end;

    m->held_beat_end = beat_end;
    m->held_last = m->left == 0;
    m->sub = sub_last || (several_words && !profile && row_end) ? 0 : m->sub + 1;
    *burst_end = beat_end && m->left == 0;
    if (beat_end) m->left--;
    if (word_end) m->row_left = row_end ? m->c.words_m1 : m->row_left - 1;
}

void lt_wr_edge(lt_wr *m, const lt_wr_look *l, uint64_t now, int latency, const lt_dma_cmd *set, bool go)
{
    bool ack = m->gen.state == GEN_BURST && !m->aw_valid && m->bursts < LT_WR_BURSTS;
    bool fits, burst_end = false, step = m->run;
    uint32_t len = gen_len(&m->gen, LT_WR_BURST, &fits);

    /* responses */
    if (l->b_take) {
        m->response[0] = m->response[1];
        m->responses--;
        m->bursts--;
    }
    if (m->beat_valid && m->beat_last) m->response[m->responses++] = now + (uint64_t)latency;
    /* beat register, buffer read, burst */
    m->beat_valid = m->held && m->held_beat_end;
    m->beat_last = m->held_last;
    m->held = step;
    if (step) wr_step(m, &burst_end);
    bool start = m->next_valid && (!m->run || burst_end);
    if (start) m->left = m->next_len;
    if (start || burst_end) m->run = start;
    /* addresses */
    if (!m->next_valid) m->next_len = m->aw_len;
    if (m->aw_valid || start) m->next_valid = m->aw_valid;
    if (ack) {
        m->aw_len = len;
        m->bursts++;
    }
    m->aw_valid = ack;

    gen_edge(&m->gen, go, ack, LT_WR_BURST, m->c.row_m1);
    if (l->done) m->cmd = CMD_EMPTY;
    if (go) m->cmd = CMD_RUN;
    if (set) {
        m->cmd = CMD_WAIT;
        m->c = *set;
        m->row_left = set->words_m1;
        gen_set(&m->gen, set);
    }
}
