/*
 * rss - the keeper of expat.
 *
 * Only what is looked for is kept: an item's elements of the table below, their text
 * up to a bound.  Names come as "NAMESPACE NAME".
 */
#include "feeds/rss.h"
#include "base/err.h"
#include "feeds/rss_item.h"
#include <errno.h>
#define XML_DTD 1 /* or expat.h hides what bounds the expansion of entities */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX     64
#define PIECE_BYTES   (64u << 10)
#define TOKEN_MAX     (1 << 20) /* one tag, comment or the like */
#define ENTITIES_MAX  256
#define ENTITY_MAX    1024  /* bytes of a declared one */
#define EXPANSION_MAX 8.0f  /* so many times the bytes of the document ... */
#define EXPANSION_MIN 65536 /* ... beyond this */

enum space { OTHER = 0, PLAIN, RDF, ONE, ATOM, DC, XML };
enum kind { UNKNOWN = 0, KIND_RSS, KIND_RDF, KIND_ATOM };

static const struct {
	const char *uri;
	enum space space;
} spaces[] = {
	{"http://www.w3.org/2005/Atom", ATOM},
	{"http://purl.org/atom/ns#", ATOM}, /* 0.3 */
	{"http://purl.org/dc/elements/1.1/", DC},
	{"http://purl.org/rss/1.0/", ONE},
	{"http://my.netscape.com/rdf/simple/0.9/", ONE},
	{"http://www.w3.org/1999/02/22-rdf-syntax-ns#", RDF},
	{"http://www.w3.org/XML/1998/namespace", XML},
	{"http://backend.userland.com/rss2", PLAIN},
	{"http://blogs.law.harvard.edu/tech/rss", PLAIN},
};

/* An item's elements. */
static const struct {
	enum space space;
	const char *name;
	enum rss_field field;
} wanted[] = {
	{PLAIN, "title", ITEM_TITLE},
	{PLAIN, "link", ITEM_LINK},
	{PLAIN, "guid", ITEM_ID},
	{PLAIN, "pubDate", ITEM_CREATED},
	{PLAIN, "source", ITEM_PUBLISHER},
	{PLAIN, "category", ITEM_CATEGORY},
	{ONE, "title", ITEM_TITLE},
	{ONE, "link", ITEM_LINK},
	{DC, "date", ITEM_CREATED},
	{DC, "publisher", ITEM_PUBLISHER},
	{DC, "subject", ITEM_CATEGORY},
	{ATOM, "title", ITEM_TITLE},
	{ATOM, "id", ITEM_ID},
	{ATOM, "published", ITEM_CREATED},
	{ATOM, "issued", ITEM_CREATED},
	{ATOM, "updated", ITEM_UPDATED},
	{ATOM, "modified", ITEM_UPDATED},
};

struct rss {
	XML_Parser xml; /* owned */
	struct rss_params params;
	struct rss_sink sink;
	struct rss_counts counts;
	enum kind kind;
	unsigned depth;
	unsigned item_depth;  /* 0: outside */
	unsigned field_depth; /* 0: no text is wanted */
	enum rss_field field; /* ITEM_NOTHING with a depth: the channel's link */
	bool is_full;         /* the text is: the rest of it is not kept */
	bool in_source;       /* Atom's source, a feed in an entry */
	struct rss_item item;
	struct buf text;
	char base[WEBREF_MAX]; /* of links, outside of items */
	unsigned entities;
	uint64_t bytes;
	int rc; /* why it was stopped, the sentence is err_text()'s */
};

static void stop(struct rss *r, int rc)
{
	r->rc = rc;
	(void)XML_StopParser(r->xml, XML_FALSE);
}

static void refuse(struct rss *r, const char *why)
{
	stop(r, err_set(-EBADMSG, "line %lu: %s",
			(unsigned long)XML_GetCurrentLineNumber(r->xml), why));
}

