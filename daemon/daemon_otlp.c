/* daemon_otlp - joins the book of traces with the thread that exports them. */
#include "daemon/daemon_parts.h"

static void on_trace(void *arg, const struct trace_step *s, bool is_slow)
{
	struct daemon *d = arg;

	role_assert_loop();
	otlp_thread_offer(d->otlp, s, is_slow);
}

int daemon_start_otlp(struct daemon *d)
{
	const struct config *c = &d->config;
	const struct otlp_params p = {
		.url = c->trace.otlp,
		.ca_file = c->fetch.ca_file[0] != '\0' ? c->fetch.ca_file : NULL,
		.rate = c->trace.otlp_rate,
		.epoch = d->epoch};
	int rc;

	if (c->trace.otlp[0] == '\0')
		return 0;
	rc = otlp_thread_new(&p, &d->otlp);
	if (rc < 0)
		return rc;
	trace_book_watch(d->trace_book, on_trace, d);
	return otlp_thread_start(d->otlp);
}
