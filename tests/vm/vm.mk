# SPDX-License-Identifier: GPL-2.0-or-later
# Debian 12's own kernel (6.1) in QEMU: the oldest that the programs run on, and one with sit,
# 802.1Q, dummy and netem.
VM         := $(B)/vm
VM_SECONDS := 3000
VM_BOOT    := tests/vm/boot --seconds $(VM_SECONDS) $(VM)/kernel
VM_FLOODS  := tests/vm/boot --seconds 900 --cpus 1 $(VM)/kernel

$(VM)/kernel/version: tests/vm/kernel
	tests/vm/kernel $(@D)

# What runs there is built here: the guest is slow.
test-vm: $(VM)/kernel/version $(B)/zt6-bpf $(E2E_PEERS) ## the same on Debian's own kernel in QEMU (root)
test-vm: $(PROG)/run $(PROG)/cases.json $(PROG)/verifier
	status=0; \
	$(VM_FLOODS) tests/vm/floods $(abspath $(B)) || status=1; \
	$(VM_BOOT) tests/vm/suites $(abspath $(B)) || status=1; \
	exit $$status

# Measures the running kernel and Debian's; the lines of other kernels stay.
verifier-baseline: $(VM)/kernel/version $(PROG)/verifier $(BPF_OBJECTS) ## accept what the verifier needs (root)
	$(VERIFIER) $(BPF_OBJECTS) > $(VM)/measured
	$(VM_BOOT) sh -c 'modprobe nf_conntrack; $(VERIFIER) $(BPF_OBJECTS)' >> $(VM)/measured
	awk 'FNR == NR { new[$$1]; lines = lines $$0 "\n"; next } !($$1 in new); END { printf "%s", lines }' \
		$(VM)/measured tests/prog/verifier.baseline > $(VM)/baseline
	cp $(VM)/baseline tests/prog/verifier.baseline

.PHONY: test-vm verifier-baseline
