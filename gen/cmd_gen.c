/* lutra gen: configuration -> Verilog, headers, constraints, file lists. */
#include <stdio.h>

#include "cli.h"
#include "config/config_table.h"
#include "emit/emit.h"
#include "emit/emit_regs.h"

#ifndef LUTRA_SHARE
#define LUTRA_SHARE "."
#endif

static const cli_option options[] = {
    {"output", 'o', CLI_TEXT, "DIR", NULL, 0, 0, "folder to write (default build/NAME)"},
    {"period", 'p', CLI_REAL, "NS", "10", 0.1, 1000, "clock period in the constraint files"},
    {"share", 0, CLI_TEXT, "DIR", NULL, 0, 0,
     "folder that holds rtl_templates and constraints (default: set when lutra was built)"},
    {"check", 'c', CLI_FLAG, NULL, NULL, 0, 0, "only check the configuration and print its fingerprint"},
    {"print-config-doc", 0, CLI_FLAG, NULL, NULL, 0, 0, "print docs/configuration.md"},
    {"print-register-doc", 0, CLI_FLAG, NULL, NULL, 0, 0, "print docs/registers.md"},
    {"print-desc-vh", 0, CLI_FLAG, NULL, NULL, 0, 0, "print rtl_templates/lutra_desc.vh"},
    {0},
};

static const cli_spec spec = {
    "gen",
    "[CONFIG.yaml]",
    0,
    1,
    "Generates an accelerator: Verilog, C headers, constraints, file lists and a manifest.\v"
    "The keys of a configuration are described in docs/configuration.md. Running it again writes the same bytes and "
    "leaves unchanged files alone.",
    options};

static lt_code print(void (*make)(lt_buf *b), lt_err *err)
{
    lt_buf b = {0};
    make(&b);
    lt_code code = lt_buf_ok(&b) ? LT_OK : lt_fail(err, LT_EMEM, "out of memory");
    if (code == LT_OK) fputs(b.data, stdout);
    lt_buf_free(&b);
    return code;
}

static lt_code generate(const cli *c, lt_err *err)
{
    lt_config cfg;
    char dir[64];

    if (c->n_args == 0)
        return lt_fail(err, LT_EINPUT, "lutra gen: missing argument, expected CONFIG.yaml; see lutra gen --help");
    LT_TRY(lt_config_load(c->args[0], &cfg, err));
    if (cli_flag(c, "check")) {
        printf("%s: core %s, fingerprint 0x%08x\n", cfg.name, lt_core_names[cfg.core],
               (unsigned)lt_config_fingerprint(&cfg));
        return LT_OK;
    }
    snprintf(dir, sizeof dir, "build/%s", cfg.name);
    lt_emit_options o = {.share = cli_given(c, "share") ? cli_text(c, "share") : LUTRA_SHARE,
                         .out = cli_given(c, "output") ? cli_text(c, "output") : dir,
                         .period_ns = cli_real(c, "period")};
    return lt_emit(&cfg, &o, err);
}

lt_code cmd_gen(int argc, char **argv, lt_err *err)
{
    cli c;
    lt_code code;

    LT_TRY(cli_parse(&c, &spec, argc, argv, err));
    if (cli_flag(&c, "print-config-doc"))
        code = print(lt_config_print_doc, err);
    else if (cli_flag(&c, "print-register-doc"))
        code = print(lt_emit_reg_doc, err);
    else if (cli_flag(&c, "print-desc-vh"))
        code = print(lt_emit_desc_vh, err);
    else
        code = generate(&c, err);
    cli_free(&c);
    return code;
}
