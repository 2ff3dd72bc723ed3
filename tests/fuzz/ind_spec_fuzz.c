/*
 * ind_spec_fuzz - any text as an indicator.  It is refused with a sentence, or its
 * printed form is the same indicator again; and some bars go through what was asked.
 */
#include "analysis/ind.h"
#include "base/err.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BARS 64

/* The same text must be the same indicator, bit for bit. */
static void round_trip(const struct ind_spec *s)
{
	char text[IND_TEXT_MAX], again_text[IND_TEXT_MAX];
	struct ind_spec again;

	ind_print(s, text);
	if (ind_parse(text, &again) < 0 || again.def != s->def ||
	    again.flavour != s->flavour ||
	    memcmp(again.param, s->param, sizeof(s->param)) != 0)
		abort();
	ind_print(&again, again_text);
	if (strcmp(text, again_text) != 0)
		abort();
}

static void run(const struct ind_spec *s)
{
	double value[IND_OUTPUTS_MAX];
	struct ind *ind;

	if (ind_new(s, &ind) < 0)
		abort();
	for (int i = 1; i <= BARS; i++) {
		double x = 100.0 + i % 7;
		const struct ind_bar bar = {x,
					    x + 1.0,
					    x - 1.0,
					    x + 0.5,
					    i % 5,
					    1e-4,
					    i * INT64_C(60000000000)};

		ind_step(ind, &bar, value);
	}
	ind_free(ind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ind_spec spec;
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (ind_parse(text, &spec) == 0) {
		round_trip(&spec);
		run(&spec);
	} else if (*err_text() == '\0') {
		abort();
	}
	free(text);
	return 0;
}
