/* CIFAR-10 binary files: plain, gzipped, damaged, in the folders people have them in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "model/dataset.h"

enum { RECORD = 3073 };
static char root[] = P_tmpdir "/lutra_cifarXXXXXX";

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[256];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* n records; record i has label i % 10 and every pixel i. */
static void write_records(const char *name, int n, bool gzip)
{
    char path[512];
    uint8_t rec[RECORD];
    snprintf(path, sizeof path, "%s/%s", root, name);
    gzFile z = gzopen(path, gzip ? "wb" : "wbT");
    assert_non_null(z);
    for (int i = 0; i < n; i++) {
        memset(rec, i, sizeof rec);
        rec[0] = (uint8_t)(i % 10);
        assert_int_equal(gzwrite(z, rec, sizeof rec), RECORD);
    }
    assert_int_equal(gzclose(z), Z_OK);
}

static void path_of(char *path, size_t cap, const char *name)
{
    snprintf(path, cap, "%s/%s", root, name);
}

static void plain_and_gzip(void **state)
{
    (void)state;
    for (int gzip = 0; gzip < 2; gzip++) {
        char path[512];
        lt_dataset d = {0};
        lt_err err;
        write_records("a.bin", 23, gzip);
        path_of(path, sizeof path, "a.bin");
        if (lt_cifar10_append(&d, path, 1000, &err) != LT_OK) fail_msg("%s", err.msg);
        assert_int_equal(d.n, 23);
        assert_int_equal(d.classes, 10);
        assert_int_equal(lt_image_size(&d), 3072);
        assert_int_equal(lt_cifar10_append(&d, path, 5, &err), LT_OK); /* appends, at most 5 */
        assert_int_equal(d.n, 28);
        for (int i = 0; i < d.n; i++) {
            int k = i < 23 ? i : i - 23;
            assert_int_equal(d.labels[i], k % 10);
            assert_int_equal(lt_dataset_image(&d, (size_t)i)[0], k);
            assert_int_equal(lt_dataset_image(&d, (size_t)i)[3071], k);
        }
        lt_dataset_free(&d);
    }
}

static void expect_failure(const char *name, lt_code code, const char *part)
{
    char path[512];
    lt_dataset d = {0};
    lt_err err = {0};
    path_of(path, sizeof path, name);
    assert_int_equal(lt_cifar10_append(&d, path, 1000, &err), code);
    if (!strstr(err.msg, part)) fail_msg("message '%s' does not contain '%s'", err.msg, part);
    assert_int_equal(d.n, 0);
    lt_dataset_free(&d);
}

static void damaged_files(void **state)
{
    (void)state;
    char path[512];
    write_records("cut.bin", 3, false);
    path_of(path, sizeof path, "cut.bin");
    assert_int_equal(truncate(path, 2 * RECORD + 100), 0);
    expect_failure("cut.bin", LT_EINPUT, "expected a positive multiple of the 3073-byte CIFAR-10 record: truncated");
    assert_int_equal(truncate(path, 0), 0);
    expect_failure("cut.bin", LT_EINPUT, "0 bytes");
    write_records("cut.gz", 3, true);
    path_of(path, sizeof path, "cut.gz");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 9), 0);
    expect_failure("cut.gz", LT_EINPUT, "cut.gz");
    write_records("label.bin", 12, false);
    path_of(path, sizeof path, "label.bin");
    FILE *f = fopen(path, "r+b");
    fseek(f, 7 * RECORD, SEEK_SET);
    fputc(10, f);
    fclose(f);
    expect_failure("label.bin", LT_EINPUT, "record 7: label 10, expected 0..9");
    expect_failure("none.bin", LT_EIO, "No such file");
}

