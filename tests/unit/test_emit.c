/* Emission: template expansion, register and descriptor tables, module order, output folder, whole accelerators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "config/config_table.h"
#include "emit/emit.h"
#include "emit/emit_csr.h"
#include "emit/emit_regs.h"
#include "emit/expand.h"
#include "emit/outputs.h"
#include "emit/regs.h"
#include "emit/rtl_scan.h"
#include "emit/widths.h"

#ifndef LUTRA_SHARE
#define LUTRA_SHARE "."
#endif

static char dir[] = "/tmp/lutra_test_emit_XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

/* ---- templates ---- */

static lt_code expand(const char *text, char *out, size_t size, lt_err *err)
{
    static const lt_subst subst[] = {
        {"NAME", "ws16", true}, {"LINES", "a;\nb;\n", true}, {"EMPTY", "", true}, {"EVIL", "x @NAME@", true}};
    lt_buf b = {0};
    lt_code code = lt_expand("t.in", text, subst, 4, &b, err);
    snprintf(out, size, "%s", b.data ? b.data : "");
    lt_buf_free(&b);
    return code;
}

static void placeholders_are_replaced(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"module @NAME@_x;\n", "module ws16_x;\n"},
        {"@NAME@@NAME@", "ws16ws16\n"},
        {"always @(posedge clk) x <= y; always @* z = 1;\n", "always @(posedge clk) x <= y; always @* z = 1;\n"},
        {"  begin\n    @LINES@\n  end\n", "  begin\n    a;\n    b;\n  end\n"},
        {"x\n    @EMPTY@\ny\n", "x\ny\n"},
        {"x @EMPTY@ y\n", "x  y\n"},
        {"mail@host\n\n", "mail@host\n\n"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256];
        lt_err err = {0};
        assert_int_equal(expand(cases[i].in, out, sizeof out, &err), LT_OK);
        assert_string_equal(out, cases[i].out);
    }
}

static void bad_placeholders_are_refused(void **state)
{
    static const struct {
        const char *in, *msg;
    } cases[] = {
        {"a\nb @NOPE@\n", "t.in:2: unknown placeholder '@NOPE@'"},
        {"\n\n  @NAME\n", "t.in:3: unfinished placeholder '@NAME', expected @NAME@"},
        {"a\n@EVIL@\n", "t.in: output line 2: placeholder '@NAME@' is left over"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256];
        lt_err err = {0};
        assert_int_equal(expand(cases[i].in, out, sizeof out, &err), LT_EINPUT);
        assert_string_equal(err.msg, cases[i].msg);
    }
}

static void unused_values_are_refused(void **state)
{
    static const lt_subst subst[] = {{"USED", "1", false}, {"FORGOTTEN", "2", false}};
    lt_buf b = {0};
    lt_err err = {0};
    (void)state;
    assert_int_equal(lt_expand("t.in", "@USED@\n", subst, 2, &b, &err), LT_EINTERNAL);
    assert_string_equal(err.msg, "t.in: template does not use @FORGOTTEN@");
    lt_buf_free(&b);
}

/* ---- tables ---- */

static void descriptor_fields_are_sound(void **state)
{
    (void)state;
    for (int i = 0; i < LT_N_DESC_FIELDS; i++) {
        const lt_desc_field *f = &lt_desc_fields[i];
        assert_true(f->word >= 0 && f->word < LT_DESC_WORDS);
        assert_true(f->lsb >= 0 && f->bits >= 1 && f->lsb + f->bits <= 32);
        assert_int_equal(lt_desc_find(f->name), i); /* names are unique */
        for (int k = 0; k < i; k++) {
            const lt_desc_field *g = &lt_desc_fields[k];
            if (f->word != g->word || !(f->ops & g->ops)) continue;
            assert_int_equal(lt_field_mask(f->lsb, f->bits) & lt_field_mask(g->lsb, g->bits), 0);
        }
    }
    assert_int_equal(lt_desc_find("NOPE"), -1);
    assert_int_equal(lt_desc_opcode("CONV"), LT_OP_CONV);
    assert_int_equal(lt_desc_opcode("BANK"), -1); /* a name of another group */
}

