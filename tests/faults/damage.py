#!/usr/bin/env python3
"""Bent files under the whole daemon: damage.py TICKBUSD [ROUNDS [SEED]]

A state directory as a kill -9 leaves it (database, write-ahead log, high-water file) is
copied; one file is flipped, zeroed or cut at a random place, or a bit of a state snapshot
inside of the database; a daemon is started on it.  The answer is one of

    same       everything is there
    refused    exit code 65, or catch-up refuses what it cannot read whole
    reported   a loss, in the status with its range, under a new epoch

and never a record or derived event other than what was written, never a crash, never
silence.
"""
import collections
import os
import random
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402

FILES = ("tickbus.db", "tickbus.db-wal", "highwater", "snapshot")
KINDS = ("bar", "tier1", "status")
SYMBOLS = ("A", "B", "C")
RECORDS = 3000
MORE = ("defaults: {timeframes: [1s], price_types: [last]}\n"
        "tier1: {ready_bars: 5, norm_window: 20}\n"
        "universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}\n"
        "limits: {ring_slots: 4096, outbox: 1MiB, broadcast: 1MiB, catchup: 256KiB}\n"
        "publisher: {json: false}\n")


def record(q):
    return (SYMBOLS[q % 3], tb.START + q * 20_000_000, 10 ** 11 + q * 10 ** 6, q * 10 ** 6, q)


def fill(d, first, last):
    s = d.ingest()
    while first <= last:
        n = min(100, last + 1 - first)
        reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", first, [record(q) for q in range(first, first + n)])))
        assert reply["accepted"] == n, reply
        first += n
    s.close()


def settled(d):
    return d.counter("tickbus_dispatch_lag_records") == 0 and d.counter("tickbus_derived_pending_events") == 0


def read_kind(d, kind):
    """What catch-up holds of a kind; None when it refuses."""
    try:
        return d.matrices() if kind == "tier2" else d.events(kind)
    except ValueError:
        return None


