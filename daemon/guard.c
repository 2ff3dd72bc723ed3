/*
 * guard - keeps an nng 1.5.2 listener alive (serve_pub.h says why).
 *
 * The probe is a bare connection that speaks the 8-byte greeting of SP as a SUB
 * or REQ would.  That the transport answers proves nothing: it still does when
 * the listener above is dead.  So the guard counts pipes added on the server side
 * (ADD_POST runs on an nng thread and only adds 1) and asks that the count has
 * risen since the probe was sent.  A stranger who connected in between proves the
 * same thing: the listener still matches.
 *
 * Not an nng socket, because nng_close() of 1.5.2 can hang for ever (#1543, seen
 * here under load), and not closed before its greeting was answered, because that
 * is the very thing that kills the listener (#1518).
 *
 * A probe that was taken and closed must leave, too: nng has one thread that takes
 * leave of connections (REM_POST comes from it), and a connection that is cut while an
 * answer is on its way can make it wait for ever (#1636).  From then on every closed
 * connection keeps its descriptor, on every socket, and no rebuilding helps.  So when
 * several probes in a row have not left, the process ends, as it does when a thread of
 * ours hangs: what was acknowledged is in the log, and the next start goes on.
 */
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/serve_pub.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <nng/nng.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * In steps of 250 ms.  A listener that dies right after a probe is found by the
 * next one, judged, probed at once again, judged and opened anew after 3.75 s.
 */
#define GUARD_PERIOD 6 /* between probes */
#define GUARD_WAIT   4 /* until a probe that was not noticed is a miss */
#define GUARD_MISSES 2 /* in a row, and the listener is dead */
#define GUARD_STUCK  8 /* probes in a row that did not leave: 12 s or more */

struct guard {
	nng_socket socket; /* guarded, not owned */
	nng_listener listener;
	int probe; /* the probe's connection; -1: none */
	bool peer_req;
	bool greeted; /* the probe has said its eight bytes */
	unsigned misses;
	unsigned phase; /* steps since the last probe */
	unsigned pipes_max;
	uint64_t added_before; /* what `added` was when the probe was dialled */
	uint64_t left_before;  /* what `left` was when the last probe was closed */
	bool is_leaving;       /* ... which had arrived */
	unsigned stuck;        /* probes in a row that had not left at the next one */
	_Atomic uint64_t added;
	_Atomic uint64_t left;
	_Atomic unsigned pipes;
	char url[256];
};

/*
 * On an nng thread, under its locks: count, or refuse.  Nothing else.  REM_POST
 * comes for every pipe that had ADD_PRE, ADD_POST only for those that the protocol
 * took: so what is open is counted from ADD_PRE on, or a stranger of the wrong
 * protocol would be subtracted without having been added.
 */
