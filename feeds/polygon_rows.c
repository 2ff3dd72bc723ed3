/*
 * polygon_rows - Polygon's answers: a status, rows (none: the key is missing), and
 * where the next page is.
 */
#include "feeds/polygon.h"
#include <string.h>

bool polygon_next(const char *url, char out[VENDOR_NEXT_MAX])
{
	const char *host = strstr(url, "://"), *from, *end;
	size_t n = 0;

	from = host ? strchr(host + 3, '/') : url;
	if (!from || *from != '/')
		return false;
	end = strchrnul(from, '#');
	while (from < end) {
		/* Parameter by parameter: a key must not come back in clear. */
		const char *stop = from + 1 + strcspn(from + 1, "?&#");

		if (strncmp(from + 1, "apiKey=", 7) != 0) {
			if (n + (size_t)(stop - from) >= VENDOR_NEXT_MAX)
				return false;
			memcpy(out + n, from, (size_t)(stop - from));
			/* The first that stays opens the query. */
			if (*from == '&' && !memchr(out, '?', n))
				out[n] = '?';
			n += (size_t)(stop - from);
		}
		from = stop;
	}
	for (size_t i = 0; i < n; i++)
		if (out[i] <= ' ' || out[i] > '~')
			return false;
	out[n] = '\0';
	return true;
}

static void read_next(struct json_walk *w, struct vendor_page *out)
{
	char url[VENDOR_NEXT_MAX + VENDOR_URL_MAX];
	size_t len = json_walk_text(w, url, sizeof(url));

	if (len > 0 && (len == sizeof(url) - 1 || !polygon_next(url, out->next)))
		json_walk_fail(w, "next_url is no URL of at most 2048 bytes");
}

int polygon_parse(const struct vendor_settings *s, const struct vendor_ask *a,
		  const char *next, const char *body, size_t len,
		  struct vendor_page *out)
{
	struct vendor_bars bars = {.ask = a, .page = out, .time = vendor_read_ms};
	char status[32] = "";
	struct json_walk w;
	struct json_key k;

	(void)s;
	(void)next;
	json_walk_begin(&w, body, len);
	if (!json_walk_object(&w))
		json_walk_fail(&w, "it is null");
	while (json_walk_key(&w, &k)) {
		if (json_walk_is(&k, "results")) {
			if (json_walk_array(&w))
				while (json_walk_element(&w))
					vendor_read_bar(&w, &bars);
		} else if (json_walk_is(&k, "status")) {
			json_walk_text(&w, status, sizeof(status));
		} else if (json_walk_is(&k, "next_url")) {
			read_next(&w, out);
		} else {
			json_walk_skip(&w);
		}
	}
	/* DELAYED is a success with late data. */
	if (strcmp(status, "OK") != 0 && strcmp(status, "DELAYED") != 0)
		json_walk_fail(&w, "its status is neither OK nor DELAYED");
	return vendor_parsed("Polygon", &w, out);
}
