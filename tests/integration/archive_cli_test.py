#!/usr/bin/env python3
"""tickbusctl on an archive: archive_cli_test.py TICKBUSCTL TICKBUS_ARCHIVE

An admin socket of our own plays the daemon: what is asked of it, and what happens without it.
Prints TAP; without libduckdb it says so.
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import traceback

CTL = sys.argv[1]
EXE = sys.argv[2] if len(sys.argv) > 2 else ""
NS = 10**9
JAN = 1704067200  # 2024-01-01
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def put(path, symbol, n=3, step_s=60):
    doc = json.dumps({"do": "put_bars", "source": "alpaca", "feed": "sip", "symbol": symbol,
                      "step_s": step_s}).encode()
    bulk = b"".join(struct.pack("<8q", (JAN + step_s * i) * NS, *[(100 + i) * NS] * 4, 10**9, -2**63, 5)
                    for i in range(n))
    done = subprocess.run([EXE, "--archive", path, "serve"], capture_output=True, timeout=240,
                          input=struct.pack("<II", len(doc), len(bulk)) + doc + bulk)
    assert json.loads(done.stdout[8:])["ok"], done


class Admin:
    """Answers as the daemon would; what it was asked is in asked."""

    def __init__(self, path, answers):
        self.asked, self.path, self.answers = [], path, answers
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb") as f:
                for line in f:
                    request = json.loads(line)
                    self.asked.append(request["cmd"])
                    result = self.answers.get(request["cmd"])
                    answer = ({"ok": True, "id": request.get("id"), "result": result} if result is not None
                              else {"ok": False, "id": request.get("id"), "error": "unknown_command",
                                    "detail": "no such command"})
                    f.write(json.dumps(answer).encode() + b"\n")
                    f.flush()


def ctl(*args, path=True):
    env = dict(os.environ, PATH=os.path.dirname(EXE) if path else "/nowhere")
    return subprocess.run([CTL, *args], capture_output=True, text=True, timeout=240, env=env)


ONE = ("timestamp,AAPL_close\n2024-01-01T00:01:00Z,100.0\n2024-01-01T00:02:00Z,101.0\n"
       "2024-01-01T00:03:00Z,102.0\n")


@test
def a_named_archive_needs_no_daemon(d):
    a, out = os.path.join(d, "a"), os.path.join(d, "x.csv")
    put(a, "AAPL")
    done = ctl("export", "--symbols", "AAPL", "--archive", a)
    assert (done.returncode, done.stdout, done.stderr) == (0, ONE, ""), done
    done = ctl("export", "--symbols=AAPL", "--archive", a, "-o", out)
    assert done.returncode == 0 and done.stdout == "", done
    with open(out) as f:
        assert f.read() == ONE
    done = ctl("query", "--archive", a, "SELECT count(*) AS n FROM bars_1m")
    assert (done.returncode, done.stdout) == (0, "n\n3\n"), done
    before = os.path.getmtime(out)
    done = ctl("export", "--symbols", "NONE", "--archive", a, "-o", out)
    assert done.returncode == 66 and "no bars of NONE" in done.stderr, done
    assert os.path.getmtime(out) == before


@test
def the_daemon_says_where_and_hands_over_what_is_new(d):
    a, s = os.path.join(d, "a"), os.path.join(d, "admin")
    put(a, "AAPL")
    admin = Admin(s, {"archive_flush": {}, "archive_status": {"archive": {"dir": a}}})
    done = ctl("--admin", s, "export", "--symbols", "AAPL")
    assert (done.returncode, done.stdout, done.stderr) == (0, ONE, ""), done
    assert admin.asked == ["archive_flush", "archive_status"], admin.asked
    done = ctl("--admin", s, "export", "--symbols", "AAPL", "--no-flush")
    assert done.returncode == 0 and admin.asked[2:] == ["archive_status"], (done, admin.asked)


@test
def a_daemon_that_cannot_flush_makes_the_answer_older_and_that_is_said(d):
    a, s = os.path.join(d, "a"), os.path.join(d, "admin")
    put(a, "AAPL")
    Admin(s, {"archive_status": {"archive": {"dir": a}}})
    done = ctl("--admin", s, "query", "SELECT count(*) AS n FROM bars_1m")
    assert (done.returncode, done.stdout) == (0, "n\n3\n"), done
    assert "did not hand over" in done.stderr, done


def own(path, start, closes, missing=()):
    """Bars of a minute that tickbus made (proto/event.h), of the symbol AAPL."""
    bulk = b"".join(struct.pack(
        "<4Q5qQq3d3Q3I2H6BH32s16sQ", 1, 1, (start + 60 * (i + 1)) * NS, (start + 60 * i) * NS, (start + 60 * i) * NS,
        *[-2**63 if i in missing else c * NS] * 4, 5 * 10**8, 0, float("nan"), float("nan"), float(c), 3, 1, 2, 0, 60,
        1, 1, 2, 8 | (1 if i in missing else 4), 2 if i in missing else 0, 0, 0, 1, 0, 0, b"AAPL", b"alpaca", 99)
        for i, c in enumerate(closes))
    doc = json.dumps({"do": "put_events"}).encode()
    done = subprocess.run([EXE, "--archive", path, "serve"], capture_output=True, timeout=240,
                          input=struct.pack("<II", len(doc), len(bulk)) + doc + bulk)
    assert json.loads(done.stdout[8:])["ok"], done


@test
def bars_of_a_vendor_go_on_in_those_seen_live_without_seam_or_double(d):
    a, s = os.path.join(d, "a"), os.path.join(d, "admin")
    put(a, "AAPL", 6)
    own(a, JAN + 240, [204, 205, 206, 207], missing=(1,))
    admin = Admin(s, {"archive_flush": {}, "archive_status": {"archive": {"dir": a}}})
    want = [("00:00", "100"), ("00:01", "101"), ("00:02", "102"), ("00:03", "103"), ("00:04", "204"),
            ("00:05", "105"), ("00:06", "206"), ("00:07", "207")]
    for more in ((), ("--archive", a)):
        done = ctl("--admin", s, "bars", "AAPL", "--json", *more)
        rows = [json.loads(x) for x in done.stdout.splitlines()]
        assert [(r["time"][11:16], r["close"]) for r in rows] == want, done
        assert [r["feed"] for r in rows] == ["sip"] * 4 + ["tickbus", "sip", "tickbus", "tickbus"]
    assert admin.asked == ["archive_status", "archive_flush", "archive_status"], admin.asked
    done = ctl("--admin", s, "bars", "AAPL", "--csv", "--start", "2024-01-01T00:05:00Z", "--end", "2024-01-01T00:06:00Z")
    assert done.stdout == ("time,open,high,low,close,volume,vwap,trades,source,feed,revision,final\n"
                           "2024-01-01T00:05:00Z,105,105,105,105,10,,5,alpaca,sip,0,true\n"), done
    assert ctl("--admin", s, "bars", "AAPL").stdout.startswith("time                  open")
    done = ctl("--admin", s, "bars", "NONE")
    assert done.returncode == 66 and "no bars of NONE" in done.stderr, done
    off = os.path.join(d, "off")
    idle = Admin(off, {"archive_status": {"archive": {"dir": a, "enabled": False}}})
    ctl("--admin", off, "bars", "AAPL")
    assert idle.asked == ["archive_status", "bars"], idle.asked
    # Vendors' bars alone, and adjusted ones, are the daemon's.
    for more in (["--store"], ["--adjust", "all"]):
        ctl("--admin", s, "bars", "AAPL", *more)
        assert admin.asked[-1] == "bars", admin.asked


@test
def without_an_archive_or_its_program_a_sentence_says_what_to_do(d):
    s = os.path.join(d, "admin")
    done = ctl("--admin", s, "query", "SELECT 1")
    assert done.returncode == 69 and "does not answer" in done.stderr, done
    Admin(s, {"archive_flush": {}, "archive_status": {"archive": {}}})
    done = ctl("--admin", s, "query", "SELECT 1")
    assert done.returncode == 1 and "keeps no archive" in done.stderr, done
    done = ctl("query", "--archive", d, "SELECT 1", path=False)
    assert done.returncode == 69 and "tools/setup-archive" in done.stderr, done
    for bad in (["query"], ["query", "--archive", d, "SELECT 1", "SELECT 2"], ["export", "AAPL"],
                ["export", "--sort"], ["export", "--archive", d], ["query", "--archive", d, "DROP TABLE x"],
                ["export", "--archive", d, "--symbols", "A", "--align", "left"]):
        done = ctl(*bad)
        assert done.returncode == 64 and done.stdout == "" and done.stderr, (bad, done)


def main():
    if not EXE:
        print("1..1\nok 1 - libduckdb is absent, so there is no archive to ask; "
              "tools/setup-archive fetches it")
        return 0
    print(f"1..{len(TESTS)}", flush=True)
    bad = 0
    for i, f in enumerate(TESTS, 1):
        with tempfile.TemporaryDirectory(prefix="tickbus-archive-cli-") as d:
            try:
                f(d)
                print(f"ok {i} - {f.__name__}", flush=True)
            except Exception:
                bad += 1
                print(f"not ok {i} - {f.__name__}\n# " +
                      traceback.format_exc().replace("\n", "\n# "), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
