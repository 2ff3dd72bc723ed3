/* live_archive - the daemon's own bars out of its archive: one query, by
 * tickbus-archive. */
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

static void put_range(struct buf *sql, const struct live_source *l)
{
	if (l->start_ns != INT64_MIN)
		buf_printf(sql, " AND epoch_ns(bar_start) >= %lld",
			   (long long)l->start_ns);
	if (l->end_ns != INT64_MAX)
		buf_printf(sql, " AND epoch_ns(bar_start) < %lld",
			   (long long)l->end_ns);
}

/* Of each bar its newest revision, of these the newest window, as the daemon would say
   it: a row of catch-up. */
static void put_sql(struct buf *sql, const struct live_source *l)
{
	buf_printf(sql,
		   "SELECT symbol, epoch_ns(bar_start) AS start_ns, open, high, low, "
		   "close, volume, price_type, source AS source_id, valid_bar FROM ("
		   "SELECT * FROM bars_%s WHERE feed = 'tickbus' AND symbol IN (",
		   l->wish->timeframe);
	put_symbols(sql, l->r);
	buf_printf(sql, ")");
	put_range(sql, l);
	buf_printf(sql,
		   " QUALIFY row_number() OVER (PARTITION BY symbol, price_type, "
		   "bar_start ORDER BY revision DESC) = 1) WHERE valid_bar QUALIFY "
		   "row_number() OVER (PARTITION BY symbol, price_type ORDER BY "
		   "bar_start DESC) <= %zu ORDER BY symbol, bar_start",
		   l->r->window);
}

/* In the child: its standard output is what we read. */
static void become(struct cli *c, const struct live_source *l, int out)
{
	struct archive_run r = {.dir = NULL};
	struct buf sql = {0};

	put_sql(&sql, l);
	if (dup2(out, STDOUT_FILENO) >= 0 && archive_run_add(&r, "query") == CLI_OK &&
	    archive_run_option(&r, "format", "jsonl") == CLI_OK &&
	    archive_run_option(&r, "rows", "1000000000") == CLI_OK &&
	    archive_run_add(&r, buf_text(&sql)) == CLI_OK)
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

static bool ask(struct cli *c, const struct live_source *l, struct buf *out)
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
		become(c, l, fds[1]);
	}
	(void)close(fds[1]);
	if (child > 0)
		is_read = read_all(fds[0], out);
	(void)close(fds[0]);
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return is_read && status == 0;
}

static void take_lines(struct live_source *l, const struct buf *lines)
{
	struct json_scan scan = {.at = (const char *)lines->data};
	struct json_token row;

	scan.end = scan.at + lines->len;
	for (json_scan_blank(&scan); scan.at < scan.end; json_scan_blank(&scan)) {
		if (!json_scan_value(&scan, &row))
			return;
		live_take_bar(l, &row);
	}
}

bool live_archive(struct cli *c, struct live_source *l)
{
	struct buf lines = {0};
	bool has = archive_run_has(c), good = has && ask(c, l, &lines);

	if (good)
		take_lines(l, &lines);
	else if (has)
		(void)fprintf(stderr, "tickbusctl: the archive cannot be asked: of the "
				      "daemon's own bars those count that its store "
				      "holds\n");
	buf_free(&lines);
	return good;
}
