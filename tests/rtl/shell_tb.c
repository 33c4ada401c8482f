/* Test of the shell: random programs on a stall-free memory against the cycle model, and on a random one against the
 * reference; faults, ABORT, watchdog, interrupts. Usage: shell_tb [SEED [PROGRAMS]]. The widths come from the
 * compiler's command line, the same that Verilator got. */
#include <stdlib.h>

#include "emit/widths.h"
#include "golden/load_word.h"
#include "shell_check.h"
#include "shell_faults.h"

static lt_config test_config(void)
{
    lt_config c = {.name = "shell", .core = T_PQ ? CORE_PQ : CORE_WS, .lanes = T_LANES, .bus_bits = T_BUS_BITS};

    c.acc_bits = T_PARAM_LOW;
    c.mult_bits = T_PARAM_HIGH;
    c.post_lanes = T_PARAM_BITS / 64;
    c.fb_banks = T_FB_BANKS;
    c.fb_words = T_FB_WORDS;
    c.pq_mode = QPQ_CHANNEL;
    c.pq_prototypes = 16;
    c.pq_length = 8;
    c.pq_encoder = QENC_TREE;
    c.pq_enc_bits = 8;
    c.pq_lut_bits = 4;
    c.pq_codebooks = T_WEIGHT_BITS / (T_LANES * c.pq_lut_bits);
    return c;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    int programs = argc > 2 ? atoi(argv[2]) : 40;
    lt_config cfg = test_config();
    static bench b;
    static program p;

    const int bits[LT_LOAD_TARGETS] = {8 * T_LANES, T_WEIGHT_BITS, T_PARAM_BITS, T_ENC_BITS, T_CODE_BITS};
    if (!bench_open(&b, &cfg, (uint32_t)seed) || !program_alloc(&p, &cfg)) return fprintf(stderr, "out of memory\n"), 1;
    CHECK(&b, dut_bus_bits() == T_BUS_BITS, "the model has another bus width");
    for (int i = 0; i < LT_LOAD_TARGETS; i++)
        CHECK(&b, lt_target_bits(&cfg, i) == bits[i], "target %d: %d bits, built with %d", i, lt_target_bits(&cfg, i),
              bits[i]);
    bench_reset(&b);
    for (int i = 0; i < programs; i++) {
        lt_rng rng = lt_rng_make(seed, (uint64_t)i);
        if (getenv("VERBOSE")) fprintf(stderr, "  seed %llu program %d\n", (unsigned long long)seed, i);
        check_random(&b, &p, &rng, seed + (uint64_t)i, i % 2 != 0);
    }
    if (programs >= 40) check_coverage(&b);
    int faults = shell_faults(&b, &p, seed);
    printf("shell lanes %d bus %d: %d programs, %d faults, %d checks passed (seed %llu)\n", T_LANES, T_BUS_BITS,
           programs, faults, b.checks, (unsigned long long)seed);
    program_free(&p);
    bench_close(&b);
    return 0;
}
