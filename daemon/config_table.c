/* config_table - the tables; columns: name, type, place, range, scale, flags, words. */
#include "daemon/config_table.h"
#include "base/clock.h"

#define S  NS_PER_S
#define MS NS_PER_MS
#define H  (3600 * S)
#define D  (24 * H)

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define AT(field)  offsetof(struct config, field)
#define CAP(field) sizeof(((struct config *)0)->field)
#define N(array)   (sizeof(array) / sizeof((array)[0]))

static const struct config_word levels[] = {{"error", LOG_ERR},
					    {"warning", LOG_WARN},
					    {"info", LOG_INFO},
					    {"debug", LOG_DEBUG},
					    {0}};
static const struct config_word durabilities[] = {
	{"full", CONFIG_FULL}, {"normal", CONFIG_NORMAL}, {0}};
static const struct config_word clocks[] = {
	{"wall", CONFIG_WALL}, {"feed", CONFIG_FEED}, {0}};
static const struct config_word norms[] = {
	{"zscore", NORM_ZSCORE}, {"robust", NORM_ROBUST}, {0}};
static const struct config_word origins[] = {
	{"midnight", ORIGIN_MIDNIGHT_UTC}, {"session_open", ORIGIN_SESSION_OPEN}, {0}};
static const struct config_word detectors[] = {
	{"jump", DETECTOR_JUMP}, {"mad", DETECTOR_MAD}, {0}};
static const struct config_word flavours[] = {
	{"repaired", FLAVOUR_REPAIRED}, {"origin", FLAVOUR_ORIGIN}, {0}};
static const struct config_word scorers[] = {{"finance", SENTIMENT_FINANCE},
					     {"vader", SENTIMENT_VADER},
					     {"vader-py", SENTIMENT_VADER_PY},
					     {0}};
static const struct config_word methods[] = {{"pearson", CORR_PEARSON},
					     {"ewma", CORR_EWMA},
					     {"ledoit_wolf", CORR_LEDOIT_WOLF},
					     {"spearman", CORR_SPEARMAN},
					     {0}};
static const struct config_word prices[] = {{"auto", PRICE_AUTO}, {"last", PRICE_LAST},
					    {"mid", PRICE_MID},   {"bid", PRICE_BID},
					    {"ask", PRICE_ASK},   {0}};

#define URL(name, field)                                                               \
	{                                                                              \
		name, CONFIG_NNG_URL, AT(listen.field), 0, 0, CAP(listen.field), 0, 0  \
	}
#define PLACE(name, type, field)                                                       \
	{                                                                              \
		name, type, AT(field), 0, 0, CAP(field), 0, 0                          \
	}
#define RETAIN(name, kind)                                                             \
	{                                                                              \
		name, CONFIG_DURATION, AT(archive.retain_ns[kind]), 0, 36500 * D, 0,   \
			0, 0                                                           \
	}
#define PPM(name, field)                                                               \
	{                                                                              \
		name, CONFIG_U32, AT(simulator.field), 0, 1000000, 0, 0, 0             \
	}

