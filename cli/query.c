/* query - see query.h. */
#include "cli/query.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool query_walk(struct query_walk *w, const struct json_token *value)
{
	if (value->type != JSON_OBJECT && value->type != JSON_ARRAY)
		return false;
	*w = (struct query_walk){
		.scan = {.at = value->text + 1, .end = value->text + value->len - 1},
		.is_object = value->type == JSON_OBJECT,
	};
	return true;
}

bool query_next(struct query_walk *w, struct json_token *out_key,
		struct json_token *out)
{
	json_scan_blank(&w->scan);
	if (w->scan.at == w->scan.end)
		return false;
	if (w->began && !json_scan_char(&w->scan, ','))
		return false;
	w->began = true;
	if (w->is_object && !json_scan_key(&w->scan, out_key))
		return false;
	return json_scan_value(&w->scan, out);
}

bool query_member(const struct json_token *object, const char *key,
		  struct json_token *out)
{
	struct json_token name, value;
	struct query_walk w;

	if (object->type != JSON_OBJECT || !query_walk(&w, object))
		return false;
	while (query_next(&w, &name, &value)) {
		if (json_scan_is(&name, key)) {
			*out = value;
			return true;
		}
	}
	return false;
}

const char *query_text(const struct json_token *t, char *buf, size_t cap)
{
	const char *text = t->text;
	size_t len = t->len;

	if (t->type == JSON_NULL || (t->type == JSON_STRING && len == 0)) {
		text = "-";
		len = 1;
	} else if (t->type == JSON_STRING && t->escaped &&
		   json_scan_text(t, buf, cap - 1, &len)) {
		text = buf;
	}
	if (len > cap - 1)
		len = cap - 1;
	memmove(buf, text, len);
	buf[len] = '\0';
	/* Nothing a daemon or a producer wrote may move the cursor of a terminal. */
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)buf[i] < ' ' || buf[i] == 0x7f)
			buf[i] = '?';
	return buf;
}

const char *query_field(const struct json_token *object, const char *key, char *buf,
			size_t cap)
{
	struct json_token t;

	*buf = '\0';
	if (query_member(object, key, &t) && t.type == JSON_STRING && t.len > 0)
		(void)query_text(&t, buf, cap);
	return buf;
}

double query_number(const struct json_token *t, double otherwise)
{
	char text[64], *end;
	double v;

	if (t->type != JSON_NUMBER && t->type != JSON_STRING)
		return otherwise;
	(void)query_text(t, text, sizeof(text));
	v = strtod(text, &end);
	return end == text || *end != '\0' ? otherwise : v;
}

/* What the daemon answered: CLI_OK, CLI_NEGATIVE with its sentence, or another exit
 * code after saying why. */
static int judge(struct query *q, char *reason, size_t cap)
{
	struct json_scan scan = {.at = q->text, .end = q->text + strlen(q->text)};
	struct json_token answer, ok, error;

	if (!json_scan_value(&scan, &answer) || !query_member(&answer, "ok", &ok))
		return cli_error(CLI_INTERNAL, "the daemon's answer is no JSON object");
	if (ok.type != JSON_TRUE) {
		if (query_member(&answer, "error", &error))
			(void)query_text(&error, reason, cap);
		else
			(void)snprintf(reason, cap, "the daemon said no");
		return CLI_NEGATIVE;
	}
	if (!query_member(&answer, "result", &q->result))
		return cli_error(CLI_INTERNAL, "the daemon's answer has no result");
	return CLI_OK;
}

int query_try(struct cli *c, const char *request, struct query *out, char *reason,
	      size_t cap)
{
	int rc;

	*out = (struct query){0};
	rc = c->admin != NULL ? tickbus_admin_ask(c->admin, request, &out->text)
			      : tickbus_ask(&c->options, request, &out->text);
	if (rc < 0)
		return cli_unavailable(c, rc);
	rc = judge(out, reason, cap);
	if (rc != CLI_OK)
		query_free(out);
	return rc;
}

int query_run(struct cli *c, const char *request, struct query *out)
{
	char reason[1024];
	int rc = query_try(c, request, out, reason, sizeof(reason));

	return rc == CLI_NEGATIVE ? cli_error(rc, "%s", reason) : rc;
}

int query_ask(struct cli *c, const char *cmd, const char *key, const char *value,
	      struct query *out)
{
	struct buf request = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &request);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", cmd);
	if (key != NULL)
		jsonw_str(&w, key, value);
	jsonw_end(&w);
	rc = query_run(c, buf_text(&request), out);
	buf_free(&request);
	return rc;
}

void query_free(struct query *q)
{
	tickbus_free(q->text);
	*q = (struct query){0};
}

struct json_token query_rows(const struct json_token *result)
{
	struct json_token key, value, rows = *result;
	struct query_walk w;
	unsigned n = 0;

	if (result->type != JSON_OBJECT || !query_walk(&w, result))
		return rows;
	while (query_next(&w, &key, &value)) {
		if (value.type == JSON_ARRAY) {
			rows = value;
			n++;
		}
	}
	return n == 1 ? rows : *result;
}

bool query_find_text(const struct json_token *result, struct json_token *out)
{
	struct json_token key, value;
	struct query_walk w;

	if (result->type == JSON_STRING) {
		*out = *result;
		return true;
	}
	if (result->type != JSON_OBJECT || !query_walk(&w, result))
		return false;
	while (query_next(&w, &key, &value)) {
		/* A text of lines has ends of lines in it; a name has none. */
		if (value.type == JSON_STRING && value.escaped) {
			*out = value;
			return true;
		}
	}
	return false;
}

void query_print_text(FILE *out, const struct json_token *text)
{
	char *plain = malloc(text->len + 1);
	size_t len = 0;

	if (plain != NULL && json_scan_text(text, plain, text->len, &len)) {
		(void)fwrite(plain, 1, len, out);
		if (len > 0 && plain[len - 1] != '\n')
			(void)fputc('\n', out);
	}
	free(plain);
}
