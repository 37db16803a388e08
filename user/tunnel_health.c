// SPDX-License-Identifier: GPL-2.0-or-later
#include "tunnel_health.h"

#include <stdio.h>

#define NSEC_PER_SEC  1000000000ULL
#define NSEC_PER_MSEC 1000000ULL

/* A packet that came out of it no longer ago is a sign of life. */
#define HEARD_NS (5 * NSEC_PER_SEC)

enum tunnel_state tunnel_state(const struct zt6_health *health, uint64_t now_ns)
{
	if (health->unanswered >= TUNNEL_SILENT_AFTER)
		return health->heard_ns && now_ns - health->heard_ns < HEARD_NS ? TUNNEL_MUTE
										: TUNNEL_SILENT;
	return health->heard_ns ? TUNNEL_ALIVE : TUNNEL_UNKNOWN;
}

const char *tunnel_state_name(enum tunnel_state state)
{
	static const char *const names[] = {
		[TUNNEL_UNKNOWN] = "unknown",
		[TUNNEL_ALIVE] = "alive",
		[TUNNEL_MUTE] = "mute",
		[TUNNEL_SILENT] = "silent",
	};

	return names[state];
}

static json_t *age(uint64_t then_ns, uint64_t now_ns)
{
	if (!then_ns)
		return json_null();
	return json_integer(
		(json_int_t)((now_ns > then_ns ? now_ns - then_ns : 0) / NSEC_PER_MSEC));
}

json_t *tunnel_health_json(const struct zt6_health *health, uint64_t now_ns)
{
	if (!health)
		return json_null();
	return json_pack("{s:s, s:o, s:I, s:o, s:o, s:o}", "state",
			 tunnel_state_name(tunnel_state(health, now_ns)), "rtt_us",
			 health->answered_ns ? json_integer(health->rtt_us) : json_null(),
			 "unanswered", (json_int_t)health->unanswered, "answered_age_ms",
			 age(health->answered_ns, now_ns), "last_in_age_ms",
			 age(health->heard_ns, now_ns), "last_out_age_ms",
			 age(health->sent_ns, now_ns));
}

static const char *ago(uint64_t then_ns, uint64_t now_ns, char text[32])
{
	if (!then_ns)
		return "never";
	snprintf(text, 32, "%llu s ago",
		 (unsigned long long)(now_ns > then_ns ? (now_ns - then_ns) / NSEC_PER_SEC : 0));
	return text;
}

void tunnel_health_text(const struct zt6_health *health, uint64_t now_ns, char *text, size_t size)
{
	char echo[64] = "far end not asked", in[32], out[32];

	if (health->unanswered)
		snprintf(echo, sizeof(echo), "far end silent, %u echo requests unanswered",
			 health->unanswered);
	else if (health->answered_ns)
		snprintf(echo, sizeof(echo), "far end answers in %.1f ms", health->rtt_us / 1e3);
	snprintf(text, size, "%s; last packet in %s, out %s", echo,
		 ago(health->heard_ns, now_ns, in), ago(health->sent_ns, now_ns, out));
}
