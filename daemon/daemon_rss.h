/* daemon_rss - the feeds of headlines among the other parts. */
#pragma once
#include "base/jsonw.h"
#include "daemon/daemon.h"

/** Start asking, when the log is replayed; nothing without any. */
ON_LOOP int daemon_open_rss(struct daemon *d);
/** What is to be said of the feed whose source this is, into the open object. */
ON_LOOP void daemon_rss_source(struct daemon *d, struct jsonw *w, const char *source);
/** Feeds whose source has not brought an article yet, as objects. */
ON_LOOP void daemon_rss_unseen(struct daemon *d, struct jsonw *w);
