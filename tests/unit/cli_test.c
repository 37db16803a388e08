/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program itself: arguments, exit statuses, what goes to which stream, and `check`. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 8

struct run {
	int status;
	char out[8192], err[8192];
};

static void read_stream(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;

	while ((n = read(fd, text + length, size - 1 - length)) > 0)
		length += n;
	text[length] = '\0';
	close(fd);
}

/* Where root runs the tests, the program runs without any capability. */
static void drop_privileges(void)
{
	for (int capability = 0; capability <= CAP_LAST_CAP; capability++)
		prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

/* Runs the program with @input as /dev/stdin and up to a NULL of @args. What it prints fits into
 * the pipes. @out: a file for its stdout, or NULL. */
static void run(struct run *result, const char *input, const char *out, const char *const *args)
{
	int in_pipe[2], out_pipe[2], err_pipe[2], status;
	char *argv[ARGS_MAX + 2] = {ZT6_BPF};
	pid_t pid;

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 1] = (char *)args[i];
	assert_int_equal(pipe(in_pipe) | pipe(out_pipe) | pipe(err_pipe), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (out)
			out_pipe[1] = open(out, O_WRONLY);
		dup2(in_pipe[0], 0);
		dup2(out_pipe[1], 1);
		dup2(err_pipe[1], 2);
		for (int fd = 3; fd < 20; fd++)
			close(fd);
		drop_privileges();
		execv(argv[0], argv);
		_exit(127);
	}
	close(in_pipe[0]);
	close(out_pipe[1]);
	close(err_pipe[1]);
	if (input)
		assert_true(write(in_pipe[1], input, strlen(input)) == (ssize_t)strlen(input));
	close(in_pipe[1]);
	read_stream(out_pipe[0], result->out, sizeof(result->out));
	read_stream(err_pipe[0], result->err, sizeof(result->err));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	result->status = WEXITSTATUS(status);
}

static size_t count_lines(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void wrong_usage_is_one_line_with_a_hint_and_status_2(void **state)
{
	static const struct {
		const char *args[ARGS_MAX], *part;
	} rows[] = {
		{{NULL}, "no command is given; \"zt6-bpf --help\" shows the usage"},
		{{"-v"}, "no command is given"},
		{{"nope"}, "unknown command \"nope\"; \"zt6-bpf --help\" shows the usage"},
		{{"chekc"}, "unknown command \"chekc\"; did you mean \"check\"?"},
		{{"-x", "check"}, "unknown option \"-x\""},
		{{"-vx", "check"}, "unknown option \"-x\""},
		{{"--nope", "check"}, "unknown option \"--nope\""},
		{{"--help=1", "check"}, "unknown option \"--help=1\""},
		{{"-c"}, "option \"-c\" needs a value"},
		{{"--instance"}, "option \"--instance\" needs a value"},
		{{"--instance", "A", "check"}, "invalid instance name \"A\": 1 to 32 characters"},
		{{"--instance=../x", "check"}, "invalid instance name \"../x\""},
		{{"check", "now"}, "check: unexpected argument \"now\""},
		/* Options behind the command are the command's. */
		{{"check", "-c", "/dev/stdin"}, "check: unexpected argument \"-c\""},
		{{"version", "-v"}, "version: unexpected argument \"-v\""},
		{{"status", "--jason"}, "usage: zt6-bpf status [--json]"},
		{{"doctor", "--jason"}, "usage: zt6-bpf doctor [--json]"},
	};
	struct run result;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		run(&result, NULL, NULL, rows[i].args);
		if (result.status != 2 || *result.out || count_lines(result.err) != 1 ||
		    strncmp(result.err, "zt6-bpf: ", 9) || !strstr(result.err, rows[i].part))
			fail_msg("%s: status %d, %s", rows[i].part, result.status, result.err);
	}
}

static void help_and_version_go_to_stdout(void **state)
{
	static const char *const versions[][ARGS_MAX] = {{"version"}, {"--version"}};
	static const char *const help[ARGS_MAX] = {"--help"};
	static const char *const commands[] = {"check", "up",     "down",  "reload",
					       "agent", "status", "stats", "version"};
	struct run result;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		run(&result, NULL, NULL, versions[i]);
		assert_int_equal(result.status, 0);
		assert_string_equal(result.out, "zt6-bpf " ZT6_VERSION "\n");
		assert_string_equal(result.err, "");
	}
	run(&result, NULL, NULL, help);
	assert_int_equal(result.status, 0);
	assert_string_equal(result.err, "");
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		char line[32];

		sprintf(line, "\n  %s ", commands[i]);
		assert_non_null(strstr(result.out, line));
	}
}

