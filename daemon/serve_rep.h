/*
 * serve_rep - an nng REP socket with many requests open at once.
 *
 * Each context receives on an nng thread, hands the message to @take (which only
 * posts it somewhere and returns) and waits until rep_reply() was called, from
 * any thread, exactly once.  A request that cannot be taken is answered by
 * rep_reply() as well.  Bounded: contexts, bytes per message, peers.
 */
#pragma once
#include "base/role.h"
#include <stddef.h>
#include <stdint.h>

struct rep;
struct rep_call;

/** FOREIGN: post @call and return.  Its request is rep_request() until the reply. */
typedef void (*rep_take_fn)(void *arg, struct rep_call *call);

ON_LOOP int rep_open(const char *url, unsigned contexts, size_t bytes_max,
		     unsigned peers_max, rep_take_fn take, void *arg, struct rep **out);
/** No request is handed out after this; replies to open calls are dropped. */
ON_LOOP void rep_close(struct rep *r);
/** Stop taking new requests; open ones can still be answered. */
ON_LOOP void rep_quiesce(struct rep *r);
/** After it no callback runs and no reply leaves; then whom @take posts to may go. */
ON_LOOP void rep_halt(struct rep *r);
ON_LOOP void rep_guard(struct rep *r);
ANY_THREAD unsigned rep_open_calls(const struct rep *r);

ANY_THREAD const void *rep_request(const struct rep_call *call, size_t *out_len);
/** Which of the socket's contexts this is, < the number given to rep_open(). */
ANY_THREAD unsigned rep_index(const struct rep_call *call);
/** Answer with a copy of @data; the call is gone afterwards. */
ANY_THREAD void rep_reply(struct rep_call *call, const void *data, size_t len);
