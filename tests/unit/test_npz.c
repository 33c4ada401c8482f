/* NumPy arrays and archives: types, malformed headers, CIFAR ResNets by their PyTorch names, damaged archives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/rng.h"
#include "model/exec.h"
#include "model/model.h"
#include "model/npy.h"

/* A version 1 .npy file with this header text. */
static lt_buf npy(const char *header, const void *data, size_t len)
{
    lt_buf b = {0};
    size_t n = strlen(header) + 1, pad = (64 - (10 + n) % 64) % 64;
    lt_buf_add(&b, "\x93NUMPY\x01", 7);
    lt_buf_u8(&b, 0);
    lt_buf_le16(&b, (uint16_t)(n + pad));
    lt_buf_puts(&b, header);
    for (size_t i = 0; i < pad; i++) lt_buf_u8(&b, ' ');
    lt_buf_u8(&b, '\n');
    lt_buf_add(&b, data, len);
    return b;
}

static lt_code parse(const lt_buf *b, lt_npy *a, lt_err *err)
{
    uint8_t *exact = malloc(b->len + !b->len);
    memcpy(exact, b->data, b->len);
    lt_code rc = lt_npy_parse(exact, b->len, "test.npy", a, err);
    free(exact);
    return rc;
}

static void every_type_is_read(void **state)
{
    (void)state;
    static const float f4[] = {1.5f, -2};
    static const double f8[] = {1.5, -2};
    static const int32_t i4[] = {7, -8};
    static const int64_t i8[] = {7, -8};
    static const int8_t i1[] = {7, -8};
    const struct {
        const char *descr;
        const void *data;
        size_t len;
        float a, b;
    } cases[] = {{"<f4", f4, 8, 1.5f, -2}, {"<f8", f8, 16, 1.5f, -2}, {"<i4", i4, 8, 7, -8},
                 {"<i8", i8, 16, 7, -8},   {"|i1", i1, 2, 7, -8},     {"<i1", i1, 2, 7, -8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char header[128];
        lt_npy a;
        lt_err err;
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1, 2), }", cases[i].descr);
        lt_buf b = npy(header, cases[i].data, cases[i].len);
        if (parse(&b, &a, &err) != LT_OK) fail_msg("%s: %s", cases[i].descr, err.msg);
        assert_int_equal(a.rank, 2);
        assert_int_equal(a.dim[1], 2);
        assert_true(a.v[0] == cases[i].a && a.v[1] == cases[i].b);
        lt_npy_free(&a);
        for (size_t n = 0; n < b.len; n++) { /* every truncation is noticed */
            lt_buf cut = {.data = b.data, .len = n};
            assert_int_equal(parse(&cut, &a, &err), LT_EINPUT);
        }
        lt_buf_free(&b);
    }
}

static void headers_in_any_order_and_scalars(void **state)
{
    (void)state;
    const float v = 3;
    lt_npy a;
    lt_err err;
    lt_buf b = npy("{\"shape\": (), \"fortran_order\":True,'descr':\"<f4\"}", &v, 4);
    if (parse(&b, &a, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(a.rank, 0);
    assert_int_equal(a.count, 1);
    lt_npy_free(&a);
    lt_buf_free(&b);
}

static void malformed_arrays_are_refused(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 1), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (100000000, 100000000, 100000000), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{",
        "",
        "{}",
    };
    const float v = 1;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        lt_npy a;
        lt_err err = {0};
        lt_buf b = npy(headers[i], &v, 4);
        if (parse(&b, &a, &err) != LT_EINPUT) fail_msg("accepted: %s", headers[i]);
        assert_non_null(strstr(err.msg, "test.npy: "));
        lt_buf_free(&b);
    }
}

/* ---- archives ---- */

typedef struct {
    char name[64];
    lt_buf b;
} file;

typedef struct {
    file f[128];
    int n;
} archive;

static float *put(archive *a, const char *name, int rank, const int *dims, lt_rng *r, double scale, double offset)
{
    char header[160], shape[80] = "";
    size_t n = 1;
    for (int i = 0; i < rank; i++) {
        n *= (size_t)dims[i];
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%d,", dims[i]);
    }
    float *v = malloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++) v[i] = (float)(offset + scale * (offset > 0 ? lt_rng_unit(r) : lt_rng_normal(r)));
    snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", shape);
    file *f = &a->f[a->n++];
    snprintf(f->name, sizeof f->name, "%s.npy", name);
    f->b = npy(header, v, n * sizeof *v);
    return v;
}

