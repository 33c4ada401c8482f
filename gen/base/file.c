#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

lt_code lt_read_file(const char *path, size_t max, char **data, size_t *len, lt_err *err)
{
    struct stat st;
    *data = NULL;
    *len = 0;
    if (stat(path, &st) != 0) return lt_fail(err, LT_EIO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) return lt_fail(err, LT_EIO, "%s: is a directory", path);

    gzFile f = gzopen(path, "rb");
    if (!f) return lt_fail(err, LT_EIO, "%s: %s", path, strerror(errno));
    size_t cap = 65536, n = 0;
    char *p = malloc(cap + 1);
    while (p) {
        int got = gzread(f, p + n, (unsigned)(cap - n));
        if (got < 0) {
            int zerr;
            const char *why = gzerror(f, &zerr);
            lt_fail(err, LT_EIO, "%s: %s", path, zerr == Z_ERRNO ? strerror(errno) : why);
            goto fail;
        }
        n += (size_t)got;
        if (n > max) {
            lt_fail(err, LT_EINPUT, "%s: larger than the limit of %zu bytes", path, max);
            goto fail;
        }
        if (n < cap) break;
        char *q = realloc(p, cap * 2 + 1);
        if (!q) free(p);
        p = q;
        cap *= 2;
    }
    if (!p) {
        gzclose(f);
        return lt_fail(err, LT_EMEM, "%s: out of memory", path);
    }
    /* gzread reports a truncated stream only at close */
    if (gzclose(f) != Z_OK) {
        free(p);
        return lt_fail(err, LT_EINPUT, "%s: truncated gzip stream", path);
    }
    p[n] = '\0';
    *data = p;
    *len = n;
    return LT_OK;
fail:
    free(p);
    gzclose(f);
    return err ? err->code : LT_EIO;
}

static int same_content(const char *path, const void *data, size_t len)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size != len) return 0;
    FILE *f = fopen(path, "rb");
    if (!f) return 0;
    char *old = malloc(len ? len : 1);
    int same = old && fread(old, 1, len, f) == len && memcmp(old, data, len) == 0;
    free(old);
    fclose(f);
    return same;
}

lt_code lt_write_file(const char *path, const void *data, size_t len, lt_err *err)
{
    char tmp[4096];
    struct stat st;

    if (same_content(path, data, len)) return LT_OK;
    /* a device such as /dev/stdout or /dev/full is written in place: there is nothing to replace */
    int in_place = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
    if (snprintf(tmp, sizeof tmp, in_place ? "%s" : "%s.tmp%ld", path, (long)getpid()) >= (int)sizeof tmp)
        return lt_fail(err, LT_EINPUT, "%s: path too long", path);
    FILE *f = fopen(tmp, "wb");
    if (!f) return lt_fail(err, LT_EIO, "%s: %s", path, strerror(errno));
    int bad = fwrite(data, 1, len, f) != len;
    int why = errno;
    if (fclose(f) != 0 && !bad) {
        bad = 1;
        why = errno;
    }
    if (!bad && !in_place && rename(tmp, path) != 0) {
        bad = 1;
        why = errno;
    }
    if (bad) {
        if (!in_place) unlink(tmp);
        return lt_fail(err, LT_EIO, "%s: %s", path, strerror(why));
    }
    return LT_OK;
}

lt_code lt_make_dirs(const char *path, lt_err *err)
{
    char p[4096];
    if (snprintf(p, sizeof p, "%s", path) >= (int)sizeof p) return lt_fail(err, LT_EINPUT, "%s: path too long", path);
    for (char *s = p + 1;; s++) {
        if (*s && *s != '/') continue;
        char c = *s;
        *s = '\0';
        if (mkdir(p, 0777) != 0 && errno != EEXIST) return lt_fail(err, LT_EIO, "%s: %s", p, strerror(errno));
        if (!c) break;
        *s = c;
    }
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) return lt_fail(err, LT_EIO, "%s: not a directory", path);
    return LT_OK;
}
