// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs the golden packets of cases.json: per case and frame the verdict, what was done with the
 * frame, every byte that comes out, and every counter of every port. A case runs on an empty
 * route cache and then again on what the first time left in it.
 *
 * usage: run [--tc] CASES.json TOPOLOGY.sh [PATTERN]	PATTERN: names of cases, with * and ?
 *
 * With --tc the same cases for the pipeline in TC, but for those whose frames BPF_PROG_TEST_RUN does
 * not take there: too short, too long, in fragments, or with a tag, which the kernel would have taken
 * off before; and for those of Packet Too Big, which the kernel sends.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <cmocka.h>

#include "compare.h"
#include "fixtures.h"
#include "harness.h"

/* More than any case has. */
#define EVENTS_MAX 16

static struct harness *harness;
static const struct scenario *scenario; /* that is running */
static bool in_tc;                      /* instead of in XDP */

static const char *action_name(const struct step *step, int action)
{
	static const char *const names[] = {"ABORTED", "DROP", "PASS", "REPLY", "REDIRECT"};
	static const char *const tc_names[] = {
		[TC_ACT_SHOT] = "TC_SHOT", [TC_ACT_REDIRECT] = "TC_REDIRECT"};
	const char *name = NULL;

	if ((step->tc || in_tc) && action == TC_ACT_UNSPEC)
		return "TC_UNSPEC";
	if (!step->tc && !in_tc && action >= 0 && action <= XDP_REDIRECT)
		name = names[action];
	if ((step->tc || in_tc) && action >= 0 && action <= TC_ACT_REDIRECT)
		name = tc_names[action];
	return name ? name : "?";
}

static bool run_commands(const char **commands, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (harness_shell(commands[i]))
			return false;
	}
	return true;
}

static int arrive(const struct step *step, const struct bytes *frame, unsigned int slot,
		  struct outcome *got)
{
	if (!step->tc && in_tc)
		return harness_run_tc_port(harness, slot, frame->data, frame->length,
					   step->segments, step->segment_size, got);
	if (step->tc)
		return harness_run_tc(harness, slot, frame->data, frame->length, got);
	return harness_run(harness, slot, frame->data, frame->length, step->linear, got);
}

static unsigned int slot_of(const char *port)
{
	int slot = harness_slot(harness, port);

	if (slot < 0)
		fail_msg("%s is no port of this configuration", port);
	return slot;
}

/* Runs one frame and finds the verdict that it was counted under, or ZT6_VERDICT_COUNT for a frame
 * that behind XDP need not be counted; false when the counters do not fit. */
static bool run_frame(const struct step *step, const struct bytes *frame, struct outcome *got,
		      unsigned int *verdict)
{
	static struct zt6_port_counters before[ZT6_MAX_PORTS], after[ZT6_MAX_PORTS];
	unsigned int counts = slot_of(step->counts);
	int err;

	assert_int_equal(harness_counters(harness, before), 0);
	err = arrive(step, frame, slot_of(step->port), got);
	if (err == -EOPNOTSUPP)
		skip();
	assert_int_equal(err, 0);
	assert_int_equal(harness_counters(harness, after), 0);
	*verdict = counted(&before[counts], &after[counts]);
	if (*verdict != ZT6_VERDICT_COUNT)
		return check_counters(before, after, counts, *verdict, frame,
				      step->segments ? step->segments : 1, step->expect.unbound);
	if (step->tc && !memcmp(before, after, sizeof(before)))
		return true;
	fprintf(stderr, "  not exactly one verdict was counted; action %s\n",
		action_name(step, got->action));
	print_bytes("in      ", frame->data, frame->length);
	return false;
}

/* What TC does where XDP does @action. */
static int tc_action(int action)
{
	static const int actions[] = {[XDP_PASS] = TC_ACT_UNSPEC,
				      [XDP_DROP] = TC_ACT_SHOT,
				      [XDP_TX] = TC_ACT_REDIRECT,
				      [XDP_REDIRECT] = TC_ACT_REDIRECT};

	return actions[action];
}

static bool check_ending(const struct step *step, const struct ending *ending,
			 const struct bytes *frame, const struct outcome *got)
{
	int action = in_tc && !step->tc ? tc_action(ending->action) : ending->action;

	if (got->action != action) {
		fprintf(stderr, "  %s, expected %s\n", action_name(step, got->action),
			action_name(step, action));
		return false;
	}
	return check_bytes(ending, frame, got);
}

static bool check_frame(const struct step *step, const struct bytes *frame, struct outcome *got)
{
	unsigned int verdict;

	if (!run_frame(step, frame, got, &verdict))
		return false;
	if (verdict == step->expect.verdict)
		return check_ending(step, &step->expect, frame, got);
	fprintf(stderr, "  verdict %s (%s), expected %s\n", verdict_name(verdict),
		action_name(step, got->action), verdict_name(step->expect.verdict));
	print_bytes("in      ", frame->data, frame->length);
	return false;
}

