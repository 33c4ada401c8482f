/* Prints the structural form of lutra_requant_mac: requant_emit MODULE ACC_BITS MULT_BITS */
#include <stdio.h>
#include <stdlib.h>

#include "emit/csa_requant.h"

int main(int argc, char **argv)
{
    lt_buf out = {0};
    lt_err err = {.msg = "usage: requant_emit MODULE ACC_BITS MULT_BITS"};
    lt_code code = LT_EINPUT;

    if (argc == 4) code = lt_csa_emit_requant(argv[1], atoi(argv[2]), atoi(argv[3]), &out, &err);
    if (code == LT_OK && fwrite(out.data, 1, out.len, stdout) != out.len) code = LT_EIO;
    if (code != LT_OK) fprintf(stderr, "requant_emit: %s\n", err.msg);
    lt_buf_free(&out);
    return lt_exit_code(code);
}