/* Part a name; its local part is returned. */
static const char *split(const char *name, enum space *out)
{
	const char *blank = strrchr(name, ' ');
	size_t len;

	*out = PLAIN;
	if (blank == NULL)
		return name;
	*out = OTHER;
	len = (size_t)(blank - name);
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (strlen(spaces[i].uri) == len &&
		    memcmp(spaces[i].uri, name, len) == 0)
			*out = spaces[i].space;
	return blank + 1;
}

/* The value of an attribute, or NULL; those without a prefix have no namespace. */
static const char *attribute(const XML_Char **atts, enum space space, const char *name)
{
	for (; *atts != NULL; atts += 2) {
		enum space s;
		const char *local = split(atts[0], &s);

		if (s == space && strcmp(local, name) == 0)
			return atts[1];
	}
	return NULL;
}

static void rebase(char base[WEBREF_MAX], const XML_Char **atts)
{
	const char *said = attribute(atts, XML, "base");
	char url[WEBREF_MAX];

	if (said != NULL && webref_resolve(base, said, url, sizeof(url)))
		memcpy(base, url, sizeof(url));
}

/* ---- elements ---- */

/* Of a text that is too long the first whole characters are kept. */
static void add_text(struct rss *r, const char *text, size_t n)
{
	size_t room = RSS_TEXT_MAX - r->text.len;

	if (r->field_depth == 0 || r->is_full)
		return;
	r->is_full = n > room;
	if (r->is_full)
		for (n = room; n > 0 && (text[n] & 0xc0) == 0x80;)
			n--;
	buf_add(&r->text, text, n);
}

static void start_root(struct rss *r, enum space space, const char *name)
{
	if (space == PLAIN && strcmp(name, "rss") == 0)
		r->kind = KIND_RSS;
	else if (space == RDF && strcmp(name, "RDF") == 0)
		r->kind = KIND_RDF;
	else if (space == ATOM && strcmp(name, "feed") == 0)
		r->kind = KIND_ATOM;
	else
		refuse(r, "this is XML, but no RSS, RDF or Atom");
}

static bool begins_item(const struct rss *r, enum space space, const char *name)
{
	static const enum space of[] = {
		[KIND_RSS] = PLAIN, [KIND_RDF] = ONE, [KIND_ATOM] = ATOM};

	return space == of[r->kind] &&
	       strcmp(name, r->kind == KIND_ATOM ? "entry" : "item") == 0;
}

static void start_item(struct rss *r, const XML_Char **atts)
{
	const char *about = attribute(atts, RDF, "about");

	r->item_depth = r->depth;
	r->in_source = false;
	rss_item_begin(&r->item, XML_GetCurrentLineNumber(r->xml), r->base);
	rebase(r->item.base, atts);
	if (about != NULL)
		rss_item_put(&r->item, ITEM_ID, about, strlen(about));
}

static void start_text(struct rss *r, enum rss_field f)
{
	r->field = f;
	r->field_depth = r->depth;
	r->text.len = 0;
	r->is_full = false;
}

/* Atom says these in attributes. */
static void start_atom(struct rss *r, const char *name, const XML_Char **atts)
{
	const char *rel = attribute(atts, PLAIN, "rel");
	const char *href = attribute(atts, PLAIN, "href");
	const char *term = attribute(atts, PLAIN, "term");

	if (strcmp(name, "source") == 0)
		r->in_source = true;
	if (strcmp(name, "category") == 0 && term != NULL)
		rss_item_put(&r->item, ITEM_CATEGORY, term, strlen(term));
	if (strcmp(name, "link") != 0 || href == NULL ||
	    (rel != NULL && strcmp(rel, "alternate") != 0) ||
	    r->item.text[ITEM_LINK].len > 0)
		return;
	rebase(r->item.base, atts);
	rss_item_put(&r->item, ITEM_LINK, href, strlen(href));
}

