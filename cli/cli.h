/*
 * cli - what every command of tickbusctl shares: the connection, the exit codes, the
 * options that all understand, and how to stop.
 *
 * A command parses its own arguments, prints its answer on standard output and what
 * went wrong on standard error, and returns an exit code.  Built on client/, and for
 * `feed`, which reads files on the user's side, on feeds/.
 */
#pragma once
#include "client/tickbus.h"
#include <getopt.h>
#include <stdbool.h>

enum cli_exit {
	CLI_OK = 0,
	CLI_NEGATIVE = 1, /* the daemon said no, or not everything was taken (ingest: a
			     symbol failed) */
	CLI_USAGE = 64,   /* wrong command line */
	CLI_UNAVAILABLE = 69, /* the daemon does not answer */
	CLI_INTERNAL = 70,    /* out of memory, or an answer nobody understands */
	CLI_IO = 74,          /* a file or the output failed */
	CLI_UNFINISHED = 75,  /* verify: no verdict (refused, cancelled, failed); a job
				 goes  on */
};

#define CLI_ADMIN_PATH "/run/tickbus/admin.sock"

struct command;
struct worknote;

struct cli {
	struct tickbus_options options;
	struct tickbus_admin *admin; /* questions go through it; NULL: each by itself */
	const struct command *command; /* the one that runs */
	bool is_terminal;              /* standard output is one */
	struct worknote *note;         /* who is told of progress; NULL: nobody */
	int stop_fd; /* readable after SIGINT, SIGTERM; -1: not asked for */
};

struct command {
	const char *name;
	const char *args; /* "KIND [SYMBOL...]" */
	const char *summary;
	const char *help; /* its options, one per line; may be "" */
	int (*run)(struct cli *c, int argc, char **argv);
};

/* The commands, by the file they stand in. */
int cmd_status(struct cli *c, int argc, char **argv);
int cmd_symbols(struct cli *c, int argc, char **argv);
int cmd_sources(struct cli *c, int argc, char **argv);
int cmd_subscribers(struct cli *c, int argc, char **argv);
int cmd_archive(struct cli *c, int argc, char **argv);
int cmd_gaps(struct cli *c, int argc, char **argv);
int cmd_config(struct cli *c, int argc, char **argv);
int cmd_pause(struct cli *c, int argc, char **argv);
int cmd_kill(struct cli *c, int argc, char **argv);
int cmd_quarantine(struct cli *c, int argc, char **argv);
int cmd_resume(struct cli *c, int argc, char **argv);
int cmd_reload(struct cli *c, int argc, char **argv);
int cmd_shutdown(struct cli *c, int argc, char **argv);
int cmd_metrics(struct cli *c, int argc, char **argv);
int cmd_top(struct cli *c, int argc, char **argv);
int cmd_sub(struct cli *c, int argc, char **argv);
int cmd_log(struct cli *c, int argc, char **argv);
int cmd_matrix(struct cli *c, int argc, char **argv);
int cmd_verify(struct cli *c, int argc, char **argv);
int cmd_why(struct cli *c, int argc, char **argv);
int cmd_features(struct cli *c, int argc, char **argv);
int cmd_feed(struct cli *c, int argc, char **argv);
int cmd_ingest(struct cli *c, int argc, char **argv);
int cmd_jobs(struct cli *c, int argc, char **argv);
int cmd_job(struct cli *c, int argc, char **argv);
int cmd_cancel(struct cli *c, int argc, char **argv);
int cmd_bars(struct cli *c, int argc, char **argv);
int cmd_quality(struct cli *c, int argc, char **argv);
int cmd_cache(struct cli *c, int argc, char **argv);
int cmd_index(struct cli *c, int argc, char **argv);
int cmd_backup(struct cli *c, int argc, char **argv);
int cmd_restore(struct cli *c, int argc, char **argv);
int cmd_doctor(struct cli *c, int argc, char **argv);
int cmd_indicators(struct cli *c, int argc, char **argv);
int cmd_news(struct cli *c, int argc, char **argv);
int cmd_sentiment(struct cli *c, int argc, char **argv);
int cmd_report(struct cli *c, int argc, char **argv);
int cmd_chaos(struct cli *c, int argc, char **argv);
int cmd_trace(struct cli *c, int argc, char **argv);
int cmd_vendors(struct cli *c, int argc, char **argv);
int cmd_work(struct cli *c, int argc, char **argv);
int cmd_export(struct cli *c, int argc, char **argv);
int cmd_query(struct cli *c, int argc, char **argv);

/** Outcomes of cli_option() beside the values of a command's own options. */
enum {
	CLI_OPTION_END = -1,
	CLI_OPTION_BAD = -2,  /* said so already: return CLI_USAGE */
	CLI_OPTION_HELP = -3, /* printed: return CLI_OK */
};

/**
 * The next option of a command, getopt_long()'s way: @longs ends with a zeroed entry
 * and its values are in 1..999.  --admin, --host, --port, --timeout and --help are
 * seen to here.  Arguments are at optind after CLI_OPTION_END.
 */
int cli_option(struct cli *c, int argc, char **argv, const struct option *longs);
/** For main(): the same options before the command; stops at the first argument. */
int cli_global_option(struct cli *c, int argc, char **argv);
/** "-o FILE" is "--out FILE": getopt is asked for long options alone. */
void cli_lengthen(int argc, char **argv);
/** A command without options: the number of its arguments must be in [min, max]. */
int cli_no_options(struct cli *c, int argc, char **argv, int min, int max);

/** "tickbusctl CMD: sentence" on standard error, and how to get help. */
int cli_usage_error(const struct cli *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** "tickbusctl: sentence" on standard error; returns @code. */
int cli_error(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The exit code for a negated errno of client/, after saying what can be done. */
int cli_unavailable(const struct cli *c, int rc);
void cli_print_help(const struct command *command);

/** An unsigned number in [min, max]; false when @text is none. */
bool cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/** From here on SIGINT and SIGTERM only make stop_fd readable. */
int cli_catch_stop(struct cli *c);
/** Wait up to @timeout_ms (0: only look) for a stop; true: it came. */
bool cli_stopped(const struct cli *c, int timeout_ms);
/** Columns of the terminal; 80 when there is none. */
unsigned cli_columns(void);
/** Flush the output: CLI_IO with a sentence when it failed, else @code. */
int cli_finish(int code);
