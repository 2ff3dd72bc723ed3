/* pastfile - see pastfile.h. */
#include "archive/pastfile.h"
#include "base/err.h"
#include "base/sha256.h"
#include "proto/frame.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define VERSION 1
#define LEVEL   3 /* of zstd */

static const char magic[8] = "TBPAST\n";

/* As it lies in front of a file. */
struct front {
	char magic[8];
	struct pastfile_head head;
	uint8_t reserved[16];
	uint8_t sha256[32]; /* of the head's numbers and what follows */
};
_Static_assert(sizeof(struct front) == PASTFILE_HEAD, "as it lies in the file");

static void hash_of(const struct pastfile_head *h, const uint8_t *body, size_t len,
		    uint8_t out[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, h, sizeof(*h));
	sha256_add(&s, body, len);
	sha256_done(&s, out);
}

static int pack(const struct buf *from, struct buf *out, uint64_t *packed)
{
	size_t cap = ZSTD_compressBound(from->len);
	size_t n =
		ZSTD_compress(buf_reserve(out, cap), cap, from->data, from->len, LEVEL);

	if (ZSTD_isError(n))
		return err_set(-ENOMEM, "zstd: %s", ZSTD_getErrorName(n));
	out->len += n;
	*packed = n;
	return 0;
}

int pastfile_pack(struct pastfile *f, struct buf *out)
{
	struct front front = {0};
	size_t at = out->len;
	int rc;

	f->head.version = VERSION;
	f->head.streams_len = f->streams.len;
	f->head.events_len = f->events.len;
	buf_add(out, &front, sizeof(front));
	rc = pack(&f->streams, out, &f->head.streams_packed);
	if (rc == 0)
		rc = pack(&f->events, out, &f->head.events_packed);
	if (rc < 0)
		return rc;
	memcpy(front.magic, magic, sizeof(magic));
	front.head = f->head;
	hash_of(&f->head, out->data + at + sizeof(front), out->len - at - sizeof(front),
		front.sha256);
	memcpy(out->data + at, &front, sizeof(front));
	return 0;
}

static int damaged(const char *what)
{
	return err_set(-EBADMSG, "no sound chunk of events: %s", what);
}

int pastfile_head_read(const void *data, size_t have, size_t len,
		       struct pastfile_head *out)
{
	struct front front;
	const struct pastfile_head *h = &front.head;

	if (have < sizeof(front))
		return damaged("it is cut off");
	memcpy(&front, data, sizeof(front));
	if (memcmp(front.magic, magic, sizeof(magic)) != 0 || h->version != VERSION)
		return damaged("its head is not of this version");
	if (h->kind >= EVENT_KINDS || event_block_size((enum event_kind)h->kind) == 0)
		return damaged("its kind is unknown");
	if (h->streams_len > PASTFILE_RAW_MAX || h->events_len > PASTFILE_RAW_MAX ||
	    h->streams_len % sizeof(struct past_stream) != 0 ||
	    h->n_events > h->events_len / PASTFILE_EVENT_MIN ||
	    h->streams_packed > len || h->events_packed > len ||
	    sizeof(front) + h->streams_packed + h->events_packed != len)
		return damaged("its lengths contradict each other");
	*out = *h;
	return 0;
}

static int unpack(const uint8_t *data, uint64_t packed, uint64_t len, struct buf *out)
{
	size_t n = ZSTD_decompress(buf_reserve(out, len + 1), len, data, packed);

	if (ZSTD_isError(n) || n != len)
		return damaged("its zstd frame");
	out->len = n;
	return 0;
}

static int check_streams(const struct pastfile *f)
{
	const struct past_stream *s = (const void *)f->streams.data;
	size_t n = f->streams.len / sizeof(*s);

	for (size_t i = 1; i < n; i++)
		if (past_stream_compare(&s[i - 1], &s[i]) >= 0)
			return damaged("its streams are not in order");
	return 0;
}

static size_t length_of(enum event_kind kind, const uint8_t *event, size_t room)
{
	size_t len = event_block_size(kind);
	struct event_tier2 m;

	if (kind != EVENT_TIER2 || room < sizeof(m))
		return len;
	memcpy(&m, event, sizeof(m));
	if (m.n_included > m.n_members || m.n_members > room)
		return SIZE_MAX;
	return frame_matrix_bytes(&m);
}

static int check_events(const struct pastfile *f)
{
	enum event_kind kind = (enum event_kind)f->head.kind;
	const struct buf *b = &f->events;
	uint64_t n = 0, pos = 0, first = 0;
	uint64_t len;

	for (size_t at = 0; at < b->len; at += len, n++) {
		struct event_head head;

		if (b->len - at < sizeof(len) + sizeof(head))
			return damaged("an event is cut off");
		memcpy(&len, b->data + at, sizeof(len));
		at += sizeof(len);
		if (len > b->len - at || len != length_of(kind, b->data + at, len))
			return damaged("an event has not its length");
		memcpy(&head, b->data + at, sizeof(head));
		if (head.pos < pos)
			return damaged("its events are not in order");
		pos = head.pos;
		if (n == 0)
			first = pos;
	}
	if (n == 0 || n != f->head.n_events || first != f->head.first_pos ||
	    pos != f->head.last_pos)
		return damaged("its events are not those of its head");
	return 0;
}

