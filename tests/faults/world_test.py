#!/usr/bin/env python3
"""Faults of time, configuration, upgrade and surroundings (docs/FAULTS.md, G): world_test.py TICKBUSD [TEST]"""
import contextlib
import glob
import gzip
import os
import random
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402
from faultlib import until  # noqa: E402

BINARY = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))
MORE = "defaults: {timeframes: [1s], price_types: [last]}\ntier1: {ready_bars: 5, norm_window: 20}\n"
test, TESTS = faultlib.collector()
faultlib.traced()


class Nothing:
    """For tests that start their daemons themselves."""

    def start(self):
        pass

    def remove(self):
        pass

    def errors(self):
        return ""


@contextlib.contextmanager
def daemon(**kwargs):
    d = faultlib.Daemon(BINARY, **{"more": MORE, **kwargs})
    try:
        yield d
    except BaseException:
        print(d.errors()[-3000:], file=sys.stderr)
        raise
    finally:
        d.remove()


def send(d, ticks, first=1, producer="p"):
    s = d.ingest()
    reply = tb.sbe_reply(s.ask(tb.sbe_ticks(producer, "test", first, ticks)))
    s.close()
    return reply


def no_bar_twice(d):
    """Sequences rise by one; an interval's revisions rise."""
    seen, bars = {}, d.events("bar")
    for b in bars:
        seq, = struct.unpack_from("<Q", b, 0)
        start, = struct.unpack_from("<q", b, 32)
        symbol = b[160:208]
        assert seq == seen.get(symbol, (0, 0))[0] + 1, "a sequence was left out"
        seen[symbol] = (seq, start)
    return bars


# ---- time ----

@test
def a_wall_clock_that_jumps_loses_and_doubles_nothing(_):
    lib = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not lib or faultlib.SLOW:
        print("# libfaketime is not here, or in the way of a sanitizer: no clock was turned")
        return
    for keep_monotonic in ("1", "0"):
        with daemon(clock="wall") as d:
            turn = os.path.join(d.dir, "time")

            def at(text):
                with open(turn + ".new", "w", encoding="ascii") as f:
                    f.write(text + "\n")
                os.rename(turn + ".new", turn)

            at("+0")
            d.start(env={"LD_PRELOAD": lib[0], "FAKETIME_TIMESTAMP_FILE": turn, "FAKETIME_NO_CACHE": "1",
                         "FAKETIME_DONT_FAKE_MONOTONIC": keep_monotonic})
            seq, acked = 0, 0
            for offset, text in ((0, "+0"), (3600, "+3600s"), (0, "+0"), (-3600, "-3600s"), (7200, "+7200s"), (0, "+0"),
                                 (-1_600_000_000, "-1600000000s"), (0, "+0")):
                at(text)
                time.sleep(0.3 if keep_monotonic == "1" else 0.15)
                now = time.time_ns() + offset * tb.SECOND
                for _ in range(5):
                    seq += 1
                    reply = send(d, [("A", now + seq, 10 ** 11, 10 ** 8, seq)], seq)
                    assert reply["status"] == 0, reply
                    acked += reply["accepted"]
                assert d.process.poll() is None, d.errors()
            assert acked >= 5, acked
            no_bar_twice(d)
            assert d.stop() == 0
            d.start()  # without the false clock
            assert len(d.all_ticks()) == acked
            assert d.status()["epoch"] == 1


