/* The quantised network as a file, `.lqn`.
 *
 * All numbers little endian. Header, 16 bytes: magic "LQNT", u16 version (1), u16 number of sections, u32 CRC-32 of all
 * that follows the header, u32 zero. Then the sections, each: 4-byte tag, u32 stored length, u32 unpacked length, that
 * many bytes of zlib stream. Tags in order: "NETW" sizes and name, "TENS" tensors, "ENCO" encoders, "LAYR" layers with
 * their bias and multipliers, "BLOB" weights and LUTs in layer order, "TABL" the input table. The field order is that
 * of qnet.h; enums and ints are i32, scale is an IEEE double, names are QN_NAME bytes. Equal networks give equal bytes.
 */
#ifndef LUTRA_MODEL_QNET_FILE_H
#define LUTRA_MODEL_QNET_FILE_H

#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"
#include "golden/qnet.h"

#define LT_LQN_MAGIC "LQNT"

/* Serialises into out (empty buffer). */
lt_code lt_qnet_pack(const qnet *n, lt_buf *out, lt_err *err);
/* Parses and checks (lt_quant_check with acc_bits 0). Any malformed input is LT_EINPUT. `name` starts messages.
 */
lt_code lt_qnet_unpack(const void *data, size_t len, const char *name, qnet *n, lt_err *err);

lt_code lt_qnet_save(const qnet *n, const char *path, lt_err *err);
lt_code lt_qnet_load(const char *path, qnet *n, lt_err *err);

#endif
