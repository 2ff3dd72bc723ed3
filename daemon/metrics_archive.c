/* metrics_archive - the archive, where there is one. */
#include "daemon/archive_care.h"
#include "daemon/archive_carrier.h"
#include "daemon/archive_handover.h"
#include "daemon/archive_thread.h"
#include "daemon/metrics.h"
#include "daemon/metrics_text.h"

struct archive_state {
	struct archive_carrier_status helper;
	struct archive_thread_status rows;
	uint64_t reached;
	uint64_t committed;
};

#define NUMBER(field, expr)                                                            \
	static uint64_t number_##field(const struct archive_state *s)                  \
	{                                                                              \
		return (uint64_t)(expr);                                               \
	}
NUMBER(running, s->helper.is_running)
NUMBER(starts, s->helper.starts)
NUMBER(deaths, s->helper.deaths)
NUMBER(questions, s->helper.questions)
NUMBER(waiting, s->helper.waiting)
NUMBER(handovers, s->rows.handovers)
NUMBER(lag, s->committed >= s->reached ? s->committed + 1 - s->reached : 0)
#undef NUMBER

static const struct {
	const char *name, *type, *help;
	uint64_t (*value)(const struct archive_state *s);
} numbers[] = {
	{"archive_helper_running", "gauge", "1: the archive's helper runs",
	 number_running},
	{"archive_helper_starts_total", "counter", "Times that the helper was started",
	 number_starts},
	{"archive_helper_deaths_total", "counter",
	 "Times that it died, hung or raved, and was ended", number_deaths},
	{"archive_questions_total", "counter", "Questions put to the helper",
	 number_questions},
	{"archive_questions_waiting", "gauge", "Questions that wait for it",
	 number_waiting},
	{"archive_handovers_total", "counter", "Hand-overs that ended well",
	 number_handovers},
	{"archive_lag_positions", "gauge",
	 "Committed positions whose rows are not in the archive's closed files",
	 number_lag},
};

/* A family with a sample per kind. */
static void per_kind(struct buf *out, const char *name, const char *help,
		     const struct archive_count counts[ARCHIVE_COUNTED],
		     uint64_t (*value)(const struct archive_count *c))
{
	char label[METRICS_LABEL_MAX];

	metrics_family(out, name, "gauge", help);
	for (unsigned i = 0; i < ARCHIVE_COUNTED; i++)
		metrics_sample(out, name,
			       metrics_label(label, "kind", archive_care_name(i)),
			       value(&counts[i]));
}

static uint64_t files_of(const struct archive_count *c)
{
	return c->files;
}

static uint64_t rows_of(const struct archive_count *c)
{
	return c->rows;
}

static uint64_t bytes_of(const struct archive_count *c)
{
	return c->bytes;
}

void metrics_archive(struct daemon *d, struct buf *out)
{
	struct archive_count counts[ARCHIVE_COUNTED];
	struct archive_state s;

	if (d->carrier == NULL)
		return;
	s.reached = handover_reached(d->rows);
	s.reached = s.reached > 0 ? s.reached : 1;
	s.committed = store_committed(d->store);
	archive_carrier_status(d->carrier, &s.helper);
	archive_thread_status(d->archive_thread, &s.rows);
	archive_care_counts(handover_care(d->rows), counts);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		metrics_family(out, numbers[i].name, numbers[i].type, numbers[i].help);
		metrics_sample(out, numbers[i].name, "", numbers[i].value(&s));
	}
	metrics_family(out, "archive_last_handover_timestamp_seconds", "gauge",
		       "Wall clock of the last hand-over that ended well; 0: none did");
	metrics_sample_f64(out, "archive_last_handover_timestamp_seconds", "",
			   (double)s.rows.done_ns * 1e-9);
	per_kind(out, "archive_files", "Files of a kind, when they were counted last",
		 counts, files_of);
	per_kind(out, "archive_rows", "Their rows, of whole events the events", counts,
		 rows_of);
	per_kind(out, "archive_bytes", "Their bytes", counts, bytes_of);
}
