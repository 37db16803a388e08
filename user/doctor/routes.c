// SPDX-License-Identifier: GPL-2.0-or-later
/* `doctor`: default routes that compete, or that will be gone soon. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../loader/kinds.h"
#include "../zerotier/kernel.h"
#include "doctor.h"

static bool is_default(const struct kernel_route *route)
{
	return !route->destination.len && route->type == RTN_UNICAST;
}

/* The one that the kernel takes; NULL when there is none. */
static const struct kernel_route *find_best(const struct kernel_routes *routes)
{
	const struct kernel_route *best = NULL;

	for (size_t i = 0; i < routes->count; i++)
		if (is_default(&routes->list[i]) &&
		    (!best || routes->list[i].metric < best->metric))
			best = &routes->list[i];
	return best;
}

static void report_rivals(struct findings *out, const struct kernel_route *best,
			  const char *devices)
{
	findings_add(out, FINDING_WARNING,
		     "there are several IPv6 default routes of the same metric, %u%s", best->metric,
		     devices);
	findings_why(out, "flows are spread over them, and each provider drops sources of the "
			  "other's prefix");
	findings_remedy(out,
			"give them different metrics: \"ip -6 route show default\", \"ip -6 route "
			"change default via ROUTER dev DEVICE metric N\"; for members alone "
			"\"default source\" in the section tunnel does");
}

static void judge_rivals(struct findings *out, const struct kernel_routes *routes,
			 const struct kernel_route *best)
{
	char devices[2 * IFNAMSIZ + 16];

	/* One with several next hops has no device of its own. */
	if (!*best->device)
		report_rivals(out, best, "");
	for (size_t i = 0; i < routes->count && *best->device; i++) {
		const struct kernel_route *route = &routes->list[i];

		if (!is_default(route) || route == best || route->metric != best->metric ||
		    !strcmp(route->device, best->device))
			continue;
		snprintf(devices, sizeof(devices), ", by %s and %s", best->device, route->device);
		report_rivals(out, best, devices);
		return;
	}
}

/* `default yes` is one route among the machine's. */
static void judge_loser(struct doctor *doctor, const struct conf_tunnel *tunnel,
			const struct kernel_route *best)
{
	struct findings *out = &doctor->findings;

	if (!doctor->status || tunnel->default_route != DEFAULT_YES ||
	    best->metric >= tunnel->metric || !strcmp(best->device, tunnel->name))
		return;
	findings_add(out, FINDING_ERROR,
		     "tunnel %s: its default route, of metric %u, is not used: the one by %s has "
		     "metric %u",
		     tunnel->name, tunnel->metric, best->device, best->metric);
	findings_why(out, "what members send leaves by a provider who drops the tunnel's prefix");
	findings_remedy(out,
			"set \"default source\" in its section, or \"metric %u\" and run \"zt6-bpf "
			"reload\"",
			best->metric ? best->metric - 1 : 0);
}

static bool conf_is(const char *device, const char *key, const char *value)
{
	char path[80], found[16];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/%s", device, key);
	return !sysctl_read(path, found, sizeof(found)) && !strcmp(found, value);
}

/* A router takes no advertisements, unless accept_ra says that it does all the same. */
static void judge_advertised(struct findings *out, const struct kernel_route *route)
{
	if (route->protocol != RTPROT_RA || !*route->device ||
	    !conf_is(route->device, "forwarding", "1") || conf_is(route->device, "accept_ra", "2"))
		return;
	findings_add(
		out, FINDING_ERROR,
		"%s: its default route is from a Router Advertisement, and the kernel takes no "
		"further ones (forwarding is on, and accept_ra not 2)",
		route->device);
	findings_why(out, "the route goes when its lifetime ends, half an hour as a rule");
	findings_remedy(
		out,
		"run \"sysctl -w net/ipv6/conf/%s/accept_ra=2\" and write it into a file in "
		"/etc/sysctl.d",
		route->device);
}

static void examine(struct doctor *doctor)
{
	const struct kernel_route *best;
	struct kernel_routes routes;

	if (kernel_routes_read(doctor->nl, &routes))
		return;
	best = find_best(&routes);
	if (best)
		judge_rivals(&doctor->findings, &routes, best);
	for (size_t i = 0; best && i < doctor->conf->tunnel_count; i++)
		judge_loser(doctor, &doctor->conf->tunnels[i], best);
	for (size_t i = 0; i < routes.count; i++)
		if (is_default(&routes.list[i]))
			judge_advertised(&doctor->findings, &routes.list[i]);
	free(routes.list);
}

const struct doctor_area doctor_routes = {
	.name = "routes",
	.examine = examine,
};
