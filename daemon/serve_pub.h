/*
 * serve_pub - one nng PUB socket, and the guard that keeps its listener alive.
 *
 * pub_send() never blocks and never waits for a subscriber: a subscriber that
 * is more than PUB_QUEUE messages behind loses its oldest ones and sees the hole
 * by sequence.  Debian's nng 1.5.2 can have a listener killed by one rude peer
 * (it keeps accepting and never matches again), so pub_guard() greets the own
 * endpoint every 1.5 s over a bare connection and wants to see the pipe arrive on
 * the server side; after two misses, 3.75 s at most, it makes a new listener.
 */
#pragma once
#include "base/role.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUB_QUEUE 8192 /* messages per subscriber; nng's own maximum */

struct pub;

/** Listen at @url ("tcp://127.0.0.1:7401", "ipc:///run/..."). */
ON_LOOP int pub_open(const char *url, unsigned subscribers_max, struct pub **out);
ON_LOOP void pub_close(struct pub *p);
/** Send @topic + @data as one message. */
ON_LOOP void pub_send(struct pub *p, const char *topic, size_t topic_len,
		      const void *data, size_t len);
/** Connected subscribers, the guard's own probe not counted. */
ANY_THREAD unsigned pub_subscribers(const struct pub *p);
ON_LOOP const char *pub_url(const struct pub *p);
/** The other end of the guard's own connection, host order; 0: there is none. */
ON_LOOP uint16_t pub_probe_port(const struct pub *p);
/** Every 250 ms: see above; a probe every 1.5 s. */
ON_LOOP void pub_guard(struct pub *p);

/*
 * The guard by itself, for any listening nng socket.  The owner creates it after
 * the listener stands and calls guard_step() every 250 ms from the loop.
 */
struct guard;
/** @socket_id: nng_socket.id; @peer_req: dial with REQ (for REP), else SUB. */
ON_LOOP int guard_new(uint32_t socket_id, const char *url, bool peer_req,
		      unsigned pipes_max, struct guard **out);
ON_LOOP void guard_free(struct guard *g);
/** Check, probe, repair.  Counts tickbusd_listener_restarts_total. */
ON_LOOP void guard_step(struct guard *g);
/** Local TCP port of the probe under way; 0: none, or not TCP. */
ON_LOOP uint16_t guard_probe_port(const struct guard *g);
/** Pipes that are not the guard's own. */
ANY_THREAD unsigned guard_pipes(const struct guard *g);