def prepare(binary):
    """The images of a killed and of a stopped daemon, and what both would answer."""
    d = faultlib.Daemon(binary, more=MORE,
                        edit=lambda text: text.replace("ballast: 0B", "ballast: 0B, snapshot: 600")).start()
    fill(d, 1, RECORDS // 2)
    faultlib.until("half derived", lambda: settled(d))
    assert d.stop() == 0  # half of it is in the database ...
    d.start()
    fill(d, RECORDS // 2 + 1, RECORDS)
    faultlib.until("derived", lambda: settled(d))
    truth = {k: read_kind(d, k) for k in KINDS + ("tier2",)}
    truth["ticks"] = [t[2] for t in d.all_ticks()]
    truth["last_pos"] = d.status()["store"]["last_pos"]
    assert len(truth["ticks"]) == RECORDS and truth["bar"] and truth["tier1"] and truth["tier2"]
    d.kill()  # ... and half in the write-ahead log
    image = read_image(d)
    assert len(image["tickbus.db-wal"]) > 100_000
    d.start()
    faultlib.until("derived again", lambda: settled(d))
    assert d.stop() == 0  # everything in the database, the last two snapshots too
    return d, image, read_image(d), truth


def read_image(d):
    image = {}
    for name in FILES[:3]:
        path = os.path.join(d.dir, name)
        image[name] = b""
        if os.path.exists(path):
            with open(path, "rb") as f:
                image[name] = f.read()
    return image


def snapshot_parts(image):
    """The bytes of the state snapshots, as SQLite reads them from the image."""
    with tempfile.TemporaryDirectory() as path:
        for name in FILES[:2]:
            with open(os.path.join(path, name), "wb") as f:
                f.write(image[name])
        db = sqlite3.connect(os.path.join(path, "tickbus.db"))
        parts = [row[0] for row in db.execute("SELECT data FROM snapshot_part")]
        db.close()
    assert len(parts) > 1 and all(len(p) > 64 for p in parts), "no snapshots"
    return parts


def bend_snapshot(image, parts, rng):
    """The database with one bit of a snapshot flipped (the write-ahead log has checksums of its own)."""
    for _ in range(1000):
        part = rng.choice(parts)
        at = rng.randrange(len(part) - 32)
        piece = part[at:at + 32]
        bent = bytearray(piece)
        bent[rng.randrange(32)] ^= 1 << rng.randrange(8)
        # Not split by a page, and not everywhere.
        if len(set(piece)) > 8 and piece in image["tickbus.db"]:
            return {"tickbus.db": image["tickbus.db"].replace(piece, bytes(bent))}, f"snapshot byte {at}"
    raise AssertionError("no byte of a snapshot is found in the database")


def bend(data, rng):
    data = bytearray(data)
    # Half of the blows go where the trees' roots and heads are.
    span = len(data) if rng.random() < 0.5 else len(data) // 8 + 1
    at = rng.randrange(span)
    way = rng.choice(("flip", "flip", "flip", "zero", "cut"))
    if way == "flip":
        data[at] ^= 1 << rng.randrange(8)
    elif way == "zero":
        data[at:at + 512] = bytes(len(data[at:at + 512]))
    else:
        del data[at:]
    return bytes(data), f"{way} at {at}"


def lay(d, image):
    for name, data in image.items():
        with open(os.path.join(d.dir, name), "wb") as f:
            f.write(data)
    open(os.path.join(d.dir, "log"), "w").close()


def start(d):
    """True when it serves; False when it refused."""
    d.start(wait=False)
    try:
        d.wait_ready(30)
        return True
    except RuntimeError:
        code = d.process.poll()
        assert code == 65, f"ended with {code}: {d.errors()[-1500:]}"
        assert "error:" in d.errors(), "refused without a sentence"
        return False


def check_ticks(d, truth):
    """None: refused in part; else how many of the acknowledged are there."""
    try:
        ticks = d.all_ticks()
    except ValueError:
        return None
    for pos, symbol, source_seq, _ in ticks:
        assert symbol == record(source_seq)[0], "a wrong record"
    sequences = [t[2] for t in ticks]
    assert sequences == truth["ticks"][:len(sequences)], "not the beginning of what was sent"
    return len(sequences)


def check_derived(d, truth, held):
    """What is given out of a kind has the bytes of the truth; True when all is there."""
    whole = True
    for kind in KINDS + ("tier2",):
        got = read_kind(d, kind)
        if got is None:
            whole = False
            continue
        n = min(len(got), len(truth[kind]))
        assert got[:n] == truth[kind][:n] or held < RECORDS, f"a wrong {kind}"
        whole = whole and len(got) >= len(truth[kind])
    return whole


def judge(d, truth):
    if not start(d):
        return "refused"
    held = check_ticks(d, truth)
    store = d.status()["store"]
    if held is None:
        outcome = "refused when read"
    elif held < RECORDS:
        assert store["alarm"], f"{RECORDS - held} records are gone in silence"
        assert store["lost_first"] == held + 2, store  # the configuration's record is the first
        assert store["lost_last"] == truth["last_pos"], store
        assert d.status()["epoch"] == 2
        outcome = "reported"
    else:
        faultlib.until("derived again", lambda: settled(d))
        outcome = "same" if check_derived(d, truth, held) else "refused when read"
    # It lives, and takes what comes next, unless it has seen the damage meanwhile.
    if d.process.poll() is None:
        s = d.ingest()
        again = tb.sbe_reply(s.ask(tb.sbe_ticks("q", "test", 1, [record(RECORDS + 1)])))
        s.close()
        assert again["status"] == 0 and again["accepted"] == 1, again
    return outcome


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
    if faultlib.SLOW:
        rounds = min(rounds, 15)
    print(f"damage: seed {seed}, {rounds} rounds", flush=True)
    rng = random.Random(seed)
    d, image, stopped, truth = prepare(sys.argv[1])
    parts = snapshot_parts(stopped)
    count = collections.Counter()
    for n in range(rounds):
        name = FILES[n % len(FILES)]
        if name == "snapshot":
            bent, what = bend_snapshot(stopped, parts, rng)
            lay(d, {**stopped, **bent})
        else:
            one, what = bend(image[name], rng)
            lay(d, {**image, name: one})
        try:
            outcome = judge(d, truth)
            if name == "snapshot":  # no loss at all, and said
                assert outcome in ("same", "refused"), outcome
                outcome += ", passed over" if "snapshot" in d.errors() else ", not the one that was loaded"
            count[(name, outcome)] += 1
        except Exception:
            print(f"damage: FAILED with seed {seed}, round {n}: {name}, {what}\n{d.errors()[-3000:]}", file=sys.stderr)
            raise
        finally:
            if d.process.poll() is None:
                d.kill()
    d.remove()
    for name in FILES:
        print(f"damage: {name}: " + ", ".join(f"{k} {v}" for (f, k), v in sorted(count.items()) if f == name))
    assert count[("snapshot", "same, passed over")] > 0, "no damaged snapshot was loaded"
    bad = sum(v for (_, k), v in count.items() if k != "same")
    assert bad > rounds // 10, "hardly anything was noticed: the blows missed"
    print(f"damage: {rounds} blows, never a wrong row, never a crash")


if __name__ == "__main__":
    main()
