/* sqlite_copy - see sqlite_copy.h. */
#include "store/sqlite_copy.h"
#include "base/err.h"
#include "store/sqlite_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sq_copy {
	sqlite3 *to;            /* owned */
	sqlite3_backup *backup; /* owned */
};

static int fail(struct sq_copy *c, int code, int sys)
{
	return err_set(sq_errno(code, sys), "the copy of the database: %s%s%s",
		       c->to != NULL ? sqlite3_errmsg(c->to) : sqlite3_errstr(code),
		       sys ? ": " : "", sys ? strerrordesc_np(sys) : "");
}

/* Nobody reads it before it is complete, so nothing of it needs a journal or a sync. */
static int open_new(struct sq_copy *c, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc;

	if (fd < 0)
		return err_set(-errno, "%s: %s", path, strerrordesc_np(errno));
	close(fd);
	rc = sqlite3_open_v2(path, &c->to,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
				     SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
			     NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(c->to,
				  "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
				  "PRAGMA locking_mode = EXCLUSIVE;"
				  "PRAGMA cache_size = -4096",
				  NULL, NULL, NULL);
	return rc == SQLITE_OK ? 0 : fail(c, rc, 0);
}

int sq_copy_begin(struct sq *from, const char *path, struct sq_copy **out)
{
	struct sq_copy *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return err_set(-ENOMEM, "no memory to copy the database");
	rc = open_new(c, path);
	if (rc == 0) {
		c->backup = sqlite3_backup_init(c->to, "main", sq_handle(from), "main");
		if (c->backup == NULL)
			rc = fail(c, sqlite3_errcode(c->to), 0);
	}
	if (rc < 0) {
		sq_copy_end(c);
		return rc;
	}
	*out = c;
	return 0;
}

int sq_copy_step(struct sq_copy *c, int pages)
{
	int rc;

	errno = 0;
	rc = sqlite3_backup_step(c->backup, pages);
	if (rc == SQLITE_OK)
		return SQ_COPY_MORE;
	if (rc != SQLITE_DONE)
		return fail(c, rc, errno);
	return 0;
}

void sq_copy_progress(const struct sq_copy *c, uint64_t *done, uint64_t *total)
{
	int all = sqlite3_backup_pagecount(c->backup);
	int left = sqlite3_backup_remaining(c->backup);

	*total = all > 0 ? (uint64_t)all : 0;
	*done = all > left ? (uint64_t)(all - left) : 0;
}

void sq_copy_end(struct sq_copy *c)
{
	if (c == NULL)
		return;
	if (c->backup != NULL)
		(void)sqlite3_backup_finish(c->backup);
	(void)sqlite3_close(c->to);
	free(c);
}

int sq_copy_into(struct sq *s, const char *path)
{
	struct sq_stmt *st = NULL;
	int rc = sq_prepare(s, "VACUUM main INTO ?", &st);

	if (rc < 0)
		return rc;
	sq_bind_text(st, 1, path, strlen(path));
	rc = sq_run(st);
	sq_finish(st);
	return rc;
}
