/*
 * analysis_line_fuzz - any bytes as the progress of a job, whole and in two pieces: the
 * same rows, with reasons that can be shown.
 */
#include "base/utf8.h"
#include "daemon/analysis_line.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t rows;
	uint64_t sum;
};

static int look(void *arg, const struct analysis_line *l)
{
	struct seen *s = arg;
	size_t len = strlen(l->reason);

	if (l->row == 0 || (len > 0) != (l->word == ROW_FAILED))
		abort();
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(l->reason + i, len - i);

		if (n == 0 || (unsigned char)l->reason[i] < ' ')
			abort();
		i += n;
	}
	s->rows++;
	s->sum = s->sum * 31 + l->row * 4 + l->word;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct analysis_lines whole = {.n = 0}, pieces = {.n = 0};
	struct seen a = {0}, b = {0};
	size_t cut = size / 2;
	int rc = analysis_lines_take(&whole, text, size, look, &a);
	int rc2 = analysis_lines_take(&pieces, text, cut, look, &b);

	if (rc2 == 0)
		rc2 = analysis_lines_take(&pieces, text + cut, size - cut, look, &b);
	if (rc != rc2 || a.rows != b.rows || a.sum != b.sum)
		abort();
	return 0;
}
