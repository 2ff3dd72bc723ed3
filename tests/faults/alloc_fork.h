/*
 * alloc_fork - a life in which the n-th allocation fails, for n = 1, 2, ... until none
 * fails any more; each in a process of its own, so that what ends one says how.
 *
 * Link with -Wl,--wrap for malloc, calloc, realloc and aligned_alloc: then those of our
 * code count, and SQLite's, which are asked through its own hook.  Those of other
 * libraries do not: tests/faults/alloc_random.py fails them too.
 */
#pragma once
#include <stdbool.h>

/**
 * One life: prepare, alloc_fork_arm(), do it, alloc_fork_disarm(), then check that
 * what is left is sound, with alloc_fork_check().  0: it worked; < 0: it was refused
 * with an error.
 */
typedef int (*alloc_life_fn)(void);

/** From here on allocations count. */
void alloc_fork_arm(void);
void alloc_fork_disarm(void);
/** End this life as a failure of the test. */
#define alloc_fork_check(x)                                                            \
	do {                                                                           \
		if (!(x))                                                              \
			alloc_fork_fail(__FILE__, __LINE__, #x);                       \
	} while (0)
_Noreturn void alloc_fork_fail(const char *file, int line, const char *what);

/**
 * Run lives until no allocation fails, and print how they ended.  @may_abort: running
 * out of memory may end the process (base/buf.h); a crash never may.
 */
void alloc_fork_loop(const char *name, alloc_life_fn life, bool may_abort);
