/*
 * tickbusd - the market-data event bus daemon.
 *
 * The map of this folder:
 *
 *	main.c             command line, configuration, exit code
 *	daemon.[ch]        everything that runs: start, loop, drain, stop
 *	daemon_parts.c     opens and closes log, workers, tier 2
 *	daemon_sockets.c   ... and everything that faces outwards
 *	daemon_timers.c    heartbeats, guards, watchdog, the wall's clock records
 *	config*.c          YAML to struct config, by one table
 *	store_thread.c     the sequencer's thread: jobs, commit, dispatch
 *	intake.c           judges ticks, appends them, answers producers
 *	dispatch.c         from the log to the workers, in order
 *	inband.c           what is derived on that way
 *	sim_thread.c       the simulated exchange as a producer
 *	feed_thread.c      asks vendors over HTTP
 *	history_*.c        history.db on its thread; jobs*.c what fetches the past into
 *it, quality.c judges it; daemon_history.c opens both threads live_*.c vendors' streams
 *on their thread, refilled; daemon_live.c publisher.c        from the outboxes to
 *frames, rings and sockets publisher_beat.c   heartbeats derived.c          derived
 *events to the store, in log order; derived_rows.c keeps what finds no room there
 *	snapshot.c         takes state snapshots; daemon_snapshots.c brings it the parts
 *	restore.c          starts from one; renumber.c under another configuration
 *	rerun*.c           derives anew from records, into memory
 *	verify*.c          ... and compares with what is stored
 *	replay_files.c     ... and writes files; offline.c both without a daemon
 *	store_access.c     reads the store from another thread; row_walk.c its rows
 *	serve_rep.c        REP sockets; serve_ingest.c and serve_catchup.c use it
 *	serve_pub.c        PUB sockets; guard.c keeps nng's listeners alive
 *	serve_admin.c      the admin socket; admin_commands.c what it can do
 *	serve_http.c       /metrics, /healthz, /readyz; metrics.c what they say
 *	serve_ring.c       hands the broadcast rings to local subscribers
 *	unixsock.c         unix sockets for our uid and root alone
 *	thread_room.c      may we start the threads that we need?
 *	notify.c           the service manager
 *	backup_job.c       copies the state while it is written
 *	exitcode.c         why we ended; libraries.c versions of what we use
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/exitcode.h"
#include "daemon/libraries.h"
#include "daemon/offline.h"
#include "daemon/rerun.h"
#include "store/backup.h"
#include "store/repair.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: tickbusd [OPTION]...\n"
	"\n"
	"  -c, --config FILE        read this configuration; default: the built-in "
	"one\n"
	"      --demo               built-in demonstration: simulated exchange, "
	"compressed time\n"
	"      --state-dir DIR      keep the log and the sockets here, whatever the\n"
	"                           configuration says\n"
	"      --check-config FILE  report every error of FILE and exit (0 or 78)\n"
	"      --print-config       print the effective configuration and exit\n"
	"      --repair             save what is good of a damaged log, and exit\n"
	"      --restore BACKUP     put a backup into the state directory, and exit\n"
	"      --verify             derive anew from the log of a stopped daemon and\n"
	"                           compare: 0 equal, 1 it differs, 65 no verdict\n"
	"      --from POS, --to POS only this range of log positions\n"
	"      --json               print what was found as JSON\n"
	"      --replay LOG         make files of a state directory's log\n"
	"      --out DIR            where they go\n"
	"      --format FORMAT      jsonl (default) or sbe\n"
	"      --workers N          of both: derive on N threads, 1..16; default: 1\n"
	"      --version, --help\n"
	"\n"
	"Exit codes: 0 stopped; 64 usage; 65 damaged log; 69 port taken; 70 internal;\n"
	"73 state directory; 74 write failed; 75 another daemon has the log; 78 "
	"configuration.\n";

struct options {
	const char *config;
	const char *check;
	const char *state_dir;
	bool is_demo;
	bool print;
	bool repair;
	const char *restore;
	bool verify;
	const char *replay;
	struct offline_options offline;
};

enum {
	OPT_CHECK = 256,
	OPT_DEMO,
	OPT_STATE,
	OPT_PRINT,
	OPT_REPAIR,
	OPT_RESTORE,
	OPT_VERSION,
	OPT_HELP,
	OPT_VERIFY, /* from here on: what is done without a running daemon */
	OPT_FROM,
	OPT_TO,
	OPT_JSON,
	OPT_REPLAY,
	OPT_OUT,
	OPT_FORMAT,
	OPT_WORKERS,
};

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
	       *out >= 1 && *out <= max;
}

