/*
 * universe - the window of one universe: which member has which bar, and when a
 * matrix is due.  Part of tier 2 (tier2.h has the rules); nobody else includes it.
 *
 * A column is a grid time, a row a member; a cell is what is known of the bar there.
 * Columns are kept in order of time by an index, so that a late column costs a move
 * of small integers and never of cells:
 *
 *      order:    [ 3 | 0 | 1 | 2 ]          (oldest ... newest)
 *      end_ns:   [ 10:01 | 10:02 | 10:03 | 10:00 ]
 *      cells of a member, by column
 */
#pragma once
#include "base/state.h"
#include "workers/corr.h"
#include "workers/eigen.h"
#include "workers/grid.h"
#include "workers/tier2.h"

struct cell {
	double log_return;
	uint64_t bar_seq;
	uint32_t revision;
	bool here;       /* the bar has come */
	bool blind;      /* and is BLIND */
	bool in_session; /* a bar of this member may end here */
};

struct member {
	char symbol[SYMBOL_MAX];
	struct session session;
	struct grid grid;
	uint32_t symbol_id;   /* TIER2_NO_ID until seen */
	uint32_t missing_run; /* missing bars in a row, at the newest end */
	int64_t grid_from;  /* first bar_end of the present grid; INT64_MAX: no grid */
	uint8_t price_type; /* PRICE_AUTO until its first bar */
	uint8_t state; /* enum symbol_state: LIVE, PAUSED, FAULT, KILLED, QUARANTINED */
	bool grid_ended;
};

/** Shared by all universes: they are computed one after the other. */
struct workshop {
	struct corr *corr;        /* owned */
	struct eigen *eigen;      /* owned */
	struct tier2_member *out; /* owned: members as published */
	double *triangle;         /* owned */
	double *spare;            /* owned; beyond TIER2_REPAIR_ROWS, else NULL */
	uint32_t *row_of;         /* owned: member of each row given to corr */
	struct tier2_counts counts;
	struct tier2_sink sink;
};

/** The record that is being applied. */
struct moment {
	uint64_t pos;
	int64_t recv_ns;
	bool replay;
};

struct universe {
	const struct universe_params *up; /* borrowed */
	const struct params *params;      /* borrowed */
	uint32_t n_members, members_max;
	struct member *members; /* owned */
	uint32_t *by_rank;      /* owned: members in the order of publication */
	uint32_t *member_of;    /* owned: by symbol id; TIER2_NO_ID: none */
	uint32_t n_columns, columns_max;
	int64_t *end_ns;    /* owned: by column */
	uint32_t *order;    /* owned: columns, oldest first */
	struct cell *cells; /* owned: members_max rows of columns_max */
	int64_t log_ns;
	int64_t as_of;          /* newest T decided; INT64_MIN: none */
	uint64_t as_of_version; /* its newest version; 0: it had too few members */
	uint64_t version;
	uint64_t chain; /* of the newest version published */
	bool changed;   /* something of as_of's matrix is different now */
	uint8_t change_cause;
	uint32_t change_symbol;
};

int universe_init(struct universe *u, const struct params *params,
		  const struct universe_params *up, uint32_t symbols_max);
void universe_deinit(struct universe *u);
/** Largest number of rows of @up. */
uint32_t universe_rows_max(const struct universe_params *up);

/** Save or load all that it remembers between two positions; ids are < @symbols_max. */
void universe_save(struct state *st, struct universe *u, uint32_t symbols_max);
/** The next member, @len bytes of name; there must be room for it. */
void universe_add_member(struct universe *u, const char *symbol, size_t len);
/** First sight of a symbol, with its name. */
void universe_meet(struct universe *u, uint32_t symbol_id, const char *symbol);
/** A symbol's state changed. */
void universe_state(struct universe *u, uint32_t symbol_id, enum symbol_state state);
/** Is a bar of this series one of the universe's?  Lets members in (universe `all`). */
bool universe_takes(struct universe *u, const struct cut_item *bar, const char *symbol,
		    struct tier2_counts *counts);
/** Log time has come to @ns. */
void universe_time(struct universe *u, int64_t ns);
/** Apply a bar that universe_takes(). */
void universe_bar(struct universe *u, const struct cut_item *bar,
		  struct tier2_counts *counts);
/** Publish, in order, every T up to @until that is complete or due. */
void universe_decide(struct universe *u, int64_t until, const struct moment *now,
		     struct workshop *shop);
/** Publish the newest T again if its matrix has changed. */
void universe_revise(struct universe *u, const struct moment *now,
		     struct workshop *shop);

/** In matrix.c: compute and publish column @at (an index into order). */
void universe_publish(struct universe *u, uint32_t at, const struct moment *now,
		      struct workshop *shop);
/** Must member @m have a bar ending at column @at? */
bool universe_is_live(const struct universe *u, uint32_t m, uint32_t at);

static inline struct cell *universe_cell(const struct universe *u, uint32_t m,
					 uint32_t at)
{
	return &u->cells[(size_t)m * u->columns_max + u->order[at]];
}
