#!/usr/bin/env python3
"""A report of 500 symbols out of what the mock vendors have: report_many_test.py TICKBUSD TICKBUSCTL

Two vendors of bars, one of them also of news; some symbols do not exist.  Prints TAP.
"""
import json
import os
import subprocess
import sys

import tickbusd as tb

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mock"))
import mock_vendors  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
SYMBOLS = [f"M{i:03}" for i in range(500)]
UNKNOWN = ["ZZTOP", "ZZYZX"]
ASKED = SYMBOLS[:250] + UNKNOWN + SYMBOLS[250:]
CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
vendors:
  alpaca: {{base_url: "{url}", feed: iex, requests: 0}}
  polygon: {{base_url: "{url}", requests: 0}}
"""
KEYS = {"TICKBUS_ALPACA_KEY": "any", "TICKBUS_ALPACA_SECRET": "any", "TICKBUS_POLYGON_KEY": "any"}


class World(tb.Tickbusd):
    def __init__(self):
        self.mock = mock_vendors.MockVendors().start()
        super().__init__(BINARY)
        with open(self.config, "a", encoding="ascii") as f:
            f.write(CONFIG.format(url=self.mock.http))

    def start(self, *args, **more):
        super().start(env=KEYS)

    def remove(self):
        super().remove()
        self.mock.stop()

    def ctl(self, *args, code=0):
        done = subprocess.run([CTL, "--admin", os.path.join(self.dir, "admin.sock"), *args], capture_output=True, text=True, timeout=280)
        assert done.returncode == code, (args[:3], done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return done.stdout

    def fetch(self, symbols, *args, code=0):
        path = os.path.join(self.dir, "symbols.txt")
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(symbols))
        self.ctl("ingest", "--text", path, *args, code=code)


def five_hundred_symbols_are_one_report(d):
    d.fetch(ASKED, "--start", "2024-11-25", "--end", "2025-01-11", "--timeframe", "1d", "--vendor", "alpaca", code=1)
    d.fetch(SYMBOLS[:200], "--start", "2024-11-25", "--end", "2025-01-09", "--timeframe", "1d", "--vendor", "polygon")
    d.fetch(SYMBOLS, "--start", "2025-01-05", "--end", "2025-01-11", "--what", "news", "--vendor", "alpaca")
    page = os.path.join(d.dir, "report.html")
    text = d.ctl("report", "combined", "--symbols", ",".join(ASKED), "--json", "--html", page, "--vader", os.devnull, code=1)
    answer = json.loads(text)
    assert (answer["status"], answer["securities_analyzed"], answer["securities_fetched"]) == ("partial", 500, 500), text[:400]
    assert [f["ticker"] for f in answer["failed"]] == UNKNOWN, answer["failed"]
    for name in ("technical_summary", "price_details", "combined_analysis", "news"):
        assert [row["ticker"] for row in answer[name]] == SYMBOLS, name
        assert len({tuple(row) for row in answer[name]}) == 1, f"{name}: columns differ"
    assert list(answer["prices"]) == SYMBOLS == list(answer["sentiment_by_ticker"])
    for row in answer["combined_analysis"]:
        assert None not in (row["close"], row["sma_20"], row["rsi_14"], row["bollinger_upper"], row["avg_sentiment"]), row
    for i, row in enumerate(answer["price_details"]):
        assert row["source"] == "alpaca" and [a["source"] for a in row["alternatives"]] == ["polygon"] * (i < 200), row
        # The mock's vendors agree on raw prices.
        assert all(a["deviation"] == 0 for a in row["alternatives"]), row
    by_source = json.loads(d.ctl("report", "pricing", "--symbols", ",".join(SYMBOLS), "--source", "polygon", "--json", code=1))
    assert list(by_source["prices"]) == SYMBOLS[:200] and len(by_source["failed"]) == 300
    with open(page, encoding="utf-8") as f:
        html = f.read()
    assert html.count("<article") == 24 and all(f">{s}<" in html for s in SYMBOLS) and "ZZTOP" in html
    print(f"# {len(text)} bytes of JSON, {len(html)} of HTML, {answer['report']['execution_time_seconds']:.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(tb.tap([five_hundred_symbols_are_one_report], World))
