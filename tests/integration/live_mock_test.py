"""Three vendors' streams at once, cut at random bytes: Alpaca, Polygon, Databento.

The vendors are tests/mock's, whose market is a function of time: what every stream should
have brought is known, and each of it must be in the log once.

usage: live_mock_test.py TICKBUSD [SEED]
"""
import collections
import json
import os
import random
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "mock")]
from mock_vendors import MockVendors
from tickbusd import Tickbusd, frame_blocks

SYMBOLS = ["AAPL", "MSFT"]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(10 ** 6)
SOURCES = ["alpaca", "polygon", "databento"]
MS = 10 ** 6
ENV = {f"TICKBUS_{n}": "db-0123456789abcdef0123456789abcdef"[:32] for n in
       ("ALPACA_KEY", "ALPACA_SECRET", "POLYGON_KEY", "DATABENTO_KEY")}

CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
vendors:
  alpaca: {{base_url: "{http}", stream_url: "{ws}/v2/iex", feed: iex, requests: 0}}
  polygon: {{base_url: "{http}", stream_url: "{ws}/stocks", requests: 0}}
  databento: {{base_url: "{http}", stream_url: "{tcp}", dataset: XNAS.ITCH}}
feeds:
"""
FEED = """  {0}: {{vendor: {0}, symbols: [AAPL, MSFT], mute: 3s, redial_max: 1s, refill_overlap: 2s, refill_delay: 500ms}}
"""


def sources(d):
    return {r["source"]: r for r in d.admin("sources")["result"]["sources"]}


def until(what, d, seconds, why):
    end = time.monotonic() + 4 * seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.1)
    raise AssertionError(f"{why}: {json.dumps(sources(d))} {d.admin('gaps')['result']} {d.errors()[-1500:]}")


def log_of(d):
    """Per source id and symbol: its trades by millisecond."""
    counts = collections.defaultdict(collections.Counter)
    for f in d.frames(["tick"]):
        for b in frame_blocks(f):
            event_ns, = struct.unpack_from("<q", b, 16)
            source, = struct.unpack_from("<H", b, 108)
            symbol = b[112:144].rstrip(b"\0").decode()
            counts[(source, symbol)][event_ns // MS] += 1
    return counts


def is_whole(d, names):
    s, g = sources(d), d.admin("gaps")["result"]
    return all(s.get(n, {}).get("state") == "live" for n in names) and g["open"] + g["lost"] == 0


def compare(d, mock, first_ns, end_ns):
    ids = {n: r["id"] for n, r in sources(d).items()}
    log = log_of(d)
    for name in SOURCES:
        for symbol in SYMBOLS:
            wanted = collections.Counter(t[0] // MS for t in
                                         mock.market.ticks("trades", symbol, first_ns, end_ns))
            got = log[(ids[name], symbol)]
            wrong = {ms: (n, got[ms]) for ms, n in wanted.items() if got[ms] != n}
            assert len(wanted) > 50, f"{name} {symbol}: only {len(wanted)}"
            assert not wrong, f"seed {SEED}: {name} {symbol}: {len(wrong)} of {len(wanted)} wrong: {list(wrong.items())[:5]}"
            double = [ms for ms, n in got.items() if n > 1 and n > wanted[ms] and first_ns <= ms * MS < end_ns]
            assert not double, f"seed {SEED}: {name} {symbol}: twice: {double[:5]}"


def every_vendor_is_refilled_after_cuts_and_kills(kills):
    mock = MockVendors(seed=SEED, ticks_per_s=20).start()
    d = Tickbusd(sys.argv[1], clock="wall", durability="normal",
                 more=CONFIG.format(http=mock.http, ws=mock.ws, tcp=mock.databento_live)
                 + "".join(FEED.format(n) for n in SOURCES))
    try:
        d.start(env=ENV)
        until(lambda: is_whole(d, SOURCES), d, 20, "not live")
        first_ns = time.time_ns() + 10 ** 9
        mock.fates.cut = (500, 12000)
        d.kill()  # the present connections have no cut
        for _ in range(kills):
            d.start(env=ENV)
            time.sleep(random.uniform(3, 5))
            d.kill()
        d.start(env=ENV)
        time.sleep(6)
        mock.fates.cut = None
        until(lambda: is_whole(d, SOURCES), d, 60, "it does not become whole")
        end_ns = time.time_ns()
        time.sleep(2)
        compare(d, mock, first_ns, end_ns)
        assert mock.fates.cuts > 3, f"only {mock.fates.cuts} cuts"
    finally:
        d.remove()
        mock.stop()


def main():
    print(f"1..1\n# seed {SEED}", flush=True)
    random.seed(SEED)
    try:
        every_vendor_is_refilled_after_cuts_and_kills(2)
        print("ok 1 - every_vendor_is_refilled_after_cuts_and_kills", flush=True)
        return 0
    except Exception as e:
        print("not ok 1 - every_vendor_is_refilled_after_cuts_and_kills", flush=True)
        print(f"{type(e).__name__}: {str(e)[:4000]}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
