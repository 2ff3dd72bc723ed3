/*
 * sentiment_weigh - what each word weighs where it stands: VADER's rules (B.11).
 *
 * A word of the lexicon looks at the three words before it, nearest first.  One that is
 * in the lexicon itself is passed over; another may boost (less from farther away),
 * negate, or, at the third step, complete a fixed phrase.  Then "least", and over the
 * whole text "but".
 */
#include "analysis/sentiment_parts.h"

#define CAPITALS 0.733
#define NEGATE   (-0.74)
#define LESS     (-0.293)

/* Are some words in capitals, but not all? */
static bool is_mixed(const struct sentiment *s)
{
	size_t upper = 0;

	for (size_t i = 0; i < s->n; i++)
		upper += s->words[i].is_upper;
	return upper > 0 && upper < s->n;
}

static bool lower_is(const struct sentiment_word *w, const char *text)
{
	struct sentiment_word lower = *w;

	lower.match = lower.lower;
	return sentiment_word_is(&lower, text);
}

static double boost(const struct sentiment_word *w, double valence, bool mixed)
{
	double b = w->boost;

	if (!w->is_booster)
		return 0;
	if (valence < 0)
		b *= -1;
	if (mixed && w->is_upper)
		b += valence > 0 ? CAPITALS : -CAPITALS;
	return b;
}

static bool is_so(const struct sentiment_word *w)
{
	return sentiment_word_is(w, "so") || sentiment_word_is(w, "this");
}

static double negate(const struct sentiment *s, size_t i, unsigned step, double valence)
{
	const struct sentiment_word *w = s->words + i;
	const struct sentiment_rules *r = s->rules;
	bool doubt = r->has_no &&
		     sentiment_word_is(w - (step == 0 ? 1 : step + 1), "without");

	if (step == 1) {
		if (sentiment_word_is(w - 2, "never") && is_so(w - 1))
			return valence * r->never_so;
		if (doubt && sentiment_word_is(w - 1, "doubt"))
			return valence;
	}
	if (step == 2) {
		bool never = sentiment_word_is(w - 3, "never");
		bool near = is_so(w - 1);

		/* The slip: "never" binds to the farther word alone. */
		if (r->slips ? (never && is_so(w - 2)) || near
			     : never && (is_so(w - 2) || near))
			return valence * 1.25;
		if (doubt && (sentiment_word_is(w - 2, "doubt") ||
			      sentiment_word_is(w - 1, "doubt")))
			return valence;
	}
	return w[-1 - (int)step].negates ? valence * NEGATE : valence;
}

static bool idiom(const struct sentiment *s, const struct sentiment_word *w, size_t n,
		  double *valence)
{
	for (size_t k = 0; s->rules->idioms[k] != NULL; k++)
		if (sentiment_spells(w, n, s->rules->idioms[k])) {
			*valence = s->rules->idiom_valence[k];
			return true;
		}
	return false;
}

static bool is_less(const struct sentiment_word *w)
{
	return sentiment_spells(w, 2, "kind of") || sentiment_spells(w, 2, "sort of") ||
	       sentiment_spells(w, 2, "just enough");
}

/* Fixed phrases around the word at @i, which has three before it. */
static double phrases(const struct sentiment *s, size_t i, double valence)
{
	const struct sentiment_word *w = s->words + i;

	(void)(idiom(s, w - 1, 2, &valence) || idiom(s, w - 2, 3, &valence) ||
	       idiom(s, w - 2, 2, &valence) || idiom(s, w - 3, 3, &valence) ||
	       idiom(s, w - 3, 2, &valence));
	if (s->n - 1 > i)
		(void)idiom(s, w, 2, &valence);
	if (s->n - 1 > i + 1)
		(void)idiom(s, w, 3, &valence);
	if (is_less(w - 3) || is_less(w - 2))
		valence += LESS;
	return valence;
}

static double least(const struct sentiment *s, size_t i, double valence)
{
	const struct sentiment_word *w = s->words + i;

	if (i == 0 || w[-1].is_known || !lower_is(w - 1, "least"))
		return valence;
	if (i > 1 && (lower_is(w - 2, "at") || lower_is(w - 2, "very")))
		return valence;
	return valence * NEGATE;
}

/* "no" before a word of the lexicon is a negation and nothing else. */
static double rule_of_no(const struct sentiment *s, size_t i, double valence)
{
	const struct sentiment_word *w = s->words + i;

	if (lower_is(w, "no") && i + 1 < s->n && w[1].is_known)
		valence = 0;
	if ((i > 0 && lower_is(w - 1, "no")) || (i > 1 && lower_is(w - 2, "no")) ||
	    (i > 2 && lower_is(w - 3, "no") &&
	     (lower_is(w - 1, "or") || lower_is(w - 1, "nor"))))
		valence = w->valence * NEGATE;
	return valence;
}

static double weigh(const struct sentiment *s, size_t i, bool mixed)
{
	static const double far[] = {1, 0.95, 0.9};
	const struct sentiment_word *w = s->words + i;
	double valence = w->valence;

	if (s->rules->has_no)
		valence = rule_of_no(s, i, valence);
	if (w->is_upper && mixed)
		valence += valence > 0 ? CAPITALS : -CAPITALS;
	for (unsigned step = 0; step < 3 && i > step; step++) {
		const struct sentiment_word *before = w - 1 - step;

		if (before->is_known)
			continue;
		valence += boost(before, valence, mixed) * far[step];
		valence = negate(s, i, step, valence);
		if (step == 2)
			valence = phrases(s, i, valence);
	}
	return least(s, i, valence);
}

/*
 * The original walks over the scores and looks each up by its value while it replaces
 * them, so it can find an equal one that stands earlier.
 */
static void but_by_value(struct sentiment *s, size_t but)
{
	for (size_t i = 0; i < s->n; i++) {
		size_t at = 0;

		while (s->scores[at] != s->scores[i])
			at++;
		if (at != but)
			s->scores[at] *= at < but ? 0.5 : 1.5;
	}
}

static void but_by_place(struct sentiment *s, size_t but)
{
	for (size_t i = 0; i < s->n; i++)
		if (i != but)
			s->scores[i] *= i < but ? 0.5 : 1.5;
}

/* The first word that is @text; s->n when there is none. */
static size_t first(const struct sentiment *s, const char *text)
{
	size_t i = 0;

	while (i < s->n && !sentiment_word_is(&s->words[i], text))
		i++;
	return i;
}

void sentiment_weigh(struct sentiment *s)
{
	bool mixed = is_mixed(s);
	size_t but;

	for (size_t i = 0; i < s->n; i++) {
		const struct sentiment_word *w = &s->words[i];
		bool is_kind =
			i + 1 < s->n && lower_is(w, "kind") && lower_is(w + 1, "of");

		s->scores[i] = is_kind || w->is_booster || !w->is_known
				       ? 0
				       : weigh(s, i, mixed);
	}
	but = first(s, "but");
	if (but == s->n)
		but = first(s, "BUT");
	if (but == s->n)
		return;
	if (s->rules->but_by_value)
		but_by_value(s, but);
	else
		but_by_place(s, but);
}
