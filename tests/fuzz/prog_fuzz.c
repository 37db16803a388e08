// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Throws mutated frames at the real programs by BPF_PROG_TEST_RUN, in the network and under every
 * configuration of the prog tests, whose frames are the seeds. Whatever arrives:
 *
 * - it is counted once as received and once under one verdict, with its length, and nothing else is;
 * - what was done with it is what that verdict says;
 * - passed or dropped, not one byte of it is changed;
 * - sent on or answered, it was fit for that by the oracle's reading, and is right in every byte that
 *   does not depend on routes and neighbours;
 * - a solicitation that is valid is not called invalid, a packet that is whole not malformed.
 *
 * Now and then the TC program behind XDP gets the frame: it leaves it alone, drops it or hands on
 * what was in it, and counts at most once, on a tunnel's port.
 *
 * usage: prog_fuzz CASES.json TOPOLOGY.sh [FRAMES [SEED]]
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../prog/fixtures.h"
#include "../prog/harness.h"
#include "prog_mutate.h"
#include "prog_oracle.h"

#define FRAMES_DEFAULT 40000
/* Whatever the machine: after so many seconds of frames a configuration gets the fewest only. */
#define SECONDS_MAX  25
#define FRAMES_LEAST 100
/* So often do token buckets and the route cache start afresh. */
#define RESET_EVERY 128

struct seed {
	const struct bytes *frame;
	const char *port;
};

struct seeds {
	struct seed *list;
	size_t count;
};

struct tally {
	unsigned long frames;
	unsigned long verdicts[ZT6_VERDICT_COUNT];
};

static struct harness *harness;
static struct tally tally;
/* Counters as the last frame left them. */
static struct zt6_port_counters before[ZT6_MAX_PORTS];

static void print_frame(const char *title, const uint8_t *frame, size_t length)
{
	fprintf(stderr, "%s (%zu bytes): ", title, length);
	for (size_t i = 0; i < length; i++)
		fprintf(stderr, "%02x", frame[i]);
	fprintf(stderr, "\n");
}

static int action_of(enum zt6_verdict verdict)
{
	enum { REDIRECT = XDP_REDIRECT, REPLY = XDP_TX, PASS = XDP_PASS, DROP = XDP_DROP };
	static const int actions[] = {
#define ZT6_ACTION(id, name, action, meaning) action,
		ZT6_VERDICTS(ZT6_ACTION)
#undef ZT6_ACTION
	};

	return actions[verdict];
}

/* The verdict that one frame of @length bytes was counted under, or ZT6_VERDICT_COUNT when the
 * counters of any port say anything but that one frame arrived and ended. */
static unsigned int counted(const struct zt6_port_counters *after, unsigned int slot, size_t length)
{
	unsigned int verdict = 0;

	while (verdict < ZT6_VERDICT_COUNT &&
	       before[slot].verdicts[verdict].packets == after[slot].verdicts[verdict].packets)
		verdict++;
	if (verdict == ZT6_VERDICT_COUNT)
		return verdict;
	before[slot].rx.packets++;
	before[slot].rx.bytes += length;
	before[slot].verdicts[verdict].packets++;
	before[slot].verdicts[verdict].bytes += length;
	/* Counted beside the verdict, where bindings are: golden packets look at them. */
	before[slot].unbound = after[slot].unbound;
	before[slot].last_unbound = after[slot].last_unbound;
	if (memcmp(before, after, sizeof(before)))
		return ZT6_VERDICT_COUNT;
	return verdict;
}

/* What is wrong with the way that a frame ended, or NULL. */
static const char *judge(unsigned int slot, const uint8_t *frame, size_t length,
			 const struct outcome *out, unsigned int verdict)
{
	const struct zt6_settings *settings = harness_settings(harness);
	const struct zt6_port *ports = harness_ports(harness), *port = &ports[slot];
	struct reading reading = oracle_read(frame, length, port, settings);

	if (verdict == ZT6_VERDICT_COUNT)
		return "it was not counted exactly once";
	if (out->action != action_of(verdict))
		return "the action is not that of the verdict";
	if (out->action == XDP_REDIRECT)
		return oracle_forwarded(&reading, frame, out->frame, out->length, verdict, port,
					ports, settings);
	if (verdict == ZT6_TOO_BIG_ANSWERED)
		return oracle_told_too_big(&reading, frame, out->frame, out->length, port);
	if (out->action == XDP_TX)
		return oracle_answered(&reading, frame, out->frame, out->length, port);
	if (out->length != length || memcmp(out->frame, frame, length))
		return "it was changed";
	if (verdict == ZT6_DROP_MALFORMED && reading.whole)
		return "it is whole";
	if (verdict == ZT6_DROP_TOO_BIG_LIMITED && reading.ip6_size <= ZT6_IPV6_MIN_MTU)
		return "it is not too big";
	if (verdict == ZT6_DROP_NDP_INVALID && reading.stays)
		return "it is a valid solicitation";
	return NULL;
}

