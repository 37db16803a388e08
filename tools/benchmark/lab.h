/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the benchmark takes place: network namespaces, mounts and a gateway of its own, which all
 * vanish with this process, however it ends.
 *
 * Functions return 0 or a negative error, and say on stderr what failed.
 */
#ifndef BENCH_LAB_H
#define BENCH_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum place { OUTSIDE, GATEWAY, RIVAL, PLACES };

/* A port of the gateway. */
struct gateway_port {
	uint32_t slot;
	uint32_t ifindex;
	uint8_t mac[6];
	int program; /* of the gateway, file descriptor */
	int link;    /* that holds the program on the interface, file descriptor */
};

struct lab {
	int netns[PLACES];
	struct gateway_port eth0, eth1, overlay;
	int counters, verified, ports, bindings, settings,
		witnessed; /* maps of the gateway, file descriptors */
	int tap; /* the other end of the overlay, where zerotier-one would be; does not block */
};

/**
 * lab_open - build topology.sh, and take the gateway up in it.
 * @directory: that topology.sh and zt6.conf are in
 * @zt6_bpf: the program
 *
 * From here on /run and /sys/fs/bpf are this process's own.
 */
int lab_open(struct lab *lab, const char *directory, const char *zt6_bpf);
void lab_close(struct lab *lab);

/* The calling thread goes to a namespace: new sockets and devices by index are those of it. */
int lab_enter(const struct lab *lab, enum place place);

/* Index of a device of a place, or a negative error. */
int lab_ifindex(const struct lab *lab, enum place place, const char *name);

/* Runs a shell command in a place. */
int lab_shell(const struct lab *lab, enum place place, const char *command);

/* Starts a program in a place, its output thrown away; it dies with this process. Its process id. */
pid_t lab_start(const struct lab *lab, enum place place, char *const argv[]);
/* Whether it has ended by itself. */
bool lab_ended(pid_t process);
void lab_stop(pid_t process);

/* How often the gateway has come to a verdict on a port, over all CPUs. */
uint64_t lab_verdicts(const struct lab *lab, const struct gateway_port *port, unsigned int verdict);

#endif
