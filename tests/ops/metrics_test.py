#!/usr/bin/env python3
"""What a Prometheus sees: metrics_test.py TICKBUSD SOURCE_DIR

The page of a daemon with more symbols than have series of their own, judged by promtool; every name in the Grafana
board and in the alert rules is on that page with the labels that are asked for; the rules fire when they should
(tickbus.rules.test.yml) and each has a section in OPERATIONS.md.  Without promtool (Debian: prometheus) what only it
can judge is left out, and said.  Prints TAP.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import tickbusd as tb  # noqa: E402
import yaml  # noqa: E402

BINARY, SOURCE = sys.argv[1:3]
PROMTOOL = shutil.which("promtool")
SHOWN = 200  # METRICS_SYMBOLS_MAX
SYMBOLS = SHOWN + 30
# Live feeds that nobody serves, an archive that nobody writes: their series are there from the start.
FEED = """
archive: {dir: ARCHIVE, program: /nowhere/tickbus-archive}
fetch: {plain_http: true, private_addresses: true}
vendors:
  alpaca: {base_url: "http://127.0.0.1:9", stream_url: "ws://127.0.0.1:9/v2/iex", feed: iex}
feeds:
  iex: {vendor: alpaca, symbols: [AAPL]}
rss:
  headlines: {url: "http://127.0.0.1:9/", symbols: [AAPL]}
