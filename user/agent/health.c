// SPDX-License-Identifier: GPL-2.0-or-later
#include "health.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netlink/route/link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"

#define NSEC_PER_SEC 1000000000ULL

/* Between two echo requests to the far end of a tunnel that answers. */
#define ECHO_NS (10 * NSEC_PER_SEC)

/* A reply that takes longer is none, and the far end is asked again. */
#define ANSWER_NS (3 * NSEC_PER_SEC)

int agent_health_open(struct agent *agent)
{
	struct agent_health *health = &agent->health;
	struct epoll_event event = {.events = EPOLLIN};
	struct icmp6_filter replies;

	health->socket = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (health->socket < 0)
		return -errno;
	ICMP6_FILTER_SETBLOCKALL(&replies);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &replies);
	event.data.fd = health->socket;
	if (setsockopt(health->socket, IPPROTO_ICMPV6, ICMP6_FILTER, &replies, sizeof(replies)) ||
	    epoll_ctl(agent->epoll, EPOLL_CTL_ADD, health->socket, &event) ||
	    getrandom(&health->identifier, sizeof(health->identifier), 0) < 0)
		return -errno;
	return 0;
}

void agent_health_close(struct agent *agent)
{
	if (agent->health.socket >= 0)
		close(agent->health.socket);
	agent->health.socket = -1;
}

/* The far end: the one address that is the tunnel's port's own. False when none is configured. */
static bool far_end(const struct agent *agent, const struct zt6_tunnel *tunnel,
		    struct in6_addr *out)
{
	for (size_t i = 0; i < agent->model.prefix_count; i++) {
		const struct model_prefix *prefix = &agent->model.prefixes[i];

		if (prefix->key.prefixlen != 128 || prefix->value.own ||
		    prefix->value.port != tunnel->port)
			continue;
		memcpy(out, prefix->key.addr, sizeof(*out));
		return true;
	}
	return false;
}

/* Asks the far end, by way of the tunnel and no other. An error is as good as no answer. */
static void ask(struct agent *agent, unsigned int index, const struct in6_addr *far)
{
	struct agent_health *health = &agent->health;
	const struct zt6_tunnel *tunnel = &agent->model.settings.tunnels[index];
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = *far};
	const struct icmp6_hdr request = {
		.icmp6_type = ICMP6_ECHO_REQUEST,
		.icmp6_id = health->identifier,
		.icmp6_seq = htons(++health->tunnels[index].sequence),
	};
	struct iovec data = {.iov_base = (void *)&request, .iov_len = sizeof(request)};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = {0};
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct in6_pktinfo out = {.ipi6_ifindex = agent->model.ports[tunnel->port].ifindex};

	control.header.cmsg_level = IPPROTO_IPV6;
	control.header.cmsg_type = IPV6_PKTINFO;
	control.header.cmsg_len = CMSG_LEN(sizeof(out));
	memcpy(CMSG_DATA(&control.header), &out, sizeof(out));
	agent->shared->tunnels[index].asked_ns = agent_now();
	health->tunnels[index].waiting = true;
	sendmsg(health->socket, &message, 0);
}

static void ask_if_due(struct agent *agent, unsigned int index, uint64_t now)
{
	const struct zt6_tunnel *tunnel = &agent->model.settings.tunnels[index];
	struct zt6_health *shared = &agent->shared->tunnels[index];
	struct in6_addr far;

	if (agent->health.tunnels[index].waiting && now - shared->asked_ns >= ANSWER_NS) {
		agent->health.tunnels[index].waiting = false;
		shared->unanswered++;
	}
	if (shared->asked_ns && now - shared->asked_ns < (shared->unanswered ? ANSWER_NS : ECHO_NS))
		return;
	if (agent->model.ports[tunnel->port].ifindex && far_end(agent, tunnel, &far))
		ask(agent, index, &far);
}

