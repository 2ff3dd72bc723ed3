/* job_view - see job_view.h. */
#include "cli/job_view.h"
#include "base/clock.h"
#include "cli/job_result.h"
#include "cli/progress.h"
#include <stdio.h>
#include <string.h>

#define LOOK_MS     250
#define RESULT_TEXT 4400
#define PLAIN_NS    (5 * NS_PER_S) /* where lines cannot be written over */

static uint64_t number(const struct json_token *o, const char *key)
{
	struct json_token t;
	uint64_t n = 0;

	if (query_member(o, key, &t))
		(void)json_scan_u64(&t, &n);
	return n;
}

int job_view_ask(struct cli *c, const char *request, struct query *q,
		 struct json_token *out_job)
{
	int rc = query_run(c, request, q);

	if (rc == CLI_OK && !query_member(&q->result, "job", out_job)) {
		query_free(q);
		return cli_error(CLI_INTERNAL, "the daemon's answer has no job");
	}
	return rc;
}

void job_view_read(const struct json_token *job, struct job_view *out)
{
	struct json_token state, what;

	*out = (struct job_view){.id = number(job, "id"),
				 .symbols = number(job, "symbols"),
				 .successful = number(job, "successful"),
				 .failed = number(job, "failed"),
				 .cancelled = number(job, "cancelled"),
				 .remaining = number(job, "remaining"),
				 .rows = number(job, "rows"),
				 .requests = number(job, "requests"),
				 .elapsed_ms = number(job, "elapsed_ms")};
	if (query_member(job, "state", &state)) {
		out->is_running = json_scan_is(&state, "running");
		out->is_cancelled = json_scan_is(&state, "cancelled");
	}
	if (query_member(job, "what", &what))
		out->computes = json_scan_is(&what, "features") ||
				json_scan_is(&what, "report");
}

const char *job_view_time(uint64_t ms, char out[32])
{
	unsigned long long s = (ms + 500) / 1000;

	if (s >= 3600)
		(void)snprintf(out, 32, "%lluh %llum", s / 3600, s / 60 % 60);
	else if (s >= 60)
		(void)snprintf(out, 32, "%llum %llus", s / 60, s % 60);
	else
		(void)snprintf(out, 32, "%llus", s);
	return out;
}

const char *job_view_progress(const struct job_view *v, char out[JOB_VIEW_TEXT])
{
	uint64_t done = v->symbols - v->remaining;
	double share = v->symbols > 0 ? (double)done / (double)v->symbols : 1;
	char elapsed[32], left[32] = "-";

	if (v->remaining == 0)
		(void)job_view_time(0, left);
	else if (done > 0)
		(void)job_view_time((uint64_t)((double)v->elapsed_ms / (double)done *
					       (double)v->remaining),
				    left);
	(void)snprintf(out, JOB_VIEW_TEXT,
		       "Progress: %llu/%llu (%.1f%%)\n"
		       "Successful: %llu | Failed: %llu | Remaining: %llu\n"
		       "Elapsed: %s | Est. remaining: %s\n",
		       (unsigned long long)done, (unsigned long long)v->symbols,
		       share * 100, (unsigned long long)v->successful,
		       (unsigned long long)(v->failed + v->cancelled),
		       (unsigned long long)v->remaining,
		       job_view_time(v->elapsed_ms, elapsed), left);
	return out;
}

static int ask(struct cli *c, uint64_t id, uint64_t after, bool with_items,
	       struct query *q, struct json_token *out_job)
{
	char request[120];

	(void)snprintf(request, sizeof(request),
		       "{\"cmd\":\"job\",\"id\":%llu,\"after\":%llu%s}",
		       (unsigned long long)id, (unsigned long long)after,
		       with_items ? "" : ",\"n\":0");
	return job_view_ask(c, request, q, out_job);
}

static int verdict(const struct job_view *v, const struct job_watch *w)
{
	if (v->is_running)
		return CLI_UNFINISHED;
	return v->failed + v->cancelled + w->refused > 0 ? CLI_NEGATIVE : CLI_OK;
}

/* "  - GOOGL: API rate limit exceeded", page by page. */
static int print_failures(struct cli *c, uint64_t id)
{
	uint64_t after = 0;

	do {
		struct json_token job, items, key, item, t;
		struct query_walk walk;
		struct query q;
		int rc = ask(c, id, after, true, &q, &job);

		if (rc != CLI_OK)
			return rc;
		after = number(&job, "next");
		if (!query_member(&job, "items", &items) || !query_walk(&walk, &items))
			after = 0;
		else
			while (query_next(&walk, &key, &item)) {
				char symbol[40] = "?", reason[400] = "?";

				if (query_member(&item, "symbol", &t))
					(void)query_text(&t, symbol, sizeof(symbol));
				if (query_member(&item, "reason", &t))
					(void)query_text(&t, reason, sizeof(reason));
				printf("  - %s: %s\n", symbol, reason);
			}
		query_free(&q);
	} while (after != 0);
	return CLI_OK;
}

