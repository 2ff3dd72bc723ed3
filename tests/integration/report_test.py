#!/usr/bin/env python3
"""Reports over what was ingested, judged by pandas: report_test.py TICKBUSD TICKBUSCTL

Prints TAP.
"""
import copy
import json
import os
import subprocess
import sys

import reportparts as rp
import tickbusd as tb

BINARY, CTL = sys.argv[1], sys.argv[2]

try:
    import numpy as np
    import pandas as pd
except ImportError:
    pd = None


class World(rp.World):
    def __init__(self):
        super().__init__(BINARY, CTL)


def without_time(answer):
    """The whole answer but for what it took."""
    answer = copy.deepcopy(answer)
    assert answer.get("report", answer).pop("execution_time_seconds") > 0
    return answer


def rows(answer, name):
    return {row["ticker"]: row for row in answer[name]}


# ---- what pandas says of the same bars -------------------------------------

def wilder(values, n):
    """Wilder's mean: begins with the mean of the first n."""
    out = np.full(len(values), np.nan)
    out[n - 1] = values[:n].mean()
    for i in range(n, len(values)):
        out[i] = (out[i - 1] * (n - 1) + values[i]) / n
    return out


def ema(x, n):
    """TA-Lib's: begins with the mean of the first n."""
    x = x.dropna()
    seeded = pd.concat([pd.Series([x.iloc[:n].mean()], index=[x.index[n - 1]]), x.iloc[n:]])
    return seeded.ewm(alpha=2 / (n + 1), adjust=False).mean()


def judged(bars):
    """The summary that pandas makes of a frame with open, high, low, close."""
    c = bars["close"]
    mean, std = c.rolling(20).mean(), c.rolling(20).std(ddof=0)
    move = c.diff().dropna().to_numpy()
    up, down = wilder(move.clip(min=0), 14)[-1], wilder((-move).clip(min=0), 14)[-1]
    true = pd.concat([bars["high"], c.shift()], axis=1).max(axis=1) - pd.concat([bars["low"], c.shift()], axis=1).min(axis=1)
    returns = np.log(c / c.shift())
    # TA-Lib begins the fast mean where the slow one begins.
    macd = ema(c.iloc[14:], 12).reindex(c.index) - ema(c, 26).reindex(c.index)
    signal = ema(macd, 9)
    return {"sma_20": mean.iloc[-1], "sma_50": c.rolling(50).mean().iloc[-1], "ema_20": ema(c, 20).iloc[-1],
            "rsi_14": 100 * up / (up + down), "bollinger_upper": (mean + 2 * std).iloc[-1], "bollinger_middle": mean.iloc[-1],
            "bollinger_lower": (mean - 2 * std).iloc[-1], "macd": macd.iloc[-1], "macd_signal": signal.iloc[-1],
            "macd_histogram": macd.iloc[-1] - signal.iloc[-1], "atr_14": wilder(true.to_numpy()[1:], 14)[-1],
            "roc_10": 100 * c.pct_change(10).iloc[-1], "realised_volatility_20": np.sqrt(252 * (returns ** 2).rolling(20).mean().iloc[-1])}


def near(got, want, what):
    assert got is not None and abs(got - want) <= 1e-9 * max(1, abs(want)), (what, got, want)


def indicators_are_those_of_pandas(d):
    symbols = ["AAPL", "MSFT", "NVDA"]
    d.fetch(symbols)
    answer = d.report("technical", symbols)
    assert (answer["status"], answer["securities_analyzed"], answer["failed"]) == ("success", 3, []), answer
    assert [row["ticker"] for row in answer["technical_summary"]] == symbols
    for row in answer["technical_summary"]:
        want = judged(d.frame(row["ticker"]).tail(252).reset_index(drop=True))
        assert list(row) == ["ticker"] + [k for k in row if k in want] and len(row) == len(want) + 1, row
        for key, value in want.items():
            near(row[key], value, (row["ticker"], key))
    whole = d.report("technical", symbols, "--history", "--window", "60")["technical_indicators"]
    assert len(whole) == 3 * 60, len(whole)
    c = d.frame("AAPL").tail(60)["close"].rolling(20).mean()
    got = [bar["sma_20"] for bar in whole if bar["ticker"] == "AAPL"]
    assert got[:19] == [None] * 19, got
    for a, b in zip(got[19:], c.iloc[19:]):
        near(a, b, "sma_20 of every bar")


