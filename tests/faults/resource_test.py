#!/usr/bin/env python3
"""Faults of memory, descriptors and processor (docs/FAULTS.md, B): resource_test.py TICKBUSD [TEST]"""
import fcntl
import os
import resource
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402
from faultlib import until  # noqa: E402

BINARY = sys.argv[1]
MORE = ("defaults: {timeframes: [1m], price_types: [last]}\ntier1: {enabled: false}\n"
        "limits: {symbols: 2000, producers: 50, sources: 20, subscribers: 20, ring_slots: 4096, outbox: 1MiB, "
        "broadcast: 1MiB, quarantine: 100}\n")
test, TESTS = faultlib.collector()


def make():
    return faultlib.Daemon(BINARY, more=MORE)


def send(d, ticks, producer="p", first_seq=1, sock=None):
    s = sock or d.ingest()
    reply = tb.sbe_reply(s.ask(tb.sbe_ticks(producer, "test", first_seq, ticks)))
    if sock is None:
        s.close()
    return reply


def limited(d, **limits):
    """Start @d under rlimits given by their names."""
    def limit():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
    d.process = subprocess.Popen([d.binary, "--config", d.config], stderr=d.log, preexec_fn=limit)
    return d


@test
def too_little_memory_refuses_the_start_or_serves(d):
    if faultlib.SLOW:
        print("# a sanitizer needs the address space for itself")
        return
    d.stop()
    codes = {}
    for mib in (16, 24, 40, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 700):
        limited(d, AS=mib << 20)
        try:
            d.wait_ready(20)
            assert send(d, [tb.trade("A", 1, 100, 1)])["status"] == 0
            code = d.stop()
        except RuntimeError:
            code = d.process.poll()
        codes[mib] = code
        # 127: not even its libraries fitted.  abort() is ours where there is no way back.
        assert code in (0, 69, 70, 74, 127, -6), (mib, code, d.errors()[-1500:])
    print(f"# by MiB of address space: {codes}")
    assert codes[16] != 0 and codes[700] == 0, codes
    d.start()
    assert len(d.all_ticks()) == 1


