/*
 * sentiment_fuzz - any bytes as a headline, and as a lexicon.  A score is in its bounds
 * and the same a second time; a lexicon is read or refused with a sentence.  The first
 * byte chooses the flavour.
 */
#include "analysis/sentiment.h"
#include "base/err.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char words[] = "good\t1.9\nbad\t-2.5\nno\t-1.2\nkiss\t1.8\n:)\t2\n";

static struct sentiment *scorers[SENTIMENT_FLAVOURS];

static void check(const struct sentiment_score *s)
{
	double sum = s->pos + s->neu + s->neg;

	if (!(fabs(s->compound) <= 1) || s->pos < 0 || s->neu < 0 || s->neg < 0 ||
	    (sum != 0 && !(fabs(sum - 1) < 0.002)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sentiment_score one, two;
	struct lexicon *l;
	struct sentiment *s;
	const char *text = (const char *)data + 1;
	unsigned f;

	if (size == 0)
		return 0;
	f = data[0] % SENTIMENT_FLAVOURS;
	if (scorers[f] == NULL && sentiment_new((enum sentiment_flavour)f, words,
						sizeof(words) - 1, &scorers[f]) < 0)
		abort();
	s = scorers[f];
	if (sentiment_score(s, text, size - 1, &one) == 0) {
		check(&one);
		if (sentiment_score(s, text, size - 1, &two) != 0 ||
		    memcmp(&one, &two, sizeof(one)) != 0)
			abort();
	} else if (size - 1 <= SENTIMENT_TEXT_MAX) {
		abort();
	}
	l = lexicon_new();
	if (l == NULL)
		abort();
	if (lexicon_read(l, text, size - 1) < 0 && *err_text() == '\0')
		abort();
	(void)lexicon_phrases(l, text, size - 1);
	lexicon_free(l);
	return 0;
}
