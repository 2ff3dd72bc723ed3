/* admin_history - see admin_history.h. */
#include "daemon/admin_history.h"
#include "base/err.h"
#include "base/timetext.h"
#include "proto/timeframe.h"
#include "store/histstore.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- there and back ---- */

static int look(struct history_thread *t, void *arg)
{
	struct past *p = arg;
	struct jsonw w;
	int rc;

	role_assert_history();
	jsonw_init(&w, &p->json);
	rc = p->look(t, p, &w);
	while (rc >= 0 && w.depth > 0)
		jsonw_end(&w);
	return rc;
}

static void looked(void *arg, int rc)
{
	struct past *p = arg;

	if (rc < 0)
		(void)past_refuse(p, "failed", "%s", err_text());
	daemon_answered(&p->back);
}

static void answer(struct daemon *d, void *arg)
{
	struct past *p = arg;

	role_assert_loop();
	if (p->code != NULL) {
		admin_fail(p->call, p->code, p->text);
	} else {
		jsonw_raw(admin_result(p->call), p->key, (const char *)p->json.data,
			  p->json.len);
		admin_done(p->call);
		if (p->wakes && d->analysis != NULL)
			analysis_room_wake(d->analysis);
	}
	/* The loop frees the question, which is our first member. */
	buf_free(&p->json);
	buf_free(&p->names);
	buf_free(&p->refused);
	analysis_order_free(&p->order);
}

struct past *past_new(struct daemon *d, struct admin_call *call, past_fn fn,
		      const char *key)
{
	struct past *p;

	if (d->history == NULL) {
		admin_fail(call, "no_history", d->history_why);
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL) {
		admin_fail(call, "busy", "out of memory; ask again");
		return NULL;
	}
	p->back = (struct daemon_question){.d = d, .answer = answer, .arg = p};
	p->call = call;
	p->look = fn;
	p->key = key;
	p->range = (struct hist_range){INT64_MIN, INT64_MAX};
	p->step_s = 60;
	p->analysis = d->analysis;
	p->is_local = admin_uid(call) != UINT32_MAX;
	return p;
}

void past_free(struct past *p)
{
	buf_free(&p->json);
	buf_free(&p->names);
	buf_free(&p->refused);
	analysis_order_free(&p->order);
	free(p);
}

void past_ask(struct daemon *d, struct past *p)
{
	if (history_ask(d->history, look, looked, p) == 0)
		return;
	admin_fail(p->call, "busy", "the history thread has too much to do; ask again");
	past_free(p);
}

int past_refuse(struct past *p, const char *code, const char *fmt, ...)
{
	va_list ap;

	p->code = code;
	va_start(ap, fmt);
	(void)vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	return 0;
}

/* ---- members of requests ---- */

ON_LOOP static bool fail(struct past *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct past *p, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	admin_fail(p->call, "bad_request", text);
	past_free(p);
	return false;
}

bool past_range(struct past *p, const struct json *request)
{
	static const char *const keys[] = {"start", "end"};

	for (size_t i = 0; i < 2; i++) {
		const char *text = json_str(json_get(request, keys[i]), "");

		if (*text == '\0')
			continue;
		if (timetext_parse_day(text, i == 0 ? &p->range.from_ns
						    : &p->range.to_ns) != 0)
			return fail(p,
				    "%s: '%.40s' is not a day like 2024-01-02 or a "
				    "time like 2024-01-02T14:30:00Z",
				    keys[i], text);
	}
	if (p->range.from_ns >= p->range.to_ns)
		return fail(p, "the range ends before it begins");
	return true;
}

bool past_series(struct past *p, const struct json *request, bool needs_symbol)
{
	const char *symbol = json_str(json_get(request, "symbol"), "");
	const char *source = json_str(json_get(request, "source"), "");
	const char *step = json_str(json_get(request, "timeframe"), "1m");
	const char *adjust = json_str(json_get(request, "adjust"), "raw");
	int how = past_adjust_parse(adjust);

	if (needs_symbol && *symbol == '\0')
		return fail(p, "symbol is missing");
	if (*symbol != '\0' && !symbol_valid(symbol, strlen(symbol)))
		return fail(p, "'%.40s' is not a symbol [A-Z0-9._:/=%%-]{1,32}",
			    symbol);
	if (*source != '\0' && !source_valid(source, strlen(source)))
		return fail(p, "'%.40s' is not a source [a-z0-9._-]{1,16}", source);
	if (how < 0)
		return fail(p, "adjust: '%.20s' is not raw, split or all", adjust);
	p->step_s = timeframe_parse_any(step, strlen(step));
	if (p->step_s == 0)
		return fail(p, "timeframe: '%.20s' is not one of 1s .. 1d", step);
	(void)snprintf(p->symbol, sizeof(p->symbol), "%s", symbol);
	(void)snprintf(p->source, sizeof(p->source), "%s", source);
	p->adjust = (uint8_t)how;
	return true;
}

bool past_form(struct past *p, const struct json *request)
{
	const char *form = json_str(json_get(request, "form"), "rows");

	p->has_columns = strcmp(form, "columns") == 0;
	if (!p->has_columns && strcmp(form, "rows") != 0)
		return fail(p, "form: '%.20s' is not rows or columns", form);
	return true;
}

/* ---- words ---- */

const char *past_step_name(uint32_t step_s)
{
	if (step_s == HISTSTORE_ACTIONS)
		return "actions";
	return step_s == HISTSTORE_NEWS ? "news" : timeframe_name(step_s);
}

static const char *const adjusts[] = {
	[HIST_RAW] = "raw", [HIST_SPLIT] = "split", [HIST_ALL] = "all"};

const char *past_adjust_name(uint8_t adjust)
{
	return adjust <= HIST_ALL ? adjusts[adjust] : "?";
}

int past_adjust_parse(const char *text)
{
	for (int i = HIST_RAW; i <= HIST_ALL; i++)
		if (strcmp(adjusts[i], text) == 0)
			return i;
	return -1;
}

void past_put_series(struct jsonw *w, const struct hist_series *s)
{
	jsonw_str(w, "source", s->source);
	jsonw_str(w, "feed", s->feed);
	jsonw_str(w, "symbol", s->symbol);
	jsonw_str(w, "timeframe", past_step_name(s->step_s));
	jsonw_str(w, "adjust", past_adjust_name(s->adjust));
}
