/* live_archive - the daemon's own bars and its articles out of its archive: one query
 * each, by tickbus-archive. */
#include "base/buf.h"
#include "cli/archive_run.h"
#include "cli/live_source.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names of symbols have no quotes (proto/symbol.h). */
static void put_symbols(struct buf *sql, const struct report *r)
{
	for (size_t i = 0; i < r->n; i++)
		buf_printf(sql, "%s'%s'", i > 0 ? "," : "", r->rows[i].symbol);
}

static void put_range(struct buf *sql, const struct live_source *l, const char *time)
{
	if (l->start_ns != INT64_MIN)
		buf_printf(sql, " AND epoch_ns(%s) >= %lld", time,
			   (long long)l->start_ns);
	if (l->end_ns != INT64_MAX)
		buf_printf(sql, " AND epoch_ns(%s) < %lld", time, (long long)l->end_ns);
}

/* Of each bar its newest revision, of these the newest window, as the daemon would say
   it: a row of catch-up. */
static void put_bars(struct buf *sql, const struct live_source *l)
{
	buf_printf(sql,
		   "SELECT symbol, epoch_ns(bar_start) AS start_ns, open, high, low, "
		   "close, volume, price_type, source AS source_id, valid_bar FROM ("
		   "SELECT * FROM bars_%s WHERE feed = 'tickbus' AND symbol IN (",
		   l->wish->timeframe);
	put_symbols(sql, l->r);
	buf_printf(sql, ")");
	put_range(sql, l, "bar_start");
	buf_printf(sql,
		   " QUALIFY row_number() OVER (PARTITION BY symbol, price_type, "
		   "bar_start ORDER BY revision DESC) = 1) WHERE valid_bar QUALIFY "
		   "row_number() OVER (PARTITION BY symbol, price_type ORDER BY "
		   "bar_start DESC) <= %zu ORDER BY symbol, bar_start",
		   l->r->window);
}

/* Of each article the newest of the editions in the range, in the log's order. */
static void put_news(struct buf *sql, const struct live_source *l)
{
	buf_printf(sql, "SELECT symbol, epoch_ns(timestamp) AS time_ns, article, "
			"headline, publisher, url FROM news WHERE symbol IN (");
	put_symbols(sql, l->r);
	buf_printf(sql, ")");
	put_range(sql, l, "timestamp");
	buf_printf(sql, " QUALIFY row_number() OVER (PARTITION BY symbol, article "
			"ORDER BY position DESC) = 1 ORDER BY position");
}

/* In the child: its standard output is what we read. */
static void become(struct cli *c, const char *sql, int out)
{
	struct archive_run r = {.dir = NULL};

	if (dup2(out, STDOUT_FILENO) >= 0 && archive_run_add(&r, "query") == CLI_OK &&
	    archive_run_option(&r, "format", "jsonl") == CLI_OK &&
	    archive_run_option(&r, "rows", "1000000000") == CLI_OK &&
	    archive_run_add(&r, sql) == CLI_OK)
		(void)archive_run_exec(c, &r);
	_exit(CLI_UNAVAILABLE);
}

static bool read_all(int fd, struct buf *out)
{
	ssize_t n;

	do {
		void *room = buf_reserve(out, 1 << 16);

		n = read(fd, room, 1 << 16);
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n == 0;
}

static bool ask(struct cli *c, const char *sql, struct buf *out)
{
	int fds[2], status = -1;
	bool is_read = false;
	pid_t child;

	if (pipe(fds) < 0)
		return false;
	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		(void)close(fds[0]);
		become(c, sql, fds[1]);
	}
	(void)close(fds[1]);
	if (child > 0)
		is_read = read_all(fds[0], out);
	(void)close(fds[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return is_read && status == 0;
}

static void take_lines(struct live_source *l, const struct buf *lines,
		       void (*take)(struct live_source *l,
				    const struct json_token *row))
{
	struct json_scan scan = {.at = (const char *)lines->data};
	struct json_token row;

	scan.end = scan.at + lines->len;
	for (json_scan_blank(&scan); scan.at < scan.end; json_scan_blank(&scan)) {
		if (!json_scan_value(&scan, &row))
			return;
		take(l, &row);
	}
}

bool live_archive(struct cli *c, struct live_source *l, enum live_part part)
{
	static const struct {
		const char *what;
		void (*put)(struct buf *sql, const struct live_source *l);
		void (*take)(struct live_source *l, const struct json_token *row);
	} parts[] = {[LIVE_BARS] = {"own bars", put_bars, live_take_bar},
		     [LIVE_NEWS] = {"articles", put_news, live_take_article}};
	struct buf sql = {0}, lines = {0};
	bool has = archive_run_has(c), good;

	parts[part].put(&sql, l);
	good = has && ask(c, buf_text(&sql), &lines);
	if (good)
		take_lines(l, &lines, parts[part].take);
	else if (has)
		(void)fprintf(stderr,
			      "tickbusctl: the archive cannot be asked: of the "
			      "daemon's %s those count that its store holds\n",
			      parts[part].what);
	buf_free(&lines);
	buf_free(&sql);
	return good;
}
