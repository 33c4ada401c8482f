/* lutra_exec_mac against the integer model and the cycle model: random sequences of operations, whose weights and
 * parameters are loaded while earlier ones run.
 * Usage: exec_mac_tb SEED CASES key=value... (configuration keys). With CASES = 0: cycles per second. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "emit/regs.h"
#include "exec_mac_case.h"
#include "exec_mac_dut.h"
#include "golden/cycle.h"

enum { TARGET_WEIGHT = 1, TARGET_PARAM = 2, HUNG = 2000 };

typedef struct {
    lt_config cfg;
    dut *d;
    dut_ports p;
    uint64_t cycle;
    uint8_t *fb;           /* fb_banks * fb_words * lanes */
    int rd_next, res_next; /* words to show in the next cycle, or -1 */
    int *shown;            /* word that each bank shows */
    int rd_bank, res_bank;
    /* sampled in the last cycle */
    bool ready, done, issue, conflict, read;
    const char *wrong;
} bench;

/* ---- one clock cycle ---- */

static void show(bench *b, void *port, int bank)
{
    memcpy(port, b->fb + (size_t)b->shown[bank] * (size_t)b->cfg.lanes, (size_t)b->cfg.lanes);
}

static int word_of(bench *b, uint16_t addr, unsigned *used)
{
    int words = b->cfg.fb_banks * b->cfg.fb_words;
    unsigned bank;

    if (addr >= words) {
        b->wrong = "address outside the feature buffer";
        return 0;
    }
    bank = 1u << addr / b->cfg.fb_words;
    if (*used & bank) b->wrong = "two accesses to one feature-buffer bank";
    *used |= bank;
    return addr;
}

/* Inputs are set; evaluates, samples, clocks. */
static void tick(bench *b)
{
    dut_ports *p = &b->p;
    unsigned used = 0;
    int lanes = b->cfg.lanes;

    show(b, p->fb_rd_data, b->rd_bank);
    show(b, p->fb_res_data, b->res_bank);
    dut_eval(b->d);
    b->ready = *p->op_ready;
    b->done = *p->op_done;
    b->issue = *p->issue;
    b->conflict = *p->conflict;
    b->read = *p->fb_rd_en;
    if (!*p->rst) {
        if (*p->fb_rd_en) {
            int w = word_of(b, *p->fb_rd_addr, &used);
            b->rd_bank = w / b->cfg.fb_words;
            b->shown[b->rd_bank] = w;
        }
        if (*p->fb_res_en) {
            int w = word_of(b, *p->fb_res_addr, &used);
            b->res_bank = w / b->cfg.fb_words;
            b->shown[b->res_bank] = w;
        }
        if (*p->fb_wr_en) {
            int w = word_of(b, *p->fb_wr_addr, &used);
            memcpy(b->fb + (size_t)w * (size_t)lanes, p->fb_wr_data, (size_t)lanes);
        }
    }
    *p->clk = 1;
    dut_eval(b->d);
    *p->clk = 0;
    b->cycle++;
}

static void reset(bench *b)
{
    *b->p.op_valid = *b->p.ld_valid = 0;
    *b->p.rst = 1;
    for (int i = 0; i < 12; i++) tick(b);
    *b->p.rst = 0;
    for (int i = 0; i < 12; i++) tick(b);
}

/* ---- loading ---- */

/* The next words of an operation: weights, then parameters. */
typedef struct {
    const op_case *o;
    size_t at;
    bool params;
} loader;

static bool loaded(const loader *l)
{
    return l->params && l->at == l->o->params.len;
}

static int word_bytes(int bytes)
{
    int n = 1;
    while (n < bytes) n *= 2;
    return n;
}

static void load_one(bench *b, loader *l)
{
    int bytes = l->params ? word_bytes(8 * b->cfg.post_lanes) : word_bytes(b->cfg.lanes);
    int used = l->params ? 8 * b->cfg.post_lanes : b->cfg.lanes;
    const lt_buf *from = l->params ? &l->o->params : &l->o->weights;

    if (l->at < from->len) {
        *b->p.ld_valid = 1;
        *b->p.ld_target = l->params ? TARGET_PARAM : TARGET_WEIGHT;
        *b->p.ld_addr = (uint16_t)((l->params ? l->o->param_at : l->o->weight_at) + (int)l->at / bytes);
        memcpy(b->p.ld_data, from->data + l->at, (size_t)used);
        l->at += (size_t)bytes;
    }
    if (!l->params && l->at >= from->len) {
        l->params = true;
        l->at = 0;
    }
}

/* ---- a case ---- */

typedef struct {
    int accepted, completed;
    bool pending_ready; /* the last accepted operation is still being issued */
    uint64_t start, issued;
    long reads;
    lt_exec_time want[MAX_OPS];
} progress;

