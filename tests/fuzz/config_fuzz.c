/*
 * config_fuzz - any bytes as a configuration: refused with a place, or accepted; and
 * what is accepted prints as something that reads back the same.
 */
#include "daemon/config.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors *errs = malloc(sizeof(*errs));
	struct buf text = {0};
	struct config c, again;

	if (config_parse((const char *)data, size, &c, errs) != 0) {
		if (errs->n == 0)
			abort();
		free(errs);
		return 0;
	}
	config_print(&c, &text);
	if (config_parse(buf_text(&text), text.len, &again, errs) != 0)
		abort();
	if (config_diff(&c, &again, NULL, 0) != 0 || c.n_meta != again.n_meta ||
	    params_hash(&c.derive) != params_hash(&again.derive))
		abort();
	config_deinit(&again);
	config_deinit(&c);
	buf_free(&text);
	free(errs);
	return 0;
}
