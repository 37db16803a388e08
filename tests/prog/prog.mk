# SPDX-License-Identifier: GPL-2.0-or-later
PROG := $(B)/tests/prog

$(PROG)/run: $(addprefix $(PROG)/,run.o compare.o fixtures.o harness.o) $(B)/libzt6.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# Debian's scapy lives where Debian's own Python finds it.
$(PROG)/cases.json: $(wildcard tests/prog/*.py)
	@mkdir -p $(@D)
	/usr/bin/python3 -B tests/prog/make_cases.py > $@.tmp && mv $@.tmp $@

test-prog: $(PROG)/run $(PROG)/cases.json ## golden packets through the real programs, in XDP and in TC (root)
	$(PROG)/run $(PROG)/cases.json tests/prog/topology.sh
	$(PROG)/run --tc $(PROG)/cases.json tests/prog/topology.sh

.PHONY: test-prog
