/*
 * daemon_sockets - opens and closes everything that faces outwards (daemon_parts.h).
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/admin_commands.h"
#include "daemon/daemon_parts.h"
#include "daemon/http_routes.h"
#include "daemon/serve_catchup.h"
#include "daemon/thread_room.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CATCHUP_CONTEXTS 32u
#define NNG_THREADS      24u /* at most: tasks, resolvers, poller, timer, reaper */
#define OUR_THREADS      9u  /* besides the workers */

/* One batch of derived frames on its way to the store thread. */
struct batch {
	struct derived_rows *rows;
	struct derived_row row;
};

static void store_batch(struct store_thread *st, void *arg)
{
	struct batch *b = arg;

	(void)st;
	role_assert_store();
	derived_rows_put(b->rows, &b->row);
	free(b);
}

static int post_batch(void *arg, enum event_kind kind, uint64_t first_pos,
		      uint64_t last_pos, uint32_t n_events, void *data, size_t len)
{
	struct daemon *d = arg;
	struct batch *b = malloc(sizeof(*b));
	int rc;

	if (b == NULL)
		return -ENOMEM;
	*b = (struct batch){.rows = d->derived_rows,
			    .row = {.kind = kind,
				    .first_pos = first_pos,
				    .last_pos = last_pos,
				    .n_events = n_events,
				    .len = (uint32_t)len,
				    .data = data}};
	rc = store_post(d->store, store_batch, b);
	if (rc != 0)
		free(b);
	return rc;
}

ON_LOOP static int open_derived(struct daemon *d)
{
	uint64_t skip[EVENT_KINDS] = {0};

	role_assert_store(); /* its thread has not begun */
	for (int k = EVENT_BAR; k <= EVENT_STATUS; k++)
		skip[k] = tickstore_derived_last_pos(store_log(d->store), (unsigned)k);
	return derived_new(d->epoch, skip, post_batch, d, &d->derived);
}

/* Before anything is published: what is held, and the gates that hold it. */
ON_LOOP static int open_freezes(struct daemon *d)
{
	bool opened[EVENT_KINDS];
	int rc = gate_new(d->config.limits.symbols_max, &d->gate);

	role_assert_store(); /* its thread has not begun */
	if (rc < 0)
		return rc;
	d->freezes = calloc(1, sizeof(*d->freezes));
	if (d->freezes == NULL)
		return err_set(-ENOMEM, "out of memory for the kill switch");
	rc = freezes_load(d->freezes, store_log(d->store));
	if (rc < 0)
		return rc;
	freezes_gates(d->freezes, d->gate, opened);
	if (d->freezes->n > 0)
		log_warn("kill", "%u kills are armed: see tickbusctl kill --list",
			 d->freezes->n);
	return 0;
}

ON_LOOP static int open_pub(const char *url, unsigned subscribers_max, struct pub **out)
{
	return url[0] == '\0' ? 0 : pub_open(url, subscribers_max, out);
}

ON_LOOP static int open_pubs(struct daemon *d)
{
	const struct config_listen *l = &d->config.listen;
	const struct {
		enum event_kind kind;
		const char *sbe;
		const char *json;
	} all[] = {{EVENT_TICK, l->tick, l->json_tick},
		   {EVENT_BAR, l->bar, l->json_bar},
		   {EVENT_TIER1, l->tier1, l->json_tier1},
		   {EVENT_TIER2, l->tier2, l->json_tier2},
		   {EVENT_NEWS, "", ""}, /* on the sockets of status */
		   {EVENT_STATUS, l->status, l->json_status}};
	size_t matrix = 5 * tier2_bytes_max(&d->config.derive);
	int rc = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && rc == 0; i++) {
		enum event_kind k = all[i].kind;
		size_t bytes = d->config.limits.broadcast_bytes;

		if (k == EVENT_TIER2 && matrix > bytes)
			bytes = matrix;
		rc = broadcast_new(bytes, (uint32_t)k, &d->broadcasts[k]);
		if (rc == 0)
			rc = open_pub(all[i].sbe, d->config.limits.subscribers_max,
				      &d->sbe[k]);
		if (rc == 0 && d->config.publisher.json)
			rc = open_pub(all[i].json, d->config.limits.subscribers_max,
				      &d->json[k]);
	}
	return rc;
}

