/*
 * config - defaults, files and the report of errors.  The walk through the text is
 * config_walk.c, the keys are config_table.c.
 */
#include "daemon/config.h"
#include "base/clock.h"
#include "base/err.h"
#include "daemon/config_table.h"
#include "daemon/config_walk.h"
#include "daemon/config_yaml.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)
#define DAY (86400 * NS_PER_S)

static void default_listen(struct config_listen *l)
{
	*l = (struct config_listen){
		.ingest = "tcp://127.0.0.1:7400",
		.tick = "tcp://127.0.0.1:7401",
		.bar = "tcp://127.0.0.1:7402",
		.tier1 = "tcp://127.0.0.1:7403",
		.tier2 = "tcp://127.0.0.1:7404",
		.status = "tcp://127.0.0.1:7405",
		.catchup = "tcp://127.0.0.1:7406",
		.json_tick = "tcp://127.0.0.1:7411",
		.json_bar = "tcp://127.0.0.1:7412",
		.json_tier1 = "tcp://127.0.0.1:7413",
		.json_tier2 = "tcp://127.0.0.1:7414",
		.json_status = "tcp://127.0.0.1:7415",
		.http = "127.0.0.1:7480",
		.admin = "/run/tickbus/admin.sock",
		.ring = "/run/tickbus/ring.sock",
	};
}

static void default_simulator(struct config_simulator *s)
{
	*s = (struct config_simulator){
		.seed = 1,
		.symbols = 24,
		.compress = 1,
		.start_ns = INT64_C(1704187800) * NS_PER_S, /* 2024-01-02T09:30:00Z */
		.clock_interval_ns = NS_PER_S,
		.night_max_ns = 300 * NS_PER_S,
		.trades_mhz = 500,
		.quotes_mhz = 1500,
		.price_tick_e9 = 10000000,
		.volatility_bp = 3000,
		.corr_market_pm = 300,
		.corr_sector_pm = 600,
		.sectors = 8,
		.late_max_ns = 5 * NS_PER_S,
		.halt_ns = 60 * NS_PER_S,
		.gap_ns = 10 * NS_PER_S,
	};
}

static void default_fetching(struct config *c)
{
	c->fetch = (struct config_fetch){.connect_ns = 10 * NS_PER_S,
					 .total_ns = 120 * NS_PER_S,
					 .stall_ns = 20 * NS_PER_S,
					 .body_bytes_max = 256 * MIB,
					 .connections = 64};
	c->archive = (struct config_archive){.program = "tickbus-archive",
					     .memory_bytes = 512 * MIB,
					     .threads = 2,
					     .every_ns = 30 * NS_PER_S,
					     .after_ns = 600 * NS_PER_S,
					     .limit_ns = 600 * NS_PER_S};
	c->analysis = (struct config_analysis){.program = "tickbusctl",
					       .jobs = 1,
					       .memory_bytes = 1024 * MIB,
					       .result_bytes = 1024 * MIB,
					       .nice = 10,
					       .limit_ns = 3600 * NS_PER_S};
	c->ingest =
		(struct config_ingest){.settle_ns = 1200 * NS_PER_S, .jobs_max = 100};
}

void config_default(struct config *c)
{
	*c = (struct config){
		.log_level = LOG_INFO,
		.store = {.dir = "/var/lib/tickbus",
			  .durability = CONFIG_FULL,
			  .sync_interval_ns = NS_PER_S,
			  .segment_max = 4096,
			  .retain_ns = 30 * DAY,
			  .wal_bytes_max = 256 * MIB,
			  .ballast_bytes = 16 * MIB,
			  .snapshot_every = 2000000},
		.derived = {.retain_ns = 2 * DAY, .retain_bytes = 4096 * MIB},
		.live = {.clock = CONFIG_WALL,
			 .too_old_ns = DAY,
			 .future_ns = 5 * NS_PER_S},
		.workers = {.spin_ns = 50 * NS_PER_US},
		.limits = {.symbols_max = 10000,
			   .sources_max = 1024,
			   .producers_max = 1024,
			   .subscribers_max = 256,
			   .quarantine_max = 10000,
			   .admin_max = 32,
			   .http_max = 64,
			   .message_bytes_max = 4 * MIB,
			   .catchup_bytes_max = 4 * MIB,
			   .ring_slots = 16384,
			   .inflight_max = 4096,
			   .outbox_bytes = 16 * MIB,
			   .broadcast_bytes = 64 * MIB},
		.publisher = {.batch_ns = NS_PER_MS,
			      .json = true,
			      .heartbeat_ns = NS_PER_S},
		.trace = {.steps = 16384, .slow_ns = NS_PER_S, .otlp_rate = 100},
		.watchdog_ns = 30 * NS_PER_S,
	};
	default_listen(&c->listen);
	default_simulator(&c->simulator);
	default_fetching(c);
	params_default(&c->derive);
	c->derive.defaults.session_start_s = -1;
	c->derive.defaults.session_end_s = -1;
	c->derive.defaults.session_days = 0x1f;
	memcpy(c->derive.defaults.tz_name, "UTC", 4);
}

