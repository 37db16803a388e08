// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft.h"

#include <errno.h>
#include <jansson.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink.h"

int nft_supported(void)
{
	const struct nfgenmsg header = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
	struct nl_sock *nl = nl_socket_alloc();
	int err;

	if (!nl)
		return -ENOMEM;
	/* libnl's own error hides which one it was; no netfilter at all is EPROTONOSUPPORT. */
	if (nl_connect(nl, NETLINK_NETFILTER)) {
		nl_socket_free(nl);
		return 0;
	}
	err = netlink_request(nl,
			      netlink_message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0,
					      &header, sizeof(header)),
			      NULL, NULL);
	nl_socket_free(nl);
	/* A subsystem that nobody has registered is EINVAL. */
	if (err == -EINVAL || err == -EOPNOTSUPP || err == -ENOENT)
		return 0;
	return err ? err : 1;
}

/* Runs them with flags of output; the texts are copies. */
static int run(const char *commands, unsigned int flags, char **output, char **errors)
{
	struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
	int err = -ENOMEM;

	if (!nft || nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft))
		goto out;
	nft_ctx_output_set_flags(nft, flags);
	err = nft_run_cmd_from_buffer(nft, commands) ? -EINVAL : 0;
	if (err && errors)
		*errors = strdup(nft_ctx_get_error_buffer(nft));
	if (!err && output) {
		*output = strdup(nft_ctx_get_output_buffer(nft));
		err = *output ? 0 : -ENOMEM;
	}
out:
	if (nft)
		nft_ctx_free(nft);
	return err;
}

int nft_run(const char *commands, char **output, char **errors)
{
	return run(commands, 0, output, errors);
}

/* Appends what `list table FAMILY NAME` prints; nothing where there is none. */
static int append_listing(const char *family, const char *table, FILE *out)
{
	char command[128], *text = NULL;
	int err;

	snprintf(command, sizeof(command), "list table %s %s", family, table);
	err = run(command, NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL, &text, NULL);
	if (!err)
		fputs(text, out);
	free(text);
	return err == -ENOMEM ? err : 0;
}

int nft_listing(const char *table, char **out)
{
	static const char *const families[] = {"ip6", "ip"};
	int supported = nft_supported(), err = 0;
	size_t size;
	FILE *text;

	*out = NULL;
	if (supported <= 0)
		return supported;
	text = open_memstream(out, &size);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < 2 && !err; i++)
		err = append_listing(families[i], table, text);
	if ((ferror(text) | fclose(text)) && !err)
		err = -ENOMEM;
	if (err || !size) {
		free(*out);
		*out = NULL;
	}
	return err;
}

static bool sees_forwarded_ipv6(const char *family, const char *hook)
{
	return !strcmp(hook, "forward") && (!strcmp(family, "ip6") || !strcmp(family, "inet"));
}

static int add_chain(const json_t *chain, const char *ours, struct nft_chain **list, size_t *count)
{
	const char *family, *table, *name, *hook, *policy = "accept";
	struct nft_chain *grown;

	/* One without a hook is only jumped to. */
	if (json_unpack((json_t *)chain, "{s:s, s:s, s:s, s:s, s?s}", "family", &family, "table",
			&table, "name", &name, "hook", &hook, "policy", &policy) ||
	    !sees_forwarded_ipv6(family, hook) || !strcmp(table, ours))
		return 0;
	grown = reallocarray(*list, *count + 1, sizeof(**list));
	if (!grown)
		return -ENOMEM;
	*list = grown;
	grown[*count] = (struct nft_chain){.drops = !strcmp(policy, "drop")};
	snprintf(grown[*count].name, sizeof(grown->name), "%s %s %s", family, table, name);
	(*count)++;
	return 0;
}

static void note_rule(const json_t *rule, struct nft_chain *list, size_t count)
{
	const char *family, *table, *chain;
	char name[sizeof(list->name)];

	if (json_unpack((json_t *)rule, "{s:s, s:s, s:s}", "family", &family, "table", &table,
			"chain", &chain))
		return;
	snprintf(name, sizeof(name), "%s %s %s", family, table, chain);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].name, name))
			list[i].has_rules = true;
}

/* Chains come before the rules in them. */
static int read_ruleset(const json_t *root, const char *ours, struct nft_chain **list,
			size_t *count)
{
	const json_t *objects = json_object_get(root, "nftables"), *object;
	int err = objects ? 0 : -EPROTO;
	size_t i;

	json_array_foreach (objects, i, object) {
		const json_t *chain = json_object_get(object, "chain");
		const json_t *rule = json_object_get(object, "rule");

		if (chain && !err)
			err = add_chain(chain, ours, list, count);
		if (rule)
			note_rule(rule, *list, *count);
	}
	return err;
}

int nft_forward_chains(const char *ours, struct nft_chain **out, size_t *count)
{
	int supported = nft_supported(), err;
	json_t *root = NULL;
	char *text = NULL;

	*out = NULL;
	*count = 0;
	if (supported <= 0)
		return supported ? supported : -EOPNOTSUPP;
	/* Sets may be large and are not looked at. */
	err = run("list ruleset", NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_TERSE, &text, NULL);
	if (!err) {
		root = json_loads(text, 0, NULL);
		err = root ? read_ruleset(root, ours, out, count) : -EPROTO;
	}
	json_decref(root);
	free(text);
	if (err) {
		free(*out);
		*out = NULL;
		*count = 0;
	}
	return err;
}
