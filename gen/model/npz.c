#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "model/npy.h"

enum { MAX_ARRAYS = 4096 };
static const uint64_t MAX_UNPACKED = (uint64_t)1 << 29;

void lt_npz_free(lt_npz *z)
{
    for (int i = 0; i < z->n; i++) lt_npy_free(&z->a[i]);
    free(z->a);
    *z = (lt_npz){0};
}

const lt_npy *lt_npz_find(const lt_npz *z, const char *name)
{
    for (int i = 0; i < z->n; i++)
        if (strcmp(z->a[i].name, name) == 0) return &z->a[i];
    return NULL;
}

static lt_code read_entry(zip_t *zip, zip_uint64_t i, const char *who, uint64_t *room, lt_npy *a, lt_err *err)
{
    zip_stat_t st;
    char what[512];

    if (zip_stat_index(zip, i, 0, &st) != 0 || !(st.valid & ZIP_STAT_SIZE) || !(st.valid & ZIP_STAT_NAME))
        return lt_fail(err, LT_EINPUT, "%s: entry %llu cannot be read", who, (unsigned long long)i);
    size_t n = strlen(st.name);
    if (n > 4 && strcmp(st.name + n - 4, ".npy") == 0) n -= 4;
    if (n >= sizeof a->name)
        return lt_fail(err, LT_EINPUT, "%s: an entry's name is longer than %zu", who, sizeof a->name);
    memcpy(a->name, st.name, n);
    a->name[n] = '\0';
    snprintf(what, sizeof what, "%s: array '%s'", who, a->name);
    if (st.size > *room) return lt_fail(err, LT_EINPUT, "%s: the archive unpacks to more than 512 MB", what);
    *room -= st.size;
    zip_file_t *f = zip_fopen_index(zip, i, 0);
    char *data = f ? malloc(st.size + 1) : NULL;
    lt_code rc = LT_OK;
    if (!f)
        rc = lt_fail(err, LT_EINPUT, "%s: %s", what, zip_strerror(zip));
    else if (!data)
        rc = lt_fail(err, LT_EMEM, "%s: out of memory", what);
    else if (zip_fread(f, data, st.size + 1) != (zip_int64_t)st.size) /* one more, so that the checksum is tested */
        rc = lt_fail(err, LT_EINPUT, "%s: damaged or truncated", what);
    else
        rc = lt_npy_parse(data, st.size, what, a, err);
    free(data);
    if (f && zip_fclose(f) != 0 && rc == LT_OK) {
        lt_npy_free(a);
        rc = lt_fail(err, LT_EINPUT, "%s: damaged (checksum)", what);
    }
    return rc;
}

static lt_code read_all(zip_t *zip, const char *who, lt_npz *z, lt_err *err)
{
    zip_int64_t n = zip_get_num_entries(zip, 0);
    uint64_t room = MAX_UNPACKED;

    if (n < 1 || n > MAX_ARRAYS)
        return lt_fail(err, LT_EINPUT, "%s: %lld arrays, expected 1..%d", who, (long long)n, MAX_ARRAYS);
    z->a = calloc((size_t)n, sizeof *z->a);
    if (!z->a) return lt_fail(err, LT_EMEM, "%s: out of memory", who);
    while (z->n < n) {
        LT_TRY(read_entry(zip, (zip_uint64_t)z->n, who, &room, &z->a[z->n], err));
        z->n++;
    }
    return LT_OK;
}

lt_code lt_npz_parse(const void *data, size_t len, const char *who, lt_npz *z, lt_err *err)
{
    zip_error_t ze;
    lt_code rc;

    *z = (lt_npz){0};
    zip_error_init(&ze);
    zip_source_t *src = zip_source_buffer_create(data, len, 0, &ze);
    zip_t *zip = src ? zip_open_from_source(src, ZIP_RDONLY | ZIP_CHECKCONS, &ze) : NULL;
    if (!zip) {
        rc = lt_fail(err, LT_EINPUT, "%s: not an .npz archive, or damaged: %s", who, zip_error_strerror(&ze));
        if (src) zip_source_free(src);
        zip_error_fini(&ze);
        return rc;
    }
    rc = read_all(zip, who, z, err);
    zip_discard(zip);
    zip_error_fini(&ze);
    if (rc != LT_OK) lt_npz_free(z);
    return rc;
}