static void start_in_item(struct rss *r, enum space space, const char *name,
			  const XML_Char **atts)
{
	if (r->in_source && r->depth == r->item_depth + 2 && space == ATOM &&
	    strcmp(name, "title") == 0)
		start_text(r, ITEM_PUBLISHER);
	if (r->depth != r->item_depth + 1)
		return;
	r->in_source = false;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (wanted[i].space == space && strcmp(wanted[i].name, name) == 0)
			start_text(r, wanted[i].field);
	if (space == ATOM)
		start_atom(r, name, atts);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **atts)
{
	struct rss *r = arg;
	enum space space;
	const char *local = split(name, &space);

	if (++r->depth > DEPTH_MAX) {
		refuse(r, "elements lie in one another more than 64 deep");
		return;
	}
	if (r->field_depth > 0) {
		add_text(r, " ", 1); /* "<b>up</b><b>10%</b>" */
	} else if (r->depth == 1) {
		start_root(r, space, local);
		rebase(r->base, atts);
	} else if (r->item_depth > 0) {
		start_in_item(r, space, local, atts);
	} else if (begins_item(r, space, local)) {
		start_item(r, atts);
	} else if (r->kind == KIND_RSS && r->depth == 3 && space == PLAIN &&
		   strcmp(local, "link") == 0 && r->base[0] == '\0') {
		start_text(r, ITEM_NOTHING);
	}
}

static void end_text(struct rss *r)
{
	r->field_depth = 0;
	if (r->field != ITEM_NOTHING)
		rss_item_put(&r->item, r->field, (const char *)r->text.data,
			     r->text.len);
	else
		(void)webref_resolve("", buf_text(&r->text), r->base, sizeof(r->base));
}

static void end_item(struct rss *r)
{
	struct hist_article a;
	char why[RSS_WHY_MAX];
	int rc;

	r->item_depth = 0;
	r->counts.items++;
	switch (rss_item_article(&r->item, &r->params, &a, why)) {
	case RSS_BAD:
		r->counts.bad++;
		r->sink.bad(r->sink.arg, r->item.line, why);
		break;
	case RSS_UNMATCHED:
		r->counts.unmatched++;
		break;
	case RSS_ARTICLE:
		r->counts.articles++;
		rc = r->sink.article(r->sink.arg, r->item.line, &a);
		if (rc != 0)
			stop(r, rc);
		break;
	}
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct rss *r = arg;

	(void)name;
	if (r->field_depth == r->depth)
		end_text(r);
	else if (r->field_depth > 0)
		add_text(r, " ", 1);
	else if (r->item_depth == r->depth)
		end_item(r);
	r->depth--;
}

/* ---- text ---- */

static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
	add_text(arg, text, (size_t)len);
}

/* An entity that the document does not declare: of HTML, to be undone later. */
static void XMLCALL on_skipped(void *arg, const XML_Char *name, int is_parameter)
{
	if (is_parameter)
		return;
	add_text(arg, "&", 1);
	add_text(arg, name, strlen(name));
	add_text(arg, ";", 1);
}

static void XMLCALL on_entity(void *arg, const XML_Char *name, int is_parameter,
			      const XML_Char *value, int len, const XML_Char *base,
			      const XML_Char *system_id, const XML_Char *public_id,
			      const XML_Char *notation)
{
	struct rss *r = arg;

	(void)name, (void)is_parameter, (void)base, (void)system_id, (void)public_id;
	(void)notation;
	if (++r->entities > ENTITIES_MAX || (value != NULL && len > ENTITY_MAX))
		refuse(r,
		       "it declares more entities, or longer ones, than a feed needs");
}

/* ---- encodings ---- */

static int XMLCALL on_encoding(void *arg, const XML_Char *name, XML_Encoding *out)
{
	static const int upper[32] = {
		0x20ac, 0xfffd, 0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
		0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0xfffd, 0x17d,  0xfffd,
		0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0xfffd, 0x17e,  0x178};

	(void)arg;
	if (strcasecmp(name, "windows-1252") != 0 && strcasecmp(name, "cp1252") != 0 &&
	    strcasecmp(name, "x-cp1252") != 0 && strcasecmp(name, "latin1") != 0)
		return XML_STATUS_ERROR;
	for (int i = 0; i < 256; i++)
		out->map[i] = i >= 0x80 && i < 0xa0 ? upper[i - 0x80] : i;
	out->data = NULL;
	out->convert = NULL;
	out->release = NULL;
	return XML_STATUS_OK;
}

