/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over the configuration parser. Beyond what the sanitizers see: a text is either
 * refused with at least one message, or gives a configuration that keeps conf.h's promises; and
 * messages are few, printable, and name the file.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "conf_keys.h"
#include "zt6_abi.h"

#define PATH "fuzz.conf"

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* At most one line for each fault and one that there are more, each with the file's name. */
static void check_messages(const char *messages)
{
	size_t lines = 0;

	for (const char *at = messages; *at; lines++) {
		const char *end = strchr(at, '\n');

		require(end, "the last line ends");
		require(!strncmp(at, PATH ":", strlen(PATH ":")), "a line names the file");
		for (; at < end; at++)
			require(*at >= ' ' && *at <= '~', "messages are printable");
		at++;
	}
	require(lines <= FAULTS_MAX + 1, "messages are bounded");
}

static void check_prefixes(const struct prefixes *set)
{
	for (size_t i = 0; i < set->count; i++)
		require(set->list[i].len && !prefix_has_host_bits(&set->list[i]),
			"a prefix has no host bits");
}

static void check_conf(const struct conf *conf)
{
	size_t ports =
		conf->uplink_count + conf->tunnel_count + conf->zerotier_count + conf->lan_count;

	require(ports >= 1 && ports <= ZT6_MAX_PORTS, "the number of ports");
	require(conf->tunnel_count <= ZT6_MAX_TUNNELS, "the number of tunnels");
	for (size_t i = 0; i < conf->tunnel_count; i++) {
		const struct conf_tunnel *tunnel = &conf->tunnels[i];

		require(tunnel->name[0] && tunnel->uplink[0], "a tunnel has its names");
		require(tunnel->local_auto || tunnel->local.s_addr, "a tunnel has its local end");
		require(tunnel->remote.s_addr != 0, "a tunnel has its remote end");
		require(tunnel->mtu >= 1280 && tunnel->mtu <= 1480, "a tunnel's MTU");
		check_prefixes(&tunnel->routed);
	}
	for (size_t i = 0; i < conf->zerotier_count; i++) {
		require(conf->zerotiers[i].prefix.count, "a network has prefixes");
		check_prefixes(&conf->zerotiers[i].prefix);
	}
	for (size_t i = 0; i < conf->lan_count; i++) {
		require(conf->lans[i].prefix.count, "a lan has prefixes");
		check_prefixes(&conf->lans[i].prefix);
	}
	for (size_t i = 0; i < conf->proxy_count; i++)
		for (size_t k = 0; k < conf->proxies[i].rule_count; k++)
			require(conf->proxies[i].rules[k].method != METHOD_NONE,
				"a rule has a method");
	for (size_t i = 0; i < conf->allow_count; i++)
		require(conf->allows[i].port_count, "an allow has ports");
	require(conf->limits.cache_entries && conf->limits.unresolved_rate, "limits are limits");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf = NULL;
	char *messages;
	size_t length;
	FILE *errors = open_memstream(&messages, &length);
	int err;

	if (!errors)
		abort();
	err = conf_parse(PATH, (const char *)data, size, errors, &conf);
	fflush(errors);
	require((err == 0) == (length == 0), "an error has a message");
	if (!err)
		check_conf(conf);
	check_messages(messages);
	fclose(errors);
	free(messages);
	conf_free(conf);
	return 0;
}
