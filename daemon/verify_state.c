/*
 * verify_state - is the state that the log makes the one that was saved?  See verify.h.
 *
 * Sections are compared by length and hash: neither the snapshot nor the re-run's own
 * state is ever held as a whole.
 */
#include "base/err.h"
#include "base/hash.h"
#include "daemon/verify_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	uint32_t kind, id;
	uint64_t len, hash;
};

struct digests {
	struct digest *all; /* owned */
	size_t n, max;
	bool is_full; /* out of memory */
};

static struct digest digest_of(const struct section *s)
{
	return (struct digest){s->kind, s->id, s->len,
			       hash_bytes(HASH_SEED, s->data, s->len)};
}

/* A part of the re-run's state: whole sections. */
static void note_part(void *arg, const void *data, size_t len)
{
	struct digests *d = arg;
	const uint8_t *at = data, *end = at + len;
	struct section sec;

	while (section_next(&at, end, &sec) == 0 && !d->is_full) {
		if (d->n == d->max) {
			size_t max = d->max > 0 ? 2 * d->max : 256;
			struct digest *grown = realloc(d->all, max * sizeof(*grown));

			d->is_full = grown == NULL;
			if (d->is_full)
				return;
			d->all = grown;
			d->max = max;
		}
		d->all[d->n++] = digest_of(&sec);
	}
}

static int by_kind_and_id(const void *a, const void *b)
{
	const struct digest *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void section_differs(struct verify *v, uint64_t pos, uint32_t kind, uint32_t id,
			    const char *how)
{
	char what[SYMBOL_MAX + 40], sentence[VERIFY_TEXT_MAX];

	if (kind == SECTION_LANE)
		(void)snprintf(what, sizeof(what), "the state of %.*s", SYMBOL_MAX,
			       symtab_name(v->env->symbols, id));
	else if (kind == SECTION_NEWS)
		(void)snprintf(what, sizeof(what), "the news of %.*s", SYMBOL_MAX,
			       symtab_name(v->env->symbols, id));
	else if (kind == SECTION_HOLDS)
		(void)snprintf(what, sizeof(what), "whose news are held back");
	else if (kind == SECTION_UNIVERSE && id < v->env->params->n_universes)
		(void)snprintf(what, sizeof(what), "the state of universe %.*s",
			       UNIVERSE_MAX, v->env->params->universes[id].name);
	else if (kind == SECTION_SOURCES)
		(void)snprintf(what, sizeof(what), "what is known of the sources");
	else if (kind == SECTION_DISPATCH)
		(void)snprintf(what, sizeof(what), "the sequences of the ticks");
	else
		(void)snprintf(what, sizeof(what), "section %u of kind %u", id, kind);
	(void)snprintf(sentence, sizeof(sentence),
		       "state snapshot at position %llu: %s %s",
		       (unsigned long long)pos, what, how);
	verify_differs(v, pos, NULL, "", sentence);
}

struct comparison {
	struct verify *v;
	const struct store_snapshot *s;
	struct digests own;
	size_t n_found;
	bool has_head, is_saved, differs;
};

/* The stored dispatcher's part says of how many symbols it speaks. */
static int save_own(struct comparison *c, const struct section *dispatch)
{
	uint32_t n = 0;

	if (dispatch->len >= sizeof(n))
		memcpy(&n, dispatch->data, sizeof(n));
	if (n > c->v->env->symbols_max)
		n = c->v->env->symbols_max;
	rerun_save(c->v->rerun, c->s->pos, n, note_part, &c->own);
	if (c->own.is_full)
		return err_set(-ENOMEM, "out of memory for the state's sections");
	qsort(c->own.all, c->own.n, sizeof(*c->own.all), by_kind_and_id);
	c->is_saved = true;
	return 0;
}

static int compare_section(struct comparison *c, const struct section *sec)
{
	struct digest stored = digest_of(sec), *own;
	int rc = 0;

	if (sec->kind == SECTION_HEAD) {
		rc = verify_check_head(c->v, c->s, sec);
		c->has_head = rc == 0;
		return rc;
	}
	if (!c->has_head)
		return err_set(STORE_NONE, "it does not begin with its head");
	if (sec->kind == SECTION_INDEX)
		return 0; /* no function of the log */
	if (sec->kind == SECTION_DISPATCH && !c->is_saved)
		rc = save_own(c, sec);
	if (rc != 0 || !c->is_saved)
		return rc != 0 ? rc
			       : err_set(STORE_NONE, "the dispatcher's part is not the "
						     "first");
	own = c->own.n == 0 ? NULL
			    : bsearch(&stored, c->own.all, c->own.n,
				      sizeof(*c->own.all), by_kind_and_id);
	if (own != NULL)
		c->n_found++;
	if (own != NULL && own->len == stored.len && own->hash == stored.hash)
		return 0;
	c->differs = true;
	section_differs(c->v, c->s->pos, sec->kind, sec->id,
			own == NULL ? "is in it and does not follow from the log"
				    : "is not what the log makes of it");
	return 0;
}

static int compare_part(struct comparison *c, const struct buf *part)
{
	const uint8_t *at = part->data, *end = at + part->len;
	struct section sec;
	int rc;

	while ((rc = section_next(&at, end, &sec)) == 0) {
		rc = compare_section(c, &sec);
		if (rc != 0)
			return rc;
	}
	return rc == SECTION_NONE ? 0 : rc;
}

int verify_state(struct verify *v, const struct store_snapshot *s)
{
	struct comparison c = {.v = v, .s = s};
	struct buf part = {0};
	int rc = 0;

	for (uint32_t i = 0; i < s->n_parts && rc == 0; i++) {
		rc = verify_read_part(v, s, i, &part);
		if (rc == 0)
			rc = compare_part(&c, &part);
	}
	buf_free(&part);
	if (rc == 0 && c.n_found < c.own.n && !c.differs) {
		c.differs = true;
		section_differs(v, s->pos, UINT32_MAX, 0,
				"is not there: it lacks state that the log makes");
	}
	free(c.own.all);
	if (rc == STORE_NONE) { /* retired meanwhile, damaged, of another making */
		v->out->snapshots_unusable++;
		(void)snprintf(v->out->note, sizeof(v->out->note),
			       "the state snapshot at position %llu cannot be "
			       "compared: %.200s",
			       (unsigned long long)s->pos, err_text());
		return 0;
	}
	if (rc == 0 && c.differs)
		v->out->snapshots_different++;
	else if (rc == 0)
		v->out->snapshots_equal++;
	return rc;
}
