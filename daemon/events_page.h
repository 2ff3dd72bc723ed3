/*
 * events_page - a page of catch-up for who asks by HTTP or on the admin socket:
 *
 *	loop: marks -> store thread: the page -> loop: answer
 *
 * What the archive alone holds is not in it; port 7406 has that.
 *
 * As that port, these doors open when the log has been read again: before, a kill that
 * lies behind the restored state is not known, and the store's rows have what it holds.
 */
#pragma once
#include "base/role.h"
#include <stddef.h>

struct daemon;

typedef void (*events_page_fn)(void *arg, const void *page, size_t len);

/** May stored events be shown?  0, or -EBUSY before (and after) the daemon is ready. */
ON_LOOP int events_page_may(const struct daemon *d);
/** Answer the catch-up request @req of JSON by @fn, later.  -ENOMEM, -EBUSY. */
ON_LOOP int events_page_ask(struct daemon *d, const void *req, size_t len,
			    events_page_fn fn, void *arg);