def the_number_of_workers_and_a_second_run_change_nothing(d):
    symbols = [f"S{i:02}" for i in range(12)]
    d.fetch(symbols)
    one = without_time(d.report("technical", symbols, "--workers", "1"))
    assert one == without_time(d.report("technical", symbols, "--workers", "8"))
    assert one == without_time(d.report("technical", symbols, "--workers", "8"))


def what_is_not_there_is_named_and_the_rest_is_a_report(d):
    d.fetch(["AAPL", "MSFT"])
    answer = d.report("technical", ["AAPL", "NOPE", "MSFT"], code=1)
    assert (answer["status"], answer["securities_analyzed"]) == ("partial", 2), answer
    assert [(f["ticker"], f["part"]) for f in answer["failed"]] == [("NOPE", "pricing")], answer
    assert "ingest it" in answer["failed"][0]["reason"], answer
    assert answer["technical_summary"] == d.report("technical", ["AAPL", "MSFT"])["technical_summary"]
    assert d.report("technical", ["NOPE"], code=1)["status"] == "failed"
    assert "NOPE" in d.ctl("report", "technical", "--symbols", "NOPE", code=1, what="stderr")


# ---- prices of several sources ---------------------------------------------

def the_best_source_is_taken_and_the_others_are_told(d):
    def changed(symbol):
        bars = rp.bars_of(symbol)
        if symbol == "FRESH":
            return bars
        if symbol == "WHOLE":
            return [dict(b, c=round(b["c"] * 0.98, 2), l=round(b["c"] * 0.9, 2)) for b in bars]
        if symbol == "EQUAL":
            return [dict(b, c=round(b["c"] + 0.01, 2), h=round(b["h"] + 1, 2)) for b in bars]
        return []

    symbols = ["FRESH", "WHOLE", "EQUAL", "ALONE"]
    d.second.bars = changed
    d.first.bars = lambda s: [b for i, b in enumerate(rp.bars_of(s)) if s != "WHOLE" or i % 10][:-1 if s == "FRESH" else None]
    d.fetch(symbols)
    d.fetch(symbols, "second", 1)
    answer = d.report("pricing", symbols)
    assert (answer["status"], answer["securities_fetched"]) == ("success", 4), answer
    got = rows(answer, "price_details")
    assert answer["prices"] == {s: r["price_data"]["close"] for s, r in got.items()}, answer
    assert list(got) == symbols
    assert got["FRESH"]["source"] == "second" and "freshest" in got["FRESH"]["reason"], got["FRESH"]
    assert got["WHOLE"]["source"] == "second" and "most complete" in got["WHOLE"]["reason"], got["WHOLE"]
    assert got["EQUAL"]["source"] == "first" and "priority" in got["EQUAL"]["reason"], got["EQUAL"]
    assert got["ALONE"]["source"] == "first" and got["ALONE"]["missing_sources"] == ["second"], got["ALONE"]
    assert "only source" in got["ALONE"]["reason"] and got["ALONE"]["alternatives"] == [], got["ALONE"]
    # How complete, and by how much they differ, as pandas counts it.
    whole, first = pd.DataFrame(changed("WHOLE")), pd.DataFrame(d.first.bars("WHOLE"))
    window = pd.concat([whole, first])["t"].drop_duplicates().sort_values().tail(252)
    other = got["WHOLE"]["alternatives"][0]
    assert (got["WHOLE"]["bars"], got["WHOLE"]["bars_expected"]) == (252, 252), got["WHOLE"]
    assert other["bars"] == first["t"].isin(window).sum() < 252, other
    common = whole.merge(first, on="t").iloc[-1]
    assert other["compared_at"] == common["t"], other
    near(other["deviation"], common["c_y"] / common["c_x"] - 1, "deviation")
    fresh = got["FRESH"]
    newest = changed("FRESH")[-1]
    assert fresh["price_data"] == {"close": newest["c"], "ohlcv": [{"time": newest["t"], "open": newest["o"], "high": newest["h"],
                                                                  "low": newest["l"], "close": newest["c"], "volume": newest["v"]}]}, fresh
    assert answer["timestamp"] == "2025-02-04T05:00:00Z", answer["timestamp"]
    # Another preference; and of one source alone.
    assert rows(d.report("pricing", ["EQUAL"], "--source", "second,first"), "price_details")["EQUAL"]["source"] == "second"
    alone = d.report("pricing", ["ALONE", "EQUAL"], "--source", "second", code=1)
    assert [f["ticker"] for f in alone["failed"]] == ["ALONE"] and list(alone["prices"]) == ["EQUAL"], alone


