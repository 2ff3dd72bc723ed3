/*
 * mapping - names, numbers and times of other people's files.
 *
 * The texts of "time=0,bid=1" are small languages read by hand: one pass, one
 * sentence per error.
 */
#include "feeds/mapping.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/timetext.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAY_S 86400

static const char *const field_names[MAP_FIELDS] = {
	"time",     "symbol", "price", "size", "bid",    "ask",   "bid_size",
	"ask_size", "seq",    "ref",   "cond", "action", "flags", "source",
};

/* Names looked for without a mapping, beside the field's own. */
static const struct {
	const char *name;
	enum mapping_field field;
} guesses[] = {
	{"timestamp", MAP_TIME},    {"ts", MAP_TIME},
	{"date", MAP_TIME},         {"datetime", MAP_TIME},
	{"event_time", MAP_TIME},   {"event_ns", MAP_TIME},
	{"time_ns", MAP_TIME},      {"ts_event", MAP_TIME},
	{"ticker", MAP_SYMBOL},     {"sym", MAP_SYMBOL},
	{"last", MAP_PRICE},        {"close", MAP_PRICE},
	{"trade_price", MAP_PRICE}, {"volume", MAP_SIZE},
	{"qty", MAP_SIZE},          {"quantity", MAP_SIZE},
	{"bid_price", MAP_BID},     {"ask_price", MAP_ASK},
	{"bidsize", MAP_BID_SIZE},  {"asksize", MAP_ASK_SIZE},
	{"bid_qty", MAP_BID_SIZE},  {"ask_qty", MAP_ASK_SIZE},
	{"sequence", MAP_SEQ},      {"source_seq", MAP_SEQ},
	{"trade_id", MAP_SEQ},      {"ref_seq", MAP_REF},
	{"condition", MAP_COND},    {"conditions", MAP_COND},
};

const char *mapping_field_name(enum mapping_field f)
{
	return f < MAP_FIELDS ? field_names[f] : "?";
}

void mapping_init(struct mapping *m)
{
	*m = (struct mapping){.delimiter = ','};
	for (int f = 0; f < MAP_FIELDS; f++)
		m->col[f].index = -1;
}

void mapping_deinit(struct mapping *m)
{
	tz_free(m->tz);
	m->tz = NULL;
}

static enum mapping_field field_of(const char *name, size_t len)
{
	for (int f = 0; f < MAP_FIELDS; f++)
		if (strlen(field_names[f]) == len &&
		    memcmp(field_names[f], name, len) == 0)
			return (enum mapping_field)f;
	return MAP_FIELDS;
}

/* Split "field=value" off the front of *at; false at the end. */
static int next_pair(const char **at, enum mapping_field *f, const char **value,
		     size_t *len)
{
	size_t part = strcspn(*at, ","), name;

	name = strcspn(*at, "=,");
	if (name == part)
		return err_set(-EINVAL, "'%.*s' is not of the form field=value",
			       (int)part, *at);
	*f = field_of(*at, name);
	if (*f == MAP_FIELDS)
		return err_set(-EINVAL, "'%.*s' is not a field of a tick", (int)name,
			       *at);
	*value = *at + name + 1;
	*len = part - name - 1;
	if (*len == 0)
		return err_set(-EINVAL, "%s has no value", field_names[*f]);
	if (*len >= MAPPING_KEY_MAX || *len >= MAPPING_VALUE_MAX)
		return err_set(-EINVAL, "the value of %s is longer than %d characters",
			       field_names[*f], MAPPING_KEY_MAX - 1);
	*at += part;
	if (**at == ',' && *++*at == 0)
		return err_set(-EINVAL, "nothing follows the last comma");
	return 0;
}

int mapping_columns(struct mapping *m, const char *text)
{
	bool by_name = false;

	do {
		enum mapping_field f = MAP_FIELDS;
		const char *value = NULL;
		size_t len = 0;
		int64_t index;
		int rc = next_pair(&text, &f, &value, &len);

		if (rc < 0)
			return rc;
		if (m->col[f].key[0] || m->col[f].is_constant)
			return err_set(-EINVAL, "%s is mapped twice", field_names[f]);
		memcpy(m->col[f].key, value, len);
		m->col[f].key[len] = 0;
		if (*value >= '0' && *value <= '9' &&
		    decimal_parse(value, len, 0, &index) == 0) {
			if (index > 255)
				return err_set(-EINVAL, "column %s of %s is beyond 255",
					       m->col[f].key, field_names[f]);
			m->col[f].index = (int)index;
			m->has_index = true;
		} else {
			by_name = true;
		}
	} while (*text);
	if (by_name && m->has_index)
		return err_set(-EINVAL,
			       "columns are mapped by number and by name at once");
	m->is_explicit = true;
	return 0;
}

