/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import_he.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "../log.h"
#include "broker_request.h"
#include "tunnel_info.h"

#define INFO_HOST "tunnelbroker.net"
#define INFO_PATH "/tunnelInfo.php"

struct import {
	const struct broker_login *login;
	struct tunnel_info info;
	int err;
};

static void take_answer(const struct http_answer *answer, void *arg)
{
	struct import *import = arg;
	const char *name = import->login->name, *id = import->login->tunnel, *why;

	import->err = answer->err;
	if (answer->err) {
		broker_explain(name, answer);
		return;
	}
	if (answer->status == 401 || answer->status == 403) {
		log_error("%s: the broker refuses the credentials (HTTP %ld): correct user= and "
			  "key= (the tunnel's \"Update Key\", not the account's password)",
			  name, answer->status);
		import->err = -EACCES;
		return;
	}
	if (answer->status != 200) {
		log_error("%s: the broker answers with HTTP %ld: try again later", name,
			  answer->status);
		import->err = -EPROTO;
		return;
	}
	import->err = tunnel_info_parse(answer->body, answer->length, id, &import->info, &why);
	if (import->err == -ENOENT)
		log_error("%s: this account has no tunnel %s", name, id);
	else if (import->err)
		log_error("%s: cannot use what the broker says about tunnel %s: %s", name, id, why);
}

static void print_section(const struct broker_login *login, const struct tunnel_info *info)
{
	char v4[INET_ADDRSTRLEN], v6[INET6_ADDRSTRLEN], text[PREFIX_STRLEN];

	printf("# Hurricane Electric's tunnel %s.", login->tunnel);
	if (info->client_v4.s_addr)
		printf(" The broker sends to %s.",
		       inet_ntop(AF_INET, &info->client_v4, v4, sizeof(v4)));
	printf("\ntunnel %s {\n    local   auto\n", login->name);
	printf("    remote  %s\n", inet_ntop(AF_INET, &info->server_v4, v4, sizeof(v4)));
	printf("    address %s\n", prefix_format(&info->client_v6, text));
	printf("    gateway %s\n", inet_ntop(AF_INET6, &info->server_v6, v6, sizeof(v6)));
	if (info->routed.count)
		printf("    routed ");
	for (size_t i = 0; i < info->routed.count; i++)
		printf(" %s", prefix_format(&info->routed.list[i], text));
	printf("%s}\n", info->routed.count ? "\n" : "");
}

int import_he(const struct instance *instance, char **arguments)
{
	struct broker_logins logins;
	struct import import = {0};
	char path[64];
	int err;

	prctl(PR_SET_DUMPABLE, 0); /* no core file with keys in it */
	if (broker_logins_load(instance, &logins))
		return EXIT_CONFIG;
	import.login = broker_login_by_id(&logins, arguments[0]);
	if (!import.login) {
		log_error("import he: %s has no \"tunnel=%s\": add its section, [he-ipv6] for "
			  "instance, with user=, key= and tunnel=",
			  logins.path, arguments[0]);
		broker_logins_clear(&logins);
		return EXIT_CONFIG;
	}
	snprintf(path, sizeof(path), INFO_PATH "?tid=%s", import.login->tunnel);
	err = broker_request(INFO_HOST, path, import.login, NULL, take_answer, &import);
	if (!err)
		err = import.err;
	if (!err)
		print_section(import.login, &import.info);
	tunnel_info_free(&import.info);
	broker_logins_clear(&logins);
	return err ? EXIT_FAILED : EXIT_DONE;
}
