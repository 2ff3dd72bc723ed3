/* Any bytes as a frame: opened or refused, and read to its end. */
#include "proto/frame.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union {
		struct event_tier1 tier1;
		struct event_bar bar;
		struct event_tier2 tier2;
		struct event_news news;
	} event;
	struct frame_view v;
	uint32_t n = 0;

	if (frame_open(data, size, &v) != 0)
		return 0;
	if (v.kind == EVENT_TIER2) {
		size_t need = frame_matrix_copy(&v, NULL, 0);
		uint8_t *copy = malloc(need);

		if (copy && frame_matrix_copy(&v, copy, need) != need)
			abort();
		free(copy);
	}
	while (frame_next(&v, &event) == 0)
		n++;
	if (n != v.n)
		abort();
	return 0;
}
