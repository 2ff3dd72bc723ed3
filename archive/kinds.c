/* kinds - the table of kinds. */
#include "archive/kinds.h"
#include <string.h>

#define COLUMN(name, type) {#name, type},
#define COUNT(a)           (sizeof(a) / sizeof((a)[0]))

static const struct kind_column bars[] = {KINDS_BAR_COLUMNS(COLUMN)};

/* Prices and sizes as doubles, as in bars; the exact ones stay in the log. */
static const struct kind_column ticks[] = {
	{"timestamp", "TIMESTAMP_NS"}, /* event time */
	{"received", "TIMESTAMP_NS"},
	{"position", "BIGINT"}, /* in the log */
	{"sequence", "BIGINT"}, /* of the symbol's ticks */
	{"price", "DOUBLE"},
	{"size", "DOUBLE"},
	{"bid", "DOUBLE"},
	{"ask", "DOUBLE"},
	{"bid_size", "DOUBLE"},
	{"ask_size", "DOUBLE"},
	{"action", "VARCHAR"},
	{"flags", "INTEGER"}, /* TICK_x of proto/record.h */
	{"conditions", "VARCHAR"},
	{"source", "VARCHAR"}, /* NULL: whoever handed it over did not say */
	{"source_id", "INTEGER"},
	{"source_sequence", "BIGINT"},
	{"reference", "BIGINT"}, /* source_sequence of what it cancels or corrects */
};

#define VALUE(id, label, block) {label, "DOUBLE"},
#define NORM_ML(label)          {label "_norm", "DOUBLE"},
#define NORM_DAY(label)         {label "_norm", "DOUBLE"},
#define NORM_AUX(label)
#define NORM_IND(label)
#define NORM(id, label, block) NORM_##block(label)

static const struct kind_column features[] = {
	{"timestamp", "TIMESTAMP_NS"}, /* bar_end */
	{"bar_start", "TIMESTAMP_NS"},
	{"timeframe_s", "INTEGER"},
	{"price_type", "VARCHAR"},
	{"revision", "INTEGER"}, /* of the bar */
	{"position", "BIGINT"},
	{"sequence", "BIGINT"},
	{"bar_sequence", "BIGINT"},
	{"feature_version", "VARCHAR"},
	{"bars_seen", "BIGINT"},
	{"is_warm", "BIGINT"}, /* bit i: the i-th value has its full window */
	{"ml_ready", "BOOLEAN"},
	{"norm_robust", "BOOLEAN"},
	TIER1_VALUES(VALUE) TIER1_VALUES(NORM)};
_Static_assert(COUNT(features) == 13 + TIER1_N + TIER1_ML_N, "a column per value");
_Static_assert(COUNT(features) + 2 <= KINDS_COLUMNS_MAX, "raise KINDS_COLUMNS_MAX");

/* A row per cell of the lower triangle, diagonal included; of a member that is not in
   the matrix its diagonal alone, with the reason and no correlation. */
static const struct kind_column matrices[] = {
	{"timestamp", "TIMESTAMP_NS"}, /* as_of */
	{"timeframe_s", "INTEGER"},
	{"version", "BIGINT"},
	{"symbol_a", "VARCHAR"},
	{"symbol_b", "VARCHAR"},
	{"correlation", "DOUBLE"},
	{"n_obs_a", "INTEGER"},
	{"n_obs_b", "INTEGER"},
	{"reason", "VARCHAR"}, /* of symbol_a: included, or why not */
	{"method", "VARCHAR"},
	{"status", "VARCHAR"},
	{"price_type", "VARCHAR"},
	{"cause", "VARCHAR"},
	{"window_bars", "INTEGER"},
	{"n_members", "INTEGER"},
	{"n_included", "INTEGER"},
	{"supersedes", "BIGINT"},
	{"position", "BIGINT"},
	{"eigen_min", "DOUBLE"},
	{"frobenius_shift", "DOUBLE"},
	{"psd_repaired", "BOOLEAN"},
	{"decay", "DOUBLE"}, /* lambda of ewma, which is a word of SQL */
	{"universe_hash", "VARCHAR"},
	{"content_hash", "VARCHAR"},
};

