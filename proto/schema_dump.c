/*
 * schema_dump - the C side of the wire for schema_check.py: sizes and offsets of
 * every block, values of every enum, as the compiler has them.
 */
#include "proto/catchup.h"
#include "proto/frame.h"
#include "proto/ingest.h"
#include "proto/job_progress.h"
#include <stddef.h>
#include <stdio.h>

/** Root of a matrix frame: frame_seal() writes the two behind each other. */
struct frame_matrix {
	struct frame_root root;
	struct event_tier2 event;
};

#define BLOCK(message, type) printf("block %s %zu\n", message, sizeof(type))
#define FIELD(message, type, name, path)                                               \
	printf("field %s %s %zu %zu\n", message, name, offsetof(type, path),           \
	       sizeof(((type *)0)->path))

/* clang-format off */
static void dump_tick_frame(void)
{
	BLOCK("TickFrame", struct frame_root);
	FIELD("TickFrame", struct frame_root, "epoch", epoch);
	FIELD("TickFrame", struct frame_root, "publish_ns", publish_ns);
	FIELD("TickFrame", struct frame_root, "frame_seq", frame_seq);
	FIELD("TickFrame", struct frame_root, "last_pos", last_pos);
	BLOCK("TickFrame.events", struct event_tick);
	FIELD("TickFrame.events", struct event_tick, "seq", head.seq);
	FIELD("TickFrame.events", struct event_tick, "pos", head.pos);
	FIELD("TickFrame.events", struct event_tick, "event_ns", head.event_ns);
	FIELD("TickFrame.events", struct event_tick, "recv_ns", head.recv_ns);
	FIELD("TickFrame.events", struct event_tick, "price_e9", price_e9);
	FIELD("TickFrame.events", struct event_tick, "size_e8", size_e8);
	FIELD("TickFrame.events", struct event_tick, "bid_e9", bid_e9);
	FIELD("TickFrame.events", struct event_tick, "ask_e9", ask_e9);
	FIELD("TickFrame.events", struct event_tick, "bid_size_e8", bid_size_e8);
	FIELD("TickFrame.events", struct event_tick, "ask_size_e8", ask_size_e8);
	FIELD("TickFrame.events", struct event_tick, "source_seq", source_seq);
	FIELD("TickFrame.events", struct event_tick, "ref_seq", ref_seq);
	FIELD("TickFrame.events", struct event_tick, "cond", cond);
	FIELD("TickFrame.events", struct event_tick, "symbol_id", symbol_id);
	FIELD("TickFrame.events", struct event_tick, "source_id", source_id);
	FIELD("TickFrame.events", struct event_tick, "action", action);
	FIELD("TickFrame.events", struct event_tick, "flags", flags);
	FIELD("TickFrame.events", struct event_tick, "symbol", symbol);
}

