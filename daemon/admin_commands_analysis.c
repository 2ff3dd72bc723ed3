/* admin_commands_analysis - analyse: features and reports as jobs (analysis_room.h). */
#include "base/clock.h"
#include "daemon/admin_history.h"
#include <stdio.h>
#include <string.h>

/* "report", then which: the second word. */
static void put_flow(struct jsonw *w, const struct buf *words)
{
	const char *text = (const char *)words->data;
	const char *flow = memchr(text, '\n', words->len);
	const char *end = flow == NULL ? NULL
				       : memchr(flow + 1, '\n',
						words->len - (size_t)(flow + 1 - text));

	if (end != NULL)
		jsonw_strn(w, "flow", flow + 1, (size_t)(end - flow - 1));
}

/* Options as they were asked for, without what is ours: "--window=252" is a member. */
static void put_options(struct jsonw *w, const struct buf *words)
{
	const char *at = (const char *)words->data, *end = at + words->len;

	jsonw_object(w, "options");
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = stop == NULL ? (size_t)(end - at) : (size_t)(stop - at);
		const char *sign = memchr(at, '=', len);
		char key[40];

		if (len > 2 && at[0] == '-') {
			const char *name = at + 2;

			(void)snprintf(key, sizeof(key), "%.*s",
				       (int)((sign != NULL ? sign : at + len) - name),
				       name);
			if (sign == NULL)
				jsonw_bool(w, key, true);
			else
				jsonw_strn(w, key, sign + 1,
					   len - (size_t)(sign + 1 - at));
		}
		at += len + 1;
	}
	jsonw_end(w);
}

void admin_put_analysis(struct history_thread *t, struct past *p, struct jsonw *w,
			const struct hist_job *j)
{
	char path[ANALYSIS_PATH_MAX];
	struct hist_analysis a;
	struct buf words = {0};

	if (histanalysis_get(history_store(t), j->id, &a) != 0 ||
	    histanalysis_order(history_store(t), j->id, &words, NULL) != 0)
		return;
	if (j->what == JOB_REPORT)
		put_flow(w, &words);
	jsonw_str(w, "format", a.format);
	put_options(w, &words);
	jsonw_u64(w, "tries", a.tries);
	if (j->state == JOB_DONE)
		jsonw_u64(w, "bytes", a.bytes);
	if (j->state == JOB_DONE && p->analysis != NULL && p->is_local) {
		analysis_room_path(p->analysis, j->id, a.format, path);
		jsonw_str(w, "result", path);
	}
	if (a.why[0] != '\0')
		jsonw_str(w, "reason", a.why);
	buf_free(&words);
}

static int add_analysis(struct history_thread *t, struct past *p, struct jsonw *w)
{
	struct hist_analysis a = {.tries = 0};
	int rc;

	role_assert_history();
	rc = admin_add_job(t, p);
	if (rc != 0 || p->code != NULL)
		return rc;
	a.job = p->job.id;
	memcpy(a.format, p->order.format, sizeof(a.format));
	rc = histanalysis_add(history_store(t), &a, &p->order.words,
			      &p->order.holdings);
	if (rc == 0)
		admin_put_added(t, p, w);
	return rc;
}

void admin_analyse(struct daemon *d, const struct json *request,
		   struct admin_call *call)
{
	struct past *p = past_new(d, call, add_analysis, "job");

	if (p == NULL)
		return;
	if (d->analysis == NULL) {
		admin_fail(call, "no_analysis", d->analysis_why);
		past_free(p);
		return;
	}
	if (analysis_order_read(request, &p->order) < 0) {
		admin_fail(call, "bad_request", err_text());
		past_free(p);
		return;
	}
	if (!past_symbols(p, request)) {
		past_free(p);
		return;
	}
	p->job.what = p->order.what;
	p->job.created_ns = clock_wall_ns();
	p->wakes = true;
	past_ask(d, p);
}
