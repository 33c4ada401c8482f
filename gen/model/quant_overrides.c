#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/quantize.h"

enum { MAX_FILE = 1 << 20 };

static bool setting(const char *word, const char *key, int *v)
{
    size_t n = strlen(key);
    if (strncmp(word, key, n) != 0) return false;
    char *end;
    long x = strtol(word + n, &end, 10);
    if (end == word + n || *end || x < 2 || x > 8) return false;
    *v = (int)x;
    return true;
}

static lt_code line(char *s, const char *where, lt_quant_options *o, lt_err *err)
{
    char *save = NULL, *hash = strchr(s, '#');
    lt_quant_override v = {0};

    if (hash) *hash = '\0';
    char *word = strtok_r(s, " \t\r", &save);
    if (!word) return LT_OK;
    if (strlen(word) >= sizeof v.name)
        return lt_fail(err, LT_EINPUT, "%s: layer name longer than %zu", where, sizeof v.name - 1);
    strcpy(v.name, word);
    while ((word = strtok_r(NULL, " \t\r", &save)))
        if (!setting(word, "w_bits=", &v.w_bits) && !setting(word, "a_bits=", &v.a_bits))
            return lt_fail(err, LT_EINPUT, "%s: %s: got '%s', expected w_bits=2..8 or a_bits=2..8", where, v.name,
                           word);
    if (!v.w_bits && !v.a_bits)
        return lt_fail(err, LT_EINPUT, "%s: %s: nothing set, expected w_bits=N or a_bits=N", where, v.name);
    if (o->n_overrides == LT_MAX_OVERRIDES)
        return lt_fail(err, LT_EINPUT, "%s: more than %d overrides", where, LT_MAX_OVERRIDES);
    o->override[o->n_overrides++] = v;
    return LT_OK;
}

lt_code lt_quant_read_overrides(const char *path, lt_quant_options *o, lt_err *err)
{
    char *text, *save = NULL, where[512];
    size_t len;
    int number = 1;
    lt_code rc = LT_OK;

    LT_TRY(lt_read_file(path, MAX_FILE, &text, &len, err));
    if (memchr(text, '\0', len)) rc = lt_fail(err, LT_EINPUT, "%s: holds a NUL byte, expected text", path);
    for (char *s = text; rc == LT_OK && s; s = save, number++) {
        save = strchr(s, '\n');
        if (save) *save++ = '\0';
        snprintf(where, sizeof where, "%s:%d", path, number);
        rc = line(s, where, o, err);
    }
    free(text);
    return rc;
}
