/* config_units - "64MiB" and "250ms" to integers and back; 0, or 1 with a reason. */
#pragma once
#include <stdint.h>

#define CONFIG_WHY       200
#define CONFIG_UNIT_TEXT 32

/** "off" is 0 where @min is 0. */
int config_bytes_parse(const char *s, int64_t min, int64_t max, int64_t *out,
		       char why[CONFIG_WHY]);
int config_duration_parse(const char *s, int64_t min, int64_t max, int64_t *out,
			  char why[CONFIG_WHY]);
/** In the largest unit that divides it. */
void config_bytes_print(uint64_t v, char out[CONFIG_UNIT_TEXT]);
void config_duration_print(int64_t ns, char out[CONFIG_UNIT_TEXT]);
