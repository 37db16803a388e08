# SPDX-License-Identifier: GPL-2.0-or-later
# zt6-bpf. `make help` lists what there is to make; nothing here needs the network.

VERSION := 0.1.0
PREFIX  ?= /usr/local
SYSCONF ?= /etc
B       := build

CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool)

PACKAGES := libbpf libnl-route-3.0 jansson libcurl expat ncurses libnftables
# As the kernel's own code, headers are read as words, addresses and bytes alike.
WARNINGS := -Wall -Wextra -Werror -fno-strict-aliasing
# Where it is built does not show in what is built.
RELOCATE := -ffile-prefix-map=$(CURDIR)=.
CPPFLAGS += -Iinclude -Iuser -isystem $(B) -D_GNU_SOURCE -DZT6_VERSION='"$(VERSION)"'
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 $(WARNINGS) $(RELOCATE) $(shell pkg-config --cflags $(PACKAGES))
LDLIBS   += $(shell pkg-config --libs $(PACKAGES))

# mcpu=v3: 32-bit ALU and atomics, in every kernel since 5.12.
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g $(WARNINGS) $(RELOCATE) -Ivmlinux -Iinclude -Ibpf

SKELETONS := $(patsubst bpf/%.bpf.c,$(B)/%.skel.h,$(wildcard bpf/*.bpf.c))
SOURCES   := $(wildcard user/*.c user/*/*.c)
OBJECTS   := $(SOURCES:%.c=$(B)/%.o)
LIBRARY   := $(filter-out $(B)/user/main.o,$(OBJECTS))

C_FILES   = $(shell git ls-files '*.c' '*.h' ':!vmlinux')
PY_FILES  = $(shell git ls-files '*.py')

all: $(B)/zt6-bpf ## build/zt6-bpf, the whole program

$(B)/zt6-bpf: $(B)/user/main.o $(B)/libzt6.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/libzt6.a: $(LIBRARY)
	rm -f $@ && ar rcs $@ $^

# What the Makefile says of flags counts for what was built before, too.
$(B)/%.o: %.c Makefile | $(SKELETONS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MD -MP -c -o $@ $<

$(B)/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@.tmp $<
	$(BPFTOOL) gen object $@ $@.tmp

$(B)/%.skel.h: $(B)/%.bpf.o
	(echo '/* NOLINTBEGIN: generated */' && $(BPFTOOL) gen skeleton $< && \
		echo '/* NOLINTEND */') > $@.tmp && mv $@.tmp $@

include $(wildcard tests/*/*.mk tools/*/*.mk)

test: ## everything that tools/test runs, on a machine that has what it needs
	tools/test --no-deps

demo: ## a small Internet, a gateway and two members, on real packets
	tools/demo --no-deps

install: all ## to $(DESTDIR)$(PREFIX) and $(DESTDIR)$(SYSCONF)/zt6-bpf
	install -D -m 0755 $(B)/zt6-bpf $(DESTDIR)$(PREFIX)/sbin/zt6-bpf
	install -D -m 0644 tools/zt6.conf.example $(DESTDIR)$(PREFIX)/share/doc/zt6-bpf/zt6.conf.example
	install -D -m 0644 man/zt6-bpf.8 $(DESTDIR)$(PREFIX)/share/man/man8/zt6-bpf.8
	install -D -m 0644 man/zt6.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/zt6.conf.5
	install -D -m 0644 README.md $(DESTDIR)$(PREFIX)/share/doc/zt6-bpf/README.md
	install -d -m 0755 $(DESTDIR)$(SYSCONF)/zt6-bpf

uninstall: ## what install has put there; a configuration stays
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,sbin/zt6-bpf share/man/man8/zt6-bpf.8 \
		share/man/man5/zt6.conf.5)
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/zt6-bpf
	rmdir --ignore-fail-on-non-empty $(DESTDIR)$(SYSCONF)/zt6-bpf

format: ## clang-format over all C files
	clang-format -i $(C_FILES)

lint: $(SKELETONS) ## clang-format, clang-tidy, cppcheck and pyflakes, as CI runs them
	clang-format --dry-run --Werror $(C_FILES)
	pyflakes3 $(PY_FILES)
	printf '%s\n' $(SOURCES) | xargs -P "$$(nproc)" -I{} clang-tidy --quiet \
		--warnings-as-errors='*' {} -- $(CPPFLAGS) $(CFLAGS)
	cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
		--suppress=missingIncludeSystem -Iinclude -Iuser -D__x86_64__ \
		'-DLIBBPF_OPTS(type,name,...)=struct type name = {0}' user

clean: ## forget build/
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: all test demo install uninstall format lint clean help
.DELETE_ON_ERROR:
.SECONDARY:

-include $(OBJECTS:.o=.d) $(wildcard $(B)/*.d $(B)/tests/*/*.d)
