/* analysis_child - see analysis_child.h. */
#include "daemon/analysis_child.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS    100
#define EXIT_SOME  1 /* tickbusctl's: something of a symbol is not there */
#define SAYS_MAX   512
#define SAYS_START "tickbusctl"
#define NO_MEMORY  "out of memory" /* so base/buf.c ends a process: abort() */

extern char **environ;

/** A process that runs, and our ends of what it speaks through. */
struct run {
	const struct analysis_child *c;
	pid_t pid;
	int pid_fd, talk, says; /* owned; -1: closed */
	size_t sent;            /* of the order */
	int64_t begin_ns;
	struct analysis_lines lines;
	char line[SAYS_MAX]; /* of standard error, being read */
	size_t n_line;
	char why[ANALYSIS_WHY_MAX]; /* its newest sentence */
	int verdict;                /* ANALYSIS_x, -1: none yet */
};

/* ---- start ---- */

static int spawn(const struct analysis_child *c, int talk, int says, pid_t *pid)
{
	char memory[24], result[24], nice[12];
	char *argv[] = {(char *)c->program,
			"--admin",
			(char *)c->admin,
			"work",
			memory,
			result,
			nice,
			NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int rc;

	(void)snprintf(memory, sizeof(memory), "%llu",
		       (unsigned long long)c->memory_bytes);
	(void)snprintf(result, sizeof(result), "%llu",
		       (unsigned long long)c->result_bytes);
	(void)snprintf(nice, sizeof(nice), "%u", c->nice);
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGXFSZ);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = posix_spawn_file_actions_adddup2(&actions, talk, STDIN_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, c->result_fd,
						      STDOUT_FILENO);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, says, STDERR_FILENO);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(&attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(&attr, &usual);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(&attr, 0);
	if (rc == 0)
		rc = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
							     POSIX_SPAWN_SETSIGDEF |
							     POSIX_SPAWN_SETPGROUP);
	if (rc == 0)
		rc = posix_spawnp(pid, c->program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return rc == 0 ? 0
		       : err_set(-rc, "cannot start %s (analysis.program): %s",
				 c->program, strerror(rc));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A name of its own for tests/tsan.supp: pidfd_open() is not seen by the sanitizer. */
static void close_pid(struct run *r)
{
	close_fd(&r->pid_fd);
}

/* The whole group, also what the process itself has started. */
static void end_group(const struct run *r)
{
	(void)kill(-r->pid, SIGKILL);
}

static int begin(struct run *r)
{
	int pair[2] = {-1, -1}, tube[2] = {-1, -1};
	int rc = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
	    pipe2(tube, O_CLOEXEC) < 0)
		rc = err_set(-errno, "no pipe to an analysis: %s", strerror(errno));
	if (rc == 0)
		rc = spawn(r->c, pair[1], tube[1], &r->pid);
	close_fd(&pair[1]);
	close_fd(&tube[1]);
	r->talk = pair[0];
	r->says = tube[0];
	if (rc == 0) {
		(void)fcntl(r->talk, F_SETFL, O_NONBLOCK);
		(void)fcntl(r->says, F_SETFL, O_NONBLOCK);
		r->pid_fd = pidfd_open(r->pid, 0);
		r->begin_ns = clock_mono_ns();
		return 0;
	}
	close_fd(&r->talk);
	close_fd(&r->says);
	return rc;
}

/* ---- while it runs ---- */

static void decide(struct run *r, int verdict, const char *why)
{
	if (r->verdict >= 0)
		return;
	r->verdict = verdict;
	(void)snprintf(r->why, sizeof(r->why), "%s", why);
	end_group(r);
}

static void send_order(struct run *r)
{
	const struct buf *order = r->c->order;

	while (r->sent < order->len) {
		ssize_t n = send(r->talk, order->data + r->sent, order->len - r->sent,
				 MSG_NOSIGNAL);

		if (n <= 0)
			return;
		r->sent += (size_t)n;
	}
	(void)shutdown(r->talk, SHUT_WR);
	r->sent = order->len + 1;
}

static void take_progress(struct run *r)
{
	char piece[16384];
	ssize_t n;

	while (r->talk >= 0 && (n = read(r->talk, piece, sizeof(piece))) != 0) {
		if (n < 0)
			return;
		/* What comes when it is decided is not looked at. */
		if (r->verdict < 0 && analysis_lines_take(&r->lines, piece, (size_t)n,
							  r->c->line, r->c->arg) != 0)
			decide(r, ANALYSIS_DIED, err_text());
	}
	close_fd(&r->talk);
}

static bool begins(const char *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && memcmp(text, word, n) == 0;
}

