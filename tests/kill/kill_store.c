/*
 * kill_store - SIGKILL the owner of a store, again and again, and look.
 *
 *	kill_store [kills] [seed]
 *
 * A child opens the store, commits batches of two producers and tells each
 * acknowledgement through a pipe.  2 to 22 ms after its start or its first
 * acknowledgement it is killed, wherever it is: opening, recovering, in a transaction,
 * in a checkpoint, retiring.  Then a second
 * child opens the store and checks, and leaves in one of two ways, closing or
 * vanishing, so that the next owner finds a clean store or not:
 *
 *	acknowledged  is there
 *	stored        is exactly what was sent, each (producer, sequence) once
 *	nothing       is reported lost, no alarm, no new epoch
 *
 * The state runs on through all kills.  A failure prints the seed.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/tickstore.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One thread plays every role; clang need not hear of each change. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wthread-safety-analysis"
#endif

#define PRODUCERS 2
#define BATCH_MAX 60

struct symtab {
	char name[512][32];
	uint32_t first_id;
	uint32_t end;
};

/* What the parent knows to be acknowledged. */
struct acked {
	uint64_t seq[PRODUCERS];
};

static uint64_t rng_state;

static uint32_t random_below(uint32_t n)
{
	rng_state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((hash_mix(rng_state) >> 32) * n >> 32);
}

static void fail(const char *what, uint64_t a, uint64_t b)
{
	fprintf(stderr, "kill_store: %s (%llu, %llu) %s\n", what, (unsigned long long)a,
		(unsigned long long)b, err_text());
	_exit(1);
}

static int add(struct symtab *t, const char *name, size_t len, uint32_t *out_id,
	       int *out_new)
{
	for (uint32_t i = t->first_id; i < t->end; i++) {
		if (strncmp(t->name[i], name, len) == 0 && t->name[i][len] == 0) {
			*out_id = i;
			*out_new = 0;
			return 0;
		}
	}
	if (t->end == 512)
		return 1;
	memcpy(t->name[t->end], name, len);
	*out_id = t->end++;
	*out_new = 1;
	return 0;
}

static const char *name_of(const struct symtab *t, uint32_t id)
{
	return t->name[id];
}

static uint32_t count(const struct symtab *t)
{
	return t->end;
}

static struct tickstore *open_store(const char *dir, enum durability durability,
				    struct symtab *symbols)
{
	static struct symtab sources = {.first_id = 1, .end = 1};
	struct store_names a = {symbols, add, name_of, count, 0};
	struct store_names b = {&sources, add, name_of, count, 1};
	struct store_params p = {
		.dir = dir,
		.durability = durability,
		.sync_interval_ns = 5 * NS_PER_MS,
		.segment_max = 256,
		.cache_bytes_max = 1 << 20,
		.wal_bytes_max = 1 << 20,
		.ballast_bytes = 65536,
		.derived[1] = {.batches = 50},
	};
	struct tickstore *ts = NULL;
	int rc = tickstore_open(&p, &a, &b, clock_wall_ns(), &ts);

	if (rc != 0)
		fail("open", (uint64_t)-rc, 0);
	return ts;
}

static struct record make(uint32_t producer, uint64_t seq)
{
	return (struct record){
		.event_ns = (int64_t)seq,
		.price_e9 = (int64_t)hash_mix(seq * 2 + producer) >> 1,
		.source_seq = seq,
		.ref_seq = producer,
		.type = RECORD_TICK,
	};
}

static uint32_t producer_id(struct tickstore *ts, uint32_t i)
{
	char name[2] = {(char)('a' + i), 0};
	uint32_t id = 0;

	if (tickstore_producer(ts, name, 1, &id) != 0 || id != i)
		fail("producer", i, id);
	return id;
}

static void stage(struct tickstore *ts, uint32_t p, struct acked *next)
{
	uint32_t n = 1 + random_below(BATCH_MAX);

	for (uint32_t i = 0; i < n; i++) {
		struct record r;

		/* Some are sent again, and must be recognised. */
		if (next->seq[p] > 0 && random_below(4) == 0 &&
		    tickstore_seq_check(ts, p, next->seq[p]) != STORE_DUPLICATE)
			fail("a duplicate was taken for new", p, next->seq[p]);
		r = make(p, ++next->seq[p]);
		if (tickstore_seq_check(ts, p, next->seq[p]) != 0)
			fail("a new one was taken for a duplicate", p, next->seq[p]);
		if (tickstore_append(ts, p, next->seq[p], &r, 1, NULL) != 0)
			fail("append", p, next->seq[p]);
	}
}

/* Everything else that writes, so that kills hit it as well. */
static void side_work(struct tickstore *ts, struct symtab *symbols, uint64_t pos)
{
	char name[16];
	uint32_t id = 0;
	uint32_t n = 0;
	int is_new = 0;

	switch (random_below(8)) {
	case 0:
		if (tickstore_derived_append(ts, 1, pos, pos, 1, &pos, sizeof(pos)) !=
		    0)
			fail("derived", pos, 0);
		break;
	case 1:
		if (tickstore_snapshot_part(ts, pos, 0, &pos, sizeof(pos)) != 0 ||
		    tickstore_snapshot_seal(ts, pos, 1, 1) != 0)
			fail("snapshot", pos, 0);
		break;
	case 2:
		(void)snprintf(name, sizeof(name), "S%u", random_below(500));
		(void)add(symbols, name, strlen(name), &id, &is_new);
		break;
	case 3:
		if (tickstore_tick(ts, clock_wall_ns(), random_below(2)) != 0)
			fail("tick", pos, 0);
		break;
	case 4:
		(void)tickstore_quarantine_add(ts, clock_wall_ns(), 1, 0, "bad", 3);
		break;
	default:
		if (tickstore_retain(ts, clock_wall_ns(), pos, 4, &n) != 0)
			fail("retain", pos, 0);
	}
}

