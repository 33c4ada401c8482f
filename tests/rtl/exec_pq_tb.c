/* Random test of lutra_exec_pq: operations back to back, results bit by bit, times cycle by cycle, violations seen.
 * Usage: exec_pq_tb [SEED=n] [CASES=n] key=value ... (every key of the configuration) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config_table.h"
#include "emit/regs.h"
#include "exec_pq_gen.h"
#include "golden/cycle.h"
#include "program/pack_pq.h"

enum { TO_WEIGHT = 1, TO_PARAM = 2, TO_ENC = 3, TO_CODE = 4, TIMEOUT = 2000000 };

typedef struct {
    lt_config c;
    lt_rng r;
    pq_dut *dut;
    pq_pins pin;
    pq_memory mem;  /* what the hardware wrote */
    uint64_t cycle; /* number of the current cycle */
    uint64_t conflicts, issued, operations;
    lt_exec_state time;
} bench;

static void tick(bench *b)
{
    pq_pins *p = &b->pin;
    int word = (lt_pq_code_word_bits(&b->c) + 7) / 8;

    pq_dut_settle(b->dut, p);
    if (p->rst) { /* the outputs may be anything yet */
        pq_dut_edge(b->dut);
        return;
    }
    b->conflicts += p->conflict;
    b->issued += p->issue;
    uint8_t rd[PQ_WORD_BYTES], res[PQ_WORD_BYTES];
    memcpy(rd, b->mem.fb[p->rd_addr], PQ_MAX_LANES);
    memcpy(res, b->mem.fb[p->res_addr], PQ_MAX_LANES);
    pq_dut_edge(b->dut);
    if (p->wr_en) memcpy(b->mem.fb[p->wr_addr], p->wr_data, (size_t)b->c.lanes);
    if (p->code_en) memcpy(b->mem.code[p->code_map][p->code_bank][p->code_addr], p->code_data, (size_t)word);
    if (p->rd_en) memcpy(p->rd_data, rd, PQ_MAX_LANES);
    if (p->res_en) memcpy(p->res_data, res, PQ_MAX_LANES);
    b->cycle++;
}

static void load_word(bench *b, int target, int address, const char *data, size_t bytes)
{
    b->pin.ld_valid = 1;
    b->pin.ld_target = (uint8_t)target;
    b->pin.ld_addr = (uint16_t)address;
    memcpy(b->pin.ld_data, data, bytes);
    tick(b);
    b->pin.ld_valid = 0;
}

static void loads(bench *b, int target, const lt_pq_load *l, int n, const lt_buf *words)
{
    size_t count = 0, bytes, at = 0;
    for (int i = 0; i < n; i++) count += (size_t)(l[i].words * l[i].rows);
    bytes = words->len / count;
    if (bytes * count != words->len || bytes > PQ_LD_BYTES) abort();
    for (int i = 0; i < n; i++)
        for (int r = 0; r < l[i].rows; r++)
            for (int w = 0; w < l[i].words; w++, at += bytes)
                load_word(b, target, l[i].address + r * l[i].stride + w, words->data + at, bytes);
}

static void load(bench *b, int target, lt_pq_load l, const lt_buf *words)
{
    loads(b, target, &l, 1, words);
}

static void random_memory(bench *b)
{
    int word = (lt_pq_code_word_bits(&b->c) + 7) / 8, bits = lt_pq_code_word_bits(&b->c);
    int values = b->c.pq_mode == QPQ_CHANNEL && lt_pq_word_values(&b->c) > 1 ? lt_pq_word_values(&b->c) : 0;
    for (int i = 0; i < PQ_FB_WORDS; i++)
        for (int j = 0; j < b->c.lanes; j++) b->mem.fb[i][j] = (uint8_t)lt_rng_u32(&b->r);
    for (int m = 0; m < 2; m++)
        for (int a = 0; a < b->c.pq_code_words; a++) {
            char unit[4 * PQ_WORD_BYTES] = {0};
            for (int bank = 0; bank < 3; bank++) {
                uint8_t *w = b->mem.code[m][bank][a];
                memset(w, 0, PQ_WORD_BYTES);
                for (int i = 0; i < word; i++) w[i] = (uint8_t)lt_rng_u32(&b->r);
                /* with values, only these are loaded */
                for (int i = values; values && i < word; i++) w[i] = 0;
                if (bits % 8) w[word - 1] &= (uint8_t)((1 << bits % 8) - 1);
                if (!values) memcpy(unit + bank * word, w, (size_t)word);
                for (int i = 0; i < values; i++) unit[4 * i + bank] = (char)w[i];
            }
            load_word(b, TO_CODE, m * b->c.pq_code_words + a, unit, (size_t)(values ? 4 * values : 3 * word));
        }
}

