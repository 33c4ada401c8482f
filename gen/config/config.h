/* One accelerator configuration. Every field is described once, in the table in config_table.c: from it come
 * validation, help, Verilog parameters, the C header, the JSON manifest and docs/configuration.md. */
#ifndef LUTRA_CONFIG_CONFIG_H
#define LUTRA_CONFIG_CONFIG_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "golden/qnet.h"

typedef enum { CORE_WS, CORE_EWS, CORE_PQ } lt_core;

typedef struct {
    char name[32];    /* file name without .yaml */
    int core;         /* lt_core */
    int lanes;        /* channels per word = outputs per column group = array rows and columns */
    int bus_bits;     /* AXI4 data width: 32, 64, 128, 256, 512 */
    int acc_bits;     /* accumulator width, 12..32 */
    int mult_bits;    /* requantisation multiplier width, 8..16 */
    int post_lanes;   /* requantisation lanes; divides lanes */
    int param_groups; /* output groups of bias/mult held on chip (two halves of this many) */
    int fb_banks;     /* feature buffer: single-port banks ... */
    int fb_words;     /* ... of this many words of `lanes` bytes */
    /* ws, ews */
    int wb_words;   /* weight buffer: words of `lanes` bytes in each of two single-port banks */
    int psum_words; /* partial sums: entries of `lanes` accumulators in each of two banks; 1 = no partial-sum memory
                       needed */
    int wrf_depth;  /* weights held per multiplier; ws: 2 (one works, one loads) */
    int arf_depth;  /* activation words kept (ews), 0 = none */
    int prf_depth;  /* partial-sum registers per output (A <= prf_depth); ws: 1 */
    int dot_stages; /* pipeline registers inside the dot product, 0..3 */
    /* pq */
    int pq_mode;       /* qpq_mode */
    int pq_prototypes; /* K: 2..64, a power of two; layers may have fewer (lt_pq_alone) */
    int pq_length;     /* L: channels per codebook (channel) or 9 (spatial) */
    int pq_encoder;    /* qpq_encoder */
    int pq_enc_bits;   /* bits compared by the encoder */
    int pq_enc_cycles; /* cycles per encoded word: l1/l2 compare K/cycles prototypes at a time; tree: 1 */
    int pq_lut_bits;   /* LUT entry width, 4..8 */
    int pq_mirror;     /* 1: T[K-1-c] = -T[c], so that the first half of a table is stored */
    int pq_codebooks;  /* codebooks looked up per cycle and tap (channel mode), channels per cycle (spatial mode) */
    int pq_chunks;     /* window depth: code words kept per tap */
    int pq_lut_rows;   /* LUT sets (of lt_pq_set_rows x lanes) per bank in each of two halves */
    int pq_code_words; /* code words in each of the three row banks, in each of two maps */
    int pq_fb_pairs;   /* 1: neighbouring feature-buffer words lie in the two banks of a pair */
    int pq_dense;      /* dense int8 multipliers per lane, for layers kept dense; 0: none; 9: all taps at once */
} lt_config;

/* Entries of a table of pq_prototypes that are stored: LUT rows of one set, and of a LUT half. */
static inline int lt_pq_set_rows(const lt_config *c)
{
    return c->pq_mirror ? c->pq_prototypes / 2 : c->pq_prototypes;
}
static inline int lt_pq_half_rows(const lt_config *c)
{
    return c->pq_lut_rows * lt_pq_set_rows(c);
}

/* Reads and validates a YAML file. All errors in one file are reported together, one per line, as
 * `file:line: key: got X, expected Y; did you mean Z`. */
lt_code lt_config_load(const char *path, lt_config *cfg, lt_err *err);

/* The same for text of len bytes; path is for messages only, the name stays empty. */
lt_code lt_config_parse(const char *path, const char *text, size_t len, lt_config *cfg, lt_err *err);

/* Checks ranges and the rules between fields; `where` starts each message. */
lt_code lt_config_check(const lt_config *cfg, const char *where, lt_err *err);

/* 32-bit fingerprint over every key (not the name): the same in RTL, header, program image and report. */
uint32_t lt_config_fingerprint(const lt_config *cfg);

#endif
