/*
 * highwater - two slots in one preallocated file.
 *
 * Full durability writes one block per commit with O_DIRECT | O_DSYNC: one
 * command to the device instead of a write and a flush of everything, about
 * half the price.  Where the file system has no O_DIRECT, pwrite and fdatasync.
 *
 * The slot about to be written is always the older one, so at any moment one
 * whole slot stands on the disk.
 */
#include "store/highwater.h"
#include "base/crc32c.h"
#include "base/err.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME     "highwater"
#define TMP_NAME "highwater.tmp"

/* As it lies in the file; the rest of the block is zero and not checked. */
struct slot {
	char magic[8];
	uint32_t version;
	uint32_t crc; /* of the numbers behind it */
	struct highwater_mark mark;
};
_Static_assert(sizeof(struct slot) == HIGHWATER_USED, "no padding");

static const char MAGIC[8] = {'t', 'b', 'h', 'i', 'g', 'h', 'w', '\n'};

struct highwater {
	int fd; /* owned */
	bool every_write;
	bool direct; /* fd syncs by itself */
	struct highwater_mark mark;
	uint8_t *block; /* owned, aligned, one slot */
};

void highwater_encode(const struct highwater_mark *m, uint8_t out[HIGHWATER_SLOT])
{
	struct slot s = {.version = HIGHWATER_VERSION, .mark = *m};

	memcpy(s.magic, MAGIC, sizeof(s.magic));
	s.crc = crc32c(HIGHWATER_VERSION, &s.mark, sizeof(s.mark));
	memset(out, 0, HIGHWATER_SLOT);
	memcpy(out, &s, sizeof(s));
}

static bool slot_decode(const uint8_t *block, struct highwater_mark *out)
{
	struct slot s;

	memcpy(&s, block, sizeof(s));
	if (memcmp(s.magic, MAGIC, sizeof(s.magic)) != 0 ||
	    s.version != HIGHWATER_VERSION)
		return false;
	if (s.crc != crc32c(HIGHWATER_VERSION, &s.mark, sizeof(s.mark)))
		return false;
	if (s.mark.synced_pos > s.mark.acked_pos ||
	    s.mark.acked_pos > s.mark.promised_pos)
		return false;
	*out = s.mark;
	return true;
}

int highwater_decode(const void *bytes, size_t len, struct highwater_mark *out)
{
	const uint8_t *p = bytes;
	bool found = false;

	for (size_t at = 0; at < HIGHWATER_FILE; at += HIGHWATER_SLOT) {
		struct highwater_mark m;

		if (at + sizeof(struct slot) > len || !slot_decode(p + at, &m))
			continue;
		if (!found || m.generation > out->generation)
			*out = m;
		found = true;
	}
	return found ? 0 : HIGHWATER_GARBAGE;
}

int highwater_read(int dirfd, struct highwater_mark *out)
{
	uint8_t bytes[HIGHWATER_FILE];
	size_t len = 0;
	int fd = openat(dirfd, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return HIGHWATER_MISSING;
	if (fd < 0)
		return err_set(-errno, "high-water file: open: %s",
			       strerrordesc_np(errno));

	while (len < sizeof(bytes)) {
		ssize_t n = read(fd, bytes + len, sizeof(bytes) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int rc = err_set(-errno, "high-water file: read: %s",
					 strerrordesc_np(errno));
			close(fd);
			return rc;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	return highwater_decode(bytes, len, out);
}

static int write_at(int fd, const uint8_t *block, off_t at)
{
	size_t done = 0;

	while (done < HIGHWATER_SLOT) {
		ssize_t n = pwrite(fd, block + done, HIGHWATER_SLOT - done,
				   at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(n < 0 ? -errno : -EIO,
				       "high-water file: write: %s",
				       strerrordesc_np(n < 0 ? errno : EIO));
		done += (size_t)n;
	}
	return 0;
}

/* A new file under its own name, whole and synced, before it gets the real one. */
static int create_file(int dirfd, const struct highwater_mark *m, uint8_t *block)
{
	int rc;
	int fd = openat(dirfd, TMP_NAME,
			O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(-errno, "high-water file: create: %s",
			       strerrordesc_np(errno));
	highwater_encode(m, block);
	rc = write_at(fd, block, 0);
	if (rc == 0)
		rc = write_at(fd, block, HIGHWATER_SLOT);
	if (rc == 0 && (fchmod(fd, 0600) < 0 || fsync(fd) < 0))
		rc = err_set(-errno, "high-water file: sync: %s",
			     strerrordesc_np(errno));
	if (close(fd) < 0 && rc == 0)
		rc = err_set(-errno, "high-water file: close: %s",
			     strerrordesc_np(errno));
	if (rc == 0 && renameat(dirfd, TMP_NAME, dirfd, NAME) < 0)
		rc = err_set(-errno, "high-water file: rename: %s",
			     strerrordesc_np(errno));
	if (rc == 0 && fsync(dirfd) < 0)
		rc = err_set(-errno, "high-water file: sync of its directory: %s",
			     strerrordesc_np(errno));
	return rc;
}

/* Some file systems take O_DIRECT at open and refuse it at the first write. */
static void open_direct(struct highwater *h, int dirfd)
{
	h->fd = openat(dirfd, NAME,
		       O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECT | O_DSYNC);
	if (h->fd < 0)
		return;
	if (write_at(h->fd, h->block, 0) < 0) {
		close(h->fd);
		h->fd = -1;
		return;
	}
	h->direct = true;
}

int highwater_create(int dirfd, const struct highwater_mark *m, bool every_write,
		     struct highwater **out)
{
	struct highwater *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_set(-ENOMEM, "high-water file: no memory");
	h->fd = -1;
	h->every_write = every_write;
	h->mark = *m;
	h->block = aligned_alloc(HIGHWATER_SLOT, HIGHWATER_SLOT);
	if (!h->block) {
		rc = err_set(-ENOMEM, "high-water file: no memory");
		goto fail;
	}
	rc = create_file(dirfd, m, h->block);
	if (rc < 0)
		goto fail;

	if (every_write)
		open_direct(h, dirfd);
	if (h->fd < 0)
		h->fd = openat(dirfd, NAME, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (h->fd < 0) {
		rc = err_set(-errno, "high-water file: open: %s",
			     strerrordesc_np(errno));
		goto fail;
	}
	*out = h;
	return 0;
fail:
	highwater_close(h);
	return rc;
}

int highwater_write(struct highwater *h, const struct highwater_mark *mark)
{
	struct highwater_mark m = *mark;
	int rc;

	m.store_id = h->mark.store_id;
	m.boot_id = h->mark.boot_id;
	m.generation = h->mark.generation + 1;
	highwater_encode(&m, h->block);

	rc = write_at(h->fd, h->block, (off_t)(m.generation & 1) * HIGHWATER_SLOT);
	if (rc == 0 && h->every_write && !h->direct)
		rc = highwater_sync(h);
	if (rc == 0)
		h->mark = m;
	return rc;
}

int highwater_sync(struct highwater *h)
{
	if (!h->direct && fdatasync(h->fd) < 0)
		return err_set(-errno, "high-water file: sync: %s",
			       strerrordesc_np(errno));
	return 0;
}

void highwater_close(struct highwater *h)
{
	if (!h)
		return;
	if (h->fd >= 0)
		close(h->fd);
	free(h->block);
	free(h);
}
