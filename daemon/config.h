/*
 * config - the daemon's configuration: YAML in, one checked struct out.
 *
 * Everything is read by one table (config_table.c) that knows each key's type,
 * unit, range, default and whether SIGHUP may change it; printing, comparing and
 * the "did you mean" come from the same table.  All errors are reported at once,
 * with line and column.  Unknown and repeated keys, values without a unit
 * ("sync_interval: 5" instead of 5s), YAML aliases and second documents are errors.
 *
 * The shape for symbols is the one of origin document 2: `defaults`, `tickers`
 * with overrides and metadata, `universes`.  `vendors` are named sections as well.
 */
#pragma once
#include "archive/kinds.h"
#include "base/buf.h"
#include "base/log.h"
#include "proto/hist.h"
#include "workers/params.h"
#include <stdbool.h>
#include <stdint.h>

#define CONFIG_BYTES_MAX    (1u << 20)
#define CONFIG_DEPTH_MAX    8
#define CONFIG_ERRORS_MAX   64
#define CONFIG_TEXT_MAX     256 /* paths */
#define CONFIG_URL_MAX      160
#define CONFIG_METADATA_MAX 16 /* per ticker */

struct config_error {
	unsigned line; /* from 1; 0: the file as a whole */
	unsigned column;
	char text[240];
};

struct config_errors {
	struct config_error error[CONFIG_ERRORS_MAX]; /* in order of line */
	unsigned n;
	unsigned dropped; /* more than CONFIG_ERRORS_MAX */
};

enum config_clock { CONFIG_WALL = 0, CONFIG_FEED };
enum config_durability { CONFIG_FULL = 0, CONFIG_NORMAL };

struct config_store { /* what store/tickstore.h calls struct store_params */
	char dir[CONFIG_TEXT_MAX];
	uint32_t durability; /* enum config_durability */
	int64_t sync_interval_ns;
	uint32_t segment_max;  /* records */
	int64_t retain_ns;     /* 0: for ever */
	uint64_t retain_bytes; /* 0: no bound */
	uint64_t wal_bytes_max;
	uint64_t ballast_bytes;
	uint32_t snapshot_every; /* records; 0: no snapshots */
};

struct config_derived { /* the catch-up window, per kind */
	int64_t retain_ns;
	uint64_t retain_bytes;
};

struct config_live {        /* event times that live ingest accepts */
	uint32_t clock;     /* enum config_clock */
	int64_t too_old_ns; /* L: older than newest - L is refused */
	int64_t future_ns;  /* F: further ahead is refused */
};

/** nng URLs; http "ADDRESS:PORT"; admin and ring: socket paths; "": off. */
struct config_listen {
	char ingest[CONFIG_URL_MAX];
	char catchup[CONFIG_URL_MAX];
	char tick[CONFIG_URL_MAX];
	char bar[CONFIG_URL_MAX];
	char tier1[CONFIG_URL_MAX];
	char tier2[CONFIG_URL_MAX];
	char status[CONFIG_URL_MAX]; /* status and news */
	char json_tick[CONFIG_URL_MAX];
	char json_bar[CONFIG_URL_MAX];
	char json_tier1[CONFIG_URL_MAX];
	char json_tier2[CONFIG_URL_MAX];
	char json_status[CONFIG_URL_MAX];
	char http[CONFIG_URL_MAX];
	char admin[CONFIG_URL_MAX];
	char ring[CONFIG_URL_MAX];
};

struct config_workers {
	uint32_t threads; /* 0: one per core */
	int64_t spin_ns;
};

struct config_limits {
	uint32_t symbols_max;
	uint32_t sources_max;
	uint32_t producers_max;
	uint32_t subscribers_max; /* per socket */
	uint32_t quarantine_max;  /* refused ticks kept */
	uint32_t admin_max;       /* connections */
	uint32_t http_max;        /* connections */
	uint64_t message_bytes_max;
	uint64_t catchup_bytes_max; /* per answer */
	uint32_t ring_slots;        /* shard ring; power of two */
	uint32_t inflight_max;      /* items of one symbol in its shard ring */
	uint64_t outbox_bytes;      /* power of two */
	uint64_t broadcast_bytes;   /* power of two, per kind */
};

struct config_publisher {
	int64_t batch_ns; /* a frame waits at most this long for more events */
	bool json;
	int64_t heartbeat_ns;
};

struct config_trace {
	uint32_t steps;            /* of the dispatcher that are kept; 0: no traces */
	int64_t slow_ns;           /* what takes longer is logged; 0: nothing */
	char otlp[CONFIG_URL_MAX]; /* http[s]://HOST[:PORT][/PATH]; "": no export */
	uint32_t otlp_rate;        /* traces a second */
};