void agent_health_read(struct agent *agent)
{
	struct agent_health *health = &agent->health;
	struct sockaddr_in6 from = {0};
	socklen_t length = sizeof(from);
	struct icmp6_hdr reply = {0};
	struct in6_addr far;

	while (recvfrom(health->socket, &reply, sizeof(reply), 0, (struct sockaddr *)&from,
			&length) >= (ssize_t)sizeof(reply)) {
		uint64_t now = agent_now();

		if (reply.icmp6_id != health->identifier)
			continue;
		for (unsigned int i = 0; i < agent->model.settings.tunnel_count; i++) {
			struct zt6_health *shared = &agent->shared->tunnels[i];

			if (!health->tunnels[i].waiting ||
			    ntohs(reply.icmp6_seq) != health->tunnels[i].sequence ||
			    !far_end(agent, &agent->model.settings.tunnels[i], &far) ||
			    !IN6_ARE_ADDR_EQUAL(&far, &from.sin6_addr))
				continue;
			health->tunnels[i].waiting = false;
			shared->rtt_us = (__u32)((now - shared->asked_ns) / 1000);
			shared->answered_ns = shared->heard_ns = now;
			shared->unanswered = 0;
		}
	}
}

/* Packets that the port has counted, over all CPUs. */
static void read_counters(const struct agent *agent, __u32 slot, struct zt6_port_counters *per_cpu,
			  int cpus, struct zt6_port_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	if (bpf_map_lookup_elem(agent->maps.counters, &slot, per_cpu))
		return;
	for (int cpu = 0; cpu < cpus; cpu++) {
		sum->rx.packets += per_cpu[cpu].rx.packets;
		sum->tx.packets += per_cpu[cpu].tx.packets;
		sum->verdicts[ZT6_DECAPSULATED].packets +=
			per_cpu[cpu].verdicts[ZT6_DECAPSULATED].packets;
		sum->verdicts[ZT6_ENCAPSULATED].packets +=
			per_cpu[cpu].verdicts[ZT6_ENCAPSULATED].packets;
	}
}

/* What the tunnel's own interface counts: a sit does so itself. */
static void read_device(struct agent *agent, const struct zt6_port *port, uint64_t *in,
			uint64_t *out)
{
	struct rtnl_link *link;

	if (!port->ifindex ||
	    rtnl_link_get_kernel(agent->requests, (int)port->ifindex, NULL, &link))
		return;
	*in += rtnl_link_get_stat(link, RTNL_LINK_RX_PACKETS);
	*out += rtnl_link_get_stat(link, RTNL_LINK_TX_PACKETS);
	rtnl_link_put(link);
}

/* Packets out of a tunnel and into it, in whatever way they went. What XDP takes out and puts in is
 * counted without the tunnel's name: it is the tunnel's where there is one only. */
static void count(struct agent *agent, unsigned int index, struct zt6_port_counters *per_cpu,
		  int cpus, uint64_t *in, uint64_t *out)
{
	const struct zt6_tunnel *tunnel = &agent->model.settings.tunnels[index];
	struct zt6_port_counters sum;

	*in = *out = 0;
	read_counters(agent, tunnel->port, per_cpu, cpus, &sum);
	*in += sum.rx.packets;
	*out += sum.tx.packets;
	if (!(tunnel->flags & ZT6_TUNNEL_BPF))
		read_device(agent, &agent->model.ports[tunnel->port], in, out);
	if (agent->model.settings.tunnel_count != 1)
		return;
	for (__u32 slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (agent->model.ports[slot].role == ZT6_ROLE_NONE || slot == tunnel->port)
			continue;
		read_counters(agent, slot, per_cpu, cpus, &sum);
		*in += sum.verdicts[ZT6_DECAPSULATED].packets;
		*out += sum.verdicts[ZT6_ENCAPSULATED].packets;
	}
}

static void look(struct agent *agent, unsigned int index, struct zt6_port_counters *per_cpu,
		 int cpus, uint64_t now)
{
	struct zt6_health *shared = &agent->shared->tunnels[index];
	uint64_t in, out;

	count(agent, index, per_cpu, cpus, &in, &out);
	if (agent->health.tunnels[index].looked && in != agent->health.tunnels[index].in)
		shared->heard_ns = now;
	if (agent->health.tunnels[index].looked && out != agent->health.tunnels[index].out)
		shared->sent_ns = now;
	agent->health.tunnels[index].in = in;
	agent->health.tunnels[index].out = out;
	agent->health.tunnels[index].looked = true;
}

void agent_health_tick(struct agent *agent, uint64_t now)
{
	int cpus = libbpf_num_possible_cpus();
	struct zt6_port_counters *per_cpu = cpus > 0 ? calloc(cpus, sizeof(*per_cpu)) : NULL;

	for (unsigned int i = 0; i < agent->model.settings.tunnel_count && per_cpu; i++) {
		look(agent, i, per_cpu, cpus, now);
		ask_if_due(agent, i, now);
	}
	free(per_cpu);
}
