/* Random operations for lutra_exec_mac, and what they must do to the feature buffer. */
#ifndef LUTRA_TESTS_EXEC_MAC_CASE_H
#define LUTRA_TESTS_EXEC_MAC_CASE_H

#include <stdint.h>
#include "base/buf.h"
#include "base/rng.h"
#include "config/config.h"

enum { MAX_OPS = 6, MAX_OG = 16 };

/* One operation with everything it needs. */
typedef struct {
    uint32_t desc[16];
    lt_buf weights;   /* words of a power of two of bytes; empty for a POOL */
    int weight_at;    /* their first address in the weight buffer */
    unsigned wb_used; /* bit mask of the weight-buffer banks they lie in */
    lt_buf params;
    int param_at; /* word address */
    long reads;   /* feature-buffer words it reads as activations */
} op_case;

typedef struct {
    op_case op[MAX_OPS];
    int n;
    uint8_t *before, *after; /* feature buffer, fb_banks * fb_words * lanes bytes */
} mac_case;

/* A sequence of legal operations. Operations without BARRIER keep out of the banks that the operation before still
 * works on. Every second one uses the other half of the parameters. */
void case_make(const lt_config *cfg, lt_rng *rng, mac_case *c);
void case_free(mac_case *c);
/* One line about the operation. */
void case_describe(const op_case *o, char *text, int size);

#endif