static bool check_frames(const struct step *step)
{
	const struct span *open = &step->expect.any;
	bool varies = !open->length || step->frame_count < 2;
	uint8_t first[FRAME_MAX];
	struct outcome got;

	for (size_t i = 0; i < step->frame_count; i++) {
		if (!check_frame(step, &step->frames[i], &got)) {
			fprintf(stderr, "  ... frame %zu\n", i + 1);
			return false;
		}
		if (i == 0)
			memcpy(first, &got.frame[open->offset], open->length);
		else if (memcmp(first, &got.frame[open->offset], open->length))
			varies = true;
	}
	if (!varies)
		fprintf(stderr, "  the %zu bytes from %zu on do not vary\n", open->length,
			open->offset);
	return varies;
}

/*
 * The bucket lets as many through as its burst holds, and what time has added meanwhile. The
 * programs' clock is coarse: it may be two ticks (of 10 ms at most) off at either end.
 */
static bool check_flood_count(const struct zt6_rate *rate, size_t within, __u64 elapsed_ns)
{
	__u64 least = rate->burst_ns / rate->interval_ns;
	__u64 most = least + 1 + (elapsed_ns + 20000000) / rate->interval_ns + 1;

	if (within >= least && within <= most)
		return true;
	fprintf(stderr, "  %zu frames within the rate, expected %llu to %llu\n", within, least,
		most);
	return false;
}

/* What bounds the step's flood, in frames. */
static struct zt6_rate flood_rate(const struct step *step)
{
	const struct zt6_port *ports = harness_ports(harness);
	const struct zt6_member_rate *limit;

	if (!step->limit_port)
		return ports[slot_of(step->port)].rates[step->bucket];
	limit = &ports[slot_of(step->limit_port)].limit;
	return (struct zt6_rate){
		.interval_ns = (__u64)step->limit_bytes * limit->ns_per_kib >> 10,
		.burst_ns = limit->burst_ns,
	};
}

static bool check_flood(const struct step *step)
{
	const struct zt6_rate rate = flood_rate(step);
	unsigned int verdict = ZT6_VERDICT_COUNT;
	__u64 started = now_ns();
	struct outcome got;
	size_t within = 0;

	if (!rate.interval_ns) {
		fprintf(stderr, "  the bucket has no limit\n");
		return false;
	}
	for (size_t i = 0; i < step->flood; i++) {
		const struct bytes *frame = &step->frames[i % step->frame_count];
		bool fits;

		if (!run_frame(step, frame, &got, &verdict))
			return false;
		fits = verdict == step->expect.verdict;
		if (!fits && verdict != step->beyond.verdict) {
			fprintf(stderr, "  frame %zu of the flood: %s\n", i, verdict_name(verdict));
			return false;
		}
		if (!check_ending(step, fits ? &step->expect : &step->beyond, frame, &got))
			return false;
		within += fits;
	}
	if (within == step->flood) {
		fprintf(stderr, "  none of %zu frames was limited\n", within);
		return false;
	}
	return check_flood_count(&rate, within, now_ns() - started);
}

static bool check_events(const struct step *step)
{
	struct zt6_event got[EVENTS_MAX];
	int count = harness_events(harness, got, EVENTS_MAX);

	if (count != (int)step->event_count) {
		fprintf(stderr, "  the agent is told of %d events, expected %zu\n", count,
			step->event_count);
		return false;
	}
	for (int i = 0; i < count; i++) {
		struct zt6_event want = step->events[i].event;

		want.port = slot_of(step->events[i].port);
		if (memcmp(&want, &got[i], sizeof(want))) {
			print_bytes("event expected", (uint8_t *)&want, sizeof(want));
			print_bytes("event got     ", (uint8_t *)&got[i], sizeof(got[i]));
			return false;
		}
	}
	return true;
}

/* The agent as it is when the step's frames arrive. */
static void set_agent(const struct step *step)
{
	__u64 now = now_ns();

	assert_int_equal(
		harness_heartbeat(harness, step->agent ? now - step->heartbeat_ms * 1000000 : 0),
		0);
	for (size_t i = 0; i < step->told_count; i++) {
		const struct told *told = &step->told[i];
		struct zt6_address_key target = told->target;

		target.port = slot_of(told->port);
		assert_int_equal(harness_tell(harness, &target, told->verified,
					      now + told->for_ms * 1000000),
				 0);
	}
}

/* Skips where the kernel lets no program ask conntrack. */
static bool kernel_forwards(const struct step *step)
{
	for (size_t i = 0; i < step->frame_count; i++) {
		int err = harness_witness(harness, slot_of(step->port), slot_of(step->forwarded_to),
					  step->frames[i].data, step->frames[i].length);

		if (err == -EOPNOTSUPP)
			skip();
		assert_int_equal(err, 0);
	}
	return true;
}

