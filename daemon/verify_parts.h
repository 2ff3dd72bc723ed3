/* verify_parts - what the files of verify know in common; nobody else includes it. */
#pragma once
#include "daemon/rerun.h"
#include "daemon/verify.h"
#include "daemon/verify_rows.h"

#define VERIFY_SNAPSHOTS_MAX 4
#define VERIFY_KINDS         5

extern const enum event_kind verify_kinds[VERIFY_KINDS];

struct verify {
	const struct verify_env *env;
	struct verify_result *out;
	struct rerun *rerun;
	struct verify_rows rows[EVENT_KINDS];
	uint64_t stored_to[EVENT_KINDS];
	bool is_foreign; /* the positions being fed are under another configuration */
	uint64_t config_hash;
	struct heads *heads; /* owned */
	/* the plan */
	uint64_t first_pos, last_pos, begin_pos;
	struct store_snapshot start;                        /* pos 0: none */
	struct store_snapshot inside[VERIFY_SNAPSHOTS_MAX]; /* by position */
	uint32_t n_inside, next_inside;
};

/** Compare an event of the re-run with the next one stored; 0 or an error. */
int verify_event(struct verify *v, enum event_kind kind, const void *event, size_t len);
/** Where to begin and to end, and from which state.  0 or an error. */
int verify_plan(struct verify *v);
/** Compare the re-run's state, synced at @s->pos, with the snapshot. */
int verify_state(struct verify *v, const struct store_snapshot *s);
/**
 * A difference at @pos: keep its sentence if it is the first in the log's order, of
 * an event if @face is given.
 */
void verify_differs(struct verify *v, uint64_t pos, const struct verify_face *face,
		    const char *field, const char *sentence);

/** One part of a snapshot into @out.  0, STORE_NONE, < 0. */
int verify_read_part(struct verify *v, const struct store_snapshot *s, uint32_t part,
		     struct buf *out);
/** 0; STORE_NONE: it was made under something else or is damaged, err_text() says. */
int verify_check_head(struct verify *v, const struct store_snapshot *s,
		      const struct section *sec);
