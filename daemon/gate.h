/*
 * gate - which events are held back at this moment (proto/freeze.h).
 *
 * A symbol's gate follows its status events, in the order in which they are published:
 * killed or quarantined closes it, released opens it.  That of its news follows the log
 * (workers/newshold.h): the dispatcher moves it before it hands out what comes behind.
 * The gates of kinds are closed
 * and opened by whoever freezes a tier or everything.  What is held is stored as ever;
 * when a gate opens the next heartbeat says how far its streams have come, and
 * subscribers fetch what they lack, as after any other hole.  Where a stream lacks
 * something is told when it is withheld: by pages (serve_catchup_held.c) and by
 * heartbeats (publisher_hold.c).
 *
 * The loop writes, but for the gates of news; the store thread reads, for catch-up.
 */
#pragma once
#include "base/role.h"
#include "proto/event.h"

struct gate;

/** 0 or -ENOMEM. */
int gate_new(uint32_t symbols_max, struct gate **out);
void gate_free(struct gate *g);

/** Hold bars and features of a symbol from @pos on; 0: hold them no longer. */
ON_LOOP void gate_symbol(struct gate *g, uint32_t symbol_id, uint64_t pos);
/** Hold a symbol's news from @pos on; 0: hold them no longer. */
ON_STORE void gate_news(struct gate *g, uint32_t symbol_id, uint64_t pos);
/** Hold all events of a kind from @pos on; 0: hold them no longer. */
ON_LOOP void gate_kind(struct gate *g, enum event_kind kind, uint64_t pos);
/** Is an event of @kind at @pos held?  @symbol_id is not looked at for matrices. */
ANY_THREAD bool gate_holds(const struct gate *g, enum event_kind kind,
			   uint32_t symbol_id, uint64_t pos);
