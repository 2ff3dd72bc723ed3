/* backup_restore - see backup.h: the side that puts one back. */
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/sha256.h"
#include "store/backup.h"
#include "store/bootid.h"
#include "store/highwater.h"
#include "store/schema.h"
#include "store/statedir.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_SUFFIX   ".restored"
#define MANIFEST_MAX 65536u
#define PIECE        (size_t)(1 << 20)

/* What a manifest may name; everything else is refused. */
static const char *const known[] = {BACKUP_DB, BACKUP_HISTORY, BACKUP_HIGHWATER,
				    BACKUP_CONFIG};

#define KNOWN (sizeof(known) / sizeof(known[0]))

struct restore {
	int from, to; /* owned; directories */
	struct sq *lock;
	bool has[KNOWN];
	uint8_t *piece; /* owned */
	struct highwater_mark mark;
	struct backup_report *report;
};

static int cannot(const char *what)
{
	return err_set(-errno, "%s: %s", what, strerrordesc_np(errno));
}

static int bad(const char *what, const char *why)
{
	return err_set(-EBADMSG, "the backup is not good: %s: %s", what, why);
}

static int read_manifest(int dir, struct json **out)
{
	char *text = malloc(MANIFEST_MAX);
	int fd = openat(dir, BACKUP_MANIFEST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;
	ssize_t n = fd < 0 || text == NULL ? -1 : read(fd, text, MANIFEST_MAX);
	uint64_t format = 0;

	if (fd >= 0)
		close(fd);
	if (n < 0) {
		free(text);
		return bad(BACKUP_MANIFEST, "it cannot be read; was it finished?");
	}
	rc = json_parse(text, (size_t)n, out);
	free(text);
	if (rc < 0)
		return bad(BACKUP_MANIFEST, err_text());
	if (json_u64(json_get(*out, "format"), &format) < 0 || format != BACKUP_FORMAT)
		return bad(BACKUP_MANIFEST, "it is of a format that is not known here");
	return 0;
}

/* Copy @in to @out (-1: only look), and compare with what the manifest says. */
static int copy(struct restore *r, int in, int out, uint64_t bytes, const char *hash,
		const char *name)
{
	struct sha256 s;
	uint8_t digest[32];
	char hex[65] = "";
	uint64_t seen = 0;
	ssize_t n;

	sha256_init(&s);
	while ((n = read(in, r->piece, PIECE)) > 0) {
		sha256_add(&s, r->piece, (size_t)n);
		seen += (uint64_t)n;
		if (seen <= bytes && out >= 0 && write(out, r->piece, (size_t)n) != n)
			return err_set(errno ? -errno : -ENOSPC, "%s: %s", name,
				       strerrordesc_np(errno ? errno : ENOSPC));
	}
	if (n < 0)
		return cannot(name);
	sha256_done(&s, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	if (seen != bytes)
		return bad(name, "it has another size than its manifest says");
	if (strcmp(hex, hash) != 0)
		return bad(name, "its bytes are not those of its manifest (SHA-256)");
	return out >= 0 && fsync(out) < 0 ? cannot(name) : 0;
}

static int take_file(struct restore *r, size_t k, const struct json *entry)
{
	bool moves = strcmp(known[k], BACKUP_DB) == 0 ||
		     strcmp(known[k], BACKUP_HISTORY) == 0;
	char name[64];
	uint64_t bytes = 0;
	int in, out = -1, rc;

	if (json_u64(json_get(entry, "bytes"), &bytes) < 0)
		return bad(known[k], "its size is missing");
	in = openat(r->from, known[k], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (in < 0)
		return bad(known[k], strerrordesc_np(errno));
	if (moves) {
		(void)snprintf(name, sizeof(name), "%s" NEW_SUFFIX, known[k]);
		(void)unlinkat(r->to, name, 0);
		out = openat(r->to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			     0600);
		if (out < 0) {
			rc = cannot(name);
			close(in);
			return rc;
		}
	}
	errno = 0;
	rc = copy(r, in, out, bytes, json_str(json_get(entry, "sha256"), ""), known[k]);
	close(in);
	if (out >= 0)
		close(out);
	r->has[k] = rc == 0;
	return rc;
}

static int take_files(struct restore *r, const struct json *manifest)
{
	const struct json *files = json_get(manifest, "files");
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < json_len(files); i++) {
		const struct json *entry = json_at(files, i);
		const char *name = json_str(json_get(entry, "name"), "");
		size_t k = 0;

		while (k < KNOWN && strcmp(known[k], name) != 0)
			k++;
		rc = k == KNOWN ? bad(BACKUP_MANIFEST, "it names a file that no backup "
						       "has")
		     : r->has[k] ? bad(BACKUP_MANIFEST, "it names a file twice")
				 : take_file(r, k, entry);
	}
	if (rc == 0 && (!r->has[0] || !r->has[2]))
		rc = bad(BACKUP_MANIFEST,
			 "it has no " BACKUP_DB " and " BACKUP_HIGHWATER);
	return rc;
}

/*
 * The next start begins the copy's epoch, unless one as high was heard of here.  (The
 * mark of a backup made before marks said so is of an epoch that was: one is added.)
 */
static void follow_epoch(struct highwater_mark *mark, const struct highwater_mark *here)
{
	uint64_t heard =
		here->boot_id == HIGHWATER_COPY ? here->epoch - 1 : here->epoch;

	if (mark->boot_id != HIGHWATER_COPY)
		mark->epoch = heard > mark->epoch ? heard : mark->epoch;
	else if (heard >= mark->epoch)
		mark->epoch = heard + 1;
}

/* The copy's mark, and what this place knows that was acknowledged here. */
static int read_marks(struct restore *r)
{
	struct highwater_mark here = {0};
	uint64_t last;
	int rc = highwater_read(r->from, &r->mark);

	if (rc != 0)
		return rc < 0 ? rc : bad(BACKUP_HIGHWATER, "it cannot be read");
	r->report->position = r->mark.acked_pos;
	r->report->epoch = r->mark.epoch - 1;
	rc = highwater_read(r->to, &here);
	if (rc != 0 || here.store_id != r->mark.store_id)
		return rc < 0 ? rc : 0;
	last = here.boot_id != 0 && here.boot_id == bootid_read() ? here.acked_pos
								  : here.promised_pos;
	follow_epoch(&r->mark, &here);
	r->mark.generation = here.generation + 1;
	if (last <= r->mark.acked_pos)
		return 0;
	r->report->lost_first = r->mark.acked_pos + 1;
	r->report->lost_last = last;
	r->mark.acked_pos = r->mark.promised_pos = last;
	return 0;
}

/* What is here under @name goes into the folder @old; nothing there is fine. */
static int set_aside(struct restore *r, int old, const char *name, bool leave_link)
{
	int rc = leave_link ? linkat(r->to, name, old, name, 0)
			    : renameat(r->to, name, old, name);

	return rc < 0 && errno != ENOENT ? cannot(name) : 0;
}

/* WAL first: beside another database it would be taken for its own. */
static int swap(struct restore *r, int old)
{
	static const char *const wals[] = {BACKUP_DB "-wal", BACKUP_HISTORY "-wal"};
	int rc = 0;

	for (size_t k = 0; rc == 0 && k < 2; k++) {
		char name[64];

		rc = set_aside(r, old, wals[k], false);
		if (rc == 0)
			rc = set_aside(r, old, known[k], r->has[k]);
		(void)snprintf(name, sizeof(name), "%s" NEW_SUFFIX, known[k]);
		if (rc == 0 && r->has[k] && renameat(r->to, name, r->to, known[k]) < 0)
			rc = cannot(name);
	}
	return rc == 0 && (fsync(old) < 0 || fsync(r->to) < 0) ? cannot("sync") : rc;
}

static int put_back(struct restore *r, const char *dir, int64_t now_ns)
{
	struct highwater *h = NULL;
	char folder[64];
	int old, rc;

	(void)snprintf(folder, sizeof(folder), "replaced-%" PRId64, now_ns / NS_PER_S);
	if (mkdirat(r->to, folder, 0700) < 0)
		return cannot(folder);
	old = openat(r->to, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old < 0)
		return cannot(folder);
	(void)snprintf(r->report->kept_in, sizeof(r->report->kept_in), "%s/%s", dir,
		       folder);
	rc = highwater_create(r->to, &r->mark, false, &h);
	highwater_close(h);
	if (rc == 0)
		rc = swap(r, old);
	close(old);
	if (rc == 0 && unlinkat(r->to, folder, AT_REMOVEDIR) == 0)
		r->report->kept_in[0] = '\0'; /* there was nothing */
	return rc;
}

/* Held until the end: no daemon starts on it meanwhile. */
static int lock(struct restore *r, const char *dir)
{
	char path[4096];
	struct stat st;
	int rc;

	if (fstatat(r->to, BACKUP_DB, &st, 0) < 0)
		return errno == ENOENT ? 0 : cannot(BACKUP_DB);
	if (snprintf(path, sizeof(path), "%s/" BACKUP_DB, dir) >= (int)sizeof(path))
		return err_set(-ENAMETOOLONG, "%s: the path is too long", dir);
	rc = sq_open(path, NULL, SCHEMA_APPLICATION_ID, &r->lock);
	if (rc == -EBUSY)
		return err_set(rc, "a tickbusd runs on %s: stop it first", dir);
	return 0; /* a damaged one is why backups are put back */
}

static int run(struct restore *r, const char *from, const char *dir, int64_t now_ns)
{
	struct json *manifest = NULL;
	int rc;

	r->from = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->from < 0)
		return cannot(from);
	rc = read_manifest(r->from, &manifest);
	if (rc == 0)
		rc = statedir_open(dir, &r->to);
	if (rc == 0)
		rc = lock(r, dir);
	if (rc == 0)
		rc = take_files(r, manifest);
	json_free(manifest);
	if (rc == 0)
		rc = read_marks(r);
	if (rc == 0)
		rc = put_back(r, dir, now_ns);
	if (rc < 0 && r->to >= 0) {
		(void)unlinkat(r->to, BACKUP_DB NEW_SUFFIX, 0);
		(void)unlinkat(r->to, BACKUP_HISTORY NEW_SUFFIX, 0);
	}
	return rc;
}

int backup_restore(const char *from, const char *dir, int64_t now_ns,
		   struct backup_report *out)
{
	struct restore r = {.from = -1, .to = -1, .report = out};
	int rc;

	memset(out, 0, sizeof(*out));
	r.piece = malloc(PIECE);
	rc = r.piece == NULL ? err_set(-ENOMEM, "restore: no memory")
			     : run(&r, from, dir, now_ns);
	sq_close(r.lock);
	if (r.from >= 0)
		close(r.from);
	if (r.to >= 0)
		close(r.to);
	free(r.piece);
	return rc;
}
