// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel's verifier says to every program, and how many instructions it has walked through
 * to say so: the limit is a million, and the time that `up` takes is proportional.
 *
 *	verifier OBJECT...		prints "KERNEL PROGRAM INSTRUCTIONS" for each program
 *	verifier --check BASELINE OBJECT...	compares with such lines, and counts like a test
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define MAX_LINES    64
#define MAX_GROWTH   20   /* percent */
#define LOG_TAIL_MAX 4000 /* characters of the verifier's log that tell what went wrong */

struct line {
	char kernel
		[16]; /* version and patch level: its stable updates do not change the verifier */
	char program[32];
	unsigned int instructions;
	bool seen;
};

struct lines {
	struct line list[MAX_LINES];
	size_t count;
};

static char kernel[16];

/* The log of a program that is refused has a line for each instruction: its end is what counts. */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text;
	int length;

	if (level != LIBBPF_WARN)
		return 0;
	length = vasprintf(&text, format, args);
	if (length < 0)
		return length;
	if (length > LOG_TAIL_MAX)
		fprintf(stderr, "...%s", text + length - LOG_TAIL_MAX);
	else
		fputs(text, stderr);
	free(text);
	return length;
}

static int name_kernel(void)
{
	struct utsname name;
	int major, minor;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return -EPROTO;
	snprintf(kernel, sizeof(kernel), "%d.%d", major, minor);
	return 0;
}

static int add_program(const struct bpf_program *program, struct lines *out)
{
	struct bpf_prog_info info = {0};
	struct line *line = &out->list[out->count];
	__u32 length = sizeof(info);

	if (out->count == MAX_LINES)
		return -E2BIG;
	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
		return -errno;
	snprintf(line->kernel, sizeof(line->kernel), "%s", kernel);
	snprintf(line->program, sizeof(line->program), "%s", bpf_program__name(program));
	line->instructions = info.verified_insns;
	out->count++;
	return 0;
}

/* Loads all programs of an object file as `up` does, without attaching them. */
static int measure(const char *path, struct lines *out)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program;
	int err = object ? bpf_object__load(object) : -errno;

	if (err)
		fprintf(stderr, "verifier: cannot load %s: %s\n", path, strerror(-err));
	if (!err) {
		bpf_object__for_each_program(program, object)
		{
			err = add_program(program, out);
			if (err)
				break;
		}
	}
	bpf_object__close(object);
	return err;
}

static int read_baseline(const char *path, struct lines *out)
{
	FILE *file = fopen(path, "r");
	char text[128];
	int err = 0;

	if (!file) {
		err = -errno;
		fprintf(stderr, "verifier: cannot read %s: %s\n", path, strerror(-err));
		return err;
	}
	while (!err && fgets(text, sizeof(text), file)) {
		struct line *line = &out->list[out->count];

		if (*text == '#')
			continue;
		if (out->count == MAX_LINES || sscanf(text, "%15s %31s %u", line->kernel,
						      line->program, &line->instructions) != 3) {
			fprintf(stderr, "verifier: %s: not \"KERNEL PROGRAM INSTRUCTIONS\": %s",
				path, text);
			err = -EINVAL;
		} else if (!strcmp(line->kernel, kernel)) {
			out->count++; /* those of other kernels are not of interest */
		}
	}
	fclose(file);
	return err;
}

static struct line *find(struct lines *lines, const char *program)
{
	for (size_t i = 0; i < lines->count; i++)
		if (!strcmp(lines->list[i].program, program))
			return &lines->list[i];
	return NULL;
}

static bool grown(const struct line *was, const struct line *is)
{
	return is->instructions > (unsigned long long)was->instructions * (100 + MAX_GROWTH) / 100;
}

/* Says what became of each program, and returns how many failed. */
static unsigned int check(struct lines *baseline, const struct lines *measured)
{
	unsigned int passed = 0, failed = 0, skipped = 0;

	for (size_t i = 0; i < measured->count; i++) {
		const struct line *is = &measured->list[i];
		struct line *was = find(baseline, is->program);

		printf("%s %s %u", is->kernel, is->program, is->instructions);
		if (was) {
			was->seen = true;
			printf(" (baseline: %u)", was->instructions);
		}
		if (!baseline->count) {
			skipped++;
			printf(": SKIPPED: no baseline for this kernel");
		} else if (!was || grown(was, is)) {
			failed++;
			printf(": FAILED: %s; if that is as it must be, \"make verifier-baseline\"",
			       was ? "grown by more than 20 %" : "not in the baseline");
		} else {
			passed++;
		}
		putchar('\n');
	}
	for (size_t i = 0; i < baseline->count; i++) {
		if (baseline->list[i].seen)
			continue;
		failed++;
		printf("%s %s: FAILED: in the baseline, and there is no such program; \"make "
		       "verifier-baseline\" takes it out\n",
		       kernel, baseline->list[i].program);
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed;
}

int main(int argc, char **argv)
{
	static struct lines baseline, measured;
	bool checks = argc > 3 && !strcmp(argv[1], "--check");
	int first = checks ? 3 : 1;

	if (argc <= first || (!checks && argv[1][0] == '-')) {
		fputs("usage: verifier [--check BASELINE] OBJECT...\n", stderr);
		return 2;
	}
	libbpf_set_print(print_libbpf);
	if (name_kernel() || (checks && read_baseline(argv[2], &baseline)))
		return 1;
	for (int i = first; i < argc; i++)
		if (measure(argv[i], &measured))
			return 1;
	if (checks)
		return check(&baseline, &measured) ? 1 : 0;
	for (size_t i = 0; i < measured.count; i++)
		printf("%s %s %u\n", kernel, measured.list[i].program,
		       measured.list[i].instructions);
	return 0;
}
