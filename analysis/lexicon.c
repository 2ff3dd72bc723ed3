/*
 * lexicon - see lexicon.h.  Open addressing over FNV-1a: a miss, which most words of a
 * headline are, ends at the first empty slot.  At most half of the slots are taken.
 */
#include "analysis/lexicon.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	uint64_t hash; /* 0: the slot is free */
	uint32_t at;   /* where its bytes begin in `bytes` */
	uint16_t len;
	bool is_known;   /* has a valence of its own */
	uint32_t phrase; /* 1 + its first phrase; 0: none */
	double valence;
};

struct lexicon {
	struct entry *slots; /* owned */
	size_t mask;
	size_t used;
	size_t words;
	struct buf bytes;
	struct buf phrases; /* of struct lexicon_phrase */
};

#define SLOTS_FIRST 1024

static uint64_t hash_word(const char *word, size_t len)
{
	uint64_t h = hash_bytes(HASH_SEED, word, len);

	return h == 0 ? 1 : h;
}

struct lexicon *lexicon_new(void)
{
	struct lexicon *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->slots = calloc(SLOTS_FIRST, sizeof(*l->slots));
	if (l->slots == NULL) {
		free(l);
		return NULL;
	}
	l->mask = SLOTS_FIRST - 1;
	return l;
}

void lexicon_free(struct lexicon *l)
{
	if (l == NULL)
		return;
	free(l->slots);
	buf_free(&l->bytes);
	buf_free(&l->phrases);
	free(l);
}

static struct entry *slot_of(const struct lexicon *l, const char *word, size_t len)
{
	uint64_t h = hash_word(word, len);
	size_t i = h & l->mask;

	while (l->slots[i].hash != 0) {
		struct entry *e = &l->slots[i];

		if (e->hash == h && e->len == len &&
		    memcmp(l->bytes.data + e->at, word, len) == 0)
			return e;
		i = (i + 1) & l->mask;
	}
	return &l->slots[i];
}

static int grow(struct lexicon *l)
{
	size_t n = (l->mask + 1) * 2;
	struct entry *old = l->slots;
	struct entry *slots = calloc(n, sizeof(*slots));

	if (slots == NULL)
		return err_set(-ENOMEM, "no memory for a lexicon of %zu words", n / 2);
	for (size_t k = 0; k <= l->mask; k++) {
		size_t i = old[k].hash & (n - 1);

		if (old[k].hash == 0)
			continue;
		while (slots[i].hash != 0)
			i = (i + 1) & (n - 1);
		slots[i] = old[k];
	}
	l->slots = slots;
	l->mask = n - 1;
	free(old);
	return 0;
}

/* The entry of @word, made when it is not there yet. */
static int entry_for(struct lexicon *l, const char *word, size_t len,
		     struct entry **out)
{
	struct entry *e = NULL;

	if (len == 0 || len > LEXICON_WORD_MAX)
		return err_set(-E2BIG, "a word of %zu bytes is not in 1..%d", len,
			       LEXICON_WORD_MAX);
	e = slot_of(l, word, len);
	if (e->hash == 0) {
		if (l->used == LEXICON_WORDS_MAX)
			return err_set(-E2BIG, "a lexicon holds at most %d words",
				       LEXICON_WORDS_MAX);
		if ((l->used + 1) * 2 > l->mask) {
			int rc = grow(l);

			if (rc < 0)
				return rc;
			e = slot_of(l, word, len);
		}
		*e = (struct entry){.hash = hash_word(word, len),
				    .at = (uint32_t)l->bytes.len,
				    .len = (uint16_t)len};
		buf_add(&l->bytes, word, len);
		l->used++;
	}
	*out = e;
	return 0;
}

int lexicon_put(struct lexicon *l, const char *word, size_t len, double valence)
{
	struct entry *e = NULL;
	int rc = entry_for(l, word, len, &e);

	if (rc < 0)
		return rc;
	l->words += !e->is_known;
	e->is_known = true;
	e->valence = valence;
	return 0;
}

