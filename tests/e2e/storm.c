// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A storm of frames like one that is given, each with other bytes at two places. What goes into the
 * second place is the complement of what goes into the first: no Internet checksum changes.
 *
 *	storm DEVICE RATE SECONDS FRAME FIRST SECOND LENGTH
 *
 * RATE is frames per second, 0 for as many as can be; FRAME is hexadecimal, the places are offsets in
 * it. It prints as JSON how many were sent, and how fast.
 */
#include "wire.h"

#include <stdlib.h>

#define FRAME_MAX 1514

struct storm {
	uint8_t frame[FRAME_MAX];
	size_t length;
	size_t first, second, varied; /* bytes */
};

static int read_frame(const char *hex, struct storm *storm)
{
	unsigned int byte;

	for (storm->length = 0; *hex; hex += 2) {
		if (storm->length == FRAME_MAX || sscanf(hex, "%2x", &byte) != 1)
			return -1;
		storm->frame[storm->length++] = (uint8_t)byte;
	}
	return storm->length < ETH_HLEN ? -1 : 0;
}

/* xorshift64 (Marsaglia, 2003): no system call per frame. */
static uint64_t random_word(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void vary(const struct storm *storm, uint8_t *frame)
{
	uint64_t word = random_word(), complement = ~word;

	memcpy(frame + storm->first, &word, storm->varied);
	memcpy(frame + storm->second, &complement, storm->varied);
}

static int run(int fd, const struct storm *storm, uint64_t rate, uint64_t seconds)
{
	static uint8_t frames[WIRE_BATCH][FRAME_MAX];
	struct iovec iov[WIRE_BATCH];
	struct mmsghdr messages[WIRE_BATCH] = {0};
	uint64_t start = wire_now(), end = start + seconds * 1000000000, sent = 0, due;
	double took;

	for (int i = 0; i < WIRE_BATCH; i++) {
		memcpy(frames[i], storm->frame, storm->length);
		iov[i] = (struct iovec){.iov_base = frames[i], .iov_len = storm->length};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	while (wire_now() < end) {
		due = wire_due(start, rate, sent, UINT64_MAX);
		for (uint64_t i = 0; i < due; i++)
			vary(storm, frames[i]);
		if (wire_send(fd, messages, (unsigned int)due))
			return -1;
		sent += due;
	}
	took = (double)(wire_now() - start) / 1e9;
	printf("{\"sent\": %llu, \"per_second\": %.0f}\n", (unsigned long long)sent,
	       (double)sent / took);
	return 0;
}

int main(int argc, char **argv)
{
	static struct storm storm;
	int fd;

	if (argc != 8 || read_frame(argv[4], &storm)) {
		fprintf(stderr, "usage: storm DEVICE RATE SECONDS FRAME FIRST SECOND LENGTH\n");
		return 2;
	}
	storm.first = strtoul(argv[5], NULL, 10);
	storm.second = strtoul(argv[6], NULL, 10);
	storm.varied = strtoul(argv[7], NULL, 10);
	if (storm.varied > 8 || storm.first + storm.varied > storm.length ||
	    storm.second + storm.varied > storm.length) {
		fprintf(stderr, "storm: these places are not in the frame\n");
		return 2;
	}
	fd = wire_open(argv[1], 0);
	return fd < 0 || run(fd, &storm, strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10))
		       ? 1
		       : 0;
}