static bool run_step(const struct step *step)
{
	struct timespec pause = {step->wait_ms / 1000, step->wait_ms % 1000 * 1000000};

	if (!run_commands(step->commands, step->command_count))
		return false;
	if (step->bump)
		assert_int_equal(harness_bump(harness), 0);
	if (step->wait_ms)
		nanosleep(&pause, NULL);
	for (size_t i = 0; i < step->drained_count; i++)
		assert_int_equal(harness_drain(harness, slot_of(step->drained[i]), step->drain), 0);
	if (step->age_s)
		assert_int_equal(harness_age_members(harness, step->age_s * 1000000000), 0);
	set_agent(step);
	if (step->forwarded_to)
		return kernel_forwards(step);
	if (!(step->flood ? check_flood(step) : check_frames(step)))
		return false;
	return !step->check_events || check_events(step);
}

static bool run_steps(const struct test_case *test)
{
	for (size_t i = 0; i < test->step_count; i++) {
		if (!run_step(&test->steps[i])) {
			fprintf(stderr, "  ... in step %zu\n", i + 1);
			return false;
		}
	}
	return true;
}

#define ETHER_TYPE_AT    12
#define IS_TAGGED(frame) ((frame)->data[ETHER_TYPE_AT] == 0x81 && !(frame)->data[ETHER_TYPE_AT + 1])

/* What TC leaves to the kernel: it may have to do with many packets in one frame. */
static bool is_kernels(unsigned int verdict)
{
	return verdict == ZT6_TOO_BIG_ANSWERED;
}

/* Tunnels' interfaces have no XDP. */
static bool xdp_takes(const struct test_case *test)
{
	for (size_t i = 0; i < test->step_count; i++) {
		const struct step *step = &test->steps[i];

		if (step->segments)
			return false;
		if (step->frame_count && !step->forwarded_to &&
		    !harness_has_xdp(harness, slot_of(step->port)))
			return false;
	}
	return true;
}

static bool tc_takes(const struct test_case *test)
{
	for (size_t i = 0; i < test->step_count; i++) {
		const struct step *step = &test->steps[i];

		if (step->linear || is_kernels(step->expect.verdict))
			return false;
		for (size_t k = 0; k < step->frame_count; k++)
			if (step->frames[k].length < FRAME_TC_MIN ||
			    step->frames[k].length > FRAME_TC_MAX || IS_TAGGED(&step->frames[k]))
				return false;
	}
	return true;
}

static void run_case(void **state)
{
	const struct test_case *test = *state;
	bool good;

	if (!(in_tc ? tc_takes(test) : xdp_takes(test)))
		skip();
	assert_int_equal(harness_reset(harness), 0);
	good = run_steps(test);
	if (good && !test->once) {
		good = run_steps(test);
		if (!good)
			fprintf(stderr, "  ... only the second time\n");
	}
	good = run_commands(test->cleanup, test->cleanup_count) && good;
	assert_true(good);
}

static int set_up(void **state)
{
	(void)state;
	if (!run_commands(scenario->setup, scenario->setup_count))
		return -1;
	return harness_load(harness, scenario->conf);
}

static int clean_up(void **state)
{
	(void)state;
	return run_commands(scenario->cleanup, scenario->cleanup_count) ? 0 : -1;
}

/* Returns how many cases failed. */
static int run_scenario(void)
{
	struct CMUnitTest *tests = calloc(scenario->case_count, sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (size_t i = 0; i < scenario->case_count; i++) {
		tests[i].name = scenario->cases[i].name;
		tests[i].test_func = run_case;
		tests[i].initial_state = &scenario->cases[i];
	}
	failed = _cmocka_run_group_tests(scenario->name, tests, scenario->case_count, set_up,
					 clean_up);
	free(tests);
	return failed;
}

int main(int argc, char **argv)
{
	const struct fixtures *fixtures;
	int failed = 0;

	in_tc = argc > 1 && !strcmp(argv[1], "--tc");
	argc -= in_tc;
	argv += in_tc;
	if (argc < 3) {
		fprintf(stderr, "usage: run [--tc] CASES.json TOPOLOGY.sh [PATTERN]\n");
		return 2;
	}
	fixtures = fixtures_load(argv[1]);
	if (!fixtures || harness_open(argv[2], &harness))
		return EXIT_FAILURE;
	if (in_tc)
		harness_use_tc(harness);
	if (argc > 3)
		cmocka_set_test_filter(argv[3]);
	for (size_t i = 0; i < fixtures->scenario_count; i++) {
		scenario = &fixtures->scenarios[i];
		failed += run_scenario();
	}
	harness_close(harness);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
