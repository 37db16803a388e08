// SPDX-License-Identifier: GPL-2.0-or-later
/* `zt6-bpf stats`: the counters as a table, as JSON, for Prometheus, or again and again. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "instance.h"
#include "log.h"
#include "stats.h"
#include "tunnel_health.h"

#define WATCH_SECONDS_DEFAULT 1

static json_t *json_counter(const struct zt6_counter *counter)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)counter->packets, "bytes",
			 (json_int_t)counter->bytes);
}

static json_t *json_verdicts(const struct zt6_port_counters *count)
{
	json_t *verdicts = json_object();

	for (int v = 0; v < ZT6_VERDICT_COUNT; v++)
		json_object_set_new(verdicts, verdict_name(v), json_counter(&count->verdicts[v]));
	return verdicts;
}

static json_t *json_port(const struct stats *stats, const struct stats_port *port)
{
	const struct device_drops *device = &port->device;
	json_t *root;

	root = json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I}}", "name",
			 port->port.name, "ifindex", port->port.ifindex, "role",
			 role_name(port->port.role), "datapath", port->datapath, "rx",
			 json_counter(&port->count.rx), "verdicts", json_verdicts(&port->count),
			 "tx", json_counter(&port->count.tx), "unbound",
			 json_counter(&port->count.unbound), "device", "rx_dropped",
			 (json_int_t)device->rx_dropped, "rx_errors", (json_int_t)device->rx_errors,
			 "tx_dropped", (json_int_t)device->tx_dropped, "tx_errors",
			 (json_int_t)device->tx_errors);
	if (port->port.role == ZT6_ROLE_TUNNEL)
		json_object_set_new(root, "health",
				    tunnel_health_json(stats_health(stats, port), stats->now_ns));
	return root;
}

static int print_json(const struct instance *instance, const struct stats *stats, FILE *out)
{
	json_t *ports = json_array(), *root;
	int err;

	for (size_t i = 0; i < stats->port_count; i++)
		json_array_append_new(ports, json_port(stats, &stats->ports[i]));
	root = json_pack("{s:i, s:s, s:s, s:o, s:{s:o, s:o, s:o}}", "schema", 1, "instance",
			 instance->name, "version", ZT6_VERSION, "ports", ports, "totals", "rx",
			 json_counter(&stats->total.rx), "verdicts", json_verdicts(&stats->total),
			 "tx", json_counter(&stats->total.tx));
	if (!root)
		return -ENOMEM;
	err = json_dumpf(root, out, JSON_INDENT(2)) && !ferror(out) ? -ENOMEM : 0;
	fputc('\n', out);
	json_decref(root);
	return err;
}

static void print_metric(FILE *out, const char *metric, const char *help, const struct stats *stats,
			 size_t offset)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s counter\n", metric, help, metric);
	for (size_t i = 0; i < stats->port_count; i++) {
		const char *count = (const char *)&stats->ports[i].count;

		fprintf(out, "%s{port=\"%s\"} %llu\n", metric, stats->ports[i].port.name,
			*(const __u64 *)(count + offset));
	}
}

static void print_verdict_metric(FILE *out, const char *metric, const char *help,
				 const struct stats *stats, size_t offset)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s counter\n", metric, help, metric);
	for (size_t i = 0; i < stats->port_count; i++) {
		for (int v = 0; v < ZT6_VERDICT_COUNT; v++) {
			const char *count = (const char *)&stats->ports[i].count.verdicts[v];

			fprintf(out, "%s{port=\"%s\",verdict=\"%s\"} %llu\n", metric,
				stats->ports[i].port.name, verdict_name(v),
				*(const __u64 *)(count + offset));
		}
	}
}

static void print_health_metrics(FILE *out, const struct stats *stats)
{
	fputs("# HELP zt6_tunnel_rtt_seconds Round trip to the far end of a tunnel.\n"
	      "# TYPE zt6_tunnel_rtt_seconds gauge\n",
	      out);
	for (size_t i = 0; i < stats->port_count; i++) {
		const struct zt6_health *health = stats_health(stats, &stats->ports[i]);

		if (health && health->answered_ns)
			fprintf(out, "zt6_tunnel_rtt_seconds{port=\"%s\"} %.6f\n",
				stats->ports[i].port.name, health->rtt_us / 1e6);
	}
	fputs("# HELP zt6_tunnel_unanswered Echo requests to the far end since its last reply.\n"
	      "# TYPE zt6_tunnel_unanswered gauge\n",
	      out);
	for (size_t i = 0; i < stats->port_count; i++) {
		const struct zt6_health *health = stats_health(stats, &stats->ports[i]);

		if (health)
			fprintf(out, "zt6_tunnel_unanswered{port=\"%s\"} %u\n",
				stats->ports[i].port.name, health->unanswered);
	}
}

static int print_prometheus(const struct instance *instance, const struct stats *stats, FILE *out)
{
	(void)instance;
	print_metric(out, "zt6_rx_packets_total", "Packets that arrived on a port.", stats,
		     offsetof(struct zt6_port_counters, rx.packets));
	print_metric(out, "zt6_rx_bytes_total", "Bytes that arrived on a port.", stats,
		     offsetof(struct zt6_port_counters, rx.bytes));
	print_metric(out, "zt6_tx_packets_total", "Packets that the gateway itself sent.", stats,
		     offsetof(struct zt6_port_counters, tx.packets));
	print_metric(out, "zt6_tx_bytes_total", "Bytes that the gateway itself sent.", stats,
		     offsetof(struct zt6_port_counters, tx.bytes));
	print_metric(out, "zt6_unbound_packets_total",
		     "Packets whose source is bound to another MAC, dropped or not.", stats,
		     offsetof(struct zt6_port_counters, unbound.packets));
	print_verdict_metric(out, "zt6_verdict_packets_total", "Packets by port and verdict.",
			     stats, offsetof(struct zt6_counter, packets));
	print_verdict_metric(out, "zt6_verdict_bytes_total", "Bytes by port and verdict.", stats,
			     offsetof(struct zt6_counter, bytes));
	print_health_metrics(out, stats);
	return 0;
}

static void print_port(const struct stats *stats, const struct stats_port *port, FILE *out)
{
	const struct zt6_health *health = stats_health(stats, port);
	const struct device_drops *device = &port->device;
	char text[160];

	fprintf(out, "%s  %s, %s\n", port->port.name, role_name(port->port.role), port->datapath);
	fprintf(out, "  %-24s %14llu packets %18llu bytes\n", "rx", port->count.rx.packets,
		port->count.rx.bytes);
	for (int v = 0; v < ZT6_VERDICT_COUNT; v++) {
		const struct zt6_counter *counter = &port->count.verdicts[v];

		if (counter->packets)
			fprintf(out, "    %-22s %14llu         %18llu        %s\n", verdict_name(v),
				counter->packets, counter->bytes, verdict_meaning(v));
	}
	if (port->count.tx.packets)
		fprintf(out, "  %-24s %14llu packets %18llu bytes  sent by the gateway itself\n",
			"tx", port->count.tx.packets, port->count.tx.bytes);
	if (health) {
		tunnel_health_text(health, stats->now_ns, text, sizeof(text));
		fprintf(out, "  %s\n", text);
	}
	if (port->count.unbound.packets)
		fprintf(out, "  %-24s %14llu packets %18llu bytes  sources bound to another MAC\n",
			"unbound", port->count.unbound.packets, port->count.unbound.bytes);
	if (device->rx_dropped || device->rx_errors || device->tx_dropped || device->tx_errors)
		fprintf(out,
			"  the device itself lost: rx_dropped %llu, rx_errors %llu, "
			"tx_dropped %llu, tx_errors %llu\n",
			device->rx_dropped, device->rx_errors, device->tx_dropped,
			device->tx_errors);
}

static int print_table(const struct instance *instance, const struct stats *stats, FILE *out)
{
	(void)instance;
	for (size_t i = 0; i < stats->port_count; i++) {
		if (i)
			fputc('\n', out);
		print_port(stats, &stats->ports[i], out);
	}
	return 0;
}

typedef int print_fn(const struct instance *instance, const struct stats *stats, FILE *out);

static int print_once(const struct instance *instance, print_fn *print, FILE *out)
{
	struct stats *stats = malloc(sizeof(*stats));
	int err = stats ? stats_read(instance, stats) : -ENOMEM;

	if (!err)
		err = print(instance, stats, out);
	free(stats);
	return err;
}

/* One table after the other, for as long as somebody takes them. */
static int watch_lines(const struct instance *instance, int seconds)
{
	int err;

	while (!(err = print_once(instance, print_table, stdout))) {
		fputc('\n', stdout);
		if (fflush(stdout))
			break;
		sleep(seconds);
	}
	return err;
}

