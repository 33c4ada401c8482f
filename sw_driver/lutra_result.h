/* Result of every driver function. */
#ifndef LUTRA_RESULT_H
#define LUTRA_RESULT_H

typedef enum {
    LUTRA_OK = 0,
    LUTRA_BAD_ARG,     /* an argument is wrong or the handle is in the wrong state: the hardware was not touched */
    LUTRA_NO_DEVICE,   /* the ID register does not answer as an accelerator of this kind and version */
    LUTRA_MISMATCH,    /* image and hardware were generated from different configurations */
    LUTRA_BAD_MAGIC,   /* not a program image */
    LUTRA_BAD_VERSION, /* an image format this driver does not know */
    LUTRA_BAD_CRC,     /* the image is damaged */
    LUTRA_COMPRESSED,  /* the image must be uncompressed in memory */
    LUTRA_BAD_IMAGE,   /* a size or offset in the image is impossible */
    LUTRA_BUSY,        /* a run is in progress */
    LUTRA_TIMEOUT,     /* the hardware did not finish in the time allowed */
    LUTRA_HW_READ,     /* error codes 1..5 of the STATUS register: error response on a bus read, */
    LUTRA_HW_WRITE,    /* on a bus write, */
    LUTRA_HW_DESC,     /* a bad descriptor, */
    LUTRA_HW_BANK,     /* two engines in one memory bank, */
    LUTRA_HW_WATCHDOG, /* no progress for the watchdog's time */
    LUTRA_HW_OTHER,    /* the hardware reports an error code this driver does not know */
    LUTRA_RESULTS
} lutra_result;

/* A short text for messages, e.g. "image is damaged (CRC)". Never NULL. */
const char *lutra_result_text(lutra_result r);

#endif
