/*
 * ingest_head - what ingest.c and tick_json.c share: the head of a request is
 * judged in one place whatever form it came in.
 */
#pragma once
#include "proto/ingest.h"

bool ingest_producer_valid(const char *s, size_t len);
/** Note the reason, set the sentence, return INGEST_MALFORMED. */
int ingest_malformed(struct ingest_request *req, enum reject_reason reason,
		     const char *what);
/** Check and keep both names: 0 or INGEST_MALFORMED. */
int ingest_set_head(struct ingest_request *req, const char *producer,
		    size_t producer_len, const char *source, size_t source_len);
/** Check n and first_seq: 0 or INGEST_MALFORMED. */
int ingest_check_range(struct ingest_request *req);
