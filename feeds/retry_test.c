/* retry_test - the table of what is asked again, and the waits. */
#include "base/clock.h"
#include "feeds/feed_test.h"
#include "feeds/retry.h"
#include <errno.h>

#define S NS_PER_S
/* 2026-11-26T15:00:00Z */
#define WALL (INT64_C(1795705200) * S)

static const struct retry_policy policy = {
	.attempts = 6, .wait_max_ns = 300 * S, .backoff_ns = S / 2};
static struct rng chance;

static struct retry_decision decide(enum vendor_verdict v, uint32_t attempt,
				    uint32_t garbled, const char *after,
				    const char *reset)
{
	struct retry_case c = {v, attempt, garbled, after, reset, WALL};
	struct retry_decision d;

	retry_decide(&policy, &c, &chance, &d);
	return d;
}

static void every_status_has_the_verdict_of_the_table(void **state)
{
	(void)state;
	for (long status = 100; status < 600; status++) {
		bool again = status == 408 || status == 425 || status == 500 ||
			     (status >= 502 && status <= 504);
		enum vendor_verdict v = retry_status(status);

		assert_int_equal(v == VENDOR_RETRY, again);
		assert_int_equal(v == VENDOR_LIMITED, status == 429);
		assert_int_equal(v == VENDOR_AUTH, status == 401);
		assert_int_equal(v == VENDOR_FORBIDDEN, status == 403);
	}
	assert_int_equal(retry_error(-ETIMEDOUT), VENDOR_RETRY);
	assert_int_equal(retry_error(-ECONNRESET), VENDOR_RETRY);
	assert_int_equal(retry_error(-ECONNREFUSED), VENDOR_RETRY);
	assert_int_equal(retry_error(-EHOSTUNREACH), VENDOR_RETRY);
	assert_int_equal(retry_error(-EBADMSG), VENDOR_GARBLED);
	assert_int_equal(retry_error(-EACCES), VENDOR_REFUSED);
	assert_int_equal(retry_error(-EPERM), VENDOR_REFUSED);
	assert_int_equal(retry_error(-EFBIG), VENDOR_REFUSED);
}

static void what_is_final_is_never_asked_again(void **state)
{
	static const enum vendor_verdict final[] = {VENDOR_REFUSED, VENDOR_UNKNOWN,
						    VENDOR_AUTH, VENDOR_FORBIDDEN};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(decide(final[i], 1, 0, "1", "").action, RETRY_NEVER);
}

static void attempts_are_bounded_and_a_garbled_answer_has_one_more(void **state)
{
	(void)state;
	assert_int_equal(decide(VENDOR_RETRY, 5, 0, "", "").action, RETRY_AFTER);
	assert_int_equal(decide(VENDOR_RETRY, 6, 0, "", "").action, RETRY_GIVE_UP);
	assert_int_equal(decide(VENDOR_LIMITED, 6, 0, "1", "").action, RETRY_GIVE_UP);
	assert_int_equal(decide(VENDOR_GARBLED, 1, 1, "", "").action, RETRY_AFTER);
	assert_int_equal(decide(VENDOR_GARBLED, 2, 2, "", "").action, RETRY_GIVE_UP);
	/* A 500 before does not use up the one. */
	assert_int_equal(decide(VENDOR_GARBLED, 3, 1, "", "").action, RETRY_AFTER);
}

static void waits_double_within_their_bounds_and_differ(void **state)
{
	int64_t last = 0;
	bool differ = false;

	(void)state;
	rng_seed(&chance, 1);
	for (uint32_t attempt = 1; attempt <= 5; attempt++) {
		int64_t full = policy.backoff_ns << (attempt - 1);

		for (int i = 0; i < 100; i++) {
			int64_t w = decide(VENDOR_RETRY, attempt, 0, "", "").wait_ns;

			assert_true(w >= full / 2 && w < full);
			differ = differ || (last != 0 && w != last);
			last = w;
			w = decide(VENDOR_LIMITED, attempt, 0, "", "").wait_ns;
			assert_true(w >= 4 * full && w < 8 * full);
		}
	}
	assert_true(differ);
}