static void splits_and_folders(void **state)
{
    (void)state;
    static const char *const folders[] = {"", "cifar10/", "cifar-10-batches-bin/"};
    char name[128], dir[512], *argv_dir = root;
    lt_err err;
    for (int k = 0; k < 3; k++) {
        lt_dataset d;
        path_of(dir, sizeof dir, folders[k]);
        if (k) assert_int_equal(mkdir(dir, 0777), 0);
        for (int i = 1; i <= 5; i++) {
            snprintf(name, sizeof name, "%sdata_batch_%d.bin%s", folders[k], i, k == 1 ? ".gz" : "");
            write_records(name, 10 * i, k == 1);
        }
        assert_int_equal(lt_cifar10_load(&d, argv_dir, LT_TRAIN, 0, &err), LT_OK);
        assert_int_equal(d.n, 150);
        lt_dataset_free(&d);
        assert_int_equal(lt_cifar10_load(&d, argv_dir, LT_TRAIN, 35, &err), LT_OK); /* 10 + 20 + 5 */
        assert_int_equal(d.n, 35);
        assert_int_equal(lt_dataset_image(&d, 34)[5], 4);
        assert_string_equal(d.name, "cifar10-train");
        lt_dataset_free(&d);
        assert_int_equal(lt_cifar10_load(&d, argv_dir, LT_TEST, 0, &err), LT_EIO);
        assert_non_null(strstr(err.msg, "test_batch.bin"));
        for (int i = 1; i <= 5; i++) {
            snprintf(name, sizeof name, "%s/%sdata_batch_%d.bin%s", root, folders[k], i, k == 1 ? ".gz" : "");
            unlink(name);
        }
    }
}

static void which_set_a_network_gets(void **state)
{
    (void)state;
    lt_graph g = {.name = "net"};
    lt_node n = lt_node_make(NODE_INPUT, "input", -1);
    lt_err err;
    lt_dataset d;
    n.shape = (lt_shape){3, 16, 24};
    assert_int_equal(lt_graph_add(&g, n, NULL, &err), LT_OK);
    /* another size than CIFAR's: procedural whatever the folder holds */
    assert_int_equal(lt_dataset_open(&d, &g, "no/such/folder", LT_TEST, 9, 1, &err), LT_OK);
    assert_int_equal(d.n, 9);
    assert_int_equal(d.h, 16);
    assert_int_equal(d.w, 24);
    lt_dataset_free(&d);
    g.nodes[0].shape = (lt_shape){3, 32, 32};
    assert_int_equal(lt_dataset_open(&d, &g, "no/such/folder", LT_TEST, 9, 1, &err), LT_EIO);
    assert_int_equal(lt_dataset_open(&d, &g, NULL, LT_TEST, 9, 1, &err), LT_OK);
    lt_dataset_free(&d);
    g.nodes[0].shape = (lt_shape){1, 32, 32};
    assert_int_equal(lt_dataset_open(&d, &g, NULL, LT_TEST, 9, 1, &err), LT_EINPUT);
    assert_non_null(strstr(err.msg, "net reads 1 channels"));
    lt_graph_free(&g);
}

static void preprocessing(void **state)
{
    (void)state;
    lt_preproc p = {.mean = {0.5f, 0}, .std = {0.25f, 1}};
    const uint8_t image[] = {0, 255, 51, 255};
    float out[4];
    lt_preprocess(&p, (lt_shape){2, 1, 2}, image, out);
    assert_true(out[0] == -2 && out[1] == 2 && out[2] == 0.2f && out[3] == 1);
}

static void real_test_set(void **state)
{
    (void)state;
    const char *dir = getenv("DATA");
    lt_dataset d;
    lt_err err;
    int count[10] = {0};
    if (!dir || !dir[0]) {
        print_message("DATA is not set: the real test set is not read\n");
        skip();
    }
    if (lt_cifar10_load(&d, dir, LT_TEST, 0, &err) != LT_OK) fail_msg("%s", err.msg);
    assert_int_equal(d.n, 10000);
    for (int i = 0; i < d.n; i++) count[d.labels[i]]++;
    for (int k = 0; k < 10; k++) assert_int_equal(count[k], 1000);
    lt_dataset_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_gzip),     cmocka_unit_test(damaged_files),
        cmocka_unit_test(splits_and_folders), cmocka_unit_test(which_set_a_network_gets),
        cmocka_unit_test(preprocessing),      cmocka_unit_test(real_test_set),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