/* May the weights and parameters of operation i be loaded now? Those of the operation being issued stay clear, and the
 * parameters' half was used by the operation before last. */
static bool may_load(const mac_case *c, const progress *s, int i)
{
    if (i >= c->n || s->completed < i - 1) return false;
    if (s->accepted < i) return false;
    return !s->pending_ready || !(c->op[i].wb_used & c->op[i - 1].wb_used);
}

static bool fail(const bench *b, const mac_case *c, int number, int op, const char *what, uint64_t want, uint64_t got)
{
    char text[1024];

    printf("case %d, operation %d of %d, cycle %llu: %s: got %llu, expected %llu\n", number, op, c->n,
           (unsigned long long)b->cycle, what, (unsigned long long)got, (unsigned long long)want);
    for (int i = 0; i < c->n; i++) {
        case_describe(&c->op[i], text, sizeof text);
        printf("  %d: %s\n", i, text);
    }
    return false;
}

/* Compares what was sampled in the cycle just simulated (b->cycle - 1) with the model. */
static bool check_cycle(bench *b, const mac_case *c, int number, progress *s)
{
    uint64_t now = b->cycle - 1;
    int last = s->accepted - 1;

    if (b->wrong) return fail(b, c, number, last, b->wrong, 0, 1);
    if (b->conflict) return fail(b, c, number, last, "conflict", 0, 1);
    if (b->done) {
        if (s->completed >= s->accepted) return fail(b, c, number, last, "op_done without operation", 0, 1);
        if (now != s->want[s->completed].done)
            return fail(b, c, number, s->completed, "done", s->want[s->completed].done, now);
        s->completed++;
    }
    if (b->issue) s->issued++;
    if (b->read) s->reads++;
    if (s->pending_ready && now > s->start && b->ready) {
        const op_case *o = &c->op[last];
        s->pending_ready = false;
        if (now != s->want[last].ready) return fail(b, c, number, last, "ready", s->want[last].ready, now);
        if (s->issued != s->want[last].issued)
            return fail(b, c, number, last, "issued", s->want[last].issued, s->issued);
        if (s->reads != o->reads) return fail(b, c, number, last, "reads", (uint64_t)o->reads, (uint64_t)s->reads);
    }
    return true;
}

static bool compare(const bench *b, const mac_case *c, int number)
{
    int n = b->cfg.fb_banks * b->cfg.fb_words * b->cfg.lanes, lanes = b->cfg.lanes;

    for (int i = 0; i < n; i++)
        if (b->fb[i] != c->after[i]) {
            printf("feature buffer word %d, lane %d (before: %d)\n", i / lanes, i % lanes, c->before[i]);
            return fail(b, c, number, -1, "value", c->after[i], b->fb[i]);
        }
    return true;
}

/* Runs a case; hurry: loads and operations come as fast as possible, else with random pauses. */
static bool run_case(bench *b, const mac_case *c, int number, lt_exec_state *st, lt_rng *rng, bool hurry)
{
    progress s = {0};
    loader load = {.o = &c->op[0]};
    int next = 0; /* operation that is being loaded */
    uint64_t quiet = 0;

    memcpy(b->fb, c->before, (size_t)(b->cfg.fb_banks * b->cfg.fb_words * b->cfg.lanes));
    while (s.completed < c->n) {
        bool go = hurry || lt_rng_below(rng, 4);

        *b->p.ld_valid = 0;
        if (next < c->n && !loaded(&load) && may_load(c, &s, next) && go) load_one(b, &load);
        *b->p.op_valid = next < c->n && loaded(&load) && !*b->p.ld_valid && go && s.accepted == next;
        if (*b->p.op_valid)
            memcpy(b->p.op_desc, c->op[next].desc, sizeof c->op[next].desc);
        else
            for (int i = 0; i < 16; i++) b->p.op_desc[i] = lt_rng_u32(rng);
        tick(b);
        if (!check_cycle(b, c, number, &s)) return false;
        if (*b->p.op_valid && b->ready) {
            s.start = b->cycle - 1;
            s.want[s.accepted] = lt_cycle_mac(&b->cfg, c->op[s.accepted].desc, st, s.start);
            s.accepted++;
            s.pending_ready = true;
            s.issued = 0;
            s.reads = 0;
            next++;
            if (next < c->n) load = (loader){.o = &c->op[next]};
        }
        quiet = b->issue || b->done || *b->p.ld_valid ? 0 : quiet + 1;
        if (quiet > HUNG + 64u * 256u) return fail(b, c, number, s.accepted - 1, "hangs", 0, 1);
    }
    if (s.pending_ready) return fail(b, c, number, s.accepted - 1, "never ready", 0, 1);
    return compare(b, c, number);
}

