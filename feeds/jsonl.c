/*
 * jsonl - a walk over one object without recursion: the stack holds what the
 * containers are and how much of the path belongs to them; every scalar is
 * looked up under the path that leads to it.
 */
#include "feeds/jsonl.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/hash.h"
#include "feeds/jsonl_text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_LEN 256
#define CACHE_SLOTS  64

struct level {
	bool is_array;
	size_t path_len; /* of the container itself */
	uint32_t index;  /* of the element, in an array */
};

/* Paths seen before: asking the mapping for each scalar would cost the most. */
struct known {
	char path[MAPPING_KEY_MAX];
	uint8_t len; /* 0: free */
	uint8_t field;
};

struct jsonl {
	struct lines *lines;
	struct mapping *mapping;
	struct feed_counts counts;
	struct jsonl_text in;
	char path[PATH_MAX_LEN];
	size_t path_len;
	struct level level[JSONL_DEPTH_MAX];
	unsigned depth;
	struct mapping_text *out;
	bool is_own[MAP_FIELDS]; /* found under the field's own name */
	struct known known[CACHE_SLOTS];
};

int jsonl_new(struct lines *lines, struct mapping *mapping, struct jsonl **out)
{
	struct jsonl *j = calloc(1, sizeof(*j));

	if (!j)
		return err_set(-ENOMEM, "no memory for a JSON reader");
	if (mapping->has_index) {
		free(j);
		return err_set(-EINVAL, "JSON has no columns by number: map keys");
	}
	j->lines = lines;
	j->mapping = mapping;
	*out = j;
	return 0;
}

void jsonl_free(struct jsonl *j)
{
	if (!j)
		return;
	free(j->in.scratch);
	free(j);
}

const struct feed_counts *jsonl_counts(const struct jsonl *j)
{
	return &j->counts;
}

static void skip_blanks(struct jsonl *j)
{
	while (j->in.at < j->in.end && (*j->in.at == ' ' || *j->in.at == '\t' ||
					*j->in.at == '\r' || *j->in.at == '\n'))
		j->in.at++;
}

static size_t digits(struct jsonl *j)
{
	const char *from = j->in.at;

	while (j->in.at < j->in.end && (unsigned char)(*j->in.at - '0') <= 9)
		j->in.at++;
	return (size_t)(j->in.at - from);
}

/* JSON's grammar: no leading zeros, no bare point. */
static const char *number(struct jsonl *j, struct mapping_text *out)
{
	const char *from = j->in.at, *first;

	if (*j->in.at == '-')
		j->in.at++;
	first = j->in.at;
	if (digits(j) == 0 || (*first == '0' && j->in.at - first > 1))
		return "a number is malformed";
	if (j->in.at < j->in.end && *j->in.at == '.') {
		j->in.at++;
		if (digits(j) == 0)
			return "a number is malformed";
	}
	if (j->in.at < j->in.end && (*j->in.at | 32) == 'e') {
		j->in.at++;
		if (j->in.at < j->in.end && (*j->in.at == '+' || *j->in.at == '-'))
			j->in.at++;
		if (digits(j) == 0)
			return "a number is malformed";
	}
	*out = (struct mapping_text){from, (size_t)(j->in.at - from)};
	return NULL;
}

static bool word(struct jsonl *j, const char *w)
{
	size_t len = strlen(w);

	if ((size_t)(j->in.end - j->in.at) < len || memcmp(j->in.at, w, len) != 0)
		return false;
	j->in.at += len;
	return true;
}

static enum mapping_field lookup(struct jsonl *j)
{
	struct known *k;
	size_t len = j->path_len;

	if (len == 0 || len >= MAPPING_KEY_MAX)
		return MAP_FIELDS;
	k = &j->known[hash_bytes(HASH_SEED, j->path, len) % CACHE_SLOTS];
	if (k->len != len || memcmp(k->path, j->path, len) != 0) {
		memcpy(k->path, j->path, len);
		k->len = (uint8_t)len;
		k->field = (uint8_t)mapping_guess(j->mapping, j->path, len);
	}
	return (enum mapping_field)k->field;
}

/* A scalar at the present path. */
static const char *leaf(struct jsonl *j, struct mapping_text v)
{
	enum mapping_field f = lookup(j);
	bool is_own;

	if (f == MAP_FIELDS || j->mapping->col[f].is_constant || !v.text)
		return NULL;
	is_own = strlen(mapping_field_name(f)) == j->path_len &&
		 memcmp(mapping_field_name(f), j->path, j->path_len) == 0;
	if (j->out[f].text && (j->mapping->is_explicit || (is_own && j->is_own[f])))
		return "a key stands twice in the object";
	if (j->out[f].text && !is_own)
		return NULL;
	j->out[f] = v;
	j->is_own[f] = is_own;
	return NULL;
}

/* Make the path that of element @name of the innermost container. */
static void path_set(struct jsonl *j, const char *name, size_t len)
{
	size_t base = j->level[j->depth - 1].path_len;
	size_t dot = base > 0;

	/* Longer than any mapped key: it matches nothing. */
	if (base + dot + len >= PATH_MAX_LEN) {
		j->path_len = PATH_MAX_LEN - 1;
		return;
	}
	if (dot)
		j->path[base] = '.';
	memcpy(j->path + base + dot, name, len);
	j->path_len = base + dot + len;
}

static const char *key(struct jsonl *j)
{
	struct mapping_text name = {NULL, 0};
	const char *why;

	skip_blanks(j);
	if (j->in.at == j->in.end || *j->in.at != '"')
		return "a key is missing";
	j->in.at++;
	why = jsonl_string(&j->in, &name);
	if (why)
		return why;
	skip_blanks(j);
	if (j->in.at == j->in.end || *j->in.at != ':')
		return "a colon is missing";
	j->in.at++;
	path_set(j, name.text, name.len);
	return NULL;
}

