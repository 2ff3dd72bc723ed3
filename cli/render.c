/* render - two walks per table: one for the widths, one for the words. */
#include "cli/render.h"
#include "cli/query.h"
#include <string.h>

#define DEPTH_MAX 4
#define KEY_MAX   96

struct column {
	struct json_token key;
	int width;
	bool is_text;
	bool is_used; /* some row holds more than null in it */
};

struct table {
	struct column column[RENDER_COLUMNS_MAX];
	size_t n;
	bool is_picked; /* the columns are given: take no others */
};

static struct column *find_column(struct table *t, const struct json_token *key)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->column[i].key.len == key->len &&
		    memcmp(t->column[i].key.text, key->text, key->len) == 0)
			return &t->column[i];
	return NULL;
}

/* Characters, not bytes, of a UTF-8 text. */
static int width_of(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void measure_row(struct table *t, const struct json_token *row)
{
	char text[RENDER_CELL_MAX], name[KEY_MAX];
	struct json_token key, value;
	struct query_walk w;

	if (row->type != JSON_OBJECT || !query_walk(&w, row))
		return;
	while (query_next(&w, &key, &value)) {
		struct column *c = find_column(t, &key);
		int width;

		if (c == NULL) {
			if (t->n == RENDER_COLUMNS_MAX || t->is_picked)
				continue;
			c = &t->column[t->n++];
			c->key = key;
			c->width = width_of(query_text(&key, name, sizeof(name)));
		}
		width = width_of(query_text(&value, text, sizeof(text)));
		c->width = width > c->width ? width : c->width;
		c->is_used = c->is_used || value.type != JSON_NULL;
		c->is_text = c->is_text ||
			     (value.type != JSON_NUMBER && value.type != JSON_NULL);
	}
}

static void measure(struct table *t, const struct json_token *rows)
{
	struct json_token key, row;
	struct query_walk w;

	if (!query_walk(&w, rows))
		return;
	while (query_next(&w, &key, &row))
		measure_row(t, &row);
}

static void put_cell(FILE *out, const struct column *c, const char *text, bool is_last)
{
	int pad = c->width - width_of(text);

	if (c->is_text)
		(void)fprintf(out, "%s%*s", text, is_last ? 0 : pad, "");
	else
		(void)fprintf(out, "%*s%s", pad, "", text);
	(void)fputs(is_last ? "\n" : "  ", out);
}

static size_t put_table(FILE *out, const struct table *t, const struct json_token *rows)
{
	char text[RENDER_CELL_MAX];
	struct json_token key, row, value;
	struct query_walk w;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		put_cell(out, &t->column[i],
			 query_text(&t->column[i].key, text, sizeof(text)),
			 i + 1 == t->n);
	if (!query_walk(&w, rows))
		return 0;
	for (; query_next(&w, &key, &row); n++) {
		for (size_t i = 0; i < t->n; i++) {
			char name[KEY_MAX];
			const char *shown = "";

			(void)query_text(&t->column[i].key, name, sizeof(name));
			if (query_member(&row, name, &value))
				shown = query_text(&value, text, sizeof(text));
			put_cell(out, &t->column[i], shown, i + 1 == t->n);
		}
	}
	return n;
}

size_t render_table(FILE *out, const struct json_token *rows)
{
	struct table t = {0};

	measure(&t, rows);
	return put_table(out, &t, rows);
}

size_t render_picked(FILE *out, const struct json_token *rows, const char *const *names)
{
	struct table t = {.is_picked = true};
	size_t kept = 0;

	for (; *names != NULL && t.n < RENDER_COLUMNS_MAX; names++) {
		t.column[t.n].key = (struct json_token){
			.type = JSON_STRING, .text = *names, .len = strlen(*names)};
		t.column[t.n++].width = (int)strlen(*names);
	}
	measure(&t, rows);
	for (size_t i = 0; i < t.n; i++)
		if (t.column[i].is_used)
			t.column[kept++] = t.column[i];
	t.n = kept;
	return put_table(out, &t, rows);
}

static void put_csv(FILE *out, const struct json_token *t, bool is_last)
{
	char text[4096];
	const char *s = t->type == JSON_NULL ? "" : query_text(t, text, sizeof(text));

	if (strpbrk(s, ",\"\n\r") == NULL) {
		(void)fputs(s, out);
	} else {
		(void)fputc('"', out);
		for (; *s; s++) {
			if (*s == '"')
				(void)fputc('"', out);
			(void)fputc(*s, out);
		}
		(void)fputc('"', out);
	}
	(void)fputc(is_last ? '\n' : ',', out);
}

size_t render_csv(FILE *out, const struct json_token *rows, bool with_header)
{
	const struct json_token nothing = {.type = JSON_NULL};
	struct json_token key, row, value;
	struct query_walk w;
	struct table t = {0};
	size_t n = 0;

	measure(&t, rows);
	for (size_t i = 0; with_header && i < t.n; i++)
		put_csv(out, &t.column[i].key, i + 1 == t.n);
	if (!query_walk(&w, rows))
		return 0;
	for (; query_next(&w, &key, &row); n++) {
		for (size_t i = 0; i < t.n; i++) {
			char name[KEY_MAX];
			bool is_there;

			(void)query_text(&t.column[i].key, name, sizeof(name));
			is_there = query_member(&row, name, &value);
			put_csv(out, is_there ? &value : &nothing, i + 1 == t.n);
		}
	}
	return n;
}

/* One level of an object being walked; the levels stand in an array, not in calls. */
struct level {
	struct query_walk walk;
	size_t prefix; /* length of the dotted prefix at this level */
};

static bool is_table(const struct json_token *value)
{
	struct json_token key, first;
	struct query_walk w;

	return value->type == JSON_ARRAY && query_walk(&w, value) &&
	       query_next(&w, &key, &first) && first.type == JSON_OBJECT;
}

static void put_list(FILE *out, const struct json_token *value)
{
	char text[RENDER_CELL_MAX];
	struct json_token key, element;
	struct query_walk w;
	const char *between = "";

	if (!query_walk(&w, value))
		return;
	while (query_next(&w, &key, &element)) {
		(void)fprintf(out, "%s%s", between,
			      query_text(&element, text, sizeof(text)));
		between = " ";
	}
}

static void put_pair(FILE *out, const char *name, int width,
		     const struct json_token *value)
{
	char text[1024];

	if (is_table(value)) {
		(void)fprintf(out, "\n%s:\n", name);
		(void)render_table(out, value);
		return;
	}
	(void)fprintf(out, "%-*s  ", width, name);
	if (value->type == JSON_ARRAY)
		put_list(out, value);
	else
		(void)fputs(query_text(value, text, sizeof(text)), out);
	(void)fputc('\n', out);
}

/* Walk @object and what is nested in it; with @out NULL only measure the names. */
static int walk_object(FILE *out, const struct json_token *object, int width)
{
	struct level level[DEPTH_MAX];
	struct json_token key, value;
	char name[KEY_MAX * DEPTH_MAX];
	size_t depth = 1;
	int widest = 0;

	level[0].prefix = 0;
	if (!query_walk(&level[0].walk, object))
		return 0;
	while (depth > 0) {
		struct level *l = &level[depth - 1];
		size_t len;

		if (!query_next(&l->walk, &key, &value)) {
			depth--;
			continue;
		}
		(void)query_text(&key, name + l->prefix, KEY_MAX);
		len = strlen(name);
		if (value.type == JSON_OBJECT && depth < DEPTH_MAX) {
			(void)query_walk(&level[depth].walk, &value);
			name[len] = '.';
			level[depth++].prefix = len + 1;
			continue;
		}
		if (!is_table(&value) && width_of(name) > widest)
			widest = width_of(name);
		if (out != NULL)
			put_pair(out, name, width, &value);
	}
	return widest;
}

void render_value(FILE *out, const struct json_token *value)
{
	char text[4096];

	if (is_table(value)) {
		(void)render_table(out, value);
	} else if (value->type == JSON_OBJECT) {
		(void)walk_object(out, value, walk_object(NULL, value, 0));
	} else if (value->type == JSON_ARRAY) {
		put_list(out, value);
		(void)fputc('\n', out);
	} else {
		(void)fprintf(out, "%s\n", query_text(value, text, sizeof(text)));
	}
}
