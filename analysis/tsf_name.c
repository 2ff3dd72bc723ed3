/* tsf_name - a feature's name from the line of its calculator. */
#include "analysis/tsf_name.h"
#include "base/err.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "FIRST..LAST": a range, first number and number of values; 0: none. */
static size_t range_of(const char *axis, long *out_first)
{
	const char *dots = strstr(axis, "..");

	if (dots == NULL)
		return 0;
	*out_first = strtol(axis, NULL, 10);
	return (size_t)(strtol(dots + 2, NULL, 10) - *out_first + 1);
}

static size_t axis_len(const char *axis)
{
	long first;
	size_t n = range_of(axis, &first);

	if (n > 0)
		return n;
	n = 1;
	for (const char *p = axis; *p != '\0'; p++)
		n += *p == ' ';
	return n;
}

size_t tsf_calculator_count(const struct tsf_calculator *c)
{
	size_t n = 1;

	for (size_t a = 0; a < 3 && c->axis[a] != NULL; a++)
		n *= axis_len(c->axis[a]);
	return n;
}

/* Value @i of an axis; returns its length. */
static int axis_value(const char *axis, size_t i, char *out, size_t cap)
{
	long first;
	int len;

	if (range_of(axis, &first) > 0)
		return snprintf(out, cap, "%ld", first + (long)i);
	for (; i > 0; i--)
		axis = strchr(axis, ' ') + 1;
	len = (int)strcspn(axis, " ");
	return snprintf(out, cap, "%.*s", len, axis);
}

static void format(const struct tsf_calculator *c, size_t i, char name[TSF_NAME_MAX])
{
	size_t at[3] = {0};
	int len;

	for (size_t a = 3; a-- > 0;) {
		if (c->axis[a] == NULL)
			continue;
		at[a] = i % axis_len(c->axis[a]);
		i /= axis_len(c->axis[a]);
	}
	len = snprintf(name, TSF_NAME_MAX, c->format[0] != '\0' ? "%s__" : "%s",
		       c->name);
	for (const char *p = c->format; *p != '\0' && len < TSF_NAME_MAX - 1; p++) {
		if (*p == '$') {
			size_t a = (size_t)(*++p - '1');

			len += axis_value(c->axis[a], at[a], name + len,
					  (size_t)(TSF_NAME_MAX - len));
		} else {
			name[len++] = *p;
			name[len] = '\0';
		}
	}
}

void tsf_name(enum tsf_set set, size_t i, char name[TSF_NAME_MAX])
{
	name[0] = '\0';
	for (size_t c = 0; c < tsf_table_len; c++) {
		size_t n;

		if (tsf_table[c].set > set)
			continue;
		n = tsf_calculator_count(&tsf_table[c]);
		if (i < n) {
			format(&tsf_table[c], i, name);
			return;
		}
		i -= n;
	}
}

size_t tsf_count(enum tsf_set set)
{
	static const size_t count[] = {TSF_MINIMAL_COUNT, TSF_EFFICIENT_COUNT,
				       TSF_COMPREHENSIVE_COUNT};

	return count[set];
}

static int parse(const char *what, const char *const *words, int n, const char *text)
{
	for (int i = 0; i < n; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return err_set(-EINVAL, "there is no %s '%s': take %s, %s%s%s", what, text,
		       words[0], words[1], n > 2 ? " or " : "", n > 2 ? words[2] : "");
}

int tsf_set_parse(const char *text, enum tsf_set *out)
{
	static const char *const words[] = {"minimal", "efficient", "comprehensive"};
	int rc = parse("set", words, 3, text);

	if (rc < 0)
		return rc;
	*out = (enum tsf_set)rc;
	return 0;
}

int tsf_flavour_parse(const char *text, enum tsf_flavour *out)
{
	static const char *const words[] = {"tsfresh", "plain"};
	int rc = parse("flavour", words, 2, text);

	if (rc < 0)
		return rc;
	*out = (enum tsf_flavour)rc;
	return 0;
}
