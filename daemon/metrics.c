/* metrics - see metrics.h. */
#include "daemon/metrics.h"
#include "base/clock.h"
#include "bus/stats.h"
#include "daemon/metrics_text.h"
#include "daemon/thread_time.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (dir == NULL)
		return 0;
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the directory's own */
}

static uint64_t rss_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long size = 0, resident = 0;
	int n;

	if (f == NULL)
		return 0;
	n = fscanf(f, "%llu %llu", &size, &resident);
	(void)fclose(f);
	return n == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* What an ordinary user may still write at @dir; 0: unknown, and that is an alert. */
static uint64_t free_bytes(const char *dir)
{
	struct statvfs fs;

	return statvfs(dir, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

void metrics_process(struct metrics_process *out)
{
	struct rlimit fds;
	struct rusage use;

	*out = (struct metrics_process){.rss_bytes = rss_bytes(),
					.open_fds = count_fds()};
	if (getrlimit(RLIMIT_NOFILE, &fds) == 0)
		out->max_fds = (uint64_t)fds.rlim_cur;
	if (getrusage(RUSAGE_SELF, &use) == 0)
		out->cpu_s =
			(double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
			(double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

/* A family of one sample. */
static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metrics_family(out, name, "gauge", help);
	metrics_sample(out, name, "", value);
}

static void counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metrics_family(out, name, "counter", help);
	metrics_sample(out, name, "", value);
}

static void put_process(const struct daemon *d, struct buf *out)
{
	double uptime_s = (double)(clock_mono_ns() - d->started_ns) * 1e-9;
	struct metrics_process p;
	char label[METRICS_LABEL_MAX];

	metrics_process(&p);
	metrics_family(out, "build_info", "gauge", "Version of the running program");
	metrics_sample(out, "build_info",
		       metrics_label(label, "version", TICKBUS_VERSION), 1);
	metrics_family(out, "state", "gauge", "1 for the state the daemon is in");
	for (int s = DAEMON_STARTING; s <= DAEMON_DRAINING; s++)
		metrics_sample(out, "state",
			       metrics_label(label, "state",
					     daemon_state_name((enum daemon_state)s)),
			       d->state == (enum daemon_state)s);
	metrics_family(out, "uptime_seconds", "gauge", "Time since the start");
	metrics_sample_f64(out, "uptime_seconds", "", uptime_s);
	metrics_family(out, "process_start_time_seconds", "gauge",
		       "Wall clock at the start, since 1970");
	metrics_sample_f64(out, "process_start_time_seconds", "",
			   (double)d->started_wall_ns * 1e-9);
	gauge(out, "process_resident_memory_bytes", "Resident memory", p.rss_bytes);
	gauge(out, "process_open_fds", "Open descriptors", p.open_fds);
	gauge(out, "process_max_fds", "Most descriptors that may be open", p.max_fds);
	metrics_family(out, "process_cpu_seconds_total", "counter",
		       "Processor time used");
	metrics_sample_f64(out, "process_cpu_seconds_total", "", p.cpu_s);
}

/* A second of one in a second of time: it had a processor all the while. */
static void put_threads(struct buf *out)
{
	struct thread_time all[THREAD_NAMES_MAX];
	size_t n = thread_times(all);
	char label[METRICS_LABEL_MAX];

	metrics_family(out, "thread_cpu_seconds_total", "counter",
		       "Processor time used by the threads of a name");
	for (size_t i = 0; i < n; i++)
		metrics_sample_f64(out, "thread_cpu_seconds_total",
				   metrics_label(label, "thread", all[i].name),
				   (double)all[i].cpu_ns * 1e-9);
}

static void put_store(struct daemon *d, struct buf *out)
{
	struct store_status s;

	store_status_copy(d->store, &s);
	gauge(out, "store_first_position", "Oldest position held; 0: the log is empty",
	      s.first_pos);
	gauge(out, "store_last_position", "Newest committed position", s.last_pos);
	gauge(out, "store_durable_position", "Newest position that survives the power",
	      s.durable_pos);
	gauge(out, "store_alarm", "1: the store found a loss or damage; see status",
	      s.alarm[0] != '\0');
	gauge(out, "store_degraded", "1: the store works, but see status",
	      s.warning[0] != '\0');
	gauge(out, "store_dead", "1: a write failed, nothing more is accepted", s.dead);
	gauge(out, "store_disk_full", "1: the last commit found no space", s.disk_full);
	gauge(out, "store_ballast", "1: the ballast file stands", s.ballast);
	gauge(out, "store_wal_bytes", "Bytes of the write-ahead log", s.wal_bytes);
	gauge(out, "store_database_bytes", "Bytes of the database", s.db_bytes);
	gauge(out, "store_producers", "Producers known", s.producers);
	counter(out, "store_gaps_total", "Holes seen in producers' sequences", s.gaps);
	counter(out, "store_gap_sequences_total", "Sequences missing in those holes",
		s.gap_seqs);
	counter(out, "store_syncs_total", "Timed syncs of the log", s.syncs);
	counter(out, "store_checkpoint_failures_total", "Failed checkpoints",
		s.checkpoint_failures);
	counter(out, "store_cold_reads_total", "Segments read from disk", s.cold_reads);
	gauge(out, "store_free_bytes", "Room left on the file system of the log",
	      free_bytes(d->config.store.dir));
	metrics_family(out, "store_checkpoint_max_seconds", "gauge",
		       "Longest checkpoint since the start");
	metrics_sample_f64(out, "store_checkpoint_max_seconds", "",
			   (double)s.checkpoint_ns_max * 1e-9);
}

/* One family with a sample per worker. */
static void per_worker(struct daemon *d, struct buf *out, const char *name,
		       const char *help,
		       uint64_t (*value)(const struct daemon *, uint32_t))
{
	char label[METRICS_LABEL_MAX], number[16];

	metrics_family(out, name, "gauge", help);
	for (uint32_t w = 0; w < d->n_workers; w++) {
		(void)snprintf(number, sizeof(number), "%u", w);
		metrics_sample(out, name, metrics_label(label, "worker", number),
			       value(d, w));
	}
}

static uint64_t ring_of(const struct daemon *d, uint32_t w)
{
	return bus_shard_depth(d->bus, w);
}

static uint64_t cuts_of(const struct daemon *d, uint32_t w)
{
	return ring_depth(d->cuts[w]);
}

static uint64_t outbox_of(const struct daemon *d, uint32_t w)
{
	return outbox_depth(d->outboxes[w]);
}

static uint64_t lanes_of(const struct daemon *d, uint32_t w)
{
	struct shard_counts c;

	worker_counts(d->workers[w], &c);
	return c.lanes;
}

ON_LOOP static void put_queues(struct daemon *d, struct buf *out)
{
	per_worker(d, out, "shard_ring_items", "Items waiting for a worker", ring_of);
	per_worker(d, out, "cut_ring_items", "Cut items waiting for tier 2", cuts_of);
	per_worker(d, out, "outbox_bytes", "Bytes of events waiting for the publisher",
		   outbox_of);
	per_worker(d, out, "worker_symbols", "Symbols that a worker holds", lanes_of);
	gauge(out, "tick_outbox_bytes", "Bytes of ticks waiting for the publisher",
	      outbox_depth(d->tick_outbox));
	gauge(out, "tier2_outbox_bytes", "Bytes of matrices waiting for the publisher",
	      outbox_depth(d->tier2_outbox));
	gauge(out, "derived_pending_events",
	      "Derived events not stored for catch-up yet",
	      derived_pending(d->derived));
	gauge(out, "kills_armed", "Things that the kill switch holds back",
	      d->freezes->n);
	gauge(out, "dispatch_lag_records", "Committed records not dispatched yet",
	      store_committed(d->store) + 1 > store_dispatched(d->store)
		      ? store_committed(d->store) + 1 - store_dispatched(d->store)
		      : 0);
}

ON_LOOP static void put_subscribers(struct daemon *d, struct buf *out)
{
	char label[METRICS_LABEL_MAX];

	metrics_family(out, "subscribers", "gauge", "Subscribers of the SBE sockets");
	for (int k = 0; k < PUBLISHED_KINDS; k++)
		if (d->sbe[k] != NULL)
			metrics_sample(
				out, "subscribers",
				metrics_label(label, "kind",
					      event_kind_word((enum event_kind)k)),
				pub_subscribers(d->sbe[k]));
	metrics_family(out, "json_subscribers", "gauge",
		       "Subscribers of the JSON sockets");
	for (int k = 0; k < PUBLISHED_KINDS; k++)
		if (d->json[k] != NULL)
			metrics_sample(
				out, "json_subscribers",
				metrics_label(label, "kind",
					      event_kind_word((enum event_kind)k)),
				pub_subscribers(d->json[k]));
}

ON_LOOP static void put_latencies(struct daemon *d, struct buf *out)
{
	char label[METRICS_LABEL_MAX], number[16];

	metrics_family(out, "commit_to_bar_seconds", "histogram",
		       "From the commit of a tick to the emission of its bar");
	for (uint32_t w = 0; w < d->n_workers; w++) {
		(void)snprintf(number, sizeof(number), "%u", w);
		metrics_histogram(out, "commit_to_bar_seconds",
				  metrics_label(label, "worker", number),
				  worker_latency(d->workers[w]));
	}
	metrics_family(out, "accept_to_publish_seconds", "histogram",
		       "From the acceptance of a tick to its publication");
	metrics_histogram(out, "accept_to_publish_seconds", "",
			  publisher_latency(d->publisher));
	metrics_family(out, "matrix_seconds", "histogram", "Time to compute a matrix");
	metrics_histogram(out, "matrix_seconds", "", tier2_worker_latency(d->tier2));
}

/* How long records took from stage to stage (trace_book.h). */
ON_LOOP static void put_stages(struct daemon *d, struct buf *out, bool with_exemplars)
{
	char label[METRICS_LABEL_MAX];

	metrics_family(out, "stage_seconds", "histogram",
		       "From one stage to the next, by the stage it ends with; total: "
		       "from acceptance to publication");
	for (int k = 0; k < TRACE_SPANS; k++) {
		const struct trace_span_times *t =
			trace_book_times(d->trace_book, (enum trace_span)k);

		metrics_histogram_with(
			out, "stage_seconds",
			metrics_label(label, "stage",
				      trace_span_name((enum trace_span)k)),
			&t->times, with_exemplars ? t->newest : NULL);
	}
}

struct live_number {
	const char *name, *type, *help;
	uint64_t (*value)(const struct live_status *s);
};

#define LIVE_NUMBER(field, expr)                                                       \
	static uint64_t live_##field(const struct live_status *s)                      \
	{                                                                              \
		return (uint64_t)(expr);                                               \
	}
LIVE_NUMBER(blind, s->is_blind)
LIVE_NUMBER(connections, s->link.entered[LINK_OPEN])
LIVE_NUMBER(dials, s->link.entered[LINK_DIALLING])
LIVE_NUMBER(lost_connections, s->link.lost)
LIVE_NUMBER(refusals, s->link.refused)
LIVE_NUMBER(mutes, s->link.entered[LINK_MUTE])
LIVE_NUMBER(messages, s->stream.messages)
LIVE_NUMBER(bad, s->stream.bad)
LIVE_NUMBER(ticks, s->accepted)
LIVE_NUMBER(refilled, s->refilled)
LIVE_NUMBER(doubles, s->doubles)
LIVE_NUMBER(waiting, s->waiting)
LIVE_NUMBER(open_holes, s->open)
LIVE_NUMBER(lost_holes, s->lost)
LIVE_NUMBER(refill_failures, s->refills_failed)
LIVE_NUMBER(polls, s->polls)
LIVE_NUMBER(shortened, s->shortened)
LIVE_NUMBER(nameless, s->nameless)
#undef LIVE_NUMBER

static const struct live_number live_numbers[] = {
	{"live_blind", "gauge", "1: data is expected and does not come", live_blind},
	{"live_connections_total", "counter", "Connections made", live_connections},
	{"live_dials_total", "counter", "Connections begun", live_dials},
	{"live_losses_total", "counter", "Connections that ended or were cut",
	 live_lost_connections},
	{"live_refusals_total", "counter", "Credentials or subscriptions refused",
	 live_refusals},
	{"live_mutes_total", "counter", "Times that a connection stood without data",
	 live_mutes},
	{"live_messages_total", "counter", "Messages of the stream", live_messages},
	{"live_bad_messages_total", "counter", "Messages that were not understood",
	 live_bad},
	{"live_ticks_total", "counter", "Ticks of the stream in the log", live_ticks},
	{"live_refilled_ticks_total", "counter", "Ticks of refills in the log",
	 live_refilled},
	{"live_double_ticks_total", "counter", "Ticks dropped because the log had them",
	 live_doubles},
	{"live_waiting_ticks", "gauge", "Ticks that wait for the log", live_waiting},
	{"live_open_holes", "gauge", "Holes that are not filled yet", live_open_holes},
	{"live_lost_holes", "gauge", "Holes that cannot be filled", live_lost_holes},
	{"live_refill_failures_total", "counter",
	 "Questions of refills and polls that failed", live_refill_failures},
	{"live_polls_total", "counter", "Rounds of questions for news that are polled",
	 live_polls},
	{"live_polls_shortened_total", "counter",
	 "Answers of more pages than are taken, asked for again in shorter pieces",
	 live_shortened},
	{"live_nameless_articles_total", "counter",
	 "Articles of polls that name none of the feed's symbols, left out",
	 live_nameless},
};

ON_LOOP static void put_live(struct daemon *d, struct buf *out)
{
	struct live_board *b = live_thread_board(d->live);
	size_t n = live_board_count(b);
	char label[METRICS_LABEL_MAX];

	for (size_t k = 0; k < sizeof(live_numbers) / sizeof(live_numbers[0]); k++) {
		const struct live_number *m = &live_numbers[k];

		if (n > 0)
			metrics_family(out, m->name, m->type, m->help);
		for (size_t i = 0; i < n; i++) {
			struct live_status s;

			live_board_get(b, i, &s);
			metrics_sample(out, m->name,
				       metrics_label(label, "feed", s.name),
				       m->value(&s));
		}
	}
}

ON_LOOP static void put_page(struct daemon *d, struct buf *out, bool with_exemplars)
{
	put_process(d, out);
	put_threads(out);
	metrics_stats(out);
	put_store(d, out);
	put_queues(d, out);
	put_subscribers(d, out);
	put_latencies(d, out);
	put_stages(d, out, with_exemplars);
	put_live(d, out);
	metrics_rss(d, out);
	metrics_archive(d, out);
	metrics_symbols(d, out);
}

void metrics_prometheus(struct daemon *d, struct buf *out)
{
	put_page(d, out, false);
}

void metrics_openmetrics(struct daemon *d, struct buf *out)
{
	struct buf page = {0};

	put_page(d, &page, true);
	metrics_open(&page, out);
	buf_free(&page);
}

void metrics_latency_json(struct jsonw *w, const char *key, const struct histogram *h)
{
	jsonw_object(w, key);
	jsonw_u64(w, "count", atomic_load_explicit(&h->count, memory_order_relaxed));
	jsonw_f64(w, "p50_us", (double)histogram_quantile(h, 0.5) / 1e3);
	jsonw_f64(w, "p99_us", (double)histogram_quantile(h, 0.99) / 1e3);
	jsonw_f64(w, "max_us", (double)histogram_quantile(h, 1.0) / 1e3);
	jsonw_end(w);
}

void metrics_json(struct daemon *d, struct jsonw *w)
{
	char key[160];

	(void)d;
	for (unsigned i = 0; i < STAT_N; i++) {
		const struct stat_info *s = stats_info((enum stat_id)i);

		(void)snprintf(key, sizeof(key),
			       s->labels[0] == '\0' ? "%s%s" : "%s{%s}", s->name,
			       s->labels);
		jsonw_u64(w, key, stats_get((enum stat_id)i));
	}
}
