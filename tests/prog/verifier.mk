# SPDX-License-Identifier: GPL-2.0-or-later
# Every program before the verifier, with the capabilities that the loader has in production.
BPF_OBJECTS := $(patsubst bpf/%.bpf.c,$(B)/%.bpf.o,$(wildcard bpf/*.bpf.c))
VERIFIER    := setpriv --bounding-set=-all,+bpf,+net_admin,+perfmon $(PROG)/verifier

$(PROG)/verifier: $(PROG)/verifier.o
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf

test-verifier: $(PROG)/verifier $(BPF_OBJECTS) ## every program before the verifier, and what that costs (root)
	$(VERIFIER) --check tests/prog/verifier.baseline $(BPF_OBJECTS)

.PHONY: test-verifier
