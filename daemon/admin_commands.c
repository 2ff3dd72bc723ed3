/* admin_commands - the table, and the commands of few lines (admin_commands.h). */
#include "daemon/admin_commands.h"
#include "analysis/ind.h"
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/admin_history.h"
#include "daemon/metrics.h"
#include <stdio.h>
#include <string.h>

struct command {
	const char *name;
	admin_command_fn fn;
	const char *help;
};

bool admin_number(const struct json *request, const char *key, uint64_t otherwise,
		  struct admin_call *call, uint64_t *out)
{
	const struct json *v = json_get(request, key);
	char text[96];

	if (v == NULL) {
		*out = otherwise;
		return true;
	}
	if (json_u64(v, out) == 0)
		return true;
	(void)snprintf(text, sizeof(text), "%s is not a whole number", key);
	admin_fail(call, "bad_request", text);
	return false;
}

void admin_name(struct jsonw *w, const char *key, const char *field, size_t max)
{
	jsonw_strn(w, key, field, strnlen(field, max));
}

ON_LOOP static void cmd_metrics(struct daemon *d, const struct json *request,
				struct admin_call *call)
{
	(void)request;
	metrics_json(d, admin_result(call));
	admin_done(call);
}

ON_LOOP static void cmd_prometheus(struct daemon *d, const struct json *request,
				   struct admin_call *call)
{
	struct buf text = {0};

	(void)request;
	metrics_prometheus(d, &text);
	jsonw_strn(admin_result(call), "text", (const char *)text.data, text.len);
	buf_free(&text);
	admin_done(call);
}

ON_LOOP static void cmd_indicators(struct daemon *d, const struct json *request,
				   struct admin_call *call)
{
	struct jsonw *w = admin_result(call);

	(void)d;
	(void)request;
	jsonw_array(w, "indicators");
	for (size_t i = 0; i < ind_count(); i++) {
		const struct ind_def *def = ind_at(i);

		jsonw_object(w, NULL);
		jsonw_str(w, "name", def->name);
		jsonw_str(w, "title", def->title);
		jsonw_bool(w, "on_price", def->on_price);
		jsonw_end(w);
	}
	jsonw_end(w);
	admin_done(call);
}

ON_LOOP static void cmd_config(struct daemon *d, const struct json *request,
			       struct admin_call *call)
{
	struct buf text = {0};

	(void)request;
	config_print(&d->config, &text);
	jsonw_str(admin_result(call), "path",
		  d->config_path != NULL ? d->config_path : "(built in)");
	jsonw_strn(admin_result(call), "yaml", (const char *)text.data, text.len);
	buf_free(&text);
	admin_done(call);
}

ON_LOOP static void cmd_reload(struct daemon *d, const struct json *request,
			       struct admin_call *call)
{
	(void)request;
	if (daemon_reload(d) < 0) {
		admin_fail(call, "failed", err_text());
		return;
	}
	jsonw_bool(admin_result(call), "reloaded", true);
	admin_done(call);
}

ON_LOOP static void cmd_shutdown(struct daemon *d, const struct json *request,
				 struct admin_call *call)
{
	(void)request;
	jsonw_str(admin_result(call), "state", "draining");
	admin_done(call);
	daemon_stop(d);
}

ON_LOOP static void cmd_help(struct daemon *d, const struct json *request,
			     struct admin_call *call);

