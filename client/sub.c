/* sub - opening a subscription, closing it, asking for the next event. */
#include "base/clock.h"
#include "base/err.h"
#include "client/sub_parts.h"
#include "proto/event_json.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <stdlib.h>

#define KINDS                                                                          \
	(1u << EVENT_TICK | 1u << EVENT_BAR | 1u << EVENT_TIER1 | 1u << EVENT_TIER2 |  \
	 1u << EVENT_NEWS | 1u << EVENT_STATUS)

static int set_symbols(struct tickbus_sub *sub, const struct tickbus_filter *f)
{
	for (size_t i = 0; i < f->n_symbols; i++) {
		size_t len = strnlen(f->symbols[i], SYMBOL_MAX + 1);
		char symbol[SYMBOL_MAX] = {0};

		if (len == 0 || len > SYMBOL_MAX)
			return err_set(-EINVAL, "'%.40s' is no symbol", f->symbols[i]);
		memcpy(symbol, f->symbols[i], len);
		if (streams_get(&sub->wanted, EVENT_KINDS, symbol, 0) == NULL)
			return err_set(-ENOMEM, "too many symbols");
	}
	return 0;
}

static int set_from(struct tickbus_sub *sub, const struct tickbus_filter *f)
{
	static const uint8_t from[] = {
		[TICKBUS_FROM_NOW] = CATCHUP_FROM_NOW,
		[TICKBUS_FROM_POS] = CATCHUP_FROM_POS,
		[TICKBUS_FROM_TIME] = CATCHUP_FROM_TIME,
		[TICKBUS_FROM_OLDEST] = CATCHUP_FROM_OLDEST,
		[TICKBUS_FROM_SNAPSHOT] = CATCHUP_FROM_SNAPSHOT,
	};
	bool has_value = f->from == TICKBUS_FROM_POS || f->from == TICKBUS_FROM_TIME;

	if ((unsigned)f->from >= sizeof(from))
		return err_set(-EINVAL, "no such beginning");
	sub->pages.next = (struct catchup_root){.from = has_value ? f->from_value : 0,
						.kinds = f->kinds,
						.from_type = from[f->from]};
	sub->asked_pos = f->from == TICKBUS_FROM_POS ? f->from_value : 1;
	sub->is_exact = f->from != TICKBUS_FROM_NOW && f->policy == TICKBUS_LOSSLESS;
	if (f->from != TICKBUS_FROM_NOW)
		sub_fill_history(sub);
	return 0;
}

static int set_policy(struct tickbus_sub *sub, const struct tickbus_filter *f)
{
	int64_t interval_ns = f->sample_ms * NS_PER_MS;

	switch (f->policy) {
	case TICKBUS_LOSSLESS:
		return 0;
	case TICKBUS_BEST_EFFORT:
		sub->no_fill = true;
		return 0;
	case TICKBUS_SAMPLE:
		if (interval_ns == 0)
			return err_set(-EINVAL, "to sample takes sample_ms >= 1");
		break;
	case TICKBUS_CONFLATE:
		interval_ns = 0;
		break;
	default:
		return err_set(-EINVAL, "no such policy");
	}
	sub->policy = sub_policy_new(interval_ns);
	return sub->policy ? 0 : err_set(-ENOMEM, "no memory for a subscription");
}

static int set_filter(struct tickbus_sub *sub, const struct tickbus_filter *f)
{
	int rc;

	if (f->kinds == 0 || (f->kinds & ~KINDS))
		return err_set(-EINVAL, "no kind, or one that is not published");
	sub->kinds = f->kinds;
	sub->uses_ring = f->use_ring != 0;
	if (f->timeframe) {
		sub->timeframe_s = timeframe_parse(f->timeframe, strlen(f->timeframe));
		if (sub->timeframe_s == 0)
			return err_set(-EINVAL, "'%.16s' is no timeframe",
				       f->timeframe);
	}
	rc = set_from(sub, f);
	if (rc == 0)
		rc = set_policy(sub, f);
	return rc == 0 && f->symbols ? set_symbols(sub, f) : rc;
}

int tickbus_sub_open(const struct tickbus_options *options,
		     const struct tickbus_filter *filter, struct tickbus_sub **out)
{
	struct tickbus_sub *sub = calloc(1, sizeof(*sub));
	int rc;

	if (sub == NULL)
		return err_set(-ENOMEM, "no memory for a subscription");
	sub->epoll = sub->live_epoll = sub->timer = -1;
	rc = options_init(&sub->options, options);
	if (rc == 0)
		rc = set_filter(sub, filter);
	if (rc == 0)
		rc = sub_wait_open(sub);
	if (rc < 0) {
		tickbus_sub_close(sub);
		return rc;
	}
	*out = sub;
	return 0;
}

void tickbus_sub_close(struct tickbus_sub *sub)
{
	if (sub == NULL)
		return;
	sub_wait_close(sub);
	sub_source_clear(&sub->live);
	sub_source_clear(&sub->pages.frame);
	sub_policy_free(sub->policy);
	streams_deinit(&sub->streams);
	streams_deinit(&sub->wanted);
	buf_free(&sub->matrix);
	buf_free(&sub->line);
	free(sub);
}

static int step(struct tickbus_sub *sub, struct tickbus_event *out)
{
	return sub->policy ? sub_policy_step(sub, out) : sub_step(sub, out);
}

int tickbus_sub_next(struct tickbus_sub *sub, int timeout_ms, struct tickbus_event *out)
{
	int64_t until_ns = 0;
	bool waited = false;

	for (;;) {
		int rc = step(sub, out);

		if (rc != SUB_IDLE)
			return rc;
		if (!waited)
			until_ns = clock_mono_ns() + timeout_ms * NS_PER_MS;
		else if (timeout_ms >= 0 && clock_mono_ns() >= until_ns)
			return TICKBUS_TIMEOUT;
		sub_wait(sub, timeout_ms, until_ns);
		waited = true;
	}
}

int tickbus_sub_fd(const struct tickbus_sub *sub)
{
	return sub->epoll;
}

const struct tickbus_counts *tickbus_sub_counts(const struct tickbus_sub *sub)
{
	return &sub->counts;
}

const char *tickbus_sub_json(struct tickbus_sub *sub, const struct tickbus_event *event)
{
	struct event_json_ctx ctx = {.epoch = event->epoch,
				     .publish_ns = event->publish_ns};

	sub->line.len = 0;
	if (event->kind == EVENT_TIER2) {
		event_json_tier2(&sub->line, event->tier2, event->members,
				 event->triangle, &ctx);
	} else {
		char *to = (char *)buf_reserve(&sub->line, EVENT_JSON_MAX);

		sub->line.len = event_json_any(to, event->kind, event->head, &ctx);
	}
	return buf_text(&sub->line);
}
