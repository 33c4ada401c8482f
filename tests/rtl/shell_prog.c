#include "shell_prog.h"

#include <stdlib.h>
#include <string.h>

#include "emit/regs.h"
#include "emit/widths.h"
#include "golden/load_word.h"
#include "shell_core.h"

enum { ENGINES = 3, LOAD = 0, EXEC = 1, STORE = 2 };

/* What engines share: feature-buffer banks (bits 0..15), memory regions (16..19), core memories (20..23), the counters'
 * record (24). */
static uint32_t bank_bit(int bank)
{
    return 1u << bank;
}
static uint32_t region_bit(int region)
{
    return 1u << (16 + region);
}
static uint32_t target_bit(int target)
{
    return 1u << (19 + target);
}
static const uint32_t record_bit = 1u << 24;

typedef struct {
    program *p;
    lt_rng *rng;
    int engine[MAX_DESC];
    uint32_t uses[MAX_DESC];
    int synced[ENGINES][ENGINES]; /* [from][to]: last descriptor of `from` that `to` has waited for */
    int last_mark;
} maker;

static int bus_bytes(const program *p)
{
    return p->cfg->bus_bits / 8;
}

static int fb_size(const program *p)
{
    return p->cfg->fb_banks * p->cfg->fb_words;
}

static int range(maker *m, int lo, int hi)
{
    return lt_rng_range(m->rng, lo, hi);
}

static void put(uint32_t *d, lt_dfield f, int64_t v)
{
    if (!lt_desc_put(d, f, v)) abort(); /* a mistake in this file */
}

bool program_alloc(program *p, const lt_config *cfg)
{
    memset(p, 0, sizeof *p);
    p->cfg = cfg;
    bool ok = true;
    for (int i = 0; i < N_REGIONS; i++) {
        p->region[i] = calloc(1, REGION_BYTES);
        p->expect[i] = calloc(1, REGION_BYTES);
        ok = ok && p->region[i] && p->expect[i];
    }
    p->fb = calloc((size_t)fb_size(p), (size_t)cfg->lanes);
    p->word_data = malloc((size_t)MAX_WORDS * 4 * LD_WORD);
    return ok && p->fb && p->word_data;
}

void program_free(program *p)
{
    for (int i = 0; i < N_REGIONS; i++) {
        free(p->region[i]);
        free(p->expect[i]);
    }
    free(p->fb);
    free(p->word_data);
}

/* ---- tokens ---- */

/* Bit of the pair in WAIT and SIGNAL fields: (A, B) of load: (exec, store); exec: (load, store); store: (load, exec).
 */
static bool is_b(int engine, int other)
{
    static const bool b[ENGINES][ENGINES] = {{0, 0, 1}, {0, 0, 1}, {0, 1, 0}};
    return b[engine][other];
}

/* Descriptor `to` (the newest) waits until descriptor `from` of another engine is done. */
static void order(maker *m, int from, int to)
{
    int a = m->engine[from], b = m->engine[to];

    if (from <= m->synced[a][b]) return;
    m->synced[a][b] = from;
    put(m->p->desc[from], is_b(a, b) ? LT_D_SIGNAL_B : LT_D_SIGNAL_A, 1);
    put(m->p->desc[to], is_b(b, a) ? LT_D_WAIT_B : LT_D_WAIT_A, 1);
}

/* Orders the newest descriptor after everything that shares something with it; sometimes after more than it needs. */
static void add_tokens(maker *m, int engine, uint32_t uses)
{
    int to = m->p->n - 1;

    m->engine[to] = engine;
    m->uses[to] = uses;
    for (int e = 0; e < ENGINES; e++) {
        int from = -1;
        if (e == engine) continue;
        bool any = range(m, 0, 9) == 0;
        for (int i = 0; i < to; i++)
            if (m->engine[i] == e && (any || (m->uses[i] & uses))) from = i;
        if (from >= 0) order(m, from, to);
    }
}

static uint32_t *add(maker *m, lt_opcode opcode)
{
    uint32_t *d = m->p->desc[m->p->n++];
    memset(d, 0, 64);
    put(d, LT_D_OPCODE, opcode);
    return d;
}

