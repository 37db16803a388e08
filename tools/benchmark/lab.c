// SPDX-License-Identifier: GPL-2.0-or-later
#include "lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/types.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zt6_abi.h"

#define PINS "/sys/fs/bpf/zt6-bpf/bench"

static const char *const place_names[PLACES] = {
	[OUTSIDE] = "outside",
	[GATEWAY] = "gateway",
	[RIVAL] = "rival",
};

static int fail(const char *what, const char *which)
{
	int err = errno;

	fprintf(stderr, "bench: cannot %s %s: %s\n", what, which, strerror(err));
	return -err;
}

static int run_shell(const char *command)
{
	int status;

	fflush(NULL);
	status = system(command);
	if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "bench: \"%s\" failed\n", command);
		return -EIO;
	}
	return 0;
}

/* Named namespaces are mounts below /run, and pins are in bpffs: both private, nothing is left
 * behind and no other gateway is met. */
static int own_mounts(void)
{
	if (unshare(CLONE_NEWNS))
		return fail("leave", "the mount namespace; run it as root");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fail("make private", "/");
	if (mount("bench", "/run", "tmpfs", 0, "mode=0755"))
		return fail("mount a tmpfs on", "/run");
	if (mount("bench", "/sys/fs/bpf", "bpf", 0, "mode=0700"))
		return fail("mount bpffs on", "/sys/fs/bpf");
	return 0;
}

static int open_places(struct lab *lab)
{
	char path[64];

	for (int place = 0; place < PLACES; place++) {
		snprintf(path, sizeof(path), "/run/netns/%s", place_names[place]);
		lab->netns[place] = open(path, O_RDONLY | O_CLOEXEC);
		if (lab->netns[place] < 0)
			return fail("open", path);
	}
	return 0;
}

int lab_enter(const struct lab *lab, enum place place)
{
	if (setns(lab->netns[place], CLONE_NEWNET))
		return fail("enter the namespace", place_names[place]);
	return 0;
}

int lab_ifindex(const struct lab *lab, enum place place, const char *name)
{
	int err = lab_enter(lab, place), ifindex;

	if (err)
		return err;
	ifindex = if_nametoindex(name);
	return ifindex ? ifindex : fail("find the device", name);
}

int lab_shell(const struct lab *lab, enum place place, const char *command)
{
	int err = lab_enter(lab, place);

	return err ? err : run_shell(command);
}

pid_t lab_start(const struct lab *lab, enum place place, char *const argv[])
{
	int err = lab_enter(lab, place);
	pid_t process;

	if (err)
		return err;
	fflush(NULL);
	process = fork();
	if (process < 0)
		return fail("start", argv[0]);
	if (process)
		return process;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
		execvp(argv[0], argv);
	_exit(127);
}

bool lab_ended(pid_t process)
{
	return waitpid(process, NULL, WNOHANG) == process;
}

void lab_stop(pid_t process)
{
	if (process <= 0)
		return;
	kill(process, SIGKILL);
	waitpid(process, NULL, 0);
}

static int open_tap(const struct lab *lab, const char *name)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int err = lab_enter(lab, GATEWAY), fd;

	if (err)
		return err;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return fail("open", "/dev/net/tun");
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		err = fail("hold the TAP", name);
		close(fd);
		return err;
	}
	return fd;
}

static int open_pin(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), PINS "/%s", name);
	fd = bpf_obj_get(path);
	return fd < 0 ? fail("open the pin", path) : fd;
}

static int open_slot_pin(const char *what, uint32_t slot)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%u", what, slot);
	return open_pin(name);
}

static int open_port(int ports, const char *name, struct gateway_port *out)
{
	struct zt6_port port;

	for (out->slot = 0; out->slot < ZT6_MAX_PORTS; out->slot++) {
		if (bpf_map_lookup_elem(ports, &out->slot, &port))
			return fail("read", "the gateway's ports");
		if (!strcmp(port.name, name))
			break;
	}
	if (out->slot == ZT6_MAX_PORTS) {
		errno = ENODEV;
		return fail("find the gateway's port", name);
	}
	out->ifindex = port.ifindex;
	memcpy(out->mac, port.mac, sizeof(out->mac));
	out->program = open_slot_pin("xdp_program", out->slot);
	if (out->program < 0)
		return out->program;
	out->link = open_slot_pin("xdp_link", out->slot);
	return out->link < 0 ? out->link : 0;
}

static int open_gateway(struct lab *lab)
{
	int err;

	lab->ports = open_pin("ports");
	err = lab->ports < 0 ? lab->ports : 0;
	if (!err)
		err = open_port(lab->ports, "eth0", &lab->eth0);
	if (!err)
		err = open_port(lab->ports, "eth1", &lab->eth1);
	if (!err)
		err = open_port(lab->ports, "ztbench", &lab->overlay);
	if (!err) {
		lab->bindings = open_pin("bindings");
		err = lab->bindings < 0 ? lab->bindings : 0;
	}
	if (!err) {
		lab->settings = open_pin("settings");
		err = lab->settings < 0 ? lab->settings : 0;
	}
	if (!err) {
		lab->witnessed = open_pin("witnessed");
		err = lab->witnessed < 0 ? lab->witnessed : 0;
	}
	if (!err) {
		lab->counters = open_pin("counters");
		err = lab->counters < 0 ? lab->counters : 0;
	}
	if (!err) {
		lab->verified = open_pin("verified");
		err = lab->verified < 0 ? lab->verified : 0;
	}
	return err;
}

int lab_open(struct lab *lab, const char *directory, const char *zt6_bpf)
{
	char command[2 * 4096 + 64];
	int err;

	*lab = (struct lab){
		.netns = {-1, -1, -1},
		.counters = -1,
		.verified = -1,
		.ports = -1,
		.bindings = -1,
		.settings = -1,
		.witnessed = -1,
		.tap = -1,
	};
	err = own_mounts();
	if (err)
		return err;
	snprintf(command, sizeof(command), "%s/topology.sh", directory);
	err = run_shell(command);
	if (!err)
		err = open_places(lab);
	if (err)
		return err;
	lab->tap = open_tap(lab, "ztbench");
	if (lab->tap < 0)
		return lab->tap;
	snprintf(command, sizeof(command), "%s -c %s/zt6.conf --instance bench up", zt6_bpf,
		 directory);
	err = lab_shell(lab, GATEWAY, command);
	return err ? err : open_gateway(lab);
}

void lab_close(struct lab *lab)
{
	struct gateway_port *ports[] = {&lab->eth0, &lab->eth1, &lab->overlay};

	for (int i = 0; i < 3; i++) {
		close(ports[i]->program);
		close(ports[i]->link);
	}
	close(lab->counters);
	close(lab->verified);
	close(lab->ports);
	close(lab->bindings);
	close(lab->settings);
	close(lab->witnessed);
	close(lab->tap);
	for (int place = 0; place < PLACES; place++)
		close(lab->netns[place]);
}

uint64_t lab_verdicts(const struct lab *lab, const struct gateway_port *port, unsigned int verdict)
{
	int cpus = libbpf_num_possible_cpus();
	struct zt6_port_counters *per_cpu = calloc(cpus, sizeof(*per_cpu));
	uint64_t sum = 0;

	if (per_cpu && !bpf_map_lookup_elem(lab->counters, &port->slot, per_cpu))
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += per_cpu[cpu].verdicts[verdict].packets;
	free(per_cpu);
	return sum;
}
