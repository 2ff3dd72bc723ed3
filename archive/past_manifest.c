/* past_manifest - how far the past goes, and how many chunks must be there. */
#include "archive/layout.h"
#include "archive/past_own.h"
#include "base/err.h"
#include "base/jsonw.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define VERSION   1
#define BYTES_MAX (256u << 10)

static int bad(const char *path)
{
	return err_set(-EBADMSG,
		       "%s is no manifest of version %d: restore it, or remove its "
		       "folder; what the log holds is then archived again",
		       path, VERSION);
}

static int take_stretches(struct past *p, const struct json *list)
{
	uint64_t end = 0;

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *one = json_at(list, i);
		struct past_stretch s;

		if (json_u64(json_get(one, "from"), &s.from_pos) < 0 ||
		    json_u64(json_get(one, "to"), &s.to_pos) < 0 || s.from_pos <= end ||
		    s.to_pos < s.from_pos)
			return -EBADMSG;
		end = s.to_pos;
		buf_add(&p->stretches, &s, sizeof(s));
	}
	return 0;
}

static int take_retired(struct past *p, const struct json *retired)
{
	const struct json *chunks = json_get(retired, "chunks");

	if (retired && json_u64(json_get(retired, "before"), &p->retired_pos) < 0)
		return -EBADMSG;
	for (unsigned k = 0; k < EVENT_KINDS; k++) {
		const struct json *n =
			json_get(chunks, event_kind_word((enum event_kind)k));

		if (n && json_u64(n, &p->kinds[k].retired) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int take(struct past *p, const struct json *root)
{
	const struct json *chunks = json_get(root, "chunks");
	uint64_t version;

	if (json_u64(json_get(root, "schema_version"), &version) < 0 ||
	    version != VERSION || json_u64(json_get(root, "log"), &p->log) < 0 ||
	    json_u64(json_get(root, "epoch"), &p->epoch) < 0 ||
	    take_stretches(p, json_get(root, "stretches")) < 0)
		return -EBADMSG;
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		if (past_keeps(k) &&
		    json_get(chunks, event_kind_word((enum event_kind)k)) &&
		    json_u64(json_get(chunks, event_kind_word((enum event_kind)k)),
			     &p->said[k]) < 0)
			return -EBADMSG;
	return take_retired(p, json_get(root, "retired"));
}

void past_print_log(struct jsonw *w, uint64_t log)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)log);
	jsonw_str(w, "log", text); /* no double holds it */
}

int past_manifest_read(struct past *p)
{
	struct buf path = {0};
	struct buf text = {0};
	struct json *root = NULL;
	ssize_t n;
	int fd, rc = 0;

	buf_printf(&path, "%s/_manifest.json", p->dir);
	fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		buf_free(&path);
		return 0;
	}
	n = fd < 0 ? -1 : read(fd, buf_reserve(&text, BYTES_MAX), BYTES_MAX);
	if (n < 0)
		rc = err_set(-errno, "%s: %s", buf_text(&path), strerror(errno));
	else if (json_parse((char *)text.data, (size_t)n, &root) < 0 ||
		 take(p, root) < 0)
		rc = bad(buf_text(&path));
	if (fd >= 0)
		close(fd);
	p->has_manifest = rc == 0;
	json_free(root);
	buf_free(&text);
	buf_free(&path);
	return rc;
}

static void print_retired(const struct past *p, struct jsonw *w)
{
	jsonw_object(w, "retired");
	jsonw_u64(w, "before", p->retired_pos);
	jsonw_object(w, "chunks");
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		if (p->kinds[k].retired > 0)
			jsonw_u64(w, event_kind_word((enum event_kind)k),
				  p->kinds[k].retired);
	jsonw_end(w);
	jsonw_end(w);
}

int past_manifest_write(struct past *p)
{
	const struct past_stretch *s = (const void *)p->stretches.data;
	struct buf path = {0}, beside = {0}, text = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &text);
	jsonw_object(&w, NULL);
	jsonw_u64(&w, "schema_version", VERSION);
	past_print_log(&w, p->log);
	jsonw_u64(&w, "epoch", p->epoch);
	jsonw_array(&w, "stretches");
	for (size_t i = 0; i < p->stretches.len / sizeof(*s); i++) {
		jsonw_object(&w, NULL);
		jsonw_u64(&w, "from", s[i].from_pos);
		jsonw_u64(&w, "to", s[i].to_pos);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	jsonw_object(&w, "chunks");
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		if (p->said[k] > 0)
			jsonw_u64(&w, event_kind_word((enum event_kind)k), p->said[k]);
	jsonw_end(&w);
	if (p->retired_pos > 0)
		print_retired(p, &w);
	jsonw_end(&w);
	buf_printf(&text, "\n");
	buf_printf(&path, "%s/_manifest.json", p->dir);
	buf_printf(&beside, "%s/past.manifest", p->tmp);
	rc = layout_mkdirs(p->dir);
	if (rc == 0)
		rc = layout_write(buf_text(&path), buf_text(&beside), text.data,
				  text.len);
	p->has_manifest |= rc == 0;
	buf_free(&text);
	buf_free(&path);
	buf_free(&beside);
	return rc;
}
