/*
 * renumber - the configuration of what is derived has changed, or no snapshot can be
 * used and the log's beginning is gone: sequences and chains must go on all the same,
 * or subscribers would take new events for old ones.
 *
 *	newest readable snapshot, stored events behind it -> where every stream stood
 *	log held from its beginning: derived anew under the present configuration (warm)
 *	else: everything begins with nothing (cold)
 *	-> the streams of that state go on from where they stood -> a snapshot, at once
 *
 * The snapshot at the log's end makes the change a fact: later starts, and proofs,
 *begin behind it.
 */
#pragma once
#include "base/role.h"
#include "workers/shard.h"
#include "workers/tier2.h"

struct daemon;
struct restored;

/**
 * State and dispatcher stand at d->replay_end when this returns 0, and @out names every
 * stream (owned by the caller).  -EBADMSG: the log's beginning is gone and there is no
 * snapshot at all; -ENOMEM, -EIO.
 */
ON_LOOP int renumber_state(struct daemon *d, struct restored **out);
