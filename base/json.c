/*
 * json - a strict reader in front of cJSON.
 *
 * cJSON accepts 01, 1., raw control characters, broken UTF-8, trailing junk and
 * duplicate keys, and its error position is a global.  So a checker of our own
 * walks the text first, without recursion and with one bit per open bracket;
 * cJSON only builds the tree of a text that is known to be JSON.  Duplicate
 * keys are looked for in the tree, where escapes are already resolved.
 */
#include "base/json.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/utf8.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX       64
#define NUMBER_TEXT_MAX 63 /* cJSON copies a number into 64 bytes */
#define EXACT_MAX       9007199254740992.0

struct check {
	const char *text, *at, *end;
	uint64_t is_object; /* bit d: the bracket at depth d is a brace */
	unsigned depth;
};

static int refuse(const struct check *c, const char *why)
{
	return err_set(-EINVAL, "not JSON at byte %zu: %s", (size_t)(c->at - c->text),
		       why);
}

static void skip_blanks(struct check *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
}

static bool at_char(const struct check *c, char x)
{
	return c->at < c->end && *c->at == x;
}

static int hex4(const char *s, const char *end)
{
	int v = 0;

	if (end - s < 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		char x = s[i];
		int digit;

		if (x >= '0' && x <= '9')
			digit = x - '0';
		else if (x >= 'a' && x <= 'f')
			digit = x - 'a' + 10;
		else if (x >= 'A' && x <= 'F')
			digit = x - 'A' + 10;
		else
			return -1;
		v = v * 16 + digit;
	}
	return v;
}

/* At a backslash.  A NUL would cut the text short in C, so it is refused. */
static int check_escape(struct check *c)
{
	int unit, low;

	if (c->end - c->at < 2)
		return refuse(c, "the text ends in an escape");
	if (c->at[1] != 'u') {
		if (c->at[1] == 0 || !strchr("\"\\/bfnrt", c->at[1]))
			return refuse(c, "unknown escape");
		c->at += 2;
		return 0;
	}
	unit = hex4(c->at + 2, c->end);
	if (unit <= 0)
		return refuse(c, unit == 0 ? "\\u0000 in a string" : "bad \\u escape");
	if (unit < 0xd800 || unit > 0xdfff) {
		c->at += 6;
		return 0;
	}
	low = -1;
	if (unit < 0xdc00 && c->end - c->at >= 12 && c->at[6] == '\\' &&
	    c->at[7] == 'u')
		low = hex4(c->at + 8, c->end);
	if (low < 0xdc00 || low > 0xdfff)
		return refuse(c, "half a surrogate pair");
	c->at += 12;
	return 0;
}

static int check_string(struct check *c)
{
	int rc;

	if (!at_char(c, '"'))
		return refuse(c, "a string was expected");
	c->at++;
	while (c->at < c->end && *c->at != '"') {
		if ((unsigned char)*c->at < 0x20)
			return refuse(c, "control character in a string");
		if (*c->at == '\\') {
			rc = check_escape(c);
			if (rc < 0)
				return rc;
		} else {
			size_t n = utf8_len(c->at, (size_t)(c->end - c->at));

			if (n == 0)
				return refuse(c, "not UTF-8");
			c->at += n;
		}
	}
	if (c->at == c->end)
		return refuse(c, "the string does not end");
	c->at++;
	return 0;
}

static size_t skip_digits(struct check *c)
{
	const char *from = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9')
		c->at++;
	return (size_t)(c->at - from);
}

static int check_number(struct check *c)
{
	const char *from = c->at;

	if (at_char(c, '-'))
		c->at++;
	if (at_char(c, '0'))
		c->at++;
	else if (skip_digits(c) == 0)
		return refuse(c, "a value was expected");
	if (at_char(c, '.')) {
		c->at++;
		if (skip_digits(c) == 0)
			return refuse(c, "a digit was expected after the point");
	}
	if (at_char(c, 'e') || at_char(c, 'E')) {
		c->at++;
		if (at_char(c, '+') || at_char(c, '-'))
			c->at++;
		if (skip_digits(c) == 0)
			return refuse(c, "a digit was expected in the exponent");
	}
	if (c->at - from > NUMBER_TEXT_MAX)
		return refuse(c, "the number is longer than 63 characters");
	return 0;
}

