#!/usr/bin/env python3
"""Rude peers against every listener: rude.py TICKBUSD [ROUNDS [SEED]]

Each round attacks every socket of a busy daemon in all ways of reliability.md, fault
50, and more, then asks as a polite peer: within 5 s every listener must serve, that is
answer a request or deliver an event.  Half of the rounds run over tcp://, half over
ipc://.  nng 1.5.2's listeners do die of this (#1518): the guard must have revived some
in a long run, else the attack was no attack.
"""
import json
import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402

LIMIT_S = 5.0
PUBS = ("tick bar tier1 tier2 status json_tick json_bar json_tier1 json_tier2 json_status").split()
REPS = ("ingest", "catchup")
MORE = """
simulator: {enabled: true, seed: 5, symbols: 4, compress: 20, start: 2024-01-02T14:30:00Z,
  trades_per_second: 20, quotes_per_second: 1}
tier1: {ready_bars: 2, norm_window: 5}
defaults: {source: sim, timeframes: [1s], price_types: [last]}
universes: {u: {symbols: all, timeframe: 1s, window: 10, min_obs: 3}}
"""


class Place:
    """Where a listener is: a TCP port or the path of a unix socket."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.is_unix = isinstance(address, str)

    def connect(self, timeout=0.5):
        s = socket.socket(socket.AF_UNIX if self.is_unix else socket.AF_INET)
        s.settimeout(timeout)
        try:
            s.connect(self.address if self.is_unix else ("127.0.0.1", self.address))
        except OSError:
            s.close()
            raise
        return s


# ---- rudeness: each takes a fresh connection ----

def reset(s):
    """Close with RST where there is such a thing."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def halves(s, rng):
    s.sendall(b"\0SP\0\0\x21\0\0"[:rng.randrange(1, 8)])


def vanish(s, rng):
    s.close()


def vanish_with_reset(s, rng):
    reset(s)


def shut_then_close(s, rng):
    s.shutdown(socket.SHUT_WR)
    s.close()


def shut_then_reset(s, rng):
    s.shutdown(socket.SHUT_WR)
    reset(s)


def half_greeting_then_close(s, rng):
    halves(s, rng)
    s.close()


def half_greeting_then_reset(s, rng):
    halves(s, rng)
    reset(s)


def http_request(s, rng):
    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    s.close()


def tls_hello(s, rng):
    s.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(64))
    reset(s)


def wrong_protocol(s, rng):
    s.sendall(struct.pack(">4sHH", b"\0SP\0", rng.randrange(0x60), 0) + rng.randbytes(40))
    s.close()


def giant_message(s, rng):
    n = rng.choice([(1 << 20) + 1, 1 << 32, 1 << 63, (1 << 64) - 1])
    s.sendall(b"\0SP\0\0\x30\0\0" + (b"\1" if s.family == socket.AF_UNIX else b"") + struct.pack(">Q", n) + b"x")
    s.close()


def garbage(s, rng):
    s.sendall(rng.randbytes(rng.randrange(1, 4096)))
    reset(s)


ATTACKS = [vanish, vanish_with_reset, shut_then_close, shut_then_reset, half_greeting_then_close,
           half_greeting_then_reset, http_request, tls_hello, wrong_protocol, giant_message, garbage]


def attack(places, rng):
    for place in rng.sample(places, len(places)):
        for rude in rng.sample(ATTACKS, len(ATTACKS)):
            try:
                rude(place.connect(), rng)
            except OSError:
                pass  # it would not even have us


# ---- politeness: each returns, or raises OSError ----

def greet(place, protocol):
    s = place.connect()
    s.sendall(struct.pack(">4sHH", b"\0SP\0", protocol, 0))
    if len(exactly(s, 8)) != 8:
        raise OSError("no greeting")
    return s


def exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data


def message(s):
    head = exactly(s, 9 if s.family == socket.AF_UNIX else 8)
    return exactly(s, struct.unpack(">Q", head[-8:])[0])


def ask(place, body):
    s = greet(place, 0x30)
    try:
        lead = b"\1" if place.is_unix else b""
        s.sendall(lead + struct.pack(">QI", 4 + len(body), 0x80000001) + body)
        return message(s)[4:]
    finally:
        s.close()


