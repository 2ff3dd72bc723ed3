"""Polygon's history and stream as the mock plays them."""
import datetime
import json
import re

from mock_events import rfc, split_between
from mock_market import DAY, SECOND, midnight, money
from mock_parts import FOR_EVER, Answer, Refusal, instant, seal, take, unseal
from mock_ws import Flow

MS = 10 ** 6
SPANS = {"second": 1, "minute": 60, "hour": 3600, "day": DAY}
VENUE = {"V": 2, "K": 8, "N": 10, "Q": 12, "P": 11, "Z": 19}


def refuse(status, text):
    raise Refusal(Answer(status, {"status": "ERROR", "request_id": "mock", "error": text}))


def bar_text(b):
    return ('{"v":%d.0,"vw":%d.%04d,"o":%s,"c":%s,"h":%s,"l":%s,"t":%d,"n":%d}'
            % (b[5], b[7] // 10000, b[7] % 10000, money(b[1]), money(b[4]), money(b[2]),
               money(b[3]), b[0] * 1000, b[6]))


def trade_text(t):
    ns, k, cents, size, venue, is_odd = t
    return ('{"conditions":[%s],"exchange":%d,"id":"%d","participant_timestamp":%d,"price":%s,'
            '"sequence_number":%d,"sip_timestamp":%d,"size":%d,"tape":3}'
            % ("37" if is_odd else "", VENUE[venue], k, ns - 200000, money(cents), k, ns, size))


def quote_text(q):
    """Sizes in round lots, as its specification has it."""
    ns, k, bid, ask, bid_size, ask_size = q
    return ('{"ask_exchange":12,"ask_price":%s,"ask_size":%d,"bid_exchange":12,"bid_price":%s,'
            '"bid_size":%d,"participant_timestamp":%d,"sequence_number":%d,"sip_timestamp":%d,'
            '"tape":3}' % (money(ask), ask_size // 100, money(bid), bid_size // 100, ns - 200000,
                           k, ns))


def page(rows, request, more, extra=""):
    """An answer of JSON texts; @more is the target of the next page."""
    next_url = f',"next_url":{json.dumps(request.base + more)}' if more else ""
    results = f',"results":[{",".join(rows)}]' if rows else ""
    body = f'{{"status":"OK","request_id":"mock"{extra}{results}{next_url}}}'
    return Answer(200, body, {"Content-Type": "application/json"})


