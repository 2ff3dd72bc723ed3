/*
 * dbn_run - what our reader makes of a file, line by line, for dbn_oracle.py:
 *
 *	dbn_run FILE               DBN, as it is or in zstd
 *	dbn_run --fragment FILE    records without metadata
 *	dbn_run --csv FILE         the same rows as CSV
 */
#include "base/err.h"
#include "feeds/dbn_text.h"
#include "feeds/input.h"
#include "feeds/zst.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (64u << 20)

static void number(int64_t v)
{
	if (v == VALUE_NULL)
		printf(" -");
	else
		printf(" %lld", (long long)v);
}

static int on_tick(void *arg, const struct feed_tick *t)
{
	const struct record *r = &t->rec;

	(void)arg;
	printf("tick %.*s", SYMBOL_MAX, t->symbol);
	number(r->event_ns);
	number(t->arrival_ns);
	number(r->price_e9);
	number(r->size_e8);
	number(r->bid_e9);
	number(r->ask_e9);
	number(r->bid_size_e8);
	number(r->ask_size_e8);
	printf(" %llu %u\n", (unsigned long long)r->source_seq, record_flags(r));
	return 0;
}

static int on_bar(void *arg, const struct dbn_bar *b)
{
	(void)arg;
	printf("bar %u %.*s", b->step_s, SYMBOL_MAX, b->symbol);
	number(b->bar.start_ns);
	number(b->bar.open_e9);
	number(b->bar.high_e9);
	number(b->bar.low_e9);
	number(b->bar.close_e9);
	number(b->bar.volume_e8);
	printf("\n");
	return 0;
}

static int on_message(void *arg, const struct dbn_message *m)
{
	(void)arg;
	printf("message %d %u %s\n", m->is_error, m->code, m->text);
	return 0;
}

static int on_bad(void *arg, uint64_t record, const char *why)
{
	(void)arg;
	printf("bad %llu %s\n", (unsigned long long)record, why);
	return 0;
}

static const struct dbn_sink sink = {
	.tick = on_tick, .bar = on_bar, .message = on_message, .bad = on_bad};

static int read_zstd(struct dbn *d, const void *in, size_t len)
{
	const void *out;
	size_t n = 0, used;
	struct zst *z;
	int rc = zst_new(FILE_MAX, &z);

	while (rc == 0 && (n > 0 || len > 0)) {
		rc = zst_step(z, &in, &len, &out, &n);
		if (rc == 0)
			rc = dbn_read(d, &sink, out, n, &used);
	}
	if (rc == 0)
		rc = zst_end(z);
	zst_free(z);
	return rc;
}

static int read_dbn(struct dbn *d, const char *data, size_t len)
{
	size_t used;
	int rc = zst_is(data, len) ? read_zstd(d, data, len)
				   : dbn_read(d, &sink, data, len, &used);

	return rc == 0 ? dbn_end(d) : rc;
}

int main(int argc, char **argv)
{
	const char *option = argc == 3 ? argv[1] : "";
	bool is_csv = strcmp(option, "--csv") == 0;
	struct dbn_params p = {.take = DBN_TICKS | DBN_BARS,
			       .is_fragment = *option != 0};
	char *data = malloc(FILE_MAX), schema[16];
	int fd = argc > 1 ? input_open(argv[argc - 1]) : -1;
	size_t len = 0, n = 1;
	struct dbn *d;
	int rc;

	if (!data || fd < 0)
		return 2;
	while (n > 0 && len < FILE_MAX &&
	       input_read(fd, data + len, FILE_MAX - len, &n) == 0)
		len += n;
	(void)close(fd);
	if (dbn_new(&p, &d) < 0)
		return 2;
	rc = is_csv ? dbn_text_csv(d, &sink, true, data, len) : read_dbn(d, data, len);
	printf("meta %u %s %s\n", dbn_metadata(d)->version,
	       dbn_schema_name(dbn_metadata(d)->schema, schema),
	       dbn_metadata(d)->dataset);
	for (unsigned k = 0; k < 256; k++)
		if (dbn_count_of(d, (uint8_t)k) > 0)
			printf("count %u %llu\n", k,
			       (unsigned long long)dbn_count_of(d, (uint8_t)k));
	printf("end %d %s\n", rc, rc < 0 ? err_text() : "");
	dbn_free(d);
	free(data);
	return 0;
}
