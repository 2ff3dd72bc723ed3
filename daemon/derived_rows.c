/* derived_rows - see derived_rows.h. */
#include "daemon/derived_rows.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include <errno.h>
#include <stdlib.h>

struct waiting {
	struct derived_row row;
	struct waiting *next;
};

struct derived_rows {
	struct tickstore *store; /* borrowed */
	struct newest *newest;   /* borrowed */
	struct waiting *first;   /* owned list; NULL: nothing waits */
	struct waiting **last;   /* where the next one goes */
	size_t bytes;            /* of what waits */
	bool has_given_up;
};

int derived_rows_new(struct tickstore *ts, struct newest *newest,
		     struct derived_rows **out)
{
	struct derived_rows *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(-ENOMEM, "out of memory for the derived rows");
	r->store = ts;
	r->newest = newest;
	r->last = &r->first;
	*out = r;
	return 0;
}

static void forget_waiting(struct derived_rows *r)
{
	while (r->first != NULL) {
		struct waiting *w = r->first;

		r->first = w->next;
		free(w->row.data);
		free(w);
	}
	r->last = &r->first;
	r->bytes = 0;
}

void derived_rows_free(struct derived_rows *r)
{
	if (r == NULL)
		return;
	forget_waiting(r);
	free(r);
}

ON_STORE static int store(struct derived_rows *r, const struct derived_row *row)
{
	int rc = tickstore_derived_append(r->store, (unsigned)row->kind, row->first_pos,
					  row->last_pos, row->n_events, row->data,
					  row->len);

	if (rc != 0)
		return rc;
	stats_add(STAT_DERIVED_STORED, row->n_events);
	/* What the index cannot take at once it reads from the rows. */
	if (newest_note(r->newest, r->store, row->kind, row->data, row->len) != 0)
		(void)newest_step(r->newest, r->store, NEWEST_STEP_BYTES);
	return 0;
}

static void give_up(struct derived_rows *r, const char *why)
{
	log_warn("store",
		 "%s; derived events are not stored until the next start, which "
		 "derives them again",
		 why);
	r->has_given_up = true;
	forget_waiting(r);
}

/* Behind those that wait already; @row's data is taken. */
static void keep(struct derived_rows *r, const struct derived_row *row)
{
	struct waiting *w = malloc(sizeof(*w));

	if (w == NULL || r->bytes + row->len > ROWS_WAITING_MAX) {
		free(w);
		free(row->data);
		give_up(r, "the disk has refused derived events for too long");
		return;
	}
	*w = (struct waiting){.row = *row};
	*r->last = w;
	r->last = &w->next;
	r->bytes += row->len;
}

void derived_rows_put(struct derived_rows *r, const struct derived_row *row)
{
	int rc;

	if (r->has_given_up) {
		free(row->data);
		return;
	}
	if (r->first != NULL) {
		keep(r, row);
		return;
	}
	rc = store(r, row);
	if (rc == 0) {
		free(row->data);
	} else if (rc == -ENOSPC) {
		log_warn("store",
			 "%s; derived events wait, and are stored when there is room",
			 err_text());
		keep(r, row);
	} else {
		free(row->data);
		give_up(r, err_text());
	}
}

void derived_rows_step(struct derived_rows *r)
{
	bool did_wait = r->first != NULL;

	while (r->first != NULL) {
		struct waiting *w = r->first;
		int rc = store(r, &w->row);

		if (rc == -ENOSPC)
			return;
		if (rc != 0) {
			give_up(r, err_text());
			return;
		}
		r->first = w->next;
		r->bytes -= w->row.len;
		if (r->first == NULL)
			r->last = &r->first;
		free(w->row.data);
		free(w);
	}
	if (did_wait)
		log_info("store", "there is room again: all derived events are stored");
}

bool derived_rows_behind(const struct derived_rows *r)
{
	return r->has_given_up || r->first != NULL;
}
