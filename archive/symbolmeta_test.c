/* symbolmeta_test - what is known of symbols joins into one table. */
#include "archive/archive_test.h"
#include "archive/symbolmeta.h"
#include "base/err.h"
#include <errno.h>

static struct symbolmeta of(const char *symbol, const char *key, const char *value)
{
	struct symbolmeta m;

	assert_int_equal(symbolmeta_make(symbol, key, value, &m), 0);
	return m;
}

static size_t put(const char *dir, const struct symbolmeta *m, size_t n)
{
	char tmp[400];
	size_t symbols = 0;

	snprintf(tmp, sizeof(tmp), "%s/new", dir);
	assert_int_equal(symbolmeta_put(dir, tmp, m, n, &symbols), 0);
	return symbols;
}

static void text_of(const char *dir, char out[500])
{
	char path[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/metadata/symbols.csv", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	out[fread(out, 1, 499, f)] = '\0';
	fclose(f);
}

static void the_later_word_counts_and_an_empty_one_forgets(void **state)
{
	const struct symbolmeta first[] = {of("MSFT", "sector", "Technology"),
					   of("MSFT", "name", "Microsoft, Corp"),
					   of("BRK/B", "market_cap", "large")};
	const struct symbolmeta later[] = {of("MSFT", "sector", "Software"),
					   of("AAPL", "sector", "Technology"),
					   of("BRK/B", "market_cap", "")};
	char text[500];

	assert_int_equal(put(*state, first, 3), 2);
	text_of(*state, text);
	assert_string_equal(text, "symbol,market_cap,name,sector\nBRK/B,large,,\n"
				  "MSFT,,\"Microsoft, Corp\",Technology\n");
	assert_int_equal(put(*state, later, 3), 2);
	assert_int_equal(put(*state, later, 3), 2);
	text_of(*state, text);
	assert_string_equal(text, "symbol,name,sector\nAAPL,,Technology\n"
				  "MSFT,\"Microsoft, Corp\",Software\n");
}

static void what_does_not_fit_into_a_table_is_refused(void **state)
{
	static const char *const bad[][4] = {{"a b", "sector", "x", "no symbol"},
					     {"A", "symbol", "x", "no key"},
					     {"A", "", "x", "no key"},
					     {"A", "Sector", "x", "no key"},
					     {"A", "sector", "a\"b", "quotes"},
					     {"A", "sector", "a\nb", "line ends"}};
	struct symbolmeta m = of("A", "sector", "x");
	char path[400];
	char tmp[400];
	size_t n;
	FILE *f;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(symbolmeta_make(bad[i][0], bad[i][1], bad[i][2], &m),
				 -EINVAL);
		assert_non_null(strstr(err_text(), bad[i][3]));
	}
	put(*state, &m, 1);
	snprintf(path, sizeof(path), "%s/metadata/symbols.csv", (char *)*state);
	snprintf(tmp, sizeof(tmp), "%s/new", (char *)*state);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs("B,x,y\n", f);
	fclose(f);
	assert_true(symbolmeta_put(*state, tmp, &m, 1, &n) < 0);
	assert_non_null(strstr(err_text(), "symbols.csv"));
}

#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, test_dir, test_dir_gone)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIR(the_later_word_counts_and_an_empty_one_forgets),
		IN_DIR(what_does_not_fit_into_a_table_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
