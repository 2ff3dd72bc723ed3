"""tsf_oracle - every feature recomputed from its definition, on real and constructed series.

    tsf_oracle.py TSF_RUN [small|all [SEED]]

small (the default) takes seconds; all adds lengths up to 5,000 and more series.
Definitions are tsfresh's documentation and its quirks as docs/FEATURES.md lists them;
numpy, scipy, statsmodels and PyWavelets do the work, so nothing here shares an algorithm
with the C.  A value must be equal to 1e-8 of itself or of the size of what it cancels
from (SIZES), or both must be NaN.
"""
import csv
import gzip
import math
import os
import subprocess
import sys
import warnings
from itertools import groupby
from pathlib import Path

import numpy as np
import pywt
from scipy import signal, stats
from statsmodels.tsa.stattools import acovf, adfuller, levinson_durbin

REL = 1e-8
SHARED = Path(os.environ.get("TICKBUS_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))
DATA = SHARED / "data"
DECILES = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9]
BINS = [2, 3, 5, 10, 100]
WIDTHS = (2, 5, 10, 20)
TREND = ["rvalue", "intercept", "slope", "stderr"]
NAN = float("nan")
warnings.simplefilter("ignore")
np.seterr(all="ignore")


# --- one number ---------------------------------------------------------------------

def runs(flags):
    return max([len(list(g)) for flag, g in groupby(flags) if flag], default=0)


def moment_ratio(x, order):
    """Skewness and excess kurtosis as pandas corrects them for bias, with its floor."""
    n, d = len(x), x - x.mean()
    m2, m3, m4 = (d ** 2).sum(), (d ** 3).sum(), (d ** 4).sum()
    zero = lambda v: 0.0 if abs(v) < 1e-14 else v
    if n <= order - 1:
        return NAN
    if order == 3:
        return 0.0 if zero(m2) == 0 else n * math.sqrt(n - 1) / (n - 2) * zero(m3) / zero(m2) ** 1.5
    top, below = zero(n * (n + 1) * (n - 1) * m4), zero((n - 2) * (n - 3) * m2 ** 2)
    return 0.0 if below == 0 else top / below - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))


def first_digit(v):
    return int(np.format_float_scientific(abs(v))[0])


def simple(x):
    n, d, c = len(x), np.diff(x), x - x.mean()
    values, counts = np.unique(x, return_counts=True)
    std, var, again = x.std(), x.var(), counts > 1
    law = np.log10(1 + 1 / np.arange(1, 10))
    digits = np.array([first_digit(v) for v in x])
    f = {
        "variance_larger_than_standard_deviation": var > std,
        "has_duplicate_max": (x == x.max()).sum() > 1, "has_duplicate_min": (x == x.min()).sum() > 1,
        "has_duplicate": len(values) < n, "sum_values": x.sum(), "abs_energy": (x * x).sum(),
        "mean_abs_change": abs(d).mean(), "mean_change": (x[-1] - x[0]) / (n - 1) if n > 1 else NAN,
        "mean_second_derivative_central":
            (x[-1] - x[-2] - x[1] + x[0]) / (2 * (n - 2)) if n > 2 else NAN,
        "median": np.median(x), "mean": x.mean(), "length": n, "standard_deviation": std,
        "variation_coefficient": std / x.mean() if x.mean() != 0 else NAN, "variance": var,
        "skewness": moment_ratio(x, 3), "kurtosis": moment_ratio(x, 4),
        "root_mean_square": math.sqrt((x * x).mean()), "absolute_sum_of_changes": abs(d).sum(),
        "longest_strike_below_mean": runs(x < x.mean()),
        "longest_strike_above_mean": runs(x > x.mean()),
        "count_above_mean": (x > x.mean()).sum(), "count_below_mean": (x < x.mean()).sum(),
        "last_location_of_maximum": 1 - x[::-1].argmax() / n,
        "first_location_of_maximum": x.argmax() / n,
        "last_location_of_minimum": 1 - x[::-1].argmin() / n,
        "first_location_of_minimum": x.argmin() / n,
        "percentage_of_reoccurring_values_to_all_values": again.sum() / len(values),
        "percentage_of_reoccurring_datapoints_to_all_datapoints": counts[again].sum() / n,
        "sum_of_reoccurring_values": values[again].sum(),
        "sum_of_reoccurring_data_points": (values * counts)[again].sum(),
        "ratio_value_number_to_time_series_length": len(values) / n,
        "sample_entropy": sample_entropy(x),
        "maximum": x.max(), "absolute_maximum": abs(x).max(), "minimum": x.min(),
        "benford_correlation": np.corrcoef(law, [(digits == k).mean() for k in range(1, 10)])[0, 1],
    }
    for lag in (1, 2, 3):
        a, b, e = x[:-2 * lag], x[lag:-lag], x[2 * lag:]
        long = n > 2 * lag
        f[f"time_reversal_asymmetry_statistic__lag_{lag}"] = (e * e * b - b * a * a).mean() if long else 0.0
        f[f"c3__lag_{lag}"] = (e * b * a).mean() if long else 0.0
    z = np.diff(c / std) if std else np.zeros(n)
    f["cid_ce__normalize_True"] = np.linalg.norm(z)
    f["cid_ce__normalize_False"] = np.linalg.norm(d)
    for i in range(20):
        r = i * 0.05
        f[f"symmetry_looking__r_{r}"] = abs(x.mean() - np.median(x)) < r * np.ptp(x)
        if i:
            f[f"large_standard_deviation__r_{r}"] = std > r * np.ptp(x)
    for q in DECILES:
        f[f"quantile__q_{q}"] = np.quantile(x, q)
    return f


