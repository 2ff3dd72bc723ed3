/* backup_manifest - see backup_manifest.h. */
#include "daemon/backup_manifest.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/sha256.h"
#include "base/timetext.h"
#include "store/backup.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (size_t)(1 << 20)

struct manifest {
	int dirfd;
	uint8_t *piece; /* owned */
	atomic_bool *cancel;
	struct jsonw w;
};

static int cannot(const char *name)
{
	return err_set(-errno, "%s: %s", name, strerrordesc_np(errno));
}

/* Sync the file and note it; its owner alone may read it. */
static int add(struct manifest *m, const char *name)
{
	int fd = openat(m->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
	struct sha256 s;
	uint8_t digest[32];
	char hex[65];
	uint64_t bytes = 0;
	ssize_t n = 0;

	if (fd < 0)
		return cannot(name);
	if (fchmod(fd, 0600) < 0 || fsync(fd) < 0)
		rc = cannot(name);
	sha256_init(&s);
	while (rc == 0 && (n = read(fd, m->piece, PIECE)) > 0) {
		sha256_add(&s, m->piece, (size_t)n);
		bytes += (uint64_t)n;
		if (atomic_load(m->cancel))
			rc = err_set(-ECANCELED, "cancelled");
	}
	if (n < 0)
		rc = cannot(name);
	close(fd);
	sha256_done(&s, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	jsonw_object(&m->w, NULL);
	jsonw_str(&m->w, "name", name);
	jsonw_u64(&m->w, "bytes", bytes);
	jsonw_str(&m->w, "sha256", hex);
	jsonw_end(&m->w);
	return rc;
}

static int write_file(int dirfd, const char *name, const struct buf *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = 0;

	if (fd < 0)
		return cannot(name);
	errno = ENOSPC;
	if (write(fd, text->data, text->len) != (ssize_t)text->len || fsync(fd) < 0)
		rc = cannot(name);
	close(fd);
	return rc;
}

static int finish(struct manifest *m, struct buf *text)
{
	int rc;

	buf_add(text, "\n", 1);
	rc = write_file(m->dirfd, BACKUP_MANIFEST ".new", text);
	if (rc == 0 && (fsync(m->dirfd) < 0 ||
			renameat(m->dirfd, BACKUP_MANIFEST ".new", m->dirfd,
				 BACKUP_MANIFEST) < 0 ||
			fsync(m->dirfd) < 0))
		rc = cannot(BACKUP_MANIFEST);
	return rc;
}

int backup_manifest(const char *dir, const struct buf *config, uint64_t position,
		    uint64_t epoch, bool history, atomic_bool *cancel)
{
	struct manifest m = {.cancel = cancel};
	char made[TIMETEXT_MAX];
	struct buf text = {0};
	int rc;

	m.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m.dirfd < 0)
		return cannot(dir);
	m.piece = malloc(PIECE);
	jsonw_init(&m.w, &text);
	jsonw_object(&m.w, NULL);
	jsonw_u64(&m.w, "format", BACKUP_FORMAT);
	jsonw_str(&m.w, "tickbus", TICKBUS_VERSION);
	(void)timetext_print(made, clock_wall_ns());
	jsonw_str(&m.w, "made", made);
	jsonw_u64(&m.w, "position", position);
	jsonw_u64(&m.w, "epoch", epoch);
	jsonw_array(&m.w, "files");
	rc = m.piece == NULL ? err_set(-ENOMEM, "out of memory for a backup")
			     : add(&m, BACKUP_DB);
	if (rc == 0)
		rc = add(&m, BACKUP_HIGHWATER);
	if (rc == 0 && history)
		rc = add(&m, BACKUP_HISTORY);
	if (rc == 0)
		rc = write_file(m.dirfd, BACKUP_CONFIG, config);
	if (rc == 0)
		rc = add(&m, BACKUP_CONFIG);
	jsonw_end(&m.w);
	jsonw_end(&m.w);
	if (rc == 0)
		rc = finish(&m, &text);
	free(m.piece);
	buf_free(&text);
	close(m.dirfd);
	return rc;
}
