"""Alpaca's history as the mock answers it: paging, limits, keys and errors are the
vendor's, rows are the market's."""
import datetime
import json
import re

from mock_events import rfc, split_between
from mock_market import DAY, QUOTES_IN_SHARES_NS, money
from mock_parts import FOR_EVER, Answer, Refusal, instant, rfc_ns, seal, unseal

FRAMES = {"Min": 60, "T": 60, "Hour": 3600, "H": 3600, "Day": DAY, "D": DAY}
MOST = {"bars": 10000, "trades": 10000, "quotes": 10000}
FEEDS = ("", "sip", "iex", "otc", "boats")


def refuse(status, message):
    raise Refusal(Answer(status, {"message": message}))


def bar_text(b):
    """As JSON; %-formatting is what keeps up with a fast client."""
    return ('{"t":"%s","o":%s,"h":%s,"l":%s,"c":%s,"v":%d,"n":%d,"vw":%d.%04d}'
            % (rfc(b[0]), *map(money, b[1:5]), b[5], b[6], b[7] // 10000, b[7] % 10000))


def trade_text(t, extra=""):
    ns, k, cents, size, venue, is_odd = t
    return ('{%s"t":"%s","x":"%s","p":%s,"s":%d,"c":[%s],"i":%d,"z":"C"}'
            % (extra, rfc_ns(ns), venue, money(cents), size, '"@","I"' if is_odd else '"@"', k))


def quote_text(q, extra=""):
    ns, _, bid, ask, bid_size, ask_size = q
    lot = 100 if ns < QUOTES_IN_SHARES_NS else 1
    return ('{%s"t":"%s","bx":"Q","bp":%s,"bs":%d,"ax":"V","ap":%s,"as":%d,"c":["R"],"z":"C"}'
            % (extra, rfc_ns(ns), money(bid), bid_size // lot, money(ask), ask_size // lot))


def article(a):
    at = rfc(a["at"])
    return {"id": a["id"], "headline": a["headline"], "author": "Mock", "created_at": at,
            "updated_at": at, "summary": a["summary"], "content": "", "url": None,
            "images": [], "symbols": a["symbols"], "source": "mock"}


class Alpaca:
    name = "alpaca"

    def __init__(self, market, events):
        self.market, self.events = market, events

    @staticmethod
    def handles(path):
        return path.startswith(("/v2/stocks", "/v1beta3/crypto/", "/v1beta1/news",
                                "/v1/corporate-actions"))

    @staticmethod
    def key(request):
        return request.headers.get("APCA-API-KEY-ID", "")

    def answer(self, request):
        key, secret = self.key(request), request.headers.get("APCA-API-SECRET-KEY", "")
        if not key or not secret or key.startswith("BAD") or secret.startswith("BAD"):
            refuse(401, "unauthorized.")
        path, last = request.path, request.path.rsplit("/", 1)[-1]
        if path == "/v1beta1/news":
            return self.news(request.query)
        if path == "/v1/corporate-actions":
            return self.actions(request.query)
        if path in ("/v2/stocks/" + last, "/v1beta3/crypto/us/" + last) and last in MOST:
            return self.rows(last, request.query)
        return refuse(404, "endpoint not found.")

    @staticmethod
    def limit(q, default, most):
        text = q.get("limit", str(default))
        if not text.isdigit() or not 1 <= int(text) <= most:
            refuse(400, f"limit must be between 1 and {most}")
        return int(text)

    @staticmethod
    def symbols(q):
        names = sorted(filter(None, q.get("symbols", "").split(",")))
        for name in names:
            if not re.fullmatch(r"[A-Z0-9./]{1,16}", name):
                refuse(400, f"invalid symbol: {name}")
        return names

    def span(self, q):
        """The end is inclusive, so one nanosecond more of ours."""
        try:
            start = instant(q["start"]) if "start" in q else self.market.clock_ns() // (
                DAY * 10 ** 9) * DAY * 10 ** 9
            end = instant(q["end"], True) + 1 if "end" in q else FOR_EVER
        except ValueError:
            refuse(400, "invalid time: not RFC 3339")
        if end <= start:
            refuse(400, "end should not be before start")
        return start, end

    @staticmethod
    def step(q):
        found = re.fullmatch(r"(\d{1,2})([A-Za-z]+)", q.get("timeframe", ""))
        if not found or found[2] not in FRAMES or int(found[1]) == 0:
            refuse(400, "invalid timeframe")
        return int(found[1]) * FRAMES[found[2]]

    @staticmethod
    def resume(q):
        if not q.get("page_token"):
            return "", 0
        try:
            symbol, _, at = unseal(q["page_token"]).rpartition("|")
            return symbol, int(at)
        except ValueError:
            return refuse(400, "invalid page token")

    def source(self, what, q):
        """A function of (symbol, start, end) to (ns, JSON) rows."""
        if what == "bars":
            step, is_raw = self.step(q), q.get("adjustment", "raw") in ("raw", "dividend")
            return lambda symbol, start, end: (
                (b[0] * 10 ** 9, bar_text(b))
                for b in self.market.bars(symbol, step, start, end, is_raw))
        text = trade_text if what == "trades" else quote_text
        return lambda symbol, start, end: (
            (t[0], text(t)) for t in self.market.ticks(what, symbol, start, end))

    def rows(self, what, q):
        names, limit = self.symbols(q), self.limit(q, 1000, MOST[what])
        if not names:
            refuse(400, "symbols is required")
        if q.get("sort", "asc") != "asc":
            refuse(400, "the mock has rows in ascending order alone")
        if q.get("feed", "") not in FEEDS:
            refuse(400, f"invalid feed: {q['feed']}")
        start, end = self.span(q)
        source, token = self.source(what, q), None
        resume_symbol, resume_ns = self.resume(q)
        found, left = [], limit
        for name in names:
            if name < resume_symbol:
                continue
            rows, more = [], None
            for ns, text in source(name, resume_ns if name == resume_symbol else start, end):
                if left == 0:
                    more = ns
                    break
                rows.append(text)
                left -= 1
            if rows:
                found.append(f'"{name}":[{",".join(rows)}]')
            if more is not None:
                token = seal(f"{name}|{more}")
                break
        body = f'{{"{what}":{{{",".join(found)}}},"next_page_token":{json.dumps(token)}}}'
        return Answer(200, body, {"Content-Type": "application/json; charset=UTF-8"})

    def news(self, q):
        limit, (start, end) = self.limit(q, 10, 50), self.span(q)
        _, skip = self.resume(q)
        rows = self.events.news(self.symbols(q), start, end)
        if q.get("sort", "desc") == "desc":
            rows.reverse()
        more = seal(f"n|{skip + limit}") if len(rows) > skip + limit else None
        return Answer(200, {"news": [article(a) for a in rows[skip:skip + limit]],
                            "next_page_token": more})

    def actions(self, q):
        try:
            first = datetime.date.fromisoformat(q.get("start", "2000-01-01"))
            last = datetime.date.fromisoformat(q.get("end", "2100-01-01"))
        except ValueError:
            refuse(400, "invalid date")
        last = min(last, datetime.date.fromtimestamp(self.market.clock_ns() // 10 ** 9))
        splits, dividends = [], []
        for name in self.symbols(q):
            splits += [{"symbol": name, "old_rate": f, "new_rate": t,
                        "ex_date": d.isoformat(), "process_date": d.isoformat()}
                       for d, f, t in split_between(self.events, name, first, last)]
            dividends += [{"symbol": name, "rate": float(a), "ex_date": d.isoformat(),
                           "process_date": d.isoformat(), "special": False, "foreign": False}
                          for d, a in self.events.dividends(name, first, last)]
        kinds = {"forward_splits": splits, "cash_dividends": dividends}
        return Answer(200, {"corporate_actions": {k: v for k, v in kinds.items() if v},
                            "next_page_token": None})
