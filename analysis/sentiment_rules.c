/* sentiment_rules - the fixed words of the rules, and how the flavours differ. */
#include "analysis/sentiment_parts.h"
#include "base/err.h"
#include <errno.h>
#include <string.h>

#define BOOST 0.293

/* Degree words.  What the port does not know stands after the gap. */
static const char *const more[] = {"absolutely",   "amazingly",
				   "awfully",      "completely",
				   "considerably", "decidedly",
				   "deeply",       "effing",
				   "enormously",   "entirely",
				   "especially",   "exceptionally",
				   "extremely",    "fabulously",
				   "flipping",     "flippin",
				   "fricking",     "frickin",
				   "frigging",     "friggin",
				   "fully",        "fucking",
				   "greatly",      "hella",
				   "highly",       "hugely",
				   "incredibly",   "intensely",
				   "majorly",      "more",
				   "most",         "particularly",
				   "purely",       "quite",
				   "really",       "remarkably",
				   "so",           "substantially",
				   "thoroughly",   "totally",
				   "tremendously", "uber",
				   "unbelievably", "unusually",
				   "utterly",      "very",
				   NULL,           "considerable",
				   "enormous",     "exceptional",
				   "extreme",      "frackin",
				   "fracking",     "fuckin",
				   "fuggin",       "fugging",
				   "incredible",   "major",
				   "total",        "tremendous",
				   "utter",        NULL};
static const char *const less[] = {
	"almost",   "barely",     "hardly",     "kinda",        "kindof",  "kind-of",
	"less",     "little",     "marginally", "occasionally", "partly",  "scarcely",
	"slightly", "somewhat",   "sorta",      "sortof",       "sort-of", NULL,
	"marginal", "occasional", "scarce",     "slight",       NULL};
/* Those with n't are found by it. */
static const char *const negations[] = {
	"aint",   "arent",   "cannot",  "cant",    "couldnt", "darent",   "didnt",
	"doesnt", "dont",    "hadnt",   "hasnt",   "havent",  "isnt",     "mightnt",
	"mustnt", "neither", "neednt",  "never",   "none",    "nope",     "nor",
	"not",    "nothing", "nowhere", "oughtnt", "shant",   "shouldnt", "uhuh",
	"uh-uh",  "wasnt",   "werent",  "without", "wont",    "wouldnt",  "rarely",
	"seldom", "despite", NULL};

static const char *const port_idioms[] = {
	"the shit",        "the bomb",      "bad ass",       "yeah right",
	"cut the mustard", "kiss of death", "hand to mouth", NULL};
static const double port_valences[] = {3, 3, 1.5, -2, 2, -1.5, -2};
static const char *const idioms[] = {"the shit",      "the bomb",   "bad ass",
				     "badass",        "bus stop",   "yeah right",
				     "kiss of death", "to die for", "beating heart",
				     "broken heart",  NULL};
static const double idiom_valences[] = {3, 3, 1.5, 1.5, 0, -2, -1.5, 3, 3.1, -2.9};

const struct sentiment_rules sentiment_rules[SENTIMENT_FLAVOURS] = {
	[SENTIMENT_FINANCE] = {.name = "finance",
			       .ignores_case = true,
			       .has_no = true,
			       .all_boosters = true,
			       .never_so = 1.25,
			       .idioms = idioms,
			       .idiom_valence = idiom_valences},
	[SENTIMENT_VADER] = {.name = "vader",
			     .port_words = true,
			     .slips = true,
			     .rounds_up = true,
			     .never_so = 1.5,
			     .idioms = port_idioms,
			     .idiom_valence = port_valences},
	[SENTIMENT_VADER_PY] = {.name = "vader-py",
				.ignores_case = true,
				.has_no = true,
				.slips = true,
				.but_by_value = true,
				.all_boosters = true,
				.never_so = 1.25,
				.idioms = idioms,
				.idiom_valence = idiom_valences},
};

static int put_all(struct lexicon *l, const char *const *words, bool both, double value)
{
	for (unsigned gaps = 0; gaps < 1u + both; words++) {
		int rc = 0;

		if (*words == NULL)
			gaps++;
		else
			rc = lexicon_put(l, *words, strlen(*words), value);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int sentiment_fill(struct sentiment *s)
{
	int rc;

	s->boosters = lexicon_new();
	s->negations = lexicon_new();
	if (s->boosters == NULL || s->negations == NULL)
		return err_set(-ENOMEM, "no memory for the words of a scorer");
	rc = put_all(s->boosters, more, s->rules->all_boosters, BOOST);
	if (rc == 0)
		rc = put_all(s->boosters, less, s->rules->all_boosters, -BOOST);
	if (rc == 0)
		rc = put_all(s->negations, negations, false, 1);
	return rc;
}
