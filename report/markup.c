/* markup - see markup.h. */
#include "report/markup.h"
#include "base/clock.h"
#include "base/timetext.h"
#include "base/utf8.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DASH        "\xe2\x80\x93"
#define REPLACEMENT "\xef\xbf\xbd"

/* What @c is written as; NULL: as itself. */
static const char *escape_of(unsigned char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return c < ' ' || c == 0x7f ? REPLACEMENT : NULL;
	}
}

void markup_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(text + i, len - i);
		const char *escape = n == 1 ? escape_of((unsigned char)text[i]) : NULL;

		if (n == 0)
			escape = REPLACEMENT;
		if (escape != NULL)
			buf_add(out, escape, strlen(escape));
		else
			buf_add(out, text + i, n);
		i += n > 0 ? n : 1;
	}
}

bool markup_is_link(const char *url)
{
	if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0)
		return false;
	for (; *url != '\0'; url++)
		if ((unsigned char)*url <= ' ' || *url == 0x7f)
			return false;
	return true;
}

void markup_number(struct buf *out, double v, int digits, bool sign)
{
	char text[400];

	if (!isfinite(v)) {
		buf_printf(out, DASH);
		return;
	}
	(void)snprintf(text, sizeof(text), sign ? "%+.*f" : "%.*f", digits, v);
	/* Nothing but zeros has no sign. */
	if (strpbrk(text, "123456789") == NULL && (*text == '-' || *text == '+'))
		buf_printf(out, "%s", text + 1);
	else
		buf_printf(out, "%s", text);
}

/* "1234567.89" with commas. */
static void put_parted(struct buf *out, double v)
{
	char text[400];
	const char *at = text;
	size_t digits;

	(void)snprintf(text, sizeof(text), "%.2f", v);
	if (*at == '-')
		buf_add(out, at++, 1);
	for (digits = strcspn(at, "."); digits > 0; digits--) {
		buf_add(out, at++, 1);
		if (digits % 3 == 1 && digits > 1)
			buf_add(out, ",", 1);
	}
	buf_printf(out, "%s", at);
}

void markup_price(struct buf *out, double v)
{
	if (isfinite(v) && fabs(v) >= 10000) {
		put_parted(out, v);
		return;
	}
	markup_number(out, v, fabs(v) >= 1 ? 2 : fabs(v) >= 0.01 ? 4 : 8, false);
}

void markup_percent(struct buf *out, double v)
{
	markup_number(out, 100 * v, 2, true);
	if (isfinite(v))
		buf_printf(out, "\xc2\xa0%%");
}

void markup_amount(struct buf *out, double v)
{
	static const char units[] = {0, 'k', 'M', 'G', 'T'};
	size_t i = 0;

	while (i + 1 < sizeof(units) && fabs(v) >= 999.5) {
		v /= 1000;
		i++;
	}
	markup_number(out, v, i > 0 && fabs(v) < 99.95 ? 1 : 0, false);
	if (i > 0)
		buf_add(out, &units[i], 1);
}

void markup_date(struct buf *out, int64_t ns, bool time)
{
	char text[TIMETEXT_MAX];

	if (ns == INT64_MIN) {
		buf_printf(out, DASH);
		return;
	}
	(void)timetext_print(text, ns);
	if (time)
		buf_printf(out, "%.10s %.5s", text, text + 11);
	else
		buf_printf(out, "%.10s", text);
}
