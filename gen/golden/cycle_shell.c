/* lt_cycle_program: the sequencer (lutra_seq), counters and u_exec's schedule, around the DMA engines of cycle_dma.c.
 */
#include <stdlib.h>
#include <string.h>

#include "emit/regs.h"
#include "golden/cycle.h"
#include "golden/cycle_dma.h"
#include "golden/load_word.h"

enum { TO_EXEC, TO_STORE, FROM_EXEC, EXEC_STORE, STORE_LOAD, STORE_EXEC, N_TOKENS }; /* bits of lutra_tokens */
enum { MAX_TOKENS = 15, MAX_OPS = 2, PROFILE_BYTES = 32 };

/* An operation in u_exec. */
typedef struct {
    uint64_t start, done, issued;
    unsigned signal;
    bool mark, barrier;
    int layer;
} op;

/* Everything that a clock edge may change; two equal states in a row mean that nothing happens until the next event of
 * u_exec or the memory. */
typedef struct {
    enum { S_FETCH, S_WAIT, S_HEAD, S_DONE } state;
    int at; /* descriptor that is fetched or held */
    unsigned tokens[N_TOKENS];
    unsigned ld_waits, st_waits, st_signals;
    int ops;
    op op[MAX_OPS]; /* oldest first */
    uint64_t ready; /* cycle from which u_exec takes the next operation */
    lt_rd rd;
    lt_wr wr;
} shell;

typedef struct {
    const lt_config *cfg;
    const uint32_t (*desc)[16];
    int n, latency;
    uint32_t bus_bytes, fetch_beats;
    lt_exec_state exec;
    uint64_t now, issued; /* issued by finished operations */
    lt_counters c;
    lt_mark *marks;
    int max_marks, n_marks;
    lt_err *err;
} run;

static int64_t field(const run *r, int at, lt_dfield f)
{
    return lt_desc_get(r->desc[at], f);
}

static int opcode(const run *r, int at)
{
    return (int)field(r, at, LT_D_OPCODE);
}

static unsigned waits(const run *r, int at)
{
    return (unsigned)(field(r, at, LT_D_WAIT_A) | field(r, at, LT_D_WAIT_B) << 1);
}

static unsigned signals(const run *r, int at)
{
    return (unsigned)(field(r, at, LT_D_SIGNAL_A) | field(r, at, LT_D_SIGNAL_B) << 1);
}

/* What the hardware reports as a bad descriptor is an error here. */
static lt_code check(const run *r, int at)
{
    int o = opcode(r, at), target = (int)field(r, at, LT_D_TARGET);
    const char *what = NULL;

    if (o >= LT_N_OPS) {
        what = "unknown opcode";
    } else if (o == LT_OP_LOAD || o == LT_OP_STORE) {
        if (o == LT_OP_LOAD ? lt_load_word_bytes(r->cfg, target) == 0 : target != 0) what = "no such target";
        if (field(r, at, LT_D_WORDS) == 0 || field(r, at, LT_D_ROWS) == 0) what = "no words";
        if (field(r, at, LT_D_ROWS) > 1 && field(r, at, LT_D_DRAM_STRIDE) % r->bus_bytes)
            what = "rows are not aligned to the bus";
    }
    if ((LT_IN_DMA >> o & 1) && field(r, at, LT_D_OFFSET) % r->bus_bytes) what = "address is not aligned to the bus";
    return what ? lt_fail(r->err, LT_EINPUT, "descriptor %d: %s", at, what) : LT_OK;
}

static lt_dma_cmd dma_cmd(const run *r, int at)
{
    uint32_t word = (uint32_t)lt_load_word_bytes(r->cfg, (int)field(r, at, LT_D_TARGET)), bus = r->bus_bytes;
    lt_dma_cmd c = {.profile = opcode(r, at) == LT_OP_PROFILE, .signal = signals(r, at)};

    c.addr = (uint32_t)field(r, at, LT_D_OFFSET) / bus;
    c.stride = (uint32_t)field(r, at, LT_D_DRAM_STRIDE) / bus;
    c.rows = c.profile ? 1 : (uint32_t)field(r, at, LT_D_ROWS);
    c.words_m1 = c.profile ? 0 : (uint32_t)field(r, at, LT_D_WORDS) - 1;
    c.wide = word > bus;
    c.last_step = (c.wide ? word / bus : bus / word) - 1;
    if (c.profile)
        c.row_m1 = bus < PROFILE_BYTES ? PROFILE_BYTES / bus - 1 : 0;
    else
        c.row_m1 = c.wide ? (c.words_m1 + 1) * (word / bus) - 1 : c.words_m1 / (bus / word);
    return c;
}

