#!/usr/bin/env python3
"""Years of minute bars: archive_scale.py SIM_MINUTES [TICKBUS_ARCHIVE [DAYS [SEED]]]

Bars of five symbols of the simulated exchange are written, verified, exported and queried, and what comes out is held
against numpy; with the seconds, the bytes and the helper's memory of each step.  Then they are written again in pieces
of any order, some twice, on a disk that is full at random moments: each put that fails says so, the archive verifies,
and in the end its files are those of the first.  Prints TAP.
"""
import contextlib
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
import threading
import time

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import faultlib  # noqa: E402

MAKE, EXE = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
DAYS = int(sys.argv[3]) if len(sys.argv) > 3 else 3652
SEED = sys.argv[4] if len(sys.argv) > 4 and sys.argv[4] else str(random.randrange(1 << 30))
SYMBOLS, PIECE = 5, 100_000
BAR = np.dtype([(k, "<i8") for k in ("start", "open", "high", "low", "close", "volume", "vwap", "trades")])


class Helper:
    def __init__(self, where, before=None):
        self.process = subprocess.Popen([EXE, "--archive", where, "serve"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, preexec_fn=before)

    def ask(self, doc, bulk=b""):
        text = json.dumps(doc).encode()
        self.process.stdin.write(struct.pack("<II", len(text), len(bulk)) + text + bulk)
        self.process.stdin.flush()
        return json.loads(self.process.stdout.read(struct.unpack("<II", self.process.stdout.read(8))[0]))

    def put(self, symbol, bars):
        return self.ask({"do": "put_bars", "source": "sim", "feed": "sim", "symbol": symbol, "adjust": "raw",
                         "step_s": 60}, bars.tobytes())

    def peak_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))

    def end(self):
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.process.stdout.close()


def good(answer):
    assert answer["ok"], answer
    return answer


@contextlib.contextmanager
def told(what):
    """Seconds of a step; what is added to the list is said with it."""
    said, begin = [], time.perf_counter()
    yield said
    seconds = time.perf_counter() - begin
    print(f"# {what}: {seconds:.2f} s" + "".join(f", {s(seconds) if callable(s) else s}" for s in said), flush=True)


def rate(n):
    return lambda seconds: f"{n / seconds / 1000:.0f} k rows/s"


def files_of(where):
    out = {}
    for folder, _, names in os.walk(os.path.join(where, "equities_1min")):
        for name in names:
            if name == "data.parquet":
                with open(os.path.join(folder, name), "rb") as f:
                    out[os.path.relpath(folder, where)] = hashlib.sha256(f.read()).hexdigest()
    return out


def run(where, *args):
    """Its output; seconds and the most memory of a process of its own are said."""
    with told(args[0]) as said:
        p = subprocess.Popen([EXE, "--archive", where, *args], stdout=subprocess.PIPE, text=True)
        out = p.stdout.read()
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = status
        said.append(f"{usage.ru_maxrss / 1024:.0f} MiB")
    assert status == 0, (args, status)
    return out


def writes_verifies_exports_and_answers(where, bars):
    total = sum(len(b) for b in bars.values())
    with told(f"write {total} bars of {len(bars)} symbols") as said:
        h = Helper(where)
        added = sum(good(h.put(s, b[i:i + PIECE]))["added"] for s, b in bars.items() for i in range(0, len(b), PIECE))
        said += [rate(total), f"{h.peak_mib():.0f} MiB"]
    assert added == total, (added, total)
    state = good(h.ask({"do": "status"}))
    h.end()
    assert state["rows"] == total, state
    print(f"# {state['files']} files, {state['bytes']} bytes, {state['bytes'] / total:.2f} a bar", flush=True)
    assert run(where, "verify").endswith(" 0 bad\n")
    out = os.path.join(where, "..", "wide.parquet")
    run(where, "export", "--symbols", ",".join(bars), "--fields", "close,volume", "--format", "parquet", "--limit", "10m",
        "--out", out)
    h = Helper(where)
    sql = "SELECT symbol, count(*), sum(trade_count)::BIGINT, min(epoch_ns(bar_start)), max(epoch_ns(bar_start)), " \
          "max(high), min(low) FROM bars_1m GROUP BY symbol ORDER BY symbol"
    with told("query, a row per symbol"):
        good(h.ask({"do": "query", "sql": sql, "out": out + ".csv", "limit": "10m"}))
    with told("query of one month of one symbol"):
        good(h.ask({"do": "query", "sql": "SELECT count(*) FROM bars_1m WHERE symbol = 'S0000' AND year = 2014 AND month = 2",
                    "out": out + ".one"}))
    with open(out + ".csv", encoding="ascii") as f:
        got = [line.strip().split(",") for line in f][1:]
    for row, (symbol, b) in zip(got, sorted(bars.items()), strict=True):
        want = (symbol, len(b), b["trades"].sum(), b["start"].min(), b["start"].max(), b["high"].max() / 1e9, b["low"].min() / 1e9)
        assert (row[0], *map(int, row[1:5]), *map(float, row[5:])) == want, (row, want)
    wide = "SELECT count(*), " + ", ".join(f"count({s}_close), sum(({s}_volume * 1e8)::HUGEINT)::VARCHAR" for s in bars) + \
           f" FROM read_parquet('{where}/wide.parquet')"
    os.rename(out, os.path.join(where, "wide.parquet"))
    good(h.ask({"do": "query", "sql": wide, "out": out + ".csv", "limit": "10m"}))
    h.end()
    with open(out + ".csv", encoding="ascii") as f:
        got = f.read().splitlines()[1].split(",")
    want = [len(np.unique(np.concatenate([b["start"] for b in bars.values()])))]
    for b in bars.values():
        want += [len(b), int(b["volume"].sum())]
    assert list(map(int, got)) == want, (got, want)


