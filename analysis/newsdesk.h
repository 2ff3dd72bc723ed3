/*
 * newsdesk - what the headlines about one ticker say together.
 *
 * Articles are added in the order of their time.  The same headline again within
 * `repeat_ns` of the one that counted is a repeat: counted as such, and nothing else.
 * "The same" is by title: small letters, digits and what is not ASCII; all else is one
 * blank.  The totals are a function of what was added and of the time they are asked
 * for: no clock here.
 *
 * Who has articles as they come, in any order and in editions, puts them in by
 * newsdesk_put() instead.
 */
#pragma once
#include "base/buf.h"
#include <stddef.h>
#include <stdint.h>

struct newsdesk {
	int64_t repeat_ns; /* set before the first article; 0: nothing is a repeat */
	struct buf items;  /* owned; of struct newsdesk_item, repeats left out */
	uint64_t repeats;
};

struct newsdesk_item {
	int64_t time_ns;
	uint64_t title;
	double compound;
	uint64_t id; /* of newsdesk_put(): which article it is; else 0 */
};
_Static_assert(sizeof(struct newsdesk_item) == 32,
	       "no padding: it is saved as it lies");

struct newsdesk_total {
	uint64_t articles; /* in the window, repeats left out */
	uint64_t positive; /* by SENTIMENT_THRESHOLD */
	uint64_t negative;
	int64_t newest_ns;
	double average;  /* NaN: there is no article; so below */
	double weighted; /* each by 2^(-age / half life) */
};

/** newsdesk_add(): the headline was there already. */
enum { NEWSDESK_REPEAT = 1 };

/** 64 bits of the normalised title. */
uint64_t newsdesk_title(const char *headline, size_t len);
/** 0, NEWSDESK_REPEAT, or -EINVAL: it is older than the one before. */
int newsdesk_add(struct newsdesk *n, int64_t time_ns, uint64_t title, double compound);
/**
 * The newest edition of the article @item->id, of any time: it takes the place of the
 * one before.  0 or NEWSDESK_REPEAT, and then it is not kept.
 */
int newsdesk_put(struct newsdesk *n, const struct newsdesk_item *item);
/** Forget what is not newer than @ns, and the oldest beyond @max of them. */
void newsdesk_trim(struct newsdesk *n, int64_t ns, size_t max);
/** Of what lies in (@as_of_ns - @window_ns, @as_of_ns]; @half_life_ns > 0. */
void newsdesk_total(const struct newsdesk *n, int64_t as_of_ns, int64_t window_ns,
		    int64_t half_life_ns, struct newsdesk_total *out);
void newsdesk_free(struct newsdesk *n);
