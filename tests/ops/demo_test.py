#!/usr/bin/env python3
"""What tools/demo shows: demo_test.py TICKBUSD TICKBUSCTL

Its view over the daemon's own demonstration, ten times as fast and on ports of its own, as text and on a terminal.
"""
import os
import pty
import re
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402

BINARY, CTL = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
VIEW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/demo_view.py")
SYMBOLS = 24


class World:
    """A tickbusd that is started as the demo starts it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tickbus-demo-test-")
        config = subprocess.run([BINARY, "--demo", "--print-config"], stdout=subprocess.PIPE, text=True, check=True).stdout
        base = tb.free_ports(20)
        for was, port in {**{7400 + i: base + i for i in range(19)}, 7480: base + 19}.items():
            config = re.sub(rf":{was}\b", f":{port}", config)
        config, n = re.subn(r"compress: 40\b", "compress: 400", config)
        assert n == 1, config
        self.base = base
        self.http = f"http://127.0.0.1:{base + 19}"
        with open(os.path.join(self.dir, "demo.yaml"), "w", encoding="utf-8") as f:
            f.write(config)
        self.program = os.path.join(self.dir, "tickbusd")
        with open(self.program, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\n[ "$1" = --demo ] && shift && exec {BINARY} --config {f.name.removesuffix("tickbusd")}demo.yaml "$@"\n')
        os.chmod(self.program, 0o755)

    def start(self):
        pass

    def view(self, seconds, *more):
        return [sys.executable, VIEW, self.program, CTL, "--port-base", str(self.base), "--http", self.http, "--seconds", str(seconds), *more]

    def errors(self):
        return ""

    def remove(self):
        subprocess.run(["rm", "-r", self.dir], check=True)


def shows_everything(text):
    assert "Traceback" not in text, text[-3000:]
    heads = re.findall(r"ticks ([\d,]+) .*bars and revisions ([\d,]+)  vectors ([\d,]+)  matrices ([\d,]+) .*page (http://\S+/)", text)
    assert heads and all(int(n.replace(",", "")) > 0 for n in heads[-1][:4]), heads
    rows = {r[0]: r for r in (line.split() for line in text.splitlines()) if r and re.fullmatch(r"[A-Z]+", r[0]) and len(r) >= 12 and ":" in r[1]}
    assert len(rows) == SYMBOLS, sorted(rows)
    # close, and what takes a vector and indicators to say: momentum and RSI
    assert all(float(r[2]) > 0 and 0 <= float(r[10]) <= 100 for r in rows.values()), rows
    assert re.search(r"matrix demo 1m version \d+ as of .* pearson over 60 bars", text), text[-3000:]
    return heads[-1]


def as_text(w):
    done = subprocess.run(w.view(21), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:]
    shows_everything(done.stdout)
    assert re.search(r"^published: [\d,]+ bars and revisions, [\d,]+ feature vectors, [\d,]+ matrix versions", done.stdout, re.M), done.stdout[-900:]
    assert "\x1b" not in done.stdout


def on_a_terminal(w):
    ours, theirs = pty.openpty()
    child = subprocess.Popen(w.view(20), stdin=theirs, stdout=theirs, stderr=theirs,
                             env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "140", "LINES": "60"})
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        text += piece
    assert child.wait(60) == 0, text[-3000:]
    os.close(ours)
    pages = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode().replace("\r\n", "\n"))
    shows_everything(pages[pages.rindex("tickbus  ticks"):] if "tickbus  ticks" in pages else pages)


def refused(w, poison):
    """(ticks accepted, {reason: ticks refused}, their producers) of the demonstration with so many poisoned ticks per million."""
    with open(os.path.join(w.dir, "demo.yaml"), encoding="utf-8") as f:
        config, n = re.subn(r"poison: 20\b", f"poison: {poison}", f.read())
    assert n == 1, "the demonstration poisons 20 ticks per million"
    state = os.path.join(w.dir, f"state-{poison}")
    path = os.path.join(w.dir, f"poison-{poison}.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    with open(os.path.join(w.dir, "log"), "ab") as log:
        daemon = subprocess.Popen([BINARY, "--config", path, "--state-dir", state], stderr=log)

    def counters():
        try:
            with urllib.request.urlopen(w.http + "/metrics", timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return None
        values = {name: float(value) for name, value in re.findall(r"^tickbus_(ticks_\w+_total\S*) (\S+)$", text, re.M)}
        return values if values["ticks_accepted_total"] > 50000 else None

    try:
        values = tb.until(counters, "50,000 ticks", 60)
        rows = subprocess.run([CTL, "--admin", os.path.join(state, "admin.sock"), "log", "tail", "100", "--quarantine", "--json"],
                              stdout=subprocess.PIPE, text=True, check=True).stdout
    finally:
        daemon.terminate()
        daemon.wait()
    reasons = {name.split('"')[1]: n for name, n in values.items() if name.startswith("ticks_rejected") and n > 0}
    return values["ticks_accepted_total"], reasons, rows


def what_is_refused_is_what_the_exchange_poisons(w):
    """One tick in 50,000, and nothing else of it: no clock record, no first tick."""
    _, reasons, _ = refused(w, 0)
    assert reasons == {}, reasons
    accepted, reasons, rows = refused(w, 2000)
    assert set(reasons) == {"price_not_positive", "time_in_future", "time_too_old"}, reasons
    assert 0.001 < sum(reasons.values()) / accepted < 0.004, (reasons, accepted)
    assert set(re.findall(r'"producer":"([^"]*)"', rows)) == {"sim"}, rows[:500]


sys.exit(tb.tap([as_text, on_a_terminal, what_is_refused_is_what_the_exchange_poisons], World))
