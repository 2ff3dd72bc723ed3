/*
 * actions - the corporate actions of a symbol, beside its raw bars:
 * DIR/metadata/actions/SYMBOL.csv.
 *
 *	ex_date,kind,value,zone
 *	2014-05-08,dividend,3.29,America/New_York
 *	2014-06-09,split,7,America/New_York
 *
 * kind and value: split, new shares per old ("7", "1/10"); dividend, an amount per
 *share in the currency of the prices; spin_off, what is left of a price (0.9).  Sorted
 *by date.  zone is where ex_date begins at midnight, for bars shorter than a day; a bar
 *of a day is on the date that its middle has in UTC, so that its label may be midnight
 *UTC or the first instant of the day in the exchange's zone.
 *
 * Bars before an action are adjusted for it when they are read: with R the product of
 * the ratios of all later splits, and K that of the later 1 - D / C (D the dividend, C
 * the last raw close before its ex_date, of the same bars; CRSP's and Yahoo's factor)
 * and of the later spin-offs:
 *
 *	split	price / R,     volume * R
 *	all	price / R * K, volume * R
 *
 * A dividend is paid on the shares of its ex_date: where a split has the same date, C
 *is divided by its ratio first.
 */
#pragma once
#include "base/buf.h"
#include "proto/hist.h"
#include <stdint.h>

#define ACTIONS_ZONE_MAX 40

struct action {
	int32_t ex_date;    /* 20140609 */
	uint8_t kind;       /* ACTION_SPLIT, ACTION_DIVIDEND, ACTION_SPIN_OFF */
	int64_t value_e9;   /* > 0 */
	int64_t divisor_e9; /* of a split; else 1e9 */
	char zone[ACTIONS_ZONE_MAX + 1]; /* IANA */
};

/** From texts as the file has them; @zone "" is UTC.  -EINVAL: a sentence. */
int actions_parse(const char *ex_date, const char *kind, const char *value,
		  const char *zone, struct action *out);
/** Add what is known of @symbol to @out (struct action); 1: there is no file.
    -EBADMSG: a line is none. */
int actions_read_file(const char *path, struct buf *out);
int actions_read(const char *dir, const char *symbol, struct buf *out);
/**
 * Add @n actions.  What comes for a date is all that there is of that date, so that the
 * same ones again leave the same bytes and a correction replaces.  @tmp is a new path
 * in the archive's own place.
 */
int actions_put(const char *dir, const char *symbol, const char *tmp,
		const struct action *actions, size_t n, size_t *out_total);
/** The first bar_start of bars of @step_s that is not before the action. */
int actions_ex_ns(const struct action *a, uint32_t step_s, int64_t *out);
