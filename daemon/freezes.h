/*
 * freezes - what the kill switch holds at this moment, by whom, since when and why
 * (proto/freeze.h says what is held).
 *
 * The log is where a freeze takes effect; this list is kept beside it, in the log's
 * database, because a record has no room for who and why, and because tiers are not
 * derived from anything.  It is written before the record of a freeze and after the
 * record of a release: a crash between them leaves more held than necessary, not less.
 *
 * Loop thread, but for what says otherwise.
 */
#pragma once
#include "base/jsonw.h"
#include "base/role.h"
#include "bus/symtab.h"
#include "daemon/gate.h"
#include "proto/freeze.h"
#include "store/tickstore.h"

#define FREEZES_MAX       256u
#define FREEZE_REASON_MAX 160u
#define FREEZE_BY_DAEMON  UINT32_MAX /* uid: a trigger, no person */

struct freeze_entry {
	struct freeze what;
	uint64_t pos;     /* of its record; 0: not known to be in the log */
	int64_t since_ns; /* wall clock */
	uint32_t uid;     /* of who asked, or FREEZE_BY_DAEMON */
	char name[SYMTAB_NAME_MAX + 1]; /* of the symbol or source, else "" */
	char reason[FREEZE_REASON_MAX];
};

struct freezes {
	uint32_t n;
	struct freeze_entry entries[FREEZES_MAX];
};

/** The entry that stops the same thing; NULL: it is not stopped. */
struct freeze_entry *freezes_find(struct freezes *f, const struct freeze *what);
/** False: there are FREEZES_MAX of them. */
bool freezes_add(struct freezes *f, const struct freeze_entry *e);
void freezes_remove(struct freezes *f, struct freeze_entry *e);
/** Close the gates of the kinds that are held; true for those that opened, by kind. */
ON_LOOP void freezes_gates(const struct freezes *f, struct gate *g,
			   bool out_opened[EVENT_KINDS]);
/** As the members of an open object: {"kills": [...]}. */
void freezes_print(const struct freezes *f, struct jsonw *w);
/** Replaces what was saved; synced. */
ON_STORE int freezes_save(const struct freezes *f, struct tickstore *ts);
/** 0 with an empty list when nothing was saved; -EBADMSG: it cannot be read. */
ON_STORE int freezes_load(struct freezes *f, struct tickstore *ts);