static const struct config_key global_keys[] = {
	{"log.level", CONFIG_CHOICE, AT(log_level), 0, 0, 0, CONFIG_RELOAD, levels},
	{"log.journal", CONFIG_BOOL, AT(log_journal), 0, 0, 0, 0, 0},
	{"store.dir", CONFIG_TEXT, AT(store.dir), 0, 0, CAP(store.dir), 0, 0},
	{"store.durability", CONFIG_CHOICE, AT(store.durability), 0, 0, 0, 0,
	 durabilities},
	{"store.sync_interval", CONFIG_DURATION, AT(store.sync_interval_ns), 10 * MS, H,
	 0, 0, 0},
	{"store.segment", CONFIG_U32, AT(store.segment_max), 1, 65536, 0, 0, 0},
	{"store.retain", CONFIG_DURATION, AT(store.retain_ns), 0, 36500 * D, 0,
	 CONFIG_RELOAD, 0},
	{"store.retain_size", CONFIG_BYTES, AT(store.retain_bytes), 0, 1024 * TIB, 0,
	 CONFIG_RELOAD, 0},
	{"store.wal_size", CONFIG_BYTES, AT(store.wal_bytes_max), MIB, 16 * GIB, 0, 0,
	 0},
	{"store.ballast", CONFIG_BYTES, AT(store.ballast_bytes), 0, GIB, 0, 0, 0},
	{"store.snapshot", CONFIG_U32, AT(store.snapshot_every), 0, 1000000000, 0, 0,
	 0},
	{"derived.retain", CONFIG_DURATION, AT(derived.retain_ns), 0, 36500 * D, 0,
	 CONFIG_RELOAD, 0},
	{"derived.retain_size", CONFIG_BYTES, AT(derived.retain_bytes), 0, 1024 * TIB,
	 0, CONFIG_RELOAD, 0},
	{"clock.mode", CONFIG_CHOICE, AT(live.clock), 0, 0, 0, 0, clocks},
	{"clock.too_old", CONFIG_DURATION, AT(live.too_old_ns), 0, 36500 * D, 0,
	 CONFIG_RELOAD, 0},
	{"clock.future", CONFIG_DURATION, AT(live.future_ns), 0, 365 * D, 0,
	 CONFIG_RELOAD, 0},
	URL("listen.ingest", ingest),
	URL("listen.catchup", catchup),
	URL("listen.tick", tick),
	URL("listen.bar", bar),
	URL("listen.tier1", tier1),
	URL("listen.tier2", tier2),
	URL("listen.status", status),
	URL("listen.json_tick", json_tick),
	URL("listen.json_bar", json_bar),
	URL("listen.json_tier1", json_tier1),
	URL("listen.json_tier2", json_tier2),
	URL("listen.json_status", json_status),
	{"listen.http", CONFIG_ADDRESS, AT(listen.http), 0, 0, CAP(listen.http), 0, 0},
	{"listen.admin", CONFIG_SOCKET, AT(listen.admin), 0, 0, CAP(listen.admin), 0,
	 0},
	{"listen.ring", CONFIG_SOCKET, AT(listen.ring), 0, 0, CAP(listen.ring), 0, 0},
	{"workers.threads", CONFIG_U32, AT(workers.threads), 0, 256, 0, 0, 0},
	{"workers.spin", CONFIG_DURATION, AT(workers.spin_ns), 0, 100 * MS, 0, 0, 0},
	{"limits.symbols", CONFIG_U32, AT(limits.symbols_max), 1, 1000000, 0, 0, 0},
	{"limits.sources", CONFIG_U32, AT(limits.sources_max), 1, 65535, 0, 0, 0},
	{"limits.producers", CONFIG_U32, AT(limits.producers_max), 1, 65535, 0, 0, 0},
	{"limits.subscribers", CONFIG_U32, AT(limits.subscribers_max), 1, 65535, 0, 0,
	 0},
	{"limits.quarantine", CONFIG_U32, AT(limits.quarantine_max), 0, 10000000, 0, 0,
	 0},
	{"limits.admin", CONFIG_U32, AT(limits.admin_max), 1, 1024, 0, 0, 0},
	{"limits.http", CONFIG_U32, AT(limits.http_max), 1, 1024, 0, 0, 0},
	{"limits.message", CONFIG_BYTES, AT(limits.message_bytes_max), 64 * KIB,
	 64 * MIB, 0, 0, 0},
	{"limits.catchup", CONFIG_BYTES, AT(limits.catchup_bytes_max), 64 * KIB,
	 64 * MIB, 0, 0, 0},
	{"limits.ring_slots", CONFIG_POWER_U32, AT(limits.ring_slots), 4096, 1 << 24, 0,
	 0, 0},
	{"limits.inflight", CONFIG_U32, AT(limits.inflight_max), 1, 1 << 24, 0, 0, 0},
	{"limits.outbox", CONFIG_POWER_BYTES, AT(limits.outbox_bytes), 256 * KIB, GIB,
	 0, 0, 0},
	{"limits.broadcast", CONFIG_POWER_BYTES, AT(limits.broadcast_bytes), MIB,
	 4 * GIB, 0, 0, 0},
	{"publisher.batch", CONFIG_DURATION, AT(publisher.batch_ns), 0, S, 0,
	 CONFIG_RELOAD, 0},
	{"publisher.json", CONFIG_BOOL, AT(publisher.json), 0, 0, 0, 0, 0},
	{"publisher.heartbeat", CONFIG_DURATION, AT(publisher.heartbeat_ns), 100 * MS,
	 60 * S, 0, CONFIG_RELOAD, 0},
	{"trace.steps", CONFIG_U32, AT(trace.steps), 0, 1 << 20, 0, 0, 0},
	{"trace.slow", CONFIG_DURATION, AT(trace.slow_ns), 0, H, 0, CONFIG_RELOAD, 0},
	PLACE("trace.otlp", CONFIG_WEB, trace.otlp),
	{"trace.otlp_rate", CONFIG_U32, AT(trace.otlp_rate), 1, 100000, 0, 0, 0},
	{"chaos.enabled", CONFIG_BOOL, AT(chaos), 0, 0, 0, 0, 0},
	{"watchdog", CONFIG_DURATION, AT(watchdog_ns), 0, H, 0, 0, 0},
	PLACE("credentials", CONFIG_PATH, credentials),
	PLACE("fetch.ca_file", CONFIG_PATH, fetch.ca_file),
	{"fetch.plain_http", CONFIG_BOOL, AT(fetch.plain_http), 0, 0, 0, 0, 0},
	{"fetch.private_addresses", CONFIG_BOOL, AT(fetch.private_addresses), 0, 0, 0,
	 0, 0},
	{"fetch.connect", CONFIG_DURATION, AT(fetch.connect_ns), 100 * MS, H, 0, 0, 0},
	{"fetch.total", CONFIG_DURATION, AT(fetch.total_ns), S, D, 0, 0, 0},
	{"fetch.stall", CONFIG_DURATION, AT(fetch.stall_ns), S, H, 0, 0, 0},
	{"fetch.body", CONFIG_BYTES, AT(fetch.body_bytes_max), MIB, 16 * GIB, 0, 0, 0},
	{"fetch.connections", CONFIG_U32, AT(fetch.connections), 1, 1024, 0, 0, 0},
	PLACE("archive.dir", CONFIG_PATH, archive.dir),
	PLACE("archive.program", CONFIG_TEXT, archive.program),
	{"archive.memory", CONFIG_BYTES, AT(archive.memory_bytes), 64 * MIB, TIB, 0, 0,
	 0},
	{"archive.threads", CONFIG_U32, AT(archive.threads), 1, 64, 0, 0, 0},
	{"archive.every", CONFIG_DURATION, AT(archive.every_ns), 100 * MS, D, 0, 0, 0},
	{"archive.after", CONFIG_DURATION, AT(archive.after_ns), 0, D, 0, 0, 0},
	{"archive.limit", CONFIG_DURATION, AT(archive.limit_ns), S, D, 0, 0, 0},
	RETAIN("archive.retain_bars", KIND_BARS),
	RETAIN("archive.retain_ticks", KIND_TICKS),
	RETAIN("archive.retain_features", KIND_FEATURES),
	RETAIN("archive.retain_matrices", KIND_MATRICES),
	RETAIN("archive.retain_news", KIND_NEWS),
	RETAIN("archive.retain_events", KINDS), /* the last of archive_care_name() */
	PLACE("analysis.dir", CONFIG_PATH, analysis.dir),
	PLACE("analysis.program", CONFIG_TEXT, analysis.program),
	{"analysis.jobs", CONFIG_U32, AT(analysis.jobs), 0, 16, 0, 0, 0},
	{"analysis.threads", CONFIG_U32, AT(analysis.threads), 0, 16, 0, 0, 0},
	{"analysis.memory", CONFIG_BYTES, AT(analysis.memory_bytes), 64 * MIB, TIB, 0,
	 0, 0},
	{"analysis.result", CONFIG_BYTES, AT(analysis.result_bytes), 64 * KIB, TIB, 0,
	 0, 0},
	{"analysis.nice", CONFIG_U32, AT(analysis.nice), 0, 20, 0, 0, 0},
	{"analysis.limit", CONFIG_DURATION, AT(analysis.limit_ns), S, 30 * D, 0, 0, 0},
	{"kill.outliers", CONFIG_U32, AT(kill.outliers), 0, 32, 0, 0, 0},
	{"kill.divergence", CONFIG_BOOL, AT(kill.divergence), 0, 0, 0, 0, 0},
	{"kill.stale", CONFIG_DURATION, AT(kill.stale_ns), 0, 30 * D, 0, 0, 0},
	{"kill.skew", CONFIG_DURATION, AT(kill.skew_ns), 0, 30 * D, 0, 0, 0},
	{"kill.errors", CONFIG_U32, AT(kill.errors_permille), 0, 1000, 0, 0, 0},
	{"ingest.workers", CONFIG_U32, AT(ingest.workers), 0, 256, 0, 0, 0},
	{"ingest.settle", CONFIG_DURATION, AT(ingest.settle_ns), 0, 30 * D, 0, 0, 0},
	{"ingest.ttl", CONFIG_DURATION, AT(ingest.ttl_ns), 0, 36500 * D, 0, 0, 0},
	{"ingest.size", CONFIG_BYTES, AT(ingest.bytes_max), 0, 1024 * TIB, 0, 0, 0},
	{"ingest.jobs", CONFIG_U32, AT(ingest.jobs_max), 1, 100000, 0, 0, 0},
	{"bars.grace", CONFIG_DURATION, AT(derive.bars.grace_ns), 0, H, 0, 0, 0},
	{"bars.revision_window", CONFIG_DURATION, AT(derive.bars.revision_window_ns), 0,
	 D, 0, 0, 0},
	{"bars.source_timeout", CONFIG_DURATION, AT(derive.bars.source_timeout_ns), MS,
	 D, 0, 0, 0},
	{"bars.missing_run", CONFIG_U32, AT(derive.bars.missing_run_max), 1, 1000000, 0,
	 0, 0},
	{"bars.history_slots", CONFIG_POWER_U32, AT(derive.bars.history_slots), 16,
	 1 << 20, 0, 0, 0},
	{"tier1.enabled", CONFIG_BOOL, AT(derive.tier1.enabled), 0, 0, 0, 0, 0},
	{"tier1.norm", CONFIG_CHOICE, AT(derive.tier1.norm), 0, 0, 0, 0, norms},
	{"tier1.norm_window", CONFIG_U32, AT(derive.tier1.norm_window), 2, 10000, 0, 0,
	 0},
	{"tier1.norm_clip", CONFIG_DOUBLE, AT(derive.tier1.norm_clip), 100, 1000000, 0,
	 0, 0},
	{"tier1.ready_bars", CONFIG_U32, AT(derive.tier1.ready_bars), 1, 100000, 0, 0,
	 0},
	{"tier1.ready_valid_ratio", CONFIG_DOUBLE, AT(derive.tier1.ready_valid_ratio),
	 0, 1000, 0, 0, 0},
	{"news.flavour", CONFIG_CHOICE, AT(derive.news.flavour), 0, 0, 0, 0, scorers},
	PLACE("news.vader", CONFIG_PATH, news_vader),
	{"news.window", CONFIG_DURATION, AT(derive.news.window_ns), S, 365 * D, 0, 0,
	 0},
	{"news.half_life", CONFIG_DURATION, AT(derive.news.half_life_ns), S, 365 * D, 0,
	 0, 0},
	{"news.repeat", CONFIG_DURATION, AT(derive.news.repeat_ns), 0, 365 * D, 0, 0,
	 0},
	{"simulator.enabled", CONFIG_BOOL, AT(simulator.enabled), 0, 0, 0, 0, 0},
	{"simulator.seed", CONFIG_U64, AT(simulator.seed), 0, INT64_MAX, 0, 0, 0},
	{"simulator.symbols", CONFIG_U32, AT(simulator.symbols), 1, 100000, 0, 0, 0},
	{"simulator.compress", CONFIG_U32, AT(simulator.compress), 1, 1000000, 0, 0, 0},
	{"simulator.start", CONFIG_TIME, AT(simulator.start_ns), 0, INT64_MAX, 0, 0, 0},
	{"simulator.sessions", CONFIG_BOOL, AT(simulator.sessions), 0, 0, 0, 0, 0},
	{"simulator.clock_interval", CONFIG_DURATION, AT(simulator.clock_interval_ns),
	 MS, H, 0, 0, 0},
	{"simulator.night", CONFIG_DURATION, AT(simulator.night_max_ns), S, 4 * D, 0, 0,
	 0},
	{"simulator.trades_per_second", CONFIG_SCALED, AT(simulator.trades_mhz), 0,
	 500000000, 3, 0, 0},
	{"simulator.quotes_per_second", CONFIG_SCALED, AT(simulator.quotes_mhz), 0,
	 500000000, 3, 0, 0},
	{"simulator.zipf", CONFIG_BOOL, AT(simulator.zipf), 0, 0, 0, 0, 0},
	{"simulator.price_tick", CONFIG_DECIMAL, AT(simulator.price_tick_e9), 1,
	 NS_PER_S, 9, 0, 0},
	{"simulator.volatility", CONFIG_SCALED, AT(simulator.volatility_bp), 0, 100000,
	 4, 0, 0},
	{"simulator.corr_market", CONFIG_SCALED, AT(simulator.corr_market_pm), 0, 1000,
	 3, 0, 0},
	{"simulator.corr_sector", CONFIG_SCALED, AT(simulator.corr_sector_pm), 0, 1000,
	 3, 0, 0},
	{"simulator.sectors", CONFIG_U32, AT(simulator.sectors), 1, 32, 0, 0, 0},
	PPM("simulator.late", late_ppm),
	PPM("simulator.out_of_order", out_of_order_ppm),
	PPM("simulator.duplicates", duplicates_ppm),
	PPM("simulator.cancels", cancels_ppm),
	PPM("simulator.corrections", corrections_ppm),
	PPM("simulator.halts", halts_ppm),
	PPM("simulator.gaps", gaps_ppm),
	PPM("simulator.bad_prints", bad_prints_ppm),
	PPM("simulator.poison", poison_ppm),
	PPM("simulator.odd_lots", odd_lots_ppm),
	{"simulator.late_max", CONFIG_DURATION, AT(simulator.late_max_ns), 100 * MS, H,
	 0, 0, 0},
	{"simulator.halt", CONFIG_DURATION, AT(simulator.halt_ns), MS, D, 0, 0, 0},
	{"simulator.gap", CONFIG_DURATION, AT(simulator.gap_ns), MS, D, 0, 0, 0},
};

