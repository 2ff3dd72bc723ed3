/*
 * bars_run - the normaliser as a filter, for the oracles in Python: records on standard
 * input, one per line, bars on standard output.
 *
 *	symbol,event_ns,price_e9,size_e8,bid_e9,ask_e9,source_seq,action,ref_seq,flags
 *	@,now_ns                                              (a clock record)
 *
 * An empty field is NULL or 0.  Symbols are numbered in order of appearance; each has a
 * normaliser of its own and source "oracle".  Options are NAME=VALUE, see set().
 * Printed: every emission, or with final=1 only final bars.
 */
#include "bus/symtab.h"
#include "workers/bars.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 1024
#define FIELDS      10

static struct params params;
static bool final_only;
static struct bars *bars[SYMBOLS_MAX];

static void die(const char *what, const char *text)
{
	fprintf(stderr, "bars_run: %s '%s'\n", what, text);
	exit(2);
}

static void print_i64(int64_t v)
{
	if (v == VALUE_NULL)
		printf(",");
	else
		printf(",%" PRId64, v);
}

static void on_bar(void *arg, const struct event_bar *e)
{
	(void)arg;
	if (final_only && !(e->flags & BAR_FINAL))
		return;
	printf("%.32s,%u,%u,%" PRId64 ",%" PRId64, e->symbol, e->timeframe_s,
	       e->price_type, e->bar_start_ns, e->head.event_ns);
	print_i64(e->open_e9);
	print_i64(e->high_e9);
	print_i64(e->low_e9);
	print_i64(e->close_e9);
	/* volume stays below 2^63 here; the tests of sums look at the upper half */
	printf(",%" PRIu64 ",%.17g,%.17g,%.17g,%" PRIu64 ",%u,%u,%u,%u,%u,%u,%u\n",
	       e->volume_lo, e->log_return_1, e->spread_estimate, e->vwap,
	       e->trade_count, e->revision, e->flags, e->state, e->cause,
	       e->spread_method, e->outlier_reason, e->late_ticks);
}

static void on_status(void *arg, const struct event_status *e)
{
	(void)arg;
	if (!final_only)
		printf("# %.32s state %u detail %" PRIu64 " %.80s\n", e->symbol,
		       e->state, e->detail, e->text);
}

static const struct out out = {.bar = on_bar, .status = on_status};

static void set_list(struct symbol_params *sp, const char *name, char *value)
{
	static const char *const types[] = {"last", "mid", "bid", "ask", "auto"};
	char *word;

	if (strcmp(name, "tf") == 0)
		for (sp->n_timeframes = 0; (word = strsep(&value, "+")) != NULL;)
			sp->timeframes_s[sp->n_timeframes++] = (uint32_t)atoi(word);
	else
		for (sp->n_price_types = 0; (word = strsep(&value, "+")) != NULL;)
			for (uint8_t i = 0; i < 5; i++)
				if (strcmp(types[i], word) == 0)
					sp->price_types[sp->n_price_types++] = i;
}

/* session=34200-57600-31-America/New_York: local seconds, days, zone. */
static void set_session(struct symbol_params *sp, const char *value)
{
	int start_s, end_s, days;
	char zone[48];

	if (sscanf(value, "%d-%d-%d-%47s", &start_s, &end_s, &days, zone) != 4)
		die("no session", value);
	if (params_zone(&params, zone, &sp->tz) < 0)
		die("no zone", zone);
	sp->has_session = true;
	sp->session_start_s = start_s;
	sp->session_end_s = end_s;
	sp->session_days = (uint8_t)days;
}

