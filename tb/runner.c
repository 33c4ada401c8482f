/* lutra_sim: runs a program image on the simulated accelerator through the shipping driver. One binary per
 * configuration; --help lists the options. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/file.h"
#include "base/rng.h"
#include "compare.h"
#include "program/image.h"
#include "report.h"

enum { MAX_INPUT = 1 << 30, DEFAULT_LATENCY = 20, RECOVERY_CYCLES = 20000 };

/* Everything main() opens. */
typedef struct {
    tb_options o;
    uint8_t *bytes;
    lutra_image image;
    lt_expect expect;
    bool has_expect;
    char *input;
    size_t input_len, pixels; /* bytes of an image without its label */
    uint8_t *random;          /* an image, when there is no other source */
    uint8_t *batch;           /* the images of a run */
    int images;
    tb_sim *sim;
    tb_stats stats;
    tb_comparison comparison;
    tb_run run;
} session;

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static lt_code open_input(session *s, lt_err *err)
{
    int have;

    s->pixels = (size_t)s->image.input.c * s->image.input.h * s->image.input.w;
    if (s->o.input) {
        LT_TRY(lt_read_file(s->o.input, MAX_INPUT, &s->input, &s->input_len, err));
        if (s->input_len == 0 || s->input_len % (s->pixels + 1))
            return lt_fail(err, LT_EINPUT, "%s: got %zu bytes, expected records of %zu (a label and an image)",
                           s->o.input, s->input_len, s->pixels + 1);
        have = (int)(s->input_len / (s->pixels + 1));
    } else if (s->has_expect) {
        have = s->expect.n_images;
    } else {
        s->random = malloc(s->pixels);
        if (!s->random) return lt_fail(err, LT_EMEM, "out of memory");
        have = s->o.images ? s->o.images : (int)s->image.batch;
    }
    if (s->has_expect && s->expect.n_images < have) have = s->expect.n_images;
    s->batch = malloc(s->image.batch * s->pixels);
    if (!s->batch) return lt_fail(err, LT_EMEM, "out of memory");
    if (s->o.images > have) return lt_fail(err, LT_EINPUT, "--images: got %d, there are %d", s->o.images, have);
    if (!s->o.images) have -= have % (int)s->image.batch;
    if (s->o.images % (int)s->image.batch)
        return lt_fail(err, LT_EINPUT, "--images: got %d, expected a multiple of the program's batch, %u", s->o.images,
                       s->image.batch);
    if (have < 1) return lt_fail(err, LT_EINPUT, "%s: holds no image", s->o.expect);
    s->images = s->o.images ? s->o.images : have;
    return LT_OK;
}

static lt_code open_all(session *s, lt_err *err)
{
    LT_TRY(lt_image_open(s->o.image, &s->bytes, &s->image, err));
    if (s->o.layer >= (int)s->image.layers)
        return lt_fail(err, LT_EINPUT, "--layer: got %d, expected 0..%d", s->o.layer, (int)s->image.layers - 1);
    if (s->o.expect) {
        LT_TRY(lt_expect_load(s->o.expect, &s->expect, err));
        s->has_expect = true;
        if (tb_compare_check(&s->image, &s->expect, err) != LT_OK) return lt_wrap(err, "%s", s->o.expect);
    }
    LT_TRY(open_input(s, err));
    if (s->o.latency == 0) s->o.latency = s->image.predicted ? (int)s->image.predict_latency : DEFAULT_LATENCY;
    LT_TRY(tb_stats_init(&s->stats, &s->image, err));
    LT_TRY(tb_run_alloc(&s->image, &s->run, err));
    s->sim = tb_sim_open(&s->o, &s->image, s->o.latency, err);
    return s->sim ? LT_OK : err->code;
}

static void close_all(session *s)
{
    tb_sim_close(s->sim);
    tb_run_free(&s->run);
    tb_stats_free(&s->stats);
    free(s->random);
    free(s->batch);
    free(s->input);
    if (s->has_expect) lt_expect_free(&s->expect);
    free(s->bytes);
}

