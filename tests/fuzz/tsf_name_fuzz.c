/*
 * tsf_name_fuzz - any number as a feature's place, any text as the word for a set or a
 * flavour.  Byte 0 is the set, bytes 1 to 4 are the place, the rest is the word.
 */
#include "analysis/tsf.h"
#include "base/err.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A feature has a name of its set; beyond the last there is none. */
static void name_of(enum tsf_set set, uint32_t place)
{
	char name[TSF_NAME_MAX], small[TSF_NAME_MAX];

	memset(name, 'x', sizeof(name));
	tsf_name(set, place, name);
	if (memchr(name, '\0', sizeof(name)) == NULL ||
	    (name[0] != '\0') != (place < tsf_count(set)))
		abort();
	if (place < TSF_MINIMAL_COUNT) {
		tsf_name(TSF_MINIMAL, place, small);
		if (strstr(small, "__") != NULL)
			abort(); /* the minimal ones have no parameters */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum tsf_set set;
	enum tsf_flavour flavour;
	uint32_t place;
	char *word;

	if (size < 5)
		return 0;
	memcpy(&place, data + 1, sizeof(place));
	set = (enum tsf_set)(data[0] % (TSF_COMPREHENSIVE + 1));
	name_of(set, place);
	name_of(set, place % (TSF_COMPREHENSIVE_COUNT + 2));
	/* Not strndup(): under strict_string_checks it reads its text to a zero byte.
	 */
	word = calloc(1, size - 4);
	if (word == NULL)
		abort();
	memcpy(word, data + 5, size - 5);
	if (tsf_set_parse(word, &set) == 0 && set > TSF_COMPREHENSIVE)
		abort();
	if (tsf_flavour_parse(word, &flavour) < 0 && *err_text() == '\0')
		abort();
	free(word);
	return 0;
}