class Filler(threading.Thread):
    """Fills the disk now and then: of what is long under way, more seldom, or nothing would ever end."""

    def __init__(self, place, r):
        super().__init__(daemon=True)
        self.path, self.r, self.over, self.times = os.path.join(place, "filler"), r, threading.Event(), 0

    def run(self):
        while not self.over.wait(self.r.random() * (0.5 if DAYS < 366 else 6)):
            self.times += 1
            with open(self.path, "wb", buffering=0) as f, contextlib.suppress(OSError):
                while f.write(bytes(1 << 20)):
                    pass
            self.over.wait(self.r.random() * 0.25)
            os.unlink(self.path)


def nothing_is_lost_on_a_disk_that_is_full_now_and_then(place, bars, want):
    where, r, full = os.path.join(place, "a"), random.Random(SEED), 0
    pieces = [(s, b[i:i + PIECE // 2]) for s, b in bars.items() for i in range(0, len(b), PIECE // 2)]
    pieces += r.sample(pieces, len(pieces) // 5)
    r.shuffle(pieces)
    filler = Filler(place, r)
    h = Helper(where)
    filler.start()
    with told(f"{len(pieces)} puts while the disk fills"):
        while pieces:
            answer = h.put(*pieces[-1])
            if answer["ok"]:
                pieces.pop()
            else:
                full += 1
                assert "space" in answer["error"] or "not write" in answer["error"], answer
                r.shuffle(pieces)
    filler.over.set()
    filler.join()
    state = good(h.ask({"do": "verify"}))
    assert state["bad"] == 0, state
    h.end()
    assert files_of(where) == want, "the files differ"
    print(f"# the disk was full {filler.times} times, {full} puts failed", flush=True)


def limited(place, bars, want):
    """Without the right to mount: files may be no larger than a random size."""
    where, r, full = os.path.join(place, "a"), random.Random(SEED), 0
    for symbol, b in bars.items():
        for i in range(0, len(b), PIECE):
            for size in (r.randrange(1000, 200000), resource.RLIM_INFINITY):
                def bound(size=size):
                    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
                h = Helper(where, bound)
                answer = h.put(symbol, b[i:i + PIECE])
                h.end()
                full += not answer["ok"]
                assert answer["ok"] or size != resource.RLIM_INFINITY, answer
    assert files_of(where) == want, "the files differ"
    print(f"# {full} puts failed", flush=True)


def years():
    top = tempfile.mkdtemp(prefix="archive-scale-")
    try:
        os.mkdir(os.path.join(top, "bars"))
        with told(f"simulate {DAYS} days"):
            subprocess.run([MAKE, os.path.join(top, "bars"), str(SYMBOLS), str(DAYS), str(int(SEED) % 1000)], check=True)
        bars = {n[:-5]: np.fromfile(os.path.join(top, "bars", n), BAR) for n in sorted(os.listdir(os.path.join(top, "bars")))}
        assert len(bars) == SYMBOLS and all((np.diff(b["start"]) > 0).all() for b in bars.values())
        where = os.path.join(top, "a")
        writes_verifies_exports_and_answers(where, bars)
        want = files_of(where)
        size = sum(os.path.getsize(os.path.join(where, f, "data.parquet")) for f in want)
        with faultlib.tmpfs(f"size={size // 2 * 3 // 1024 + 65536}k") as place:
            if place:
                nothing_is_lost_on_a_disk_that_is_full_now_and_then(place, bars, want)
            else:
                limited(os.path.join(top, "small"), bars, want)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def main():
    print("1..1", flush=True)
    if not EXE:
        print("ok 1 - tickbus-archive is absent: not tested; tools/setup-archive fetches what it needs")
        return 0
    print(f"# seed {SEED}", flush=True)
    years()
    print("ok 1 - years_of_minutes_are_written_read_and_survive_a_full_disk", flush=True)
    return 0


sys.exit(main())
