/* log_sender - see log_sender.h. */
#include "daemon/log_sender.h"
#include "base/clock.h"
#include "base/mailbox.h"
#include <stdio.h>

#define AGAIN_NS (200 * NS_PER_MS)

/* On the store thread. */
static void on_reply(struct intake_caller *c, const void *reply, size_t len)
{
	struct log_sender *s = (struct log_sender *)c;

	atomic_store(&s->reply, (int)s->read(s, reply, len));
	s->wake(s->wake_arg);
}

static void take_request(struct store_thread *st, void *arg)
{
	struct log_sender *s = arg;

	role_assert_store();
	intake_request(store_intake(st), s->request.data, s->request.len, &s->caller);
}

void log_sender_init(struct log_sender *s, struct store_thread *store,
		     const char *producer, const char *source,
		     enum sender_reply (*read)(struct log_sender *s, const void *reply,
					       size_t len))
{
	*s = (struct log_sender){.store = store, .read = read};
	s->caller.reply = on_reply;
	(void)snprintf(s->producer, sizeof(s->producer), "%s", producer);
	(void)snprintf(s->source, sizeof(s->source), "%s", source);
}

void log_sender_deinit(struct log_sender *s)
{
	buf_free(&s->request);
}

static void post_later(struct log_sender *s, int64_t now_ns)
{
	s->is_unsent = true;
	s->again_ns = now_ns + AGAIN_NS;
}

bool log_sender_take(struct log_sender *s, int64_t now_ns)
{
	int said = atomic_exchange(&s->reply, SENDER_NONE);

	if (said == SENDER_AGAIN)
		post_later(s, now_ns);
	else if (said == SENDER_STOPPING)
		s->is_stopping = true;
	return said == SENDER_DONE;
}

bool log_sender_is_free(const struct log_sender *s)
{
	return s->n_flying == 0 && !s->is_stopping;
}

int64_t log_sender_post(struct log_sender *s, int64_t now_ns)
{
	if (s->is_stopping || !s->is_unsent)
		return INT64_MAX;
	if (now_ns < s->again_ns)
		return s->again_ns;
	s->is_unsent = false; /* before the post: its reply may come at once */
	if (store_post(s->store, take_request, s) != MAILBOX_FULL)
		return INT64_MAX;
	post_later(s, now_ns);
	return s->again_ns;
}
