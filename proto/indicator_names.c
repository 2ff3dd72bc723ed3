/* indicator_names - what a block of indicators says of its values, see event.h. */
#include "base/jsonw.h"
#include "proto/event_json.h"
#include <string.h>

/*
 * Where we are in a block, in one word: which value, where its spec begins in the text,
 * and where its output.  All below 256, as the text is.
 */
#define AT_VALUE(at)  ((at)&0xff)
#define AT_SPEC(at)   ((at) >> 8 & 0xff)
#define AT_OUTPUT(at) ((at) >> 16 & 0xff) /* 0: the spec's first */
_Static_assert(INDICATOR_NAMES < 256 && INDICATOR_VALUES < 256,
	       "three bytes of a word");

static size_t until(const char *text, size_t from, size_t end, const char *stop)
{
	while (from < end && strchr(stop, text[from]) == NULL)
		from++;
	return from;
}

bool event_indicator_next(const struct event_indicators *e, uint32_t *io_at,
			  struct indicator_value *out)
{
	const char *text = e->names;
	size_t end = strnlen(text, INDICATOR_NAMES);
	size_t value = AT_VALUE(*io_at), spec = AT_SPEC(*io_at);
	size_t output = AT_OUTPUT(*io_at), stop, next;

	if (value == INDICATOR_VALUES || spec >= end)
		return false;
	stop = until(text, spec, end, ": ");
	*out = (struct indicator_value){
		.spec = text + spec, .spec_len = stop - spec, .value = e->value[value]};
	next = stop;
	if (stop < end && text[stop] == ':') {
		output = output == 0 ? stop + 1 : output;
		next = until(text, output, end, ", ");
		out->output = text + output;
		out->output_len = next - output;
	}
	if (next < end && text[next] == ',')
		*io_at = (uint32_t)(value + 1) | (uint32_t)spec << 8 |
			 (uint32_t)(next + 1) << 16;
	else
		*io_at = (uint32_t)(value + 1) | (uint32_t)(next + 1) << 8;
	return true;
}

void event_indicators_json(struct buf *out, const struct event_tier1 *e)
{
	struct event_indicators block;
	struct indicator_value v;
	const char *open = NULL; /* the spec whose object is not closed */
	uint32_t at = 0;
	struct jsonw w;

	memcpy(&block, e, sizeof(block));
	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	while (event_indicator_next(&block, &at, &v)) {
		char spec[INDICATOR_NAMES + 1] = {0}, output[INDICATOR_NAMES + 1] = {0};

		memcpy(spec, v.spec, v.spec_len);
		if (open != NULL && open != v.spec)
			jsonw_end(&w);
		if (v.output == NULL) {
			jsonw_f64(&w, spec, v.value);
			open = NULL;
			continue;
		}
		memcpy(output, v.output, v.output_len);
		if (open != v.spec)
			jsonw_object(&w, spec);
		jsonw_f64(&w, output, v.value);
		open = v.spec;
	}
	if (open != NULL)
		jsonw_end(&w);
	jsonw_end(&w);
}