ON_LOOP static int open_publisher(struct daemon *d)
{
	struct publisher_env env = {.symbols = d->symbols,
				    .sources = d->sources,
				    .symbols_max = d->config.limits.symbols_max,
				    .epoch = d->epoch,
				    .batch_ns = d->config.publisher.batch_ns,
				    .derived = d->derived,
				    .gate = d->gate,
				    .trace = d->trace};
	int rc;

	memcpy(env.rings, d->broadcasts, sizeof(env.rings));
	memcpy(env.sbe, d->sbe, sizeof(env.sbe));
	memcpy(env.json, d->json, sizeof(env.json));
	env.sbe[EVENT_NEWS] = d->sbe[EVENT_STATUS];
	env.json[EVENT_NEWS] = d->json[EVENT_STATUS];
	rc = publisher_new(&env, &d->publisher);
	if (rc < 0)
		return rc;
	publisher_add_input(d->publisher, d->tick_outbox, INPUT_TICKS);
	for (uint32_t w = 0; w < d->n_workers; w++)
		publisher_add_input(d->publisher, d->outboxes[w], INPUT_WORKER);
	publisher_add_input(d->publisher, d->tier2_outbox, INPUT_TIER2);
	return 0;
}

ON_LOOP static int open_local(struct daemon *d)
{
	const struct config_listen *l = &d->config.listen;
	int fds[RING_FDS] = {broadcast_fd(d->broadcasts[EVENT_TICK]),
			     broadcast_fd(d->broadcasts[EVENT_BAR]),
			     broadcast_fd(d->broadcasts[EVENT_TIER1]),
			     broadcast_fd(d->broadcasts[EVENT_TIER2]),
			     broadcast_fd(d->broadcasts[EVENT_STATUS]),
			     broadcast_fd(d->broadcasts[EVENT_NEWS])};
	int rc = 0;

	if (l->admin[0] != '\0')
		rc = admin_open(&d->loop, l->admin, d->config.limits.admin_max,
				daemon_admin, d, &d->admin);
	if (rc == 0 && l->ring[0] != '\0')
		rc = ring_server_open(&d->loop, l->ring, fds, &d->ring_server);
	if (rc == 0 && l->http[0] != '\0')
		rc = page_live_new(d, &d->page_live);
	if (rc == 0 && l->http[0] != '\0') {
		publisher_set_board(d->publisher, page_live_board(d->page_live));
		rc = http_open(&d->loop, l->http, d->config.limits.http_max,
			       daemon_http, d, &d->http);
	}
	return rc;
}

int daemon_open_sockets(struct daemon *d)
{
	int rc = thread_room_check(NNG_THREADS + OUR_THREADS + d->n_workers);

	if (rc == 0)
		rc = open_freezes(d);
	if (rc == 0)
		rc = open_derived(d);
	if (rc == 0)
		rc = open_pubs(d);
	if (rc == 0)
		rc = open_publisher(d);
	return rc == 0 ? open_local(d) : rc;
}

ON_LOOP static int open_sim(struct daemon *d)
{
	int rc;

	if (!d->config.simulator.enabled)
		return 0;
	rc = sim_thread_new(&d->config, d->store, d->sim_last_seq, &d->sim);
	return rc < 0 ? rc : sim_thread_start(d->sim);
}

int daemon_open_ingest(struct daemon *d)
{
	const struct config *c = &d->config;
	int rc = 0;

	if (c->listen.ingest[0] != '\0')
		rc = ingest_server_open(c->listen.ingest, c->limits.message_bytes_max,
					c->limits.subscribers_max, d->store,
					&d->ingest);
	if (rc == 0 && c->listen.catchup[0] != '\0')
		rc = rep_open(c->listen.catchup, CATCHUP_CONTEXTS, 1u << 20,
			      c->limits.subscribers_max, catchup_take, d, &d->catchup);
	return rc < 0 ? rc : open_sim(d);
}

void daemon_close_sockets(struct daemon *d)
{
	/* With nng 1.5.2 a close may hang (#1543): then nothing is left to lose. */
	ingest_server_close(d->ingest);
	rep_close(d->catchup);
	for (int k = 0; k < PUBLISHED_KINDS; k++) {
		pub_close(d->sbe[k]);
		pub_close(d->json[k]);
	}
	admin_close(d->admin);
	http_close(d->http);
	if (d->publisher != NULL)
		publisher_set_board(d->publisher, NULL);
	page_live_close(d->page_live);
	ring_server_close(d->ring_server);
}