static void every_command_is_in_the_manual(void **state)
{
	static const char *const args[ARGS_MAX] = {"--help"};
	FILE *file = fopen("man/zt6-bpf.8", "r");
	char manual[16384];
	struct run help;
	size_t length, commands = 0;

	(void)state;
	assert_non_null(file);
	length = fread(manual, 1, sizeof(manual) - 1, file);
	fclose(file);
	manual[length] = '\0';
	run(&help, NULL, NULL, args);
	for (char *line = strtok(help.out, "\n"); line; line = strtok(NULL, "\n")) {
		char name[32], bold[2][64], *dash;

		if (strncmp(line, "  ", 2) != 0 || sscanf(line, "  %31[a-z-]", name) != 1 ||
		    *name == '-')
			continue;
		commands++;
		dash = strchr(name, '-');
		if (dash) { /* as roff writes it */
			memmove(dash + 1, dash, strlen(dash) + 1);
			*dash = '\\';
		}
		snprintf(bold[0], sizeof(bold[0]), ".B %s\n", name);
		snprintf(bold[1], sizeof(bold[1]), ".BR %s ", name);
		if (!strstr(manual, bold[0]) && !strstr(manual, bold[1]))
			fail_msg("%s is not in man/zt6-bpf.8", name);
	}
	assert_true(commands >= 8);
}

static void output_that_cannot_be_written_is_a_failure(void **state)
{
	static const char *const words[] = {"version", "--version", "--help"};
	char message[64];
	struct run result;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const char *const args[ARGS_MAX] = {words[i]};

		snprintf(message, sizeof(message), "%s: cannot write its output: No space left",
			 words[i]);
		run(&result, NULL, "/dev/full", args);
		assert_int_equal(result.status, 1);
		assert_non_null(strstr(result.err, message));
	}
}

static const char *const check[ARGS_MAX] = {"-c", "/dev/stdin", "check"};
static const char *const check_verbose[ARGS_MAX] = {"-v", "-c", "/dev/stdin", "check"};

static const char t1[] = "uplink eth0\n"
			 "tunnel he-ipv6 {\n"
			 "remote 72.52.104.74\n"
			 "address 2001:470:811d::80/64\n"
			 "routed 2001:470:811d::/48\n"
			 "}\n"
			 "zerotier 159924d6308e1d7e {\n"
			 "interface zt0\n"
			 "}\n";

static void check_prints_what_it_understood(void **state)
{
	struct run result;

	(void)state;
	run(&result, t1, NULL, check);
	assert_int_equal(result.status, 0);
	assert_string_equal(result.err, "");
	assert_non_null(strstr(result.out, "uplink    eth0              datapath auto\n"));
	assert_non_null(strstr(result.out, "tunnel    he-ipv6           local auto, remote "
					   "72.52.104.74, uplink eth0, address "
					   "2001:470:811d::80/64, routed 2001:470:811d::/48\n"));
	assert_non_null(strstr(result.out,
			       "zerotier  159924d6308e1d7e  interface zt0, datapath auto, "
			       "prefix 2001:470:811d::/48 (default)\n"));
	assert_non_null(strstr(result.out, "policy kernel, rules shipped: 0 allowed inward\n"));
}

static void check_adds_up_the_memory_per_cpu(void **state)
{
	static const struct {
		const char *entries, *rounded;
		double mib_per_cpu;
	} rows[] = {
		{"16384", "16384", 2.03125},
		{"16385", "32768", 4.0625},
		{"1048576", "1048576", 130},
	};
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct run result;
	char text[128], expect[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		sprintf(text, "uplink eth0\nlimits {\ncache-entries %s\n}\n", rows[i].entries);
		run(&result, text, NULL, check);
		assert_int_equal(result.status, 0);
		sprintf(expect, "route cache %.1f MiB (CPUs %ld, ",
			rows[i].mib_per_cpu * (double)cpus, cpus);
		if (!strstr(result.out, expect))
			fail_msg("expected %s, printed %s", expect, result.out);
		sprintf(expect, " %s entries of 130 bytes", rows[i].rounded);
		assert_non_null(strstr(result.out, expect));
	}
}

static void check_counts_what_members_take(void **state)
{
	struct run small, large;
	double small_mib, large_mib;

	(void)state;
	run(&small, "uplink eth0\nlimits {\nmembers 16\nnegative 16\n}\n", NULL, check);
	run(&large, "uplink eth0\nlimits {\nmembers 1048576\nnegative 1048576\n}\n", NULL, check);
	assert_int_equal(
		sscanf(strstr(small.out, "other maps "), "other maps about %lf MiB\n", &small_mib),
		1);
	assert_int_equal(
		sscanf(strstr(large.out, "other maps "), "other maps about %lf MiB\n", &large_mib),
		1);
	/* Four tables, of 96 to some 200 bytes for each entry. */
	assert_true(small_mib < 2);
	assert_true(large_mib > 4 * 96 && large_mib < 4 * 96 + 2048);
}

static void check_names_the_overlap_only_when_asked(void **state)
{
	static const char part[] =
		"tunnel he-ipv6: 2001:470:811d::/64 of its address overlaps the members' "
		"2001:470:811d::/48";
	struct run result;

	(void)state;
	run(&result, t1, NULL, check);
	assert_null(strstr(result.err, part));
	run(&result, t1, NULL, check_verbose);
	assert_int_equal(result.status, 0);
	assert_non_null(strstr(result.err, part));
}

