/* verify_plan - the range of a verification and the state to begin with, see verify.h.
 */
#include "base/err.h"
#include "base/state.h"
#include "daemon/snapshot.h"
#include "daemon/verify_parts.h"
#include <errno.h>
#include <stdio.h>

struct look {
	uint64_t first_pos, last_pos, begin_pos;
	struct store_snapshot all[VERIFY_SNAPSHOTS_MAX]; /* newest first */
	uint32_t n;
	uint64_t last_row[EVENT_KINDS];
};

static int look(struct tickstore *ts, void *arg)
{
	struct look *l = arg;
	struct store_status s;
	uint64_t max_pos = UINT64_MAX;
	int rc = 0;

	role_assert_store();
	tickstore_status(ts, &s);
	l->first_pos = s.first_pos;
	l->last_pos = s.last_pos;
	l->begin_pos = s.begin_pos;
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		l->last_row[k] = tickstore_derived_last_pos(ts, k);
	while (l->n < VERIFY_SNAPSHOTS_MAX && rc == 0) {
		rc = tickstore_snapshot_find(ts, max_pos, &l->all[l->n]);
		if (rc == 0) {
			max_pos = l->all[l->n].pos - 1;
			l->n += 1;
		}
		if (max_pos == UINT64_MAX || max_pos == 0)
			break;
	}
	return rc < 0 ? rc : 0;
}

/* ---- snapshots ---- */

struct part_read {
	const struct store_snapshot *s;
	struct buf *out;
	uint32_t part;
};

static int on_part(void *arg, const void *data, size_t len)
{
	struct part_read *p = arg;

	p->out->len = 0;
	buf_add(p->out, data, len);
	return 0;
}

static int read_part(struct tickstore *ts, void *arg)
{
	struct part_read *p = arg;

	role_assert_store();
	return tickstore_snapshot_read_part(ts, p->s, p->part, on_part, p);
}

int verify_read_part(struct verify *v, const struct store_snapshot *s, uint32_t part,
		     struct buf *out)
{
	struct part_read p = {s, out, part};

	return store_access_run(&v->env->access, read_part, &p);
}

int verify_check_head(struct verify *v, const struct store_snapshot *s,
		      const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);
	struct snapshot_head h = {0};

	if (s->version != SNAPSHOT_VERSION)
		return err_set(STORE_NONE,
			       "it has layout %u, this tickbusd reads layout %d",
			       s->version, SNAPSHOT_VERSION);
	snapshot_head_state(&st, &h);
	state_end(&st);
	if (state_bad(&st) || h.pos != s->pos)
		return err_set(STORE_NONE, "its head is not the one of its position");
	if (h.config_hash != v->config_hash)
		return err_set(STORE_NONE, "it was made under another configuration");
	return 0;
}

static int on_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	return verify_event(arg, kind, event, len);
}

static int open_rerun(struct verify *v)
{
	const struct rerun_env env = {.params = v->env->params,
				      .symbols = v->env->symbols,
				      .sources = v->env->sources,
				      .symbols_max = v->env->symbols_max,
				      .n_workers = v->env->n_workers,
				      .access = &v->env->access};

	return rerun_new(&env, on_event, v, &v->rerun);
}

static int load_part(struct verify *v, const struct store_snapshot *s,
		     const struct buf *part, bool *has_head)
{
	const uint8_t *at = part->data, *end = at + part->len;
	struct section sec;
	int rc;

	while ((rc = section_next(&at, end, &sec)) == 0) {
		if (sec.kind == SECTION_HEAD) {
			rc = verify_check_head(v, s, &sec);
			*has_head = rc == 0;
		} else if (!*has_head) {
			rc = err_set(STORE_NONE, "it does not begin with its head");
		} else {
			rc = rerun_load(v->rerun, &sec);
		}
		if (rc != 0)
			break;
	}
	return rc == SECTION_NONE ? 0 : rc;
}

/* 0; STORE_NONE: it cannot be used, the re-run is as new; < 0. */
static int load(struct verify *v, const struct store_snapshot *s)
{
	struct buf part = {0};
	bool has_head = false;
	int rc = 0;

	for (uint32_t i = 0; i < s->n_parts && rc == 0; i++) {
		rc = verify_read_part(v, s, i, &part);
		if (rc == 0)
			rc = load_part(v, s, &part, &has_head);
	}
	buf_free(&part);
	if (rc == 0)
		return 0;
	if (rc < 0 && rc != -EBADMSG)
		return rc;
	(void)snprintf(v->out->note, sizeof(v->out->note),
		       "the state snapshot at position %llu cannot be used: %.200s",
		       (unsigned long long)s->pos, err_text());
	rerun_free(v->rerun);
	v->rerun = NULL;
	rc = open_rerun(v);
	return rc < 0 ? rc : STORE_NONE;
}

/* ---- the plan ---- */

/*
 * The newest snapshot before @from; when the log's beginning is gone and there is
 * none, the oldest one held, and the range begins behind it.
 */
static int begin_with(struct verify *v, const struct look *l)
{
	bool is_cut = l->begin_pos > 1;
	int rc;

	for (uint32_t i = 0; i < l->n; i++) {
		const struct store_snapshot *s = &l->all[i];
		bool is_oldest = i + 1 == l->n;

		if (s->pos == 0 || s->pos > v->last_pos ||
		    (s->pos >= v->out->from && !(is_cut && is_oldest)))
			continue;
		if (v->out->from <= 1 && !is_cut)
			continue; /* all of the log is wanted, and is there */
		rc = load(v, s);
		if (rc < 0)
			return rc;
		if (rc == STORE_NONE)
			continue;
		v->start = *s;
		if (v->out->from <= s->pos) {
			v->out->from = s->pos + 1;
			(void)snprintf(v->out->note, sizeof(v->out->note),
				       "the log before position %llu was retired: "
				       "verified from the state snapshot at %llu on",
				       (unsigned long long)l->first_pos,
				       (unsigned long long)s->pos);
		}
		return 0;
	}
	if (is_cut)
		return err_set(-ENOENT,
			       "the log before position %llu was retired and no state "
			       "snapshot can be used to begin with",
			       (unsigned long long)l->first_pos);
	return 0;
}

static void note_inside(struct verify *v, const struct look *l)
{
	for (uint32_t i = l->n; i-- > 0;)
		if (l->all[i].pos > v->start.pos && l->all[i].pos <= v->out->to)
			v->inside[v->n_inside++] = l->all[i];
}

int verify_plan(struct verify *v)
{
	struct look l = {0};
	int rc = store_access_run(&v->env->access, look, &l);

	if (rc < 0)
		return rc;
	v->first_pos = l.first_pos;
	v->last_pos = l.last_pos;
	v->begin_pos = l.begin_pos;
	v->out->from = v->env->from > 0 ? v->env->from : 1;
	v->out->to = v->env->to < l.last_pos ? v->env->to : l.last_pos;
	if (v->env->from > l.last_pos && v->env->from > 1)
		return err_set(-ERANGE,
			       "the range begins at position %llu, the log ends at "
			       "%llu",
			       (unsigned long long)v->env->from,
			       (unsigned long long)l.last_pos);
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		v->stored_to[k] = v->env->stored_to[k] > l.last_row[k]
					  ? v->env->stored_to[k]
					  : l.last_row[k];
	rc = open_rerun(v);
	if (rc == 0)
		rc = begin_with(v, &l);
	if (rc == 0)
		note_inside(v, &l);
	return rc;
}
