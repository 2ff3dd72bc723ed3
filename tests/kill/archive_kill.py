#!/usr/bin/env python3
"""The archive's helper killed in whatever it does: archive_kill.py TICKBUSD TICKBUS_ARCHIVE [ROUNDS [SEED]]

A daemon makes events once, of ticks and articles; they, their rows, and bars, are put again and again in ranges that overlap and repeat, while others
export, while the helper is killed, and while its disk is full (a limit on the size of files). After each death the
archive verifies; at the end its files are those of an archive that was filled once, undisturbed, by their hashes.
Prints TAP.
"""
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import faultlib  # noqa: E402
import newsevents  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY, HELPER = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 12
SEED = sys.argv[4] if len(sys.argv) > 4 and sys.argv[4] else str(random.randrange(1 << 30))
N = 12000  # records
BARS = 3 * 20000  # minutes: two months, of three symbols
MINUTE = 60 * 10 ** 9
BEGIN = 1_704_067_200 * 10 ** 9  # January of 2024
DERIVED = """
defaults: {timeframes: [1s], price_types: [last]}
tier1: {ready_bars: 5, norm_window: 20}
bars: {grace: 200ms, revision_window: 10s}
universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}
"""


class Helper:
    """tickbus-archive, asked over its pipes; None is the answer of one that died."""

    def __init__(self, where, file_max=0):
        def limit():
            if file_max:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_max, file_max))
        self.process = subprocess.Popen([HELPER, "--archive", where, "serve"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, preexec_fn=limit if file_max else None)

    def send(self, doc, bulk=b""):
        text = json.dumps(doc).encode()
        try:
            self.process.stdin.write(struct.pack("<II", len(text), len(bulk)) + text + bulk)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def answer(self):
        head = self.process.stdout.read(8)
        if len(head) < 8:
            return None
        n, m = struct.unpack("<II", head)
        text = self.process.stdout.read(n)
        return json.loads(text) if len(text) == n and len(self.process.stdout.read(m)) == m else None

    def ask(self, doc, bulk=b""):
        self.send(doc, bulk)
        return self.answer()

    def end(self, kill=False):
        if kill:
            self.process.kill()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()
        self.process.stdout.close()


def is_derived(d, last):
    now = d.admin("top")["result"]
    return now["position"] == last and now["dispatch_lag"] == 0 and not any(now["lag"].values())


def make_events():
    """By position: the frames of what happened there, each event alone in its own."""
    d = tb.Tickbusd(BINARY, more=DERIVED)
    try:
        d.start()
        for first in range(1, N + 1, 500):
            ticks = []
            for q in range(first, first + 500):
                at = tb.START + q * 5_000_000
                ticks.append(("", at, 0, 0, 0) if q % 200 == 0 else
                             (f"K{q % 5}", at, 10 ** 11 + q * 7919 % 1009 * 10 ** 7, 10 ** 8, q))
            assert tb.feed(d, ticks, first_seq=first)["accepted"] == 500
            at = (tb.START + first * 5_000_000) // tb.SECOND
            articles = [newsevents.article(f"{first} {i}", at, f"Number {i} beats", f"K{i % 5}", "ALL") for i in range(20)]
            assert newsevents.send(d, articles)["accepted"] == 20
        last = d.admin("log_count")["result"]["last_pos"]
        faultlib.until("everything is derived", lambda: is_derived(d, last), 60)
        frames = list(d.frames(["tick", "bar", "tier1", "tier2", "news", "status"]))
    finally:
        d.remove()
    events = {}
    for frame in frames:
        if struct.unpack_from("<H", frame, 2)[0] == 4:
            ones = [(frame, struct.unpack_from("<Q", frame, 48)[0])]
        else:
            blocks = tb.frame_blocks(frame)
            head = frame[:40] + struct.pack("<HH", len(blocks[0]), 1)
            ones = [(head + b, struct.unpack_from("<Q", b, 8)[0]) for b in blocks]
        for one, pos in ones:
            events[pos] = events.get(pos, b"") + struct.pack("<I", len(one)) + one
    return events


def put_events(helper, events, first, last, send=False):
    doc = {"do": "put_past", "log": "5", "epoch": 1, "from_pos": first, "to_pos": last}
    bulk = b"".join(events.get(p, b"") for p in range(first, last + 1))
    return helper.send(doc, bulk) if send else helper.ask(doc, bulk)


def put_rows(helper, events, first, last, send=False):
    """The same as rows of Parquet files."""
    doc = {"do": "put_frames", "sources": {"1": "test", "2": "wire"}}
    bulk = b"".join(events.get(p, b"") for p in range(first, last + 1))
    return helper.send(doc, bulk) if send else helper.ask(doc, bulk)


def put_bars(helper, symbol, first, n, send=False):
    doc = {"do": "put_bars", "source": "alpaca", "feed": "sip", "symbol": f"S{symbol}", "adjust": "raw", "step_s": 60}
    bulk = b"".join(struct.pack("<8q", BEGIN + i * MINUTE, *[10 ** 9 * (100 + (i * 37 + symbol) % 19)] * 4,
                                10 ** 8 * (i % 501), 10 ** 9 * 100, i % 7) for i in range(first, first + n))
    return helper.send(doc, bulk) if send else helper.ask(doc, bulk)


def files_of(where):
    """Hashes of what is data; a manifest of bars tells the file before, so how it came about."""
    out = {}
    for folder, _, names in os.walk(where):
        for name in names:
            path = os.path.join(folder, name)
            if "/.tmp" in path or (name == "_manifest.json" and "/events" not in path):
                continue
            with open(path, "rb") as f:
                out[os.path.relpath(path, where)] = hashlib.sha256(f.read()).hexdigest()
    return out


def good(answer):
    assert answer and answer["ok"], answer
    return answer


def fill(where, events):
    helper = Helper(where)
    good(put_events(helper, events, 1, max(events)))
    good(put_rows(helper, events, 1, max(events)))
    for symbol in range(3):
        good(put_bars(helper, symbol, 0, BARS // 3))
    assert good(helper.ask({"do": "verify"}))["bad"] == 0
    helper.end()


def disturb(rng, where, events, state):
    """One put, and perhaps a death over it."""
    file_max = rng.choice([0, 0, 0, 3000, 40000, 200000])
    helper, reader = Helper(where, file_max), None
    status = helper.ask({"do": "past_status"})
    if not file_max:
        good(status)
    complete = status["complete_pos"] if status and status["ok"] else state["complete"]
    assert complete >= state["complete"], (complete, state)
    if rng.random() < 0.3:
        reader = subprocess.Popen([HELPER, "--archive", where, "export", "--symbols", "S0,S1", "--out",
                                   os.path.join(where, "..", "out.csv")], stderr=subprocess.DEVNULL)
    what = rng.random()
    if what < 0.5:
        first = max(1, complete + 1 - rng.randrange(0, 800))
        last = min(max(events), first + rng.randrange(1, 4000))
        put_events(helper, events, first, last, send=True)
    elif what < 0.7:
        first = rng.randrange(1, max(events))
        put_rows(helper, events, first, min(max(events), first + rng.randrange(1, 4000)), send=True)
    else:
        first = rng.randrange(0, BARS // 3)
        put_bars(helper, rng.randrange(3), first, min(rng.randrange(1, 15000), BARS // 3 - first), send=True)
    if rng.random() < 0.6:
        time.sleep(rng.random() * 0.08)
        helper.end(kill=True)
        state["killed"] += 1
    else:
        got = helper.answer()
        if file_max and got and not got["ok"]:
            assert got["error"], got
            state["full"] += 1
        elif not file_max:
            good(got)
        helper.end()
    if reader:
        assert reader.wait() in (0, 66), reader.returncode
    helper = Helper(where)
    now = good(helper.ask({"do": "verify"}))
    assert now["bad"] == 0, now
    state["complete"] = good(helper.ask({"do": "past_status"}))["complete_pos"]
    helper.end()


def what_was_killed_is_what_was_not():
    rng = random.Random(SEED)
    events = make_events()
    top = tempfile.mkdtemp(prefix="archive-kill-")
    state = {"complete": 0, "killed": 0, "full": 0}
    try:
        still, hit = os.path.join(top, "still"), os.path.join(top, "hit")
        fill(still, events)
        for _ in range(ROUNDS):
            disturb(rng, hit, events, state)
        fill(hit, events)
        assert files_of(hit) == files_of(still), "the files differ"
        left = [n for n in os.listdir(os.path.join(hit, ".tmp")) if n != "lock"]
        assert left == [], left
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return f"{ROUNDS} rounds, {state['killed']} kills, {state['full']} times the disk was full"


def main():
    print("1..1", flush=True)
    if not HELPER:
        print("ok 1 - tickbus-archive is absent, so it is not killed; tools/setup-archive fetches what it needs")
        return 0
    print(f"# seed {SEED}", flush=True)
    said = what_was_killed_is_what_was_not()
    print(f"ok 1 - what_was_killed_is_what_was_not # {said}", flush=True)
    return 0


sys.exit(main())
