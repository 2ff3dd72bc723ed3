/*
 * cmd_work - work: features and reports as the daemon's process for a job of it
 * (daemon/analysis_child.h).  Not for people: it stands in no list.
 *
 * The order comes on standard input: "aside 7 why" for each row that is to be left out,
 * a word a line, an empty line, and what is held.  The rest is the command of these
 * words, so the result is the command's own.
 */
#include "base/buf.h"
#include "cli/cli.h"
#include "cli/worknote.h"
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ORDER_MAX (1u << 20)
#define WORDS_MAX 64
#define ARENAS    2     /* of malloc: each takes much of the address space */
#define NICE_IDLE 20    /* behind all that are nice */
#define OOM_SCORE "800" /* when memory runs out, this goes and not the daemon */

/* ---- bounds ---- */

#define BOUNDS 3 /* bytes of memory, bytes of the result, nice */

static int bound(__rlimit_resource_t resource, uint64_t most)
{
	struct rlimit r;

	if (getrlimit(resource, &r) < 0)
		return -errno;
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > most)
		r.rlim_max = most;
	r.rlim_cur = r.rlim_max;
	return setrlimit(resource, &r) < 0 ? -errno : 0;
}

static int bound_memory(uint64_t most)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	(void)most; /* a sanitizer's shadow takes terabytes of the address space */
	return 0;
#else
	(void)mallopt(M_ARENA_MAX, ARENAS);
	return bound(RLIMIT_AS, most);
#endif
}

/* A program that is nice may keep the processor to the end of its slice though a thread
 * of the daemon wakes; one that is idle may not. */
static void give_way(int nice)
{
	const struct sched_param none = {.sched_priority = 0};

	if (nice == NICE_IDLE)
		(void)sched_setscheduler(0, SCHED_IDLE, &none);
	(void)setpriority(PRIO_PROCESS, 0, nice == NICE_IDLE ? NICE_IDLE - 1 : nice);
}

static void be_the_first_to_go(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "we");

	if (f == NULL)
		return;
	(void)fputs(OOM_SCORE, f);
	(void)fclose(f);
}

static int read_bounds(struct cli *c, int argc, char **argv)
{
	uint64_t memory = 0, result = 0, nice = 0;
	int rc = cli_no_options(c, argc, argv, BOUNDS, BOUNDS);

	if (rc != CLI_OPTION_END)
		return rc == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	if (!cli_number(argv[optind], 1, UINT64_MAX >> 1, &memory) ||
	    !cli_number(argv[optind + 1], 1, UINT64_MAX >> 1, &result) ||
	    !cli_number(argv[optind + 2], 0, NICE_IDLE, &nice))
		return cli_usage_error(c, "it is what the daemon starts");
	/* Ends with the daemon, whatever became of it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || bound_memory(memory) < 0 ||
	    bound(RLIMIT_FSIZE, result) < 0 || bound(RLIMIT_CORE, 0) < 0)
		return cli_error(CLI_INTERNAL, "it cannot be bounded: %s",
				 strerror(errno));
	(void)signal(SIGXFSZ, SIG_IGN); /* a result that is too long: an error */
	give_way((int)nice);
	be_the_first_to_go();
	return CLI_OK;
}

/* ---- the order ---- */

static int read_order(struct buf *order)
{
	for (;;) {
		ssize_t n = read(STDIN_FILENO, buf_reserve(order, 65536), 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_error(CLI_IO, "the order: %s", strerror(errno));
		if (n == 0)
			return CLI_OK;
		order->len += (size_t)n;
		if (order->len > ORDER_MAX)
			return cli_error(CLI_IO, "the order is too long");
	}
}

/* "aside 7 its reason", some of them: where the words begin, or NULL. */
static char *read_asides(char *text, struct worknote *note)
{
	static const char word[] = "aside ";
	const size_t skip = sizeof(word) - 1;

	while (strncmp(text, word, skip) == 0) {
		char *end = strchr(text, '\n'), *reason = NULL;
		unsigned long row = strtoul(text + skip, &reason, 10);

		if (end == NULL || row == 0 || *reason != ' ' || reason + 1 >= end ||
		    note->n_aside == WORKNOTE_ASIDE_MAX)
			return NULL;
		*end = '\0';
		note->aside[note->n_aside].row = row - 1;
		note->aside[note->n_aside++].reason = reason + 1;
		text = end + 1;
	}
	return text;
}

/* Words end at an empty line; where holdings begin, or NULL. */
static char *split(char *text, char **words, int *n)
{
	while (*text != '\0' && *text != '\n' && *n < WORDS_MAX) {
		char *end = strchr(text, '\n');

		if (end == NULL)
			return NULL;
		*end = '\0';
		words[(*n)++] = text;
		text = end + 1;
	}
	return *text == '\n' ? text + 1 : NULL;
}

/* As a file that has no name; its option into @word. */
static int hold(const char *text, char word[64])
{
	size_t len = strlen(text);
	int fd = memfd_create("holdings", 0);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		return cli_error(CLI_IO, "holdings: %s", strerror(errno));
	(void)snprintf(word, 64, "--portfolio=/proc/self/fd/%d", fd);
	return CLI_OK;
}

static int run(struct cli *c, char *text)
{
	static const struct command doing[] = {{"features", "", "", "", cmd_features},
					       {"report", "", "", "", cmd_report}};
	char *words[WORDS_MAX + 2], word[64];
	int n = 0;
	char *begin = read_asides(text, c->note);
	char *holdings = begin == NULL ? NULL : split(begin, words, &n);

	if (n == 0 || holdings == NULL)
		return cli_error(CLI_USAGE, "the order is none");
	if (*holdings != '\0') {
		if (hold(holdings, word) != CLI_OK)
			return CLI_IO;
		words[n++] = word;
	}
	words[n] = NULL;
	for (size_t i = 0; i < sizeof(doing) / sizeof(doing[0]); i++) {
		if (strcmp(doing[i].name, words[0]) != 0)
			continue;
		c->command = &doing[i];
		optind = 0; /* glibc: begin anew */
		return doing[i].run(c, n, words);
	}
	return cli_error(CLI_USAGE, "there is no work '%.40s'", words[0]);
}

int cmd_work(struct cli *c, int argc, char **argv)
{
	struct worknote note = {.fd = STDIN_FILENO, .lock = PTHREAD_MUTEX_INITIALIZER};
	struct buf order = {0};
	int rc = read_bounds(c, argc, argv);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	rc = read_order(&order);
	c->note = &note;
	if (rc == CLI_OK)
		rc = run(c, buf_text(&order));
	buf_free(&order);
	return rc;
}
