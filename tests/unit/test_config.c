/* Configuration: shipped files, every kind of error message, rules between keys, fingerprint, suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "config/config_table.h"
#include "config/suggest.h"

#ifndef LUTRA_SHARE
#define LUTRA_SHARE "."
#endif

static char dir[] = "/tmp/lutra_test_config_XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "%s/cfg.yaml", dir);
    unlink(path);
    return rmdir(dir);
}

/* Loads `text` as cfg.yaml. Messages start with the path, which is cut off. */
static lt_code load(const char *text, size_t len, lt_config *cfg, char *msg, size_t msg_size)
{
    char path[64], *at;
    lt_err err = {0};

    snprintf(path, sizeof path, "%s/cfg.yaml", dir);
    assert_int_equal(lt_write_file(path, text, len, &err), LT_OK);
    lt_code code = lt_config_load(path, cfg, &err);
    snprintf(msg, msg_size, "%s", err.msg);
    while ((at = strstr(msg, path))) memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
    return code;
}

static void shipped_files_load(void **state)
{
    static const char *const names[] = {"ws16",    "ws8",      "ews16",   "pq16",        "pq8",
                                        "tiny_ws", "tiny_ews", "tiny_pq", "tiny_spatial"};
    enum { N = sizeof names / sizeof names[0] };
    uint32_t prints[N];
    (void)state;

    for (int i = 0; i < N; i++) {
        char path[512];
        lt_config cfg;
        lt_err err = {0};
        snprintf(path, sizeof path, "%s/configs/%s.yaml", LUTRA_SHARE, names[i]);
        if (lt_config_load(path, &cfg, &err) != LT_OK) fail_msg("%s", err.msg);
        assert_string_equal(cfg.name, names[i]);
        assert_int_equal(lt_config_check(&cfg, "again", &err), LT_OK);
        prints[i] = lt_config_fingerprint(&cfg);
        assert_int_not_equal(prints[i], 0);
        for (int k = 0; k < i; k++) assert_int_not_equal(prints[k], prints[i]);
    }
}

static void defaults_are_legal(void **state)
{
    (void)state;
    for (int core = 0; core < LT_N_CORES; core++) {
        lt_config cfg;
        lt_err err = {0};
        lt_config_defaults(core, &cfg);
        if (lt_config_check(&cfg, "defaults", &err) != LT_OK) fail_msg("%s", err.msg);
    }
}

static void values_reach_their_fields(void **state)
{
    static const char text[] = "# comment\ncore: ews\nlanes: 0x8\nbus_bits: 64\nwrf_depth: 32\npost_lanes: 4\n"
                               "wb_words: 100\nprf_depth: 3\n";
    lt_config cfg;
    char msg[1024];
    (void)state;

    assert_int_equal(load(text, strlen(text), &cfg, msg, sizeof msg), LT_OK);
    assert_int_equal(cfg.core, CORE_EWS);
    assert_int_equal(cfg.lanes, 8);
    assert_int_equal(cfg.bus_bits, 64);
    assert_int_equal(cfg.wrf_depth, 32);
    assert_int_equal(cfg.post_lanes, 4);
    assert_int_equal(cfg.wb_words, 100);
    assert_int_equal(cfg.prf_depth, 3);
    assert_int_equal(cfg.acc_bits, 24); /* default */
    assert_string_equal(cfg.name, "cfg");

    static const char pq[] = "core: pq\nlanes: 16\npq_mode: spatial\npq_length: 9\npq_codebooks: 16\npq_encoder: l2\n"
                             "pq_enc_cycles: 4\npq_dense: 0\n";
    assert_int_equal(load(pq, strlen(pq), &cfg, msg, sizeof msg), LT_OK);
    assert_int_equal(cfg.pq_mode, QPQ_SPATIAL);
    assert_int_equal(cfg.pq_encoder, QENC_L2);
    assert_int_equal(cfg.pq_dense, 0);
    assert_int_equal(cfg.wrf_depth, 0); /* not of this core */
}

