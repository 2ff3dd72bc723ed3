/*
 * admin_commands_parts - the commands, by file: state, bus, log, store and proof.
 *
 * Each runs on the loop and leads to one admin_done() or admin_fail().
 */
#pragma once
#include "base/err.h"
#include "daemon/admin_commands.h"
#include "daemon/daemon.h"

#define ADMIN_ROWS_MAX 1000u /* rows of one answer; "next" tells where to go on */

typedef void (*admin_command_fn)(struct daemon *d, const struct json *request,
				 struct admin_call *call);

/**
 * A whole number in @request, @otherwise when it is not there.  False: it is no such
 * number, and the call has been failed.
 */
ON_LOOP bool admin_number(const struct json *request, const char *key,
			  uint64_t otherwise, struct admin_call *call, uint64_t *out);
/** A name as the tables pad it, printed. */
void admin_name(struct jsonw *w, const char *key, const char *field, size_t max);

/* ---- admin_commands_store.c: questions to the store thread ---- */

/**
 * Carries a request to the store thread and its answer, JSON already, back:
 *
 *	loop: read the request -> store thread: look, write rows -> loop: answer
 */
struct question {
	struct admin_call *call;
	const struct daemon *d; /* only what is constant while threads run */
	uint32_t symbols_max;
	uint32_t symbol_id;
	uint64_t verb; /* enum control_verb */
	uint64_t from;
	uint64_t to;
	uint64_t n;
	bool from_end; /* the newest n */
	/* the answer */
	int rc;
	uint64_t pos;
	bool is_done;
	struct store_status log;
	struct buf rows; /* a JSON array */
	char text[ERR_TEXT_MAX];
};

/** NULL: no memory, and the call has been failed. */
ON_LOOP struct question *question_new(struct daemon *d, struct admin_call *call);
/** The same as the first member of something of @size bytes, the rest of it zeros. */
ON_LOOP void *question_new_in(struct daemon *d, struct admin_call *call, size_t size);
void question_free(struct question *q);
/** Take @q there and back; when the store thread is too busy the call is failed. */
ON_LOOP void question_ask(struct daemon *d, struct question *q, daemon_ask_fn there,
			  daemon_answer_fn back);
/** The answer is err_text(). */
void question_fail(struct question *q, int rc);
/** False: it was failed, and so is the call now. */
ON_LOOP bool question_has_result(struct question *q);

/**
 * Write a control record and commit it; *@out_pos is its position.  -ENOSPC: there is
 * no room for it; -EIO as intake_commit().
 */
ON_STORE int control_append(struct store_thread *st, uint64_t verb, uint32_t symbol_id,
			    uint64_t source_seq, uint64_t *out_pos);

/** Pause or resume a symbol (CONTROL_PAUSE, CONTROL_RESUME); @call is answered later.
 */
ON_LOOP void control_symbol(struct daemon *d, uint32_t symbol_id, uint64_t verb,
			    struct admin_call *call);

/* ---- admin_commands_state.c ---- */
ON_LOOP void admin_status(struct daemon *d, const struct json *request,
			  struct admin_call *call);
ON_LOOP void admin_top(struct daemon *d, const struct json *request,
		       struct admin_call *call);
ON_LOOP void admin_symbols(struct daemon *d, const struct json *request,
			   struct admin_call *call);
ON_LOOP void admin_sources(struct daemon *d, const struct json *request,
			   struct admin_call *call);
/** Connections to the PUB sockets, with what each has not taken. */
ON_LOOP void admin_subscribers(struct daemon *d, const struct json *request,
			       struct admin_call *call);
ON_LOOP void admin_universes(struct daemon *d, const struct json *request,
			     struct admin_call *call);
ON_LOOP void admin_matrix(struct daemon *d, const struct json *request,
			  struct admin_call *call);

/* ---- admin_commands_freeze.c: the kill switch ---- */
/** {level, name, tier, quarantine, reason} */
ON_LOOP void admin_freeze(struct daemon *d, const struct json *request,
			  struct admin_call *call);
/** {level, name, tier}; of a symbol that is paused or faulted: as resume. */
ON_LOOP void admin_release(struct daemon *d, const struct json *request,
			   struct admin_call *call);
