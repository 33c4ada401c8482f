/* Per-layer settings of product quantisation from a text file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "compress/pq.h"

enum { MAX_FILE = 1 << 20 };

static lt_code setting(const char *path, int line, const char *word, lt_pq_override *v, lt_err *err)
{
    char *end;
    const char *eq = strchr(word, '=');
    long n = eq ? strtol(eq + 1, &end, 10) : 0;
    bool number = eq && end != eq + 1 && *end == '\0';

    if (strcmp(word, "dense") == 0) {
        v->dense = 1;
    } else if (strcmp(word, "lookup") == 0) {
        v->dense = -1;
    } else if (strncmp(word, "prototypes=", 11) == 0) {
        if (!number || n < 2 || n > 256 || (n & (n - 1)))
            return lt_fail(err, LT_EINPUT, "%s:%d: prototypes: got %s, expected a power of two, 2..256", path, line,
                           eq + 1);
        v->prototypes = (int)n;
    } else if (strncmp(word, "length=", 7) == 0) {
        if (!number || n < 1 || n > 64)
            return lt_fail(err, LT_EINPUT, "%s:%d: length: got %s, expected 1..64", path, line, eq + 1);
        v->length = (int)n;
    } else {
        return lt_fail(err, LT_EINPUT, "%s:%d: got '%s', expected dense, lookup, prototypes=N or length=N", path, line,
                       word);
    }
    return LT_OK;
}

static lt_code read_line(const char *path, int line, char *text, lt_pq_options *o, lt_err *err)
{
    char *save, *hash = strchr(text, '#');
    if (hash) *hash = '\0';
    char *word = strtok_r(text, " \t\r", &save);
    if (!word) return LT_OK;
    if (o->n_overrides == LT_PQ_MAX_OVERRIDES)
        return lt_fail(err, LT_EINPUT, "%s:%d: more than %d overrides", path, line, LT_PQ_MAX_OVERRIDES);
    lt_pq_override *v = &o->override[o->n_overrides];
    *v = (lt_pq_override){0};
    if (strlen(word) >= sizeof v->name) return lt_fail(err, LT_EINPUT, "%s:%d: layer name too long", path, line);
    strcpy(v->name, word);
    word = strtok_r(NULL, " \t\r", &save);
    if (!word) return lt_fail(err, LT_EINPUT, "%s:%d: %s: no setting follows", path, line, v->name);
    for (; word; word = strtok_r(NULL, " \t\r", &save)) LT_TRY(setting(path, line, word, v, err));
    o->n_overrides++;
    return LT_OK;
}

lt_code lt_pq_read_overrides(const char *path, lt_pq_options *o, lt_err *err)
{
    char *data;
    size_t len;
    lt_code rc = LT_OK;
    LT_TRY(lt_read_file(path, MAX_FILE, &data, &len, err));
    int line = 1;
    for (char *at = data; rc == LT_OK && at; line++) {
        char *end = strchr(at, '\n');
        if (end) *end = '\0';
        rc = read_line(path, line, at, o, err);
        at = end ? end + 1 : NULL;
    }
    free(data);
    return rc;
}
