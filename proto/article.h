/*
 * article - an article as producers say it and as the log keeps it: one JSON object,
 *
 *	{"id":"44123","time":"2026-01-05T14:30:00Z","updated":"2026-01-05T14:31:00Z",
 *	 "headline":"Apple beats targets","symbols":["AAPL","MSFT"],
 *	 "url":"https://example.com/a","publisher":"Wire","summary":"..."}
 *
 * id, time, headline and symbols must be there.  An article is known by its source and
 * id: the same again, with another text, is its next edition.
 *
 * A headline is a struct hist_article's, 511 bytes of UTF-8.
 */
#pragma once
#include "base/buf.h"
#include "proto/event.h"
#include "proto/hist.h"
#include <stdbool.h>
#include <stddef.h>

#define ARTICLE_REASON_MAX 128

/**
 * Read the object @text.  REJECT_NONE, or why not, with a sentence in @why; @text may
 * be anybody's bytes.
 */
enum reject_reason article_read(const char *text, size_t len, struct hist_article *out,
				char why[ARTICLE_REASON_MAX]);
/**
 * What can be judged of an article alone: that its texts are there and are UTF-8
 * without control characters, its times, its URL, its symbols.  As article_read().
 */
enum reject_reason article_check(const struct hist_article *a,
				 char why[ARTICLE_REASON_MAX]);
/** Append it as article_read() reads it, without blanks; a summary is left out. */
void article_write(struct buf *out, const struct hist_article *a);
/** By what it is known again. */
uint64_t article_key(const char *source, const char *id);
/** Do the two say the same (times of the edition aside)? */
bool article_same(const struct hist_article *a, const struct hist_article *b);