static void the_vendors_word_counts_in_its_order(void **state)
{
	struct retry_decision d;

	(void)state;
	d = decide(VENDOR_LIMITED, 1, 0, "7", "1795705260");
	assert_int_equal(d.wait_ns, 7 * S);
	assert_true(d.told);
	d = decide(VENDOR_LIMITED, 1, 0, "", "1795705260");
	assert_int_equal(d.wait_ns, 60 * S);
	d = decide(VENDOR_LIMITED, 1, 0, "soon", "1795705260");
	assert_int_equal(d.wait_ns, 60 * S);
	/* A 500 carries the time of the next reset, too: it means nothing there. */
	d = decide(VENDOR_RETRY, 1, 0, "", "1795705260");
	assert_false(d.told);
	assert_true(d.wait_ns < S);
	d = decide(VENDOR_RETRY, 1, 0, "2", "");
	assert_int_equal(d.wait_ns, 2 * S);
}

static void ten_hours_are_not_waited_for(void **state)
{
	struct retry_decision d = decide(VENDOR_LIMITED, 1, 0, "36000", "");

	(void)state;
	assert_int_equal(d.action, RETRY_TOO_LONG);
	assert_int_equal(d.wait_ns, 36000 * S);
	d = decide(VENDOR_LIMITED, 1, 0, "99999999999999999999999999", "");
	assert_int_equal(d.action, RETRY_TOO_LONG);
	assert_int_equal(decide(VENDOR_LIMITED, 1, 0, "300", "").action, RETRY_AFTER);
}

static void retry_after_is_read_in_all_its_forms(void **state)
{
	static const struct {
		const char *text;
		int rc;
		int64_t s;
	} cases[] = {
		{"0", 0, 0},
		{"120", 0, 120},
		{"Thu, 26 Nov 2026 15:00:02 GMT", 0, 2},
		{"Thursday, 26-Nov-26 15:00:02 GMT", 0, 2},
		{"Thu Nov 26 15:00:02 2026", 0, 2},
		{"Thu, 26 Nov 2026 14:00:00 GMT", 0, 0},
		{"", 1, 0},
		{"-5", 1, 0},
		{"5s", 1, 0},
		{"1.5", 1, 0},
		{"soon", 1, 0},
		{"Thu, 26 Nov 2026 15:00:02 CET", 1, 0},
		{"Thu, 26 Nov 2026", 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t wait = 0;

		if (retry_after(cases[i].text, WALL, &wait) != cases[i].rc)
			fail_msg("'%s' was taken for something else", cases[i].text);
		if (cases[i].rc == 0)
			assert_int_equal(wait, cases[i].s * S);
	}
}

static void reset_is_read_with_and_without_a_fraction(void **state)
{
	int64_t wait = -1;

	(void)state;
	assert_int_equal(retry_reset("1795705210", WALL, &wait), 0);
	assert_int_equal(wait, 10 * S);
	assert_int_equal(retry_reset("1795705210.25", WALL, &wait), 0);
	assert_int_equal(wait, 11 * S);
	assert_int_equal(retry_reset("1", WALL, &wait), 0);
	assert_int_equal(wait, 0);
	assert_int_equal(retry_reset("", WALL, &wait), 1);
	assert_int_equal(retry_reset("12x", WALL, &wait), 1);
	assert_int_equal(retry_reset("-12", WALL, &wait), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_the_verdict_of_the_table),
		cmocka_unit_test(what_is_final_is_never_asked_again),
		cmocka_unit_test(
			attempts_are_bounded_and_a_garbled_answer_has_one_more),
		cmocka_unit_test(waits_double_within_their_bounds_and_differ),
		cmocka_unit_test(the_vendors_word_counts_in_its_order),
		cmocka_unit_test(ten_hours_are_not_waited_for),
		cmocka_unit_test(retry_after_is_read_in_all_its_forms),
		cmocka_unit_test(reset_is_read_with_and_without_a_fraction),
	};

	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
