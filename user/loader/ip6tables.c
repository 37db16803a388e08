// SPDX-License-Identifier: GPL-2.0-or-later
#include "ip6tables.h"

#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h> /* after netinet/in.h, with which it shares names */
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Those in use, one a line. A process's own network namespace: net is a link to self/net. */
#define TABLES "/proc/thread-self/net/ip6_tables_names"

/* What the kernel calls -NF_DROP - 1: the verdict of a target without a name. */
#define VERDICT_DROP (-NF_DROP - 1)

/* The verdict of the chain's policy, which is the target of its last entry. */
static int read_policy(int fd, const struct ip6t_getinfo *info, int *verdict)
{
	socklen_t length = (socklen_t)(sizeof(struct ip6t_get_entries) + info->size);
	struct ip6t_get_entries *entries = calloc(1, length);
	const struct xt_standard_target *target;
	const struct ip6t_entry *entry;
	size_t at = info->underflow[NF_INET_FORWARD];
	int err = 0;

	if (!entries)
		return -ENOMEM;
	memcpy(entries->name, info->name, sizeof(entries->name));
	entries->size = info->size;
	if (getsockopt(fd, IPPROTO_IPV6, IP6T_SO_GET_ENTRIES, entries, &length)) {
		err = -errno;
		goto out;
	}
	entry = (const void *)((const char *)entries->entrytable + at);
	if (at + sizeof(*entry) + sizeof(*target) > info->size ||
	    at + entry->target_offset + sizeof(*target) > info->size) {
		err = -EPROTO;
		goto out;
	}
	target = (const void *)((const char *)entry + entry->target_offset);
	*verdict = target->verdict;
out:
	free(entries);
	return err;
}

static int add(struct nft_chain **list, size_t *count, const struct nft_chain *chain)
{
	struct nft_chain *grown = reallocarray(*list, *count + 1, sizeof(**list));

	if (!grown)
		return -ENOMEM;
	grown[(*count)++] = *chain;
	*list = grown;
	return 0;
}

static int read_table(int fd, const char *name, struct nft_chain **list, size_t *count)
{
	struct ip6t_getinfo info = {0};
	struct nft_chain chain = {0};
	socklen_t length = sizeof(info);
	int verdict = 0, err;

	snprintf(info.name, sizeof(info.name), "%.*s", XT_TABLE_MAXNAMELEN - 1, name);
	if (getsockopt(fd, IPPROTO_IPV6, IP6T_SO_GET_INFO, &info, &length))
		return -errno;
	if (!(info.valid_hooks & 1 << NF_INET_FORWARD))
		return 0;
	err = read_policy(fd, &info, &verdict);
	if (err == -EAGAIN) /* somebody has just changed it: then it is in use */
		err = 0;
	chain.has_rules = info.hook_entry[NF_INET_FORWARD] != info.underflow[NF_INET_FORWARD];
	chain.drops = verdict == VERDICT_DROP;
	if (err || (!chain.has_rules && !chain.drops))
		return err;
	snprintf(chain.name, sizeof(chain.name), "ip6tables %s FORWARD", name);
	return add(list, count, &chain);
}

int ip6tables_forward_chains(struct nft_chain **list, size_t *count)
{
	FILE *tables = fopen(TABLES, "re");
	char name[XT_TABLE_MAXNAMELEN + 2];
	int fd, err = 0;

	if (!tables)
		return errno == ENOENT ? 0 : -errno;
	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		err = -errno;
	while (!err && fgets(name, sizeof(name), tables)) {
		name[strcspn(name, "\n")] = '\0';
		err = read_table(fd, name, list, count);
	}
	if (fd >= 0)
		close(fd);
	fclose(tables);
	return err;
}
