// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verification: a solicitation whose target is not known to be in use waits here while the kernel
 * asks inside. What answers is written into the map `verified` and advertised to everybody who has
 * asked meanwhile; what does not, into `negative`. Both expire in the maps by themselves: a dead
 * agent leaves nothing behind that lasts.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "../advertise.h"
#include "../log.h"
#include "agent.h"

/* Bounds what a scan can make us remember; the rate is bounded in XDP. */
#define ASKING_MAX 1024

/* In the last quarter of its time a target is asked anew; in more of a short time, because it is looked
 * at once a second. */
#define RENEWAL_FRACTION 4
#define RENEWAL_MIN_NS   (3 * NSEC_PER_SEC / 2)

#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC  1000000000ULL

static uint64_t valid_ns(const struct agent *agent, const struct target *target)
{
	return agent->model.ports[target->key.port].proxy.valid_ms * NSEC_PER_MSEC;
}

static bool hop_is(const struct target *target, const struct neighbour *neighbour)
{
	return target->hop.ifindex == neighbour->ifindex &&
	       !memcmp(&target->hop.addr, &neighbour->addr, sizeof(neighbour->addr));
}

static void answer_waiters(struct agent *agent, struct target *target)
{
	const struct zt6_port *port = &agent->model.ports[target->key.port];

	for (unsigned int i = 0; i < target->waiter_count; i++) {
		const struct waiter *to = &target->waiters[i];
		int err = advertise_send(agent->packets, port, &target->key.addr, &to->source,
					 to->mac, 0);

		if (err)
			log_info("%s: an advertisement could not be sent: %s", port->name,
				 strerror(-err));
	}
	target->waiter_count = 0;
}

/* ndppd's autowire and autovia: the target gets a route of its own for as long as it is believed. */
static void wire(struct agent *agent, const struct target *target)
{
	const struct neighbour *neighbour;
	const struct in6_addr *via = NULL;
	int err;

	if (!(target->rule.flags & ZT6_RULE_AUTOWIRE))
		return;
	neighbour = neighbours_find(&agent->neighbours, target->hop.ifindex, &target->hop.addr);
	if (neighbour && (target->rule.flags & ZT6_RULE_AUTOVIA))
		via = neighbours_link_local(&agent->neighbours, target->hop.ifindex,
					    neighbour->mac);
	err = nud_wire(agent->requests, &target->key.addr, &target->hop, via,
		       (__u32)(valid_ns(agent, target) / NSEC_PER_SEC) + 1);
	if (err)
		log_warning("%s: a route could not be added: %s",
			    agent->model.ports[target->key.port].name, strerror(-err));
}

static void unwire(struct agent *agent, const struct target *target)
{
	if (target->rule.flags & ZT6_RULE_AUTOWIRE)
		nud_unwire(agent->requests, &target->key.addr, &target->hop);
}

/* Its entry is still there and good, from us or from an agent before us. */
static bool is_known(const struct agent *agent, const struct target *target, uint64_t now,
		     struct zt6_verified *entry)
{
	return !bpf_map_lookup_elem(agent->verified_map, &target->key, entry) &&
	       entry->expires_ns > now;
}

/* Whoever was absent may be there. The programs remember for a second whom they have refused to answer
 * for. */
static void end_absence(struct agent *agent, const struct zt6_address_key *key)
{
	if (!bpf_map_delete_elem(agent->negative_map, key))
		agent_bump_generation(agent);
}

/* The target has answered. */
static void confirm(struct agent *agent, struct target *target)
{
	uint64_t now = agent_now();
	struct zt6_verified entry = {
		.expires_ns = now + valid_ns(agent, target),
		.asked_ns = target->waiter_count ? now : 0,
	};
	struct zt6_verified current;
	bool known = is_known(agent, target, now, &current);

	if (known && current.asked_ns > entry.asked_ns)
		entry.asked_ns = current.asked_ns;
	bpf_map_update_elem(agent->verified_map, &target->key, &entry, BPF_ANY);
	end_absence(agent, &target->key);
	if (target->state != TARGET_VERIFIED)
		groups_join(agent, &target->key);
	targets_set_verified(&agent->targets, target);
	target->deadline_ns = entry.expires_ns;
	target->probed_ns = 0;
	/* Before the answer: what it attracts shall find the way. */
	wire(agent, target);
	answer_waiters(agent, target);
	if (!known)
		announce_target(agent, target);
}

/* From here on it is a stranger. */
static void forget(struct agent *agent, struct target *target)
{
	if (target->state == TARGET_VERIFIED)
		groups_leave(agent, &target->key);
	targets_remove(&agent->targets, target);
}