def a_range_and_a_window_are_kept_to(d):
    d.fetch(["AAPL"])
    frame = d.frame("AAPL")
    part = d.report("pricing", ["AAPL"], "--end", "2024-06-01")
    want = frame[frame["time"] < "2024-06-01"].iloc[-1]
    assert part["prices"]["AAPL"] == want["close"], (part, want)
    assert d.report("pricing", ["AAPL"], "--window", "7")["price_details"][0]["bars"] == 7
    none = d.report("pricing", ["AAPL"], "--end", "2023-01-01", code=1)
    assert none["status"] == "failed" and "no source has bars" in none["failed"][0]["reason"], none
    some = d.report("technical", ["AAPL"], "--start", "2024-06-03", "--end", "2024-06-08", "--history")
    assert len(some["technical_indicators"]) == 5 and some["technical_summary"][0]["sma_20"] is None, some


# ---- news ------------------------------------------------------------------

def averages(articles):
    """(count, mean, weighted by age) of the articles that are no repeats."""
    frame = pd.DataFrame(articles)
    frame = frame[~frame["repeat"]]
    age = (pd.to_datetime(frame["time"]).max() - pd.to_datetime(frame["time"])).dt.total_seconds() / 86400
    weight = 0.5 ** age
    return len(frame), frame["sentiment"].mean(), (frame["sentiment"] * weight).sum() / weight.sum()


def news_are_summed_up_as_pandas_does(d):
    symbols = ["AAPL", "MSFT", "QUIET"]
    d.first.news = lambda s: [] if s == "QUIET" else rp.news_of(s)
    d.fetch_news(symbols)
    answer = d.report("news", symbols, "--articles", "1000")
    assert (answer["status"], answer["securities_with_news"], answer["failed"]) == ("success", 2, []), answer
    got = rows(answer, "news")
    for symbol in symbols[:2]:
        assert [a["headline"] for a in got[symbol]["articles"]] == [a["headline"] for a in reversed(rp.news_of(symbol))]
        count, mean, weighted = averages(got[symbol]["articles"])
        assert got[symbol]["article_count"] == count == 40 - got[symbol]["repeats"], got[symbol]
        near(got[symbol]["avg_sentiment"], mean, "mean")
        near(got[symbol]["weighted_sentiment"], weighted, "weighted")
        near(answer["sentiment_by_ticker"][symbol], mean, "by ticker")
    by = list(answer["sentiment_by_ticker"].values())
    assert answer["total_articles"] == sum(r["article_count"] for r in got.values()), answer
    assert (answer["positive_sentiment"], answer["negative_sentiment"]) == (sum(v >= 0.05 for v in by), sum(v <= -0.05 for v in by))
    week = rows(d.report("news", symbols, "--news-window", "7d", "--articles", "3"), "news")["AAPL"]
    assert week["article_count"] + week["repeats"] >= 14 and len(week["articles"]) == 3, week
    assert week["article_count"] < got["AAPL"]["article_count"]


# ---- together --------------------------------------------------------------

def one_row_per_symbol_holds_all_of_it(d):
    symbols = [f"S{i:02}" for i in range(9)]
    d.fetch(symbols)
    d.fetch_news(symbols[:6])
    c = d.report("combined", symbols)
    assert c["report"] == {**d.report("comprehensive", symbols)["report"], "execution_time_seconds": c["report"]["execution_time_seconds"]}
    assert d.report("comprehensive", symbols)["combined_analysis"] == c["combined_analysis"]
    parts = [d.report(flow, symbols) for flow in ("technical", "pricing", "news")]
    for part, names in zip(parts, (["technical_summary", "securities_analyzed"], ["prices", "price_details", "securities_fetched"],
                                   ["sentiment_by_ticker", "news", "total_articles", "positive_sentiment"])):
        for name in names:
            assert part[name] == c[name], name
    frame = pd.DataFrame(c["combined_analysis"])
    assert list(frame["ticker"]) == symbols and len(set(map(tuple, map(dict.keys, c["combined_analysis"])))) == 1
    assert frame["avg_sentiment"].notna().sum() == 6, frame
    summary = c["report"]["summary"]
    for key, column in (("avg_rsi", "rsi_14"), ("avg_sma_20", "sma_20"), ("avg_news_sentiment", "avg_sentiment")):
        near(summary[key], frame[column].mean(), key)
    assert summary["securities_with_positive_sentiment"] == (frame["avg_sentiment"] >= 0.05).sum()
    assert summary["securities_with_negative_sentiment"] == (frame["avg_sentiment"] <= -0.05).sum()
    returns = pd.DataFrame({s: np.log(d.frame(s).tail(252)["close"].reset_index(drop=True)).diff() for s in symbols}).corr()
    assert c["correlation"]["tickers"] == symbols
    for a, line in zip(symbols, c["correlation"]["matrix"]):
        for b, value in zip(symbols, line):
            near(value, returns.loc[a, b], (a, b))
    text = d.ctl("report", "combined", "--symbols", ",".join(symbols), "--vader", os.devnull)
    assert all(s in text for s in symbols) and "success: 9 symbols" in text, text