/* Input and the complete message, without the file's path. */
static const struct {
    const char *text, *msg;
} bad[] = {
    {"", ":1: file: got nothing, expected lines of `key: value`"},
    {"- 1\n", ":1: file: got a list, expected lines of `key: value`"},
    {"\nhello\n", ":2: file: got a single value, expected lines of `key: value`"},
    {"core: ws\nlanes: 16\n---\ncore: ws\n", ":4: file: got a second document, expected one"},
    {"core: ws\nlanes: 16\n x: 1\n", ":3: syntax: got text that is not YAML (mapping values are not allowed in this "
                                     "context), expected lines of `key: value`"},
    {"core: ws\nlanes: \xff\n",
     ":2: syntax: got text that is not YAML (invalid leading UTF-8 octet), expected lines of `key: value`"},
    {"lanes: 16\n", ":1: core: got nothing, expected ws, ews or pq: this key is required"},
    {"core: ws\n", ":1: lanes: got nothing, expected 1..64: this key is required"},
    {"core: wss\nlanes: 16\n", ":1: core: got 'wss', expected ws, ews or pq; did you mean ws"},
    {"core: [ws]\nlanes: 16\n", ":1: core: got a list, expected ws, ews or pq"},
    {"core: ws\nlanes: 16\nbus_bit: 64\n",
     ":3: key: got 'bus_bit', expected a key of docs/configuration.md; did you mean bus_bits"},
    {"core: ws\nlanes: 16\nzebra: 64\n", ":3: key: got 'zebra', expected a key of docs/configuration.md"},
    {"core: ws\nlanes: 16\n[1, 2]: 64\n", ":3: key: got a list, expected a key of docs/configuration.md"},
    {"core: ws\nlanes: 16\nlanes: 16\n", ":3: lanes: got it twice, expected it once: it was given on line 2"},
    {"core: ws\nlanes: many\n", ":2: lanes: got 'many', expected an integer: 1..64"},
    {"core: ws\nlanes: 16.0\n", ":2: lanes: got '16.0', expected an integer: 1..64"},
    {"core: ws\nlanes: '16'\n", ":2: lanes: got text '16', expected an integer: 1..64"},
    {"core: ws\nlanes:\n", ":2: lanes: got nothing, expected an integer: 1..64"},
    {"core: ws\nlanes: {a: 1}\n", ":2: lanes: got a mapping, expected an integer: 1..64"},
    {"core: ws\nlanes: 99999999999999999999\n", ":2: lanes: got '99999999999999999999', expected an integer: 1..64"},
    {"core: ws\nlanes: 65\n", ":2: lanes: got 65, expected 1..64; nearest 64"},
    {"core: ws\nlanes: -3\n", ":2: lanes: got -3, expected 1..64; nearest 1"},
    {"core: ws\nlanes: 16\nbus_bits: 96\n", ":3: bus_bits: got 96, expected 32, 64, 128, 256 or 512; nearest 64 and 128"},
    {"core: ws\nlanes: 16\nfb_words: 500\n",
     ":3: fb_words: got 500, expected a power of two in 16..65536; nearest 256 and 512"},
    {"core: ws\nlanes: 16\nwrf_depth: 4\n", ":3: wrf_depth: got a key of core ews, expected only keys of core ws"},
    {"core: pq\nlanes: 16\nwb_words: 4\n", ":3: wb_words: got a key of core ws and ews, expected only keys of core pq"},
    {"core: pq\nlanes: 16\npq_dense: perhaps\n", ":3: pq_dense: got 'perhaps', expected an integer: 0..64"},
    /* rules between keys */
    {"core: ws\nlanes: 16\npost_lanes: 3\n",
     ":3: post_lanes: got 3, expected a divisor of lanes = 16; nearest 2 and 4"},
    {"core: ws\nlanes: 7\n", ":2: post_lanes: got 2 (the default), expected a divisor of lanes = 7; nearest 1 and 7"},
    {"core: ws\nlanes: 16\nfb_words: 65536\n", ":3: fb_words: got 65536, expected at most 65536 words over all "
                                               "fb_banks = 4 (addresses have 16 bits); nearest 16384"},
    {"core: ws\nlanes: 32\nwb_words: 20\n",
     ":3: wb_words: got 20, expected at least lanes = 32 (the words of one array of weights); nearest 32"},
    {"core: ews\nlanes: 16\nwrf_depth: 4\nprf_depth: 5\n",
     ":4: prf_depth: got 5, expected at most wrf_depth = 4 (every partial sum needs its own weight); nearest 4"},
    {"core: pq\nlanes: 16\npq_length: 6\n",
     ":3: pq_length: got 6, expected a divisor of lanes = 16 when pq_mode is channel; nearest 4 and 8"},
    {"core: pq\nlanes: 16\npq_mode: spatial\npq_codebooks: 16\n",
     ":3: pq_length: got 8 (the default), expected 9, the taps of a 3 x 3 window when pq_mode is spatial; nearest 9"},
    {"core: pq\nlanes: 16\npq_codebooks: 3\n",
     ":3: pq_codebooks: got 3, expected a divisor of lanes = 16 / pq_length = 8 when pq_mode is channel; nearest 2"},
    {"core: pq\nlanes: 16\npq_mode: spatial\npq_length: 9\npq_codebooks: 4\n",
     ":5: pq_codebooks: got 4, expected lanes = 16 when pq_mode is spatial; nearest 16"},
    {"core: pq\nlanes: 16\npq_enc_cycles: 2\n",
     ":3: pq_enc_cycles: got 2, expected 1 when pq_encoder is tree; nearest 1"},
    {"core: pq\nlanes: 16\npq_encoder: l1\npq_enc_cycles: 32\n",
     ":4: pq_enc_cycles: got 32, expected a divisor of pq_prototypes = 16 when pq_encoder is l1 or l2; nearest 16"},
    {"core: pq\nlanes: 16\npq_prototypes: 32\npq_lut_rows: 200\n",
     ":4: pq_lut_rows: got 200, expected at most 65536 load addresses (9 taps x 2 halves x the power of two that "
     "holds pq_lut_rows x pq_prototypes = 32 / (1 + pq_mirror = 0)) when pq_mode is channel; nearest 64"},
    {"core: pq\nlanes: 16\npq_codebooks: 1\npq_lut_bits: 5\n",
     ":3: pq_dense: got 1 (the default), expected 0, or pq_codebooks = 1 times pq_lut_bits = 5 of 8 or more (the bits "
     "of a "
     "dense weight) when pq_mode is channel; nearest 0"},
    {"core: pq\nlanes: 16\npq_dense: 5\n",
     ":3: pq_dense: got 5, expected 0, 1, 3 or 9 when pq_mode is channel; nearest 3 and 9"},
    {"core: pq\nlanes: 16\npq_mode: spatial\npq_length: 9\npq_codebooks: 16\npq_dense: 6\n",
     ":6: pq_dense: got 6, expected 0, or a power of two that divides lanes = 16 and is at most pq_codebooks = 16 "
     "times "
     "pq_lut_bits = 4 / 8 when pq_mode is spatial; nearest 4 and 8"},
};

