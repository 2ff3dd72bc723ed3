/*
 * highwater - the small file beside the database that says how far
 * acknowledgements went, so that a loss below us is noticed.
 *
 * SQLite stops at the first bad frame of its WAL and calls the rest "ok": one
 * flipped bit takes every later commit away silently.  Hence this second
 * witness: two slots of a block each, written in turn, each with a generation
 * and a CRC.  A torn write harms one slot, the other is one commit older.
 *
 * Without a sync per write a power cut takes the newest marks together with the
 * records they witness.  Hence promised_pos: a bound far ahead that was synced before;
 * after another boot it is what may have been acknowledged.
 *
 *	0      4096     8192
 *	| slot 0 | slot 1 |       newest valid generation counts
 *
 * Changing struct highwater_mark changes the file: raise HIGHWATER_VERSION.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIGHWATER_VERSION 2
#define HIGHWATER_USED    72 /* bytes of a slot; the rest is zero */
#define HIGHWATER_SLOT    4096
#define HIGHWATER_FILE    (2 * HIGHWATER_SLOT)

struct highwater_mark {
	uint64_t store_id; /* of the database this belongs to */
	uint64_t epoch;
	uint64_t acked_pos;    /* highest position that may have been acknowledged */
	uint64_t synced_pos;   /* highest position known to be on the disk */
	uint64_t promised_pos; /* no higher one is acknowledged before the next sync */
	uint64_t boot_id;    /* of the machine's run that wrote this (bootid.h); or: */
	uint64_t generation; /* +1 per write */
};

/**
 * boot_id of a backup's mark: nothing was acknowledged in its epoch, which is the one
 * that whoever starts on the copy begins.
 */
#define HIGHWATER_COPY UINT64_MAX

struct highwater;

/** Outcomes. */
enum {
	HIGHWATER_MISSING = 1, /* no file */
	HIGHWATER_GARBAGE,     /* no valid slot */
};

/** The newest valid mark in @len bytes of a file; HIGHWATER_GARBAGE if none. */
int highwater_decode(const void *bytes, size_t len, struct highwater_mark *out);
/** One slot's block. */
void highwater_encode(const struct highwater_mark *m, uint8_t out[HIGHWATER_SLOT]);

/** Read the file in the directory @dirfd.  0, MISSING, GARBAGE or an error. */
int highwater_read(int dirfd, struct highwater_mark *out);
/**
 * Make the file anew (temporary file, sync, rename, sync of the directory) with
 * @m in both slots, and keep it open.  @every_write: each write is synced.
 */
int highwater_create(int dirfd, const struct highwater_mark *m, bool every_write,
		     struct highwater **out);
/**
 * Write @m's positions and epoch as the next generation; durable when every_write, else
 * after _sync().
 */
int highwater_write(struct highwater *h, const struct highwater_mark *m);
int highwater_sync(struct highwater *h);
void highwater_close(struct highwater *h);