FOREIGN static void on_pipe(nng_pipe pipe, nng_pipe_ev ev, void *arg)
{
	struct guard *g = arg;

	if (ev == NNG_PIPE_EV_ADD_PRE) {
		/* One more than the limit is the guard's own probe. */
		if (atomic_fetch_add(&g->pipes, 1) > g->pipes_max) {
			stats_add(STAT_CONNECTIONS_REFUSED, 1);
			nng_pipe_close(pipe);
		}
	} else if (ev == NNG_PIPE_EV_ADD_POST) {
		atomic_fetch_add(&g->added, 1);
		stats_add(STAT_CONNECTIONS, 1);
	} else {
		atomic_fetch_sub(&g->pipes, 1);
		atomic_fetch_add(&g->left, 1);
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
	g->probe = -1;
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
	if (g->probe >= 0)
		close(g->probe);
	free(g);
}

unsigned guard_pipes(const struct guard *g)
{
	unsigned n = atomic_load_explicit(&g->pipes, memory_order_relaxed);

	return n > 0 && g->probe >= 0 ? n - 1 : n;
}

uint16_t guard_probe_port(const struct guard *g)
{
	struct sockaddr_in at = {0};
	socklen_t len = sizeof(at);

	if (g->probe < 0 || getsockname(g->probe, (struct sockaddr *)&at, &len) < 0 ||
	    at.sin_family != AF_INET)
		return 0;
	return ntohs(at.sin_port);
}

/* The address behind "tcp://127.0.0.1:7401" or "ipc:///path"; 0: cannot be probed. */
static socklen_t address_of(const char *url, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_un *un = (struct sockaddr_un *)out;
	const char *host = url + 6, *colon = strrchr(url, ':');
	char text[64];

	memset(out, 0, sizeof(*out));
	if (strncmp(url, "ipc://", 6) == 0 && strlen(host) < sizeof(un->sun_path)) {
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, host, strlen(host) + 1);
		return sizeof(*un);
	}
	if (strncmp(url, "tcp://", 6) != 0 || colon <= host ||
	    (size_t)(colon - host) >= sizeof(text))
		return 0;
	memcpy(text, host, (size_t)(colon - host));
	text[colon - host] = '\0';
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (strcmp(text, "0.0.0.0") == 0 || strcmp(text, "*") == 0)
		memcpy(text, "127.0.0.1", sizeof("127.0.0.1"));
	return inet_pton(AF_INET, text, &v4->sin_addr) == 1 ? sizeof(*v4) : 0;
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

static void miss(struct guard *g)
{
	stats_add(STAT_GUARD_MISSES, 1);
	if (++g->misses >= GUARD_MISSES)
		rebuild(g);
}

static void greet(struct guard *g)
{
	const uint8_t greeting[8] = {0, 'S', 'P', 0, 0, g->peer_req ? 0x30 : 0x21,
				     0, 0};

	if (!g->greeted)
		g->greeted = send(g->probe, greeting, sizeof(greeting), MSG_NOSIGNAL) ==
			     sizeof(greeting);
}

/* Has the probe before left, or anybody since? */
static void look_after(struct guard *g)
{
	if (!g->is_leaving)
		return;
	g->is_leaving = false;
	g->stuck = atomic_load(&g->left) > g->left_before ? 0 : g->stuck + 1;
	if (g->stuck < GUARD_STUCK)
		return;
	log_err("guard",
		"listener %s: nng has not taken leave of the last %u connections that "
		"were closed; ending, the next start goes on from the log",
		g->url, g->stuck);
	abort();
}

/*
 * Nothing here waits: when a flood has filled the listener's queue, a connection
 * to the loopback takes its time like any other.
 */
static void probe_start(struct guard *g)
{
	struct sockaddr_storage sa;
	socklen_t len = address_of(g->url, &sa);
	int fd;

	g->phase = 0;
	if (len == 0)
		return;
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return; /* no descriptors: that says nothing about the listener */
	g->added_before = atomic_load(&g->added);
	if (connect(fd, (const struct sockaddr *)&sa, len) < 0 &&
	    errno != EINPROGRESS) {
		close(fd);
		miss(g); /* nobody listens: the last rebuild failed */
		return;
	}
	g->probe = fd;
	g->greeted = false;
	greet(g);
}

/* The probe of an earlier step: did its pipe arrive? */
static void judge(struct guard *g)
{
	bool arrived = atomic_load(&g->added) > g->added_before;

	greet(g);
	if (!arrived && g->phase < GUARD_WAIT)
		return; /* busy, perhaps */
	g->left_before = atomic_load(&g->left);
	g->is_leaving = arrived;
	close(g->probe);
	g->probe = -1;
	if (arrived)
		g->misses = 0;
	else
		miss(g);
}

void guard_step(struct guard *g)
{
	g->phase++;
	if (g->probe >= 0)
		judge(g); /* it lives as short as it can: a SUB is sent everything */
	if (g->probe >= 0 || (g->misses == 0 && g->phase < GUARD_PERIOD))
		return;
	/* Full house: a refused probe would look like a dead listener. */
	look_after(g);
	if (atomic_load(&g->pipes) < g->pipes_max)
		probe_start(g);
}