static void messages_say_what_where_and_what_instead(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        lt_config cfg;
        char msg[1024];
        assert_int_equal(load(bad[i].text, strlen(bad[i].text), &cfg, msg, sizeof msg), LT_EINPUT);
        assert_string_equal(msg, bad[i].msg);
    }
}

static void all_errors_come_at_once(void **state)
{
    static const char text[] = "core: pq\nlanes: 16\nlane: 4\nbus_bits: 100\nbus_bits: 64\npost_lanes: 3\nwb_words: 9\n"
                               "pq_encoder: tre\npq_enc_cycles: 4\npq_length: x\npq_codebooks: 3\n";
    lt_config cfg;
    char msg[1024];
    (void)state;

    assert_int_equal(load(text, strlen(text), &cfg, msg, sizeof msg), LT_EINPUT);
    /* the rules of pq_enc_cycles and pq_codebooks depend on wrong keys, so nothing is said about them */
    assert_string_equal(msg, ":3: key: got 'lane', expected a key of docs/configuration.md; did you mean lanes\n"
                             ":5: bus_bits: got it twice, expected it once: it was given on line 4\n"
                             ":7: wb_words: got a key of core ws and ews, expected only keys of core pq\n"
                             ":8: pq_encoder: got 'tre', expected l1, l2 or tree; did you mean tree\n"
                             ":10: pq_length: got 'x', expected an integer: 2..64\n"
                             ":4: bus_bits: got 100, expected 32, 64, 128, 256 or 512; nearest 64 and 128\n"
                             ":6: post_lanes: got 3, expected a divisor of lanes = 16; nearest 2 and 4");
}

static void very_many_errors_are_counted(void **state)
{
    lt_buf text = {0};
    lt_config cfg;
    char msg[1024];
    (void)state;

    lt_buf_puts(&text, "core: ws\nlanes: 16\n");
    for (int i = 0; i < 500; i++) lt_buf_printf(&text, "nonsense%d: 1\n", i);
    assert_int_equal(load(text.data, text.len, &cfg, msg, sizeof msg), LT_EINPUT);
    lt_buf_free(&text);
    const char *last = strrchr(msg, '\n');
    int left = -1, shown = 0;
    assert_non_null(last);
    assert_int_equal(sscanf(last, "\n... and %d more errors", &left), 1);
    for (const char *s = msg; (s = strchr(s, '\n')); s++) shown++;
    assert_int_equal(shown + left, 500);
}

