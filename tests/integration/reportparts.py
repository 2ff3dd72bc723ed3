"""What the tests and the bench of reports share: vendors of daily bars and of news, and a daemon that has asked them."""
import datetime
import http.server
import json
import math
import os
import subprocess
import threading
import urllib.parse
import zlib

import tickbusd as tb

DAY = 86400
FIRST = datetime.date(2024, 1, 1)
DAYS = 400  # of them the weekdays
CONFIG = """
fetch: {{plain_http: true, private_addresses: true}}
ingest: {{workers: 4}}
credentials: {keys}
vendors:
  first: {{adapter: alpaca, base_url: "{a}", requests: 0, attempts: 2}}
  second: {{adapter: alpaca, base_url: "{b}", requests: 0, attempts: 2}}
"""
WORDS = ("surges to a record high", "plunges after a profit warning", "opens a plant", "beats estimates", "faces a probe",
         "raises its outlook", "is downgraded", "presents at a conference")


def weekdays():
    for i in range(DAYS):
        day = FIRST + datetime.timedelta(days=i)
        if day.weekday() < 5:
            yield day


def midnight(day):
    """Days begin at midnight in New York; without summer time, which nothing here is about."""
    return f"{day.isoformat()}T05:00:00Z"


def bars_of(symbol):
    """The same for ever: waves and noise that follow from the name."""
    seed = zlib.crc32(symbol.encode())
    base, out = 20 + seed % 400, []
    for i, day in enumerate(weekdays()):
        h = zlib.crc32(f"{symbol}{i}".encode())
        price = base * (1 + 0.1 * math.sin(i / (9 + seed % 17)) + 0.02 * math.sin(i / 3 + seed % 7) + (h % 1000 - 500) / 40000)
        o = price * (1 + (h // 1000 % 100 - 50) / 10000)
        high, low = max(price, o) * (1 + h % 37 / 5000), min(price, o) * (1 - h % 31 / 5000)
        out.append({"t": midnight(day), "o": round(o, 2), "h": round(high + 0.01, 2), "l": round(low - 0.01, 2),
                    "c": round(price, 2), "v": 100000 + h % 900000, "n": h % 500, "vw": round(price, 4)})
    return out


def news_of(symbol, n=40):
    """Two a day up to the last, each on a theme of its own."""
    out, last = [], list(weekdays())[-1]
    for i in range(n):
        at = datetime.datetime.combine(last, datetime.time(12)) - datetime.timedelta(hours=12 * (n - 1 - i))
        h = zlib.crc32(f"news{symbol}{i}".encode())
        out.append(article(symbol, i, at.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{symbol} {WORDS[h % len(WORDS)]}"))
    return out


def article(symbol, n, at, headline, url=None):
    return {"id": zlib.crc32(f"{symbol}/{n}".encode()), "headline": headline, "author": "", "created_at": at, "updated_at": at,
            "summary": "", "content": "", "url": url or f"https://news.example/{symbol}/{n}", "images": [],
            "symbols": [symbol], "source": "wire"}


class Vendor:
    """Speaks Alpaca; .bars and .news are functions of a symbol, and may be changed.  Symbols that begin with NOPE are unknown."""

    def __init__(self, bars=bars_of, news=news_of):
        self.bars, self.news = bars, news
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args):
                pass

            def do_GET(self):
                url = urllib.parse.urlparse(self.path)
                q = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
                body = json.dumps(vendor.answer(url.path, q)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path, q):
        symbol = q.get("symbols", "")
        inside = lambda t: q.get("start", "") <= t <= q.get("end", "9")  # noqa: E731
        if path == "/v1beta1/news":
            return {"news": [a for a in self.news(symbol) if inside(a["created_at"])], "next_page_token": None}
        if path == "/v2/stocks/bars" and not symbol.startswith("NOPE"):
            return {"bars": {symbol: [b for b in self.bars(symbol) if inside(b["t"])]}, "next_page_token": None}
        return {"bars": {}, "corporate_actions": {}, "next_page_token": None}

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class World(tb.Tickbusd):
    """A daemon with two vendors."""

    SPAN = ("--start", FIRST.isoformat(), "--end", (FIRST + datetime.timedelta(days=DAYS)).isoformat())

    def __init__(self, binary, ctl):
        self.first, self.second = Vendor(), Vendor()
        self.program = ctl
        super().__init__(binary)
        keys = os.path.join(self.dir, "keys")
        os.mkdir(keys)
        for vendor in ("first", "second"):
            for name, text in ((f"{vendor}_key", "k1\n"), (f"{vendor}_secret", "s1\n")):
                with open(os.path.join(keys, name), "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as f:
                    f.write(text)
        with open(self.config, "a", encoding="ascii") as f:
            f.write(CONFIG.format(a=self.first.url, b=self.second.url, keys=keys))

    def remove(self):
        super().remove()
        self.first.stop()
        self.second.stop()

    def ctl(self, *args, code=0, what="stdout"):
        done = subprocess.run([self.program, "--admin", os.path.join(self.dir, "admin.sock"), *args],
                              capture_output=True, text=True, timeout=300)
        assert code in (None, done.returncode), (args, done.returncode, done.stdout[-2000:], done.stderr[-2000:])
        return getattr(done, what)

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def fetch(self, symbols, vendor="first", code=0, *more):
        text = self.file("symbols.txt", "\n".join(symbols))
        self.ctl("ingest", "--text", text, *self.SPAN, "--timeframe", "1d", "--vendor", vendor, *more, code=code)

    def fetch_news(self, symbols, vendor="first"):
        text = self.file("symbols.txt", "\n".join(symbols))
        self.ctl("ingest", "--text", text, *self.SPAN, "--what", "news", "--vendor", vendor)

    def report(self, flow, symbols, *more, code=0):
        """Scored with our own words alone: figures must not depend on what is installed."""
        args = ["--symbols", ",".join(symbols)] if symbols else []
        return json.loads(self.ctl("report", flow, *args, "--json", "--vader", os.devnull, *more, code=code))

    @staticmethod
    def frame(symbol):
        """The bars that a vendor sent, as pandas has them."""
        import pandas as pd
        return pd.DataFrame(bars_of(symbol)).rename(columns={"t": "time", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"})
