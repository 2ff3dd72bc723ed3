/* intake_parts - what intake.c (ticks) and intake_news.c share; nobody else includes
 * it.
 */
#pragma once
#include "daemon/intake.h"
#include <stdatomic.h>

#define GROUP_REQUESTS 512 /* answers waiting for one commit */
#define GROUP_RECORDS  16384
#define RUN_MAX        1024
#define RETRY_MS       200u /* "busy" and "no_space": ask again after */

struct waiting {
	struct ingest_reply reply;
	struct intake_caller *caller;
	bool as_json;
	bool is_news; /* counted as articles */
};

struct intake {
	struct intake_env env;
	struct waiting *waiting; /* owned; GROUP_REQUESTS */
	size_t n_waiting;
	size_t n_records;           /* appended since the last answers */
	struct record run[RUN_MAX]; /* accepted ticks with consecutive sequences */
	uint32_t run_n;
	uint64_t run_seq;  /* of the first */
	uint64_t last_pos; /* newest committed */
	_Atomic uint64_t
		committed; /* the same, for other threads; set before the answers */
	uint64_t epoch;
	int failed;       /* a commit in the middle of a request failed */
	int64_t clock_ns; /* last clock record */
	/* A refused group must not have moved the clock: as appended, as committed. */
	int64_t clock_staged_ns, clock_safe_ns;
	int64_t recv_ns; /* wall clock, once per request */
	bool any_age;    /* of the request's caller */
	struct buf out;  /* reused for every answer */
	bool stopping;
};

/** One transaction; the answers are the caller's.  0 or a store error. */
ON_STORE int intake_transact(struct intake *in);
/** Keep the bytes of what was just read and refused. */
ON_STORE void intake_quarantine(struct intake *in, const struct ingest_request *req,
				uint32_t producer, enum reject_reason reason);
/** All articles of a request.  0, or the commit error that ended it. */
ON_STORE int intake_take_news(struct intake *in, struct ingest_request *req,
			      uint32_t producer, uint16_t source_id,
			      struct ingest_reply *reply);
