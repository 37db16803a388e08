# SPDX-License-Identifier: GPL-2.0-or-later
BENCH         := $(B)/tools/benchmark
BENCH_OBJECTS := $(patsubst %.c,$(B)/%.o,$(filter-out %.bpf.c,$(wildcard tools/benchmark/*.c)))

# The UAPI headers include some that Debian keeps in a folder per architecture.
$(BENCH)/generator.bpf.o: tools/benchmark/generator.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -idirafter /usr/include/$(shell $(CC) -print-multiarch) \
		-MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@.tmp $<
	$(BPFTOOL) gen object $@ $@.tmp

$(BENCH_OBJECTS): $(BENCH)/generator.skel.h

$(BENCH)/bench: $(BENCH_OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

bench-build: $(BENCH)/bench

bench: ## rates beside those of bare programs, the kernel and ndppd (root)
	tools/bench --no-deps

.PHONY: bench bench-build

-include $(wildcard $(BENCH)/*.d)
