/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "update.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <string.h>

#include "../loader/facts.h"
#include "../loader/netlink.h"
#include "../log.h"
#include "echo.h"
#include "memory.h"
#include "broker_request.h"

#define UPDATE_HOST "ipv4.tunnelbroker.net"
#define UPDATE_PATH "/nic/update"

/* After a request that did not help the next one waits, each time twice as long. */
#define PAUSE_S     240
#define PAUSE_MAX_S 3600

struct update {
	const struct instance *instance;
	const struct conf_tunnel *tunnel;
	const struct broker_login *login;
	char folder[256];
	struct broker_memory memory;
	struct in_addr local;
	bool silent; /* the reason is the tunnel's silence */
	struct broker_answer answer;
	int err; /* of the request */
};

static const char *ipv4(struct in_addr address, char text[INET_ADDRSTRLEN])
{
	inet_ntop(AF_INET, &address, text, INET_ADDRSTRLEN);
	return text;
}

static int local_of(const struct conf_tunnel *tunnel, struct nl_sock *nl, struct in_addr *out)
{
	struct iface_facts uplink;
	char text[INET_ADDRSTRLEN];
	int err;

	if (!tunnel->local_auto) {
		*out = tunnel->local;
		err = facts_ipv4_is_own(nl, *out);
		if (err == -ENOENT)
			log_error(
				"%s: its local address %s is on no interface: it must be one of "
				"this machine, never a NAT's public one (\"local auto\" takes the "
				"uplink's)",
				tunnel->name, ipv4(*out, text));
		return err;
	}
	err = facts_iface(nl, tunnel->uplink, &uplink);
	if (!err)
		err = facts_ipv4_address(nl, uplink.ifindex, out);
	if (err == -ENODEV)
		log_error("%s: its uplink %s is not there", tunnel->name, tunnel->uplink);
	else if (err == -ENOENT)
		log_error("%s: its uplink %s has no IPv4 address yet", tunnel->name,
			  tunnel->uplink);
	return err;
}

static int read_local(struct update *update)
{
	struct nl_sock *nl;
	int err = netlink_open(&nl);

	if (!err) {
		err = local_of(update->tunnel, nl, &update->local);
		nl_socket_free(nl);
	}
	if (err && err != -ENOENT && err != -ENODEV)
		log_error("%s: cannot read the address of its uplink: %s", update->tunnel->name,
			  strerror(-err));
	return err;
}

static bool pause_is_over(const struct broker_memory *memory)
{
	uint64_t pause = PAUSE_S;

	for (unsigned int i = 1; i < memory->tries && pause < PAUSE_MAX_S; i++)
		pause *= 2;
	if (pause > PAUSE_MAX_S)
		pause = PAUSE_MAX_S;
	return !memory->tries || broker_now() >= memory->asked_s + pause;
}

/* Whether nothing comes out of the tunnel although the broker knows where we are. */
static bool is_silent(struct update *update)
{
	const struct conf_tunnel *tunnel = update->tunnel;
	int err;

	if (!tunnel->has_gateway)
		return false;
	err = broker_echo(tunnel->name, &tunnel->address.addr, &tunnel->gateway);
	if (err == -ETIMEDOUT)
		return true;
	if (err) {
		log_info("%s: cannot see whether the broker's end answers: %s", tunnel->name,
			 strerror(-err));
		return false;
	}
	if (update->memory.tries) {
		update->memory.tries = 0;
		broker_memory_save(update->folder, tunnel->name, &update->memory);
	}
	return false;
}

/* Why the broker is asked; NULL: it is not. */
static const char *reason_for(struct update *update, bool force)
{
	const struct broker_memory *memory = &update->memory;

	if (force)
		return "--force";
	if (!memory->login)
		return "first run since boot";
	if (memory->login != broker_fingerprint(update->login))
		return "other credentials";
	if (memory->result == BROKER_PERMANENT)
		return NULL;
	if (memory->local.s_addr != update->local.s_addr)
		return "the uplink's address has changed";
	if (!pause_is_over(memory))
		return NULL;
	if (memory->result != BROKER_GOOD && memory->result != BROKER_UNCHANGED)
		return "the last attempt failed";
	update->silent = is_silent(update);
	return update->silent ? "the broker's end does not answer" : NULL;
}

