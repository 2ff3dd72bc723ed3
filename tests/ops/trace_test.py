#!/usr/bin/env python3
"""The way of one record: trace_test.py TICKBUSD TICKBUSCTL

What `tickbusctl trace` tells against what was sent and what catch-up gives out; histograms of the stages and their
exemplars on the OpenMetrics page, judged by a strict reader (openmetrics.py); the log of the slow.  Prints TAP.
"""
import functools
import json
import os
import re
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
sys.path.insert(0, HERE)
import openmetrics  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY, CTL = map(os.path.abspath, sys.argv[1:3])
TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
STAGES = ["commit", "dispatch", "worker", "tier2", "publish", "tick", "total"]
MORE = """
workers: {threads: 2}
trace: {slow: off}
defaults: {timeframes: [1m]}
tickers: {AAA: {}, BBB: {}}
universes: {two: {symbols: [AAA, BBB], timeframe: 1m, window: 10, min_obs: 3}}
"""


def ask(d, path, accept):
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", d.port["http"], timeout=10)
    c.request("GET", path, headers={"Accept": accept})
    r = c.getresponse()
    return r.getheader("Content-Type"), r.read().decode()


def ctl(d, *args, code=0):
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *args], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done.stdout


def trace(d, pos):
    return json.loads(ctl(d, "trace", str(pos), "--json"))


until = functools.partial(tb.until, seconds=20)


def two_bars(d):
    """Ticks of two symbols over six minutes, then the clock; the position of the last record."""
    ticks = [tb.trade(s, 60 * m + i, 100 + m + i / 10, 10 * m + 2 * i + k + 1)
             for m in range(6) for i in range(3) for k, s in enumerate(("AAA", "BBB"))]
    assert tb.feed(d, ticks)["accepted"] == len(ticks)
    reply = tb.feed_json(d, tb.clock_request(500, 1))
    assert reply["status"] == "ok", reply
    return ticks, len(ticks)


def last_pos(d):
    return d.admin("log_count")["result"]["last_pos"]


def finished(d, pos):
    return until(lambda: (t := trace(d, pos)) and "step" in t and t["step"]["finished"] and not t["pending"] and t,
                 f"trace {pos} has come through")


def heads(d, kind):
    """(pos, seq) of every stored event of a kind, from catch-up."""
    return [struct.unpack_from("<QQ", b, 0)[::-1] for b in d.events(kind)]


def the_way_of_a_tick_is_told(d):
    before = time.time()
    ticks, _ = two_bars(d)
    last = last_pos(d)
    positions = {row[2:0:-1]: row for row in d.all_ticks()}
    for symbol, event_ns, price, size, seq in (ticks[0], ticks[17], ticks[-1]):
        pos = positions[(seq, symbol)][0]
        t = finished(d, pos)
        r = t["record"]
        assert t["trace"] == pos and r["pos"] == pos and r["symbol"] == symbol, r
        assert float(r["price"]) == price / 1e9 and int(r["source_seq"]) == seq, r
        assert r["seq"] == positions[(seq, symbol)][3], r
        assert t["producer"] == "p" and t["producer_seq"] > 0, t
        step = t["step"]
        assert step["first_pos"] <= pos <= step["last_pos"], step
        names = [s["stage"] for s in step["stages"]]
        assert sorted(names) == sorted(["commit", "dispatch", "worker 0", "worker 1", "tier2", "publish", "tick"]), names
        took = {s["stage"]: s["seconds"] for s in step["stages"]}
        assert all(s >= 0 for s in took.values()), took
        # The spans of the way, one behind the other, are the whole.
        way = took["commit"] + took["dispatch"] + max(took["worker 0"], took["worker 1"]) + took["tier2"] + took["publish"]
        assert abs(way - step["seconds"]) < 1e-6, (way, step["seconds"])
        assert 0 <= step["seconds"] < time.time() - before, step
    text = ctl(d, "trace", str(last))
    assert "type clock" in text and "tier2" in text and "total" in text, text


def what_it_brought_about_is_what_catch_up_has_at_its_position(d):
    two_bars(d)
    last = last_pos(d)
    finished(d, last)
    n = 0
    for pos in range(1, last + 1):
        t = trace(d, pos)
        told = sorted((e["kind"], e["seq"]) for e in t["events"])
        had = sorted((k, seq) for k in ("bar", "tier1", "status") for p, seq in heads(d, k) if p == pos)
        assert [e for e in told if e[0] != "tier2"] == had, (pos, told, had)
        assert t["n_events"] == len(told), t
        n += len(told)
    assert n > 12 and any(e["kind"] == "tier2" and e["name"] == "two"
                          for p in range(1, last + 1) for e in trace(d, p)["events"]), n


def what_is_no_longer_known_is_said(d):
    two_bars(d)
    last = last_pos(d)
    bars = sum(e["kind"] == "bar" for p in range(1, last + 1) for e in finished(d, p)["events"])
    far = trace(d, last + 1000)
    assert far["record"] is None and far["untimed"] == "it is not in the log yet", far
    assert "not in the log" in ctl(d, "trace", str(last + 1000))
    assert d.stop() == 0
    d.start()
    after = [trace(d, p) for p in range(1, last + 1)]
    assert all("step" not in t and "before the daemon's last start" in t["untimed"] for t in after), after[0]
    assert all(t["record"]["pos"] == t["trace"] for t in after)
    assert sum(e["kind"] == "bar" for t in after for e in t["events"]) == bars > 0
    assert "no longer known: it was accepted before" in ctl(d, "trace", "2")
    lists = json.loads(ctl(d, "trace", "--json"))
    assert not any(s["last_pos"] <= last for s in lists["slowest"] + lists["newest"]), lists


