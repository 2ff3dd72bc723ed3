#!/usr/bin/env python3
"""A daemon with the live feeds of three vendors at once, all of them the mock, which cuts
them off at random bytes and then goes mute: streams_test.py TICKBUSD TICKBUSCTL [SEED]

Every slot of the mock's market has one trade and one quote, so the log must hold an
unbroken row of slots of each symbol, each slot once, with the market's own prices: what a
stream missed came from the vendor's history.  Prints TAP.
"""
import collections
import os
import pathlib
import random
import struct
import subprocess
import sys
import time

import askerlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
from tickbusd import Tickbusd, frame_blocks  # noqa: E402  (found by the line above)

BINARY, CTL = sys.argv[1], sys.argv[2]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 and sys.argv[3] else random.randrange(10 ** 6)
NULL = -(2 ** 63)
KEYS = {"TICKBUS_ALPACA_KEY": askerlib.KEY, "TICKBUS_ALPACA_SECRET": askerlib.SECRET,
        "TICKBUS_POLYGON_KEY": askerlib.KEY, "TICKBUS_DATABENTO_KEY": askerlib.KEY}
# Whose ticks they are follows from the symbol.
SYMBOLS = {"alpaca": ("AAPL", "BRK.B"), "polygon": ("MSFT", "F"), "databento": ("IBM", "KO")}
FEED = "  {0}-live: {{{{vendor: {0}, symbols: [{1}, {2}], quotes: true, mute: 1s, redial_max: 1s, " \
       "refill_overlap: 2s, refill_delay: 500ms}}}}\n"
CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
vendors:
  alpaca: {{base_url: "{http}", stream_url: "{ws}/v2/iex", feed: iex, requests: 0}}
  polygon: {{base_url: "{http}", stream_url: "{ws}/stocks", requests: 0}}
  databento: {{base_url: "{http}", stream_url: "{databento_live}", dataset: XNAS.ITCH, requests: 0}}
feeds:
""" + "".join(FEED.format(v, *s) for v, s in SYMBOLS.items())


class World:
    def __init__(self):
        self.mock = askerlib.MockVendors(seed=SEED, ticks_per_s=20, p500=0.02,
                                         stream_cut=(500, 30000)).start()
        self.daemon = Tickbusd(BINARY, clock="wall", durability="normal",
                               more=CONFIG.format(**self.mock.addresses()))

    def close(self):
        self.daemon.remove()
        self.mock.stop()

    def sources(self):
        rows = self.daemon.admin("sources")["result"]["sources"]
        return {r["source"]: r for r in rows if r["source"].endswith("-live")}

    def until(self, what, seconds, why):
        end = time.monotonic() + 4 * seconds
        while not what():
            if time.monotonic() > end:
                raise AssertionError(f"{why}: {self.sources()} {self.daemon.admin('gaps')} "
                                     f"{self.daemon.errors()[-1500:]}")
            time.sleep(0.1)

    def is_whole(self):
        gaps = self.daemon.admin("gaps")["result"]
        rows = self.sources().values()
        return gaps["open"] + gaps["lost"] == 0 and len(rows) == len(SYMBOLS) and \
            all(r["state"] == "live" for r in rows)

    def refilled(self):
        return {name: row["refilled"] for name, row in self.sources().items()}

    def log(self):
        """{(symbol, kind): {slot: [(price or bid, ask)]}}"""
        out = collections.defaultdict(lambda: collections.defaultdict(list))
        vendor_of = {s: v for v, symbols in SYMBOLS.items() for s in symbols}
        for frame in self.daemon.frames(["tick"]):
            for b in frame_blocks(frame):
                event_ns, _, price, _, bid, ask = struct.unpack_from("<6q", b, 16)
                seq, = struct.unpack_from("<Q", b, 80)
                symbol = b[112:144].rstrip(b"\0").decode()
                kind = "quotes" if price == NULL else "trades"
                k = self.slot(vendor_of[symbol], kind, event_ns, seq)
                out[symbol, kind][k].append((bid, ask) if price == NULL else (price,))
        return out

    def slot(self, vendor, kind, event_ns, seq):
        if vendor == "databento":
            near = event_ns // self.mock.market.slot_ns
            return near - (near - (seq >> 32) + 2 ** 31) % 2 ** 32 + 2 ** 31
        if kind == "quotes" and vendor == "alpaca":
            return event_ns // self.mock.market.slot_ns
        return seq & (1 << 51) - 1

    def compare(self):
        notes, log = [], self.log()
        for vendor, symbols in SYMBOLS.items():
            n = 0
            for symbol in symbols:
                for kind in ("trades", "quotes"):
                    n += self.compare_one(symbol, kind, log[symbol, kind])
            notes.append(f"{vendor}: {n} ticks, none missing, none twice")
        return notes

    def compare_one(self, symbol, kind, slots):
        assert len(slots) > 100, f"{symbol}: {len(slots)} {kind}"
        first, last = min(slots), max(slots)
        missing = [k for k in range(first, last + 1) if k not in slots]
        double = [(k, v) for k, v in slots.items() if len(v) > 1]
        assert not missing, f"{symbol}: {len(missing)} {kind} missing: {missing[:5]} of {first}-{last}"
        assert not double, f"{symbol}: {len(double)} {kind} twice: {double[:3]}"
        for k, (value,) in slots.items():
            t = getattr(self.mock.market, kind[:-1])(symbol, k)
            want = (t[2],) if kind == "trades" else (t[2], t[3])
            assert value == tuple(x * 10 ** 7 for x in want), (symbol, kind, k, value, want)
        return len(slots)

    def gaps_say_nothing(self):
        done = subprocess.run([CTL, "--admin", os.path.join(self.daemon.dir, "admin.sock"), "gaps"],
                              capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def cut_and_mute(world):
    mock, fates = world.mock, world.mock.fates
    world.daemon.start(env=KEYS)
    world.until(lambda: fates.cuts > 12, 60, "too few connections were cut")
    after_cuts = fates.cuts
    fates.cut, fates.mute_after = None, 1.0
    world.until(lambda: all(r["mutes"] for r in world.sources().values()), 30,
                "nobody noticed that nothing came")
    fates.mute_after = None
    time.sleep(1)
    world.until(world.is_whole, 60, "it does not become whole")
    world.gaps_say_nothing()
    refilled = world.refilled()
    assert all(refilled.values()), refilled
    mock.market.clock_ns = lambda until=time.time_ns(): until  # the market closes
    time.sleep(1.5)
    errors = world.daemon.errors()
    assert askerlib.KEY not in errors and askerlib.SECRET not in errors, "a key was logged"
    return [f"seed {SEED}: {after_cuts} cuts, {fates.opened} connections, refilled: {refilled}",
            *world.compare()]


def main():
    tap, world = askerlib.Tap(), World()
    try:
        tap.run(cut_and_mute, world)
    finally:
        world.close()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
