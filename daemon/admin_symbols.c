/* admin_symbols - the symbols that a request names, each once, in its order. */
#include "daemon/admin_history.h"
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 10000u

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void refuse_symbol(struct jsonw *w, const char *symbol, const char *why)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "symbol", symbol);
	jsonw_str(w, "reason", why);
	jsonw_end(w);
}

/* Names that came before, in order of the list, stay out of it. */
static void drop_doubles(struct past *p)
{
	char(*name)[SYMBOL_MAX + 1] = (void *)p->names.data;
	size_t n = p->names.len / sizeof(*name), kept = 0;
	const char **sorted = calloc(n + 1, sizeof(*sorted));
	bool *is_double = calloc(n + 1, sizeof(*is_double));

	for (size_t i = 0; sorted != NULL && i < n; i++)
		sorted[i] = name[i];
	if (sorted != NULL)
		qsort(sorted, n, sizeof(*sorted), by_name);
	/* Of equal ones the lowest address came first. */
	for (size_t i = 0, j; sorted && is_double && i < n; i = j) {
		const char *first = sorted[i];

		for (j = i + 1; j < n && strcmp(sorted[i], sorted[j]) == 0; j++)
			first = sorted[j] < first ? sorted[j] : first;
		for (size_t k = i; k < j; k++)
			is_double[(sorted[k] - name[0]) / (SYMBOL_MAX + 1)] =
				sorted[k] != first;
	}
	for (size_t i = 0; is_double && i < n; i++) {
		if (is_double[i])
			p->doubles++;
		else
			memmove(name[kept++], name[i], sizeof(*name));
	}
	if (is_double != NULL)
		p->names.len = kept * sizeof(*name);
	free(sorted);
	free(is_double);
}

bool past_symbols(struct past *p, const struct json *request)
{
	const struct json *list = json_get(request, "symbols"), *v = NULL;
	struct jsonw w;

	if (!json_is_array(list) || json_len(list) == 0 ||
	    json_len(list) > SYMBOLS_MAX) {
		admin_fail(p->call, "bad_request",
			   "symbols is not a list of 1 to 10000");
		return false;
	}
	jsonw_init(&w, &p->refused);
	jsonw_array(&w, NULL);
	while ((v = json_next(list, v, NULL)) != NULL) {
		const char *s = json_str(v, "");
		char name[SYMBOL_MAX + 1] = "";

		if (!symbol_valid(s, strlen(s))) {
			refuse_symbol(&w, s,
				      "it is not a symbol [A-Z0-9._:/=%-]{1,32}");
			continue;
		}
		memcpy(name, s, strlen(s));
		buf_add(&p->names, name, sizeof(name));
	}
	jsonw_end(&w);
	if (p->names.len == 0) {
		admin_fail(p->call, "bad_request",
			   "not one of the symbols is a name [A-Z0-9._:/=%-]{1,32}");
		return false;
	}
	drop_doubles(p);
	return true;
}
