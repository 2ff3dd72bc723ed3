#!/usr/bin/env python3
"""Faults of subscribers, producers, admin and HTTP (docs/FAULTS.md, E): peers_test.py TICKBUSD [TEST]"""
import json
import os
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402
from faultlib import until  # noqa: E402

BINARY = sys.argv[1]
MORE = "defaults: {timeframes: [1m], price_types: [last]}\ntier1: {enabled: false}\n"
test, TESTS = faultlib.collector()


def make():
    return faultlib.Daemon(BINARY, more=MORE)


def send(d, first, n=1, producer="p", sock=None, symbol="A"):
    s = sock or d.ingest()
    reply = tb.sbe_reply(s.ask(tb.sbe_ticks(producer, "test", first, [
        tb.trade(symbol, q * 0.001, 100, q) for q in range(first, first + n)])))
    if sock is None:
        s.close()
    return reply


class Pulse(threading.Thread):
    """A producer that sends all the time and keeps the longest wait for an answer."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.d, self.sock, self.acked, self.worst, self.stop = d, d.ingest(), 0, 0.0, threading.Event()
        self.start()

    def run(self):
        while not self.stop.is_set():
            begin = time.monotonic()
            reply = send(self.d, self.acked + 1, 20, "pulse", self.sock, "PULSE")
            self.worst = max(self.worst, time.monotonic() - begin)
            assert reply["accepted"] == 20, reply
            self.acked += 20

    def end(self, worst):
        self.stop.set()
        self.join(20 * tb.PATIENCE)
        assert not self.is_alive(), "the producer is stuck"
        print(f"# {self.acked} ticks acknowledged meanwhile, the slowest answer took {self.worst * 1000:.0f} ms")
        assert self.acked > 0 and self.worst < worst * tb.PATIENCE * (5 if faultlib.SLOW else 1), self.worst


# ---- catch-up ----

@test
def a_crowd_that_catches_up_keeps_no_tick_from_its_commit(d):
    """What was taken is committed between their pages, however many wait for one."""
    s, n = d.ingest(), 64
    for first in range(1, 50_001, 500):
        assert send(d, first, 500, sock=s)["accepted"] == 500
    page = struct.pack("<HHHHQIIIB3xHH", 24, 31, 7400, 1, 1, 0, 0, 1, 1, 56, 0)
    crowd = [d.catchup() for _ in range(n)]
    answered = []

    def hear(c):
        c.message()
        answered.append(c)

    threads = [threading.Thread(target=hear, args=(c,)) for c in crowd]
    for t in threads:
        t.start()
    for i, c in enumerate(crowd):
        if i == n // 8:
            s.send(struct.pack(">I", 1 << 31) + tb.sbe_ticks("p", "test", 50_001, [tb.trade("A", 60, 100, 50_001)]))
        c.send(struct.pack(">I", 1 << 31) + page)
    assert tb.sbe_reply(s.message()[4:])["accepted"] == 1
    before = len(answered)
    for t in threads:
        t.join(60 * tb.PATIENCE)
    print(f"# {before} of {n} pages came before the tick's answer")
    assert len(answered) == n and before < n - 4, (before, len(answered))


# ---- subscribers ----

@test
def subscribers_that_stop_or_crawl_hold_up_nobody(d):
    good = tb.Listener(d, "tick")
    stopped, crawler = d.subscribe("tick"), d.subscribe("tick")
    done = threading.Event()

    def crawl():
        while not done.wait(0.05):
            crawler.sock.recv(1)

    t = threading.Thread(target=crawl)
    t.start()
    s = d.ingest()
    for first in range(1, 50_001, 500):
        assert send(d, first, 500, sock=s)["accepted"] == 500
    end = time.monotonic() + 80
    while time.monotonic() < end:
        got = [sum(1 for _ in tb.frame_blocks(m[5:])) for m in list(good.messages) if m.startswith(b"tick|")]
        if sum(got) == 50_000:
            break
        time.sleep(0.1)
    done.set()
    t.join()
    assert sum(got) == 50_000, f"the good subscriber has {sum(got)} of 50000"
    assert stopped.sock.fileno() >= 0


@test
def a_storm_of_reconnects_costs_the_bus_little(d):
    pulse, end, n = Pulse(d), time.monotonic() + 3, 0
    while time.monotonic() < end:
        batch = []
        for _ in range(20):
            try:
                batch.append(tb.SpSocket(d.port["tick"], 0x21, 2))
            except OSError:
                pass
        n += len(batch)
        for s in batch:
            s.close()
        time.sleep(0.01)
    print(f"# {n / 3:.0f} connections per second")
    pulse.end(1.0)
    until("a subscriber", lambda: d.subscribe("tick").message())


@test
def half_handshakes_do_not_use_up_the_listener(d):
    halves = []
    for i in range(100):
        s = socket.create_connection(("127.0.0.1", d.port["ingest"]), 2)
        s.sendall(b"\0SP\0\0\x30\0\0"[:i % 8])
        halves.append(s)
    begin = time.monotonic()
    until("an answer", lambda: send(d, 1)["accepted"] == 1, 15)
    print(f"# a polite producer is served after {time.monotonic() - begin:.1f} s")
    if faultlib.LONG:  # nng gives a handshake ten seconds
        halves[-1].settimeout(15)
        while halves[-1].recv(8):
            pass
    for s in halves:
        s.close()


@test
def garbage_after_a_good_handshake_closes_its_pipe_alone(d):
    pulse = Pulse(d)
    for port, protocol in (("tick", 0x21), ("ingest", 0x30), ("catchup", 0x30)):
        for _ in range(20):
            s = tb.SpSocket(d.port[port], protocol)
            try:
                s.sock.sendall(os.urandom(3000))
            except OSError:
                pass
            s.close()
    pulse.end(1.0)


# ---- admin ----

@test
def admin_clients_of_every_bad_kind_are_bounded(d):
    pulse = Pulse(d)
    path = os.path.join(d.dir, "admin.sock")

    def client():
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(path)
        return s

    # Too long a line, with and without an end.
    s = client()
    try:
        for _ in range(64):
            s.sendall(b"x" * 65536)
        assert s.recv(10) == b""
    except (BrokenPipeError, ConnectionResetError):
        pass
    s.close()
    # Unknown, malformed, of the wrong type: an answer each, the connection stays.
    s = client()
    f = s.makefile("rb")
    for line, code in ((b'{"id":1,"cmd":"nonsense"}', "unknown_command"), (b"{", "bad_request"),
                       (b"[1]", "bad_request"), (b'{"id":1,"cmd":7}', "unknown_command"),
                       (b'{"id":1,"cmd":"log_tail","n":-1}', "bad_request"), (b"\0\xff\xfe", "bad_request")):
        s.sendall(line + b"\n")
        answer = json.loads(f.readline())
        assert not answer["ok"] and answer["code"] == code, (line, answer)
    # Cut off in the middle.
    s.sendall(b'{"id":1,"cmd":"sta')
    s.close()
    # Ten thousand in one go: answered in order, or cut at the bound; never an endless queue.
    s = client()
    f = s.makefile("rb")
    got = 0

    def pour():
        try:
            for i in range(10_000):
                s.sendall(b'{"id":%d,"cmd":"help"}\n' % i)
        except OSError:
            pass

    t = threading.Thread(target=pour)
    t.start()
    try:
        while line := f.readline():
            assert json.loads(line)["id"] == got
            got += 1
            if got == 10_000:
                break
    except ConnectionResetError:
        pass
    s.close()
    t.join(10)
    assert got > 0
    # Many at once, slow ones among them.
    crowd = []
    for _ in range(200):
        try:
            crowd.append(client())
            crowd[-1].sendall(b'{"id":1,')
        except OSError:
            pass
    for s in crowd:
        s.close()
    until("admin", lambda: d.admin("status")["ok"])
    two = [client(), client()]
    for s in two:
        s.sendall(b'{"id":5,"cmd":"status"}\n')
    for s in two:
        assert b'"id":5' in s.recv(1 << 16)
        s.close()
    print(f"# {got} of 10000 pipelined requests answered")
    pulse.end(1.0)


@test
def another_uid_is_refused_at_admin_and_ring(d):
    if os.geteuid() != 0:
        print("# only root can become somebody else")
        return
    os.chmod(d.dir, 0o755)  # let the socket's own mode speak
    for name in ("admin.sock", "ring.sock"):
        path = os.path.join(d.dir, name)
        assert os.stat(path).st_mode & 0o777 == 0o600
        for mode in (0o600, 0o666):
            os.chmod(path, mode)
            pid = os.fork()
            if pid == 0:
                os.setgid(54321)
                os.setuid(54321)
                code = 3
                try:
                    s = socket.socket(socket.AF_UNIX)
                    s.settimeout(5)
                    s.connect(path)
                    s.sendall(b'{"id":1,"cmd":"status"}\n')
                    code = 4 if s.recv(10) else 0
                except PermissionError:
                    code = 0
                except (BrokenPipeError, ConnectionResetError):
                    code = 0
                finally:
                    os._exit(code)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, (name, oct(mode))
    assert d.counter("tickbus_admin_refused_total") >= 1 and d.counter("tickbus_ring_refused_total") >= 1


# ---- HTTP ----

def http(d, data, timeout=8):
    """What comes back, and how long it took."""
    begin = time.monotonic()
    with socket.create_connection(("127.0.0.1", d.port["http"]), timeout) as s:
        out = b""
        try:
            s.sendall(data)
            while part := s.recv(1 << 16):
                out += part
        except ConnectionError:
            pass
    return out, time.monotonic() - begin


@test
def http_clients_of_every_bad_kind_get_an_error_or_are_cut(d):
    pulse = Pulse(d)
    head = b"Host: localhost\r\n"
    cases = ((b"POST /metrics HTTP/1.1\r\n" + head + b"Content-Length: 3\r\n\r\nabc", (405,)),
                           (b"OPTIONS * HTTP/1.1\r\n" + head + b"\r\n", (405, 400)),
                           (b"DELETE /readyz HTTP/1.1\r\n" + head + b"\r\n", (405,)),
                           (b"GET /../../etc/passwd HTTP/1.1\r\n" + head + b"\r\n", (404,)),
                           (b"GET /%2e%2e/x HTTP/1.1\r\n" + head + b"\r\n", (404,)),
                           (b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", (431, 413, 400, None)),
                           (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + head + b"\r\n", (414, 431, 404, None)),
                           (b"POST /readyz HTTP/1.1\r\n" + head + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", (400, 405, 413, None)),
                           (b"GET /..%2f..%2f..%2fetc/passwd HTTP/1.1\r\n" + head + b"\r\n", (404,)),
                           (b"GET //etc/passwd HTTP/1.1\r\n" + head + b"\r\n", (404,)),
                           (b"GET /metrics%00.html HTTP/1.1\r\n" + head + b"\r\n", (404, 400, 200)),
                           (b"GET /api/../metrics HTTP/1.1\r\n" + head + b"\r\n", (404,)),
                           (b"GET /api/shutdown HTTP/1.1\r\n" + head + b"\r\n", (404,)),
                           (b"GET http://evil.example/metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", (404, 421)),
                           (b"GET /metrics HTTP/1.1\r\n\r\n", (400,)),
                           (b"\x16\x03\x01\x02\x00\x01\x00", (400, None)),
                           (b"\r\n\r\n\r\n", (400, None)),
                           (b"GET /readyz\r\n\r\n", (200, 400, 505, None)))
    wrong = []

    def try_one(request, codes):
        out, took = http(d, request)
        code = int(out.split()[1]) if out.startswith(b"HTTP/1") else None
        if code not in codes or took > 8 * tb.PATIENCE:
            wrong.append((request[:60], out[:200], took))

    threads = [threading.Thread(target=try_one, args=c) for c in cases]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong, wrong
    out, _ = http(d, b"HEAD /metrics HTTP/1.1\r\n" + head + b"\r\n")
    assert out.startswith(b"HTTP/1.1 200") and out.endswith(b"\r\n\r\n")
    # Pipelined: the first is answered, then the connection is closed.
    out, _ = http(d, (b"GET /readyz HTTP/1.1\r\n" + head + b"\r\n") * 50)
    assert out.count(b"HTTP/1.1 200") >= 1 and b"lose" in out
    pulse.end(1.0)


@test
def a_slow_loris_is_cut_and_others_are_served(d):
    begin, crowd = time.monotonic(), []
    for _ in range(40):
        s = socket.create_connection(("127.0.0.1", d.port["http"]), 10)
        s.sendall(b"GET /metrics HT")
        crowd.append(s)
    assert d.http("/readyz")[0] == 200
    s = crowd[0]
    s.settimeout(15 * tb.PATIENCE)
    assert s.recv(100) in (b"",) or time.monotonic() - begin < 12 * tb.PATIENCE
    took = time.monotonic() - begin
    assert took < 12 * tb.PATIENCE, f"cut after {took:.0f} s"
    for s in crowd:
        s.close()
    print(f"# cut after {took:.1f} s")


@test
def a_thousand_connections_cost_others_a_wait_and_nothing_else(d):
    pulse, crowd, before = Pulse(d), [], d.counter("process_open_fds")
    for i in range(1000):
        s = socket.socket()
        s.setblocking(False)
        try:
            s.connect(("127.0.0.1", d.port["http"]))
        except BlockingIOError:
            pass
        crowd.append(s)
    for i, s in enumerate(crowd):
        try:
            s.sendall((b"", b"GET /metrics HTTP/1.1\r\nHost: loc", b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")[i % 3])
        except OSError:  # not taken yet: it waits in the kernel's queue
            pass
    begin = time.monotonic()
    assert d.admin("status")["ok"] and d.admin("status")["result"]["state"] == "ready"
    taken = sum(1 for f in os.listdir(f"/proc/{d.process.pid}/fd")) - before
    assert taken <= 64 + 16, f"{taken} descriptors for a crowd"
    for s in crowd:
        s.close()
    until("others", lambda: d.http("/readyz")[0] == 200, 20)
    print(f"# {taken:.0f} of 1000 were let in; others are served {time.monotonic() - begin:.1f} s later")
    until("descriptors", lambda: d.counter("process_open_fds") <= before + 2, 20)
    pulse.end(1.0)


@test
def twenty_scrapes_at_once_during_the_peak_hold_up_nothing(d):
    pulse, errors, sizes = Pulse(d), [], []

    def scrape():
        for _ in range(10):
            try:
                code, text = d.http("/metrics")
                assert code == 200 and text.endswith("\n"), code
                sizes.append(len(text))
            except Exception as e:
                errors.append(repr(e))

    threads = [threading.Thread(target=scrape) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    pulse.end(1.0)
    assert not errors and len(sizes) == 200, errors[:3]


# ---- producers ----

@test
def sequences_that_go_wrong_are_answered_and_take_nothing(d):
    assert send(d, 100, 10)["accepted"] == 10
    assert send(d, 50, 10)["duplicate"] == 10, "backwards is a duplicate"
    assert send(d, 109, 2)["accepted"] == 1
    for bad in (0, (1 << 62) + 1, (1 << 63), (1 << 64) - 1):
        s = d.ingest()
        reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", bad, [tb.trade("A", 1, 100, 1)])))
        s.close()
        assert reply["accepted"] == 0, (bad, reply)
    assert send(d, 111)["accepted"] == 1, "a foul sequence spoilt the producer"
    # The same name from two hosts: each sequence is taken once, whoever comes first.
    a, b = d.ingest(), d.ingest()
    taken = sum(send(d, 200 + i, 1, sock=s)["accepted"] for i in range(50) for s in (a, b))
    assert taken == 50, taken
    held = [t[2] for t in d.all_ticks()]
    assert len(held) == len(set(held)) == 62, len(held)


@test
def a_producer_that_dies_before_its_answer_may_send_again(d):
    for i in range(50):
        s = d.ingest()
        s.send(struct.pack(">I", 0x80000001) + tb.sbe_ticks("p", "test", i * 10 + 1, [
            tb.trade("A", q * 0.001, 100, q) for q in range(i * 10 + 1, i * 10 + 11)]))
        s.close()  # the answer finds nobody
        reply = until("the same again", lambda: send(d, i * 10 + 1, 10))
        assert reply["accepted"] + reply["duplicate"] == 10, reply
    held = [t[2] for t in d.all_ticks()]
    assert held == list(range(1, 501))


@test
def clients_reconnect_within_five_seconds_of_a_restart(d):
    # The raw protocol; the libraries' own redialling has tests with them.
    for i in range(5):
        d.process.send_signal(signal.SIGKILL if i % 2 else signal.SIGTERM)
        d.process.wait(30)
        d.start()
        begin = time.monotonic()
        until("a subscriber", lambda: d.subscribe("tick").message(), 5)
        assert send(d, i + 1)["accepted"] == 1
        assert time.monotonic() - begin < 5


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
