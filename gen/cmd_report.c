/* lutra report: tables, plots and checks from measured results, and the steps of the synthesis flow that need C. */
#include <stdio.h>
#include <string.h>

#include "cmd_report.h"
#include "config/suggest.h"

typedef struct {
    const char *name;
    cli_command run;
    const char *help;
} subcommand;

static const subcommand commands[] = {
    {"compare", report_compare, "performance per area of configurations: Markdown, CSV, JSON, SVG"},
    {"check", report_check, "compare results with the limits in flows/rules/"},
    {"sram", report_sram, "area, access time and energy of one memory"},
    {"sram-fit", report_sram_fit, "fit the SRAM model to published macros and print the residuals"},
    {"lib", report_lib, "what is known about a Liberty file; techmap of its cells"},
    {"elab", report_elab, "flow step: memory guard, RAM list and names from the elaborated design"},
    {"buffer", report_buffer, "flow step: buffer trees in a mapped netlist"},
    {"synth", report_synth, "flow step: area.json, timing.json and report.txt of a synthesis run"},
    {"fpga", report_fpga, "flow step: FPGA resources and clock"},
    {"harness", report_harness, "flow step: a wrapper with three pins for place and route"},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *f)
{
    fputs("Usage: lutra report WHAT [OPTION...]\n\n", f);
    for (int i = 0; i < N_COMMANDS; i++) fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].help);
    fputs("\n`lutra report WHAT --help` lists the options.\n", f);
}

lt_code cmd_report(int argc, char **argv, lt_err *err)
{
    if (argc < 2) {
        print_help(stderr);
        return lt_fail(err, LT_EINPUT, "lutra report: missing argument, expected WHAT");
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-?") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return LT_OK;
    }
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0) return commands[i].run(argc - 1, argv + 1, err);
    const char *near = lt_suggest(name, &commands[0].name, N_COMMANDS, sizeof commands[0]);
    return lt_fail(err, LT_EINPUT, "lutra report: unknown report '%s'%s%s%s", name, near ? "; did you mean '" : "",
                   near ? near : "", near ? "'?" : "; see lutra report --help");
}
