/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent knows of the ZeroTier service, kept up to date without waiting for it. The service
 * is a child that answers nothing until it is told to: a call that waited for it would never return.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/types.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/keyholder.h"
#include "zerotier/observer.h"
#include "zt6_abi.h"

#define NETWORK 0x159924d6308e1d7e
#define TOKEN   "q7w3mk2c9x5v1b8n4z6l0pyt"

#define NODE_JSON "{\"address\": \"338a13b4bb\", \"online\": true, \"version\": \"1.14.1\"}"
#define NETWORK_JSON                                                                       \
	"{\"id\": \"159924d6308e1d7e\", \"status\": \"OK\", \"portDeviceName\": \"zt0\", " \
	"\"mtu\": 2800, \"allowGlobal\": true, \"routes\": [{\"target\": \"::/0\", "       \
	"\"via\": \"fd00::1\"}], \"assignedAddresses\": [\"10.1.2.3/24\", \"2001:db8::5/48\"]}"
#define PEERS_JSON                                                                       \
	"[{\"address\": \"22a1b2c3d4\", \"role\": \"LEAF\", \"latency\": 7, \"paths\": " \
	"[{\"active\": true, \"expired\": false, \"preferred\": true, "                  \
	"\"address\": \"203.0.113.7/9993\"}]}, "                                         \
	"{\"address\": \"33a1b2c3d4\", \"role\": \"PLANET\", \"latency\": -1, \"paths\": []}]"

static const char *const good[] = {NODE_JSON, NETWORK_JSON, PEERS_JSON, NULL};

struct service {
	char home[32];
	int listener;
	int go; /* a byte lets the child take its next connection */
	pid_t child;
};

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* In the child: one answer for each connection, in this order. */
static void answer(int listener, int go, const char *const *bodies)
{
	char byte, request[4096], header[128];

	for (; *bodies && read(go, &byte, 1) == 1; bodies++) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n = read(fd, request, sizeof(request) - 1);

		request[n > 0 ? n : 0] = '\0';
		snprintf(header, sizeof(header), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
			 strstr(request, "X-ZT1-Auth: " TOKEN "\r\n") ? "200 OK"
								      : "401 Unauthorized",
			 strlen(*bodies));
		if (write(fd, header, strlen(header)) < 0 ||
		    write(fd, *bodies, strlen(*bodies)) < 0)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

static void service_start(struct service *service, const char *const *bodies)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(at);
	char port[8];
	int go[2];

	strcpy(service->home, "/tmp/zt6-observer-XXXXXX");
	assert_non_null(mkdtemp(service->home));
	service->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(service->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(service->listener, 8), 0);
	assert_int_equal(getsockname(service->listener, (struct sockaddr *)&at, &length), 0);
	snprintf(port, sizeof(port), "%u", ntohs(at.sin_port));
	write_file(service->home, "zerotier-one.port", port);
	write_file(service->home, "authtoken.secret", TOKEN "\n");
	setenv("ZEROTIER_HOME", service->home, 1);

	assert_int_equal(pipe(go), 0);
	fflush(NULL);
	service->child = fork();
	if (!service->child) {
		close(go[1]);
		answer(service->listener, go[0], bodies);
	}
	close(go[0]);
	service->go = go[1];
}

static void service_stop(struct service *service)
{
	char path[64];

	close(service->go);
	close(service->listener);
	kill(service->child, SIGTERM);
	waitpid(service->child, NULL, 0);
	snprintf(path, sizeof(path), "%s/zerotier-one.port", service->home);
	unlink(path);
	snprintf(path, sizeof(path), "%s/authtoken.secret", service->home);
	unlink(path);
	rmdir(service->home);
}

static void let_answer(struct service *service)
{
	assert_int_equal(write(service->go, "x", 1), 1);
}

/* As the agent does, whenever it asks: another port, another token. */
static void begin_round(struct zerotier_observer *observer)
{
	char why[ZEROTIER_WHY_MAX];
	struct zerotier_service asked;
	int err = zerotier_service_open(&asked, why);

	if (err)
		zerotier_observer_fail(observer, err, why);
	else
		zerotier_observer_ask(observer, &asked);
}

/* Runs it as an event loop would, until a round has ended. */
static void finish_round(struct zerotier_observer *observer)
{
	struct pollfd wait = {.fd = zerotier_observer_fd(observer), .events = POLLIN};

	do
		assert_int_equal(poll(&wait, 1, 20000), 1);
	while (!zerotier_observer_run(observer));
}

/* Whatever is to do at the moment: it must come back although nobody has answered. */
static void run_a_little(struct zerotier_observer *observer)
{
	struct pollfd wait = {.fd = zerotier_observer_fd(observer), .events = POLLIN};

	for (int i = 0; i < 10; i++) {
		poll(&wait, 1, 5);
		assert_false(zerotier_observer_run(observer));
	}
}

