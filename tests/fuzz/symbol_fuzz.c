/* Any text as a file name: what unescapes is a symbol, and escapes back to it. */
#include "proto/symbol.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[128] = {0}, back[3 * SYMBOL_MAX + 1];
	char symbol[SYMBOL_MAX + 1];

	if (symbol_valid((const char *)data, size)) {
		(void)symbol_path((const char *)data, size, back);
		if (strchr(back, '/') || back[0] == '.' ||
		    !symbol_unpath(back, symbol) || strlen(symbol) != size ||
		    memcmp(symbol, data, size) != 0)
			abort();
	}
	memcpy(path, data, size < sizeof(path) - 1 ? size : sizeof(path) - 1);
	if (!symbol_unpath(path, symbol))
		return 0;
	(void)symbol_path(symbol, strlen(symbol), back);
	if (strcmp(path, back) != 0)
		abort();
	return 0;
}
