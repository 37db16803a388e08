# SPDX-License-Identifier: GPL-2.0-or-later
# The peers of the end-to-end tests and of the demo; they share no code with the gateway.

E2E_PEERS := $(addprefix $(B)/tests/e2e/,tapswitch sixinfour_peer flood storm stream crowd \
		pass.bpf.o drop.bpf.o zt6-bpf-newer)

$(B)/tests/e2e/%: tests/e2e/%.c tests/e2e/wire.h
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(CFLAGS) -o $@ $<

$(B)/tests/e2e/%.bpf.o: tests/e2e/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -O2 -g $(WARNINGS) -c -o $@ $<

# The same program but for its version: what an upgrade meets.
NEWER := $(shell grep -l ZT6_VERSION $(SOURCES))

$(B)/tests/e2e/newer/%.o: %.c $(B)/%.o
	@mkdir -p $(@D)
	$(CC) $(subst "$(VERSION)","9.9.9",$(CPPFLAGS)) $(CFLAGS) -c -o $@ $<

$(B)/tests/e2e/zt6-bpf-newer: $(NEWER:%.c=$(B)/tests/e2e/newer/%.o) $(B)/user/main.o $(B)/libzt6.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

e2e-peers: $(E2E_PEERS)

# Real kernels on a busy machine have timings of their own: what fails is run once more, and the
# report says how many were. Most of a test's time is waiting, for neighbours and timeouts: more of
# them run at once than there are CPUs. What measures, or takes from all namespaces, runs by itself.
E2E_JOBS   ?= $(shell echo $$((2 * $$(nproc))))
E2E_PYTEST := PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -rfER -p no:cacheprovider --reruns 1
# $(1): environment; $(2): files and folders
run_e2e = status=0; \
	$(1) $(E2E_PYTEST) -n $(E2E_JOBS) --dist loadfile -m 'not alone' $(2) || status=1; \
	$(1) $(E2E_PYTEST) -m alone $(2) || status=1; \
	exit $$status

test-e2e: $(B)/zt6-bpf $(E2E_PEERS) ## the gateway from outside: pytest over network namespaces
	@$(call run_e2e,ZT6_BUILD=$(abspath $(B)),tests/e2e)

# The agent with the compilers' eyes on memory and arithmetic. What they find ends a process with an
# error, and in a file: a daemon's end is not always looked at.
SANITIZED     := $(B)/sanitized
SANITIZE      := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SANITIZED_E2E := $(addprefix tests/e2e/test_,agent.py events.py scan.py freshness.py)

$(SANITIZED)/done: $(OBJECTS) $(E2E_PEERS)
	CFLAGS="-O1 -g $(SANITIZE)" LDFLAGS="-fsanitize=address,undefined" \
		$(MAKE) --no-print-directory B=$(SANITIZED) $(SANITIZED)/zt6-bpf
	mkdir -p $(SANITIZED)/tests && cp -r $(B)/tests/e2e $(SANITIZED)/tests/
	touch $@

test-sanitized: $(SANITIZED)/done ## the agent's end-to-end tests on a build with ASan and UBSan
	rm -f $(SANITIZED)/report.*
	@$(call run_e2e,ASAN_OPTIONS=log_path=$(abspath $(SANITIZED))/report \
		UBSAN_OPTIONS=print_stacktrace=1 ZT6_BUILD=$(abspath $(SANITIZED)),$(SANITIZED_E2E))
	@! cat $(SANITIZED)/report.* 2>/dev/null

.PHONY: e2e-peers test-e2e test-sanitized
