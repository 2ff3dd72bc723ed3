/* worknote - see worknote.h. */
#include "cli/worknote.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512

static void write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* whoever wanted the result is gone */
			_exit(CLI_UNFINISHED);
		text += n;
		len -= (size_t)n;
	}
}

static void say(struct worknote *n, const char *word, size_t i, const char *reason)
{
	char line[LINE_MAX_BYTES];
	int len;

	if (n == NULL)
		return;
	len = snprintf(line, sizeof(line), "%s %zu%s%s", word, i + 1,
		       *reason != '\0' ? " " : "", reason);
	if (len >= (int)sizeof(line))
		len = (int)sizeof(line) - 1;
	for (int k = 0; k < len; k++)
		if (line[k] == '\n')
			line[k] = ' ';
	line[len] = '\n'; /* in place of the NUL */
	pthread_mutex_lock(&n->lock);
	write_all(n->fd, line, (size_t)len + 1);
	pthread_mutex_unlock(&n->lock);
}

void worknote_begin(struct worknote *n, size_t i)
{
	say(n, "begin", i, "");
}

void worknote_leave(struct worknote *n, size_t i)
{
	say(n, "leave", i, "");
}

void worknote_row(struct worknote *n, size_t i, const char *reason)
{
	say(n, *reason == '\0' ? "done" : "failed", i, reason);
}

const char *worknote_aside(const struct worknote *n, size_t i)
{
	for (size_t k = 0; n != NULL && k < n->n_aside; k++)
		if (n->aside[k].row == i)
			return n->aside[k].reason;
	return NULL;
}