/* ---- transfers ---- */

typedef struct {
    int words, rows, address, word_stride; /* on chip */
    uint32_t offset, stride, row_bytes;    /* in memory */
    int region;
} shape;

static uint32_t padded_row(const program *p, int words, int word_bytes)
{
    uint32_t bus = (uint32_t)bus_bytes(p), bytes = (uint32_t)(words * word_bytes);
    return (bytes + bus - 1) / bus * bus;
}

/* A transfer of at most `most` words to addresses below `space`, and somewhere in the first `bytes` of a region. */
static shape draw_shape(maker *m, int target, int base, int space, int most, uint32_t bytes)
{
    program *p = m->p;
    int word = lt_load_word_bytes(p->cfg, target), bus = bus_bytes(p);
    shape s;

    do {
        s.rows = range(m, 0, 2) ? 1 : range(m, 1, 6);
        s.words = range(m, 1, range(m, 0, 3) ? most / s.rows : 4);
        if (s.words > most / s.rows) s.words = most / s.rows;
        if (s.words < 1) s.words = 1;
        s.word_stride = s.rows > 1 ? range(m, s.words, s.words + 5) : 0;
        s.row_bytes = padded_row(p, s.words, word);
        s.stride = s.row_bytes + (uint32_t)(range(m, 0, 1) ? range(m, 0, 20) * bus : 0);
    } while ((s.rows - 1) * s.word_stride + s.words > space || (uint32_t)s.rows * s.stride > bytes);
    s.address = base + range(m, 0, space - (s.rows - 1) * s.word_stride - s.words);
    s.offset = (uint32_t)range(m, 0, (int)(bytes - (uint32_t)s.rows * s.stride) / bus) * (uint32_t)bus;
    return s;
}

static void put_shape(uint32_t *d, const shape *s, int target)
{
    put(d, LT_D_BASE, s->region);
    put(d, LT_D_TARGET, target);
    put(d, LT_D_OFFSET, s->offset);
    put(d, LT_D_ADDRESS, s->address);
    put(d, LT_D_WORDS, s->words);
    put(d, LT_D_ROWS, s->rows);
    put(d, LT_D_DRAM_STRIDE, s->stride);
    put(d, LT_D_WORD_STRIDE, s->word_stride);
}

static uint32_t banks(const program *p, int first, int words)
{
    uint32_t mask = 0;
    for (int b = first / p->cfg->fb_words; b <= (first + words - 1) / p->cfg->fb_words; b++) mask |= bank_bit(b);
    return mask;
}

static uint32_t fb_uses(const program *p, const shape *s)
{
    return banks(p, s->address, (s->rows - 1) * s->word_stride + s->words);
}

static void do_load(program *p, const shape *s, int target)
{
    int word = lt_load_word_bytes(p->cfg, target), bits = lt_target_bits(p->cfg, target), lanes = p->cfg->lanes;

    for (int r = 0; r < s->rows; r++) {
        for (int i = 0; i < s->words; i++) {
            const uint8_t *from = p->expect[s->region] + s->offset + (uint32_t)r * s->stride + (uint32_t)(i * word);
            int at = s->address + r * s->word_stride + i;
            if (target == 0) {
                memcpy(p->fb + at * lanes, from, (size_t)lanes);
                continue;
            }
            if (p->words == MAX_WORDS) abort();
            p->word[p->words++] = (ld_word){target, at, p->word_bytes};
            memcpy(p->word_data + p->word_bytes, from, (size_t)(bits + 7) / 8);
            p->word_bytes += (uint32_t)(bits + 7) / 8;
        }
    }
    p->read_beats += (uint64_t)s->rows * s->row_bytes / (uint64_t)bus_bytes(p);
}

