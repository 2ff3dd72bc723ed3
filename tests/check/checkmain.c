/*
 * checkmain - the invariant checker for scripts.
 *
 *	tickbus_check [--log STATE_DIR] [--looked] CHRONICLE
 *
 * Reads a chronicle (chronicle_file.h), takes the log from the store in STATE_DIR,
 *which no daemon may have open, and prints one line per breach.  Exit code 0: all is
 *well; 1: not; 2: it could not be judged.  --looked tells how much each rule had to
 *look at.
 */
#include "base/clock.h"
#include "base/err.h"
#include "bus/symtab.h"
#include "store/tickstore.h"
#include "tests/check/check.h"
#include "tests/check/chronicle_file.h"
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 65536u
#define SOURCES_MAX 256u

static void take_names(struct chronicle *c, const struct symtab *symbols,
		       const struct symtab *sources)
{
	for (uint32_t i = 0; i < symtab_count(symbols); i++)
		chronicle_symbol(c, i, symtab_name(symbols, i));
	for (uint32_t i = 1; i < symtab_count(sources); i++)
		chronicle_source(c, i, symtab_name(sources, i));
}

static int take_records(struct chronicle *c, struct tickstore *ts)
{
	struct chronicle_record r = {.pos = 1};
	uint32_t n, producer;
	int rc;

	while ((rc = tickstore_read(ts, r.pos, 1, &r.rec, &r.pos, &n)) == 0 && n == 1) {
		r.producer = CHRONICLE_DAEMON;
		r.seq = 0;
		if (tickstore_origin(ts, r.pos, &producer, &r.seq) == 0)
			r.producer = chronicle_producer(
				c, tickstore_producer_name(ts, producer));
		chronicle_record(c, &r);
		r.pos++;
	}
	return rc;
}

static int take_log(struct chronicle *c, const char *dir)
{
	const struct store_params params = {.dir = dir, .ballast_bytes = 65536};
	struct symtab *symbols = NULL, *sources = NULL;
	struct tickstore *ts = NULL;
	int rc = symtab_new(SYMBOLS_MAX, 0, &symbols);

	role_assert_store();
	if (rc == 0)
		rc = symtab_new(SOURCES_MAX, 1, &sources);
	if (rc == 0) {
		const struct store_names a = {symbols, symtab_add, symtab_name,
					      symtab_count, 0};
		const struct store_names b = {sources, symtab_add, symtab_name,
					      symtab_count, 1};

		rc = tickstore_open(&params, &a, &b, clock_wall_ns(), &ts);
	}
	if (rc == 0) {
		rc = take_records(c, ts);
		take_names(c, symbols, sources);
	}
	(void)tickstore_close(ts);
	symtab_free(symbols);
	symtab_free(sources);
	return rc < 0 || rc == STORE_GONE ? -1 : 0;
}

static int judge(const struct chronicle *c, bool looked)
{
	struct check_report r = {0};
	bool is_bad;

	check_chronicle(c, &r);
	is_bad = r.total > 0;
	for (int i = 0; looked && i < CHECK_N; i++)
		printf("%-9s looked at %8llu: %s\n", check_name((enum check_rule)i),
		       (unsigned long long)r.looked[i],
		       check_sentence((enum check_rule)i));
	if (is_bad)
		printf("%s%u breaches\n", buf_text(&r.text), r.total);
	check_report_free(&r);
	return is_bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *dir = NULL, *path = NULL, *why = NULL;
	static struct chronicle c;
	bool looked = false;
	size_t line;
	FILE *in;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--log") == 0 && i + 1 < argc)
			dir = argv[++i];
		else if (strcmp(argv[i], "--looked") == 0)
			looked = true;
		else
			path = argv[i];
	}
	in = path != NULL ? fopen(path, "r") : NULL;
	if (in == NULL) {
		fprintf(stderr, "usage: tickbus_check [--log STATE_DIR] [--looked] "
				"CHRONICLE\n");
		return 2;
	}
	chronicle_init(&c);
	line = chronicle_read(in, &c, &why);
	(void)fclose(in);
	if (line > 0) {
		fprintf(stderr, "%s:%zu: %s\n", path, line, why);
		return 2;
	}
	if (dir != NULL && take_log(&c, dir) < 0) {
		fprintf(stderr, "%s: %s\n", dir, err_text());
		return 2;
	}
	rc = judge(&c, looked);
	chronicle_free(&c);
	return rc;
}