@test
def memory_that_runs_out_while_running_costs_no_acknowledged_tick(d):
    if faultlib.SLOW:
        print("# a sanitizer needs the address space for itself")
        return
    acked, s = 0, d.ingest()
    with open(f"/proc/{d.process.pid}/statm", encoding="ascii") as f:
        now = int(f.read().split()[0]) * 4096
    # No page more than it has now: every growth is refused.
    resource.prlimit(d.process.pid, resource.RLIMIT_AS, (now, resource.RLIM_INFINITY))
    outcome = "served on"
    try:
        for first in range(1, 60_001, 300):
            reply = send(d, [tb.trade(f"S{q % 500}", q * 0.01, 100, q) for q in range(first, first + 300)],
                         first_seq=first, sock=s)
            if reply["status"] != 0:
                outcome = f"refused with status {reply['status']}"
                break
            acked += 300
    except (OSError, ConnectionError):
        time.sleep(1)
        outcome = "hung up" if d.process.poll() is None else f"ended with {d.process.returncode}"
    print(f"# {acked} ticks acknowledged, then it {outcome}")
    if d.process.poll() is None:  # with memory again it serves again, without help
        resource.prlimit(d.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until("service", lambda: send(d, [tb.trade("Z", 1, 100, 1)], "after")["status"] == 0, 10)
        d.kill()
    d.start()
    held = [t[2] for t in d.all_ticks() if t[1] != "Z"]
    assert held == list(range(1, len(held) + 1)) and len(held) >= acked


@test
def descriptors_that_run_out_cost_new_peers_and_nothing_else(d):
    d.stop()
    limited(d, NOFILE=128)
    d.wait_ready()
    old, crowd = d.ingest(), []
    for i in range(400):
        try:
            crowd.append(socket.create_connection(("127.0.0.1", d.port[("tick", "ingest", "http", "catchup")[i % 4]]), 0.3))
        except OSError:
            pass
    try:
        assert len(crowd) > 100, "no crowd came"
        # Who was there is served, and the log goes on.
        for first in range(1, 2000, 100):
            assert send(d, [tb.trade("A", q * 0.01, 100, q) for q in range(first, first + 100)], first_seq=first,
                        sock=old)["accepted"] == 100
    finally:
        for s in crowd:
            s.close()
    begin = time.monotonic()
    until("new peers", lambda: send(d, [tb.trade("B", 1, 100, 1)], "q")["status"] == 0, 20)
    until("new subscribers", lambda: d.subscribe("bar").message(), 20)
    until("http", lambda: d.http("/readyz")[0] == 200, 20)
    until("admin", lambda: d.admin("status")["ok"], 20)
    print(f"# healed after {time.monotonic() - begin:.1f} s")
    assert len([t for t in d.all_ticks() if t[1] == "A"]) == 2000


@test
def threads_that_cannot_be_started_refuse_the_start(d):
    d.stop()
    if os.geteuid() != 0 or faultlib.SLOW:
        print("# only root can become somebody with a limit on processes")
        return
    uid = 54321

    def become(n):
        os.setgid(uid)
        os.setuid(uid)
        resource.setrlimit(resource.RLIMIT_NPROC, (n, n))

    for name in os.listdir(d.dir):
        os.chown(os.path.join(d.dir, name), uid, uid)
    os.chown(d.dir, uid, uid)
    os.chmod(d.dir, 0o700)
    for n in (1, 2, 3, 5, 8, 12, 30, 60):
        d.process = subprocess.Popen([BINARY, "--config", d.config], stderr=d.log, preexec_fn=lambda: become(n))
        try:
            d.wait_ready(20)
            assert d.stop() == 0
        except RuntimeError:
            assert d.process.poll() == 70, (n, d.process.poll(), d.errors()[-1500:])
            assert "cannot start" in d.errors()
    d.process = subprocess.Popen([BINARY, "--config", d.config], stderr=d.log, preexec_fn=lambda: become(500))
    d.wait_ready(20)


@test
def a_starved_processor_is_no_hanging_thread(d):
    d.stop()
    d.edit_config(lambda t: t.replace("store:", "watchdog: 2s\nstore:", 1))
    d.start()
    hogs = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"],
                             preexec_fn=lambda: os.nice(-5) if os.geteuid() == 0 else None) for _ in range(4)]
    try:
        begin, first, s = time.monotonic(), 1, d.ingest()
        while time.monotonic() < begin + 3:
            assert send(d, [tb.trade("A", q * 0.01, 100, q) for q in range(first, first + 100)], first_seq=first,
                        sock=s)["accepted"] == 100
            first += 100
    finally:
        for h in hogs:
            h.kill()
            h.wait()
    assert d.process.poll() is None, d.errors()
    assert d.counter("tickbus_dispatch_lag_records") >= 0
    assert len(d.all_ticks()) == first - 1


@test
def a_bomb_of_symbols_meets_the_limit_and_harms_no_old_symbol(d):
    assert send(d, [tb.trade("OLD", 1, 100, 1)], "old")["accepted"] == 1
    s, rejected = d.ingest(), 0
    before = None
    for first in range(1, 30_001, 500):
        reply = send(d, [tb.trade(f"BOMB{q}", 1, 100, q) for q in range(first, first + 500)], "bomb", first, s)
        assert reply["status"] == 0, reply
        rejected += reply["rejected"]
        if first == 15_001:  # by now what is derived of the accepted ones has settled
            before = d.counter("process_resident_memory_bytes")
    assert rejected == 30_000 - 1999, rejected
    grown = d.counter("process_resident_memory_bytes") - before
    # SQLite's cache may still grow; 15,000 symbols that were kept would cost a gigabyte.
    assert grown < (64 << 20 if faultlib.SLOW else 24 << 20), f"{grown} bytes for symbols that were refused"
    code, text = d.http("/metrics")
    assert f'reason="symbol_limit"}} {rejected}' in text
    assert len(text) < 2 << 20, f"a metrics page of {len(text)} bytes"
    assert send(d, [tb.trade("OLD", 2, 100, 2)], "old", 2)["accepted"] == 1