static char *pack(archive *a, size_t *len)
{
    char path[] = P_tmpdir "/lutra_npzXXXXXX", *data;
    lt_err err;
    int fd = mkstemp(path), zerr;
    assert_true(fd >= 0);
    close(fd);
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &zerr);
    assert_non_null(z);
    for (int i = 0; i < a->n; i++) {
        zip_source_t *s = zip_source_buffer(z, a->f[i].b.data, a->f[i].b.len, 0);
        zip_int64_t k = zip_file_add(z, a->f[i].name, s, ZIP_FL_ENC_UTF_8);
        assert_true(k >= 0);
        zip_set_file_compression(z, (zip_uint64_t)k, i % 2 ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 1);
    }
    assert_int_equal(zip_close(z), 0);
    lt_code rc = lt_read_file(path, 1 << 26, &data, len, &err);
    unlink(path);
    if (rc != LT_OK) fail_msg("%s", err.msg);
    return data;
}

static void clear(archive *a)
{
    for (int i = 0; i < a->n; i++) lt_buf_free(&a->f[i].b);
    a->n = 0;
}

/* A ResNet8 (one block per stage) of few channels; BatchNorm as arrays, or folded into weights and biases. */
static void make_resnet(archive *a, archive *folded, uint64_t seed, bool option_b)
{
    lt_rng r = lt_rng_make(seed, 1);
    static const struct {
        const char *conv, *bn;
        int k, c, kernel;
    } layers[] = {{"conv1", "bn1", 4, 3, 3},
                  {"layer1.0.conv1", "layer1.0.bn1", 4, 4, 3},
                  {"layer1.0.conv2", "layer1.0.bn2", 4, 4, 3},
                  {"layer2.0.conv1", "layer2.0.bn1", 8, 4, 3},
                  {"layer2.0.conv2", "layer2.0.bn2", 8, 8, 3},
                  {"layer3.0.conv1", "layer3.0.bn1", 12, 8, 3},
                  {"layer3.0.conv2", "layer3.0.bn2", 12, 12, 3},
                  {"layer2.0.shortcut.0", "layer2.0.shortcut.1", 8, 4, 1},
                  {"layer3.0.shortcut.0", "layer3.0.shortcut.1", 12, 8, 1}};
    for (int i = 0; i < (option_b ? 9 : 7); i++) {
        char name[64];
        int k = layers[i].k, c = layers[i].c, s = layers[i].kernel;
        static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
        float *p[4], *w, *fw, *fb;
        snprintf(name, sizeof name, "%s.weight", layers[i].conv);
        w = put(a, name, 4, (int[]){k, c, s, s}, &r, 0.3, 0);
        lt_rng copy = lt_rng_make(1, 1);
        fw = put(folded, name, 4, (int[]){k, c, s, s}, &copy, 1, 0);
        for (int j = 0; j < 4; j++) {
            snprintf(name, sizeof name, "%s.%s", layers[i].bn, parts[j]);
            p[j] = put(a, name, 1, &k, &r, 0.5, j == 0 || j == 3 ? 0.5 : 0);
        }
        snprintf(name, sizeof name, "%s.bias", layers[i].conv);
        fb = put(folded, name, 1, &k, &copy, 1, 0);
        for (int o = 0; o < k; o++) {
            double g = (double)p[0][o] / sqrt((double)p[3][o] + 1e-5);
            for (int j = 0; j < c * s * s; j++) fw[o * c * s * s + j] = (float)((double)w[o * c * s * s + j] * g);
            fb[o] = (float)((double)p[1][o] - (double)p[2][o] * g);
        }
        /* the folded values replace the random ones in the files */
        lt_buf *bw = &folded->f[folded->n - 2].b, *bb = &folded->f[folded->n - 1].b;
        memcpy(bw->data + bw->len - (size_t)(k * c * s * s) * 4, fw, (size_t)(k * c * s * s) * 4);
        memcpy(bb->data + bb->len - (size_t)k * 4, fb, (size_t)k * 4);
        for (int j = 0; j < 4; j++) free(p[j]);
        free(w);
        free(fw);
        free(fb);
    }
    lt_rng l = lt_rng_make(seed, 2), l2 = l;
    free(put(a, "linear.weight", 2, (int[]){10, 12}, &l, 1, 0));
    free(put(a, "linear.bias", 1, (int[]){10}, &l, 1, 0));
    free(put(folded, "linear.weight", 2, (int[]){10, 12}, &l2, 1, 0));
    free(put(folded, "linear.bias", 1, (int[]){10}, &l2, 1, 0));
}

