/* histstore_test - bars, articles, actions; order, kill, the size of the WAL. */
#include "store/histstore_world_test.h"

static void what_was_put_comes_back_whatever_the_step(void **state)
{
	static const uint32_t steps[] = {1, 60, 300, 3600, 86400, 604800};
	struct world w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < 6; i++) {
		struct hist_series s = series("AAPL", steps[i], HIST_RAW);
		int64_t step = steps[i] * NS_PER_S;

		assert_int_equal(2000, put(&w, &s, 0, 2000));
		expect(&w, &s, EVER, 0, 2000);
		expect(&w, &s,
		       (struct hist_range){FIRST + 7 * step, FIRST + 1500 * step}, 7,
		       1500);
		expect(&w, &s, (struct hist_range){FIRST + 1, FIRST + step}, 1, 1);
	}
	reopen(&w);
	for (size_t i = 0; i < 6; i++) {
		struct hist_series s = series("AAPL", steps[i], HIST_RAW);

		expect(&w, &s, EVER, 0, 2000);
	}
	end(&w);
}

static void the_same_ingest_twice_leaves_the_same_bytes(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct hist_summary one, two;
	struct world w;

	(void)state;
	begin(&w);
	/* Pages that end in the middle of a day, then the whole at once. */
	assert_int_equal(500, put(&w, &s, 0, 500));
	assert_int_equal(500, put(&w, &s, 500, 1000));
	assert_int_equal(0, histstore_summary(w.h, &s, &one));
	assert_int_equal(0, put(&w, &s, 0, 1000));
	assert_int_equal(0, put(&w, &s, 300, 700));
	assert_int_equal(0, histstore_summary(w.h, &s, &two));
	assert_int_equal(one.bars, two.bars);
	assert_int_equal(one.bytes, two.bytes);
	assert_int_equal(one.chunks, two.chunks);
	assert_int_equal(1000, two.bars);
	assert_int_equal(FIRST, two.first_ns);
	assert_int_equal(FIRST + 999 * 60 * NS_PER_S, two.last_ns);
	expect(&w, &s, EVER, 0, 1000);
	end(&w);
}

static void a_series_knows_what_its_prices_are_in(void **state)
{
	struct hist_series s = series("VOD.L", 60, HIST_RAW);
	struct hist_summary sum;
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(500, put(&w, &s, 0, 500));
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_set_currency(w.h, &s, "GBp"));
	assert_int_equal(0, histstore_set_currency(w.h, &s, "")); /* not said again */
	assert_int_equal(0, histstore_commit(w.h));
	assert_int_equal(500, put(&w, &s, 500, 1000));
	reopen(&w);
	assert_int_equal(0, histstore_summary(w.h, &s, &sum));
	assert_string_equal("GBp", sum.currency);
	assert_int_equal(1000, sum.bars);
	end(&w);
}

static void the_newest_word_on_a_bar_wins(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct hist_bar b = bar(60, 5), *got;
	struct buf out = {0};
	uint64_t fresh;
	struct world w;

	(void)state;
	begin(&w);
	put(&w, &s, 0, 10);
	b.close_e9++;
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_put_bars(w.h, &s, &b, 1, &fresh));
	assert_int_equal(0, histstore_commit(w.h));
	assert_int_equal(0, fresh);
	assert_int_equal(0, histstore_get_bars(w.h, &s, &EVER, 100, &out));
	got = (struct hist_bar *)out.data;
	assert_int_equal(10 * sizeof(b), out.len);
	assert_memory_equal(&b, &got[5], sizeof(b));
	buf_free(&out);
	end(&w);
}

static void bars_out_of_order_are_refused_and_nothing_is_written(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct hist_bar bars[3] = {bar(60, 0), bar(60, 2), bar(60, 2)};
	uint64_t fresh;
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(-EINVAL, histstore_put_bars(w.h, &s, bars, 3, &fresh));
	assert_non_null(strstr(err_text(), "do not ascend"));
	histstore_rollback(w.h);
	expect(&w, &s, EVER, 0, 0);
	end(&w);
}

static void series_do_not_mix(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct hist_series other[4] = {s, s, s, s};
	struct world w;

	(void)state;
	begin(&w);
	(void)snprintf(other[0].source, sizeof(other[0].source), "polygon");
	(void)snprintf(other[1].feed, sizeof(other[1].feed), "iex");
	other[2].adjust = HIST_SPLIT;
	(void)snprintf(other[3].symbol, sizeof(other[3].symbol), "MSFT");
	for (size_t i = 0; i < 4; i++)
		put(&w, &other[i], 0, 10);
	expect(&w, &s, EVER, 0, 0);
	put(&w, &s, 0, 20);
	for (size_t i = 0; i < 4; i++)
		expect(&w, &other[i], EVER, 0, 10);
	end(&w);
}

