/* Command line of lutra_sim. */
#ifndef LUTRA_TB_OPTIONS_H
#define LUTRA_TB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

typedef enum { FAULT_NONE, FAULT_READ, FAULT_WRITE, FAULT_HANG_READ, FAULT_HANG_WRITE } tb_fault;

typedef struct {
    const char *image, *input, *expect, *trace, *json;
    int images;       /* 0: as many as there are, at least 1 */
    int latency;      /* 0: what the image's prediction assumes, else 20 */
    int stall;        /* per cent */
    double bandwidth; /* bytes per cycle; 0: not limited */
    uint64_t seed;
    int layer; /* -1: all */
    bool progress, poll, scatter, help;
    uint32_t timeout, watchdog;
    tb_fault fault;
    int64_t fault_at;
} tb_options;

/* LT_EINPUT with the option's name and what was expected. */
lt_code tb_options_parse(int argc, char **argv, tb_options *o, lt_err *err);
void tb_options_help(void);

#endif
