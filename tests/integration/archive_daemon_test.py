#!/usr/bin/env python3
"""The daemon's side of the archive: archive_daemon_test.py TICKBUSD TICKBUSCTL [TICKBUS_ARCHIVE [KILLS]]

Ticks of two UTC days go in; what the archive then holds is held against catch-up.  The
helper is killed at random moments, and the daemon too; or it is absent, hangs, raves.
Prints TAP.
"""
import csv
import json
import os
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tickbusd import SECOND, Tickbusd, sbe_reply, sbe_ticks  # noqa: E402

DAEMON, CTL = sys.argv[1], sys.argv[2]
EXE = sys.argv[3] if len(sys.argv) > 3 else ""
KILLS = int(sys.argv[4]) if len(sys.argv) > 4 else 4
SEED = int(os.environ.get("SEED", random.randrange(10 ** 6)))
DAY = 86400 * SECOND
MIDNIGHT = 1_704_153_600 * SECOND  # 2024-01-02T00:00:00Z
SYMBOLS = ["AAPL", "BTC/USD", "BRK.B"]
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def conf(program, **more):
    keys = {"every": "200ms", "after": "5m", "limit": "20s", "memory": "128MiB", "threads": 1, **more}
    return (f"archive: {{program: {program}, " + ", ".join(f"{k}: {v}" for k, v in keys.items()) + "}\n"
            "defaults: {timeframes: [1m, 5m]}\n")


def day_of_ticks(r, start, minutes):
    """(symbol, event_ns, price, size, seq); each minute a tick of each symbol, mostly."""
    for m in range(minutes):
        for i, s in enumerate(SYMBOLS):
            if r.random() < 0.9:
                yield (s, start + m * 60 * SECOND + i * SECOND, (100 + i) * SECOND + r.randrange(10 ** 8) * 10,
                       100 * 10 ** 8, 0)
        yield ("", start + m * 60 * SECOND + 59 * SECOND, 0, 0, 0)


def all_ticks():
    """The last half hour of one day, the first of the next, and a clock far into the third."""
    r = random.Random(SEED)
    out = list(day_of_ticks(r, MIDNIGHT + DAY - 1800 * SECOND, 30))
    out += list(day_of_ticks(r, MIDNIGHT + DAY, 30))
    return out


def send(d, ticks, first_seq):
    s = d.ingest()
    seq = first_seq
    for at in range(0, len(ticks), 200):
        part = ticks[at:at + 200]
        got = sbe_reply(s.ask(sbe_ticks("p", "sim", seq, part)))
        assert got["status"] == 0 and got["rejected"] == 0, got
        seq += len(part)
    s.close()
    return seq


def admin(d, cmd, **more):
    got = d.admin(cmd, **more)
    assert got["ok"], got
    return got["result"]


def status(d):
    return admin(d, "archive_status")


def wait(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def ctl(d, *args):
    return subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120)


def sql(path, text):
    out = subprocess.run([EXE, "--archive", path, "query", "--format", "csv", "--rows", "1000000", text],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    assert out.returncode == 0, out.stderr
    return [tuple(r) for r in csv.reader(out.stdout.splitlines())][1:]


# What is compared of each kind: every column of every row.
VIEWS = ("bars_1m", "bars_5m", "ticks", "features", "matrices")


def content(path):
    return {v: sql(path, f"SELECT * FROM {v} ORDER BY ALL") for v in VIEWS}


def archive_of_catchup(d, path):
    """An archive nobody disturbed, made of what catch-up gives, in one put."""
    bulk = b"".join(struct.pack("<I", len(f)) + f for f in d.frames(["tick", "bar", "tier1", "tier2"]))
    doc = json.dumps({"do": "put_frames", "sources": {"1": "sim"}}).encode()
    p = subprocess.run([EXE, "--archive", path, "serve"], stdout=subprocess.PIPE, timeout=120,
                       input=struct.pack("<II", len(doc), len(bulk)) + doc + bulk)
    answer = json.loads(p.stdout[8:])
    assert answer["ok"], answer
    return content(path)


def check_against_catchup(d):
    admin(d, "archive_flush")
    got = content(d.archive)
    want = archive_of_catchup(d, os.path.join(d.dir, "undisturbed"))
    for v in VIEWS:
        assert got[v] == want[v], (v, len(got[v]), len(want[v]), sorted(set(got[v]) ^ set(want[v]))[:4])
    for v in VIEWS[:4]:
        assert len(got[v]) > 50, (v, len(got[v]))
    return got


def run_with(f, program, **more):
    tmp = tempfile.mkdtemp(prefix="archive-daemon-test-")
    d = Tickbusd(DAEMON, more=conf(program, dir=os.path.join(tmp, "archive"), **more))
    d.archive = os.path.join(tmp, "archive")
    try:
        return f(d.start())
    except BaseException:
        print(f"# the daemon's log:\n# {d.errors()[-3000:]}".replace("\n", "\n# "))
        raise
    finally:
        d.remove()
        shutil.rmtree(tmp)


def needs_program(f):
    def run():
        return run_with(f, EXE) if EXE else "tickbus-archive was not built: not tested"
    run.__name__ = f.__name__
    return run


LATE = MIDNIGHT + 2 * DAY + 600 * SECOND  # the third day has begun


def close_days(d, seq):
    """The clock alone closes no day: a tick must say that it is over, too."""
    send(d, [("", LATE, 0, 0, 0)], seq)
    wait(lambda: status(d)["position"] >= seq)
    send(d, [("LATE", LATE, SECOND, SECOND, 0)], seq + 1)


def has_handed_over(d):
    return status(d)["rows_reached"] > len(all_ticks())


@test
@needs_program
def closed_days_go_over_by_themselves_and_a_flush_brings_the_rest(d):
    ticks = all_ticks()
    seq = send(d, ticks, 1)
    close_days(d, seq)
    wait(lambda: has_handed_over(d))
    closed = sql(d.archive, "SELECT symbol FROM ticks WHERE symbol <> 'LATE'")
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


@test
@needs_program
def whoever_is_killed_whenever_the_archive_is_the_same_in_the_end(d):
    r = random.Random(SEED)
    ticks = all_ticks()
    seq, cut = 1, max(1, len(ticks) // (KILLS + 1))
    for i in range(KILLS + 1):
        part = ticks[seq - 1:] if i == KILLS else ticks[seq - 1:seq - 1 + cut]
        seq = send(d, part, seq)
        if i == KILLS:
            break
        asker = subprocess.Popen([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "archive", "flush"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(r.random() * 0.4)
        if i % 2 == 0:
            pid = status(d)["helper"]
            if pid:
                os.kill(pid, signal.SIGKILL)
        else:
            d.kill()
        asker.wait(60)
        if d.process.poll() is not None:
            d.start()
    close_days(d, seq)
    wait(lambda: has_handed_over(d))
    check_against_catchup(d)
    assert ctl(d, "archive", "verify").returncode == 0


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
            close_days(d, seq)
            for script in (HANGS, RAVES, DIES):
                become(script)
                before = status(d)["deaths"]
                wait(lambda: status(d)["deaths"] >= before + 2 and status(d)["why"] != "")
                began = time.monotonic()
                assert len(d.all_ticks()) == sum(1 for t in ticks if t[0]) + 1
                assert time.monotonic() - began < 5
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
            wait(lambda: has_handed_over(d))
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