int mapping_constants(struct mapping *m, const char *text)
{
	do {
		enum mapping_field f = MAP_FIELDS;
		const char *value = NULL;
		size_t len = 0;
		int rc = next_pair(&text, &f, &value, &len);

		if (rc < 0)
			return rc;
		if (m->col[f].key[0] || m->col[f].is_constant)
			return err_set(-EINVAL, "%s is mapped twice", field_names[f]);
		m->col[f].is_constant = true;
		memcpy(m->col[f].value, value, len);
		m->col[f].value[len] = 0;
	} while (*text);
	return 0;
}

static int set_zone(struct mapping *m, const char *zone)
{
	size_t len = strlen(zone);
	char stamp[TIMETEXT_MAX];
	int64_t ns;

	if (*zone != '+' && *zone != '-')
		return tz_load(zone, &m->tz);
	if (len > 6)
		return err_set(-EINVAL, "'%s' is not an offset like -05:00", zone);
	/* The epoch in that zone lies as far off as the offset says. */
	(void)snprintf(stamp, sizeof(stamp), "1970-01-02T00:00:00%s", zone);
	if (timetext_parse(stamp, strlen(stamp), &ns) != 0)
		return err_set(-EINVAL, "'%s' is not an offset like -05:00", zone);
	m->offset_s = (int32_t)(DAY_S - ns / NS_PER_S);
	return 0;
}

/* "s", "ms", "us", "ns": decimals of a second. */
static bool unit_of(const char *s, size_t len, unsigned *out)
{
	static const char *const units[] = {"s", "ms", "us", "ns"};

	for (unsigned i = 0; i < 4; i++) {
		if (strlen(units[i]) == len && memcmp(units[i], s, len) == 0) {
			*out = 3 * i;
			return true;
		}
	}
	return false;
}

static int set_of_day(struct mapping *m, const char *rest)
{
	char stamp[TIMETEXT_MAX];
	size_t len = strcspn(rest, "@");
	int64_t ns;

	(void)snprintf(stamp, sizeof(stamp), "%.*sT00:00:00Z",
		       (int)(len > 12 ? 12 : len), rest);
	if (len != 10 || timetext_parse(stamp, strlen(stamp), &ns) != 0)
		return err_set(-EINVAL, "'%.*s' is not a date like 2014-05-05",
			       (int)len, rest);
	m->clock = CLOCK_OF_DAY;
	m->date_days = ns / NS_PER_S / DAY_S;
	return rest[len] == '@' ? set_zone(m, rest + len + 1) : 0;
}

int mapping_time(struct mapping *m, const char *text)
{
	size_t head = strcspn(text, "@");

	tz_free(m->tz);
	m->tz = NULL;
	m->offset_s = 0;
	m->is_unit_known = false;
	if (strcmp(text, "auto") == 0) {
		m->clock = CLOCK_AUTO;
		return 0;
	}
	if (strcmp(text, "rfc3339") == 0) {
		m->clock = CLOCK_RFC3339;
		return 0;
	}
	if (head == 5 && memcmp(text, "local", 5) == 0) {
		m->clock = CLOCK_LOCAL;
		return text[head] ? set_zone(m, text + head + 1) : 0;
	}
	if (!unit_of(text, head, &m->unit_scale))
		return err_set(
			-EINVAL,
			"'%s' is not a time format (auto, rfc3339, s, ms, us, ns, "
			"ms@DATE@ZONE, local@ZONE)",
			text);
	m->clock = CLOCK_EPOCH;
	return text[head] ? set_of_day(m, text + head + 1) : 0;
}

enum mapping_field mapping_guess(const struct mapping *m, const char *name, size_t len)
{
	if (m->is_explicit) {
		for (int f = 0; f < MAP_FIELDS; f++)
			if (m->col[f].key[0] && strlen(m->col[f].key) == len &&
			    memcmp(m->col[f].key, name, len) == 0)
				return (enum mapping_field)f;
		return MAP_FIELDS;
	}
	for (int f = 0; f < MAP_FIELDS; f++)
		if (strlen(field_names[f]) == len &&
		    strncasecmp(field_names[f], name, len) == 0)
			return (enum mapping_field)f;
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++)
		if (strlen(guesses[i].name) == len &&
		    strncasecmp(guesses[i].name, name, len) == 0)
			return guesses[i].field;
	return MAP_FIELDS;
}

int mapping_check(const struct mapping *m, const bool present[MAP_FIELDS])
{
	bool has[MAP_FIELDS];

	for (int f = 0; f < MAP_FIELDS; f++) {
		has[f] = present[f] || m->col[f].is_constant;
		if (m->col[f].key[0] && !present[f])
			return err_set(-EINVAL, "there is no column '%s' for %s",
				       m->col[f].key, field_names[f]);
	}
	if (!has[MAP_TIME])
		return err_set(-EINVAL, "no column gives the time; map it: time=NAME");
	if (!has[MAP_SYMBOL])
		return err_set(-EINVAL,
			       "no column gives the symbol; map it (symbol=NAME) or "
			       "name it (a constant symbol)");
	if (!has[MAP_PRICE] && !has[MAP_BID] && !has[MAP_ASK])
		return err_set(-EINVAL, "no column gives a price, a bid or an ask");
	return 0;
}