static void load_tables(bench *b, const pq_job *j)
{
    const lt_config *c = &b->c;
    const pq_op *o = &j->op;
    int half = lt_pq_half_rows(c), done = 0, channels = pq_op_channels(c, o);

    while (done < j->rows) { /* one load in each half */
        int row = j->row + done, n = half - row % half < j->rows - done ? half - row % half : j->rows - done;
        lt_buf words = {0};
        if (o->dense)
            lt_pack_pq_dense(c, &o->layer, channels, o->first, o->count, o->og, done, n, &words);
        else
            lt_pack_pq_lut(c, &o->layer, o->enc_in ? o->enc_in : &o->books, o->first, o->count, o->og, done, n, &words);
        lt_pq_load to[LT_PQ_LUT_LOADS];
        loads(b, TO_WEIGHT, to, lt_pq_lut_loads(c, &o->layer, row, n, to), &words);
        lt_buf_free(&words);
        done += n;
    }
}

static void load_params(bench *b, const pq_job *j)
{
    const lt_config *c = &b->c;
    const pq_op *o = &j->op;
    int channels = o->pool ? 0 : pq_op_channels(c, o), per = channels * o->r * o->s;

    for (int w = 0; w < c->lanes / c->post_lanes; w++) {
        lt_buf word = {0};
        for (int i = 0; i < c->post_lanes; i++) {
            int lane = w * c->post_lanes + i;
            int64_t bias = o->bias[lane];
            if (!o->pool && o->dense && o->in_unsigned) /* for the chunks that the operation works on */
                for (int t = 0; t < o->count * (per / o->chunks); t++)
                    bias += 128 * o->layer.w[(o->og * c->lanes + lane) * per + o->first * (per / o->chunks) + t];
            lt_buf_le32(&word, (uint32_t)bias);
            lt_buf_le32(&word, o->mult[lane]);
        }
        load(b, TO_PARAM, (lt_pq_load){j->param_group * (c->lanes / c->post_lanes) + w, 1, 1, 1}, &word);
        lt_buf_free(&word);
    }
}

static void load_encoders(bench *b, const pq_case *k)
{
    bool windows = b->c.pq_mode == QPQ_SPATIAL;
    for (int i = 0; i < lt_pq_enc_words(&b->c); i++) {
        const qencoder *e = &k->enc[windows ? 0 : i];
        lt_buf words = {0};
        lt_pack_pq_encoder(&b->c, e, !k->enc_unsigned[windows ? 0 : i], windows ? i : k->enc_group[i], &words);
        load(b, TO_ENC, lt_pq_enc_load(&b->c, i), &words);
        lt_buf_free(&words);
    }
}

static void print_op(const pq_job *j, int number)
{
    const pq_op *o = &j->op;
    printf("  op %d: %s%s in %dx%d kernel %dx%d stride %d dil %d pad %d,%d out %dx%d chunks %d+%d of %d stream %d "
           "barrier %d acc %d%d fb %d code %d raw %d res %d uns %d%d rows %d+%d K %d\n",
           number,
           o->pool    ? o->max ? "max" : "sum"
           : o->dense ? "dense"
                      : "pq",
           "", o->in_h, o->in_w, o->r, o->s, o->stride, o->dilation, o->pad_t, o->pad_l, o->out_h, o->out_w, o->first,
           o->count, o->chunks, (int)lt_desc_get(j->desc, LT_D_STREAM), j->barrier, o->acc_in, o->acc_out, o->write_fb,
           o->write_code, o->raw, o->res, o->in_unsigned, o->out_unsigned, j->row, j->rows, o->books.prototypes);
}

/* One cycle; sometimes with a load into a LUT half that no operation of the case reads. */
static void run_tick(bench *b, const pq_case *k, bool busy_load)
{
    int half = lt_pq_half_rows(&b->c);
    if (busy_load) {
        int h = !k->half_used[0] ? 0 : 1;
        const qlayer whole = {.r = 3, .s = 3, .dilation = 1};
        lt_pq_load to[LT_PQ_LUT_LOADS], l;
        lt_pq_lut_loads(&b->c, &whole, h * half + lt_rng_range(&b->r, 0, half - 1), 1, to);
        l = to[0];
        b->pin.ld_valid = lt_rng_range(&b->r, 0, 1);
        b->pin.ld_target = TO_WEIGHT;
        b->pin.ld_addr = (uint16_t)(l.address + lt_rng_range(&b->r, 0, l.rows - 1) * l.stride);
        for (int i = 0; i < PQ_LD_BYTES; i++) b->pin.ld_data[i] = (uint8_t)lt_rng_u32(&b->r);
    }
    tick(b);
    b->pin.ld_valid = 0;
}

