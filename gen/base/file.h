/* Whole-file input (plain or gzip) and atomic output. */
#ifndef LUTRA_BASE_FILE_H
#define LUTRA_BASE_FILE_H

#include <stddef.h>
#include "base/err.h"

/* Reads a file, gunzipping if it starts with the gzip magic. Refuses more than max bytes (unpacked). A NUL byte follows
 * the data. The caller frees *data. */
lt_code lt_read_file(const char *path, size_t max, char **data, size_t *len, lt_err *err);

/* Writes through a temporary file in the same folder, checks every step, then renames: the old file stays whole until
 * the new one is. A file that already has this content is left alone, so that make sees no change. */
lt_code lt_write_file(const char *path, const void *data, size_t len, lt_err *err);

/* mkdir -p. */
lt_code lt_make_dirs(const char *path, lt_err *err);

#endif
