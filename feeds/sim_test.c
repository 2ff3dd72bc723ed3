/* sim_test - the simulated exchange: the same every time, and like a market. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/timetext.h"
#include "feeds/feed_test.h"
#include "feeds/rng.h"
#include "feeds/sim.h"
#include <errno.h>
#include <math.h>

static uint64_t digest(const struct sim_params *p, size_t n)
{
	struct sim *s = NULL;
	struct feed_tick t;
	uint64_t h = HASH_SEED;

	assert_int_equal(sim_new(p, &s), 0);
	for (size_t i = 0; i < n; i++) {
		sim_next(s, &t);
		h = hash_bytes(h, &t.rec, sizeof(t.rec));
		h = hash_bytes(h, t.symbol, sizeof(t.symbol));
		h = hash_bytes(h, &t.arrival_ns, sizeof(t.arrival_ns));
		h = hash_bytes(h, &t.defects, sizeof(t.defects));
	}
	sim_free(s);
	return h;
}

static void with_faults(struct sim_params *p)
{
	sim_params_default(p);
	p->n_symbols = 50;
	p->trades_mhz = 5000;
	p->quotes_mhz = 5000;
	p->faults.late_ppm = 10000;
	p->faults.out_of_order_ppm = 10000;
	p->faults.duplicates_ppm = 10000;
	p->faults.cancels_ppm = 10000;
	p->faults.corrections_ppm = 10000;
	p->faults.halts_ppm = 100;
	p->faults.gaps_ppm = 20;
	p->faults.bad_prints_ppm = 10000;
	p->faults.poison_ppm = 10000;
	p->faults.odd_lots_ppm = 50000;
}

static void one_seed_makes_one_sequence_bit_for_bit(void **state)
{
	struct sim_params p;
	uint64_t first;

	(void)state;
	with_faults(&p);
	first = digest(&p, 200000);
	assert_true(digest(&p, 200000) == first);
	/* On every machine and with every compiler: the number is part of the promise.
	 */
	assert_int_equal(first, UINT64_C(0x86fa8f7ebfb06bbd));
	p.seed++;
	assert_true(digest(&p, 200000) != first);
}

static void arrivals_never_go_back_and_names_fit(void **state)
{
	int64_t last = 0, last_clock = 0;
	struct sim_params p;
	struct sim *s = NULL;
	struct feed_tick t;

	(void)state;
	with_faults(&p);
	assert_int_equal(sim_new(&p, &s), 0);
	for (int i = 0; i < 500000; i++) {
		sim_next(s, &t);
		assert_true(t.arrival_ns >= last);
		last = t.arrival_ns;
		if (t.rec.type == RECORD_CLOCK) {
			assert_int_equal(t.rec.event_ns % NS_PER_S, 0);
			assert_true(last_clock == 0 ||
				    t.rec.event_ns == last_clock + NS_PER_S);
			last_clock = t.rec.event_ns;
			continue;
		}
		assert_true(t.rec.symbol_id < 50);
		assert_string_equal(t.symbol, sim_symbol(s, t.rec.symbol_id));
		if (t.defects &
		    (FEED_LATE | FEED_OUT_OF_ORDER | FEED_POISON | FEED_DUPLICATE))
			continue;
		/* Whatever is on time comes before the clock that closes its second. */
		assert_true(last_clock == 0 || t.rec.event_ns >= last_clock);
	}
	sim_free(s);
}