struct config_simulator {
	bool enabled;
	uint64_t seed;
	uint32_t
		symbols; /* named as the tickers if there are as many, else S0000 ... */
	uint32_t compress; /* virtual seconds per second */
	int64_t start_ns;  /* RFC 3339; feed clock only */
	bool sessions;     /* of `defaults`, else 24 hours, 7 days */
	int64_t clock_interval_ns;
	int64_t night_max_ns; /* a closed market takes no longer (virtual) */
	uint32_t trades_mhz;  /* per 1,000 s and symbol */
	uint32_t quotes_mhz;
	bool zipf;
	int64_t price_tick_e9;
	uint32_t volatility_bp;
	uint32_t corr_market_pm;
	uint32_t corr_sector_pm;
	uint32_t sectors;
	uint32_t late_ppm;
	uint32_t out_of_order_ppm;
	uint32_t duplicates_ppm;
	uint32_t cancels_ppm;
	uint32_t corrections_ppm;
	uint32_t halts_ppm;
	uint32_t gaps_ppm;
	uint32_t bad_prints_ppm;
	uint32_t poison_ppm;
	uint32_t odd_lots_ppm;
	int64_t late_max_ns;
	int64_t halt_ns;
	int64_t gap_ns;
};

#define CONFIG_VENDORS_MAX 16
#define CONFIG_KEY_MAX     32

enum config_adapter {
	CONFIG_ALPACA = 1,
	CONFIG_POLYGON,
	CONFIG_DATABENTO,
	CONFIG_YAHOO
};

/** vendors.NAME: where somebody's data is asked for; what feeds/vendor.h wants. */
struct config_vendor {
	char name[HIST_SOURCE_MAX + 1];
	uint32_t adapter;                /* enum config_adapter */
	char base_url[CONFIG_URL_MAX];   /* https://HOST[:PORT] */
	char stream_url[CONFIG_URL_MAX]; /* wss://HOST[:PORT]/PATH; "": the adapter's */
	char feed[HIST_FEED_MAX + 1];    /* "": the vendor's default */
	char dataset[HIST_FEED_MAX + 1];
	char key[CONFIG_KEY_MAX + 1];    /* the credential's name; "": none */
	char secret[CONFIG_KEY_MAX + 1]; /* its second half's */
	uint32_t in_flight;              /* requests at once */
	uint32_t requests;               /* so many ... 0: no limit */
	int64_t per_ns;                  /* ... in this time */
	uint32_t burst;                  /* 0: requests, at most 10 */
	uint32_t attempts;               /* of one request */
	int64_t wait_max_ns;             /* a longer Retry-After fails */
};

struct config_fetch {                  /* HTTP, of all vendors */
	char ca_file[CONFIG_TEXT_MAX]; /* "": the system's */
	bool plain_http;               /* http:// as well: for tests and the mock */
	bool private_addresses;        /* the same for loopback and private ones */
	int64_t connect_ns;
	int64_t total_ns;
	int64_t stall_ns;
	uint64_t body_bytes_max; /* decoded */
	uint32_t connections;
};

/** When the daemon uses the kill switch by itself (kill_triggers.h). */
struct config_kill {
	uint32_t outliers; /* of the last 32 bars; 0: off */
	bool divergence;
	int64_t stale_ns;         /* 0: off */
	int64_t skew_ns;          /* 0: off */
	uint32_t errors_permille; /* 0: off */
};

struct config_archive {
	char dir[CONFIG_TEXT_MAX];     /* "": there is none */
	char program[CONFIG_TEXT_MAX]; /* a path, or looked for in PATH */
	uint64_t memory_bytes;         /* of the helper */
	uint32_t threads;              /* ... for reading */
	int64_t every_ns;              /* from one hand-over to the next */
	int64_t after_ns;              /* a UTC day is over so long after its end */
	int64_t limit_ns;              /* for one answer of the helper */
	int64_t retain_ns[KINDS + 1]; /* by enum kinds, and whole events; 0: for ever */
};

/** Features and reports as jobs (analysis_room.h). */
struct config_analysis {
	char dir[CONFIG_TEXT_MAX];     /* of the results; "": below store.dir, with
					  vendors alone */
	char program[CONFIG_TEXT_MAX]; /* a path, or looked for in PATH */
	uint32_t jobs;                 /* at a time; 0: none at all */
	uint32_t threads;              /* of each; 0: by cores */
	uint64_t memory_bytes;         /* of each */
	uint64_t result_bytes;         /* of a result */
	uint32_t nice;
	int64_t limit_ns; /* for a job */
};

struct config_ingest {
	uint32_t workers;   /* symbols at once; 0: by cores */
	int64_t settle_ns;  /* a bar so old does not change any more */
	int64_t ttl_ns;     /* what was fetched longer ago is asked again; 0: never */
	uint64_t bytes_max; /* of bars kept; 0: no bound */
	uint32_t jobs_max;  /* jobs remembered */
};

#define CONFIG_FEED_MAX  20 /* of a feed's name */
#define CONFIG_FEEDS_MAX 16

