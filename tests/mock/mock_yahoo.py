"""Yahoo's chart and search as the mock answers them."""
import datetime
import struct

from mock_events import split_between
from mock_market import DAY, date_of, midnight, newyork_day
from mock_parts import Answer, Refusal

INTERVALS = {"1m": (60, 8), "2m": (120, 60), "5m": (300, 60), "15m": (900, 60),
             "1h": (3600, 730), "60m": (3600, 730), "90m": (5400, 60), "1d": (DAY, 0)}
SECOND = 10 ** 9


def refuse(status, code, text, envelope="chart"):
    raise Refusal(Answer(status, {envelope: {"result": None, "error": {
        "code": code, "description": text}}}))


def single(x):
    """A price as Yahoo prints it: single precision, written as a double."""
    return struct.unpack("f", struct.pack("f", x))[0]


class Yahoo:
    name = "yahoo"

    def __init__(self, market, events):
        self.market, self.events = market, events

    @staticmethod
    def handles(path):
        return path.startswith(("/v8/finance/chart/", "/v1/finance/search"))

    @staticmethod
    def key(_request):
        return ""

    def answer(self, request):
        if "Mozilla" not in request.headers.get("User-Agent", ""):
            raise Refusal(Answer(429, "Edge: Too Many Requests", {"Content-Type": "text/html"}))
        if request.path == "/v1/finance/search":
            return self.search(request.query)
        return self.chart(request.path.rsplit("/", 1)[-1], request.query)

    def chart(self, symbol, q):
        if not self.market.known(symbol):
            refuse(404, "Not Found", "No data found, symbol may be delisted")
        if q.get("interval", "1d") not in INTERVALS:
            refuse(422, "Unprocessable Entity", f"Invalid input - interval={q['interval']}")
        step, most = INTERVALS[q.get("interval", "1d")]
        try:
            start, end = int(q["period1"]), int(q["period2"])
        except (KeyError, ValueError):
            refuse(400, "Bad Request", "Invalid input - period1, period2")
        if most and end - start > most * DAY:
            refuse(422, "Unprocessable Entity",
                   f"Only {most} days worth of this granularity are allowed per request")
        rows = self.rows(symbol, step, start, end)
        result = {"meta": self.meta(symbol, q.get("interval", "1d"))}
        quote = {}
        if rows:
            result["timestamp"] = [r[0] for r in rows]
            names = ("open", "high", "low", "close")
            quote = {n: [single(r[i] / 100) for r in rows] for i, n in enumerate(names, 1)}
            quote["volume"] = [r[5] for r in rows]
            events = self.happened(symbol, start, end)
            if events:
                result["events"] = events
        result["indicators"] = {"quote": [quote]}
        if step == DAY:
            result["indicators"]["adjclose"] = [{"adjclose": self.adjusted(symbol, rows)}
                                                if rows else {}]
        return Answer(200, {"chart": {"result": [result], "error": None}})

    def rows(self, symbol, step, start, end):
        if step < DAY:
            return list(self.market.bars(symbol, step, start * SECOND, end * SECOND, False))
        # Days are stamped with the opening, and asked for by it.
        out = []
        for b in self.market.bars(symbol, DAY, (start - DAY) * SECOND, end * SECOND, False):
            opening = self.market.day_bars(symbol, newyork_day(b[0]))[0][0]
            if start <= opening < end:
                out.append((opening, *b[1:]))
        return out

    @staticmethod
    def meta(symbol, interval):
        return {"symbol": symbol, "currency": "USD", "exchangeName": "NMS",
                "instrumentType": "EQUITY", "gmtoffset": -18000, "timezone": "EST",
                "exchangeTimezoneName": "America/New_York", "priceHint": 2,
                "dataGranularity": interval}

    @staticmethod
    def opening_of(date):
        day = (date - datetime.date(1970, 1, 1)).days
        return midnight(day) + 9 * 3600 + 1800

    def happened(self, symbol, start, end):
        first, last = date_of(start // DAY), date_of(end // DAY)
        splits = {str(self.opening_of(d)): {"date": self.opening_of(d), "numerator": t,
                                            "denominator": f, "splitRatio": f"{t}:{f}"}
                  for d, f, t in split_between(self.events, symbol, first, last)
                  if start <= self.opening_of(d) < end}
        dividends = {str(self.opening_of(d)): {"date": self.opening_of(d), "amount": float(a)}
                     for d, a in self.events.dividends(symbol, first, last)
                     if start <= self.opening_of(d) < end}
        both = {"splits": splits, "dividends": dividends}
        return {k: v for k, v in both.items() if v}

    def adjusted(self, symbol, rows):
        """Each close less what was paid after it, up to now."""
        first = date_of(rows[0][0] // DAY)
        last = date_of(self.market.clock_ns() // SECOND // DAY)
        later = [(self.opening_of(d), float(a)) for d, a in
                 self.events.dividends(symbol, first, last)]
        out, factor = [], 1.0
        for row in reversed(rows):
            while later and later[-1][0] > row[0]:
                at, amount = later.pop()
                factor *= 1 - amount * 100 / self.market.level(symbol, at // DAY)
            out.append(single(row[4] / 100 * factor))
        return out[::-1]

    def search(self, q):
        if not q.get("q"):
            refuse(400, "argument-error", "Missing required query parameter=q", "finance")
        now, n = self.market.clock_ns(), int(q.get("newsCount", 10))
        rows = self.events.news([q["q"]], now - 30 * DAY * SECOND, now)[-n:] if n else []
        return Answer(200, {"count": len(rows), "quotes": [], "news": [
            {"uuid": f"{a['id']:032x}", "title": a["headline"], "publisher": "Mock",
             "link": f"https://mock.example/{a['id']}", "providerPublishTime": a["at"],
             "type": "STORY", "relatedTickers": a["symbols"]} for a in rows]})