/* There was no reason; that can be an error of an earlier run that still stands. */
static int report_idle(const struct update *update)
{
	const struct broker_memory *memory = &update->memory;
	const char *name = update->tunnel->name;

	if (memory->result == BROKER_PERMANENT) {
		log_error("%s: the broker has refused for good: \"%s\"; it is asked again when the "
			  "credentials change, or with --force",
			  name, memory->text);
		return -EACCES;
	}
	if (memory->result == BROKER_GOOD || memory->result == BROKER_UNCHANGED) {
		log_info("%s: nothing to do: the broker said \"%s\"", name, memory->text);
		return 0;
	}
	log_error("%s: the last attempt failed: \"%s\"; the broker is asked again later", name,
		  memory->text);
	return -EAGAIN;
}

static void take_answer(const struct http_answer *answer, void *arg)
{
	struct update *update = arg;

	update->err = answer->err;
	if (answer->err) {
		broker_explain(update->tunnel->name, answer);
		update->answer.result = BROKER_NONSENSE;
		snprintf(update->answer.text, sizeof(update->answer.text), "%.90s", answer->reason);
		return;
	}
	broker_answer_parse(answer->status, answer->body, answer->length, update->login->key,
			    &update->answer);
}

static int ask(struct update *update)
{
	bool public = broker_address_is_public(update->local);
	char local[INET_ADDRSTRLEN], path[128];

	ipv4(update->local, local);
	snprintf(path, sizeof(path), UPDATE_PATH "?hostname=%s%s%s", update->login->tunnel,
		 public ? "&myip=" : "", public ? local : "");
	log_info("%s: telling the broker (%s)", update->tunnel->name,
		 public ? local : "it sees the address itself");
	return broker_request(UPDATE_HOST, path, update->login, local, take_answer, update);
}

/* What the next run shall know; before anything is said, so that a full pipe cannot prevent it. */
static int remember(struct update *update)
{
	struct broker_memory *memory = &update->memory;
	bool done =
		update->answer.result == BROKER_GOOD || update->answer.result == BROKER_UNCHANGED;

	memory->login = broker_fingerprint(update->login);
	memory->local = update->local;
	memory->result = update->answer.result;
	memory->asked_s = broker_now();
	memory->tries = done && !update->silent ? 0 : memory->tries + 1;
	snprintf(memory->text, sizeof(memory->text), "%s", update->answer.text);
	return broker_memory_save(update->folder, update->tunnel->name, memory);
}

static int report(const struct update *update, const char *reason)
{
	const struct broker_answer *answer = &update->answer;
	const char *name = update->tunnel->name;
	char seen[INET_ADDRSTRLEN], local[INET_ADDRSTRLEN];

	switch (answer->result) {
	case BROKER_GOOD:
	case BROKER_UNCHANGED:
		printf("%s: %s (%s)\n", name, answer->text, reason);
		if (answer->endpoint.s_addr && broker_address_is_public(update->local) &&
		    answer->endpoint.s_addr != update->local.s_addr)
			log_warning("%s: the broker sends to %s, while this machine's end is %s",
				    name, ipv4(answer->endpoint, seen), ipv4(update->local, local));
		return 0;
	case BROKER_PERMANENT:
		log_error("%s: the broker refuses for good: \"%s\": %s", name, answer->text,
			  answer->remedy);
		return -EACCES;
	default:
		if (!update->err)
			log_error("%s: the broker does not do it: \"%s\"%s%s", name, answer->text,
				  answer->remedy ? ": " : "", answer->remedy ? answer->remedy : "");
		return update->err ? update->err : -EAGAIN;
	}
}

int broker_update(const struct instance *instance, const struct conf_tunnel *tunnel,
		  const struct broker_login *login, bool force)
{
	struct update update = {.instance = instance, .tunnel = tunnel, .login = login};
	const char *reason;
	int err = read_local(&update), saved;

	if (err)
		return err;
	broker_memory_folder(instance, update.folder);
	broker_memory_load(update.folder, tunnel->name, &update.memory);
	reason = reason_for(&update, force);
	if (!reason)
		return report_idle(&update);
	err = ask(&update);
	if (err)
		return err;
	saved = remember(&update);
	err = report(&update, reason);
	return err ? err : saved;
}
