/* Results as text and as JSON. */
#ifndef LUTRA_TB_REPORT_H
#define LUTRA_TB_REPORT_H

#include "compare.h"
#include "stats.h"

typedef struct {
    const tb_options *options;
    const lutra_image *image;
    const lt_expect *expect; /* or NULL */
    const tb_stats *stats;
    const tb_comparison *comparison;
    int latency;      /* of the memory */
    uint64_t cycles;  /* simulated */
    double wall, cpu; /* seconds */
} tb_report;

void tb_report_print(const tb_report *r);
lt_code tb_report_json(const tb_report *r, const char *path, lt_err *err);

#endif