static void dump_bar_frame(void)
{
	BLOCK("BarFrame", struct frame_root);
	FIELD("BarFrame", struct frame_root, "epoch", epoch);
	FIELD("BarFrame", struct frame_root, "publish_ns", publish_ns);
	FIELD("BarFrame", struct frame_root, "frame_seq", frame_seq);
	FIELD("BarFrame", struct frame_root, "last_pos", last_pos);
	BLOCK("BarFrame.events", struct event_bar);
	FIELD("BarFrame.events", struct event_bar, "seq", head.seq);
	FIELD("BarFrame.events", struct event_bar, "pos", head.pos);
	FIELD("BarFrame.events", struct event_bar, "event_ns", head.event_ns);
	FIELD("BarFrame.events", struct event_bar, "recv_ns", head.recv_ns);
	FIELD("BarFrame.events", struct event_bar, "bar_start_ns", bar_start_ns);
	FIELD("BarFrame.events", struct event_bar, "open_e9", open_e9);
	FIELD("BarFrame.events", struct event_bar, "high_e9", high_e9);
	FIELD("BarFrame.events", struct event_bar, "low_e9", low_e9);
	FIELD("BarFrame.events", struct event_bar, "close_e9", close_e9);
	FIELD("BarFrame.events", struct event_bar, "volume_lo", volume_lo);
	FIELD("BarFrame.events", struct event_bar, "volume_hi", volume_hi);
	FIELD("BarFrame.events", struct event_bar, "log_return_1", log_return_1);
	FIELD("BarFrame.events", struct event_bar, "spread_estimate", spread_estimate);
	FIELD("BarFrame.events", struct event_bar, "vwap", vwap);
	FIELD("BarFrame.events", struct event_bar, "trade_count", trade_count);
	FIELD("BarFrame.events", struct event_bar, "first_pos", first_pos);
	FIELD("BarFrame.events", struct event_bar, "last_pos", last_pos);
	FIELD("BarFrame.events", struct event_bar, "revision", revision);
	FIELD("BarFrame.events", struct event_bar, "timeframe_s", timeframe_s);
	FIELD("BarFrame.events", struct event_bar, "symbol_id", symbol_id);
	FIELD("BarFrame.events", struct event_bar, "source_id", source_id);
	FIELD("BarFrame.events", struct event_bar, "schema_version", schema_version);
	FIELD("BarFrame.events", struct event_bar, "flags", flags);
	FIELD("BarFrame.events", struct event_bar, "state", state);
	FIELD("BarFrame.events", struct event_bar, "price_type", price_type);
	FIELD("BarFrame.events", struct event_bar, "cause", cause);
	FIELD("BarFrame.events", struct event_bar, "spread_method", spread_method);
	FIELD("BarFrame.events", struct event_bar, "outlier_reason", outlier_reason);
	FIELD("BarFrame.events", struct event_bar, "late_ticks", late_ticks);
	FIELD("BarFrame.events", struct event_bar, "symbol", symbol);
	FIELD("BarFrame.events", struct event_bar, "source", source);
	FIELD("BarFrame.events", struct event_bar, "chain", chain);
}

static void dump_tier1_frame(void)
{
	BLOCK("Tier1Frame", struct frame_root);
	FIELD("Tier1Frame", struct frame_root, "epoch", epoch);
	FIELD("Tier1Frame", struct frame_root, "publish_ns", publish_ns);
	FIELD("Tier1Frame", struct frame_root, "frame_seq", frame_seq);
	FIELD("Tier1Frame", struct frame_root, "last_pos", last_pos);
	BLOCK("Tier1Frame.events", struct event_tier1);
	FIELD("Tier1Frame.events", struct event_tier1, "seq", head.seq);
	FIELD("Tier1Frame.events", struct event_tier1, "pos", head.pos);
	FIELD("Tier1Frame.events", struct event_tier1, "event_ns", head.event_ns);
	FIELD("Tier1Frame.events", struct event_tier1, "recv_ns", head.recv_ns);
	FIELD("Tier1Frame.events", struct event_tier1, "bar_seq", bar_seq);
	FIELD("Tier1Frame.events", struct event_tier1, "feature_version", feature_version);
	FIELD("Tier1Frame.events", struct event_tier1, "warm", warm);
	FIELD("Tier1Frame.events", struct event_tier1, "bars_seen", bars_seen);
	FIELD("Tier1Frame.events", struct event_tier1, "value", value);
	FIELD("Tier1Frame.events", struct event_tier1, "norm", norm);
	FIELD("Tier1Frame.events", struct event_tier1, "timeframe_s", timeframe_s);
	FIELD("Tier1Frame.events", struct event_tier1, "bar_revision", bar_revision);
	FIELD("Tier1Frame.events", struct event_tier1, "symbol_id", symbol_id);
	FIELD("Tier1Frame.events", struct event_tier1, "schema_version", schema_version);
	FIELD("Tier1Frame.events", struct event_tier1, "flags", flags);
	FIELD("Tier1Frame.events", struct event_tier1, "price_type", price_type);
	FIELD("Tier1Frame.events", struct event_tier1, "symbol", symbol);
	FIELD("Tier1Frame.events", struct event_tier1, "chain", chain);
}

