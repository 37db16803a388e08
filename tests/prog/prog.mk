# SPDX-License-Identifier: GPL-2.0-or-later
PROG := $(B)/tests/prog

$(PROG)/run: $(addprefix $(PROG)/,run.o compare.o fixtures.o harness.o) $(B)/libzt6.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# Debian's scapy lives where Debian's own Python finds it.
$(PROG)/cases.json: $(wildcard tests/prog/*.py)
	@mkdir -p $(@D)
	/usr/bin/python3 -B tests/prog/make_cases.py > $@.tmp && mv $@.tmp $@

# Each half keeps one CPU busy: with -j they share the time.
test-prog: test-prog-xdp test-prog-tc ## golden packets through the real programs, in XDP and in TC (root)

test-prog-xdp: $(PROG)/run $(PROG)/cases.json
	$(PROG)/run $(PROG)/cases.json tests/prog/topology.sh

test-prog-tc: $(PROG)/run $(PROG)/cases.json
	$(PROG)/run --tc $(PROG)/cases.json tests/prog/topology.sh

.PHONY: test-prog test-prog-xdp test-prog-tc
