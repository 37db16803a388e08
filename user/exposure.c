// SPDX-License-Identifier: GPL-2.0-or-later
#include "exposure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "running.h"

#define ECHO_REQUEST 128 /* RFC 4443 §4.1 */

#define NAMES_MAX 200

enum exposure_extent exposure_extent(const struct firewall *firewall, bool policy_off)
{
	if (policy_off)
		return EXPOSURE_EVERYTHING;
	if (firewall->own_rules || firewall->state == FIREWALL_NONE ||
	    firewall->state == FIREWALL_GONE)
		return firewall_others_filter(firewall) ? EXPOSURE_OTHERS : EXPOSURE_EVERYTHING;
	return EXPOSURE_LISTED;
}

/* Of our own table, where it is not as it should be. */
static const char *table_remark(const struct firewall *firewall)
{
	switch (firewall->state) {
	case FIREWALL_CHANGED:
		return "somebody has changed the rules since they were loaded: \"zt6-bpf reload\" "
		       "puts them back";
	case FIREWALL_GONE:
		return "somebody has removed the rules: \"zt6-bpf reload\" puts them back";
	case FIREWALL_UNKNOWN:
		return "the kernel does not tell whether the rules are still loaded";
	default:
		return "";
	}
}

const char *exposure_remark(const struct firewall *firewall, bool policy_off,
			    char text[EXPOSURE_REMARK])
{
	const char *table = table_remark(firewall);
	char names[NAMES_MAX];

	firewall_chain_names(firewall, names, sizeof(names));
	if (policy_off)
		snprintf(text, EXPOSURE_REMARK, "policy off%s%s",
			 *names ? ": the fast path goes past the rules in " : "", names);
	else if (firewall->own_rules)
		snprintf(text, EXPOSURE_REMARK, "rules none%s%s",
			 *names ? ": yours decide, in " : ", and there are none of yours", names);
	else
		snprintf(text, EXPOSURE_REMARK, "%s%s%s%s", table, *table && *names ? "; " : "",
			 *names ? "rules of yours may hold back some of it, in " : "", names);
	return text;
}

static int add(struct exposure_openings *openings, const char *protocol, unsigned int first,
	       unsigned int last, const struct prefix *from)
{
	struct exposure_opening *grown =
		reallocarray(openings->list, openings->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	grown[openings->count++] = (struct exposure_opening){protocol, first, last, *from};
	openings->list = grown;
	return 0;
}

/* RFC 4890 §4.3.4, §4.3.5: what passes in neither direction whatever is listed (ruleset.c). */
#define NEVER_FIRST 133
#define NEVER_LAST  138

/* A range of the configuration, less what no rule opens. */
static int add_range(struct exposure_openings *openings, const char *protocol, unsigned int first,
		     unsigned int last, const struct prefix *from)
{
	bool icmpv6 = !strcmp(protocol, "icmpv6");
	int err = 0;

	if (!icmpv6 || last < NEVER_FIRST || first > NEVER_LAST)
		return add(openings, protocol, first, last, from);
	if (first < NEVER_FIRST)
		err = add(openings, protocol, first, NEVER_FIRST - 1, from);
	if (!err && last > NEVER_LAST)
		err = add(openings, protocol, NEVER_LAST + 1, last, from);
	return err;
}

/* A line of the configuration, if it is about this member. */
static int add_allow(const json_t *allow, const struct in6_addr *member,
		     struct exposure_openings *out)
{
	const char *protocol, *to_text, *from_text;
	json_t *ports, *range;
	struct prefix to, from;
	int first, last, err = 0;
	size_t i;

	if (json_unpack((json_t *)allow, "{s:s, s:o, s:s, s:s}", "protocol", &protocol, "ports",
			&ports, "to", &to_text, "from", &from_text) ||
	    !prefix_parse(to_text, &to) || !prefix_parse(from_text, &from) ||
	    !prefix_contains_addr(&to, member))
		return 0;
	json_array_foreach (ports, i, range)
		if (!err && !json_unpack(range, "[i, i]", &first, &last))
			err = add_range(out, protocol, (unsigned int)first, (unsigned int)last,
					&from);
	return err;
}

int exposure_openings(const struct firewall *firewall, const struct in6_addr *member,
		      struct exposure_openings *out)
{
	const struct prefix anywhere = {0};
	const json_t *allow;
	size_t i;
	int err;

	*out = (struct exposure_openings){0};
	err = add(out, "icmpv6", ECHO_REQUEST, ECHO_REQUEST, &anywhere);
	json_array_foreach (firewall->allows, i, allow)
		if (!err)
			err = add_allow(allow, member, out);
	if (err)
		exposure_free(out);
	return err;
}

void exposure_free(struct exposure_openings *openings)
{
	free(openings->list);
	*openings = (struct exposure_openings){0};
}

unsigned int exposure_port(const struct model *model, const struct in6_addr *member)
{
	const struct model_prefix *owner;
	union zt6_addr addr;

	memcpy(&addr, member, sizeof(addr));
	owner = model_owner(model, &addr);
	if (!owner || owner->value.own || owner->value.port >= ZT6_MAX_PORTS ||
	    !port_is_inside(&model->ports[owner->value.port]))
		return ZT6_NO_PORT;
	return owner->value.port;
}
