/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: validate the configuration file, and say what it asks for. */
#include "instance.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/types.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "log.h"
#include "zt6_abi.h"

/* What an entry of a hash takes beside its key and value: 104 bytes of memory for 24 + 16, on
 * Linux 6.18. A trie takes about as much. */
#define ENTRY_OVERHEAD 64

static const char *const datapaths[] = {
	[DATAPATH_AUTO] = "auto",
	[DATAPATH_XDP] = "xdp",
	[DATAPATH_XDP_GENERIC] = "xdp-generic",
	[DATAPATH_TC] = "tc",
};

static void print_prefixes(const struct prefixes *set)
{
	char text[PREFIX_STRLEN];

	for (size_t i = 0; i < set->count; i++)
		printf(" %s", prefix_format(&set->list[i], text));
}

static void print_tunnel(const struct conf_tunnel *tunnel)
{
	char local[INET_ADDRSTRLEN] = "auto", remote[INET_ADDRSTRLEN], text[PREFIX_STRLEN];

	if (!tunnel->local_auto)
		inet_ntop(AF_INET, &tunnel->local, local, sizeof(local));
	inet_ntop(AF_INET, &tunnel->remote, remote, sizeof(remote));
	printf("tunnel    %-16s  local %s, remote %s, uplink %s, address %s", tunnel->name, local,
	       remote, tunnel->uplink, prefix_format(&tunnel->address, text));
	if (tunnel->routed.count) {
		printf(", routed");
		print_prefixes(&tunnel->routed);
	}
	putchar('\n');
}

static void print_firewall(const struct conf *conf)
{
	printf("firewall  %-16s  ", "");
	if (conf->policy == CONF_POLICY_OFF)
		puts("policy off: everything comes in, past whatever forward rules nftables and "
		     "ip6tables have");
	else if (conf->rules == CONF_RULES_NONE)
		puts("policy kernel, rules none: your own rules of nftables decide");
	else
		printf("policy kernel, rules shipped: %zu allowed inward\n", conf->allow_count);
}

static void print_sections(const struct conf *conf)
{
	for (size_t i = 0; i < conf->uplink_count; i++)
		printf("uplink    %-16s  datapath %s\n", conf->uplinks[i].name,
		       datapaths[conf->uplinks[i].datapath]);
	for (size_t i = 0; i < conf->tunnel_count; i++)
		print_tunnel(&conf->tunnels[i]);
	for (size_t i = 0; i < conf->zerotier_count; i++) {
		const struct conf_zerotier *zerotier = &conf->zerotiers[i];

		printf("zerotier  %016" PRIx64 "  interface %s, datapath %s, prefix",
		       zerotier->network, *zerotier->interface ? zerotier->interface : "auto",
		       datapaths[zerotier->datapath]);
		print_prefixes(&zerotier->prefix);
		puts(zerotier->prefix_given ? "" : " (default)");
	}
	for (size_t i = 0; i < conf->lan_count; i++) {
		printf("lan       %-16s  datapath %s, prefix", conf->lans[i].name,
		       datapaths[conf->lans[i].datapath]);
		print_prefixes(&conf->lans[i].prefix);
		putchar('\n');
	}
	for (size_t i = 0; i < conf->proxy_count; i++)
		printf("proxy     %-16s  %zu rule%s\n", conf->proxies[i].name,
		       conf->proxies[i].rule_count, conf->proxies[i].rule_count == 1 ? "" : "s");
	print_firewall(conf);
}

/* Entries of a cache: as many sets as the next power of two gives. */
static uint64_t in_sets(uint64_t entries)
{
	uint64_t sets = 1;

	while (sets * ZT6_WAYS < entries)
		sets *= 2;
	return sets * ZT6_WAYS;
}

/* Bytes of a trie or hash of @entries. */
static uint64_t table(uint64_t entries, size_t key, uint64_t value)
{
	return entries * (key + value + ENTRY_OVERHEAD);
}

