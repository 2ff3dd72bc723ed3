/* thread_time - see thread_time.h. */
#include "daemon/thread_time.h"
#include "base/clock.h"
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What pthread_getcpuclockid() makes of a thread of ours: the kernel's numbering. */
static clockid_t clock_of(pid_t tid)
{
	return (clockid_t)((~(unsigned)tid << 3) | 6u);
}

/* Its name; the thread that began the process runs the loop. */
static bool read_name(pid_t tid, char out[16])
{
	char path[64];
	FILE *f;
	bool ok;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)tid);
	f = fopen(path, "re");
	if (f == NULL)
		return false; /* it has just ended */
	ok = fgets(out, 16, f) != NULL;
	(void)fclose(f);
	out[strcspn(out, "\n")] = '\0';
	if (tid == getpid())
		memcpy(out, "loop", 5);
	return ok && out[0] != '\0';
}

/*
 * Names that were read, by thread: they do not change, and reading one takes longer
 * than everything else here.  A number may come back with another thread, so all are
 * read again now and then.  The loop's alone.
 */
#define NAMES_MAX 256u
#define FORGET_NS (60 * NS_PER_S)

static struct known_name {
	pid_t tid;
	char name[16];
} known[NAMES_MAX];
static size_t n_known;
static int64_t known_since_ns;

static bool name_of(pid_t tid, char out[16])
{
	for (size_t i = 0; i < n_known; i++)
		if (known[i].tid == tid) {
			memcpy(out, known[i].name, sizeof(known[i].name));
			return true;
		}
	if (!read_name(tid, out))
		return false;
	/* One that has just begun has not got its name yet: it has its process's. */
	if (n_known < NAMES_MAX && strcmp(out, "tickbusd") != 0) {
		known[n_known].tid = tid;
		memcpy(known[n_known++].name, out, sizeof(known[0].name));
	}
	return true;
}

static void forget_names(void)
{
	int64_t now = clock_mono_ns();

	if (now - known_since_ns < FORGET_NS)
		return;
	known_since_ns = now;
	n_known = 0;
}

static int by_name(const void *a, const void *b)
{
	const struct thread_time *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static size_t place_of(const struct thread_time *all, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(all[i].name, name) != 0)
		i++;
	return i;
}

size_t thread_times(struct thread_time out[THREAD_NAMES_MAX])
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *e;
	size_t n = 0;

	if (dir == NULL)
		return 0;
	forget_names();
	while ((e = readdir(dir)) != NULL) {
		pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
		struct timespec t;
		char name[16];
		size_t at;

		if (tid <= 0 || !name_of(tid, name) ||
		    clock_gettime(clock_of(tid), &t) != 0)
			continue;
		at = place_of(out, n, name);
		if (at == THREAD_NAMES_MAX)
			continue;
		if (at == n) {
			n++;
			out[at].cpu_ns = 0;
			memcpy(out[at].name, name, sizeof(name));
		}
		out[at].cpu_ns += (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
	}
	closedir(dir);
	qsort(out, n, sizeof(*out), by_name);
	return n;
}

void thread_times_json(struct jsonw *w)
{
	struct thread_time all[THREAD_NAMES_MAX];
	size_t n = thread_times(all);

	jsonw_object(w, "threads");
	for (size_t i = 0; i < n; i++)
		jsonw_f64(w, all[i].name, (double)all[i].cpu_ns * 1e-9);
	jsonw_end(w);
}
