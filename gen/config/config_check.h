/* Rules for the values of a configuration, beyond the range of each key. */
#ifndef LUTRA_CONFIG_CONFIG_CHECK_H
#define LUTRA_CONFIG_CONFIG_CHECK_H

#include "config/config_table.h"
#include "config/errlist.h"

/* Where each key was given, for messages; and which keys are wrong already, so that no rule complains about a
 * consequence. */
typedef struct {
    const char *where;     /* file name */
    int line[LT_MAX_KEYS]; /* by key; 0: not given */
    bool bad[LT_MAX_KEYS];
} lt_config_pos;

/* Starts a message: "where:line: key: " (without the line if it is 0). */
void lt_config_begin_error(lt_errlist *errs, const lt_config_pos *pos, int line, const char *key);

/* Ranges, keys that the core does not use, then the rules between keys. Adds to errs, sets pos->bad. */
void lt_config_check_all(const lt_config *cfg, lt_config_pos *pos, lt_errlist *errs);

/* The rules as a Markdown list. */
void lt_config_print_rules(lt_buf *b);

#endif
