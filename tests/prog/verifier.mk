# SPDX-License-Identifier: GPL-2.0-or-later
# Every program before the verifier, with the capabilities that the loader has in production. Finding
# functions of conntrack in a module takes CAP_SYS_ADMIN.
BPF_OBJECTS := $(patsubst bpf/%.bpf.c,$(B)/%.bpf.o,$(wildcard bpf/*.bpf.c))
VERIFIER    := setpriv --bounding-set=-all,+bpf,+net_admin,+perfmon,+sys_admin $(PROG)/verifier

$(PROG)/verifier: $(PROG)/verifier.o
	$(CC) $(LDFLAGS) -o $@ $^ -lbpf

test-verifier: $(PROG)/verifier $(BPF_OBJECTS) ## every program before the verifier, and what that costs (root)
	-modprobe -q nf_conntrack
	$(VERIFIER) --check tests/prog/verifier.baseline $(BPF_OBJECTS)

.PHONY: test-verifier
