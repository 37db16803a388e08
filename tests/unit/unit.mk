# SPDX-License-Identifier: GPL-2.0-or-later
UNIT_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*_test.c))

$(B)/tests/unit/%_test: $(B)/tests/unit/%_test.o $(B)/libzt6.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# The command line is tested on the program itself.
$(B)/tests/unit/cli_test.o: CPPFLAGS += -DZT6_BPF='"$(B)/zt6-bpf"'

test-unit: $(UNIT_TESTS) $(B)/zt6-bpf ## configuration, addresses, command line (no privilege)
	@status=0; for test in $(UNIT_TESTS); do $$test || status=1; done; exit $$status

.PHONY: test-unit
