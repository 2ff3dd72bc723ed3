#!/usr/bin/env python3
"""The daemon's side of the archive: archive_daemon_test.py TICKBUSD TICKBUSCTL [TICKBUS_ARCHIVE [KILLS]]

Ticks of some UTC days go in, and a vendor's bars; what the archive then holds is held
against catch-up, the vendor and a run that nobody disturbed.  The helper is killed at
random moments, and the daemon too, and the disk is full; or it is absent, hangs, raves.
Prints TAP.
"""
import csv
import json
import os
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "faults")]
import fakevendor  # noqa: E402
import faultlib  # noqa: E402
from archiveparts import (CTL, DAY, EXE, FETCHED, FETCHED_DAYS, MIDNIGHT, MINUTE, SEED, VIEWS, admin, all_ticks,  # noqa: E402
                          check_against_catchup, close_days, ctl, ingest_words, metric, needs_program, run_with, send, sql,
                          status, wait, with_vendor)
from tickbusd import SECOND  # noqa: E402

KILLS = int(sys.argv[4]) if len(sys.argv) > 4 else 4
TESTS = []


def test(f):
    TESTS.append(f)
    return f


@test
@needs_program
def closed_days_go_over_by_themselves_and_a_flush_brings_the_rest(d):
    ticks = all_ticks()
    seq = send(d, ticks, 1)
    close_days(d, seq)
    closed = sql(d.archive, "SELECT symbol FROM ticks")
    assert len(closed) == sum(1 for t in ticks if t[0]), len(closed)
    check_against_catchup(d)
    out = ctl(d, "archive", "status")
    assert out.returncode == 0 and "rows" in out.stdout, out
    assert admin(d, "archive_verify")["bad"] == 0
    assert ctl(d, "archive", "verify").returncode == 0
    assert ctl(d, "archive", "flush").returncode == 0
    assert ctl(d, "archive", "dance").returncode == 64
    pid = status(d)["helper"]
    assert pid > 0 and d.stop() == 0
    assert not os.path.exists(f"/proc/{pid}"), "the helper outlived the daemon"


