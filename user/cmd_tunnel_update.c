/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `zt6-bpf tunnel-update`: tells the tunnel broker where the near end of the tunnels is. A process of
 * its own, short-lived and unprivileged: it alone talks to the Internet, and it holds the keys. */
#include "instance.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "broker/update.h"
#include "conf.h"
#include "log.h"

static int usage(void)
{
	log_error("usage: zt6-bpf tunnel-update [--force] [TUNNEL...]");
	return EXIT_USAGE;
}

static const struct conf_tunnel *find_tunnel(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->tunnel_count; i++)
		if (!strcmp(conf->tunnels[i].name, name))
			return &conf->tunnels[i];
	return NULL;
}

/* The tunnels that are named; without names all that have credentials. An exit status. */
static int update(const struct instance *instance, const struct conf *conf,
		  const struct broker_logins *logins, char **names, bool force)
{
	int status = EXIT_DONE;

	for (size_t i = 0; !*names && i < logins->count; i++) {
		const struct conf_tunnel *tunnel = find_tunnel(conf, logins->list[i].name);

		if (!tunnel) {
			log_error("%s: [%s] is no tunnel of %s", logins->path, logins->list[i].name,
				  conf->path);
			status = EXIT_CONFIG;
		} else if (broker_update(instance, tunnel, &logins->list[i], force)) {
			status = EXIT_FAILED;
		}
	}
	for (; *names; names++) {
		const struct conf_tunnel *tunnel = find_tunnel(conf, *names);
		const struct broker_login *login = broker_login_find(logins, *names);

		if (!tunnel || !login) {
			log_error("tunnel-update: \"%s\" is no tunnel of %s", *names,
				  tunnel ? logins->path : conf->path);
			status = EXIT_CONFIG;
		} else if (broker_update(instance, tunnel, login, force)) {
			status = EXIT_FAILED;
		}
	}
	return status;
}

int cmd_tunnel_update(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {{"force", no_argument, NULL, 'f'}, {0}};
	struct broker_logins logins;
	struct conf *conf = NULL;
	bool force = false;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'f')
			return usage();
		force = true;
	}
	prctl(PR_SET_DUMPABLE, 0); /* no core file with keys in it */
	if (conf_load(instance->conf_path, stderr, &conf))
		return EXIT_CONFIG;
	if (broker_logins_load(instance, &logins)) {
		conf_free(conf);
		return EXIT_CONFIG;
	}
	status = update(instance, conf, &logins, argv + optind, force);
	broker_logins_clear(&logins);
	conf_free(conf);
	return status;
}
