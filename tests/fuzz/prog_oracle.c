// SPDX-License-Identifier: GPL-2.0-or-later
#include "prog_oracle.h"

#include <arpa/inet.h>
#include <string.h>

enum { ETHER = 14, TAG = 4, IP4 = 20, IP6 = 40, TCP_LEAST = 20, NS = 24, NA = 32 };
enum { HOP_BY_HOP = 0, TCP = 6, PROTO_6IN4 = 41, ICMP6 = 58 };
enum { SOLICIT = 135, ADVERT = 136, SOURCE_LINK = 1, TARGET_LINK = 2 };

static const uint8_t zeros[16];

static uint16_t be16(const uint8_t *bytes)
{
	return bytes[0] << 8 | bytes[1];
}

static void write16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = value >> 8;
	bytes[1] = value;
}

static uint32_t sum16(const uint8_t *bytes, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 8200 §8.1, over a whole ICMPv6 message; 0xffff when its checksum is right. */
static uint16_t icmp6_sum(const uint8_t *ip6, size_t length)
{
	uint32_t sum = sum16(ip6 + 8, 32, (length & 0xffff) + (length >> 16) + ICMP6);

	return fold(sum16(ip6 + IP6, length, sum));
}

static bool is_multicast(const uint8_t *addr)
{
	return addr[0] == 0xff;
}

static bool is_link_local(const uint8_t *addr)
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* ::/96 and ::ffff:0:0/96: unspecified, loopback, IPv4-compatible and IPv4-mapped addresses. */
static bool embeds_no_host(const uint8_t *addr)
{
	static const uint8_t mapped[2] = {0xff, 0xff};

	return !memcmp(addr, zeros, 10) &&
	       (!memcmp(addr + 10, zeros, 2) || !memcmp(addr + 10, mapped, 2));
}

/* Bytes of the link header and the EtherType behind it, or 0 when they are not there. */
static size_t read_link(const uint8_t *frame, size_t length, uint16_t vlan, uint16_t *type)
{
	if (length < ETHER)
		return 0;
	*type = be16(frame + 12);
	if (*type != 0x8100)
		return vlan ? 0 : ETHER;
	if (length < ETHER + TAG || (be16(frame + 14) & 0xfff) != vlan)
		return 0;
	*type = be16(frame + 16);
	return ETHER + TAG;
}

static const struct zt6_tunnel *tunnel_of(const uint8_t *ip4, const struct zt6_settings *settings)
{
	for (__u32 i = 0; i < settings->tunnel_count && i < ZT6_MAX_TUNNELS; i++) {
		const struct zt6_tunnel *tunnel = &settings->tunnels[i];

		if (!memcmp(ip4 + 12, &tunnel->remote, 4) && !memcmp(ip4 + 16, &tunnel->local, 4))
			return tunnel;
	}
	return NULL;
}

/* Finds the IPv6 packet in 6in4, where it is one of a tunnel of ours. */
static void read_6in4(struct reading *r, const uint8_t *frame, size_t length,
		      const struct zt6_port *port, const struct zt6_settings *settings)
{
	const uint8_t *ip4 = frame + r->link;
	size_t left = length - r->link;

	if (left < IP4 || ip4[9] != PROTO_6IN4 || !tunnel_of(ip4, settings) ||
	    port->role != ZT6_ROLE_UPLINK)
		return;
	r->tunnelled = true;
	if (ip4[0] != 0x45 || be16(ip4 + 6) & 0x3fff || fold(sum16(ip4, IP4, 0)) != 0xffff ||
	    be16(ip4 + 2) > left || be16(ip4 + 2) < IP4 + IP6)
		return;
	r->outer_ecn = ip4[1] & 3;
	r->ip6 = r->link + IP4;
	r->ip6_size = be16(ip4 + 2) - IP4;
}

/* RFC 4861 §7.1.1, RFC 6980 (there is no fragment header, or this would not be called). */
static bool is_valid_solicitation(const uint8_t *frame, const uint8_t *ip6, size_t size,
				  const struct zt6_port *port)
{
	static const uint8_t solicited_node[13] = {0xff, 2, [11] = 1, [12] = 0xff};
	const uint8_t *icmp = ip6 + IP6, *target = icmp + 8;
	bool unspecified = !memcmp(ip6 + 8, zeros, 16);
	size_t length = size - IP6, at;

	if (length < NS || ip6[7] != 255 || icmp[1] || icmp6_sum(ip6, length) != 0xffff)
		return false;
	if (is_multicast(target) || is_multicast(ip6 + 8) || embeds_no_host(target))
		return false;
	if (!memcmp(frame + 6, port->mac, 6))
		return false;
	if (unspecified && memcmp(ip6 + 24, solicited_node, sizeof(solicited_node)))
		return false;
	for (at = NS; at < length; at += icmp[at + 1] * 8) {
		if (length - at < 2 || !icmp[at + 1] || icmp[at + 1] * 8u > length - at)
			return false;
		if (icmp[at] == SOURCE_LINK && (unspecified || icmp[at + 1] != 1))
			return false;
		if (icmp[at] == SOURCE_LINK && icmp[at + 2] & 1)
			return false;
	}
	return true;
}

/* Whether the headers alone let a router forward the packet. */
static bool may_forward(const uint8_t *ip6)
{
	const uint8_t *source = ip6 + 8, *destination = ip6 + 24;

	if (ip6[6] == HOP_BY_HOP || ip6[7] <= 1)
		return false;
	for (int i = 0; i < 2; i++) {
		const uint8_t *addr = i ? destination : source;

		if (is_multicast(addr) || is_link_local(addr) || embeds_no_host(addr))
			return false;
	}
	return true;
}

struct reading oracle_read(const uint8_t *frame, size_t length, const struct zt6_port *port,
			   const struct zt6_settings *settings)
{
	struct reading r = {0};
	const uint8_t *ip6;
	uint16_t type;

	r.link = read_link(frame, length, port->vlan, &type);
	if (!r.link)
		return r;
	r.ours = !memcmp(frame, port->mac, 6);
	if (type == 0x0800) {
		read_6in4(&r, frame, length, port, settings);
	} else if (type == 0x86dd) {
		r.ip6 = r.link;
		r.ip6_size = length - r.link;
	}
	ip6 = frame + r.ip6;
	if (!r.ip6 || r.ip6_size < IP6 || ip6[0] >> 4 != 6 ||
	    (size_t)be16(ip6 + 4) + IP6 > r.ip6_size)
		return r;
	r.whole = true;
	r.ip6_size = be16(ip6 + 4) + IP6;
	r.may_forward = r.ours && may_forward(ip6) &&
			!(r.tunnelled && r.outer_ecn == 3 && !(ip6[1] >> 4 & 3));
	r.solicits = !r.tunnelled && ip6[6] == ICMP6 && r.ip6_size > IP6 && ip6[IP6] == SOLICIT;
	r.valid = r.solicits && is_valid_solicitation(frame, ip6, r.ip6_size, port);
	r.stays = r.valid && (is_multicast(ip6 + 24) || (port->role == ZT6_ROLE_UPLINK &&
							 !memcmp(ip6 + 24, ip6 + IP6 + 8, 16)));
	return r;
}

/* The packet as it must go on, with the ECN bits of RFC 6040 figure 4. */
static void expected_packet(const struct reading *r, const uint8_t *in, uint8_t *packet)
{
	static const uint8_t decapsulated[4][4] = {
		/* outer: Not-ECT, ECT(1), ECT(0), CE; Not-ECT in CE is never forwarded */
		[0] = {0, 0, 0, 0},
		[1] = {1, 1, 1, 3},
		[2] = {2, 1, 2, 3},
		[3] = {3, 3, 3, 3},
	};
	uint8_t ecn;

	memcpy(packet, in + r->ip6, r->ip6_size);
	if (!r->tunnelled)
		return;
	ecn = decapsulated[packet[1] >> 4 & 3][r->outer_ecn];
	packet[1] = (packet[1] & 0xcf) | ecn << 4;
}

/* Where the value of the MSS option is in a segment that opens a connection, counted from the IPv6
 * header; 0 when there is none, or the options are not to be trusted. */
static size_t find_mss(const uint8_t *ip6, size_t size)
{
	const uint8_t *tcp = ip6 + IP6;
	size_t header, at, found = 0;

	if (ip6[6] != TCP || size < IP6 + TCP_LEAST || (tcp[13] & 0x06) != 0x02)
		return 0;
	header = (tcp[12] >> 4) * 4u;
	if (header > size - IP6)
		return 0;
	for (at = TCP_LEAST; at < header && tcp[at] != 0; at += tcp[at] == 1 ? 1 : tcp[at + 1]) {
		if (tcp[at] == 1)
			continue;
		if (header - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > header - at)
			return 0;
		if (tcp[at] == 2 && (found || tcp[at + 1] != 4))
			return 0;
		if (tcp[at] == 2)
			found = IP6 + at + 2;
	}
	return found;
}

static uint16_t header_sum(const uint8_t *ip6)
{
	uint16_t sum = fold(sum16(ip6 + IP6, (ip6[IP6 + 12] >> 4) * 4u, 0));

	return sum == 0xffff ? 0 : sum;
}

/* The MSS may be lowered where the path carries less, and nothing else with it: what the header sums
 * up to stays. Then the packet expected is changed accordingly. */
static const char *allow_lower_mss(uint8_t *expected, const uint8_t *got, size_t size)
{
	size_t at = find_mss(expected, size), sum_at = IP6 + 16;
	uint16_t before, sum;

	if (!at || be16(got + at) == be16(expected + at))
		return NULL;
	if (be16(got + at) > be16(expected + at) || be16(got + at) < 1280 - IP6 - TCP_LEAST)
		return "its MSS is wrong";
	before = header_sum(expected);
	sum = be16(got + sum_at);
	memcpy(expected + at, got + at, 2);
	write16(expected + sum_at, sum);
	return header_sum(expected) == before ? NULL : "its TCP checksum is wrong";
}

static const struct zt6_port *sender(const uint8_t *out, const struct zt6_port *ports)
{
	for (int i = 0; i < ZT6_MAX_PORTS; i++) {
		if (ports[i].role != ZT6_ROLE_NONE && ports[i].role != ZT6_ROLE_TUNNEL &&
		    !memcmp(out + 6, ports[i].mac, 6))
			return &ports[i];
	}
	return NULL;
}

/* What is wrong with the IPv4 header in front of a packet of @size bytes, or NULL. */
static const char *bad_outer(const uint8_t *ip4, const uint8_t *ip6, size_t size,
			     const struct zt6_settings *settings)
{
	uint8_t swapped[IP4];

	memcpy(swapped, ip4, sizeof(swapped));
	memcpy(swapped + 12, ip4 + 16, 4);
	memcpy(swapped + 16, ip4 + 12, 4);
	if (ip4[0] != 0x45 || be16(ip4 + 2) != IP4 + size || ip4[9] != PROTO_6IN4)
		return "its outer header is not that of 6in4";
	if (fold(sum16(ip4, IP4, 0)) != 0xffff)
		return "its outer checksum is wrong";
	if (!tunnel_of(swapped, settings))
		return "its outer addresses are those of no tunnel";
	if ((ip4[1] & 3) != (ip6[1] >> 4 & 3))
		return "its outer ECN bits are not the inner ones";
	if (be16(ip4 + 6) & 0xbfff || (be16(ip4 + 6) & 0x4000 && be16(ip4 + 4)))
		return "its outer fragment fields are wrong";
	return NULL;
}

const char *oracle_forwarded(const struct reading *reading, const uint8_t *in, const uint8_t *out,
			     size_t out_length, enum zt6_verdict verdict,
			     const struct zt6_port *in_port, const struct zt6_port *ports,
			     const struct zt6_settings *settings)
{
	const struct zt6_port *out_port = out_length < ETHER ? NULL : sender(out, ports);
	size_t outer = verdict == ZT6_ENCAPSULATED ? IP4 : 0, link;
	uint8_t packet[0x10000 + IP6];
	const char *wrong;
	uint16_t type;

	if (!reading->whole || !reading->may_forward)
		return "it was not to be forwarded";
	if (reading->tunnelled != (verdict == ZT6_DECAPSULATED))
		return "it was counted as something else";
	if (!out_port || out_port == in_port)
		return "its source is not the MAC of another port";
	if (out[0] & 1 || !memcmp(out, zeros, 6))
		return "its destination is no neighbour";
	link = read_link(out, out_length, out_port->vlan, &type);
	if (!link || type != (outer ? 0x0800 : 0x86dd))
		return "its link header is wrong";
	if (out_length != link + outer + reading->ip6_size)
		return "its length is wrong";
	expected_packet(reading, in, packet);
	packet[7]--; /* a hop further */
	wrong = allow_lower_mss(packet, out + link + outer, reading->ip6_size);
	if (wrong)
		return wrong;
	if (memcmp(out + link + outer, packet, reading->ip6_size))
		return "its IPv6 packet is wrong";
	return outer ? bad_outer(out + link, packet, reading->ip6_size, settings) : NULL;
}

const char *oracle_handed_on(const struct reading *reading, const uint8_t *in, const uint8_t *out,
			     size_t out_length)
{
	uint8_t packet[0x10000 + IP6];
	const char *wrong;

	if (!reading->whole || !reading->tunnelled)
		return "it was not to be taken out of 6in4";
	/* Padding may follow: the kernel trims it. */
	if (out_length < reading->link + reading->ip6_size)
		return "its length is wrong";
	expected_packet(reading, in, packet);
	wrong = allow_lower_mss(packet, out + reading->link, reading->ip6_size);
	if (wrong)
		return wrong;
	if (memcmp(out + reading->link, packet, reading->ip6_size))
		return "its IPv6 packet is wrong";
	return NULL;
}

const char *oracle_answered(const struct reading *reading, const uint8_t *in, const uint8_t *out,
			    size_t out_length, const struct zt6_port *port)
{
	static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
	const uint8_t *solicitation = in + reading->ip6, *ip6 = out + reading->link;
	bool dad = reading->ip6 && !memcmp(solicitation + 8, zeros, 16);
	const uint8_t *icmp = ip6 + IP6;

	if (!reading->whole || !reading->valid)
		return "no valid solicitation was answered";
	if (out_length != reading->link + IP6 + NA)
		return "its length is wrong";
	if (memcmp(out + 6, port->mac, 6) || memcmp(out + 12, in + 12, reading->link - 12))
		return "its link header is wrong";
	if (be16(ip6) != 0x6000 || be16(ip6 + 4) != NA || ip6[6] != ICMP6 || ip6[7] != 255 ||
	    memcmp(ip6 + 24, dad ? all_nodes : solicitation + 8, 16))
		return "its IPv6 header is wrong";
	if (icmp[0] != ADVERT || icmp[1] || (icmp[4] & 0x7f) != (dad ? 0 : 0x40) ||
	    memcmp(icmp + 5, zeros, 3) || memcmp(icmp + 8, solicitation + IP6 + 8, 16))
		return "its message is wrong";
	if (icmp[24] != TARGET_LINK || icmp[25] != 1 || memcmp(icmp + 26, port->mac, 6))
		return "its option is wrong";
	return icmp6_sum(ip6, NA) == 0xffff ? NULL : "its checksum is wrong";
}

const char *oracle_told_too_big(const struct reading *reading, const uint8_t *in,
				const uint8_t *out, size_t out_length, const struct zt6_port *port)
{
	const uint8_t *packet = in + reading->ip6, *ip6, *icmp;
	uint16_t type = 0;
	size_t link = read_link(out, out_length, port->vlan, &type);

	if (!reading->whole || !reading->may_forward || reading->tunnelled)
		return "it was not to be answered";
	if (packet[6] == ICMP6 && packet[IP6] < 128)
		return "an error was answered";
	if (link != (port->vlan ? ETHER + TAG : ETHER) || type != 0x86dd ||
	    memcmp(out, in + 6, 6) || memcmp(out + 6, port->mac, 6))
		return "its link header is wrong";
	if (out_length != link + 1280)
		return "its length is wrong";
	ip6 = out + link;
	icmp = ip6 + IP6;
	if (be16(ip6) != 0x6000 || be16(ip6 + 2) || be16(ip6 + 4) != 1280 - IP6 ||
	    ip6[6] != ICMP6 || ip6[7] != 64 || memcmp(ip6 + 8, &port->error_source, 16) ||
	    !memcmp(ip6 + 8, zeros, 16) || memcmp(ip6 + 24, packet + 8, 16))
		return "its IPv6 header is wrong";
	if (be16(icmp) != 0x0200 || be16(icmp + 4) || be16(icmp + 6) < 1280 ||
	    be16(icmp + 6) >= reading->ip6_size)
		return "its message is wrong";
	if (memcmp(icmp + 8, packet, 1280 - IP6 - 8))
		return "what it quotes is wrong";
	return icmp6_sum(ip6, 1280 - IP6) == 0xffff ? NULL : "its checksum is wrong";
}

static void repair_ipv6(uint8_t *ip6, size_t size)
{
	if (size < IP6)
		return;
	ip6[0] = 0x60 | (ip6[0] & 0xf);
	write16(ip6 + 4, size - IP6);
	if (ip6[6] != ICMP6 || size < IP6 + 4)
		return;
	write16(ip6 + IP6 + 2, 0);
	write16(ip6 + IP6 + 2, ~icmp6_sum(ip6, size - IP6));
}

void oracle_repair(uint8_t *frame, size_t length)
{
	uint16_t type = length < ETHER ? 0 : be16(frame + 12);
	size_t link = ETHER;
	uint8_t *ip = frame + link;

	if (type == 0x8100 && length >= ETHER + TAG) {
		link += TAG;
		type = be16(frame + 16);
		ip = frame + link;
	}
	if (type == 0x86dd)
		repair_ipv6(ip, length - link);
	if (type != 0x0800 || length < link + IP4)
		return;
	if (ip[9] == PROTO_6IN4)
		repair_ipv6(ip + IP4, length - link - IP4);
	ip[0] = 0x45;
	write16(ip + 2, length - link);
	write16(ip + 10, 0);
	write16(ip + 10, ~fold(sum16(ip, IP4, 0)));
}
