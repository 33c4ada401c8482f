/* Classification on a bare Cortex-M4, with the accelerator's interrupt: the processor sleeps while the network runs.
 *
 * The program image and the picture are linked in, see network.S. The image lies in flash that the accelerator cannot
 * reach, so lutra_load copies it to RAM. Adapt addresses here and in baremetal_arm.ld. Builds with
 * sw_driver/{lutra,lutra_image,lutra_result}.c and mem.c. */
#include "../lutra.h"

#define ACCELERATOR_BASE 0x50000000u

/* SysTick and the interrupt controller of ARMv7-M. */
#define SYST_CSR   0xE000E010u
#define SYST_RVR   0xE000E014u
#define SYST_CVR   0xE000E018u
#define NVIC_ISER0 0xE000E100u

enum { CLOCK_HZ = 48000000, TICK_HZ = 1000 };             /* a tick is one millisecond */
enum { TIMEOUT_TICKS = 1000, WATCHDOG_CYCLES = 1000000 }; /* one second per picture */
enum { PROGRAM_BYTES = 512 * 1024, INPUT_BYTES = 64 * 1024, OUTPUT_BYTES = 4 * 1024, SCRATCH_BYTES = 256 * 1024 };

extern const uint8_t network_lpi[], network_lpi_end[], picture[];
extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

int main(void);
void reset_handler(void);
void accelerator_handler(void);
void tick_handler(void);

/* For a debugger, or whatever the application does with it. */
volatile uint32_t predicted_class;
volatile lutra_result last_result;

static _Alignas(LUTRA_IMAGE_ALIGN) uint8_t program[PROGRAM_BYTES];
static _Alignas(LUTRA_IMAGE_ALIGN) uint8_t input[INPUT_BYTES];
static _Alignas(LUTRA_IMAGE_ALIGN) uint8_t output[OUTPUT_BYTES];
static _Alignas(LUTRA_IMAGE_ALIGN) uint8_t scratch[SCRATCH_BYTES];

static lutra dev;
static volatile uint32_t now;
static volatile bool woken;

static volatile uint32_t *word_at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

static uint32_t read32(void *context, uint32_t offset)
{
    (void)context;
    return *word_at(ACCELERATOR_BASE + offset);
}

static void write32(void *context, uint32_t offset, uint32_t value)
{
    (void)context;
    __asm__ volatile("dsb" ::: "memory"); /* buffers are in memory before the command is */
    *word_at(ACCELERATOR_BASE + offset) = value;
}

static uint32_t ticks(void *context)
{
    (void)context;
    return now;
}

/* With interrupts masked wfi still wakes on a pending one, so an event between test and sleep is not lost. SysTick
 * wakes the processor at least once per tick, so the driver's timeout works without the accelerator. */
static void wait_irq(void *context, uint32_t most)
{
    (void)context;
    (void)most;
    __asm__ volatile("cpsid i" ::: "memory");
    if (!woken) __asm__ volatile("wfi");
    woken = false;
    __asm__ volatile("cpsie i\nisb" ::: "memory");
}

void accelerator_handler(void)
{
    if (lutra_isr(&dev)) woken = true;
}

void tick_handler(void)
{
    now++;
}

static lutra_buffer buffer(void *p, uint32_t bytes)
{
    return (lutra_buffer){p, (uint32_t)(uintptr_t)p, bytes};
}

static lutra_result set_up(lutra_image *image)
{
    lutra_config config = {
        /* a Cortex-M4 has no data cache; one with a cache gives cache_clean and cache_invalidate here */
        .hal = {.read32 = read32, .write32 = write32, .ticks = ticks, .wait_irq = wait_irq},
        .buffer = {[LUTRA_BASE_PROGRAM] = buffer(program, sizeof program),
                   [LUTRA_BASE_INPUT] = buffer(input, sizeof input),
                   [LUTRA_BASE_OUTPUT] = buffer(output, sizeof output),
                   [LUTRA_BASE_SCRATCH] = buffer(scratch, sizeof scratch)},
        .timeout = TIMEOUT_TICKS,
        .watchdog = WATCHDOG_CYCLES,
    };
    lutra_result r = lutra_image_open(image, network_lpi, (size_t)(network_lpi_end - network_lpi));

    if (r == LUTRA_OK) r = lutra_init(&dev, &config);
    if (r == LUTRA_OK) r = lutra_load(&dev, image);
    if (r == LUTRA_OK) r = lutra_test_irq(&dev); /* is the interrupt wired? */
    return r;
}

int main(void)
{
    static lutra_image image;
    static int16_t logits[16];

    *word_at(SYST_RVR) = CLOCK_HZ / TICK_HZ - 1;
    *word_at(SYST_CVR) = 0;
    *word_at(SYST_CSR) = 7; /* processor clock, interrupt, enable */
    *word_at(NVIC_ISER0) = 1;

    lutra_result r = set_up(&image);
    while (r == LUTRA_OK) {
        uint32_t classes = image.classes < 16 ? image.classes : 16;
        r = lutra_run(&dev, picture);
        if (r == LUTRA_OK) r = lutra_logits(&dev, logits, classes);
        if (r == LUTRA_OK) predicted_class = lutra_argmax(logits, classes);
        /* a glitch on the bus costs one picture, not the device */
        if (r != LUTRA_OK && lutra_recover(&dev) == LUTRA_OK) r = LUTRA_OK;
    }
    last_result = r;
    return (int)r;
}

void reset_handler(void)
{
    for (uint32_t *to = data_start, *from = data_load; to < data_end;) *to++ = *from++;
    for (uint32_t *p = bss_start; p < bss_end;) *p++ = 0;
    main();
    for (;;) __asm__ volatile("wfi");
}

static void fault(void)
{
    for (;;) __asm__ volatile("wfi");
}

typedef void (*handler)(void);
typedef union {
    uint32_t *stack;
    handler run;
} vector;

__attribute__((section(".vectors"), used)) static const vector vectors[17] = {
    {.stack = stack_top},
    {.run = reset_handler},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = fault},
    {.run = tick_handler},
    {.run = accelerator_handler},
};
