/* metalines - see metalines.h. */
#include "archive/metalines.h"
#include "base/err.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int read_all(FILE *f, const char *path, const struct metalines_shape *shape,
		    struct buf *out)
{
	_Alignas(16) char row[METALINES_SIZE];
	char line[METALINES_BYTES];
	unsigned number = 0;

	assert(shape->size <= sizeof(row));
	while (fgets(line, sizeof(line), f)) {
		if (++number == 1 &&
		    strncmp(line, shape->header, strlen(shape->header)) == 0)
			continue;
		if (number == 1 || shape->read(line, row) < 0)
			return err_set(-EBADMSG,
				       "%s:%u is no %s: mend it or remove the file",
				       path, number, shape->what);
		buf_add(out, row, shape->size);
	}
	return ferror(f) ? err_set(-EIO, "%s: cannot be read", path) : 0;
}

int metalines_read(const char *path, const struct metalines_shape *shape,
		   struct buf *out)
{
	FILE *f = fopen(path, "re");
	int rc;

	if (!f)
		return errno == ENOENT
			       ? 1
			       : err_set(-errno, "%s: %s", path, strerror(errno));
	rc = read_all(f, path, shape, out);
	fclose(f);
	return rc;
}