static void add_waiter(struct target *target, const struct zt6_event *event)
{
	struct waiter waiter = {.source = event->source};

	memcpy(waiter.mac, event->mac, sizeof(waiter.mac));
	for (unsigned int i = 0; i < target->waiter_count; i++)
		if (!memcmp(&target->waiters[i].source, &waiter.source, sizeof(waiter.source)) &&
		    !memcmp(target->waiters[i].mac, waiter.mac, sizeof(waiter.mac)))
			return;
	if (target->waiter_count < TARGET_MAX_WAITERS)
		target->waiters[target->waiter_count++] = waiter;
}

static int find_rule(const struct agent *agent, const struct zt6_address_key *target,
		     struct zt6_rule *rule)
{
	struct zt6_rule_key key = {.prefixlen = 32 + 128, .port = (__u32)target->port};

	memcpy(key.addr, &target->addr, sizeof(key.addr));
	return bpf_map_lookup_elem(agent->maps.rules, &key, rule) ? -errno : 0;
}

/* Where the target must live: the rule's port, or where the kernel's route leads. */
static int find_hop(struct agent *agent, const struct zt6_address_key *key,
		    const struct zt6_rule *rule, struct next_hop *hop)
{
	int err, slot;

	if (rule->method == ZT6_METHOD_IFACE && rule->iface < ZT6_MAX_PORTS) {
		hop->ifindex = (int)agent->model.ports[rule->iface].ifindex;
		memcpy(&hop->addr, &key->addr, sizeof(hop->addr));
		return hop->ifindex ? 0 : -ENODEV;
	}
	err = nud_next_hop(agent->requests, &key->addr, hop);
	if (err)
		return err;
	slot = agent_inside_slot(agent, hop->ifindex);
	return slot >= 0 && (__u64)slot != key->port ? 0 : -ENETUNREACH;
}

/* Whether the target has to be looked for where it was asked for. */
static bool hop_is_right(struct agent *agent, const struct target *target)
{
	struct next_hop hop;

	return !find_hop(agent, &target->key, &target->rule, &hop) &&
	       hop.ifindex == target->hop.ifindex &&
	       !memcmp(&hop.addr, &target->hop.addr, sizeof(hop.addr));
}

/* The target has not answered: that is remembered as well, bounded in number and time; but not when the
 * way to it has changed since. */
static void give_up(struct agent *agent, struct target *target)
{
	const struct zt6_proxy *proxy = &agent->model.ports[target->key.port].proxy;
	__u64 until = agent_now() + proxy->invalid_ms * NSEC_PER_MSEC;

	bpf_map_delete_elem(agent->verified_map, &target->key);
	if (hop_is_right(agent, target))
		bpf_map_update_elem(agent->negative_map, &target->key, &until, BPF_ANY);
	unwire(agent, target);
	forget(agent, target);
}

static struct target *new_target(struct agent *agent, const struct zt6_address_key *key)
{
	struct next_hop hop;
	struct zt6_rule rule;
	struct target *target;

	if (agent->targets.asking_count >= ASKING_MAX ||
	    agent->targets.verified_count >= agent->members_max || find_rule(agent, key, &rule) ||
	    find_hop(agent, key, &rule, &hop))
		return NULL;
	target = targets_add(&agent->targets, key);
	if (target) {
		target->rule = rule;
		target->hop = hop;
	}
	return target;
}

/* Makes the kernel ask: a neighbour that it knows is probed, any other resolved. */
static void ask(struct agent *agent, const struct target *target)
{
	bool known = neighbours_find(&agent->neighbours, target->hop.ifindex, &target->hop.addr);
	int err = known ? nud_probe(agent->requests, &target->hop)
			: nud_use(agent->requests, &target->hop);
	char text[INET6_ADDRSTRLEN];

	if (err)
		log_info("%s cannot be asked for: %s",
			 inet_ntop(AF_INET6, &target->hop.addr, text, sizeof(text)),
			 strerror(-err));
}

void verify_event(struct agent *agent, const struct zt6_event *event)
{
	struct zt6_address_key key = {.addr = event->addr, .port = event->port};
	struct target *target = targets_find(&agent->targets, &key);
	const struct zt6_proxy *proxy;
	struct neighbour *neighbour;
	bool is_new = !target;

	if (event->port >= ZT6_MAX_PORTS)
		return;
	if (!target)
		target = new_target(agent, &key);
	if (!target)
		return;
	add_waiter(target, event);
	if (target->state == TARGET_VERIFIED) { /* XDP's entry was displaced from its map */
		confirm(agent, target);
		return;
	}
	if (!is_new)
		return;
	neighbour = neighbours_find(&agent->neighbours, target->hop.ifindex, &target->hop.addr);
	if (neighbour && neighbour_is_confirmed(neighbour)) {
		confirm(agent, target);
		return;
	}
	proxy = &agent->model.ports[key.port].proxy;
	/* Half a timeout of grace: normally the kernel gives up first, and says so. */
	target->deadline_ns =
		agent_now() + proxy->timeout_ms * NSEC_PER_MSEC * (2ULL * proxy->retries + 3) / 2;
	ask(agent, target);
}

