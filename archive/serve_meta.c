/* serve_meta - JSON becomes items, items become a small file. */
#include "archive/serve_meta.h"
#include "archive/actions.h"
#include "archive/membership.h"
#include "archive/symbolmeta.h"
#include "base/err.h"
#include "base/timetext.h"
#include <errno.h>
#include <string.h>

static int members_of(const struct json *doc, struct buf *out)
{
	const struct json *members = json_get(doc, "members");
	const struct json *m = NULL;
	const char *symbol;

	if (!json_is_object(members))
		return err_set(-EINVAL,
			       "members is missing, or no object of symbols and "
			       "dates");
	while ((m = json_next(members, m, &symbol)) != NULL) {
		const char *when = json_str(m, "");
		struct membership one = {0};

		if (strlen(symbol) > SYMBOL_MAX ||
		    timetext_parse(when, strlen(when), &one.added_ns) != 0)
			return err_set(-EINVAL,
				       "the member '%.40s' of '%.40s': a symbol and "
				       "a time are needed",
				       symbol, when);
		memcpy(one.symbol, symbol, strlen(symbol));
		buf_add(out, &one, sizeof(one));
	}
	return 0;
}

int serve_put_index(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	const char *name = json_str(json_get(f->doc, "name"), "");
	struct buf members = {0};
	struct buf tmp = {0};
	size_t total = 0;
	size_t added = 0;
	int rc = members_of(f->doc, &members);

	archive_tmp(a, &tmp, ".csv");
	if (rc == 0)
		rc = membership_put(archive_dir(a), name, buf_text(&tmp),
				    (const void *)members.data,
				    members.len / sizeof(struct membership), &total,
				    &added);
	buf_free(&members);
	buf_free(&tmp);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "members", total);
	jsonw_u64(w, "added", added);
	return 0;
}

static int actions_of(const struct json *doc, struct buf *out)
{
	const struct json *list = json_get(doc, "actions");
	const char *zone = json_str(json_get(doc, "zone"), "");
	const struct json *m = NULL;
	struct action one;
	const char *key;
	int rc = json_is_array(list)
			 ? 0
			 : err_set(-EINVAL, "actions is missing, or no list of "
					    "objects");

	while (rc == 0 && (m = json_next(list, m, &key)) != NULL) {
		rc = actions_parse(json_str(json_get(m, "ex_date"), ""),
				   json_str(json_get(m, "kind"), ""),
				   json_str(json_get(m, "value"), ""), zone, &one);
		if (rc == 0)
			buf_add(out, &one, sizeof(one));
	}
	return rc;
}

int serve_put_actions(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	const char *symbol = json_str(json_get(f->doc, "symbol"), "");
	struct buf list = {0};
	struct buf tmp = {0};
	size_t total = 0;
	int rc = actions_of(f->doc, &list);

	archive_tmp(a, &tmp, ".csv");
	if (rc == 0)
		rc = actions_put(archive_dir(a), symbol, buf_text(&tmp),
				 (const void *)list.data,
				 list.len / sizeof(struct action), &total);
	buf_free(&list);
	buf_free(&tmp);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "actions", total);
	return 0;
}

static int items_of(const struct json *doc, struct buf *out)
{
	const struct json *symbols = json_get(doc, "symbols");
	const struct json *s = NULL;
	struct symbolmeta one;
	const char *symbol;
	const char *key;
	int rc = json_is_object(symbols)
			 ? 0
			 : err_set(-EINVAL, "symbols is missing, or no object");

	while (rc == 0 && (s = json_next(symbols, s, &symbol)) != NULL) {
		const struct json *m = NULL;

		if (!json_is_object(s))
			rc = err_set(-EINVAL, "%.40s: an object of texts is needed",
				     symbol);
		while (rc == 0 && (m = json_next(s, m, &key)) != NULL) {
			rc = json_is_string(m)
				     ? symbolmeta_make(symbol, key, json_str(m, ""),
						       &one)
				     : err_set(-EINVAL, "%.40s of %.40s is no text",
					       key, symbol);
			if (rc == 0)
				buf_add(out, &one, sizeof(one));
		}
	}
	return rc;
}

int serve_put_metadata(struct archive *a, const struct pipeframe *f, struct jsonw *w)
{
	struct buf items = {0};
	struct buf tmp = {0};
	size_t symbols = 0;
	int rc = items_of(f->doc, &items);

	archive_tmp(a, &tmp, ".csv");
	if (rc == 0)
		rc = symbolmeta_put(archive_dir(a), buf_text(&tmp),
				    (const void *)items.data,
				    items.len / sizeof(struct symbolmeta), &symbols);
	buf_free(&items);
	buf_free(&tmp);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "symbols", symbols);
	return 0;
}