static void dump_tier2_frame(void)
{
	BLOCK("Tier2Frame", struct frame_matrix);
	FIELD("Tier2Frame", struct frame_matrix, "epoch", root.epoch);
	FIELD("Tier2Frame", struct frame_matrix, "publish_ns", root.publish_ns);
	FIELD("Tier2Frame", struct frame_matrix, "frame_seq", root.frame_seq);
	FIELD("Tier2Frame", struct frame_matrix, "last_pos", root.last_pos);
	FIELD("Tier2Frame", struct frame_matrix, "seq", event.head.seq);
	FIELD("Tier2Frame", struct frame_matrix, "pos", event.head.pos);
	FIELD("Tier2Frame", struct frame_matrix, "event_ns", event.head.event_ns);
	FIELD("Tier2Frame", struct frame_matrix, "recv_ns", event.head.recv_ns);
	FIELD("Tier2Frame", struct frame_matrix, "supersedes", event.supersedes);
	FIELD("Tier2Frame", struct frame_matrix, "universe_hash", event.universe_hash);
	FIELD("Tier2Frame", struct frame_matrix, "content_hash", event.content_hash);
	FIELD("Tier2Frame", struct frame_matrix, "eigen_min", event.eigen_min);
	FIELD("Tier2Frame", struct frame_matrix, "frobenius_shift", event.frobenius_shift);
	FIELD("Tier2Frame", struct frame_matrix, "lambda", event.lambda);
	FIELD("Tier2Frame", struct frame_matrix, "timeframe_s", event.timeframe_s);
	FIELD("Tier2Frame", struct frame_matrix, "window", event.window);
	FIELD("Tier2Frame", struct frame_matrix, "n_members", event.n_members);
	FIELD("Tier2Frame", struct frame_matrix, "n_included", event.n_included);
	FIELD("Tier2Frame", struct frame_matrix, "schema_version", event.schema_version);
	FIELD("Tier2Frame", struct frame_matrix, "method", event.method);
	FIELD("Tier2Frame", struct frame_matrix, "status", event.status);
	FIELD("Tier2Frame", struct frame_matrix, "psd_repaired", event.psd_repaired);
	FIELD("Tier2Frame", struct frame_matrix, "price_type", event.price_type);
	FIELD("Tier2Frame", struct frame_matrix, "cause", event.cause);
	FIELD("Tier2Frame", struct frame_matrix, "reserved", event.reserved);
	FIELD("Tier2Frame", struct frame_matrix, "universe", event.universe);
	FIELD("Tier2Frame", struct frame_matrix, "chain", event.chain);
	BLOCK("Tier2Frame.members", struct tier2_member);
	FIELD("Tier2Frame.members", struct tier2_member, "bar_seq", bar_seq);
	FIELD("Tier2Frame.members", struct tier2_member, "bar_revision", bar_revision);
	FIELD("Tier2Frame.members", struct tier2_member, "n_obs", n_obs);
	FIELD("Tier2Frame.members", struct tier2_member, "symbol_id", symbol_id);
	FIELD("Tier2Frame.members", struct tier2_member, "reason", reason);
	FIELD("Tier2Frame.members", struct tier2_member, "reserved", reserved);
	FIELD("Tier2Frame.members", struct tier2_member, "symbol", symbol);
}