static void set(char *arg)
{
	struct symbol_params *sp = &params.defaults;
	char *value = strchr(arg, '=');

	if (value == NULL)
		die("not NAME=VALUE", arg);
	*value++ = '\0';
	if (strcmp(arg, "tf") == 0 || strcmp(arg, "price") == 0)
		set_list(sp, arg, value);
	else if (strcmp(arg, "final") == 0)
		final_only = atoi(value) != 0;
	else if (strcmp(arg, "spread") == 0)
		sp->spread = atoi(value) != 0;
	else if (strcmp(arg, "flavour") == 0)
		sp->flavour = strcmp(value, "origin") == 0 ? FLAVOUR_ORIGIN
							   : FLAVOUR_REPAIRED;
	else if (strcmp(arg, "detector") == 0)
		sp->detector = strcmp(value, "mad") == 0 ? DETECTOR_MAD : DETECTOR_JUMP;
	else if (strcmp(arg, "sigma") == 0)
		sp->outlier_sigma = atof(value);
	else if (strcmp(arg, "max_return") == 0)
		sp->max_abs_log_return = atof(value);
	else if (strcmp(arg, "origin") == 0)
		sp->origin = ORIGIN_SESSION_OPEN;
	else if (strcmp(arg, "session") == 0)
		set_session(sp, value);
	else if (strcmp(arg, "missing_run") == 0)
		params.bars.missing_run_max = (uint32_t)atoi(value);
	else if (strcmp(arg, "history") == 0)
		params.bars.history_slots = (uint32_t)atoi(value);
	else if (strcmp(arg, "window_ns") == 0)
		params.bars.revision_window_ns = atoll(value);
	else
		die("no such option", arg);
}

static int64_t field_i64(const char *s, int64_t otherwise)
{
	return s == NULL || *s == '\0' ? otherwise : (int64_t)strtoll(s, NULL, 10);
}

static void tick(char *field[FIELDS], struct symtab *symbols,
		 const struct symtab *sources, struct source_life *life, uint64_t pos)
{
	uint32_t id;
	int is_new;
	struct item it = {.pos = pos};

	if (symtab_add(symbols, field[0], strlen(field[0]), &id, &is_new) != 0)
		die("too many symbols", field[0]);
	if (bars[id] == NULL && bars_new(&params, params_symbol(&params, field[0]), id,
					 field[0], sources, life, &bars[id]) < 0)
		die("out of memory for", field[0]);
	it.rec = (struct record){
		.event_ns = field_i64(field[1], 0),
		.price_e9 = field_i64(field[2], VALUE_NULL),
		.size_e8 = field_i64(field[3], VALUE_NULL),
		.bid_e9 = field_i64(field[4], VALUE_NULL),
		.ask_e9 = field_i64(field[5], VALUE_NULL),
		.source_seq = (uint64_t)field_i64(field[6], 0),
		.ref_seq = (uint64_t)field_i64(field[8], 0),
		.symbol_id = id,
		.source_id = 1,
		.type = RECORD_TICK,
		.action_flags = record_pack((enum tick_action)field_i64(field[7], 0),
					    (unsigned)field_i64(field[9], 0)),
	};
	it.rec.recv_ns = it.rec.event_ns;
	source_life_saw(life, 1, it.rec.event_ns);
	bars_tick(bars[id], &it, &out);
}

int main(int argc, char **argv)
{
	struct symtab *symbols, *sources;
	struct source_life *life;
	char *line = NULL, *rest, *field[FIELDS];
	size_t cap = 0;
	uint32_t id;
	int is_new;

	params_default(&params);
	for (int i = 1; i < argc; i++)
		set(argv[i]);
	if (symtab_new(SYMBOLS_MAX, 0, &symbols) < 0 ||
	    symtab_new(4, 1, &sources) < 0 ||
	    symtab_add(sources, "oracle", 6, &id, &is_new) != 0 ||
	    source_life_new(params.bars.source_timeout_ns, &life) < 0)
		die("out of memory", "");
	for (uint64_t pos = 1; getline(&line, &cap, stdin) > 0; pos++) {
		line[strcspn(line, "\n")] = '\0';
		rest = line;
		for (int i = 0; i < FIELDS; i++)
			field[i] = strsep(&rest, ",");
		if (strcmp(field[0], "@") != 0) {
			tick(field, symbols, sources, life, pos);
			continue;
		}
		for (id = 0; id < symtab_count(symbols); id++)
			bars_clock(bars[id], pos, field_i64(field[1], 0), 0, &out);
	}
	for (id = 0; id < symtab_count(symbols); id++)
		bars_free(bars[id]);
	free(line);
	source_life_free(life);
	symtab_free(symbols);
	symtab_free(sources);
	params_deinit(&params);
	return 0;
}