#undef AT
#define AT(field) offsetof(struct symbol_params, field)

static const struct config_key symbol_keys[] = {
	{"source", CONFIG_SOURCE, AT(source), 0, 0, SOURCE_MAX + 1, 0, 0},
	{"data_source", CONFIG_SOURCE, AT(source), 0, 0, SOURCE_MAX + 1, CONFIG_ALIAS,
	 0},
	{"sources", CONFIG_SOURCES, AT(sources), 0, 0, 0, 0, 0},
	{"source_return", CONFIG_DURATION, AT(source_return_ns), 0, D, 0, 0, 0},
	{"source_divergence", CONFIG_SCALED, AT(source_divergence_ppm), 0, 1000000, 6,
	 0, 0},
	{"timeframes", CONFIG_TIMEFRAMES, 0, 0, 0, 0, 0, 0},
	{"resampling", CONFIG_TIMEFRAMES, 0, 0, 0, 0, CONFIG_ALIAS, 0},
	{"price_types", CONFIG_PRICES, AT(price_types), 0, 0, 0, 0, prices},
	{"price_type", CONFIG_PRICES, AT(price_types), 0, 0, 0, CONFIG_ALIAS, prices},
	{"session_start", CONFIG_OF_DAY, AT(session_start_s), 0, 86399, 0, 0, 0},
	{"session_end", CONFIG_OF_DAY, AT(session_end_s), 1, 86400, 0, 0, 0},
	{"session_days", CONFIG_DAYS, AT(session_days), 0, 0, 0, 0, 0},
	{"timezone", CONFIG_ZONE, AT(tz_name), 0, 0,
	 sizeof(((struct symbol_params *)0)->tz_name), 0, 0},
	{"origin", CONFIG_CHOICE, AT(origin), 0, 0, 0, 0, origins},
	{"outlier_detector", CONFIG_CHOICE, AT(detector), 0, 0, 0, 0, detectors},
	{"outlier_flavour", CONFIG_CHOICE, AT(flavour), 0, 0, 0, 0, flavours},
	{"outlier_std_threshold", CONFIG_DOUBLE, AT(outlier_sigma), 100, 1000000, 0, 0,
	 0},
	{"max_abs_log_return", CONFIG_DOUBLE, AT(max_abs_log_return), 0, 100000, 0, 0,
	 0},
	{"min_volume", CONFIG_DECIMAL, AT(min_volume_e8), 0, INT64_MAX, 8, 0, 0},
	{"max_gap_minutes", CONFIG_U32, AT(max_gap_minutes), 0, 100000, 0, 0, 0},
	{"indicators", CONFIG_INDICATORS, AT(indicators), 0, 0, 0, 0, 0},
	{"spread", CONFIG_BOOL, AT(spread), 0, 0, 0, 0, 0},
	{"weight", CONFIG_DOUBLE, AT(weight), 0, INT64_C(1000000000000), 0, 0, 0},
	{"priority", CONFIG_I32, AT(priority), INT32_MIN, INT32_MAX, 0, 0, 0},
};