class Polygon:
    name = "polygon"

    def __init__(self, market, events):
        self.market, self.events = market, events

    @staticmethod
    def handles(path):
        return path.startswith(("/v2/aggs/", "/v3/trades/", "/v3/quotes/", "/v3/reference/",
                                "/v2/reference/"))

    @staticmethod
    def key(request):
        bearer = request.headers.get("Authorization", "")
        return bearer.removeprefix("Bearer ") or request.query.get("apiKey", "")

    def answer(self, request):
        key = self.key(request)
        if not key or key.startswith("BAD"):
            refuse(401, "Unknown API Key" if key else "API Key was not provided")
        parts = request.path.strip("/").split("/")
        if parts[:3] == ["v2", "aggs", "ticker"] and len(parts) == 9 and parts[4] == "range":
            return self.aggregates(request, parts)
        if parts[:2] in (["v3", "trades"], ["v3", "quotes"]) and len(parts) == 3:
            return self.ticks(request, parts[1], parts[2])
        if parts == ["v2", "reference", "news"]:
            return self.news(request)
        if parts in (["v3", "reference", "splits"], ["v3", "reference", "dividends"]):
            return self.actions(request, parts[2])
        return refuse(404, "not found")

    @staticmethod
    def limit(request, default, most):
        text = request.query.get("limit", str(default))
        if not text.isdigit() or not 1 <= int(text) <= most:
            refuse(400, f"limit must be between 1 and {most}")
        return int(text)

    @staticmethod
    def border(text, is_end):
        """Nanoseconds; a date is a day of New York; ends are inclusive."""
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days
            return midnight(day + is_end) * SECOND
        if not text.isdigit():
            refuse(400, "from and to are dates or milliseconds")
        return (int(text) + is_end) * MS

    def aggregates(self, request, parts):
        symbol, multiplier, span = parts[3], parts[5], parts[6]
        if span not in SPANS or not multiplier.isdigit() or int(multiplier) == 0:
            refuse(400, "invalid multiplier or timespan")
        step, q = int(multiplier) * SPANS[span], request.query
        if step < 60:
            refuse(400, "the mock has no bars below a minute")
        start, end = self.border(parts[7], False), self.border(parts[8], True)
        is_desc, limit = q.get("sort", "asc") == "desc", self.limit(request, 5000, 50000)
        bars = self.market.bars(symbol, step, start, end, q.get("adjusted", "true") == "false")
        if is_desc:
            bars = iter(list(bars)[::-1])
        # The limit counts base rows: minutes, or days.
        n = max(1, limit // max(1, step // (60 if step < DAY else DAY)))
        rows, after = take(bars, n)
        more = None
        if after:
            ms, rest = after[0] * 1000, "&".join(f"{k}={v}" for k, v in q.items())
            border = (parts[7], str(ms)) if is_desc else (str(ms), parts[8])
            more = "/" + "/".join([*parts[:7], *border]) + f"?cursor={seal(str(ms))[:-1]}&{rest}"
        extra = (f',"ticker":"{symbol}","adjusted":{q.get("adjusted", "true")},"queryCount":'
                 f'{len(rows)},"resultsCount":{len(rows)}')
        return page([bar_text(b) for b in rows], request, more, extra)

    def ticks(self, request, what, symbol):
        q = request.query
        if "cursor" in q:
            start, end, limit, is_desc = map(int, unseal(q["cursor"]).split("|"))
        else:
            start, end = 0, FOR_EVER
            for name, value in q.items():
                if name == "timestamp":
                    start, end = instant(value), instant(value, True) + 1
                elif name in ("timestamp.gte", "timestamp.gt"):
                    start = instant(value) + name.endswith("gt")
                elif name in ("timestamp.lte", "timestamp.lt"):
                    end = instant(value) + name.endswith("lte")
            limit, is_desc = self.limit(request, 1000, 50000), q.get("order", "desc") != "asc"
        if is_desc:  # the newest of a range that may have no beginning
            end = min(end, self.market.clock_ns())
            start = max(start, end - (limit + 2) * self.market.slot_ns)
            rows = list(self.market.ticks(what, symbol, start, end))[::-1]
            rows, after = rows[:limit], rows[limit] if len(rows) > limit else None
            span = (0, after[0] + 1) if after else None
        else:
            rows, after = take(self.market.ticks(what, symbol, start, end), limit)
            span = (after[0], end) if after else None
        text = trade_text if what == "trades" else quote_text
        more = None
        if span:
            cursor = seal(f"{span[0]}|{span[1]}|{limit}|{int(is_desc)}")
            more = f"{request.path}?cursor={cursor.replace('=', '%3D').replace('+', '%2B')}"
        return page([text(t) for t in rows], request, more)

    def news(self, request):
        q, limit = request.query, self.limit(request, 10, 1000)
        now = self.market.clock_ns()
        start = instant(q["published_utc.gte"]) if "published_utc.gte" in q else now - 30 * DAY * SECOND
        end = instant(q["published_utc.lt"]) if "published_utc.lt" in q else now
        rows = self.events.news([q["ticker"]] if "ticker" in q else [], start, end)
        if q.get("order", "desc") == "desc":
            rows.reverse()
        skip = int(unseal(q["cursor"])) if "cursor" in q else 0
        more = None
        if len(rows) > skip + limit:
            rest = "&".join(f"{k}={v}" for k, v in q.items() if k != "cursor")
            more = f"{request.path}?{rest}&cursor={seal(str(skip + limit)).replace('=', '%3D')}"
        return page([json.dumps({
            "id": f"{a['id']:x}", "publisher": {"name": "Mock"}, "title": a["headline"],
            "author": "Mock", "published_utc": rfc(a["at"]), "tickers": a["symbols"],
            "article_url": f"https://mock.example/{a['id']}", "description": a["summary"]})
            for a in rows[skip:skip + limit]], request, more)

    def actions(self, request, what):
        q = request.query
        field = "execution_date" if what == "splits" else "ex_dividend_date"
        first = datetime.date.fromisoformat(q.get(field + ".gte", "2000-01-01"))
        today = datetime.date.fromisoformat(rfc(self.market.clock_ns() // SECOND)[:10])
        last = min(today, datetime.date.fromisoformat(q.get(field + ".lte", "2100-01-01")))
        symbol = q.get("ticker", "AAPL")
        if what == "splits":
            rows = [{"execution_date": d.isoformat(), "split_from": f, "split_to": t,
                     "ticker": symbol} for d, f, t in split_between(self.events, symbol, first, last)]
        else:
            rows = [{"cash_amount": float(a), "ex_dividend_date": d.isoformat(),
                     "currency": "USD", "dividend_type": "CD", "ticker": symbol}
                    for d, a in self.events.dividends(symbol, first, last)]
        return page([json.dumps(r) for r in rows], request, None)


class PolygonStream:
    """/stocks"""

    def __init__(self, market, refuse=""):
        self.flow, self.refuse, self.is_in = Flow(market), refuse, False

    @staticmethod
    def status(status, message):
        return json.dumps([{"ev": "status", "status": status, "message": message}])

    def hello(self):
        return [self.status("connected", "Connected Successfully")]

    def on(self, text):
        try:
            m = json.loads(text)
            action, params = m["action"], m["params"]
        except (ValueError, KeyError, TypeError):
            return [self.status("error", "invalid message")]
        if action == "auth":
            if self.refuse == "406":
                return [self.status("max_connections", "Maximum number of connections exceeded."),
                        None]
            if self.refuse or not params or params.startswith("BAD"):
                return [self.status("auth_failed", "authentication failed"), None]
            self.is_in = True
            return [self.status("auth_success", "authenticated")]
        if not self.is_in:
            return [self.status("auth_failed", "not authenticated"), None]
        out = []
        for item in params.replace(" ", "").split(","):
            kind, _, symbol = item.partition(".")
            change = self.flow.add if action == "subscribe" else self.flow.remove
            if kind in ("T", "Q"):
                change("trades" if kind == "T" else "quotes", symbol)
            out.append(self.status("success", f"{action}d to: {item}"))
        return out

    def data(self):
        rows = []
        for ns, kind, symbol, t in self.flow.due():
            if kind == "trades":
                rows.append('{"ev":"T","sym":"%s","x":%d,"i":"%d","z":3,"p":%s,"s":%d,%s"t":%d,"q":%d}'
                            % (symbol, VENUE[t[4]], t[1], money(t[2]), t[3],
                               '"c":[37],' if t[5] else "", ns // MS, t[1]))
            else:
                rows.append('{"ev":"Q","sym":"%s","bx":12,"bp":%s,"bs":%d,"ax":12,"ap":%s,"as":%d,'
                            '"t":%d,"q":%d,"z":3}'
                            % (symbol, money(t[2]), t[4] // 100, money(t[3]), t[5] // 100,
                               ns // MS, t[1]))
        return [f"[{','.join(rows)}]"] if rows else []
