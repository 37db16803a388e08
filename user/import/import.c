/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../conf_keys.h"
#include "../instance.h"
#include "../log.h"

/* As which a fault of the printed file is told. */
#define PRINTED_NAME "zt6.conf (as printed)"

static const struct {
	const char *name;
	import_fn *run;
} sources[] = {
	{"ndppd", import_ndppd},
	{"interfaces", import_interfaces},
	{"zerotier", import_zerotier},
};

import_fn *import_source(const char *name)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (!strcmp(name, sources[i].name))
			return sources[i].run;
	return NULL;
}

static void print_messages(const struct draft_lines *lines, FILE *errors)
{
	for (const struct draft_line *line = lines->first; line; line = line->next)
		fprintf(errors, "%s\n", line->text);
}

/* What nobody but the administrator can know. */
static void check_printed(const char *text, size_t length, FILE *errors)
{
	struct conf *conf = NULL;
	char *messages = NULL;
	size_t size;
	FILE *stream = open_memstream(&messages, &size);

	if (!stream)
		return;
	if (conf_parse(PRINTED_NAME, text, length, stream, &conf))
		fprintf(errors, "the configuration is not complete, see its comments:\n");
	fclose(stream);
	fputs(messages, errors);
	free(messages);
	conf_free(conf);
}

static bool is_empty(const struct draft *draft)
{
	return !draft->uplinks && !draft->tunnels && !draft->zerotiers && !draft->lans &&
	       !draft->proxies;
}

int import_write(struct draft *draft, FILE *out, FILE *errors)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream;
	int err = 0;

	if (!draft->fault_count)
		draft_resolve(draft);
	if (draft->fault_count) {
		print_messages(&draft->faults, errors);
		return -EINVAL;
	}
	if (is_empty(draft)) {
		print_messages(&draft->remarks, errors);
		fputs("there is nothing in it that a gateway does\n", errors);
		return draft->err ? draft->err : -ENODATA;
	}
	stream = open_memstream(&text, &length);
	if (!stream)
		return -ENOMEM;
	draft_print(draft, stream);
	if (ferror(stream) || draft->err)
		err = -ENOMEM;
	if (fclose(stream) || err) {
		free(text);
		return -ENOMEM;
	}
	print_messages(&draft->remarks, errors);
	check_printed(text, length, errors);
	fwrite(text, 1, length, out);
	free(text);
	return 0;
}

static void add_file(struct draft *draft, import_fn *run, const char *path)
{
	struct origin origin = {strcmp(path, "-") ? path : "(standard input)", 0};
	size_t length;
	char *text = import_read(draft, path, &origin, &length);

	if (text)
		run(draft, origin.path, text, length);
	free(text);
}

int import_files(import_fn *run, char **arguments)
{
	struct draft draft = {0};
	bool named_last = true; /* what follows a name is a file, whatever it is called */
	int err;

	for (size_t i = 0; arguments[i]; i++) {
		import_fn *named = import_source(arguments[i]);

		if (!named || named_last) {
			add_file(&draft, run, arguments[i]);
			named_last = false;
		} else {
			run = named;
			named_last = true;
		}
	}
	err = import_write(&draft, stdout, stderr);
	if (err == -ENOMEM)
		log_error("import: %s", strerror(ENOMEM));
	draft_free(&draft);
	if (err == -EINVAL)
		return EXIT_CONFIG;
	return err ? EXIT_FAILED : EXIT_DONE;
}
