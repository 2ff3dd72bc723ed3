/* progress - see progress.h. */
#include "cli/progress.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>

#define SLOT_NS   (NS_PER_S / 2)
#define BAR_CHARS 20u

void progress_init(struct progress *p, int64_t now_ns)
{
	*p = (struct progress){.begin_ns = now_ns, .n_slots = 1};
	p->slot_ns[0] = now_ns;
}

void progress_add(struct progress *p, int64_t now_ns, uint64_t n)
{
	uint64_t newest = (p->n_slots - 1) % PROGRESS_SLOTS;

	if (now_ns - p->slot_ns[newest] < SLOT_NS)
		return;
	newest = p->n_slots++ % PROGRESS_SLOTS;
	p->slot_ns[newest] = now_ns;
	p->slot_n[newest] = n;
}

double progress_rate(const struct progress *p, int64_t now_ns, uint64_t n)
{
	uint64_t oldest = p->n_slots > PROGRESS_SLOTS ? p->n_slots % PROGRESS_SLOTS : 0;
	int64_t elapsed_ns = now_ns - p->slot_ns[oldest];

	if (elapsed_ns <= 0)
		return 0.0;
	return (double)(n - p->slot_n[oldest]) * 1e9 / (double)elapsed_ns;
}

size_t progress_thousands(char out[32], uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return at;
}

static void print_rate(char out[16], double rate)
{
	if (rate >= 1e6)
		(void)snprintf(out, 16, "%.2fM/s", rate / 1e6);
	else if (rate >= 1e3)
		(void)snprintf(out, 16, "%.0fk/s", rate / 1e3);
	else
		(void)snprintf(out, 16, "%.0f/s", rate);
}

static void print_left(char out[32], double seconds)
{
	unsigned long s = seconds > 359999.0 ? 359999ul : (unsigned long)seconds;

	if (s >= 3600)
		(void)snprintf(out, 32, "  %lu:%02lu:%02lu left", s / 3600, s / 60 % 60,
			       s % 60);
	else
		(void)snprintf(out, 32, "  %lu:%02lu left", s / 60, s % 60);
}

size_t progress_print(const struct progress *p, int64_t now_ns, uint64_t n,
		      uint64_t bytes, uint64_t bytes_total, char out[PROGRESS_TEXT_MAX])
{
	char count[32], rate[16], left[32] = "", bar[BAR_CHARS + 1];
	double elapsed_s = (double)(now_ns - p->begin_ns) / 1e9, share;
	int len;

	(void)progress_thousands(count, n);
	print_rate(rate, progress_rate(p, now_ns, n));
	if (bytes_total == 0) {
		len = snprintf(out, PROGRESS_TEXT_MAX, "%s ticks  %s", count, rate);
		return (size_t)len;
	}
	share = bytes < bytes_total ? (double)bytes / (double)bytes_total : 1.0;
	memset(bar, ' ', BAR_CHARS);
	memset(bar, '#', (size_t)(share * BAR_CHARS));
	bar[BAR_CHARS] = '\0';
	if (share > 0.0 && elapsed_s > 1.0)
		print_left(left, elapsed_s * (1.0 - share) / share);
	len = snprintf(out, PROGRESS_TEXT_MAX, "%3d%% [%s]  %s ticks  %s%s",
		       (int)(share * 100.0), bar, count, rate, left);
	return (size_t)len;
}
