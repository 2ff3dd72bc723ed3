/* framerow_fuzz - foreign frames: rows are staged of what is sound, and a sentence says
   what is not.  DuckDB's table is real; files are not written. */
#include "archive/archive.h"
#include "archive/framerow.h"
#include "base/err.h"
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct archive *archive;
static char dir[] = "/tmp/tickbus-framerow-XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st, (void)type, (void)f;
	return remove(path);
}

static void close_archive(void)
{
	archive_close(archive);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void open_archive(void)
{
	struct archive_options o = {dir, 64 << 20, 1, true};

	if (!mkdtemp(dir) || archive_open(&o, &archive) != 0)
		abort();
	atexit(close_archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct framerow_sum sum;
	int rc;

	if (!archive)
		open_archive();
	rc = framerow_stage(archive, data, size, NULL, &sum);
	if (rc != 0 && rc != -EINVAL)
		abort();
	if (rc < 0 && !err_text()[0])
		abort(); /* an error without a sentence */
	archive_put_drop(archive);
	return 0;
}
