/*
 * lexicon - words and what they weigh.
 *
 * A table from a lower-case word to its valence, about -4 (worst) to +4 (best), and,
 * beside it, phrases: several words that weigh something together.  Filled once from
 * text, then only read; nothing here opens a file.  In a phrase `*` stands for up to
 * LEXICON_GAP words of any kind ("raises * guidance" finds "raises full-year
 * guidance").
 *
 * A later line for the same word wins.  A valence of 0 takes a word out: it is not in
 * the lexicon any more, so that a boost before it counts (semantics B.11).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEXICON_PHRASE_MAX 6  /* words of a phrase, `*` included */
#define LEXICON_GAP        3  /* words that a `*` may pass over */
#define LEXICON_WORD_MAX   64 /* bytes of the longest word */
#define LEXICON_WORDS_MAX  65536

struct lexicon_phrase {
	struct {
		uint32_t at, len; /* its bytes: lexicon_phrase_word_is() */
	} word[LEXICON_PHRASE_MAX];
	unsigned n;
	double valence;
	uint32_t next; /* 1 + the next phrase with the same first word; 0: none */
};

struct lexicon;

struct lexicon *lexicon_new(void);
void lexicon_free(struct lexicon *l);

/** -E2BIG when there are too many words or one is too long; @word is copied. */
int lexicon_put(struct lexicon *l, const char *word, size_t len, double valence);
/**
 * The lines of VADER's own file: word, tab, mean valence, and more columns that are
 * not used.  -EINVAL with the line's number when one is not like that.
 */
int lexicon_read_vader(struct lexicon *l, const char *text, size_t len);
/**
 * Lines of ours: word or phrase, tab, valence; `#` begins a comment, an empty line
 * says nothing.  Words of a phrase are parted by one blank.  -EINVAL as above.
 */
int lexicon_read(struct lexicon *l, const char *text, size_t len);

/** The valence of the lower-case @word; false when it is not there or weighs 0. */
bool lexicon_find(const struct lexicon *l, const char *word, size_t len, double *out);
/** The phrases that begin with @word, the last read first; NULL: none. */
const struct lexicon_phrase *lexicon_phrases(const struct lexicon *l, const char *word,
					     size_t len);
const struct lexicon_phrase *lexicon_phrase_next(const struct lexicon *l,
						 const struct lexicon_phrase *p);
/** Is word @i of @p, which is below p->n, @word? */
bool lexicon_phrase_word_is(const struct lexicon *l, const struct lexicon_phrase *p,
			    unsigned i, const char *word, size_t len);
/** How many there are, for who prints it. */
size_t lexicon_words(const struct lexicon *l);
size_t lexicon_phrases_n(const struct lexicon *l);
