/* news - the articles of a row: scored, repeats told, summed up. */
#include "base/err.h"
#include "report/compute.h"
#include <string.h>

static int take(struct report_symbol *s, struct sentiment *scorer,
		struct newsdesk *desk, struct report_article *a)
{
	const char *headline = report_text(s, a->headline);
	size_t len = strlen(headline);
	struct sentiment_score score;
	int rc = sentiment_score(scorer, headline, len, &score);

	if (rc < 0)
		return rc;
	a->compound = score.compound;
	rc = newsdesk_add(desk, a->time_ns, newsdesk_title(headline, len), a->compound);
	a->is_repeat = rc == NEWSDESK_REPEAT;
	return rc < 0 ? rc : 0;
}

void report_news(const struct report *r, struct report_symbol *s,
		 struct sentiment *scorer)
{
	struct newsdesk desk = {.repeat_ns = r->repeat_ns};
	struct report_article *a = (struct report_article *)(void *)s->articles.data;
	size_t n = s->articles.len / sizeof(*a);
	int64_t newest_ns = n > 0 ? a[n - 1].time_ns : 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = take(s, scorer, &desk, &a[i]);
	if (rc < 0) {
		report_fail(s, REPORT_NEWS, "%s", err_text());
		s->articles.len = 0;
	} else {
		newsdesk_total(&desk, newest_ns, r->news_ns, r->half_life_ns, &s->news);
		s->repeats = desk.repeats;
	}
	newsdesk_free(&desk);
}
