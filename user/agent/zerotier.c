// SPDX-License-Identifier: GPL-2.0-or-later
#include "zerotier.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "../log.h"
#include "../zerotier/advice.h"
#include "../zerotier/observer.h"
#include "agent.h"
#include "keyholder.h"

#define NSEC_PER_SEC 1000000000ULL

/* Between two rounds: three small requests over the loopback interface. */
#define ROUND_NS (3 * NSEC_PER_SEC)

/* The same while there has never been a service, and nobody needs one: an idle agent sleeps. */
#define UNSEEN_ROUND_NS (10 * NSEC_PER_SEC)

static int watch_fd(struct agent *agent, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(agent->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int agent_zerotier_open(struct agent *agent)
{
	struct agent_zerotier *zerotier = &agent->zerotier;

	zerotier->keyholder = keyholder_start();
	if (zerotier->keyholder < 0)
		return zerotier->keyholder;
	return watch_fd(agent, zerotier->keyholder);
}

static void forget(struct agent_network *network)
{
	zerotier_observer_free(network->observer); /* its descriptor leaves the epoll set */
	*network = (struct agent_network){0};
}

void agent_zerotier_close(struct agent *agent)
{
	struct agent_zerotier *zerotier = &agent->zerotier;

	for (int i = 0; i < ZT6_MAX_PORTS; i++)
		forget(&zerotier->networks[i]);
	if (zerotier->keyholder >= 0)
		close(zerotier->keyholder);
	zerotier->keyholder = -1;
	zerotier_views_remove(agent->instance->run_dir);
	rmdir(agent->instance->run_dir); /* if a `down` could not, because of that file */
}

/* A network that a port has got. Out of memory: another second, another try. */
static void begin(struct agent *agent, struct agent_network *network, uint8_t slot)
{
	const struct zt6_port *port = &agent->model.ports[slot];

	if (zerotier_observer_new(port->network, &network->observer))
		return;
	if (watch_fd(agent, zerotier_observer_fd(network->observer))) {
		forget(network);
		return;
	}
	network->network = port->network;
	network->slot = slot;
	network->said = -1;
}

static void follow_model(struct agent *agent)
{
	for (uint8_t slot = 0; slot < ZT6_MAX_PORTS; slot++) {
		const struct zt6_port *port = &agent->model.ports[slot];
		struct agent_network *network = &agent->zerotier.networks[slot];
		uint64_t wanted = port->role == ZT6_ROLE_OVERLAY ? port->network : 0;

		if (network->network != wanted) {
			forget(network);
			if (wanted)
				begin(agent, network, slot);
		}
		if (network->network)
			zerotier_observer_wish(network->observer, port->wishes);
	}
}

static bool has_networks(const struct agent_zerotier *zerotier)
{
	for (int i = 0; i < ZT6_MAX_PORTS; i++)
		if (zerotier->networks[i].network)
			return true;
	return false;
}

/* Begins a round of every network, or ends it where the key is not to be had. */
static void begin_round(struct agent_zerotier *zerotier, int err,
			const struct zerotier_service *service, const char *why)
{
	for (int i = 0; i < ZT6_MAX_PORTS; i++) {
		if (!zerotier->networks[i].network)
			continue;
		if (err)
			zerotier_observer_fail(zerotier->networks[i].observer, err, why);
		else
			zerotier_observer_ask(zerotier->networks[i].observer, service);
	}
}

static uint64_t round_ns(const struct agent *agent)
{
	for (int i = 0; i < ZT6_MAX_PORTS; i++) {
		const struct agent_network *network = &agent->zerotier.networks[i];

		if (network->network && (agent->model.ports[network->slot].wishes ||
					 zerotier_observer_view(network->observer)->known))
			return ROUND_NS;
	}
	return UNSEEN_ROUND_NS;
}

void agent_zerotier_tick(struct agent *agent, uint64_t now)
{
	struct agent_zerotier *zerotier = &agent->zerotier;

	follow_model(agent);
	if (zerotier->keyholder < 0 || zerotier->asking || !has_networks(zerotier) ||
	    (zerotier->asked_ns && now - zerotier->asked_ns < round_ns(agent)))
		return;
	zerotier->asked_ns = now;
	zerotier->asking = !keyholder_ask(zerotier->keyholder);
}

static void take_key(struct agent *agent)
{
	struct agent_zerotier *zerotier = &agent->zerotier;
	struct zerotier_service service;
	char why[ZEROTIER_WHY_MAX];
	int err = keyholder_take(zerotier->keyholder, &service, why);

	if (err == -EAGAIN)
		return;
	zerotier->asking = false;
	if (err == -EPIPE) {
		log_warning("agent: the process that reads zerotier-one's token has ended; what "
			    "the service says is not known until the agent starts again");
		close(zerotier->keyholder);
		zerotier->keyholder = -1;
		return;
	}
	begin_round(zerotier, err, &service, why);
	zerotier_service_close(&service);
}

/* Says what has changed, once: with what is missing and who must do it. */
static void say(struct agent *agent, struct agent_network *network)
{
	const struct zerotier_view *view = zerotier_observer_view(network->observer);
	bool needed = agent->model.ports[network->slot].wishes & ZT6_WISH_SERVICE;
	int state = view->err ? view->err : view->joined ? (int)view->network.status : 100;
	struct findings findings = {0};

	if (state == network->said)
		return;
	network->said = state;
	if (view->err && needed)
		log_warning("zerotier %016" PRIx64 ": %s", network->network, view->why);
	if (view->err)
		return;
	if (view->joined)
		zerotier_advise(&view->network, view->node.id, &findings);
	else
		zerotier_advise_join(network->network, &findings);
	for (size_t i = 0; i < findings.count; i++)
		if (findings.list[i].severity == FINDING_OK)
			log_info("%s", findings.list[i].what);
		else
			log_warning("%s: %s", findings.list[i].what, findings.list[i].remedy);
	findings_free(&findings);
}

static void write_down(struct agent *agent)
{
	json_t *views = json_array();
	int err;

	for (int i = 0; i < ZT6_MAX_PORTS; i++) {
		const struct agent_network *network = &agent->zerotier.networks[i];

		if (network->network)
			json_array_append_new(
				views,
				zerotier_view_json(network->network,
						   zerotier_observer_view(network->observer)));
	}
	err = zerotier_views_save(agent->instance->run_dir, views);
	/* Without the folder the instance is down, which is noticed elsewhere. */
	if (err && err != -ENOENT)
		log_warning("agent: cannot write down what zerotier-one says: %s", strerror(-err));
}

void agent_zerotier_run(struct agent *agent)
{
	bool changed = false;

	if (agent->zerotier.keyholder >= 0)
		take_key(agent);
	for (int i = 0; i < ZT6_MAX_PORTS; i++) {
		struct agent_network *network = &agent->zerotier.networks[i];

		if (!network->network || !zerotier_observer_run(network->observer))
			continue;
		changed = true;
		say(agent, network);
		agent_bind(agent, network->slot, zerotier_observer_view(network->observer));
	}
	if (changed)
		write_down(agent);
}
