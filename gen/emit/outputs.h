/* Files of one generated accelerator: made in memory first and written only when all of them are there, so that an
 * error leaves nothing half done. */
#ifndef LUTRA_EMIT_OUTPUTS_H
#define LUTRA_EMIT_OUTPUTS_H

#include "base/buf.h"
#include "base/err.h"

typedef struct {
    char *path; /* relative to the output folder */
    lt_buf text;
} lt_output;

enum { LT_MAX_OUTPUTS = 128 };

typedef struct {
    lt_output file[LT_MAX_OUTPUTS];
    int n;
} lt_outputs;

void lt_outputs_free(lt_outputs *o);

/* A new, empty file; NULL if there are too many or memory is out (reported by lt_outputs_write). The path is
 * printf-style. */
lt_buf *lt_outputs_add(lt_outputs *o, const char *path, ...) __attribute__((format(printf, 2, 3)));

/* Writes every file below `dir`, making folders; files whose content is unchanged are left alone. Files that the
 * manifest of an earlier run lists and this run does not have are removed. `manifest` is the manifest's path. */
lt_code lt_outputs_write(const lt_outputs *o, const char *dir, const char *manifest, lt_err *err);

#endif
