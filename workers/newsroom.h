/*
 * newsroom - what the news say about each symbol: scores headlines and sums them up.
 *
 * An article is opened once and then gives one event per symbol it names, ascending by
 * symbol id, each in the stream of that symbol:
 *
 *	newsroom_open(r, pos, &record, text, len);
 *	while (newsroom_left(r) > 0)
 *		newsroom_next(r, &event);
 *
 * The window of a symbol ends at its newest article, so everything is a function of the
 * articles and their order in the log.  A later edition takes the place of the one
 * before; a headline that was there within the time of repeats does not count
 * (analysis/newsdesk.h), neither does an article that is older than the window.
 *
 * The dispatcher (live) and the re-run (proof) have one each.  One thread at a time.
 */
#pragma once
#include "base/buf.h"
#include "bus/symtab.h"
#include "proto/event.h"
#include "workers/params.h"
#include "workers/section.h"
#include "workers/shard.h"

struct newsroom;

struct newsroom_env {
	const struct params *params;  /* borrowed, immutable */
	const struct symtab *symbols; /* borrowed */
	uint32_t symbols_max;
};

/** 0, -ENOMEM, or a lexicon that cannot be read. */
int newsroom_new(const struct newsroom_env *env, struct newsroom **out);
void newsroom_free(struct newsroom *r);
/** As before the first article. */
void newsroom_reset(struct newsroom *r);

/**
 * Begin with the article of the record @rec at @pos; @text is what the log keeps of it
 * (proto/article.h).  0, or -EBADMSG: the log cannot hold this.
 */
int newsroom_open(struct newsroom *r, uint64_t pos, const struct record *rec,
		  const void *text, size_t len);
/** Events that the opened article still has to give. */
uint32_t newsroom_left(const struct newsroom *r);
void newsroom_next(struct newsroom *r, struct event_news *out);

/** The control record at @pos: the kill switch, or a pause. */
void newsroom_control(struct newsroom *r, uint64_t pos, const struct record *rec);
/** The position from which a symbol's news are held back; 0: they are not. */
uint64_t newsroom_held(const struct newsroom *r, uint32_t symbol_id);

/** Append a SECTION_HOLDS, and a SECTION_NEWS for every symbol that had news, ascending
 * by id. */
void newsroom_save(const struct newsroom *r, struct buf *out);
/** Load one of either; 0, -EBADMSG, -ENOMEM. */
int newsroom_load(struct newsroom *r, const struct section *sec);
/** Only what it says of its stream.  0, -EBADMSG. */
int newsroom_peek(const struct section *sec, struct stream_mark *out);
/** Where the stream of a symbol stands; seq 0: it had no news. */
struct stream_mark newsroom_stream(const struct newsroom *r, uint32_t symbol_id);
/** Let it go on from @m, whatever made the state.  -ENOMEM. */
int newsroom_renumber(struct newsroom *r, uint32_t symbol_id,
		      const struct stream_mark *m);
