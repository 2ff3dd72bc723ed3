/* csv - one record cut into fields in place, then mapping_apply(). */
#include "feeds/csv.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct csv {
	struct lines *lines;
	struct mapping *mapping;
	struct feed_counts counts;
	bool has_header;    /* read, or not needed */
	size_t n_columns;   /* of the header; 0: whatever comes */
	int at[MAP_FIELDS]; /* column of each field, -1: none */
	char *scratch;      /* owned: fields whose quotes had to be undone */
	size_t scratch_cap, scratch_len;
	struct mapping_text field[CSV_COLUMNS_MAX];
	size_t n_fields;
};

int csv_new(struct lines *lines, struct mapping *mapping, struct csv **out)
{
	struct csv *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(-ENOMEM, "no memory for a CSV reader");
	c->lines = lines;
	c->mapping = mapping;
	for (int f = 0; f < MAP_FIELDS; f++)
		c->at[f] = mapping->has_index ? mapping->col[f].index : -1;
	*out = c;
	return 0;
}

void csv_free(struct csv *c)
{
	if (!c)
		return;
	free(c->scratch);
	free(c);
}

const struct feed_counts *csv_counts(const struct csv *c)
{
	return &c->counts;
}

/*
 * Undo the quotes of the field at *i into scratch, which was made as long as the
 * record: it never moves while fields point into it.
 */
static const char *unquote(struct csv *c, const struct line *l, size_t *i,
			   char delimiter)
{
	char *to = c->scratch + c->scratch_len, *from = to;
	size_t at = *i + 1;

	for (;; at++) {
		if (at == l->len)
			return "a quote is not closed";
		if (l->text[at] != '"') {
			*to++ = l->text[at];
			continue;
		}
		if (at + 1 < l->len && l->text[at + 1] == '"') {
			*to++ = '"';
			at++;
			continue;
		}
		break;
	}
	at++;
	if (at < l->len && l->text[at] != delimiter)
		return "text follows a closing quote";
	c->field[c->n_fields] = (struct mapping_text){from, (size_t)(to - from)};
	c->scratch_len += (size_t)(to - from);
	*i = at;
	return NULL;
}

/* Cut @l into field[]; NULL, or why not. */
static const char *split(struct csv *c, const struct line *l)
{
	char delimiter = c->mapping->delimiter;
	size_t i = 0;

	if (l->len > c->scratch_cap) {
		char *bigger = realloc(c->scratch, l->len);

		if (!bigger)
			return "no memory for a line this long";
		c->scratch = bigger;
		c->scratch_cap = l->len;
	}
	c->scratch_len = 0;
	c->n_fields = 0;
	for (;;) {
		if (c->n_fields == CSV_COLUMNS_MAX)
			return "more columns than 256";
		if (i < l->len && l->text[i] == '"') {
			const char *why = unquote(c, l, &i, delimiter);

			if (why)
				return why;
		} else {
			const char *p =
				l->len > i ? memchr(l->text + i, delimiter, l->len - i)
					   : NULL;
			size_t end = p ? (size_t)(p - l->text) : l->len;

			c->field[c->n_fields] =
				(struct mapping_text){l->text + i, end - i};
			i = end;
		}
		c->n_fields++;
		if (i >= l->len)
			return NULL;
		i++; /* the delimiter; a field follows even at the end of the line */
	}
}

static struct mapping_text trimmed(struct mapping_text t)
{
	while (t.len > 0 && (t.text[0] == ' ' || t.text[0] == '\t')) {
		t.text++;
		t.len--;
	}
	while (t.len > 0 && (t.text[t.len - 1] == ' ' || t.text[t.len - 1] == '\t'))
		t.len--;
	return t;
}

