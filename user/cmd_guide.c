/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `zt6-bpf guide`: what to type or click on the controller and on members. */
#include "instance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "suggest.h"
#include "zerotier/guide.h"

static const struct guide {
	const char *audience;
	void (*print)(const struct zerotier_survey *survey);
} guides[] = {
	{"controller", guide_controller},
	{"linux", guide_linux},
	{"macos", guide_macos},
	{"windows", guide_windows},
};

#define GUIDE_COUNT (sizeof(guides) / sizeof(*guides))

static int usage(void)
{
	log_error("usage: zt6-bpf guide controller|linux|macos|windows [NETWORK]");
	return EXIT_USAGE;
}

static const struct guide *find_guide(const char *audience)
{
	struct suggestion near = {.word = audience};

	for (size_t i = 0; i < GUIDE_COUNT; i++) {
		if (!strcmp(audience, guides[i].audience))
			return &guides[i];
		suggestion_offer(&near, guides[i].audience);
	}
	if (near.best)
		log_error("guide: there is none for \"%s\"; did you mean \"%s\"?", audience,
			  near.best);
	else
		usage();
	return NULL;
}

/* The section that is meant, or NULL with a message. @id: NULL where none is given */
static const struct conf_zerotier *find_section(const struct conf *conf, const char *id)
{
	uint64_t network = 0;

	if (id && !zerotier_network_parse(id, &network)) {
		log_error("guide: \"%s\" is no network: an id has 16 hexadecimal digits", id);
		return NULL;
	}
	for (size_t i = 0; i < conf->zerotier_count; i++)
		if (id ? conf->zerotiers[i].network == network : conf->zerotier_count == 1)
			return &conf->zerotiers[i];
	if (id)
		log_error("guide: %s has no section \"zerotier %016" PRIx64 "\"", conf->path,
			  network);
	else if (!conf->zerotier_count)
		log_error("guide: %s has no section \"zerotier NETWORK\"", conf->path);
	else
		log_error("guide: %s has several networks: name one, as in \"guide controller "
			  "%016" PRIx64 "\"",
			  conf->path, conf->zerotiers[0].network);
	return NULL;
}

static int print(const struct guide *guide, const struct conf *conf,
		 const struct conf_zerotier *section)
{
	struct zerotier_survey survey;
	int status = EXIT_DONE;

	if (zerotier_survey(conf, section, &survey))
		return EXIT_FAILED;
	if (*survey.why)
		log_warning("%s", survey.why);
	if (survey.facts.node) {
		guide->print(&survey);
	} else {
		log_error("guide: the id of this gateway's ZeroTier node is not known: start "
			  "zerotier-one and run it again");
		status = EXIT_FAILED;
	}
	zerotier_survey_free(&survey);
	return status;
}

int cmd_guide(const struct instance *instance, int argc, char **argv)
{
	const struct conf_zerotier *section;
	const struct guide *guide;
	struct conf *conf = NULL;
	int status = EXIT_USAGE;

	if (argc < 2 || argc > 3)
		return usage();
	guide = find_guide(argv[1]);
	if (!guide)
		return EXIT_USAGE;
	if (conf_load(instance->conf_path, stderr, &conf))
		return EXIT_CONFIG;
	section = find_section(conf, argc > 2 ? argv[2] : NULL);
	if (section)
		status = print(guide, conf, section);
	conf_free(conf);
	return status;
}