@test
def zones_and_locales_of_the_environment_change_no_byte(_):
    path = faultlib.new_dir()
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", os.path.join(path, "de_DE.UTF-8")],
                          capture_output=True).returncode if shutil.which("localedef") else 1
    if made != 0:
        print("# no localedef: the German comma was asked for, but is not there")
    truth = None
    for env in ({}, {"TZ": "America/New_York"}, {"TZ": ":/nonsense"},
                {"LC_ALL": "de_DE.UTF-8", "LOCPATH": path, "LANG": "de_DE.UTF-8"}):
        with daemon() as d:
            d.start(env=env)
            assert send(d, [tb.trade("A", q * 0.1, 100.25 + q % 7, q) for q in range(1, 301)] +
                        [("", tb.START + 60 * tb.SECOND, 0, 0, 0)])["accepted"] == 301
            until("bars", lambda: len(d.events("bar")) >= 30)
            body = '{"producer":"j","source":"s","first_seq":1,"ticks":[{"symbol":"B","time":%d,"price":1.5}]}' % \
                   (tb.START + 60 * tb.SECOND)
            assert tb.feed_json(d, body)["accepted"] == 1
            text = d.http("/metrics")[1]
            assert not [x for x in text.split("\n") if not x.startswith("#") and "," in x.rpartition(" ")[2]]
            now = (d.events("bar")[:30], d.events("tier1")[:20])
            truth = truth or now
            assert now == truth, env
    shutil.rmtree(path)


