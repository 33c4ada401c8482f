#include "emit/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

enum { MAX_PATH = 4096, MAX_TEMPLATE = 1 << 20 };

void lt_values_add_text(lt_values *v, const char *name, const char *text)
{
    if (v->n < LT_MAX_VALUES) v->subst[v->n++] = (lt_subst){name, text, true};
}

void lt_values_add(lt_values *v, const char *name, const char *fmt, ...)
{
    va_list ap;

    if (v->n >= LT_MAX_VALUES) return;
    va_start(ap, fmt);
    vsnprintf(v->text[v->n], LT_VALUE_LEN, fmt, ap);
    va_end(ap);
    lt_values_add_text(v, name, v->text[v->n]);
}

void lt_values_init(lt_values *v, const lt_config *cfg)
{
    v->n = 0;
    lt_values_add(v, "NAME", "%s", cfg->name);
    lt_values_add(v, "FINGERPRINT", "32'h%08x", (unsigned)lt_config_fingerprint(cfg));
    for (int i = 0; i < lt_n_keys; i++)
        if (lt_keys[i].verilog) lt_values_add(v, lt_keys[i].verilog, "%d", lt_key_get(&lt_keys[i], cfg));
}

lt_code lt_template_read(const char *share, const char *name, char **text, lt_err *err)
{
    char path[MAX_PATH];
    size_t len;

    *text = NULL;
    if (snprintf(path, sizeof path, "%s/%s", share, name) >= (int)sizeof path)
        return lt_fail(err, LT_EINPUT, "%s: path too long", share);
    return lt_read_file(path, MAX_TEMPLATE, text, &len, err);
}

lt_code lt_expand_file(const char *share, const char *name, const lt_values *v, lt_buf *b, lt_err *err)
{
    char *text;

    LT_TRY(lt_template_read(share, name, &text, err));
    lt_code code = lt_expand(name, text, v->subst, v->n, b, err);
    free(text);
    return code;
}
