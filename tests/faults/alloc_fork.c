/* alloc_fork - see the header; nothing here is used by the product. */
#include "tests/faults/alloc_fork.h"
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants its four above first. */
#include <cmocka.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);

/* How a life ended. */
enum { WORKED = 0, REFUSED = 3, ABORTED = 4, UNTOUCHED = 5, BROKEN = 6, ENDS };

static sqlite3_mem_methods real_sqlite;
static uint64_t countdown; /* 0: nothing fails */
static bool armed, fired, abort_allowed;

static bool strikes(void)
{
	if (!armed || countdown == 0 || --countdown > 0)
		return false;
	fired = true;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return strikes() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return strikes() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return strikes() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return strikes() ? NULL : __real_aligned_alloc(align, n);
}

static void *sqlite_malloc(int n)
{
	return strikes() ? NULL : real_sqlite.xMalloc(n);
}

static void *sqlite_realloc(void *p, int n)
{
	return strikes() ? NULL : real_sqlite.xRealloc(p, n);
}

static void hook_sqlite(void)
{
	sqlite3_mem_methods mine;

	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_sqlite);
	mine = real_sqlite;
	mine.xMalloc = sqlite_malloc;
	mine.xRealloc = sqlite_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
}

void alloc_fork_arm(void)
{
	armed = true;
}

void alloc_fork_disarm(void)
{
	armed = false;
}

void alloc_fork_fail(const char *file, int line, const char *what)
{
	dprintf(STDERR_FILENO, "%s:%d: %s does not hold\n", file, line, what);
	_exit(BROKEN);
}

static void on_abort(int signum)
{
	(void)signum;
	_exit(fired && abort_allowed ? ABORTED : BROKEN);
}

static _Noreturn void child(alloc_life_fn life, uint64_t nth)
{
	int rc;

	(void)signal(SIGABRT, on_abort);
	hook_sqlite();
	countdown = nth;
	rc = life();
	armed = false;
	if (!fired && rc != 0)
		dprintf(STDERR_FILENO, "refused with %d although nothing failed\n", rc);
	/* exit(), not _exit(): a leak checker speaks at the end. */
	exit(!fired ? (rc == 0 ? UNTOUCHED : BROKEN) : rc < 0 ? REFUSED : WORKED);
}

static int live(const char *name, alloc_life_fn life, uint64_t nth)
{
	int status = 0;
	pid_t pid;

	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(life, nth);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		abort();
	if (WIFEXITED(status) && WEXITSTATUS(status) < ENDS &&
	    WEXITSTATUS(status) != BROKEN)
		return WEXITSTATUS(status);
	fail_msg("%s: allocation %llu failed, and then status %#x", name,
		 (unsigned long long)nth, (unsigned)status);
	return BROKEN;
}

void alloc_fork_loop(const char *name, alloc_life_fn life, bool may_abort)
{
	/* A campaign takes every one; the checks take wider steps as they go on. */
	uint64_t wide = getenv("TICKBUS_LONG") ? UINT64_MAX : 100;
	uint64_t nth = 1, count[ENDS] = {0};

	abort_allowed = may_abort;
	for (int how = WORKED; how != UNTOUCHED; nth += 1 + nth / wide) {
		how = live(name, life, nth);
		count[how]++;
	}
	print_message("# %s: up to allocation %llu: %llu refused, %llu worked, "
		      "%llu aborted by contract\n",
		      name, (unsigned long long)nth, (unsigned long long)count[REFUSED],
		      (unsigned long long)count[WORKED],
		      (unsigned long long)count[ABORTED]);
	assert_true(count[REFUSED] + count[WORKED] + count[ABORTED] > 3);
}
