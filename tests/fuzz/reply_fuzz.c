/* Any bytes as an ingest reply and as a message with a topic: the client's side. */
#include "proto/ingest.h"
#include "proto/topic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingest_reply_view v;
	struct ingest_run run;
	struct topic t;

	if (ingest_reply_open(data, size, &v) == 0)
		for (uint32_t i = 0; i < v.n_runs; i++)
			ingest_reply_run(&v, i, &run);
	(void)topic_split(data, size, &t);
	return 0;
}
