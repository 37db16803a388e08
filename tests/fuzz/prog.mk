# SPDX-License-Identifier: GPL-2.0-or-later
PROG_FUZZ := $(addprefix $(B)/tests/,fuzz/prog_fuzz.o fuzz/prog_mutate.o fuzz/prog_oracle.o \
	prog/fixtures.o prog/harness.o)

$(B)/tests/fuzz/prog_fuzz: $(PROG_FUZZ) $(B)/libzt6.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

fuzz-smoke: $(B)/tests/fuzz/prog_fuzz $(B)/tests/prog/cases.json ## mutated frames through the real programs, under a minute (root)
	$(B)/tests/fuzz/prog_fuzz $(B)/tests/prog/cases.json tests/prog/topology.sh

.PHONY: fuzz-smoke
