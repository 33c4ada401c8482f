/* The table of configuration keys: the one description from which validation, messages, Verilog parameters, the C
 * header, the JSON manifest and docs/configuration.md come. */
#ifndef LUTRA_CONFIG_CONFIG_TABLE_H
#define LUTRA_CONFIG_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "config/config.h"

enum { LT_N_CORES = 3, LT_MAX_KEYS = 48 };

typedef enum { LT_KEY_INT, LT_KEY_POW2, LT_KEY_ENUM } lt_key_type;

enum { LT_ON_WS = 1 << CORE_WS, LT_ON_EWS = 1 << CORE_EWS, LT_ON_PQ = 1 << CORE_PQ, LT_ON_ALL = 7 };

typedef struct {
    const char *name; /* YAML key = field of lt_config */
    size_t offset;    /* of that field */
    lt_key_type type; /* LT_KEY_POW2: an integer that is a power of two */
    unsigned cores;   /* LT_ON_*: cores on which the user may set it; elsewhere it has def[core] */
    bool required;
    int min, max;             /* both included; enumerations: 0 .. words-1 */
    const char *const *words; /* LT_KEY_ENUM: ended by NULL */
    int def[LT_N_CORES];      /* default by core */
    const char *unit;         /* or "" */
    const char *verilog;      /* parameter of the top module, NULL: not passed to the RTL */
    const char *help;
} lt_key;

extern const lt_key lt_keys[];
extern const int lt_n_keys;
extern const char *const lt_core_names[LT_N_CORES + 1]; /* "ws", "ews", "pq", NULL */

/* Index of a key or -1. */
int lt_key_find(const char *name);
int lt_key_get(const lt_key *k, const lt_config *cfg);
void lt_key_set(const lt_key *k, lt_config *cfg, int value);
static inline bool lt_key_applies(const lt_key *k, int core)
{
    return (k->cores >> core) & 1;
}
/* The value lies in the key's range or set. */
bool lt_key_legal(const lt_key *k, int value);

/* Appends "16" or "tree"; what is legal ("4..8", "2, 4, 8 or 16"). */
void lt_key_print_value(lt_buf *b, const lt_key *k, int value);
void lt_key_print_legal(lt_buf *b, const lt_key *k);

/* Every key at its default for this core, fixed ones included; keys that the core does not use are 0; name is empty. */
void lt_config_defaults(int core, lt_config *cfg);

/* docs/configuration.md. */
void lt_config_print_doc(lt_buf *b);

#endif
