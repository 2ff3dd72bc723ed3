/* Any bytes as columns of bars: what is read is written and read again as the same. */
#include "proto/barcols.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_scan s = {.at = (const char *)data,
			      .end = (const char *)data + size};
	struct buf bars = {0}, text = {0}, again = {0};
	struct json_token t;
	struct jsonw w;

	if (json_scan_value(&s, &t) && barcols_read(&t, &bars) == 0) {
		jsonw_init(&w, &text);
		barcols_write(&w, NULL, (const struct hist_bar *)(void *)bars.data,
			      bars.len / sizeof(struct hist_bar));
		s = (struct json_scan){.at = (const char *)text.data,
				       .end = (const char *)text.data + text.len};
		if (!json_scan_value(&s, &t) || barcols_read(&t, &again) < 0 ||
		    again.len != bars.len ||
		    (bars.len > 0 && memcmp(again.data, bars.data, bars.len) != 0))
			abort();
	}
	buf_free(&bars);
	buf_free(&text);
	buf_free(&again);
	return 0;
}
