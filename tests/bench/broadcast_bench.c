/*
 * broadcast_bench - a broadcast ring to one subscriber in another process.
 *
 *	broadcast_bench [ROUNDS [MILLIONS]]
 *
 * The child maps the sealed ring from the inherited descriptor, as a local
 * subscriber does, and polls.  Throughput: 128-byte frames as fast as they are
 * written, with a window that keeps the reader from being lapped, and 16 KiB
 * frames of 128 events; each frame's number is checked.  Latency: 20,000 frames
 * a second, write to read.  Medians of ROUNDS (5); one fact per line.
 */
#include "base/clock.h"
#include "base/err.h"
#include "bus/broadcast.h"
#include "proto/broadcast_read.h"
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RING_BYTES ((size_t)16 << 20)
#define WINDOW     ((uint64_t)8 << 20) /* bytes that the writer may be ahead */
#define FRAME_MAX  16384
#define ROUNDS_MAX 99
#define PACED      40000

/** What both processes see beside the ring. */
struct shared {
	_Atomic uint64_t bytes_read;
	atomic_bool ready;
	_Atomic uint64_t wrong;
	_Atomic uint64_t lost;
	int64_t latency_ns[PACED];
};

struct frame {
	uint64_t number;
	int64_t at_ns;
	uint8_t rest[FRAME_MAX - 16];
};

struct job {
	struct broadcast *ring;
	struct shared *shared;
	uint64_t n;
	size_t frame_bytes;
	bool paced;
};

static void die(const char *what)
{
	fprintf(stderr, "broadcast_bench: %s: %s\n", what, err_text());
	exit(1);
}

static void out(const char *variant, const char *measure, double value)
{
	printf("broadcast\t%s\t%s\t%.4g\n", variant, measure, value);
	fflush(stdout);
}

/** The subscriber's process. */
static void subscribe(const struct job *j)
{
	static struct frame f;
	struct broadcast_reader *r;
	uint64_t bytes = 0;
	uint64_t wrong = 0;
	uint64_t seq;
	size_t len;

	if (broadcast_open(broadcast_fd(j->ring), &r) < 0)
		die("broadcast_open");
	atomic_store(&j->shared->ready, true);
	for (uint64_t want = 1; want <= j->n;) {
		int rc = broadcast_read(r, &f, sizeof(f), &len, &seq);

		if (rc == BROADCAST_EMPTY) {
			for (int i = 0; i < 16 && !j->paced; i++)
				__builtin_ia32_pause();
			continue;
		}
		if (rc == BROADCAST_LAPPED)
			continue;
		if (rc != 0)
			die("broadcast_read");
		if (j->paced)
			j->shared->latency_ns[seq - 1] = clock_mono_ns() - f.at_ns;
		wrong += f.number != seq || len != j->frame_bytes;
		bytes += len;
		want = seq + 1;
		if (want % 64 == 0)
			atomic_store_explicit(&j->shared->bytes_read, bytes,
					      memory_order_release);
	}
	atomic_store(&j->shared->wrong, wrong);
	atomic_store(&j->shared->lost, broadcast_lost(r)->frames);
	broadcast_close(r);
}

static void publish(const struct job *j)
{
	static struct frame f;
	uint64_t bytes = 0;
	int64_t due = clock_mono_ns();

	for (uint64_t i = 1; i <= j->n; i++, bytes += j->frame_bytes) {
		if (j->paced) {
			due += 50 * NS_PER_US;
			while (clock_mono_ns() < due)
				__builtin_ia32_pause();
			f.at_ns = clock_mono_ns();
		}
		while (bytes - atomic_load_explicit(&j->shared->bytes_read,
						    memory_order_acquire) >
		       WINDOW)
			__builtin_ia32_pause();
		f.number = i;
		if (broadcast_write(j->ring, &f, j->frame_bytes) < 0)
			die("broadcast_write");
	}
}

/** Frames per second / 1e6; dies when a frame was wrong or lost. */
static double run(struct job *j)
{
	int64_t begin;
	double rate;
	int status;
	pid_t child;

	memset(j->shared, 0, sizeof(*j->shared));
	if (broadcast_new(RING_BYTES, 0, &j->ring) < 0)
		die("broadcast_new");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		subscribe(j);
		_exit(0);
	}
	while (!atomic_load(&j->shared->ready))
		(void)sched_yield();
	begin = clock_mono_ns();
	publish(j);
	if (waitpid(child, &status, 0) != child || status != 0)
		die("the subscriber failed");
	rate = (double)j->n * 1e3 / (double)(clock_mono_ns() - begin);
	if (j->shared->wrong + j->shared->lost != 0) {
		fprintf(stderr, "broadcast_bench: %llu frames wrong, %llu lost\n",
			(unsigned long long)j->shared->wrong,
			(unsigned long long)j->shared->lost);
		exit(1);
	}
	broadcast_free(j->ring);
	return rate;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_ns(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
	uint64_t millions = argc > 2 ? strtoull(argv[2], NULL, 10) : 20;
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct job small = {NULL, shared, millions * 1000000, 128, false};
	struct job large = {NULL, shared, millions * 1000000 / 128, FRAME_MAX, false};
	struct job paced = {NULL, shared, PACED, 128, true};
	double rate[2][ROUNDS_MAX], p50[ROUNDS_MAX], p99[ROUNDS_MAX];

	if (rounds == 0 || rounds > ROUNDS_MAX || millions == 0 ||
	    shared == MAP_FAILED) {
		fprintf(stderr, "usage: broadcast_bench [ROUNDS [MILLIONS]]\n");
		return 100;
	}
	for (unsigned i = 0; i < rounds; i++) {
		rate[0][i] = run(&small);
		rate[1][i] = run(&large) * 128;
		(void)run(&paced);
		qsort(shared->latency_ns, PACED, sizeof(int64_t), by_ns);
		p50[i] = (double)shared->latency_ns[PACED / 2] / 1e3;
		p99[i] = (double)shared->latency_ns[PACED / 100 * 99] / 1e3;
	}
	out("128-byte frames", "M events/s", median(rate[0], rounds));
	out("16-KiB frames of 128 events", "M events/s", median(rate[1], rounds));
	out("128-byte frames, 20,000/s", "p50_us", median(p50, rounds));
	out("128-byte frames, 20,000/s", "p99_us", median(p99, rounds));
	(void)munmap(shared, sizeof(*shared));
	return 0;
}
