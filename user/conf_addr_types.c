/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading addresses and prefixes of the configuration. */
#include "conf_keys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int conf_read_ipv4(struct conf_faults *faults, const struct conf_key *key,
		   const struct conf_statement *statement, void *section)
{
	const char *word = statement->words[0];
	struct in6_addr ipv6;
	struct in_addr addr;
	uint32_t host;

	if (inet_pton(AF_INET, word, &addr) != 1)
		return conf_value_fault(faults, statement, word, "%s; it takes %s",
					inet_pton(AF_INET6, word, &ipv6) == 1
						? "is an IPv6 address"
						: "is not an IPv4 address (names are not resolved)",
					key->expects);
	host = ntohl(addr.s_addr);
	/* RFC 1122 §3.2.1.3: this network, loopback; RFC 5771 multicast; RFC 1112 class E. */
	if (host >> 24 == 0 || host >> 24 == 127 || host >> 28 >= 0xe)
		return conf_value_fault(faults, statement, word,
					"is no address that one machine can have; it takes %s",
					key->expects);
	memcpy((char *)section + key->offset, &addr, sizeof(addr));
	return 0;
}

/* Why no packet may come from or go to an address of the prefix, or NULL. RFC 4291 §2.4 */
static const char *not_unicast(const struct prefix *prefix)
{
	static const struct {
		const char *prefix, *message;
	} never[] = {
		{"::/96", "is the unspecified, the loopback or an IPv4-compatible address"},
		{"::ffff:0:0/96", "is an IPv4 address mapped into IPv6"},
		{"ff00::/8", "is multicast"},
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		struct prefix special;

		if (prefix_parse(never[i].prefix, &special) && prefix_contains(&special, prefix))
			return never[i].message;
	}
	return NULL;
}

static bool is_link_local(const struct prefix *prefix)
{
	return prefix->len >= 10 && IN6_IS_ADDR_LINKLOCAL(&prefix->addr);
}

const char *conf_prefix_fault(const struct prefix *prefix)
{
	return is_link_local(prefix) ? "is link-local" : not_unicast(prefix);
}

/* An IPv6 address that an interface can have. */
static int unicast_parse(struct conf_faults *faults, const struct conf_key *key,
			 const struct conf_statement *statement, struct in6_addr *addr)
{
	const char *word = statement->words[0];
	struct prefix prefix = {.len = 128};
	const char *message;

	if (inet_pton(AF_INET6, word, &prefix.addr) != 1)
		return conf_value_fault(faults, statement, word, "%s; it takes %s",
					strchr(word, '/') ? "an address has no length here"
							  : "is not an IPv6 address",
					key->expects);
	message = not_unicast(&prefix);
	if (message)
		return conf_value_fault(faults, statement, word, "%s; it takes %s", message,
					key->expects);
	*addr = prefix.addr;
	return 0;
}

int conf_read_ipv6(struct conf_faults *faults, const struct conf_key *key,
		   const struct conf_statement *statement, void *section)
{
	struct in6_addr addr;
	int err = unicast_parse(faults, key, statement, &addr);

	if (!err)
		memcpy((char *)section + key->offset, &addr, sizeof(addr));
	return err;
}

int conf_read_address(struct conf_faults *faults, const struct conf_key *key,
		      const struct conf_statement *statement, void *section)
{
	const char *word = statement->words[0];
	struct prefix address, host;
	const char *message;

	if (inet_pton(AF_INET6, word, &host.addr) == 1)
		return conf_value_fault(faults, statement, word,
					"the length is missing, as in %s/64", word);
	if (!prefix_parse(word, &address))
		return conf_value_fault(faults, statement, word, "is no such thing; it takes %s",
					key->expects);
	host = (struct prefix){.addr = address.addr, .len = 128};
	message = conf_prefix_fault(&host);
	if (message)
		return conf_value_fault(faults, statement, word, "%s; it takes %s", message,
					key->expects);
	memcpy((char *)section + key->offset, &address, sizeof(address));
	return 0;
}

int conf_prefix_parse(struct conf_faults *faults, const struct conf_statement *statement,
		      const char *word, unsigned int min_len, struct prefix *out)
{
	char text[PREFIX_STRLEN];
	const char *message;
	struct prefix network;
	struct in6_addr addr;

	if (inet_pton(AF_INET6, word, &addr) == 1)
		return conf_value_fault(faults, statement, word,
					"a prefix needs a length: %s/128 for this one address",
					word);
	if (!prefix_parse(word, out))
		return conf_value_fault(faults, statement, word,
					"is not an IPv6 prefix: an address, \"/\", and a length of "
					"0 to 128 without leading zeros");
	if (prefix_has_host_bits(out)) {
		network = prefix_network(out);
		return conf_value_fault(faults, statement, word, "has host bits: write %s",
					prefix_format(&network, text));
	}
	message = conf_prefix_fault(out);
	if (message)
		return conf_value_fault(faults, statement, word, "%s: it is never forwarded",
					message);
	if (out->len < min_len)
		return conf_value_fault(faults, statement, word,
					"is every address there is: name the prefix that is yours");
	return 0;
}

int conf_read_prefix(struct conf_faults *faults, const struct conf_key *key,
		     const struct conf_statement *statement, void *section)
{
	struct prefix prefix;
	int err = conf_prefix_parse(faults, statement, statement->words[0], (unsigned int)key->min,
				    &prefix);

	if (!err)
		memcpy((char *)section + key->offset, &prefix, sizeof(prefix));
	return err;
}

/* Every word from @first on; reports all that are none. */
static int read_prefix_words(struct conf_faults *faults, const struct conf_key *key,
			     const struct conf_statement *statement, size_t first,
			     struct prefixes *out)
{
	struct prefix prefix;
	int result = 0, err;

	for (size_t i = first; i < statement->word_count; i++) {
		err = conf_prefix_parse(faults, statement, statement->words[i],
					(unsigned int)key->min, &prefix);
		if (!err)
			err = prefixes_add(out, &prefix);
		if (err == -ENOMEM)
			return err;
		if (err)
			result = err;
	}
	return result;
}

int conf_read_prefixes(struct conf_faults *faults, const struct conf_key *key,
		       const struct conf_statement *statement, void *section)
{
	return read_prefix_words(faults, key, statement, 0,
				 (struct prefixes *)((char *)section + key->offset));
}

int conf_read_via(struct conf_faults *faults, const struct conf_key *key,
		  const struct conf_statement *statement, void *section)
{
	struct conf_zerotier *zerotier = section;
	struct conf_via *list, *via;
	int err, prefix_err;

	list = reallocarray(zerotier->via, zerotier->via_count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	zerotier->via = list;
	via = &list[zerotier->via_count++];
	*via = (struct conf_via){.line = statement->line};

	err = unicast_parse(faults, key, statement, &via->next_hop);
	prefix_err = read_prefix_words(faults, key, statement, 1, &via->prefixes);
	if (!prefix_err && !via->prefixes.count)
		prefix_err = conf_value_fault(faults, statement, statement->words[0],
					      "the prefixes behind that member are missing");
	return prefix_err ? prefix_err : err;
}
