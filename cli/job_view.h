/*
 * job_view - a job as a person watches it:
 *
 *	Progress: 125/500 (25.0%)
 *	Successful: 120 | Failed: 5 | Remaining: 375
 *	Elapsed: 5m 30s | Est. remaining: 16m 15s
 *
 * and its summary, with the reason of each symbol that failed.
 */
#pragma once
#include "cli/query.h"

#define JOB_VIEW_TEXT 256

/** What a job's answer says. */
struct job_view {
	uint64_t id;
	uint64_t symbols;
	uint64_t successful;
	uint64_t failed;
	uint64_t cancelled;
	uint64_t remaining;
	uint64_t rows;
	uint64_t requests;
	uint64_t elapsed_ms;
	bool is_running;
	bool is_cancelled;
	bool computes; /* features, report; else it fetches */
};

/** Ask what is answered by a job; free @q after CLI_OK, which @out_job lies in. */
int job_view_ask(struct cli *c, const char *request, struct query *q,
		 struct json_token *out_job);
void job_view_read(const struct json_token *job, struct job_view *out);
/** Three lines.  Returns @out. */
const char *job_view_progress(const struct job_view *v, char out[JOB_VIEW_TEXT]);
/** "16m 15s", "1h 2m", "12s". */
const char *job_view_time(uint64_t ms, char out[32]);

struct job_watch {
	bool json;
	uint64_t refused;         /* symbols that were no names; they count as failed */
	const char *refused_text; /* lines of the summary about them; "" */
	const char *out; /* where a result is brought when it is done; NULL: nowhere */
};
/**
 * Watch the job until it ends, then print its summary (--json: the job as one object).
 * CLI_OK: every symbol has succeeded; CLI_NEGATIVE: not every one; CLI_UNFINISHED:
 * interrupted, the job goes on.
 */
int job_view_follow(struct cli *c, uint64_t id, const struct job_watch *w);
/** The summary of a job that has ended, or how it stands, and its result to @w->out.
    The same exit codes. */
int job_view_end(struct cli *c, uint64_t id, const struct job_watch *w);
/** Only the summary. */
int job_view_summary(struct cli *c, uint64_t id, const struct job_watch *w);
