/* membership - a small file, read, merged and replaced as a whole. */
#include "archive/membership.h"
#include "archive/layout.h"
#include "archive/metalines.h"
#include "base/err.h"
#include "base/timetext.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER      "symbol,added_date"
#define LETTERS_MAX 64

static int path_of(struct buf *out, const char *dir, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > LETTERS_MAX ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678"
			 "9_-") != len)
		return err_set(-EINVAL,
			       "'%.80s' cannot name an index: up to %d letters, "
			       "digits, _ and - can",
			       name, LETTERS_MAX);
	buf_printf(out, "%s/metadata/indices/%s.csv", dir, name);
	buf_text(out);
	return 0;
}

static int read_line(char *line, void *to)
{
	struct membership *out = to;
	size_t len = strcspn(line, ",");
	const char *when = line + len + 1;

	if (!line[len] || !symbol_valid(line, len))
		return -EBADMSG;
	*out = (struct membership){0};
	memcpy(out->symbol, line, len);
	return timetext_parse(when, strcspn(when, "\r\n"), &out->added_ns) == 0
		       ? 0
		       : -EBADMSG;
}

int membership_read(const char *dir, const char *name, struct buf *out)
{
	static const struct metalines_shape shape = {
		HEADER, "member", sizeof(struct membership), read_line};
	struct buf path = {0};
	int rc = path_of(&path, dir, name);

	if (rc == 0)
		rc = metalines_read(buf_text(&path), &shape, out);
	buf_free(&path);
	return rc;
}

static int by_symbol(const void *a, const void *b)
{
	const struct membership *x = a;
	const struct membership *y = b;
	int order = strcmp(x->symbol, y->symbol);

	return order ? order
		     : (x->added_ns > y->added_ns) - (x->added_ns < y->added_ns);
}

/* Sorted, the earliest of each symbol; returns how many are left. */
static size_t unique(struct membership *m, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(m, n, sizeof(*m), by_symbol);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || strcmp(m[kept - 1].symbol, m[i].symbol) != 0)
			m[kept++] = m[i];
	return kept;
}

static int write_file(const char *path, const char *tmp, const struct membership *m,
		      size_t n)
{
	char when[TIMETEXT_MAX];
	struct buf up = {0};
	struct buf text = {0};
	int rc;

	buf_printf(&text, HEADER "\n");
	for (size_t i = 0; i < n; i++) {
		timetext_print(when, m[i].added_ns);
		buf_printf(&text, "%s,%s\n", m[i].symbol, when);
	}
	buf_add(&up, path, (size_t)(strrchr(path, '/') - path));
	rc = layout_mkdirs(buf_text(&up));
	if (rc == 0)
		rc = layout_write(path, tmp, text.data, text.len);
	buf_free(&text);
	buf_free(&up);
	return rc;
}

int membership_put(const char *dir, const char *name, const char *tmp,
		   const struct membership *members, size_t n, size_t *out_total,
		   size_t *out_added)
{
	struct buf path = {0};
	struct buf all = {0};
	size_t before;
	int rc = path_of(&path, dir, name);

	for (size_t i = 0; rc == 0 && i < n; i++)
		if (!symbol_valid(members[i].symbol, strlen(members[i].symbol)))
			rc = err_set(-EINVAL, "'%s' is no symbol", members[i].symbol);
	if (rc == 0)
		rc = membership_read(dir, name, &all);
	if (rc >= 0) {
		before = unique((void *)all.data, all.len / sizeof(*members));
		all.len = before * sizeof(*members);
		buf_add(&all, members, n * sizeof(*members));
		*out_total = unique((void *)all.data, all.len / sizeof(*members));
		*out_added = *out_total - before;
		rc = write_file(buf_text(&path), tmp, (void *)all.data, *out_total);
	}
	buf_free(&all);
	buf_free(&path);
	return rc;
}
