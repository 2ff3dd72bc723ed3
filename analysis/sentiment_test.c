/*
 * sentiment_test - the golden values of semantics B.11 over the few words they need,
 * each quirk of each flavour, and what finance hears.  The whole of VADER's lexicon is
 * tested by sentiment_judge.py, where it is installed.
 */
#include "analysis/sentiment.h"
#include "base/err.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after what it needs */
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

static const char words[] =
	"smart\t1.7\nhandsome\t2.2\nfunny\t1.9\ngood\t1.9\nbad\t-2.5\n"
	"no\t-1.2\nshares\t1.2\nwarning\t-1.4\nprofit\t1.9\n"
	":)\t2.0\nfine\t0.8\t0.6\t[1, 1]\n";

static double compound(enum sentiment_flavour f, const char *text)
{
	struct sentiment_score score;
	struct sentiment *s;

	assert_int_equal(sentiment_new(f, words, sizeof(words) - 1, &s), 0);
	assert_int_equal(sentiment_score(s, text, strlen(text), &score), 0);
	sentiment_free(s);
	return score.compound;
}

static void check(enum sentiment_flavour f, const char *text, double expected)
{
	double is = compound(f, text);

	if (fabs(is - expected) > 1e-9)
		fail_msg("%s: \"%s\" is %.4f, not %.4f", sentiment_flavour_name(f),
			 text, is, expected);
}

static void the_golden_values_come_out(void **state)
{
	(void)state;
	for (enum sentiment_flavour f = SENTIMENT_VADER; f < SENTIMENT_FLAVOURS; f++) {
		check(f, "VADER is smart, handsome, and funny.", 0.8316);
		check(f, "VADER is smart, handsome, and funny!", 0.8439);
		check(f, "The book was good.", 0.4404);
		check(f, "good but bad", -0.5859);
	}
	check(SENTIMENT_VADER_PY, "Not bad at all", 0.431);
	check(SENTIMENT_VADER, "not bad at all", 0.431);
}

static void the_port_looks_for_negations_in_their_own_case(void **state)
{
	(void)state;
	check(SENTIMENT_VADER, "Not bad at all", -0.5423);
}

static void so_slips_in_without_never(void **state)
{
	(void)state;
	check(SENTIMENT_VADER_PY, "x y so good", 0.5777);
	check(SENTIMENT_VADER_PY, "x y really good", 0.4927);
	/* The port drops x and y; with longer words it slips as well. */
	check(SENTIMENT_VADER, "x y so good", 0.4927);
	check(SENTIMENT_VADER, "xx yy so good", 0.5777);
	check(SENTIMENT_FINANCE, "xx yy so good", 0.4927);
}

/* 1.4 and 2.1 after "but": the original looks the second up and finds the first. */
static void but_goes_by_value_in_the_original_alone(void **state)
{
	static const char own[] = "aa\t1.4\nbb\t2.1\n";
	static const double expected[SENTIMENT_FLAVOURS] = {
		[SENTIMENT_VADER] = 2.1 + 3.15, [SENTIMENT_VADER_PY] = 3.15 + 2.1};
	struct sentiment_score score;
	struct sentiment *s;

	(void)state;
	for (enum sentiment_flavour f = SENTIMENT_VADER; f < SENTIMENT_FLAVOURS; f++) {
		double sum = expected[f];

		assert_int_equal(sentiment_new(f, own, sizeof(own) - 1, &s), 0);
		assert_int_equal(sentiment_score(s, "but aa bb", 9, &score), 0);
		assert_true(fabs(score.compound - sum / sqrt(sum * sum + 15)) < 1e-4);
		/* Equal scores before and after: only by place is each its own. */
		assert_int_equal(sentiment_score(s, "aa but aa", 9, &score), 0);
		sum = 0.7 + 2.1;
		assert_true(fabs(score.compound - sum / sqrt(sum * sum + 15)) < 1e-4);
		assert_int_equal(sentiment_score(s, "aa aa but", 9, &score), 0);
		sum = 1.4;
		assert_true(fabs(score.compound - sum / sqrt(sum * sum + 15)) < 1e-4);
		assert_int_equal(sentiment_score(s, "bb but xx aa aa", 15, &score), 0);
		sum = 1.05 + 2.1 + 2.1;
		assert_true(fabs(score.compound - sum / sqrt(sum * sum + 15)) < 1e-4);
		/* 1.4 x 1.5 is 2.1: the later 2.1 finds it and scales it again. */
		assert_int_equal(sentiment_score(s, "xx but aa bb bb", 15, &score), 0);
		sum = f == SENTIMENT_VADER ? 2.1 + 3.15 + 3.15 : 3.15 + 3.15 + 2.1;
		assert_true(fabs(score.compound - sum / sqrt(sum * sum + 15)) < 1e-4);
		sentiment_free(s);
	}
}

static void no_turns_what_follows_in_the_original(void **state)
{
	(void)state;
	check(SENTIMENT_VADER_PY, "no good", -0.3412);
	check(SENTIMENT_VADER, "no good", 0.1779);
}

static void a_text_without_words_scores_nothing(void **state)
{
	(void)state;
	for (enum sentiment_flavour f = 0; f < SENTIMENT_FLAVOURS; f++) {
		check(f, "", 0);
		check(f, " \t\n ", 0);
		check(f, "!!!", 0);
		check(f, "but", 0);
		check(f, "\xff\xfe\x80", 0);
	}
}