static void every_fault_is_counted_as_it_comes(void **state)
{
	struct sim_params p;
	struct sim *s = NULL;
	struct sim_counts seen = {0};
	const struct sim_counts *c;
	uint64_t fresh;

	(void)state;
	with_faults(&p);
	assert_int_equal(sim_new(&p, &s), 0);
	for (int i = 0; i < 1000000; i++) {
		struct feed_tick t;

		sim_next(s, &t);
		seen.clocks += t.rec.type == RECORD_CLOCK;
		seen.ticks += t.rec.type == RECORD_TICK;
		seen.late += (t.defects & FEED_LATE) != 0;
		seen.duplicates += (t.defects & FEED_DUPLICATE) != 0;
		seen.cancels += record_action(&t.rec) == TICK_CANCEL;
		seen.corrections += record_action(&t.rec) == TICK_CORRECT;
		seen.halts += (record_flags(&t.rec) & TICK_HALT) != 0;
		seen.poison += (t.defects & FEED_POISON) != 0;
		seen.odd_lots += t.rec.cond[0] == 'I';
		if (record_action(&t.rec) != TICK_NEW)
			assert_true(t.rec.ref_seq != 0);
	}
	c = sim_counts(s);
	assert_int_equal(seen.ticks, c->ticks);
	assert_int_equal(seen.clocks, c->clocks);
	assert_int_equal(c->trades + c->quotes, c->ticks);
	assert_int_equal(seen.halts, c->halts);
	assert_int_equal(seen.poison, c->poison);
	assert_int_equal(seen.odd_lots, c->odd_lots);
	/* What is still on its way was counted when it set off. */
	assert_in_range(c->late - seen.late, 0, 4096);
	assert_in_range(c->duplicates - seen.duplicates, 0, 4096);
	assert_in_range(c->cancels - seen.cancels, 0, 4096);
	assert_in_range(c->corrections - seen.corrections, 0, 4096);
	/* Rates are per million fresh ticks; cancels and odd lots strike trades only.
	 */
	fresh = c->ticks - c->duplicates - c->cancels - c->corrections;
	assert_in_range(c->late, fresh / 100 * 9 / 10, fresh / 100 * 11 / 10);
	assert_in_range(c->poison, fresh / 100 * 9 / 10, fresh / 100 * 11 / 10);
	assert_in_range(c->cancels, fresh / 200 * 8 / 10, fresh / 200 * 12 / 10);
	assert_in_range(c->odd_lots, fresh / 40 * 9 / 10, fresh / 40 * 11 / 10);
	assert_true(c->lost > 0 && c->held > 0);
	sim_free(s);
}

static void a_halted_symbol_is_silent_until_it_says_that_it_trades(void **state)
{
	bool halted[50] = {false};
	uint64_t resumed = 0;
	struct sim_params p;
	struct sim *s = NULL;

	(void)state;
	sim_params_default(&p);
	p.n_symbols = 50;
	p.faults.halts_ppm = 2000;
	assert_int_equal(sim_new(&p, &s), 0);
	for (int i = 0; i < 300000; i++) {
		struct feed_tick t;

		sim_next(s, &t);
		if (t.rec.type != RECORD_TICK)
			continue;
		if (halted[t.rec.symbol_id]) {
			assert_true(record_flags(&t.rec) & TICK_RESUMED);
			resumed++;
		}
		halted[t.rec.symbol_id] = (record_flags(&t.rec) & TICK_HALT) != 0;
	}
	assert_true(resumed > 100);
	sim_free(s);
}

static void a_session_is_kept_in_its_zone_across_summer_time(void **state)
{
	struct tz *tz = NULL;
	struct sim_params p;
	struct sim *s = NULL;
	struct feed_tick t;
	uint64_t clocks_outside = 0, days = 0;
	int64_t day = 0;

	(void)state;
	assert_int_equal(tz_load("America/New_York", &tz), 0);
	sim_params_default(&p);
	p.has_sessions = true;
	p.tz = tz;
	p.n_symbols = 3;
	p.trades_mhz = 10;
	p.quotes_mhz = 10;
	p.start_ns = INT64_C(1709845200) * NS_PER_S; /* Thursday 2024-03-07 21:00Z */
	assert_int_equal(sim_new(&p, &s), 0);
	while (days < 5) {
		int64_t utc_s, local_s;

		sim_next(s, &t);
		utc_s = t.rec.event_ns / NS_PER_S;
		local_s = utc_s + tz_offset_s(tz, utc_s);
		if (t.rec.type == RECORD_CLOCK) {
			clocks_outside +=
				local_s % 86400 > 57600 || local_s % 86400 < 34200;
			continue;
		}
		assert_in_range(local_s % 86400, 34200, 57599);
		assert_true((local_s / 86400 + 3) % 7 < 5);
		if (local_s / 86400 != day) {
			day = local_s / 86400;
			days++;
			/* Friday (winter time), Monday (summer time). */
			if (days == 1)
				assert_int_equal(day, 19790);
			if (days == 2)
				assert_int_equal(day, 19793);
		}
	}
	/* The clock goes on for two minutes after each close, then stands still. */
	assert_in_range(clocks_outside, 4 * 119, 5 * 121);
	sim_free(s);
	tz_free(tz);
}