/* The same for the TC program. */
static const char *judge_tc(unsigned int slot, const uint8_t *frame, size_t length,
			    const struct outcome *out, unsigned int verdict)
{
	const struct zt6_settings *settings = harness_settings(harness);
	struct reading reading =
		oracle_read(frame, length, &harness_ports(harness)[slot], settings);

	if (out->action == TC_ACT_REDIRECT)
		return verdict == ZT6_DECAPSULATED
			       ? oracle_handed_on(&reading, frame, out->frame, out->length)
			       : "it was not counted as decapsulated";
	if (out->action == TC_ACT_SHOT)
		return verdict < ZT6_VERDICT_COUNT && action_of(verdict) == XDP_DROP
			       ? NULL
			       : "it was not counted as dropped";
	if (out->action != TC_ACT_UNSPEC)
		return "there is no such action";
	if (out->length != length || memcmp(out->frame, frame, length))
		return "it was changed";
	return NULL;
}

/* The verdict that the TC program counted on a tunnel's port, or ZT6_VERDICT_COUNT for none. */
static unsigned int counted_tc(const struct zt6_port_counters *after, size_t length, bool *good)
{
	unsigned int verdict;

	for (unsigned int slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		if (before[slot].rx.packets == after[slot].rx.packets ||
		    harness_ports(harness)[slot].role != ZT6_ROLE_TUNNEL)
			continue;
		verdict = counted(after, slot, length);
		*good = verdict != ZT6_VERDICT_COUNT;
		return verdict;
	}
	*good = !memcmp(before, after, sizeof(before));
	return ZT6_VERDICT_COUNT;
}

static bool report(unsigned int slot, const uint8_t *frame, size_t length, size_t linear, bool tc,
		   const struct outcome *out, unsigned int verdict, const char *wrong)
{
	fprintf(stderr, "%s%s: verdict %s, action %d: %s\n", harness_ports(harness)[slot].name,
		tc ? " (TC)" : "", verdict_name(verdict), out->action, wrong);
	print_frame("in ", frame, length);
	print_frame("out", out->frame, out->length);
	fprintf(stderr, "not in fragments: %zu bytes\n", linear ? linear : length);
	return false;
}

static bool throw_at_tc(unsigned int slot, const uint8_t *frame, size_t length)
{
	static struct zt6_port_counters after[ZT6_MAX_PORTS];
	static struct outcome out;
	const char *wrong;
	unsigned int verdict;
	bool good;

	if (harness_run_tc(harness, slot, frame, length, &out) || harness_counters(harness, after))
		return false;
	verdict = counted_tc(after, length, &good);
	wrong = good ? judge_tc(slot, frame, length, &out, verdict) : "it was counted wrong";
	if (wrong)
		return report(slot, frame, length, 0, true, &out, verdict, wrong);
	memcpy(before, after, sizeof(before));
	tally.frames++;
	return true;
}

static bool throw(unsigned int slot, const uint8_t *frame, size_t length, size_t linear)
{
	static struct zt6_port_counters after[ZT6_MAX_PORTS];
	static struct outcome out;
	const char *wrong;
	unsigned int verdict;
	int err = harness_run(harness, slot, frame, length, linear, &out);

	if (err == -EOPNOTSUPP)
		err = harness_run(harness, slot, frame, length, 0, &out);
	if (err || harness_counters(harness, after))
		return false;
	verdict = counted(after, slot, length);
	wrong = judge(slot, frame, length, &out, verdict);
	if (wrong)
		return report(slot, frame, length, linear, false, &out, verdict, wrong);
	memcpy(before, after, sizeof(before));
	tally.frames++;
	tally.verdicts[verdict]++;
	return true;
}

/* Each seed was written for one port; now and then it arrives on another. */
static unsigned int choose_slot(struct dice *dice, const struct seed *seed)
{
	int slot = harness_slot(harness, seed->port);

	while (slot < 0 || !harness_has_xdp(harness, slot) || !roll(dice, 8))
		slot = roll(dice, ZT6_MAX_PORTS);
	return slot;
}

