/*
 * config_value - one value from text into its field, and back.
 *
 * Setting never leaves a half-written field: a value is parsed and checked first.
 */
#include "base/decimal.h"
#include "base/err.h"
#include "base/timetext.h"
#include "daemon/config_lists.h"
#include "daemon/config_units.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define WHY        200
#define WORD_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

static bool is_off(const char *s)
{
	return strcmp(s, "off") == 0;
}

/* An integer without unit. */
static int whole(const struct config_key *k, const char *s, int64_t *out, char *why)
{
	if (decimal_parse(s, strlen(s), 0, out) != 0)
		return config_lists_bad(why, "'%.60s' is not a whole number", s);
	if (*out < k->min || *out > k->max)
		return config_lists_bad(why, "%.40s is not between %lld and %lld", s,
					(long long)k->min, (long long)k->max);
	return 0;
}

static int power(int64_t v, const char *s, char *why)
{
	return v & (v - 1) ? config_lists_bad(why, "%.40s is not a power of two", s)
			   : 0;
}

static int decimal(const struct config_key *k, const char *s, int64_t *out, char *why)
{
	char low[DECIMAL_TEXT_MAX], high[DECIMAL_TEXT_MAX];

	switch (decimal_parse(s, strlen(s), k->scale, out)) {
	case 0:
		break;
	case DECIMAL_INEXACT:
		return config_lists_bad(why, "%.40s has more than %u decimals", s,
					k->scale);
	case DECIMAL_RANGE:
		return config_lists_bad(why, "%.40s is out of range", s);
	default:
		return config_lists_bad(why, "'%.60s' is not a number", s);
	}
	if (*out >= k->min && *out <= k->max)
		return 0;
	(void)decimal_print(low, k->min, k->scale);
	(void)decimal_print(high, k->max, k->scale);
	return config_lists_bad(why, "%.40s is not between %s and %s", s, low, high);
}

/* The one place where text becomes a double: checked to be plain first. */
static int real(const struct config_key *k, const char *s, double *out, char *why)
{
	int64_t check;
	int rc = decimal_parse_exp(s, strlen(s), 9, &check);
	char low[DECIMAL_TEXT_MAX], high[DECIMAL_TEXT_MAX];

	if (rc == DECIMAL_SYNTAX)
		return config_lists_bad(why, "'%.60s' is not a number", s);
	*out = strtod(s, NULL);
	if (rc != DECIMAL_RANGE && *out >= (double)k->min / 1000 &&
	    *out <= (double)k->max / 1000)
		return 0;
	(void)decimal_print(low, k->min, 3);
	(void)decimal_print(high, k->max, 3);
	return config_lists_bad(why, "%.40s is not between %s and %s", s, low, high);
}

bool config_is_plain(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < ' ' || *p == 127)
			return false;
		/* U+0080 to U+009F; U+FFFE and U+FFFF. */
		if (*p == 0xc2 && p[1] < 0xa0)
			return false;
		if (*p == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
			return false;
	}
	return true;
}

static int text(const struct config_key *k, const char *s, char *out, char *why)
{
	size_t len = strlen(s);

	if (len == 0)
		return config_lists_bad(why, "it is empty");
	if (len >= k->scale)
		return config_lists_bad(why, "it is longer than %u characters",
					k->scale - 1);
	if (!config_is_plain(s))
		return config_lists_bad(why, "it holds a control character");
	memset(out, 0, k->scale);
	memcpy(out, s, len);
	return 0;
}

/* "HOST:PORT", the host maybe in brackets. */
static bool is_address(const char *s)
{
	const char *colon = strrchr(s, ':');
	int64_t port;

	return colon && colon != s &&
	       decimal_parse(colon + 1, strlen(colon + 1), 0, &port) == 0 && port > 0 &&
	       port < 65536 && strpbrk(s, " /") == NULL;
}

