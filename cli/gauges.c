/* gauges - see gauges.h. */
#include "cli/gauges.h"
#include "base/err.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX     "tickbus_"
#define NAME_WIDTH 44

enum section { SECTION_FLOW = 0, SECTION_STATE, SECTION_LOSS, SECTIONS };

static const char *const titles[SECTIONS] = {"FLOW", "STATE", "DROPPED, LATE, REFUSED"};

int gauges_init(struct gauges *g)
{
	*g = (struct gauges){.at = calloc(GAUGES_MAX, sizeof(*g->at))};
	return g->at == NULL ? err_set(-ENOMEM, "no memory for metrics") : 0;
}

void gauges_deinit(struct gauges *g)
{
	free(g->at);
	*g = (struct gauges){0};
}

/* The end of a sample's name: the blank after it, but none inside quoted labels. */
static size_t name_len(const char *line, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			quoted = !quoted;
		else if (line[i] == ' ' && !quoted)
			return i;
	}
	return len;
}

static bool has(const char *text, const char *word)
{
	return strstr(text, word) != NULL;
}

static void read_line(struct gauges *g, const char *line, size_t len)
{
	size_t n = name_len(line, len), skip = strlen(PREFIX);
	char value[64], *end;
	struct gauge *e;
	size_t bare;

	if (n == 0 || n >= len || *line == '#' || len - n - 1 >= sizeof(value))
		return;
	if (g->n == GAUGES_MAX) {
		g->dropped++;
		return;
	}
	memcpy(value, line + n + 1, len - n - 1);
	value[len - n - 1] = '\0';
	if (n > skip && memcmp(line, PREFIX, skip) == 0) {
		line += skip;
		n -= skip;
	}
	if (n >= GAUGES_NAME_MAX)
		n = GAUGES_NAME_MAX - 1;
	e = &g->at[g->n];
	memcpy(e->name, line, n);
	e->name[n] = '\0';
	e->value = strtod(value, &end);
	bare = strcspn(e->name, "{");
	/* The buckets of a histogram are for machines. */
	if (end == value || (bare > 7 && memcmp(e->name + bare - 7, "_bucket", 7) == 0))
		return;
	e->is_counter = (bare > 6 && memcmp(e->name + bare - 6, "_total", 6) == 0) ||
			(bare > 6 && memcmp(e->name + bare - 6, "_count", 6) == 0) ||
			(bare > 4 && memcmp(e->name + bare - 4, "_sum", 4) == 0);
	g->n++;
}

void gauges_read(struct gauges *g, const char *text, size_t len)
{
	g->n = 0;
	g->dropped = 0;
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		read_line(g, text, line);
		line += end != NULL;
		text += line;
		len -= line;
	}
}

double gauges_value(const struct gauges *g, const char *name, double otherwise)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->at[i].name, name) == 0)
			return g->at[i].value;
	return otherwise;
}

static enum section section_of(const struct gauge *e)
{
	static const char *const losses[] = {
		"dropped", "lapped",   "lost",  "reject", "refused",  "full",
		"gone",    "busy",     "late",  "error",  "flooded",  "skipped",
		"misses",  "fault",    "stall", "bad_",   "no_space", "conflated",
		"blocked", "restarts", "waits"};

	if (!e->is_counter)
		return SECTION_STATE;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (has(e->name, losses[i]))
			return SECTION_LOSS;
	return SECTION_FLOW;
}

/* 1234567 as "1,234,567", fractions with four digits. */
static void print_value(char out[32], double v)
{
	char digits[32];
	size_t at = 0;
	int len;

	if (v != floor(v) || fabs(v) >= 1e15) {
		(void)snprintf(out, 32, "%.4g", v);
		return;
	}
	len = snprintf(digits, sizeof(digits), "%.0f", v);
	for (int i = 0; i < len && at < 30; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

/* "published_total{kind="bar"}" as "published kind=bar". */
static void print_name(char *out, size_t cap, const struct gauge *e)
{
	size_t n = 0, bare = strcspn(e->name, "{");
	size_t cut = e->is_counter && bare > 6 &&
				     memcmp(e->name + bare - 6, "_total", 6) == 0
			     ? bare - 6
			     : bare;

	for (size_t i = 0; e->name[i] && n + 1 < cap; i++) {
		char c = e->name[i];

		if (i >= cut && i < bare)
			continue;
		if (c == '{' || c == ',')
			c = ' ';
		if (c != '}' && c != '"')
			out[n++] = (unsigned char)c < ' ' ? '?' : c;
	}
	out[n] = '\0';
}

static void put_line_end(struct buf *out, const struct gauges_view *view)
{
	if (view->ansi)
		buf_printf(out, "\033[K");
	buf_printf(out, "\n");
}

static void show_one(struct buf *out, const struct gauges *before,
		     const struct gauge *e, double seconds,
		     const struct gauges_view *view)
{
	double then = gauges_value(before, e->name, NAN);
	char name[GAUGES_NAME_MAX], value[32], rate[32] = "";

	print_name(name, sizeof(name), e);
	print_value(value, e->value);
	if (e->is_counter && !isnan(then) && seconds > 0.0 && e->value >= then)
		print_value(rate, round((e->value - then) / seconds));
	buf_printf(out, "  %-*.*s %20s", NAME_WIDTH, NAME_WIDTH, name, value);
	if (*rate)
		buf_printf(out, " %14s/s", rate);
	put_line_end(out, view);
}

void gauges_show(struct buf *out, const struct gauges *before, const struct gauges *now,
		 double seconds, const struct gauges_view *view)
{
	unsigned rows = 0, hidden = 0;

	for (int s = 0; s < SECTIONS; s++) {
		bool titled = false;

		for (size_t i = 0; i < now->n; i++) {
			const struct gauge *e = &now->at[i];

			if (section_of(e) != (enum section)s ||
			    (!view->all && e->is_counter && e->value == 0.0))
				continue;
			if (view->rows > 0 && rows + 2 > view->rows) {
				hidden++;
				continue;
			}
			if (!titled) {
				buf_printf(out, "%s", titles[s]);
				put_line_end(out, view);
				rows++;
			}
			titled = true;
			show_one(out, before, e, seconds, view);
			rows++;
		}
	}
	if (hidden > 0) {
		buf_printf(out, "  %u more do not fit", hidden);
		put_line_end(out, view);
	}
}