static void dump_news_frame(void)
{
	BLOCK("NewsFrame", struct frame_root);
	FIELD("NewsFrame", struct frame_root, "epoch", epoch);
	FIELD("NewsFrame", struct frame_root, "publish_ns", publish_ns);
	FIELD("NewsFrame", struct frame_root, "frame_seq", frame_seq);
	FIELD("NewsFrame", struct frame_root, "last_pos", last_pos);
	BLOCK("NewsFrame.events", struct event_news);
	FIELD("NewsFrame.events", struct event_news, "seq", head.seq);
	FIELD("NewsFrame.events", struct event_news, "pos", head.pos);
	FIELD("NewsFrame.events", struct event_news, "event_ns", head.event_ns);
	FIELD("NewsFrame.events", struct event_news, "recv_ns", head.recv_ns);
	FIELD("NewsFrame.events", struct event_news, "compound", compound);
	FIELD("NewsFrame.events", struct event_news, "pos_share", pos_share);
	FIELD("NewsFrame.events", struct event_news, "neu_share", neu_share);
	FIELD("NewsFrame.events", struct event_news, "neg_share", neg_share);
	FIELD("NewsFrame.events", struct event_news, "average", average);
	FIELD("NewsFrame.events", struct event_news, "weighted", weighted);
	FIELD("NewsFrame.events", struct event_news, "positive", positive);
	FIELD("NewsFrame.events", struct event_news, "negative", negative);
	FIELD("NewsFrame.events", struct event_news, "articles", articles);
	FIELD("NewsFrame.events", struct event_news, "published_ns", published_ns);
	FIELD("NewsFrame.events", struct event_news, "article", article);
	FIELD("NewsFrame.events", struct event_news, "edition", edition);
	FIELD("NewsFrame.events", struct event_news, "window_s", window_s);
	FIELD("NewsFrame.events", struct event_news, "symbol_id", symbol_id);
	FIELD("NewsFrame.events", struct event_news, "source_id", source_id);
	FIELD("NewsFrame.events", struct event_news, "flags", flags);
	FIELD("NewsFrame.events", struct event_news, "n_symbols", n_symbols);
	FIELD("NewsFrame.events", struct event_news, "half_life_s", half_life_s);
	FIELD("NewsFrame.events", struct event_news, "schema_version", schema_version);
	FIELD("NewsFrame.events", struct event_news, "reserved", reserved);
	FIELD("NewsFrame.events", struct event_news, "symbol", symbol);
	FIELD("NewsFrame.events", struct event_news, "lexicon", lexicon);
	FIELD("NewsFrame.events", struct event_news, "id", id);
	FIELD("NewsFrame.events", struct event_news, "publisher", publisher);
	FIELD("NewsFrame.events", struct event_news, "headline", headline);
	FIELD("NewsFrame.events", struct event_news, "url", url);
	FIELD("NewsFrame.events", struct event_news, "chain", chain);
}

static void dump_status_frame(void)
{
	BLOCK("StatusFrame", struct frame_root);
	FIELD("StatusFrame", struct frame_root, "epoch", epoch);
	FIELD("StatusFrame", struct frame_root, "publish_ns", publish_ns);
	FIELD("StatusFrame", struct frame_root, "frame_seq", frame_seq);
	FIELD("StatusFrame", struct frame_root, "last_pos", last_pos);
	BLOCK("StatusFrame.events", struct event_status);
	FIELD("StatusFrame.events", struct event_status, "seq", head.seq);
	FIELD("StatusFrame.events", struct event_status, "pos", head.pos);
	FIELD("StatusFrame.events", struct event_status, "event_ns", head.event_ns);
	FIELD("StatusFrame.events", struct event_status, "recv_ns", head.recv_ns);
	FIELD("StatusFrame.events", struct event_status, "detail", detail);
	FIELD("StatusFrame.events", struct event_status, "symbol_id", symbol_id);
	FIELD("StatusFrame.events", struct event_status, "source_id", source_id);
	FIELD("StatusFrame.events", struct event_status, "state", state);
	FIELD("StatusFrame.events", struct event_status, "reserved", reserved);
	FIELD("StatusFrame.events", struct event_status, "symbol", symbol);
	FIELD("StatusFrame.events", struct event_status, "text", text);
	FIELD("StatusFrame.events", struct event_status, "chain", chain);
}

