#!/usr/bin/env python3
"""How fast a job takes bars from a vendor that answers at once.

usage: ingest_bench.py TICKBUSD TICKBUSCTL [SYMBOLS [PAGES]]

Pages of 10,000 bars are made before, so the server only sends bytes; it shares the
machine with the daemon.  Prints bars a second, the daemon's largest resident size, and
how long the same job takes once more.
"""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import fakevendor  # noqa: E402
import ingest_test  # noqa: E402

PAGE = 10000
START = 1704153600


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


def main():
    n, pages = (int(a) for a in (sys.argv[3:] + ["8", "12"][len(sys.argv) - 3:])[:2])
    symbols = [f"S{i}" for i in range(n)]
    d = ingest_test.World(Canned(symbols, pages))
    try:
        d.start()
        before = peak_mib(d.process.pid)
        args = [*symbols, "--start", "2024-01-02", "--end",
                time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + pages * PAGE * 60))]
        job = d.fetch(*args)
        assert job["rows"] == n * pages * PAGE, job
        print(f"ingest   {job['rows'] / job['elapsed_ms'] / 1000:6.2f} M bars/s, {job['rows']} bars, "
              f"{peak_mib(d.process.pid):.0f} MiB resident at most ({before:.0f} before)")
        begin = time.monotonic()
        again = d.fetch(*args)
        assert again["requests"] == 0, again
        print(f"again    {time.monotonic() - begin:6.2f} s, of it {again['elapsed_ms']} ms in the daemon")
    finally:
        d.remove()


if __name__ == "__main__":
    main()