# --- counting -----------------------------------------------------------------------

def peaks(x, n):
    near = lambda i: [x[i + k] for k in range(-n, n + 1) if k]
    return sum(x[i] > max(near(i)) for i in range(n, len(x) - n))


def counting(x):
    n, f = len(x), {}
    for m in (1, 3, 5, 10, 50):
        f[f"number_peaks__n_{m}"] = peaks(x, m)
    mass = abs(x).sum()
    share = np.cumsum(abs(x)) / mass
    for q in DECILES:
        f[f"index_mass_quantile__q_{q}"] = ((share >= q).argmax() + 1) / n if mass else NAN
    for v in (0, 1, -1):
        f[f"value_count__value_{v}"] = (x == v).sum()
        f[f"number_crossing_m__m_{v}"] = sum(bool(a) != bool(b) for a, b in zip(x > v, x[1:] > v))
    for low, high in ((-1, 1), (-1e12, 0), (0, 1e12)):
        f[f"range_count__max_{high}__min_{low}"] = ((low <= x) & (x < high)).sum()
    total = (x * x).sum()
    for i, part in enumerate(np.array_split(x, 10)):
        f[f"energy_ratio_by_chunks__num_segments_10__segment_focus_{i}"] = \
            (part * part).sum() / total if total else NAN
    for r in (0.5, 1, 1.5, 2, 2.5, 3, 5, 6, 7, 10):
        f[f"ratio_beyond_r_sigma__r_{r}"] = (abs(x - x.mean()) > r * x.std()).mean()
    f["count_above__t_0"], f["count_below__t_0"] = (x >= 0).mean(), (x <= 0).mean()
    largest = np.sort(abs(x))[-7:]
    f["mean_n_absolute_max__number_of_maxima_7"] = largest.mean() if n > 7 else NAN
    f["query_similarity_count__query_None__threshold_0.0"] = NAN
    d = np.diff(x)
    for i in range(5):
        for k in range(i + 1, 6):
            low, high = np.quantile(x, [i / 5, k / 5])
            inside = (low <= x) & (x <= high)
            both = inside[1:] & inside[:-1]
            for absolute in (False, True):
                part = (abs(d) if absolute else d)[both]
                tail = f"isabs_{absolute}__qh_{k / 5}__ql_{i / 5}"
                f[f'change_quantiles__f_agg_"mean"__{tail}'] = part.mean() if len(part) else 0.0
                f[f'change_quantiles__f_agg_"var"__{tail}'] = part.var() if len(part) else 0.0
    return f


