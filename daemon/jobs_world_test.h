/*
 * jobs_world_test - jobs with a vendor that is played by the test: it notes what it is
 * asked and answers as it is told, a bar a minute.
 */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "daemon/jobs.h"
#include "daemon/jobs_plan.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A test plays every role on one thread; clang need not hear of each change. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

#define MIN (60 * NS_PER_S)
#define DAY (86400 * NS_PER_S)
#define T0  (INT64_C(1704153600) * NS_PER_S) /* 2024-01-02T00:00:00Z */
#define NOW (T0 + 300 * DAY)

#define ASKS_MAX 4096

struct asked {
	char vendor[HIST_SOURCE_MAX + 1];
	char symbol[SYMBOL_MAX + 1];
	struct vendor_ask ask;
	uint32_t slot, generation;
	bool is_open;
};

struct world {
	char dir[64];
	struct config config;
	struct histstore *store;
	struct jobs *jobs;
	struct asked asks[ASKS_MAX];
	size_t n_asks;
	size_t n_cancelled;
	const char *refuses; /* this vendor cannot be asked */
	struct vendor_ops paged, whole;
};

static inline const struct vendor_ops *world_ops(void *arg, const char *vendor)
{
	struct world *w = arg;

	if (strcmp(vendor, "whole") == 0)
		return &w->whole;
	return strcmp(vendor, "gone") == 0 ? NULL : &w->paged;
}

static inline int world_ask(void *arg, const char *vendor, const struct vendor_ask *ask,
			    uint32_t slot, uint32_t generation, uint64_t *out_id)
{
	struct world *w = arg;
	struct asked *a = &w->asks[w->n_asks];

	if (w->refuses != NULL && strcmp(w->refuses, vendor) == 0)
		return err_set(-EINVAL, "it cannot be asked this");
	assert_true(w->n_asks < ASKS_MAX);
	*a = (struct asked){
		.ask = *ask, .slot = slot, .generation = generation, .is_open = true};
	(void)snprintf(a->vendor, sizeof(a->vendor), "%s", vendor);
	(void)snprintf(a->symbol, sizeof(a->symbol), "%s", ask->symbols[0]);
	*out_id = ++w->n_asks;
	return 0;
}

static inline void world_cancel(void *arg, uint64_t id)
{
	struct world *w = arg;

	w->asks[id - 1].is_open = false;
	w->n_cancelled++;
}

static inline void world_open(struct world *w)
{
	struct jobs_env env = {.config = &w->config,
			       .slots = w->config.ingest.workers,
			       .ops = world_ops,
			       .ask = world_ask,
			       .cancel = world_cancel,
			       .arg = w};

	assert_int_equal(0, histstore_open(w->dir, &w->store));
	env.store = w->store;
	assert_int_equal(0, jobs_new(&env, &w->jobs));
	w->n_asks = w->n_cancelled = 0;
}

static inline void world_close(struct world *w)
{
	jobs_free(w->jobs);
	assert_int_equal(0, histstore_close(w->store));
}

/* As after a kill: what was not committed is gone, the rest is read again. */
static inline void world_restart(struct world *w)
{
	world_close(w);
	world_open(w);
}

static inline struct world *world_begin(void)
{
	static const char *const names[] = {"paged", "whole", "second"};
	struct world *w = calloc(1, sizeof(*w));

	(void)snprintf(w->dir, sizeof(w->dir), "%s/jobs_test.XXXXXX",
		       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".");
	assert_non_null(mkdtemp(w->dir));
	config_default(&w->config);
	w->config.ingest.workers = 4;
	w->config.n_vendors = 3;
	for (size_t i = 0; i < 3; i++)
		(void)snprintf(w->config.vendors[i].name,
			       sizeof(w->config.vendors[i].name), "%s", names[i]);
	w->paged = (struct vendor_ops){.name = "paged",
				       .can = UINT32_MAX,
				       .rows_max = {1000, 1000, 1000, 50, 100},
				       .has_pages = true};
	w->whole = w->paged;
	w->whole.has_pages = false;
	w->whole.can = 1u << VENDOR_BARS;
	world_open(w);
	return w;
}

static inline void world_end(struct world *w)
{
	char path[128];

	world_close(w);
	config_deinit(&w->config);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/history.db%s", w->dir,
			       i ? "-wal" : "");
		(void)unlink(path);
	}
	rmdir(w->dir);
	free(w);
}

