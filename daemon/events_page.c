/* events_page - see events_page.h. */
#include "daemon/events_page.h"
#include "base/err.h"
#include "daemon/daemon.h"
#include "daemon/serve_catchup.h"
#include <errno.h>
#include <stdlib.h>

struct events_page {
	struct daemon *d;
	struct buf request;
	struct buf page;
	uint64_t complete[EVENT_KINDS];
	events_page_fn fn;
	void *arg;
};

static void look(struct store_thread *st, void *arg)
{
	struct events_page *e = arg;

	role_assert_store();
	(void)catchup_page(st, e->d, e->complete, e->request.data, e->request.len,
			   &e->page);
}

static void drop(struct events_page *e)
{
	buf_free(&e->request);
	buf_free(&e->page);
	free(e);
}

static void answer(struct daemon *d, void *arg)
{
	struct events_page *e = arg;

	(void)d;
	role_assert_loop();
	e->fn(e->arg, e->page.data, e->page.len);
	drop(e);
}

int events_page_may(const struct daemon *d)
{
	if (d->state == DAEMON_READY)
		return 0;
	return err_set(-EBUSY, "the daemon is %s; ask again when it is ready",
		       daemon_state_name(d->state));
}

int events_page_ask(struct daemon *d, const void *req, size_t len, events_page_fn fn,
		    void *arg)
{
	struct events_page *e;

	if (events_page_may(d) < 0)
		return -EBUSY;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return err_set(-ENOMEM, "out of memory; ask again");
	*e = (struct events_page){.d = d, .fn = fn, .arg = arg};
	buf_add(&e->request, req, len);
	catchup_complete(d, e->complete);
	if (daemon_ask(d, look, answer, e) == 0)
		return 0;
	drop(e);
	return err_set(-EBUSY, "the store is busy; ask again");
}
