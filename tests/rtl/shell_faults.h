/* Faults and commands: each must end as documented, and a good program must run right afterwards. */
#ifndef LUTRA_TESTS_SHELL_FAULTS_H
#define LUTRA_TESTS_SHELL_FAULTS_H

#include "shell_bench.h"

/* Returns how many faults were tried; ends the program on a failure. */
int shell_faults(bench *b, program *p, uint64_t seed);

#endif