# --- lines and lags -----------------------------------------------------------------

def trends(x):
    n, f = len(x), {}
    line = stats.linregress(np.arange(n), x)
    for a in ["pvalue"] + TREND:
        f[f'linear_trend__attr_"{a}"'] = getattr(line, a)
    for size in (5, 10, 50):
        parts = [x[i:i + size] for i in range(0, n, size)]
        for agg in ("max", "min", "mean", "var"):
            y = [getattr(p, agg)() for p in parts]
            line = stats.linregress(np.arange(len(y)), y) if size < n else None
            for a in TREND:
                f[f'agg_linear_trend__attr_"{a}"__chunk_len_{size}__f_agg_"{agg}"'] = \
                    getattr(line, a) if line else NAN
    return f


def autoregression(x):
    """Constant and ten lags; of a deficient system the shortest solution."""
    n, k = len(x), 10
    if n < 2 * k + 1:
        return [NAN] * k + [0.0]
    a = np.column_stack([np.ones(n - k)] + [x[k - lag:n - lag] for lag in range(1, k + 1)])
    size = np.linalg.norm(a, axis=0)
    if size.all() and np.linalg.cond(a / size) < 1e13:
        return np.linalg.lstsq(a / size, x[k:], rcond=None)[0] / size
    return np.linalg.pinv(a, rcond=1e-13) @ x[k:]


