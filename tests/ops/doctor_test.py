#!/usr/bin/env python3
"""tickbusctl doctor: doctor_test.py TICKBUSD TICKBUSCTL

A healthy daemon has nothing bad; everything that is spoilt afterwards is named, with what to do, and the exit code
says so; without a daemon the same from the configuration.  Prints TAP.
"""
import json
import os
import signal
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1:3]
KEYS = "keys-of-nobody"


def run(d, *args):
    return subprocess.run([CTL, "doctor", "--admin", f"{d.dir}/admin.sock", "--daemon", BINARY, *args],
                          capture_output=True, text=True, timeout=240)


def doctor(d, *args):
    """(exit code, {name: [(state, found, do)]})."""
    done = run(d, "--json", *args)
    answer = json.loads(done.stdout)
    checks = {}
    for c in answer["checks"]:
        checks.setdefault(c["name"], []).append((c["state"], c["found"], c["do"]))
        assert (c["do"] == "") == (c["state"] == "ok"), c
    states = [s for found in checks.values() for s, _, _ in found]
    assert answer["verdict"] == ("bad" if "bad" in states else "warn" if "warn" in states else "ok"), answer
    assert done.returncode == (1 if "bad" in states else 0), done
    return done.returncode, checks


def bad(checks):
    return {name for name, found in checks.items() if any(s == "bad" for s, _, _ in found)}


def a_healthy_daemon_has_nothing_bad(d):
    code, checks = doctor(d)
    assert code == 0, checks
    for name in ("program", "libraries", "daemon", "log", "configuration", "state", "state files", "disk", "archive",
                 "listeners", "clock", "credentials"):
        assert name in checks, f"{name}: {checks}"
    assert checks["listeners"][0][:2] == ("ok", "all 15 answer"), checks["listeners"]
    assert "SQLite 3." in checks["libraries"][0][1] and "nng 1." in checks["libraries"][0][1]
    text = run(d)
    assert text.returncode == 0 and "checks: " in text.stdout and "all 15 answer" in text.stdout, text
    assert run(d, "more").returncode == 64


def what_is_spoilt_is_named_and_nothing_else(d):
    cases = ((d.dir, 0o755, "state"), (f"{d.dir}/tickbus.db", 0o640, "state files"),
             (f"{d.dir}/highwater", 0o604, "state files"), (d.config, 0o622, "configuration"),
             (f"{d.dir}/{KEYS}/alpaca_key", 0o644, "credentials"))
    for path, mode, name in cases:
        before = os.stat(path).st_mode & 0o7777
        os.chmod(path, mode)
        code, checks = doctor(d)
        os.chmod(path, before)
        assert code == 1 and bad(checks) == {name}, (path, checks)
        told = [(found, do) for s, found, do in checks[name] if s == "bad"]
        assert any(path in found for found, _ in told), told
    assert doctor(d)[0] == 0


def a_daemon_that_stands_still_is_found(d):
    d.process.send_signal(signal.SIGSTOP)
    try:
        code, checks = doctor(d, "--timeout", "300", "--config", d.config)
    finally:
        d.process.send_signal(signal.SIGCONT)
    assert code == 1 and bad(checks) == {"port"}, checks
    assert checks["daemon"][0][0] == "warn" and len(checks["port"]) == 15, checks
    assert any("ss -ltnp" in do for _, _, do in checks["port"]), checks


def without_a_daemon_the_configuration_is_judged(d):
    assert d.stop() == 0
    code, checks = doctor(d, "--config", d.config)
    assert code == 0 and checks["ports"][0][1] == "all 15 are free", checks
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", d.port["bar"]))
        s.listen()
        code, checks = doctor(d, "--config", d.config)
    assert code == 1 and bad(checks) == {"port"} and len(checks["port"]) == 1, checks
    assert f":{d.port['bar']}" in checks["port"][0][1] and "bar" in checks["port"][0][1], checks
    with open(d.config, "a", encoding="ascii") as f:
        f.write("nonsense: 1\n")
    code, checks = doctor(d, "--config", d.config)
    assert code == 1 and "configuration" in bad(checks), checks
    assert any("nonsense" in found for s, found, _ in checks["configuration"] if s == "bad"), checks
    done = subprocess.run([CTL, "doctor", "--admin", f"{d.dir}/admin.sock", "--daemon", "/nonexistent/tickbusd"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "/nonexistent/tickbusd does not run" in done.stdout, done


def an_archive_without_its_helper_is_found(d):
    d.kill()
    with open(d.config, "a", encoding="ascii") as f:
        f.write(f"archive: {{dir: {d.dir}/archive, program: /nonexistent/helper}}\n")
    code, checks = doctor(d, "--config", d.config)
    assert code == 1 and bad(checks) == {"archive"} and "/nonexistent/helper" in checks["archive"][0][1], checks


def a_listener_for_all_the_world_is_warned_of(d):
    d.kill()
    with open(d.config, encoding="ascii") as f:
        text = f.read()
    with open(d.config, "w", encoding="ascii") as f:
        f.write(text.replace(f"tick: tcp://127.0.0.1:{d.port['tick']}", f"tick: tcp://0.0.0.0:{d.port['tick']}", 1))
    code, checks = doctor(d, "--config", d.config)
    assert code == 0 and checks["network"][0][0] == "warn" and "0.0.0.0" in checks["network"][0][1], checks


def make():
    d = tb.Tickbusd(BINARY, more="")
    keys = os.path.join(d.dir, KEYS)
    os.mkdir(keys, 0o700)
    with open(os.path.join(keys, "alpaca_key"), "w", encoding="ascii") as f:
        os.chmod(f.fileno(), 0o600)
        f.write("nobody")
    with open(d.config, "a", encoding="ascii") as f:
        f.write(f"credentials: {keys}\n")
    return d


if __name__ == "__main__":
    sys.exit(tb.tap([a_healthy_daemon_has_nothing_bad, what_is_spoilt_is_named_and_nothing_else,
                     a_daemon_that_stands_still_is_found, without_a_daemon_the_configuration_is_judged,
                     an_archive_without_its_helper_is_found, a_listener_for_all_the_world_is_warned_of], make))