static void run(archive *a, const float *x, float y[10], int nodes)
{
    size_t len;
    char *data = pack(a, &len);
    lt_graph g;
    lt_err err;
    lt_exec e;
    if (lt_npz_import(data, len, "net.npz", &g, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_string_equal(g.name, "net");
    assert_int_equal(lt_graph_lower(&g, &err), LT_OK);
    assert_int_equal(g.n_nodes, nodes);
    assert_int_equal(lt_exec_init(&e, &g, &err), LT_OK);
    lt_exec_run(&e, x);
    memcpy(y, e.t[g.output], 10 * sizeof *y);
    lt_exec_free(&e);
    lt_graph_free(&g);
    free(data);
}

static void resnets_by_their_names(void **state)
{
    (void)state;
    static float x[3 * 32 * 32];
    lt_rng r = lt_rng_make(8, 8);
    for (int i = 0; i < 3 * 32 * 32; i++) x[i] = (float)lt_rng_normal(&r);
    for (int b = 0; b < 2; b++) {
        archive a = {.n = 0}, f = {.n = 0};
        float ya[10], yf[10];
        make_resnet(&a, &f, 3, b);
        run(&a, x, ya, b ? 12 : 10);
        run(&f, x, yf, b ? 12 : 10);
        for (int i = 0; i < 10; i++) assert_true(fabsf(ya[i] - yf[i]) < 1e-3f * (1 + fabsf(ya[i])));
        clear(&a);
        clear(&f);
    }
}

static void refused(archive *a, const char *part)
{
    size_t len;
    char *data = pack(a, &len);
    lt_graph g;
    lt_err err = {0};
    assert_int_equal(lt_npz_import(data, len, "net.npz", &g, &err), LT_EINPUT);
    if (!strstr(err.msg, part)) fail_msg("message '%s' does not contain '%s'", err.msg, part);
    free(data);
}

static void wrong_archives_are_refused(void **state)
{
    (void)state;
    archive a = {.n = 0}, f = {.n = 0};
    lt_rng r = lt_rng_make(1, 1);
    make_resnet(&a, &f, 3, false);
    free(put(&a, "extra.weight", 1, (int[]){3}, &r, 1, 0));
    refused(&a, "array 'extra.weight': belongs to no layer");
    lt_buf_free(&a.f[--a.n].b);
    snprintf(a.f[1].name, sizeof a.f[1].name, "bn1.other.npy");
    refused(&a, "some of .weight .bias .running_mean .running_var are missing");
    snprintf(a.f[1].name, sizeof a.f[1].name, "bn1.weight.npy");
    snprintf(a.f[5].name, sizeof a.f[5].name, "gone.npy");
    refused(&a, "no array 'layer1.0.conv1.weight'");
    snprintf(a.f[5].name, sizeof a.f[5].name, "layer1.0.conv1.weight.npy");
    float nan = NAN; /* a weight of the first convolution */
    memcpy(a.f[0].b.data + a.f[0].b.len - 4, &nan, 4);
    refused(&a, "conv1: weight 107 is nan");
    clear(&a);
    clear(&f);
    free(put(&a, "conv1.weight", 4, (int[]){0, 3, 3, 3}, &r, 1, 0));
    for (int s = 1; s <= 3; s++) {
        char name[32];
        snprintf(name, sizeof name, "layer%d.0.conv1.weight", s);
        free(put(&a, name, 4, (int[]){4, 4, 3, 3}, &r, 1, 0));
    }
    refused(&a, "array 'conv1.weight': expected [K][C][R][R]");
    clear(&a);

    lt_graph g;
    lt_err err;
    assert_int_equal(lt_npz_import("PK\003\004 and nothing else", 22, "cut.npz", &g, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "cut.npz: not an .npz archive, or damaged"));
}

static void damaged_archives_never_crash(void **state)
{
    (void)state;
    const char *env = getenv("SEED");
    lt_rng r = lt_rng_make(env ? strtoull(env, NULL, 10) : 1, 4);
    archive a = {.n = 0}, f = {.n = 0};
    size_t len;
    make_resnet(&a, &f, 3, false);
    char *good = pack(&f, &len);
    for (int i = 0; i < 1500; i++) {
        size_t n = i % 4 ? len : lt_rng_below(&r, (uint32_t)len);
        char *bad = malloc(n + !n);
        memcpy(bad, good, n);
        for (int k = lt_rng_range(&r, 1, 4); k > 0 && n; k--) {
            size_t at = lt_rng_below(&r, (uint32_t)n);
            if (lt_rng_below(&r, 2) && n > 1200) at = n - 1 - lt_rng_below(&r, 1200); /* the directory is at the end */
            bad[at] = (char)lt_rng_u32(&r);
        }
        lt_graph g;
        lt_err err = {0};
        lt_code rc = lt_npz_import(bad, n, "damaged", &g, &err);
        if (rc == LT_OK)
            lt_graph_free(&g);
        else
            assert_true(rc == LT_EINPUT || rc == LT_EMEM);
        free(bad);
    }
    free(good);
    clear(&a);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),           cmocka_unit_test(headers_in_any_order_and_scalars),
        cmocka_unit_test(malformed_arrays_are_refused), cmocka_unit_test(resnets_by_their_names),
        cmocka_unit_test(wrong_archives_are_refused),   cmocka_unit_test(damaged_archives_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
