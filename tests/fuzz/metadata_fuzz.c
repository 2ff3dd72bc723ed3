/*
 * metadata_fuzz - the small CSV files beside the bars: actions, members of an index,
 * symbols.  The first byte says which; whatever else it is, a file is read as what its
 * header promises or refused with a sentence.
 */
#include "archive/actions.h"
#include "archive/membership.h"
#include "archive/symbolmeta.h"
#include "base/err.h"
#include "tests/integration/tempdir.h"
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory, and a directory in which an index of that name leads to it. */
static int file = -1;
static char path[64];
static char dir[TEMPDIR_MAX];

static void remove_dir(void)
{
	char sub[TEMPDIR_MAX + 32];

	(void)snprintf(sub, sizeof(sub), "%s/metadata/indices", dir);
	tempdir_remove(sub);
	(void)snprintf(sub, sizeof(sub), "%s/metadata", dir);
	tempdir_remove(sub);
	tempdir_remove(dir);
}

static void begin(void)
{
	char sub[TEMPDIR_MAX + 32];

	file = memfd_create("metadata", MFD_CLOEXEC);
	tempdir_new(dir);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	(void)snprintf(sub, sizeof(sub), "%s/metadata", dir);
	if (file < 0 || mkdir(sub, 0700) < 0)
		abort();
	(void)snprintf(sub, sizeof(sub), "%s/metadata/indices", dir);
	if (mkdir(sub, 0700) < 0)
		abort();
	(void)snprintf(sub, sizeof(sub), "%s/metadata/indices/x.csv", dir);
	if (symlink(path, sub) < 0)
		abort();
	(void)atexit(remove_dir);
}

static void check_actions(const struct buf *got)
{
	const struct action *a = (const void *)got->data;

	for (size_t i = 0; i < got->len / sizeof(*a); i++)
		if (a[i].value_e9 <= 0 || a[i].divisor_e9 <= 0 ||
		    a[i].ex_date < 10000101 || a[i].zone[ACTIONS_ZONE_MAX] != '\0')
			abort();
}

static void check_members(const struct buf *got)
{
	const struct membership *m = (const void *)got->data;

	for (size_t i = 0; i < got->len / sizeof(*m); i++)
		if (!symbol_valid(m[i].symbol, strlen(m[i].symbol)))
			abort();
}

static void check_symbols(const struct buf *got)
{
	const struct symbolmeta *s = (const void *)got->data;

	for (size_t i = 0; i < got->len / sizeof(*s); i++)
		if (!symbol_valid(s[i].symbol, strlen(s[i].symbol)) ||
		    s[i].key[0] == '\0' || strpbrk(s[i].value, "\"\r\n"))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf got = {0};
	int rc;

	if (size == 0)
		return 0;
	if (file < 0)
		begin();
	if (ftruncate(file, 0) < 0 ||
	    pwrite(file, data + 1, size - 1, 0) != (ssize_t)size - 1)
		abort();
	switch (data[0]) {
	case 'a':
		rc = actions_read_file(path, &got);
		check_actions(&got);
		break;
	case 'm':
		rc = membership_read(dir, "x", &got);
		check_members(&got);
		break;
	default:
		rc = symbolmeta_read(path, &got);
		check_symbols(&got);
		break;
	}
	if (rc == 1 || (rc < 0 && !err_text()[0]))
		abort(); /* it is there; and an error has a sentence */
	buf_free(&got);
	return 0;
}
