/* Random programs for the shell, and what they must do to memory. Programs cannot deadlock (whatever a descriptor waits
 * for is signalled by an earlier one) and have no races (engines that share a bank, a region or a core memory are
 * ordered by tokens). */
#ifndef LUTRA_TESTS_SHELL_PROG_H
#define LUTRA_TESTS_SHELL_PROG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/rng.h"
#include "config/config.h"

enum { MAX_DESC = 128, MAX_PROFILES = 32, MAX_WORDS = 1 << 16, N_REGIONS = 4 };
enum { REGION_BYTES = 64 * 1024, DESC_AREA = 16 * 1024 /* at the end of region 0 */, RECORD_BYTES = 32 };

/* A word that LOAD gives to the core. */
typedef struct {
    int target, address;
    uint32_t at; /* of its bytes in words_data */
} ld_word;

typedef struct {
    const lt_config *cfg;
    uint32_t desc[MAX_DESC][16];
    int n;
    uint32_t program;                               /* byte offset of the first descriptor from BASE0 */
    uint8_t *region[N_REGIONS], *expect[N_REGIONS]; /* before and after; BASE0..BASE3 */
    uint8_t *fb;                                    /* feature buffer of the reference */
    /* PROFILE records, in program order; their bytes in expect are not compared, but those that pad them */
    int profiles;
    struct {
        uint32_t region, offset;
        int mark; /* which marked operation, -1: none */
    } profile[MAX_PROFILES];
    int marks;
    ld_word word[MAX_WORDS];
    int words;
    uint8_t *word_data;
    uint32_t word_bytes;
    uint64_t read_beats, write_beats; /* with the fetches */
} program;

bool program_alloc(program *p, const lt_config *cfg);
void program_free(program *p);

/* A new random program of about `size` descriptors; region contents are drawn too. */
void program_make(program *p, lt_rng *rng, int size);

/* Puts p->desc to where the hardware reads them. */
void program_place(program *p);

#endif