static void check_refuses_with_status_78(void **state)
{
	static const char *const missing[ARGS_MAX] = {"-c", "/nonexistent/zt6.conf", "check"};
	static const char *const folder[ARGS_MAX] = {"-c", "/", "check"};
	struct run result;

	(void)state;
	run(&result, "uplink eth0 {\nvlan 5x\n}\n", NULL, check);
	assert_int_equal(result.status, 78);
	assert_string_equal(result.out, "");
	assert_string_equal(result.err,
			    "/dev/stdin:2: vlan \"5x\": is not a whole number; it takes 1 "
			    "to 4094\n");
	run(&result, "", NULL, check);
	assert_int_equal(result.status, 78);
	assert_non_null(strstr(result.err, "/dev/stdin:1: nothing is configured"));
	run(&result, NULL, NULL, missing);
	assert_int_equal(result.status, 78);
	assert_non_null(strstr(result.err, "/nonexistent/zt6.conf: cannot open: No such file"));
	run(&result, NULL, NULL, folder);
	assert_int_equal(result.status, 78);
	assert_non_null(strstr(result.err, "/: is a folder"));
}

static void the_example_is_valid(void **state)
{
	static const char *const args[ARGS_MAX] = {"-c", "tools/zt6.conf.example", "check"};
	struct run result;

	(void)state;
	run(&result, NULL, NULL, args);
	assert_int_equal(result.status, 0);
	assert_string_equal(result.err, "");
}

static void what_import_prints_is_what_check_reads(void **state)
{
	static const char *const args[ARGS_MAX] = {"import", "ndppd", "-"};
	static const char text[] =
		"proxy eth0 {\nrouter yes;\nrule 2001:db8::/64 { iface eth1 }\n}\n";
	struct run imported, checked;

	(void)state;
	run(&imported, text, NULL, args);
	assert_int_equal(imported.status, 0);
	assert_non_null(strstr(imported.err, "(standard input):2: router \"yes;\""));
	assert_non_null(strstr(imported.out, "    # (standard input):2: router \"yes;\""));
	run(&checked, imported.out, NULL, check);
	assert_int_equal(checked.status, 0);
	assert_non_null(strstr(checked.out, "lan       eth1"));
}

static void import_refuses_with_status_78_and_prints_nothing(void **state)
{
	static const struct {
		const char *args[ARGS_MAX], *text, *message;
	} rows[] = {
		{{"import", "ndppd", "-"}, "proxy {\n}\n", "(standard input):1: proxy"},
		{{"import", "interfaces", "-"}, "iface a\n", "(standard input):1: iface"},
		{{"import", "zerotier", "-"}, "[\n", "(standard input):2: this is no JSON"},
		{{"import", "ndppd", "/nowhere/ndppd.conf"},
		 NULL,
		 "/nowhere/ndppd.conf: cannot open: No such file"},
		{{"import", "interfaces", "/dev"}, NULL, "/dev: is a folder"},
		/* Behind a name is a file, whatever it is called. */
		{{"import", "ndppd", "zerotier"}, NULL, "zerotier: cannot open"},
		{{"import", "ndppd", "-", "interfaces", "interfaces"},
		 "",
		 "interfaces: cannot open"},
	};
	struct run result;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		run(&result, rows[i].text, NULL, rows[i].args);
		assert_int_equal(result.status, 78);
		assert_string_equal(result.out, "");
		assert_ptr_equal(strstr(result.err, rows[i].message), result.err);
	}
}

static void import_takes_names_with_files_behind_them(void **state)
{
	static const char *const rows[][ARGS_MAX] = {
		{"import"},
		{"import", "ndppd"},
		{"import", "ndppd", "-", "interfaces"},
		{"import", "ndppd.conf"},
		{"import", "he"},
	};
	static const char *const full[ARGS_MAX] = {"import", "ndppd", "-"};
	static const char *const empty[ARGS_MAX] = {"import", "zerotier", "-"};
	struct run result;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		run(&result, NULL, NULL, rows[i]);
		assert_int_equal(result.status, 2);
		assert_non_null(strstr(result.err, "usage: zt6-bpf import interfaces FILE..."));
	}
	run(&result, "proxy eth0 { rule 2001:db8::/64 { auto } }", "/dev/full", full);
	assert_int_equal(result.status, 1);
	run(&result, "[]", NULL, empty);
	assert_int_equal(result.status, 1);
	assert_string_equal(result.out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_usage_is_one_line_with_a_hint_and_status_2),
		cmocka_unit_test(help_and_version_go_to_stdout),
		cmocka_unit_test(every_command_is_in_the_manual),
		cmocka_unit_test(output_that_cannot_be_written_is_a_failure),
		cmocka_unit_test(check_prints_what_it_understood),
		cmocka_unit_test(check_adds_up_the_memory_per_cpu),
		cmocka_unit_test(check_counts_what_members_take),
		cmocka_unit_test(check_names_the_overlap_only_when_asked),
		cmocka_unit_test(check_refuses_with_status_78),
		cmocka_unit_test(the_example_is_valid),
		cmocka_unit_test(what_import_prints_is_what_check_reads),
		cmocka_unit_test(import_refuses_with_status_78_and_prints_nothing),
		cmocka_unit_test(import_takes_names_with_files_behind_them),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
