/* symbol_file_test - lists of symbols as people keep them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "cli/symbol_file.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *file(const char *text)
{
	static char path[] = "symbol_file_test.XXXXXX";
	int fd;

	(void)snprintf(path, sizeof(path), "symbol_file_test.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(strlen(text), write(fd, text, strlen(text)));
	close(fd);
	return path;
}

/* The names with blanks between them. */
static void expect(struct buf *names, int rc, const char *want)
{
	assert_int_equal(0, rc);
	for (size_t i = 0; i + 1 < names->len; i++)
		if (names->data[i] == '\0')
			names->data[i] = ' ';
	assert_string_equal(want, names->len ? (const char *)names->data : "");
	buf_free(names);
}

static void csv(const char *text, const char *column, const char *want)
{
	struct buf names = {0};
	const char *path = file(text);

	expect(&names, symbol_file_csv(path, column, &names), want);
	unlink(path);
}

static void a_column_is_found_by_its_name_whatever_its_case(void **state)
{
	(void)state;
	csv("Symbol,Name\nAAPL,Apple\nMSFT,Microsoft\n", "Symbol", "AAPL MSFT");
	csv("Name,symbol\nApple, AAPL \n\nMicrosoft,MSFT", "Symbol", "AAPL MSFT");
	csv("\xef\xbb\xbfSymbol\r\nBRK.B\r\n", "Symbol", "BRK.B");
	csv("Symbol,Name\n", "Symbol", "");
}

static void quotes_hold_commas_quotes_and_line_ends(void **state)
{
	(void)state;
	csv("Name,Ticker\n\"Berkshire, \"\"B\"\"\",\"BRK.B\"\n\"two\nlines\",AAPL\n",
	    "Ticker", "BRK.B AAPL");
	/* A record that is too short has none. */
	csv("Name,Ticker\nonly\nx,AAPL\n", "Ticker", "AAPL");
}

static void a_column_that_is_not_there_is_told_with_those_that_are(void **state)
{
	struct buf names = {0};
	const char *path = file("Ticker,Name\nAAPL,Apple\n");

	(void)state;
	assert_int_equal(-EINVAL, symbol_file_csv(path, "Symbol", &names));
	assert_non_null(strstr(err_text(), "Ticker, Name"));
	unlink(path);
	path = file("");
	assert_int_equal(-EINVAL, symbol_file_csv(path, "Symbol", &names));
	unlink(path);
	assert_int_equal(-ENOENT, symbol_file_csv("nowhere.csv", "Symbol", &names));
	buf_free(&names);
}

static void a_text_has_names_between_anything(void **state)
{
	struct buf names = {0};
	const char *path = file("# tech\nAAPL, MSFT\n\tTSLA # cars\n\nBRK.B");

	(void)state;
	expect(&names, symbol_file_text(path, &names), "AAPL MSFT TSLA BRK.B");
	unlink(path);
}

static void too_many_names_are_refused(void **state)
{
	struct buf text = {0}, names = {0};
	const char *path;

	(void)state;
	for (int i = 0; i <= SYMBOL_FILE_MAX; i++)
		buf_printf(&text, "S%d\n", i);
	path = file(buf_text(&text));
	assert_int_equal(-E2BIG, symbol_file_text(path, &names));
	unlink(path);
	buf_free(&text);
	buf_free(&names);
}

static void an_index_is_called_after_its_file(void **state)
{
	char name[32];

	(void)state;
	symbol_file_index("/x/sp500-2025.csv", name, sizeof(name));
	assert_string_equal("sp500_2025", name);
	symbol_file_index("My List.tar.gz", name, sizeof(name));
	assert_string_equal("my_list", name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_column_is_found_by_its_name_whatever_its_case),
		cmocka_unit_test(quotes_hold_commas_quotes_and_line_ends),
		cmocka_unit_test(
			a_column_that_is_not_there_is_told_with_those_that_are),
		cmocka_unit_test(a_text_has_names_between_anything),
		cmocka_unit_test(too_many_names_are_refused),
		cmocka_unit_test(an_index_is_called_after_its_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
