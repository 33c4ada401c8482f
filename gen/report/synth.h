/* What a synthesis run leaves: build/<config>/synth/<library>/{area.json,timing.json,report.txt} (docs/formats.md). */
#ifndef LUTRA_REPORT_SYNTH_H
#define LUTRA_REPORT_SYNTH_H

#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "report/area.h"
#include "report/netbuf.h"

/* Where the numbers come from. */
typedef struct {
    const char *config;      /* name */
    const char *fingerprint; /* of the configuration, or NULL */
    const char *command;     /* regenerates this run */
    const char *tools;       /* versions */
    const char *input_hash;  /* of everything that went into the netlist */
} synth_origin;

/* One critical path and the power table, as flows/sta.tcl prints them. Times in ns, power in W. */
typedef struct {
    double min_period, register_period; /* register_period: NAN if there is no path between registers */
    double first_period, first_slack;
    char start[256], end[256];
    int path_cells;
    lt_buf path;                                                              /* the report of the critical path */
    double power_sequential, power_combinational, power_leakage, power_total; /* cells only; NAN if not reported */
} sta_result;

/* Reads the log of flows/sta.tcl. LT_EINPUT if it did not run to its end. Free with sta_free() in every case. */
lt_code sta_parse(const char *where, const char *log, size_t len, double time_ns, sta_result *r, lt_err *err);
void sta_free(sta_result *r);

/* JSON documents; NULL if memory ran out. */
json_t *synth_area_json(const synth_origin *o, const celllib *lib, const area_report *a, const netbuf_stats *b,
                        long long ff_memory_bits);
/* SRAM power assumes `ram_rate` accesses per cycle and memory. */
json_t *synth_timing_json(const synth_origin *o, const celllib *lib, const area_report *a, const sta_result *s,
                          double activity, double ram_rate);

/* Appends the readable report. s may be NULL: no timing yet. */
void synth_report_area(lt_buf *b, const synth_origin *o, const celllib *lib, const area_report *a,
                       const netbuf_stats *nb);
void synth_report_timing(lt_buf *b, const sta_result *s, double activity);

/* Writes a JSON document with sorted keys and frees it; NULL is LT_EMEM. */
lt_code synth_write_json(json_t *doc, const char *path, lt_err *err);

#endif
