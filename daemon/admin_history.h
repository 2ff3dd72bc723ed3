/*
 * admin_history - questions of the admin socket that the history thread answers.
 *
 *	loop: read the request -> HISTORY: look, write the answer as JSON -> loop
 *
 * The answer stands under one key of the result.
 */
#pragma once
#include "daemon/admin_commands_parts.h"
#include "daemon/analysis_order.h"
#include "daemon/analysis_room.h"
#include "daemon/daemon_parts.h"
#include "store/histjobs.h"

struct past;

/** ON_HISTORY: 0, or < 0 of the store; past_refuse() is no error of the store. */
typedef int (*past_fn)(struct history_thread *t, struct past *p, struct jsonw *w);

struct past {
	struct daemon_question back; /* first */
	struct admin_call *call;
	past_fn look;
	const char *key; /* of the answer */
	/* the request; each command uses what it needs */
	uint64_t id;
	uint64_t after;
	uint64_t n;
	bool is_all;
	char symbol[SYMBOL_MAX + 1];
	char source[HIST_SOURCE_MAX + 1];
	uint32_t step_s;
	uint8_t adjust;
	bool has_columns; /* the form of the answer: proto/barcols.h */
	struct hist_range range;
	struct hist_job job;
	struct buf names;   /* char [SYMBOL_MAX + 1] of each symbol of the job */
	struct buf refused; /* JSON: what was wrong with others */
	uint64_t doubles;
	const struct symbol_params *params;
	struct analysis_room *analysis; /* borrowed; NULL: no job computes */
	struct analysis_order order;    /* of one that does */
	bool is_local; /* asked on the socket, by who may read our files */
	bool wakes;    /* whoever computes, when it is stored */
	/* the answer */
	struct buf json;
	const char *code; /* NULL: answered */
	char text[ERR_TEXT_MAX];
};

/** NULL: there is no history, or no memory, and the call has been failed. */
ON_LOOP struct past *past_new(struct daemon *d, struct admin_call *call, past_fn look,
			      const char *key);
ON_LOOP void past_free(struct past *p);
/** There and back; @p is gone afterwards. */
ON_LOOP void past_ask(struct daemon *d, struct past *p);
/** The call fails with this; returns 0. */
int past_refuse(struct past *p, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Members of the request; false: wrong, and the call has been failed (@p is freed).
 * Times are RFC 3339 or days (midnight UTC); not there: unchanged.
 */
ON_LOOP bool past_range(struct past *p, const struct json *request);
ON_LOOP bool past_series(struct past *p, const struct json *request, bool needs_symbol);
ON_LOOP bool past_form(struct past *p, const struct json *request);

/** "symbols" into @p->names, those that are no names as JSON into @p->refused; false:
   the call has been failed, @p not freed. */
ON_LOOP bool past_symbols(struct past *p, const struct json *request);

/** "1m"; "actions", "news". */
const char *past_step_name(uint32_t step_s);
const char *past_adjust_name(uint8_t adjust);
/** enum hist_adjust, or -1. */
int past_adjust_parse(const char *text);
void past_put_series(struct jsonw *w, const struct hist_series *s);

/* ---- admin_commands_analysis.c ---- */
/** {what, symbols, flow, format, options, holdings}: a job that computes. */
ON_LOOP void admin_analyse(struct daemon *d, const struct json *request,
			   struct admin_call *call);
/** Members of a job that computes. */
ON_HISTORY void admin_put_analysis(struct history_thread *t, struct past *p,
				   struct jsonw *w, const struct hist_job *j);

/* ---- admin_commands_jobs.c ---- */
/** Store @p->job with its symbols: 0 (or @p->code is set), or < 0 of the store. */
ON_HISTORY int admin_add_job(struct history_thread *t, struct past *p);
/** Open an object of the new job with what was wrong with other symbols. */
ON_HISTORY void admin_put_added(struct history_thread *t, struct past *p,
				struct jsonw *w);
/** What all jobs say of themselves: how many symbols stand how, and since when. */
ON_HISTORY void admin_put_totals(struct history_thread *t, struct jsonw *w,
				 const struct hist_job *j);
ON_LOOP void admin_ingest(struct daemon *d, const struct json *request,
			  struct admin_call *call);
ON_LOOP void admin_jobs(struct daemon *d, const struct json *request,
			struct admin_call *call);
ON_LOOP void admin_job(struct daemon *d, const struct json *request,
		       struct admin_call *call);
ON_LOOP void admin_job_cancel(struct daemon *d, const struct json *request,
			      struct admin_call *call);
ON_LOOP void admin_vendors(struct daemon *d, const struct json *request,
			   struct admin_call *call);

/* ---- admin_commands_news.c ---- */
ON_LOOP void admin_articles(struct daemon *d, const struct json *request,
			    struct admin_call *call);

/* ---- admin_commands_past.c ---- */
ON_LOOP void admin_bars(struct daemon *d, const struct json *request,
			struct admin_call *call);
ON_LOOP void admin_quality(struct daemon *d, const struct json *request,
			   struct admin_call *call);
ON_LOOP void admin_cache_list(struct daemon *d, const struct json *request,
			      struct admin_call *call);
ON_LOOP void admin_cache_stats(struct daemon *d, const struct json *request,
			       struct admin_call *call);
ON_LOOP void admin_cache_invalidate(struct daemon *d, const struct json *request,
				    struct admin_call *call);
ON_LOOP void admin_index(struct daemon *d, const struct json *request,
			 struct admin_call *call);
