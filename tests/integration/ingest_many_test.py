#!/usr/bin/env python3
"""Many symbols from a vendor with bad manners: ingest_many_test.py TICKBUSD TICKBUSCTL [SYMBOLS LATENCY_MS]

A job over 120 symbols (500 with 200 ms is what the proof asks for) while 2 % of the answers
are 429, 1 % are 500, 0.5 % of the bodies are cut off, and five symbols are unknown.  Exactly
what a polite vendor gives must lie in history.db, and exactly the five must fail.

Where no answer asks to wait, the time must be near requests x latency / requests at once.
After a 429 nobody is asked until the vendor's reset has come, so its time is not ours.
Prints TAP.
"""
import os
import sqlite3
import sys

SYMBOLS, LATENCY = (int(a) for a in (sys.argv[3:] + ["120", "50"][len(sys.argv) - 3:])[:2])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "mock"))
import ingest_test  # noqa: E402
import mock_vendors  # noqa: E402
import tickbusd as tb  # noqa: E402

AT_ONCE = 8
RANGE = ["--start", "2024-01-02", "--end", "2024-01-04"]
CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
ingest: {{workers: 16}}
credentials: {keys}
vendors:
  alpaca: {{base_url: "{url}", %s}}
"""


class Mock(mock_vendors.MockVendors):
    @property
    def url(self):
        return self.http


def world(vendor, more):
    return ingest_test.World(vendor.start(), CONFIG % more)


def chunks(d):
    assert d.stop() == 0
    db = sqlite3.connect(os.path.join(d.dir, "history.db"))
    names = dict(db.execute("SELECT id, symbol FROM series"))
    rows = {(names[i >> 20], i & 0xfffff): data for i, data in db.execute("SELECT id, data FROM chunk")}
    db.close()
    return rows


def job_of(d, symbols, code=0):
    path = ingest_test.file_in(d, "many.txt", "\n".join(symbols))
    return d.fetch("--text", path, *RANGE, code=code)


def names():
    good = [f"M{i:03d}" for i in range(SYMBOLS)]
    return good, good[:10] + [f"ZZ{i}" for i in range(5)] + good[10:]


def a_rude_vendor_changes_neither_rows_nor_reasons(d):
    good, asked = names()
    polite = world(Mock(), "requests: 0")
    try:
        polite.start()
        assert job_of(polite, good)["successful"] == SYMBOLS
        want = chunks(polite)
    finally:
        polite.remove()
    job = job_of(d, asked, code=1)
    assert (job["successful"], job["failed"]) == (SYMBOLS, 5), job
    assert sorted(i["symbol"] for i in job["items"]) == [f"ZZ{i}" for i in range(5)], job
    assert all("no data available" in i["reason"] for i in job["items"]), job
    seen = d.vendor.report()["clients"][0]
    print(f"# {SYMBOLS} symbols, {seen['requests']} requests {seen['statuses']}: {job['elapsed_ms']} ms")
    assert chunks(d) == want
    assert seen["statuses"].get(429) and seen["statuses"].get(500), seen


def errors_and_cut_bodies_cost_no_more_than_their_requests(d):
    good, asked = names()
    quick = world(Mock(latency_ms=LATENCY, p500=0.01, ptruncate=0.005), f"requests: 0, in_flight: {AT_ONCE}")
    try:
        quick.start()
        job = job_of(quick, asked, code=1)
        requests = quick.vendor.report()["clients"][0]["requests"]
        ratio = job["elapsed_ms"] / (requests * LATENCY / AT_ONCE)
        print(f"# {requests} requests, {job['elapsed_ms']} ms: {ratio:.2f} of the ideal")
        assert job["successful"] == SYMBOLS and ratio < (1.15 if SYMBOLS >= 500 else 6), job
    finally:
        quick.remove()


def the_vendors_rate_is_kept_on_its_own_clock(d):
    good, _ = names()
    slow = world(Mock(rate=(40, 1.0)), "requests: 40, per: 1s, burst: 5")
    try:
        slow.start()
        assert job_of(slow, good)["successful"] == SYMBOLS
        seen = slow.vendor.report()["clients"][0]
        print(f"# {seen['requests']} requests, at most {seen['most_in_window']} in a second")
        assert seen["violations"] == 0 and seen["most_in_window"] <= 40, seen
    finally:
        slow.remove()


def rude():
    return world(Mock(latency_ms=LATENCY, p429=0.02, p500=0.01, ptruncate=0.005, wait_429="0"),
                 f"requests: 0, in_flight: {AT_ONCE}")


if __name__ == "__main__":
    sys.exit(tb.tap([a_rude_vendor_changes_neither_rows_nor_reasons,
                     errors_and_cut_bodies_cost_no_more_than_their_requests,
                     the_vendors_rate_is_kept_on_its_own_clock], rude))
