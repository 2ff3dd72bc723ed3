/*
 * tickbusctl - watch, ask, feed and steer a tickbusd.
 *
 * The map of this folder:
 *
 *	tickbusctl.c    the table of commands, global options, exit code
 *	cli.[ch]        options, errors and signals that the commands share
 *	query.[ch]      one question to the admin socket and its answer
 *	render.[ch]     answers as lines, tables and CSV
 *	cmd_status.c    status, config, pause, resume, reload, shutdown
 *	cmd_symbols.c   symbols
 *	cmd_archive.c   archive
 *	cmd_gaps.c      gaps, sources
 *	cmd_metrics.c   metrics
 *	cmd_top.c       top; gauges.[ch] what it shows, rates and all
 *	cmd_sub.c       sub; show_event.[ch] events as lines and CSV
 *	cmd_log.c       log
 *	cmd_matrix.c    matrix
 *	cmd_verify.c    verify
 *	cmd_why.c       why; cmd_why_matrix.c that of matrices
 *	cmd_features.c  features; feature_source.[ch] series, feature_frame.[ch] rows
 *	cmd_work.c      work, for the daemon; worknote.[ch] progress of it
 *	job_order.[ch]  --job of features and report; job_result.[ch] its file
 *	cmd_ingest.c    ingest; symbol_file.[ch] lists of symbols
 *	cmd_jobs.c      jobs, job, cancel; job_view.[ch] progress, summary
 *	cmd_past.c      bars, quality, cache, index, vendors
 *	cmd_export.c    export, query; archive_run.[ch] becoming tickbus-archive
 *	cmd_indicators.c  indicators
 *	cmd_news.c      news
 *	cmd_trace.c     trace
 *	cmd_chaos.c     chaos
 *	cmd_sentiment.c  sentiment; scorer.[ch] the scorer with its lexicon
 *	cmd_report.c    report; report_gather.[ch] its data
 *	history_source.[ch]  rows of the past, portfolio_file.[ch] holdings
 *	cmd_feed.c      feed; feeder.[ch] batches, progress.[ch] its bar
 */
