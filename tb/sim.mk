# Builds one simulator. Run from the project's root:
#
#   make -f tb/sim.mk OUT=build/pq16/sim RTL=build/pq16/pq16.f HW=build/pq16/include LIB=build/obj/liblutra.a
#
#   OUT    folder for everything that is built; the program is OUT/lutra_sim
#   RTL    file list, paths relative to itself
#   HW     folder with lutra_hw.h
#   LIB    library of the host program
#   TOP    top module                            (lutra_top)
#   TRACE  1: lutra_sim --trace writes waveforms; slower
#   PARAMS parameters of the top module, -GNAME=VALUE
#   XINIT  1: registers without reset start with random values by --seed
#   OPT    how hard the compiler works on the model  (-O2)

TOP   ?= lutra_top
TRACE ?=
XINIT ?=
OPT   ?= -O2
PARAMS ?=

CC        := gcc
VERILATOR ?= verilator
CFLAGS    := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Igen -I$(HW)
LDLIBS    := -lz -ljansson -lpthread -lm

C_SRC   := $(wildcard tb/*.c) sw_driver/lutra.c
C_OBJ   := $(C_SRC:%.c=$(OUT)/obj/%.o)
RTL_SRC := $(addprefix $(dir $(RTL)),$(shell sed -n 's/^\([^#+-].*\.vh\{0,1\}\)$$/\1/p' $(RTL) 2>/dev/null))

# --noassert etc.: the fastest model; checks of the RTL itself are the linters' and the formal flow's work
VFLAGS := --cc --exe --build --top-module $(TOP) $(PARAMS) --prefix Vdut -O3 --x-assign fast --noassert \
          --x-initial $(if $(XINIT),unique,fast) $(if $(TRACE),--trace-fst --trace-structs) \
          -CFLAGS "-O2 -I$(abspath tb)" -MAKEFLAGS "OPT_FAST=$(OPT) OPT_SLOW=-O0 OPT_GLOBAL=-O2"
# where the flags of the last build are kept: other flags are another model
STAMP := $(OUT)/flags$(if $(TRACE),.trace)$(if $(XINIT),.xinit)

.PHONY: all
all: $(OUT)/lutra_sim

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(STAMP):
	@mkdir -p $(OUT)
	@rm -rf $(OUT)/flags* $(OUT)/verilated
	@touch $@

# Verilator runs make: without our variables, some of which mean something else there
$(OUT)/lutra_sim: $(C_OBJ) $(LIB) tb/dut.cpp tb/dut.h tb/pins.h $(RTL) $(RTL_SRC) $(STAMP)
	env -u MAKEFLAGS -u MFLAGS $(VERILATOR) $(VFLAGS) -F $(RTL) $(abspath tb/dut.cpp) $(abspath $(C_OBJ) $(LIB)) -LDFLAGS "$(LDLIBS)" \
	    --Mdir $(OUT)/verilated -o $(abspath $@) > $(OUT)/build.log 2>&1 || { cat $(OUT)/build.log; exit 1; }

-include $(C_OBJ:.o=.d)
