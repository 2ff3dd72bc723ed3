/* analysis_line - see analysis_line.h. */
#include "daemon/analysis_line.h"
#include "base/err.h"
#include "base/utf8.h"
#include <errno.h>
#include <string.h>

#define ROWS_DIGITS 9

void analysis_printable(const char *text, size_t len, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		size_t k = utf8_len(text + i, len - i);
		bool is_bad = k == 0 || (k == 1 && (text[i] < ' ' || text[i] == 127));

		k = k == 0 ? 1 : k;
		if (n + k >= cap)
			break;
		if (is_bad)
			out[n] = '?';
		else
			memcpy(out + n, text + i, k);
		n += k;
		i += k;
	}
	out[n] = '\0';
}

/* Digits at @text: how many, or 0. */
static size_t read_row(const char *text, size_t len, uint32_t *out)
{
	uint32_t v = 0;
	size_t n = 0;

	while (n < len && text[n] >= '0' && text[n] <= '9') {
		if (n == ROWS_DIGITS)
			return 0;
		v = v * 10 + (uint32_t)(text[n++] - '0');
	}
	*out = v;
	return v == 0 ? 0 : n;
}

int analysis_line_parse(const char *text, size_t len, struct analysis_line *out)
{
	static const char *const words[] = {[ROW_BEGIN] = "begin ",
					    [ROW_LEAVE] = "leave ",
					    [ROW_DONE] = "done ",
					    [ROW_FAILED] = "failed "};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]), digits;

		if (len < n || memcmp(text, words[i], n) != 0)
			continue;
		*out = (struct analysis_line){.word = (enum analysis_word)i};
		digits = read_row(text + n, len - n, &out->row);
		n += digits;
		if (digits == 0 || (i != ROW_FAILED && n != len))
			break;
		if (i != ROW_FAILED)
			return 0;
		if (n + 1 >= len || text[n] != ' ')
			break;
		analysis_printable(text + n + 1, len - n - 1, out->reason,
				   sizeof(out->reason));
		return 0;
	}
	return err_set(-EINVAL, "it said what is no progress");
}

static int take_line(const struct analysis_lines *l, analysis_line_fn fn, void *arg)
{
	struct analysis_line line;
	int rc = analysis_line_parse(l->held, l->n, &line);

	return rc < 0 ? rc : fn(arg, &line);
}

int analysis_lines_take(struct analysis_lines *l, const char *data, size_t len,
			analysis_line_fn fn, void *arg)
{
	int rc = 0;

	for (size_t i = 0; i < len && rc == 0; i++) {
		if (data[i] == '\n') {
			rc = take_line(l, fn, arg);
			l->n = 0;
		} else if (l->n == sizeof(l->held)) {
			rc = err_set(-EINVAL, "it said a line without an end");
		} else {
			l->held[l->n++] = data[i];
		}
	}
	return rc;
}