/* Bytes and label of image i; v holds the expected tensors if there are any. */
static lt_code get_image(session *s, int i, lt_expect_values *v, const uint8_t **pixels, int *label, lt_err *err)
{
    *v = (lt_expect_values){0};
    *label = -1;
    if (s->has_expect) {
        LT_TRY(lt_expect_get(&s->expect, i, v, err));
        *pixels = v->image;
        *label = s->expect.images[i].label;
    }
    if (s->input) {
        const uint8_t *record = (const uint8_t *)s->input + (size_t)i * (s->pixels + 1);
        if (s->has_expect && memcmp(record + 1, v->image, s->pixels) != 0) {
            lt_expect_values_free(v);
            return lt_fail(err, LT_EINPUT, "image %d of %s is not the one of %s", i, s->o.input, s->o.expect);
        }
        *pixels = record + 1;
        *label = record[0];
    }
    if (s->random) {
        lt_rng rng = lt_rng_make(s->o.seed, (uint64_t)i + 1);
        for (size_t k = 0; k < s->pixels; k++) s->random[k] = (uint8_t)lt_rng_u32(&rng);
        *pixels = s->random;
    }
    return LT_OK;
}

/* The cycle model describes a memory that never stalls, with buffers at page boundaries. */
static bool model_applies(const session *s)
{
    return s->image.predicted && s->o.stall == 0 && s->o.bandwidth == 0 && !s->o.scatter &&
           s->o.latency == (int)s->image.predict_latency;
}

/* Result of image i, number `slot` of the batch. */
static lt_code one_result(session *s, int i, uint32_t slot, lt_err *err)
{
    const int16_t *logits = s->run.logits + (size_t)slot * s->image.classes;
    lt_expect_values v;
    const uint8_t *pixels;
    int label;

    LT_TRY(get_image(s, i, &v, &pixels, &label, err));
    lt_code rc = LT_OK;
    if (s->has_expect) rc = tb_compare_image(s->sim, &s->expect, &v, i, slot, s->o.layer, &s->comparison, err);
    lt_expect_values_free(&v);
    LT_TRY(rc);
    printf("image %d: class %u", i, lutra_argmax(logits, s->image.classes));
    if (label >= 0) printf(" (label %d)", label);
    printf(", logits");
    for (uint32_t k = 0; k < s->image.classes && k < 16; k++) printf(" %d", logits[k]);
    puts("");
    return LT_OK;
}

/* Images from `first` on, as many as a run takes, one behind the other in s->batch. */
static lt_code get_batch(session *s, int first, lt_err *err)
{
    for (uint32_t i = 0; i < s->image.batch; i++) {
        lt_expect_values v;
        const uint8_t *pixels;
        int label;
        LT_TRY(get_image(s, first + (int)i, &v, &pixels, &label, err));
        memcpy(s->batch + i * s->pixels, pixels, s->pixels);
        lt_expect_values_free(&v);
    }
    return LT_OK;
}

static lt_code one_run(session *s, int first, lt_err *err)
{
    lutra_result r;

    LT_TRY(get_batch(s, first, err));
    lt_code rc = tb_sim_image(s->sim, s->batch, &s->run, &r, err);
    if (rc == LT_OK) rc = tb_stats_add(&s->stats, &s->image, &s->run, err);
    if (rc == LT_OK && model_applies(s)) tb_stats_compare(&s->stats, &s->image, &s->run);
    for (uint32_t i = 0; i < s->image.batch && rc == LT_OK; i++) rc = one_result(s, first + (int)i, i, err);
    return rc == LT_OK ? LT_OK : lt_wrap(err, "image %d", first);
}

