/* trace_test - steps, stages and what is kept, by hand and by threads. */
#include "bus/check_test.h"
#include "bus/trace.h"
#include <stdatomic.h>

#define STEPS   16u
#define WORKERS 3u

static void open_step(struct trace *t, uint64_t first, uint64_t last, uint64_t tick)
{
	const struct trace_step s = {.first_pos = first,
				     .last_pos = last,
				     .last_tick = tick,
				     .recv_ns = (int64_t)first * 10};

	role_assert_store();
	trace_committed(t, last, (int64_t)last);
	trace_dispatched(t, &s);
}

static void reach_all(struct trace *t, uint64_t pos, int64_t now_ns)
{
	for (unsigned s = TRACE_TICK; s < TRACE_WORKER + WORKERS; s++)
		trace_reached(t, s, pos, now_ns + s);
}

static void a_position_is_found_with_its_step_and_times(void **state)
{
	struct trace_step s;
	struct trace *t;

	(void)state;
	role_assert_loop();
	assert_true(trace_new(STEPS, WORKERS, &t) == 0);
	assert_true(!trace_find(t, 1, &s));
	open_step(t, 5, 9, 8);
	open_step(t, 10, 10, 0);
	open_step(t, 11, 30, 30);
	assert_true(trace_count(t) == 3 && trace_finished(t) == 0);
	assert_true(!trace_find(t, 4, &s) && !trace_find(t, 31, &s));
	assert_true(trace_find(t, 7, &s) && s.first_pos == 5 && s.last_pos == 9);
	assert_true(s.recv_ns == 50 && s.at_ns[TRACE_COMMIT] == 9 &&
		    s.n_workers == WORKERS);
	assert_true(s.at_ns[TRACE_DISPATCH] > 0 && s.at_ns[TRACE_PUBLISH] == 0);

	/* A stage that is in the middle of a step is not through with it. */
	trace_reached(t, TRACE_WORKER + 1, 8, 100);
	assert_true(trace_find(t, 5, &s) && s.at_ns[TRACE_WORKER + 1] == 0);
	trace_reached(t, TRACE_WORKER + 1, 10, 200);
	assert_true(trace_find(t, 5, &s) && s.at_ns[TRACE_WORKER + 1] == 200);
	assert_true(s.at_ns[TRACE_WORKER] == 0);
	/* Ticks: the step's last tick counts; a step without ticks waits for none. */
	trace_reached(t, TRACE_TICK, 8, 300);
	assert_true(trace_find(t, 10, &s) && s.at_ns[TRACE_TICK] == 300 &&
		    s.last_tick == 0);
	assert_true(trace_find(t, 11, &s) && s.at_ns[TRACE_TICK] == 0);
	assert_true(trace_finished(t) == 0);
	reach_all(t, 10, 1000);
	assert_true(trace_finished(t) == 2);
	assert_true(trace_find(t, 5, &s) && s.at_ns[TRACE_WORKER + 1] == 200);
	assert_true(s.at_ns[TRACE_WORKER + 2] == 1000 + TRACE_WORKER + 2);
	trace_free(t);
}

static void without_a_slot_the_next_step_is_longer(void **state)
{
	struct trace_step s;
	struct trace *t;

	(void)state;
	role_assert_loop();
	assert_true(trace_new(STEPS, WORKERS, &t) == 0);
	for (uint64_t p = 1; p <= 40; p++)
		open_step(t, p, p, p == 35 ? p : 0);
	assert_true(trace_count(t) == STEPS);
	assert_true(trace_find(t, 16, &s) && !trace_find(t, 17, &s));
	reach_all(t, 40, 1);
	assert_true(trace_finished(t) == STEPS);
	open_step(t, 41, 41, 0); /* finished, but nobody has looked */
	assert_true(trace_count(t) == STEPS);
	trace_done(t, STEPS);
	assert_true(trace_oldest(t) == STEPS / 2);
	open_step(t, 42, 42, 0);
	assert_true(trace_count(t) == STEPS + 1);
	assert_true(trace_find(t, 20, &s) && s.first_pos == 17 && s.last_pos == 42);
	assert_true(s.last_tick == 35 && s.recv_ns == 170 &&
		    s.at_ns[TRACE_COMMIT] == 17);
	/* The older half is gone, the newer is kept. */
	assert_true(!trace_find(t, STEPS / 2, &s) && trace_find(t, STEPS / 2 + 1, &s));
	trace_free(t);
}

