/* backup - see backup.h: the side that makes one. */
#include "store/backup.h"
#include "base/err.h"
#include "store/highwater.h"
#include "store/tickstore_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int backup_log(struct tickstore *ts, const char *path, struct sq_copy **out)
{
	int rc = tickstore_alive(ts);

	return rc < 0 ? rc : sq_copy_begin(ts->db, path, out);
}

int backup_mark(struct tickstore *ts, const char *dir, uint64_t *out_pos,
		uint64_t *out_epoch)
{
	const struct highwater_mark m = {.store_id = ts->store_id,
					 .epoch = ts->status.epoch + 1,
					 .acked_pos = ts->next_pos - 1,
					 .synced_pos = ts->next_pos - 1,
					 .promised_pos = ts->next_pos - 1,
					 .boot_id = HIGHWATER_COPY,
					 .generation = 1};
	struct highwater *h = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set(-errno, "%s: %s", dir, strerrordesc_np(errno));
	rc = highwater_create(fd, &m, false, &h);
	highwater_close(h);
	close(fd);
	*out_pos = ts->next_pos - 1;
	*out_epoch = ts->status.epoch;
	return rc;
}