static void a_headline_that_is_too_long_is_refused(void **state)
{
	static char text[SENTIMENT_TEXT_MAX + 1];
	struct sentiment_score score;
	struct sentiment *s;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? ' ' : '5';
	assert_int_equal(sentiment_new(SENTIMENT_FINANCE, NULL, 0, &s), 0);
	assert_int_equal(sentiment_score(s, text, sizeof(text) - 1, &score), 0);
	assert_int_equal(sentiment_score(s, text, sizeof(text), &score), -E2BIG);
	sentiment_free(s);
}

static void only_finance_works_without_the_lexicon_of_vader(void **state)
{
	struct sentiment *s;

	(void)state;
	assert_int_equal(sentiment_new(SENTIMENT_VADER, NULL, 0, &s), -ENOENT);
	assert_non_null(strstr(err_text(), "tools/setup-news"));
	assert_int_equal(sentiment_new(SENTIMENT_FINANCE, NULL, 0, &s), 0);
	assert_true(lexicon_words(sentiment_lexicon(s)) +
			    lexicon_phrases_n(sentiment_lexicon(s)) >=
		    300);
	sentiment_free(s);
}

static void finance_hears_what_vader_is_deaf_to(void **state)
{
	(void)state;
	assert_true(compound(SENTIMENT_VADER, "Shares plunge after profit warning") >
		    0);
	assert_true(compound(SENTIMENT_FINANCE, "Shares plunge after profit warning") <
		    -0.5);
	assert_true(compound(SENTIMENT_FINANCE, "Stock surges to record high") > 0.5);
	assert_true(compound(SENTIMENT_FINANCE, "Acme raises full-year guidance") >
		    0.3);
	assert_true(compound(SENTIMENT_FINANCE, "Acme down 4.5% in early trade") <
		    -0.3);
	assert_true(compound(SENTIMENT_FINANCE, "Acme +4%") > 0.2);
	check(SENTIMENT_FINANCE, "Acme shares", 0);
}

static void a_result_is_held_against_what_was_expected(void **state)
{
	static const char *const good[] = {"Acme Q3 EPS $0.65 vs $0.43 Est.",
					   "Sales $1.1B Vs $900.5M Estimate",
					   "Q1 EPS ($0.12) vs. ($0.15) Est",
					   "Sales $1,200K versus $1,199.9K expected"};
	static const char *const bad[] = {
		"Acme Q3 EPS $0.43 vs $0.65 Est.", "EPS ($0.15) vs $0.01 Est",
		"EPS -$0.15 vs $0.01 consensus", "Sales $900M vs $1.1B est"};
	static const char *const neutral[] = {"EPS $0.50 vs $0.5 Est",
					      "EPS $0.50 vs $0.40 YoY",
					      "Sales 5x vs 4M est"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(compound(SENTIMENT_FINANCE, good[i]) > 0.4);
		assert_true(compound(SENTIMENT_FINANCE, bad[i]) < -0.4);
	}
	for (size_t i = 0; i < 3; i++)
		check(SENTIMENT_FINANCE, neutral[i], 0);
}

static void the_version_names_lexicon_and_rules(void **state)
{
	struct sentiment *with, *without;

	(void)state;
	assert_int_equal(sentiment_new(SENTIMENT_FINANCE, NULL, 0, &without), 0);
	assert_int_equal(
		sentiment_new(SENTIMENT_FINANCE, words, sizeof(words) - 1, &with), 0);
	assert_string_not_equal(sentiment_lexicon_version(with),
				sentiment_lexicon_version(without));
	assert_memory_equal(sentiment_lexicon_version(without), "finance-1.", 10);
	assert_int_equal(strlen(sentiment_lexicon_version(with)),
			 strlen("finance-1+vader.") + 16);
	sentiment_free(with);
	sentiment_free(without);
}

static void a_lexicon_refuses_what_is_no_line_of_it(void **state)
{
	static const char *const bad[] = {
		"word\n",      "word 1\n",    "\t1\n",     "word\tx\n",
		"word\t1e9\n", "word\tnan\n", "a  b\t1\n", "a b c d e f g\t1\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct lexicon *l = lexicon_new();

		assert_int_equal(lexicon_read(l, bad[i], strlen(bad[i])), -EINVAL);
		lexicon_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_golden_values_come_out),
		cmocka_unit_test(the_port_looks_for_negations_in_their_own_case),
		cmocka_unit_test(so_slips_in_without_never),
		cmocka_unit_test(but_goes_by_value_in_the_original_alone),
		cmocka_unit_test(no_turns_what_follows_in_the_original),
		cmocka_unit_test(a_text_without_words_scores_nothing),
		cmocka_unit_test(a_headline_that_is_too_long_is_refused),
		cmocka_unit_test(only_finance_works_without_the_lexicon_of_vader),
		cmocka_unit_test(finance_hears_what_vader_is_deaf_to),
		cmocka_unit_test(a_result_is_held_against_what_was_expected),
		cmocka_unit_test(the_version_names_lexicon_and_rules),
		cmocka_unit_test(a_lexicon_refuses_what_is_no_line_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
