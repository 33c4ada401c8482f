/* Command line of every subcommand from one table of options: argp's option list, --help, defaults and the validation
 * of values all come from it. Part of the program, not of the library: `--help` prints and exits.
 *
 *     static const cli_option options[] = {
 *         {"images", 'n', CLI_INT, "N", "10000", 1, 10000, "images to evaluate"},
 *         {"method", 'm', CLI_CHOICE, "minmax|percentile|mse", "mse", 0, 0, "calibration of activation scales"},
 *         {"verbose", 'v', CLI_FLAG, NULL, NULL, 0, 0, "one line per layer"},
 *         {0}};
 *     static const cli_spec spec = {"eval", "MODEL", 1, 1, "Accuracy of the integer model on a data set.", options};
 *
 *     lt_code cmd_eval(int argc, char **argv, lt_err *err)
 *     {
 *         cli c;
 *         LT_TRY(cli_parse(&c, &spec, argc, argv, err));
 *         run(c.args[0], (int)cli_int(&c, "images"), cli_choice(&c, "method"));
 *         cli_free(&c);
 *         ...
 *
 * The dispatcher (main.c) prints the message of a failed command to stderr and exits with lt_exit_code(). */
#ifndef LUTRA_CLI_H
#define LUTRA_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

typedef enum {
    CLI_FLAG,   /* no argument */
    CLI_INT,    /* one integer, decimal or 0x */
    CLI_REAL,   /* one finite number */
    CLI_TEXT,   /* any text: a path, a name */
    CLI_CHOICE, /* one of the words listed in `arg` as "a|b|c" */
    CLI_INTS    /* integers separated by commas: 4,8,16 */
} cli_type;

typedef struct {
    const char *name; /* long option, without the dashes */
    char letter;      /* short option, or 0 */
    cli_type type;
    const char *arg;  /* argument's name in the help; CLI_CHOICE: the legal words */
    const char *def;  /* default as text; NULL: unset unless given (integers and reals then read 0, text NULL) */
    double min, max;  /* numbers: legal range, both ends included; 0,0: not limited */
    const char *help; /* what it does; range and default are added by the help itself */
} cli_option;

typedef struct {
    const char *command; /* "gen" */
    const char *args;    /* positional arguments as the usage line shows them, e.g. "CONFIG.yaml", or NULL */
    int min_args, max_args;
    const char *about;         /* one or two sentences */
    const cli_option *options; /* ended by an element whose name is NULL */
} cli_spec;

enum { CLI_MAX_OPTIONS = 64, CLI_MAX_INTS = 64 };

typedef struct {
    const char *text; /* the argument or the default, NULL if neither */
    bool given;
    int64_t num; /* CLI_INT, CLI_CHOICE (index of the word) */
    double real;
    int n_ints;
    int *ints; /* CLI_INTS */
} cli_value;

typedef struct {
    const cli_spec *spec;
    int n_args;
    char **args; /* positional arguments, pointing into argv */
    cli_value v[CLI_MAX_OPTIONS];
} cli;

/* Parses argv (argv[0] is the command). LT_EINPUT with a message that names option, value and legal values. On failure
 * nothing is left to free. --help prints to stdout and exits 0; an unknown option exits 2. */
lt_code cli_parse(cli *c, const cli_spec *spec, int argc, char **argv, lt_err *err);
void cli_free(cli *c);

/* Values by option name; a name that is not in the table is a programming error and aborts. */
bool cli_given(const cli *c, const char *name); /* was it on the command line? */
bool cli_flag(const cli *c, const char *name);
int64_t cli_int(const cli *c, const char *name);
double cli_real(const cli *c, const char *name);
const char *cli_text(const cli *c, const char *name);
int cli_choice(const cli *c, const char *name); /* index of the word in `arg` */
const int *cli_ints(const cli *c, const char *name, int *n);

/* Subcommands: argv[0] is the command's name. They print results to stdout, progress to stderr, and return errors. */
typedef lt_code (*cli_command)(int argc, char **argv, lt_err *err);

lt_code cmd_gen(int argc, char **argv, lt_err *err);
lt_code cmd_prep(int argc, char **argv, lt_err *err);
lt_code cmd_eval(int argc, char **argv, lt_err *err);
lt_code cmd_study(int argc, char **argv, lt_err *err);
lt_code cmd_train(int argc, char **argv, lt_err *err);
lt_code cmd_tune(int argc, char **argv, lt_err *err);
lt_code cmd_program(int argc, char **argv, lt_err *err);
lt_code cmd_report(int argc, char **argv, lt_err *err);

#endif
