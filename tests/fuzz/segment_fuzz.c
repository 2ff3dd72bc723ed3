/*
 * segment_fuzz - rows of the log as a damaged or hostile database gives them.
 *
 *	byte 0: bit 0: make the checksums right first, to get past them
 *	bytes 1 .. 4: length of the records; then the head, the records, the runs
 *
 * Whatever comes: refused with a sentence, or what comes out fits the head.
 */
#include "base/err.h"
#include "store/segment.h"
#include <stdlib.h>
#include <string.h>

#define PREFIX (5 + sizeof(struct segment_head) + sizeof(uint32_t))

static void check(const struct segment_raw *raw, const struct segment_run *runs,
		  uint32_t n_runs)
{
	uint64_t n = raw->head.last_pos - raw->head.first_pos + 1;
	uint64_t next = 0;

	if (raw->head.first_pos == 0 || n > SEGMENT_RECORDS_MAX ||
	    raw->records_len != n * sizeof(struct record))
		abort();
	for (uint32_t i = 0; i < n_runs; i++) {
		if (runs[i].first_index < next ||
		    (uint64_t)runs[i].first_index + runs[i].n > n)
			abort();
		next = (uint64_t)runs[i].first_index + runs[i].n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record recs[SEGMENT_RECORDS_MAX];
	static struct segment_run runs[SEGMENT_RECORDS_MAX];
	struct segment_raw raw;
	uint32_t records_len;
	uint32_t n_runs = 0;

	if (size < PREFIX)
		return 0;
	memset(&raw, 0, sizeof(raw));
	memcpy(&records_len, data + 1, sizeof(records_len));
	memcpy(&raw.head, data + 5, sizeof(raw.head));
	memcpy(&raw.head_crc, data + 5 + sizeof(raw.head), sizeof(raw.head_crc));
	if (records_len > size - PREFIX)
		records_len = (uint32_t)(size - PREFIX);
	raw.records = data + PREFIX;
	raw.records_len = records_len;
	raw.runs = data + PREFIX + records_len;
	raw.runs_len = size - PREFIX - records_len;
	if (data[0] & 1) {
		raw.head.data_crc = segment_data_crc(raw.records, raw.records_len,
						     raw.runs, raw.runs_len);
		raw.head_crc = segment_head_crc(&raw.head);
	}
	if (segment_unpack(&raw, recs, runs, &n_runs) == 0)
		check(&raw, runs, n_runs);
	else if (err_text()[0] == 0)
		abort();
	return 0;
}