/** feeds.NAME: a vendor's stream that the daemon keeps open. */
struct config_feed {
	char name[CONFIG_FEED_MAX + 1]; /* also the producer's */
	char vendor[32];                /* of the section vendors */
	char source[SOURCE_MAX + 1];    /* its ticks' source; "": the feed's name */
	bool trades;
	bool quotes;
	bool news;            /* and nothing else */
	bool is_polled;       /* news of a vendor without a stream of them: asked for */
	int64_t every_ns;     /* ... so often */
	int64_t look_back_ns; /* ... at first back to so long ago */
	bool refill;          /* holes are filled from the vendor's history */
	int64_t mute_ns;      /* silence that counts as MUTE */
	int64_t redial_max_ns; /* longest pause before a connection is made again */
	int64_t overlap_ns;    /* a refill begins so much before its hole, ends after */
	int64_t refill_delay_ns;  /* the vendor's history is behind its stream */
	int64_t refill_window_ns; /* one question asks for so much time */
	int64_t give_up_ns;       /* a hole that cannot be filled for so long is lost */
	char (*symbols)[SYMBOL_MAX + 1]; /* owned; in order, each once */
	size_t n_symbols;
	bool all; /* every ticker instead */
};

#define CONFIG_RSS_MAX     256
#define CONFIG_RSS_URL_MAX 512

/** rss.NAME: a feed of headlines that the daemon asks for now and then. */
struct config_rss {
	char name[SOURCE_MAX + 1]; /* also its articles' source, and the producer's */
	char url[CONFIG_RSS_URL_MAX];
	int64_t every_ns;
	uint64_t bytes_max; /* of an answer, unpacked */
	bool match_title;   /* only articles that name one of the symbols there */
	bool match_category;
	char (*symbols)[SYMBOL_MAX + 1]; /* owned; in order, each once */
	size_t n_symbols;
	bool all; /* every ticker instead */
};

struct config_meta { /* tickers.X.metadata.KEY: VALUE */
	char symbol[SYMBOL_MAX + 1];
	char key[32];
	char value[96];
};

struct config {
	uint32_t log_level; /* enum log_level */
	bool log_journal;   /* lines start with "<N>" */
	struct config_store store;
	struct config_derived derived;
	struct config_live live;
	struct config_listen listen;
	struct config_workers workers;
	struct config_limits limits;
	struct config_publisher publisher;
	struct config_trace trace;
	struct config_simulator simulator;
	bool chaos;          /* faults on purpose are permitted */
	int64_t watchdog_ns; /* a thread that stands still longer ends the process; 0:
				off */
	char credentials[CONFIG_TEXT_MAX]; /* directory of keys; "": none */
	struct config_fetch fetch;
	struct config_archive archive;
	struct config_kill kill;
	struct config_ingest ingest;
	struct config_analysis analysis;
	struct config_vendor vendors[CONFIG_VENDORS_MAX]; /* as written */
	size_t n_vendors;
	char news_vader[CONFIG_TEXT_MAX]; /* its lexicon; "": none */
	struct params derive;      /* bars, tier1, defaults, tickers, universes */
	struct config_feed *feeds; /* owned; as written */
	size_t n_feeds;
	struct config_rss *rss; /* owned; as written */
	size_t n_rss;
	struct config_meta *meta; /* owned; in order of symbol, then as written */
	size_t n_meta;
};

/** Every default; what an empty file means. */
void config_default(struct config *c);
void config_deinit(struct config *c);

/**
 * Read @text.  0; -EINVAL: @errs tells why and @out needs no deinit (err_text()
 * is the first error); -ENOMEM, -EMSGSIZE.
 */
int config_parse(const char *text, size_t len, struct config *out,
		 struct config_errors *errs);

/**
 * config_parse() of a regular file.  With @is_strict it must belong to root or to
 * us and be writable by its owner alone: -EPERM otherwise.
 */
int config_load(const char *path, bool is_strict, struct config *out,
		struct config_errors *errs);

/**
 * Read the lexicon that the configuration names and note its version: before anything
 * is derived.  0; an error with a sentence: it cannot be read or is none.
 */
int config_lexicon(struct config *c);

/** The effective configuration as YAML; config_parse() of it gives the same. */
void config_print(const struct config *c, struct buf *out);

/** One changed key: what it was, what it is to be. */
struct config_change {
	char key[96]; /* "publisher.batch", "tickers.AAPL", "universes.tech" */
	char was[160];
	char is[160];
	bool is_reloadable; /* SIGHUP may change it; else a restart is needed */
};

/**
 * What differs, in the order of the table.  Writes up to @max; returns how many
 * there are.  is_reloadable is false for everything on the derived path.
 */
size_t config_diff(const struct config *was, const struct config *is,
		   struct config_change *out, size_t max);
/** Copy the reloadable keys of @from into @c. */
void config_reload(struct config *c, const struct config *from);

/** The texts built into the binary. */
const char *config_default_text(size_t *out_len); /* tickbusd.yaml */
const char *config_demo_text(size_t *out_len);    /* demo.yaml */