int pastfile_unpack(const void *data, size_t len, struct pastfile *out)
{
	const uint8_t *body = (const uint8_t *)data + PASTFILE_HEAD;
	uint8_t sum[32];
	int rc;

	*out = (struct pastfile){0};
	rc = pastfile_head_read(data, len, len, &out->head);
	if (rc < 0)
		return rc;
	hash_of(&out->head, body, len - PASTFILE_HEAD, sum);
	if (memcmp(sum, body - sizeof(sum), sizeof(sum)) != 0)
		return damaged("its hash is another");
	rc = unpack(body, out->head.streams_packed, out->head.streams_len,
		    &out->streams);
	if (rc == 0)
		rc = unpack(body + out->head.streams_packed, out->head.events_packed,
			    out->head.events_len, &out->events);
	if (rc == 0)
		rc = check_streams(out);
	return rc == 0 ? check_events(out) : rc;
}

/* The first @most bytes of @path; *@size is its whole size. */
static int read_file(const char *path, size_t most, struct buf *out, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_set(-errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0)
		rc = -errno;
	*size = rc < 0 ? 0 : (size_t)st.st_size;
	if (most > *size)
		most = *size;
	while (rc == 0 && out->len < most) {
		ssize_t n =
			read(fd, buf_reserve(out, most - out->len), most - out->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = -errno;
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	close(fd);
	return rc < 0 ? err_set(rc, "%s: read: %s", path, strerror(-rc)) : 0;
}

static int named(int rc, const char *path)
{
	char why[256];

	if (rc != -EBADMSG)
		return rc;
	(void)snprintf(why, sizeof(why), "%s", err_text());
	return err_set(rc, "%s: %s", path, why);
}

int pastfile_load(const char *path, struct pastfile *out)
{
	struct buf bytes = {0};
	size_t size;
	int rc = read_file(path, SIZE_MAX, &bytes, &size);

	*out = (struct pastfile){0};
	if (rc == 0)
		rc = named(pastfile_unpack(bytes.data, bytes.len, out), path);
	buf_free(&bytes);
	return rc;
}

int pastfile_peek(const char *path, bool with_streams, struct pastfile *out)
{
	struct buf bytes = {0};
	size_t size = 0;
	int rc = read_file(path, PASTFILE_HEAD, &bytes, &size);

	*out = (struct pastfile){0};
	if (rc == 0)
		rc = pastfile_head_read(bytes.data, bytes.len, size, &out->head);
	if (rc == 0 && with_streams) {
		size_t most = PASTFILE_HEAD + (size_t)out->head.streams_packed;

		bytes.len = 0;
		rc = read_file(path, most, &bytes, &size);
		if (rc == 0 && bytes.len != most)
			rc = damaged("it is cut off");
		if (rc == 0)
			rc = unpack(bytes.data + PASTFILE_HEAD,
				    out->head.streams_packed, out->head.streams_len,
				    &out->streams);
	}
	buf_free(&bytes);
	return named(rc, path);
}

void pastfile_free(struct pastfile *f)
{
	buf_free(&f->streams);
	buf_free(&f->events);
	*f = (struct pastfile){0};
}

const struct event_head *pastfile_next(const struct buf *events, size_t *at,
				       size_t *out_len)
{
	const uint8_t *event = events->data + *at + sizeof(uint64_t);
	uint64_t len;

	if (*at >= events->len)
		return NULL;
	memcpy(&len, events->data + *at, sizeof(len));
	*at += sizeof(len) + len;
	*out_len = len;
	return (const void *)event;
}

void pastfile_add(struct buf *events, const void *event, size_t len)
{
	uint64_t n = len;

	buf_add(events, &n, sizeof(n));
	buf_add(events, event, len);
}

int past_stream_compare(const struct past_stream *a, const struct past_stream *b)
{
	int order = memcmp(a->name, b->name, sizeof(a->name));

	if (order == 0 && a->timeframe_s != b->timeframe_s)
		return a->timeframe_s < b->timeframe_s ? -1 : 1;
	return order < 0 ? -1 : order > 0;
}

void past_stream_of(enum event_kind kind, const void *event, struct past_stream *out)
{
	const struct event_head *head = event;

	*out = (struct past_stream){.seq = head->seq, .pos = head->pos};
	memcpy(out->name, event_symbol(kind, event), SYMBOL_MAX);
	if (kind != EVENT_TICK)
		out->chain = event_chain_of(kind, event);
	if (kind == EVENT_TIER2)
		out->timeframe_s = ((const struct event_tier2 *)event)->timeframe_s;
}
