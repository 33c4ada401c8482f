/* The bench of the shell test: verilated shell, memory, played core, register access. */
#ifndef LUTRA_TESTS_SHELL_BENCH_H
#define LUTRA_TESTS_SHELL_BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include "axi_mem.h"
#include "shell_core.h"
#include "shell_dut.h"
#include "shell_prog.h"

enum {
    REG_ID = 0x000,
    REG_FINGERPRINT = 0x008,
    REG_CONTROL = 0x00C,
    REG_STATUS = 0x010,
    REG_IRQ_ENABLE = 0x014,
    REG_IRQ_STATUS = 0x018,
    REG_IRQ_TEST = 0x01C,
    REG_BASE0 = 0x020,
    REG_PROGRAM = 0x030,
    REG_WATCHDOG = 0x034,
    REG_CYCLES = 0x040
};
enum { START = 1, ABORT = 2, BUSY = 1, DONE = 2, ERROR = 4, BUS_IDLE = 8 };
enum { ERR_READ = 1, ERR_WRITE, ERR_DESCRIPTOR, ERR_BANK, ERR_WATCHDOG };

/* What the bench counted until an operation with MARK was done. */
typedef struct {
    int layer;
    uint64_t cycle, busy, idle_busy, read_beats, write_beats;
    bool alone; /* no other operation was in the core */
} mark_seen;

typedef struct {
    dut *d;
    tb_pins p;
    exec_pins x;
    axi_mem mem;
    core core;
    uint64_t now;
    int lanes;
    const program *prog; /* load words are compared with its list; NULL: not */
    int words;           /* load words seen */
    mark_seen mark[MAX_DESC];
    int marks;
    uint64_t started;   /* first cycle that counts */
    uint64_t irq_since; /* cycle in which irq rose last */
    uint8_t *data[N_REGIONS];
    uint32_t address[N_REGIONS];
    uint32_t entropy; /* of the bus master's own delays */
    int checks;
} bench;

/* Ends the program with a message if the condition is false. */
#define CHECK(b, cond, ...)                                                                                            \
    do {                                                                                                               \
        (b)->checks++;                                                                                                 \
        if (!(cond)) bench_fail(b, __FILE__, __LINE__, #cond, __VA_ARGS__);                                            \
    } while (0)
void bench_fail(const bench *b, const char *file, int line, const char *cond, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 5, 6)));

bool bench_open(bench *b, const lt_config *cfg, uint32_t seed);
void bench_close(bench *b);

void bench_tick(bench *b);
void bench_reset(bench *b);
uint32_t bench_read(bench *b, uint32_t offset);
void bench_write(bench *b, uint32_t offset, uint32_t value);

/* A fresh memory behind the shell, holding the regions of p. */
void bench_memory(bench *b, const program *p, const axi_mem_config *mem);
/* Sets bases, program and interrupts and starts; b->started is set. */
void bench_start(bench *b, const program *p);
/* Ticks until irq or so many cycles; false: no irq. */
bool bench_wait(bench *b, uint64_t cycles);

#endif
