#!/usr/bin/env python3
"""DBN against a second reader, row by row.  usage: dbn_oracle.py DBN_RUN

Files of our own making always; where the recorded data is at hand, every file of it
against the counts and times its README gives.  Each file is exported as CSV as well,
which must give the same rows.  Prints TAP.
"""
import ast
import datetime
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dbn_python as dbn  # noqa: E402

RUN = sys.argv[1]
SEED = int(os.environ.get("TICKBUS_SEED", "20201228"))
SHARED = os.environ.get("TICKBUS_SHARED", os.path.join(os.environ.get("MESON_SOURCE_ROOT", "."), "../shared"))
MASK = 2 ** 64 - 1
BOOKS = (0x01, 0x0A, 0xB1, 0xC0, 0xC1, 0xC2, 0xC3, 0xC4)
TIMED = (0xC0, 0xC1, 0xC3, 0xC4)   # the event is when it was received
JOINED = (0xB1, 0xC0, 0xC1, 0xC2)  # no sequence
STEPS = {0x20: 1, 0x21: 60, 0x22: 3600, 0x23: 86400}
NAMES = {"trades(mbp-0)": 0x00, "mbp-1/tbbo": 0x01, "mbp-10": 0x0A, "status": 0x12, "definition": 0x13,
         "imbalance": 0x14, "error": 0x15, "symbol_mapping": 0x16, "system": 0x17, "statistics": 0x18,
         "ohlcv-1s": 0x20, "ohlcv-1m": 0x21, "ohlcv-1h": 0x22, "ohlcv-1d": 0x23, "mbo": 0xA0, "bbo-1s": 0xC3,
         "bbo-1m": 0xC4}
SYMBOL = re.compile(r"[A-Z0-9._:/=%-]{1,32}$")
results = []


def check(name, ok, why=""):
    results.append(ok)
    print(("ok " if ok else "not ok ") + f"{len(results)} - {name}" + (f" # {why}" if not ok else ""))


def mix(x):
    """SplitMix64's finaliser."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


class Rows:
    """What our reader should print, from the second reader's records."""

    def __init__(self, meta):
        self.names = meta["names"] if meta else {}
        self.live, self.ordinals, self.out = {}, {}, []

    def name(self, r, ns):
        if r["instrument_id"] in self.live:
            return self.live[r["instrument_id"]]
        day = dbn.day_of(ns)
        found = [(first, n) for first, after, n in self.names.get(r["instrument_id"], []) if first <= day < after]
        return max(found, key=lambda f: f[0])[1] if found else None

    def identity(self, r, kind, seq, event):
        key = (r["publisher_id"], r["instrument_id"], kind)
        last, n = self.ordinals.get(key, ((None, None), 0))
        n = min(n + 1, 255) if last == (seq, event) else 0
        self.ordinals[key] = ((seq, event), n)
        return seq << 32 | (mix(event ^ r["publisher_id"] << 47) & 0xFFFFFF) << 8 | n

    def tick(self, r, kind, seq, values, flags=0, at_receipt=False):
        recv, event = (None if v > dbn.UNDEF_PRICE else v for v in (r["ts_recv"], r["ts_event"]))
        recv = event if recv is None else recv
        event = recv if at_receipt or event is None else event
        if event is None:
            self.out.append("bad it has no time")
            return
        name = self.name(r, recv)
        if name is None or not SYMBOL.match(name):
            self.out.append("bad name")
            return
        number = self.identity(r, kind, recv & 0xFFFFFFFF if seq is None else seq, event)
        if flags == 0 and values[0] is values[2] is values[3] is None:
            return
        numbers = ["-" if v is None else str(v) for v in (event, recv, *values)]
        self.out.append(f"tick {name} {' '.join(numbers)} {number} {flags}")

    def add(self, r):
        price = lambda k: None if r[k] == dbn.UNDEF_PRICE else r[k]  # noqa: E731
        size = lambda k: None if r[k] == dbn.UNDEF_SIZE else r[k] * 10 ** 8  # noqa: E731
        kind = r["rtype"]
        if kind == 0x16:
            self.live[r["instrument_id"]] = r["in"] if r["out"] == "" or r["out"].isdigit() else r["out"]
        elif kind == 0x00 or (kind == 0xA0 and r["action"] == b"T"):
            p = price("price")
            self.tick(r, 0, r["sequence"], (p, size("size"), None, None, None, None))
        elif kind in BOOKS:
            bid, ask, p, s = price("bid_px"), price("ask_px"), None, None
            if kind not in TIMED and r["action"] == b"T":
                p = price("price")
                s = None if p is None else size("size")
            self.tick(r, 1, None if kind in JOINED else r["sequence"],
                      (p, s, bid, ask, None if bid is None else size("bid_sz"), None if ask is None else size("ask_sz")),
                      at_receipt=kind in TIMED)
        elif kind == 0x12 and r["action"] in (7, 8, 9, 10):
            self.tick(r, 2, None, (None,) * 6, flags=16 if r["action"] == 7 else 8)
        elif kind in STEPS:
            self.bar(r, price)

    def bar(self, r, price):
        values = [price(k) for k in ("open", "high", "low", "close")]
        if r["ts_event"] > dbn.UNDEF_PRICE:
            self.out.append("bad it has no time")
        elif None not in values and self.name(r, r["ts_event"]) is None:
            self.out.append("bad name")
        elif None not in values:
            volume = "-" if r["volume"] == MASK else r["volume"] * 10 ** 8
            self.out.append(f"bar {STEPS[r['rtype']]} {self.name(r, r['ts_event'])} {r['ts_event']} "
                            f"{' '.join(map(str, values))} {volume}")