/* Where the result lies, or why there is none. */
static void say_result(const struct json_token *job, char result[RESULT_TEXT],
		       char whole[400])
{
	char path[RESULT_TEXT - 32], bytes[32];

	(void)query_field(job, "reason", whole, 400);
	if (*query_field(job, "result", path, sizeof(path)) != '\0')
		(void)snprintf(result, RESULT_TEXT, "  Result: %s, %s bytes\n", path,
			       query_field(job, "bytes", bytes, sizeof(bytes)));
	else if (whole[0] != '\0')
		(void)snprintf(result, RESULT_TEXT, "  No result: %s\n", whole);
}

int job_view_summary(struct cli *c, uint64_t id, const struct job_watch *w)
{
	uint64_t bad, all;
	char took[32], rows[32], result[RESULT_TEXT] = "", whole[400] = "";
	struct json_token job;
	struct job_view v;
	struct query q;
	int rc = ask(c, id, 0, true, &q, &job);

	if (rc != CLI_OK)
		return rc;
	job_view_read(&job, &v);
	if (w->json)
		printf("%.*s\n", (int)job.len, job.text);
	say_result(&job, result, whole);
	query_free(&q);
	if (w->json)
		return verdict(&v, w);
	bad = v.failed + v.cancelled + w->refused;
	all = v.symbols + w->refused;
	(void)progress_thousands(rows, v.rows);
	printf("\n%s %s (job %llu):\n"
	       "  Successful: %llu/%llu\n"
	       "  Failed: %llu/%llu\n",
	       v.computes ? "Analysis" : "Ingestion",
	       v.is_running ? "so far" : "Summary", (unsigned long long)id,
	       (unsigned long long)v.successful, (unsigned long long)all,
	       (unsigned long long)bad, (unsigned long long)all);
	(void)job_view_time(v.elapsed_ms, took);
	if (v.computes)
		printf("  %s\n%s", took, result);
	else
		printf("  %s rows, %llu requests, %s\n", rows,
		       (unsigned long long)v.requests, took);
	if (bad > 0 && whole[0] == '\0') {
		printf("\nFailed symbols:\n%s", w->refused_text);
		rc = print_failures(c, id);
	}
	return rc != CLI_OK ? rc : verdict(&v, w);
}

int job_view_end(struct cli *c, uint64_t id, const struct job_watch *w)
{
	int rc = job_view_summary(c, id, w), brought;

	if (w->out == NULL || (rc != CLI_OK && rc != CLI_NEGATIVE))
		return rc;
	brought = job_result_bring(c, id, w->out);
	return brought != CLI_OK ? brought : rc;
}

/* Over the last one on a terminal, else now and then. */
static void show(const struct cli *c, const struct job_view *v, int64_t *shown_ns)
{
	int64_t now = clock_mono_ns();
	char text[JOB_VIEW_TEXT];

	if (!c->is_terminal && *shown_ns != 0 && v->is_running &&
	    now - *shown_ns < PLAIN_NS)
		return;
	if (c->is_terminal && *shown_ns != 0)
		(void)fputs("\033[3A\033[J", stdout);
	(void)fputs(job_view_progress(v, text), stdout);
	(void)fflush(stdout);
	*shown_ns = now;
}

int job_view_follow(struct cli *c, uint64_t id, const struct job_watch *w)
{
	int64_t shown_ns = 0;
	struct job_view v;

	if (cli_catch_stop(c) < 0)
		return cli_error(CLI_INTERNAL, "cannot catch signals");
	do {
		struct json_token job;
		struct query q;
		int rc = ask(c, id, 0, false, &q, &job);

		if (rc != CLI_OK)
			return rc;
		job_view_read(&job, &v);
		query_free(&q);
		if (!w->json)
			show(c, &v, &shown_ns);
		if (v.is_running && cli_stopped(c, LOOK_MS))
			return cli_error(CLI_UNFINISHED,
					 "job %llu goes on: tickbusctl job %llu "
					 "--follow watches it, tickbusctl cancel %llu "
					 "ends it",
					 (unsigned long long)id, (unsigned long long)id,
					 (unsigned long long)id);
	} while (v.is_running);
	return job_view_end(c, id, w);
}