/* The table on the whole screen, until a key is pressed or the instance goes down. */
static int watch_screen(const struct instance *instance, int seconds)
{
	char *text;
	size_t length;
	FILE *memory;
	int err;

	if (!newterm(NULL, stdout, stdin)) /* TERM is not set, or not known */
		return watch_lines(instance, seconds);
	cbreak();
	noecho();
	curs_set(0);
	timeout(seconds * 1000);
	do {
		text = NULL;
		memory = open_memstream(&text, &length);
		err = memory ? print_once(instance, print_table, memory) : -ENOMEM;
		if (memory)
			fclose(memory);
		if (!err) {
			erase();
			mvaddstr(0, 0, text);
			refresh();
		}
		free(text);
	} while (!err && getch() == ERR);
	endwin();
	return err;
}

static int usage(void)
{
	log_error("usage: zt6-bpf stats [--json | --prometheus | --watch[=SECONDS]]");
	return EXIT_USAGE;
}

int cmd_stats(const struct instance *instance, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"prometheus", no_argument, NULL, 'p'},
		{"watch", optional_argument, NULL, 'w'},
		{0},
	};
	print_fn *print = print_table;
	long seconds = 0;
	int option, err, chosen = 0;
	char *end;

	optind = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		chosen++;
		switch (option) {
		case 'j':
			print = print_json;
			break;
		case 'p':
			print = print_prometheus;
			break;
		case 'w':
			seconds = optarg ? strtol(optarg, &end, 10) : WATCH_SECONDS_DEFAULT;
			if ((optarg && (end == optarg || *end)) || seconds < 1 || seconds > 3600)
				return usage();
			break;
		default:
			return usage();
		}
	}
	if (optind != argc || chosen > 1)
		return usage();
	if (!seconds)
		err = print_once(instance, print, stdout);
	else if (isatty(STDOUT_FILENO))
		err = watch_screen(instance, seconds);
	else
		err = watch_lines(instance, seconds);
	return err ? stats_explain_error(instance, err) : EXIT_DONE;
}
