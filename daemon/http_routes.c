/* http_routes - see http_routes.h. */
#include "daemon/http_routes.h"
#include "base/err.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/events_page.h"
#include "daemon/metrics.h"
#include "daemon/page_files.h"
#include "daemon/page_live.h"
#include <string.h>

#define TEXT_TYPE "text/plain; charset=utf-8"
#define JSON_TYPE "application/json"
#define PROM_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Commands that change nothing and tell nothing of who configured what. */
static const char *const open_commands[] = {
	"status",    "top",     "symbols",   "sources",    "gaps",
	"universes", "matrix",  "jobs",      "job",        "vendors",
	"bars",      "quality", "why",       "index",      "subscribers",
	"freezes",   "trace",   "headlines", "indicators",
};

ON_LOOP static void say(struct http_request *r, unsigned status, const char *text)
{
	http_answer(r, status, TEXT_TYPE, text, strlen(text));
}

/* ---- /api/COMMAND ---- */

static void put_member(void *arg, const char *key, const char *value)
{
	jsonw_str(arg, key, value);
}

static void answer_command(void *arg, const void *line, size_t len)
{
	role_assert_loop();
	http_answer(arg, 200, JSON_TYPE, line, len);
}

/* The query as the request it would be on the admin socket: all texts. */
ON_LOOP static void run_command(struct daemon *d, struct http_request *r,
				const char *cmd)
{
	struct json *request = NULL;
	struct buf text = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &text);
	jsonw_object(&w, NULL);
	http_each_query(r, put_member, &w);
	jsonw_end(&w);
	rc = json_parse((const char *)text.data, text.len, &request);
	buf_free(&text);
	if (rc < 0)
		say(r, 400, "the query cannot be read: a key twice, or no UTF-8\n");
	else
		admin_ask(daemon_admin, d, cmd, request, answer_command, r);
	json_free(request);
}

/* ---- /api/events ---- */

static void answer_events(void *arg, const void *page, size_t len)
{
	role_assert_loop();
	http_answer(arg, 200, JSON_TYPE, page, len);
}

static void take_q(void *arg, const char *key, const char *value)
{
	struct buf *request = arg;

	if (strcmp(key, "q") == 0 && request->len == 0)
		buf_add(request, value, strlen(value));
}

ON_LOOP static void run_events(struct daemon *d, struct http_request *r)
{
	struct buf q = {0};

	http_each_query(r, take_q, &q);
	if (q.len == 0 || q.data[0] != '{')
		say(r, 400, "q is missing: a catch-up request in JSON\n");
	else if (events_page_ask(d, q.data, q.len, answer_events, r) < 0)
		say(r, 503, err_text());
	buf_free(&q);
}

/* ---- the rest ---- */

ON_LOOP static void run_api(struct daemon *d, struct http_request *r, const char *cmd)
{
	if (strcmp(cmd, "events") == 0) {
		run_events(d, r);
		return;
	}
	for (size_t i = 0; i < sizeof(open_commands) / sizeof(open_commands[0]); i++) {
		if (strcmp(cmd, open_commands[i]) == 0) {
			run_command(d, r, cmd);
			return;
		}
	}
	say(r, 404,
	    "over HTTP there is no such command: the others go through "
	    "tickbusctl\n");
}

/* Whoever names OpenMetrics gets it, whatever else he would take: as Prometheus asks.
 */
ON_LOOP static void put_metrics(struct daemon *d, struct http_request *r)
{
	bool is_open = strstr(http_accept(r), "application/openmetrics-text") != NULL;
	const struct buf *body = metrics_shared(&d->metrics, d, is_open);

	http_answer(r, 200, is_open ? OPEN_TYPE : PROM_TYPE, body->data, body->len);
}

void daemon_http(void *arg, struct http_request *r)
{
	struct daemon *d = arg;
	const char *path = http_path(r);
	const struct page_file *file = page_file_find(path);
	char text[32];

	role_assert_loop();
	if (file != NULL) {
		http_answer(r, 200, file->type, file->data, file->len);
	} else if (strcmp(path, "/metrics") == 0) {
		put_metrics(d, r);
	} else if (strcmp(path, "/healthz") == 0) {
		say(r, 200, "ok\n");
	} else if (strcmp(path, "/readyz") == 0) {
		(void)snprintf(text, sizeof(text), "%s\n", daemon_state_name(d->state));
		say(r, d->state == DAEMON_READY ? 200 : 503, text);
	} else if (strcmp(path, "/live") == 0 && d->page_live != NULL) {
		page_live_join(d->page_live, r);
	} else if (strncmp(path, "/api/", 5) == 0) {
		run_api(d, r, path + 5);
	} else {
		say(r, 404,
		    "there are /, /live, /api/, /metrics, /healthz and /readyz\n");
	}
}
