#!/usr/bin/env python3
"""Every recorded scenario, and constructed ones of our own, through http, fetcher and the
adapters: scenario_test.py ASKER

Prints TAP, a line per scenario: what it is (recorded, sdk-fixture, constructed), what
came.  The recorded answers lie beside the repository ($TICKBUS_SHARED says where else)
and are not part of it.
"""
import concurrent.futures
import os
import pathlib
import queue
import sys

import askerlib
import own_scenarios
import scenario_spec as spec

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPTIONS = [f"attempts={spec.ATTEMPTS}", "backoff_ms=20", "total_ms=3000", "wait_max_ms=20000",
           "in_flight=1"]
TICK_NEW = 0  # enum tick_action
AT_ONCE = 12


class Differs(Exception):
    pass


def must(name, want, got):
    if want != got:
        raise Differs(f"{name}: {got!r} in place of {want!r}")


class Check:
    """One scenario against what came of it."""

    def __init__(self, vendor, scenario, outcome, mock):
        self.name, self.expect = (vendor, scenario["id"]), scenario["expect"]
        self.outcome, self.mock = outcome, mock
        # A withdrawn trade is two ticks: it, and its cancel.
        self.rows = [r for r in outcome.rows
                     if r["kind"] != "tick" or r["action"] == TICK_NEW]

    def run(self):
        must("exit code", 0, self.outcome.code)
        error = self.expect.get("error")
        found = spec.class_of(error) if error else None
        if found:
            return self.fails(*found)
        if self.name == ("alpaca", "rate_limited_for_ever"):
            return self.fails(("limited",), spec.ATTEMPTS)
        must("end", ("stopped" if self.name != ("alpaca", "bars_token_loop") else "failed"),
             self.outcome.end["end"])
        must("requests", self.expect.get("attempts", 1), len(self.mock.times))
        self.counts()
        self.details()
        return f"{len(self.rows)} rows"

    def fails(self, verdicts, requests):
        end = self.outcome.end
        must("end", "failed", end["end"])
        if end["verdict"] not in verdicts:
            raise Differs(f"verdict {end['verdict']}, not {' or '.join(verdicts)}: {end['why']}")
        if requests is not None:
            must("requests", requests, len(self.mock.times))
        must("rows of a bad answer", 0, len(self.rows))
        if not end["why"]:
            raise Differs("it does not say why")
        return f"{end['verdict']}: {end['why']}"

    def counts(self):
        outside = spec.OUTSIDE.get(self.name, 0)
        for name in ("bars", "trades", "quotes", "news", "records"):
            if name in self.expect:
                must(name, self.expect[name], len(self.rows) + outside)
        if outside:
            must("skipped", outside, self.outcome.pages[0]["skipped"])
        for name, kind in (("splits", 1), ("dividends", 2)):
            if name in self.expect:
                must(name, self.expect[name],
                     len([r for r in self.rows if r.get("type", kind) == kind
                          and r["kind"] == "action"]))
        for symbol, n in self.expect.get("by_symbol", {}).items():
            must(symbol, n, len([r for r in self.rows if r["symbol"] == symbol]))
        if "more_pages" in self.expect:
            must("more pages", self.expect["more_pages"], self.outcome.pages[0]["more"])
        if "skipped" in self.expect:
            must("skipped", self.expect["skipped"], self.outcome.pages[0]["skipped"])

    def details(self):
        times = [r["t"] for r in self.rows if "t" in r]
        if self.expect.get("order") == "newest first":
            must("order", sorted(times, reverse=True), times)
        if "duplicate_timestamps" in self.expect:
            must("equal times", self.expect["duplicate_timestamps"], len(times) - len(set(times)))
        if "sip_timestamps" in self.expect:
            must("times", [int(t) for t in self.expect["sip_timestamps"]], times)
        if "volume" in self.expect:
            must("volume", {self.expect["volume"] * 10 ** 8}, {r["v"] for r in self.rows})
        if "crossed" in self.expect:
            must("crossed", self.expect["crossed"],
                 len([r for r in self.rows if r["bp"] > r["ap"]]))
        if "one_sided" in self.expect:
            must("one-sided", self.expect["one_sided"],
                 len([r for r in self.rows if None in (r["bp"], r["ap"])]))
        if "wait_s_at_least" in self.expect:
            waited = self.mock.times[-1] - self.mock.times[0]
            if waited < self.expect["wait_s_at_least"]:
                raise Differs(f"waited {waited:.2f} s only")