/* Loading the bank that an operation reads its weights from must be noticed. */
static bool provoke_conflict(bench *b, lt_rng *rng)
{
    for (int tries = 0; tries < 1000; tries++) {
        mac_case c;
        bool seen = false;

        case_make(&b->cfg, rng, &c);
        if (lt_desc_get(c.op[0].desc, LT_D_OPCODE) == LT_OP_CONV && c.op[0].wb_used == 1) {
            memcpy(b->p.op_desc, c.op[0].desc, sizeof c.op[0].desc);
            *b->p.op_valid = 1;
            tick(b);
            *b->p.op_valid = 0;
            *b->p.ld_target = TARGET_WEIGHT;
            *b->p.ld_addr = 0;
            *b->p.ld_valid = 1;
            for (int i = 0; i < 20; i++) {
                tick(b);
                seen |= b->conflict;
            }
            *b->p.ld_valid = 0;
            case_free(&c);
            if (!seen) printf("no conflict although a bank was read and written\n");
            return seen;
        }
        case_free(&c);
    }
    printf("no operation to provoke a conflict with\n");
    return false;
}

/* ---- main ---- */

static bool parse(lt_config *cfg, int argc, char **argv)
{
    static const struct {
        const char *name;
        size_t offset;
    } keys[] = {
#define K(f) {#f, offsetof(lt_config, f)}
        K(lanes),    K(acc_bits),   K(mult_bits), K(post_lanes), K(param_groups), K(fb_banks),   K(fb_words),
        K(wb_words), K(psum_words), K(wrf_depth), K(arf_depth),  K(prf_depth),    K(dot_stages),
#undef K
    };

    for (int i = 0; i < argc; i++) {
        char *eq = strchr(argv[i], '=');
        bool found = false;
        if (!eq) return false;
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            if (strlen(keys[k].name) == (size_t)(eq - argv[i]) &&
                !strncmp(keys[k].name, argv[i], strlen(keys[k].name))) {
                *(int *)((char *)cfg + keys[k].offset) = atoi(eq + 1);
                found = true;
            }
        if (!found) return false;
    }
    return true;
}

static void speed(bench *b, uint64_t seed)
{
    lt_rng rng = lt_rng_make(seed, 2);
    struct timespec t0, t1;
    uint64_t cycles = 0;
    mac_case c;
    double s = 0;

    while (s < 3) {
        lt_exec_state st = {.drained = b->cycle};
        uint64_t from = b->cycle;
        case_make(&b->cfg, &rng, &c);
        clock_gettime(CLOCK_MONOTONIC, &t0);
        if (!run_case(b, &c, 0, &st, &rng, true)) exit(1);
        clock_gettime(CLOCK_MONOTONIC, &t1);
        case_free(&c);
        s += (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
        cycles += b->cycle - from;
    }
    printf("%.2f M cycles/s\n", (double)cycles / s / 1e6);
}

int main(int argc, char **argv)
{
    bench b = {0};
    uint64_t seed;
    int cases, failed = 0, ops = 0, silent = 0;

    if (argc < 3 || !parse(&b.cfg, argc - 3, argv + 3)) {
        fprintf(stderr, "usage: exec_mac_tb SEED CASES key=value...\n");
        return 2;
    }
    seed = strtoull(argv[1], NULL, 0);
    cases = atoi(argv[2]);
    b.d = dut_new((int)(seed & 0x7fffffff) + 1, &b.p);
    b.fb = calloc((size_t)(b.cfg.fb_banks * b.cfg.fb_words), (size_t)b.cfg.lanes);
    b.shown = calloc((size_t)b.cfg.fb_banks, sizeof *b.shown);
    if (!b.fb || !b.shown) return 4;
    reset(&b);

    lt_exec_state st = {.drained = 0};
    if (cases == 0) speed(&b, seed);
    for (int i = 0; i < cases && !failed; i++) {
        lt_rng rng = lt_rng_make(seed, (uint64_t)i + 1);
        mac_case c;
        case_make(&b.cfg, &rng, &c);
        ops += c.n;
        for (int k = 0; k < c.n; k++)
            silent += lt_desc_get(c.op[k].desc, LT_D_OPCODE) == LT_OP_CONV && lt_desc_get(c.op[k].desc, LT_D_ACC_OUT);
        failed = !run_case(&b, &c, i, &st, &rng, lt_rng_below(&rng, 2));
        case_free(&c);
    }
    if (cases && !failed) {
        lt_rng rng = lt_rng_make(seed, 0);
        failed = !provoke_conflict(&b, &rng);
    }
    if (cases)
        printf("seed %llu: %d cases, %d operations (%d without results), %llu cycles%s\n", (unsigned long long)seed,
               cases, ops, silent, (unsigned long long)b.cycle, failed ? ": FAILED" : "");
    dut_delete(b.d);
    free(b.fb);
    free(b.shown);
    return failed;
}
