/* sentiment - see sentiment.h: the object, and a text's score from its words'. */
#include "analysis/sentiment.h"
#include "analysis/sentiment_parts.h"
#include "base/err.h"
#include "base/sha256.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Raised when the rules change: it goes into the version. */
#define RULES_VERSION "1"
#define ALPHA         15

/* share/lexicon/finance-1.tsv, as the build found it. */
static const char finance[] = {
#include "analysis/lexicon_finance.inc"
};

enum sentiment_flavour sentiment_flavour_parse(const char *name)
{
	unsigned f = 0;

	while (f < SENTIMENT_FLAVOURS && strcmp(sentiment_rules[f].name, name) != 0)
		f++;
	return (enum sentiment_flavour)f;
}

const char *sentiment_flavour_name(enum sentiment_flavour f)
{
	return sentiment_rules[f].name;
}

static void name_version(struct sentiment *s, const char *vader, size_t vader_len)
{
	bool is_finance = s->flavour == SENTIMENT_FINANCE;
	const char *name = !is_finance     ? s->rules->name
			   : vader != NULL ? "finance-1+vader"
					   : "finance-1";
	struct sha256 h;
	uint8_t sum[32];
	int n;

	sha256_init(&h);
	sha256_add(&h, RULES_VERSION, sizeof(RULES_VERSION));
	sha256_add(&h, name, strlen(name) + 1);
	if (is_finance)
		sha256_add(&h, finance, sizeof(finance));
	if (vader != NULL)
		sha256_add(&h, vader, vader_len);
	sha256_done(&h, sum);
	n = snprintf(s->version, sizeof(s->version), "%s.", name);
	for (unsigned i = 0; i < 8; i++)
		n += snprintf(s->version + n, sizeof(s->version) - (size_t)n, "%02x",
			      sum[i]);
}

int sentiment_new(enum sentiment_flavour flavour, const char *vader, size_t vader_len,
		  struct sentiment **out)
{
	struct sentiment *s;
	int rc;

	if (vader == NULL && flavour != SENTIMENT_FINANCE)
		return err_set(-ENOENT,
			       "flavour %s needs VADER's lexicon: run tools/setup-news",
			       sentiment_flavour_name(flavour));
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(-ENOMEM, "no memory for a scorer");
	s->rules = &sentiment_rules[flavour];
	s->flavour = flavour;
	s->lexicon = lexicon_new();
	rc = s->lexicon != NULL ? sentiment_fill(s)
				: err_set(-ENOMEM, "no memory for a lexicon");
	if (rc == 0 && vader != NULL)
		rc = lexicon_read_vader(s->lexicon, vader, vader_len);
	if (rc == 0 && flavour == SENTIMENT_FINANCE)
		rc = lexicon_read(s->lexicon, finance, sizeof(finance));
	if (rc < 0) {
		sentiment_free(s);
		return rc;
	}
	name_version(s, vader, vader_len);
	*out = s;
	return 0;
}

void sentiment_free(struct sentiment *s)
{
	if (s == NULL)
		return;
	lexicon_free(s->lexicon);
	lexicon_free(s->boosters);
	lexicon_free(s->negations);
	free(s);
}

/*
 * To so many decimals, from the exact value of @x.  A double times 1000 or 10000 needs
 * at most 63 bits, which long double has (x86: 64), so a tie is seen to be one.
 */
static double rounded(double x, long double scale, bool up)
{
	long double v = fabsl((long double)x * scale);
	long double whole = floorl(v);
	long double rest = v - whole;
	bool is_odd = fmodl(whole, 2) != 0;

	if (rest > 0.5L || (rest == 0.5L && (up || is_odd)))
		whole += 1;
	return copysign((double)whole / (double)scale, whole == 0 ? 1 : x);
}

/* Up to 4 of "!", and of "?" from two on. */
static double emphasis(const char *text, size_t len)
{
	size_t exclamations = 0, questions = 0;

	for (size_t i = 0; i < len; i++) {
		exclamations += text[i] == '!';
		questions += text[i] == '?';
	}
	if (exclamations > 4)
		exclamations = 4;
	return (double)exclamations * 0.292 + (questions < 2 ? 0
					       : questions <= 3
						       ? (double)questions * 0.18
						       : 0.96);
}

static void shares(const struct sentiment *s, double extra, struct sentiment_score *out)
{
	double pos = 0, neg = 0, total;
	size_t neu = 0;
	bool up = s->rules->rounds_up;

	/* One more for each, because a neutral word counts as one. */
	for (size_t i = 0; i < s->n; i++) {
		if (s->scores[i] > 0)
			pos += s->scores[i] + 1;
		else if (s->scores[i] < 0)
			neg += s->scores[i] - 1;
		else
			neu++;
	}
	if (pos > fabs(neg))
		pos += extra;
	else if (pos < fabs(neg))
		neg -= extra;
	total = pos + fabs(neg) + (double)neu;
	out->pos = rounded(fabs(pos / total), 1000, up);
	out->neg = rounded(fabs(neg / total), 1000, up);
	out->neu = rounded(fabs((double)neu / total), 1000, up);
}

int sentiment_score(struct sentiment *s, const char *text, size_t len,
		    struct sentiment_score *out)
{
	double sum = 0, extra = emphasis(text, len);

	if (len > SENTIMENT_TEXT_MAX)
		return err_set(-E2BIG, "a headline of %zu bytes: at most %d are scored",
			       len, SENTIMENT_TEXT_MAX);
	sentiment_split(s, text, len);
	if (s->flavour == SENTIMENT_FINANCE)
		sentiment_join(s);
	*out = (struct sentiment_score){0};
	if (s->n == 0)
		return 0;
	sentiment_weigh(s);
	for (size_t i = 0; i < s->n; i++)
		sum += s->scores[i];
	shares(s, extra, out);
	if (sum != 0)
		sum += sum > 0 ? extra : -extra;
	out->compound =
		rounded(sum / sqrt(sum * sum + ALPHA), 10000, s->rules->rounds_up);
	return 0;
}

const char *sentiment_lexicon_version(const struct sentiment *s)
{
	return s->version;
}

const struct lexicon *sentiment_lexicon(const struct sentiment *s)
{
	return s->lexicon;
}

const char *sentiment_label(double compound)
{
	return compound >= SENTIMENT_THRESHOLD    ? "positive"
	       : compound <= -SENTIMENT_THRESHOLD ? "negative"
						  : "neutral";
}