static const char *element(struct jsonl *j)
{
	struct level *l = &j->level[j->depth - 1];
	char text[DECIMAL_TEXT_MAX];

	if (!l->is_array)
		return key(j);
	path_set(j, text, decimal_print_u64(text, l->index++));
	return NULL;
}

/* Open the container at `at`; *is_done: it is empty and closed again. */
static const char *open_container(struct jsonl *j, bool *is_done)
{
	bool is_array = *j->in.at++ == '[';

	*is_done = false;
	if (j->depth == JSONL_DEPTH_MAX)
		return "it is nested deeper than 16";
	skip_blanks(j);
	if (j->in.at < j->in.end && *j->in.at == (is_array ? ']' : '}')) {
		j->in.at++;
		*is_done = true;
		return NULL;
	}
	j->level[j->depth++] = (struct level){is_array, j->path_len, 0};
	return element(j);
}

/* A scalar, or the opening of a container. */
static const char *value(struct jsonl *j, bool *is_done)
{
	struct mapping_text v = {NULL, 0};
	const char *why = NULL;

	*is_done = true;
	skip_blanks(j);
	if (j->in.at == j->in.end)
		return "a value is missing";
	if (*j->in.at == '{' || *j->in.at == '[')
		return open_container(j, is_done);
	if (*j->in.at == '"') {
		j->in.at++;
		why = jsonl_string(&j->in, &v);
	} else if (*j->in.at == '-' || (unsigned char)(*j->in.at - '0') <= 9) {
		why = number(j, &v);
	} else if (word(j, "true")) {
		v = (struct mapping_text){"true", 4};
	} else if (word(j, "false")) {
		v = (struct mapping_text){"false", 5};
	} else if (!word(j, "null")) {
		return "a value is malformed";
	}
	return why ? why : leaf(j, v);
}

/* After a value: step to the next one, or close what ends here. */
static const char *next(struct jsonl *j)
{
	while (j->depth > 0) {
		const struct level *l = &j->level[j->depth - 1];

		skip_blanks(j);
		if (j->in.at == j->in.end)
			return "the object is cut off";
		if (*j->in.at == ',') {
			j->in.at++;
			return element(j);
		}
		if (*j->in.at != (l->is_array ? ']' : '}'))
			return "a comma is missing";
		j->in.at++;
		j->depth--;
	}
	return NULL;
}

/* "1723075200123456789 {": what a recorder writes in front. */
static const char *prefix(struct jsonl *j)
{
	struct mapping_text v = {NULL, 0};
	const char *why;

	skip_blanks(j);
	if (j->in.at == j->in.end || (unsigned char)(*j->in.at - '0') > 9)
		return NULL;
	why = number(j, &v);
	if (why)
		return why;
	j->path[0] = '@';
	j->path_len = 1;
	return leaf(j, v);
}

static const char *walk(struct jsonl *j)
{
	const char *why = prefix(j);

	if (why)
		return why;
	skip_blanks(j);
	if (j->in.at == j->in.end || *j->in.at != '{')
		return "it is not a JSON object";
	j->path_len = 0;
	do {
		bool is_done;

		why = value(j, &is_done);
		if (!why && is_done)
			why = next(j);
		if (why)
			return why;
	} while (j->depth > 0);
	skip_blanks(j);
	return j->in.at == j->in.end ? NULL : "something follows the object";
}

int jsonl_scan(struct jsonl *j, const char *text, size_t len,
	       struct mapping_text out[MAP_FIELDS], char why[FEED_WHY_MAX])
{
	const char *broken;

	if (len > j->in.scratch_cap) {
		char *bigger = realloc(j->in.scratch, len);

		if (!bigger) {
			(void)snprintf(why, FEED_WHY_MAX,
				       "no memory for a line this long");
			return MAPPING_BAD;
		}
		j->in.scratch = bigger;
		j->in.scratch_cap = len;
	}
	for (int f = 0; f < MAP_FIELDS; f++) {
		out[f] = (struct mapping_text){NULL, 0};
		j->is_own[f] = false;
	}
	j->in.scratch_len = 0;
	j->path_len = 0;
	j->depth = 0;
	j->in.at = text;
	j->in.end = text + len;
	j->out = out;

	broken = walk(j);
	if (!broken)
		return 0;
	(void)snprintf(why, FEED_WHY_MAX, "column %td: %s", j->in.at - text + 1,
		       broken);
	return MAPPING_BAD;
}

static int report(struct jsonl *j, const struct feed_sink *sink, uint64_t line,
		  const char *why)
{
	j->counts.bad++;
	return sink->bad ? sink->bad(sink->arg, line, why) : 0;
}

static int record(struct jsonl *j, const struct feed_sink *sink, const struct line *l)
{
	struct mapping_text v[MAP_FIELDS];
	char why[FEED_WHY_MAX];
	struct feed_tick tick;

	if (jsonl_scan(j, l->text, l->len, v, why) != 0 ||
	    mapping_apply(j->mapping, v, &tick, why) != 0)
		return report(j, sink, l->number, why);
	j->counts.ticks++;
	return sink->tick(sink->arg, &tick);
}

int jsonl_step(struct jsonl *j, const struct feed_sink *sink, size_t budget)
{
	while (budget-- > 0) {
		struct line l = {NULL, 0, 0};
		int rc = lines_next(j->lines, false, ',', &l);

		if (rc < 0)
			return rc;
		if (rc == LINES_END)
			return FEED_END;
		if (rc == 0 && l.len == 0)
			continue;
		j->counts.lines++;
		rc = rc ? report(j, sink, l.number, "the line is too long")
			: record(j, sink, &l);
		if (rc)
			return rc;
	}
	return 0;
}
