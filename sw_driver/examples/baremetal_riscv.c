/* One classification on a bare RISC-V microcontroller (rv32imc), polling.
 *
 * The program image is linked in as the symbols network_lpi .. network_lpi_end, the picture as picture: see network.S.
 * The image must be uncompressed and aligned to 64 bytes; weights are then used where they lie. Adapt the addresses
 * below and in baremetal_riscv.ld. Builds with sw_driver/{lutra,lutra_image,lutra_result}.c and mem.c. */
#include "../lutra.h"

/* Where the accelerator's registers are. */
#define ACCELERATOR_BASE 0x40000000u
/* A memory-mapped timer, low word (CLINT mtime, 10 MHz). */
#define MTIME_LOW 0x0200BFF8u
/* Transmit register of a 16550 UART. */
#define UART_TX 0x10000000u

enum { TIMEOUT_TICKS = 10000000, WATCHDOG_CYCLES = 1000000 };
enum { INPUT_BYTES = 64 * 1024, OUTPUT_BYTES = 4 * 1024, SCRATCH_BYTES = 256 * 1024 };

extern const uint8_t network_lpi[], network_lpi_end[], picture[];

static _Alignas(LUTRA_IMAGE_ALIGN) uint8_t input[INPUT_BYTES];
static _Alignas(LUTRA_IMAGE_ALIGN) uint8_t output[OUTPUT_BYTES];
static _Alignas(LUTRA_IMAGE_ALIGN) uint8_t scratch[SCRATCH_BYTES];

static volatile uint32_t *word_at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

static uint32_t read32(void *context, uint32_t offset)
{
    (void)context;
    uint32_t value = *word_at(ACCELERATOR_BASE + offset);
    __asm__ volatile("fence" ::: "memory");
    return value;
}

static void write32(void *context, uint32_t offset, uint32_t value)
{
    (void)context;
    __asm__ volatile("fence" ::: "memory"); /* buffers are in memory before the command is */
    *word_at(ACCELERATOR_BASE + offset) = value;
}

static uint32_t ticks(void *context)
{
    (void)context;
    return *word_at(MTIME_LOW);
}

static void print(const char *s)
{
    while (*s) *(volatile uint8_t *)(uintptr_t)UART_TX = (uint8_t)*s++;
}

static uint32_t address_of(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

static lutra_result classify(uint32_t *best)
{
    static lutra dev;
    static lutra_image image;
    static int16_t logits[16];

    lutra_result r = lutra_image_open(&image, network_lpi, (size_t)(network_lpi_end - network_lpi));
    if (r != LUTRA_OK) return r;
    lutra_config config = {
        .hal = {.read32 = read32, .write32 = write32, .ticks = ticks}, /* no caches, no interrupt */
        .buffer = {[LUTRA_BASE_PROGRAM] = {(void *)(uintptr_t)image.blob, address_of(image.blob), image.blob_bytes},
                   [LUTRA_BASE_INPUT] = {input, address_of(input), sizeof input},
                   [LUTRA_BASE_OUTPUT] = {output, address_of(output), sizeof output},
                   [LUTRA_BASE_SCRATCH] = {scratch, address_of(scratch), sizeof scratch}},
        .timeout = TIMEOUT_TICKS,
        .watchdog = WATCHDOG_CYCLES,
    };
    uint32_t classes = image.classes < 16 ? image.classes : 16;

    r = lutra_init(&dev, &config);
    if (r == LUTRA_OK) r = lutra_load(&dev, &image);
    if (r == LUTRA_OK) r = lutra_run(&dev, picture);
    if (r == LUTRA_OK) r = lutra_logits(&dev, logits, classes);
    if (r == LUTRA_OK) *best = lutra_argmax(logits, classes);
    return r;
}

int main(void)
{
    uint32_t best = 0;
    lutra_result r = classify(&best);

    if (r != LUTRA_OK) {
        print(lutra_result_text(r));
    } else {
        char digits[3] = {(char)('0' + best / 10), (char)('0' + best % 10), '\0'};
        print("class ");
        print(digits);
    }
    print("\n");
    return (int)r;
}

/* Reset: stack pointer, zeroed variables, main, then wait for ever. */
__attribute__((naked, section(".text.start"))) void _start(void)
{
    __asm__ volatile("la sp, stack_top\n"
                     "la a0, bss_start\n"
                     "la a1, bss_end\n"
                     "1: bgeu a0, a1, 2f\n"
                     "sw zero, 0(a0)\n"
                     "addi a0, a0, 4\n"
                     "j 1b\n"
                     "2: call main\n"
                     "3: wfi\n"
                     "j 3b\n");
}
