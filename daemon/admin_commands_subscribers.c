/* admin_commands_subscribers - who is subscribed, and how far he is behind. */
#include "bus/stats.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/tcp_peers.h"
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 4096u /* of sockets on this machine: a few ms of the loop's time */

struct listing {
	struct daemon *d;
	struct jsonw *w;
};

/* The port at the end of "tcp://127.0.0.1:7401"; 0: no TCP. */
static unsigned long port_of(const char *url)
{
	return strncmp(url, "tcp://", 6) == 0 ? strtoul(strrchr(url, ':') + 1, NULL, 10)
					      : 0;
}

static void put_subscriber(struct jsonw *w, unsigned kind, const char *format,
			   const struct tcp_peer *peer)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "kind", event_kind_word(kind));
	jsonw_str(w, "format", format);
	jsonw_str(w, "address", peer->address);
	jsonw_u64(w, "waiting_bytes", peer->waiting_b);
	jsonw_end(w);
}

ON_LOOP static void look_at(struct jsonw *w, const struct pub *pub, unsigned kind,
			    const char *format, const struct tcp_peer *peer)
{
	const char *colon = strrchr(peer->address, ':');

	if (pub != NULL && port_of(pub_url(pub)) == peer->port &&
	    strtoul(colon + 1, NULL, 10) != pub_probe_port(pub))
		put_subscriber(w, kind, format, peer);
}

static void on_peer(void *arg, const struct tcp_peer *peer)
{
	struct listing *l = arg;

	role_assert_loop();
	for (unsigned k = 0; k < PUBLISHED_KINDS; k++) {
		look_at(l->w, l->d->sbe[k], k, "sbe", peer);
		look_at(l->w, l->d->json[k], k, "json", peer);
	}
}

void admin_subscribers(struct daemon *d, const struct json *request,
		       struct admin_call *call)
{
	struct listing l = {d, admin_result(call)};
	int rc;

	(void)request;
	jsonw_array(l.w, "subscribers");
	rc = tcp_peers_each(LINES_MAX, on_peer, &l);
	jsonw_end(l.w);
	if (rc < 0) {
		admin_fail(call, "failed", err_text());
		return;
	}
	jsonw_bool(l.w, "is_all",
		   rc == 0); /* false: the machine has too many sockets */
	/* What follows is the same for all: it is the publisher's side of it. */
	jsonw_u64(l.w, "messages_kept", PUB_QUEUE);
	jsonw_u64(l.w, "rings_handed_out", stats_get(STAT_RING_CLIENTS));
	admin_done(call);
}
