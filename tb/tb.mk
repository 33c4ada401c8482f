# Simulators and the tests of driver and testbench, for the root Makefile to include. It must set B (build folder) and
# LIBLUTRA (library of the host program), and have a rule that generates $(B)/CONFIG/CONFIG.f with what goes with it.
#
#   $(B)/CONFIG/sim/lutra_sim                 the simulator of a configuration, brought up to date
#   test-driver-cross test-tb-mock test-fuzz-image

# The register header is the same for every configuration; tests take this one's.
TB_CONFIG ?= tiny_ws
TB_HW      = $(B)/$(TB_CONFIG)/include

.SECONDEXPANSION:

# TRACE=1 builds a model that can write waveforms. What has to be rebuilt, tb/sim.mk knows.
$(B)/%/sim/lutra_sim: $(B)/$$*/$$*.f $(LIBLUTRA) tb-always
	@$(MAKE) --no-print-directory -s -f tb/sim.mk OUT=$(@D) RTL=$(B)/$*/$*.f HW=$(B)/$*/include LIB=$(LIBLUTRA) \
	    TRACE=$(TRACE)

.PHONY: tb-always test-driver-cross test-tb-mock test-fuzz-image
tb-always:

test-driver-cross: $(B)/$(TB_CONFIG)/$(TB_CONFIG).f
	tests/driver/cross.sh $(TB_HW)

test-tb-mock: $(B)/$(TB_CONFIG)/$(TB_CONFIG).f $(LIBLUTRA)
	tests/tb/mock.sh $(TB_HW) $(LIBLUTRA) $(B)/tb_mock

# Always with sanitizers, or it would find little.
FUZZ_IMAGE_SRC := tests/fuzz/fuzz_image.c sw_driver/lutra.c sw_driver/lutra_image.c sw_driver/lutra_result.c \
                  gen/program/image.c gen/program/expect.c $(wildcard gen/base/*.c)

$(B)/fuzz_image: $(FUZZ_IMAGE_SRC) $(wildcard sw_driver/*.h gen/program/*.h gen/base/*.h) \
                 $(B)/$(TB_CONFIG)/$(TB_CONFIG).f
	gcc -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wshadow -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -Igen -I$(TB_HW) $(FUZZ_IMAGE_SRC) -lz -lm -lpthread -o $@

test-fuzz-image: $(B)/fuzz_image
	$(B)/fuzz_image 50000 1
