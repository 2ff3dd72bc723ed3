/*
 * page_live - the page's stream: the rows that changed, four times a second, and what
 * `top` says, once.
 *
 * One timer makes a frame for everybody; who has not taken the last one misses it, and
 * gets a full one as soon as it can take more.  No reader, no timer.
 */
#pragma once
#include "base/role.h"
#include "daemon/serve_http.h"

struct daemon;
struct page_live;

#define PAGE_READERS_MAX 16u

ON_LOOP int page_live_new(struct daemon *d, struct page_live **out);
/** After http_close(); the loop must turn once more.  NULL is fine. */
ON_LOOP void page_live_close(struct page_live *p);
/** One more reader; 503 when there are PAGE_READERS_MAX. */
ON_LOOP void page_live_join(struct page_live *p, struct http_request *r);
/** For board_bar(). */
struct board *page_live_board(struct page_live *p);
/** How many read the stream.  NULL: none. */
ON_LOOP unsigned page_live_readers(const struct page_live *p);
