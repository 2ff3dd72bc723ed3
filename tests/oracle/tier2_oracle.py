"""tier2_oracle - every matrix of a run recomputed with numpy and scipy.

    tier2_oracle.py TIER2_RUN

Returns go through the whole of tier 2 (merge, window, decision, kernel) and each version
is compared with the matrix of the same window: pearson with numpy.corrcoef to 1e-12,
spearman with scipy, ewma and Ledoit-Wolf with their formulas (semantics B.10) written
again here, windows with holes with pandas' pairwise corr and an eigenvalue clip of
numpy's.  The number of workers must not change a character.  Data: seeded factor models,
a window that is nearly constant, prices far from 1, and the daily closes in ../shared.
"""
import csv
import gzip
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

try:
    import pandas as pd
    from scipy.stats import rankdata, spearmanr
except ImportError:
    print("tier2_oracle: pandas or scipy is not installed: nothing compared")
    sys.exit(0)

RUN = sys.argv[1]
SHARED = Path(os.environ.get("TICKBUS_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))
INCLUDED, SHORT, FLAT = 0, 3, 4


def run(returns, method, window, min_obs, lam=0.94, workers=3):
    """The versions of a T x N array: (as_of, included, repaired, eigen_min, shift, R)."""
    t, n = returns.shape
    lines = [f"{method} {lam!r} {window} {min_obs} {n}"]
    for k in range(t):
        lines += [f"{i} {k + 1} {float(returns[k, i])!r}" for i in range(n)]
    text = "\n".join(lines)
    outs = [subprocess.run([RUN, str(w)], input=text, capture_output=True, text=True,
                           check=True).stdout for w in (1, workers)]
    assert outs[0] == outs[1], "the number of workers changed the result"
    rows = outs[0].splitlines()
    versions = []
    for k in range(0, len(rows), 3):
        version, as_of, n_in, repaired, eigen_min, shift, _ = rows[k].split()
        members = [tuple(map(int, m.split(":"))) for m in rows[k + 1].split()]
        tri = np.array(rows[k + 2].split(), dtype=float)
        m = np.zeros((int(n_in), int(n_in)))
        m[np.tril_indices(int(n_in))] = tri
        m = m + np.tril(m, -1).T
        assert int(version) == k // 3 + 1, "versions do not rise by one"
        versions.append((int(as_of), members, int(repaired), float(eigen_min), float(shift), m))
    return versions


def ewma(x, lam):
    s = np.zeros((x.shape[1], x.shape[1]))
    for row in x:
        s = lam * s + (1 - lam) * np.outer(row, row)
    d = np.sqrt(np.diag(s))
    return s / np.outer(d, d)


def ledoit_wolf(x):
    n, p = x.shape
    x = x - x.mean(axis=0)
    s = x.T @ x / n
    mu = np.trace(s) / p
    d2 = np.linalg.norm(s - mu * np.eye(p)) ** 2 / p
    b2 = sum(np.linalg.norm(np.outer(row, row) - s) ** 2 for row in x) / (n * n * p)
    delta = min(b2, d2) / d2
    s = (1 - delta) * s + delta * mu * np.eye(p)
    d = np.sqrt(np.diag(s))
    return s / np.outer(d, d)


def clip(m):
    w, v = np.linalg.eigh(m)
    if w[0] >= -1e-11:
        return m, w[0], 0
    r = (v * np.clip(w, 0, None)) @ v.T
    d = np.sqrt(np.diag(r))
    r = r / np.outer(d, d)
    np.fill_diagonal(r, 1)
    return r, w[0], np.linalg.norm(r - m)


COMPLETE = {
    "pearson": lambda x, lam: np.corrcoef(x.T),
    "spearman": lambda x, lam: np.atleast_2d(spearmanr(x).correlation) if x.shape[1] > 2
    else np.corrcoef(rankdata(x, axis=0).T),
    "ewma": ewma,
    "ledoit_wolf": lambda x, lam: ledoit_wolf(x),
}


def pairwise(x, method, lam, min_obs):
    """The matrix of the pairs, each over what both have."""
    if method == "pearson":
        return pd.DataFrame(x).corr(min_periods=min_obs).to_numpy()
    if method == "spearman":  # ranks are each column's own
        return pd.DataFrame(x).rank().corr(min_periods=min_obs).to_numpy()
    age = np.sqrt(lam ** np.arange(len(x))[::-1])[:, None]
    z = np.nan_to_num(x) * age
    here = ~np.isnan(x)
    xy, xx = z.T @ z, (z * z).T @ here
    return xy / np.sqrt(xx * xx.T)


def check(name, returns, method, window, min_obs, lam=0.94, tolerance=1e-12):
    versions = run(returns, method, window, min_obs, lam)
    worst = 0.0
    repaired = 0
    compared = 0
    for as_of, members, was_repaired, eigen_min, shift, got in versions:
        x = returns[max(0, as_of - window):as_of]
        n_obs = (~np.isnan(x)).sum(axis=0)
        assert [m[1] for m in members] == list(n_obs), (name, as_of, "n_obs")
        kept = [i for i, m in enumerate(members) if m[0] == INCLUDED]
        for i, (reason, _) in enumerate(members):
            col = x[:, i][~np.isnan(x[:, i])]
            if n_obs[i] < max(2, min_obs):
                assert reason == SHORT, (name, as_of, i, "short")
            elif col.max() == col.min():
                assert reason == FLAT, (name, as_of, i, "flat")
            elif not np.isnan(x).any():
                assert reason == INCLUDED, (name, as_of, i, "included")
        x = x[:, kept]
        if method != "ewma":  # there a bar without anything still lets time pass
            x = x[~np.isnan(x).all(axis=1)]
        if method == "ledoit_wolf":
            x = x[~np.isnan(x).any(axis=1)]
        if np.isnan(x).any():
            want, low, moved = clip(pairwise(x, method, lam, min_obs))
            assert abs(low - eigen_min) < 1e-9, (name, as_of, low, eigen_min)
            assert abs(moved - shift) < 1e-8 and (moved > 0) == bool(was_repaired)
            limit = 1e-9
        else:
            want, limit = COMPLETE[method](x, lam), tolerance
            assert not was_repaired and eigen_min > -1e-9, (name, as_of, eigen_min)
            assert abs(eigen_min - np.linalg.eigvalsh(want)[0]) < 1e-9
        error = np.abs(got - want).max()
        worst = max(worst, error)
        assert error <= limit, (name, method, as_of, error)
        assert (np.diag(got) == 1).all() and (np.abs(got) <= 1).all()
        assert np.linalg.eigvalsh(got)[0] > -1e-9, (name, as_of, "not semidefinite")
        repaired += was_repaired
        compared += 1
    assert compared, name
    print(f"{name} {method}: {compared} matrices, worst difference {worst:.2e}, "
          f"{repaired} repaired")
    return repaired


def factor_model(rng, t, n, scale=1e-3):
    market = rng.standard_normal((t, 1))
    beta = rng.uniform(-0.5, 1.5, (1, n))
    return scale * (market * beta + rng.standard_normal((t, n)))


def seeded():
    rng = np.random.default_rng(20240501)
    for method in COMPLETE:
        for n, window, t in ((2, 30, 45), (17, 120, 140), (40, 60, 75), (130, 200, 204)):
            check(f"seeded {n}x{window}", factor_model(rng, t, n), method, window, 30)
        check("far from zero", 5.0 + factor_model(rng, 70, 9, 1e-4), method, 50, 10,
              tolerance=1e-11)
        check("three scales", factor_model(rng, 70, 9) * [1e-9, 1e-9, 1e-9, 1, 1, 1, 1e6, 1e6, 1e6],
              method, 50, 10)
        x = factor_model(rng, 80, 12)
        x[:, 4] = 0
        x[:60, 7] = 0.25
        check("flat columns", x, method, 40, 10)
    x = np.round(factor_model(rng, 90, 10), 3)
    check("ties", x, "spearman", 60, 10)
    check("fast decay", factor_model(rng, 90, 10), "ewma", 60, 10, lam=0.5)


def holed():
    rng = np.random.default_rng(7)
    repaired = 0
    for method in ("pearson", "ewma", "spearman", "ledoit_wolf"):
        for n, window, share in ((6, 60, 0.1), (30, 40, 0.2), (25, 120, 0.02)):
            x = factor_model(rng, window + 15, n)
            x[rng.random(x.shape) < share] = np.nan
            x[20] = np.nan
            # listwise: ask for little, so that most rows stay
            repaired += check(f"holes {n}x{window}", x, method, window,
                              2 if method == "ledoit_wolf" else 10, tolerance=1e-11)
    assert repaired > 20, "no window of this data needed the repair: the test is void"


def daily():
    folder = SHARED / "data" / "equity_daily"
    files = sorted(folder.glob("*_2006-01-01_to_2018-01-01.csv.gz"))
    if not files:
        print(f"tier2_oracle: no recorded data in {folder}: the seeded data was compared")
        return
    closes = {}
    for path in files[:20]:
        with gzip.open(path, "rt") as f:
            closes[path.name] = {r["Date"]: float(r["Close"]) for r in csv.DictReader(f)
                                 if r["Close"]}
    frame = pd.DataFrame(closes).sort_index().iloc[-400:]
    returns = np.log(frame).diff().to_numpy()
    for method in COMPLETE:
        check("daily closes", returns, method, 120, 30)


seeded()
holed()
daily()
print("tier2_oracle: all matrices agree")
