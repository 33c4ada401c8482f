/* Templates on disk, expanded with the values of a configuration. */
#ifndef LUTRA_EMIT_TEMPLATE_H
#define LUTRA_EMIT_TEMPLATE_H

#include "config/config_table.h"
#include "emit/expand.h"

enum { LT_MAX_VALUES = LT_MAX_KEYS + 32, LT_VALUE_LEN = 64 };

/* Placeholders: NAME, FINGERPRINT, every Verilog parameter of the configuration table, and what is added. */
typedef struct {
    lt_subst subst[LT_MAX_VALUES];
    char text[LT_MAX_VALUES][LT_VALUE_LEN];
    size_t n;
} lt_values;

void lt_values_init(lt_values *v, const lt_config *cfg);
/* A number or a short word (printf style; longer text is cut). */
void lt_values_add(lt_values *v, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Text of any length, which must outlive v. */
void lt_values_add_text(lt_values *v, const char *name, const char *text);

/* Appends share/name, expanded. Messages name the template by `name`. */
lt_code lt_expand_file(const char *share, const char *name, const lt_values *v, lt_buf *b, lt_err *err);
/* Reads share/name; the caller frees *text. */
lt_code lt_template_read(const char *share, const char *name, char **text, lt_err *err);

#endif