static void trading_is_busy_at_both_ends_of_the_session(void **state)
{
	uint64_t third[3] = {0}, all = 0;
	struct sim_params p;
	struct sim *s = NULL;

	(void)state;
	sim_params_default(&p);
	p.has_sessions = true;
	p.session_start_s = 34200;
	p.session_end_s = 57600;
	p.clock_ns = 0;
	p.n_symbols = 4;
	assert_int_equal(sim_new(&p, &s), 0);
	for (;;) {
		struct feed_tick t;
		int64_t into;

		sim_next(s, &t);
		into = (t.rec.event_ns - p.start_ns) / NS_PER_S - 34200;
		if (into >= 23400)
			break;
		third[into / 7800]++;
		all++;
	}
	assert_true(third[0] > third[1] * 14 / 10);
	assert_true(third[2] > third[1] * 14 / 10);
	/* The rates are averages over the session. */
	assert_in_range(all, 4 * 2 * 23400 * 95 / 100, 4 * 2 * 23400 * 105 / 100);
	sim_free(s);
}

#define SYMBOLS 16
#define MINUTES 2000

static double correlation(const double *x, const double *y, size_t n)
{
	double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;

	for (size_t i = 0; i < n; i++) {
		mx += x[i] / (double)n;
		my += y[i] / (double)n;
	}
	for (size_t i = 0; i < n; i++) {
		xx += (x[i] - mx) * (x[i] - mx);
		yy += (y[i] - my) * (y[i] - my);
		xy += (x[i] - mx) * (y[i] - my);
	}
	return xy / sqrt(xx * yy);
}

static void minute_returns_correlate_and_move_as_configured(void **state)
{
	static double mid[SYMBOLS][MINUTES + 1], r[SYMBOLS][MINUTES];
	double across = 0, inside = 0, variance = 0, want;
	size_t n_across = 0, n_inside = 0;
	struct sim_params p;
	struct sim *s = NULL;
	int minute = 0;

	(void)state;
	sim_params_default(&p);
	p.n_symbols = SYMBOLS;
	p.sectors = 4;
	p.quotes_mhz = 5000;
	p.trades_mhz = 0;
	p.price_tick_e9 = 100000; /* a fine tick: rounding is not what is measured */
	p.clock_ns = 60 * NS_PER_S;
	assert_int_equal(sim_new(&p, &s), 0);
	while (minute <= MINUTES) {
		struct feed_tick t;

		sim_next(s, &t);
		if (t.rec.type == RECORD_TICK) {
			mid[t.rec.symbol_id][minute] =
				(double)(t.rec.bid_e9 + t.rec.ask_e9) * 0.5e-9;
			continue;
		}
		if (++minute <= MINUTES)
			for (int i = 0; i < SYMBOLS; i++)
				mid[i][minute] = mid[i][minute - 1];
	}
	for (int i = 0; i < SYMBOLS; i++)
		for (int m = 0; m < MINUTES; m++) {
			r[i][m] = log(mid[i][m + 1] / mid[i][m]);
			variance += r[i][m] * r[i][m] / (SYMBOLS * MINUTES);
		}
	for (int i = 0; i < SYMBOLS; i++) {
		for (int j = 0; j < i; j++) {
			double c = correlation(r[i], r[j], MINUTES);

			if (i % 4 == j % 4) {
				inside += c;
				n_inside++;
			} else {
				across += c;
				n_across++;
			}
		}
	}
	across /= (double)n_across;
	inside /= (double)n_inside;
	print_message("# correlation across sectors %.3f (0.3), inside %.3f (0.6)\n",
		      across, inside);
	assert_true(fabs(across - 0.3) < 0.05);
	assert_true(fabs(inside - 0.6) < 0.05);
	/* 30 % a year, times 0.7 to 1.3. */
	want = 0.3 * sqrt(60.0 / 31536000.0);
	assert_true(sqrt(variance) > 0.8 * want && sqrt(variance) < 1.25 * want);
	sim_free(s);
}

