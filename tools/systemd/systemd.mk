# SPDX-License-Identifier: GPL-2.0-or-later
# Units: templates for instances, and out of each the one without instance for the default gateway,
# whose files are called zt6.

UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

UNIT_TEMPLATES := $(patsubst tools/systemd/%.in,%,$(wildcard tools/systemd/*.in))
UNITS := $(addprefix $(B)/systemd/,$(UNIT_TEMPLATES) $(subst @,,$(UNIT_TEMPLATES)))

SET_PATHS := s|@SBINDIR@|$(PREFIX)/sbin|; s|@SYSCONF@|$(SYSCONF)|
SET_DEFAULT := s| --instance %i||; s|/%i\.conf|/zt6.conf|; s|/%i\.broker|/zt6.broker|; \
	s|-update/%i|-update/default|; s|@%i\.|.|g; s|gateway %i|gateway|

units: $(UNITS)

# PREFIX and SYSCONF may differ from those of the last time.
$(B)/systemd/%: FORCE
	@mkdir -p $(@D)
	sed '$(SET_PATHS); $(if $(findstring @,$*),,$(SET_DEFAULT))' \
		'tools/systemd/$(if $(findstring @,$*),$*,$(subst .,@.,$*)).in' > '$@'

install: install-units

install-units: $(UNITS)
	install -D -m 0644 -t $(DESTDIR)$(UNITDIR) $(UNITS)
	install -D -m 0644 tools/systemd/zt6-bpf.sysusers $(DESTDIR)$(SYSUSERSDIR)/zt6-bpf.conf

uninstall: uninstall-units

uninstall-units:
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/,$(notdir $(UNITS))) \
		$(DESTDIR)$(SYSUSERSDIR)/zt6-bpf.conf

FORCE:

.PHONY: units install-units uninstall-units FORCE