/* "alpaca" or "paged second"; symbols likewise. */
static inline uint64_t world_job(struct world *w, const char *sources,
				 const char *symbols, int64_t from_ns, int64_t to_ns,
				 uint8_t adjust)
{
	struct hist_job j = {.created_ns = NOW,
			     .range = {from_ns, to_ns},
			     .step_s = 60,
			     .adjust = adjust};
	char text[256], *save = NULL;
	const char *list[64];
	size_t n = 0;

	(void)snprintf(text, sizeof(text), "%s", sources);
	for (char *s = strtok_r(text, " ", &save); s; s = strtok_r(NULL, " ", &save))
		(void)snprintf(j.sources[j.n_sources++], sizeof(j.sources[0]), "%s", s);
	(void)snprintf(text, sizeof(text), "%s", symbols);
	for (char *s = strtok_r(text, " ", &save); s; s = strtok_r(NULL, " ", &save))
		list[n++] = s;
	assert_int_equal(0, histstore_begin(w->store));
	assert_int_equal(0, histjobs_add(w->store, &j, list, n));
	assert_int_equal(0, histstore_commit(w->store));
	return j.id;
}

static inline int world_step(struct world *w)
{
	int n;

	assert_int_equal(0, histstore_begin(w->store));
	n = jobs_step(w->jobs, NOW, 100);
	assert_true(n >= 0);
	assert_int_equal(0, histstore_commit(w->store));
	return n;
}

static inline void world_tell(struct world *w, struct asked *a, struct jobs_news *n)
{
	n->slot = a->slot;
	n->generation = a->generation;
	n->requests = n->requests ? n->requests : 1;
	if (n->state != FETCH_PAGE)
		a->is_open = false;
	assert_int_equal(0, histstore_begin(w->store));
	assert_int_equal(0, jobs_take(w->jobs, n, NOW));
	assert_int_equal(0, histstore_commit(w->store));
	buf_free(&n->bars);
	buf_free(&n->actions);
	buf_free(&n->articles);
}

static inline struct hist_bar world_bar(int64_t start_ns)
{
	int64_t p = (start_ns / MIN % 1000 + 10000) * 10000000;

	return (struct hist_bar){.start_ns = start_ns,
				 .open_e9 = p,
				 .high_e9 = p,
				 .low_e9 = p,
				 .close_e9 = p,
				 .volume_e8 = 100,
				 .vwap_e9 = VALUE_NULL,
				 .trades = 1};
}

/* A page with the bars of [from, to). */
static inline void world_page(struct world *w, struct asked *a, int64_t from_ns,
			      int64_t to_ns, bool is_last)
{
	struct jobs_news n = {.state = FETCH_PAGE, .is_last = is_last};

	from_ns = (from_ns + MIN - 1) / MIN * MIN;
	for (int64_t t = from_ns; t < to_ns; t += MIN) {
		struct hist_bar b = world_bar(t);

		buf_add(&n.bars, &b, sizeof(b));
	}
	world_tell(w, a, &n);
}

static inline void world_done(struct world *w, struct asked *a)
{
	world_tell(w, a, &(struct jobs_news){.state = FETCH_DONE});
}

static inline void world_fail(struct world *w, struct asked *a, const char *why)
{
	struct jobs_news n = {.state = FETCH_FAILED};

	(void)snprintf(n.problem.why, sizeof(n.problem.why), "%s", why);
	world_tell(w, a, &n);
}

static inline struct asked *world_last(struct world *w)
{
	assert_true(w->n_asks > 0);
	return &w->asks[w->n_asks - 1];
}

/* Answer what is open, and what that leads to, with all bars of its range. */
static inline void world_answer_all(struct world *w)
{
	do {
		for (size_t i = 0; i < w->n_asks; i++) {
			struct asked *a = &w->asks[i];

			if (!a->is_open)
				continue;
			if (a->ask.what == VENDOR_BARS)
				world_page(w, a, a->ask.start_ns, a->ask.end_ns, true);
			world_done(w, a);
		}
	} while (world_step(w) > 0);
}

static inline struct hist_totals world_totals(struct world *w, uint64_t id)
{
	struct hist_totals t;

	assert_int_equal(0, histjobs_totals(w->store, id, &t));
	return t;
}

static inline enum histjobs_state world_state(struct world *w, uint64_t id)
{
	struct hist_job j;

	assert_int_equal(0, histjobs_get(w->store, id, &j));
	return j.state;
}

static inline struct hist_series world_series(const char *source, const char *symbol,
					      uint8_t adjust)
{
	struct hist_series s = {.adjust = adjust, .step_s = 60};

	(void)snprintf(s.source, sizeof(s.source), "%s", source);
	(void)snprintf(s.symbol, sizeof(s.symbol), "%s", symbol);
	return s;
}

static inline uint64_t world_bars(struct world *w, const char *source,
				  const char *symbol, uint8_t adjust)
{
	struct hist_series s = world_series(source, symbol, adjust);
	struct hist_summary sum;

	assert_true(histstore_summary(w->store, &s, &sum) >= 0);
	return sum.bars;
}