static void zipf_lets_the_first_symbols_tick_most(void **state)
{
	uint64_t n[100] = {0};
	struct sim_params p;
	struct sim *s = NULL;

	(void)state;
	sim_params_default(&p);
	p.n_symbols = 100;
	p.is_zipf = true;
	p.clock_ns = 0;
	assert_int_equal(sim_new(&p, &s), 0);
	for (int i = 0; i < 518738; i++) { /* 100,000 times the harmonic sum of 100 */
		struct feed_tick t;

		sim_next(s, &t);
		n[t.rec.symbol_id]++;
	}
	assert_in_range(n[0], 98000, 102000);
	assert_in_range(n[1], 49000, 51000);
	assert_in_range(n[9], 9500, 10500);
	assert_in_range(n[99], 850, 1150);
	sim_free(s);
}

static void numbers_by_chance_have_their_moments(void **state)
{
	double sum = 0, sum2 = 0, esum = 0, esum2 = 0;
	struct rng r;

	(void)state;
	rng_seed(&r, 42);
	for (int i = 0; i < 1000000; i++) {
		double x = rng_normal(&r), e = rng_exponential(&r);

		sum += x;
		sum2 += x * x;
		assert_true(e >= 0);
		esum += e;
		esum2 += e * e;
	}
	assert_true(fabs(sum / 1e6) < 0.004);
	assert_true(fabs(sum2 / 1e6 - 1) < 0.004);
	assert_true(fabs(esum / 1e6 - 1) < 0.004);
	assert_true(fabs(esum2 / 1e6 - 2) < 0.02);
	for (double x = -8; x <= 8; x += 0.37)
		assert_true(fabs(rng_exp(x) / exp(x) - 1) < 1e-6);
}

static void parameters_that_make_no_sense_are_refused(void **state)
{
	static const char *const lower[] = {"aapl"};
	struct sim_params p, q;
	struct sim *s = NULL;

	(void)state;
	sim_params_default(&p);
#define REFUSED(change)                                                                \
	do {                                                                           \
		q = p;                                                                 \
		change;                                                                \
		assert_int_equal(sim_new(&q, &s), -EINVAL);                            \
	} while (0)
	REFUSED(q.n_symbols = 0);
	REFUSED(q.n_symbols = SIM_SYMBOLS_MAX + 1);
	REFUSED(q.sectors = 0);
	REFUSED(q.sectors = 33);
	REFUSED(q.corr_market_pm = 601);
	REFUSED(q.corr_sector_pm = 1001);
	REFUSED(q.trades_mhz = q.quotes_mhz = 0);
	REFUSED(q.price_tick_e9 = 0);
	REFUSED(q.volatility_bp = 100001);
	REFUSED(q.faults.late_ppm = q.faults.poison_ppm = 600000);
	REFUSED(q.faults.gap_ns = -1);
	REFUSED(q.start_ns = -1);
	REFUSED(q.source = "SIM");
	REFUSED((q.has_sessions = true, q.session_end_s = q.session_start_s));
	REFUSED((q.n_symbols = 1, q.names = lower));
#undef REFUSED
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_seed_makes_one_sequence_bit_for_bit),
		cmocka_unit_test(arrivals_never_go_back_and_names_fit),
		cmocka_unit_test(every_fault_is_counted_as_it_comes),
		cmocka_unit_test(
			a_halted_symbol_is_silent_until_it_says_that_it_trades),
		cmocka_unit_test(a_session_is_kept_in_its_zone_across_summer_time),
		cmocka_unit_test(trading_is_busy_at_both_ends_of_the_session),
		cmocka_unit_test(minute_returns_correlate_and_move_as_configured),
		cmocka_unit_test(zipf_lets_the_first_symbols_tick_most),
		cmocka_unit_test(numbers_by_chance_have_their_moments),
		cmocka_unit_test(parameters_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
