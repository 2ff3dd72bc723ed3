/*
 * guard - keeps an nng 1.5.2 listener alive (serve_pub.h says why).
 *
 * The probe is a socket of its own that dials the guarded endpoint once.  Its
 * pipe is told from a stranger's by the peer address: the server sees the
 * probe's local port.  That is cumbersome; instead the guard counts pipes added
 * on the server side (ADD_POST runs on an nng thread and only adds 1) and asks
 * that the count has risen since the probe was dialled.  A stranger who connects
 * in the same two seconds proves the same thing: the listener still matches.
 */
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/serve_pub.h"
#include <errno.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GUARD_PERIOD 8 /* steps of 250 ms between probes */

struct guard {
	nng_socket socket; /* guarded, not owned */
	nng_listener listener;
	nng_socket probe;
	bool probing;
	bool peer_req;
	unsigned misses;
	unsigned phase; /* steps since the last probe */
	unsigned pipes_max;
	uint64_t added_before; /* what `added` was when the probe was dialled */
	_Atomic uint64_t added;
	_Atomic unsigned pipes;
	char url[256];
};

/* On an nng thread, under its locks: count, or refuse.  Nothing else. */
FOREIGN static void on_pipe(nng_pipe pipe, nng_pipe_ev ev, void *arg)
{
	struct guard *g = arg;

	if (ev == NNG_PIPE_EV_ADD_PRE) {
		if (atomic_load_explicit(&g->pipes, memory_order_relaxed) >=
		    g->pipes_max + 1) {
			stats_add(STAT_CONNECTIONS_REFUSED, 1);
			nng_pipe_close(pipe);
		}
	} else if (ev == NNG_PIPE_EV_ADD_POST) {
		atomic_fetch_add(&g->pipes, 1);
		atomic_fetch_add(&g->added, 1);
		stats_add(STAT_CONNECTIONS, 1);
	} else {
		atomic_fetch_sub(&g->pipes, 1);
	}
}

static int listen_at(struct guard *g)
{
	int rv = nng_listen(g->socket, g->url, &g->listener, 0);

	if (rv == 0)
		return 0;
	return err_set(rv == NNG_EADDRINUSE   ? -EADDRINUSE
		       : rv == NNG_EADDRINVAL ? -EINVAL
					      : -EIO,
		       "cannot listen at %s: %s", g->url, nng_strerror(rv));
}

int guard_new(uint32_t socket_id, const char *url, bool peer_req, unsigned pipes_max,
	      struct guard **out)
{
	struct guard *g;
	int rc;

	if (strlen(url) >= sizeof(g->url))
		return err_set(-EINVAL, "endpoint %s is too long", url);
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return err_set(-ENOMEM, "out of memory for a listener");
	g->socket.id = socket_id;
	g->peer_req = peer_req;
	g->pipes_max = pipes_max;
	memcpy(g->url, url, strlen(url) + 1);
	for (int ev = NNG_PIPE_EV_ADD_PRE; ev <= NNG_PIPE_EV_REM_POST; ev++)
		(void)nng_pipe_notify(g->socket, (nng_pipe_ev)ev, on_pipe, g);
	rc = listen_at(g);
	if (rc < 0) {
		free(g);
		return rc;
	}
	*out = g;
	return 0;
}

void guard_free(struct guard *g)
{
	if (g == NULL)
		return;
	if (g->probing)
		(void)nng_close(g->probe);
	free(g);
}

unsigned guard_pipes(const struct guard *g)
{
	unsigned n = atomic_load_explicit(&g->pipes, memory_order_relaxed);

	return n > 0 && g->probing ? n - 1 : n;
}

static void probe_start(struct guard *g)
{
	int rv = g->peer_req ? nng_req0_open(&g->probe) : nng_sub0_open(&g->probe);

	if (rv != 0)
		return; /* no memory or descriptors: say nothing about the listener */
	g->added_before = atomic_load(&g->added);
	rv = nng_dial(g->probe, g->url, NULL, NNG_FLAG_NONBLOCK);
	if (rv != 0) {
		(void)nng_close(g->probe);
		return;
	}
	g->probing = true;
}

static void rebuild(struct guard *g)
{
	log_warn("guard", "listener %s stopped matching connections; rebuilding it",
		 g->url);
	stats_add(STAT_LISTENER_RESTARTS, 1);
	(void)nng_listener_close(g->listener);
	if (listen_at(g) < 0)
		log_err("guard", "%s; trying again in 2 s", err_text());
	g->misses = 0;
}

void guard_step(struct guard *g)
{
	if (g->probing) {
		bool seen = atomic_load(&g->added) > g->added_before;

		(void)nng_close(g->probe);
		g->probing = false;
		g->misses = seen ? 0 : g->misses + 1;
		if (g->misses >= 2)
			rebuild(g);
	}
	/* The probe lives for one step only: a SUB is sent everything. */
	if (++g->phase >= GUARD_PERIOD) {
		g->phase = 0;
		probe_start(g);
	}
}
