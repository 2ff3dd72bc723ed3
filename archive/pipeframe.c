/* pipeframe - reading is a loop over a source of bytes, a descriptor or memory. */
#include "archive/pipeframe.h"
#include "base/err.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct input {
	int fd; /* -1: memory */
	const uint8_t *data;
	size_t len;
	size_t at;
};

static ssize_t some(struct input *in, uint8_t *to, size_t n)
{
	ssize_t got;

	if (in->fd < 0) {
		size_t left = in->len - in->at;

		n = n < left ? n : left;
		memcpy(to, in->data + in->at, n);
		in->at += n;
		return (ssize_t)n;
	}
	do {
		got = read(in->fd, to, n);
	} while (got < 0 && errno == EINTR);
	return got;
}

/* Returns how many bytes came before the end; < 0: an error. */
static ssize_t fill(struct input *in, uint8_t *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = some(in, to + have, n - have);

		if (got < 0)
			return err_set(-errno, "reading a frame: %s", strerror(errno));
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static uint32_t u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

int pipeframe_head(const uint8_t head[PIPEFRAME_HEAD], uint32_t *doc, uint32_t *bulk)
{
	*doc = u32_at(head);
	*bulk = u32_at(head + 4);
	if (*doc == 0 || *doc > PIPEFRAME_DOC_MAX)
		return err_set(-EPROTO,
			       "a frame with a document of %u bytes: 1 to %u are "
			       "allowed",
			       *doc, PIPEFRAME_DOC_MAX);
	if (*bulk > PIPEFRAME_BULK_MAX)
		return err_set(-EPROTO,
			       "a frame with %u bytes of rows: at most %u are "
			       "allowed",
			       *bulk, PIPEFRAME_BULK_MAX);
	return 0;
}

static int cut_off(ssize_t got, size_t want)
{
	return got < 0 ? (int)got
		       : err_set(-EPROTO,
				 "the stream ended after %zd of %zu bytes of a "
				 "frame",
				 got, want);
}

/* The bulk starts at a multiple of 16, so that it can be read as structs. */
static int body(struct input *in, uint32_t doc, uint32_t bulk, struct pipeframe *f)
{
	size_t at = ((size_t)doc + 15) & ~(size_t)15;
	uint8_t *to = buf_reserve(&f->bytes, at + bulk + 1);
	ssize_t got = fill(in, to, doc);
	int rc;

	if (got != (ssize_t)doc)
		return cut_off(got, doc);
	got = fill(in, to + at, bulk);
	if (got != (ssize_t)bulk)
		return cut_off(got, bulk);
	f->bulk = bulk ? to + at : NULL;
	f->bulk_len = bulk;
	rc = json_parse((const char *)to, doc, &f->doc);
	if (rc < 0)
		return err_prefix(rc == -ENOMEM ? rc : -EINVAL, "a frame's document");
	return json_is_object(f->doc)
		       ? 0
		       : err_set(-EINVAL, "a frame's document is no JSON object");
}

static int take(struct input *in, struct pipeframe *f)
{
	uint8_t head[PIPEFRAME_HEAD];
	ssize_t got = fill(in, head, sizeof(head));
	uint32_t doc;
	uint32_t bulk;
	int rc;

	*f = (struct pipeframe){0};
	if (got == 0)
		return PIPEFRAME_END;
	if (got != (ssize_t)sizeof(head))
		return cut_off(got, sizeof(head));
	rc = pipeframe_head(head, &doc, &bulk);
	if (rc == 0)
		rc = body(in, doc, bulk, f);
	if (rc < 0)
		pipeframe_free(f);
	return rc;
}

int pipeframe_read(int fd, struct pipeframe *f)
{
	struct input in = {.fd = fd};

	return take(&in, f);
}

int pipeframe_take(const uint8_t *data, size_t len, size_t *used, struct pipeframe *f)
{
	struct input in = {.fd = -1, .data = data, .len = len};
	int rc = take(&in, f);

	*used = in.at;
	return rc;
}

void pipeframe_free(struct pipeframe *f)
{
	json_free(f->doc);
	buf_free(&f->bytes);
	*f = (struct pipeframe){0};
}

static int put(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(-errno, "writing a frame: %s", strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int pipeframe_write(int fd, const void *doc, size_t doc_len, const void *bulk,
		    size_t bulk_len)
{
	uint8_t head[PIPEFRAME_HEAD];
	uint32_t check[2];
	int rc;

	for (unsigned i = 0; i < 4; i++) {
		head[i] = (uint8_t)(doc_len >> (8 * i));
		head[4 + i] = (uint8_t)(bulk_len >> (8 * i));
	}
	rc = doc_len > UINT32_MAX || bulk_len > UINT32_MAX
		     ? err_set(-EPROTO, "a frame of more than 4 GiB")
		     : pipeframe_head(head, &check[0], &check[1]);
	if (rc == 0)
		rc = put(fd, head, sizeof(head));
	if (rc == 0)
		rc = put(fd, doc, doc_len);
	return rc == 0 && bulk_len > 0 ? put(fd, bulk, bulk_len) : rc;
}
