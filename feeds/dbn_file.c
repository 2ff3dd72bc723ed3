/*
 * dbn_file - a window of raw bytes, through zstd where the file is packed, to the
 * reader; what the reader did not take because its sink stopped is kept.
 */
#include "feeds/dbn_file.h"
#include "base/err.h"
#include "feeds/input.h"
#include "feeds/zst.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_BYTES (256u << 10)
#define MAGIC      4 /* bytes that tell zstd */

struct dbn_file {
	int fd;
	struct dbn *dbn; /* owned */
	struct zst *zst; /* owned; NULL: not packed */
	uint8_t *raw;    /* owned, READ_BYTES */
	const uint8_t *at;
	size_t left; /* plain bytes at `at` */
	const void *packed;
	size_t packed_left;
	uint64_t bytes_read, total;
	bool at_end;
};

static int fill(struct dbn_file *f, size_t have, size_t *out_n)
{
	int rc = input_read(f->fd, f->raw + have, READ_BYTES - have, out_n);

	if (rc < 0)
		return rc;
	f->bytes_read += *out_n;
	f->at_end = *out_n == 0;
	return 0;
}

/* A pipe may deliver its first bytes one by one. */
static int begin(struct dbn_file *f)
{
	size_t have = 0, n;
	int rc;

	do {
		rc = fill(f, have, &n);
		if (rc < 0)
			return rc;
		have += n;
	} while (!f->at_end && have < MAGIC);
	if (!zst_is(f->raw, have)) {
		f->at = f->raw;
		f->left = have;
		return 0;
	}
	f->packed = f->raw;
	f->packed_left = have;
	/* What comes out goes on at once: any length is welcome. */
	return zst_new(UINT64_MAX, &f->zst);
}

int dbn_file_open_fd(int fd, const char *symbol, struct dbn_file **out)
{
	const struct dbn_params p = {.take = DBN_TICKS, .symbol = symbol};
	struct dbn_file *f = calloc(1, sizeof(*f));
	int rc;

	if (!f) {
		(void)close(fd);
		return err_set(-ENOMEM, "no memory for a DBN reader");
	}
	f->fd = fd;
	f->total = input_size(fd);
	f->raw = malloc(READ_BYTES);
	rc = f->raw ? dbn_new(&p, &f->dbn)
		    : err_set(-ENOMEM, "no memory for a DBN reader");
	if (rc == 0)
		rc = begin(f);
	if (rc < 0) {
		dbn_file_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

int dbn_file_open(const char *path, const char *symbol, struct dbn_file **out)
{
	int fd = input_open(path), rc;

	if (fd < 0)
		return fd;
	rc = dbn_file_open_fd(fd, symbol, out);
	return rc < 0 ? err_prefix(rc, "%s", path) : rc;
}

void dbn_file_close(struct dbn_file *f)
{
	if (!f)
		return;
	(void)close(f->fd);
	dbn_free(f->dbn);
	zst_free(f->zst);
	free(f->raw);
	free(f);
}

const struct dbn_counts *dbn_file_counts(const struct dbn_file *f)
{
	return dbn_counts(f->dbn);
}

void dbn_file_progress(const struct dbn_file *f, uint64_t *out_read,
		       uint64_t *out_total)
{
	*out_read = f->bytes_read - f->packed_left - (f->zst ? 0 : f->left);
	*out_total = f->total;
}

/* The next plain bytes; none only at the end. */
static int refill(struct dbn_file *f)
{
	int rc = 0;

	while (rc == 0 && f->left == 0 && !f->at_end) {
		size_t n = 0;

		if (!f->zst) {
			rc = fill(f, 0, &f->left);
			f->at = f->raw;
			continue;
		}
		/* An output full to its brim may have left more behind. */
		rc = zst_step(f->zst, &f->packed, &f->packed_left,
			      (const void **)&f->at, &f->left);
		if (rc == 0 && f->left == 0 && f->packed_left == 0) {
			rc = fill(f, 0, &n);
			f->packed = f->raw;
			f->packed_left = n;
		}
	}
	return rc;
}

static int finish(const struct dbn_file *f)
{
	int rc = f->zst ? zst_end(f->zst) : 0;

	if (rc == 0)
		rc = dbn_end(f->dbn);
	return rc < 0 ? rc : FEED_END;
}

static int check_schema(const struct dbn_file *f)
{
	const struct dbn_metadata *m = dbn_metadata(f->dbn);
	char name[16];

	if (m->version == 0 || !dbn_schema_is_bars(m->schema))
		return 0;
	return err_set(-EINVAL,
		       "it holds bars (%s) and no ticks: bars of the past are taken in "
		       "with 'tickbusctl ingest'",
		       dbn_schema_name(m->schema, name));
}

int dbn_file_step(struct dbn_file *f, const struct feed_sink *sink)
{
	const struct dbn_sink to = {
		.arg = sink->arg, .tick = sink->tick, .bad = sink->bad};
	size_t used;
	int rc = refill(f);

	if (rc < 0)
		return rc;
	if (f->left == 0) {
		rc = check_schema(f);
		return rc < 0 ? rc : finish(f);
	}
	rc = dbn_read(f->dbn, &to, f->at, f->left, &used);
	f->at += used;
	f->left -= used;
	return rc == 0 ? check_schema(f) : rc;
}
