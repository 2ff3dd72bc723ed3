/* ind_volumes - indicators that weigh with volume. */
#include "analysis/ind_parts.h"
#include "analysis/ind_window.h"

#define NS_PER_MINUTE INT64_C(60000000000)
#define NS_PER_DAY    (1440 * NS_PER_MINUTE)

/* ---- obv ---- */

struct obv {
	uint64_t seen;
	double close, value;
};

static uint32_t no_lookback(const struct ind_spec *s)
{
	(void)s;
	return 0;
}

static size_t obv_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct obv);
}

static void obv_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct obv m = *(struct obv *)state;

	(void)s;
	for (size_t i = r->from; i < r->to; i++) {
		double x = r->in->close[i], volume = r->in->volume[i];

		if (m.seen++ == 0 || x > m.close)
			m.value += volume;
		else if (x < m.close)
			m.value -= volume;
		m.close = x;
		r->out[0][i] = m.value;
	}
	*(struct obv *)state = m;
}

/* ---- mfi ---- */

struct mfi {
	uint64_t seen;
	double typical;
	struct ind_window up, down;
};

static uint32_t whole_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0);
}

static size_t mfi_words(const struct ind_spec *s)
{
	return IND_WORDS(struct mfi) + 2 * ((size_t)ind_whole(s, 0) + 1);
}

static void mfi_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct mfi m = *(struct mfi *)state;
	uint32_t n = ind_whole(s, 0), j = ind_phase(m.up.seen, n);
	double *a = ind_behind(state, IND_WORDS(m));

	for (size_t i = r->from; i < r->to; i++) {
		double x = ind_typical(r->in, i), flow = x * r->in->volume[i];
		double up, sum;
		bool rose = x > m.typical, fell = x < m.typical;

		m.typical = x;
		r->out[0][i] = NAN;
		if (m.seen++ == 0)
			continue;
		up = ind_sum(&m.up, a, n, j, rose ? flow : 0.0);
		sum = up + ind_sum(&m.down, a + n + 1, n, j, fell ? flow : 0.0);
		j = ind_next(j, n);
		if (m.seen >
		    n) /* less than one unit of flow is none, as TA-Lib has it */
			r->out[0][i] = sum < 1.0 ? 0.0 : 100.0 * (up / sum);
	}
	*(struct mfi *)state = m;
}

/* ---- vwap of a session, and of a window ---- */

struct vwap {
	uint64_t seen;
	int64_t day;
	double value, volume;
};

static size_t vwap_words(const struct ind_spec *s)
{
	(void)s;
	return IND_WORDS(struct vwap);
}

/* The session that a bar which ends at @end_ns belongs to, by its last instant. */
static int64_t session_of(int64_t end_ns, int64_t open_ns)
{
	int64_t day = end_ns / NS_PER_DAY, rest = end_ns % NS_PER_DAY;

	if (rest < 0) {
		rest += NS_PER_DAY;
		day--;
	}
	return rest <= open_ns ? day - 1 : day;
}

static void vwap_run(const struct ind_spec *s, void *state, const struct ind_stretch *r)
{
	struct vwap m = *(struct vwap *)state;
	int64_t open_ns = (int64_t)ind_whole(s, 0) * NS_PER_MINUTE;

	for (size_t i = r->from; i < r->to; i++) {
		int64_t day = session_of(r->in->time_ns[i], open_ns);

		if (m.seen++ == 0 || day != m.day)
			m.value = m.volume = 0.0;
		m.day = day;
		m.value += ind_typical(r->in, i) * r->in->volume[i];
		m.volume += r->in->volume[i];
		r->out[0][i] = m.volume > 0.0 ? m.value / m.volume : NAN;
	}
	*(struct vwap *)state = m;
}

struct rvwap {
	struct ind_window value, volume;
};

static uint32_t window_lookback(const struct ind_spec *s)
{
	return ind_whole(s, 0) - 1;
}

static size_t rvwap_words(const struct ind_spec *s)
{
	return IND_WORDS(struct rvwap) + 2 * ((size_t)ind_whole(s, 0) + 1);
}

static void rvwap_run(const struct ind_spec *s, void *state,
		      const struct ind_stretch *r)
{
	struct rvwap m = *(struct rvwap *)state;
	uint32_t n = ind_whole(s, 0), j = ind_phase(m.value.seen, n);
	double *a = ind_behind(state, IND_WORDS(m));

	for (size_t i = r->from; i < r->to; i++, j = ind_next(j, n)) {
		double v = r->in->volume[i];
		double sum = ind_sum(&m.value, a, n, j, ind_typical(r->in, i) * v);
		double volume = ind_sum(&m.volume, a + n + 1, n, j, v);

		r->out[0][i] = m.value.seen >= n && volume > 0.0 ? sum / volume : NAN;
	}
	*(struct rvwap *)state = m;
}

/* ---- the table ---- */

#define PERIOD(least, usual)                                                           \
	{                                                                              \
		"n", usual, least, IND_BARS_MAX, true                                  \
	}
#define TALIB  (1u << IND_TALIB)
#define PANDAS (1u << IND_PANDAS)
#define RANGE  (IND_HIGH | IND_LOW | IND_CLOSE)

const struct ind_def ind_volumes[] = {
	{
		.name = "obv",
		.title = "on balance volume",
		.formula = "volume added when the close rose, taken when it fell, from "
			   "the "
			   "first bar's; Granville 1963, TA-Lib OBV",
		.output = {"obv"},
		.n_outputs = 1,
		.inputs = IND_CLOSE | IND_VOLUME,
		.flavours = TALIB,
		.lookback = no_lookback,
		.words = obv_words,
		.run = obv_run,
	},
	{
		.name = "mfi",
		.title = "money flow index",
		.formula = "100 up / (up + down), sums of typical price x volume over "
			   "n bars by "
			   "the way the typical price went; Quong 1989, TA-Lib MFI",
		.param = {PERIOD(2, 14)},
		.output = {"mfi"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = RANGE | IND_VOLUME,
		.flavours = TALIB,
		.lookback = whole_lookback,
		.words = mfi_words,
		.run = mfi_run,
	},
	{
		.name = "vwap",
		.title = "volume weighted average price of the session",
		.formula = "sum(typical price x volume) / sum(volume) since the day "
			   "began, "
			   "`open` minutes after midnight UTC; groupby(day).cumsum()",
		.param = {{"open", 0, 0, 1439, true}},
		.output = {"vwap"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = RANGE | IND_VOLUME | IND_TIME,
		.flavours = PANDAS,
		.lookback = no_lookback,
		.words = vwap_words,
		.on_price = true,
		.run = vwap_run,
	},
	{
		.name = "rvwap",
		.title = "volume weighted average price, rolling",
		.formula = "sum(typical price x volume) / sum(volume) over n bars; "
			   "rolling(n).sum()",
		.param = {PERIOD(1, 20)},
		.output = {"rvwap"},
		.n_params = 1,
		.n_outputs = 1,
		.inputs = RANGE | IND_VOLUME,
		.flavours = PANDAS,
		.lookback = window_lookback,
		.words = rvwap_words,
		.on_price = true,
		.run = rvwap_run,
	},
};
const size_t ind_volumes_n = sizeof(ind_volumes) / sizeof(ind_volumes[0]);
