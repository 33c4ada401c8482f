/* Which Verilog files a top module needs. A file holds one module of its own name. */
#ifndef LUTRA_EMIT_RTL_SCAN_H
#define LUTRA_EMIT_RTL_SCAN_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/err.h"

typedef struct {
    char *file; /* "lutra_fb.v", without folder; includes: "lutra_desc.vh" */
    char *text;
    const char *origin; /* as given to lt_rtl_read or lt_rtl_put, not copied */
    bool include;       /* .vh */
} lt_rtl_file;

typedef struct {
    lt_rtl_file *file;
    int n;
} lt_rtl_set;

void lt_rtl_free(lt_rtl_set *s);

/* Adds all *.v and *.vh of a folder (not those in folders inside it), in the order of their names, to a set that starts
 * as {0}; a file of the same name is replaced. */
lt_code lt_rtl_read(const char *dir, const char *origin, lt_rtl_set *s, lt_err *err);

/* Adds or replaces one file. */
lt_code lt_rtl_put(lt_rtl_set *s, const char *file, const char *text, const char *origin, lt_err *err);

/* Order of files for module `top`: includes first, then every module after those it instantiates, top last. *order has
 * s->n places; *n_order are used. LT_EINPUT, with file and line, if a lutra_ module or an include file is not there, or
 * modules instantiate each other in a circle. An instance named u_error is a deliberate elaboration error, not a need.
 */
lt_code lt_rtl_order(const lt_rtl_set *s, const char *top, int *order, int *n_order, lt_err *err);

#endif
