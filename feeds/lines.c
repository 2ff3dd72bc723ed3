/*
 * lines - a window over the unpacked bytes, with the next line at its beginning.
 *
 *	0        at            len            cap
 *	| given  | not yet     | room for     |
 *	| away   | looked at   | the next read|
 *
 * The window is moved to the front before it is filled again, and holds at most
 * line_max + one read; a line that does not end within line_max is skipped by
 * forgetting what was read of it.  A record with quotes is looked at as a whole:
 * only when its end is found (or cannot be) does `at` move.
 */
#include "feeds/lines.h"
#include "base/err.h"
#include "feeds/input.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define READ_BYTES (256u << 10)

struct lines {
	int fd;
	size_t line_max;
	char *data; /* owned, cap bytes */
	size_t at, len, cap;
	uint64_t number; /* of the line at `at` */
	uint64_t total;
	uint64_t bytes_read;
	bool is_skipping; /* inside a line that was too long */
	bool at_end;      /* nothing will be added to data */
	bool is_gzip;
	bool in_member; /* inside a gzip member */
	bool raw_end;
	z_stream z;
	unsigned char *raw; /* owned, READ_BYTES: bytes as they lie on disk */
	size_t raw_len, raw_at;
};

static int refill_raw(struct lines *l)
{
	size_t n = 0;
	int rc = input_read(l->fd, l->raw, READ_BYTES, &n);

	if (rc < 0)
		return rc;
	l->raw_at = 0;
	l->raw_len = n;
	l->bytes_read += n;
	l->raw_end = n == 0;
	return 0;
}

/* Unpack into @out; 0 bytes only at the end. */
static int unpack(struct lines *l, char *out, size_t room, size_t *out_n)
{
	*out_n = 0;
	l->z.next_out = (unsigned char *)out;
	l->z.avail_out = (unsigned)room;
	while (l->z.avail_out == room) {
		int rc;

		if (l->raw_at == l->raw_len) {
			rc = refill_raw(l);
			if (rc < 0)
				return rc;
			if (l->raw_end && l->in_member)
				return err_set(-EBADMSG, "the gzip input is cut off");
			if (l->raw_end)
				return 0;
		}
		if (!l->in_member && inflateReset(&l->z) != Z_OK)
			return err_set(-EBADMSG, "the gzip input cannot be read");
		l->in_member = true;
		l->z.next_in = l->raw + l->raw_at;
		l->z.avail_in = (unsigned)(l->raw_len - l->raw_at);
		rc = inflate(&l->z, Z_NO_FLUSH);
		l->raw_at = l->raw_len - l->z.avail_in;
		if (rc == Z_STREAM_END)
			l->in_member = false;
		else if (rc != Z_OK && rc != Z_BUF_ERROR)
			return err_set(-EBADMSG, "the gzip input is damaged: %s",
				       l->z.msg ? l->z.msg : "unknown reason");
	}
	*out_n = room - l->z.avail_out;
	return 0;
}

/* Add bytes behind `len`.  Without room the caller has a line too long. */
static int fill(struct lines *l)
{
	size_t n = 0, room;
	int rc = 0;

	memmove(l->data, l->data + l->at, l->len - l->at);
	l->len -= l->at;
	l->at = 0;
	room = l->cap - l->len;
	assert(room > 0);

	if (l->is_gzip) {
		rc = unpack(l, l->data + l->len, room, &n);
	} else {
		if (l->raw_at == l->raw_len)
			rc = refill_raw(l);
		n = l->raw_len - l->raw_at;
		if (n > room)
			n = room;
		memcpy(l->data + l->len, l->raw + l->raw_at, n);
		l->raw_at += n;
	}
	if (rc < 0)
		return rc;
	l->len += n;
	l->at_end = n == 0;
	return 0;
}

static int look_for_gzip(struct lines *l)
{
	int rc;

	/* A pipe may deliver its first byte alone. */
	while (l->raw_len < 2 && !l->raw_end) {
		size_t n = 0;

		rc = input_read(l->fd, l->raw + l->raw_len, READ_BYTES - l->raw_len,
				&n);
		if (rc < 0)
			return rc;
		l->raw_end = n == 0;
		l->raw_len += n;
		l->bytes_read += n;
	}
	if (l->raw_len < 2 || l->raw[0] != 0x1f || l->raw[1] != 0x8b)
		return 0;
	rc = inflateInit2(&l->z, 15 + 16);
	if (rc != Z_OK)
		return err_set(-ENOMEM, "zlib does not start: %d", rc);
	l->is_gzip = true;
	l->in_member = true;
	return 0;
}

int lines_open_fd(int fd, size_t line_max, struct lines **out)
{
	struct lines *l = calloc(1, sizeof(*l));
	int rc = -ENOMEM;

	if (!l) {
		(void)close(fd);
		return err_set(-ENOMEM, "no memory for a line reader");
	}
	l->fd = fd;
	l->line_max = line_max ? line_max : LINES_MAX_DEFAULT;
	l->cap = l->line_max + READ_BYTES;
	l->number = 1;
	l->data = malloc(l->cap);
	l->raw = malloc(READ_BYTES);
	if (!l->data || !l->raw) {
		(void)err_set(rc, "no memory for a line reader");
		goto fail;
	}
	l->total = input_size(fd);
	rc = look_for_gzip(l);
	if (rc < 0)
		goto fail;
	*out = l;
	return 0;
fail:
	lines_close(l);
	return rc;
}