/* Are the tokens (A, B) in these two counters there? */
static bool have(const shell *s, unsigned wait, int a, int b)
{
    return (!(wait & 1) || s->tokens[a]) && (!(wait & 2) || s->tokens[b]);
}

static void count(unsigned change[N_TOKENS], unsigned bits, int a, int b)
{
    change[a] += bits & 1;
    change[b] += bits >> 1;
}

static void finish_op(run *r, shell *s)
{
    const op *o = &s->op[0];

    r->issued += o->issued;
    if (o->mark) {
        if (r->n_marks < r->max_marks) {
            lt_mark *m = &r->marks[r->n_marks];
            uint64_t issued = r->issued;
            /* how much a younger operation has issued by now is not known exactly: nothing behind a barrier, else as
             * much as it could */
            if (s->ops > 1 && !s->op[1].barrier) {
                uint64_t could = r->now - s->op[1].start;
                issued += s->op[1].issued < could ? s->op[1].issued : could;
            }
            m->layer = o->layer;
            m->at = r->c;
            m->at.stall_core = m->at.exec_busy - issued;
        }
        r->n_marks++;
    }
    s->op[0] = s->op[1];
    s->ops--;
}

static void start_op(run *r, shell *s)
{
    const uint32_t *d = r->desc[s->at];
    lt_exec_time t =
        r->cfg->core == CORE_PQ ? lt_cycle_pq(r->cfg, d, &r->exec, r->now) : lt_cycle_mac(r->cfg, d, &r->exec, r->now);

    s->ready = t.ready;
    s->op[s->ops++] = (op){.start = r->now,
                           .done = t.done,
                           .issued = t.issued,
                           .signal = signals(r, s->at),
                           .mark = field(r, s->at, LT_D_MARK),
                           .barrier = field(r, s->at, LT_D_BARRIER),
                           .layer = (int)field(r, s->at, LT_D_LAYER)};
}

/* One clock cycle. */
static lt_code cycle(run *r, shell *s)
{
    lt_rd_look rd = lt_rd_see(&s->rd, r->now);
    lt_wr_look wr = lt_wr_see(&s->wr, r->now);
    bool head = s->state == S_HEAD, exec_busy = s->ops > 0, op_done = exec_busy && r->now == s->op[0].done;
    int o = head ? opcode(r, s->at) : LT_OP_END;
    bool is_op = o == LT_OP_CONV || o == LT_OP_POOL;
    unsigned wait = head ? waits(r, s->at) : 0, give[N_TOKENS] = {0}, take[N_TOKENS] = {0};

    /* what each engine may do */
    bool ld_set = o == LT_OP_LOAD && s->rd.cmd == CMD_EMPTY;
    bool st_set = (o == LT_OP_STORE || o == LT_OP_PROFILE) && s->wr.cmd == CMD_EMPTY;
    bool op_take = is_op && have(s, wait, TO_EXEC, STORE_EXEC) && s->ops < MAX_OPS && r->now >= s->ready;
    bool ld_go = s->rd.cmd == CMD_WAIT && have(s, s->ld_waits, FROM_EXEC, STORE_LOAD);
    bool st_go = s->wr.cmd == CMD_WAIT && have(s, s->st_waits, TO_STORE, EXEC_STORE);
    bool ends =
        head && o == LT_OP_END && s->rd.cmd == CMD_EMPTY && !s->rd.d_busy && s->wr.cmd == CMD_EMPTY && !exec_busy;

    /* counters */
    r->c.cycles++;
    r->c.exec_busy += exec_busy;
    if (is_op && !exec_busy && !have(s, wait & 1, TO_EXEC, STORE_EXEC))
        r->c.stall_read++;
    else if (is_op && !exec_busy && !have(s, wait & 2, TO_EXEC, STORE_EXEC))
        r->c.stall_write++;
    r->c.read_beats += rd.beat;
    r->c.write_beats += wr.beat;
    r->c.descriptors += rd.done + wr.done + op_done + (unsigned)ends;

    /* tokens */
    if (rd.done) count(give, s->rd.d.signal, TO_EXEC, TO_STORE);
    if (op_done) count(give, s->op[0].signal, FROM_EXEC, EXEC_STORE);
    if (wr.done) count(give, s->st_signals, STORE_LOAD, STORE_EXEC);
    if (ld_go) count(take, s->ld_waits, FROM_EXEC, STORE_LOAD);
    if (op_take) count(take, wait, TO_EXEC, STORE_EXEC);
    if (st_go) count(take, s->st_waits, TO_STORE, EXEC_STORE);
    for (int i = 0; i < N_TOKENS; i++) {
        s->tokens[i] += give[i] - take[i];
        if (s->tokens[i] > MAX_TOKENS)
            return lt_fail(r->err, LT_EINPUT, "descriptor %d: more than %d tokens waiting", s->at, MAX_TOKENS);
    }

    /* edges */
    lt_dma_cmd cmd = {0};
    if (ld_set || st_set) cmd = dma_cmd(r, s->at);
    bool fetched = lt_rd_edge(&s->rd, &rd, r->now, r->latency, ld_set ? &cmd : NULL, ld_go,
                              s->state == S_FETCH ? r->fetch_beats : 0);
    lt_wr_edge(&s->wr, &wr, r->now, r->latency, st_set ? &cmd : NULL, st_go);
    if (ld_set) s->ld_waits = wait;
    if (st_set) {
        s->st_waits = wait;
        s->st_signals = cmd.signal;
    }
    if (op_done) finish_op(r, s);
    if (op_take) start_op(r, s);
    if (fetched) s->state = S_WAIT;
    if (rd.fetch_last) {
        s->state = S_HEAD;
        return check(r, s->at);
    }
    if (ends) s->state = S_DONE;
    if (ld_set || st_set || op_take) {
        s->state = S_FETCH;
        if (++s->at >= r->n)
            return lt_fail(r->err, LT_EINPUT, "the program does not end: no END in %d descriptors", r->n);
    }
    return LT_OK;
}