/* In a word the padding is written as zeros; behind the last word of a row memory is left alone. */
static void do_store(program *p, const shape *s)
{
    int word = lt_load_word_bytes(p->cfg, 0), lanes = p->cfg->lanes;

    for (int r = 0; r < s->rows; r++) {
        for (int i = 0; i < s->words; i++) {
            uint8_t *to = p->expect[s->region] + s->offset + (uint32_t)r * s->stride + (uint32_t)(i * word);
            memset(to, 0, (size_t)word);
            memcpy(to, p->fb + (s->address + r * s->word_stride + i) * lanes, (size_t)lanes);
        }
    }
    p->write_beats += (uint64_t)s->rows * s->row_bytes / (uint64_t)bus_bytes(p);
}

static void add_load(maker *m)
{
    program *p = m->p;
    int target, region = range(m, 0, 2) == 2 ? 3 : range(m, 0, 1);
    uint32_t bytes = region == 0 ? REGION_BYTES - DESC_AREA : REGION_BYTES;

    do target = range(m, 0, 3) ? 0 : range(m, 1, 4);
    while (!lt_target_bits(p->cfg, target));
    int bank = range(m, 0, p->cfg->fb_banks - 1), two = range(m, 0, 3) == 0 && bank + 1 < p->cfg->fb_banks;
    shape s = target ? draw_shape(m, target, 0, 60000, 40, bytes)
                     : draw_shape(m, 0, bank * p->cfg->fb_words, (1 + two) * p->cfg->fb_words, p->cfg->fb_words, bytes);
    s.region = region;
    put_shape(add(m, LT_OP_LOAD), &s, target);
    add_tokens(m, LOAD, region_bit(region) | (target ? target_bit(target) : fb_uses(p, &s)));
    do_load(p, &s, target);
}

static void add_store(maker *m)
{
    program *p = m->p;
    int bank = range(m, 0, p->cfg->fb_banks - 1), two = range(m, 0, 3) == 0 && bank + 1 < p->cfg->fb_banks;
    shape s =
        draw_shape(m, 0, bank * p->cfg->fb_words, (1 + two) * p->cfg->fb_words, p->cfg->fb_words, REGION_BYTES / 2);

    s.region = range(m, 2, 3);
    put_shape(add(m, LT_OP_STORE), &s, 0);
    add_tokens(m, STORE, region_bit(s.region) | fb_uses(p, &s));
    do_store(p, &s);
}

/* The record of the last marked operation, into the last quarter of region 2, where nothing else goes. */
static void add_profile(maker *m)
{
    program *p = m->p;
    uint32_t *d, bus = (uint32_t)bus_bytes(p), bytes = bus > RECORD_BYTES ? bus : RECORD_BYTES;

    if (p->profiles == MAX_PROFILES || m->last_mark < 0) return;
    p->profile[p->profiles].region = 2;
    p->profile[p->profiles].offset = 3 * REGION_BYTES / 4 + (uint32_t)p->profiles * 3 * bytes;
    p->profile[p->profiles].mark = p->marks - 1;
    memset(p->expect[2] + p->profile[p->profiles].offset + RECORD_BYTES, 0, bytes - RECORD_BYTES);
    d = add(m, LT_OP_PROFILE);
    put(d, LT_D_BASE, 2);
    put(d, LT_D_OFFSET, p->profile[p->profiles++].offset);
    add_tokens(m, STORE, record_bit);
    p->write_beats += bytes / bus;
}