/** {"kills": [...]} */
ON_LOOP void admin_freezes(struct daemon *d, const struct json *request,
			   struct admin_call *call);

/* ---- admin_commands_archive.c ---- */
ON_LOOP void admin_archive_status(struct daemon *d, const struct json *request,
				  struct admin_call *call);
ON_LOOP void admin_archive_flush(struct daemon *d, const struct json *request,
				 struct admin_call *call);
ON_LOOP void admin_archive_verify(struct daemon *d, const struct json *request,
				  struct admin_call *call);
ON_LOOP void admin_archive_compact(struct daemon *d, const struct json *request,
				   struct admin_call *call);

/* ---- admin_commands_bus.c ---- */
/** What the bus holds of the symbol: counts, and its newest {n} ticks. */
ON_LOOP void admin_symbol(struct daemon *d, const struct json *request, uint32_t id,
			  struct admin_call *call);

/* ---- admin_commands_log.c ---- */
/** The records from q->from to q->to as an array in q->rows, and q->log. */
ON_STORE void admin_log_read(struct store_thread *st, struct question *q);
ON_LOOP void admin_log_range(struct daemon *d, const struct json *request,
			     struct admin_call *call);
ON_LOOP void admin_log_tail(struct daemon *d, const struct json *request,
			    struct admin_call *call);

/* ---- admin_commands_store.c ---- */
ON_LOOP void admin_pause(struct daemon *d, const struct json *request,
			 struct admin_call *call);
ON_LOOP void admin_resume(struct daemon *d, const struct json *request,
			  struct admin_call *call);
ON_LOOP void admin_log_count(struct daemon *d, const struct json *request,
			     struct admin_call *call);
ON_LOOP void admin_quarantine(struct daemon *d, const struct json *request,
			      struct admin_call *call);

/* ---- admin_commands_proof.c ---- */
ON_LOOP void admin_verify(struct daemon *d, const struct json *request,
			  struct admin_call *call);
ON_LOOP void admin_verify_status(struct daemon *d, const struct json *request,
				 struct admin_call *call);
ON_LOOP void admin_verify_cancel(struct daemon *d, const struct json *request,
				 struct admin_call *call);
ON_LOOP void admin_verify_heads(struct daemon *d, const struct json *request,
				struct admin_call *call);

/* ---- admin_commands_backup.c ---- */
ON_LOOP void admin_backup(struct daemon *d, const struct json *request,
			  struct admin_call *call);
ON_LOOP void admin_backup_status(struct daemon *d, const struct json *request,
				 struct admin_call *call);
ON_LOOP void admin_backup_end(struct daemon *d, const struct json *request,
			      struct admin_call *call);

/* ---- admin_commands_live.c ---- */
ON_LOOP void admin_gaps(struct daemon *d, const struct json *request,
			struct admin_call *call);
/** The live feed of @source, as members of the open object; nothing if none is. */
ON_LOOP void admin_live_source(struct daemon *d, struct jsonw *w, const char *source);
/** Live feeds whose source has not brought a tick yet, as objects. */
ON_LOOP void admin_live_unseen(struct daemon *d, struct jsonw *w);

/* ---- admin_commands_why.c ---- */
/** Stored events of a stream, or ticks of a symbol with who sent them: a page. */
ON_LOOP void admin_why(struct daemon *d, const struct json *request,
		       struct admin_call *call);
/** A page of catch-up. */
ON_LOOP void admin_events(struct daemon *d, const struct json *request,
			  struct admin_call *call);

/* ---- admin_commands_trace.c ---- */
/** The way of the record at {pos}; without it the slowest and the newest steps. */
ON_LOOP void admin_trace(struct daemon *d, const struct json *request,
			 struct admin_call *call);

/* ---- admin_commands_headlines.c ---- */
/** The newest stored news, newest first; {symbol, n}. */
ON_LOOP void admin_headlines(struct daemon *d, const struct json *request,
			     struct admin_call *call);

/* ---- admin_commands_chaos.c ---- */
/** A fault on purpose, {what}, if the configuration permits it. */
ON_LOOP void admin_chaos(struct daemon *d, const struct json *request,
			 struct admin_call *call);
