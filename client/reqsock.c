/* reqsock - see reqsock.h. */
#include "client/reqsock.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>

void reqsock_id(uint32_t id, uint8_t out[REQSOCK_ID_LEN])
{
	/* The highest bit says that no further hop follows. */
	out[0] = (uint8_t)(id >> 24 | 0x80);
	out[1] = (uint8_t)(id >> 16);
	out[2] = (uint8_t)(id >> 8);
	out[3] = (uint8_t)id;
}

bool reqsock_answers(const struct splink_msg *m, uint32_t id)
{
	uint8_t want[REQSOCK_ID_LEN];

	reqsock_id(id, want);
	return m->len >= REQSOCK_ID_LEN && m->data[0] == want[0] &&
	       m->data[1] == want[1] && m->data[2] == want[2] && m->data[3] == want[3];
}

void reqsock_init(struct reqsock *r, const char *url)
{
	*r = (struct reqsock){.url = url};
}

void reqsock_close(struct reqsock *r)
{
	if (r->is_open)
		splink_close(&r->link);
	r->is_open = false;
}

static int ensure(struct reqsock *r)
{
	int rc;

	if (r->is_open)
		return 0;
	rc = splink_open(&r->link, r->url, SPLINK_REQ, -1);
	r->is_open = rc == 0;
	return rc;
}

/* True: it is @out.  What answers an earlier request is let go. */
static bool take_answer(struct reqsock *r, struct splink_msg **out)
{
	while (splink_take(&r->link, out) == 0) {
		if (reqsock_answers(*out, r->id))
			return true;
		free(*out);
	}
	*out = NULL;
	return false;
}

int reqsock_ask(struct reqsock *r, const void *data, size_t len, int timeout_ms,
		struct splink_msg **out)
{
	int64_t until_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
	uint64_t sent_on = 0; /* the link's life that has the request; 0: none */
	uint8_t id[REQSOCK_ID_LEN];
	int rc = ensure(r);

	if (rc < 0)
		return rc;
	reqsock_id(++r->id & 0x7fffffffu, id);
	r->id &= 0x7fffffffu;
	for (;;) {
		int64_t left_ms =
			(until_ns - clock_mono_ns() + NS_PER_MS - 1) / NS_PER_MS;

		if (splink_step(&r->link) && sent_on != r->link.opened &&
		    splink_send(&r->link, id, sizeof(id), data, len) == 0)
			sent_on = r->link.opened;
		if (take_answer(r, out))
			return 0;
		if (left_ms <= 0)
			break;
		splink_wait(&r->link, (int)left_ms);
	}
	rc = err_set(-ETIMEDOUT, "%s does not answer: %s", r->url,
		     r->link.state != SPLINK_OPEN && r->link.why[0] ? r->link.why
								    : "timed out");
	reqsock_close(r);
	return rc;
}
