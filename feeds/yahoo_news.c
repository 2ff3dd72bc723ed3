/*
 * yahoo_news - the news beside Yahoo's search results.  There are no pages and no range
 * of time: what lies outside the ask's is left out here, and polling must expect the
 * same uuid again.
 */
#include "base/clock.h"
#include "feeds/yahoo.h"
#include <string.h>

static void related(struct json_walk *w, struct hist_article *out)
{
	const uint32_t most = sizeof(out->symbols) / sizeof(out->symbols[0]);

	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		char theirs[YAHOO_SYMBOL_MAX], ours[SYMBOL_MAX + 1];

		json_walk_text(w, theirs, sizeof(theirs));
		if (out->n_symbols < most && yahoo_unspell(theirs, ours))
			memcpy(out->symbols[out->n_symbols++], ours, strlen(ours));
	}
}

static void article(struct json_walk *w, const struct vendor_ask *a,
		    struct vendor_page *out)
{
	struct hist_article n = {.created_ns = VALUE_NULL};
	struct json_key k;

	if (!json_walk_object(w)) {
		json_walk_fail(w, "an article is null");
		return;
	}
	while (json_walk_key(w, &k)) {
		if (json_walk_is(&k, "uuid"))
			json_walk_text(w, n.id, sizeof(n.id));
		else if (json_walk_is(&k, "title"))
			vendor_read_plain(w, n.headline, sizeof(n.headline));
		else if (json_walk_is(&k, "publisher"))
			json_walk_text(w, n.publisher, sizeof(n.publisher));
		else if (json_walk_is(&k, "link"))
			json_walk_text(w, n.url, sizeof(n.url));
		else if (json_walk_is(&k, "providerPublishTime"))
			n.created_ns = json_walk_decimal(w, 9);
		else if (json_walk_is(&k, "relatedTickers"))
			related(w, &n);
		else
			json_walk_skip(w);
	}
	if (n.id[0] == '\0' || n.created_ns == VALUE_NULL)
		json_walk_fail(w, "an article has no uuid or no time");
	if (w->why)
		return;
	n.updated_ns = n.created_ns;
	if (vendor_in_range(a, n.created_ns))
		*vendor_page_article(out) = n;
	else
		out->skipped++;
}

int yahoo_parse_news(const struct vendor_ask *a, const char *body, size_t len,
		     struct vendor_page *out)
{
	bool is_there = false;
	struct json_walk w;
	struct json_key k;

	json_walk_begin(&w, body, len);
	if (!json_walk_object(&w))
		json_walk_fail(&w, "it is null");
	while (json_walk_key(&w, &k)) {
		if (!json_walk_is(&k, "news")) {
			json_walk_skip(&w);
			continue;
		}
		is_there = true;
		if (!json_walk_array(&w))
			continue;
		while (json_walk_element(&w))
			article(&w, a, out);
	}
	if (!is_there)
		json_walk_fail(&w, "the news are missing");
	return vendor_parsed(&w, out);
}
