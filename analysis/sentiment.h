/*
 * sentiment - how good or bad a headline sounds, by the rules of VADER (Hutto and
 * Gilbert 2014; semantics B.11) and a lexicon.
 *
 * Flavours:
 *
 *	finance   what tickbus publishes: our supplement over VADER's lexicon (or alone,
 *	          where that is not installed), phrases, percentages, and none of the
 *	          reference's slips
 *	vader     the npm package vader-sentiment 1.1.3, slips and all
 *	vader-py  cjhutto/vaderSentiment as coded, slips and all, but for emoji, whose
 *	          descriptions are not in the package
 *
 * The two references differ: the port looks for negations, "so", "this" and fixed
 * phrases in their own case, drops words of one letter, knows fewer boosters, and has
 * neither "without doubt" nor the rule of "no"; it weighs "never so" by 1.5; it follows
 * "but" by place where the original goes by value.
 *
 * Pure: the score is a function of text, flavour and lexicon.  A scorer holds the room
 * for its words: one thread at a time.
 */
#pragma once
#include "analysis/lexicon.h"

#define SENTIMENT_TEXT_MAX    4096 /* bytes of a headline */
#define SENTIMENT_VERSION_MAX 32

enum sentiment_flavour {
	SENTIMENT_FINANCE = 0,
	SENTIMENT_VADER,
	SENTIMENT_VADER_PY,
	SENTIMENT_FLAVOURS,
};

/** The authors' thresholds: above is positive, below minus it is negative. */
#define SENTIMENT_THRESHOLD 0.05

struct sentiment_score {
	double compound;      /* -1 .. 1, four decimals */
	double pos, neu, neg; /* shares, three decimals; all 0 for a text of no word */
};

struct sentiment;

/** "finance", "vader", "vader-py"; SENTIMENT_FLAVOURS when it is none of them. */
enum sentiment_flavour sentiment_flavour_parse(const char *name);
const char *sentiment_flavour_name(enum sentiment_flavour f);

/**
 * A scorer.  @vader is the text of VADER's lexicon (vader_lexicon.txt), NULL where
 * there is none: then only `finance` can be had, and -ENOENT says so.
 */
int sentiment_new(enum sentiment_flavour flavour, const char *vader, size_t vader_len,
		  struct sentiment **out);
void sentiment_free(struct sentiment *s);

/** Score @len bytes of UTF-8; -E2BIG when longer than SENTIMENT_TEXT_MAX. */
int sentiment_score(struct sentiment *s, const char *text, size_t len,
		    struct sentiment_score *out);

/**
 * Which words and rules made a score: "finance-1+vader.0123456789abcdef", the name and
 * 16 hex digits of SHA-256 over everything a score depends on but the text.
 */
const char *sentiment_lexicon_version(const struct sentiment *s);
/** The lexicon inside, for who counts its words. */
const struct lexicon *sentiment_lexicon(const struct sentiment *s);
/** "positive", "negative" or "neutral", by SENTIMENT_THRESHOLD. */
const char *sentiment_label(double compound);