def ours(*args):
    """(rows, meta, counts, error) that our reader prints."""
    run = subprocess.run([RUN, *args], capture_output=True, text=True, timeout=240, check=True)
    rows, meta, counts, error = [], None, {}, None
    for line in run.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "meta":
            meta = rest.split(" ")
        elif word == "count":
            counts[int(rest.split()[0])] = int(rest.split()[1])
        elif word == "end":
            error = rest if rest.split()[0] != "0" else None
        elif word == "bad":
            rows.append("bad it has no time" if rest.endswith("it has no time") else "bad name")
        elif word != "message":
            rows.append(line)
    return rows, meta, counts, error


def export(recs, rows_of, pretty, path):
    """The rows of one kind as Databento's CSV, each with its symbol."""
    layout = dbn.LAYOUT[recs[0]["rtype"]]
    columns = ["ts_event", "rtype", "publisher_id", "instrument_id"] + [n for n, _ in layout]

    def field(r, n, kind):
        v = r[n]
        if isinstance(v, bytes):
            return v.decode("latin-1").strip("\0")
        if kind == "q":
            whole, part = divmod(abs(v), 10 ** 9)
            return "" if v == dbn.UNDEF_PRICE else f"{'-' * (v < 0)}{whole}.{part:09}" if pretty else str(v)
        undefined = {"Q": dbn.UNDEF_TIME, "I": dbn.UNDEF_SIZE}.get(kind)
        return "" if v == undefined else str(v)

    kinds = {"ts_event": "Q", **dict(layout)}
    with open(path, "w", encoding="ascii", newline="") as f:
        heads = [c + ("_00" if c in ("bid_px", "ask_px", "bid_sz", "ask_sz", "bid_ct", "ask_ct") else "")
                 for c in columns]
        f.write(",".join(heads + ["symbol"]) + "\n")
        for r in recs:
            ns = r.get("ts_recv", r["ts_event"])
            ns = r["ts_event"] if ns > dbn.UNDEF_PRICE else ns
            name = rows_of.name(r, ns) if ns <= dbn.UNDEF_PRICE else ""
            f.write(",".join([field(r, c, kinds.get(c)) for c in columns] + [name or ""]) + "\n")


def compare(name, path, expected=None):
    """One file: our rows against the second reader's, and as CSV."""
    meta, recs = dbn.read(path)
    want, counts = Rows(meta), {}
    for r in recs:
        want.add(r)
        counts[r["rtype"]] = counts.get(r["rtype"], 0) + 1
    rows, said, counted, error = ours(*(["--fragment"] if meta is None else []), path)
    ok = error is None and rows == want.out and counted == counts
    why = error or next((f"{a!r} but {b!r}" for a, b in zip(rows, want.out) if a != b),
                        f"{len(rows)} rows for {len(want.out)}, {counted} for {counts}")
    if meta:
        ok = ok and said == [str(meta["version"]), meta["schema"], meta["dataset"]]
    if expected:
        ok = ok and expected(meta, recs, counts)
    check(name, ok, why)
    if len(counts) == 1 and recs[0]["rtype"] in dbn.LAYOUT and meta:
        for pretty in (False, True):
            with tempfile.NamedTemporaryFile(suffix=".csv") as f:
                export(recs, want, pretty, f.name)
                again, _, _, error = ours("--csv", f.name)
            check(f"{name} as CSV{', pretty' if pretty else ''}", error is None and again == rows, error or "rows differ")
    return len(rows)