def raw_rows(text, name):
    """The rows of a list as they stand in the answer, by symbol."""
    at, out, decoder = text.index(f'"{name}":[') + len(name) + 4, {}, json.JSONDecoder()
    while text[at] == "{":
        row, end = decoder.raw_decode(text, at)
        out[row["ticker"]] = text[at:end]
        at = end + 1
    return out


LISTS = ("technical_summary", "price_details", "news", "combined_analysis")


def raw(d, symbols, code=0):
    text = d.ctl("report", "combined", "--symbols", ",".join(symbols), "--json", "--vader", os.devnull, code=code)
    return {name: raw_rows(text, name) for name in LISTS}, json.loads(text)


def what_is_wrong_with_a_symbol_changes_no_byte_of_another(d):
    def poisoned(symbol):
        bars = rp.bars_of(symbol)
        if symbol == "POISON":
            return [dict(b, o=9e8, h=9e8, l=1e-9, c=9e8 if i % 2 else 1e-9, v=9e9) for i, b in enumerate(bars)]
        if symbol == "BROKEN":
            return [dict(b, c=round(b["h"] + 5, 2)) for b in bars]
        return bars

    good = ["AAPL", "MSFT", "NVDA"]
    d.first.bars = poisoned
    d.first.news = lambda s: rp.news_of(s) if s != "POISON" else [
        rp.article(s, i, f"2025-01-{i + 1:02}T00:00:00Z", ("plunges " * 60 + "\u202e</script>")[:500]) for i in range(20)]
    d.fetch(good + ["POISON", "BROKEN"])
    d.fetch_news(good + ["POISON"])
    clean, whole = raw(d, good)
    dirty, answer = raw(d, ["POISON", "AAPL", "NOPE", "MSFT", "BROKEN", "NVDA"], code=1)
    for name in LISTS:
        assert list(clean[name]) == good, (name, clean[name])
        for symbol in good:
            assert clean[name][symbol] == dirty[name][symbol], (name, symbol)
    assert answer["status"] == "partial", answer["status"]
    assert {f["ticker"]: f["reason"] for f in answer["failed"] if f["part"] == "pricing"} == {
        "NOPE": "no source has bars of it: ingest it", "BROKEN": "none of its 286 bars can be"}, answer["failed"]
    pairs = {(a, b): v for m in (whole["correlation"],) for a, line in zip(m["tickers"], m["matrix"]) for b, v in zip(m["tickers"], line)}
    mine = {(a, b): v for m in (answer["correlation"],) for a, line in zip(m["tickers"], m["matrix"]) for b, v in zip(m["tickers"], line)}
    assert all(mine[k] == v for k, v in pairs.items()), "correlations of the others"


def a_vendor_that_is_down_costs_its_own_symbols_alone(d):
    good = ["AAPL", "MSFT", "NVDA"]
    d.fetch(good)
    d.fetch(["ONLY"], "second")
    both, answer = raw(d, good + ["ONLY"])
    assert answer["status"] == "success", answer
    other = World()
    try:
        other.start()
        other.second.stop()
        other.fetch(good)
        other.fetch(["ONLY"], "second", 1)
        down, answer = raw(other, good + ["ONLY"], code=1)
    finally:
        other.remove()
    assert [f["ticker"] for f in answer["failed"]] == ["ONLY"] and "ONLY" not in answer["prices"], answer["failed"]
    for name in LISTS:
        for symbol in both[name].keys() - {"ONLY"}:
            assert both[name][symbol] == down[name][symbol], (name, symbol)
        assert name == "news" or set(both[name]) == set(good + ["ONLY"]) == set(down[name]) | {"ONLY"}, name


# ---- holdings --------------------------------------------------------------

