// SPDX-License-Identifier: GPL-2.0-or-later
/* `status`: the tunnels, whether they live, and why not. */
#include <arpa/inet.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <unistd.h>

#include "loader/facts.h"
#include "loader/netlink.h"
#include "path_mtu.h"
#include "pins.h"
#include "status_parts.h"
#include "tunnel_health.h"

static const char *ipv4(__be32 address, char text[INET_ADDRSTRLEN])
{
	return inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
}

static const char *device_name(const struct zt6_tunnel *tunnel)
{
	return tunnel->flags & ZT6_TUNNEL_BPF ? "bpf" : "sit";
}

/* The largest packet that goes into it now, as far as the programs have learnt. */
static __u32 fits_now(const struct status *status, const struct zt6_tunnel *tunnel)
{
	int map = pin_open_map(status->instance->pin_dir, "path_mtus", sizeof(struct zt6_path_mtu));
	__u32 fits = tunnel->mtu;

	if (map >= 0) {
		fits = path_mtu_fits(map, tunnel, status->now_ns);
		close(map);
	}
	return fits;
}

/* What the agent knows of it, or NULL. */
static const struct zt6_health *health_of(const struct status *status, size_t index)
{
	return status->agent_running ? &status->agent.tunnels[index] : NULL;
}

static void remedy_uplink(struct findings *out, const char *uplink, const char *remote)
{
	findings_remedy(
		out,
		"see \"ip route get %s\", and give %s its route, with \"ip route add %s via "
		"ROUTER dev %s\" for instance",
		remote, uplink, remote, uplink);
}

/* An address that no interface has is a NAT's: nothing that is sent comes back to it. */
static void judge_ends(struct status *status, const struct zt6_tunnel *tunnel, struct nl_sock *nl)
{
	const char *name = status->model.ports[tunnel->port].name;
	const char *uplink = status->model.ports[tunnel->uplink].name;
	const struct in_addr local = {tunnel->local}, remote = {tunnel->remote};
	struct findings *out = &status->findings;
	char text[INET_ADDRSTRLEN];
	struct in_addr next_hop;
	int ifindex;

	if (!tunnel->local) {
		findings_add(out, FINDING_ERROR, "tunnel %s: %s has no IPv4 address yet", name,
			     uplink);
		findings_remedy(out, "see why not: \"ip address show dev %s\", and its DHCP client",
				uplink);
		return;
	}
	if (facts_ipv4_is_own(nl, local)) {
		findings_add(out, FINDING_ERROR, "tunnel %s: local %s is on no interface", name,
			     ipv4(tunnel->local, text));
		findings_remedy(out,
				"behind a NAT it is the inside address of %s, as in \"local auto\"",
				uplink);
		return;
	}
	if (facts_ipv4_next_hop(nl, remote, local, &ifindex, &next_hop)) {
		findings_add(out, FINDING_ERROR,
			     "tunnel %s: no IPv4 route to %s from here: nothing is sent", name,
			     ipv4(tunnel->remote, text));
		remedy_uplink(out, uplink, text);
	} else if (ifindex != (int)status->model.ports[tunnel->uplink].ifindex) {
		findings_add(out, FINDING_ERROR,
			     "tunnel %s: the route to %s does not leave by its uplink %s", name,
			     ipv4(tunnel->remote, text), uplink);
		remedy_uplink(out, uplink, text);
	}
}

