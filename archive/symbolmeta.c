/* symbolmeta - a small table, read, merged and replaced as a whole. */
#include "archive/symbolmeta.h"
#include "archive/layout.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 65536
#define KEYS_MAX       64

int symbolmeta_make(const char *symbol, const char *key, const char *value,
		    struct symbolmeta *out)
{
	size_t len = strlen(key);

	if (!symbol_valid(symbol, strlen(symbol)))
		return err_set(-EINVAL, "'%.40s' is no symbol", symbol);
	if (len == 0 || len > SYMBOLMETA_KEY_MAX || strcmp(key, "symbol") == 0 ||
	    strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") != len)
		return err_set(-EINVAL,
			       "'%.40s' is no key: up to %d small letters, digits "
			       "and _",
			       key, SYMBOLMETA_KEY_MAX);
	if (strlen(value) > SYMBOLMETA_VALUE_MAX || strpbrk(value, "\"\r\n"))
		return err_set(-EINVAL,
			       "%s of %s: a text of up to %d bytes without quotes and "
			       "line ends is needed",
			       key, symbol, SYMBOLMETA_VALUE_MAX);
	*out = (struct symbolmeta){0};
	memcpy(out->symbol, symbol, strlen(symbol));
	memcpy(out->key, key, len);
	memcpy(out->value, value, strlen(value));
	return 0;
}

/* Cuts the field at *@at off; NULL: the line is over. */
static char *next_field(char **at)
{
	char *field = *at;
	char *end;

	if (!field)
		return NULL;
	if (*field == '"') {
		end = strchr(++field, '"');
		if (!end)
			return *at = NULL;
		*end++ = '\0';
	} else {
		end = field + strcspn(field, ",");
	}
	*at = *end == ',' ? end + 1 : NULL;
	*end = '\0';
	return field;
}

static size_t split(char *line, char **fields)
{
	size_t n = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (n <= KEYS_MAX && (fields[n] = next_field(&line)) != NULL)
		n++;
	return n;
}

static int read_rows(FILE *f, char *line, struct buf *out)
{
	char *keys[KEYS_MAX + 2];
	char *cells[KEYS_MAX + 2];
	char *header = NULL;
	size_t n = 0;
	size_t size = 0;
	int rc = getline(&header, &size, f) > 0 ? 0 : -EBADMSG;

	if (rc == 0)
		n = split(header, keys);
	if (n == 0 || n > KEYS_MAX + 1 || strcmp(keys[0], "symbol") != 0)
		rc = -EBADMSG;
	while (rc == 0 && fgets(line, LINE_MAX_BYTES, f)) {
		if (split(line, cells) != n)
			rc = -EBADMSG;
		for (size_t i = 1; rc == 0 && i < n; i++) {
			struct symbolmeta item;

			rc = symbolmeta_make(cells[0], keys[i], cells[i], &item);
			if (rc == 0)
				buf_add(out, &item, sizeof(item));
		}
	}
	free(header);
	return rc;
}

int symbolmeta_read(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "re");
	char *line;
	int rc;

	if (!f)
		return errno == ENOENT
			       ? 1
			       : err_set(-errno, "%s: %s", path, strerror(errno));
	line = malloc(LINE_MAX_BYTES);
	rc = line ? read_rows(f, line, out) : -ENOMEM;
	if (rc < 0)
		err_set(rc,
			"%s: not a table with a first column symbol and keys behind "
			"it: "
			"mend it or remove the file",
			path);
	free(line);
	fclose(f);
	return rc;
}

struct ranked {
	struct symbolmeta item;
	size_t at; /* in the order of coming */
};

static int by_symbol(const void *a, const void *b)
{
	const struct ranked *x = a;
	const struct ranked *y = b;
	int rc = strcmp(x->item.symbol, y->item.symbol);

	if (rc == 0)
		rc = strcmp(x->item.key, y->item.key);
	return rc ? rc : (x->at > y->at) - (x->at < y->at);
}

