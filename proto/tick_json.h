/*
 * tick_json - reads producers' JSON without a tree and without doubles: a
 * number's value comes from its digits.
 *
 * tick_json_open() walks the whole text once and refuses anything that is not
 * JSON (with three bare words more: NaN, Infinity, -Infinity, so that one such
 * price costs one tick and not the request), so tick_json_next() only meets
 * sound values.  Nesting is bounded, nothing is allocated, nobody recurses.
 */
#pragma once
#include "proto/ingest.h"

#define TICK_JSON_DEPTH_MAX 16

/** 0 or INGEST_MALFORMED, as ingest_open(). */
int tick_json_open(const char *text, size_t len, struct ingest_request *out);
/** 0, INGEST_END or INGEST_BAD, as ingest_next(). */
int tick_json_next(struct ingest_request *req, struct ingest_tick *out);
/** The bytes of the next element, whatever it is; false: all were read. */
struct json_token;
bool tick_json_element(struct ingest_request *req, struct json_token *out);
/** One tick object on its own (a line of a file): 0 or INGEST_BAD with the reason. */
int tick_json_read(const char *text, size_t len, struct ingest_tick *out,
		   enum reject_reason *out_reason, char out_text[INGEST_TEXT_MAX]);