/* ---- the whole ---- */

static bool set_up(struct rss *r)
{
	XML_Parser x = r->xml;

	XML_SetUserData(x, r);
	XML_SetElementHandler(x, on_start, on_end);
	XML_SetCharacterDataHandler(x, on_text);
	XML_SetSkippedEntityHandler(x, on_skipped);
	XML_SetEntityDeclHandler(x, on_entity);
	XML_SetUnknownEncodingHandler(x, on_encoding, NULL);
	/* As if there were a DTD elsewhere, which is never fetched: so an entity that
	   is not declared is no error, but skipped. */
	return XML_SetParamEntityParsing(x, XML_PARAM_ENTITY_PARSING_NEVER) != 0 &&
	       XML_UseForeignDTD(x, XML_TRUE) == XML_ERROR_NONE &&
	       XML_SetBillionLaughsAttackProtectionMaximumAmplification(
		       x, EXPANSION_MAX) == XML_TRUE &&
	       XML_SetBillionLaughsAttackProtectionActivationThreshold(
		       x, EXPANSION_MIN) == XML_TRUE;
}

int rss_new(const struct rss_params *p, const struct rss_sink *sink, struct rss **out)
{
	struct rss *r = calloc(1, sizeof(*r));
	const char *charset = p->charset != NULL && p->charset[0] ? p->charset : NULL;

	if (r != NULL)
		r->xml = XML_ParserCreateNS(charset, ' ');
	if (r == NULL || r->xml == NULL || !set_up(r)) {
		rss_free(r);
		return err_set(-ENOMEM, "no memory for a reader of feeds");
	}
	r->params = *p;
	r->sink = *sink;
	if (r->params.bytes_max == 0)
		r->params.bytes_max = RSS_BYTES_MAX;
	if (p->url != NULL)
		(void)webref_resolve("", p->url, r->base, sizeof(r->base));
	*out = r;
	return 0;
}

void rss_free(struct rss *r)
{
	if (r == NULL)
		return;
	if (r->xml != NULL)
		XML_ParserFree(r->xml);
	rss_item_deinit(&r->item);
	buf_free(&r->text);
	free(r);
}

static int parse_piece(struct rss *r, const char *data, size_t len, bool is_last)
{
	enum XML_Error e;

	r->bytes += len;
	if (r->bytes > r->params.bytes_max)
		return err_set(-EBADMSG, "it is larger than %llu bytes",
			       (unsigned long long)r->params.bytes_max);
	if (XML_Parse(r->xml, data, (int)len, is_last) != XML_STATUS_ERROR) {
		XML_Index at = XML_GetCurrentByteIndex(r->xml);

		if (at >= 0 && r->bytes > (uint64_t)at + TOKEN_MAX)
			return err_set(-EBADMSG,
				       "line %lu: something is longer than 1 MiB",
				       (unsigned long)XML_GetCurrentLineNumber(r->xml));
		return 0;
	}
	e = XML_GetErrorCode(r->xml);
	if (e == XML_ERROR_ABORTED && r->rc != 0)
		return r->rc;
	return err_set(-EBADMSG, "line %lu: %s",
		       (unsigned long)XML_GetCurrentLineNumber(r->xml),
		       e == XML_ERROR_NO_ELEMENTS ? "it is empty" : XML_ErrorString(e));
}

int rss_parse(struct rss *r, const char *data, size_t len, bool is_last)
{
	int rc = 0;

	while (rc == 0 && len > PIECE_BYTES) {
		rc = parse_piece(r, data, PIECE_BYTES, false);
		data += PIECE_BYTES;
		len -= PIECE_BYTES;
	}
	return rc == 0 ? parse_piece(r, data, len, is_last) : rc;
}

struct rss_counts rss_counts(const struct rss *r)
{
	return r->counts;
}