/* Sorted, the last word about each key of each symbol, without the empty ones. */
static size_t settle(struct ranked *r, size_t n)
{
	size_t kept = 0;

	if (n > 0)
		qsort(r, n, sizeof(*r), by_symbol);
	for (size_t i = 0; i < n; i++) {
		bool is_last = i + 1 == n ||
			       strcmp(r[i].item.symbol, r[i + 1].item.symbol) != 0 ||
			       strcmp(r[i].item.key, r[i + 1].item.key) != 0;

		if (is_last && r[i].item.value[0])
			r[kept++] = r[i];
	}
	return kept;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The keys that somebody has, by name; -E2BIG: more than a table should have. */
static int keys_of(const struct ranked *r, size_t n,
		   char (*keys)[SYMBOLMETA_KEY_MAX + 1], size_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < *out && strcmp(keys[k], r[i].item.key) != 0)
			k++;
		if (k == KEYS_MAX)
			return err_set(-E2BIG, "more than %d keys of symbols: '%s'",
				       KEYS_MAX, r[i].item.key);
		if (k == *out)
			memcpy(keys[(*out)++], r[i].item.key, sizeof(keys[0]));
	}
	qsort(keys, *out, sizeof(keys[0]), by_text);
	return 0;
}

static size_t table_text(const struct ranked *r, size_t n,
			 char (*keys)[SYMBOLMETA_KEY_MAX + 1], size_t n_keys,
			 struct buf *text)
{
	size_t symbols = 0;

	buf_printf(text, "symbol");
	for (size_t k = 0; k < n_keys; k++)
		buf_printf(text, ",%s", keys[k]);
	for (size_t i = 0; i < n; symbols++) {
		const char *symbol = r[i].item.symbol;

		buf_printf(text, "\n%s", symbol);
		for (size_t k = 0; k < n_keys; k++) {
			const char *value = "";

			if (i < n && strcmp(r[i].item.symbol, symbol) == 0 &&
			    strcmp(r[i].item.key, keys[k]) == 0)
				value = r[i++].item.value;
			buf_printf(text, strchr(value, ',') ? ",\"%s\"" : ",%s", value);
		}
	}
	buf_printf(text, "\n");
	return symbols;
}

static int write_table(const char *dir, const char *tmp, const struct ranked *r,
		       size_t n, size_t *out_symbols)
{
	char keys[KEYS_MAX][SYMBOLMETA_KEY_MAX + 1];
	struct buf path = {0};
	struct buf text = {0};
	size_t n_keys;
	int rc = keys_of(r, n, keys, &n_keys);

	buf_printf(&path, "%s/metadata", dir);
	if (rc == 0)
		rc = layout_mkdirs(buf_text(&path));
	buf_printf(&path, "/symbols.csv");
	if (rc == 0) {
		*out_symbols = table_text(r, n, keys, n_keys, &text);
		rc = layout_write(buf_text(&path), tmp, text.data, text.len);
	}
	buf_free(&path);
	buf_free(&text);
	return rc;
}

int symbolmeta_put(const char *dir, const char *tmp, const struct symbolmeta *items,
		   size_t n, size_t *out_symbols)
{
	const struct symbolmeta *item;
	struct buf path = {0};
	struct buf all = {0};
	struct buf ranked = {0};
	int rc;

	buf_printf(&path, "%s/metadata/symbols.csv", dir);
	rc = symbolmeta_read(buf_text(&path), &all);
	if (rc >= 0) {
		buf_add(&all, items, n * sizeof(*items));
		item = (const void *)all.data;
		for (size_t i = 0; i < all.len / sizeof(*item); i++) {
			struct ranked one = {item[i], i};

			buf_add(&ranked, &one, sizeof(one));
		}
		n = settle((void *)ranked.data, ranked.len / sizeof(struct ranked));
		rc = write_table(dir, tmp, (const void *)ranked.data, n, out_symbols);
	}
	buf_free(&path);
	buf_free(&all);
	buf_free(&ranked);
	return rc;
}
