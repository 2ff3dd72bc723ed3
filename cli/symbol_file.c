/* symbol_file - see symbol_file.h. */
#include "cli/symbol_file.h"
#include "base/err.h"
#include "feeds/lines.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 128

struct names {
	struct buf *out;
	size_t n;
};

static int add(struct names *x, const char *name, size_t len)
{
	static const char end;

	while (len > 0 && isspace((unsigned char)*name)) {
		name++;
		len--;
	}
	while (len > 0 && isspace((unsigned char)name[len - 1]))
		len--;
	if (len == 0)
		return 0;
	if (x->n++ == SYMBOL_FILE_MAX)
		return err_set(-E2BIG, "there are more than %d symbols",
			       SYMBOL_FILE_MAX);
	buf_add(x->out, name, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);
	buf_add(x->out, &end, 1);
	return 0;
}

bool symbol_file_field(const char **at, const char *end, struct buf *out)
{
	const char *p = *at;
	bool quoted;

	out->len = 0;
	if (p == NULL)
		return false;
	quoted = p < end && *p == '"';
	p += quoted;
	while (p < end && (quoted || *p != ',')) {
		if (quoted && *p == '"') {
			if (p + 1 < end && p[1] == '"')
				p++;
			else
				quoted = false;
			if (!quoted) {
				p++;
				continue;
			}
		}
		buf_add(out, p++, 1);
	}
	*at = p < end ? p + 1 : NULL;
	return true;
}

int symbol_file_column(const char *path, const struct line *head, const char *name)
{
	const char *at = head->text, *end = head->text + head->len;
	struct buf field = {0}, all = {0};
	int i = 0, found = -1;

	/* A byte order mark belongs to nobody. */
	if (head->len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	for (; found < 0 && symbol_file_field(&at, end, &field); i++) {
		const char *text = buf_text(&field);

		buf_printf(&all, "%s%.40s", i > 0 ? ", " : "", text);
		if (strcasecmp(text, name) == 0)
			found = i;
	}
	if (found < 0)
		found = err_set(-EINVAL, "%s has no column %s; it has: %.200s", path,
				name, buf_text(&all));
	buf_free(&field);
	buf_free(&all);
	return found;
}

static int add_column(struct names *x, const struct line *line, int column)
{
	const char *at = line->text, *end = line->text + line->len;
	struct buf field = {0};
	bool there = true;
	int rc = 0;

	for (int i = 0; there && i <= column; i++)
		there = symbol_file_field(&at, end, &field);
	if (there)
		rc = add(x, buf_text(&field), field.len);
	buf_free(&field);
	return rc;
}

int symbol_file_csv(const char *path, const char *column, struct buf *out)
{
	struct names x = {out, 0};
	struct lines *l = NULL;
	struct line line;
	int at = -1;
	int rc = lines_open(path, LINES_MAX_DEFAULT, &l);

	while (rc >= 0 && (rc = lines_next(l, true, ',', &line)) != LINES_END) {
		if (rc > 0)
			rc = err_set(-EINVAL, "%s: line %llu cannot be read", path,
				     (unsigned long long)line.number);
		else if (rc == 0 && at < 0)
			rc = at = symbol_file_column(path, &line, column);
		else if (rc == 0)
			rc = add_column(&x, &line, at);
	}
	if (rc == LINES_END && at < 0)
		rc = err_set(-EINVAL, "%s is empty", path);
	lines_close(l);
	return rc < 0 ? rc : 0;
}

static int add_words(struct names *x, const struct line *line)
{
	const char *p = line->text, *end = p + line->len;
	const char *remark = memchr(p, '#', line->len);
	int rc = 0;

	if (remark != NULL)
		end = remark;
	while (rc == 0 && p < end) {
		const char *q = p;

		while (q < end && !isspace((unsigned char)*q) && *q != ',')
			q++;
		rc = add(x, p, (size_t)(q - p));
		p = q + 1;
	}
	return rc;
}

int symbol_file_text(const char *path, struct buf *out)
{
	struct names x = {out, 0};
	struct lines *l = NULL;
	struct line line;
	int rc = lines_open(path, LINES_MAX_DEFAULT, &l);

	while (rc >= 0 && (rc = lines_next(l, false, 0, &line)) != LINES_END) {
		if (rc > 0)
			rc = err_set(-EINVAL, "%s: line %llu is too long", path,
				     (unsigned long long)line.number);
		else if (rc == 0)
			rc = add_words(&x, &line);
	}
	lines_close(l);
	return rc < 0 ? rc : 0;
}

void symbol_file_index(const char *path, char *out, size_t size)
{
	const char *name = strrchr(path, '/');
	size_t n;

	name = name != NULL ? name + 1 : path;
	n = strcspn(name, ".");
	(void)snprintf(out, size, "%.*s", (int)n, name);
	for (char *p = out; *p != '\0'; p++)
		*p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p)
						: '_';
}