def play(asker, mock, vendor, scenario, pages=1):
    q = spec.question(vendor, scenario)
    options = [f"vendor={vendor}", f"base={mock.http}", f"pages={pages}", *OPTIONS, *q.options]
    if scenario["expect"].get("splits") and vendor == "yahoo":
        q.line = q.line.replace("bars ", "actions ", 1)
    mock.scenarios.reset()
    return askerlib.ask(asker, q.line, options, q.keys)


def extra(asker, mock, vendor, scenario):
    """What a scenario says beyond its one page."""
    e = scenario["expect"]
    for pages in (2, 3):
        total = e.get(f"total_over_{pages}_pages")
        if total is None or not scenario["id"].endswith("page1"):
            continue
        chain = play(asker, mock, vendor, scenario, 0)
        must("end of the chain", "done", chain.end["end"])
        must("rows of the chain", total, len(chain.rows))
        must("requests of the chain", pages, len(mock.scenarios.times))
        return f"; {total} over {pages} pages"
    if vendor == "yahoo" and e.get("splits"):
        q = spec.yahoo(scenario["request"])
        mock.scenarios.reset()
        bars = askerlib.ask(asker, q.line, ["vendor=yahoo", f"base={mock.http}"], {})
        must("bars", e["bars"], len(bars.rows))
        return f"; {len(bars.rows)} bars"
    if scenario["id"] == "aggs_next_url_foreign":
        chain = play(asker, mock, vendor, scenario, 0)
        must("end", "failed", chain.end["end"])
        if not all(u.startswith("GET /v2/aggs?cursor=AAAA ") for u in mock.scenarios.unmatched):
            raise Differs(f"asked {mock.scenarios.unmatched}")
        return "; page 2 was asked of our own base, not of the host it names"
    return ""


def one(asker, mock, vendor, scenario):
    """(is it right, its line, notes)"""
    name = f"{vendor} {scenario['id']} ({scenario.get('provenance', 'constructed')})"
    is_whole = scenario["id"] == "bars_token_loop" or "not_found" in scenario["expect"]
    outcome = play(asker, mock, vendor, scenario, 0 if is_whole else 1)
    expect = dict(scenario["expect"])
    if vendor == "yahoo" and expect.get("splits"):
        expect.pop("bars")
    try:
        if "not_found" in expect:
            must("end", "done", outcome.end["end"])
            must("not found", expect["not_found"],
                 [x["symbol"] for x in outcome.lines if x["kind"] == "not_found"])
            must("found", True, any(x["kind"] == "name" for x in outcome.lines))
            came = "numbers of symbols"
        elif scenario["id"] == "bars_token_loop":
            must("end", "failed", outcome.end["end"])
            must("requests", 2, len(mock.scenarios.times))
            came = outcome.end["why"]
        else:
            came = Check(vendor, {**scenario, "expect": expect}, outcome, mock.scenarios).run()
        must("unmatched requests", [], mock.scenarios.unmatched)
        requests = len(mock.scenarios.times)
        came += extra(asker, mock, vendor, scenario)
        for text in outcome.text, outcome.err:
            must("a key in the output", False, "goodkey" in text or "goodsecret" in text)
    except Differs as e:
        return False, name, [e, outcome.text[-600:], outcome.err, mock.scenarios.unmatched]
    return True, f"{name}: {requests} requests, {came}", []


def folder_of(tap, asker, folder):
    """Each scenario alone with a mock; several at once, for they wait most of the time."""
    scenarios = spec.load(folder)
    idle = queue.SimpleQueue()
    mocks = [askerlib.MockVendors(scenarios=folder).start() for _ in range(AT_ONCE)]
    for mock in mocks:
        idle.put(mock)

    def play_one(row):
        mock = idle.get()
        try:
            return one(asker, mock, *row)
        finally:
            idle.put(mock)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for is_ok, name, notes in pool.map(play_one, scenarios):
            tap.result(is_ok, name, *notes)
    for mock in mocks:
        mock.stop()
    return len(scenarios)


def main():
    asker, tap = sys.argv[1], askerlib.Tap()
    shared = pathlib.Path(os.environ.get("TICKBUS_SHARED", ROOT.parent / "shared"))
    recorded = shared / "data" / "vendor_responses"
    if recorded.is_dir():
        n = folder_of(tap, asker, recorded)
        print(f"# {n} scenarios of {recorded.name}")
    else:
        print("# the recorded answers are not here: constructed ones alone")
    with own_scenarios.folder() as own:
        print(f"# {folder_of(tap, asker, own)} scenarios of our own")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
