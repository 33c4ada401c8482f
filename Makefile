# Lutra: generate, simulate, synthesise and compare lookup accelerators. `make help` lists the targets.

CONFIG  ?= pq16
CONFIGS ?= ws16 ews16 pq16 pq8
MODEL   ?= resnet20
IMAGES  ?= 4
LATENCY ?= 20
SEED    ?= 1
DATA    ?=
LIB     ?=
FPGA    ?=
LAYER   ?=
TRACE   ?=
STALL   ?= 0
JOBS    ?= $(shell nproc)

B      := build
LUTRA  := $(B)/lutra
export LUTRA_JOBS := $(JOBS)
export DATA

# ---- host program ------------------------------------------------------------------------------------------------
# SAN=1 builds the library, the program and the unit tests with address and undefined-behaviour sanitizers.
O        := $(B)/$(if $(SAN),san,obj)
SANFLAGS := $(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
comma    := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CC       := gcc
CFLAGS   := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Igen -I$(B)/onnx \
            -DLUTRA_SHARE=\"$(CURDIR)\" $(SANFLAGS)
LDLIBS   := -lprotobuf-c -lzip -lz -lyaml -ljansson -lopenblas -lpthread -lm

LIB_SRC  := $(wildcard gen/*/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o) $(O)/onnx.pb-c.o $(O)/sw_driver/lutra_image.o $(O)/sw_driver/lutra_result.o
MAIN_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard gen/*.c))
LIBLUTRA := $(O)/liblutra.a

.PHONY: help
help: ## this list
	@echo 'make TARGET [CONFIG=$(CONFIG)] [MODEL=$(MODEL)] [IMAGES=$(IMAGES)] [DATA=dir] ...'
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  %-14s %s\n", $$1, $$2}'
	@echo 'Configurations: $(basename $(notdir $(wildcard configs/*.yaml)))'

.PHONY: all
all: $(LUTRA)

$(B)/onnx/onnx.pb-c.c: /usr/include/onnx/onnx.proto
	@mkdir -p $(@D)
	protoc-c --proto_path=/usr/include/onnx --c_out=$(@D) onnx.proto

$(B)/onnx/onnx.pb-c.h: $(B)/onnx/onnx.pb-c.c

$(O)/onnx.pb-c.o: $(B)/onnx/onnx.pb-c.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c $< -o $@

$(O)/%.o: %.c | $(B)/onnx/onnx.pb-c.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# golden/fast*.c are inner loops: let the compiler unroll and vectorise them
$(O)/gen/golden/fast%.o: CFLAGS += -O3

$(LIBLUTRA): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(O)/lutra: $(MAIN_OBJ) $(LIBLUTRA)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

$(LUTRA): $(if $(SAN),,$(O)/lutra)
	@ln -sf $(if $(SAN),san,obj)/lutra $@

-include $(LIB_OBJ:.o=.d) $(MAIN_OBJ:.o=.d)