static void descriptor_fields_hold_their_range(void **state)
{
    lt_rng rng = lt_rng_make(7, 1);
    (void)state;
    for (int i = 0; i < LT_N_DESC_FIELDS; i++) {
        const lt_desc_field *f = &lt_desc_fields[i];
        int64_t lo = f->is_signed ? -(INT64_C(1) << (f->bits - 1)) : 0, hi = lo + (INT64_C(1) << f->bits) - 1;
        const int64_t values[] = {lo, hi, 0, lo + (hi - lo) / 3};
        uint32_t before[LT_DESC_WORDS], d[LT_DESC_WORDS];
        for (int w = 0; w < LT_DESC_WORDS; w++) before[w] = lt_rng_u32(&rng);
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            memcpy(d, before, sizeof d);
            assert_true(lt_desc_put(d, (lt_dfield)i, values[v]));
            assert_int_equal(lt_desc_get(d, (lt_dfield)i), values[v]);
            /* nothing else moved */
            for (int w = 0; w < LT_DESC_WORDS; w++)
                assert_int_equal((d[w] ^ before[w]) & ~(w == f->word ? lt_field_mask(f->lsb, f->bits) : 0), 0);
        }
        memcpy(d, before, sizeof d);
        assert_false(lt_desc_put(d, (lt_dfield)i, hi + 1));
        assert_false(lt_desc_put(d, (lt_dfield)i, lo - 1));
        assert_memory_equal(d, before, sizeof d);
        assert_true(lt_desc_set(d, f->name, hi));
        assert_int_equal(lt_desc_get(d, (lt_dfield)i), hi);
    }
    uint32_t d[LT_DESC_WORDS] = {0};
    assert_false(lt_desc_set(d, "NOPE", 0));
}

/* The corners of the contract that others rely on, typed a second time on purpose. */
static void layout_is_the_documented_one(void **state)
{
    uint32_t d[LT_DESC_WORDS] = {0};
    (void)state;
    lt_desc_set(d, "OPCODE", LT_OP_CONV);
    lt_desc_set(d, "MARK", 1);
    lt_desc_set(d, "LAYER", 0xab);
    assert_int_equal(d[0], 0xab008003);
    lt_desc_set(d, "PAD_T", -1);
    lt_desc_set(d, "PAD_L", 2);
    lt_desc_set(d, "R", 3);
    lt_desc_set(d, "S", 5);
    assert_int_equal(d[5], 0x02ff0503);
    lt_desc_set(d, "SHIFT", 33);
    lt_desc_set(d, "LO", -128);
    lt_desc_set(d, "HI", 127);
    assert_int_equal(d[9], 33 | 0x380 << 6 | 0x7f << 16);
    lt_desc_set(d, "CHUNKS", 5);
    lt_desc_set(d, "CODE_IN_MAP", 1);
    lt_desc_set(d, "CODE_IN", 0x1234);
    assert_int_equal(d[13], 5 << 17 | 1 << 16 | 0x1234);
}

static void registers_are_sound(void **state)
{
    (void)state;
    for (int i = 0; i < lt_n_regs; i++) {
        const lt_reg *r = &lt_regs[i];
        uint32_t seen = 0;
        assert_int_equal(r->offset % 4, 0);
        assert_true(r->offset < 0x1000);
        if (i > 0) assert_true(r->offset > r[-1].offset);
        for (const lt_reg_field *f = r->fields; f->name; f++) {
            assert_int_equal(seen & lt_field_mask(f->lsb, f->bits), 0);
            assert_true(seen < lt_field_mask(f->lsb, f->bits)); /* upward, as the emitters expect */
            seen |= lt_field_mask(f->lsb, f->bits);
        }
    }
}

/* Word sizes worked out by hand from architecture.md. */
static void word_sizes_follow_the_configuration(void **state)
{
    lt_config c;
    (void)state;

    lt_config_defaults(CORE_WS, &c);
    static const int ws[5] = {128, 128, 128, 0, 0};
    for (int t = 0; t < 5; t++) assert_int_equal(lt_target_bits(&c, t), ws[t]);

    /* 2 codebooks of 16 outputs of 4 bits; slices of encoder words; words of 2 codes of 4 bits in 3 row banks */
    lt_config_defaults(CORE_PQ, &c);
    static const int tree[5] = {128, 2 * 16 * 4, 1024, 128, 3 * 8};
    for (int t = 0; t < 5; t++) assert_int_equal(lt_target_bits(&c, t), tree[t]);

    /* 3 codes of 5 bits fill two bytes */
    c.lanes = 24;
    c.pq_prototypes = 32;
    c.pq_codebooks = 3;
    assert_int_equal(lt_target_bits(&c, 4), 3 * 16);

    /* one codebook per lane; a code word holds the values */
    lt_config_defaults(CORE_PQ, &c);
    c.pq_mode = QPQ_SPATIAL;
    c.pq_length = 9;
    c.pq_codebooks = 16;
    static const int spatial[5] = {128, 16 * 16 * 4, 1024, 128, 3 * 128};
    for (int t = 0; t < 5; t++) assert_int_equal(lt_target_bits(&c, t), spatial[t]);
}

