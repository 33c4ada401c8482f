/* Fuzzes the configuration reader. Build it with sanitizers:
 *
 *     fuzz_config [INPUTS [SEED]]    mutates the defaults of every core; default 20000 inputs, seed 1
 *     fuzz_config FILE               one input, to look at a finding
 *
 * Every input is either refused with a message that starts with file and line, or accepted, and then it passes the
 * check for configurations made in memory, too. LLVMFuzzerTestOneInput is also the entry for libFuzzer and AFL++. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/rng.h"
#include "config/config_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long long accepted, lines; /* lines: of messages seen */

static void complain(const char *what, const char *msg)
{
    fprintf(stderr, "fuzz_config: %s: %s\n", what, msg);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lt_config cfg;
    lt_err err = {0};
    lt_code code = lt_config_parse("f", (const char *)data, size, &cfg, &err);

    if (code == LT_OK) {
        if (lt_config_check(&cfg, "f", &err) != LT_OK) complain("accepted, but", err.msg);
        if (lt_config_fingerprint(&cfg) == 0) complain("accepted, but", "fingerprint 0");
        accepted++;
        return 0;
    }
    if (code != LT_EINPUT) complain("unexpected code", err.msg);
    for (const char *s = err.msg; *s; s++) {
        int line;
        if (strncmp(s, "... and ", 8) != 0 && (sscanf(s, "f:%d: ", &line) != 1 || line < 1)) complain("message", s);
        lines++;
        s += strcspn(s, "\n");
        if (*s == '\0') break;
    }
    return 0;
}

#ifndef LUTRA_LIBFUZZER

/* One to six changes: a byte, a line twice, a line gone, a piece of YAML, a piece of another line. */
static size_t mutate(lt_rng *r, char *text, size_t size, size_t room)
{
    static const char *const pieces[] = {"---\n",
                                         "&a ",
                                         "*a",
                                         "!!int ",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ": ",
                                         "- ",
                                         "\"",
                                         "'",
                                         "|\n",
                                         "\t",
                                         "#",
                                         "-1",
                                         "65536",
                                         "0x10",
                                         "99999999999",
                                         "1.5",
                                         "\xff",
                                         "lanes: 3\n",
                                         "pq_mode: spatial\n",
                                         "core: ews\n",
                                         "\r\n"};
    int changes = 1 + (int)lt_rng_below(r, 6);

    while (changes-- > 0 && size > 0) {
        size_t at = lt_rng_below(r, (uint32_t)size), n = strcspn(text + at, "\n");
        const char *piece = pieces[lt_rng_below(r, sizeof pieces / sizeof pieces[0])];
        switch (lt_rng_below(r, 5)) {
        case 0:
            text[at] = (char)lt_rng_below(r, 256);
            break;
        case 1:
            memmove(text + at, text + at + n, size - at - n);
            size -= n;
            break;
        case 2:
            size = at;
            break;
        default:
            n = strlen(piece);
            if (size + n >= room) break;
            memmove(text + at + n, text + at, size - at);
            memcpy(text + at, piece, n);
            size += n;
        }
        text[size] = '\0';
    }
    return size;
}

static void print_defaults(int core, lt_buf *b)
{
    lt_config cfg;

    lt_config_defaults(core, &cfg);
    for (int i = 0; i < lt_n_keys; i++) {
        if (!lt_key_applies(&lt_keys[i], core)) continue;
        lt_buf_printf(b, "%s: ", lt_keys[i].name);
        lt_key_print_value(b, &lt_keys[i], lt_key_get(&lt_keys[i], &cfg));
        lt_buf_puts(b, "\n");
    }
}

static int one_file(const char *path)
{
    char *data;
    size_t size;
    lt_err err;

    if (lt_read_file(path, 1 << 20, &data, &size, &err) != LT_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return lt_exit_code(err.code);
    }
    LLVMFuzzerTestOneInput((const uint8_t *)data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    enum { SLACK = 128 };
    long inputs = argc > 1 ? strtol(argv[1], NULL, 10) : 20000;
    unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    lt_rng r = lt_rng_make(seed, 0xF1);
    lt_buf samples[LT_N_CORES] = {{0}};

    if (argc > 1 && inputs <= 0) return one_file(argv[1]);
    for (int core = 0; core < LT_N_CORES; core++) {
        print_defaults(core, &samples[core]);
        LLVMFuzzerTestOneInput((const uint8_t *)samples[core].data, samples[core].len);
    }
    if (accepted != LT_N_CORES) complain("the defaults themselves are refused", "");
    for (long i = 0; i < inputs; i++) {
        const lt_buf *s = &samples[lt_rng_below(&r, LT_N_CORES)];
        char *text = calloc(1, s->len + SLACK + 1);
        if (!text) abort();
        memcpy(text, s->data, s->len);
        size_t size = mutate(&r, text, s->len, s->len + SLACK);
        /* a block of its own of exactly this size: a byte too far is seen */
        uint8_t *exact = malloc(size ? size : 1);
        if (!exact) abort();
        memcpy(exact, text, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        free(text);
    }
    for (int core = 0; core < LT_N_CORES; core++) lt_buf_free(&samples[core]);
    printf("fuzz_config: %ld inputs, %llu accepted, %llu messages, seed %lu\n", inputs, accepted - LT_N_CORES, lines,
           seed);
    printf("fuzz_config: 1 passed, 0 failed\n");
    return 0;
}
#endif
