/* pipeframe_fuzz - a stream of frames, and the texts in them as a question's keys. */
#include "archive/enquiry.h"
#include "archive/pipeframe.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void ask(const struct json *doc)
{
	const struct json *m = NULL;
	const char *key;
	struct enquiry q;

	enquiry_init(&q);
	while ((m = json_next(doc, m, &key)) != NULL)
		if (enquiry_set(&q, key, json_str(m, "")) < 0 && !err_text()[0])
			abort(); /* an error without a sentence */
	if (q.n_symbols > ENQUIRY_SYMBOLS_MAX || q.n_fields > ENQUIRY_FIELDS_MAX)
		abort();
	for (size_t i = 0; i < q.n_symbols; i++)
		if (!symbol_valid(q.symbols[i], strlen(q.symbols[i])))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pipeframe f;
	size_t at = 0;
	size_t used;
	int rc;

	for (;;) {
		rc = pipeframe_take(data + at, size - at, &used, &f);
		if (rc == PIPEFRAME_END && at != size)
			abort(); /* the end is the end */
		if (used == 0 || (rc < 0 && rc != -EINVAL))
			return 0;
		at += used;
		if (rc < 0)
			continue;
		if (!json_is_object(f.doc) || (uintptr_t)f.bulk % 16 != 0)
			abort();
		ask(f.doc);
		pipeframe_free(&f);
	}
}
