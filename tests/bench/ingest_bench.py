#!/usr/bin/env python3
"""How fast a job takes bars from a vendor: ingest_bench.py BUILD [SYMBOLS [PAGES]]

at once   pages of 10,000 bars that were made before, so the server only sends bytes; it
          shares the machine with the daemon.  Then the same job once more.
200 ms    500 symbols of one page each from a vendor that takes 200 ms to answer, 8 at once:
          how much longer than 500 / 8 * 200 ms.

One fact per line: bench <tab> variant <tab> measure <tab> value.
"""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = 10000
START = 1704153600
BUILD, N, PAGES = sys.argv[1], *(int(a) for a in (sys.argv[2:] + ["8", "20"][len(sys.argv) - 2:])[:2])
sys.argv[1:] = [os.path.join(BUILD, "daemon", "tickbusd"), os.path.join(BUILD, "cli", "tickbusctl")]
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import fakevendor  # noqa: E402
import ingest_test  # noqa: E402


def fact(variant, measure, value):
    print(f"ingest\t{variant}\t{measure}\t{value:.3g}", flush=True)


class Canned(fakevendor.FakeVendor):
    """Answers that were made before, by symbol and first minute."""

    def __init__(self, symbols, pages):
        super().__init__(page=PAGE)
        self.bodies = {}
        for k in range(pages):
            first = START + k * PAGE * 60
            rows = json.dumps([fakevendor.bar("X", first + i * 60) for i in range(PAGE)])
            token = "null" if k == pages - 1 else json.dumps(self.token(first + PAGE * 60))
            for s in symbols:
                self.bodies[s, first] = f'{{"bars":{{"{s}":{rows}}},"next_page_token":{token}}}'.encode()

    def send(self, h, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        h.send_response(status)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data)

    def bars(self, symbol, q):
        return self.bodies[symbol, self.first(q)]


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def at_once(symbols, pages):
    d = ingest_test.World(Canned(symbols, pages))
    try:
        d.start()
        args = [*symbols, "--start", "2024-01-02", "--end",
                time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + pages * PAGE * 60))]
        job = d.fetch(*args)
        assert job["rows"] == len(symbols) * pages * PAGE, job
        fact("at once", "M bars/s", job["rows"] / job["elapsed_ms"] / 1000)
        fact("at once", "MiB resident at most", peak_mib(d.process.pid))
        begin = time.monotonic()
        assert d.fetch(*args)["requests"] == 0
        fact("at once", "s, once more", time.monotonic() - begin)
    finally:
        d.remove()


def far_away():
    d = ingest_test.World(fakevendor.FakeVendor(page=PAGE, latency=0.2),
                          ingest_test.CONFIG.replace("workers: 4", "workers: 8"))
    try:
        d.start()
        many = ingest_test.file_in(d, "many.txt", "\n".join(f"M{i:03d}" for i in range(500)))
        job = d.fetch("--text", many, "--start", "2024-01-02", "--end", "2024-01-02T01:00:00Z")
        assert job["successful"] == 500, job
        fact("200 ms", "times the ideal", job["elapsed_ms"] / (500 / 8 * 200))
        begin = time.monotonic()
        d.fetch("--text", many, "--start", "2024-01-02", "--end", "2024-01-02T01:00:00Z")
        fact("200 ms", "s, once more", time.monotonic() - begin)
    finally:
        d.remove()


if __name__ == "__main__":
    at_once([f"S{i}" for i in range(N)], PAGES)
    far_away()
