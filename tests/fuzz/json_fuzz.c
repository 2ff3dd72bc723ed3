/* json_fuzz - strangers' JSON: parse it, walk it, ask every question of every value. */
#include "base/json.h"
#include <stdlib.h>
#include <string.h>

static void ask(const struct json *v)
{
	uint64_t u;

	(void)json_str(v, "");
	(void)json_bool(v, false);
	if (json_num(v, 0) != json_num(v, 0))
		abort(); /* a number is finite, so it equals itself */
	(void)json_u64(v, &u);
	if (json_len(v) > 0 && !json_at(v, json_len(v) - 1))
		abort();
	if (json_at(v, json_len(v)) != NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json *root;
	const struct json *m = NULL;
	const char *key;

	if (json_parse((const char *)data, size, &root) != 0)
		return 0;
	ask(root);
	while ((m = json_next(root, m, &key)) != NULL) {
		ask(m);
		/* Keys are unique, so a look-up finds this very member. */
		if (json_is_object(root) && json_get(root, key) != m)
			abort();
	}
	json_free(root);
	return 0;
}