#undef AT
#define AT(field) offsetof(struct universe_params, field)

static const struct config_key universe_keys[] = {
	{"timeframe", CONFIG_TIMEFRAME, AT(timeframe_s), 0, 0, 0, 0, 0},
	{"window", CONFIG_U32, AT(window), 3, 10000, 0, 0, 0},
	{"min_obs", CONFIG_U32, AT(min_obs), 3, 10000, 0, 0, 0},
	{"method", CONFIG_CHOICE8, AT(method), 0, 0, 0, 0, methods},
	{"price_type", CONFIG_CHOICE8, AT(price_type), 0, 0, 0, 0, prices},
	{"lambda", CONFIG_DOUBLE, AT(lambda), 1, 999, 0, 0, 0},
	{"grace", CONFIG_DURATION, AT(grace_ns), 0, H, 0, 0, 0},
	{"max_symbols", CONFIG_U32, AT(n_max), 2, 2000, 0, 0, 0},
};

#undef AT
#undef CAP
#define AT(field)  offsetof(struct config_vendor, field)
#define CAP(field) sizeof(((struct config_vendor *)0)->field)

static const struct config_word adapters[] = {{"alpaca", CONFIG_ALPACA},
					      {"polygon", CONFIG_POLYGON},
					      {"databento", CONFIG_DATABENTO},
					      {"yahoo", CONFIG_YAHOO},
					      {0}};

