// SPDX-License-Identifier: GPL-2.0-or-later
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "loader/rundir.h"
#include "loader/up.h"
#include "loader/vlan.h"
#include "loader/work.h"
#include "log.h"
#include "zerotier/find.h"

/* How soon the process ends that waits for a trial which was decided. */
#define LOOK_S 1

#define PATH_SIZE 160

/* Between the two processes. */
enum { NOTHING_DONE = 'n', UP_IS_DONE = 'y', WAITING = 'w' };

/* What the process that waits knows. */
struct timer {
	const struct instance *instance;
	uint32_t seconds;
	struct conf *before; /* the configuration to go back to; NULL: it was not up */
	int file;            /* that stands for the trial */
};

static void path_of(const struct instance *instance, const char *name, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/%s", instance->run_dir, name);
}

/* CLOCK_BOOTTIME: a machine that sleeps is not locked out meanwhile, but after it. */
static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

/* Whether the file that is open is still the one of its name. */
static bool is_current(int fd, const char *path)
{
	struct stat held, found;

	return !fstat(fd, &held) && !stat(path, &found) && held.st_ino == found.st_ino &&
	       held.st_dev == found.st_dev;
}

/* Takes the file away if nobody has before. */
static bool decide(int fd, const char *path)
{
	return !flock(fd, LOCK_EX) && is_current(fd, path) && !unlink(path);
}

static int read_trial(const struct instance *instance, int *pid, int64_t *deadline_s)
{
	char path[PATH_SIZE];
	FILE *file;
	bool good;

	path_of(instance, TRIAL_NAME, path);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	good = fscanf(file, "%d %" SCNd64, pid, deadline_s) == 2;
	fclose(file);
	return good ? 0 : -EBADMSG;
}

/* One whose process has been killed will never be decided. */
static void clear_dead(const struct instance *instance)
{
	int64_t deadline_s = 0;
	int pid = 0;

	if (!read_trial(instance, &pid, &deadline_s) && kill(pid, 0) && errno == ESRCH)
		trial_end(instance);
}

/* Back to what was before; where that cannot be had, to nothing. 0 or -errno. */
static int restore(struct work *work, struct conf *before)
{
	int err = -ENOENT;

	if (before) {
		err = zerotier_resolve(before, false);
		if (!err)
			err = vlan_resolve(before);
		if (!err)
			err = loader_up(work, before);
		if (!err)
			trial_remember(work->instance, before);
	}
	return err ? loader_down(work) : 0;
}

/* @lock is given away. */
static void go_back(const struct timer *timer, int lock)
{
	const char *name = timer->instance->name;
	struct work work;
	int err = work_begin(&work, timer->instance, lock);

	openlog("zt6-bpf", LOG_PID, LOG_DAEMON);
	if (!err) {
		err = restore(&work, timer->before);
		work_end(&work);
	}
	if (err)
		syslog(LOG_ERR, "instance \"%s\" was not confirmed, and could not go back: %s",
		       name, strerror(-err));
	else
		syslog(LOG_WARNING,
		       "instance \"%s\" was not confirmed: gone back to the state before", name);
}

static int make_file(struct timer *timer)
{
	char path[PATH_SIZE];

	path_of(timer->instance, TRIAL_NAME, path);
	timer->file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (timer->file < 0)
		return -errno;
	if (dprintf(timer->file, "%d %" PRId64 "\n", getpid(), now_s() + timer->seconds) > 0)
		return 0;
	unlink(path);
	return -EIO;
}

/* What has been begun before the time was over is ended first, and may end the trial. */
static void wait_and_decide(const struct timer *timer)
{
	int64_t deadline_s = now_s() + timer->seconds;
	char path[PATH_SIZE];
	int lock;

	path_of(timer->instance, TRIAL_NAME, path);
	while (now_s() < deadline_s) {
		sleep(LOOK_S);
		if (!is_current(timer->file, path))
			return;
	}
	lock = rundir_lock(timer->instance->run_dir);
	if (lock < 0 || decide(timer->file, path))
		go_back(timer, lock);
	else
		rundir_unlock(timer->instance->run_dir, lock);
}