static void an_action_is_new_once_and_again_when_it_says_otherwise(void **state)
{
	struct hist_action a = {.kind = ACTION_SPLIT,
				.ex_date = 20240610,
				.symbol = "NVDA",
				.numerator_e9 = 10000000000,
				.denominator_e9 = 1000000000};
	struct buf list = {0}, acted = {0};
	const struct hist_action *got;
	const struct hist_acted *who;
	struct world w;
	bool is_new;

	(void)state;
	begin(&w);
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_put_action(w.h, "alpaca", &a, &is_new));
	assert_true(is_new);
	assert_int_equal(0, histstore_put_action(w.h, "alpaca", &a, &is_new));
	assert_false(is_new);
	assert_int_equal(0, histstore_acted(w.h, "", 9, &acted));
	a.numerator_e9 *= 2;
	assert_int_equal(0, histstore_put_action(w.h, "alpaca", &a, &is_new));
	assert_true(is_new);
	/* Of two vendors the one that knows more is believed. */
	a.ex_date++;
	assert_int_equal(0, histstore_put_action(w.h, "yahoo", &a, &is_new));
	a.kind = ACTION_DIVIDEND;
	assert_int_equal(0, histstore_put_action(w.h, "yahoo", &a, &is_new));
	assert_int_equal(0, histstore_actions(w.h, "NVDA", &list));
	got = (const void *)list.data;
	assert_int_equal(list.len, 2 * sizeof(*got));
	assert_true(got[0].kind == ACTION_SPLIT && got[0].ex_date == 20240611 &&
		    got[0].numerator_e9 == 20000000000 && got[1].kind == a.kind);
	assert_int_equal(0, histstore_acted(w.h, "", 9, &acted));
	assert_int_equal(0, histstore_acted(w.h, "NVDA", 9, &acted));
	assert_int_equal(acted.len, 2 * sizeof(*who));
	who = (const void *)acted.data;
	assert_string_equal(who[1].symbol, "NVDA");
	assert_true(who[0].actions == 1 && who[1].actions == 3 &&
		    who[0].sum != who[1].sum);
	buf_free(&list);
	buf_free(&acted);
	assert_int_equal(0, histstore_commit(w.h));
	end(&w);
}

static void an_article_is_replaced_by_its_later_edition_only(void **state)
{
	struct hist_article a = {.id = "n1",
				 .updated_ns = 10,
				 .n_symbols = 1,
				 .headline = "one",
				 .symbols = {"AAPL"}};
	struct hist_health health;
	struct world w;
	bool is_new;

	(void)state;
	begin(&w);
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_put_article(w.h, "alpaca", &a, &is_new));
	assert_true(is_new);
	a.updated_ns = 9;
	assert_int_equal(0, histstore_put_article(w.h, "alpaca", &a, &is_new));
	assert_false(is_new);
	a.updated_ns = 11;
	assert_int_equal(0, histstore_put_article(w.h, "alpaca", &a, &is_new));
	assert_true(is_new);
	assert_int_equal(0, histstore_put_article(w.h, "alpaca", &a, &is_new));
	assert_false(is_new);
	a.headline[0] = 't'; /* an edit that the vendor does not date */
	assert_int_equal(0, histstore_put_article(w.h, "alpaca", &a, &is_new));
	assert_true(is_new);
	assert_int_equal(0, histstore_put_article(w.h, "alpaca", &a, &is_new));
	assert_false(is_new);
	assert_int_equal(0, histstore_commit(w.h));
	assert_int_equal(0, histstore_health(w.h, &health));
	assert_int_equal(1, health.articles);
	end(&w);
}

struct found {
	char text[256];
	int stop_after;
};

static int note_article(void *arg, const char *source, const struct hist_article *a)
{
	struct found *f = arg;
	size_t n = strlen(f->text);

	(void)snprintf(f->text + n, sizeof(f->text) - n, "%s:%s@%lld=%s ", source,
		       a->id, (long long)a->created_ns, a->headline);
	return --f->stop_after == 0 ? 7 : 0;
}

