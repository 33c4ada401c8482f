/* Streaming reader of Liberty text (groups, simple and complex attributes). Nothing is copied: names and values are
 * slices of the caller's text, so that a 46 MB library costs no memory beyond the file itself. */
#ifndef LUTRA_REPORT_LIBERTY_H
#define LUTRA_REPORT_LIBERTY_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "report/text.h"

/* First number in t, e.g. in `1.5` or `1.5, 2.0`; false if there is none. */
bool lib_number(text_t t, double *v);

/* Any callback may be NULL. depth: 0 for the library group, 1 for the groups in it. A callback that returns other than
 * LT_OK stops the parse with that code. Complex attributes `name (a, b);` arrive as attr with the text between the
 * parentheses. */
typedef struct {
    lt_code (*begin)(void *ctx, int depth, text_t type, text_t name, lt_err *err);
    lt_code (*attr)(void *ctx, int depth, text_t name, text_t value, lt_err *err);
    lt_code (*end)(void *ctx, int depth, lt_err *err);
} lib_events;

/* text must be followed by a NUL byte. LT_EINPUT with `where:line:` for text that is not Liberty. */
lt_code lib_parse(const char *where, const char *text, size_t len, const lib_events *ev, void *ctx, lt_err *err);

#endif
