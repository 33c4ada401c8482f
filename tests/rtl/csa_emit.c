/* Prints one module of gen/emit/csa_tree.h for the scripts here:
 *   csa_emit dot|recode MODULE LANES A_BITS W_BITS STAGES
 *   csa_emit mul MODULE A_BITS s|u B_BITS s|u STAGES
 *   csa_emit sum MODULE OPERANDS BITS s|u SUM_BITS STAGES
 *   csa_emit pq_sum MODULE INPUTS BITS MIRROR */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit/csa_pq_sum.h"
#include "emit/csa_tree.h"

int main(int argc, char **argv)
{
    lt_buf out = {0};
    lt_err err = {.msg = "usage: see the head of csa_emit.c"};
    lt_code code = LT_EINPUT;
    const char *what = argc > 1 ? argv[1] : "";
    int n[8] = {0};

    for (int i = 3; i < argc && i < 11; i++) n[i - 3] = argv[i][0] == 's' ? 1 : atoi(argv[i]);
    if (strcmp(what, "dot") == 0 && argc == 7)
        code = lt_csa_emit_dot(argv[2], n[0], n[1], n[2], n[3], 0, &out, &err);
    else if (strcmp(what, "recode") == 0 && argc == 7)
        code = lt_csa_emit_recode(argv[2], n[0], n[1], n[2], n[3], 0, &out, &err);
    else if (strcmp(what, "mul") == 0 && argc == 8)
        code = lt_csa_emit_mul(argv[2], n[0], n[1], n[2], n[3], n[4], &out, &err);
    else if (strcmp(what, "sum") == 0 && argc == 8)
        code = lt_csa_emit_sum(argv[2], n[0], n[1], n[2], n[3], n[4], &out, &err);
    else if (strcmp(what, "pq_sum") == 0 && argc == 6)
        code = lt_csa_emit_pq_sum(argv[2], n[0], n[1], n[2], &out, &err);
    if (code == LT_OK && fwrite(out.data, 1, out.len, stdout) != out.len) code = LT_EIO;
    if (code != LT_OK) fprintf(stderr, "csa_emit: %s\n", err.msg);
    lt_buf_free(&out);
    return lt_exit_code(code);
}