/* ---- files that are checked in ---- */

static void is_up_to_date(const char *name, void (*make)(lt_buf *b))
{
    char path[512], *text;
    size_t len;
    lt_err err = {0};
    lt_buf b = {0};

    snprintf(path, sizeof path, "%s/%s", LUTRA_SHARE, name);
    if (lt_read_file(path, 1 << 20, &text, &len, &err) != LT_OK) fail_msg("%s", err.msg);
    make(&b);
    assert_true(lt_buf_ok(&b));
    if (b.len != len || memcmp(b.data, text, len) != 0) fail_msg("%s differs from what lutra gen prints", name);
    lt_buf_free(&b);
    free(text);
}

static void checked_in_files_are_up_to_date(void **state)
{
    (void)state;
    is_up_to_date("docs/configuration.md", lt_config_print_doc);
    is_up_to_date("docs/registers.md", lt_emit_reg_doc);
    is_up_to_date("rtl_templates/lutra_desc.vh", lt_emit_desc_vh);
}

/* ---- C header ---- */

/* Compiles lutra_hw_check.c against a header in `sub`; the compiler's exit code. */
static int compile_check(const char *sub, const char *header)
{
    char path[512], command[1200];
    lt_err err = {0};
    lt_buf check = {0};

    snprintf(path, sizeof path, "%s/%s/lutra_hw_check.c", dir, sub);
    *strrchr(path, '/') = '\0';
    assert_int_equal(lt_make_dirs(path, &err), LT_OK);
    snprintf(path, sizeof path, "%s/%s/lutra_hw.h", dir, sub);
    assert_int_equal(lt_write_file(path, header, strlen(header), &err), LT_OK);
    snprintf(path, sizeof path, "%s/%s/lutra_hw_check.c", dir, sub);
    lt_emit_hw_check(&check);
    assert_int_equal(lt_write_file(path, check.data, check.len, &err), LT_OK);
    lt_buf_free(&check);
    snprintf(command, sizeof command, "cc -std=c11 -Wall -Wextra -Werror -pedantic -fsyntax-only %s 2>/dev/null", path);
    return system(command);
}

static void header_check_accepts_the_header_and_nothing_else(void **state)
{
    static const struct {
        const char *from, *to;
    } damage[] = {
        {"LUTRA_REG_STATUS       0x010u", "LUTRA_REG_STATUS       0x014u"},
        {"LUTRA_STATUS_ERROR_CODE_SHIFT 8", "LUTRA_STATUS_ERROR_CODE_SHIFT 9"},
        {"LUTRA_STATUS_DONE_MASK 0x00000002u", "LUTRA_STATUS_DONE_MASK 0x00000001u"},
        {"LUTRA_D_IN_PLANE_MASK 0xffff0000u", "LUTRA_D_IN_PLANE_MASK 0xffff8000u"},
        {"LUTRA_D_CODE_OG0_WORD 15", "LUTRA_D_CODE_OG0_WORD 16"},
    };
    lt_buf h = {0};
    (void)state;

    lt_emit_hw_h(&h);
    assert_int_equal(compile_check("good", h.data), 0);
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        char *copy = strdup(h.data), *at = strstr(copy, damage[i].from);
        assert_non_null(at);
        assert_int_equal(strlen(damage[i].from), strlen(damage[i].to));
        memcpy(at, damage[i].to, strlen(damage[i].to));
        assert_int_not_equal(compile_check("bad", copy), 0);
        free(copy);
    }
    lt_buf_free(&h);
}

/* ---- module order ---- */

static void put(lt_rtl_set *s, const char *file, const char *text)
{
    lt_err err;
    assert_int_equal(lt_rtl_put(s, file, text, "rtl", &err), LT_OK);
}

