/* The subcommands of `lutra report`, one file per concern. */
#ifndef LUTRA_CMD_REPORT_H
#define LUTRA_CMD_REPORT_H

#include "cli.h"

/* The synthesis flow's steps (cmd_report_flow.c); flows/synth.sh calls them. */
lt_code report_lib(int argc, char **argv, lt_err *err);
lt_code report_elab(int argc, char **argv, lt_err *err);
lt_code report_buffer(int argc, char **argv, lt_err *err);
lt_code report_synth(int argc, char **argv, lt_err *err);

/* FPGA results (cmd_report_fpga.c); flows/fpga.sh calls them. */
lt_code report_fpga(int argc, char **argv, lt_err *err);
lt_code report_harness(int argc, char **argv, lt_err *err);

/* The memory model (cmd_report_sram.c). */
lt_code report_sram(int argc, char **argv, lt_err *err);
lt_code report_sram_fit(int argc, char **argv, lt_err *err);

/* Results of several configurations (cmd_report_compare.c). */
lt_code report_compare(int argc, char **argv, lt_err *err);
lt_code report_check(int argc, char **argv, lt_err *err);

#endif
