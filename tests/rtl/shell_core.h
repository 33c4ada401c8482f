/* The core that the shell test plays: an operation copies words of the feature buffer, with timing chosen by its
 * descriptor. lt_cycle_mac and lt_cycle_pq of this program are its cycle model.
 *
 * Fields: OUT_W words from IN_BASE to OUT_BASE, each XORed with LAYER and, with RES_EN, with the word at RES_BASE;
 * CODE_IN idle cycles before the first read, CHUNKS idle cycles after each read, CODE_OUT cycles from the last write to
 * op_done. A word is read in cycle i, its residual in i+1, the result written in i+2. */
#ifndef LUTRA_TESTS_SHELL_CORE_H
#define LUTRA_TESTS_SHELL_CORE_H

#include <stdbool.h>
#include "golden/cycle.h"
#include "shell_dut.h"

enum { CORE_OPS = 2 };

typedef struct {
    uint32_t desc[16];
    uint64_t start;
    lt_exec_time time;
} core_op;

typedef struct {
    lt_exec_state state;
    core_op op[CORE_OPS]; /* oldest first */
    int ops;
    uint64_t ready;
    uint32_t held[FB_WORD]; /* word read, until its residual is there */
    bool stuck;             /* operations never finish */
    bool overrun;           /* more than two operations were handed over */
    /* what the test checks against counters */
    uint64_t started, finished, busy, idle_busy;
} core;

/* Decides what the core drives in cycle `now` from the pins the shell shows in it. */
void core_drive(core *c, exec_pins *x, uint64_t now, int lanes);

/* Words that an operation copies, and what it does with one: out = in ^ res ^ layer. */
int core_words(const uint32_t desc[16]);
void core_word(const uint32_t desc[16], const uint8_t *in, const uint8_t *res, uint8_t *out, int lanes);

#endif
