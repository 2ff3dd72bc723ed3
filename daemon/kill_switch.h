/*
 * kill_switch - freezes and releases, from whoever asks to the log and back.
 *
 *	loop: list, gates closed -> store thread: list saved, record -> loop: answer
 *	loop:                    -> store thread: record, list saved -> loop: gates open
 *
 * One at a time.  Loop thread.
 */
#pragma once
#include "daemon/freezes.h"
#include "daemon/serve_admin.h"

struct daemon;

/**
 * Freeze what @e says; its pos and since are set here.  @call (NULL: a trigger) is
 * answered now or later.  False: not now, another is under way (or as refused to
 * @call).
 */
ON_LOOP bool kill_switch_freeze(struct daemon *d, struct freeze_entry *e,
				struct admin_call *call);
/** Release what stops @what; @call is answered, also when nothing does. */
ON_LOOP void kill_switch_release(struct daemon *d, const struct freeze *what,
				 struct admin_call *call);

/** Make the triggers of the configuration look at what is published. */
ON_LOOP int kill_switch_open_triggers(struct daemon *d);
/** Now and then. */
ON_LOOP void kill_switch_step(struct daemon *d);