static void a_round_is_read_without_ever_waiting_for_the_service(void **state)
{
	struct zerotier_observer *observer;
	const struct zerotier_view *view;
	struct service service;
	char text[PREFIX_STRLEN];

	(void)state;
	service_start(&service, good);
	assert_int_equal(zerotier_observer_new(NETWORK, &observer), 0);
	begin_round(observer);
	run_a_little(observer);
	begin_round(observer); /* changes nothing: one is under way */
	for (int i = 0; i < 3; i++)
		let_answer(&service);
	finish_round(observer);

	view = zerotier_observer_view(observer);
	assert_int_equal(view->err, 0);
	assert_true(view->known);
	assert_int_equal(view->node.id, 0x338a13b4bb);
	assert_true(view->node.online);
	assert_string_equal(view->node.version, "1.14.1");
	assert_string_equal(view->network.device, "zt0");
	assert_int_equal(view->network.mtu, 2800);
	assert_true(view->network.allow_global);
	assert_false(view->network.allow_managed);
	assert_int_equal(view->network.assigned.count, 2);
	assert_string_equal(prefix_format(&view->network.assigned.list[0], text),
			    "::ffff:10.1.2.3/120");
	assert_int_equal(view->network.routes.count, 1);
	assert_true(view->network.routes.list[0].has_via);
	assert_int_equal(view->peers.count, 2);
	assert_true(view->peers.list[0].direct);
	assert_int_equal(view->peers.list[0].latency_ms, 7);
	assert_int_equal(view->peers.list[0].path_port, 9993);
	assert_string_equal(inet_ntop(AF_INET6, &view->peers.list[0].path, text, sizeof(text)),
			    "::ffff:203.0.113.7");
	assert_false(view->peers.list[1].direct);
	assert_int_equal(view->peers.list[1].latency_ms, -1);
	assert_int_equal(view->peers.list[1].role, ZEROTIER_PLANET);

	zerotier_observer_free(observer);
	service_stop(&service);
}

static void what_was_known_outlives_a_service_that_is_gone(void **state)
{
	struct zerotier_observer *observer;
	const struct zerotier_view *view;
	struct service service;

	(void)state;
	service_start(&service, good);
	assert_int_equal(zerotier_observer_new(NETWORK, &observer), 0);
	for (int i = 0; i < 3; i++)
		let_answer(&service);
	begin_round(observer);
	finish_round(observer);
	kill(service.child, SIGTERM);
	waitpid(service.child, NULL, 0);
	shutdown(service.listener, SHUT_RDWR);
	begin_round(observer);
	finish_round(observer);

	view = zerotier_observer_view(observer);
	assert_int_equal(view->err, -ECONNREFUSED);
	assert_non_null(strstr(view->why, "is it running?"));
	assert_true(view->known);
	assert_string_equal(view->network.device, "zt0");

	service_stop(&service);
	begin_round(observer);
	assert_true(zerotier_observer_run(observer));
	assert_int_equal(view->err, -ENOENT);
	assert_non_null(strstr(view->why, "authtoken.secret"));
	assert_true(view->known);
	zerotier_observer_free(observer);
}

static void a_round_that_ends_in_nonsense_leaves_nothing_half_read(void **state)
{
	static const char *const bodies[] = {NODE_JSON, "{\"id\": \"0123456789abcdef\"}", NULL};
	struct zerotier_observer *observer;
	const struct zerotier_view *view;
	struct service service;

	(void)state;
	service_start(&service, bodies);
	assert_int_equal(zerotier_observer_new(NETWORK, &observer), 0);
	let_answer(&service);
	let_answer(&service);
	begin_round(observer);
	finish_round(observer);
	view = zerotier_observer_view(observer);
	assert_int_equal(view->err, -EPROTO);
	assert_false(view->known);
	assert_int_equal(view->node.id, 0);
	zerotier_observer_free(observer);
	service_stop(&service);
}

static void a_service_that_hangs_costs_a_timer(void **state)
{
	struct zerotier_observer *observer;
	struct service service;

	(void)state;
	service_start(&service, good);
	assert_int_equal(zerotier_observer_new(NETWORK, &observer), 0);
	begin_round(observer);
	finish_round(observer);
	assert_int_equal(zerotier_observer_view(observer)->err, -ETIMEDOUT);
	zerotier_observer_free(observer);
	service_stop(&service);
}

static void an_observer_can_be_freed_in_the_middle_of_a_round(void **state)
{
	struct zerotier_observer *observer;
	struct service service;

	(void)state;
	service_start(&service, good);
	assert_int_equal(zerotier_observer_new(NETWORK, &observer), 0);
	begin_round(observer);
	run_a_little(observer);
	zerotier_observer_free(observer);
	service_stop(&service);
}

static void assert_same(const struct zerotier_view *a, const struct zerotier_view *b)
{
	json_t *one = zerotier_view_json(NETWORK, a), *other = zerotier_view_json(NETWORK, b);

	assert_true(json_equal(one, other));
	json_decref(one);
	json_decref(other);
}

