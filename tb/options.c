#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TIMEOUT = 2000000000, DEFAULT_WATCHDOG = 1 << 20 };

/* One line per option: the table behind parsing and --help. */
enum {
    O_IMAGES = 256,
    O_INPUT,
    O_EXPECT,
    O_LATENCY,
    O_STALL,
    O_BANDWIDTH,
    O_SEED,
    O_TRACE,
    O_LAYER,
    O_JSON,
    O_PROGRESS,
    O_POLL,
    O_SCATTER,
    O_TIMEOUT,
    O_WATCHDOG,
    O_FAULT,
    O_HELP
};

static const struct {
    int id;
    const char *name, *value, *help;
} table[] = {
    {O_IMAGES, "images", "N", "run N images (default: all there are in --expect or --input, else 1)"},
    {O_EXPECT, "expect", "FILE", "expected tensors (.exp): compare every layer that the program dumps, and the output"},
    {O_INPUT, "input", "FILE", "images in CIFAR-10's binary format: a label byte, then the image bytes"},
    {O_LATENCY, "latency", "CYCLES", "memory latency (default: the one the image's prediction assumes, else 20)"},
    {O_STALL, "stall", "PERCENT", "hold up every bus channel at random in so many cycles, 0..95"},
    {O_BANDWIDTH, "bandwidth", "BYTES", "limit the memory to so many bytes per cycle, e.g. 4 or 2.5"},
    {O_SEED, "seed", "N", "seed of stalls, addresses and, without --input or --expect, of image bytes (default 1)"},
    {O_LAYER, "layer", "N", "compare and report only this layer"},
    {O_TRACE, "trace", "FILE", "write all signals to an FST file (needs a simulator built with TRACE=1)"},
    {O_JSON, "json", "FILE", "write the results as JSON"},
    {O_PROGRESS, "progress", NULL, "show progress on the terminal"},
    {O_POLL, "poll", NULL, "poll the status register instead of waiting for the interrupt"},
    {O_SCATTER, "scatter", NULL, "put the buffers at random multiples of 64 bytes instead of 4096"},
    {O_TIMEOUT, "timeout", "CYCLES", "give up on an image after so many cycles (default 2000000000)"},
    {O_WATCHDOG, "watchdog", "CYCLES", "the accelerator's own limit for cycles without progress (default 1048576)"},
    {O_FAULT, "fault", "KIND@N",
     "first let bus burst number N fail, KIND read, write, hang-read or hang-write, and "
     "check that driver and accelerator report it and recover"},
    {O_HELP, "help", NULL, "this list"},
};
enum { COUNT = sizeof table / sizeof *table };

void tb_options_help(void)
{
    puts("usage: lutra_sim IMAGE.lpi [options]\n"
         "Runs images through a simulated accelerator and its driver, compares and measures.\n");
    for (int i = 0; i < COUNT; i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s%s%s", table[i].name, table[i].value ? " " : "",
                 table[i].value ? table[i].value : "");
        printf("  %-20s %s\n", left, table[i].help);
    }
    puts("\nExit code: 0 all right, 1 wrong results or broken rules, 2 bad input, 3 file error, 4 out of memory.");
}

static lt_code whole(const char *name, const char *text, long long lo, long long hi, long long *v, lt_err *err)
{
    char *end;

    errno = 0;
    *v = strtoll(text, &end, 0);
    if (errno || end == text || *end || *v < lo || *v > hi)
        return lt_fail(err, LT_EINPUT, "--%s: got '%s', expected a whole number from %lld to %lld", name, text, lo, hi);
    return LT_OK;
}

static lt_code fault(const char *text, tb_options *o, lt_err *err)
{
    static const char *const kinds[] = {[FAULT_READ] = "read@",
                                        [FAULT_WRITE] = "write@",
                                        [FAULT_HANG_READ] = "hang-read@",
                                        [FAULT_HANG_WRITE] = "hang-write@"};
    long long at;

    for (int i = FAULT_READ; i <= FAULT_HANG_WRITE; i++) {
        size_t n = strlen(kinds[i]);
        if (strncmp(text, kinds[i], n) != 0) continue;
        LT_TRY(whole("fault", text + n, 0, LLONG_MAX, &at, err));
        o->fault = (tb_fault)i;
        o->fault_at = at;
        return LT_OK;
    }
    return lt_fail(err, LT_EINPUT, "--fault: got '%s', expected read@N, write@N, hang-read@N or hang-write@N", text);
}

static lt_code set(int id, const char *text, tb_options *o, lt_err *err)
{
    long long v = 0;
    char *end;

    switch (id) {
    case O_IMAGES:
        LT_TRY(whole("images", text, 1, 1000000, &v, err));
        o->images = (int)v;
        break;
    case O_LATENCY:
        LT_TRY(whole("latency", text, 1, 1000000, &v, err));
        o->latency = (int)v;
        break;
    case O_STALL:
        LT_TRY(whole("stall", text, 0, 95, &v, err));
        o->stall = (int)v;
        break;
    case O_SEED:
        LT_TRY(whole("seed", text, 0, LLONG_MAX, &v, err));
        o->seed = (uint64_t)v;
        break;
    case O_LAYER:
        LT_TRY(whole("layer", text, 0, 255, &v, err));
        o->layer = (int)v;
        break;
    case O_TIMEOUT:
        LT_TRY(whole("timeout", text, 1, 4000000000, &v, err));
        o->timeout = (uint32_t)v;
        break;
    case O_WATCHDOG:
        LT_TRY(whole("watchdog", text, 0, UINT_MAX, &v, err));
        o->watchdog = (uint32_t)v;
        break;
    case O_BANDWIDTH:
        o->bandwidth = strtod(text, &end);
        if (end == text || *end || !(o->bandwidth >= 0.01) || !(o->bandwidth <= 1e6))
            return lt_fail(err, LT_EINPUT, "--bandwidth: got '%s', expected bytes per cycle from 0.01 to 1e6", text);
        break;
    case O_FAULT:
        return fault(text, o, err);
    case O_INPUT:
        o->input = text;
        break;
    case O_EXPECT:
        o->expect = text;
        break;
    case O_TRACE:
        o->trace = text;
        break;
    case O_JSON:
        o->json = text;
        break;
    case O_PROGRESS:
        o->progress = true;
        break;
    case O_POLL:
        o->poll = true;
        break;
    case O_SCATTER:
        o->scatter = true;
        break;
    case O_HELP:
        o->help = true;
        break;
    }
    return LT_OK;
}

lt_code tb_options_parse(int argc, char **argv, tb_options *o, lt_err *err)
{
    struct option longs[COUNT + 1] = {0};
    int id;

    *o = (tb_options){.seed = 1, .layer = -1, .timeout = DEFAULT_TIMEOUT, .watchdog = DEFAULT_WATCHDOG};
    for (int i = 0; i < COUNT; i++)
        longs[i] = (struct option){table[i].name, table[i].value ? required_argument : no_argument, NULL, table[i].id};
    opterr = 0;
    while ((id = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (id == '?') return lt_fail(err, LT_EINPUT, "%s: unknown option; see --help", argv[optind - 1]);
        if (id == ':') return lt_fail(err, LT_EINPUT, "%s: a value is missing; see --help", argv[optind - 1]);
        LT_TRY(set(id, optarg, o, err));
    }
    if (o->help) return LT_OK;
    if (optind != argc - 1)
        return lt_fail(err, LT_EINPUT, "got %d file names, expected one program image; see --help", argc - optind);
    o->image = argv[optind];
    return LT_OK;
}