#include "cli/cli.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* clang-format off */
static const struct command commands[] = {
	{"status", "", "Show how the daemon is: log, workers, sockets, what is lost",
	 "  --json           as the daemon sends it\n"
	 "Exit code 1: it answers, but is not ready.\n", cmd_status},
	{"metrics", "", "Print every counter",
	 "  --json           as one JSON object\n"
	 "  --prometheus     in Prometheus' text format\n", cmd_metrics},
	{"top", "", "Watch rates, lags, buffers and drops",
	 "  --interval S     seconds between refreshes, 1\n"
	 "  --count N        stop after N refreshes\n"
	 "  --all            also the counters that stand still\n", cmd_top},
	{"symbols", "", "List the symbols the daemon knows, with their state",
	 "  --json, --csv\n", cmd_symbols},
	{"sources", "", "List the sources, and how their live feeds are",
	 "  --json           as the daemon sends it\n"
	 "Exit code 1: a live feed should bring data and does not.\n", cmd_sources},
	{"subscribers", "", "List who is connected to the PUB sockets, and what waits for them",
	 "  --json           as the daemon sends it\n", cmd_subscribers},
	{"gaps", "[SYMBOL]", "Show what live feeds miss, and why",
	 "  --all            every stretch: live, refilled, quiet as well\n"
	 "  --json           as the daemon sends it\n"
	 "Exit code 1: something is missing (open: still to be fetched; lost: cannot be).\n",
	 cmd_gaps},
	{"archive", "[status|flush|verify|compact]", "Show how the archive is, or have it looked after",
	 "  --json           as the daemon sends it\n"
	 "flush: hand over what is committed by now. verify: every byte against its manifest.\n"
	 "compact: rewrite what lies in small pieces.\n"
	 "Exit code 1: something is damaged, or the last hand-over failed.\n", cmd_archive},
	{"sub", "KIND[,KIND...] [SYMBOL...]",
	 "Subscribe to tick, bar, tier1, tier2 (SYMBOL is then a universe) or status",
	 "  --format F       pretty (default), json or csv (one kind)\n"
	 "  --count N        stop after N events\n"
	 "  --seconds N      stop after N seconds\n"
	 "  --timeframe TF   only this timeframe: 1m\n"
	 "  --from WHERE     now (default), snapshot (the newest of everything, then what\n"
	 "                   follows), oldest, a log position, or a time (RFC 3339)\n"
	 "  --policy P       lossless (default), conflate: of what waits the newest, or\n"
	 "                   best-effort: report gaps, do not fetch what is missing\n"
	 "  --sample MS      the newest of each stream, once in so many milliseconds\n",
	 cmd_sub},
	{"feed", "FILE...", "Send the ticks of files (CSV, JSON lines, DBN; gzip, zstd; - is stdin)",
	 "  --map LIST       columns: time=0,bid=1,ask=2 or time=T,price=P\n"
	 "  --symbol NAME    the symbol of every line\n"
	 "  --source NAME    where the ticks come from, default: file\n"
	 "  --time SPEC      auto, rfc3339, s, ms, us, ns, ms@DATE[@ZONE], local@ZONE\n"
	 "  --date DATE      times are milliseconds since midnight of DATE (in --zone)\n"
	 "  --zone ZONE      IANA name or -05:00\n"
	 "  --format F       csv, jsonl or dbn; default: by the file's name\n"
	 "  --delimiter C    of CSV, default: comma\n"
	 "  --speed X        1: as it happened, 60: an hour in a minute; default: no pause\n"
	 "  --batch N        ticks per request, 1000\n"
	 "  --producer NAME  go on under this name: what was taken is not taken twice\n"
	 "  --settle D       then let the log's clock pass the last tick by D, 2m; 0s: not\n"
	 "  --quiet          no progress\n", cmd_feed},
	{"ingest", "[SYMBOL...]", "Fetch the past of symbols from the vendors, as a job of the daemon",
	 "  --start TIME     a day (2016-01-01, midnight UTC) or a time\n"
	 "  --end TIME       likewise, exclusive; default: what is final by now\n"
	 "  --timeframe TF   1m (default, 1min means the same) .. 1d\n"
	 "  --vendor NAME    whom to ask; again: whom next, when one fails; default: all\n"
	 "  --adjust HOW     raw (default), split, all\n"
	 "  --what WHAT      bars (default), news, actions\n"
	 "  --csv FILE       symbols in a column of a CSV file with a header\n"
	 "  --column NAME    ... this column, Symbol\n"
	 "  --text FILE      symbols between blanks, commas and line ends\n"
	 "  --index-name N   note them as its members; default: by the file's name\n"
	 "  --no-follow      do not wait: jobs, job N --follow\n"
	 "  --json           the job as one object\n"
	 "Exit code 1: a symbol failed; 75: interrupted, the job goes on.\n", cmd_ingest},
	{"jobs", "", "List the newest jobs",
	 "  --json           as the daemon sends it\n", cmd_jobs},
	{"job", "N", "Show a job, with each symbol that failed and why",
	 "  --follow         watch it until it ends\n"
	 "  -o, --out FILE   bring the result there, when it is done (features, report)\n"
	 "  --json           as the daemon sends it\n"
	 "Exit code 1: a symbol failed; 75: it goes on.\n", cmd_job},
	{"cancel", "N", "End a job; what it has stored stays", "", cmd_cancel},
	{"features", "extract|names", "Compute the features of tsfresh, a row a symbol, into one table",
	 "  --symbols A,B    of the daemon's bars, in this order\n"
	 "  --csv FILE       of a file instead: symbol,timestamp,open,high,low,close,volume\n"
	 "  --field F        close (default), return (logarithmic) or volume\n"
	 "  --window N       the newest N values, 500\n"
	 "  --set S          minimal, efficient (default) or comprehensive\n"
	 "  --flavour F      tsfresh (default) or plain: without its quirks\n"
	 "  --impute         fill what is not finite from the other symbols\n"
	 "  --format F       csv (default) or json: one object a line\n"
	 "  --threads N      default: one a processor\n"
	 "  --timeframe TF, --start TIME, --end TIME, --source NAME  as of bars\n"
	 "  -o, --out FILE   default: standard output\n"
	 "  --job            as a job of the daemon: says its number and ends; --follow: waits,\n"
	 "                   and brings the result to FILE\n"
	 "Exit code 1: a symbol has no features; its row is empty, the reason is on stderr.\n",
	 cmd_features},
	{"bars", "SYMBOL", "Print bars: what vendors sent, going on in what was seen live",
	 "  --start TIME     a day or a time\n"
	 "  --end TIME       likewise, exclusive\n"
	 "  --timeframe TF   1m\n"
	 "  --source NAME    whose; default: ours where there is one, else the first vendor's\n"
	 "  --adjust HOW     raw (default), split, all: as a vendor sent them\n"
	 "  --store          only what vendors sent, all digits exact; so it is without an archive\n"
	 "  --archive DIR    of this archive\n"
	 "  --json, --csv\n", cmd_bars},
	{"export", "--symbols A,B", "Align bars of many symbols side by side, as a file (of the archive)",
	 "  --symbols A,B    in this order; or --index NAME [--as-of DATE]: its members\n"
	 "  --fields LIST    close (default),open,high,low,volume,vwap,trade_count, ...\n"
	 "  --start, --end   a day or a time, the end exclusive\n"
	 "  --timeframe TF   1m\n"
	 "  --resample TF    coarser bars, made of these\n"
	 "  --align HOW      outer (default): every time of any symbol; inner: of all;\n"
	 "                   ffill: outer, with each value carried on\n"
	 "  --tolerance D    ... no further than this, 5m; --age: how old the values are\n"
	 "  --long           not aligned: a symbol column, one symbol after the other\n"
	 "  --source, --feed whose bars, when there are several\n"
	 "  --adjust HOW     raw, split, all: by the corporate actions beside the bars\n"
	 "  --zone ZONE      of times in CSV and JSON; default: UTC\n"
	 "  --format F       csv (default), json, parquet, arrow, table\n"
	 "  -o, --out FILE   default: standard output\n"
	 "  --limit D        give up after this, 60s\n"
	 "  --archive DIR    default: the daemon's, which first hands over what is new\n"
	 "  --no-flush       ... or not\n"
	 "  --memory MIB, --threads N   what it may take, 512 and 2\n", cmd_export},
	{"query", "\"SELECT ...\"", "Ask the archive in SQL: views bars_1m ... bars_1d, ticks, news, ...",
	 "  --format F       table (on a terminal), csv (else), json, parquet, arrow\n"
	 "  --rows N         at most, 100000\n"
	 "  --limit, --out, --archive, --no-flush, --memory, --threads as for export\n", cmd_query},
	{"quality", "SYMBOL", "Judge these bars: gaps inside sessions, outliers, coverage",
	 "  --start, --end, --timeframe, --source, --adjust as for bars\n"
	 "  --json           as the daemon sends it\n", cmd_quality},
	{"cache", "list [SYMBOL] | stats | invalidate [SYMBOL]",
	 "Show what of the past is kept, or forget some of it, to fetch it again",
	 "  --source NAME    only this vendor's\n"
	 "  --start, --end   invalidate: only this range\n"
	 "  --all            invalidate: everything\n"
	 "  --json, --csv\n", cmd_cache},
	{"index", "[NAME]", "List the indices that symbols were ingested as, or the members of one",
	 "  --json, --csv\n", cmd_index},
	{"indicators", "", "List the indicators that `indicators:` may name, with their parameters",
	 "  --list           the default\n"
	 "  --json           as one array\n", cmd_indicators},
	{"news", "SYMBOL... | import FILE... | import --from-history SYMBOL...",
	 "Score what vendors wrote about symbols (ingest --what news), and sum it up",
	 "  --start TIME     articles from then on\n"
	 "  --end TIME       until then, exclusive\n"
	 "  --half-life D    an article weighs half as much after D, 1d\n"
	 "  --repeat D       the same headline again within D counts once, 1d\n"
	 "  --window D       articles of D back from the symbol's newest alone, and age\n"
	 "                   from it: with 1d and --half-life 6h what the daemon says\n"
	 "  --all            every article, too\n"
	 "  --vader FILE     VADER's lexicon; default: where tools/setup-news puts it\n"
	 "  --json           one object\n"
	 "Exit code 1: there was no article about one of them.\n"
	 "import: send the articles of files (JSON lines, CSV, RSS, Atom; -: standard\n"
	 "input) to the daemon, which scores them; `sub news` shows it.\n"
	 "  --source NAME    who wrote them, file\n"
	 "  --symbols LIST   of articles that name none; what a feed is about\n"
	 "  --match WHERE    title, category or both: of a feed only articles that name\n"
	 "                   one of the symbols there\n"
	 "  --url URL        where the feed came from, for its relative links\n"
	 "  --from-history   what vendors wrote about the symbols (ingest --what news), from\n"
	 "                   --start to --end, each article once and the oldest first\n"
	 "Exit code 1: not everything was taken.\n", cmd_news},
	{"sentiment", "HEADLINE... | -", "Score headlines (-: of standard input, one a line), without a daemon",
	 "  --flavour F      finance (default), vader (as the npm package) or vader-py (as\n"
	 "                   the original)\n"
	 "  --vader FILE     VADER's lexicon; default: where tools/setup-news puts it\n"
	 "  --json           one object a line\n", cmd_sentiment},
	{"report", "technical|news|pricing|comprehensive|combined",
	 "Put prices, indicators and news of many symbols side by side",
	 "  --symbols A,B    in this order\n"
	 "  --portfolio FILE what is held: symbol,quantity[,cost_basis]\n"
	 "  --json           one object; default: a table\n"
	 "  --html FILE      a page with charts that needs no network; -: standard output\n"
	 "  -o, --out FILE   where --json goes, default: standard output\n"
	 "  --job            as a job of the daemon: says its number and ends; --follow: waits,\n"
	 "                   and brings the result to FILE\n"
	 "  --workers N      default: one a processor\n"
	 "  --window N       the newest N bars, 252\n"
	 "  --timeframe TF   1d\n"
	 "  --start, --end   bars and articles of this range, the end exclusive\n"
	 "  --adjust HOW     raw (default), split, all: as a vendor sent them\n"
	 "  --source A,B     of these sources alone, the first is preferred; default: all,\n"
	 "                   as the configuration has them\n"
	 "  --news-window D  articles no older than D before the symbol's newest, 30d\n"
	 "  --half-life D    an article weighs half as much after D, 1d\n"
	 "  --repeat D       the same headline again within D counts once, 1d\n"
	 "  --articles N     that are shown per symbol, 5\n"
	 "  --charts N       in the page, of the first N symbols, 24\n"
	 "  --history        technical, combined: the indicators of every bar, too\n"
	 "  --vader FILE     VADER's lexicon; default: where tools/setup-news puts it\n"
	 "Exit code 1: something of a symbol is not there, or a line of FILE was not taken.\n",
	 cmd_report},
	{"vendors", "", "List whom can be asked, and how often they were",
	 "  --json           as the daemon sends it\n", cmd_vendors},
	{"log", "[count | range FROM TO | tail [N]]", "Look into the log of ticks",
	 "  --quarantine     the refused ticks instead (tail N of them)\n"
	 "  --json, --csv\n", cmd_log},
	{"matrix", "[NAME]", "Show the newest correlation matrix of a universe; without NAME list them",
	 "  --timeframe TF   of a universe that has several\n"
	 "  --csv            the full square\n"
	 "  --json           as the daemon sends it\n", cmd_matrix},
	{"verify", "", "Derive everything anew from the log and compare it with what was published",
	 "  --from POS       compare events from this log position on\n"
	 "  --to POS         ... up to this one\n"
	 "  --workers N      derive on N threads, 1..16; default: 1\n"
	 "  --heads          also where every stream's chain ends\n"
	 "  --json           as the daemon sends it\n"
	 "Exit code 0: equal; 1: it differs; 75: no verdict (refused, cancelled, failed).\n", cmd_verify},
	{"why", "matrix NAME VERSION [SYM SYM] | bar SYM TF TIME | feature SYM TF TIME [FEATURE]",
	 "Show where a derived event comes from, down to the ticks and who sent them",
	 "  --all            every tick, not the first and last five\n"
	 "  --timeframe TF   of a universe that has several\n"
	 "  --json           as one object\n", cmd_why},
	{"trace", "[POSITION]", "Show the way of one record with its times, or the slowest and the newest",
	 "POSITION is an event's pos, an exemplar's trace_id.\n"
	 "  --json           as the daemon sends it\n", cmd_trace},
	{"chaos", "kill | stall-worker N | poison SYMBOL | drop-feed FEED | fill-quota",
	 "Have the daemon suffer a fault (if chaos.enabled permits it), then verify",
	 "  --seconds S      how long a stall or a full disk lasts, or to wait: 5\n"
	 "  --ticks N        of rubbish, 1000\n"
	 "  --wait S         for the next daemon after a kill, 60\n"
	 "Exit code: verify's, when the fault is over.\n", cmd_chaos},
	{"pause", "SYMBOL", "Go on logging a symbol's ticks, but make nothing of them; hold its news", "", cmd_pause},
	{"kill", "[SYMBOL]", "Hold back outputs: of a symbol, a source, a tier or all",
	 "  --source NAME    of every symbol whose newest bar, or a new article, is of it\n"
	 "  --tier N         1: all features; 2: all matrices\n"
	 "  --all            all bars, features, news and matrices\n"
	 "  --reason TEXT    why: kept, and shown\n"
	 "  --list           what is held, since when, by whom and why (exit code 1: something)\n"
	 "  --json           as the daemon sends it\n"
	 "Ticks are logged and published as ever; what is held is derived and stored.\n", cmd_kill},
	{"quarantine", "SYMBOL", "The same for a symbol or source whose data is suspect",
	 "  --source NAME, --reason TEXT, --list, --json\n", cmd_quarantine},
	{"resume", "[SYMBOL]", "Publish what was held, or go on with a paused or faulted symbol",
	 "  --source NAME, --tier N, --all, --json\n", cmd_resume},
	{"backup", "DIR", "Copy log, history and configuration of the running daemon into DIR",
	 "DIR is made, or empty.  The copy is of one moment, with hashes; restore puts it back.\n", cmd_backup},
	{"restore", "BACKUP", "Put a backup into the state directory of a stopped daemon",
	 "  --state-dir DIR  where to\n"
	 "  --config FILE    ... or the configuration that names it\n"
	 "  --daemon PATH    tickbusd, default: the one beside tickbusctl\n"
	 "What is there is kept in a folder beside.  Exit code 65: the backup is damaged; 75: a\n"
	 "daemon runs there.  The next start begins a new epoch: producers must send again.\n", cmd_restore},
	{"doctor", "", "Check ports, files, disk, clock, libraries and listeners, with or without a daemon",
	 "  --config FILE    without a daemon: its configuration; default: the installed one\n"
	 "  --daemon PATH    tickbusd, default: the one beside tickbusctl\n"
	 "  --json           as one object\n"
	 "Exit code 0: nothing is bad; 1: something is.\n", cmd_doctor},
	{"config", "", "Print the configuration in force", "", cmd_config},
	{"reload", "", "Read the configuration file again", "", cmd_reload},
	{"shutdown", "", "Stop the daemon after its accepted work", "", cmd_shutdown},
};
/* clang-format on */

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* What the daemon starts. */
static const struct command hidden = {"work", "MEMORY RESULT NICE",
				      "Compute a job of the daemon", "", cmd_work};