# ---- files of our own ----

def random_file(rng, version, kind, ts_out):
    t = 1609146312576690768
    names = [("NVDA", 20201228, 20201229, 6155), ("BRK.B", 20201228, 20210101, 38), ("X:Y/Z-1", 20201229, 20201230, 6155)]
    out, length = [dbn.write_metadata(version, "mixed", names, ts_out)], {0x0A: 368, 0x12: 40}.get(kind)
    for _ in range(60):
        t += rng.choice((0, 0, 1, 10 ** 9, 3600 * 10 ** 9))
        v = {}
        for n, f in dbn.LAYOUT[kind]:
            if f == "q":
                v[n] = rng.choice((rng.randrange(-10 ** 12, 10 ** 15), 10 ** 9, dbn.UNDEF_PRICE, -1))
            elif f == "I":
                v[n] = rng.choice((rng.randrange(2 ** 32), 7, dbn.UNDEF_SIZE))
            elif f == "c":
                v[n] = rng.choice((b"T", b"T", b"A", b"N"))
            elif f == "H":
                v[n] = rng.randrange(12)
        v["sequence"] = rng.choice((5, 6))
        v["ts_recv"] = rng.choice((t + 1000, t + 1000, dbn.UNDEF_TIME))
        v["volume"] = rng.choice((0, 1, 9 * 10 ** 10, MASK))
        size = length or 16 + sum({"q": 8, "Q": 8, "I": 4, "i": 4, "H": 2}.get(f, 1) for _, f in dbn.LAYOUT[kind])
        event = dbn.UNDEF_TIME if rng.random() < 0.05 else t
        out.append(dbn.write_record(kind, rng.choice((1, 2)), rng.choice((6155, 38, 38, 99)), event, v, size,
                                    t + 5 if ts_out else None))
    return b"".join(out)


def own_files():
    rng = random.Random(SEED)
    print(f"# seed {SEED}")
    rows = 0
    with tempfile.TemporaryDirectory() as d:
        for kind in dbn.LAYOUT:
            for version in (1, 2, 3):
                path = os.path.join(d, "own.dbn")
                data = random_file(rng, version, kind, rng.random() < 0.5)
                with open(path, "wb") as f:
                    f.write(dbn.pack(data[:500]) + dbn.pack(data[500:]) if rng.random() < 0.5 else data)
                rows += compare(f"own, kind 0x{kind:02x}, version {version}", path)
    check(f"the files of our own had {rows} rows", rows > 1000)


# ---- the recorded ones ----

def table():
    """(file, rows, first, last, counts) of each line of the README's table."""
    with open(os.path.join(SHARED, "data", "README.md"), encoding="utf-8") as f:
        part = f.read().split("\n## dbn:")[1].split("\n## ")[0]
    for line in part.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 7 and ".dbn" in cells[0]:
            yield cells[0], cells[2], cells[3], cells[4], cells[5]


def iso(ns):
    return "UNDEF" if ns == dbn.UNDEF_TIME else datetime.datetime.fromtimestamp(
        ns // 10 ** 9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_the_table_says(n_rows, first, last, words):
    def test(meta, recs, counts):
        if meta is None:
            return set(counts) == {0x13}
        said = ast.literal_eval(re.search(r"\{.*\}", words).group(0))
        ok = (counts == {NAMES[k]: n for k, n in said.items()} and len(recs) == int(n_rows) and
              f"version {meta['version']}, schema {meta['schema']}," in words)
        # Its times are of the event in some files, of receipt in others.
        said = [{iso(r["ts_event"]), iso(r.get("ts_recv", r["ts_event"]))} for r in (recs[:1] + recs[-1:])]
        return ok and (not recs or (first in said[0] and last in said[1]))
    return test


def recorded_files():
    root = os.path.join(SHARED, "data", "dbn")
    if not os.path.isdir(root):
        print(f"# {root} is not there: nothing to hold against")
        return
    n, files = 0, sum(len(names) for _, _, names in os.walk(root))
    for name, n_rows, first, last, words in table():
        compare(name, os.path.join(root, name), as_the_table_says(n_rows, first, last, words))
        n += 1
    check(f"all {n} recorded files were read", n == files, f"there are {files}")


def main():
    own_files()
    recorded_files()
    print(f"1..{len(results)}")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