static void articles_come_by_time_and_in_pages(void **state)
{
	static const struct hist_range all = {INT64_MIN, INT64_MAX}, some = {20, 30};
	struct hist_article a = {.n_symbols = 2, .symbols = {"AAPL", "MSFT"}};
	struct found f = {.text = ""};
	struct world w;
	bool is_new;

	(void)state;
	begin(&w);
	assert_int_equal(0, histstore_begin(w.h));
	for (int i = 3; i > 0; i--) {
		(void)snprintf(a.id, sizeof(a.id), "n%d", i);
		(void)snprintf(a.headline, sizeof(a.headline), "head%d", i);
		a.created_ns = i * 10;
		assert_int_equal(0, histstore_put_article(w.h, "alpaca", &a, &is_new));
	}
	a.n_symbols = 1;
	assert_int_equal(0, histstore_put_article(w.h, "polygon", &a, &is_new));
	assert_int_equal(0, histstore_commit(w.h));
	assert_int_equal(0,
			 histstore_articles(w.h, "AAPL", &all, 0, 9, note_article, &f));
	assert_string_equal(f.text, "alpaca:n1@10=head1 polygon:n1@10=head1 "
				    "alpaca:n2@20=head2 alpaca:n3@30=head3 ");
	f = (struct found){.text = ""};
	assert_int_equal(0,
			 histstore_articles(w.h, "AAPL", &all, 1, 2, note_article, &f));
	assert_string_equal(f.text, "polygon:n1@10=head1 alpaca:n2@20=head2 ");
	f = (struct found){.text = ""};
	assert_int_equal(
		0, histstore_articles(w.h, "MSFT", &some, 0, 9, note_article, &f));
	assert_string_equal(f.text, "alpaca:n2@20=head2 ");
	f = (struct found){.stop_after = 1};
	assert_int_equal(7,
			 histstore_articles(w.h, "AAPL", &all, 0, 9, note_article, &f));
	end(&w);
}

struct sums {
	struct hist_range r[8];
	uint32_t sum[8];
	unsigned n;
	unsigned stop_after;
};

static int note_sum(void *arg, const struct hist_range *r, uint32_t sum)
{
	struct sums *s = arg;

	s->r[s->n] = *r;
	s->sum[s->n++] = sum;
	return s->n == s->stop_after ? 7 : 0;
}

static void chunks_have_ranges_and_sums_that_change_with_their_bars(void **state)
{
	static const int64_t day = INT64_C(86400000000000);
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct hist_series other = series("MSFT", 60, HIST_RAW);
	struct sums was = {0}, now = {0}, cut = {.stop_after = 2}, none = {0};
	struct hist_bar b;
	struct world w;
	uint64_t fresh;

	(void)state;
	begin(&w);
	put(&w, &s, 0, 3 * 1440);
	put(&w, &other, 0, 10);
	assert_int_equal(0, histstore_each_chunk(w.h, &s, note_sum, &was));
	assert_in_range(was.n, 3, 4); /* it may begin in the middle of a day */
	b = bar(60, 1440);
	b.trades++;
	assert_int_equal(0, histstore_begin(w.h));
	assert_int_equal(0, histstore_put_bars(w.h, &s, &b, 1, &fresh));
	assert_int_equal(0, histstore_commit(w.h));
	assert_int_equal(0, fresh);
	assert_int_equal(0, histstore_each_chunk(w.h, &s, note_sum, &now));
	assert_int_equal(was.n, now.n);
	for (unsigned i = 0; i < now.n; i++) {
		assert_int_equal(day, now.r[i].to_ns - now.r[i].from_ns);
		assert_true(i == 0 || now.r[i].from_ns == now.r[i - 1].to_ns);
		assert_int_equal(b.start_ns < now.r[i].from_ns ||
					 b.start_ns >= now.r[i].to_ns,
				 now.sum[i] == was.sum[i]);
	}
	assert_int_equal(7, histstore_each_chunk(w.h, &s, note_sum, &cut));
	assert_int_equal(2, cut.n);
	s = series("NONE", 60, HIST_RAW);
	assert_int_equal(0, histstore_each_chunk(w.h, &s, note_sum, &none));
	assert_int_equal(0, none.n);
	end(&w);
}

static void another_database_is_refused_with_what_to_do(void **state)
{
	struct world w;
	char path[160];
	FILE *f;

	(void)state;
	begin(&w);
	assert_int_equal(0, histstore_close(w.h));
	(void)snprintf(path, sizeof(path), "%s/history.db", w.f.dir);
	f = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database at all, whatever its name says\n", f);
	fclose(f);
	w.h = NULL;
	assert_int_equal(-EBADMSG, histstore_open(w.f.dir, &w.h));
	assert_non_null(strstr(err_text(), "move it away"));
	end(&w);
}

