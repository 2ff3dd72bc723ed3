/*
 * buf - doubling growth; out of memory is the end of the process.
 */
#include "base/buf.h"
#include "base/err.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAP_MIN 64

static _Noreturn void die(size_t need)
{
	(void)dprintf(STDERR_FILENO, "out of memory: a buffer needs %zu bytes\n", need);
	abort();
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t need, cap = b->cap < CAP_MIN ? CAP_MIN : b->cap;
	uint8_t *grown;

	if (__builtin_add_overflow(b->len, n, &need))
		die(SIZE_MAX);
	/* `data` is looked at too, so that reserving 0 bytes of nothing gives room. */
	if (need <= b->cap && b->data)
		return b->data + b->len;

	while (cap < need) {
		if (__builtin_mul_overflow(cap, 2, &cap))
			cap = need;
	}
	grown = realloc(b->data, cap);
	if (!grown)
		die(cap);
	b->data = grown;
	b->cap = cap;
	return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t n)
{
	uint8_t *at = buf_reserve(b, n);

	if (n > 0)
		memcpy(at, data, n);
	b->len += n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	char *at = (char *)buf_reserve(b, CAP_MIN);
	size_t room = b->cap - b->len;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(at, room, fmt, ap);
	if (n >= 0 && (size_t)n >= room) {
		at = (char *)buf_reserve(b, (size_t)n + 1);
		n = vsnprintf(at, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	va_end(ap);
	if (n > 0)
		b->len += (size_t)n;
}

char *buf_text(struct buf *b)
{
	*buf_reserve(b, 1) = 0;
	return (char *)b->data;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

int buf_read_file(struct buf *b, const char *path, size_t max)
{
	FILE *f = fopen(path, "re");
	size_t start = b->len, n;
	bool failed;

	if (f == NULL)
		return err_set(-errno, "%s: %s", path, strerror(errno));
	do {
		n = fread(buf_reserve(b, 65536), 1, 65536, f);
		b->len += n;
	} while (n > 0 && b->len - start <= max);
	failed = ferror(f) != 0;
	(void)fclose(f);
	if (failed)
		return err_set(-EIO, "%s cannot be read", path);
	if (b->len - start > max)
		return err_set(-E2BIG, "%s has more than %zu bytes", path, max);
	return 0;
}