/* False: it is no such value. */
static bool read_offline(int c, struct options *o)
{
	uint64_t workers;

	switch (c) {
	case OPT_VERIFY:
		o->verify = true;
		return true;
	case OPT_FROM:
		return read_number(optarg, INT64_MAX, &o->offline.from);
	case OPT_TO:
		return read_number(optarg, INT64_MAX, &o->offline.to);
	case OPT_JSON:
		o->offline.json = true;
		return true;
	case OPT_REPLAY:
		o->replay = optarg;
		return true;
	case OPT_OUT:
		o->offline.out = optarg;
		return true;
	case OPT_FORMAT:
		o->offline.format =
			strcmp(optarg, "sbe") == 0 ? REPLAY_SBE : REPLAY_JSONL;
		return o->offline.format == REPLAY_SBE || strcmp(optarg, "jsonl") == 0;
	default:
		if (!read_number(optarg, RERUN_WORKERS_MAX, &workers))
			return false;
		o->offline.n_workers = (uint32_t)workers;
		return true;
	}
}

/* A sentence when the options do not go together. */
static const char *mismatch(const struct options *o)
{
	bool replay = o->replay != NULL;

	if (o->verify && replay)
		return "--verify and --replay are two things";
	if (replay && o->offline.out == NULL)
		return "--replay needs --out DIR";
	if (!replay && o->offline.out != NULL)
		return "--out belongs to --replay";
	if (o->verify && o->state_dir == NULL)
		return "--verify needs --state-dir DIR";
	if (!o->verify &&
	    (o->offline.from != 0 || o->offline.to != 0 || o->offline.json))
		return "--from, --to and --json belong to --verify";
	if (o->verify && o->offline.to != 0 && o->offline.from > o->offline.to)
		return "the range ends before it begins";
	return NULL;
}

static const struct option longs[] = {
	{"config", required_argument, NULL, 'c'},
	{"check-config", required_argument, NULL, OPT_CHECK},
	{"demo", no_argument, NULL, OPT_DEMO},
	{"state-dir", required_argument, NULL, OPT_STATE},
	{"print-config", no_argument, NULL, OPT_PRINT},
	{"repair", no_argument, NULL, OPT_REPAIR},
	{"restore", required_argument, NULL, OPT_RESTORE},
	{"verify", no_argument, NULL, OPT_VERIFY},
	{"from", required_argument, NULL, OPT_FROM},
	{"to", required_argument, NULL, OPT_TO},
	{"json", no_argument, NULL, OPT_JSON},
	{"replay", required_argument, NULL, OPT_REPLAY},
	{"out", required_argument, NULL, OPT_OUT},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"workers", required_argument, NULL, OPT_WORKERS},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0}};

/* -1: go on; else the exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	const char *why;
	int c;

	while ((c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case OPT_CHECK:
			o->check = optarg;
			break;
		case OPT_DEMO:
			o->is_demo = true;
			break;
		case OPT_STATE:
			o->state_dir = optarg;
			break;
		case OPT_PRINT:
			o->print = true;
			break;
		case OPT_REPAIR:
			o->repair = true;
			break;
		case OPT_RESTORE:
			o->restore = optarg;
			break;
		case OPT_VERSION:
			printf("tickbusd %s\n", TICKBUS_VERSION);
			libraries_print(stdout);
			return EXITCODE_OK;
		case 'h':
		case OPT_HELP:
			fputs(usage, stdout);
			return EXITCODE_OK;
		default:
			if (c >= OPT_VERIFY && read_offline(c, o))
				break;
			if (c >= OPT_VERIFY)
				fprintf(stderr, "tickbusd: '%s' is no such value\n",
					optarg);
			fputs(usage, stderr);
			return EXITCODE_USAGE;
		}
	}
	why = mismatch(o);
	if (why != NULL) {
		fprintf(stderr, "tickbusd: %s\n%s", why, usage);
		return EXITCODE_USAGE;
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "tickbusd: unexpected argument '%s'\n%s", argv[optind], usage);
	return EXITCODE_USAGE;
}

static void report(const char *name, const struct config_errors *errs)
{
	for (unsigned i = 0; i < errs->n; i++)
		fprintf(stderr, "%s:%u:%u: %s\n", name, errs->error[i].line,
			errs->error[i].column, errs->error[i].text);
	if (errs->n == 0)
		fprintf(stderr, "%s: %s\n", name, err_text());
	if (errs->dropped > 0)
		fprintf(stderr, "%s: and %u more errors\n", name, errs->dropped);
}

static int load(const struct options *o, struct config *c)
{
	struct config_errors *errs = calloc(1, sizeof(*errs));
	const char *path = o->check != NULL ? o->check : o->config;
	const char *name = path != NULL ? path
			   : o->is_demo ? "demo.yaml"
					: "tickbusd.yaml";
	size_t len;
	int rc;

	if (errs == NULL)
		return EXITCODE_INTERNAL;
	if (path != NULL) {
		rc = config_load(path, o->check == NULL, c, errs);
	} else {
		const char *text =
			o->is_demo ? config_demo_text(&len) : config_default_text(&len);

		rc = config_parse(text, len, c, errs);
	}
	if (rc < 0) {
		report(name, errs);
	} else if ((rc = config_lexicon(c)) < 0) {
		fprintf(stderr, "tickbusd: %s: %s\n", name, err_text());
		config_deinit(c);
	}
	free(errs);
	return rc < 0 ? EXITCODE_CONFIG : EXITCODE_OK;
}

/* DIR/tickbus.db, DIR/admin.sock and DIR/ring.sock. */
static int move_state(struct config *c, const char *dir)
{
	int n = snprintf(c->store.dir, sizeof(c->store.dir), "%s", dir);
	int m = snprintf(c->listen.admin, sizeof(c->listen.admin), "%s/admin.sock",
			 dir);
	int k = snprintf(c->listen.ring, sizeof(c->listen.ring), "%s/ring.sock", dir);

	if (n < (int)sizeof(c->store.dir) && m < 108 && k < 108)
		return EXITCODE_OK;
	fprintf(stderr, "tickbusd: --state-dir %s is too long for a unix socket\n",
		dir);
	return EXITCODE_USAGE;
}