"""
ENV = {"TICKBUS_ALPACA_KEY": "nobody", "TICKBUS_ALPACA_SECRET": "nothing"}
FOREIGN = {"up"}  # Prometheus' own


class Page:
    """The exposition: types by family, samples as (name, labels, value)."""

    def __init__(self, text):
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        self.samples = [(m[1], dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2] or "")), float(m[3]))
                        for m in re.finditer(r"^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$", text, re.M)]
        self.names = {name for name, _, _ in self.samples}

    def labels(self, name):
        return {key for n, labels, _ in self.samples if n == name for key in labels}


def read(name):
    with open(os.path.join(SOURCE, name), encoding="utf-8") as f:
        return f.read()


def rules():
    return [r for g in yaml.safe_load(read("share/prometheus/tickbus.rules.yml"))["groups"] for r in g["rules"]]


def expressions():
    """(where, PromQL) of board and rules."""
    board = json.loads(read("share/grafana/tickbus.json"))
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for note in board["annotations"]["list"]:
        yield note["name"], note["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]
    for rule in rules():
        yield rule["alert"], rule["expr"]


def promtool(*args, text=None):
    done = subprocess.run([PROMTOOL, *args], input=text, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def absent():
    if PROMTOOL is None:
        print("# promtool is not here (Debian: prometheus): not judged")
    return PROMTOOL is None


def page(d):
    code, text = d.http("/metrics")
    assert code == 200, code
    return Page(text)


def the_page_satisfies_promtool_and_its_names_the_conventions(d):
    p = page(d)
    for name, kind in p.types.items():
        assert name.startswith(("tickbus_", "process_")), name
        assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
        assert not re.search(r"_(ns|us|ms|nanoseconds|microseconds|milliseconds|minutes|kib|mib|percent)(_|$)", name), name
        assert re.search(rf"^# HELP {name} \S", p.text, re.M), f"{name} has no help"
        assert kind != "histogram" or name.endswith("_seconds"), name
    assert len(p.types) > 150, len(p.types)
    if not absent():
        code, out = promtool("check", "metrics", text=p.text)
        assert code == 0 and not out.strip(), out
        code, _ = promtool("check", "metrics", text="# TYPE x_total gauge\nx_total 1\n")
        assert code != 0, "promtool lets everything pass"


def series_per_symbol_are_bounded_and_the_busiest_have_their_own(d):
    names = [f"S{i:03}" for i in range(SYMBOLS)] + [f"S{SYMBOLS - 1:03}"] * 3
    now = time.time_ns()
    ticks = [(name, now + i, 10 ** 10, 10 ** 8, i + 1) for i, name in enumerate(names)]
    assert tb.feed(d, ticks)["accepted"] == len(ticks)
    series, end = {}, time.monotonic() + 80
    while sum(series.values()) < len(ticks) and time.monotonic() < end:
        p = page(d)
        series = {s["symbol"]: v for n, s, v in p.samples
                  if n == "tickbus_symbol_last_sequence" and s["kind"] == "tick"}
    assert len(series) == SHOWN + 1, len(series)
    assert series[f"S{SYMBOLS - 1:03}"] == 4, "the busiest symbol has no series"
    assert series["other"] == SYMBOLS - SHOWN, series["other"]
    assert sum(series.values()) == len(ticks)
    assert f"S{SYMBOLS - 2:03}" not in series and "S000" in series, "of equals the first"
    unbounded = {n for n in p.types if len([1 for m, _, _ in p.samples if m == n]) > 5 * (SHOWN + 1)}
    assert not unbounded, unbounded


def every_name_of_the_board_and_the_rules_is_exposed(d):
    assert tb.feed(d, [("AAPL", time.time_ns(), 10 ** 10, 10 ** 8, 1)])["accepted"] == 1
    p, wrong, seen = page(d), [], 0
    for where, expr in expressions():
        bare = re.sub(r'"[^"]*"', '""', expr)
        for name, matchers in re.findall(r"\b((?:tickbus|process)_[a-z0-9_]+)(?:\{([^}]*)\})?", bare):
            seen += 1
            if name not in p.names:
                wrong.append(f"{where}: {name}")
                continue
            asked = set(re.findall(r"(\w+)=", matchers)) - {"instance", "job"}
            wrong += [f"{where}: {name} has no label {x}" for x in asked - p.labels(name)]
    assert not wrong, wrong
    assert seen > 80, f"only {seen} names found: the test reads wrongly"
    for where, expr in expressions():
        if " by (" in expr:
            names = re.findall(r"\b((?:tickbus|process)_[a-z0-9_]+)", expr)
            known = set().union(*(p.labels(n) for n in names)) | {"instance", "alertname"}
            for by in re.findall(r" by \(([^)]*)\)", expr):
                assert {x.strip() for x in by.split(",")} <= known, f"{where}: by ({by})"


def every_alert_has_a_test_and_a_section_of_the_manual(_):
    operations, tests = read("docs/OPERATIONS.md"), yaml.safe_load(read("tests/ops/tickbus.rules.test.yml"))["tests"]
    tested = {t["name"] for t in tests}
    names = [r["alert"] for r in rules()]
    assert len(names) == len(set(names)) and len(names) > 20, names
    for rule in rules():
        name = rule["alert"]
        section = re.search(rf"^### {name}\n(.*?)(?=^#|\Z)", operations, re.M | re.S)
        assert section and len(section.group(1)) > 60, f"OPERATIONS.md has no section on {name}"
        assert name in tested, f"{name} is never fired by tickbus.rules.test.yml"
        assert rule["annotations"]["runbook"] == f"docs/OPERATIONS.md#{name.lower()}", name
        assert rule["labels"]["severity"] in ("page", "ticket"), name
    told = set(re.findall(r"^### (Tickbus\w+)", operations, re.M))
    assert told == set(names), f"sections without an alert: {told - set(names)}"


def the_rules_fire_when_they_should_and_only_then(_):
    if absent():
        return
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "tickbus.rules.yml")
        shutil.copy(os.path.join(HERE, "tickbus.rules.test.yml"), folder)
        text = read("share/prometheus/tickbus.rules.yml")
        for content, wanted in ((text, True), (text.replace("_alarm == 1", "_alarm == 0"), False)):
            with open(file, "w", encoding="utf-8") as f:
                f.write(content)
            code, out = promtool("check", "rules", file)
            assert code == 0, out
            code, out = promtool("test", "rules", os.path.join(folder, "tickbus.rules.test.yml"))
            assert (code == 0) == wanted, out


def main():
    tests = [the_page_satisfies_promtool_and_its_names_the_conventions,
             series_per_symbol_are_bounded_and_the_busiest_have_their_own,
             every_name_of_the_board_and_the_rules_is_exposed,
             every_alert_has_a_test_and_a_section_of_the_manual,
             the_rules_fire_when_they_should_and_only_then]
    os.environ.update(ENV)
    with tempfile.TemporaryDirectory() as folder:
        more = FEED.replace("ARCHIVE", os.path.join(folder, "archive"))
        return tb.tap(tests, lambda: tb.Tickbusd(BINARY, clock="wall", more=more))


if __name__ == "__main__":
    sys.exit(main())
