/* asker_resolve - Databento's symbology, which is no page of rows, by the same road. */
#include "asker.h"
#include "base/jsonw.h"
#include "feeds/databento.h"
#include <string.h>

static int request(const struct vendor_settings *s, const struct vendor_ask *a,
		   const char *next, struct vendor_request *out)
{
	(void)next;
	return databento_resolve_request(s, a, out);
}

static void print(const char *kind, const char *symbol, uint32_t instrument)
{
	struct buf line = {0};
	struct jsonw w;

	jsonw_init(&w, &line);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "kind", kind);
	jsonw_str(&w, "symbol", symbol);
	jsonw_u64(&w, "instrument", instrument);
	jsonw_end(&w);
	(void)printf("%s\n", buf_text(&line));
	buf_free(&line);
}

static int parse(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *next, const char *body, size_t len,
		 struct vendor_page *out)
{
	struct buf names = {0}, not_found = {0};
	const struct databento_name *found;
	int rc;

	(void)s;
	(void)a;
	(void)next;
	(void)out;
	rc = databento_resolve_parse(body, len, &names, &not_found);
	found = (const void *)names.data;
	for (size_t i = 0; rc == 0 && i < names.len / sizeof(*found); i++)
		print("name", found[i].symbol, found[i].instrument);
	for (size_t i = 0; rc == 0 && i < not_found.len; i += SYMBOL_MAX + 1)
		print("not_found", (const char *)not_found.data + i, 0);
	buf_free(&names);
	buf_free(&not_found);
	return rc;
}

void asker_resolve(struct vendor_ops *ops)
{
	ops->request = request;
	ops->parse = parse;
}