static void dump_heartbeat(void)
{
	BLOCK("Heartbeat", struct frame_heartbeat_root);
	FIELD("Heartbeat", struct frame_heartbeat_root, "epoch", root.epoch);
	FIELD("Heartbeat", struct frame_heartbeat_root, "publish_ns", root.publish_ns);
	FIELD("Heartbeat", struct frame_heartbeat_root, "frame_seq", root.frame_seq);
	FIELD("Heartbeat", struct frame_heartbeat_root, "last_pos", root.last_pos);
	FIELD("Heartbeat", struct frame_heartbeat_root, "kind", kind);
	FIELD("Heartbeat", struct frame_heartbeat_root, "reserved", reserved);
	FIELD("Heartbeat", struct frame_heartbeat_root, "part", part);
	FIELD("Heartbeat", struct frame_heartbeat_root, "reserved2", reserved2);
	BLOCK("Heartbeat.streams", struct frame_heartbeat);
	FIELD("Heartbeat.streams", struct frame_heartbeat, "last_seq", last_seq);
	FIELD("Heartbeat.streams", struct frame_heartbeat, "pos", pos);
	FIELD("Heartbeat.streams", struct frame_heartbeat, "symbol_id", symbol_id);
	FIELD("Heartbeat.streams", struct frame_heartbeat, "timeframe_s", timeframe_s);
	FIELD("Heartbeat.streams", struct frame_heartbeat, "symbol", symbol);
}

static void dump_ingest_request(void)
{
	BLOCK("IngestRequest", struct ingest_root);
	FIELD("IngestRequest", struct ingest_root, "producer", producer);
	FIELD("IngestRequest", struct ingest_root, "source", source);
	FIELD("IngestRequest", struct ingest_root, "first_seq", first_seq);
	FIELD("IngestRequest", struct ingest_root, "flags", flags);
	BLOCK("IngestRequest.ticks", struct ingest_tick);
	FIELD("IngestRequest.ticks", struct ingest_tick, "event_ns", event_ns);
	FIELD("IngestRequest.ticks", struct ingest_tick, "price_e9", price_e9);
	FIELD("IngestRequest.ticks", struct ingest_tick, "size_e8", size_e8);
	FIELD("IngestRequest.ticks", struct ingest_tick, "bid_e9", bid_e9);
	FIELD("IngestRequest.ticks", struct ingest_tick, "ask_e9", ask_e9);
	FIELD("IngestRequest.ticks", struct ingest_tick, "bid_size_e8", bid_size_e8);
	FIELD("IngestRequest.ticks", struct ingest_tick, "ask_size_e8", ask_size_e8);
	FIELD("IngestRequest.ticks", struct ingest_tick, "source_seq", source_seq);
	FIELD("IngestRequest.ticks", struct ingest_tick, "ref_seq", ref_seq);
	FIELD("IngestRequest.ticks", struct ingest_tick, "cond", cond);
	FIELD("IngestRequest.ticks", struct ingest_tick, "type", type);
	FIELD("IngestRequest.ticks", struct ingest_tick, "action", action);
	FIELD("IngestRequest.ticks", struct ingest_tick, "flags", flags);
	FIELD("IngestRequest.ticks", struct ingest_tick, "reserved", reserved);
	FIELD("IngestRequest.ticks", struct ingest_tick, "symbol", symbol);
}

static void dump_ingest_reply(void)
{
	BLOCK("IngestReply", struct ingest_reply_root);
	FIELD("IngestReply", struct ingest_reply_root, "epoch", epoch);
	FIELD("IngestReply", struct ingest_reply_root, "last_pos", last_pos);
	FIELD("IngestReply", struct ingest_reply_root, "accepted", accepted);
	FIELD("IngestReply", struct ingest_reply_root, "duplicate", duplicate);
	FIELD("IngestReply", struct ingest_reply_root, "rejected", rejected);
	FIELD("IngestReply", struct ingest_reply_root, "retry_ms", retry_ms);
	FIELD("IngestReply", struct ingest_reply_root, "status", status);
	FIELD("IngestReply", struct ingest_reply_root, "durability", durability);
	FIELD("IngestReply", struct ingest_reply_root, "reserved", reserved);
	FIELD("IngestReply", struct ingest_reply_root, "text", text);
	BLOCK("IngestReply.runs", struct ingest_run);
	FIELD("IngestReply.runs", struct ingest_run, "first_pos", first_pos);
	FIELD("IngestReply.runs", struct ingest_run, "first_index", first_index);
	FIELD("IngestReply.runs", struct ingest_run, "n", n);
	FIELD("IngestReply.runs", struct ingest_run, "outcome", outcome);
	FIELD("IngestReply.runs", struct ingest_run, "reason", reason);
	FIELD("IngestReply.runs", struct ingest_run, "reserved", reserved);
}