/* The neighbour as a target on each proxied port: it may be known before anybody asks. */
static void neighbour_as_target(struct agent *agent, const struct neighbour *neighbour,
				unsigned int change)
{
	struct zt6_address_key key = {0};
	struct target *target;

	memcpy(&key.addr, &neighbour->addr, sizeof(key.addr));
	for (key.port = 0; key.port < ZT6_MAX_PORTS; key.port++) {
		if (!(agent->model.ports[key.port].flags & ZT6_PORT_PROXY))
			continue;
		target = targets_find(&agent->targets, &key);
		if (change & NEIGHBOUR_FAILED) {
			if (target && hop_is(target, neighbour))
				give_up(agent, target);
			continue;
		}
		end_absence(agent, &key);
		if (!(change & NEIGHBOUR_CONFIRMED))
			continue;
		if (!target)
			target = new_target(agent, &key);
		if (target && hop_is(target, neighbour)) {
			confirm(agent, target);
			if (change & NEIGHBOUR_MOVED)
				announce_target(agent, target);
		} else if (target && target->state == TARGET_ASKING && !target->waiter_count) {
			forget(agent, target);
		}
	}
}

/* Targets behind the neighbour: those that wait for its answer. */
static void neighbour_as_hop(struct agent *agent, const struct neighbour *neighbour,
			     unsigned int change)
{
	struct target *target, *next;

	for (target = TAILQ_FIRST(&agent->targets.asking); target; target = next) {
		next = TAILQ_NEXT(target, entry);
		if (!hop_is(target, neighbour))
			continue;
		if (change & NEIGHBOUR_CONFIRMED)
			confirm(agent, target);
		else if (change & NEIGHBOUR_FAILED)
			give_up(agent, target);
	}
}

void verify_neighbour(struct agent *agent, const struct neighbour *neighbour, unsigned int change)
{
	if (neighbour->family != AF_INET6 || agent_inside_slot(agent, neighbour->ifindex) < 0)
		return;
	neighbour_as_target(agent, neighbour, change);
	neighbour_as_hop(agent, neighbour, change);
}

/* Asks for a verified target anew before its time is over: one that somebody asks for, or any with
 * `keepalive yes`. */
static void renew(struct agent *agent, struct target *target, uint64_t now)
{
	struct zt6_verified entry;
	uint64_t window_ns = valid_ns(agent, target) / RENEWAL_FRACTION;
	bool keep = agent->model.ports[target->key.port].flags & ZT6_PORT_KEEPALIVE;

	if (window_ns < RENEWAL_MIN_NS)
		window_ns = RENEWAL_MIN_NS;
	if (target->probed_ns || now + window_ns < target->deadline_ns)
		return;
	if (!keep && (bpf_map_lookup_elem(agent->verified_map, &target->key, &entry) ||
		      entry.asked_ns + valid_ns(agent, target) < now))
		return;
	if (!agent->probes_left)
		return;
	agent->probes_left--;
	target->probed_ns = now;
	ask(agent, target);
}

void verify_deadlines(struct agent *agent, uint64_t now)
{
	struct target *target, *next;

	for (target = TAILQ_FIRST(&agent->targets.asking); target; target = next) {
		next = TAILQ_NEXT(target, entry);
		if (target->deadline_ns <= now)
			give_up(agent, target);
	}
}

void verify_forget_interface(struct agent *agent, int ifindex)
{
	struct target_list *const lists[2] = {&agent->targets.asking, &agent->targets.verified};
	struct target *target, *next;

	for (int i = 0; i < 2; i++) {
		for (target = TAILQ_FIRST(lists[i]); target; target = next) {
			next = TAILQ_NEXT(target, entry);
			if (target->hop.ifindex == ifindex)
				forget(agent, target);
		}
	}
}

void verify_renew(struct agent *agent, uint64_t now)
{
	struct target *target, *next;

	for (target = TAILQ_FIRST(&agent->targets.verified); target; target = next) {
		next = TAILQ_NEXT(target, entry);
		if (target->deadline_ns <= now) {
			unwire(agent, target);
			forget(agent, target);
		} else {
			renew(agent, target, now);
		}
	}
}
