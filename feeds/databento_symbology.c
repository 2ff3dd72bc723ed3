/*
 * databento_symbology - which number was which symbol, asked by itself:
 *
 *	{"result":{"NVDA":[{"d0":"2020-12-28","d1":"2020-12-29","s":"6155"}]},
 *	 "not_found":["ZZZZZ"], ...}
 */
#include "base/err.h"
#include "feeds/databento.h"
#include "feeds/dbn_parts.h"
#include <errno.h>

static void read_interval(struct json_walk *w, const char *symbol, struct buf *names)
{
	struct databento_name n = {.from = 0};
	char number[16] = "";
	struct json_key k;
	size_t len = 0;

	memcpy(n.symbol, symbol, strlen(symbol));
	if (!json_walk_object(w)) {
		json_walk_fail(w, "an interval is null");
		return;
	}
	while (json_walk_key(w, &k)) {
		if (k.id == JSON_KEY2('d', '0'))
			n.from = vendor_read_date(w);
		else if (k.id == JSON_KEY2('d', '1'))
			n.to = vendor_read_date(w);
		else if (k.id == JSON_KEY1('s'))
			len = json_walk_text(w, number, sizeof(number));
		else
			json_walk_skip(w);
	}
	/* A symbol that was nothing in the interval has an empty number. */
	if (w->why || len == 0)
		return;
	if (!dbn_number((const uint8_t *)number, len, &n.instrument) || n.from == 0 ||
	    n.to == 0)
		json_walk_fail(w, "an interval has no number or no dates");
	else
		buf_add(names, &n, sizeof(n));
}

static void read_result(struct json_walk *w, struct buf *names)
{
	struct json_key k;

	if (!json_walk_object(w))
		return;
	while (json_walk_key(w, &k)) {
		char symbol[SYMBOL_MAX + 1] = "";

		if (!symbol_valid(k.text, k.len)) {
			json_walk_skip(w);
			continue;
		}
		memcpy(symbol, k.text, k.len);
		if (!json_walk_array(w))
			continue;
		while (json_walk_element(w))
			read_interval(w, symbol, names);
	}
}

static void read_texts(struct json_walk *w, struct buf *out)
{
	if (!json_walk_array(w))
		return;
	while (json_walk_element(w)) {
		char symbol[SYMBOL_MAX + 1] = "";

		json_walk_text(w, symbol, sizeof(symbol));
		buf_add(out, symbol, sizeof(symbol));
	}
}

int databento_resolve_parse(const char *body, size_t len, struct buf *names,
			    struct buf *not_found)
{
	size_t names_len = names->len, not_found_len = not_found->len;
	bool has_result = false;
	char where[128];
	struct json_walk w;
	struct json_key k;

	json_walk_begin(&w, body, len);
	if (!json_walk_object(&w))
		json_walk_fail(&w, "an object is missing");
	while (json_walk_key(&w, &k)) {
		if (json_walk_is(&k, "result")) {
			has_result = true;
			read_result(&w, names);
		} else if (json_walk_is(&k, "not_found")) {
			read_texts(&w, not_found);
		} else {
			json_walk_skip(&w);
		}
	}
	if (json_walk_end(&w) && !has_result)
		json_walk_fail(&w, "it has no result");
	if (!w.why)
		return 0;
	names->len = names_len;
	not_found->len = not_found_len;
	json_walk_where(&w, where, sizeof(where));
	return err_set(-EBADMSG, "the answer cannot be read: %s (%s)", w.why, where);
}