static const struct command commands[] = {
	{"status", admin_status, "what the daemon is and how far it has come"},
	{"metrics", cmd_metrics, "every counter"},
	{"prometheus", cmd_prometheus, "the page /metrics as {text}"},
	{"symbols", admin_symbols,
	 "symbols with their last sequences; {from_id, n}, or {symbol, n}: one with "
	 "its "
	 "newest ticks"},
	{"sources", admin_sources, "sources, and the state of their live feeds"},
	{"subscribers", admin_subscribers,
	 "who is connected to the PUB sockets, and what waits for him"},
	{"gaps", admin_gaps,
	 "{symbol, all}: what live feeds miss, and why; all: every stretch"},
	{"universes", admin_universes, "universes and their newest matrices"},
	{"indicators", cmd_indicators,
	 "the registry: name, title, and whether it is drawn on the price's scale"},
	{"config", cmd_config, "the effective configuration as {yaml}"},
	{"freeze", admin_freeze,
	 "{level, name, tier, quarantine, reason}: the kill switch"},
	{"release", admin_release, "{level, name, tier}: what was held follows"},
	{"freezes", admin_freezes, "what the kill switch holds, by whom and why"},
	{"pause", admin_pause,
	 "{symbol}: its ticks are logged and make nothing, its news are held"},
	{"resume", admin_resume, "{symbol}: its ticks count again"},
	{"log_count", admin_log_count, "what the log holds"},
	{"log_range", admin_log_range, "{from, to}: records by position"},
	{"log_tail", admin_log_tail, "{n}: the newest records"},
	{"quarantine", admin_quarantine,
	 "{n, after}: refused ticks with their reasons"},
	{"matrix", admin_matrix, "{name, timeframe}: the newest matrix of a universe"},
	{"top", admin_top, "counters, queues, lags and latencies of this moment"},
	{"verify", admin_verify,
	 "{from, to, workers}: derive anew from the log and compare; one at a time"},
	{"verify_status", admin_verify_status,
	 "how far the verification is, or what it found"},
	{"verify_cancel", admin_verify_cancel, "end the verification early"},
	{"verify_heads", admin_verify_heads,
	 "{from, n}: where the chains ended that the verification made"},
	{"backup", admin_backup,
	 "copy log and history into STATE/backup; one at a time"},
	{"backup_status", admin_backup_status,
	 "how far the backup is, or where it lies"},
	{"backup_end", admin_backup_end, "cancel the backup and remove what it left"},
	{"why", admin_why,
	 "{kind, name, timeframe, seq, begin_ns, end_ns, from, to}: stored events, or "
	 "ticks with their producers"},
	{"events", admin_events,
	 "{q}: a catch-up request, as text, answered by its page"},
	{"trace", admin_trace,
	 "{pos}: the way of one record, with times; without pos: the slowest and the "
	 "newest"},
	{"headlines", admin_headlines,
	 "{symbol, n}: the newest news with their sentiment, newest first"},
	{"chaos", admin_chaos,
	 "{what, worker, seconds, feed, symbol}: a fault on purpose, with "
	 "chaos.enabled"},
	{"ingest", admin_ingest,
	 "{symbols, start, end, timeframe, vendors, adjust, what, index}: a job that "
	 "fetches the past"},
	{"analyse", admin_analyse,
	 "{what, symbols, flow, format, options, holdings}: a job that computes "
	 "features "
	 "or a report"},
	{"jobs", admin_jobs, "{n}: the newest jobs"},
	{"job", admin_job,
	 "{id, n, after, all}: one, with the symbols that failed, or all"},
	{"job_cancel", admin_job_cancel, "{id}: end it; what is stored stays"},
	{"vendors", admin_vendors, "who can be asked, and what was"},
	{"bars", admin_bars,
	 "{symbol, source, timeframe, adjust, start, end, n, form}: bars of vendors"},
	{"articles", admin_articles,
	 "{symbol, start, end, after, n}: what vendors wrote of it, oldest first"},
	{"quality", admin_quality,
	 "{symbol, source, timeframe, adjust, start, end}: gaps, outliers, coverage"},
	{"cache_list", admin_cache_list,
	 "{symbol, source, after}: what is kept of whom"},
	{"cache_stats", admin_cache_stats, "how much is kept"},
	{"cache_invalidate", admin_cache_invalidate,
	 "{symbol, source, start, end, all}: forget it, to fetch it again"},
	{"index", admin_index,
	 "{name}: its members, with the day they were added; without name: all "
	 "indices"},
	{"archive_status", admin_archive_status,
	 "where the archive is and how far, and what the last hand-over met"},
	{"archive_flush", admin_archive_flush,
	 "hand over everything that is committed by now, then answer"},
	{"archive_verify", admin_archive_verify,
	 "every byte of the archive against its manifests"},
	{"archive_compact", admin_archive_compact, "rewrite what lies in small pieces"},
	{"reload", cmd_reload, "read the configuration again"},
	{"shutdown", cmd_shutdown, "drain and end"},
	{"help", cmd_help, "this list"},
};

ON_LOOP static void cmd_help(struct daemon *d, const struct json *request,
			     struct admin_call *call)
{
	struct jsonw *w = admin_result(call);

	(void)d;
	(void)request;
	jsonw_array(w, "commands");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		jsonw_object(w, NULL);
		jsonw_str(w, "name", commands[i].name);
		jsonw_str(w, "help", commands[i].help);
		jsonw_end(w);
	}
	jsonw_end(w);
	admin_done(call);
}

void daemon_admin(void *arg, const char *cmd, const struct json *request,
		  struct admin_call *call)
{
	char text[160];

	role_assert_loop();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(cmd, commands[i].name) == 0) {
			commands[i].fn(arg, request, call);
			return;
		}
	}
	(void)snprintf(text, sizeof(text), "there is no command '%.40s'; ask for help",
		       cmd);
	admin_fail(call, "unknown_command", text);
}
