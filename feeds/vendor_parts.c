/*
 * vendor_parts - questions and messages; rows are made in vendor_rows.c, and keys are
 * handled in vendor_keys.c.
 */
#include "feeds/vendor_parts.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/timetext.h"
#include "base/tz.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~", c) != NULL);
}

void vendor_escape(struct buf *target, const char *text, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char three[3] = {'%', hex[c >> 4], hex[c & 15]};

		if (is_unreserved(c))
			buf_add(target, &text[i], 1);
		else
			buf_add(target, three, sizeof(three));
	}
}

static void param_name(struct buf *target, const char *name)
{
	bool is_first = memchr(target->data, '?', target->len) == NULL;

	buf_printf(target, "%c%s=", is_first ? '?' : '&', name);
}

void vendor_param(struct buf *target, const char *name, const char *value)
{
	param_name(target, name);
	vendor_escape(target, value, strlen(value));
}

void vendor_param_u64(struct buf *target, const char *name, uint64_t value)
{
	param_name(target, name);
	buf_printf(target, "%llu", (unsigned long long)value);
}

void vendor_param_time(struct buf *target, const char *name, int64_t ns)
{
	char text[TIMETEXT_MAX];

	timetext_print(text, ns);
	vendor_param(target, name, text);
}

void vendor_date(struct buf *target, const char *prefix, int64_t days)
{
	unsigned month, day;
	int year;

	timetext_civil(days, &year, &month, &day);
	buf_printf(target, "%s%04d-%02u-%02u", prefix, year, month, day);
}

int vendor_newyork(int64_t ns, int64_t *out_days, int64_t *out_of_day_ns)
{
	int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S, of_day_s;
	struct tz *tz = NULL;
	int rc = tz_load("America/New_York", &tz);

	if (rc < 0)
		return rc;
	if (rest < 0) {
		rest += NS_PER_S;
		s--;
	}
	s += tz_offset_s(tz, s);
	tz_free(tz);
	of_day_s = s % DAY_S + (s % DAY_S < 0 ? DAY_S : 0);
	*out_days = (s - of_day_s) / DAY_S;
	*out_of_day_ns = of_day_s * NS_PER_S + rest;
	return 0;
}

void vendor_param_symbols(struct buf *target, const char *name,
			  const struct vendor_ask *a)
{
	param_name(target, name);
	for (size_t i = 0; i < a->n_symbols; i++) {
		if (i > 0)
			buf_add(target, ",", 1);
		vendor_escape(target, a->symbols[i], strlen(a->symbols[i]));
	}
}

int vendor_check(const struct vendor_ops *ops, const struct vendor_ask *a)
{
	static const char *const names[VENDOR_WHATS] = {"bars", "trades", "quotes",
							"news", "corporate actions"};

	if (a->what >= VENDOR_WHATS || !(ops->can & 1u << a->what))
		return err_set(-EINVAL, "%s has no %s", ops->name,
			       a->what < VENDOR_WHATS ? names[a->what] : "such thing");
	if (a->n_symbols == 0 || a->n_symbols > ops->symbols_max)
		return err_set(-EINVAL, "%s takes 1 to %zu symbols at a time, not %zu",
			       ops->name, ops->symbols_max, a->n_symbols);
	for (size_t i = 0; i < a->n_symbols; i++) {
		const char *symbol = a->symbols[i];

		if (!symbol_valid(symbol, strnlen(symbol, SYMBOL_MAX + 1)))
			return err_set(-EINVAL,
				       "symbol '%.32s' is not [A-Z0-9._:/=%%-]{1,32}",
				       symbol);
	}
	if (a->start_ns >= a->end_ns)
		return err_set(-EINVAL, "the range is empty: it ends where it begins");
	if (a->what == VENDOR_BARS && a->adjust > HIST_ALL)
		return err_set(-EINVAL, "adjustment %u is unknown", a->adjust);
	return 0;
}

uint32_t vendor_limit(uint32_t most, const struct vendor_ask *a)
{
	return a->limit > 0 && a->limit < most ? a->limit : most;
}

bool vendor_in_range(const struct vendor_ask *a, int64_t ns)
{
	return ns >= a->start_ns && ns < a->end_ns;
}

static bool is_message_key(const struct json_key *k)
{
	return json_walk_is(k, "message") || json_walk_is(k, "error") ||
	       json_walk_is(k, "detail") || json_walk_is(k, "description") ||
	       json_walk_is(k, "msg");
}

static bool is_envelope(const struct json_key *k)
{
	return json_walk_is(k, "chart") || json_walk_is(k, "finance") ||
	       json_walk_is(k, "error") || json_walk_is(k, "detail");
}

/* The first message of an error object, however deep its envelopes. */
static void json_message(const char *body, size_t len, char out[VENDOR_WHY_MAX])
{
	unsigned depth = 0;
	struct json_walk w;
	struct json_key k;

	json_walk_begin(&w, body, len);
	depth += json_walk_object(&w);
	while (depth > 0 && !w.why && out[0] == '\0') {
		enum json_type type;

		if (!json_walk_key(&w, &k)) {
			depth--;
			continue;
		}
		type = json_walk_peek(&w);
		if (type == JSON_STRING && is_message_key(&k))
			json_walk_text(&w, out, VENDOR_WHY_MAX);
		else if (type == JSON_OBJECT && is_envelope(&k) && depth < 4)
			depth += json_walk_object(&w);
		else
			json_walk_skip(&w);
	}
}

void vendor_message(const char *body, size_t len, char out[VENDOR_WHY_MAX])
{
	size_t i = 0, n;

	out[0] = '\0';
	while (i < len && (body[i] == ' ' || body[i] == '\r' || body[i] == '\n' ||
			   body[i] == '\t'))
		i++;
	if (i == len)
		return;
	if (body[i] == '{') {
		json_message(body + i, len - i, out);
	} else if (body[i] == '<') {
		(void)snprintf(out, VENDOR_WHY_MAX, "an HTML page");
	} else if (body[i] != '[') {
		n = len - i < 80 ? len - i : 80;
		memcpy(out, body + i, n);
		out[n] = '\0';
	}
	for (char *p = out; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	n = strlen(out);
	while (n > 0 && (out[n - 1] == '?' || out[n - 1] == ' '))
		out[--n] = '\0';
}
