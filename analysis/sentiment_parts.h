/* sentiment_parts - what the files of the scorer share.  See sentiment.h. */
#pragma once
#include "analysis/sentiment.h"

#define SENTIMENT_WORDS_MAX (SENTIMENT_TEXT_MAX / 2 + 1)

/** One word of the text, with all that the rules ask of it. */
struct sentiment_word {
	const char *text; /* borrowed from the text */
	const char *lower;
	const char *match; /* the one that negations and phrases are looked for in */
	uint32_t len;
	uint32_t text_len; /* of a figure, whose other texts are its name */
	bool is_upper;     /* has capitals and no small letter (ASCII) */
	bool is_known;     /* in the lexicon */
	bool negates;
	bool is_bracketed; /* stands between ( and ): of a figure, a loss */
	bool is_booster;
	double valence;
	double boost;
};

/** In which ways the flavours differ (sentiment.h says why). */
struct sentiment_rules {
	const char *name;
	bool ignores_case; /* in negations, "never so" and phrases */
	bool port_words;   /* words as the port makes them */
	bool has_no;       /* the rule of "no"; and "without doubt" */
	bool slips;        /* "so" three words on, without "never" */
	bool but_by_value;
	bool rounds_up; /* ties away from zero, else to even */
	bool all_boosters;
	double never_so; /* two words before */
	const char *const *idioms;
	const double *idiom_valence;
};

struct sentiment {
	const struct sentiment_rules *rules;
	enum sentiment_flavour flavour;
	struct lexicon *lexicon;   /* owned */
	struct lexicon *boosters;  /* owned */
	struct lexicon *negations; /* owned */
	char version[SENTIMENT_VERSION_MAX + 1];
	size_t n;
	struct sentiment_word words[SENTIMENT_WORDS_MAX];
	double scores[SENTIMENT_WORDS_MAX];
	char lower[SENTIMENT_TEXT_MAX];
};

/** The words of @text, in s->words. */
void sentiment_split(struct sentiment *s, const char *text, size_t len);
/** finance: replace what phrases and percentages say by one word each. */
void sentiment_join(struct sentiment *s);
/** What each word weighs, in s->scores. */
void sentiment_weigh(struct sentiment *s);

extern const struct sentiment_rules sentiment_rules[SENTIMENT_FLAVOURS];
/** Boosters and negations of the flavour into s; -ENOMEM. */
int sentiment_fill(struct sentiment *s);

/** Is @w the word @text, in the case that the flavour looks at? */
bool sentiment_word_is(const struct sentiment_word *w, const char *text);
/** Do the @n words from @w spell @phrase, whose words are parted by one blank? */
bool sentiment_spells(const struct sentiment_word *w, size_t n, const char *phrase);