static void write_until_killed(const char *dir, enum durability durability, int pipe_fd)
{
	static struct symtab symbols;
	struct tickstore *ts = open_store(dir, durability, &symbols);
	struct acked next;

	for (uint32_t p = 0; p < PRODUCERS; p++)
		next.seq[p] = tickstore_seq_last(ts, producer_id(ts, p));
	for (;;) {
		uint64_t first = 0;
		uint64_t last = 0;

		for (uint32_t p = 0; p < PRODUCERS; p++)
			stage(ts, p, &next);
		if (tickstore_commit(ts, clock_wall_ns(), &first, &last) != 0)
			fail("commit", first, last);
		if (write(pipe_fd, &next, sizeof(next)) != sizeof(next))
			fail("pipe", (uint64_t)errno, 0);
		side_work(ts, &symbols, last);
	}
}

/* Walk the log from its beginning: each producer's sequences are 1, 2, 3 ... */
static void check_log(struct tickstore *ts, struct acked *stored)
{
	static struct record recs[1024];
	uint64_t pos = 1;
	uint64_t at = 0;
	uint32_t n = 0;
	int rc;

	*stored = (struct acked){0};
	while ((rc = tickstore_read(ts, pos, 1024, recs, &at, &n)) == 0) {
		if (at != pos)
			fail("a hole in the log", pos, at);
		for (uint32_t i = 0; i < n; i++) {
			uint32_t p = (uint32_t)recs[i].ref_seq;
			struct record want = make(p, stored->seq[p % PRODUCERS] + 1);

			if (memcmp(&want, &recs[i], sizeof(want)) != 0)
				fail("not what was sent", pos + i, want.source_seq);
			stored->seq[p]++;
		}
		pos += n;
	}
	if (rc != STORE_END)
		fail("read", pos, (uint64_t)-rc);
}

static int is_position(void *arg, const void *data, size_t len)
{
	return len == sizeof(uint64_t) && memcmp(data, arg, len) == 0 ? 0 : 1;
}

static void check(const char *dir, const struct acked *acked, bool vanish)
{
	static struct symtab symbols;
	struct tickstore *ts = open_store(dir, DURABILITY_FULL, &symbols);
	struct store_snapshot snap;
	struct store_status s;
	struct acked stored;

	tickstore_status(ts, &s);
	if (s.alarm[0] || s.epoch != 1 || s.lost_first != 0)
		fail(s.alarm, s.epoch, s.lost_first);
	check_log(ts, &stored);
	for (uint32_t p = 0; p < PRODUCERS; p++) {
		if (stored.seq[p] < acked->seq[p])
			fail("acknowledged and not there", stored.seq[p],
			     acked->seq[p]);
		if (tickstore_seq_last(ts, producer_id(ts, p)) != stored.seq[p])
			fail("the producer's row differs from the log", p,
			     stored.seq[p]);
	}
	if (tickstore_snapshot_find(ts, UINT64_MAX, &snap) == 0 &&
	    (snap.pos > s.last_pos ||
	     tickstore_snapshot_read(ts, &snap, is_position, &snap.pos) != 0))
		fail("snapshot", snap.pos, s.last_pos);
	if (!vanish && tickstore_close(ts) != 0)
		fail("close", 0, 0);
	_exit(0);
}

static bool writer_turn(const char *dir, enum durability durability,
			struct acked *acked)
{
	int fds[2];
	struct acked a;
	int status = 0;
	pid_t pid;
	struct timespec delay = {.tv_nsec = 2000000 + random_below(20000000)};
	bool is_at_work = random_below(2) == 0;

	if (pipe(fds) < 0)
		fail("pipe", (uint64_t)errno, 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		write_until_killed(dir, durability, fds[1]);
	}
	close(fds[1]);
	/* Killed while it opens, or at its work, however long a busy machine opens. */
	if (is_at_work && read(fds[0], &a, sizeof(a)) == sizeof(a))
		*acked = a;
	nanosleep(&delay, NULL); /* when to kill, not a synchronisation */
	kill(pid, SIGKILL);
	while (read(fds[0], &a, sizeof(a)) == sizeof(a))
		*acked = a;
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status);
}

static bool check_turn(const char *dir, const struct acked *acked)
{
	bool vanish = random_below(2);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		check(dir, acked, vanish);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	int kills = argc > 1 ? atoi(argv[1]) : 300;
	uint64_t seed =
		argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)clock_wall_ns();
	char dir[] = "kill_store.XXXXXX";
	struct acked acked = {0};

	printf("seed %llu\n", (unsigned long long)seed);
	(void)fflush(stdout);
	rng_state = seed;
	if (!mkdtemp(dir)) {
		perror("kill_store");
		return 1;
	}
	for (int i = 0; i < kills; i++) {
		enum durability d = i % 3 == 2 ? DURABILITY_NORMAL : DURABILITY_FULL;

		if (!writer_turn(dir, d, &acked) || !check_turn(dir, &acked)) {
			fprintf(stderr, "kill %d failed, seed %llu; state left in %s\n",
				i, (unsigned long long)seed, dir);
			return 1;
		}
	}
	if (acked.seq[0] == 0) {
		fprintf(stderr,
			"kill_store: nothing was acknowledged, nothing tested\n");
		return 1;
	}
	printf("%d kills, %llu + %llu records acknowledged, none lost, none twice\n",
	       kills, (unsigned long long)acked.seq[0],
	       (unsigned long long)acked.seq[1]);
	remove_dir(dir);
	return 0;
}
