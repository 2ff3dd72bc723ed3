/*
 * sentiment_join - finance: what several words say together becomes one word.
 *
 * Numbers first: a figure with a percent sign is looked up as `<pct>`, or `<+pct>` and
 * `<-pct>` when it carries a sign, other figures as `<num>`; so the lexicon can hold
 * "up <pct>" and need not know any figure.  Then phrases, from left to right; of those
 * that begin at a word the one that covers most, and of these the one with most words.
 * The words of a phrase weigh nothing but together: its first carries the valence.
 *
 * "$0.65 vs $0.43 Est" is a phrase that must be reckoned: above what was expected is
 * good.  A figure in brackets is a loss.
 */
#include "analysis/sentiment_parts.h"
#include <string.h>

static bool is_figure(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == ',';
}

/* The name under which a figure is looked up; NULL: @w is none. */
static const char *figure(const struct sentiment_word *w)
{
	const char *s = w->text, *end = w->text + w->len;
	char sign = *s == '+' || *s == '-' ? *s++ : ' ';
	size_t digits = 0;

	if (s < end && *s == '$')
		s++;
	for (; s < end && is_figure(*s); s++)
		digits += *s >= '0' && *s <= '9';
	if (digits == 0)
		return NULL;
	if (end - s == 1 && *s == '%')
		return sign == '+' ? "<+pct>" : sign == '-' ? "<-pct>" : "<pct>";
	/* $1.2B, 300M, 45c, 10x, 5bps and the like. */
	return end - s <= 3 ? "<num>" : NULL;
}

/* How many words from @at on @p covers, at its shortest; 0: it does not stand there. */
static size_t covers(const struct sentiment *s, const struct lexicon_phrase *p,
		     size_t at)
{
	size_t i = at + 1;

	for (unsigned k = 1; k < p->n; k++) {
		bool gap = lexicon_phrase_word_is(s->lexicon, p, k, "*", 1);
		size_t last = i + (gap ? LEXICON_GAP : 0);

		k += gap;
		while (i < s->n && i <= last &&
		       !lexicon_phrase_word_is(s->lexicon, p, k, s->words[i].lower,
					       s->words[i].len))
			i++;
		if (i >= s->n || i > last)
			return 0;
		i++;
	}
	return i - at;
}

static const struct lexicon_phrase *longest(const struct sentiment *s, size_t at,
					    size_t *out)
{
	const struct sentiment_word *w = &s->words[at];
	const struct lexicon_phrase *p = lexicon_phrases(s->lexicon, w->lower, w->len);
	const struct lexicon_phrase *best = NULL;
	size_t most = 0;

	for (; p != NULL; p = lexicon_phrase_next(s->lexicon, p)) {
		size_t n = covers(s, p, at);

		if (n > most || (n > 0 && n == most && p->n > best->n)) {
			most = n;
			best = p;
		}
	}
	*out = most;
	return best;
}

/* The valence of a result beyond or short of what was expected. */
#define REPORTED 2.0

/* The value of a figure with its unit; false: a unit that is not known. */
static bool value_of(const struct sentiment_word *w, double *out)
{
	const char *s = w->text, *end = s + w->text_len;
	double value = 0, unit = 1, sign = w->is_bracketed ? -1 : 1;
	bool is_fraction = false;

	for (; s < end && !(*s >= '0' && *s <= '9') && *s != '.'; s++)
		if (*s == '-')
			sign = -1;
	for (; s < end && is_figure(*s); s++) {
		if (*s == '.')
			is_fraction = true;
		if (*s == '.' || *s == ',')
			continue;
		value = value * 10 + (*s - '0');
		if (is_fraction)
			unit /= 10;
	}
	if (end - s > 1)
		return false;
	if (s < end) {
		const char *units = "KkMmBbTt", *u = strchr(units, *s);

		if (u == NULL || *u == '\0')
			return false;
		for (long i = (u - units) / 2; i >= 0; i--)
			unit *= 1000;
	}
	*out = sign * value * unit;
	return true;
}

static bool is_any(const struct sentiment_word *w, const char *const *names)
{
	while (*names != NULL && !sentiment_word_is(w, *names))
		names++;
	return *names != NULL;
}

/* FIGURE vs FIGURE est: 4 words, and the valence; else 0. */
static size_t reported(const struct sentiment *s, size_t at, double *valence)
{
	static const char *const versus[] = {"vs", "versus", NULL};
	static const char *const expected[] = {"est",       "estimate", "estimates",
					       "consensus", "expected", NULL};
	const struct sentiment_word *w = &s->words[at];
	double is, was;

	if (s->n - at < 4 || !sentiment_word_is(w, "<num>") || !is_any(w + 1, versus) ||
	    !sentiment_word_is(w + 2, "<num>") || !is_any(w + 3, expected) ||
	    !value_of(w, &is) || !value_of(w + 2, &was))
		return 0;
	*valence = is > was ? REPORTED : is < was ? -REPORTED : 0;
	return 4;
}

static void name_figures(struct sentiment *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct sentiment_word *w = &s->words[i];
		const char *name = figure(w);

		if (name == NULL)
			continue;
		w->text_len = w->len;
		w->lower = w->match = name;
		w->len = (uint32_t)strlen(name);
		w->is_upper = false;
		w->is_known = lexicon_find(s->lexicon, name, w->len, &w->valence);
	}
}

/* What is said at @at: its words, and the valence; 1 and nothing else: no phrase. */
static size_t said(const struct sentiment *s, size_t at, bool *is_phrase,
		   double *valence)
{
	const struct lexicon_phrase *p;
	size_t n = reported(s, at, valence);

	*is_phrase = true;
	if (n > 0)
		return n;
	p = longest(s, at, &n);
	*is_phrase = p != NULL;
	if (p == NULL)
		return 1;
	*valence = p->valence;
	return n;
}

void sentiment_join(struct sentiment *s)
{
	size_t kept = 0, n;

	name_figures(s);
	for (size_t i = 0; i < s->n; i += n, kept++) {
		bool is_phrase;
		double valence = 0;

		n = said(s, i, &is_phrase, &valence);
		s->words[kept] = s->words[i];
		if (!is_phrase)
			continue;
		s->words[kept].is_known = valence != 0;
		s->words[kept].is_booster = false;
		s->words[kept].negates = false;
		s->words[kept].is_upper = false;
		s->words[kept].valence = valence;
	}
	s->n = kept;
}
