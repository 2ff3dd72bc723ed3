"""A vendor that speaks Alpaca's bars over plain HTTP, for tests of jobs.

Every minute of every day has a bar whose numbers follow from symbol and time, so that a
test knows what must arrive.  Symbols that begin with NOPE are unknown (no data, as the
vendor has it); FAIL answers 500 for ever.
"""
import base64
import datetime
import http.server
import json
import threading
import time
import urllib.parse
import zlib

MINUTE = 60


def stamp(text):
    """Nanoseconds of an RFC 3339 time with up to 9 digits."""
    text = text.rstrip("Z")
    whole, _, fraction = text.partition(".")
    at = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return int(at.timestamp()) * 10 ** 9 + int((fraction + "0" * 9)[:9])


def bar(symbol, second):
    x = zlib.crc32(f"{symbol}{second}".encode())
    price = round(100 + x % 5000 / 100, 2)
    return {"t": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second)), "o": price,
            "h": round(price + 0.5, 2), "l": round(price - 0.25, 2), "c": round(price + 0.1, 2),
            "v": x % 100000, "n": x % 500, "vw": round(price + 0.123456, 6)}


class FakeVendor:
    def __init__(self, page=1000, latency=0.0):
        self.page, self.latency = page, latency
        self.requests = []
        self.news = {}  # articles by symbol, as the vendor writes them  # (path, symbol, start, token)
        self.open = threading.Event()  # cleared: requests wait
        self.open.set()
        self.lock = threading.Lock()
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *args):
                pass

            def do_GET(self):
                vendor.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                pass  # a daemon that was killed has hung up

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.open.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(self, h):
        url = urllib.parse.urlparse(h.path)
        q = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        symbol = q.get("symbols", "")
        with self.lock:
            self.requests.append((url.path, symbol, q.get("start"), q.get("page_token")))
        self.open.wait()
        time.sleep(self.latency)
        if h.headers.get("APCA-API-KEY-ID") != "k1" or h.headers.get("APCA-API-SECRET-KEY") != "s1":
            self.send(h, 401, {"message": "forbidden."})
        elif symbol.startswith("FAIL"):
            self.send(h, 500, {"message": "internal error"})
        elif url.path == "/v1/corporate-actions":
            self.send(h, 200, {"corporate_actions": {}, "next_page_token": None})
        elif url.path == "/v1beta1/news":
            self.send(h, 200, {"news": self.news.get(symbol, []), "next_page_token": None})
        elif url.path == "/v2/stocks/bars":
            self.send(h, 200, self.bars(symbol, q))
        else:
            self.send(h, 404, {"message": "not found"})

    def bars(self, symbol, q):
        if symbol.startswith("NOPE"):
            return {"bars": {}, "next_page_token": None}
        first = self.first(q)
        last = stamp(q["end"]) // 10 ** 9
        seconds = range(first, last + 1, MINUTE)
        n = min(self.page, int(q.get("limit", 1000)))
        rest = len(seconds) > n
        token = self.token(seconds[n]) if rest else None
        return {"bars": {symbol: [bar(symbol, s) for s in seconds[:n]]}, "next_page_token": token}

    @staticmethod
    def token(second):
        return base64.b64encode(str(second).encode()).decode()

    @staticmethod
    def first(q):
        """The first minute that is asked for."""
        if q.get("page_token"):
            return int(base64.b64decode(q["page_token"]))
        return -(-stamp(q["start"]) // (MINUTE * 10 ** 9)) * MINUTE

    @staticmethod
    def send(h, status, body):
        data = json.dumps(body).encode()
        try:
            h.send_response(status)
            h.send_header("Content-Type", "application/json")
            h.send_header("Content-Length", str(len(data)))
            h.end_headers()
            h.wfile.write(data)
        except OSError:
            pass