/* What an article says about its symbol, under the names of the JSON event. */
static const struct kind_column news[] = {
	{"timestamp", "TIMESTAMP_NS"}, /* when this edition appeared */
	{"received", "TIMESTAMP_NS"},
	{"published", "TIMESTAMP_NS"}, /* when the first edition did */
	{"position", "BIGINT"},        /* in the log */
	{"sequence", "BIGINT"},        /* of the symbol's news */
	{"source", "VARCHAR"},         /* NULL: whoever handed it over did not say */
	{"source_id", "INTEGER"},
	{"article", "VARCHAR"}, /* hash of source and id: the same for all symbols */
	{"id", "VARCHAR"},      /* the source's own */
	{"edition", "INTEGER"},
	{"is_update", "BOOLEAN"},
	{"is_repeat", "BOOLEAN"},
	{"is_late", "BOOLEAN"},
	{"is_cut", "BOOLEAN"},
	{"headline", "VARCHAR"},
	{"url", "VARCHAR"},
	{"publisher", "VARCHAR"},
	{"n_symbols", "INTEGER"}, /* that the article names */
	{"compound", "DOUBLE"},
	{"pos_share", "DOUBLE"},
	{"neu_share", "DOUBLE"},
	{"neg_share", "DOUBLE"},
	{"lexicon", "VARCHAR"},
	{"window_s", "INTEGER"}, /* of what follows, which is of the symbol */
	{"half_life_s", "INTEGER"},
	{"articles", "BIGINT"},
	{"average", "DOUBLE"},
	{"weighted", "DOUBLE"},
	{"positive", "DOUBLE"},
	{"negative", "DOUBLE"},
	{"chain", "VARCHAR"}, /* of the stream, behind this event */
};

/* What stands in the path and the timestamp are in every PARTITION BY, though the rest
   decides: DuckDB carries a condition below a window only on columns that are there. */
const struct kind kinds_table[KINDS] = {
	[KIND_BARS] = {.name = "bars",
		       .folder = "equities_",
		       .by = "symbol",
		       .has_step = true,
		       .version = 1,
		       .time = "bar_start",
		       .key = "bar_start, " KINDS_MAKER ", revision",
		       .newest = "row_number() OVER (PARTITION BY symbol, year, month, "
				 "timestamp, bar_start, " KINDS_MAKER
				 " ORDER BY revision DESC) = 1",
		       .columns = bars,
		       .n_columns = COUNT(bars)},
	[KIND_TICKS] = {.name = "ticks",
			.folder = "ticks",
			.by = "symbol",
			.is_daily = true,
			.version = 1,
			.time = "timestamp",
			.key = "position",
			.is_once = true,
			.newest = "row_number() OVER (PARTITION BY symbol, year, "
				  "month, day, timestamp, position) = 1",
			.columns = ticks,
			.n_columns = COUNT(ticks)},
	[KIND_FEATURES] = {.name = "features",
			   .folder = "features_",
			   .by = "symbol",
			   .has_step = true,
			   .version = TIER1_SCHEMA_VERSION,
			   .time = "bar_start",
			   .key = "bar_start, price_type, revision",
			   .newest = "row_number() OVER (PARTITION BY symbol, "
				     "timeframe_s, year, month, timestamp, bar_start, "
				     "price_type ORDER BY revision DESC) = 1",
			   .columns = features,
			   .n_columns = COUNT(features)},
	[KIND_MATRICES] = {.name = "matrices",
			   .folder = "matrices_",
			   .by = "universe",
			   .has_step = true,
			   .is_daily = true,
			   .version = 1,
			   .time = "timestamp",
			   .key = "timestamp, version, symbol_a, symbol_b",
			   .newest = "version = max(version) OVER (PARTITION BY "
				     "universe, timeframe_s, year, month, day, "
				     "timestamp) AND row_number() OVER (PARTITION BY "
				     "universe, timeframe_s, year, month, day, "
				     "timestamp, version, symbol_a, symbol_b) = 1",
			   .columns = matrices,
			   .n_columns = COUNT(matrices)},
	/* Every edition is a row: what was said then does not change by what is said
	   later. */
	[KIND_NEWS] = {.name = "news",
		       .folder = "news",
		       .by = "symbol",
		       .version = 1,
		       .time = "timestamp",
		       .key = "position",
		       .is_once = true,
		       .newest = "row_number() OVER (PARTITION BY symbol, year, month, "
				 "timestamp, position) = 1",
		       .columns = news,
		       .n_columns = COUNT(news)},
};

enum kinds kinds_parse(const char *name)
{
	unsigned i = 0;

	while (i < KINDS && strcmp(name, kinds_table[i].name) != 0)
		i++;
	return (enum kinds)i;
}

char kinds_letter(const struct kind_column *c)
{
	switch (c->type[0]) {
	case 'D':
		return 'd';
	case 'V':
		return 't';
	default:
		return 'i';
	}
}
