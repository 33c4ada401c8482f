/* AXI4 memory with latency, bandwidth limit, random stalls, faults on demand, and a protocol checker.
 *
 * Without stalls: an address is taken at once, the first read beat is valid `latency` cycles later, then one beat per
 * cycle in order; write data are taken at once and the response is valid `latency` cycles after the last beat
 * (docs/architecture.md, section 9).
 *
 * It is the least helpful memory that AXI allows: a read sees memory as it was when its address was taken, a write is
 * done only when its response is. A program that does not wait for write responses is found out. */
#ifndef LUTRA_TB_AXI_MEM_H
#define LUTRA_TB_AXI_MEM_H

#include <stdbool.h>
#include <stdint.h>
#include "base/rng.h"
#include "pins.h"

enum { AXI_MEM_REGIONS = 8, AXI_MEM_SLOTS = 16, AXI_MEM_BEATS = 256, AXI_MEM_MESSAGES = 8 };

typedef struct {
    int bus_bytes;
    int latency;      /* cycles, at least 1 */
    int stall;        /* per cent of cycles in which a channel is held up, each on its own: 0..95 */
    double bandwidth; /* bytes per cycle, reads and writes together; 0: as wide as the bus in both directions */
    uint64_t seed;    /* of the stalls */
    int max_burst;    /* beats; longer ones are violations. 0: 256 */
    int max_reads;    /* outstanding bursts; more are violations. 0: AXI_MEM_SLOTS */
    int max_writes;
    /* faults: number of the burst (from 0) they befall, -1: none */
    int64_t fail_read, fail_write; /* error response */
    int64_t hang_read, hang_write; /* no answer, nor to any later burst */
} axi_mem_config;

/* Part of the address space; the rest answers with an error and is a violation. */
typedef struct {
    const char *name;
    uint32_t address, bytes;
    bool writable;
    uint8_t *data;
} axi_region;

/* A read burst: data as they were when the address was taken. */
typedef struct {
    uint64_t due; /* cycle in which its first beat may be valid */
    int beats, given;
    uint8_t id, resp;
    bool hangs;
    uint8_t data[AXI_MEM_BEATS * 4 * TB_BUS_WORDS];
} axi_read;

/* A write burst; address and data may come in either order. */
typedef struct {
    uint64_t due; /* cycle in which its response may be valid, once address and data are there */
    bool has_address, has_data;
    uint32_t address;
    int beats, got;
    uint8_t id, resp;
    bool hangs;
    uint64_t strobe[AXI_MEM_BEATS];
    uint8_t data[AXI_MEM_BEATS * 4 * TB_BUS_WORDS];
} axi_write;

typedef struct {
    axi_mem_config cfg;
    int bus_shift; /* log2 of bus_bytes */
    uint64_t cycle;
    lt_rng rng;
    uint32_t stall_below; /* stall if a random byte is below */
    int64_t tokens, rate; /* bandwidth, in 1/256 byte */

    axi_region region[AXI_MEM_REGIONS];
    int regions;

    axi_read read[AXI_MEM_SLOTS];
    uint64_t reads_in, reads_out; /* bursts taken, finished */
    axi_write write[AXI_MEM_SLOTS];
    uint64_t writes_addr, writes_data, writes_out;
    uint64_t read_beats, write_beats;

    tb_pins before; /* the last cycle's pins, for the rule that a waiting channel must not change */
    bool ar_waits, aw_waits, w_waits;

    int violations;
    char message[AXI_MEM_MESSAGES][200]; /* the first few, each with its cycle */
} axi_mem;

/* cfg must be sane: bus_bytes a power of two from 4 to 64, latency >= 1. */
void axi_mem_init(axi_mem *m, const axi_mem_config *cfg);
/* data stays the caller's. */
void axi_mem_add(axi_mem *m, const char *name, uint32_t address, uint32_t bytes, bool writable, uint8_t *data);

/* After dut_cycle: takes what the design drove in this cycle and sets the memory's pins for the next one. */
void axi_mem_step(axi_mem *m, tb_pins *p);

/* Bursts on their way. */
static inline bool axi_mem_idle(const axi_mem *m)
{
    return m->reads_in == m->reads_out && m->writes_addr == m->writes_out && m->writes_data == m->writes_out;
}

#endif
