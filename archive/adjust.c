/* adjust - factors of the corporate actions behind each bar (archive/actions.h). */
#include "archive/actions.h"
#include "archive/layout.h"
#include "archive/onesymbol_own.h"
#include "base/err.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct factor {
	int64_t ex_ns;
	double ratio;
	double keep;
};

static int keep_close(void *arg, const char *text)
{
	return *(double *)arg = strtod(text, NULL), 0;
}

/* The last close before an ex_date, wherever the range begins; 0: there is none. */
static int close_before(struct series *s, int64_t ex_ns, double *out)
{
	size_t i = s->files.gl_pathc;
	struct buf sql = {0};
	struct duck *d;
	int rc = archive_reader(s->a, &d);

	*out = 0;
	while (rc == 0 && i-- > 0 && *out == 0) {
		const char *path = s->files.gl_pathv[i];

		if (onesymbol_month(path) > layout_month(ex_ns))
			continue;
		sql.len = 0;
		buf_printf(&sql, "SELECT close FROM read_parquet(");
		duck_quote(&sql, path, strlen(path));
		buf_printf(&sql,
			   ", hive_partitioning=false) WHERE bar_start < "
			   "make_timestamp_ns(%" PRId64 ") AND close IS NOT NULL",
			   ex_ns);
		onesymbol_maker_sql(s, &sql);
		buf_printf(&sql, " ORDER BY bar_start DESC, revision DESC LIMIT 1");
		rc = duck_each_text(d, buf_text(&sql), keep_close, out);
	}
	buf_free(&sql);
	return rc;
}

/* What the actions of a date do to the bars before it. */
static int factor_of(struct series *s, const struct action *a, size_t n,
		     struct factor *out)
{
	double paid = 0;
	double close = 0;
	int rc = actions_ex_ns(a, s->from_s, &out->ex_ns);

	out->ratio = 1;
	out->keep = 1;
	for (size_t i = 0; i < n; i++) {
		double value = (double)a[i].value_e9 / (double)a[i].divisor_e9;

		if (a[i].kind == ACTION_SPLIT)
			out->ratio *= value;
		else if (a[i].kind == ACTION_SPIN_OFF)
			out->keep *= value;
		else
			paid += value;
	}
	if (strcmp(s->q->adjust, "all") != 0) {
		out->keep = 1;
		return rc;
	}
	if (rc == 0 && paid > 0)
		rc = close_before(s, out->ex_ns, &close);
	if (rc < 0 || close == 0)
		return rc; /* nothing before it, so nothing to adjust for it */
	if (paid >= close / out->ratio)
		return err_set(-EBADMSG,
			       "%s: its dividends of %d are %g, and the close before "
			       "is %g: no price would be left",
			       s->symbol, a->ex_date, paid, close);
	out->keep *= 1 - paid / (close / out->ratio);
	return 0;
}

/* One factor per date, from the last to the first, each with all the later ones in it.
 */
static int factors_of(struct series *s, const struct buf *actions, struct buf *out)
{
	const struct action *a = (const void *)actions->data;
	size_t i = actions->len / sizeof(*a);
	struct factor sum = {.ratio = 1, .keep = 1};
	int rc = 0;

	while (rc == 0 && i > 0) {
		struct factor f;
		size_t n = 1;

		while (n < i && a[i - n - 1].ex_date == a[i - 1].ex_date)
			n++;
		i -= n;
		rc = factor_of(s, &a[i], n, &f);
		if (rc < 0 || f.ex_ns <= s->start_ns)
			break;
		sum.ex_ns = f.ex_ns;
		sum.ratio *= f.ratio;
		sum.keep *= f.keep;
		buf_add(out, &sum, sizeof(sum));
	}
	return rc;
}

/* Of the first ex_date behind the bar.  With an exponent a number is a double from the
   start, and not a DECIMAL that is rounded once more. */
static void case_sql(struct buf *sql, const struct factor *f, size_t n, bool keep)
{
	buf_printf(sql, "(CASE");
	while (n-- > 0)
		buf_printf(sql,
			   " WHEN bar_start < make_timestamp_ns(%" PRId64 ") THEN "
			   "%.17e",
			   f[n].ex_ns, keep ? f[n].keep : f[n].ratio);
	buf_printf(sql, " ELSE 1::DOUBLE END)");
}

/* "* REPLACE (...)" */
static void columns_sql(const struct series *s, struct buf *sql, const struct factor *f,
			size_t n)
{
	static const char *const prices[] = {"open", "high", "low", "close", "vwap"};
	struct buf ratio = {0};
	struct buf keep = {0};

	buf_printf(sql, "* REPLACE ('%s' AS adjust",
		   s->is_adjusted ? s->q->adjust : s->maker[2]);
	if (n > 0) {
		case_sql(&ratio, f, n, false);
		case_sql(&keep, f, n, true);
		buf_printf(sql, ", volume * %s AS volume", buf_text(&ratio));
		for (size_t i = 0; i < 5; i++)
			buf_printf(sql, ", %s / %s * %s AS %s", prices[i],
				   (char *)ratio.data, buf_text(&keep), prices[i]);
	}
	buf_printf(sql, ")");
	buf_free(&ratio);
	buf_free(&keep);
}

int onesymbol_adjust_sql(struct series *s, struct buf *sql, bool *out_is_raw)
{
	struct buf actions = {0};
	struct buf factors = {0};
	int rc = s->is_adjusted ? actions_read(s->a->dir, s->symbol, &actions) : 0;

	*out_is_raw = rc == 1;
	s->is_adjusted &= rc == 0;
	if (rc == 0)
		rc = factors_of(s, &actions, &factors);
	if (rc >= 0)
		columns_sql(s, sql, (const void *)factors.data,
			    factors.len / sizeof(struct factor));
	buf_free(&actions);
	buf_free(&factors);
	return rc < 0 ? rc : 0;
}
