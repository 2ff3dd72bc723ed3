/*
 * daemon - everything that runs, in one place: who owns whom, and in which order
 * things are opened and closed.
 *
 * Fields are set at start and constant while the threads run unless their line
 * says otherwise.  Files of this folder that answer questions (admin_commands,
 * metrics, serve_catchup) read them; only daemon.c writes them.
 */
#pragma once
#include "base/err.h"
#include "base/mailbox.h"
#include "base/parker.h"
#include "bus/broadcast.h"
#include "bus/bus.h"
#include "bus/outbox.h"
#include "bus/ring.h"
#include "bus/symtab.h"
#include "daemon/analysis_room.h"
#include "daemon/archive_carrier.h"
#include "daemon/archive_handover.h"
#include "daemon/archive_thread.h"
#include "daemon/config.h"
#include "daemon/derived.h"
#include "daemon/derived_rows.h"
#include "daemon/dispatch.h"
#include "daemon/feed_thread.h"
#include "daemon/freezes.h"
#include "daemon/history_thread.h"
#include "daemon/intake.h"
#include "daemon/job_progress_board.h"
#include "daemon/live_thread.h"
#include "daemon/metrics_share.h"
#include "daemon/newest.h"
#include "daemon/otlp_thread.h"
#include "daemon/page_live.h"
#include "daemon/past_handover.h"
#include "daemon/publisher.h"
#include "daemon/rss_thread.h"
#include "daemon/serve_admin.h"
#include "daemon/serve_http.h"
#include "daemon/serve_ingest.h"
#include "daemon/serve_pub.h"
#include "daemon/serve_rep.h"
#include "daemon/serve_ring.h"
#include "daemon/sim_thread.h"
#include "daemon/store_thread.h"
#include "daemon/tick_index.h"
#include "daemon/trace_book.h"
#include "workers/tier2_worker.h"
#include "workers/worker.h"
#include <uv.h>

enum daemon_state { DAEMON_STARTING, DAEMON_REPLAYING, DAEMON_READY, DAEMON_DRAINING };

struct daemon {
	struct config config;    /* loop; SIGHUP replaces the reloadable keys */
	const char *config_path; /* borrowed from argv; NULL: built in */
	uv_loop_t loop;
	enum daemon_state state; /* loop */
	int64_t started_ns;      /* monotonic */
	int64_t started_wall_ns; /* ... and by the wall clock */
	int exit_code;

	struct symtab *symbols; /* owned */
	struct symtab *sources; /* owned */
	struct intake_window window;

	uint32_t n_workers;
	struct bus *bus; /* owned; struct item from the log to the workers */
	struct ring *cuts[WORKERS_MAX];       /* owned; cut items to tier 2 */
	struct outbox *outboxes[WORKERS_MAX]; /* owned; events to the loop */

	struct worker *workers[WORKERS_MAX]; /* owned */
	struct outbox *tick_outbox;          /* owned */
	struct outbox *tier2_outbox;         /* owned */
	struct parker tier2_parker;
	struct tier2_worker *tier2;     /* owned */
	struct store_thread *store;     /* owned */
	struct sim_thread *sim;         /* owned; NULL: off */
	struct feed_thread *feed;       /* owned; NULL: no vendor is configured */
	struct history_thread *history; /* owned; NULL: history_why says */
	char history_why[ERR_TEXT_MAX];
	struct job_progress_board *progress; /* owned; loop */
	struct analysis_room *analysis;      /* owned; NULL: analysis_why says */
	char analysis_why[ERR_TEXT_MAX];
	struct live_thread *live;        /* owned; NULL: no live feeds */
	struct rss_thread *rss;          /* owned; NULL: no feeds of headlines */
	struct archive_carrier *carrier; /* owned; NULL: no archive is configured */
	struct archive_asker archive;    /* whom to ask; .ask NULL: nobody */
	struct archive_thread *archive_thread; /* owned; with it */
	struct handover *rows;                 /* owned; with it; its thread's */
	struct past_handover *handover;        /* owned; with it; store thread */
	uint64_t handover_marks[EVENT_KINDS];  /* store thread: of the page to come */
	uint64_t sim_last_seq;         /* of its producer, when the log was opened */
	struct tick_index *tick_index; /* owned; store thread */
	struct trace *trace;           /* owned; NULL: off */
	struct trace_book *trace_book; /* owned; loop */
	struct otlp_thread *otlp;      /* owned; NULL: traces are not exported */
	struct newest *newest;         /* owned; store thread */
	struct derived_rows *derived_rows; /* owned; store thread */
	uint64_t epoch;
	uint64_t replay_end;   /* log position at start: re-read, not published again */
	bool config_changed;   /* of what is derived, since the last start */
	uint64_t restored_pos; /* of the snapshot that was loaded; 0: none */
	struct restored *restored;   /* owned; what its streams had published */
	_Atomic uint64_t fenced_pos; /* store thread: see daemon_snapshots.c */
	bool is_threadless;          /* no thread runs: parts go straight */

