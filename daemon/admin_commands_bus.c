/*
 * admin_commands_bus - what the bus knows of one symbol: its counts and its newest
 * ticks, read from the symbol's buffer while its worker goes on.
 */
#include "daemon/admin_commands_parts.h"
#include "proto/event_json.h"
#include <stdlib.h>
#include <string.h>

#define RECENT_MAX 128u /* ticks of one answer */

static void put_counts(const struct daemon *d, struct jsonw *w, uint32_t id)
{
	struct bus_symbol_counts c;

	bus_symbol_counts(d->bus, id, &c);
	jsonw_object(w, "bus");
	jsonw_u64(w, "published", c.published);
	jsonw_u64(w, "dispatched", c.dispatched);
	jsonw_u64(w, "refused", c.refused); /* for now; the log holds them */
	jsonw_u64(w, "dropped", c.dropped);
	jsonw_u64(w, "conflated", c.conflated);
	jsonw_u64(w, "lapped", c.lapped);
	jsonw_u64(w, "depth", c.depth);
	jsonw_u64(w, "depth_high_water", c.depth_high_water);
	jsonw_end(w);
}

static void put_tick(const struct daemon *d, struct jsonw *w,
		     const struct symbuf_event *e)
{
	struct event_json_ctx ctx = {.epoch = d->epoch};
	char line[EVENT_JSON_MAX];
	struct event_tick tick;
	struct item it;
	const char *source;

	memcpy(&it, e->data, sizeof(it));
	source = symtab_name(d->sources, it.rec.source_id);
	ctx.source = source[0] != '\0' ? source : NULL;
	dispatch_tick(d->symbols, &it, &tick);
	jsonw_raw(w, NULL, line, event_json_tick(line, &tick, &ctx));
}

ON_LOOP void admin_symbol(struct daemon *d, const struct json *request, uint32_t id,
			  struct admin_call *call)
{
	struct jsonw *w = admin_result(call);
	struct symbuf_event *recent;
	uint64_t n;
	size_t found;

	if (!admin_number(request, "n", 10, call, &n))
		return;
	if (n > RECENT_MAX)
		n = RECENT_MAX;
	recent = calloc(RECENT_MAX, sizeof(*recent));
	if (recent == NULL) {
		admin_fail(call, "busy", "out of memory; ask again");
		return;
	}
	found = bus_symbol_recent(d->bus, id, n, recent);
	put_counts(d, w, id);
	jsonw_array(w, "ticks");
	for (size_t i = 0; i < found; i++)
		put_tick(d, w, &recent[i]);
	jsonw_end(w);
	free(recent);
	admin_done(call);
}
