/* A simulated system: accelerator, memory, processor with the real driver. */
#ifndef LUTRA_TB_SIM_H
#define LUTRA_TB_SIM_H

#include "base/err.h"
#include "hal.h"
#include "options.h"

typedef struct {
    const tb_options *options;
    const lutra_image *image;
    tb_hal hal;
    axi_mem mem;
    lutra dev;
} tb_sim;

/* What one image cost, in clock cycles. */
typedef struct {
    lutra_counters counters;
    lutra_profile *profile;           /* [image->profile_count] */
    uint64_t start, end;              /* clock when the driver was called and when it returned */
    uint64_t seen;                    /* from START to the interrupt, by the testbench's clock; 0 when polling */
    uint64_t read_beats, write_beats; /* by the memory */
    int16_t *logits;                  /* [image->batch][image->classes] */
} tb_run;

/* Builds the system, resets it and loads the program. NULL with a message on failure; latency is the memory's. */
tb_sim *tb_sim_open(const tb_options *o, const lutra_image *image, int latency, lt_err *err);
void tb_sim_close(tb_sim *s);

/* Lets a memory fault hit the next run. */
void tb_sim_fault(tb_sim *s, tb_fault kind, int64_t burst);

/* One image through the driver; run's arrays are allocated by tb_run_alloc. Protocol violations, counters that disagree
 * with what the testbench saw and driver errors are LT_EINTERNAL with a message; *result is the driver's. */
lt_code tb_sim_image(tb_sim *s, const uint8_t *pixels, tb_run *run, lutra_result *result, lt_err *err);

lt_code tb_run_alloc(const lutra_image *image, tb_run *run, lt_err *err);
void tb_run_free(tb_run *run);

#endif