	struct broadcast *broadcasts[PUBLISHED_KINDS]; /* owned; NULL: no such kind */
	struct pub *sbe[PUBLISHED_KINDS];              /* owned; NULL: off */
	struct pub *json[PUBLISHED_KINDS];             /* owned; NULL: off */
	struct gate *gate;                             /* owned */
	struct freezes *freezes;         /* owned; loop: see kill_switch.h */
	struct kill_triggers *triggers;  /* owned; loop; NULL: none are configured */
	bool is_ordering;                /* loop: a freeze or release is on its way */
	struct derived *derived;         /* owned; loop */
	struct publisher *publisher;     /* owned; loop */
	struct ingest_server *ingest;    /* owned; NULL: off */
	struct rep *catchup;             /* owned; NULL: off */
	struct admin *admin;             /* owned; NULL: off */
	struct http *http;               /* owned; NULL: off */
	struct page_live *page_live;     /* owned; NULL: no http */
	struct metrics_share metrics;    /* loop; pages of /metrics */
	struct ring_server *ring_server; /* owned; NULL: off */

	struct backup_job *backup; /* owned; loop; NULL: none since the start */
	struct verify_job *verify; /* owned; loop; NULL: none since the start */
	struct mailbox *answers;   /* owned; what the store thread was asked */

	uv_async_t bell; /* rung by everybody who has something for the loop */
	uv_signal_t sigterm, sigint, sighup;
	uv_timer_t second;               /* heartbeats, clock of the status line */
	uv_timer_t quarter;              /* 250 ms: guards, watchdog, flushes */
	uv_timer_t clock;                /* clock: wall: the next boundary */
	uint64_t moved[WORKERS_MAX + 6]; /* what the watchdog saw last */
	int64_t watched_ns;              /* when the watchdog looked last */
	bool is_doomed;                  /* asked to kill itself */
	int64_t still_ns;                /* how long some thread has not moved */
	const char *still;               /* of what, when it has not */
	int64_t fed_ns;                  /* when the service manager heard of it */
	struct parker closed;            /* where the limit on closing sleeps */
	atomic_bool has_closed;
	unsigned n_passed; /* questions that came back from the store since draining */
	bool is_asking;    /* ... and one is on its way */
	int64_t drain_ns;  /* when draining began */
	int64_t clock_due_ns; /* wall clock of the next clock record */
};

/** Open everything, start the threads, replay, serve until stopped; the exit code. */
int daemon_run(struct config *config, const char *config_path);
/** Begin to drain; the loop ends when everything accepted has left. */
ON_LOOP void daemon_stop(struct daemon *d);
/** Read the configuration again; a sentence in err_text() when refused. */
ON_LOOP int daemon_reload(struct daemon *d);
/** Wake the loop: there is something in an outbox. */
ANY_THREAD void daemon_bell(void *arg);
/** "starting", "replaying", "ready", "draining". */
const char *daemon_state_name(enum daemon_state s);

/*
 * Ask the store thread and come back: @ask runs there, then @answer runs on the
 * loop, both with @arg.  0, or MAILBOX_FULL and neither runs.
 */
typedef void (*daemon_ask_fn)(struct store_thread *st, void *arg);
typedef void (*daemon_answer_fn)(struct daemon *d, void *arg);
ON_LOOP int daemon_ask(struct daemon *d, daemon_ask_fn ask, daemon_answer_fn answer,
		       void *arg);
