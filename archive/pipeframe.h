/*
 * pipeframe - the messages between the daemon and tickbus-archive, over a pipe.
 *
 *	u32 length of the document   u32 length of the bulk   document   bulk
 *
 * Little-endian.  The document is one JSON object in at most 256 KiB, the bulk rows of
 * fixed width as they lie in memory (struct hist_bar, struct event_bar) or frames, at
 * most 64 MiB. A request is answered by one frame before the next is read.
 *
 *	{"do": "put_bars", "source": "alpaca", "feed": "sip", "symbol": "AAPL",
 *	 "adjust": "raw", "step_s": 60}          bulk: struct hist_bar
 *	{"do": "put_events"}                     bulk: struct event_bar
 *	{"do": "put_frames", "sources": {"1": "sim"}}   bulk: what was published, each
 *	                       frame (proto/frame.h) behind its length as a u32; sources
 *	                       names the source ids of ticks, and may be left out
 *	{"do": "live_frames", "first": true, "last": true}  the same bulk; what is not
 *	                       closed yet.  From first to last it is one whole, which
 *	                       then replaces the one before; put_bars with "live": true
 *	                       may stand in between, or carry first and last as well
 *	{"do": "put_index", "name": "sp500",
 *	 "members": {"AAPL": "2016-01-04T00:00:00Z"}}
 *	{"do": "put_actions", ...}  {"do": "put_metadata", ...}  archive/serve_meta.h
 *	{"do": "export", "symbols": "A,B", ...}  keys of enquiry_set(),
 *	{"do": "bars", "symbols": "A", ...}      all of them texts
 *	{"do": "query", "sql": "SELECT ...", "format": "csv", "out": "/path"}
 *	{"do": "status"}  {"do": "verify"}  {"do": "compact"}
 *	{"do": "retain", "kind": "ticks", "before": "2024-01-01"}
 *	{"do": "retain", "kind": "events", "before": "2024-01-01", "until_pos": 900}
 *	                                         answered by "cut": some that is old
 *	                                         stays, for that position or the end
 *	{"do": "put_past", "log": "7", "epoch": 1, "from_pos": 1, "to_pos": 900}
 *	                                         bulk: u32 length, frame, ...
 *	{"do": "read_past", "kind": "bar", "from_pos": 1, "max_bytes": 1048576,
 *	 "names": ["AAPL"]}                      answered by "to_pos" and such a bulk,
 *	                                         and "first_pos": nothing before is held
 *	{"do": "find_past", "streams": [{"kind": "bar", "name": "AAPL", "seq": 7,
 *	 "timeframe_s": 0}]}                     answered by "pos" (0: nowhere), "held"
 *	{"do": "find_past", "kinds": ["bar"], "time": "2016-01-04T00:00:00Z"}
 *	{"do": "past_status"}
 *
 * Answers: {"ok": true, ...} or {"ok": false, "error": "a sentence"}, and a bulk where
 * it says so.  Those of a put: rows (came), added (of them new), files (concerned),
 * unchanged (of them); of put_frames also skipped, the events of kinds that are not
 * kept.
 */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include <stdint.h>

#define PIPEFRAME_HEAD     8u
#define PIPEFRAME_DOC_MAX  (256u << 10)
#define PIPEFRAME_BULK_MAX (64u << 20)

enum { PIPEFRAME_END = 1 };

struct pipeframe {
	struct buf bytes;    /* of the document, then of the bulk */
	struct json *doc;    /* an object */
	const uint8_t *bulk; /* aligned for any struct; NULL: none */
	size_t bulk_len;
};

/** Lengths of a head; -EPROTO when they are out of bounds. */
int pipeframe_head(const uint8_t head[PIPEFRAME_HEAD], uint32_t *doc, uint32_t *bulk);
/**
 * The next frame of @fd, waiting for it; PIPEFRAME_END when the stream has ended
 * between two frames.  -EPROTO: what comes cannot be read on.  -EINVAL: the frame is
 * whole, but its document is no JSON object; the next one can be read.
 */
int pipeframe_read(int fd, struct pipeframe *f);
/** The same of bytes in memory; @used is how many of them it took. */
int pipeframe_take(const uint8_t *data, size_t len, size_t *used, struct pipeframe *f);
void pipeframe_free(struct pipeframe *f);
int pipeframe_write(int fd, const void *doc, size_t doc_len, const void *bulk,
		    size_t bulk_len);