def background(d, words):
    return subprocess.Popen([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *words], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def fill_disk(r, place):
    """All of it, or all but a little; the file that does it."""
    path = os.path.join(place, "filler")
    with open(path, "wb", buffering=0) as f:
        try:
            while f.write(bytes(1 << 16)):
                pass
        except OSError:
            pass
        f.truncate(max(0, f.tell() - r.choice([0, 4096, 20000, 200000])))
    return path


def disturb(r, d, place, words):
    """What goes on while somebody dies; True: the disk was full."""
    doing = [background(d, ingest_words(*sorted(r.sample(range(FETCHED_DAYS + 1), 2)))) if r.random() < 0.5 else None,
             background(d, ["archive", "flush"]) if r.random() < 0.7 else None]
    reader = subprocess.Popen([EXE, "--archive", d.archive, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    filler = fill_disk(r, place) if place and r.random() < 0.25 else None
    time.sleep(r.random() * 0.4)
    if r.random() < 0.5:
        pid = status(d)["helper"]
        if pid:
            os.kill(pid, signal.SIGKILL)
        time.sleep(r.random() * 0.1)
    else:
        d.kill()
    if filler:
        os.unlink(filler)
    said = reader.communicate(timeout=120)[1]
    # A full disk has no room for what a question keeps on it, either.
    assert reader.returncode in ((0, 66, 74) if filler else (0, 66)), (reader.returncode, said)
    if d.process.poll() is not None:
        d.start()
    for p in doing:
        if p:
            p.wait(120)
    return filler is not None


def finish(d, ticks, seq, days):
    """Everything that was to come; what the archive has then, but when ticks were received."""
    send(d, ticks[seq - 1:], seq)
    out = ctl(d, *ingest_words(0, FETCHED_DAYS))
    assert out.returncode == 0, out
    close_days(d, len(ticks) + 1, days)
    admin(d, "archive_flush")
    assert ctl(d, "archive", "verify").returncode == 0
    return {v: sql(d.archive, f"SELECT * {'EXCLUDE (received)' if v in ('ticks', 'news') else ''} FROM {v} ORDER BY ALL")
            for v in VIEWS}


def check_vendors_bars(d):
    got = sql(d.archive, "SELECT symbol, epoch_ns(bar_start) // 1000000000, open, high, low, close, volume FROM bars_1m "
                         "WHERE source = 'alpaca' ORDER BY ALL")
    want = []
    for symbol in sorted(FETCHED):
        for s in range(MIDNIGHT // SECOND, MIDNIGHT // SECOND + FETCHED_DAYS * 86400, 60):
            b = fakevendor.bar(symbol, s)
            want.append((symbol, s, *(float(b[k]) for k in "ohlcv")))
    assert [(r[0], int(r[1]), *map(float, r[2:])) for r in got] == want, (len(got), len(want))


def killed(r, place, ticks, days, said):
    def run(d):
        seq, full = 1, 0
        for i in range(KILLS):
            again = r.randrange(max(1, seq - 40), seq + 1)
            until = len(ticks) * (i + 1) // (KILLS + 1)
            send(d, ticks[again - 1:until], again)  # some of it twice
            seq = until + 1
            full += disturb(r, d, place, r.choice([
                ["export", "--symbols", "V1,AAPL", "--timeframe", "1m", "--align", "outer", "--format", "csv"],
                ["query", "SELECT count(*), sum(close) FROM bars_1m"], ["verify"]]))
        got = finish(d, ticks, seq, days)
        check_against_catchup(d)
        check_vendors_bars(d)
        said.append(f"{KILLS} kills, {full} times the disk was full, {sum(map(len, got.values()))} rows")
        return got
    return run


@test
def whoever_is_killed_whenever_the_archive_is_the_same_in_the_end():
    if not EXE:
        return "tickbus-archive was not built: not tested"
    r, days, said = random.Random(SEED), 1 + KILLS // 20, []
    ticks = all_ticks(days)
    with faultlib.tmpfs("size=160m") as place:
        got = with_vendor(killed(r, place, ticks, days, said), place)
    want = with_vendor(lambda d: finish(d, ticks, 1, days))
    for v in VIEWS:
        assert got[v] == want[v], (v, len(got[v]), len(want[v]), sorted(set(got[v]) ^ set(want[v]))[:4])
    return said[0]


@test
def of_a_vendors_series_the_months_go_over_again_that_changed():
    if not EXE:
        return "tickbus-archive was not built: not tested"

    def fetched(d, first, last):
        out = ctl(d, "ingest", "V1", "--start", first, "--end", last)
        assert out.returncode == 0, out
        admin(d, "archive_flush")
        return metric(d, "tickbus_archive_told_bars_total") / 1440

    def look(d):
        admin(d, "archive_flush")  # the first round is over: none looks at half of what is fetched
        assert (n := fetched(d, "2024-01-30", "2024-02-02")) == 3, n
        assert d.stop() == 0
        d.start()
        assert fetched(d, "2024-01-30", "2024-02-02") == 0
        assert fetched(d, "2024-02-02", "2024-02-03") == 2  # of February
        shutil.rmtree(os.path.join(d.archive, ".told"))
        assert fetched(d, "2024-02-03", "2024-02-04") == 2 + 5  # nothing is known: all of it
        assert sql(d.archive, "SELECT count(*) FROM bars_1m") == [(str(5 * 1440),)]
    return with_vendor(look, every="1h")


@test
def actions_and_metadata_go_over_and_adjust_what_is_read():
    if not EXE:
        return "tickbus-archive was not built: not tested"

    def look(d):
        assert ctl(d, "ingest", "V1", "--start", "2024-01-30", "--end", "2024-02-02").returncode == 0
        assert d.stop() == 0
        # As a vendor's answer would be kept: kinds 1 split, 2 dividend, 4 a change of name.
        with sqlite3.connect(os.path.join(d.dir, "history.db")) as db:
            db.executemany("INSERT INTO action VALUES (?,?,?,?,?,?,?,?,?)",
                           [("alpaca", "V1", 1, 20240131, "", "", 3 * 10 ** 9, 2 * 10 ** 9, -2 ** 63),
                            ("alpaca", "V1", 2, 20240201, "", "USD", -2 ** 63, -2 ** 63, 125 * 10 ** 6),
                            ("alpaca", "V1", 4, 20240201, "V9", "", -2 ** 63, -2 ** 63, -2 ** 63),
                            ("yahoo", "V1", 1, 20240130, "", "", 3 * 10 ** 9, 2 * 10 ** 9, -2 ** 63),
                            ("alpaca", "V3", 1, 20240131, "", "", 10 ** 9, 10 ** 10, -2 ** 63)])
        db.close()
        d.start()
        admin(d, "archive_flush")
        for symbol, lines in (("V1", ["2024-01-31,split,3/2,UTC", "2024-02-01,dividend,0.125,UTC"]),
                              ("V3", ["2024-01-31,split,1/10,America/New_York"])):
            with open(os.path.join(d.archive, f"metadata/actions/{symbol}.csv"), encoding="ascii") as f:
                assert (got := f.read().splitlines()[1:]) == lines, got
        assert sql(d.archive, "SELECT lot, sector FROM symbols WHERE symbol = $$V1$$") == [("100", "Made up")]
        last = "SELECT close FROM bars_1m WHERE symbol = $$V1$$ ORDER BY bar_start"
        raw = float(sql(d.archive, last)[0][0])
        out = subprocess.run([EXE, "--archive", d.archive, "export", "--symbols", "V1", "--start", "2024-01-30", "--end", "2024-01-31",
                              "--adjust", "split", "--format", "csv", "-o", os.path.join(d.dir, "x.csv")], capture_output=True, text=True, timeout=240)
        assert out.returncode == 0, out
        with open(os.path.join(d.dir, "x.csv"), encoding="ascii") as f:
            first = next(csv.DictReader(f))
        assert abs(float(first["V1_close"]) * 1.5 - raw) < 1e-9, (first, raw)
    return with_vendor(look, every="1h")


def rows_of_manifests(path, kind):
    """What the closed files of a kind hold, by their manifests."""
    total = 0
    for folder, _, names in os.walk(path):
        if "_manifest.json" in names and os.path.relpath(folder, path).startswith(kind):
            with open(os.path.join(folder, "_manifest.json"), encoding="ascii") as f:
                total += json.load(f)["now"]["rows"]
    return total


@test
def what_is_too_old_goes_and_nothing_that_was_not_closed():
    if not EXE:
        return "tickbus-archive was not built: not tested"

    def look(d):
        ticks = all_ticks()
        send(d, ticks, 1)  # the second day is open
        old = sum(1 for t in ticks if t[0] and t[1] < MIDNIGHT + DAY)
        wait(lambda: metric(d, "tickbus_archive_retired_rows_total") > 0)
        assert metric(d, "tickbus_archive_retired_rows_total") == old
        for _ in range(2):
            admin(d, "archive_flush")
            left = sql(d.archive, "SELECT count(*), min(epoch_ns(timestamp)) FROM ticks")[0]
            assert int(left[0]) == sum(1 for t in ticks if t[0]) - old and int(left[1]) >= MIDNIGHT + DAY, left
            assert int(sql(d.archive, f"SELECT count(*) FROM bars_1m WHERE epoch_ns(bar_start) < {MIDNIGHT + DAY}")[0][0]) > 50
            for kind, folder in (("bars", "equities_"), ("features", "features_"), ("ticks", "ticks"), ("news", "news")):
                wait(lambda k=kind, f=folder: metric(d, f'tickbus_archive_rows{{kind="{k}"}}') ==
                     rows_of_manifests(d.archive, f), 20)
            wait(lambda: metric(d, 'tickbus_archive_bytes{kind="events"}') > 0)  # counted now and then
            assert metric(d, "tickbus_archive_helper_running") == 1 and metric(d, "tickbus_archive_helper_deaths_total") == 0
            now = status(d)
            assert metric(d, "tickbus_archive_lag_positions") == now["position"] + 1 - now["rows_reached"]
            assert abs(metric(d, "tickbus_archive_last_handover_timestamp_seconds") - time.time()) < 60
            with open(f"/proc/{status(d)['helper']}/limits", encoding="ascii") as f:
                assert faultlib.SLOW or str(2 * (128 << 20) + (4 << 30)) in f.read(), "the helper's memory has no bound"
            assert d.stop() == 0
            d.start()
            wait(lambda: status(d)["handovers"] > 1)
    return run_with(look, EXE, retain_ticks="1s", retain_features="3650d")


@test
def without_the_program_everything_else_works():
    def look(d):
        ticks = all_ticks()
        send(d, ticks, 1)
        assert len(d.all_ticks()) == sum(1 for t in ticks if t[0])
        wait(lambda: "tickbus-archive" in status(d)["why"] or "nowhere" in status(d)["why"])
        assert not d.admin("archive_flush")["ok"]
        assert ctl(d, "archive", "verify").returncode == 1
        assert status(d)["helper"] == 0 and status(d)["rows_reached"] <= 1
        assert d.stop() == 0
    run_with(look, "/nowhere/tickbus-archive")


HANGS = "import time\ntime.sleep(1000)\n"
RAVES = "import sys, time\nprint('no frame at all', flush=True)\ntime.sleep(1000)\n"
DIES = "import sys\nsys.exit('I cannot go on')\n"


@test
def a_helper_that_hangs_raves_or_dies_harms_nobody_and_a_sound_one_makes_it_good():
    with tempfile.TemporaryDirectory() as tmp:
        program = os.path.join(tmp, "helper")

        def become(script):
            with open(program + ".new", "w", encoding="ascii") as f:
                f.write("#!/usr/bin/python3\n" + script)
            os.chmod(program + ".new", stat.S_IRWXU)
            os.replace(program + ".new", program)

        def look(d):
            ticks = all_ticks()
            seq = send(d, ticks, 1)
            send(d, [("", MIDNIGHT + 2 * DAY + 10 * MINUTE, 0, 0, 0)], seq)
            for script in (HANGS, RAVES, DIES):
                become(script)
                before = status(d)["deaths"]
                wait(lambda: status(d)["deaths"] >= before + 2 and status(d)["why"] != "")
                began = time.monotonic()
                assert len(d.all_ticks()) == sum(1 for t in ticks if t[0])
                assert time.monotonic() - began < 20
                assert status(d)["rows_reached"] <= 1
            if not EXE:
                return "tickbus-archive was not built: only the bad ones were tested"
            os.symlink(os.path.abspath(EXE), program + ".new")
            os.replace(program + ".new", program)
            assert d.stop() == 0  # a second is too little for a sound one on a busy machine
            with open(d.config, encoding="ascii") as f:
                text = f.read()
            with open(d.config, "w", encoding="ascii") as f:
                f.write(text.replace("limit: 1s", "limit: 60s"))
            d.start()
            wait(lambda: status(d)["rows_reached"] > seq)
            check_against_catchup(d)
            return None
        become(HANGS)
        return run_with(look, program, limit="1s")


def main():
    print(f"# SEED={SEED}", flush=True)
    bad = 0
    for i, t in enumerate(TESTS, 1):
        try:
            note = t()
            print(f"ok {i} - {t.__name__}" + (f" # {note}" if note else ""), flush=True)
        except Exception:
            traceback.print_exc()
            print(f"not ok {i} - {t.__name__}", flush=True)
            bad = 1
    print(f"1..{len(TESTS)}")
    return bad


sys.exit(main())
