/*
 * tickid - one number for one trade, the same whichever way the trade comes.
 *
 * A vendor's stream and its history must give a trade the same source_seq, or a refill
 * would double what the stream brought (feeds/known.h).  Times will not do: Polygon's
 * stream has milliseconds, its history nanoseconds.  What both have is the exchange,
 * the reporting facility and the trade's id, unique together for a symbol and a day:
 *
 *	63      56 55   52 51  50                                    0
 *	| venue   | trf   | h | the id, or (h = 1) 51 bits of its hash |
 *
 * So ids of one exchange that count up keep their order as source_seq, which settles
 * ties of time.  A cancel has the source_seq and the ref_seq of its trade; a correction
 * refers to the trade it corrects and has the source_seq of the corrected one.  Quotes
 * have a sequence at Polygon (tickid_number(0, 0, sequence)), none at Alpaca, where
 * their times and values tell them apart.
 *
 * Never 0.  Pure.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** @venue: the exchange's letter or number, 0 to 255; @trf: 0 where there is none. */
uint64_t tickid_number(unsigned venue, unsigned trf, uint64_t id);
/** Of an id that is a text: digits without leading zeros are that number. */
uint64_t tickid_text(unsigned venue, unsigned trf, const char *id, size_t len);
