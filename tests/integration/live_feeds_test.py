"""A daemon with live feeds, a vendor that misbehaves, and the log afterwards.

usage: live_feeds_test.py TICKBUSD TICKBUSCTL [SEED]
"""
import collections
import concurrent.futures
import json
import os
import random
import shutil
import ssl
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from feedparts import FeedWorld
from livevendor import KEY, SECRET, LiveVendor, frame, key_of
from tickbusd import Listener, Tickbusd, frame_blocks

SYMBOLS = ["AAPL", "BRK.B", "MSFT"]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 6)
ENV = {"TICKBUS_ALPACA_KEY": KEY, "TICKBUS_ALPACA_SECRET": SECRET,
       "TICKBUS_OTHER_KEY": KEY, "TICKBUS_OTHER_SECRET": SECRET}

CONFIG = """
bars: {{source_timeout: 1s}}
fetch: {{plain_http: true, private_addresses: true, ca_file: {ca}}}
defaults: {{timeframes: [1s]}}
vendors:
  alpaca: {{base_url: "http{s}://127.0.0.1:{a}", stream_url: "ws{s}://127.0.0.1:{a}/v2/iex", feed: iex, requests: 1000, per: 1s}}
  other: {{adapter: alpaca, base_url: "http{s}://127.0.0.1:{b}", stream_url: "ws{s}://127.0.0.1:{b}/v2/iex", requests: 1000, per: 1s}}
feeds:
  iex: {{vendor: alpaca, symbols: [AAPL, BRK.B, MSFT], quotes: true, mute: 1s, redial_max: 1s, refill_overlap: 2s, refill_delay: 500ms}}
{more}
"""
OTHER = "  other: {vendor: other, symbols: [TSLA], mute: 1s, redial_max: 1s, refill_overlap: 2s, refill_delay: 500ms}"


class World(FeedWorld):
    FEED = "iex"

    def __init__(self, more="", rate=200, tls=(None, None), ca=None):
        self.vendor = LiveVendor(SYMBOLS, SEED, rate, tls=tls[0])
        self.other = LiveVendor(["TSLA"], SEED + 1, rate, tls=tls[1])
        self.d = Tickbusd(sys.argv[1], clock="wall", durability="normal",
                          more=CONFIG.format(a=self.vendor.port, b=self.other.port, more=more,
                                             s="s" if ca else "", ca=ca or "off"))

    def start(self):
        self.d.start(env=ENV)

    def listen(self, kind):
        """A Listener, once the socket takes it."""
        made = []
        self.until(lambda: made.append(Listener(self.d, kind)) or made, 10, f"{kind} does not answer")
        return made[0]

    def ctl(self, *args):
        r = subprocess.run([sys.argv[2], "--admin", os.path.join(self.d.dir, "admin.sock"), *args],
                           capture_output=True, text=True, check=False)
        return r.returncode, r.stdout

    def gaps(self):
        return self.d.admin("gaps")["result"]

    def log(self, symbols=SYMBOLS):
        """How often the log holds each tick, keyed as key_of() does."""
        counts = collections.Counter()
        for f in self.d.frames(["tick"]):
            for b in frame_blocks(f):
                event_ns, = struct.unpack_from("<q", b, 16)
                price, = struct.unpack_from("<q", b, 32)
                seq, = struct.unpack_from("<Q", b, 80)
                symbol = b[112:144].rstrip(b"\0").decode()
                if symbol in symbols:
                    counts[(symbol, None if price == -2 ** 63 else seq & (1 << 51) - 1, event_ns)] += 1
        return counts

    def compare(self, vendor=None, symbols=SYMBOLS):
        """Every tick since the stream first flowed is in the log as often as in the market."""
        vendor = vendor or self.vendor
        market = collections.Counter(map(key_of, vendor.snapshot()))
        log = self.log(symbols)
        first = vendor.first_flow_ns
        missing = [(k, n, log[k]) for k, n in market.items() if k[2] >= first and log[k] < n]
        double = [(k, n, market[k]) for k, n in log.items() if n > market[k]]
        assert len(log) > 100, f"only {len(log)} ticks came"
        assert not missing, f"seed {SEED}: {len(missing)} missing: {missing[:5]}"
        assert not double, f"seed {SEED}: {len(double)} too often: {double[:5]}"

    def close(self):
        self.d.remove()
        self.vendor.close()
        self.other.close()


def cuts_at_any_byte_leave_no_hole():
    w = World()
    try:
        w.vendor.cut = lambda: w.vendor.rng.randrange(200, 12000)
        w.vendor.history_fails = 0.1
        w.start()
        w.until(lambda: w.vendor.dials > 5, 30, "it does not dial again")
        w.vendor.cut = None  # the connections that there are may be cut once more
        w.settle()
        w.compare()
        # The market stands still by now: on a slow machine the feed was mute once more, and is dialled again.
        w.until(lambda: w.ctl("gaps")[0] == 0, 20, "a hole stays open")
        code, text = w.ctl("gaps", "AAPL", "--all")
        assert code == 0 and "refilled" in text and "live" in text, text
        assert w.ctl("gaps", "NONE")[0] == 1
        w.until(lambda: "iex" in w.ctl("sources")[1] and "live" in w.ctl("sources")[1], 20, "not live again")
        assert w.source()["refilled"] > 0
        w.until(lambda: 'tickbus_live_open_holes{feed="iex"} 0' in w.d.http("/metrics")[1], 20, "a hole stays open")
    finally:
        w.close()