/* Bytes of all maps but the route cache: bpf/maps.h. */
static uint64_t other_maps(const struct conf_limits *limits, uint64_t cpus)
{
	size_t address = sizeof(struct zt6_address_key);
	uint64_t by_port = sizeof(struct zt6_port) + sizeof(struct zt6_buckets) +
			   cpus * sizeof(struct zt6_port_counters);

	return ZT6_MAX_PORTS * by_port + sizeof(struct zt6_settings) + sizeof(struct zt6_agent) +
	       table(ZT6_MAX_PREFIXES, sizeof(struct zt6_prefix_key), sizeof(struct zt6_prefix)) +
	       table(ZT6_MAX_RULES, sizeof(struct zt6_rule_key), sizeof(struct zt6_rule)) +
	       table(ZT6_MAX_DEFERRED, sizeof(struct zt6_deferred_key), sizeof(__u64)) +
	       table(limits->members, address, sizeof(struct zt6_verified)) +
	       table(limits->negative, address, sizeof(__u64)) +
	       table(ZT6_MAX_SOLICITORS, address, sizeof(__u64)) +
	       table(limits->members, address, sizeof(struct zt6_member_buckets)) +
	       table(limits->members, address, sizeof(struct zt6_member)) +
	       table(limits->members, address, cpus * sizeof(struct zt6_traffic)) + ZT6_EVENTS_SIZE;
}

/* Of `flows` and `witnessed`: both directions of each. */
static uint64_t flow_maps(const struct conf *conf, uint64_t cpus)
{
	uint64_t entries = in_sets(2 * (uint64_t)conf->limits.flows);

	if (conf->policy == CONF_POLICY_OFF)
		return 0;
	return entries * cpus * sizeof(struct zt6_flow) +
	       table(entries, sizeof(union zt6_flow_key), sizeof(struct zt6_witnessed));
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* Returns 0 or a negative error with a message. */
static int print_memory(const struct conf *conf)
{
	int cpus = libbpf_num_possible_cpus();
	const size_t of_entry =
		(sizeof(struct zt6_route_set) + sizeof(struct zt6_route_tags)) / ZT6_WAYS;
	uint64_t entries = in_sets(conf->limits.cache_entries), cache, flows, other;

	if (cpus < 0) {
		log_error("cannot read the number of CPUs from "
			  "/sys/devices/system/cpu/possible: %s",
			  strerror(-cpus));
		return cpus;
	}
	cache = entries * of_entry * (uint64_t)cpus;
	flows = flow_maps(conf, (uint64_t)cpus);
	other = other_maps(&conf->limits, (uint64_t)cpus);
	printf("memory    %.1f MiB: route cache %.1f MiB (CPUs %d, %" PRIu64
	       " entries of %zu bytes each), flows about %.1f MiB, other maps about %.1f MiB\n",
	       mib(cache + flows + other), mib(cache), cpus, entries, of_entry, mib(flows),
	       mib(other));
	return 0;
}

/* A connected route of the tunnel's address would take these members' packets (design §4.4). */
static void explain_overlap(const struct conf *conf, const struct conf_tunnel *tunnel)
{
	struct prefix connected = prefix_network(&tunnel->address);
	char members[PREFIX_STRLEN], link[PREFIX_STRLEN];

	for (size_t i = 0; i < conf->zerotier_count; i++) {
		const struct prefixes *set = &conf->zerotiers[i].prefix;

		for (size_t k = 0; k < set->count; k++)
			if (prefix_contains(&connected, &set->list[k]) ||
			    prefix_contains(&set->list[k], &connected))
				log_info("tunnel %s: %s of its address overlaps the members' %s; "
					 "no harm: up gives the address no connected route",
					 tunnel->name, prefix_format(&connected, link),
					 prefix_format(&set->list[k], members));
	}
}

int cmd_check(const struct instance *instance, int argc, char **argv)
{
	struct conf *conf = NULL;
	int err;

	if (argc > 1) {
		log_error("check: unexpected argument \"%s\"; it takes none (the file is given "
			  "before it, with -c FILE)",
			  argv[1]);
		return EXIT_USAGE;
	}
	err = conf_load(instance->conf_path, stderr, &conf);
	if (err)
		return err == -ENOMEM ? EXIT_FAILED : EXIT_CONFIG;

	print_sections(conf);
	err = print_memory(conf);
	for (size_t i = 0; i < conf->tunnel_count; i++)
		explain_overlap(conf, &conf->tunnels[i]);
	conf_free(conf);
	return err ? EXIT_FAILED : EXIT_DONE;
}