static int check_scalar(struct check *c)
{
	static const char *const words[] = {"true", "false", "null"};

	if (at_char(c, '"'))
		return check_string(c);
	for (unsigned i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(c->end - c->at) >= n && memcmp(c->at, words[i], n) == 0) {
			c->at += n;
			return 0;
		}
	}
	return check_number(c);
}

static int check_key(struct check *c)
{
	int rc;

	skip_blanks(c);
	rc = check_string(c);
	if (rc < 0)
		return rc;
	skip_blanks(c);
	if (!at_char(c, ':'))
		return refuse(c, "a colon was expected");
	c->at++;
	return 0;
}

static bool in_object(const struct check *c)
{
	return c->is_object >> (c->depth - 1) & 1;
}

static bool at_close(const struct check *c)
{
	return at_char(c, in_object(c) ? '}' : ']');
}

/* At a bracket.  @is_value tells whether a value follows at once. */
static int open_bracket(struct check *c, bool *is_value)
{
	uint64_t bit;

	if (c->depth == DEPTH_MAX)
		return refuse(c, "nested deeper than 64");
	bit = UINT64_C(1) << c->depth++;
	c->is_object = *c->at == '{' ? c->is_object | bit : c->is_object & ~bit;
	c->at++;
	skip_blanks(c);
	*is_value = !at_close(c);
	return *is_value && in_object(c) ? check_key(c) : 0;
}

/* After a value: close brackets up to the next comma or the end. */
static int close_brackets(struct check *c)
{
	for (;;) {
		skip_blanks(c);
		if (c->depth == 0)
			return 0;
		if (at_close(c)) {
			c->at++;
			c->depth--;
			continue;
		}
		if (!at_char(c, ','))
			return refuse(c, "a comma or a closing bracket was expected");
		c->at++;
		return in_object(c) ? check_key(c) : 0;
	}
}

static int check_text(struct check *c)
{
	bool is_value;
	int rc;

	do {
		skip_blanks(c);
		is_value = false;
		if (at_char(c, '{') || at_char(c, '['))
			rc = open_bracket(c, &is_value);
		else
			rc = check_scalar(c);
		if (rc < 0)
			return rc;
		if (is_value)
			continue;
		rc = close_brackets(c);
		if (rc < 0)
			return rc;
	} while (c->depth > 0);
	return c->at == c->end ? 0 : refuse(c, "something follows the value");
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, since a hostile object of 100,000 keys must not cost 10^10 compares. */
static int check_keys(const cJSON *obj)
{
	const char **keys;
	size_t n = 0, i = 0;
	int rc = 0;

	for (const cJSON *m = obj->child; m; m = m->next)
		n++;
	if (n < 2)
		return 0;
	keys = malloc(n * sizeof(*keys));
	if (!keys)
		return err_set(-ENOMEM, "no memory to compare %zu keys", n);
	for (const cJSON *m = obj->child; m; m = m->next)
		keys[i++] = m->string;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (i = 1; i < n && rc == 0; i++) {
		if (strcmp(keys[i - 1], keys[i]) == 0)
			rc = err_set(-EINVAL, "the key '%.100s' occurs twice", keys[i]);
	}
	free(keys);
	return rc;
}

static int check_tree(const cJSON *root)
{
	const cJSON *stack[DEPTH_MAX + 1];
	const cJSON *at = root;
	unsigned depth = 0;
	int rc;

	for (;;) {
		if (cJSON_IsObject(at)) {
			rc = check_keys(at);
			if (rc < 0)
				return rc;
		}
		if (at->child) {
			stack[depth++] = at;
			at = at->child;
			continue;
		}
		while (at != root && !at->next)
			at = stack[--depth];
		if (at == root)
			return 0;
		at = at->next;
	}
}

int json_parse(const char *text, size_t len, struct json **out)
{
	struct check c = {.text = text, .at = text, .end = text + len};
	cJSON *root;
	int rc;

	*out = NULL;
	if (len > JSON_BYTES_MAX)
		return err_set(-EMSGSIZE, "JSON of %zu bytes; at most %u are read", len,
			       JSON_BYTES_MAX);
	rc = check_text(&c);
	if (rc < 0)
		return rc;
	root = cJSON_ParseWithLengthOpts(text, len, NULL, 0);
	if (!root)
		return err_set(-ENOMEM, "no memory for JSON of %zu bytes", len);
	rc = check_tree(root);
	if (rc < 0) {
		cJSON_Delete(root);
		return rc;
	}
	*out = (struct json *)(void *)root;
	return 0;
}

static const cJSON *node(const struct json *v)
{
	return (const cJSON *)(const void *)v;
}

static const struct json *value(const cJSON *n)
{
	return (const struct json *)(const void *)n;
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)(void *)root);
}

