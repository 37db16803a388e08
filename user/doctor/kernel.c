// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: what the kernel must have and this process must be allowed. */
#include <bpf/btf.h>
#include <string.h>
#include <unistd.h>

#include "../loader/conntrack.h"
#include "../loader/kinds.h"
#include "../loader/privilege.h"
#include "doctor.h"

#define TUN_DEVICE "/dev/net/tun"

static void judge_privilege(struct findings *out)
{
	char missing[PRIVILEGE_NAMES_MAX];

	if (privilege_missing(missing) || !*missing)
		return;
	findings_add(out, FINDING_ERROR, "this process lacks %s", missing);
	findings_why(out, "\"zt6-bpf up\" needs it, and without it not everything is seen here");
	findings_remedy(out, "run it as root; a container must be given these capabilities");
}

static void judge_types(struct findings *out)
{
	struct btf *types = btf__load_vmlinux_btf();

	if (types) {
		btf__free(types);
		return;
	}
	findings_add(out, FINDING_ERROR,
		     "the kernel does not describe its types: there is no /sys/kernel/btf/vmlinux");
	findings_why(out, "our programs are fitted to the kernel by them when they are loaded");
	findings_remedy(out, "boot a kernel with CONFIG_DEBUG_INFO_BTF=y, as distributions' are; "
			     "mount sysfs if it is not: \"mount -t sysfs none /sys\"");
}

/* The file is in the initial network namespace only. */
static void judge_compiler(struct findings *out)
{
	char value[16];

	if (sysctl_read("net/core/bpf_jit_enable", value, sizeof(value)) || strcmp(value, "0") != 0)
		return;
	findings_add(out, FINDING_WARNING,
		     "the kernel interprets programs instead of compiling them "
		     "(net.core.bpf_jit_enable is 0)");
	findings_why(out, "every packet costs many times what it should");
	findings_remedy(out, "run \"sysctl -w net.core.bpf_jit_enable=1\", and write that into a "
			     "file in /etc/sysctl.d");
}

/* Before the kernel has loaded the module nothing can be said of it. */
static bool has_no_conntrack(const struct doctor *doctor)
{
	if (doctor->status)
		return !(doctor->status->model.settings.flags & ZT6_SETTINGS_WITNESS);
	return !access("/proc/sys/net/netfilter/nf_conntrack_max", F_OK) && !conntrack_has_kfuncs();
}

static void judge_conntrack(struct doctor *doctor)
{
	struct findings *out = &doctor->findings;

	if (doctor_policy_off(doctor) || !has_no_conntrack(doctor))
		return;
	findings_add(out, FINDING_WARNING,
		     "the kernel lets no program ask its connection tracking: it forwards "
		     "everything itself");
	findings_why(out,
		     "under \"policy kernel\" the fast path then has nothing to do but answers");
	findings_remedy(out,
			"boot Linux 6.1 or later with CONFIG_NF_CONNTRACK and type information "
			"of modules; or set \"policy off\" in the section firewall, which lets "
			"everything in");
}

/* Which kind the tunnel's device will be. `auto` is not asked for without need: that could have the
 * kernel load a module. */
static void judge_device(struct doctor *doctor, const struct conf_tunnel *tunnel)
{
	bool has_tun = !access(TUN_DEVICE, F_OK);
	struct findings *out = &doctor->findings;

	if (tunnel->device == DEVICE_SIT && !sit_supported(doctor->nl)) {
		findings_add(out, FINDING_ERROR, "tunnel %s: this kernel has no sit", tunnel->name);
		findings_remedy(out, "set \"device auto\" in its section, or load the module sit");
	} else if (!has_tun && (tunnel->device == DEVICE_BPF ||
				(tunnel->device == DEVICE_AUTO && !sit_supported(doctor->nl)))) {
		findings_add(out, FINDING_ERROR, "tunnel %s: there is no " TUN_DEVICE,
			     tunnel->name);
		findings_remedy(out, "run \"modprobe tun\"; a container must be given the device");
	}
}

static void examine(struct doctor *doctor)
{
	judge_privilege(&doctor->findings);
	judge_types(&doctor->findings);
	judge_compiler(&doctor->findings);
	judge_conntrack(doctor);
	for (size_t i = 0; i < doctor->conf->tunnel_count && !doctor->status; i++)
		judge_device(doctor, &doctor->conf->tunnels[i]);
}

const struct doctor_area doctor_kernel = {
	.name = "kernel",
	.matters = "\"zt6-bpf up\" cannot make the tunnel",
	.examine = examine,
};
