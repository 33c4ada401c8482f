/* lutra: the host program. One table names the subcommands; each lives in its own cmd_*.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "config/suggest.h"

#define LUTRA_VERSION "0.1.0"

typedef struct {
    const char *name;
    cli_command run;
    const char *help;
} subcommand;

static const subcommand commands[] = {
    {"gen", cmd_gen, "Verilog, headers, constraints and file lists from a configuration"},
    {"prep", cmd_prep, "network -> integer network for a configuration: fold, calibrate, quantise, fit LUTs"},
    {"eval", cmd_eval, "accuracy of the integer model on a data set"},
    {"study", cmd_study, "reconstruction error and accuracy over a grid of quantisation settings"},
    {"train", cmd_train, "trains a float network"},
    {"tune", cmd_tune, "trains an integer network: low bits (LSQ), lookup tables"},
    {"program", cmd_program, "integer network -> layer descriptors and packed weight image"},
    {"report", cmd_report, "tables and plots from measured results"},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *f)
{
    fputs("Usage: lutra COMMAND [OPTION...]\n"
          "Generates neural-network accelerators that replace multiply-accumulate by lookups, and measures them.\n\n"
          "Commands:\n",
          f);
    for (int i = 0; i < N_COMMANDS; i++) fprintf(f, "  %-10s %s\n", commands[i].name, commands[i].help);
    fputs("\n`lutra COMMAND --help` lists the options of a command. `lutra --version` prints the version.\n"
          "Exit codes: 0 done, 2 wrong input, 3 a file could not be read or written, 4 out of memory, 5 a defect of "
          "lutra.\n",
          f);
}

/* Output that never reached the disk is an error, also after --help. */
static void close_stdout(void)
{
    if (fflush(stdout) != 0 || ferror(stdout) || (fclose(stdout) != 0 && errno != EBADF)) {
        fprintf(stderr, "standard output: %s\n", strerror(errno ? errno : EIO));
        _exit(lt_exit_code(LT_EIO));
    }
}

int main(int argc, char **argv)
{
    atexit(close_stdout);
    if (argc < 2) {
        print_help(stderr);
        return lt_exit_code(LT_EINPUT);
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        puts("lutra " LUTRA_VERSION);
        return 0;
    }
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(name, commands[i].name) != 0) continue;
        lt_err err = {0};
        lt_code code = commands[i].run(argc - 1, argv + 1, &err);
        if (code != LT_OK) {
            fflush(stdout);
            fprintf(stderr, "%s\n", err.msg[0] ? err.msg : "lutra: failed without a message");
        }
        return lt_exit_code(code);
    }
    const char *near = lt_suggest(name, &commands[0].name, N_COMMANDS, sizeof commands[0]);
    fprintf(stderr, "lutra: unknown command '%s'%s%s%s\n", name, near ? "; did you mean '" : "; see lutra --help",
            near ? near : "", near ? "'?" : "");
    return lt_exit_code(LT_EINPUT);
}