static void dump_catchup_request(void)
{
	BLOCK("CatchupRequest", struct catchup_root);
	FIELD("CatchupRequest", struct catchup_root, "from", from);
	FIELD("CatchupRequest", struct catchup_root, "skip", skip);
	FIELD("CatchupRequest", struct catchup_root, "limit", limit);
	FIELD("CatchupRequest", struct catchup_root, "kinds", kinds);
	FIELD("CatchupRequest", struct catchup_root, "from_type", from_type);
	FIELD("CatchupRequest", struct catchup_root, "reserved", reserved);
	FIELD("CatchupRequest", struct catchup_root, "count", count);
	FIELD("CatchupRequest", struct catchup_root, "hash", hash);
	BLOCK("CatchupRequest.streams", struct catchup_stream);
	FIELD("CatchupRequest.streams", struct catchup_stream, "from_seq", from_seq);
	FIELD("CatchupRequest.streams", struct catchup_stream, "to_seq", to_seq);
	FIELD("CatchupRequest.streams", struct catchup_stream, "timeframe_s", timeframe_s);
	FIELD("CatchupRequest.streams", struct catchup_stream, "kind", kind);
	FIELD("CatchupRequest.streams", struct catchup_stream, "reserved", reserved);
	FIELD("CatchupRequest.streams", struct catchup_stream, "symbol", symbol);
}

static void dump_catchup_page(void)
{
	BLOCK("CatchupPage", struct catchup_page_root);
	FIELD("CatchupPage", struct catchup_page_root, "epoch", epoch);
	FIELD("CatchupPage", struct catchup_page_root, "live_pos", live_pos);
	FIELD("CatchupPage", struct catchup_page_root, "first_held_pos", first_held_pos);
	FIELD("CatchupPage", struct catchup_page_root, "next_pos", next_pos);
	FIELD("CatchupPage", struct catchup_page_root, "next_skip", next_skip);
	FIELD("CatchupPage", struct catchup_page_root, "status", status);
	FIELD("CatchupPage", struct catchup_page_root, "done", done);
	FIELD("CatchupPage", struct catchup_page_root, "next_from", next_from);
	FIELD("CatchupPage", struct catchup_page_root, "reserved", reserved);
	FIELD("CatchupPage", struct catchup_page_root, "text", text);
	FIELD("CatchupPage", struct catchup_page_root, "count", count);
	FIELD("CatchupPage", struct catchup_page_root, "hash", hash);
	BLOCK("CatchupPage.gone", struct catchup_gone);
	FIELD("CatchupPage.gone", struct catchup_gone, "first_held_seq", first_held_seq);
	FIELD("CatchupPage.gone", struct catchup_gone, "timeframe_s", timeframe_s);
	FIELD("CatchupPage.gone", struct catchup_gone, "kind", kind);
	FIELD("CatchupPage.gone", struct catchup_gone, "reserved", reserved);
	FIELD("CatchupPage.gone", struct catchup_gone, "symbol", symbol);
	BLOCK("CatchupPage.held", struct catchup_held);
	FIELD("CatchupPage.held", struct catchup_held, "first_seq", first_seq);
	FIELD("CatchupPage.held", struct catchup_held, "timeframe_s", timeframe_s);
	FIELD("CatchupPage.held", struct catchup_held, "kind", kind);
	FIELD("CatchupPage.held", struct catchup_held, "reserved", reserved);
	FIELD("CatchupPage.held", struct catchup_held, "symbol", symbol);
}