static void modules_come_after_what_they_use(void **state)
{
    lt_rtl_set s = {0};
    int order[8], n;
    lt_err err = {0};
    (void)state;

    put(&s, "lutra_unused.v", "module lutra_unused; endmodule");
    put(&s, "lutra_top.v", "`include \"lutra_desc.vh\"\nmodule lutra_top; lutra_b u_b(); lutra_a u_a(); endmodule");
    put(&s, "lutra_a.v", "// like lutra_unused\nmodule lutra_a; lutra_c #(.X(1)) u_c(); /* lutra_top */ endmodule");
    put(&s, "lutra_b.v", "module lutra_b; initial $display(\"lutra_unused\"); lutra_c u(); endmodule");
    put(&s, "lutra_c.v", "lutra_d u_d(); wire x = `lutra_nothing;");
    put(&s, "lutra_d.v", "module lutra_d; endmodule");
    put(&s, "lutra_desc.vh", "`define X 1\n");
    assert_int_equal(lt_rtl_order(&s, "lutra_top", order, &n, &err), LT_OK);
    static const char *const want[] = {"lutra_desc.vh", "lutra_d.v", "lutra_c.v",
                                       "lutra_b.v",     "lutra_a.v", "lutra_top.v"};
    assert_int_equal(n, 6);
    for (int i = 0; i < n; i++) assert_string_equal(s.file[order[i]].file, want[i]);

    assert_int_equal(lt_rtl_order(&s, "lutra_nowhere", order, &n, &err), LT_EINPUT);
    assert_string_equal(err.msg, "module 'lutra_nowhere' is not there");
    put(&s, "lutra_d.v", "module lutra_d;\nlutra_zzz u();\nendmodule");
    assert_int_equal(lt_rtl_order(&s, "lutra_top", order, &n, &err), LT_EINPUT);
    assert_string_equal(err.msg, "lutra_d.v:2: module 'lutra_zzz' is not there");
    put(&s, "lutra_d.v", "module lutra_d;\n\nlutra_c u();\nendmodule");
    assert_int_equal(lt_rtl_order(&s, "lutra_top", order, &n, &err), LT_EINPUT);
    assert_string_equal(err.msg, "lutra_d.v:3: 'lutra_c' is instantiated in a circle");
    put(&s, "lutra_d.v", "`include \"other.vh\"\n");
    assert_int_equal(lt_rtl_order(&s, "lutra_top", order, &n, &err), LT_EINPUT);
    assert_string_equal(err.msg, "lutra_d.v:1: include file 'other.vh' is not there");
    lt_rtl_free(&s);
}

/* ---- output folder ---- */

static void stale_files_go_and_unchanged_files_stay(void **state)
{
    char out[64], path[128];
    lt_err err = {0};
    struct stat before, after;
    (void)state;

    snprintf(out, sizeof out, "%s/out", dir);
    for (int run = 0; run < 3; run++) {
        lt_outputs o = {0};
        lt_buf_puts(lt_outputs_add(&o, "keep/a.txt"), "same\n");
        if (run == 0) lt_buf_puts(lt_outputs_add(&o, "gone/below/old.txt"), "x\n");
        if (run == 2)
            lt_buf_puts(lt_outputs_add(&o, "m.json"), "{\"files\": [\"../../escape\", \"keep/a.txt\"]}");
        else
            lt_buf_puts(lt_outputs_add(&o, "m.json"), "{\"files\": [\"gone/below/old.txt\", \"keep/a.txt\"]}");
        assert_int_equal(lt_outputs_write(&o, out, "m.json", &err), LT_OK);
        lt_outputs_free(&o);
        snprintf(path, sizeof path, "%s/gone", out); /* empty folders go, too */
        assert_int_equal(access(path, F_OK), run == 0 ? 0 : -1);
        snprintf(path, sizeof path, "%s/keep/a.txt", out);
        assert_int_equal(stat(path, run == 0 ? &before : &after), 0);
        if (run > 0) assert_int_equal(before.st_ino, after.st_ino);
    }
}

static void too_many_outputs_are_refused(void **state)
{
    lt_outputs *o = calloc(1, sizeof *o);
    lt_err err = {0};
    (void)state;
    for (int i = 0; i < LT_MAX_OUTPUTS; i++) assert_non_null(lt_outputs_add(o, "f%d", i));
    assert_null(lt_outputs_add(o, "one_more"));
    assert_int_equal(lt_outputs_write(o, dir, "m.json", &err), LT_EINTERNAL);
    lt_outputs_free(o);
    free(o);
}

/* ---- whole accelerators ---- */

static char *read_all(const char *folder, const char *file)
{
    char path[512], *text;
    size_t len;
    lt_err err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (lt_read_file(path, 1 << 24, &text, &len, &err) != LT_OK) fail_msg("%s", err.msg);
    return text;
}

