# Lutra: generate, simulate, synthesise and compare lookup accelerators. `make help` lists the targets.

CONFIG  ?= pq16
CONFIGS ?= ws16 ews16 pq16 pq8
# trained networks of this project; resnet20 is the same with random weights
MODEL   ?= models/resnet20-$(if $(DATA),cifar10,procedural).onnx
IMAGES  ?= 4
BATCH   ?= 1
LATENCY ?= 20
SEED    ?= 1
DATA    ?=
LIB     ?=
NODE    ?=
GOAL    ?=
STORAGE ?=
FPGA    ?=
LAYER   ?=
TRACE   ?=
CALIB   ?=
STALL   ?=
JOBS    ?= $(shell nproc)
# some tests run in folders of their own
override DATA := $(abspath $(DATA))

# a pipeline fails if any part of it does
SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c

B      := build
LUTRA  := $(B)/lutra
export LUTRA_JOBS := $(JOBS)
export DATA

# ---- host program ------------------------------------------------------------------------------------------------
# SAN=1 builds the library, the program and the unit tests with address and undefined-behaviour sanitizers.
comma    := ,
O        := $(B)/$(if $(SAN),san,obj)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
CC       := gcc
CFLAGS   := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Igen -I$(B)/onnx \
            -DLUTRA_SHARE=\"$(CURDIR)\" $(SANFLAGS)
LDLIBS   := -ldnnl -lgomp -lprotobuf-c -lzip -lz -lyaml -ljansson -lopenblas -lpthread -lm

