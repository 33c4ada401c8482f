/* lutra_csr.v: the register decode. */
#ifndef LUTRA_EMIT_EMIT_CSR_H
#define LUTRA_EMIT_EMIT_CSR_H

#include "base/buf.h"
#include "base/err.h"

/* Expands the template (text of lutra_csr.v.in, named `where` in messages) with the register table. */
lt_code lt_emit_csr(const char *where, const char *text, lt_buf *out, lt_err *err);

#endif
