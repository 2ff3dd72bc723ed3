/* job_progress_test - frames of progress come back, cut ones are refused, JSON is a
 * line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "proto/job_progress.h"
#include "proto/topic.h"
#include <string.h>

static const struct frame_root root = {
	.epoch = 3, .publish_ns = 1000000000, .frame_seq = 9};

static struct job_progress job(uint64_t id)
{
	return (struct job_progress){.id = id,
				     .created_ns = 1,
				     .finished_ns = VALUE_NULL,
				     .total = 4,
				     .done = 2,
				     .failed = 1,
				     .what = JOB_IS_REPORT,
				     .state = JOB_IS_RUNNING};
}

static void frames_come_back(void **state)
{
	struct job_progress jobs[JOB_PROGRESS_MAX], got;
	uint8_t data[JOB_PROGRESS_SIZE];
	struct job_progress_view v;
	size_t len;

	(void)state;
	for (uint64_t i = 0; i < JOB_PROGRESS_MAX; i++)
		jobs[i] = job(i + 1);
	len = job_progress_write(data, &root, jobs, JOB_PROGRESS_MAX);
	assert_int_equal(sizeof(data), len);
	assert_int_equal(0, job_progress_open(data, len, &v));
	assert_int_equal(JOB_PROGRESS_MAX, v.n);
	assert_memory_equal(&root, &v.root, sizeof(root));
	for (size_t i = 0; i < v.n; i++) {
		job_progress_get(&v, i, &got);
		assert_memory_equal(&jobs[i], &got, sizeof(got));
	}
}

static void what_is_cut_or_another_is_said(void **state)
{
	struct job_progress jobs[2] = {job(1), job(2)};
	uint8_t data[JOB_PROGRESS_SIZE];
	struct job_progress_view v;
	struct frame_view f;
	size_t len;

	(void)state;
	len = job_progress_write(data, &root, jobs, 2);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(FRAME_BAD, job_progress_open(data, cut, &v));
	/* Who knows frames of events alone passes it over. */
	assert_int_equal(FRAME_OTHER, frame_open(data, len, &f));
	sbe_head_write(data, SBE_STATUS, sizeof(root));
	assert_int_equal(FRAME_OTHER, job_progress_open(data, len, &v));
}

static void it_is_a_line_of_json(void **state)
{
	struct job_progress j = job(7);
	char topic[TOPIC_MAX];
	struct buf line = {0};

	(void)state;
	memcpy(j.text, "it\"s", 4);
	job_progress_json(&j, &root, &line);
	assert_string_equal(
		"{\"event\":\"JOB_PROGRESS\",\"job\":7,\"what\":\"report\",\"state\":"
		"\"running\",\"total\":4,\"done\":2,\"failed\":1,\"cancelled\":0,"
		"\"text\":"
		"\"it\\\"s\",\"created\":\"1970-01-01T00:00:00.000000001Z\","
		"\"finished\":"
		"null,\"publish_time\":\"1970-01-01T00:00:01Z\",\"epoch\":3}",
		buf_text(&line));
	assert_int_equal(6, job_progress_topic(topic, 7));
	assert_memory_equal("job.7|", topic, 6);
	assert_string_equal("?", job_what_name(99));
	assert_string_equal("?", job_state_name(99));
	buf_free(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_back),
		cmocka_unit_test(what_is_cut_or_another_is_said),
		cmocka_unit_test(it_is_a_line_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
