/* Control registers and descriptor fields: the tables from which the RTL decode, the Verilog and C headers, the layout
 * checks and docs/registers.md come (docs/architecture.md, sections 3 and 4). */
#ifndef LUTRA_EMIT_REGS_H
#define LUTRA_EMIT_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "emit/desc_fields.h"

enum { LT_HW_ID = 0x4C555452, LT_HW_VERSION = 0x00010000 };

/* ---- descriptors: 64 bytes, words w0..w15 ---- */

typedef enum { LT_OP_END, LT_OP_LOAD, LT_OP_STORE, LT_OP_CONV, LT_OP_POOL, LT_OP_PROFILE, LT_N_OPS } lt_opcode;

enum {
    LT_IN_CONV = 1 << LT_OP_CONV,
    LT_IN_POOL = 1 << LT_OP_POOL,
    LT_IN_EXEC = LT_IN_CONV | LT_IN_POOL,
    LT_IN_LOADSTORE = 1 << LT_OP_LOAD | 1 << LT_OP_STORE,
    LT_IN_DMA = LT_IN_LOADSTORE | 1 << LT_OP_PROFILE,
    LT_IN_ENGINES = LT_IN_DMA | LT_IN_EXEC,
    LT_IN_ALL = LT_IN_ENGINES | 1 << LT_OP_END,
    LT_IN_PQ = 1 << LT_N_OPS /* derived fields of CONV and POOL on a pq accelerator: they replace others */
};

enum { LT_DESC_WORDS = 16 };

/* LT_D_OPCODE, LT_D_WAIT_A, ...: index into lt_desc_fields */
#define LT_DESC_ENUM(name, word, lsb, bits, sign, ops, doc) LT_D_##name,
typedef enum { LT_DESC_FIELDS(LT_DESC_ENUM) LT_N_DESC_FIELDS } lt_dfield;
#undef LT_DESC_ENUM

typedef struct {
    const char *name;
    int word, lsb, bits;
    bool is_signed;
    unsigned ops; /* bit 1 << opcode, LT_IN_PQ */
    const char *doc;
} lt_desc_field;

extern const lt_desc_field lt_desc_fields[LT_N_DESC_FIELDS];

/* Field by name ("IN_BASE"), or -1. Opcode by name ("CONV"), or -1. */
int lt_desc_find(const char *name);
int lt_desc_opcode(const char *name);

/* Value of a field. */
int64_t lt_desc_get(const uint32_t *desc, lt_dfield field);
/* Sets a field; false, and nothing is changed, if the value does not fit. */
bool lt_desc_put(uint32_t *desc, lt_dfield field, int64_t value);
/* The same by name; false also for an unknown name. */
bool lt_desc_set(uint32_t *desc, const char *name, int64_t value);

/* ---- values with names ---- */

typedef struct {
    const char *group; /* "OP", "TARGET", "BASE", "ERROR", "IRQ" */
    const char *name;
    int value;
    const char *doc;
} lt_hw_value;

extern const lt_hw_value lt_hw_values[];
extern const int lt_n_hw_values;

/* ---- control registers: 32 bit, byte offsets ---- */

typedef enum {
    LT_RO, /* read only */
    LT_RW, /* read and write */
    LT_WO, /* a written 1 is a pulse; reads as 0 */
    LT_W1C /* set by the hardware, cleared by writing 1 */
} lt_access;

typedef enum {
    LT_FROM_RESET,       /* constant: the reset value */
    LT_FROM_FINGERPRINT, /* constant: parameter FINGERPRINT */
    LT_FROM_PORT, /* inputs of lutra_csr, named csr_<register>_<field>, or csr_<register> if there are no fields */
    LT_TO_PORT,   /* kept in lutra_csr and driven out, named likewise */
    LT_KEPT       /* kept in lutra_csr and used only there; LT_W1C: set by the input csr_<register>_set */
} lt_reg_source;

typedef struct {
    const char *name;
    int lsb, bits;
    const char *doc;
} lt_reg_field;

enum { LT_MAX_REG_FIELDS = 6 };

typedef struct {
    const char *name;
    int offset;
    lt_access access;
    lt_reg_source source;
    uint32_t reset;
    const char *sets;                       /* LT_WO: the LT_W1C register whose bits it sets, or NULL */
    lt_reg_field fields[LT_MAX_REG_FIELDS]; /* ended by a field without name */
    const char *doc;
} lt_reg;

extern const lt_reg lt_regs[];
extern const int lt_n_regs;

/* Mask of a field, in place. */
static inline uint32_t lt_field_mask(int lsb, int bits)
{
    return (bits >= 32 ? UINT32_MAX : (1u << bits) - 1) << lsb;
}

#endif
