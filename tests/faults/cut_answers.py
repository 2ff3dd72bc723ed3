#!/usr/bin/env python3
"""Catch-up cut while an answer is on its way, again and again: cut_answers.py TICKBUSD [CUTS [SEED]]

Behind a proxy every connection asks for a page and is cut after some bytes of the answer.
That can make nng 1.5.2's thread that takes leave of connections wait for ever: then the
guard must end the process within 30 s (daemon/guard.c), and the next start must serve
every tick.  Either way the daemon serves in the end.  Prints one line, exit code 1 if not.
"""
import os
import random
import socket
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "torture")]
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402
from proxy import Plan, Proxy  # noqa: E402

TICKS = 5000
REQUEST = (b"\x80\0\0\1" + struct.pack("<HHHH", 24, 31, 7400, 1) + struct.pack("<QIIIB3x", 0, 0, 0, 1, 1) +
           struct.pack("<HH", 56, 0))


def cut_one(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as s:
            s.settimeout(1)
            s.sendall(struct.pack(">4sHH", b"\0SP\0", 0x30, 0) + struct.pack(">Q", len(REQUEST)) + REQUEST)
            while s.recv(65536):
                pass
    except OSError:
        pass


def serves(d):
    try:
        return len(d.all_ticks()) == TICKS
    except (OSError, ConnectionError):
        return False


def main():
    cuts = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
    rng, d = random.Random(seed), faultlib.Daemon(sys.argv[1])
    d.start()
    for first in range(1, TICKS, 500):
        tb.feed(d, [tb.trade(f"S{q % 11}", q * 0.01, 100, q) for q in range(first, first + 500)], first_seq=first)
    proxy = Proxy(d.port["catchup"], lambda n: Plan(cut_down=rng.randrange(8, 4096)))
    for _ in range(cuts):
        cut_one(proxy.port)
    end, ended = time.monotonic() + 40, False
    while time.monotonic() < end and not ended and not serves(d):
        time.sleep(0.5)
        ended = d.process.poll() is not None
    if ended:
        assert d.process.returncode == -6 and "taken leave" in d.errors(), d.errors()[-2000:]
        d.start()
    ok = serves(d)
    proxy.close()
    print(f"cut_answers: seed {seed}, {cuts} cuts; " +
          ("the guard ended the process, the next start " if ended else "the daemon ") + ("serves" if ok else "FAILED"))
    d.remove()
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