static void emit_one(const char *name, const char *folder)
{
    char path[512];
    lt_config cfg;
    lt_err err = {0};
    lt_emit_options o = {.share = LUTRA_SHARE, .out = folder, .period_ns = 10};

    snprintf(path, sizeof path, "%s/configs/%s.yaml", LUTRA_SHARE, name);
    if (lt_config_load(path, &cfg, &err) != LT_OK) fail_msg("%s", err.msg);
    if (lt_emit(&cfg, &o, &err) != LT_OK) fail_msg("%s: %s", name, err.msg);
}

static void shipped_configurations_are_emitted_the_same_twice(void **state)
{
    static const char *const names[] = {"ws16",    "ws8",      "ews16",   "pq16",        "pq8",
                                        "tiny_ws", "tiny_ews", "tiny_pq", "tiny_spatial"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char a[128], b[128], command[512], file[64];
        struct timespec t0, t1;
        snprintf(a, sizeof a, "%s/a/%s", dir, names[i]);
        snprintf(b, sizeof b, "%s/b/%s", dir, names[i]);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
        emit_one(names[i], a);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
        /* processor time: other programs do not count */
        assert_true((double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec) < 1);
        emit_one(names[i], b);
        snprintf(command, sizeof command, "diff -r %s %s", a, b);
        assert_int_equal(system(command), 0);

        /* nothing of this machine in it */
        snprintf(command, sizeof command, "! grep -rqF -e %s -e \"$(hostname)\" -e /home/ %s",
                 strcmp(LUTRA_SHARE, ".") == 0 ? dir : LUTRA_SHARE, a);
        assert_int_equal(system(command), 0);

        /* the manifest lists every file and knows the configuration */
        snprintf(file, sizeof file, "%s.json", names[i]);
        char *text = read_all(a, file);
        json_error_t je;
        json_t *m = json_loads(text, 0, &je);
        assert_non_null(m);
        assert_string_equal(json_string_value(json_object_get(m, "name")), names[i]);
        json_t *files = json_object_get(m, "files"), *f;
        size_t k;
        json_array_foreach(files, k, f)
        {
            snprintf(command, sizeof command, "%s/%s", a, json_string_value(f));
            assert_int_equal(access(command, R_OK), 0);
        }
        snprintf(command, sizeof command, "test $(find %s -type f | wc -l) = %zu", a, json_array_size(files));
        assert_int_equal(system(command), 0);
        assert_true(json_object_size(json_object_get(m, "config")) > 10);

        /* one fingerprint everywhere */
        const char *print = json_string_value(json_object_get(m, "fingerprint"));
        char *header = read_all(a, "include/lutra_config.h"), *top = read_all(a, "rtl/lutra_top.v"), verilog[16];
        assert_non_null(strstr(header, print));
        snprintf(verilog, sizeof verilog, "32'h%s", print + 2);
        assert_non_null(strstr(top, verilog));
        free(header);
        free(top);
        free(text);
        json_decref(m);
    }
}

static void a_missing_template_leaves_nothing_behind(void **state)
{
    char out[64];
    lt_config cfg;
    lt_err err = {0};
    (void)state;

    snprintf(out, sizeof out, "%s/none", dir);
    lt_emit_options o = {.share = dir, .out = out, .period_ns = 10};
    lt_config_defaults(CORE_WS, &cfg);
    strcpy(cfg.name, "x");
    assert_int_equal(lt_emit(&cfg, &o, &err), LT_EIO);
    assert_int_equal(access(out, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placeholders_are_replaced),
        cmocka_unit_test(bad_placeholders_are_refused),
        cmocka_unit_test(unused_values_are_refused),
        cmocka_unit_test(descriptor_fields_are_sound),
        cmocka_unit_test(descriptor_fields_hold_their_range),
        cmocka_unit_test(layout_is_the_documented_one),
        cmocka_unit_test(registers_are_sound),
        cmocka_unit_test(word_sizes_follow_the_configuration),
        cmocka_unit_test(checked_in_files_are_up_to_date),
        cmocka_unit_test(header_check_accepts_the_header_and_nothing_else),
        cmocka_unit_test(modules_come_after_what_they_use),
        cmocka_unit_test(stale_files_go_and_unchanged_files_stay),
        cmocka_unit_test(too_many_outputs_are_refused),
        cmocka_unit_test(shipped_configurations_are_emitted_the_same_twice),
        cmocka_unit_test(a_missing_template_leaves_nothing_behind),
    };
    return cmocka_run_group_tests_name("emit", tests, make_dir, remove_dir);
}
