/* admin_commands_proof - verifications: begin, look, cancel, chain heads. */
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/rerun.h"
#include "daemon/verify_job.h"
#include <errno.h>

void admin_verify(struct daemon *d, const struct json *request, struct admin_call *call)
{
	uint64_t from, to, workers;
	int rc;

	if (!admin_number(request, "from", 0, call, &from) ||
	    !admin_number(request, "to", UINT64_MAX, call, &to) ||
	    !admin_number(request, "workers", 1, call, &workers))
		return;
	if (workers < 1 || workers > RERUN_WORKERS_MAX || from > to) {
		admin_fail(call, "bad_request",
			   from > to ? "the range ends before it begins"
				     : "workers is not in 1..16");
		return;
	}
	if (d->state != DAEMON_READY) {
		admin_fail(call, "not_ready", "the daemon is not ready; ask again");
		return;
	}
	rc = verify_job_start(d, from, to, (uint32_t)workers);
	if (rc < 0) {
		admin_fail(call, rc == -EBUSY ? "busy" : "failed", err_text());
		return;
	}
	jsonw_u64(admin_result(call), "id", verify_job_id(d->verify));
	admin_done(call);
}

/* False: there is none, and the call has been failed. */
ON_LOOP static bool has_job(struct daemon *d, struct admin_call *call)
{
	if (d->verify != NULL)
		return true;
	admin_fail(call, "not_found", "nothing has been verified since the start");
	return false;
}

void admin_verify_status(struct daemon *d, const struct json *request,
			 struct admin_call *call)
{
	const struct verify_result *r;
	struct verify_progress *p;
	struct jsonw *w = admin_result(call);
	struct buf text = {0};

	(void)request;
	if (!has_job(d, call))
		return;
	p = verify_job_progress(d->verify);
	r = verify_job_result(d->verify);
	jsonw_u64(w, "id", verify_job_id(d->verify));
	jsonw_bool(w, "running", r == NULL);
	jsonw_u64(w, "position", atomic_load(&p->pos));
	jsonw_u64(w, "begin", atomic_load(&p->from));
	jsonw_u64(w, "end", atomic_load(&p->to));
	if (r != NULL) {
		jsonw_object(w, "found");
		verify_json(w, r);
		jsonw_end(w);
		verify_text(&text, r);
		jsonw_strn(w, "text", (const char *)text.data, text.len);
		buf_free(&text);
	}
	admin_done(call);
}

void admin_verify_cancel(struct daemon *d, const struct json *request,
			 struct admin_call *call)
{
	(void)request;
	if (!has_job(d, call))
		return;
	atomic_store(&verify_job_progress(d->verify)->cancel, true);
	jsonw_u64(admin_result(call), "id", verify_job_id(d->verify));
	admin_done(call);
}

void admin_verify_heads(struct daemon *d, const struct json *request,
			struct admin_call *call)
{
	const struct verify_result *r;
	uint64_t from, n;

	if (!admin_number(request, "from", 0, call, &from) ||
	    !admin_number(request, "n", ADMIN_ROWS_MAX, call, &n) || !has_job(d, call))
		return;
	r = verify_job_result(d->verify);
	if (r == NULL) {
		admin_fail(call, "busy", "the verification is still running");
		return;
	}
	from = from < r->n_heads ? from : r->n_heads;
	n = n < ADMIN_ROWS_MAX ? n : ADMIN_ROWS_MAX;
	n = n < r->n_heads - from ? n : r->n_heads - from;
	heads_json(admin_result(call), r->heads + from, n);
	jsonw_u64(admin_result(call), "next", from + n);
	jsonw_bool(admin_result(call), "done", from + n == r->n_heads);
	admin_done(call);
}
