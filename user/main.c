/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zt6-bpf [-c FILE] [--instance NAME] [-v] COMMAND [ARG...] */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "instance.h"
#include "log.h"
#include "suggest.h"

#define HINT "\"zt6-bpf --help\" shows the usage"

static const struct command {
	const char *name;
	command_fn *run;
	const char *help;
} commands[] = {
	{"check", cmd_check, "validate the configuration file; needs no privilege"},
	{"up", cmd_up, "make the gateway what the file says [--dry-run|--try DURATION]"},
	{"confirm", cmd_confirm, "keep what up --try has brought up"},
	{"down", cmd_down, "remove what up made"},
	{"reload", cmd_reload, "up, when the gateway is up"},
	{"agent", cmd_agent, "the long-lived part, in the foreground"},
	{"status", cmd_status, "one screen: ports, tunnel, rules, agent, health [--json]"},
	{"doctor", cmd_doctor, "what is wrong and what to do about it [--json]"},
	{"stats", cmd_stats, "counters [--json|--prometheus|--watch[=SECONDS]]"},
	{"members", cmd_members, "who is inside: address, MAC, node, state, traffic [--json]"},
	{"explain", cmd_explain, "what would happen to a packet: ADDR [from ADDR] [--json]"},
	{"exposure", cmd_exposure, "what the Internet can open of members [MEMBER] [--json]"},
	{"announce", cmd_announce, "advertise verified targets unasked [PREFIX|ADDR...]"},
	{"guide", cmd_guide, "what to set: controller|linux|macos|windows [NETWORK]"},
	{"tunnel-update", cmd_tunnel_update, "tell the broker our endpoint [--force] [TUNNEL...]"},
	{"import", cmd_import,
	 "print a configuration: he TUNNELID|ndppd|interfaces|zerotier FILE..."},
	{"version", cmd_version, "print the version"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

enum { OPT_INSTANCE = 0x100, OPT_HELP, OPT_VERSION };

static const struct option options[] = {
	{"instance", required_argument, NULL, OPT_INSTANCE},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{0},
};

static int help(void)
{
	puts("zt6-bpf [-c FILE] [--instance NAME] [-v] COMMAND [ARG...]\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-13s %s\n", commands[i].name, commands[i].help);
	puts("\n"
	     "  -c FILE          configuration, instead of /etc/zt6-bpf/zt6.conf\n"
	     "  --instance NAME  one of several gateways; its file is /etc/zt6-bpf/NAME.conf\n"
	     "  -v               more on stderr\n"
	     "  --help, --version\n\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not up, 78 invalid configuration.\n"
	     "See zt6-bpf(8) and zt6.conf(5).");
	return EXIT_DONE;
}

static const struct command *find_command(const char *name)
{
	struct suggestion near = {.word = name};

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!strcmp(name, commands[i].name))
			return &commands[i];
		suggestion_offer(&near, commands[i].name);
	}
	if (near.best)
		log_error("unknown command \"%s\"; did you mean \"%s\"? " HINT, name, near.best);
	else
		log_error("unknown command \"%s\"; " HINT, name);
	return NULL;
}

/* Else the next file opened, the journal say, would be what is written to as output. What is put in
 * their place can be neither read nor written, so that the want is noticed. */
static void hold_closed_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* What was printed must also have been written. */
static int finish(const char *what, int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	log_error("%s: cannot write its output: %s", what, strerror(errno));
	return status ? status : EXIT_FAILED;
}

/* A subcommand reads its own options: getopt begins anew with its arguments. */
static int run(const struct command *command, const struct instance *instance, int argc,
	       char **argv)
{
	optind = 0;
	return finish(command->name, command->run(instance, argc, argv));
}

int main(int argc, char **argv)
{
	const char *name = "default", *conf_path = NULL;
	const struct command *command;
	struct instance instance;
	int option, err;

	hold_closed_streams();
	opterr = 0;
	/* "+": options behind the command are the command's. */
	while ((option = getopt_long(argc, argv, "+:c:v", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			conf_path = optarg;
			break;
		case 'v':
			log_verbose = true;
			break;
		case OPT_INSTANCE:
			name = optarg;
			break;
		case OPT_HELP:
			return finish("--help", help());
		case OPT_VERSION:
			return finish("--version", cmd_version(NULL, 1, argv));
		case ':':
			log_error("option \"%s\" needs a value; " HINT, argv[optind - 1]);
			return EXIT_USAGE;
		default:
			if (optopt > 0 && optopt < OPT_INSTANCE)
				log_error("unknown option \"-%c\"; " HINT, optopt);
			else
				log_error("unknown option \"%s\"; " HINT, argv[optind - 1]);
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		log_error("no command is given; " HINT);
		return EXIT_USAGE;
	}
	err = instance_init(&instance, name, conf_path);
	if (err == -EINVAL) {
		log_error("invalid instance name \"%s\": 1 to %d characters of a-z, 0-9, _ and -",
			  name, INSTANCE_NAME_MAX);
		return EXIT_USAGE;
	}
	if (err) {
		log_error("the path after -c is too long: %s", strerror(-err));
		return EXIT_USAGE;
	}
	command = find_command(argv[optind]);
	return command ? run(command, &instance, argc - optind, argv + optind) : EXIT_USAGE;
}