/* Told apart by what was counted: nothing came ever, nothing comes any more, or no echo only. */
static void judge_silence(struct status *status, const struct zt6_tunnel *tunnel,
			  const struct zt6_health *health)
{
	const char *name = status->model.ports[tunnel->port].name;
	enum tunnel_state state = tunnel_state(health, status->now_ns);
	struct findings *out = &status->findings;
	char remote[INET_ADDRSTRLEN];

	ipv4(tunnel->remote, remote);
	if (state == TUNNEL_MUTE) {
		findings_add(out, FINDING_ERROR,
			     "tunnel %s: packets come out of it, but no echo reply of its far end: "
			     "does this machine's rule set let ICMPv6 in?",
			     name);
		findings_remedy(out, "accept it: \"nft insert rule inet TABLE CHAIN meta l4proto "
				     "ipv6-icmp accept\" (nft list ruleset shows both)");
	} else if (state == TUNNEL_SILENT && !health->sent_ns) {
		findings_add(out, FINDING_ERROR,
			     "tunnel %s: nothing goes into it and nothing comes out: is its "
			     "interface up?",
			     name);
		findings_remedy(out, "run \"ip link set %s up\"", name);
	} else if (state == TUNNEL_SILENT && !health->heard_ns) {
		findings_add(out, FINDING_ERROR,
			     "tunnel %s: packets are sent and nothing has ever come back: protocol "
			     "41 is blocked on the way or by the rule set, or the broker sends to "
			     "another address",
			     name);
		findings_remedy(out,
				"\"zt6-bpf tunnel-update\" tells it ours; let protocol 41 from %s "
				"in here and on the router before",
				remote);
	} else if (state == TUNNEL_SILENT) {
		findings_add(
			out, FINDING_ERROR,
			"tunnel %s: nothing has come from %s for %llu s: has this machine's "
			"outside address changed, or is the broker down?",
			name, remote,
			(unsigned long long)((status->now_ns - health->heard_ns) / 1000000000));
		findings_remedy(out, "\"zt6-bpf tunnel-update\" tells the broker ours");
	}
}

static void judge(struct status *status)
{
	struct nl_sock *nl = NULL;
	size_t before;

	if (netlink_open(&nl))
		return;
	for (size_t i = 0; i < status->model.settings.tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &status->model.settings.tunnels[i];

		before = status->findings.count;
		judge_ends(status, tunnel, nl);
		/* The silence then has this reason. */
		if (status->findings.count == before && health_of(status, i))
			judge_silence(status, tunnel, health_of(status, i));
	}
	nl_socket_free(nl);
}

static json_t *json(const struct status *status)
{
	json_t *tunnels = json_array();

	for (size_t i = 0; i < status->model.settings.tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &status->model.settings.tunnels[i];
		const struct zt6_port *ports = status->model.ports;
		char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN];

		json_array_append_new(
			tunnels,
			json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:o}", "name",
				  ports[tunnel->port].name, "uplink", ports[tunnel->uplink].name,
				  "local", ipv4(tunnel->local, local), "remote",
				  ipv4(tunnel->remote, remote), "mtu", tunnel->mtu, "path_mtu",
				  (int)fits_now(status, tunnel), "ttl", tunnel->ttl, "device",
				  device_name(tunnel), "health",
				  tunnel_health_json(health_of(status, i), status->now_ns)));
	}
	return tunnels;
}

static void print(const struct status *status)
{
	const struct model *model = &status->model;
	char local[INET_ADDRSTRLEN], remote[INET_ADDRSTRLEN], text[160];

	for (size_t i = 0; i < model->settings.tunnel_count; i++) {
		const struct zt6_tunnel *tunnel = &model->settings.tunnels[i];
		const struct zt6_health *health = health_of(status, i);

		printf(STATUS_COLUMN "%-15s  %s -> %s over %s, mtu %u, device %s\n", "tunnel",
		       model->ports[tunnel->port].name, ipv4(tunnel->local, local),
		       ipv4(tunnel->remote, remote), model->ports[tunnel->uplink].name, tunnel->mtu,
		       device_name(tunnel));
		if (fits_now(status, tunnel) < tunnel->mtu)
			printf(STATUS_COLUMN "%-15s  the path carries packets of %u bytes now\n",
			       "", "", fits_now(status, tunnel));
		if (!health)
			continue;
		tunnel_health_text(health, status->now_ns, text, sizeof(text));
		printf(STATUS_COLUMN "%-15s  %s\n", "", "", text);
	}
}

const struct status_part status_tunnels = {
	.key = "tunnels",
	.matters = "the members have no IPv6 Internet by this tunnel",
	.judge = judge,
	.json = json,
	.print = print,
};