static void a_view_that_was_saved_is_the_same_when_it_is_read(void **state)
{
	char folder[] = "/tmp/zt6-view-XXXXXX";
	struct zerotier_observer *observer;
	const struct zerotier_view *view;
	struct zerotier_views views;
	struct service service;

	(void)state;
	service_start(&service, good);
	assert_int_equal(zerotier_observer_new(NETWORK, &observer), 0);
	for (int i = 0; i < 3; i++)
		let_answer(&service);
	begin_round(observer);
	finish_round(observer);
	view = zerotier_observer_view(observer);

	assert_non_null(mkdtemp(folder));
	assert_int_equal(zerotier_views_load(folder, &views), -ENOENT);
	assert_int_equal(
		zerotier_views_save(folder, json_pack("[o]", zerotier_view_json(NETWORK, view))),
		0);
	assert_int_equal(zerotier_views_load(folder, &views), 0);
	assert_null(zerotier_views_find(&views, NETWORK + 1));
	assert_same(zerotier_views_find(&views, NETWORK), view);
	assert_int_equal(zerotier_views_find(&views, NETWORK)->read_ns, view->read_ns);
	assert_string_equal(zerotier_views_find(&views, NETWORK)->network.device, "zt0");
	assert_int_equal(zerotier_views_find(&views, NETWORK)->network.assigned.count, 2);
	assert_int_equal(zerotier_views_find(&views, NETWORK)->peers.list[0].latency_ms, 7);
	assert_true(zerotier_views_find(&views, NETWORK)->network.routes.list[0].has_via);
	zerotier_views_free(&views);
	zerotier_views_remove(folder);
	assert_int_equal(rmdir(folder), 0);
	zerotier_observer_free(observer);
	service_stop(&service);
}

static void a_network_is_settled_only_where_it_is_not_as_wished(void **state)
{
	/* Asked for, and set: the answer to the POST is what holds. */
	static const char set[] =
		"{\"id\": \"159924d6308e1d7e\", \"status\": \"OK\", \"allowGlobal\": false}";
	static const char *const bodies[] = {NODE_JSON, NETWORK_JSON, set, PEERS_JSON, NULL};
	struct zerotier_observer *observer;
	struct service service;

	(void)state;
	service_start(&service, bodies);
	assert_int_equal(zerotier_observer_new(NETWORK, &observer), 0);
	zerotier_observer_wish(observer, ZT6_WISH_GLOBAL);
	for (int i = 0; i < 4; i++)
		let_answer(&service);
	begin_round(observer);
	finish_round(observer);
	assert_int_equal(zerotier_observer_view(observer)->err, 0);
	assert_false(zerotier_observer_view(observer)->network.allow_global);
	assert_int_equal(zerotier_observer_view(observer)->peers.count, 2);
	zerotier_observer_free(observer);
	service_stop(&service);
}

static void a_keyholder_reads_what_is_there_when_it_is_asked(void **state)
{
	struct zerotier_service asked;
	char why[ZEROTIER_WHY_MAX];
	struct service service;
	struct pollfd wait = {.events = POLLIN};

	(void)state;
	setenv("ZEROTIER_HOME", "/nonexistent", 1);
	wait.fd = keyholder_start();
	assert_true(wait.fd >= 0);
	assert_int_equal(keyholder_take(wait.fd, &asked, why), -EAGAIN);
	assert_int_equal(keyholder_ask(wait.fd), 0);
	assert_int_equal(poll(&wait, 1, 5000), 1);
	assert_int_equal(keyholder_take(wait.fd, &asked, why), -ENOENT);
	assert_non_null(strstr(why, "has not run here yet"));
	close(wait.fd);

	service_start(&service, good);
	wait.fd = keyholder_start();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(keyholder_ask(wait.fd), 0);
		assert_int_equal(poll(&wait, 1, 5000), 1);
		assert_int_equal(keyholder_take(wait.fd, &asked, why), 0);
		assert_string_equal(asked.token, TOKEN);
		assert_string_equal(asked.home, service.home);
	}
	close(wait.fd);
	service_stop(&service);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_is_read_without_ever_waiting_for_the_service),
		cmocka_unit_test(what_was_known_outlives_a_service_that_is_gone),
		cmocka_unit_test(a_round_that_ends_in_nonsense_leaves_nothing_half_read),
		cmocka_unit_test(a_service_that_hangs_costs_a_timer),
		cmocka_unit_test(an_observer_can_be_freed_in_the_middle_of_a_round),
		cmocka_unit_test(a_view_that_was_saved_is_the_same_when_it_is_read),
		cmocka_unit_test(a_network_is_settled_only_where_it_is_not_as_wished),
		cmocka_unit_test(a_keyholder_reads_what_is_there_when_it_is_asked),
	};

	return cmocka_run_group_tests_name("zerotier_observer", tests, NULL, NULL);
}