def every_record_is_counted_and_exemplars_lead_to_traces(d):
    two_bars(d)
    finished(d, last_pos(d))
    kind, text = ask(d, "/metrics", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert kind == TYPE, kind
    page = openmetrics.parse(text)
    stages = page["tickbus_stage_seconds"]
    counts = {s[1]["stage"]: s[2] for s in stages.samples if s[0].endswith("_count")}
    dispatched = page["tickbus_dispatched"].samples[0][2]
    assert list(counts) == STAGES, counts
    # Every record, but that the note of the configuration was committed before anybody looked at the clock.
    assert all(counts[s] == dispatched for s in ("worker", "tier2", "publish", "total")), (counts, dispatched)
    assert counts["commit"] == counts["dispatch"] == dispatched - 1, (counts, dispatched)
    # Records of steps with ticks.
    assert 36 <= counts["tick"] <= dispatched, counts
    exemplars = [(s[1], s[3]) for s in stages.samples if s[3] is not None]
    assert len({labels["stage"] for labels, _ in exemplars}) == len(STAGES), exemplars
    for labels, (trace_id, seconds, at) in exemplars:
        t = trace(d, int(trace_id["trace_id"]))
        took = {s["stage"]: s["seconds"] for s in t["step"]["stages"]}
        took["total"] = t["step"]["seconds"]
        took["worker"] = max(took["worker 0"], took["worker 1"])
        assert abs(took[labels["stage"]] - seconds) < 1e-9, (labels, seconds, took)
        assert abs(at - time.time()) < 60, at


def both_formats_say_the_same_numbers(d):
    two_bars(d)
    finished(d, last_pos(d))
    kind, plain = ask(d, "/metrics", "text/plain")
    assert kind.startswith("text/plain; version=0.0.4") and "# EOF" not in plain and "trace_id" not in plain, kind
    _, text = ask(d, "/metrics", "application/openmetrics-text")
    names = {s[0] for f in openmetrics.parse(text).values() for s in f.samples}
    assert names == set(re.findall(r"^([a-z0-9_]+)[{ ]", plain, re.M)), "a series is only on one of the pages"


def the_reader_of_the_test_is_strict(d):
    _, good = ask(d, "/metrics", "application/openmetrics-text")
    openmetrics.parse(good)
    sample = 'tickbus_x_bucket{le="1"} 1 # {trace_id="1"} %s\ntickbus_x_bucket{le="+Inf"} 1\ntickbus_x_sum 1\ntickbus_x_count 1\n# EOF\n'
    openmetrics.parse("# TYPE tickbus_x histogram\n" + sample % "0.5")
    for bad in (good[:-6], good + "x 1\n", good.replace("# TYPE tickbus_commits counter", "# TYPE tickbus_commits_total counter"),
                good.replace("# TYPE tickbus_uptime_seconds gauge\n", ""), good.replace("# EOF", "\n# EOF"),
                "# TYPE tickbus_x histogram\n" + sample % "1.5",
                "# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\na 2\n# EOF\n", "# TYPE a gauge\na 1\na 1\n# EOF\n",
                "# TYPE a counter\na 1\n# EOF\n", '# TYPE a gauge\na{x="\\q"} 1\n# EOF\n'):
        try:
            openmetrics.parse(bad)
        except ValueError:
            continue
        raise AssertionError(f"accepted: {bad[:200]}")


def the_slow_are_logged_with_their_stages(d):
    text = open(d.config, encoding="ascii").read()
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace("slow: off", "slow: 1us"))
    assert "error" not in d.admin("reload"), "slow can be changed while it runs"
    two_bars(d)
    last = last_pos(d)
    finished(d, last)
    slow = d.admin("metrics")["result"]["slow_records_total"]
    lines = re.findall(r"slow trace=(\d+) records=(\d+) total ([0-9.]+) s, commit [0-9.]+ s, dispatch [0-9.]+ s, worker", d.errors())
    assert lines and sum(int(n) for _, n, _ in lines) <= slow, (lines, slow)
    pos, _, total = lines[0]
    assert abs(trace(d, int(pos))["step"]["seconds"] - float(total)) < 1e-5
    assert slow >= 36, slow


def without_traces_nothing_is_missing_but_times(d):
    assert d.stop() == 0
    text = open(d.config, encoding="ascii").read()
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace("slow: off", "steps: 0"))
    d.start()
    two_bars(d)
    t = until(lambda: (t := trace(d, last_pos(d))) and not t["pending"] and t, "the last record's events")
    assert t["untimed"] == "no times are kept: trace.steps is 0" and t["n_events"] > 0, t
    assert json.loads(ctl(d, "trace", "--json")) == {"slowest": [], "newest": []}


def main():
    tests = [the_way_of_a_tick_is_told,
             what_it_brought_about_is_what_catch_up_has_at_its_position,
             what_is_no_longer_known_is_said,
             every_record_is_counted_and_exemplars_lead_to_traces,
             both_formats_say_the_same_numbers,
             the_reader_of_the_test_is_strict,
             the_slow_are_logged_with_their_stages,
             without_traces_nothing_is_missing_but_times]
    return tb.tap(tests, lambda: tb.Tickbusd(BINARY, more=MORE))


if __name__ == "__main__":
    sys.exit(main())