static void files_that_cannot_be_read(void **state)
{
    lt_config cfg;
    lt_err err;
    (void)state;

    assert_int_equal(lt_config_load("/nonexistent/x.yaml", &cfg, &err), LT_EIO);
    assert_string_equal(err.msg, "/nonexistent/x.yaml: No such file or directory");
    assert_int_equal(lt_config_load("/", &cfg, &err), LT_EIO);
    assert_string_equal(err.msg, "/: is a directory");
}

static void names_are_plain(void **state)
{
    static const char *const names[] = {"a b.yaml", "1x.yaml", ".yaml", "a-b.yaml",
                                        "abcdefghijklmnopqrstuvwxyz012345.yaml"};
    static const char text[] = "core: ws\nlanes: 16\n";
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        lt_config cfg;
        lt_err err = {0};
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        assert_int_equal(lt_write_file(path, text, strlen(text), &err), LT_OK);
        assert_int_equal(lt_config_load(path, &cfg, &err), LT_EINPUT);
        assert_non_null(strstr(err.msg, "file name: got '"));
        unlink(path);
    }
}

/* Every key over and beyond its range: either legal, or a message that names the key and the value. */
static void ranges_hold_without_a_file(void **state)
{
    (void)state;
    for (int core = 0; core < LT_N_CORES; core++) {
        for (int i = 0; i < lt_n_keys; i++) {
            const lt_key *k = &lt_keys[i];
            int span = k->max > 300 ? 300 : k->max;
            for (int v = k->min - 2; v <= span + 2; v++) {
                lt_config cfg;
                lt_err err = {0};
                char start[64];
                lt_config_defaults(core, &cfg);
                lt_key_set(k, &cfg, v);
                lt_code code = lt_config_check(&cfg, "here", &err);
                if (i > 0 && lt_key_applies(k, core) && !lt_key_legal(k, v)) {
                    assert_int_equal(code, LT_EINPUT);
                    snprintf(start, sizeof start, "here: %s: got %d, expected ", k->name, v);
                    assert_non_null(strstr(err.msg, start));
                } else if (i > 0 && !lt_key_applies(k, core)) {
                    assert_int_equal(code, v == k->def[core] ? LT_OK : LT_EINPUT);
                }
                assert_true(code == LT_OK || code == LT_EINPUT);
            }
        }
    }
}

/* "; nearest a and b" must be values that really work. */
static void advice_is_good(void **state)
{
    (void)state;
    int tried = 0;
    for (int core = 0; core < LT_N_CORES; core++) {
        for (int i = 1; i < lt_n_keys; i++) {
            const lt_key *k = &lt_keys[i];
            if (!lt_key_applies(k, core)) continue;
            for (int v = k->min; v <= k->max && v < 300; v++) {
                lt_config cfg;
                lt_err err = {0};
                int a = INT_MIN, b = INT_MIN;
                char key[32];
                lt_config_defaults(core, &cfg);
                lt_key_set(k, &cfg, v);
                if (lt_config_check(&cfg, "here", &err) == LT_OK) continue;
                const char *near = strstr(err.msg, "; nearest ");
                if (!near || strchr(err.msg, '\n') || sscanf(err.msg, "here: %31[a-z_0-9]:", key) != 1) continue;
                const lt_key *fix = &lt_keys[lt_key_find(key)];
                int n = sscanf(near, "; nearest %d and %d", &a, &b);
                for (int t = 0; t < n; t++) {
                    lt_key_set(fix, &cfg, t ? b : a);
                    lt_err again = {0};
                    /* the key itself must be fine now; others may follow from it */
                    if (lt_config_check(&cfg, "here", &again) != LT_OK) {
                        char start[64];
                        snprintf(start, sizeof start, "here: %s: got", key);
                        if (strstr(again.msg, start)) fail_msg("%s\n%s", err.msg, again.msg);
                    }
                    tried++;
                }
            }
        }
    }
    assert_true(tried > 100);
}

static void fingerprint_depends_on_every_key_of_the_core(void **state)
{
    (void)state;
    for (int core = 0; core < LT_N_CORES; core++) {
        lt_config cfg;
        lt_config_defaults(core, &cfg);
        uint32_t base = lt_config_fingerprint(&cfg);
        for (int i = 1; i < lt_n_keys; i++) {
            lt_config other = cfg;
            lt_key_set(&lt_keys[i], &other, lt_key_get(&lt_keys[i], &cfg) + 1);
            if (lt_key_applies(&lt_keys[i], core))
                assert_int_not_equal(lt_config_fingerprint(&other), base);
            else
                assert_int_equal(lt_config_fingerprint(&other), base);
        }
        strcpy(cfg.name, "other");
        assert_int_equal(lt_config_fingerprint(&cfg), base);
    }
}