def holdings_are_valued_as_pandas_does(d):
    lots = ("Symbol,Name,Quantity,Cost_Basis\nAAPL,\"Apple, Inc.\",10,1000\nMSFT,,-4,-200.5\nNVDA,,3.5,\nAAPL,again,5,700\n"
            "GOOGL,,many,5\nbad symbol,,1,1\nTSLA,,1,1e999\n\nNOPE,,2,10\nAMZN,,0x10,1\nMETA,,nan,1\n")
    symbols = ["AAPL", "MSFT", "NVDA"]
    d.fetch(symbols)
    d.fetch_news(symbols)
    c = d.report("combined", [], "--portfolio", d.file("holdings.csv", lots), code=1)
    p = c["portfolio"]
    assert [r["line"] for r in p["refused_lines"]] == [6, 7, 8, 11, 12], p["refused_lines"]
    assert all(r["reason"] for r in p["refused_lines"]) and c["status"] == "partial"
    rows_of = pd.DataFrame(c["combined_analysis"]).set_index("ticker")
    q = pd.Series({"AAPL": 15.0, "MSFT": -4.0, "NVDA": 3.5})
    cost = pd.Series({"AAPL": 1700.0, "MSFT": -200.5, "NVDA": np.nan})
    value, before = q * rows_of["close"], q * pd.Series({s: d.frame(s)["close"].iloc[-2] for s in symbols})
    weight = value / value.abs().sum()
    positions = rows(p, "positions")
    assert list(positions) == symbols + ["NOPE"] and positions["NOPE"]["value"] is None, positions
    for s in symbols:
        near(positions[s]["value"], value[s], "value")
        near(positions[s]["weight"], weight[s], "weight")
        near(positions[s]["change"], value[s] - before[s], "change")
        assert positions[s]["quantity"] == q[s]
    assert positions["NVDA"]["pnl"] is None and positions["NVDA"]["cost_basis"] is None
    near(positions["MSFT"]["pnl"], value["MSFT"] + 200.5, "a short position")
    [total] = p["totals"]
    gain = (value - cost).dropna().sum()
    for key, want in (("value", value.sum()), ("gross_value", value.abs().sum()), ("cost_basis", cost.sum()), ("pnl", gain),
                      ("pnl_share", gain / cost.sum()), ("change", (value - before).sum()),
                      ("avg_sentiment", (rows_of["avg_sentiment"] * weight).sum()), ("avg_rsi", (rows_of["rsi_14"] * weight.abs()).sum())):
        near(total[key], want, key)
    err = d.ctl("report", "pricing", "--portfolio", d.file("holdings.csv", lots), code=1, what="stderr")
    assert "line 6 is not taken: the quantity 'many' is not a number" in err, err
    for text, words in (("Symbol,Amount\nA,1\n", "no column quantity"), ("", "empty")):
        assert words in d.ctl("report", "pricing", "--portfolio", d.file("holdings.csv", text), code=64, what="stderr")
    d.ctl("report", "pricing", "--portfolio", "/no/such/file", code=74)


def what_cannot_be_asked_is_refused(d):
    for args, words in (((), "say which"), (("weekly",), "say which"), (("technical",), "no symbol"),
                        (("technical", "--symbols", "a!"), "a!"), (("technical", "--symbols", "A", "--window", "0"), "--window"),
                        (("technical", "--symbols", "A", "--timeframe", "7m"), "7m"), (("news", "--symbols", "A", "--half-life", "long"), "long"),
                        (("technical", "--symbols", "A", "--start", "soon"), "soon"), (("pricing", "--symbols", "A", "--adjust", "no"), "'no'")):
        assert words in d.ctl("report", *args, code=64, what="stderr"), args
    assert d.stop() == 0
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "report", "technical", "--symbols", "A", "--json"],
                          capture_output=True, text=True, timeout=240)
    assert done.returncode == 69 and done.stdout == "", done


TESTS = [indicators_are_those_of_pandas, the_number_of_workers_and_a_second_run_change_nothing,
         what_is_not_there_is_named_and_the_rest_is_a_report, the_best_source_is_taken_and_the_others_are_told,
         a_range_and_a_window_are_kept_to, news_are_summed_up_as_pandas_does, one_row_per_symbol_holds_all_of_it,
         what_is_wrong_with_a_symbol_changes_no_byte_of_another, a_vendor_that_is_down_costs_its_own_symbols_alone,
         holdings_are_valued_as_pandas_does, what_cannot_be_asked_is_refused]

if __name__ == "__main__":
    if pd is None:
        print("1..0 # SKIP pandas is absent: nobody to judge the numbers")
        sys.exit(0)
    sys.exit(tb.tap([t for t in TESTS if t.__name__ in sys.argv[3:] or not sys.argv[3:]], World))