static int header(struct csv *c, const struct line *l)
{
	bool present[MAP_FIELDS] = {false};
	const char *why;
	struct line text = *l;

	/* A byte order mark, as spreadsheets write it. */
	if (text.len >= 3 && memcmp(text.text, "\xef\xbb\xbf", 3) == 0) {
		text.text += 3;
		text.len -= 3;
	}
	why = split(c, &text);
	if (why)
		return err_set(-EINVAL, "the header: %s", why);
	for (size_t i = 0; i < c->n_fields; i++) {
		struct mapping_text name = trimmed(c->field[i]);
		enum mapping_field f = mapping_guess(c->mapping, name.text, name.len);

		if (f == MAP_FIELDS || c->mapping->col[f].is_constant)
			continue;
		/* Of two that could be it ("price", "close"), the field's own name. */
		if (present[f]) {
			const char *own = mapping_field_name(f);

			if (c->mapping->is_explicit)
				return err_set(-EINVAL, "the header names '%.*s' twice",
					       (int)name.len, name.text);
			if (strlen(own) != name.len ||
			    memcmp(own, name.text, name.len) != 0)
				continue;
		}
		present[f] = true;
		c->at[f] = (int)i;
	}
	c->n_columns = c->n_fields;
	c->has_header = true;
	return mapping_check(c->mapping, present);
}

static int check_numbered(struct csv *c)
{
	bool present[MAP_FIELDS];

	for (int f = 0; f < MAP_FIELDS; f++)
		present[f] = c->at[f] >= 0;
	c->has_header = true;
	return mapping_check(c->mapping, present);
}

static int report(struct csv *c, const struct feed_sink *sink, uint64_t line,
		  const char *why)
{
	c->counts.bad++;
	return sink->bad ? sink->bad(sink->arg, line, why) : 0;
}

static int record(struct csv *c, const struct feed_sink *sink, const struct line *l)
{
	struct mapping_text v[MAP_FIELDS] = {{NULL, 0}};
	char why[FEED_WHY_MAX];
	struct feed_tick tick;
	const char *broken = split(c, l);

	if (broken) {
		lines_reread(c->lines, l);
		return report(c, sink, l->number, broken);
	}
	if (c->n_columns && c->n_fields != c->n_columns) {
		(void)snprintf(why, sizeof(why), "%zu columns where the header has %zu",
			       c->n_fields, c->n_columns);
		return report(c, sink, l->number, why);
	}
	for (int f = 0; f < MAP_FIELDS; f++) {
		if (c->at[f] < 0)
			continue;
		if ((size_t)c->at[f] >= c->n_fields) {
			(void)snprintf(why, sizeof(why), "no column %d for %s",
				       c->at[f],
				       mapping_field_name((enum mapping_field)f));
			return report(c, sink, l->number, why);
		}
		v[f] = trimmed(c->field[c->at[f]]);
	}
	if (mapping_apply(c->mapping, v, &tick, why) != 0)
		return report(c, sink, l->number, why);
	c->counts.ticks++;
	return sink->tick(sink->arg, &tick);
}

int csv_step(struct csv *c, const struct feed_sink *sink, size_t budget)
{
	int rc;

	if (!c->has_header && c->mapping->has_index) {
		rc = check_numbered(c);
		if (rc < 0)
			return rc;
	}
	while (budget-- > 0) {
		struct line l = {NULL, 0, 0};

		rc = lines_next(c->lines, true, c->mapping->delimiter, &l);
		if (rc < 0)
			return rc;
		if (rc == LINES_END && !c->has_header)
			return err_set(-EINVAL, "the file is empty: it has no header");
		if (rc == LINES_END)
			return FEED_END;
		if (!c->has_header) {
			rc = rc ? err_set(-EINVAL, "the header is broken or too long")
				: header(c, &l);
			if (rc < 0)
				return rc;
			continue;
		}
		if (rc == 0 && l.len == 0)
			continue;
		c->counts.lines++;
		if (rc == LINES_LONG)
			rc = report(c, sink, l.number, "the line is too long");
		else if (rc == LINES_OPEN)
			rc = report(c, sink, l.number, "a quote is not closed");
		else
			rc = record(c, sink, &l);
		if (rc)
			return rc;
	}
	return 0;
}
