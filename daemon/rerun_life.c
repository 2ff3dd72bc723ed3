/* rerun_life - the parts of a re-run and where their events go, see rerun.h. */
#include "base/err.h"
#include "daemon/rerun_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- out of a shard ---- */

static void on_bar(void *arg, const struct event_bar *e)
{
	buf_add(&((struct runner *)arg)->now->events[0], e, sizeof(*e));
}

static void on_tier1(void *arg, const struct event_tier1 *e)
{
	buf_add(&((struct runner *)arg)->now->events[1], e, sizeof(*e));
}

static void on_status(void *arg, const struct event_status *e)
{
	buf_add(&((struct runner *)arg)->now->events[2], e, sizeof(*e));
}

static void on_cut(void *arg, const struct cut_item *c)
{
	struct runner *n = arg;

	if (n->rerun->env.params->n_universes > 0)
		buf_add(&n->now->cuts, c, sizeof(*c));
}

static void on_mark(void *arg, uint64_t pos)
{
	(void)arg;
	(void)pos;
}

static int take_sections(struct rerun *r, struct buf *part)
{
	r->part(r->part_arg, part->data, part->len);
	part->len = 0;
	return 0;
}

static int on_shard_part(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	(void)pos;
	(void)is_last;
	return take_sections(((struct runner *)arg)->rerun, part);
}

static int on_tier2_part(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	(void)pos;
	(void)is_last;
	return take_sections(arg, part);
}

/* ---- out of tier 2 ---- */

static void on_matrix(void *arg, const struct event_tier2 *e,
		      const struct tier2_member *members, const double *triangle,
		      bool replay)
{
	struct rerun *r = arg;

	(void)replay;
	if (r->rc != 0)
		return;
	r->matrix.len = 0;
	buf_add(&r->matrix, e, sizeof(*e));
	buf_add(&r->matrix, members, e->n_members * sizeof(*members));
	buf_add(&r->matrix, triangle,
		event_triangle_len(e->n_included) * sizeof(*triangle));
	r->rc = r->event(r->arg, EVENT_TIER2, r->matrix.data, r->matrix.len);
}

/* ---- state ---- */

int rerun_load(struct rerun *r, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);
	struct shard_streams streams;
	int rc = 0;

	switch ((enum section_kind)sec->kind) {
	case SECTION_HEAD:
	case SECTION_INDEX:
		return 0;
	case SECTION_DISPATCH:
		inband_state(&st, &r->inband, 0);
		state_end(&st);
		return state_bad(&st) ? err_set(-EBADMSG,
						"the dispatcher's part of the snapshot "
						"cannot be read")
				      : 0;
	case SECTION_SOURCES:
		for (uint32_t w = 0; w < r->env.n_workers && rc == 0; w++)
			rc = shard_load(r->runners[w].shard, sec, &streams);
		return rc;
	case SECTION_LANE:
		return shard_load(r->runners[sec->id % r->env.n_workers].shard, sec,
				  &streams);
	case SECTION_UNIVERSE:
		return tier2_load(r->tier2, sec);
	case SECTION_NEWS:
	case SECTION_HOLDS:
		return newsroom_load(r->news, sec);
	}
	return err_set(-EBADMSG, "the snapshot has a section of the unknown kind %u",
		       sec->kind);
}

void rerun_save(struct rerun *r, uint64_t pos, uint32_t n_symbols, rerun_part_fn part,
		void *arg)
{
	struct buf own = {0};
	struct state st = state_saving(&own);
	size_t at = section_begin(&own, SECTION_DISPATCH, 0);

	inband_state(&st, &r->inband, n_symbols);
	section_end(&own, at);
	newsroom_save(r->news, &own);
	part(arg, own.data, own.len);
	buf_free(&own);
	r->part = part;
	r->part_arg = arg;
	for (uint32_t w = 0; w < r->env.n_workers; w++) {
		shard_save_begin(r->runners[w].shard, pos);
		while (shard_save_step(r->runners[w].shard, UINT32_MAX))
			;
	}
	tier2_save_begin(r->tier2, pos);
}

