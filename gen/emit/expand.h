/* Template expansion: @NAME@ is replaced, nothing else happens. Structure that varies is built in C and passed as a
 * value of several lines. */
#ifndef LUTRA_EMIT_EXPAND_H
#define LUTRA_EMIT_EXPAND_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"

typedef struct {
    const char *name; /* capitals, digits, _ */
    const char *value;
    bool optional; /* the template need not use it */
} lt_subst;

/* Appends `text` with every @NAME@ replaced. A placeholder alone on its line stands for whole lines: the value's lines
 * get the placeholder's indentation, and an empty value removes the line. LT_EINPUT, as `where:line: ...`, for an
 * unknown or unfinished placeholder and for a placeholder left over in the result (from a value); LT_EINTERNAL for a
 * value that the template does not use though it is not optional. */
lt_code lt_expand(const char *where, const char *text, const lt_subst *subst, size_t n, lt_buf *out, lt_err *err);

#endif