/* Hands over all operations, each as soon as possible or a little later; checks the times of each. */
static bool run_case(bench *b, const pq_case *k)
{
    lt_exec_time want[PQ_MAX_OPS] = {{0}};
    uint64_t first_issue = b->issued, issued = 0, first_cycle = b->cycle;
    int given = 0, done = 0, wait = 0;
    bool ready_seen = true, spare = !k->half_used[0] || !k->half_used[1];
    bool busy_load = spare && lt_rng_range(&b->r, 0, 2) == 0;

    while (done < k->jobs) {
        if (given < k->jobs) memcpy(b->pin.desc, k->job[given].desc, sizeof b->pin.desc);
        b->pin.op_valid = given < k->jobs && wait == 0;
        if (wait > 0) wait--;
        run_tick(b, k, busy_load);
        uint64_t now = b->cycle - 1;
        if (b->pin.op_ready && !ready_seen) {
            ready_seen = true;
            if (now != want[given - 1].ready) {
                printf("op %d ready in cycle %llu, model %llu\n", given - 1, (unsigned long long)(now - first_cycle),
                       (unsigned long long)(want[given - 1].ready - first_cycle));
                return false;
            }
        }
        if (b->pin.op_done) {
            if (done >= given || now != want[done].done) {
                printf("op %d done in cycle %llu, model %llu\n", done, (unsigned long long)(now - first_cycle),
                       (unsigned long long)(want[done].done - first_cycle));
                return false;
            }
            done++;
        }
        if (b->pin.op_valid && b->pin.op_ready) {
            want[given] = lt_cycle_pq(&b->c, k->job[given].desc, &b->time, now);
            issued += want[given].issued;
            given++;
            ready_seen = false;
            wait = lt_rng_range(&b->r, 0, 3) ? 0 : lt_rng_range(&b->r, 1, 60);
        }
        if (now - first_cycle > TIMEOUT) {
            printf("op %d never done\n", done);
            return false;
        }
    }
    b->pin.op_valid = 0;
    for (int i = 0; i < 3 || !b->pin.op_ready; i++) tick(b);
    for (int i = 0; i < 20; i++) tick(b);
    b->operations += (uint64_t)k->jobs;
    if (b->issued - first_issue != issued) {
        printf("%llu cycles issued, model %llu\n", (unsigned long long)(b->issued - first_issue),
               (unsigned long long)issued);
        return false;
    }
    return true;
}

static bool compare(const bench *b, const pq_memory *ref)
{
    for (int i = 0; i < PQ_FB_WORDS; i++)
        for (int j = 0; j < b->c.lanes; j++)
            if (b->mem.fb[i][j] != ref->fb[i][j]) {
                printf("feature buffer word %d lane %d: expected %d, got %d\n", i, j, ref->fb[i][j], b->mem.fb[i][j]);
                return false;
            }
    for (int m = 0; m < 2; m++)
        for (int bank = 0; bank < 3; bank++)
            for (int a = 0; a < b->c.pq_code_words; a++)
                if (memcmp(b->mem.code[m][bank][a], ref->code[m][bank][a], PQ_WORD_BYTES) != 0) {
                    printf("code map %d bank %d word %d: expected %02x.., got %02x..\n", m, bank, a,
                           ref->code[m][bank][a][0], b->mem.code[m][bank][a][0]);
                    return false;
                }
    return true;
}

static bool one_case(bench *b)
{
    static pq_memory ref;
    pq_case k;
    bool ok;

    pq_case_make(&b->c, &b->r, &k);
    random_memory(b);
    load_encoders(b, &k);
    for (int i = 0; i < k.jobs; i++) {
        load_params(b, &k.job[i]);
        if (!k.job[i].op.pool) load_tables(b, &k.job[i]);
    }
    ref = b->mem;
    for (int i = 0; i < k.jobs; i++) pq_model_run(&b->c, &k.job[i].op, &ref);
    uint64_t conflicts = b->conflicts;
    ok = run_case(b, &k) && compare(b, &ref);
    if (ok && b->conflicts != conflicts) {
        printf("conflict raised by a legal schedule\n");
        ok = false;
    }
    if (!ok)
        for (int i = 0; i < k.jobs; i++) print_op(&k.job[i], i);
    pq_case_free(&k);
    return ok;
}

