// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `zt6-bpf announce`: tells the link outside of every verified target, unasked (RFC 4861 §7.2.6),
 * for scripts with which one gateway takes over from another.
 *
 * The O flag makes neighbours replace the address they have (§7.2.5): whoever runs this says that
 * the targets are here and nowhere else.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "addr.h"
#include "advertise.h"
#include "instance.h"
#include "log.h"
#include "map_batch.h"
#include "running.h"
#include "zt6_na.h"

#define NSEC_PER_SEC 1000000000L

/* Every host on the link reads every one of them. */
#define ANNOUNCEMENTS_PER_SEC 1000

/* A full queue of the device is waited for this often. */
#define SEND_ATTEMPTS 100

struct announcer {
	const struct model *model;
	struct prefixes wanted; /* empty: everything */
	bool *matched;          /* by element of wanted */
	uint64_t now_ns;
	struct zt6_address_key *targets;
	size_t count;
	struct timespec next; /* CLOCK_MONOTONIC, when the next one may go */
	int socket;
};

static bool is_wanted(struct announcer *announcer, const union zt6_addr *target)
{
	bool wanted = !announcer->wanted.count;
	struct in6_addr addr;

	memcpy(&addr, target, sizeof(addr));
	for (size_t i = 0; i < announcer->wanted.count; i++) {
		if (!prefix_contains_addr(&announcer->wanted.list[i], &addr))
			continue;
		announcer->matched[i] = true;
		wanted = true;
	}
	return wanted;
}

static int add_target(void *arg, const void *key, const void *value)
{
	struct announcer *announcer = arg;
	const struct zt6_address_key *target = key;
	const struct zt6_verified *verified = value;
	struct zt6_address_key *grown;

	if (verified->expires_ns <= announcer->now_ns || !is_wanted(announcer, &target->addr))
		return 0;
	grown = reallocarray(announcer->targets, announcer->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[announcer->count++] = *target;
	announcer->targets = grown;
	return 0;
}

static int compare_targets(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct zt6_address_key));
}

static void wait_for_turn(struct announcer *announcer)
{
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &announcer->next, NULL) == EINTR)
		;
	announcer->next.tv_nsec += NSEC_PER_SEC / ANNOUNCEMENTS_PER_SEC;
	if (announcer->next.tv_nsec >= NSEC_PER_SEC) {
		announcer->next.tv_nsec -= NSEC_PER_SEC;
		announcer->next.tv_sec++;
	}
}

static int announce_target(struct announcer *announcer, const struct zt6_port *port,
			   const union zt6_addr *target)
{
	static const union zt6_addr nobody;
	int err = -ENOBUFS;

	for (int i = 0; i < SEND_ATTEMPTS && err == -ENOBUFS; i++) {
		wait_for_turn(announcer);
		err = advertise_send(announcer->socket, port, target, &nobody, NULL,
				     ZT6_NA_OVERRIDE);
	}
	return err;
}

/* The targets that are asked for on one port. Returns an exit status. */
static int announce_port(struct announcer *announcer, __u32 slot)
{
	const struct zt6_port *port = &announcer->model->ports[slot];
	size_t sent = 0, all = 0;
	int err = 0;

	if (!port->ifindex) {
		log_error("%s: the interface is away: nothing can be announced on it", port->name);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < announcer->count; i++) {
		const struct zt6_address_key *target = &announcer->targets[i];

		/* Batches of a hash that changes may bring an entry twice. */
		if (target->port != slot || (i && !compare_targets(target - 1, target)))
			continue;
		all++;
		if (!err)
			err = announce_target(announcer, port, &target->addr);
		sent += !err;
	}
	printf("%s: %zu announced\n", port->name, sent);
	if (err)
		log_error("%s: cannot send advertisements: %s; %zu of %zu were sent", port->name,
			  strerror(-err), sent, all);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int announce(struct announcer *announcer, const char *pin_dir)
{
	int status = EXIT_DONE, err;
	bool proxied = false;

	clock_gettime(CLOCK_MONOTONIC, &announcer->next);
	announcer->now_ns =
		announcer->next.tv_sec * (uint64_t)NSEC_PER_SEC + announcer->next.tv_nsec;
	err = map_each(pin_dir, "verified", sizeof(struct zt6_address_key),
		       sizeof(struct zt6_verified), add_target, announcer);
	if (err) {
		log_error("%s/verified: cannot read the map: %s", pin_dir, strerror(-err));
		return EXIT_FAILED;
	}
	if (announcer->count)
		qsort(announcer->targets, announcer->count, sizeof(*announcer->targets),
		      compare_targets);
	announcer->socket = advertise_open();
	if (announcer->socket < 0) {
		log_error("cannot open a packet socket: %s; CAP_NET_RAW is needed",
			  strerror(-announcer->socket));
		return EXIT_FAILED;
	}
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (!(announcer->model->ports[slot].flags & ZT6_PORT_PROXY))
			continue;
		proxied = true;
		if (announce_port(announcer, slot))
			status = EXIT_FAILED;
	}
	close(announcer->socket);
	if (!proxied)
		printf("nothing to announce: no port is a proxy\n");
	return status;
}

/* "PREFIX" or "ADDR". */
static int parse_wanted(struct prefixes *wanted, const char *word)
{
	struct prefix prefix = {.len = 128};

	if (inet_pton(AF_INET6, word, &prefix.addr) != 1 && !prefix_parse(word, &prefix)) {
		log_error("announce: \"%s\" is neither an IPv6 prefix nor an IPv6 address", word);
		return -EINVAL;
	}
	if (prefix_has_host_bits(&prefix)) {
		log_error("announce: \"%s\" has bits set behind its length", word);
		return -EINVAL;
	}
	return prefixes_add(wanted, &prefix);
}

int cmd_announce(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {{0}};
	struct announcer announcer = {0};
	struct model model;
	int err = 0, status;

	if (getopt_long(argc, argv, "", options, NULL) != -1) {
		log_error("usage: zt6-bpf announce [PREFIX | ADDR]...");
		return EXIT_USAGE;
	}
	for (int i = optind; i < argc && !err; i++)
		err = parse_wanted(&announcer.wanted, argv[i]);
	if (err) {
		prefixes_free(&announcer.wanted);
		return err == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
	}
	status = running_read(instance, &model);
	if (status)
		goto out;
	announcer.model = &model;
	announcer.matched = calloc(announcer.wanted.count + 1, sizeof(bool));
	status = announcer.matched ? announce(&announcer, instance->pin_dir) : EXIT_FAILED;
	for (size_t i = 0; i < announcer.wanted.count && announcer.matched; i++) {
		if (announcer.matched[i])
			continue;
		log_error("%s: no verified target there", argv[optind + i]);
		status = EXIT_FAILED;
	}
	model_free(&model);
out:
	free(announcer.matched);
	free(announcer.targets);
	prefixes_free(&announcer.wanted);
	return status;
}
