/* job_progress - see job_progress.h. */
#include "proto/job_progress.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "proto/topic.h"
#include <assert.h>
#include <stdio.h>

static const char *const whats[] = {"bars", "news", "actions", "features", "report"};
static const char *const states[] = {"running", "done", "cancelled", "failed"};

const char *job_what_name(unsigned what)
{
	return what < sizeof(whats) / sizeof(whats[0]) ? whats[what] : "?";
}

const char *job_state_name(unsigned state)
{
	return state < sizeof(states) / sizeof(states[0]) ? states[state] : "?";
}

size_t job_progress_write(uint8_t out[JOB_PROGRESS_SIZE], const struct frame_root *root,
			  const struct job_progress *jobs, size_t n)
{
	uint8_t *at = out;

	assert(n > 0 && n <= JOB_PROGRESS_MAX);
	sbe_head_write(at, SBE_JOB, sizeof(*root));
	at += sizeof(struct sbe_head);
	memcpy(at, root, sizeof(*root));
	at += sizeof(*root);
	sbe_group_write(at, sizeof(*jobs), (uint16_t)n);
	at += sizeof(struct sbe_group);
	memcpy(at, jobs, n * sizeof(*jobs));
	return (size_t)(at - out) + n * sizeof(*jobs);
}

static int bad(const char *what)
{
	return err_set(FRAME_BAD, "progress of jobs: %s", what);
}

int job_progress_open(const void *data, size_t len, struct job_progress_view *out)
{
	struct sbe_cursor c = {data, (const uint8_t *)data + len};
	struct job_progress_view v = {.n = 0};
	struct sbe_head h;
	struct sbe_group g;

	if (sbe_head_read(&c, &h))
		return bad("no header of this schema");
	if (h.template_id != SBE_JOB)
		return FRAME_OTHER;
	if (sbe_block_read(&c, h.block_length, &v.root, sizeof(v.root)))
		return bad("the root is cut short");
	if (sbe_group_read(&c, &g))
		return bad("the group's header is cut short");
	if (g.n > 0 && g.block_length < sizeof(struct job_progress))
		return bad("a job is cut short");
	if (g.block_length > 0 && g.n > sbe_left(&c) / g.block_length)
		return bad("a job is missing");
	v.at = sbe_skip(&c, (size_t)g.block_length * g.n);
	v.stride = g.block_length;
	v.n = g.n;
	*out = v;
	return 0;
}

void job_progress_get(const struct job_progress_view *v, size_t i,
		      struct job_progress *out)
{
	assert(i < v->n);
	memcpy(out, v->at + i * v->stride, sizeof(*out));
}

size_t job_progress_topic(char *out, uint64_t id)
{
	int n = snprintf(out, TOPIC_MAX, "%s.%llu|", event_kind_word(EVENT_JOB),
			 (unsigned long long)id);

	return (size_t)n;
}

void job_progress_json(const struct job_progress *j, const struct frame_root *root,
		       struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "event", event_kind_name(EVENT_JOB));
	jsonw_u64(&w, "job", j->id);
	jsonw_str(&w, "what", job_what_name(j->what));
	jsonw_str(&w, "state", job_state_name(j->state));
	jsonw_u64(&w, "total", j->total);
	jsonw_u64(&w, "done", j->done);
	jsonw_u64(&w, "failed", j->failed);
	jsonw_u64(&w, "cancelled", j->cancelled);
	jsonw_strn(&w, "text", j->text, strnlen(j->text, sizeof(j->text)));
	jsonw_time(&w, "created", j->created_ns);
	jsonw_time(&w, "finished", j->finished_ns);
	jsonw_time(&w, "publish_time", root->publish_ns);
	jsonw_u64(&w, "epoch", root->epoch);
	jsonw_end(&w);
}
