/*
 * newshold - whose news are held back, and from where in the log on (proto/freeze.h).
 *
 *	symbol    killed, quarantined or paused: all its news
 *	source    killed or quarantined: the news of every symbol whose newest
 *	          article is of it, and of every other from its first article of it on
 *
 * What is held of a symbol's stream is always its end: a source's articles are in the
 * sums of all that follow them, and a stream with a hole could not be followed.
 *
 * Nothing is derived from this: it is a function of the log, kept beside the newsroom
 * so that a restart and a re-run have the same.  One thread at a time.
 */
#pragma once
#include "base/state.h"
#include "proto/freeze.h"
#include "proto/record.h"

struct newshold_symbol {
	uint64_t pos;     /* held from here on; 0: not held */
	uint64_t sources; /* bit i: held for sources[i] */
	uint16_t source;  /* of its newest article; 0: it had none */
	bool is_frozen, is_paused;
};

struct newshold {
	uint16_t sources[FREEZE_SOURCES_MAX]; /* that are frozen; 0: a free place */
	struct newshold_symbol *symbols;      /* owned; by id */
	uint32_t symbols_max;
};

/** 0 or -ENOMEM. */
int newshold_init(struct newshold *h, uint32_t symbols_max);
void newshold_deinit(struct newshold *h);
/** As before the first record. */
void newshold_reset(struct newshold *h);
/** The control record at @pos. */
void newshold_control(struct newshold *h, uint64_t pos, const struct record *r);
/** The article at @pos, of @source_id, is about the symbol. */
void newshold_article(struct newshold *h, uint64_t pos, uint32_t symbol_id,
		      uint16_t source_id);
/** The position from which its news are held; 0: they are not. */
uint64_t newshold_from(const struct newshold *h, uint32_t symbol_id);
/** Save or load. */
void newshold_state(struct state *st, struct newshold *h);
