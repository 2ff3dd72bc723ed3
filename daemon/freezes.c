/* freezes - see freezes.h. */
#include "daemon/freezes.h"
#include "base/err.h"
#include "base/json.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define META_KEY "freezes"

struct freeze_entry *freezes_find(struct freezes *f, const struct freeze *what)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (freeze_same(&f->entries[i].what, what))
			return &f->entries[i];
	return NULL;
}

bool freezes_add(struct freezes *f, const struct freeze_entry *e)
{
	if (f->n == FREEZES_MAX)
		return false;
	f->entries[f->n++] = *e;
	return true;
}

void freezes_remove(struct freezes *f, struct freeze_entry *e)
{
	size_t i = (size_t)(e - f->entries);

	f->n--;
	memmove(e, e + 1, (f->n - i) * sizeof(*e));
}

/* Of a tier or everything: is @kind held by it? */
static bool covers(const struct freeze *what, enum event_kind kind)
{
	if (what->level == FREEZE_ALL)
		return kind == EVENT_BAR || kind == EVENT_TIER1 ||
		       kind == EVENT_TIER2 || kind == EVENT_NEWS;
	return what->level == FREEZE_TIER &&
	       kind == (what->tier == 1 ? EVENT_TIER1 : EVENT_TIER2);
}

void freezes_gates(const struct freezes *f, struct gate *g,
		   bool out_opened[EVENT_KINDS])
{
	for (int k = 0; k < EVENT_KINDS; k++) {
		uint64_t from = 0;

		for (uint32_t i = 0; i < f->n; i++) {
			const struct freeze_entry *e = &f->entries[i];
			uint64_t pos = e->pos > 0 ? e->pos : 1;

			if (covers(&e->what, (enum event_kind)k) &&
			    (from == 0 || pos < from))
				from = pos;
		}
		out_opened[k] = from == 0 && gate_holds(g, (enum event_kind)k,
							UINT32_MAX, UINT64_MAX);
		gate_kind(g, (enum event_kind)k, from);
	}
}

static void put_entry(const struct freeze_entry *e, struct jsonw *w)
{
	jsonw_object(w, NULL);
	jsonw_str(w, "level", freeze_level_name(e->what.level));
	if (e->what.level == FREEZE_TIER)
		jsonw_u64(w, "tier", e->what.tier);
	else
		jsonw_str(w, "name", e->name);
	jsonw_bool(w, "quarantine", e->what.is_quarantine);
	jsonw_str(w, "cause", freeze_cause_name(e->what.cause));
	jsonw_str(w, "reason", e->reason);
	jsonw_time(w, "since", e->since_ns);
	jsonw_u64(w, "position", e->pos);
	if (e->uid == FREEZE_BY_DAEMON)
		jsonw_str(w, "by", "tickbusd");
	else
		jsonw_u64(w, "by", e->uid);
	jsonw_end(w);
}

void freezes_print(const struct freezes *f, struct jsonw *w)
{
	jsonw_array(w, "kills");
	for (uint32_t i = 0; i < f->n; i++)
		put_entry(&f->entries[i], w);
	jsonw_end(w);
}

/*
 * In the database: numbers as texts, for they may be larger than JSON's are exact.  Ids
 * are those of the log's own tables, which never change.
 */
int freezes_save(const struct freezes *f, struct tickstore *ts)
{
	struct buf out = {0};
	struct jsonw w;
	char text[24];
	int rc;

	jsonw_init(&w, &out);
	jsonw_array(&w, NULL);
	for (uint32_t i = 0; i < f->n; i++) {
		const struct freeze_entry *e = &f->entries[i];

		jsonw_object(&w, NULL);
		(void)snprintf(text, sizeof(text), "%llu",
			       (unsigned long long)freeze_pack(&e->what));
		jsonw_str(&w, "what", text);
		(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)e->pos);
		jsonw_str(&w, "pos", text);
		(void)snprintf(text, sizeof(text), "%lld", (long long)e->since_ns);
		jsonw_str(&w, "since", text);
		jsonw_u64(&w, "uid", e->uid);
		jsonw_str(&w, "name", e->name);
		jsonw_str(&w, "reason", e->reason);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	rc = tickstore_meta_put(ts, META_KEY, out.data, out.len);
	buf_free(&out);
	return rc;
}

static bool read_entry(const struct json *v, struct freeze_entry *e)
{
	uint64_t what, since, uid;

	*e = (struct freeze_entry){0};
	if (json_u64(json_get(v, "what"), &what) < 0 ||
	    json_u64(json_get(v, "pos"), &e->pos) < 0 ||
	    json_u64(json_get(v, "since"), &since) < 0 ||
	    json_u64(json_get(v, "uid"), &uid) < 0)
		return false;
	e->what = freeze_unpack(what);
	e->since_ns = (int64_t)since;
	e->uid = (uint32_t)uid;
	(void)snprintf(e->name, sizeof(e->name), "%s",
		       json_str(json_get(v, "name"), ""));
	(void)snprintf(e->reason, sizeof(e->reason), "%s",
		       json_str(json_get(v, "reason"), ""));
	return true;
}

int freezes_load(struct freezes *f, struct tickstore *ts)
{
	struct freeze_entry e;
	struct json *doc = NULL;
	const void *data;
	size_t len;
	int rc = tickstore_meta_get(ts, META_KEY, &data, &len);

	f->n = 0;
	if (rc == STORE_NONE)
		return 0;
	if (rc == 0)
		rc = json_parse(data, len, &doc);
	for (size_t i = 0; rc == 0 && i < json_len(doc); i++)
		if (!read_entry(json_at(doc, i), &e) || !freezes_add(f, &e))
			rc = -EBADMSG;
	json_free(doc);
	return rc < 0 ? err_set(-EBADMSG,
				"what the kill switch holds cannot be read from the "
				"log's database")
		      : 0;
}