static void add_op(maker *m)
{
    program *p = m->p;
    int n_banks = p->cfg->fb_banks, per = p->cfg->fb_words, n = range(m, 1, range(m, 0, 1) ? per : 6),
        lanes = p->cfg->lanes;
    int in = range(m, 0, n_banks - 1), out, res;
    bool add_res = n_banks > 2 && range(m, 0, 1), in_place = add_res && range(m, 0, 1);
    uint32_t *d = add(m, range(m, 0, 3) ? LT_OP_CONV : LT_OP_POOL);
    uint32_t uses;

    do out = range(m, 0, n_banks - 1);
    while (out == in);
    do res = range(m, 0, n_banks - 1);
    while (add_res && (res == in || (res == out) != in_place));
    in = in * per + range(m, 0, per - n);
    out = out * per + range(m, 0, per - n);
    res = in_place ? out : res * per + range(m, 0, per - n);
    put(d, LT_D_IN_BASE, in);
    put(d, LT_D_OUT_BASE, out);
    put(d, LT_D_OUT_W, n);
    put(d, LT_D_LAYER, range(m, 0, 255));
    put(d, LT_D_CODE_IN, range(m, 0, 2) ? range(m, 0, 3) : range(m, 0, 300));
    put(d, LT_D_CHUNKS, in_place ? range(m, 1, 3) : range(m, 0, 4) / 3);
    put(d, LT_D_CODE_OUT, range(m, 0, 2) ? range(m, 0, 5) : range(m, 0, 200));
    uses = banks(p, in, n) | banks(p, out, n);
    if (add_res) {
        put(d, LT_D_RES_EN, 1);
        put(d, LT_D_RES_BASE, res);
        uses |= banks(p, res, n);
    }
    for (int t = 1; t < LT_LOAD_TARGETS; t++)
        if (range(m, 0, 2) == 0) uses |= target_bit(t);
    if (range(m, 0, 2) == 0) {
        put(d, LT_D_MARK, 1);
        uses |= record_bit;
        m->last_mark = p->n - 1;
        p->marks++;
    }
    add_tokens(m, EXEC, uses);
    for (int i = 0; i < n; i++) {
        uint8_t word[4 * FB_WORD];
        core_word(d, p->fb + (in + i) * lanes, p->fb + (res + i) * lanes, word, lanes);
        memcpy(p->fb + (out + i) * lanes, word, (size_t)lanes);
    }
}

/* The whole feature buffer from or to the start of a region. */
static void add_whole(maker *m, lt_opcode opcode, int region)
{
    program *p = m->p;
    shape s = {.words = fb_size(p), .rows = 1, .region = region};

    s.row_bytes = padded_row(p, s.words, lt_load_word_bytes(p->cfg, 0));
    put_shape(add(m, opcode), &s, 0);
    add_tokens(m, opcode == LT_OP_LOAD ? LOAD : STORE, region_bit(region) | fb_uses(p, &s));
    if (opcode == LT_OP_LOAD)
        do_load(p, &s, 0);
    else
        do_store(p, &s);
}

void program_place(program *p)
{
    uint8_t *to = p->region[0] + p->program;
    for (int i = 0; i < p->n; i++)
        for (int b = 0; b < 64; b++) to[64 * i + b] = (uint8_t)(p->desc[i][b / 4] >> (8 * (b % 4)));
    memcpy(p->expect[0] + p->program, to, (size_t)p->n * 64);
}

void program_make(program *p, lt_rng *rng, int size)
{
    maker m = {.p = p, .rng = rng, .last_mark = -1};

    memset(m.synced, -1, sizeof m.synced);
    p->n = p->profiles = p->marks = p->words = 0;
    p->word_bytes = 0;
    p->read_beats = p->write_beats = 0;
    for (int i = 0; i < N_REGIONS; i++) {
        for (int b = 0; b < REGION_BYTES; b += 4) {
            uint32_t v = lt_rng_u32(rng);
            memcpy(p->region[i] + b, &v, 4);
        }
        memcpy(p->expect[i], p->region[i], REGION_BYTES);
    }
    p->program = REGION_BYTES - DESC_AREA + 64 * (uint32_t)range(&m, 0, (DESC_AREA / 64) - MAX_DESC);
    add_whole(&m, LT_OP_LOAD, 1);
    int weight[4] = {range(&m, 1, 6), range(&m, 1, 6), range(&m, 1, 6), range(&m, 0, 2)};
    while (p->n < size && p->n < MAX_DESC - 2) {
        int k = range(&m, 0, weight[0] + weight[1] + weight[2] + weight[3] - 1);
        if ((k -= weight[0]) < 0)
            add_load(&m);
        else if ((k -= weight[1]) < 0)
            add_op(&m);
        else if ((k -= weight[2]) < 0)
            add_store(&m);
        else
            add_profile(&m);
    }
    add_whole(&m, LT_OP_STORE, 2);
    add(&m, LT_OP_END);
    p->read_beats += (uint64_t)p->n * (512u / (unsigned)p->cfg->bus_bits);
    program_place(p);
}
