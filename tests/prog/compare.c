// SPDX-License-Identifier: GPL-2.0-or-later
#include "compare.h"

#include <stdio.h>
#include <string.h>

#include "harness.h"

void print_bytes(const char *title, const uint8_t *data, size_t length)
{
	const size_t most = 160;

	fprintf(stderr, "  %s (%zu bytes):", title, length);
	for (size_t i = 0; i < length && i < most; i++)
		fprintf(stderr, "%s%02x", i % 2 ? "" : " ", data[i]);
	fprintf(stderr, "%s\n", length > most ? " ..." : "");
}

static uint16_t ipv4_header_sum(const uint8_t *header)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += header[i] << 8 | header[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* Whether the byte at @offset is one that the ending leaves open. */
static bool is_open(const struct ending *ending, size_t offset)
{
	if (ending->ipv4_checksum && (offset == 14 + 10 || offset == 14 + 11))
		return true;
	return offset >= ending->any.offset && offset < ending->any.offset + ending->any.length;
}

bool check_bytes(const struct ending *ending, const struct bytes *in, const struct outcome *got)
{
	const struct bytes *want = ending->out.data ? &ending->out : in;
	size_t i = 0;

	while (i < want->length && i < got->length &&
	       (want->data[i] == got->frame[i] || is_open(ending, i)))
		i++;
	if (i < want->length || i < got->length) {
		fprintf(stderr, "  the frame comes out wrong from byte %zu on\n", i);
		print_bytes("in      ", in->data, in->length);
		print_bytes("expected", want->data, want->length);
		print_bytes("got     ", got->frame, got->length);
		return false;
	}
	if (ending->ipv4_checksum && ipv4_header_sum(&got->frame[14]) != 0xffff) {
		fprintf(stderr, "  the IPv4 checksum is wrong\n");
		print_bytes("got     ", got->frame, got->length);
		return false;
	}
	return true;
}

unsigned int counted(const struct zt6_port_counters *before, const struct zt6_port_counters *after)
{
	unsigned int verdict = ZT6_VERDICT_COUNT;

	for (unsigned int i = 0; i < ZT6_VERDICT_COUNT; i++) {
		if (before->verdicts[i].packets == after->verdicts[i].packets)
			continue;
		if (verdict != ZT6_VERDICT_COUNT)
			return ZT6_VERDICT_COUNT;
		verdict = i;
	}
	return verdict;
}

/* Of an untagged frame with IPv6: what its sender says is his, by the source or, from a link-local one,
 * by a Neighbour Advertisement. When it was is not looked at, only that it was. */
static void count_unbound(struct zt6_port_counters *before, const struct zt6_port_counters *after,
			  const struct bytes *frame)
{
	const size_t source_mac = 6, next_header = 14 + 6, source = 14 + 8, message = 14 + 40;
	const uint8_t *said = frame->data + source;

	if (said[0] == 0xfe && frame->data[next_header] == 58 && frame->data[message] == 136)
		said = frame->data + message + 8; /* the target */
	before->unbound.packets++;
	before->unbound.bytes += frame->length;
	memcpy(before->last_unbound.mac, frame->data + source_mac, ZT6_ETH_ALEN);
	memcpy(&before->last_unbound.src, said, sizeof(before->last_unbound.src));
	before->last_unbound.seen_ns =
		after->last_unbound.seen_ns ? after->last_unbound.seen_ns : 1;
}

bool check_counters(struct zt6_port_counters *before, const struct zt6_port_counters *after,
		    unsigned int slot, unsigned int verdict, const struct bytes *frame,
		    size_t packets, bool unbound)
{
	size_t length = frame->length;

	before[slot].rx.packets += packets;
	before[slot].rx.bytes += length;
	before[slot].verdicts[verdict].packets += packets;
	before[slot].verdicts[verdict].bytes += length;
	if (unbound)
		count_unbound(&before[slot], &after[slot], frame);
	if (!memcmp(before, after, ZT6_MAX_PORTS * sizeof(*before)))
		return true;
	for (unsigned int i = 0; i < ZT6_MAX_PORTS; i++) {
		const __u64 *want = (__u64 *)&before[i], *got = (__u64 *)&after[i];

		for (size_t word = 0; word < sizeof(*before) / sizeof(*want); word++) {
			size_t counter = word / 2;

			if (want[word] == got[word])
				continue;
			fprintf(stderr, "  slot %u, %s %s: %llu, expected %llu\n", i,
				counter == 0                       ? "rx"
				: counter == 1                     ? "tx"
				: counter == ZT6_VERDICT_COUNT + 2 ? "unbound"
				: counter > ZT6_VERDICT_COUNT + 2  ? "last unbound"
								   : verdict_name(counter - 2),
				word % 2 ? "bytes" : "packets", got[word], want[word]);
		}
	}
	return false;
}