def a_black_hole_is_blind_in_time_and_refilled():
    w = World()
    try:
        w.start()
        w.until(lambda: w.source().get("state") == "live", 10, "not live")
        bars = w.listen("json_bar")
        time.sleep(2)
        w.vendor.silent = True
        begin = time.monotonic()
        w.until(lambda: w.source()["blind"], 5, "not blind")
        took = time.monotonic() - begin
        assert took > 0.5, f"blind after {took:.2f} s; mute is 1 s"
        print(f"# blind after {took:.2f} s; mute is 1 s", flush=True)
        code, text = w.ctl("sources")
        assert code == 1, text
        dials = w.vendor.dials
        w.until(lambda: w.vendor.dials > dials, 5, "not dialled again")
        time.sleep(3)
        # The bars of the dark are blind, not quiet; the refill revises them.
        states = [json.loads(m.partition(b"|")[2])["state"] for m in bars.wait(10, b"bar.")]
        assert "BLIND" in states and "TRADED" in states, states
        w.settle()

        def is_revised():
            got = [json.loads(m.partition(b"|")[2]) for m in bars.wait(10, b"bar.")]
            return any(b["revision"] > 0 and b["state"] == "TRADED" for b in got)

        w.until(is_revised, 10, "no bar of the dark is revised")
        w.compare()
        assert w.source()["mutes"] >= 1, w.source()
    finally:
        w.close()


def a_killed_daemon_refills_where_it_was():
    w = World()
    try:
        w.vendor.cut = lambda: w.vendor.rng.randrange(20000, 60000)
        w.start()
        for _ in range(4):
            time.sleep(w.vendor.rng.uniform(0.7, 3))
            w.d.kill()
            time.sleep(w.vendor.rng.uniform(0, 0.5))
            w.start()
        w.until(lambda: len(w.log()) > 100, 30, "hardly a tick came")
        w.settle()
        w.compare()
        w.vendor.making = True
        assert w.d.stop() == 0
        w.d.start(env=ENV)
        w.settle()
        w.compare()
    finally:
        w.close()


def a_hostile_stream_harms_no_other():
    w = World(more=OTHER)
    rubbish = iter([frame(b"[" * 100000), struct.pack(">BBQ", 0x81, 127, 1 << 40) + b"x" * 200000,
                    b"\xff" * 4000, frame("not json"), frame('[{"T":"t","S":"TSLA","i":1,"x":"V"}]'),
                    b"\xc1\x05hello"])
    try:
        w.other.rubbish = lambda: next(rubbish, frame("[]"))
        w.start()
        w.until(lambda: w.source().get("state") == "live", 10, "not live")
        w.until(lambda: w.other.dials >= 5, 40, "the hostile one is not dialled again")
        assert w.source()["state"] == "live"
        assert w.source()["connections"] == 1, w.source()
        assert w.source("other")["accepted"] == 0, w.source("other")
        w.settle()
        w.compare()
    finally:
        w.close()


def a_refused_key_is_said_and_not_hammered():
    w = World()
    try:
        w.vendor.refuse = True
        w.start()
        w.until(lambda: w.source().get("state") == "failed", 10, "not failed")
        assert "402" in w.source()["why"], w.source()
        time.sleep(3)
        assert w.vendor.dials == 1, f"{w.vendor.dials} connections"
        text = w.d.errors() + json.dumps(w.d.admin("config")) + w.d.http("/metrics")[1]
        assert SECRET not in text and KEY not in text
    finally:
        w.close()


def certificate(folder, name):
    """A key and a certificate for 127.0.0.1 that signs itself; the server's context."""
    path = os.path.join(folder, name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{path}.key",
                    "-out", f"{path}.pem", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{path}.pem", f"{path}.key")
    return context


def a_wrong_certificate_gets_no_key():
    folder = tempfile.mkdtemp(prefix="live-feeds-")
    good, wrong = certificate(folder, "good"), certificate(folder, "wrong")
    w = World(more=OTHER, tls=(good, wrong), ca=os.path.join(folder, "good.pem"))
    try:
        w.vendor.cut = lambda: w.vendor.rng.randrange(3000, 20000)
        w.start()
        w.until(lambda: w.source().get("state") == "live", 10, "not live over TLS")
        w.until(lambda: w.source("other").get("why"), 10, "a wrong certificate is not said")
        w.until(lambda: w.vendor.dials > 2, 10, "not dialled again over TLS")
        assert w.other.dials == 0 and w.other.requests == 0, "something was said to a stranger"
        assert w.source("other")["connections"] == 0, w.source("other")
        assert "certificate is not trusted" in w.source("other")["why"], w.source("other")
        w.settle()
        w.compare()
    finally:
        w.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    tests = [a_wrong_certificate_gets_no_key, cuts_at_any_byte_leave_no_hole, a_black_hole_is_blind_in_time_and_refilled,
             a_killed_daemon_refills_where_it_was, a_hostile_stream_harms_no_other,
             a_refused_key_is_said_and_not_hammered]
    only = sys.argv[4:]
    tests = [f for f in tests if not only or f.__name__ in only]
    failed = 0
    print(f"1..{len(tests)}\n# seed {SEED}", flush=True)
    # They wait more than they work, each with a daemon and vendors of its own.
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        runs = [(f.__name__, pool.submit(f)) for f in tests]
        for i, (name, run) in enumerate(runs, 1):
            e = run.exception()
            failed += e is not None
            print(f"{'not ok' if e else 'ok'} {i} - {name}", flush=True)
            if e:
                print(f"{name}: {type(e).__name__}: {str(e)[:3000]}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
