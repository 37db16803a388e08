# SPDX-License-Identifier: GPL-2.0-or-later
# The peers of the end-to-end tests and of the demo; they share no code with the gateway.

E2E_PEERS := $(addprefix $(B)/tests/e2e/,tapswitch sixinfour_peer pass.bpf.o)

$(B)/tests/e2e/%: tests/e2e/%.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE $(CFLAGS) -o $@ $<

$(B)/tests/e2e/%.bpf.o: tests/e2e/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -O2 -g $(WARNINGS) -c -o $@ $<

e2e-peers: $(E2E_PEERS)

# Real kernels on a busy machine have timings of their own: what fails is run once more, and the
# report says how many were.
test-e2e: $(B)/zt6-bpf $(E2E_PEERS) ## the gateway from outside: pytest over network namespaces
	ZT6_BUILD=$(abspath $(B)) PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider --reruns 1 tests/e2e

.PHONY: e2e-peers test-e2e
