/* Limits on results, in the style of OpenROAD-flow-scripts: flows/rules/CONFIG.json (docs/formats.md). */
#ifndef LUTRA_REPORT_RULES_H
#define LUTRA_REPORT_RULES_H

#include "base/buf.h"
#include "report/results.h"

enum { RULES_MAX = 64 };

typedef struct {
    char metric[64]; /* key of a result column */
    bool at_most;    /* compare is "<=" */
    double value, tolerance;
} rule;

typedef struct {
    char config[64], library[64], model[64];
    size_t n;
    rule rule[RULES_MAX];
} rule_set;

/* LT_EINPUT with file and rule number for a malformed file or an unknown metric. */
lt_code rules_read(const char *path, rule_set *s, lt_err *err);

/* Limits from a row's present values: every default metric that has one. */
void rules_from(const result_row *r, rule_set *s);
lt_code rules_write(const rule_set *s, const char *path, lt_err *err);

/* Appends one line per rule (ok, FAIL, n/a) and counts those that failed and those without a result. */
void rules_check(const rule_set *s, const result_row *r, lt_buf *b, int *failed, int *missing);

#endif
