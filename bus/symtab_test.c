/* symtab - names get dense ids, once, and any thread may look. */
#include "bus/check_test.h"
#include "bus/symtab.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void ids_are_dense_in_order_of_arrival(void **state)
{
	struct symtab *t;
	uint32_t id;
	int fresh;

	(void)state;
	assert_int_equal(symtab_new(4, 0, &t), 0);
	assert_int_equal(symtab_add(t, "AAPL", 4, &id, &fresh), 0);
	assert_int_equal(id, 0);
	assert_int_equal(fresh, 1);
	assert_int_equal(symtab_add(t, "MSFT", 4, &id, &fresh), 0);
	assert_int_equal(id, 1);
	assert_int_equal(symtab_add(t, "AAPL", 4, &id, &fresh), 0);
	assert_int_equal(id, 0);
	assert_int_equal(fresh, 0);
	assert_int_equal(symtab_count(t), 2);
	assert_string_equal(symtab_name(t, 1), "MSFT");
	symtab_free(t);
}

static void the_first_id_is_chosen_and_ids_below_it_have_no_name(void **state)
{
	struct symtab *t;
	uint32_t id;
	int fresh;

	(void)state;
	assert_int_equal(symtab_new(4, 1, &t), 0);
	assert_int_equal(symtab_count(t), 1);
	assert_int_equal(symtab_add(t, "sim", 3, &id, &fresh), 0);
	assert_int_equal(id, 1);
	assert_string_equal(symtab_name(t, 0), "");
	assert_string_equal(symtab_name(t, 1), "sim");
	assert_string_equal(symtab_name(t, 2), "");
	assert_string_equal(symtab_name(t, UINT32_MAX), "");
	symtab_free(t);
}

static void a_full_table_refuses_new_names_and_still_finds_old_ones(void **state)
{
	struct symtab *t;
	char name[16];
	uint32_t id;
	int fresh;

	(void)state;
	assert_int_equal(symtab_new(100, 0, &t), 0);
	for (int i = 0; i < 100; i++) {
		int n = snprintf(name, sizeof(name), "S%d", i);

		assert_int_equal(symtab_add(t, name, (size_t)n, &id, &fresh), 0);
		assert_int_equal(id, i);
	}
	id = 77;
	assert_int_equal(symtab_add(t, "ONE-MORE", 8, &id, &fresh), SYMTAB_FULL);
	assert_int_equal(id, 77);
	assert_int_equal(symtab_find(t, "ONE-MORE", 8, &id), SYMTAB_UNKNOWN);
	assert_int_equal(symtab_find(t, "S99", 3, &id), 0);
	assert_int_equal(id, 99);
	symtab_free(t);
}

static void a_name_of_32_characters_is_whole_and_33_are_refused(void **state)
{
	const char *name = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456";
	struct symtab *t;
	uint32_t id;
	int fresh;

	(void)state;
	assert_int_equal(symtab_new(4, 0, &t), 0);
	assert_int_equal(symtab_add(t, name, 33, &id, &fresh), -EINVAL);
	assert_int_equal(symtab_add(t, name, 0, &id, &fresh), -EINVAL);
	assert_int_equal(symtab_find(t, name, 33, &id), SYMTAB_UNKNOWN);
	assert_int_equal(symtab_add(t, name, 32, &id, &fresh), 0);
	assert_int_equal(strlen(symtab_name(t, id)), 32);
	assert_int_equal(symtab_add(t, name, 31, &id, &fresh), 0);
	assert_int_equal(fresh, 1);
	symtab_free(t);
}

static void an_impossible_table_is_refused(void **state)
{
	struct symtab *t = NULL;

	(void)state;
	assert_int_equal(symtab_new(0, 0, &t), -EINVAL);
	assert_int_equal(symtab_new(UINT32_MAX, 0, &t), -EINVAL);
	assert_null(t);
	symtab_free(NULL);
}

#define MANY 20000

static void *look_up_while_it_grows(void *arg)
{
	const struct symtab *t = arg;
	uint64_t wrong = 0;
	uint32_t count = 0;

	while (count < MANY) {
		count = symtab_count(t);
		for (uint32_t i = count > 50 ? count - 50 : 0; i < count; i++) {
			const char *name = symtab_name(t, i);
			uint32_t id = UINT32_MAX;

			wrong +=
				symtab_find(t, name, strlen(name), &id) != 0 || id != i;
		}
	}
	return (void *)(uintptr_t)wrong;
}

static void a_reader_finds_every_name_below_the_count(void **state)
{
	struct symtab *t;
	pthread_t reader;
	void *wrong;
	char name[16];
	uint32_t id;
	int fresh;

	(void)state;
	assert_int_equal(symtab_new(MANY, 0, &t), 0);
	check_thread(&reader, look_up_while_it_grows, t);
	for (int i = 0; i < MANY; i++) {
		int n = snprintf(name, sizeof(name), "SYM%d", i);

		assert_int_equal(symtab_add(t, name, (size_t)n, &id, &fresh), 0);
	}
	pthread_join(reader, &wrong);
	assert_null(wrong);
	symtab_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_dense_in_order_of_arrival),
		cmocka_unit_test(the_first_id_is_chosen_and_ids_below_it_have_no_name),
		cmocka_unit_test(
			a_full_table_refuses_new_names_and_still_finds_old_ones),
		cmocka_unit_test(a_name_of_32_characters_is_whole_and_33_are_refused),
		cmocka_unit_test(an_impossible_table_is_refused),
		cmocka_unit_test(a_reader_finds_every_name_below_the_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
