/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer over the importers; the first byte of an input says which. Beyond what the sanitizers see:
 * a file is either refused, with a message and nothing printed, or becomes a text that is well formed
 * as a zt6.conf (its values may not all be valid: the import then says so), and only printable ASCII.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_tree.h"
#include "import/import.h"

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static void check_printed(const char *text, size_t length)
{
	struct conf_faults faults = {0};
	struct conf_tree *tree = NULL;

	for (size_t i = 0; i < length; i++)
		require(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'),
			"what is printed is printable");
	require(!conf_tree_parse(text, length, &faults, &tree) && !faults.count,
		"what is printed is well formed");
	conf_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"ndppd", "interfaces", "zerotier"};
	struct draft draft = {.alone = true};
	char *out_text, *errors_text, *text;
	size_t out_length, errors_length;
	FILE *out = open_memstream(&out_text, &out_length);
	FILE *errors = open_memstream(&errors_text, &errors_length);
	int err;

	if (!size)
		goto done;
	text = malloc(size);
	if (!out || !errors || !text)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	import_source(names[data[0] % 3])(&draft, "fuzz", text, size - 1);
	err = import_write(&draft, out, errors);
	draft_free(&draft);
	free(text);
	fflush(out);
	fflush(errors);
	require(err == 0 || err == -EINVAL || err == -ENODATA, "an error is one of few");
	require((err == 0) == (out_length != 0), "a fault prints nothing");
	require(err == 0 || errors_length, "an error has a message");
	check_printed(out_text, out_length);
done:
	fclose(out);
	fclose(errors);
	free(out_text);
	free(errors_text);
	return 0;
}
