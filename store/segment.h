/*
 * segment - how one commit of the log is packed and checked.
 *
 *	records   n x 96 bytes, struct record as it lies in memory
 *	runs      m x 24 bytes: who sent which of them, and as which sequence
 *	head      first and last position, epoch, times, version, CRCs
 *
 * A position is used once and a record's position is its segment's first plus
 * its index.  The data CRC covers records and runs, the head CRC everything
 * else and the data CRC: a row moved, mixed up or bent is found out.
 *
 * Changing struct segment_run, or what the CRCs cover, changes the log on disk:
 * raise RECORD_VERSION (proto/record.h) and read the old one here.
 */
#pragma once
#include "proto/record.h"
#include <stddef.h>
#include <stdint.h>

#define SEGMENT_RECORDS_MAX 65536

/** Records first_index .. first_index + n - 1 are first_seq .. of a producer. */
struct segment_run {
	uint64_t first_seq;
	uint32_t producer; /* STORE_NO_PRODUCER: the daemon itself */
	uint32_t first_index;
	uint32_t n;
	uint32_t zero;
};
_Static_assert(sizeof(struct segment_run) == 24, "no padding");

struct segment_head {
	uint64_t store_id; /* not in the row: a row of another database is found out */
	uint64_t first_pos;
	uint64_t last_pos;
	uint64_t epoch;
	int64_t min_event_ns;  /* of what has log time; INT64_MIN: nothing has */
	int64_t max_event_ns;  /* the same */
	int64_t high_event_ns; /* highest of the log up to and with this segment */
	int64_t commit_ns;
	uint32_t version;
	uint32_t data_crc;
};

/** A segment as read from disk, before anybody believes it. */
struct segment_raw {
	struct segment_head head;
	uint32_t head_crc;
	const void *records; /* borrowed */
	size_t records_len;
	const void *runs; /* borrowed */
	size_t runs_len;
};

uint32_t segment_data_crc(const void *records, size_t records_len, const void *runs,
			  size_t runs_len);
uint32_t segment_head_crc(const struct segment_head *h);
/** Fill in times, version and data_crc from the records; @high: before them. */
void segment_seal(struct segment_head *h, const struct record *recs, uint32_t n,
		  const struct segment_run *runs, uint32_t n_runs,
		  int64_t high_event_ns);
/** 0, or -EBADMSG with what is wrong with the head's numbers or its CRC. */
int segment_head_check(const struct segment_head *h, uint32_t head_crc);
/**
 * Check everything and copy the records and the runs out.  -EBADMSG with a
 * sentence that names the positions; nothing is written then.
 * @recs has room for last - first + 1 <= SEGMENT_RECORDS_MAX records.
 * @runs (may be NULL) for as many runs.
 */
int segment_unpack(const struct segment_raw *raw, struct record *recs,
		   struct segment_run *runs, uint32_t *out_n_runs);
