/* crew - report_run(): rows are taken by whoever is free, each by one thread. */
#include "report/compute.h"
#include <pthread.h>
#include <stdatomic.h>

struct crew {
	struct report *report;
	const struct report_loader *loader;
	atomic_size_t next;  /* row that nobody has taken */
	atomic_uint workers; /* numbers that were given out */
	atomic_int rc;       /* of the loader; not 0: everybody stops */
};

static int make_row(struct crew *c, unsigned worker, struct report_symbol *s)
{
	const struct report *r = c->report;
	int rc;

	if (c->loader->begin != NULL)
		c->loader->begin(c->loader->arg, r, s);
	rc = c->loader->load(c->loader->arg, worker, r, s);
	if (rc != 0)
		return rc;
	if (r->parts & REPORT_PRICING && report_failed(s, REPORT_PRICING) == NULL)
		report_price(r, s);
	if (r->parts & REPORT_TECHNICAL)
		report_technical(r, s);
	if (r->parts & REPORT_NEWS && report_failed(s, REPORT_NEWS) == NULL)
		report_news(r, s, r->scorers[worker]);
	report_row_json(r, s);
	if (c->loader->made != NULL)
		c->loader->made(c->loader->arg, r, s);
	return 0;
}

static void *work(void *arg)
{
	struct crew *c = arg;
	unsigned worker = atomic_fetch_add(&c->workers, 1);
	size_t i;

	while (atomic_load(&c->rc) == 0 &&
	       (i = atomic_fetch_add(&c->next, 1)) < c->report->n) {
		int rc = make_row(c, worker, &c->report->rows[i]);

		if (rc != 0)
			atomic_store(&c->rc, rc);
	}
	return NULL;
}

int report_run(struct report *r, const struct report_loader *loader, unsigned workers)
{
	pthread_t thread[REPORT_WORKERS_MAX];
	struct crew crew = {.report = r, .loader = loader};
	unsigned n = 0;

	r->parts = report_flow_parts(r->flow);
	/* This thread is one of the crew; a thread that does not start is not missed.
	 */
	while (n + 1 < workers && n + 1 < r->n &&
	       pthread_create(&thread[n], NULL, work, &crew) == 0)
		n++;
	(void)work(&crew);
	while (n > 0)
		(void)pthread_join(thread[--n], NULL);
	return atomic_load(&crew.rc);
}
