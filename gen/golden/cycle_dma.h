/* Cycle models of the two DMA engines (lutra_dma_rd, lutra_dma_wr) on a stall-free memory; part of the shell's model
 * and not public. Names follow the Verilog. Each *_look computes what is visible in a cycle, each *_edge takes its
 * clock edge. */
#ifndef LUTRA_GOLDEN_CYCLE_DMA_H
#define LUTRA_GOLDEN_CYCLE_DMA_H

#include <stdbool.h>
#include <stdint.h>

enum { LT_RD_BURST = 16, LT_WR_BURST = 64, LT_RD_BURSTS = 4, LT_WR_BURSTS = 2 }; /* parameters of lutra_shell */

/* lutra_dma_addr: addresses and lengths in beats */
typedef struct {
    enum { GEN_IDLE, GEN_BURST, GEN_STEP } state;
    uint32_t addr, row_addr, stride, rows, left;
} lt_gen;

/* What both engines get with a descriptor. */
typedef struct {
    uint32_t addr, stride; /* beats */
    uint32_t rows, words_m1, row_m1 /* beats */;
    uint32_t last_step; /* of a beat or a word: ratio minus one */
    bool wide;          /* several beats per word */
    bool profile;
    unsigned signal; /* two bits */
} lt_dma_cmd;

typedef enum { CMD_EMPTY, CMD_WAIT, CMD_RUN } lt_cmd_state;

typedef struct {
    /* issue side */
    lt_cmd_state cmd;
    lt_dma_cmd c;
    bool c_pass, ar_valid;
    lt_gen gen;
    /* bursts on their way, oldest first */
    int bursts;
    struct {
        uint64_t due;
        uint32_t beats;
        bool fetch, last;
    } burst[LT_RD_BURSTS];
    /* data side */
    bool d_busy, d_last, full;
    lt_dma_cmd d;
    uint32_t d_left, sub;
} lt_rd;

typedef struct {
    bool rready, beat, burst_end, take, beat_end, done, pass, fetch_last;
} lt_rd_look;

lt_rd_look lt_rd_see(const lt_rd *m, uint64_t now);
/* set: a LOAD is handed over (NULL: none); go: its tokens are there; fetch: a descriptor of that many beats is wanted;
 * returns whether the fetch was taken. */
bool lt_rd_edge(lt_rd *m, const lt_rd_look *l, uint64_t now, int latency, const lt_dma_cmd *set, bool go,
                uint32_t fetch);

typedef struct {
    lt_cmd_state cmd;
    lt_dma_cmd c;
    bool aw_valid;
    uint32_t aw_len, next_len;
    bool next_valid, run, held, held_beat_end, held_last, beat_valid, beat_last;
    lt_gen gen;
    uint32_t left, row_left, sub;
    int bursts;
    int responses;
    uint64_t response[LT_WR_BURSTS]; /* due, oldest first */
} lt_wr;

typedef struct {
    bool done, beat, b_take;
} lt_wr_look;

lt_wr_look lt_wr_see(const lt_wr *m, uint64_t now);
void lt_wr_edge(lt_wr *m, const lt_wr_look *l, uint64_t now, int latency, const lt_dma_cmd *set, bool go);

#endif
