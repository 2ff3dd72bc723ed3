/*
 * csv_fuzz - any bytes as a file of ticks.  Every line is a tick or is reported, and
 * its number never falls; the first byte chooses the mapping.
 */
#include "feeds/csv.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_tick(void *arg, const struct feed_tick *t)
{
	(void)arg;
	if (t->rec.type != RECORD_TICK ||
	    !symbol_valid(t->symbol, symbol_field_len(t->symbol, SYMBOL_MAX)))
		abort();
	return 0;
}

static int on_bad(void *arg, uint64_t line, const char *why)
{
	uint64_t *last = arg;

	if (line < *last || *why == 0 || strlen(why) >= FEED_WHY_MAX)
		abort();
	*last = line;
	return 0;
}

static const char *const columns[] = {NULL, "time=0,symbol=1,bid=2,ask=3",
				      "time=t,symbol=s,price=p,size=q"};
static const char *const times[] = {"auto", "ms@2014-05-05@-05:00", "local", "ns"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t last = 0;
	struct feed_sink sink = {.arg = &last, .tick = on_tick, .bad = on_bad};
	unsigned choice = size > 0 ? data[0] : 0;
	int fd = memfd_create("fuzz", MFD_CLOEXEC), rc;
	struct lines *l = NULL;
	struct csv *reader = NULL;
	struct mapping m;

	if (size == 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1) ||
	    lseek(fd, 0, SEEK_SET) != 0) {
		(void)close(fd);
		return 0;
	}
	mapping_init(&m);
	if (columns[choice % 3] && (mapping_columns(&m, columns[choice % 3]) < 0 ||
				    mapping_constants(&m, "source=x") < 0))
		abort();
	if (mapping_time(&m, times[choice / 3 % 4]) < 0)
		abort();
	if (lines_open_fd(fd, 256, &l) == 0) {
		if (csv_new(l, &m, &reader) < 0)
			abort();
		do
			rc = csv_step(reader, &sink, 7);
		while (rc == 0);
		if (rc == FEED_END &&
		    csv_counts(reader)->lines !=
			    csv_counts(reader)->ticks + csv_counts(reader)->bad)
			abort();
		csv_free(reader);
		lines_close(l);
	}
	mapping_deinit(&m);
	return 0;
}