@test
def a_bomb_of_producers_and_sources_meets_the_limit(d):
    s, full = d.ingest(), 0
    for i in range(200):
        reply = send(d, [tb.trade("A", 1, 100, 1)], f"bomb{i}", 1, s)
        full += reply["accepted"] == 0
    assert full >= 150, full
    assert send(d, [tb.trade("A", 2, 100, 2)], "bomb0", 2)["accepted"] == 1
    for i in range(60):
        body = '{"producer":"bomb0","source":"s%d","first_seq":%d,"ticks":[{"symbol":"A","time":%d,"price":1}]}' \
               % (i, i + 3, tb.START + tb.SECOND)
        s.ask(body.encode())  # over one connection: those that are closed count until they are reaped
    assert d.counter("tickbus_sources") <= 20
    assert send(d, [tb.trade("A", 2, 100, 99)], "bomb0", 99)["accepted"] == 1


@test
def a_bomb_of_subscribers_meets_the_limit(d):
    crowd = []
    for _ in range(60):
        try:
            crowd.append(d.subscribe("tick"))
        except OSError:
            pass
    time.sleep(0.3)
    assert d.counter("tickbus_connections_refused_total") >= 30
    assert sum(1 for line in d.http("/metrics")[1].split("\n") if line.startswith('tickbus_subscribers{kind="tick"} ')
               and float(line.split()[1]) <= 21) == 1
    for s in crowd:
        s.close()
    until("room for a subscriber", lambda: d.subscribe("tick").message().startswith(b"hb|"))


@test
def messages_of_absurd_length_close_their_connection(d):
    for port, protocol in (("ingest", 0x30), ("catchup", 0x30), ("tick", 0x21), ("json_bar", 0x21)):
        for size in ((4 << 20) + 1, 1 << 32, 1 << 62, 1 << 63, (1 << 64) - 1):
            s = tb.SpSocket(d.port[port], protocol)
            s.sock.sendall(struct.pack(">Q", size) + b"x" * 64)
            s.sock.settimeout(5)
            try:
                while s.sock.recv(1 << 16):
                    pass  # what a publisher had to say before
            except ConnectionError:
                pass
            s.close()
    assert d.counter("process_resident_memory_bytes") < (2 << 30 if faultlib.SLOW else 256 << 20)
    assert send(d, [tb.trade("A", 1, 100, 1)])["accepted"] == 1


@test
def a_flood_of_nonsense_writes_few_lines_and_keeps_few_ticks(d):
    s = d.ingest()
    for first in range(1, 40_001, 1000):
        reply = send(d, [("A", tb.START + tb.SECOND, -1, 1, q) for q in range(first, first + 1000)], "bad", first, s)
        assert reply["rejected"] == 1000, reply
    for _ in range(300):
        s.ask(os.urandom(100))
    assert len(d.errors().split("\n")) < 200, "the log is flooded"
    assert d.counter("tickbus_ticks_rejected_total") >= 40_000
    kept = d.admin("quarantine", n=1000)["result"]
    assert len(kept["ticks"] if "ticks" in kept else kept[next(iter(kept))]) <= 100, kept
    assert send(d, [tb.trade("A", 1, 100, 1)], "good")["accepted"] == 1


def with_stderr(d, fd):
    d.process = subprocess.Popen([BINARY, "--config", d.config], stderr=fd)
    until("ready", lambda: d.http("/readyz")[0] == 200, 30)


@test
def a_full_or_closed_log_pipe_never_stops_the_bus(d):
    d.stop()
    reader, writer = os.pipe()
    fcntl.fcntl(writer, 1031, 4096)  # F_SETPIPE_SZ
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 512)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    with_stderr(d, writer)
    # Each reload writes lines; none of them must wait for the reader.
    d.edit_config(lambda t: t.replace("too_old: 1d", "too_old: 2d"))
    for _ in range(20):
        assert d.admin("reload")["ok"]
    assert send(d, [tb.trade("A", 1, 100, 1)])["accepted"] == 1
    assert d.stop() == 0
    os.close(reader)
    with_stderr(d, writer)  # nobody reads: SIGPIPE, were it not ignored
    assert d.admin("reload")["ok"]
    assert send(d, [tb.trade("A", 2, 100, 2)], first_seq=2)["accepted"] == 1
    assert d.stop() == 0
    os.close(writer)


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
