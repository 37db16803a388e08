// SPDX-License-Identifier: GPL-2.0-or-later
#include "fixtures.h"

#include <jansson.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* The generator is ours: whatever it gets wrong ends the run, with the JSON in question. */
static void __attribute__((noreturn)) refuse(const char *what, const json_t *json)
{
	char *text = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;

	fprintf(stderr, "cases: %s: %.200s\n", what, text ? text : "missing");
	exit(EXIT_FAILURE);
}

static void *allocate(size_t count, size_t size)
{
	void *memory = calloc(count + 1, size);

	if (!memory)
		refuse("out of memory", NULL);
	return memory;
}

static const char *string(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		refuse(key, object);
	return json_string_value(value);
}

static long long number(const json_t *object, const char *key, long long missing)
{
	const json_t *value = json_object_get(object, key);

	return value ? json_integer_value(value) : missing;
}

static const char **strings(const json_t *object, const char *key, size_t *count)
{
	const json_t *array = json_object_get(object, key), *element;
	const char **list;
	size_t i;

	*count = json_array_size(array);
	list = allocate(*count, sizeof(*list));
	json_array_foreach (array, i, element)
		list[i] = json_string_value(element);
	return list;
}

static struct bytes hex(const json_t *value)
{
	const char *text = json_string_value(value);
	struct bytes bytes = {.length = json_string_length(value) / 2};

	bytes.data = allocate(bytes.length, 1);
	for (size_t i = 0; i < bytes.length; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			refuse("not hexadecimal", value);
		bytes.data[i] = byte;
	}
	return bytes;
}

static unsigned int find(const char *word, const char *const words[], unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (words[i] && !strcmp(words[i], word))
			return i;
	}
	fprintf(stderr, "cases: what is \"%s\"?\n", word);
	exit(EXIT_FAILURE);
}

static enum zt6_verdict verdict(const char *name)
{
	const char *names[ZT6_VERDICT_COUNT];

	for (unsigned int i = 0; i < ZT6_VERDICT_COUNT; i++)
		names[i] = verdict_name(i);
	return find(name, names, ZT6_VERDICT_COUNT);
}

static int action(const char *name)
{
	static const char *const names[] = {
		[XDP_DROP] = "DROP",
		[XDP_PASS] = "PASS",
		[XDP_TX] = "REPLY",
		[XDP_REDIRECT] = "REDIRECT",
	};
	static const char *const tc_names[] = {
		[TC_ACT_SHOT] = "TC_SHOT",
		[TC_ACT_REDIRECT] = "TC_REDIRECT",
	};

	if (!strcmp(name, "TC_UNSPEC"))
		return TC_ACT_UNSPEC;
	if (!strncmp(name, "TC_", 3))
		return find(name, tc_names, sizeof(tc_names) / sizeof(*tc_names));
	return find(name, names, sizeof(names) / sizeof(*names));
}

static enum zt6_bucket bucket(const char *name)
{
	static const char *const names[] = {[ZT6_BUCKET_UNRESOLVED] = "unresolved",
					    [ZT6_BUCKET_NDP] = "ndp",
					    [ZT6_BUCKET_DEFERRED] = "deferred",
					    [ZT6_BUCKET_TOO_BIG] = "too_big",
					    [ZT6_BUCKET_TUNNEL] = "tunnel",
					    [ZT6_BUCKET_SOLICITOR] = "solicitor",
					    [ZT6_BUCKET_NEW] = "new",
					    [ZT6_BUCKET_NEW_TUNNEL] = "new_tunnel",
					    [ZT6_BUCKET_NEW_TO_ONE] = "new_to_one",
					    [ZT6_BUCKET_ASKED] = "asked"};

	return find(name, names, ZT6_BUCKET_COUNT);
}

static struct ending load_ending(const json_t *json)
{
	const json_t *any = json_object_get(json, "any");
	struct ending ending = {
		.verdict = json_object_get(json, "verdict") ? verdict(string(json, "verdict"))
							    : ZT6_VERDICT_COUNT,
		.action = action(string(json, "action")),
		.ipv4_checksum = json_is_true(json_object_get(json, "ipv4_checksum")),
		.unbound = json_is_true(json_object_get(json, "unbound")),
	};

	if (json_object_get(json, "out"))
		ending.out = hex(json_object_get(json, "out"));
	if (any) {
		ending.any.offset = json_integer_value(json_array_get(any, 0));
		ending.any.length = json_integer_value(json_array_get(any, 1));
	}
	return ending;
}

static const char *const event_kinds[] = {
	[ZT6_EVENT_SOLICITED] = "solicited",
	[ZT6_EVENT_MOVED] = "moved",
	[ZT6_EVENT_PATH_MTU] = "path_mtu",
};

