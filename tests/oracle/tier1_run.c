/*
 * tier1_run - bars as CSV in, tier-1 vectors as CSV out, every digit (%.17g).
 *
 *   tier1_run TIMEFRAME_S [robust] < bars.csv > vectors.csv
 *
 * In, without header: bar_end_ns,high,low,close,log_return_1,spread_estimate,valid
 * with prices as decimals, an empty field for NULL and valid 0 or 1.  A line whose
 * bar_end_ns is not later than the line before is a revision of that bar.  Out: the
 * sequence, bar_end_ns, bars_seen, flags, warm, then every value and every norm by
 * its name; NULL is empty.  For the oracle beside it.
 */
#include "base/decimal.h"
#include "workers/tier1.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 7

static void print_value(double x)
{
	if (isnan(x))
		putchar(',');
	else
		printf(",%.17g", x);
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	(void)arg;
	printf("%" PRIu64 ",%" PRId64 ",%" PRIu64 ",%u,%" PRIu64, e->head.seq,
	       e->head.event_ns, e->bars_seen, e->flags, e->warm);
	for (size_t i = 0; i < TIER1_N; i++)
		print_value(e->value[i]);
	for (size_t i = 0; i < TIER1_ML_N; i++)
		print_value(e->norm[i]);
	putchar('\n');
}

static void print_header(void)
{
	static const char *const names[] = {
#define X(id, label, block) label,
		TIER1_VALUES(X)
#undef X
	};

	printf("seq,bar_end_ns,bars_seen,flags,warm");
	for (size_t i = 0; i < TIER1_N; i++)
		printf(",%s", names[i]);
	for (size_t i = 0; i < TIER1_ML_N; i++)
		printf(",%s_norm", names[i]);
	putchar('\n');
}

static int64_t price_e9(const char *s)
{
	int64_t value;

	if (*s == '\0' || decimal_parse(s, strlen(s), 9, &value) != 0)
		return VALUE_NULL;
	return value;
}

static double number(const char *s)
{
	return *s == '\0' ? NAN : strtod(s, NULL);
}

/* Cut @line into FIELDS fields; false when there are more or fewer. */
static int split(char *line, char *field[FIELDS])
{
	size_t n = 0;
	char *s;

	while ((s = strsep(&line, ",\n")) != NULL && n < FIELDS)
		field[n++] = s;
	return n == FIELDS;
}

static int read_bar(char *line, struct event_bar *bar)
{
	char *field[FIELDS];

	if (!split(line, field))
		return -1;
	*bar = (struct event_bar){.open_e9 = VALUE_NULL};
	bar->head.event_ns = strtoll(field[0], NULL, 10);
	bar->high_e9 = price_e9(field[1]);
	bar->low_e9 = price_e9(field[2]);
	bar->close_e9 = price_e9(field[3]);
	bar->log_return_1 = number(field[4]);
	bar->spread_estimate = number(field[5]);
	bar->flags = *field[6] == '1' ? BAR_VALID : 0;
	return 0;
}

int main(int argc, char **argv)
{
	const struct out out = {.tier1 = on_tier1};
	struct event_bar bar;
	struct params p;
	struct tier1 *t;
	uint64_t seq = 0, n = 0;
	char line[512];

	if (argc < 2) {
		fputs("usage: tier1_run TIMEFRAME_S [robust] < bars.csv\n", stderr);
		return 64;
	}
	params_default(&p);
	if (argc > 2 && strcmp(argv[2], "robust") == 0)
		p.tier1.norm = NORM_ROBUST;
	if (tier1_new(&p, 0, "X", (uint32_t)strtoul(argv[1], NULL, 10), PRICE_LAST,
		      &t) < 0)
		return 64;
	print_header();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (read_bar(line, &bar) < 0) {
			fprintf(stderr, "line %" PRIu64 " is no bar\n", n + 1);
			return 65;
		}
		bar.head.seq = ++n;
		tier1_bar(t, &bar, &seq, &out);
	}
	tier1_free(t);
	params_deinit(&p);
	return 0;
}
