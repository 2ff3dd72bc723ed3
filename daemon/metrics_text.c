/* metrics_text - see metrics_text.h. */
#include "daemon/metrics_text.h"
#include "base/jsonw.h"
#include "bus/stats.h"
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define NS           1e-9
#define EDGE_BITS    10u /* smallest bucket: below 2^10 ns */
#define EDGE_BITS_UP 34u
#define NAME_MAX_LEN 96

static const char *prefix(const char *name)
{
	return strncmp(name, "process_", 8) == 0 ? "" : "tickbus_";
}

void metrics_family(struct buf *out, const char *name, const char *type,
		    const char *help)
{
	buf_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix(name), name, help,
		   prefix(name), name, type);
}

static void put_name(struct buf *out, const char *name, const char *suffix,
		     const char *labels)
{
	buf_printf(out, "%s%s%s", prefix(name), name, suffix);
	if (labels[0] != '\0')
		buf_printf(out, "{%s}", labels);
}

void metrics_sample(struct buf *out, const char *name, const char *labels,
		    uint64_t value)
{
	put_name(out, name, "", labels);
	buf_printf(out, " %" PRIu64 "\n", value);
}

static void put_f64(struct buf *out, double value)
{
	char text[32];

	buf_add(out, text, jsonw_print_f64(text, value));
}

void metrics_sample_f64(struct buf *out, const char *name, const char *labels,
			double value)
{
	put_name(out, name, "", labels);
	buf_add(out, " ", 1);
	put_f64(out, value);
	buf_add(out, "\n", 1);
}

const char *metrics_label(char buf[METRICS_LABEL_MAX], const char *name,
			  const char *value)
{
	int at = snprintf(buf, METRICS_LABEL_MAX, "%s=\"", name);
	size_t n = at > 0 && at < METRICS_LABEL_MAX ? (size_t)at : 0;

	for (; *value != '\0' && n + 4 < METRICS_LABEL_MAX; value++) {
		if (*value == '"' || *value == '\\')
			buf[n++] = '\\';
		if (*value == '\n') {
			buf[n++] = '\\';
			buf[n++] = 'n';
		} else {
			buf[n++] = *value;
		}
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}

unsigned metrics_bucket(int64_t ns)
{
	unsigned bits = ns > 0 ? 64u - (unsigned)__builtin_clzll((uint64_t)ns) : 0;

	if (bits <= EDGE_BITS)
		return 0;
	return bits > EDGE_BITS_UP ? METRICS_BUCKETS - 1 : bits - EDGE_BITS;
}

/* The end of a bucket's line. */
static void put_exemplar(struct buf *out, const struct metrics_exemplar *e)
{
	if (e != NULL && e->trace_id != 0) {
		buf_printf(out, " # {trace_id=\"%" PRIu64 "\"} ", e->trace_id);
		put_f64(out, (double)e->value_ns * NS);
		buf_printf(out, " %.3f", (double)e->wall_ns * NS);
	}
	buf_add(out, "\n", 1);
}

void metrics_histogram(struct buf *out, const char *name, const char *labels,
		       const struct histogram *h)
{
	metrics_histogram_with(out, name, labels, h, NULL);
}

void metrics_histogram_with(struct buf *out, const char *name, const char *labels,
			    const struct histogram *h,
			    const struct metrics_exemplar exemplars[METRICS_BUCKETS])
{
	const char *comma = labels[0] == '\0' ? "" : ",";
	uint64_t seen = 0;
	unsigned i = 0;

	for (unsigned bits = EDGE_BITS; bits <= EDGE_BITS_UP; bits++) {
		int64_t edge = (INT64_C(1) << bits) - 1;

		for (; i < HISTOGRAM_BUCKETS && histogram_edge(i) <= edge; i++)
			seen += atomic_load_explicit(&h->bucket[i],
						     memory_order_relaxed);
		buf_printf(out, "%s%s_bucket{%s%sle=\"", prefix(name), name, labels,
			   comma);
		put_f64(out, (double)edge * NS);
		buf_printf(out, "\"} %" PRIu64, seen);
		put_exemplar(out,
			     exemplars == NULL ? NULL : &exemplars[bits - EDGE_BITS]);
	}
	for (; i < HISTOGRAM_BUCKETS; i++)
		seen += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
	buf_printf(out, "%s%s_bucket{%s%sle=\"+Inf\"} %" PRIu64, prefix(name), name,
		   labels, comma, seen);
	put_exemplar(out, exemplars == NULL ? NULL : &exemplars[METRICS_BUCKETS - 1]);
	put_name(out, name, "_sum", labels);
	buf_add(out, " ", 1);
	put_f64(out,
		(double)atomic_load_explicit(&h->sum_ns, memory_order_relaxed) * NS);
	buf_add(out, "\n", 1);
	put_name(out, name, "_count", labels);
	buf_printf(out, " %" PRIu64 "\n", seen);
}

/* "commit_nanoseconds_total" is told in seconds, as Prometheus wants it. */
static bool in_seconds(const char *name, char out[NAME_MAX_LEN])
{
	static const char tail[] = "_nanoseconds_total";
	size_t len = strlen(name), cut = sizeof(tail) - 1;

	if (len <= cut || len >= NAME_MAX_LEN || strcmp(name + len - cut, tail) != 0)
		return false;
	(void)snprintf(out, NAME_MAX_LEN, "%.*s_seconds_total", (int)(len - cut), name);
	return true;
}

void metrics_stats(struct buf *out)
{
	const char *family = "";

	for (unsigned i = 0; i < STAT_N; i++) {
		const struct stat_info *s = stats_info((enum stat_id)i);
		uint64_t value = stats_get((enum stat_id)i);
		char seconds[NAME_MAX_LEN];
		bool is_time = in_seconds(s->name, seconds);
		const char *name = is_time ? seconds : s->name;

		/* Family members stand together and share the first one's help. */
		if (strcmp(family, s->name) != 0)
			metrics_family(out, name,
				       s->type == STAT_COUNTER ? "counter" : "gauge",
				       s->help);
		family = s->name;
		if (is_time)
			metrics_sample_f64(out, name, s->labels, (double)value * NS);
		else
			metrics_sample(out, name, s->labels, value);
	}
}

/* "# TYPE NAME_total ..." and "# HELP NAME_total ...": only counters end so. */
static size_t family_len(const char *line, size_t len)
{
	static const char tail[] = "_total";
	const char *end;

	if (len < 7 ||
	    (memcmp(line, "# HELP ", 7) != 0 && memcmp(line, "# TYPE ", 7) != 0))
		return 0;
	end = memchr(line + 7, ' ', len - 7);
	if (end == NULL || end - line < 7 + (ptrdiff_t)sizeof(tail) ||
	    memcmp(end - (sizeof(tail) - 1), tail, sizeof(tail) - 1) != 0)
		return 0;
	return (size_t)(end - line) - (sizeof(tail) - 1);
}

void metrics_open(const struct buf *page, struct buf *out)
{
	const char *at = (const char *)page->data, *end = at + page->len;

	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((line_end == NULL ? end : line_end + 1) - at);
		size_t family = family_len(at, len);

		if (family > 0) {
			buf_add(out, at, family);
			buf_add(out, at + family + 6, len - family - 6);
		} else {
			buf_add(out, at, len);
		}
		at += len;
	}
	buf_add(out, "# EOF\n", 6);
}