int lines_open(const char *path, size_t line_max, struct lines **out)
{
	int fd = input_open(path), rc;

	if (fd < 0)
		return fd;
	rc = lines_open_fd(fd, line_max, out);
	return rc < 0 ? err_prefix(rc, "%s", path) : rc;
}

void lines_close(struct lines *l)
{
	if (!l)
		return;
	if (l->is_gzip)
		(void)inflateEnd(&l->z);
	(void)close(l->fd);
	free(l->raw);
	free(l->data);
	free(l);
}

/* What a look at the window found. */
enum { MORE = 1, WHOLE, OPEN_QUOTE };

struct quotes {
	bool inside;
	bool at_start; /* of a field: only here a quote opens */
};

/*
 * Find the end of the record that begins at `at`: *end is its line feed.  @q and
 * *from are where the last look stopped, so that a long record is not looked at
 * again from its beginning after every read.
 */
static bool find_end(const struct lines *l, char delimiter, struct quotes *q,
		     size_t *from, size_t *end)
{
	for (size_t i = *from; i < l->len; i++) {
		char c = l->data[i];

		if (c == '"' && q->inside) {
			/* A doubled quote closes and opens again: the same thing. */
			q->inside = false;
			q->at_start = true;
			continue;
		}
		if (c == '\n' && !q->inside) {
			*end = i;
			return true;
		}
		if (c == '"' && q->at_start)
			q->inside = true;
		q->at_start = c == delimiter;
	}
	*from = l->len;
	return false;
}

static int give(struct lines *l, size_t end, struct line *out)
{
	size_t len = end - l->at;

	if (len > 0 && l->data[end - 1] == '\r')
		len--;
	*out = (struct line){l->data + l->at, len, l->number};
	for (const char *p = l->data + l->at, *stop = l->data + end;
	     (p = memchr(p, '\n', (size_t)(stop - p))) != NULL; p++)
		l->number++;
	l->number++;
	l->at = end < l->len ? end + 1 : l->len;
	return 0;
}

/* The line at `at` is too long or its quote never closes: pass over one line. */
static int pass_over(struct lines *l, int outcome, struct line *out)
{
	const char *lf = memchr(l->data + l->at, '\n', l->len - l->at);

	*out = (struct line){l->data + l->at, 0, l->number};
	if (lf) {
		out->len = (size_t)(lf - out->text);
		l->at = (size_t)(lf - l->data) + 1;
		l->number++;
	} else {
		out->len = l->len - l->at;
		l->at = l->len;
		l->is_skipping = !l->at_end;
		if (l->at_end)
			l->number++;
	}
	return outcome;
}

/* Throw away up to and including the next line feed. */
static int skip_rest(struct lines *l)
{
	while (l->is_skipping) {
		const char *lf = memchr(l->data + l->at, '\n', l->len - l->at);
		int rc;

		if (lf) {
			l->at = (size_t)(lf - l->data) + 1;
			l->is_skipping = false;
			l->number++;
			break;
		}
		l->at = l->len;
		rc = fill(l);
		if (rc < 0)
			return rc;
		if (l->at_end)
			break;
	}
	return 0;
}

int lines_next(struct lines *l, bool is_quoted, char delimiter, struct line *out)
{
	struct quotes q = {.inside = false, .at_start = is_quoted};
	size_t looked = 0; /* relative to `at` */
	int rc = skip_rest(l);

	if (rc < 0)
		return rc;
	if (!is_quoted)
		delimiter = '\n'; /* never seen inside a line: no quote opens */
	for (;;) {
		size_t from = l->at + looked, end = 0;

		if (!is_quoted) {
			const char *lf = memchr(l->data + from, '\n', l->len - from);

			if (lf)
				end = (size_t)(lf - l->data);
			from = l->len;
			rc = lf ? WHOLE : MORE;
		} else {
			rc = find_end(l, delimiter, &q, &from, &end) ? WHOLE : MORE;
		}
		if (rc == WHOLE && end - l->at <= l->line_max)
			return give(l, end, out);
		if (rc == WHOLE || l->len - l->at > l->line_max)
			return pass_over(l, q.inside ? LINES_OPEN : LINES_LONG, out);
		if (l->at_end && l->at == l->len)
			return LINES_END;
		if (l->at_end)
			return q.inside ? pass_over(l, LINES_OPEN, out)
					: give(l, l->len, out);

		looked = from - l->at;
		rc = fill(l);
		if (rc < 0)
			return rc;
	}
}

void lines_reread(struct lines *l, const struct line *line)
{
	const char *lf = memchr(line->text, '\n', line->len);

	if (!lf)
		return;
	l->at = (size_t)(lf - l->data) + 1;
	l->number = line->number + 1;
}

int lines_bytes(struct lines *l, size_t want, const char **out, size_t *out_n)
{
	size_t least = want > 0 ? want : 1;
	int rc = 0;

	while (rc == 0 && !l->at_end && l->len - l->at < least)
		rc = fill(l);
	*out = l->data + l->at;
	*out_n = l->len - l->at;
	if (want == 0)
		l->at = l->len;
	return rc;
}

void lines_progress(const struct lines *l, uint64_t *out_read, uint64_t *out_total)
{
	*out_read = l->bytes_read - (l->raw_len - l->raw_at);
	*out_total = l->total;
}