static const struct config_key vendor_keys[] = {
	{"adapter", CONFIG_CHOICE, AT(adapter), 0, 0, 0, 0, adapters},
	PLACE("base_url", CONFIG_WEB, base_url),
	PLACE("stream_url", CONFIG_WEB, stream_url),
	PLACE("feed", CONFIG_WORD, feed),
	PLACE("dataset", CONFIG_WORD, dataset),
	PLACE("key", CONFIG_WORD, key),
	PLACE("secret", CONFIG_WORD, secret),
	{"in_flight", CONFIG_U32, AT(in_flight), 1, 256, 0, 0, 0},
	{"requests", CONFIG_U32, AT(requests), 0, 1000000, 0, 0, 0},
	{"per", CONFIG_DURATION, AT(per_ns), MS, D, 0, 0, 0},
	{"burst", CONFIG_U32, AT(burst), 0, 1000000, 0, 0, 0},
	{"attempts", CONFIG_U32, AT(attempts), 1, 100, 0, 0, 0},
	{"wait_max", CONFIG_DURATION, AT(wait_max_ns), S, D, 0, 0, 0},
};

const struct config_table config_global = {global_keys, N(global_keys)};
const struct config_table config_symbol = {symbol_keys, N(symbol_keys)};
const struct config_table config_vendor = {vendor_keys, N(vendor_keys)};
const struct config_table config_universe = {universe_keys, N(universe_keys)};
