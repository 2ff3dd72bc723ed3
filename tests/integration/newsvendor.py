"""Two vendors without a stream of news, as tickbus asks them: Polygon (pages, a range) and Yahoo (its newest, no range).

Standard library only; a thread per connection.  What was published is known to the test; every question is kept.
"""
import datetime
import http.server
import json
import threading
import time
import urllib.parse

KEY = "PKEY-0123456789"


def stamp(second):
    return datetime.datetime.fromtimestamp(second, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class NewsVendor(http.server.ThreadingHTTPServer):
    """
    articles: [{id, at, headline, symbols}] by id.  fails(path, query) -> (status, headers, body) or None: it is answered well.
    gate: cleared, answers to the second and later pages wait.
    """
    daemon_threads = True

    def __init__(self, page=2):
        self.articles, self.asked, self.page, self.fails = {}, [], page, None
        self.lock, self.gate = threading.Lock(), threading.Event()
        self.gate.set()
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a daemon that was killed

    def close(self):
        self.gate.set()
        self.shutdown()
        self.server_close()

    def publish(self, headline, *symbols, at=None, number=None):
        with self.lock:
            number = number or f"n{len(self.articles) + 1}"
            at = at or int(time.time())
            self.articles[number] = {"id": number, "at": self.articles.get(number, {}).get("at", at), "headline": headline,
                                     "symbols": list(symbols)}

    def want(self):
        """{(id, symbol): headline}"""
        with self.lock:
            return {(a["id"], s): a["headline"] for a in self.articles.values() for s in a["symbols"]}

    def questions(self, ticker=None):
        with self.lock:
            return [q for q in self.asked if ticker in (None, q.get("ticker"), q.get("q"))]

    def of(self, symbol):
        return sorted((a for a in self.articles.values() if symbol in a["symbols"]), key=lambda a: (a["at"], a["id"]))

    def polygon(self, q):
        """Ascending; of two pages that touch, the second repeats the last of the first."""
        rows = [a for a in self.of(q["ticker"]) if seconds(q["published_utc.gte"]) <= a["at"] < seconds(q["published_utc.lt"])]
        at = int(q.get("cursor", 0))
        body = {"status": "OK", "request_id": "r", "results": [
            {"id": a["id"], "published_utc": stamp(a["at"]), "title": a["headline"], "description": "d", "article_url":
             f"https://news.example/{a['id']}", "publisher": {"name": "Wire"}, "tickers": a["symbols"]}
            for a in rows[max(0, at - 1):at + self.page]]}
        if at + self.page < len(rows):
            body["next_url"] = f"{self.url}/v2/reference/news?" + urllib.parse.urlencode({**q, "cursor": at + self.page})
        return body

    def yahoo(self, q):
        """The newest, the newest first."""
        rows = self.of(q["q"])[::-1][:int(q["newsCount"])]
        return {"count": len(rows), "quotes": [], "news": [
            {"uuid": a["id"], "title": a["headline"], "publisher": "Wire", "link": f"https://news.example/{a['id']}",
             "providerPublishTime": a["at"], "type": "STORY", "relatedTickers": a["symbols"]} for a in rows]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def answer(self):
        v = self.server
        url = urllib.parse.urlsplit(self.path)
        q = {k: x[0] for k, x in urllib.parse.parse_qs(url.query).items()}
        with v.lock:
            v.asked.append({**q, "at": time.time()})
            fails = v.fails
        if "cursor" in q:
            v.gate.wait()
        failed = fails(url.path, q) if fails else None
        if failed:
            return failed
        if url.path == "/v1/finance/search":
            with v.lock:
                return 200, {}, v.yahoo(q)
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {}, {"status": "ERROR", "error": f"Unknown API Key {self.headers.get('Authorization')}"}
        if any("." in q.get(f"published_utc.{end}", "") for end in ("gte", "lt")):
            return 400, {}, {"status": "ERROR", "error": "published_utc has whole seconds"}
        if url.path != "/v2/reference/news":
            return 404, {}, {"status": "ERROR", "error": "not found"}
        with v.lock:
            return 200, {}, v.polygon(q)

    def do_GET(self):
        status, headers, body = self.answer()
        data = json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass
