/* archive_told - see archive_told.h. */
#include "daemon/archive_told.h"
#include "archive/layout.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HEAD "tickbus-archive-told 1 "

static size_t count(const struct buf *months)
{
	return months->len / sizeof(struct archive_month);
}

static const struct archive_month *at(const struct buf *months, size_t i)
{
	return (const struct archive_month *)(const void *)months->data + i;
}

void archive_told_add(struct buf *months, int64_t from_ns, int64_t to_ns, uint32_t sum)
{
	struct archive_month m = {layout_month(from_ns), sum, from_ns, to_ns};
	size_t n = months->len / sizeof(m);
	struct archive_month *last =
		n == 0 ? NULL : (struct archive_month *)(void *)months->data + n - 1;

	if (last == NULL || last->month != m.month) {
		buf_add(months, &m, sizeof(m));
		return;
	}
	last->sum = crc32c(last->sum, &sum, sizeof(sum));
	last->to_ns = to_ns;
}

static void path_of(struct buf *out, const char *dir, const char *key,
		    const char *suffix)
{
	buf_printf(out, "%s/.told/%016" PRIx64 "%s", dir,
		   hash_bytes(HASH_SEED, key, strlen(key)), suffix);
	(void)buf_text(out);
}

void archive_told_read(const char *dir, const char *key, struct buf *out)
{
	struct buf path = {0};
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *f;

	path_of(&path, dir, key, "");
	f = fopen(buf_text(&path), "re");
	buf_free(&path);
	if (f == NULL)
		return;
	n = getline(&line, &cap, f);
	if (n > 0)
		line[n - 1] = '\0';
	/* Another series of the same hash. */
	if (n <= 0 || strncmp(line, HEAD, strlen(HEAD)) != 0 ||
	    strcmp(line + strlen(HEAD), key) != 0)
		n = 0;
	while (n > 0 && (n = getline(&line, &cap, f)) > 0) {
		struct archive_month m = {0};

		if (sscanf(line, "%" SCNd32 " %" SCNx32, &m.month, &m.sum) != 2)
			break;
		buf_add(out, &m, sizeof(m));
	}
	free(line);
	(void)fclose(f);
}

int archive_told_write(const char *dir, const char *key, const struct buf *months)
{
	struct buf path = {0}, tmp = {0}, text = {0};
	int rc;

	buf_printf(&path, "%s/.told", dir);
	rc = layout_mkdirs(buf_text(&path));
	path.len = 0;
	path_of(&path, dir, key, "");
	path_of(&tmp, dir, key, ".new");
	buf_printf(&text, HEAD "%s\n", key);
	for (size_t i = 0; i < count(months); i++)
		buf_printf(&text, "%" PRId32 " %08" PRIx32 "\n", at(months, i)->month,
			   at(months, i)->sum);
	if (rc == 0)
		rc = layout_write((const char *)path.data, (const char *)tmp.data,
				  text.data, text.len);
	buf_free(&path);
	buf_free(&tmp);
	buf_free(&text);
	return rc;
}

static bool was_told(const struct buf *then, const struct archive_month *m)
{
	for (size_t i = 0; i < count(then); i++)
		if (at(then, i)->month == m->month)
			return at(then, i)->sum == m->sum;
	return false;
}

int archive_told_next(const struct buf *now, const struct buf *then, size_t *pos,
		      int64_t *from_ns, int64_t *to_ns)
{
	size_t n = count(now), i = *pos;

	while (i < n && was_told(then, at(now, i)))
		i++;
	*pos = i;
	if (i == n)
		return 1;
	*from_ns = at(now, i)->from_ns;
	while (i < n && !was_told(then, at(now, i)))
		i++;
	*to_ns = at(now, i - 1)->to_ns;
	*pos = i;
	return 0;
}
