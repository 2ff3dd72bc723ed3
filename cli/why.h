/*
 * why - what the files of `tickbusctl why` share: questions for stored events and
 * ticks, asked page by page.
 */
#pragma once
#include "base/buf.h"
#include "cli/query.h"
#include "proto/symbol.h"

#define WHY_TICKS 5 /* shown from either end unless --all */

struct why_options {
	bool all, json;
	const char *timeframe; /* of a universe that has several; NULL: any */
};

/** Which events; zero or NULL: any. */
struct why_query {
	const char *kind; /* "bar" ...; "tick": of the log */
	const char *name; /* symbol or universe */
	const char *timeframe;
	const char *member; /* tier1: has it in its values, norms or indicators */
	uint64_t seq;
	uint64_t from, to_pos;    /* ticks: positions */
	int64_t begin_ns, end_ns; /* event times; of ticks @end_ns is exclusive */
};

/** False: enough. */
typedef bool (*why_found_fn)(void *arg, const struct json_token *event);

/** Call @fn for each, in order.  CLI_OK, or an exit code after the reason was said. */
int why_each(struct cli *c, const struct why_query *w, why_found_fn fn, void *arg,
	     bool *out_retired);

struct why_event {
	struct buf text; /* owned */
	struct json_token token;
	const struct why_query *query; /* while it is looked for */
	bool is_found;
};
/** The one of w->seq, else the newest revision.  CLI_NEGATIVE: there is none. */
int why_find(struct cli *c, const struct why_query *w, struct why_event *e);

uint64_t why_number(const struct json_token *object, const char *key);
const char *why_text(const struct json_token *object, const char *key, char *buf,
		     size_t cap);
void why_print_bar(const struct json_token *bar);
/** The ticks of a bar; JSON: as a further member "ticks". */
int why_ticks(struct cli *c, const struct json_token *bar, bool all, bool json);

/** source SYMBOL */
int why_source(struct cli *c, int n, char **args, const struct why_options *o);
/** matrix NAME VERSION [SYM SYM] */
int why_matrix(struct cli *c, int n, char **args, const struct why_options *o);