static void a_kill_leaves_exactly_what_was_committed(void **state)
{
	struct hist_series s = series("AAPL", 60, HIST_RAW);
	struct world w;
	int status;
	pid_t pid;

	(void)state;
	begin(&w);
	assert_int_equal(0, histstore_close(w.h));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct hist_bar b = bar(60, 1000);
		uint64_t fresh;

		if (histstore_open(w.f.dir, &w.h) < 0)
			_exit(1);
		put(&w, &s, 0, 1000);
		cover(&w, &s, 0, 100, 1);
		(void)histstore_begin(w.h);
		(void)histstore_put_bars(w.h, &s, &b, 1, &fresh);
		(void)raise(SIGKILL);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(0, histstore_open(w.f.dir, &w.h));
	expect(&w, &s, EVER, 0, 1000);
	expect_missing(&w, &s, 0, "");
	end(&w);
}

static void the_wal_stays_small_while_much_is_written(void **state)
{
	struct hist_health health;
	struct world w;

	(void)state;
	begin(&w);
	for (int i = 0; i < 40; i++) {
		struct hist_series s = series("AAPL", 60, HIST_RAW);

		(void)snprintf(s.symbol, sizeof(s.symbol), "S%d", i);
		put(&w, &s, 0, 40000);
		assert_int_equal(0, histstore_health(w.h, &health));
		assert_true(health.wal_bytes < 24 << 20);
	}
	assert_int_equal(40, health.series);
	assert_int_equal(1600000, health.bars);
	end(&w);
}

static int note(void *arg, const struct hist_summary *s)
{
	buf_printf(arg, "%s/%s/%u ", s->series.source, s->series.symbol,
		   s->series.step_s);
	return s->series.step_s == 86400 ? 7 : 0;
}

static int same_but_for_times(void *arg, const struct hist_summary *s)
{
	struct hist_summary whole;

	assert_int_equal(0, histstore_summary(arg, &s->series, &whole));
	assert_true(whole.bars == s->bars && whole.bytes == s->bytes &&
		    whole.chunks == s->chunks);
	assert_string_equal(whole.currency, s->currency);
	assert_true(s->first_ns == 0 && s->last_ns == 0 && s->fetched_ns == 0);
	return 0;
}

static void series_are_told_in_order_until_somebody_says_stop(void **state)
{
	struct hist_series a = series("MSFT", 60, HIST_RAW);
	struct hist_series b = series("AAPL", 3600, HIST_RAW);
	struct hist_series c = series("AAPL", 60, HIST_RAW);
	struct hist_series d = series("ZM", 86400, HIST_RAW);
	struct buf text = {0};
	struct world w;

	(void)state;
	begin(&w);
	put(&w, &a, 0, 1);
	put(&w, &b, 0, 1);
	put(&w, &c, 0, 1);
	assert_int_equal(0, histstore_each(w.h, NULL, note, &text));
	assert_string_equal("alpaca/AAPL/60 alpaca/AAPL/3600 alpaca/MSFT/60 ",
			    buf_text(&text));
	put(&w, &d, 0, 1);
	text.len = 0;
	assert_int_equal(7, histstore_each(w.h, "ZM", note, &text));
	assert_string_equal("alpaca/ZM/86400 ", buf_text(&text));
	text.len = 0;
	assert_int_equal(7, histstore_each_row(w.h, NULL, note, &text));
	assert_string_equal("alpaca/AAPL/60 alpaca/AAPL/3600 alpaca/MSFT/60 "
			    "alpaca/ZM/86400 ",
			    buf_text(&text));
	assert_int_equal(0, histstore_set_currency(w.h, &a, "USD"));
	assert_int_equal(0, histstore_each_row(w.h, NULL, same_but_for_times, w.h));
	buf_free(&text);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_comes_back_whatever_the_step),
		cmocka_unit_test(the_same_ingest_twice_leaves_the_same_bytes),
		cmocka_unit_test(a_series_knows_what_its_prices_are_in),
		cmocka_unit_test(the_newest_word_on_a_bar_wins),
		cmocka_unit_test(bars_out_of_order_are_refused_and_nothing_is_written),
		cmocka_unit_test(series_do_not_mix),
		cmocka_unit_test(
			an_action_is_new_once_and_again_when_it_says_otherwise),
		cmocka_unit_test(an_article_is_replaced_by_its_later_edition_only),
		cmocka_unit_test(articles_come_by_time_and_in_pages),
		cmocka_unit_test(
			chunks_have_ranges_and_sums_that_change_with_their_bars),
		cmocka_unit_test(another_database_is_refused_with_what_to_do),
		cmocka_unit_test(a_kill_leaves_exactly_what_was_committed),
		cmocka_unit_test(the_wal_stays_small_while_much_is_written),
		cmocka_unit_test(series_are_told_in_order_until_somebody_says_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
