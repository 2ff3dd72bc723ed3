/* stream - the table of sessions. */
#include "feeds/stream.h"
#include <string.h>

const struct stream_ops *stream_find(const char *name)
{
	static const struct stream_ops *const streams[] = {
		&alpaca_stream_ops, &databento_live_ops, &polygon_stream_ops};

	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++)
		if (strcmp(streams[i]->name, name) == 0)
			return streams[i];
	return NULL;
}