LIB_SRC  := $(wildcard gen/*/*.c)
LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o) $(O)/onnx.pb-c.o $(O)/sw_driver/lutra_image.o $(O)/sw_driver/lutra_result.o
MAIN_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard gen/*.c))
LIBLUTRA := $(O)/liblutra.a

.PHONY: help
help: ## this list
	@echo 'make TARGET [CONFIG=$(CONFIG)] [MODEL=$(MODEL)] [IMAGES=$(IMAGES)] [DATA=dir] ...'
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile tests/tests.mk | awk -F'\t' '{printf "  %-14s %s\n", $$1, $$2}'
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

# vectors are passed to inlined functions only: how else is of no matter
$(O)/gen/train/vec_%.o $(O)/gen/train/lookup_%.o: CFLAGS += -Wno-psabi

$(LIBLUTRA): $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(O)/lutra: $(MAIN_OBJ) $(LIBLUTRA)
	$(CC) $(CFLAGS) $^ $(LDLIBS) -o $@

$(LUTRA): $(B)/obj/lutra
	@ln -sf obj/lutra $@

-include $(wildcard $(O)/gen/*.d $(O)/gen/*/*.d $(O)/sw_driver/*.d $(O)/tests/unit/*.d $(O)/tb/*.d)

# ---- one accelerator ---------------------------------------------------------------------------------------------
# Everything of a configuration lies in build/CONFIG; a changed configuration rebuilds only its own folder.
ALL_CONFIGS := $(basename $(notdir $(wildcard configs/*.yaml)))
RTL_SOURCES := $(wildcard rtl_templates/*.v rtl_templates/*.v.in rtl_templates/*.vh rtl_templates/*/*.v constraints/*)
NET         := $(basename $(notdir $(MODEL)))
FLAVOUR     := $(if $(DATA),data,builtin)
DATA_FLAGS  := $(if $(DATA),--data $(DATA)) --seed $(SEED)
# programs of several images per run; IMAGES is a multiple of BATCH
BATCH_TAG   := $(if $(filter-out 1,$(BATCH)),.b$(BATCH))
PREP_FLAGS  := $(DATA_FLAGS) $(if $(CALIB),--calib-images $(CALIB))

tuned        = $(wildcard models/$(NET).$(1).lqn)

ifeq ($(filter $(CONFIG),$(ALL_CONFIGS)),)
$(error CONFIG: got $(CONFIG), expected one of $(ALL_CONFIGS))
endif

include tb/tb.mk

define config_rules
$(B)/$(1)/.gen: configs/$(1).yaml $(LUTRA) $(RTL_SOURCES)
	$(LUTRA) gen configs/$(1).yaml -o $(B)/$(1)
	@touch $$@

$(B)/$(1)/$(1).f: $(B)/$(1)/.gen ;

# a network tuned for the configuration ships with the project, or is made without training
$(B)/$(1)/$(FLAVOUR)/$(NET).lqn: configs/$(1).yaml $(LUTRA) $(call tuned,$(1)) | $(B)/$(1)/.gen
	@mkdir -p $$(@D)
ifneq ($(call tuned,$(1)),)
	cp $(call tuned,$(1)) $$@
else
	$(LUTRA) prep $(MODEL) --config configs/$(1).yaml $(PREP_FLAGS) -o $$@
endif
	@touch $$@ # equal contents are not written again

$(B)/$(1)/$(FLAVOUR)/$(NET)$(BATCH_TAG).lpi: $(B)/$(1)/$(FLAVOUR)/$(NET).lqn
	$(LUTRA) program configs/$(1).yaml $$< --latency $(LATENCY) $(if $(BATCH_TAG),--batch $(BATCH)) -o $$@

# every layer stored for comparison
$(B)/$(1)/$(FLAVOUR)/$(NET).dump$(LAYER).lpi: $(B)/$(1)/$(FLAVOUR)/$(NET).lqn
	$(LUTRA) program configs/$(1).yaml $$< --dump --latency $(LATENCY) $(if $(LAYER),--last-layer $(LAYER)) -o $$@

$(B)/$(1)/$(FLAVOUR)/$(NET).$(IMAGES).exp: $(B)/$(1)/$(FLAVOUR)/$(NET).lqn
	$(LUTRA) program configs/$(1).yaml $$< -o $(B)/$(1)/$(FLAVOUR)/$(NET).tmp.lpi -e $$@ -n $(IMAGES) $(DATA_FLAGS)
	@rm -f $(B)/$(1)/$(FLAVOUR)/$(NET).tmp.lpi

$(B)/$(1)/accuracy.json: $(B)/$(1)/$(FLAVOUR)/$(NET).lqn
	$(LUTRA) eval $$< --reference $(MODEL) --config configs/$(1).yaml $(DATA_FLAGS) --json $$@

.PHONY: sim-$(1) synth-$(1) measure-$(1)
sim-$(1): $(B)/$(1)/sim/lutra_sim $(B)/$(1)/$(FLAVOUR)/$(NET).dump$(LAYER).lpi $(B)/$(1)/$(FLAVOUR)/$(NET)$(BATCH_TAG).lpi \
          $(B)/$(1)/$(FLAVOUR)/$(NET).$(IMAGES).exp
	@echo '---- $(1): every layer against the golden model, random stalls'
	$$< $(B)/$(1)/$(FLAVOUR)/$(NET).dump$(LAYER).lpi --expect $(B)/$(1)/$(FLAVOUR)/$(NET).$(IMAGES).exp \
	    $(if $(LAYER),--layer $(LAYER)) --images $(IMAGES) --stall $(or $(STALL),25) --seed $(SEED) --latency $(LATENCY) \
	    $(if $(TRACE),--trace $(B)/$(1)/sim/$(NET).fst) --progress | tail -n 3
ifeq ($(LAYER),)
	@echo '---- $(1): $(IMAGES) images$(if $(STALL),$(comma) $(STALL) % stalls), against the golden model and the cycle model'
	$$< $(B)/$(1)/$(FLAVOUR)/$(NET)$(BATCH_TAG).lpi --expect $(B)/$(1)/$(FLAVOUR)/$(NET).$(IMAGES).exp --images $(IMAGES) \
	    $(if $(STALL),--stall $(STALL)) --seed $(SEED) --latency $(LATENCY) --json $(B)/$(1)/sim/$(NET).json --progress
endif

synth-$(1): $(B)/$(1)/$(1).f
	LUTRA=$(LUTRA) flows/synth.sh $(if $(LIB),--lib $(LIB)) $(if $(NODE),--node $(NODE)) $(if $(GOAL),--goal $(GOAL)) \
	    $(if $(STORAGE),--storage $(STORAGE)) $(if $(FPGA),--fpga $(FPGA)) $(B)/$(1)

# what the comparison needs of one configuration
measure-$(1): sim-$(1) synth-$(1) $(B)/$(1)/accuracy.json
endef
$(foreach c,$(ALL_CONFIGS),$(eval $(call config_rules,$(c))))

.PHONY: gen sim synth compare
gen: $(B)/$(CONFIG)/.gen ## Verilog, C headers, constraints, file lists of CONFIG -> build/CONFIG
	@echo $(B)/$(CONFIG)

sim: sim-$(CONFIG) ## run MODEL on CONFIG in Verilator, bit-exact (IMAGES= BATCH= LAYER= STALL= LATENCY= SEED= TRACE=1 DATA=)

synth: synth-$(CONFIG) ## area, Fmax, power of CONFIG (LIB=cells.lib, NODE=nm, GOAL=area|balanced|speed, STORAGE=ff|latch, FPGA=ice40|ecp5|xc7)

compare: $(addprefix measure-,$(CONFIGS)) ## performance per area of CONFIGS -> reports/compare.* (MODEL= LIB= DATA=)
	$(LUTRA) report compare --command "make compare$(if $(BATCH_TAG), BATCH=$(BATCH))$(if $(DATA), DATA=folder)$(if $(LIB), LIB=$(notdir $(LIB)))" --model $(NET) $(if $(LIB),--library $(LIB)) $(if $(REPORTS),--out $(REPORTS)) $(CONFIGS)

.PHONY: mac-study
mac-study: $(LUTRA) ## what a MAC of the conventional array costs, against other organisations -> reports/mac-study.* (LIB="a.lib b.lib.gz")
	LUTRA=$(abspath $(LUTRA)) $(if $(LIB),LIBS="$(LIB)") flows/mac_study.sh $(B)/mac_study reports

# ---- the study of product quantisation ---------------------------------------------------------------------------
.PHONY: study study-areas
study: $(LUTRA) ## accuracy of product quantisation by setting and training, and its front -> reports/pq-study.* (long; DATA=)
	LUTRA=$(LUTRA) MODEL=$(MODEL) DATA=$(DATA) flows/pq_study.sh rows

study-areas: $(LUTRA) ## cycles, area, Fmax of the accelerators that `make study` compares -> reports/explore-pq3.* (long; LIB=)
	LUTRA=$(LUTRA) MODEL=$(MODEL) DATA=$(DATA) LIB=$(LIB) flows/pq_study.sh areas

# ---- training -------------------------------------------------------------------------------------------------------
MODELS ?=
.PHONY: models train-bench
models: $(LUTRA) ## train the shipped models that are missing, or MODELS="file ...", and write models/README.md (long; DATA=)
	LUTRA=$(LUTRA) flows/models.sh $(MODELS)

$(B)/train_speed: tests/bench/train_speed.c $(B)/obj/liblutra.a
	$(CC) $(CFLAGS) $< $(B)/obj/liblutra.a $(LDLIBS) -o $@

train-bench: $(B)/train_speed ## training speed against PyTorch -> reports/train-speed.* (needs python3-torch)
	flows/train_bench.sh $<

# ---- what a configuration's keys are worth -----------------------------------------------------------------------
VARY ?=
.PHONY: explore
explore: $(LUTRA) ## variants of CONFIG side by side: VARY="KEY=VALUE[,KEY=VALUE] ..." -> reports/explore-CONFIG.*
	LUTRA=$(LUTRA) MODEL=$(MODEL) LIB=$(LIB) flows/explore.sh $(CONFIG) $(VARY)

# ---- first steps -------------------------------------------------------------------------------------------------
.PHONY: demo deps doctor clean
demo: deps ## the main job: installs what is missing, runs ResNet20 on three accelerators, compares them
	@flows/demo.sh $(MAKE) 'CONFIGS=ws16 ews16 pq16' IMAGES=2 REPORTS=$(B)/reports $(if $(DATA),DATA=$(DATA))

deps: ## install the Debian packages that are missing (root or sudo)
	@flows/deps.sh

doctor: ## which tools are here, and their versions
	@flows/doctor.sh

clean: ## remove everything that was built
	rm -rf $(B)

# ---- tests -------------------------------------------------------------------------------------------------------
include tests/tests.mk
