/* Files that carry the values of a configuration. Each appends one whole file. */
#ifndef LUTRA_EMIT_EMIT_CONFIG_H
#define LUTRA_EMIT_EMIT_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "emit/outputs.h"

/* lutra_config.h: every value and the fingerprint, for firmware and testbench. */
void lt_emit_config_h(const lt_config *cfg, lt_buf *b);

/* NAME.core: FuseSoC description (CAPI2) of RTL files given as paths in the order to read them. */
void lt_emit_core(const lt_config *cfg, const char *const *rtl, int n, lt_buf *b);

/* Manifest: configuration, parameters, fingerprint and the files in `o` (the manifest itself included under its path).
 * Keys are sorted. */
lt_code lt_emit_manifest(const lt_config *cfg, const lt_outputs *o, lt_buf *b, lt_err *err);

#endif
