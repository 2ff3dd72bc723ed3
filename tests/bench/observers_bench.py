#!/usr/bin/env python3
"""What those cost who look at the daemon: observers_bench.py BUILD [scrape|page|trace|otlp ...] [--seconds S] [--pairs N]

A B A B ... in one run, each on a fresh daemon that is flooded with 1,000 symbols as fast as it acknowledges:

scrape  B: 20 clients, each asking for /metrics once a second
page    B: one page is open: its stream, and what it asks for beside
trace   A: trace.steps: 0, B: as by default
otlp    B: trace.otlp to a collector of this program that takes everything

Of both: what is acknowledged a second (another program that works at the time shows in it), and the processor time of
the daemon per tick (which is less easily disturbed).  Medians, and the median of the pairs' differences.
One fact per line: bench <tab> variant <tab> measure <tab> value.
"""
import argparse
import http.client
import http.server
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import tickbusd as tb  # noqa: E402
from e2e_bench import config, cpu_seconds, facts, wait_dry  # noqa: E402

SCRAPERS = 20
SYMBOLS = 1000


def get(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    c.request("GET", path)
    body = c.getresponse().read()
    c.close()
    return body


class Watch:
    """Threads that ask until they are stopped."""

    def __init__(self):
        self.over, self.n, self.threads = threading.Event(), 0, []

    def every(self, seconds, offset, fn):
        def run():
            if self.over.wait(offset):
                return
            while True:
                fn()
                self.n += 1
                if self.over.wait(seconds):
                    return

        self.threads.append(threading.Thread(target=run, daemon=True))
        self.threads[-1].start()

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join(30)


class Scraper:
    """Asks for /metrics and looks at nothing of it: what the asker needs itself is taken from the producer, and is no cost
    of the daemon."""

    def __init__(self, port):
        self.port, self.room = port, bytearray(1 << 20)

    def __call__(self):
        with socket.create_connection(("127.0.0.1", self.port), 30) as s:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            n = s.recv_into(self.room)
            assert self.room.startswith(b"HTTP/1.1 200"), bytes(self.room[:80])
            while n > 0:
                n = s.recv_into(self.room)


def scrape(d, w):
    for i in range(SCRAPERS):
        w.every(1, i / SCRAPERS, Scraper(d.port["http"]))


def page(d, w):
    """What share/page asks for."""
    stream = http.client.HTTPConnection("127.0.0.1", d.port["http"], timeout=30)
    stream.request("GET", "/live")
    answer = stream.getresponse()

    def read():
        while not w.over.is_set() and answer.read1(1 << 16):
            pass

    w.every(0, 0, read)
    w.every(1, 0.1, lambda: get(d.port["http"], "/api/universes"))
    w.every(1, 0.2, lambda: get(d.port["http"], "/api/matrix?name=u20&timeframe=1m"))
    for i, name in enumerate(("status", "sources", "gaps", "jobs", "subscribers", "freezes")):
        w.every(3, i / 3, lambda n=name: get(d.port["http"], "/api/" + n))


class Taker(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


COLLECTOR = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taker)
# what: (more configuration of A, of B, who looks)
VARIANTS = {"scrape": ("", "", scrape), "page": ("", "", page), "trace": ("trace: {steps: 0}\n", "", None),
            "otlp": ("", f'trace: {{otlp: "http://127.0.0.1:{COLLECTOR.server_address[1]}/v1/traces"}}\n', None)}


def phase(build, seconds, more, watch):
    d = tb.Tickbusd(os.path.join(build, "daemon", "tickbusd"), durability="normal", more=config() + more)
    w = Watch()
    try:
        d.start()
        if watch is not None:
            watch(d, w)
        flood = os.path.join(build, "tests", "bench", "bench_flood")
        made = facts(subprocess.run([flood, f"tcp://127.0.0.1:{d.port['ingest']}", str(SYMBOLS), str(seconds), "20000"],
                                    stdout=subprocess.PIPE, text=True, check=True).stdout)
        cpu_s, threads = cpu_seconds(d.process.pid), d.admin("top")["result"]["threads"]
        status = wait_dry(d)
        spent_s = cpu_seconds(d.process.pid)
    finally:
        w.stop()
        d.remove()
    return {"k ticks/s": made["ticks_per_s"] / 1e3, "CPU us/tick": spent_s / status["ticks_accepted"] * 1e6,
            "loop CPU %": threads["loop"] / seconds * 100, "processors": cpu_s / seconds, "asked": w.n}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    p.add_argument("build")
    p.add_argument("what", nargs="*", default=list(VARIANTS))
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--pairs", type=int, default=5)
    args = p.parse_intermixed_args()
    threading.Thread(target=COLLECTOR.serve_forever, daemon=True).start()
    print(f"# load {os.getloadavg()[0]:.1f}", flush=True)
    for what in args.what:
        more_a, more_b, watch = VARIANTS[what]
        got = {"A": [], "B": []}
        for _ in range(args.pairs):
            for side, more, who in (("A", more_a, None), ("B", more_b, watch)):
                got[side].append(phase(args.build, args.seconds, more, who))
                print(f"# {what} {side}: " + json.dumps({k: round(v, 2) for k, v in got[side][-1].items()}), flush=True)
        for measure in got["A"][0]:
            a, b = (statistics.median(x[measure] for x in got[side]) for side in "AB")
            print(f"observers\t{what}, without\t{measure}\t{a:.4g}\nobservers\t{what}, with\t{measure}\t{b:.4g}")
        for measure in ("k ticks/s", "CPU us/tick"):
            pairs = [(b[measure] / a[measure] - 1) * 100 for a, b in zip(got["A"], got["B"])]
            print(f"observers\t{what}\tdifference of {measure}, %\t{statistics.median(pairs):.2f}\t({min(pairs):.1f} - {max(pairs):.1f})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
