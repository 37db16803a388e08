# SPDX-License-Identifier: GPL-2.0-or-later
IMPORT_FUZZ_RUNS    ?= 100000
IMPORT_FUZZ_SOURCES := tests/fuzz/import_fuzz.c user/addr.c user/log.c user/suggest.c \
	user/zerotier/api_parse.c user/zerotier/derive.c user/zerotier/json.c user/zerotier/service.c \
	$(wildcard user/conf*.c user/import/*.c)

$(B)/tests/fuzz/import_fuzz: $(IMPORT_FUZZ_SOURCES) $(wildcard user/*.h user/*/*.h include/*.h)
	@mkdir -p $(@D)
	$(CLANG) -g -O1 -std=gnu11 $(WARNINGS) $(CPPFLAGS) \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o $@ $(IMPORT_FUZZ_SOURCES) -ljansson

# The same inputs every time: a fixed seed, and a corpus that begins with one file of each kind.
fuzz-import: $(B)/tests/fuzz/import_fuzz ## the importers against random files
	@rm -rf $(B)/tests/fuzz/import && mkdir -p $(B)/tests/fuzz/import
	printf '0proxy eth0 {\n rule 2001:db8::/64 {\n  iface eth1\n }\n}\n' >$(B)/tests/fuzz/import/ndppd
	printf '1auto he\niface he inet6 v4tunnel\n address 2001:db8::2/64\n endpoint 192.0.2.1\n' \
		>$(B)/tests/fuzz/import/interfaces
	printf '2[{"id":"159924d6308e1d7e","status":"OK","routes":[{"target":"2001:db8::/48"}]}]' \
		>$(B)/tests/fuzz/import/zerotier
	$< -runs=$(IMPORT_FUZZ_RUNS) -seed=6 -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
		-dict=tests/fuzz/import.dict -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$(B)/tests/fuzz/ $(B)/tests/fuzz/import

.PHONY: fuzz-import