static void load_event(const json_t *json, struct expected_event *out)
{
	struct bytes addr = hex(json_object_get(json, "addr"));
	struct bytes source = hex(json_object_get(json, "source"));
	struct bytes mac = hex(json_object_get(json, "mac"));

	if (addr.length != 16 || source.length != 16 || mac.length != ZT6_ETH_ALEN)
		refuse("event", json);
	memcpy(&out->event.addr, addr.data, 16);
	memcpy(&out->event.source, source.data, 16);
	memcpy(out->event.mac, mac.data, ZT6_ETH_ALEN);
	out->event.kind = find(string(json, "kind"), event_kinds, 3);
	out->port = string(json, "port");
}

static void load_told(const json_t *json, struct told *out)
{
	struct bytes target = hex(json_object_get(json, "target"));

	if (target.length != 16)
		refuse("told", json);
	memcpy(&out->target.addr, target.data, 16);
	out->port = string(json, "port");
	out->verified = json_is_true(json_object_get(json, "verified"));
	out->for_ms = number(json, "for_ms", 0);
}

static void load_step(const json_t *json, struct step *step)
{
	const json_t *frames = json_object_get(json, "frames");
	const json_t *events = json_object_get(json, "events");
	const json_t *told = json_object_get(json, "told"), *element;
	size_t i;

	step->commands = strings(json, "commands", &step->command_count);
	step->bump = json_is_true(json_object_get(json, "bump"));
	step->wait_ms = number(json, "wait_ms", 0);
	step->age_s = number(json, "age_s", 0);
	step->drained = strings(json, "ports", &step->drained_count);
	if (step->drained_count)
		step->drain = bucket(string(json, "drain"));
	step->heartbeat_ms = number(json, "heartbeat_ms", -1);
	step->agent = step->heartbeat_ms >= 0;
	step->told_count = json_array_size(told);
	step->told = allocate(step->told_count, sizeof(*step->told));
	json_array_foreach (told, i, element)
		load_told(element, &step->told[i]);
	if (!frames)
		return;
	step->port = string(json, "port");
	step->tc = json_is_true(json_object_get(json, "tc"));
	step->counts = json_object_get(json, "counts") ? string(json, "counts") : step->port;
	step->linear = number(json, "linear", 0);
	step->segments = number(json, "segments", 0);
	step->segment_size = number(json, "segment_size", 0);
	step->frame_count = json_array_size(frames);
	step->frames = allocate(step->frame_count, sizeof(*step->frames));
	json_array_foreach (frames, i, element)
		step->frames[i] = hex(element);
	if (json_object_get(json, "forwarded_to")) {
		step->forwarded_to = string(json, "forwarded_to");
		return;
	}
	step->expect = load_ending(json_object_get(json, "expect"));
	step->flood = number(json, "flood", 0);
	if (step->flood) {
		step->limit_bytes = number(json, "limit_bytes", 0);
		if (step->limit_bytes)
			step->limit_port = string(json, "bucket");
		else
			step->bucket = bucket(string(json, "bucket"));
		step->beyond = load_ending(json_object_get(json, "beyond"));
	}
	step->check_events = events;
	step->event_count = json_array_size(events);
	step->events = allocate(step->event_count, sizeof(*step->events));
	json_array_foreach (events, i, element)
		load_event(element, &step->events[i]);
}

static void load_case(const json_t *json, struct test_case *test)
{
	const json_t *steps = json_object_get(json, "steps"), *element;
	size_t i;

	test->name = string(json, "name");
	test->once = json_is_true(json_object_get(json, "once"));
	test->cleanup = strings(json, "cleanup", &test->cleanup_count);
	test->step_count = json_array_size(steps);
	if (!test->step_count)
		refuse("a case without steps", json);
	test->steps = allocate(test->step_count, sizeof(*test->steps));
	json_array_foreach (steps, i, element)
		load_step(element, &test->steps[i]);
}

static void load_scenario(const json_t *json, struct scenario *scenario)
{
	const json_t *cases = json_object_get(json, "cases"), *element;
	size_t i;

	scenario->name = string(json, "name");
	scenario->conf = string(json, "conf");
	scenario->setup = strings(json, "setup", &scenario->setup_count);
	scenario->cleanup = strings(json, "cleanup", &scenario->cleanup_count);
	scenario->case_count = json_array_size(cases);
	scenario->cases = allocate(scenario->case_count, sizeof(*scenario->cases));
	json_array_foreach (cases, i, element)
		load_case(element, &scenario->cases[i]);
}

const struct fixtures *fixtures_load(const char *path)
{
	struct fixtures *fixtures = allocate(1, sizeof(*fixtures));
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error);
	const json_t *scenarios = json_object_get(root, "scenarios"), *element;
	size_t i;

	if (!root) {
		fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
		return NULL;
	}
	fixtures->scenario_count = json_array_size(scenarios);
	fixtures->scenarios = allocate(fixtures->scenario_count, sizeof(*fixtures->scenarios));
	json_array_foreach (scenarios, i, element)
		load_scenario(element, &fixtures->scenarios[i]);
	return fixtures;
}