/* "https://HOST[:PORT][/PATH]": nothing that could hold a key. */
static bool is_web(const char *s)
{
	static const char *const schemes[] = {"https://", "http://", "wss://", "ws://",
					      "tcp://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncmp(s, schemes[i], n) == 0)
			return s[n] != '\0' && s[n] != '/' && s[strlen(s) - 1] != '/' &&
			       strpbrk(s + n, " @?#\\") == NULL;
	}
	return false;
}

static int endpoint(const struct config_key *k, const char *s, char *out, char *why)
{
	if (is_off(s)) {
		memset(out, 0, k->scale);
		return 0;
	}
	switch (k->type) {
	case CONFIG_NNG_URL:
		if (strncmp(s, "tcp://", 6) == 0 ? !is_address(s + 6)
						 : strncmp(s, "ipc:///", 7) != 0)
			return config_lists_bad(
				why,
				"'%.60s' is not off, tcp://ADDRESS:PORT or ipc:///PATH",
				s);
		break;
	case CONFIG_WEB:
		if (!is_web(s))
			return config_lists_bad(
				why, "'%.60s' is not off or https://HOST[:PORT]", s);
		break;
	case CONFIG_WORD:
		if (strspn(s, WORD_CHARS) != strlen(s))
			return config_lists_bad(
				why, "'%.60s' is not off or [A-Za-z0-9._-]", s);
		break;
	case CONFIG_PATH:
		if (s[0] != '/')
			return config_lists_bad(
				why, "'%.60s' is not off or an absolute path", s);
		break;
	case CONFIG_ADDRESS:
		if (!is_address(s))
			return config_lists_bad(
				why, "'%.60s' is not off or ADDRESS:PORT", s);
		break;
	default:
		if (s[0] != '/')
			return config_lists_bad(
				why, "'%.60s' is not off or an absolute path", s);
		if (strlen(s) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return config_lists_bad(
				why, "a socket's path has at most %zu characters",
				sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
		break;
	}
	return text(k, s, out, why);
}

static int of_day(const struct config_key *k, const char *s, int32_t *out, char *why)
{
	unsigned h, m;
	char end;

	if (is_off(s)) {
		*out = -1;
		return 0;
	}
	if (strlen(s) != 5 || s[2] != ':' || strspn(s, "0123456789") != 2 ||
	    sscanf(s, "%2u:%2u%c", &h, &m, &end) != 2 || h > 24 || m > 59 ||
	    h * 3600 + m * 60 > k->max || h * 3600 + m * 60 < k->min)
		return config_lists_bad(
			why, "'%.40s' is not off or a time of day like 09:30", s);
	*out = (int32_t)(h * 3600 + m * 60);
	return 0;
}

static int source(const struct config_key *k, const char *s, char *out, char *why)
{
	if (strcmp(s, "any") != 0 && !source_valid(s, strlen(s)))
		return config_lists_bad(
			why, "'%.40s' is not any or a source [a-z0-9._-]{1,16}", s);
	memset(out, 0, k->scale);
	if (strcmp(s, "any") != 0)
		memcpy(out, s, strlen(s));
	return 0;
}

static int zone(const struct config_key *k, struct symbol_params *p,
		struct params *params, const char *s, char *why)
{
	const struct tz *tz = NULL;

	if (strlen(s) >= k->scale)
		return config_lists_bad(why, "it is longer than %u characters",
					k->scale - 1);
	/* UTC is no zone at all: nothing to load, the same on every machine. */
	if (strcmp(s, "UTC") != 0 && params_zone(params, s, &tz) < 0)
		return config_lists_bad(why, "time zone '%.40s' is unknown: %.120s", s,
					err_text());
	memset(p->tz_name, 0, sizeof(p->tz_name));
	memcpy(p->tz_name, s, strlen(s));
	p->tz = tz;
	return 0;
}

static int boolean(const char *s, bool *out, char *why)
{
	bool is_yes =
		strcmp(s, "true") == 0 || strcmp(s, "yes") == 0 || strcmp(s, "on") == 0;

	if (!is_yes && strcmp(s, "false") != 0 && strcmp(s, "no") != 0 && !is_off(s))
		return config_lists_bad(why, "'%.40s' is not true or false", s);
	*out = is_yes;
	return 0;
}

/* Types whose value is an integer: parse and check it. */
static int integer(const struct config_key *k, const char *s, int64_t *v, char *why)
{
	uint32_t word = 0;
	int rc;

	switch (k->type) {
	case CONFIG_POWER_U32:
		rc = whole(k, s, v, why);
		return rc ? rc : power(*v, s, why);
	case CONFIG_BYTES:
		return config_bytes_parse(s, k->min, k->max, v, why);
	case CONFIG_POWER_BYTES:
		rc = config_bytes_parse(s, k->min, k->max, v, why);
		return rc ? rc : power(*v, s, why);
	case CONFIG_DURATION:
		return config_duration_parse(s, k->min, k->max, v, why);
	case CONFIG_CHOICE:
	case CONFIG_CHOICE8:
		rc = config_lists_choice(k->words, s, &word, why);
		*v = word;
		return rc;
	case CONFIG_SCALED:
	case CONFIG_DECIMAL:
		return decimal(k, s, v, why);
	case CONFIG_TIME:
		if (timetext_parse(s, strlen(s), v) != 0 || *v < k->min)
			return config_lists_bad(
				why, "'%.40s' is not a time like 2024-01-02T09:30:00Z",
				s);
		return 0;
	case CONFIG_TIMEFRAME:
		*v = config_lists_timeframe(s);
		return *v ? 0
			  : config_lists_bad(why,
					     "'%.40s' is not a timeframe "
					     "(" CONFIG_TIMEFRAME_NAMES ")",
					     s);
	default:
		return whole(k, s, v, why);
	}
}

static int set_integer(const struct config_key *k, void *field, const char *s,
		       char *why)
{
	int64_t v = 0;
	int rc = integer(k, s, &v, why);

	if (rc)
		return rc;
	switch (k->type) {
	case CONFIG_CHOICE8:
		*(uint8_t *)field = (uint8_t)v;
		break;
	case CONFIG_I32:
		*(int32_t *)field = (int32_t)v;
		break;
	case CONFIG_U32:
	case CONFIG_POWER_U32:
	case CONFIG_CHOICE:
	case CONFIG_SCALED:
	case CONFIG_TIMEFRAME:
		*(uint32_t *)field = (uint32_t)v;
		break;
	case CONFIG_U64:
	case CONFIG_BYTES:
	case CONFIG_POWER_BYTES:
		*(uint64_t *)field = (uint64_t)v;
		break;
	default:
		*(int64_t *)field = v;
		break;
	}
	return 0;
}

int config_value_set(const struct config_key *k, void *base, struct params *params,
		     const struct config_words *w, char why[WHY])
{
	void *field = (char *)base + k->offset;

	switch (k->type) {
	case CONFIG_TIMEFRAMES:
	case CONFIG_PRICES:
	case CONFIG_DAYS:
	case CONFIG_SOURCES:
	case CONFIG_INDICATORS:
		return config_lists_set(k, base, w, why);
	default:
		break;
	}
	if (w->is_list)
		return config_lists_bad(why, "it takes one value, not a list");
	switch (k->type) {
	case CONFIG_BOOL:
		return boolean(w->word[0], field, why);
	case CONFIG_TEXT:
		return text(k, w->word[0], field, why);
	case CONFIG_NNG_URL:
	case CONFIG_ADDRESS:
	case CONFIG_SOCKET:
	case CONFIG_PATH:
	case CONFIG_WORD:
	case CONFIG_WEB:
		return endpoint(k, w->word[0], field, why);
	case CONFIG_DOUBLE:
		return real(k, w->word[0], field, why);
	case CONFIG_OF_DAY:
		return of_day(k, w->word[0], field, why);
	case CONFIG_ZONE:
		return zone(k, base, params, w->word[0], why);
	case CONFIG_SOURCE:
		return source(k, w->word[0], field, why);
	default:
		return set_integer(k, field, w->word[0], why);
	}
}
