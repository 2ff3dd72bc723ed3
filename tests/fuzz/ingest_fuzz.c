/*
 * Any bytes as an ingest request, SBE or JSON: every tick is decoded and judged,
 * and what is judged good becomes a record.
 */
#include "proto/ingest.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingest_request req;
	struct ingest_tick t;
	struct record r;
	uint32_t n = 0;
	int rc;

	if (ingest_open(data, size, &req) != 0) {
		if (req.bad_reason == REJECT_NONE)
			abort();
		return 0;
	}
	while ((rc = ingest_next(&req, &t)) != INGEST_END) {
		n++;
		if (req.raw < (const char *)data ||
		    req.raw + req.raw_len > (const char *)data + size)
			abort();
		if (rc == INGEST_BAD && req.bad_reason == REJECT_NONE)
			abort();
		if (rc == 0 && ingest_check(&t) == REJECT_NONE)
			ingest_record(&t, 1, 1, 1, &r);
	}
	if (n != req.n)
		abort();
	return 0;
}
