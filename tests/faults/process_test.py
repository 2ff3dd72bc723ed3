#!/usr/bin/env python3
"""Faults of process and host (docs/FAULTS.md, A): process_test.py TICKBUSD [TEST]"""
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402
from faultlib import until  # noqa: E402

BINARY = sys.argv[1]
MORE = "defaults: {timeframes: [1s], price_types: [last]}\n"
test, TESTS = faultlib.collector()
faultlib.traced()


def make():
    return faultlib.Daemon(BINARY, more=MORE)


def send(d, first, n, producer="p", sock=None):
    """@n records of one producer; the reply."""
    s = sock or d.ingest()
    reply = tb.sbe_reply(s.ask(tb.sbe_ticks(producer, "test", first, [
        tb.trade("AB"[q % 2], q * 0.01, 100 + q % 7, q) for q in range(first, first + n)])))
    if sock is None:
        s.close()
    return reply


def is_serving(d, seq, producer="after"):
    return send(d, seq, 1, producer)["status"] == 0


# ---- signals ----

@test
def sigterm_twice_drains_once_and_ends_with_0(d):
    rng = random.Random(2)
    for i in range(12):
        assert send(d, 100 * i + 1, 100)["accepted"] == 100
        d.process.send_signal(signal.SIGTERM)
        # Until the very end, when what the loop had is being taken down.
        while d.process.poll() is None:
            time.sleep(rng.uniform(0, 0.003))
            d.process.send_signal(rng.choice((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)))
        assert d.process.returncode == 0, (d.process.returncode, d.errors())
        d.start()
    assert len(d.all_ticks()) == 1200


@test
def sigterm_at_any_moment_of_the_start_leaves_a_log_that_starts(d):
    rng = random.Random(4)
    assert send(d, 1, 500)["accepted"] == 500
    codes = set()
    for _ in range(25):
        d.kill()
        d.start(wait=False)
        time.sleep(rng.uniform(0, 0.03))
        d.process.send_signal(signal.SIGTERM)
        # Before it catches signals it dies of this one, which is a kill.
        codes.add(d.process.wait(30))
        assert codes <= {0, -signal.SIGTERM}, (codes, d.errors()[-2000:])
        d.start()
        assert len(d.all_ticks()) == 500
    print(f"# exit codes {sorted(codes)}")


@test
def sigterm_after_sigterm_under_load_leaves_no_request_unanswered(d):
    acked, rounds = 0, int(os.environ.get("TICKBUS_ROUNDS", "20"))
    for i in range(rounds):
        state = {"acked": acked, "open": False}

        def produce():
            s = d.ingest()
            try:
                while True:
                    state["open"] = True
                    reply = send(d, state["acked"] + 1, 50, sock=s)
                    state["open"] = False
                    if reply["status"] != 0:
                        return
                    state["acked"] += 50
            except (OSError, ConnectionError):
                return

        t = threading.Thread(target=produce)
        t.start()
        time.sleep(0.01 + 0.001 * (i % 20))
        begin = time.monotonic()
        assert d.stop() == 0
        assert time.monotonic() - begin < 10
        t.join(10)
        # The connection may go before the next request is read, never after.
        acked = state["acked"]
        d.start()
    assert acked > 0
    held = [t[2] for t in d.all_ticks()]
    assert held == list(range(1, len(held) + 1)) and len(held) >= acked, (len(held), acked)


@test
def a_pause_of_the_machine_closes_nothing_and_kills_nobody(d):
    d.stop()
    d.edit_config(lambda t: t.replace("store:", "watchdog: 1s\nstore:", 1))
    d.start()
    assert send(d, 1, 100)["accepted"] == 100
    bars = len(d.events("bar"))
    for pause in [1.3] * 2 + [float(os.environ.get("TICKBUS_PAUSE_S", "1.3"))]:
        d.process.send_signal(signal.SIGSTOP)
        time.sleep(pause)
        d.process.send_signal(signal.SIGCONT)
        time.sleep(0.4)
        assert d.process.poll() is None, d.errors()
    assert len(d.events("bar")) == bars, "time passed for the bars while the machine stood still"
    assert send(d, 101, 100)["accepted"] == 100
    assert d.counter("tickbus_listener_restarts_total") == 0


