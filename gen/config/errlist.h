/* Several error messages, one per line, that become one lt_err. */
#ifndef LUTRA_CONFIG_ERRLIST_H
#define LUTRA_CONFIG_ERRLIST_H

#include "base/buf.h"
#include "base/err.h"

typedef struct {
    lt_buf text;
    int count;
} lt_errlist;

/* Ends the line of a message whose parts were added to list->text. */
void lt_errlist_end_line(lt_errlist *list);

/* LT_OK if there were none; else LT_EINPUT with all of them. What does not fit into lt_err is counted, never cut in the
 * middle of a line. Frees the list. */
lt_code lt_errlist_finish(lt_errlist *list, lt_err *err);

#endif
