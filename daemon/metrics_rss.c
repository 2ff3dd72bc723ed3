/* metrics_rss - the feeds of headlines, one sample each. */
#include "daemon/metrics.h"
#include "daemon/metrics_text.h"
#include "daemon/rss_thread.h"

#define NUMBER(field, expr)                                                            \
	static uint64_t number_##field(const struct rss_status *s)                     \
	{                                                                              \
		return (uint64_t)(expr);                                               \
	}
NUMBER(failing, s->state == RSS_FAILING || s->state == RSS_GONE)
NUMBER(polls, s->polls)
NUMBER(unchanged, s->unchanged)
NUMBER(failures, s->failures)
NUMBER(redirects, s->redirects)
NUMBER(bytes, s->bytes)
NUMBER(items, s->items)
NUMBER(bad, s->bad)
NUMBER(unmatched, s->unmatched)
NUMBER(accepted, s->log.accepted)
NUMBER(duplicate, s->log.duplicate)
NUMBER(refused, s->log.refused)
NUMBER(waiting, s->waiting)
#undef NUMBER

static const struct {
	const char *name, *type, *help;
	uint64_t (*value)(const struct rss_status *s);
} numbers[] = {
	{"rss_failing", "gauge", "1: the newest answer was none", number_failing},
	{"rss_polls_total", "counter", "Questions answered, or given up", number_polls},
	{"rss_unchanged_total", "counter", "Answers that nothing has changed (304)",
	 number_unchanged},
	{"rss_failures_total", "counter", "Questions that came to nothing",
	 number_failures},
	{"rss_redirects_total", "counter", "Redirects followed", number_redirects},
	{"rss_bytes_total", "counter", "Bytes of answers, unpacked", number_bytes},
	{"rss_items_total", "counter", "Items of all answers", number_items},
	{"rss_bad_items_total", "counter", "Items without a time or a headline",
	 number_bad},
	{"rss_unmatched_items_total", "counter", "Items that name none of the symbols",
	 number_unmatched},
	{"rss_accepted_total", "counter", "Articles written to the log",
	 number_accepted},
	{"rss_duplicate_total", "counter", "Articles that the log had already",
	 number_duplicate},
	{"rss_refused_total", "counter", "Articles that the log refused",
	 number_refused},
	{"rss_waiting_articles", "gauge", "Articles that wait for the log",
	 number_waiting},
};

void metrics_rss(struct daemon *d, struct buf *out)
{
	size_t n = rss_thread_count(d->rss);
	char label[METRICS_LABEL_MAX];

	for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
		if (n > 0)
			metrics_family(out, numbers[k].name, numbers[k].type,
				       numbers[k].help);
		for (size_t i = 0; i < n; i++) {
			struct rss_status s;

			rss_thread_status(d->rss, i, &s);
			metrics_sample(out, numbers[k].name,
				       metrics_label(label, "feed", s.name),
				       numbers[k].value(&s));
		}
	}
}
