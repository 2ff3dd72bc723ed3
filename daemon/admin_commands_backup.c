/* admin_commands_backup - backups: begin, look, remove (daemon/backup_job.h). */
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/backup_job.h"
#include <errno.h>

void admin_backup(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct backup_state s;
	int rc;

	(void)request;
	if (d->state != DAEMON_READY) {
		admin_fail(call, "not_ready", "the daemon is not ready; ask again");
		return;
	}
	rc = backup_job_start(d);
	if (rc < 0) {
		admin_fail(call, rc == -EBUSY ? "busy" : "failed", err_text());
		return;
	}
	(void)backup_job_state(d, &s);
	jsonw_u64(admin_result(call), "id", s.id);
	admin_done(call);
}

void admin_backup_status(struct daemon *d, const struct json *request,
			 struct admin_call *call)
{
	struct jsonw *w = admin_result(call);
	struct backup_state s;

	(void)request;
	if (!backup_job_state(d, &s)) {
		admin_fail(call, "not_found", "there is no backup");
		return;
	}
	jsonw_u64(w, "id", s.id);
	jsonw_bool(w, "running", !s.is_done);
	jsonw_u64(w, "pages", s.pages);
	jsonw_u64(w, "pages_all", s.pages_all);
	if (s.is_done) {
		jsonw_bool(w, "good", s.rc == 0);
		jsonw_str(w, "error", s.text);
		jsonw_str(w, "dir", s.dir);
		jsonw_u64(w, "position", s.position);
		jsonw_u64(w, "epoch", s.epoch);
	}
	admin_done(call);
}

void admin_backup_end(struct daemon *d, const struct json *request,
		      struct admin_call *call)
{
	(void)request;
	backup_job_end(d);
	jsonw_bool(admin_result(call), "removed", true);
	admin_done(call);
}