void config_deinit(struct config *c)
{
	params_deinit(&c->derive);
	for (size_t i = 0; i < c->n_feeds; i++)
		free(c->feeds[i].symbols);
	free(c->feeds);
	c->feeds = NULL;
	c->n_feeds = 0;
	for (size_t i = 0; i < c->n_rss; i++)
		free(c->rss[i].symbols);
	free(c->rss);
	c->rss = NULL;
	c->n_rss = 0;
	free(c->meta);
	c->meta = NULL;
	c->n_meta = 0;
}

void config_complain(struct config_errors *e, size_t line, size_t column,
		     const char *fmt, ...)
{
	struct config_error *to = &e->error[e->n];
	va_list ap;

	if (e->n == CONFIG_ERRORS_MAX) {
		e->dropped++;
		return;
	}
	e->n++;
	to->line = (unsigned)line;
	to->column = (unsigned)column;
	va_start(ap, fmt);
	(void)vsnprintf(to->text, sizeof(to->text), fmt, ap);
	va_end(ap);
	/* The sentence is printed on a terminal: nothing of the file may steer it. */
	for (char *p = to->text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
}

static int compare_errors(const void *a, const void *b)
{
	const struct config_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

static int refuse(struct config_errors *errs)
{
	const struct config_error *first = &errs->error[0];

	qsort(errs->error, errs->n, sizeof(errs->error[0]), compare_errors);
	if (first->line == 0)
		return err_set(-EINVAL, "%s", first->text);
	return err_set(-EINVAL, "line %u, column %u: %s", first->line, first->column,
		       first->text);
}

int config_parse(const char *text, size_t len, struct config *out,
		 struct config_errors *errs)
{
	struct config_yaml *yaml = NULL;
	int rc;

	*errs = (struct config_errors){0};
	if (len > CONFIG_BYTES_MAX) {
		config_complain(errs, 0, 0, "the configuration is larger than %u bytes",
				CONFIG_BYTES_MAX);
		return err_set(-EMSGSIZE, "%s", errs->error[0].text);
	}
	rc = config_yaml_parse(text, len, errs, &yaml);
	if (rc < 0)
		return errs->n > 0 ? refuse(errs) : rc;

	config_default(out);
	rc = config_walk(yaml, out, errs);
	config_yaml_free(yaml);
	if (rc == 0 && errs->n > 0)
		rc = refuse(errs);
	if (rc < 0)
		config_deinit(out);
	return rc;
}

static int check_owner(const char *path, const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return err_set(-EPERM, "%s belongs to user %u, not to root or to us",
			       path, st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(
			-EPERM,
			"%s is writable by others (mode %03o): chmod go-w it first",
			path, st->st_mode & 0777);
	return 0;
}

static int read_all(int fd, const char *path, char *text, size_t cap, size_t *out_len)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, text + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(-errno, "cannot read %s: %s", path,
				       strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*out_len = len;
	return 0;
}

int config_load(const char *path, bool is_strict, struct config *out,
		struct config_errors *errs)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
	char *text = NULL;
	size_t len = 0;
	struct stat st;

	*errs = (struct config_errors){0};
	if (fd < 0)
		return err_set(-errno, "cannot open %s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		rc = err_set(-EINVAL, "%s is not a regular file", path);
		goto done;
	}
	rc = is_strict ? check_owner(path, &st) : 0;
	if (rc < 0)
		goto done;
	/* One byte more than allowed, so that too much is seen. */
	text = malloc(CONFIG_BYTES_MAX + 1);
	rc = text ? read_all(fd, path, text, CONFIG_BYTES_MAX + 1, &len)
		  : err_set(-ENOMEM, "no memory for %s", path);
	if (rc == 0)
		rc = config_parse(text, len, out, errs);
	if (rc < 0 && errs->n > 0)
		rc = err_prefix(rc, "%s", path);
done:
	free(text);
	(void)close(fd);
	return rc;
}