@test
def times_beyond_2038_and_leap_seconds_make_ordinary_bars(_):
    for begin in (2_147_483_640, 1_483_228_795, 4_102_444_790, 1_711_846_795):  # 2038, leap, 2100, summer time
        with daemon() as d:
            d.start()
            ns = begin * tb.SECOND
            assert send(d, [("A", ns + q * tb.SECOND // 10, 10 ** 11, 10 ** 8, q) for q in range(150)] +
                        [("", ns + 25 * tb.SECOND, 0, 0, 0)])["accepted"] == 151
            bars = until("bars", lambda: (b := no_bar_twice(d)) and len(b) >= 15 and b)
            starts = [struct.unpack_from("<q", b, 32)[0] for b in bars[:15]]
            assert starts == [ns + i * tb.SECOND for i in range(15)], starts[:3]


# ---- configuration ----

def check_config(d, text, mode=0o600):
    path = os.path.join(d.dir, "checked.yaml")
    with open(path, "wb") as f:
        os.chmod(path, mode)
        f.write(text)
    p = subprocess.run([BINARY, "-c", path], capture_output=True, timeout=240)
    os.chmod(path, 0o600)
    return p.returncode, p.stderr.decode(errors="replace")


@test
def a_bad_configuration_is_refused_with_78_and_its_line(_):
    with daemon() as d:
        good = open(d.config, "rb").read()
        for text, word in ((good.replace(b"too_old: 1d", b"too_old: 1"), "clock.too_old"),
                           (good.replace(b"too_old: 1d", b"too_old: 1 parsec"), "clock.too_old"),
                           (good.replace(b"clock:", b"clokc:"), "clock"),
                           (good + b"\nclock: {mode: feed}\n", "clock"),
                           (good[:len(good) // 2], ""),
                           (b"\xff\xfe" + good, ""), (b"[]", ""), (b"- 1\n", ""),
                           (good + b"#" * (100 << 20), "")):
            code, errors = check_config(d, text)
            assert code == 78, (code, text[:80], errors[:500])
            assert word in errors and errors.strip(), errors[:500]
        code, errors = check_config(d, good, 0o666)
        assert code == 78 and "written by others" in errors or "mode" in errors, errors
        for path in (d.dir, os.path.join(d.dir, "nothing.yaml"), "/dev/zero", "/dev/null/x"):
            p = subprocess.run([BINARY, "-c", path], capture_output=True, timeout=120)
            assert p.returncode == 78 and p.stderr, (path, p.returncode, p.stderr)


@test
def a_configuration_broken_at_a_reload_leaves_the_old_one(_):
    with daemon() as d:
        d.start()
        good = open(d.config, encoding="ascii").read()
        for text in (good[:len(good) // 3], good + "\nnonsense: 1\n", "", good.replace("too_old: 1d", "too_old: -1d")):
            before = d.counter("tickbus_config_refused_total") + d.counter("tickbus_config_reloads_total")
            with open(d.config, "w", encoding="ascii") as f:
                f.write(text)
            d.process.send_signal(signal.SIGHUP)
            until("the reload", lambda: d.counter("tickbus_config_refused_total") +
                  d.counter("tickbus_config_reloads_total") > before)
            # A file that is whole but says something else cannot change what needs a restart.
            assert "too_old: 1d" in d.admin("config")["result"]["yaml"] or text == ""
            answer = d.admin("reload")
            assert answer["ok"] == (text == ""), (text, answer)
            assert send(d, [tb.trade("A", before + 1, 100, int(before) + 1)], int(before) + 1)["status"] == 0
        with open(d.config, "w", encoding="ascii") as f:
            f.write(good)
        assert d.admin("reload")["ok"]


@test
def reloads_under_load_change_only_what_they_may(_):
    with daemon() as d:
        d.start()
        good = open(d.config, encoding="ascii").read()
        first = 1
        for i in range(60):
            d.edit_config(lambda t: good.replace("too_old: 1d", f"too_old: {1 + i % 3}d")
                          .replace("durability: full", "durability: normal"))
            d.process.send_signal(signal.SIGHUP)
            reply = send(d, [tb.trade("A", q * 0.01, 100, q) for q in range(first, first + 50)], first)
            assert reply["accepted"] == 50 and reply["durability"] == 0, reply
            first += 50
        assert "store.durability" in d.errors() and "needs a restart" in d.errors()
        assert len(d.all_ticks()) == first - 1


@test
def what_a_reload_accepts_it_puts_into_force(_):
    with daemon() as d:
        d.start()
        assert send(d, [tb.trade("A", q * 0.05, 100 + q % 7, q) for q in range(1, 501)] +
                    [("", tb.START + 30 * tb.SECOND, 0, 0, 0)])["accepted"] == 501
        until("bars", lambda: len(d.events("bar")) >= 25)
        d.stop()  # a snapshot stands for the log up to here
        d.start()
        for first in range(502, 1000, 100):
            assert send(d, [tb.trade("A", 31 + (q - 502) * 0.01, 100, q) for q in range(first, first + 100)], first)["accepted"] == 100
        beats = tb.Listener(d, "bar")
        time.sleep(2.2)
        assert len(d.all_ticks()) == 1000 and d.counter("tickbus_derived_retired_total") == 0
        slow = len([m for m in beats.messages if m.startswith(b"hb|")])
        d.edit_config(lambda t: t.replace("ballast: 0B", "ballast: 0B, retain: 1s") +
                      "derived: {retain: 1s}\npublisher: {heartbeat: 100ms, batch: 2ms}\n")
        assert d.admin("reload")["ok"]
        until("old bars to go", lambda: d.counter("tickbus_derived_retired_total") > 0)
        until("old ticks to go", lambda: d.counter("tickbus_segments_retired_total") > 0)
        assert d.counter("tickbus_store_first_position") > 1
        beats.messages.clear()
        time.sleep(2.2)
        fast = len([m for m in beats.messages if m.startswith(b"hb|")])
        assert slow <= 4 and fast >= 12, (slow, fast)


# ---- upgrade ----

def lay_old_state(d):
    """The database that the release with schema 1 left: 500 ticks of A and B, a clock."""
    with gzip.open(os.path.join(HERE, "state_v1.db.gz")) as f:
        data = f.read()
    with open(os.path.join(d.dir, "tickbus.db"), "wb") as f:
        os.chmod(f.name, 0o600)
        f.write(data)
    return data


def check_upgraded(d):
    assert [t[2] for t in d.all_ticks()] == list(range(1, 501))
    until("bars derived anew", lambda: len(no_bar_twice(d)) >= 100)
    assert send(d, [tb.trade("A", 71, 100, 999)], 502)["accepted"] == 1
    assert send(d, [tb.trade("A", 1, 100, 1)], 1)["duplicate"] == 1, "the producer's sequence was forgotten"


@test
def a_database_of_an_older_schema_is_copied_and_upgraded(_):
    with daemon() as d:
        data = lay_old_state(d)
        d.start()
        check_upgraded(d)
        with open(os.path.join(d.dir, "tickbus.db.v1.bak"), "rb") as f:
            assert len(f.read()) > len(data) // 2
        old = sqlite3.connect(os.path.join(d.dir, "tickbus.db.v1.bak"))
        assert old.execute("PRAGMA user_version").fetchone()[0] == 1
        assert old.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        old.close()


@test
def an_upgrade_killed_at_any_call_is_done_by_the_next_start(_):
    strace = shutil.which("strace")
    if strace is None:
        print("# strace is not here: no upgrade was killed")
        return
    rounds = int(os.environ.get("TICKBUS_ROUNDS", "10"))
    rng, killed = random.Random(73), 0
    for i in range(rounds):
        with daemon() as d:
            lay_old_state(d)
            call = ("pwrite64", "fdatasync", "fsync", "rename", "openat", "unlink")[i % 6]
            d.process = subprocess.Popen(
                [strace, "-D", "-f", "-qq", "-o", "/dev/null", "-e",
                 f"inject={call}:signal=KILL:when={rng.randrange(1, 40 if call in ('pwrite64', 'openat') else 5)}",
                 BINARY, "--config", d.config], stderr=d.log)
            try:
                d.wait_ready(30)
                d.kill()
            except RuntimeError:
                assert d.process.poll() == -signal.SIGKILL, d.process.poll()
                killed += 1
            d.start()
            check_upgraded(d)
    print(f"# killed {killed} times before ready")
    assert killed > 0


@test
def a_database_of_a_newer_schema_is_refused_untouched(_):
    with daemon() as d:
        d.start()
        assert send(d, [tb.trade("A", 1, 100, 1)])["accepted"] == 1
        assert d.stop() == 0
        path = os.path.join(d.dir, "tickbus.db")
        db = sqlite3.connect(path)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version = {version + 1}")
        db.commit()
        db.close()
        before = {n: open(os.path.join(d.dir, n), "rb").read() for n in ("tickbus.db", "highwater")}
        d.start(wait=False)
        assert d.process.wait(20) == 65 and "schema version" in d.errors(), (d.process.returncode, d.errors())
        for name, data in before.items():
            assert open(os.path.join(d.dir, name), "rb").read() == data, f"{name} was changed"


# ---- surroundings ----

@test
def strange_surroundings_make_a_safe_start(_):
    def no_std():
        for fd in (0, 1, 2):
            os.close(fd)

    def no_umask():
        os.umask(0)

    def no_core():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    cases = (("fds 0, 1, 2 closed", {"preexec_fn": no_std}), ("umask 0", {"preexec_fn": no_umask}),
             ("no core", {"preexec_fn": no_core}), ("cwd gone", {}),
             ("huge environment", {"env": {**os.environ, **{f"V{i}": "x" * 1000 for i in range(1500)}}}),
             ("empty environment", {"env": {}}))
    for name, how in cases:
        with daemon() as d:
            if name == "cwd gone":
                lost = faultlib.new_dir()
                how = {"preexec_fn": lambda: (os.chdir(lost), os.rmdir(lost))}
            # argv[0] is empty in all of them: since Linux 5.18 it is never NULL.
            d.process = subprocess.Popen(["", "--config", d.config], executable=os.path.abspath(BINARY), **how,
                                         **({} if "closed" in name else {"stderr": d.log}))
            until(f"ready ({name})", lambda: d.http("/readyz")[0] == 200 if d.process.poll() is None else 1 / 0, 30)
            if "closed" in name:
                for fd in (0, 1, 2):
                    assert os.readlink(f"/proc/{d.process.pid}/fd/{fd}") == "/dev/null", name
            for q in range(1, 30):
                d.admin("reload")  # lines for the log, wherever it goes
                assert send(d, [tb.trade("A", q, 100, q)], q)["accepted"] == 1
            for f in os.listdir(d.dir):
                mode = os.stat(os.path.join(d.dir, f)).st_mode
                assert f in ("log", "tickbusd.yaml") or mode & 0o077 == 0, (name, f, oct(mode))
            d.kill()
            d.start()
            assert len(d.all_ticks()) == 29, name
            with open(os.path.join(d.dir, "highwater"), "rb") as f:
                assert b"info:" not in f.read(), f"{name}: the log went into the high-water file"


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, Nothing))
