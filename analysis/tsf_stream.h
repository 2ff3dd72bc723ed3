/*
 * tsf_stream - the minimal features of the newest values, one more at a time.
 *
 * The window slides over the series; after each value the ten features are those that
 * tsf_extract() gives for the window, to the last bit: the sorted window is kept up to
 * date, sums are taken anew in their fixed order (a running sum would depend on what
 * has left the window).  A value that is not finite stays in the window like any other
 * and makes everything NaN until it has left.
 *
 * One thread at a time; nothing is allocated after tsf_stream_new().
 */
#pragma once
#include "analysis/tsf.h"
#include "base/state.h"

struct tsf_stream;

/** For a window of 1..TSF_LENGTH_MAX values: -EINVAL, -ENOMEM. */
int tsf_stream_new(size_t window, struct tsf_stream **out);
void tsf_stream_free(struct tsf_stream *s);
/** Take the next value and fill @out; returns how many values the window has. */
size_t tsf_stream_push(struct tsf_stream *s, double v, double out[TSF_MINIMAL_COUNT]);
/** Save the window, or load it into a stream of the same window. */
void tsf_stream_state(struct state *st, struct tsf_stream *s);