/* A run that the memory spoils: the driver must report what happened and, unless the bus hangs, recover. */
static lt_code fault_run(session *s, lt_err *err)
{
    static const lutra_result expected[] = {[FAULT_READ] = LUTRA_HW_READ,
                                            [FAULT_WRITE] = LUTRA_HW_WRITE,
                                            [FAULT_HANG_READ] = LUTRA_HW_WATCHDOG,
                                            [FAULT_HANG_WRITE] = LUTRA_HW_WATCHDOG};
    bool hangs = s->o.fault == FAULT_HANG_READ || s->o.fault == FAULT_HANG_WRITE;
    lutra_result r;

    LT_TRY(get_batch(s, 0, err));
    tb_sim_fault(s->sim, s->o.fault, s->o.fault_at);
    lt_code rc = tb_sim_image(s->sim, s->batch, &s->run, &r, err);
    if (rc == LT_OK)
        return lt_fail(err, LT_EINTERNAL,
                       "the program ended well although a bus burst should have failed; are there "
                       "%lld bursts?",
                       (long long)s->o.fault_at + 1);
    if (s->sim->mem.violations || s->sim->hal.failed) return rc;
    if (r != expected[s->o.fault])
        return lt_fail(err, LT_EINTERNAL, "fault: expected \"%s\", got \"%s\"", lutra_result_text(expected[s->o.fault]),
                       lutra_result_text(r));
    printf("fault: %s", lutra_result_text(r));
    s->sim->dev.config.timeout = RECOVERY_CYCLES; /* time for a whole image is too long to wait for a dead bus */
    r = lutra_recover(&s->sim->dev);
    s->sim->dev.config.timeout = s->o.timeout;
    printf("; recovery: %s\n", lutra_result_text(r));
    if (r != (hangs ? LUTRA_TIMEOUT : LUTRA_OK))
        return lt_fail(err, LT_EINTERNAL, "recovery: expected \"%s\"",
                       lutra_result_text(hangs ? LUTRA_TIMEOUT : LUTRA_OK));
    tb_sim_fault(s->sim, FAULT_NONE, 0);
    return LT_OK;
}

static lt_code run_all(session *s, lt_err *err)
{
    double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);

    if (s->o.fault != FAULT_NONE) {
        LT_TRY(fault_run(s, err));
        /* a bus that hangs stays so: nothing more to see */
        if (s->o.fault == FAULT_HANG_READ || s->o.fault == FAULT_HANG_WRITE) return LT_OK;
    }
    s->sim->hal.images = s->images;
    for (int i = 0; i < s->images; i += (int)s->image.batch) {
        s->sim->hal.image = i;
        LT_TRY(one_run(s, i, err));
    }
    tb_report report = {.options = &s->o,
                        .image = &s->image,
                        .expect = s->has_expect ? &s->expect : NULL,
                        .stats = &s->stats,
                        .comparison = &s->comparison,
                        .latency = s->o.latency,
                        .cycles = s->sim->hal.clock.cycle,
                        .wall = now(CLOCK_MONOTONIC) - start,
                        .cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu};
    tb_report_print(&report);
    if (s->o.json) LT_TRY(tb_report_json(&report, s->o.json, err));
    if (s->comparison.wrong) return lt_fail(err, LT_EINTERNAL, "results differ from the golden model");
    if (s->stats.predicted && !s->stats.exact) return lt_fail(err, LT_EINTERNAL, "cycles differ from the cycle model");
    return LT_OK;
}

int main(int argc, char **argv)
{
    static session s;
    lt_err err = {0};

    lt_code rc = tb_options_parse(argc, argv, &s.o, &err);
    if (rc == LT_OK && s.o.help) {
        tb_options_help();
        return 0;
    }
    if (rc == LT_OK) rc = open_all(&s, &err);
    if (rc == LT_OK) rc = run_all(&s, &err);
    close_all(&s);
    if (rc == LT_OK) return 0;
    fflush(stdout);
    fprintf(stderr, "lutra_sim: %s\n", err.msg);
    if (rc == LT_EINTERNAL) fprintf(stderr, "lutra_sim: FAILED (seed %llu)\n", (unsigned long long)s.o.seed);
    return rc == LT_EINTERNAL ? 1 : lt_exit_code(rc);
}