def is_served(place):
    if place.name == "ingest":
        ask(place, b"{}")  # refused, but answered
    elif place.name == "catchup":
        ask(place, b"{}")
    elif place.name in PUBS:
        s = greet(place, 0x21)
        while message(s).startswith(b"hb|"):
            pass
        s.close()
    elif place.name == "http":
        s = place.connect()
        s.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if not s.recv(100).startswith(b"HTTP/1.1 200"):
            raise OSError("no 200")
        s.close()
    elif place.name == "admin":
        s = place.connect()
        s.sendall(b'{"id":1,"cmd":"status"}\n')
        if b'"ok"' not in s.recv(1 << 16):
            raise OSError("no answer")
        s.close()
    else:
        s = place.connect()
        if exactly(s, 4) != b"TBRG":
            raise OSError("no rings")
        s.close()


def heal(place, begin, out):
    """How long until the place serves, from @begin on."""
    while True:
        try:
            is_served(place)
            break
        except OSError as e:
            if time.monotonic() > begin + 30:
                out[place.name] = (float("inf"), repr(e))
                return
            time.sleep(0.05)
    out[place.name] = (time.monotonic() - begin, "")


def serve_all(places, begin):
    out = {}
    threads = [threading.Thread(target=heal, args=(p, begin, out)) for p in places]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


class Mover(threading.Thread):
    """Pauses and resumes a symbol, so that there is always a status event."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.d, self.stop = d, threading.Event()
        self.start()

    def run(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(os.path.join(self.d.dir, "admin.sock"))
        symbol = None
        while not self.stop.wait(0.2):
            for cmd in ("symbols",) if symbol is None else ("pause", "resume"):
                s.sendall(json.dumps({"id": 1, "cmd": cmd, "symbol": symbol} if symbol else
                                     {"id": 1, "cmd": cmd}).encode() + b"\n")
                data = b""
                while not data.endswith(b"\n"):
                    data += s.recv(1 << 16)
                if cmd == "symbols":
                    rows = json.loads(data)["result"]["symbols"]
                    symbol = rows[0]["symbol"] if rows else None
        s.close()


def over_ipc(d):
    """Move the nng sockets of @d into its directory."""
    def edit(text):
        for name in PUBS + list(REPS):
            text = text.replace(f"tcp://127.0.0.1:{d.port[name]}", f"ipc://{d.dir}/{name}.sock")
        return text
    d.edit_config(edit)
    places = [Place(n, f"{d.dir}/{n}.sock") for n in PUBS + list(REPS)]
    return places + local_places(d)


def over_tcp(d):
    return [Place(n, d.port[n]) for n in PUBS + list(REPS)] + local_places(d)


def local_places(d):
    return [Place("http", d.port["http"]), Place("admin", f"{d.dir}/admin.sock"),
            Place("ring", f"{d.dir}/ring.sock")]


def run(binary, transport, rounds, rng):
    d = faultlib.Daemon(binary, more=MORE)
    places = transport(d)
    worst, limit = {}, LIMIT_S * (4 if faultlib.SLOW else 1)
    try:
        # A listener that a peer has killed is never freed by nng: no leak of ours.
        d.start(wait=False, env={"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"})
        faultlib.until("ready", lambda: d.http("/readyz")[0] == 200, 60)
        mover = Mover(d)
        serve_all(places, time.monotonic() + 25)  # matrices need some bars first
        for n in range(rounds):
            attack(places, rng)
            for name, (took, why) in serve_all(places, time.monotonic()).items():
                worst[name] = max(worst.get(name, 0), took)
                assert took <= limit, f"round {n}: {name} is back after {took:.1f} s {why}"
        mover.stop.set()
        mover.join(10)
        restarts = d.counter("tickbus_listener_restarts_total")
        assert d.stop() == 0, "SIGTERM after all this"
    except BaseException:
        print(f"# {transport.__name__}: state in {d.dir}\n{d.errors()[-3000:]}", file=sys.stderr)
        raise
    finally:
        d.remove()
    print(f"# {transport.__name__}: {rounds} rounds x {len(places)} listeners x {len(ATTACKS)} ways; "
          f"{restarts:.0f} listeners revived; slowest back: "
          + ", ".join(f"{n} {t:.2f} s" for n, t in sorted(worst.items(), key=lambda x: -x[1])[:4]), flush=True)
    return restarts


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 4
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
    print(f"rude: seed {seed}, {rounds} rounds", flush=True)
    rng = random.Random(seed)
    restarts = run(sys.argv[1], over_tcp, (rounds + 1) // 2, rng) + run(sys.argv[1], over_ipc, rounds // 2, rng)
    assert restarts > 0 or rounds < 10, "no listener died: the attack was none"
    print(f"rude: {rounds} rounds, every listener back within {LIMIT_S:.0f} s each time")


if __name__ == "__main__":
    main()