static void take_sentence(struct run *r)
{
	bool is_hers = begins(r->line, r->n_line, SAYS_START);
	size_t skip = is_hers ? strlen(SAYS_START) : 0;

	/* "tickbusctl: it", "tickbusctl report: it": hints that follow are not kept. */
	if (r->verdict >= 0 || (!is_hers && !begins(r->line, r->n_line, NO_MEMORY)))
		return;
	for (size_t i = skip; is_hers && i + 2 < r->n_line; i++)
		if (r->line[i] == ':') {
			skip = i + 2;
			break;
		}
	analysis_printable(r->line + skip, r->n_line - skip, r->why, sizeof(r->why));
}

static void take_says(struct run *r)
{
	char piece[4096];
	ssize_t n;

	while (r->says >= 0 && (n = read(r->says, piece, sizeof(piece))) != 0) {
		if (n < 0)
			return;
		for (ssize_t i = 0; i < n; i++) {
			if (piece[i] == '\n') {
				take_sentence(r);
				r->n_line = 0;
			} else if (r->n_line < sizeof(r->line)) {
				r->line[r->n_line++] = piece[i];
			}
		}
	}
	close_fd(&r->says);
}

/* True: it is gone. */
static bool wait_a_little(struct run *r)
{
	bool is_asking = r->talk >= 0 && r->sent < r->c->order->len;
	struct pollfd p[] = {
		{.fd = r->talk, .events = (short)(POLLIN | (is_asking ? POLLOUT : 0))},
		{.fd = r->says, .events = POLLIN},
		{.fd = r->pid_fd, .events = POLLIN}};

	(void)poll(p, 3, LOOK_MS);
	if (is_asking)
		send_order(r);
	take_progress(r);
	take_says(r);
	r->c->idle(r->c->arg);
	if (atomic_load(r->c->stop) || atomic_load(r->c->stop2))
		decide(r, ANALYSIS_STOPPED, "");
	else if (clock_mono_ns() - r->begin_ns > r->c->limit_ns)
		decide(r, ANALYSIS_LATE, "it took longer than analysis.limit");
	return (p[2].revents & POLLIN) != 0;
}

/* ---- the end ---- */

/* What it said last; of memory with the key that says how much there is. */
static void refuse(struct run *r, const char *said)
{
	bool is_memory =
		strstr(said, NO_MEMORY) != NULL || strstr(said, "no memory") != NULL;

	r->verdict = ANALYSIS_REFUSED;
	(void)snprintf(r->why, sizeof(r->why), "%.340s%s", said,
		       is_memory ? " (analysis.memory is its bound)" : "");
}

/* Who has no memory left ends by a signal, too, but would do so again. */
static void judge(struct run *r, int status)
{
	char said[ANALYSIS_WHY_MAX];

	if (r->verdict >= 0)
		return;
	memcpy(said, r->why, sizeof(said));
	r->why[0] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_SOME) {
		r->verdict = ANALYSIS_ENDED;
	} else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
		   begins(said, strlen(said), NO_MEMORY)) {
		refuse(r, said);
	} else if (WIFEXITED(status)) {
		r->verdict = ANALYSIS_REFUSED;
		if (said[0] != '\0')
			refuse(r, said);
		else
			(void)snprintf(r->why, sizeof(r->why),
				       "it ended with exit status %d",
				       WEXITSTATUS(status));
	} else {
		r->verdict = ANALYSIS_DIED;
		(void)snprintf(r->why, sizeof(r->why), "its process was ended: %s",
			       strsignal(WTERMSIG(status)));
	}
}

int analysis_child_run(const struct analysis_child *c, char why[ANALYSIS_WHY_MAX])
{
	struct run *r = calloc(1, sizeof(*r));
	int status = 0, rc;

	if (r == NULL)
		return err_set(-ENOMEM, "out of memory for an analysis");
	r->c = c;
	r->talk = r->says = r->pid_fd = r->verdict = -1;
	rc = begin(r);
	if (rc < 0) {
		free(r);
		return rc;
	}
	if (r->pid_fd < 0)
		decide(r, ANALYSIS_DIED, "it cannot be watched");
	while (r->pid_fd >= 0 && !wait_a_little(r))
		;
	/* What it said last lies in the pipes; what it had started goes with it. */
	end_group(r);
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	take_progress(r);
	take_says(r);
	judge(r, status);
	memcpy(why, r->why, ANALYSIS_WHY_MAX);
	rc = r->verdict;
	close_fd(&r->talk);
	close_fd(&r->says);
	close_pid(r);
	free(r);
	return rc;
}