@test
def a_storm_of_sighup_is_survived_without_a_leak(d):
    def rss():
        with open(f"/proc/{d.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * 4096

    def storm(seconds):
        end = time.monotonic() + seconds
        n = 0
        while time.monotonic() < end:
            d.process.send_signal(signal.SIGHUP)
            n += 1
            time.sleep(0.001)
        until("the storm to settle", lambda: is_serving(d, int(time.monotonic() * 1000), "hup"))
        return n

    storm(0.5)
    before, fds = rss(), len(os.listdir(f"/proc/{d.process.pid}/fd"))
    sent = storm(1)
    grown = rss() - before
    reloads = until("its metrics", lambda: d.counter("tickbus_config_reloads_total"), 60)
    print(f"# {sent} signals, {reloads:.0f} reloads, {grown >> 10} KiB more")
    assert grown < (64 << 20 if faultlib.SLOW else 4 << 20), grown
    until("descriptors as before", lambda: len(os.listdir(f"/proc/{d.process.pid}/fd")) <= fds + 2)


@test
def peers_that_do_not_wait_for_the_answer_raise_no_sigpipe(d):
    for _ in range(50):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(os.path.join(d.dir, "admin.sock"))
            s.sendall(b'{"id":1,"cmd":"prometheus"}\n' * 3)
        with socket.create_connection(("127.0.0.1", d.port["http"]), 5) as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s = d.ingest()
        s.send(b"\x80\0\0\1{}")
        s.close()
    assert d.process.poll() is None, d.errors()
    until("service", lambda: is_serving(d, 1))


# ---- threads that stand still ----

def thread_named(d, name):
    task = f"/proc/{d.process.pid}/task"
    for tid in os.listdir(task):
        with open(f"{task}/{tid}/comm", encoding="ascii") as f:
            if f.read().strip() == name:
                return int(tid)
    raise AssertionError(f"no thread {name}")


def hold(tid):
    """A tracer that lets a thread wait for a minute in its next system call."""
    strace = shutil.which("strace")
    if strace is None:
        return None
    p = subprocess.Popen([strace, "-qq", "-o", "/dev/null", "-p", str(tid), "-e",
                          "inject=futex,epoll_wait,epoll_pwait,poll,clock_nanosleep,pwrite64,"
                          "sched_yield,write,read:delay_enter=60s"],
                         stderr=subprocess.DEVNULL)
    until("the tracer", lambda: "TracerPid:\t0" not in open(f"/proc/{tid}/status", encoding="ascii").read())
    return p


def hanging(d, name):
    d.stop()
    d.edit_config(lambda t: t.replace("store:", "watchdog: 1s\nstore:", 1))
    d.start()
    assert send(d, 1, 100)["accepted"] == 100
    tracer = hold(thread_named(d, name))
    if tracer is None:
        print("# strace is not here: no thread was held")
        return
    try:
        until(f"{name} to be missed", lambda: f"the thread of {name.partition('-')[0]} has not moved" in d.errors(), 20)
    finally:
        tracer.kill()  # it holds what is to die
        tracer.wait()
    assert d.process.wait(20) == -signal.SIGABRT
    d.start()
    assert len(d.all_ticks()) == 100


@test
def a_worker_that_hangs_ends_the_process_and_loses_nothing(d):
    hanging(d, "worker-0")


@test
def a_hanging_tier2_ends_the_process_and_loses_nothing(d):
    hanging(d, "tier2")


@test
def a_hanging_log_ends_the_process_and_loses_nothing(d):
    hanging(d, "store")


@test
def the_service_manager_hears_nothing_while_the_loop_is_blocked(d):
    d.stop()
    path = os.path.join(d.dir, "notify.sock")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    s.settimeout(0.05)
    d.start(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"})

    def heard(seconds):
        end, seen = time.monotonic() + seconds, b""
        while time.monotonic() < end:
            try:
                seen += s.recv(4096) + b"\n"
            except socket.timeout:
                pass
        return seen.count(b"WATCHDOG=1")

    assert heard(2) >= 2, "the watchdog is not fed at all"
    tracer = hold(d.process.pid)
    if tracer is None:
        print("# strace is not here: the loop was not blocked")
        return
    try:
        heard(0.5)  # what was sent before
        assert heard(1.5) == 0, "fed although the loop stood still"
    finally:
        tracer.kill()
        tracer.wait()


# ---- one owner ----

@test
def of_twenty_daemons_started_at_once_one_wins_and_its_heir_starts(d):
    d.stop()
    starters = []
    for i in range(20):
        other = faultlib.Daemon(BINARY, state=d.dir, more=MORE)
        starters.append(other.start(wait=False))
    try:
        until("nineteen to give up", lambda: sum(s.process.poll() is not None for s in starters) == 19, 60)
        codes = [s.process.poll() for s in starters]
        assert sorted(c for c in codes if c is not None) == [75] * 19, codes
        winner = next(s for s in starters if s.process.poll() is None)
        winner.wait_ready()
        assert send(winner, 1, 10)["accepted"] == 10
        winner.kill()
        heir = starters[0].start()
        assert len(heir.all_ticks()) == 10
    finally:
        for s in starters:
            s.remove()


@test
def stale_sockets_are_cleared_and_what_is_none_is_left(d):
    d.kill()
    admin = os.path.join(d.dir, "admin.sock")
    assert os.path.exists(admin), "nothing stale to clear"
    d.start()
    assert d.admin("status")["ok"]
    d.stop()
    for name in ("admin.sock", "ring.sock"):
        path = os.path.join(d.dir, name)
        with open(path, "w", encoding="ascii") as f:
            f.write("precious")
        d.start(wait=False)
        assert d.process.wait(30) == 69, d.errors()
        assert "not a socket" in d.errors()
        with open(path, encoding="ascii") as f:
            assert f.read() == "precious"
        os.unlink(path)


@test
def the_socket_of_a_living_daemon_is_not_taken(d):
    other = faultlib.Daemon(BINARY, more=MORE)
    other.edit_config(lambda t: t.replace(f"{other.dir}/admin.sock", f"{d.dir}/admin.sock"))
    try:
        other.start(wait=False)
        assert other.process.wait(30) == 69, other.errors()
        assert "another daemon answers" in other.errors()
        assert d.admin("status")["result"]["pid"] == d.process.pid
    finally:
        other.remove()


@test
def deep_json_is_refused_by_every_parser(d):
    deep = b'{"producer":"p","ticks":' + b"[" * 100_000
    s = d.ingest()
    assert b'"malformed"' in s.ask(deep)
    s.close()
    with socket.socket(socket.AF_UNIX) as a:
        a.settimeout(5)
        a.connect(os.path.join(d.dir, "admin.sock"))
        a.sendall(b"[" * 10_000 + b"\n")
        assert b'"bad_request"' in a.recv(1 << 16)
    s = d.catchup()
    s.ask(b'{"kinds":' + b"[" * 100_000)
    s.close()
    path = os.path.join(d.dir, "deep.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write("a: " + "[" * 50_000)
    p = subprocess.run([BINARY, "--check-config", path], capture_output=True, timeout=120,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (256 << 10, 256 << 10)))
    assert p.returncode == 78, (p.returncode, p.stderr[:500])
    assert is_serving(d, 1)


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