/* A 1 x 1 lookup layer over an 8 x 8 map, LUT half 0, from code map 0. */
static void simple_desc(const lt_config *c, uint32_t d[16], int code_out_map)
{
    memset(d, 0, 64);
    static const lt_dfield ones[] = {LT_D_STRIDE, LT_D_DILATION, LT_D_R,        LT_D_S,
                                     LT_D_OG,     LT_D_CHUNKS,   LT_D_CODE_RAW, LT_D_CODE_OUT_CHUNKS};
    lt_desc_put(d, LT_D_OPCODE, LT_OP_CONV);
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) lt_desc_put(d, ones[i], 1);
    static const lt_dfield fours[] = {LT_D_IN_H, LT_D_IN_W, LT_D_OUT_H, LT_D_OUT_W};
    for (size_t i = 0; i < sizeof fours / sizeof fours[0]; i++) lt_desc_put(d, fours[i], 4);
    lt_desc_put(d, LT_D_WRITE_CODE, code_out_map >= 0);
    lt_desc_put(d, LT_D_CODE_OUT_MAP, code_out_map >= 0 ? code_out_map : 0);
    lt_pq_finish_desc(c, d);
}

static void give(bench *b)
{
    b->pin.op_valid = 1;
    do tick(b);
    while (!b->pin.op_ready);
    b->pin.op_valid = 0;
}

/* What the program must not do is noticed: loading the half in use, a load of the code map being read, two writers. */
static int violations(bench *b)
{
    static const char *const names[] = {"load of the LUT half in use", "load of the code map in use",
                                        "codes written to a map that LOAD writes", "none"};
    int failed = 0;

    for (int v = 0; v < 4; v++) {
        simple_desc(&b->c, b->pin.desc, v == 2 ? 1 : -1);
        give(b);
        uint64_t before = b->conflicts;
        b->pin.ld_valid = v < 3;
        b->pin.ld_target = v == 0 ? TO_WEIGHT : TO_CODE;
        b->pin.ld_addr = (uint16_t)(v == 2 ? b->c.pq_code_words : 0);
        for (int i = 0; i < 800 && !b->pin.op_done; i++) tick(b);
        b->pin.ld_valid = 0;
        for (int i = 0; i < 40; i++) tick(b);
        bool seen = b->conflicts != before, want = v < 3;
        if (seen != want) {
            printf("violation \"%s\": conflict %s\n", names[v], seen ? "raised" : "not raised");
            failed++;
        }
    }
    return failed;
}

static bool read_argument(bench *b, const char *arg, int *seed, int *cases)
{
    const char *eq = strchr(arg, '=');
    char key[64];
    if (!eq || eq - arg >= (int)sizeof key) return false;
    memcpy(key, arg, (size_t)(eq - arg));
    key[eq - arg] = '\0';
    if (strcmp(key, "SEED") == 0) {
        *seed = atoi(eq + 1);
    } else if (strcmp(key, "CASES") == 0) {
        *cases = atoi(eq + 1);
    } else {
        int i = lt_key_find(key);
        if (i < 0) return false;
        lt_key_set(&lt_keys[i], &b->c, atoi(eq + 1));
    }
    return true;
}

int main(int argc, char **argv)
{
    static bench b;
    int seed = 1, cases = 200, failed = 0, i;

    lt_config_defaults(CORE_PQ, &b.c);
    for (i = 1; i < argc; i++)
        if (!read_argument(&b, argv[i], &seed, &cases)) {
            fprintf(stderr, "exec_pq_tb: %s: no such key\n", argv[i]);
            return 2;
        }
    b.dut = pq_dut_new();
    b.r = lt_rng_make((uint64_t)seed, 7);
    b.pin.rst = 1;
    for (i = 0; i < 20; i++) tick(&b);
    b.pin.rst = 0;
    for (i = 0; i < cases && failed == 0; i++) {
        if (one_case(&b)) continue;
        printf("case %d of seed %d failed\n", i, seed);
        failed = 1;
    }
    if (failed == 0) failed += violations(&b);
    printf("seed %d, %d cases, %llu operations, %llu cycles\n", seed, i, (unsigned long long)b.operations,
           (unsigned long long)b.cycle);
    pq_dut_free(b.dut);
    return failed != 0;
}
