/* Reader of a mapped netlist in Yosys' RTLIL text (write_rtlil): modules, cells and their connections. */
#ifndef LUTRA_REPORT_NETLIST_H
#define LUTRA_REPORT_NETLIST_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "report/text.h"

enum { NL_NONE = -1 };

/* One bit of a cell's connection. */
typedef struct {
    text_t port;  /* without the leading backslash */
    text_t token; /* where the netlist names the net, or empty for a bit of a wider signal */
    int net;      /* in nl_module.nets, NL_NONE for a constant */
} nl_pin;

typedef struct {
    int type; /* in nl_design.types */
    text_t name;
    size_t first_pin, n_pins; /* in nl_module.pins */
} nl_cell;

typedef struct {
    text_t name; /* as in the netlist, with the leading backslash or dollar; a wider wire has one net per bit, bit 0
                    first */
    int alias;   /* net that this one is connected to, or itself */
    int width;   /* of its wire */
    bool is_input, is_output;
} nl_net;

typedef struct {
    text_t name; /* without the leading backslash */
    int type;    /* its own number in nl_design.types */
    bool blackbox;
    const char *body; /* the line after `module` */
    const char *end;  /* the line of its `end` */
    size_t n_cells, cap_cells, n_nets, cap_nets, n_pins, cap_pins;
    nl_cell *cells;
    nl_net *nets;
    nl_pin *pins;
} nl_module;

typedef struct {
    text_t name; /* cell type, without the leading backslash; names of internal cells keep their `$` */
    int module;  /* in nl_design.modules, NL_NONE for a library cell */
} nl_type;

typedef struct {
    size_t n_modules, cap_modules, n_types, cap_types;
    nl_module *modules;
    nl_type *types;
    int *type_table; /* open addressing, for the reader */
    size_t table_size;
} nl_design;

/* Reads text (followed by a NUL), which must outlive the design. LT_EINPUT with `where:line:` for what is no netlist:
 * processes or memories that are not mapped, unknown wires, text that is not RTLIL. Free with nl_free() in every case.
 */
lt_code nl_parse(const char *where, const char *text, size_t len, nl_design *d, lt_err *err);
void nl_free(nl_design *d);

/* Number of the module with this name, or NL_NONE. */
int nl_find(const nl_design *d, const char *name);

/* The net that stands for all nets connected to this one. */
int nl_root(const nl_module *m, int net);

/* Module numbers in an order in which every module comes after the modules that it instantiates; order has n_modules
 * entries. LT_EINPUT for a recursion. */
lt_code nl_bottom_up(const nl_design *d, int *order, lt_err *err);

#endif