def lags(x):
    n, f, flat = len(x), {}, np.ptp(x) == 0
    c, var = x - x.mean(), x.var()
    for lag in range(10):
        value = NAN
        if lag < n and not var <= 1e-8:
            value = (c[:n - lag] * c[lag:]).sum() / ((n - lag) * var)
        f[f"autocorrelation__lag_{lag}"] = value
    r = np.zeros(1)
    if var >= 1e-10:
        cov = acovf(x, adjusted=True, fft=False)
        r = (cov / cov[0])[1:41]
    for agg in ("mean", "median", "var"):
        f[f'agg_autocorrelation__f_agg_"{agg}"__maxlag_40'] = getattr(np, agg)(r)
    most = min(9, n // 2 - 1)
    part = levinson_durbin(acovf(x, adjusted=True, fft=False), nlags=most, isacov=True)[2] if most > 0 else []
    for lag in range(10):
        f[f"partial_autocorrelation__lag_{lag}"] = part[lag] if lag < len(part) else NAN
    for i, v in enumerate(autoregression(x)):
        f[f"ar_coefficient__coeff_{i}__k_10"] = v
    # The test knows neither shift nor scale; the library's own numbers are best near one.
    adf = adfuller(c / x.std(), autolag="AIC")[:3] if n > 3 and not flat else [NAN] * 3
    for a, v in zip(("teststat", "pvalue", "usedlag"), adf):
        f[f'augmented_dickey_fuller__attr_"{a}"__autolag_"AIC"'] = v
    return f


# --- drift --------------------------------------------------------------------------

def drift(x):
    """The cubic, how badly its system is conditioned, and the largest root's real part."""
    s, d = x[:-1], np.diff(x)
    if len(s) < 2:
        return [NAN] * 4, 1.0, NAN
    edge = np.quantile(s, np.linspace(0, 1, 31))
    if (np.diff(edge) == 0).any():
        return [NAN] * 4, 1.0, NAN
    k = np.maximum(np.searchsorted(edge, s, side="left"), 1)
    at = np.array([s[k == i].mean() for i in np.unique(k)])
    by = np.array([d[k == i].mean() for i in np.unique(k)])
    v = np.vander(at, 4)
    h = np.polyfit(at, by, 3)
    single = np.linalg.svd(v / np.linalg.norm(v, axis=0), compute_uv=False)
    roots = np.roots(h) if np.isfinite(h).all() else []
    return h, single[0] / single[-1], max(np.real(roots), default=NAN)


# --- spectra, wavelets --------------------------------------------------------------

def spectra(x):
    f, fft, n = {}, np.fft.rfft(x), len(x)
    for k in range(100):
        v = fft[k] if k < len(fft) else complex(NAN, NAN)
        for a, value in (("real", v.real), ("imag", v.imag), ("abs", abs(v)),
                         ("angle", math.degrees(math.atan2(v.imag, v.real)))):
            f[f'fft_coefficient__attr_"{a}"__coeff_{k}'] = value
    size, k = abs(fft), np.arange(len(fft), dtype=float)
    m = [(size * k ** i).sum() / size.sum() for i in range(5)]
    var = m[2] - m[1] ** 2
    skew = (m[3] - 3 * m[1] * var - m[1] ** 3) / var ** 1.5 if var >= 0.5 else NAN
    kurt = (m[4] - 4 * m[1] * m[3] + 6 * m[2] * m[1] ** 2 - 3 * m[1]) / var ** 2 if var >= 0.5 else NAN
    for a, v in (("centroid", m[1]), ("variance", var), ("skew", skew), ("kurtosis", kurt)):
        f[f'fft_aggregated__aggtype_"{a}"'] = v
    density = signal.welch(x, nperseg=min(n, 256))[1]
    for c in (2, 5, 8):
        f[f"spkt_welch_density__coeff_{c}"] = density[c] if c < len(density) else NAN
    for b in BINS:
        f[f"fourier_entropy__bins_{b}"] = binned_entropy(density / density.max(), b)
    return f


def mexican(x, scale, precision):
    """PyWavelets' transform by its own integral, at a precision of choice."""
    integral, grid = pywt.integrate_wavelet("mexh", precision=precision)
    at = (np.arange(scale * 16.0 + 1) / (scale * (grid[1] - grid[0]))).astype(int)
    full = -math.sqrt(scale) * np.diff(np.convolve(x, integral[at[at < len(integral)]][::-1]))
    return full[(len(full) - len(x)) // 2:][:len(x)]


def wavelets(x):
    f = {}
    for w in WIDTHS:
        row = mexican(x, w, 12)
        for c in range(15):
            f[f"cwt_coefficients__coeff_{c}__w_{w}__widths_{WIDTHS}"] = row[c] if c < len(x) else NAN

    def ricker(points, a):
        t = np.arange(points) - (points - 1) / 2
        return 2 / (math.sqrt(3 * a) * math.pi ** 0.25) * (1 - (t / a) ** 2) * np.exp(-t * t / (2 * a * a))
    for n in (1, 5):
        f[f"number_cwt_peaks__n_{n}"] = len(signal.find_peaks_cwt(x, np.arange(1, n + 1), wavelet=ricker))
    return f


# --- entropies ----------------------------------------------------------------------

def entropy(counts):
    p = np.asarray([c for c in counts if c]) / sum(counts)
    return -(p * np.log(p)).sum()


def binned_entropy(x, bins):
    return NAN if np.isnan(x).any() else entropy(np.histogram(x, bins)[0])


def phrases(symbols):
    seen, word = set(), ()
    for s in symbols:
        word += (s,)
        if word not in seen:
            seen.add(word)
            word = ()
    return len(seen)


def near(x, m, r):
    """Per template of m values: how many, itself included, lie within r."""
    rows = np.lib.stride_tricks.sliding_window_view(x, m)
    return np.array([(abs(rows - row).max(axis=1) <= r).sum() for row in rows])


def sample_entropy(x):
    if len(x) < 3:
        return NAN
    r = 0.2 * x.std()
    return -np.log(np.float64((near(x, 3, r) - 1).sum()) / (near(x, 2, r) - 1).sum())


def approximate_entropy(x, share):
    if len(x) <= 3:
        return 0.0
    phi = [np.log(near(x, m, share * x.std()) / (len(x) - m + 1)).mean() for m in (2, 3)]
    return abs(phi[0] - phi[1])


def entropies(x):
    f = {"binned_entropy__max_bins_10": binned_entropy(x, 10)}
    for b in BINS:
        edges = np.linspace(x.min(), x.max(), b + 1)[1:]
        f[f"lempel_ziv_complexity__bins_{b}"] = phrases(np.searchsorted(edges, x).tolist()) / len(x)
    for d in range(3, 8):
        value = NAN
        if len(x) >= d:
            rows = np.lib.stride_tricks.sliding_window_view(x, d)
            orders = [tuple(o) for o in np.argsort(rows, axis=1, kind="stable").tolist()]
            value = entropy([len(list(g)) for _, g in groupby(sorted(orders))])
        f[f"permutation_entropy__dimension_{d}__tau_1"] = value
    for r in (0.1, 0.3, 0.5, 0.7, 0.9):
        f[f"approximate_entropy__m_2__r_{r}"] = approximate_entropy(x, r)
    return f


def features(x):
    f = {**simple(x), **counting(x), **trends(x), **lags(x), **spectra(x), **wavelets(x), **entropies(x)}
    h, condition, root = drift(x)
    for i in range(4):
        f[f"friedrich_coefficients__coeff_{i}__m_3__r_30"] = h[i]
    f["max_langevin_fixed_point__m_3__r_30"] = root
    return {k: float(v) for k, v in f.items()}, condition


# --- comparing ----------------------------------------------------------------------

def sizes(x, want, condition):
    """Per calculator: the size that its values cancel from, where that is not their own."""
    big, total, std = abs(x).max(), abs(x).sum(), x.std()
    return {
        "sum_values": total, "mean": big, "mean_change": big, "mean_second_derivative_central": big,
        "standard_deviation": 1e-6 * big, "variance": 1e-12 * big ** 2, "skewness": 1, "kurtosis": 1,
        "time_reversal_asymmetry_statistic": big ** 3, "c3": big ** 3,
        "ar_coefficient": 1e3 * max(1, big), "autocorrelation": 1, "agg_autocorrelation": 1, "partial_autocorrelation": 1,
        "change_quantiles": 1e-6 * big, "linear_trend": 1e-4 * big, "agg_linear_trend": max(1, 1e-4 * big),
        "fft_coefficient": total, "cwt_coefficients": 30 * big, "spkt_welch_density": 1e-8 * total ** 2,
        "fft_aggregated": len(x) ** 2, "benford_correlation": 1, "sum_of_reoccurring_values": total,
    }


def angle_is_noise(name, want, x):
    if 'attr_"angle"' not in name:
        return False
    return want[name.replace('"angle"', '"abs"')] <= 1e-9 * abs(x).sum()


def differs(name, got, w, x, want, condition, size):
    calc = name.split("__")[0]
    if math.isnan(w) or math.isnan(got):
        return math.isnan(w) != math.isnan(got)
    if got == w or angle_is_noise(name, want, x):
        return False
    if 'attr_"angle"' in name:
        gap = abs(got - w) % 360
        return min(gap, 360 - gap) > 1e-8 * 360 * max(1, 1e-6 * abs(x).sum() / want[name.replace("angle", "abs")])
    limit = REL * abs(w) + 1e-6 * REL * size.get(calc, 0)
    if calc in ("friedrich_coefficients", "max_langevin_fixed_point"):
        limit = max(REL, 1e-14 * condition) * max(abs(w), abs(got))
    return not abs(got - w) <= limit


# --- series -------------------------------------------------------------------------

def constructed(n, seed):
    rng = np.random.default_rng(seed)
    walk = 100 + np.cumsum(rng.normal(size=n)) * 0.3
    return {
        "walk": walk, "cents": np.round(walk, 2), "noise": rng.normal(size=n),
        "counts": rng.integers(-3, 4, n).astype(float), "constant": np.full(n, 100.0),
        "tenths": np.full(n, 0.1), "zeros": np.zeros(n), "huge": walk * 1e9,
        "tiny": rng.normal(size=n) * 1e-7, "steps": np.repeat([1.0, 2.0], n)[n - n // 2:][:n],
        "spike": np.where(np.arange(n) == n // 3, 50.0, rng.normal(size=n) * 0.01),
    }


def column(path, index):
    with gzip.open(path, "rt") as f:
        rows = list(csv.reader(f))[1:]
    return np.array([float(r[index]) for r in rows if r[index] not in ("", "NA")])


def recorded(big):
    daily = sorted((DATA / "equity_daily").glob("*.csv.gz"))
    minute = sorted((DATA / "equity_minute").glob("*.csv.gz"))
    if not daily or not minute:
        print(f"tsf_oracle: no recorded series in {DATA}; constructed ones only")
        return
    lengths = (5, 20, 100, 500) + ((2999,) if big else ())
    for path in daily[:4 if big else 2]:
        close, volume = column(path, 4), column(path, 5)
        for n in lengths:
            yield f"{path.name[:4]} close {n}", close[-n:]
            yield f"{path.name[:4]} volume {n}", volume[-n:]
            yield f"{path.name[:4]} return {n}", np.diff(np.log(close))[-n:]
    close = column(minute[0], 4)
    for n in (390, 499) + ((4999, 5000) if big else ()):
        yield f"minute close {n}", close[:n]


def series(big, seed):
    for n in (4, 5, 11, 20, 21, 100, 257, 500) + ((1024, 5000) if big else ()):
        for name, x in constructed(n, seed + n).items():
            yield f"{name} {n}", x
    yield from recorded(big)


def drive(program, flavour, all_series):
    text = "".join(f"{len(x)} {' '.join(map(repr, x.tolist()))}\n" for _, x in all_series)
    done = subprocess.run([program, flavour], input=text, capture_output=True, text=True, check=True)
    return [[float(v) for v in line.split()] for line in done.stdout.splitlines()]


def check_names(program):
    names = {s: subprocess.run([program, "names", s], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
             for s in ("minimal", "efficient", "comprehensive")}
    want = set(features(np.arange(30.0) % 7)[0])
    missing, extra = want - set(names["comprehensive"]), set(names["comprehensive"]) - want
    if missing or extra:
        sys.exit(f"tsf_oracle: not computed: {sorted(missing)}, unknown: {sorted(extra)}")
    counts = [len(v) for v in names.values()]
    if counts != [10, 777, 783]:
        sys.exit(f"tsf_oracle: {counts} names")
    return names["comprehensive"]


def main():
    program, big = sys.argv[1], sys.argv[2:3] == ["all"]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else 20260
    print(f"tsf_oracle: seed {seed}")
    names = check_names(program)
    x = np.cumsum(np.random.default_rng(seed).normal(size=400))
    if tuple(map(int, pywt.__version__.split(".")[:2])) < (1, 5):
        own, theirs = mexican(x, 5, 10), pywt.cwt(x, [5], "mexh")[0][0]
        assert np.allclose(own, theirs, rtol=1e-12, atol=1e-12), "this file misreads PyWavelets"
    all_series = list(series(big, seed))
    wrong, compared = {}, 0
    for (label, x), got in zip(all_series, drive(program, "tsfresh", all_series)):
        want, condition = features(x)
        size = sizes(x, want, condition)
        for name, g in zip(names, got):
            compared += not math.isnan(want[name])
            if differs(name, g, want[name], x, want, condition, size):
                wrong.setdefault(name, []).append(f"{label}: {g!r}, oracle {want[name]!r}")
    for name, where in sorted(wrong.items()):
        print(f"{name}: {len(where)} series differ, {where[0]}")
    print(f"tsf_oracle: {len(all_series)} series, {compared} values, {len(wrong)} names differ")
    return 1 if wrong or compared < 100 * len(all_series) else 0


if __name__ == "__main__":
    sys.exit(main())