static void print_usage(FILE *out)
{
	(void)fputs("usage: tickbusctl [OPTION]... COMMAND [ARG]...\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(out, "  %-10s %s\n", commands[i].name,
			      commands[i].summary);
	(void)fputs("\n"
		    "  --admin PATH    the daemon's admin socket, " CLI_ADMIN_PATH "\n"
		    "  --host NAME     where it publishes, 127.0.0.1\n"
		    "  --port N        the first of its ports, 7400\n"
		    "  --timeout MS    of one request, 5000\n"
		    "  --version, --help; tickbusctl COMMAND --help\n"
		    "\n"
		    "Exit codes: 0 done; 1 the daemon said no, or not everything was "
		    "taken;\n"
		    "64 usage; 69 the daemon does not answer; 70 internal; 74 file or "
		    "output;\n"
		    "75 verify came to no verdict; ingest was interrupted, its job "
		    "goes on.\n",
		    out);
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int run(struct cli *c, int argc, char **argv)
{
	bool is_help = strcmp(argv[0], "help") == 0;
	const char *name = is_help && argc > 1 ? argv[1] : argv[0];

	if (is_help && argc == 1) {
		print_usage(stdout);
		return CLI_OK;
	}
	c->command = strcmp(name, hidden.name) == 0 ? &hidden : find(name);
	if (c->command == NULL)
		return cli_usage_error(c, "there is no command '%s'", name);
	if (is_help) {
		cli_print_help(c->command);
		return CLI_OK;
	}
	optind = 0; /* glibc: begin anew */
	return c->command->run(c, argc, argv);
}

int main(int argc, char **argv)
{
	struct cli c = {.stop_fd = -1, .is_terminal = isatty(STDOUT_FILENO) == 1};
	int option = cli_global_option(&c, argc, argv);

	if (option == CLI_OPTION_BAD)
		return CLI_USAGE;
	if (option == CLI_OPTION_HELP) {
		print_usage(stdout);
		return cli_finish(CLI_OK);
	}
	if (option == 'v') {
		printf("tickbusctl %s\n", tickbus_version());
		return cli_finish(CLI_OK);
	}
	if (optind == argc) {
		print_usage(stderr);
		return CLI_USAGE;
	}
	return cli_finish(run(&c, argc - optind, argv + optind));
}