/* The session that typed `up` may end before the time does. */
static void leave_session(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	if (chdir("/"))
		syslog(LOG_WARNING, "cannot leave the working folder");
}

static _Noreturn void run_timer(struct timer *timer, int parent)
{
	char word = 0, answer = WAITING;

	leave_session();
	if (read(parent, &word, 1) == 1 && word == NOTHING_DONE)
		_exit(0);
	if (make_file(timer))
		_exit(1);
	if (write(parent, &answer, 1) == 1)
		close(parent);
	wait_and_decide(timer);
	_exit(0);
}

/* The configuration that is up now. */
static int read_before(const struct instance *instance, struct timer *timer)
{
	char path[PATH_SIZE];

	if (!rundir_in_use(instance->run_dir, instance->pin_dir))
		return 0;
	path_of(instance, APPLIED_NAME, path);
	if (!conf_load(path, stderr, &timer->before))
		return 0;
	log_error("up --try: which configuration is up now is not known, so that there is no way "
		  "back to it: run \"zt6-bpf up\" with it once, then with --try");
	return -ENOENT;
}

int trial_prepare(const struct instance *instance, uint32_t seconds, int lock, struct trial *out)
{
	struct timer timer = {.instance = instance, .seconds = seconds, .file = -1};
	int64_t left, err;
	int ends[2];
	pid_t pid;

	clear_dead(instance);
	left = trial_seconds_left(instance);
	if (left >= 0) {
		log_error("up --try: another trial goes on for %" PRId64 " s: end it with "
			  "\"zt6-bpf confirm\" first, or let it end",
			  left);
		return -EBUSY;
	}
	err = read_before(instance, &timer);
	if (err)
		return (int)err;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		err = -errno;
		goto out;
	}
	pid = fork();
	if (!pid) {
		close(ends[0]);
		close(lock); /* else it would be held until the trial is over */
		run_timer(&timer, ends[1]);
	}
	err = pid < 0 ? -errno : 0;
	close(ends[1]);
	out->timer = ends[0];
	if (err)
		close(ends[0]);
out:
	if (err)
		log_error("up --try: cannot start the process that would go back: %s",
			  strerror((int)-err));
	conf_free(timer.before);
	return (int)err;
}

int trial_arm(struct trial *trial, bool up_is_done)
{
	char word = up_is_done ? UP_IS_DONE : NOTHING_DONE, answer = 0;
	bool waits = write(trial->timer, &word, 1) == 1 &&
		     (!up_is_done || (read(trial->timer, &answer, 1) == 1 && answer == WAITING));

	close(trial->timer);
	if (waits)
		return 0;
	log_error("up --try: the process that would go back has died: what is up stays");
	return -EIO;
}

int trial_end(const struct instance *instance)
{
	char path[PATH_SIZE];
	bool decided;
	int fd;

	path_of(instance, TRIAL_NAME, path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	decided = decide(fd, path);
	close(fd);
	return decided ? 0 : -ENOENT;
}

int64_t trial_seconds_left(const struct instance *instance)
{
	int64_t deadline_s = 0;
	int pid = 0, err = read_trial(instance, &pid, &deadline_s);

	if (err)
		return -ENOENT;
	return deadline_s > now_s() ? deadline_s - now_s() : 0;
}

void trial_remember(const struct instance *instance, const struct conf *conf)
{
	char path[PATH_SIZE], fresh[PATH_SIZE + 4];
	FILE *file;
	bool good;

	path_of(instance, APPLIED_NAME, path);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	unlink(fresh);
	file = fopen(fresh, "wxe"); /* no link: the folder is the agent's */
	good = file && fwrite(conf->text, 1, conf->length, file) == conf->length;
	if (file && fclose(file))
		good = false;
	if (good && !rename(fresh, path))
		return;
	log_warning("cannot note the configuration in %s: %m; \"up --try\" will not know the way "
		    "back",
		    path);
	unlink(fresh);
	unlink(path); /* what was up before is no way back any more */
}