static void dump_dict_request(void)
{
	BLOCK("DictRequest", struct catchup_dict_root);
	FIELD("DictRequest", struct catchup_dict_root, "from_id", from_id);
	FIELD("DictRequest", struct catchup_dict_root, "limit", limit);
	FIELD("DictRequest", struct catchup_dict_root, "which", which);
	FIELD("DictRequest", struct catchup_dict_root, "reserved", reserved);
}

static void dump_dict_page(void)
{
	BLOCK("DictPage", struct catchup_dict_page_root);
	FIELD("DictPage", struct catchup_dict_page_root, "epoch", epoch);
	FIELD("DictPage", struct catchup_dict_page_root, "next_id", next_id);
	FIELD("DictPage", struct catchup_dict_page_root, "which", which);
	FIELD("DictPage", struct catchup_dict_page_root, "done", done);
	FIELD("DictPage", struct catchup_dict_page_root, "reserved", reserved);
	BLOCK("DictPage.names", struct catchup_name);
	FIELD("DictPage.names", struct catchup_name, "id", id);
	FIELD("DictPage.names", struct catchup_name, "name", name);
}

/* clang-format on */

static void dump_words(const char *name, const char *(*word)(unsigned))
{
	for (unsigned i = 0; word(i)[0] != '?'; i++)
		printf("enum %s %u %s\n", name, i, word(i));
}

static const char *reason(unsigned i)
{
	return reject_name((enum reject_reason)i);
}

static const char *kind(unsigned i)
{
	return event_kind_word((enum event_kind)i);
}

static void dump_job_progress(void)
{
	BLOCK("JobProgress", struct frame_root);
	FIELD("JobProgress", struct frame_root, "epoch", epoch);
	FIELD("JobProgress", struct frame_root, "publish_ns", publish_ns);
	FIELD("JobProgress", struct frame_root, "frame_seq", frame_seq);
	FIELD("JobProgress", struct frame_root, "last_pos", last_pos);
	BLOCK("JobProgress.jobs", struct job_progress);
	FIELD("JobProgress.jobs", struct job_progress, "id", id);
	FIELD("JobProgress.jobs", struct job_progress, "created_ns", created_ns);
	FIELD("JobProgress.jobs", struct job_progress, "finished_ns", finished_ns);
	FIELD("JobProgress.jobs", struct job_progress, "total", total);
	FIELD("JobProgress.jobs", struct job_progress, "done", done);
	FIELD("JobProgress.jobs", struct job_progress, "failed", failed);
	FIELD("JobProgress.jobs", struct job_progress, "cancelled", cancelled);
	FIELD("JobProgress.jobs", struct job_progress, "what", what);
	FIELD("JobProgress.jobs", struct job_progress, "state", state);
	FIELD("JobProgress.jobs", struct job_progress, "reserved", reserved);
	FIELD("JobProgress.jobs", struct job_progress, "text", text);
}

int main(void)
{
	dump_tick_frame();
	dump_bar_frame();
	dump_tier1_frame();
	dump_tier2_frame();
	dump_news_frame();
	dump_status_frame();
	dump_job_progress();
	dump_heartbeat();
	dump_ingest_request();
	dump_ingest_reply();
	dump_catchup_request();
	dump_catchup_page();
	dump_dict_request();
	dump_dict_page();
	dump_words("EventKind", kind);
	dump_words("JobWhat", job_what_name);
	dump_words("JobState", job_state_name);
	dump_words("TickAction", tick_action_name);
	dump_words("PriceType", price_type_name);
	dump_words("BarState", bar_state_name);
	dump_words("BarCause", bar_cause_name);
	dump_words("SpreadMethod", spread_method_name);
	dump_words("CorrMethod", corr_method_name);
	dump_words("Tier2Status", tier2_status_name);
	dump_words("Tier2Reason", tier2_reason_name);
	dump_words("SymbolState", symbol_state_name);
	dump_words("RejectReason", reason);
	dump_words("IngestStatus", ingest_status_name);
	dump_words("CatchupStatus", catchup_status_name);
	return 0;
}
