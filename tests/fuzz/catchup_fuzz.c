/* Any bytes as everything that travels over the catch-up socket. */
#include "proto/catchup.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_request(const uint8_t *data, size_t size)
{
	struct catchup_request req, again;
	struct buf out = {0};

	if (catchup_request_read(data, size, &req) != 0)
		return;
	catchup_request_write(&req, &out);
	if (catchup_request_read(out.data, out.len, &again) != 0 ||
	    again.n_streams != req.n_streams)
		abort();
	catchup_request_deinit(&again);
	catchup_request_deinit(&req);
	buf_free(&out);
}

static void as_page(const uint8_t *data, size_t size)
{
	struct catchup_dict_view dict;
	struct catchup_gone gone;
	struct catchup_name name;
	struct buf out = {0};
	struct catchup_page_view v;

	if (catchup_page_open(data, size, &v) == 0)
		for (uint32_t i = 0; i < v.n_gone; i++)
			catchup_page_gone_at(&v, i, &gone);
	if (catchup_page_json(data, size, NULL, NULL, &out) != 0 && out.len != 0)
		abort();
	if (catchup_dict_open(data, size, &dict) == 0)
		for (uint32_t i = 0; i < dict.n; i++)
			catchup_dict_at(&dict, i, &name);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_request(data, size);
	as_page(data, size);
	return 0;
}
