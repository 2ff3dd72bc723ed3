/*
 * sqlite_impl - the connection's inside, shared by the sqlite*.c files only.
 */
#pragma once
#include <sqlite3.h>

struct sq;

/** The handle itself, borrowed. */
sqlite3 *sq_handle(struct sq *s);
/** What an error code means, as a negated errno; @sys: errno after the call. */
int sq_errno(int code, int sys);