static int print_config(struct config *c)
{
	struct buf out = {0};

	config_print(c, &out);
	fputs(buf_text(&out), stdout);
	buf_free(&out);
	config_deinit(c);
	return EXITCODE_OK;
}

/* After exit code 65: the good part of the log goes on, the loss is told. */
static int repair(struct config *c)
{
	struct repair_report r;
	int rc;

	role_assert_store(); /* no thread is running */
	rc = repair_run(c->store.dir, clock_wall_ns(), &r);
	if (rc < 0) {
		fprintf(stderr, "tickbusd: %s\n", err_text());
		config_deinit(c);
		return exitcode_of(rc);
	}
	printf("kept positions %" PRIu64 " to %" PRIu64 "; the old files are in %s\n",
	       r.first_pos, r.last_pos, r.kept_in);
	if (r.cause[0] != '\0')
		printf("the log ends there because: %s\n", r.cause);
	if (r.lost_first != 0)
		printf("LOST: positions %" PRIu64 " to %" PRIu64
		       " were acknowledged; the next start begins a new epoch, "
		       "producers may send them again\n",
		       r.lost_first, r.lost_last);
	printf("derived events and snapshots were left out: the next start makes them "
	       "again from the log\n");
	config_deinit(c);
	return EXITCODE_OK;
}

/* Behind it nothing that was acknowledged later is there: the next start says so. */
static int restore(struct config *c, const char *from)
{
	struct backup_report r;
	int rc;

	role_assert_store(); /* no thread is running */
	rc = backup_restore(from, c->store.dir, clock_wall_ns(), &r);
	if (rc < 0) {
		fprintf(stderr, "tickbusd: %s\n", err_text());
	} else {
		printf("%s has the log up to position %" PRIu64 " again\n",
		       c->store.dir, r.position);
		if (r.kept_in[0] != '\0')
			printf("what was there is in %s\n", r.kept_in);
		if (r.lost_first != 0)
			printf("LOST: positions %" PRIu64 " to %" PRIu64
			       " were acknowledged after the backup\n",
			       r.lost_first, r.lost_last);
		printf("the next start begins a new epoch behind %" PRIu64
		       ": producers must send again what they kept\n",
		       r.epoch);
	}
	config_deinit(c);
	return rc < 0 ? exitcode_of(rc) : EXITCODE_OK;
}

/* Or the first socket would get descriptor 2, and hear our log. */
static void keep_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options o = {.offline = {.n_workers = 1}};
	struct config c;
	int rc;

	keep_standard_files();
	rc = parse_options(argc, argv, &o);
	if (rc >= 0)
		return rc;
	o.offline.dir = o.replay != NULL ? o.replay : o.state_dir;
	o.offline.config = o.config;
	if (o.verify || o.replay != NULL)
		return o.verify ? offline_verify(&o.offline)
				: offline_replay(&o.offline);
	rc = load(&o, &c);
	if (rc != EXITCODE_OK)
		return rc;
	if (o.check != NULL) {
		config_deinit(&c);
		printf("%s: good\n", o.check);
		return EXITCODE_OK;
	}
	if (o.state_dir != NULL)
		rc = move_state(&c, o.state_dir);
	if (rc != EXITCODE_OK) {
		config_deinit(&c);
		return rc;
	}
	if (o.repair)
		return repair(&c);
	if (o.restore != NULL)
		return restore(&c, o.restore);
	return o.print ? print_config(&c) : daemon_run(&c, o.config);
}