static int put_phrase(struct lexicon *l, const char *text, size_t len, double valence)
{
	struct lexicon_phrase p = {.valence = valence};
	const char *end = text + len;
	struct entry *e = NULL;
	int rc;

	for (const char *at = text; at < end; p.n++) {
		const char *stop = memchr(at, ' ', (size_t)(end - at));
		size_t n = (size_t)((stop == NULL ? end : stop) - at);

		if (n == 0 || n > LEXICON_WORD_MAX || p.n == LEXICON_PHRASE_MAX)
			return err_set(-EINVAL,
				       "the phrase '%.*s' is not of 2..%d words parted "
				       "by one blank",
				       (int)len, text, LEXICON_PHRASE_MAX);
		p.word[p.n].at = (uint32_t)l->bytes.len;
		p.word[p.n].len = (uint32_t)n;
		buf_add(&l->bytes, at, n);
		at += n + 1;
	}
	rc = entry_for(l, text, p.word[0].len, &e);
	if (rc < 0)
		return rc;
	p.next = e->phrase;
	buf_add(&l->phrases, &p, sizeof(p));
	e->phrase = (uint32_t)(l->phrases.len / sizeof(p));
	return 0;
}

/* A line's word and valence; false when it is not WORD TAB NUMBER [TAB ...]. */
static bool split_line(const char *line, size_t len, size_t *word_len, double *valence)
{
	const char *tab = memchr(line, '\t', len);
	char text[32], *end;
	size_t n;

	if (tab == NULL || tab == line)
		return false;
	*word_len = (size_t)(tab - line);
	tab++;
	n = len - *word_len - 1;
	if (memchr(tab, '\t', n) != NULL)
		n = (size_t)((const char *)memchr(tab, '\t', n) - tab);
	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, tab, n);
	text[n] = '\0';
	*valence = strtod(text, &end);
	return *end == '\0' && isfinite(*valence) && fabs(*valence) <= 10;
}

typedef int (*put_fn)(struct lexicon *l, const char *word, size_t len, double valence);

static int put_ours(struct lexicon *l, const char *word, size_t len, double valence)
{
	if (memchr(word, ' ', len) != NULL)
		return put_phrase(l, word, len, valence);
	return lexicon_put(l, word, len, valence);
}

static int read_lines(struct lexicon *l, const char *text, size_t len, bool is_ours)
{
	put_fn put = is_ours ? put_ours : lexicon_put;
	const char *end = text + len;
	unsigned number = 0;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop == NULL ? end : stop) - text), word_len;
		const char *line = text;
		double valence;
		int rc;

		number++;
		text += n + 1;
		if (n > 0 && line[n - 1] == '\r')
			n--;
		if (n == 0 || (is_ours && line[0] == '#'))
			continue;
		if (!split_line(line, n, &word_len, &valence))
			return err_set(
				-EINVAL,
				"line %u of the lexicon is not a word, a tab and "
				"a valence in -10..10",
				number);
		rc = put(l, line, word_len, valence);
		if (rc < 0)
			return err_prefix(rc, "line %u of the lexicon", number);
	}
	return 0;
}

int lexicon_read_vader(struct lexicon *l, const char *text, size_t len)
{
	return read_lines(l, text, len, false);
}

int lexicon_read(struct lexicon *l, const char *text, size_t len)
{
	return read_lines(l, text, len, true);
}

bool lexicon_find(const struct lexicon *l, const char *word, size_t len, double *out)
{
	const struct entry *e;

	if (len == 0 || len > LEXICON_WORD_MAX)
		return false;
	e = slot_of(l, word, len);
	if (e->hash == 0 || !e->is_known || e->valence == 0)
		return false;
	*out = e->valence;
	return true;
}

static const struct lexicon_phrase *phrase_at(const struct lexicon *l, uint32_t number)
{
	if (number == 0)
		return NULL;
	return (const struct lexicon_phrase *)(const void *)l->phrases.data + number -
	       1;
}

const struct lexicon_phrase *lexicon_phrases(const struct lexicon *l, const char *word,
					     size_t len)
{
	if (len == 0 || len > LEXICON_WORD_MAX)
		return NULL;
	return phrase_at(l, slot_of(l, word, len)->phrase);
}

const struct lexicon_phrase *lexicon_phrase_next(const struct lexicon *l,
						 const struct lexicon_phrase *p)
{
	return phrase_at(l, p->next);
}

bool lexicon_phrase_word_is(const struct lexicon *l, const struct lexicon_phrase *p,
			    unsigned i, const char *word, size_t len)
{
	return p->word[i].len == len &&
	       memcmp(l->bytes.data + p->word[i].at, word, len) == 0;
}

size_t lexicon_words(const struct lexicon *l)
{
	return l->words;
}

size_t lexicon_phrases_n(const struct lexicon *l)
{
	return l->phrases.len / sizeof(struct lexicon_phrase);
}
