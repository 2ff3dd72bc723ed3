/* Any bytes as an ingest reply and as a message with a topic: the client's side. */
#include "proto/ingest.h"
#include "proto/topic.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingest_reply_view v;
	struct ingest_run run;
	struct ingest_reply reply = {0};
	struct topic t;

	if (ingest_reply_open(data, size, &v) == 0)
		for (uint32_t i = 0; i < v.n_runs; i++)
			ingest_reply_run(&v, i, &run);
	if (ingest_reply_read((const char *)data, size, &reply) == 0)
		for (size_t at = 0; at < reply.runs.len; at += sizeof(run)) {
			memcpy(&run, reply.runs.data + at, sizeof(run));
			if (run.outcome > INGEST_REJECTED || run.reason >= REJECT_N)
				abort();
		}
	ingest_reply_deinit(&reply);
	(void)topic_split(data, size, &t);
	return 0;
}
