# SPDX-License-Identifier: GPL-2.0-or-later
CONF_FUZZ_RUNS    ?= 100000
CONF_FUZZ_SOURCES := tests/fuzz/conf_fuzz.c user/addr.c user/suggest.c $(wildcard user/conf*.c)

$(B)/tests/fuzz/conf_fuzz: $(CONF_FUZZ_SOURCES) $(wildcard user/*.h include/*.h)
	@mkdir -p $(@D)
	$(CLANG) -g -O1 -std=gnu11 $(WARNINGS) $(CPPFLAGS) \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		-o $@ $(CONF_FUZZ_SOURCES)

# The same inputs every time: a fixed seed, and a corpus that begins with the example.
fuzz-conf: $(B)/tests/fuzz/conf_fuzz ## the configuration parser against random files
	@rm -rf $(B)/tests/fuzz/conf && mkdir -p $(B)/tests/fuzz/conf
	cp tools/zt6.conf.example $(B)/tests/fuzz/conf/
	$< -runs=$(CONF_FUZZ_RUNS) -seed=6 -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
		-dict=tests/fuzz/conf.dict -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$(B)/tests/fuzz/ $(B)/tests/fuzz/conf

.PHONY: fuzz-conf
