/* render_test - tables, lines and CSV from JSON, and answers that are not what we
 * think. */
#include "cli/query.h"
#include "cli/render.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

static struct json_token token(const char *text)
{
	struct json_scan scan = {.at = text, .end = text + strlen(text)};
	struct json_token t;

	assert_true(json_scan_value(&scan, &t));
	return t;
}

enum how { VALUE, TABLE, CSV, CSV_BARE };

static void assert_shown(enum how how, const char *json, const char *want)
{
	struct json_token t = token(json);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	if (how == VALUE)
		render_value(out, &t);
	else if (how == TABLE)
		(void)render_table(out, &t);
	else
		(void)render_csv(out, &t, how == CSV);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static void an_object_is_lines_with_dotted_names(void **state)
{
	(void)state;
	assert_shown(VALUE,
		     "{\"state\":\"ready\",\"store\":{\"last_pos\":7,\"dead\":false},"
		     "\"alarm\":null,\"tags\":[\"a\",2]}",
		     "state           ready\n"
		     "store.last_pos  7\n"
		     "store.dead      false\n"
		     "alarm           -\n"
		     "tags            a 2\n");
	assert_shown(VALUE, "\"plain\"", "plain\n");
	assert_shown(VALUE, "[1,2]", "1 2\n");
	assert_shown(VALUE, "{}", "");
}

static void an_array_of_objects_is_a_table(void **state)
{
	(void)state;
	assert_shown(TABLE,
		     "[{\"symbol\":\"A\",\"n\":5},{\"symbol\":\"LONG\",\"n\":12345,"
		     "\"x\":1}]",
		     "symbol      n  x\n"
		     "A           5   \n"
		     "LONG    12345  1\n");
	assert_shown(TABLE, "[]", "");
	assert_shown(VALUE, "{\"n\":1,\"rows\":[{\"a\":2}]}", "n  1\n\nrows:\na\n2\n");
}

static void csv_quotes_what_would_break_it(void **state)
{
	(void)state;
	assert_shown(
		CSV,
		"[{\"a\":\"x,y\",\"b\":null},{\"a\":\"say \\\"no\\\"\",\"b\":1.5}]",
		"a,b\n\"x,y\",\n\"say \"\"no\"\"\",1.5\n");
	assert_shown(CSV_BARE, "[{\"a\":1}]", "1\n");
}

static void foreign_text_cannot_move_the_cursor(void **state)
{
	(void)state;
	assert_shown(VALUE, "{\"text\":\"a\\u001b[2Jb\\nc\"}", "text  a?[2Jb?c\n");
}

static void members_are_found_among_nested_ones(void **state)
{
	struct json_token t = token("{\"a\":{\"b\":1},\"b\":[2,3],\"c\":\"4\"}"), v;

	(void)state;
	assert_true(query_member(&t, "b", &v));
	assert_int_equal(v.type, JSON_ARRAY);
	assert_true(query_member(&t, "c", &v));
	assert_true(query_number(&v, -1.0) == 4.0);
	assert_false(query_member(&t, "d", &v));
	v = token("true");
	assert_true(query_number(&v, -1.0) == -1.0);
	assert_false(query_member(&v, "d", &t));
}

static void rows_are_the_only_array_of_an_object(void **state)
{
	struct json_token t = token("{\"symbols\":[1],\"done\":true}"), rows;

	(void)state;
	rows = query_rows(&t);
	assert_int_equal(rows.type, JSON_ARRAY);
	t = token("{\"a\":[1],\"b\":[2]}");
	rows = query_rows(&t);
	assert_int_equal(rows.type, JSON_OBJECT);
}

static void a_text_is_told_from_a_name_by_its_lines(void **state)
{
	struct json_token t = token("{\"path\":\"x\",\"yaml\":\"a: 1\\nb: 2\\n\"}"),
			  text;
	char *shown = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&shown, &len);

	(void)state;
	assert_true(query_find_text(&t, &text));
	query_print_text(out, &text);
	fclose(out);
	assert_string_equal(shown, "a: 1\nb: 2\n");
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_is_lines_with_dotted_names),
		cmocka_unit_test(an_array_of_objects_is_a_table),
		cmocka_unit_test(csv_quotes_what_would_break_it),
		cmocka_unit_test(foreign_text_cannot_move_the_cursor),
		cmocka_unit_test(members_are_found_among_nested_ones),
		cmocka_unit_test(rows_are_the_only_array_of_an_object),
		cmocka_unit_test(a_text_is_told_from_a_name_by_its_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
