#include "emit/outputs.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { MAX_PATH = 4096, MAX_MANIFEST = 1 << 20 };

void lt_outputs_free(lt_outputs *o)
{
    for (int i = 0; i < LT_MAX_OUTPUTS; i++) {
        free(o->file[i].path);
        lt_buf_free(&o->file[i].text);
    }
    o->n = 0;
}

lt_buf *lt_outputs_add(lt_outputs *o, const char *path, ...)
{
    va_list ap;

    if (o->n >= LT_MAX_OUTPUTS) {
        o->n = LT_MAX_OUTPUTS + 1;
        return NULL;
    }
    lt_output *f = &o->file[o->n++];
    va_start(ap, path);
    if (vasprintf(&f->path, path, ap) < 0) f->path = NULL;
    va_end(ap);
    if (!f->path) f->text.failed = true;
    return &f->text;
}

static bool has(const lt_outputs *o, const char *path)
{
    for (int i = 0; i < o->n; i++)
        if (strcmp(o->file[i].path, path) == 0) return true;
    return false;
}

/* Relative, and does not leave its folder. */
static bool is_inside(const char *path)
{
    return path[0] != '\0' && path[0] != '/' && !strstr(path, "..");
}

/* Removes dir/file, and the folders below dir that become empty. */
static void remove_file(const char *dir, const char *file)
{
    char path[MAX_PATH];

    if (snprintf(path, sizeof path, "%s/%s", dir, file) >= (int)sizeof path || unlink(path) != 0) return;
    for (char *slash; (slash = strrchr(path, '/')) && slash > path + strlen(dir);) {
        *slash = '\0';
        if (rmdir(path) != 0) return;
    }
}

/* Removes files of an earlier run that this one does not make (after a change of core, say). */
static void remove_stale(const lt_outputs *o, const char *dir, const char *manifest)
{
    char path[MAX_PATH];
    char *text = NULL;
    size_t len, i;
    json_t *old, *name;

    if (snprintf(path, sizeof path, "%s/%s", dir, manifest) >= (int)sizeof path) return;
    if (lt_read_file(path, MAX_MANIFEST, &text, &len, NULL) != LT_OK) return; /* no earlier run */
    old = json_loadb(text, len, 0, NULL);
    json_array_foreach(json_object_get(old, "files"), i, name)
    {
        const char *file = json_string_value(name);
        if (file && is_inside(file) && !has(o, file)) remove_file(dir, file);
    }
    json_decref(old);
    free(text);
}

lt_code lt_outputs_write(const lt_outputs *o, const char *dir, const char *manifest, lt_err *err)
{
    char path[MAX_PATH];

    if (o->n > LT_MAX_OUTPUTS) return lt_fail(err, LT_EINTERNAL, "too many output files");
    for (int i = 0; i < o->n; i++)
        if (!lt_buf_ok(&o->file[i].text)) return lt_fail(err, LT_EMEM, "out of memory");
    LT_TRY(lt_make_dirs(dir, err));
    remove_stale(o, dir, manifest);
    for (int i = 0; i < o->n; i++) {
        const lt_output *f = &o->file[i];
        if (snprintf(path, sizeof path, "%s/%s", dir, f->path) >= (int)sizeof path)
            return lt_fail(err, LT_EINPUT, "%s: path too long", dir);
        char *slash = strrchr(path, '/');
        *slash = '\0';
        LT_TRY(lt_make_dirs(path, err));
        *slash = '/';
        LT_TRY(lt_write_file(path, f->text.data ? f->text.data : "", f->text.len, err));
    }
    return LT_OK;
}
