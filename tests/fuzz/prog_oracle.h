/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzer itself makes of a frame: a reading of the RFCs that shares nothing with the
 * programs, and that knows neither routes nor neighbours. It tells what a program may do with the
 * frame at most, and what a frame that comes out must look like.
 */
#ifndef PROG_ORACLE_H
#define PROG_ORACLE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "zt6_abi.h"

/* A frame that came in on a port. Offsets are from its first byte. */
struct reading {
	bool ours;       /* addressed to the port's MAC, with the port's VLAN tag or none */
	bool whole;      /* no length or version in it contradicts another */
	bool tunnelled;  /* 6in4 of a tunnel of this port */
	size_t link;     /* bytes before the outermost IP header */
	size_t ip6;      /* offset of the (inner) IPv6 header; 0: there is none */
	size_t ip6_size; /* its packet, header included */
	uint8_t outer_ecn;
	bool may_forward; /* and nothing in the headers forbids to forward it */
	bool solicits;    /* a Neighbour Solicitation */
	bool valid;       /* one that RFC 4861 §7.1.1 does not discard */
	bool stays;       /* and that goes no further: to a group, or on an uplink to its target */
};

/**
 * oracle_read - read a frame.
 * @port: that it came in on
 * @settings: for the addresses of the tunnels
 */
struct reading oracle_read(const uint8_t *frame, size_t length, const struct zt6_port *port,
			   const struct zt6_settings *settings);

/* What is wrong with a frame that a program sent on in place of @in, or NULL. @ports are all
 * ZT6_MAX_PORTS of them. */
const char *oracle_forwarded(const struct reading *reading, const uint8_t *in, const uint8_t *out,
			     size_t out_length, enum zt6_verdict verdict,
			     const struct zt6_port *in_port, const struct zt6_port *ports,
			     const struct zt6_settings *settings);

/* What is wrong with a Neighbour Advertisement in answer to @in, or NULL. */
const char *oracle_answered(const struct reading *reading, const uint8_t *in, const uint8_t *out,
			    size_t out_length, const struct zt6_port *port);

/* What is wrong with an ICMPv6 Packet Too Big about @in, or NULL. */
const char *oracle_told_too_big(const struct reading *reading, const uint8_t *in,
				const uint8_t *out, size_t out_length, const struct zt6_port *port);

/* What is wrong with a packet that the TC program handed to a tunnel's interface, or NULL. */
const char *oracle_handed_on(const struct reading *reading, const uint8_t *in, const uint8_t *out,
			     size_t out_length);

/* Writes right lengths and checksums into a frame where it has the headers for them. */
void oracle_repair(uint8_t *frame, size_t length);

#endif