static void fingerprint_is_fnv1a_of_the_pairs(void **state)
{
    static const char pairs[] =
        "core=0\nlanes=16\nbus_bits=128\nacc_bits=24\nmult_bits=16\npost_lanes=2\nparam_groups=4\nfb_banks=4\n"
        "fb_words=512\nwb_words=576\npsum_words=16\ndot_stages=1\n";
    lt_config cfg;
    uint64_t h = 0x811c9dc5;
    (void)state;

    for (const char *s = pairs; *s; s++) h = ((h ^ (unsigned char)*s) * 0x01000193) & 0xffffffff;
    lt_config_defaults(CORE_WS, &cfg);
    cfg.param_groups = 4;
    assert_int_equal(lt_config_fingerprint(&cfg), h);
}

static void edit_distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(lt_edit_distance("", ""), 0);
    assert_int_equal(lt_edit_distance("abc", ""), 3);
    assert_int_equal(lt_edit_distance("lanes", "lanes"), 0);
    assert_int_equal(lt_edit_distance("lane", "lanes"), 1);
    assert_int_equal(lt_edit_distance("alnes", "lanes"), 1);
    assert_int_equal(lt_edit_distance("LANES", "lanes"), 0);
    assert_int_equal(lt_edit_distance("kitten", "sitting"), 3);
}

static void suggestions_are_near(void **state)
{
    static const char *const words[] = {"gen", "prep", "eval", "report"};
    char longest[200];
    (void)state;

    assert_string_equal(lt_suggest("gne", words, 4, sizeof *words), "gen");
    assert_string_equal(lt_suggest("reprot", words, 4, sizeof *words), "report");
    assert_null(lt_suggest("xyz", words, 4, sizeof *words));
    assert_null(lt_suggest("", words, 4, sizeof *words));
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(lt_suggest(longest, words, 4, sizeof *words));
}

/* Damaged files: never a crash, always a code and a message. */
static void damaged_files_are_survived(void **state)
{
    char path[512], *text;
    size_t len;
    lt_err err;
    lt_rng rng = lt_rng_make(1, 2);
    (void)state;

    snprintf(path, sizeof path, "%s/configs/pq16.yaml", LUTRA_SHARE);
    assert_int_equal(lt_read_file(path, 1 << 16, &text, &len, &err), LT_OK);
    for (int round = 0; round < 400; round++) {
        char *copy = malloc(len + 1), msg[1024];
        lt_config cfg;
        size_t n = len;
        memcpy(copy, text, len);
        int edits = 1 + (int)lt_rng_below(&rng, 4);
        for (int i = 0; i < edits; i++) {
            char c = (char)lt_rng_below(&rng, 256);
            if (lt_rng_below(&rng, 3)) c = "{}[]:-#&*!|>'\"%@`\n\t ,"[lt_rng_below(&rng, 22)];
            copy[lt_rng_below(&rng, (uint32_t)len)] = c;
        }
        if (lt_rng_below(&rng, 4) == 0) n = lt_rng_below(&rng, (uint32_t)len);
        lt_code code = load(copy, n, &cfg, msg, sizeof msg);
        if (code != LT_OK) {
            assert_int_equal(code, LT_EINPUT);
            assert_int_equal(msg[0], ':');
        }
        free(copy);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_files_load),
        cmocka_unit_test(defaults_are_legal),
        cmocka_unit_test(values_reach_their_fields),
        cmocka_unit_test(messages_say_what_where_and_what_instead),
        cmocka_unit_test(all_errors_come_at_once),
        cmocka_unit_test(very_many_errors_are_counted),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(names_are_plain),
        cmocka_unit_test(ranges_hold_without_a_file),
        cmocka_unit_test(advice_is_good),
        cmocka_unit_test(fingerprint_depends_on_every_key_of_the_core),
        cmocka_unit_test(fingerprint_is_fnv1a_of_the_pairs),
        cmocka_unit_test(edit_distance_counts_edits),
        cmocka_unit_test(suggestions_are_near),
        cmocka_unit_test(damaged_files_are_survived),
    };
    return cmocka_run_group_tests_name("config", tests, make_dir, remove_dir);
}
