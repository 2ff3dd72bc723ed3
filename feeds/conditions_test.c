/* conditions_test - permissions by letter, tape, number and hour. */
#include "base/timetext.h"
#include "feeds/conditions.h"
#include "proto/record.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void letters_forbid_what_the_tapes_say(void **state)
{
	const char *volume = "MQ9", *price = "CHIMNQRTUVW79", *last = "4GPZ";

	(void)state;
	for (int c = 0; c < 256; c++) {
		unsigned f = conditions_letter('C', (char)c, true);
		bool no_price = c && c < 128 && strchr(price, c);

		assert_int_equal(f & TICK_NO_VOLUME ? 1 : 0,
				 c && c < 128 && strchr(volume, c) ? 1 : 0);
		assert_int_equal(f & TICK_NO_RANGE ? 1 : 0, no_price);
		assert_int_equal(f & TICK_NO_LAST ? 1 : 0,
				 no_price || (c && c < 128 && strchr(last, c)));
	}
}

static void one_letter_may_mean_two_things(void **state)
{
	(void)state;
	assert_int_equal(conditions_letter('A', 'B', true),
			 TICK_NO_LAST | TICK_NO_RANGE);
	assert_int_equal(conditions_letter('B', 'B', true),
			 TICK_NO_LAST | TICK_NO_RANGE);
	assert_int_equal(conditions_letter('C', 'B', true), 0);
}

static void form_t_forbids_during_regular_hours_alone(void **state)
{
	(void)state;
	assert_int_equal(conditions_letter('C', 'T', true),
			 TICK_NO_LAST | TICK_NO_RANGE);
	assert_int_equal(conditions_letter('C', 'T', false), 0);
	assert_int_equal(conditions_letter('C', 'I', false),
			 TICK_NO_LAST | TICK_NO_RANGE);
}

static void numbers_mean_the_same_letters(void **state)
{
	static const struct {
		unsigned number;
		char letter;
	} same[] = {{2, 'W'},  {5, 'G'},  {7, 'C'},  {10, '4'}, {12, 'T'}, {13, 'U'},
		    {15, 'M'}, {16, 'Q'}, {20, 'N'}, {21, 'H'}, {22, 'P'}, {29, 'R'},
		    {33, 'Z'}, {37, 'I'}, {38, '9'}, {52, 'V'}, {53, '7'}};
	unsigned forbidding = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		for (int regular = 0; regular < 2; regular++)
			assert_int_equal(
				conditions_number(3, same[i].number, regular),
				conditions_letter('C', same[i].letter, regular));
	for (uint64_t n = 0; n < 300; n++)
		forbidding += conditions_number(3, n, true) != 0;
	assert_int_equal(forbidding, 18); /* 32 means Z as well */
	assert_int_equal(conditions_number(3, UINT64_MAX, true), 0);
}

static bool regular(const struct tz *tz, const char *text)
{
	int64_t ns;

	assert_int_equal(timetext_parse(text, strlen(text), &ns), 0);
	return conditions_is_regular(tz, ns);
}

static void regular_hours_are_those_of_new_york(void **state)
{
	struct tz *tz = NULL;

	(void)state;
	assert_int_equal(tz_load("America/New_York", &tz), 0);
	assert_false(regular(tz, "2024-01-02T14:29:59.999999999Z"));
	assert_true(regular(tz, "2024-01-02T14:30:00Z"));
	assert_true(regular(tz, "2024-01-02T20:59:59.999999999Z"));
	assert_false(regular(tz, "2024-01-02T21:00:00Z"));
	assert_true(regular(tz, "2024-07-02T13:30:00Z"));
	assert_false(regular(tz, "2024-07-02T20:00:00Z"));
	assert_false(regular(tz, "1969-07-02T20:00:00.5Z"));
	tz_free(tz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_forbid_what_the_tapes_say),
		cmocka_unit_test(one_letter_may_mean_two_things),
		cmocka_unit_test(form_t_forbids_during_regular_hours_alone),
		cmocka_unit_test(numbers_mean_the_same_letters),
		cmocka_unit_test(regular_hours_are_those_of_new_york),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
