/* Cycle model of lutra_exec_mac (ws, ews): replays the issue logic chunk by chunk and the output side word by word. The
 * constants are the latencies stated in the headers of the RTL modules. */
#include "golden/cycle.h"

#include <stdbool.h>

#include "emit/regs.h"

enum {
    MAX_PSUM = 4096, /* psum_words */
    MIN_LOAD = 3,    /* lutra_weight_loader: cycles per entry, at least */
    ARRAY = 5        /* issue to array sum, without dot_stages */
};

/* lt_exec_state.spare: the cycle after the last term issued, 0: there was none. */
enum { LAST_TERM };

/* Output side: FIFO, post unit. */
typedef struct {
    int n;                  /* cycles per word in the post unit */
    int latency;            /* of the post unit */
    int delay;              /* last term issued to word in the FIFO */
    int places;             /* of the FIFO */
    bool aligned;           /* words are taken at multiples of n (residual) */
    uint64_t own;           /* the output side works on this operation from here on */
    uint64_t taken;         /* when the post unit took the last word */
    uint64_t words;         /* so far */
    uint64_t pop[MAX_PSUM]; /* when word i left the FIFO, at i mod places */
} output;

/* The earliest cycle from `t` on in which the last term of the next word may be issued. */
static uint64_t word_allowed(const output *o, uint64_t t)
{
    uint64_t room = o->words < (uint64_t)o->places ? 0 : o->pop[o->words % (uint64_t)o->places] + 1;

    if (t < o->own) t = o->own;
    return t < room ? room : t;
}

/* A word's last term was issued in cycle t. */
static void word_issued(output *o, uint64_t t)
{
    uint64_t n = (uint64_t)o->n, pop = t + (uint64_t)o->delay + 1, take;

    if (o->words > 0 && pop < o->taken + n - 1) pop = o->taken + n - 1;
    take = pop + 1;
    if (o->aligned && o->words > 0) {
        /* a multiple of n later, or when nothing is in flight any more */
        uint64_t multiple = o->taken + (take - o->taken + n - 1) / n * n, empty = o->taken + (uint64_t)o->latency + 1;
        if (take < empty) take = multiple < empty ? multiple : empty;
    }
    o->pop[o->words % (uint64_t)o->places] = pop;
    o->taken = take;
    o->words++;
}

/* The loops of an operation. */
typedef struct {
    bool pool;
    bool silent;      /* ACC_OUT: no words come out */
    int og, a, terms; /* output groups, of a set; terms of a word in a chunk */
    int chunks;       /* per tile */
    int pixels, tile; /* of the output, of a tile */
    uint64_t load;    /* cycles to load a chunk's weights */
    bool two;         /* two slots */
} loops;

static loops read_loops(const lt_config *cfg, const uint32_t *d)
{
    loops l = {.pool = lt_desc_get(d, LT_D_OPCODE) == LT_OP_POOL,
               .og = (int)lt_desc_get(d, LT_D_OG),
               .a = 1,
               .pixels = (int)(lt_desc_get(d, LT_D_OUT_H) * lt_desc_get(d, LT_D_OUT_W))};
    int entry = cfg->lanes > MIN_LOAD ? cfg->lanes : MIN_LOAD; /* cycles to load one */
    int taps = (int)(lt_desc_get(d, LT_D_R) * lt_desc_get(d, LT_D_S)), b = 1, t = 1;

    if (l.pool) {
        l.terms = taps;
        l.chunks = 1;
        l.tile = l.pixels;
        l.load = (uint64_t)entry;
        return l;
    }
    if (cfg->wrf_depth > 2) {
        l.a = (int)lt_desc_get(d, LT_D_A);
        b = (int)lt_desc_get(d, LT_D_B);
        t = (int)lt_desc_get(d, LT_D_D);
    }
    l.terms = b * t;
    l.chunks = (int)lt_desc_get(d, LT_D_CG) / b * (taps / t);
    l.tile = (int)lt_desc_get(d, LT_D_TILE_W);
    l.load = (uint64_t)(entry * l.a * l.terms);
    l.silent = lt_desc_get(d, LT_D_ACC_OUT) != 0;
    l.two = 2 * l.a * l.terms <= cfg->wrf_depth;
    return l;
}

/* Issue side. */
typedef struct {
    uint64_t at;      /* cycle of the last term issued */
    uint64_t weights; /* cycle in which the weights of the next chunk are there */
    uint64_t gate;    /* BARRIER: no term before this cycle */
    uint64_t issued;
} issue;

/* The tile's last chunk: every word needs a place in the FIFO, if it goes there. */
static void last_chunk(const loops *l, int pixels, issue *s, output *o)
{
    for (int p = 0; p < pixels; p++) {
        s->at += (uint64_t)(l->a * (l->terms - 1));
        for (int a = 0; a < l->a; a++) {
            if (l->silent) {
                s->at = s->at + 1 < o->own ? o->own : s->at + 1;
                continue;
            }
            s->at = word_allowed(o, s->at + 1);
            word_issued(o, s->at);
        }
    }
}

static void run_tile(const loops *l, int pixels, bool set_end, bool op_end, issue *s, output *o)
{
    uint64_t terms = (uint64_t)pixels * (uint64_t)(l->a * l->terms);

    for (int c = 0; c < l->chunks; c++) {
        bool last = c == l->chunks - 1;
        /* weights are loaded for what follows, unless they stay (single chunk, same set) or the operation ends */
        bool load = !last || (!l->pool && !op_end && (l->chunks > 1 || set_end));
        uint64_t from = s->at + 1 > s->weights ? s->at + 1 : s->weights;

        if (from < s->gate) from = s->gate;
        if (l->two && load) s->weights = from + l->load;
        s->at = from - 1;
        if (last)
            last_chunk(l, pixels, s, o);
        else
            s->at += terms;
        if (!l->two && load) s->weights = s->at + l->load;
    }
    s->issued += (uint64_t)l->chunks * terms;
}

lt_exec_time lt_cycle_mac(const lt_config *cfg, const uint32_t desc[16], lt_exec_state *st, uint64_t start)
{
    loops l = read_loops(cfg, desc);
    output o;
    int n = cfg->lanes / cfg->post_lanes, sets = l.og / l.a, array = ARRAY + cfg->dot_stages;
    /* an operation begins when the array is empty and the next one's weights are there */
    uint64_t empty = st->spare[LAST_TERM] ? st->spare[LAST_TERM] + (uint64_t)array : 0;
    issue s = {.at = start + 1 > empty ? start + 1 : empty, .weights = start + l.load};

    o.n = n;
    o.latency = n + 6 + (n > 1 && 6 % n == 0);
    o.delay = array + 1;
    o.places = cfg->psum_words;
    o.aligned = lt_desc_get(desc, LT_D_RES_EN) != 0;
    o.own = (start + 1 > st->drained ? start + 1 : st->drained) + 1;
    o.taken = 0;
    o.words = 0;
    if (lt_desc_get(desc, LT_D_BARRIER)) s.gate = o.own;
    for (int set = 0; set < sets; set++)
        for (int p = 0; p < l.pixels; p += l.tile) {
            bool set_end = p + l.tile >= l.pixels;
            run_tile(&l, set_end ? l.pixels - p : l.tile, set_end, set_end && set == sets - 1, &s, &o);
        }
    st->drained = l.silent ? s.at + 1 : o.taken + (uint64_t)o.latency;
    st->spare[LAST_TERM] = s.at + 1;
    return (lt_exec_time){.ready = s.at + 1, .done = st->drained, .issued = s.issued};
}