const struct json *json_get(const struct json *obj, const char *key)
{
	if (!json_is_object(obj))
		return NULL;
	return value(cJSON_GetObjectItemCaseSensitive(node(obj), key));
}

const char *json_str(const struct json *v, const char *otherwise)
{
	return json_is_string(v) ? node(v)->valuestring : otherwise;
}

bool json_bool(const struct json *v, bool otherwise)
{
	return cJSON_IsBool(node(v)) ? cJSON_IsTrue(node(v)) : otherwise;
}

double json_num(const struct json *v, double otherwise)
{
	if (!json_is_number(v) || !isfinite(node(v)->valuedouble))
		return otherwise;
	return node(v)->valuedouble;
}

static int parse_u64(const char *s, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == 0)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -EINVAL;
	}
	*out = v;
	return 0;
}

int json_u64(const struct json *v, uint64_t *out)
{
	double d;

	if (json_is_string(v)) {
		if (parse_u64(node(v)->valuestring, out) == 0)
			return 0;
		return err_set(-EINVAL, "'%.40s' is not a whole number",
			       node(v)->valuestring);
	}
	if (!json_is_number(v))
		return err_set(-EINVAL, "a whole number was expected");
	d = node(v)->valuedouble;
	if (!(d >= 0) || d > EXACT_MAX || d != floor(d))
		return err_set(-EINVAL, "%g is not a whole number up to 2^53", d);
	*out = (uint64_t)d;
	return 0;
}

bool json_is_object(const struct json *v)
{
	return cJSON_IsObject(node(v));
}

bool json_is_array(const struct json *v)
{
	return cJSON_IsArray(node(v));
}

bool json_is_string(const struct json *v)
{
	return cJSON_IsString(node(v));
}

bool json_is_number(const struct json *v)
{
	return cJSON_IsNumber(node(v));
}

size_t json_len(const struct json *arr)
{
	size_t n = 0;

	if (!json_is_array(arr))
		return 0;
	for (const cJSON *m = node(arr)->child; m; m = m->next)
		n++;
	return n;
}

const struct json *json_at(const struct json *arr, size_t i)
{
	const cJSON *m = json_is_array(arr) ? node(arr)->child : NULL;

	while (m && i-- > 0)
		m = m->next;
	return value(m);
}

const struct json *json_next(const struct json *obj, const struct json *prev,
			     const char **out_key)
{
	const cJSON *m = NULL;

	if (prev)
		m = node(prev)->next;
	else if (json_is_object(obj) || json_is_array(obj))
		m = node(obj)->child;
	if (out_key)
		*out_key = m ? m->string : NULL;
	return value(m);
}
