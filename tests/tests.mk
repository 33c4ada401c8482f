# Tests; the root Makefile includes this. `make test` runs every suite and adds them up.

UNIT_SRC  := $(wildcard tests/unit/test_*.c)
UNIT_BIN  := $(UNIT_SRC:%.c=$(O)/%)
TEST_LOGS := $(B)/test
# header of the registers, the same for every configuration
UNIT_FLAGS = -Isw_driver -Itb -I. -I$(TB_HW) -DLUTRA_ROOT=\"$(CURDIR)\"

$(UNIT_BIN): $(O)/%: %.c $(LIBLUTRA) | $(B)/$(TB_CONFIG)/.gen
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(UNIT_FLAGS) -MMD -MP -MF $@.d $< $(LIBLUTRA) -lcmocka $(LDLIBS) -o $@

$(B)/fuzz_config: tests/fuzz/fuzz_config.c $(LIBLUTRA)
	$(CC) $(CFLAGS) $< $(LIBLUTRA) $(LDLIBS) -o $@

.PHONY: unit-tests
unit-tests: $(UNIT_BIN) $(O)/lutra $(B)/fuzz_config

# name=command of every suite; unit tests and command-line tests run with sanitizers
UNIT_SUITES = $(foreach t,$(UNIT_BIN),'$(notdir $(t))=cd $(TEST_LOGS)/scratch && $(abspath $(t))')
SUITES = $(UNIT_SUITES) \
    'cli=tests/cli/run.sh --lutra $(abspath $(O)/lutra)' \
    'fuzz-config=$(B)/fuzz_config 20000 $(SEED)' \
    'fuzz-image=$(MAKE) -s test-fuzz-image SAN=' \
    'driver-cross=$(MAKE) -s test-driver-cross SAN=' \
    'tb-mock=$(MAKE) -s test-tb-mock SAN=' \
    'rtl-csa=tests/rtl/csa_equiv.sh' \
    'rtl-exec-mac=tests/rtl/exec_mac.sh -s $(SEED)' \
    'rtl-exec-pq=SEED=$(SEED) tests/rtl/exec_pq.sh' \
    'rtl-shell=tests/rtl/shell.sh -s $(SEED)' \
    'rtl-mac-array=SEED=$(SEED) tests/rtl/mac_array.sh' \
    'rtl-mac-study=SEED=$(SEED) tests/rtl/mac_study.sh' \
    'rtl-requant=SEED=$(SEED) tests/rtl/requant.sh' \
    'formal=tests/formal/run.sh' \
    'networks=tests/e2e/networks.sh -s $(SEED)' \
    'gate-level=tests/e2e/gate_level.sh -s $(SEED)' \
    $(if $(wildcard tests/flows/run.sh),'flows=tests/flows/run.sh')

.PHONY: test test-run test-san
test: deps ## installs what is missing, runs every test; the last line is `N passed, N failed`
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@$(MAKE) --no-print-directory -s -j$(JOBS) SAN=1 unit-tests
	@$(MAKE) --no-print-directory -s SAN=1 test-run

test-run:
	@mkdir -p $(TEST_LOGS)/scratch
	@tests/run.sh $(TEST_LOGS) $(SUITES)