/* ---- life ---- */

static int open_runner(struct rerun *r, uint32_t w)
{
	struct runner *n = &r->runners[w];
	const struct shard_env env = {.params = r->env.params,
				      .symbols = r->env.symbols,
				      .sources = r->env.sources,
				      .index = w,
				      .n_shards = r->env.n_workers,
				      .symbols_max = r->env.symbols_max};
	const struct shard_sink sink = {.arg = n,
					.bar = on_bar,
					.tier1 = on_tier1,
					.status = on_status,
					.cut = on_cut,
					.mark = on_mark,
					.snapshot = on_shard_part};
	int rc = shard_new(&env, &sink, &n->shard);

	n->rerun = r;
	n->index = w;
	for (uint32_t s = 0; s < SLOTS && rc == 0; s++) {
		struct portion *p = &r->slots[s].of[w];

		p->items = malloc(BATCH_ITEMS * sizeof(*p->items));
		if (p->items == NULL)
			rc = err_set(-ENOMEM, "out of memory for the re-run");
	}
	return rc;
}

static int open_parts(struct rerun *r)
{
	const struct tier2_env te = {.params = r->env.params,
				     .symbols = r->env.symbols,
				     .n_workers = r->env.n_workers,
				     .symbols_max = r->env.symbols_max};
	const struct tier2_sink ts = {
		.arg = r, .matrix = on_matrix, .snapshot = on_tier2_part};
	const struct newsroom_env ne = {.params = r->env.params,
					.symbols = r->env.symbols,
					.symbols_max = r->env.symbols_max};
	int rc = inband_init(&r->inband, r->env.symbols_max);

	if (rc == 0)
		rc = newsroom_new(&ne, &r->news);
	for (uint32_t w = 0; w < r->env.n_workers && rc == 0; w++)
		rc = open_runner(r, w);
	if (rc == 0)
		rc = tier2_new(&te, &ts, &r->tier2);
	for (uint32_t w = 0; w < r->env.n_workers && rc == 0 && r->env.n_workers > 1;
	     w++)
		rc = rerun_start(&r->runners[w]);
	return rc;
}

int rerun_new(const struct rerun_env *env, rerun_event_fn event, void *arg,
	      struct rerun **out)
{
	struct rerun *r = calloc(1, sizeof(*r));
	int rc;

	if (r == NULL)
		return err_set(-ENOMEM, "out of memory for the re-run");
	r->env = *env;
	r->event = event;
	r->arg = arg;
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->work, NULL);
	(void)pthread_cond_init(&r->done, NULL);
	rc = open_parts(r);
	if (rc < 0) {
		rerun_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

static void free_portion(struct portion *p)
{
	free(p->items);
	buf_free(&p->cuts);
	for (size_t k = 0; k < SHARD_KINDS; k++)
		buf_free(&p->events[k]);
}

void rerun_free(struct rerun *r)
{
	if (r == NULL)
		return;
	(void)pthread_mutex_lock(&r->lock);
	r->stop = true;
	(void)pthread_cond_broadcast(&r->work);
	(void)pthread_mutex_unlock(&r->lock);
	for (uint32_t w = 0; w < r->env.n_workers; w++) {
		if (r->runners[w].has_thread)
			(void)pthread_join(r->runners[w].thread, NULL);
		shard_free(r->runners[w].shard);
		for (uint32_t s = 0; s < SLOTS; s++)
			free_portion(&r->slots[s].of[w]);
	}
	tier2_free(r->tier2);
	inband_deinit(&r->inband);
	newsroom_free(r->news);
	for (uint32_t s = 0; s < SLOTS; s++)
		buf_free(&r->slots[s].news);
	buf_free(&r->matrix);
	buf_free(&r->article);
	(void)pthread_cond_destroy(&r->work);
	(void)pthread_cond_destroy(&r->done);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}