static void commits_that_found_no_room_are_said_to_be_unknown(void **state)
{
	struct trace_step s;
	struct trace *t;

	(void)state;
	role_assert_loop();
	role_assert_store();
	assert_true(trace_new(STEPS, WORKERS, &t) == 0);
	for (uint64_t p = 1; p <= 5000; p++)
		trace_committed(t, p, (int64_t)p + 7);
	s = (struct trace_step){.first_pos = 3, .last_pos = 3};
	trace_dispatched(t, &s);
	assert_true(trace_find(t, 3, &s) && s.at_ns[TRACE_COMMIT] == 10);
	s = (struct trace_step){.first_pos = 4000, .last_pos = 4000};
	trace_dispatched(t, &s);
	assert_true(trace_find(t, 4000, &s) && s.at_ns[TRACE_COMMIT] == 0);
	trace_committed(t, 5001, 9);
	s = (struct trace_step){.first_pos = 5001, .last_pos = 5001};
	trace_dispatched(t, &s);
	assert_true(trace_find(t, 5001, &s) && s.at_ns[TRACE_COMMIT] == 9);
	trace_free(t);
}

static void no_trace_is_no_trouble(void **state)
{
	struct trace_step s = {0};

	(void)state;
	role_assert_loop();
	role_assert_store();
	trace_committed(NULL, 1, 1);
	trace_dispatched(NULL, &s);
	trace_reached(NULL, TRACE_TICK, 1, 1);
	trace_done(NULL, 1);
	assert_true(trace_count(NULL) == 0 && trace_finished(NULL) == 0);
	assert_true(!trace_find(NULL, 1, &s));
	trace_free(NULL);
}

/* ---- threads: what the loop reads of a finished step is whole ---- */

#define LAPS 200000u

struct world {
	struct trace *t;
	_Atomic uint64_t marked; /* what the dispatcher's marks say */
};

struct stage {
	struct world *w;
	unsigned stage;
};

static void *run_stage(void *arg)
{
	struct stage *s = arg;
	uint64_t pos = 0;

	while (pos < LAPS) {
		pos = atomic_load(&s->w->marked);
		trace_reached(s->w->t, s->stage, pos, (int64_t)pos);
		(void)sched_yield();
	}
	return NULL;
}

static void *run_store(void *arg)
{
	struct world *w = arg;

	for (uint64_t p = 1; p <= LAPS; p++) {
		open_step(w->t, p, p, p);
		atomic_store(&w->marked, p);
		(void)sched_yield(); /* or it would be over before a stage has run */
	}
	return NULL;
}

static void look(struct trace *t, uint64_t i, uint64_t *pos)
{
	struct trace_step s;

	role_assert_loop();
	trace_get(t, i, &s);
	assert_true(s.first_pos == *pos + 1 && s.last_pos >= s.first_pos);
	assert_true(s.recv_ns == (int64_t)s.first_pos * 10);
	for (unsigned k = TRACE_TICK; k < TRACE_WORKER + WORKERS; k++)
		assert_true(s.at_ns[k] >= (int64_t)s.last_pos);
	*pos = s.last_pos;
}

static void threads_agree_on_every_step(void **state)
{
	struct world w = {0};
	struct stage stages[TRACE_WORKER + WORKERS];
	pthread_t threads[TRACE_WORKER + WORKERS], store;
	uint64_t seen = 0, pos = 0;

	(void)state;
	role_assert_loop();
	assert_true(trace_new(STEPS, WORKERS, &w.t) == 0);
	for (unsigned s = TRACE_TICK; s < TRACE_WORKER + WORKERS; s++) {
		stages[s] = (struct stage){&w, s};
		check_thread(&threads[s], run_stage, &stages[s]);
	}
	check_thread(&store, run_store, &w);
	/* The last steps may have found no slot, and none comes after them. */
	while (pos < LAPS - STEPS && (pos == 0 || atomic_load(&w.marked) < LAPS)) {
		for (uint64_t end = trace_finished(w.t); seen < end; seen++)
			look(w.t, seen, &pos);
		trace_done(w.t, seen);
		(void)sched_yield();
	}
	(void)pthread_join(store, NULL);
	for (unsigned s = TRACE_TICK; s < TRACE_WORKER + WORKERS; s++)
		(void)pthread_join(threads[s], NULL);
	for (uint64_t end = trace_finished(w.t); seen < end; seen++)
		look(w.t, seen, &pos);
	/* How many they are is the scheduler's business: without a slot a step grows.
	 */
	assert_true(seen == trace_count(w.t) && seen > 0);
	trace_free(w.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_position_is_found_with_its_step_and_times),
		cmocka_unit_test(without_a_slot_the_next_step_is_longer),
		cmocka_unit_test(commits_that_found_no_room_are_said_to_be_unknown),
		cmocka_unit_test(no_trace_is_no_trouble),
		cmocka_unit_test(threads_agree_on_every_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