static void sooner(uint64_t now, uint64_t t, uint64_t *next)
{
    if (t > now && t < *next) *next = t;
}

/* Nothing changed in the last cycle: skips to the cycle before the next event. */
static lt_code skip(run *r, const shell *s, const lt_counters *before)
{
    uint64_t next = UINT64_MAX, last = r->now - 1;

    if (s->ops) sooner(last, s->op[0].done, &next);
    sooner(last, s->ready, &next);
    if (s->rd.bursts) sooner(last, s->rd.burst[0].due, &next);
    if (s->wr.responses) sooner(last, s->wr.response[0], &next);
    if (next == UINT64_MAX)
        return lt_fail(r->err, LT_EINPUT, "the program hangs at descriptor %d: it waits for a token that never comes",
                       s->at);
    uint64_t n = next - r->now;
    r->c.cycles += n;
    r->c.exec_busy += n * (r->c.exec_busy - before->exec_busy);
    r->c.stall_read += n * (r->c.stall_read - before->stall_read);
    r->c.stall_write += n * (r->c.stall_write - before->stall_write);
    r->now = next;
    return LT_OK;
}

lt_code lt_cycle_program(const lt_config *cfg, const uint32_t (*desc)[16], int n, int latency, lt_counters *total,
                         lt_mark *marks, int max_marks, int *n_marks, lt_err *err)
{
    run r = {.cfg = cfg,
             .desc = desc,
             .n = n,
             .latency = latency < 1 ? 1 : latency,
             .bus_bytes = (uint32_t)cfg->bus_bits / 8,
             .fetch_beats = 512u / (uint32_t)cfg->bus_bits,
             .marks = marks,
             .max_marks = max_marks,
             .err = err};
    shell *s = calloc(2, sizeof *s), *before = s + 1; /* zeroed padding: states are compared as bytes */
    lt_code code = LT_OK;

    *total = (lt_counters){0};
    if (n_marks) *n_marks = 0;
    if (!s) return lt_fail(err, LT_EMEM, "out of memory");
    if (n < 1) code = lt_fail(err, LT_EINPUT, "an empty program");
    while (code == LT_OK && s->state != S_DONE) {
        lt_counters c = r.c;
        memcpy(before, s, sizeof *s);
        code = cycle(&r, s);
        r.now++;
        if (code == LT_OK && s->state != S_DONE && memcmp(before, s, sizeof *s) == 0) code = skip(&r, s, &c);
    }
    free(s);
    r.c.stall_core = r.c.exec_busy - r.issued;
    *total = r.c;
    if (n_marks) *n_marks = r.n_marks;
    return code;
}