static bool throw_one(struct dice *dice, const struct seeds *seeds)
{
	const struct seed *seed = &seeds->list[roll(dice, seeds->count)];
	const struct bytes *other = seeds->list[roll(dice, seeds->count)].frame;
	unsigned int slot = choose_slot(dice, seed);
	size_t length = seed->frame->length, linear = 0;
	uint8_t frame[FRAME_MAX];

	memcpy(frame, seed->frame->data, length);
	if (harness_slot(harness, seed->port) != (int)slot && roll(dice, 2))
		memcpy(frame, harness_ports(harness)[slot].mac, ZT6_ETH_ALEN);
	if (roll(dice, 16))
		length = mutate(dice, frame, length, other->data, other->length);
	if (length >= FRAME_TC_MIN && length <= FRAME_TC_MAX && harness_has_tc(harness, slot) &&
	    !roll(dice, 8))
		return throw_at_tc(slot, frame, length);
	if (!roll(dice, 8))
		linear = FRAME_MIN + roll(dice, length - FRAME_MIN + 1);
	return throw(slot, frame, length, linear);
}

/* Frames under one configuration. */
static bool throw_many(struct dice *dice, const struct seeds *seeds, unsigned long frames)
{
	static __u64 spent_ns;
	__u64 start = now_ns();

	if (harness_counters(harness, before))
		return false;
	for (unsigned long i = 0; i < frames; i++) {
		if (i >= FRAMES_LEAST && spent_ns + now_ns() - start > SECONDS_MAX * 1000000000ULL)
			break;
		if (i % RESET_EVERY == 0 && harness_reset(harness))
			return false;
		if (!throw_one(dice, seeds)) {
			fprintf(stderr, "frame %lu of this configuration\n", i);
			return false;
		}
	}
	spent_ns += now_ns() - start;
	return true;
}

static bool add_seed(struct seeds *seeds, const struct step *step)
{
	struct seed *grown;

	grown = reallocarray(seeds->list, seeds->count + 1, sizeof(*grown));
	if (!grown)
		return false;
	/* One of each step: a scan is many frames of a kind. */
	grown[seeds->count++] = (struct seed){&step->frames[step->frame_count / 2], step->port};
	seeds->list = grown;
	return true;
}

static bool add_seeds(struct seeds *seeds, const struct test_case *test)
{
	for (size_t i = 0; i < test->step_count; i++) {
		if (test->steps[i].frame_count && !add_seed(seeds, &test->steps[i]))
			return false;
	}
	return true;
}

static bool collect(const struct fixtures *fixtures, struct seeds *seeds)
{
	for (size_t i = 0; i < fixtures->scenario_count; i++) {
		const struct scenario *from = &fixtures->scenarios[i];

		for (size_t k = 0; k < from->case_count; k++) {
			if (!add_seeds(seeds, &from->cases[k]))
				return false;
		}
	}
	return seeds->count > 0;
}

/* Each configuration is a test. */
static void print_tally(size_t passed, bool good)
{
	printf("%lu frames:", tally.frames);
	for (unsigned int i = 0; i < ZT6_VERDICT_COUNT; i++)
		printf(" %s %lu", verdict_name(i), tally.verdicts[i]);
	printf("\n%zu passed, %d failed, 0 skipped\n", passed, !good);
}

static bool run_commands(const char **commands, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (harness_shell(commands[i]))
			return false;
	}
	return true;
}

static bool run_scenario(const struct scenario *scenario, struct dice *dice,
			 const struct seeds *seeds, unsigned long frames)
{
	bool good = run_commands(scenario->setup, scenario->setup_count) &&
		    !harness_load(harness, scenario->conf) && throw_many(dice, seeds, frames) &&
		    run_commands(scenario->cleanup, scenario->cleanup_count);

	if (!good)
		fprintf(stderr, "prog_fuzz: failed under \"%s\"\n", scenario->name);
	return good;
}

int main(int argc, char **argv)
{
	unsigned long frames = argc > 3 ? strtoul(argv[3], NULL, 0) : FRAMES_DEFAULT;
	struct dice dice = {argc > 4 ? strtoull(argv[4], NULL, 0) : 20010470};
	const struct fixtures *fixtures;
	struct seeds seeds = {0};
	bool good = true;
	size_t passed = 0;

	if (argc < 3) {
		fprintf(stderr, "usage: %s CASES.json TOPOLOGY.sh [FRAMES [SEED]]\n", argv[0]);
		return 2;
	}
	fixtures = fixtures_load(argv[1]);
	if (!fixtures || !collect(fixtures, &seeds) || harness_open(argv[2], &harness))
		return EXIT_FAILURE;
	for (size_t i = 0; good && i < fixtures->scenario_count; i++) {
		good = run_scenario(&fixtures->scenarios[i], &dice, &seeds,
				    frames / fixtures->scenario_count);
		passed += good;
	}
	print_tally(passed, good);
	free(seeds.list);
	harness_close(harness);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
