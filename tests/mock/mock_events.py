"""News and corporate actions of the mock's market: as pure as its prices."""
import datetime
import time

from mock_market import SECOND, SPLIT_DAY, date_of, mix

EVERY_S = 6 * 3600  # one article per symbol and so long
VERBS = ("opens a plant", "names a new head of finance", "confirms its outlook",
         "settles a dispute", "buys back shares", "reports a quarter")


def rfc(second):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))


class Events:
    def __init__(self, market):
        self.market = market

    def article(self, symbol, k):
        """A dictionary: id, at, headline, summary, symbols."""
        h = mix(self.market.hash_of(symbol) ^ k * 3)
        return {"id": h >> 24, "at": k * EVERY_S + h % 3600,
                "headline": f"{symbol} {VERBS[h % len(VERBS)]}",
                "summary": f"{symbol} &amp; others: number {k}", "symbols": [symbol]}

    def news(self, symbols, start_ns, end_ns):
        """Ascending by time over all symbols; [start_ns, end_ns), until now."""
        end_ns = min(end_ns, self.market.clock_ns())
        first = max(0, start_ns // SECOND // EVERY_S)
        out = []
        for symbol in filter(self.market.known, symbols):
            for k in range(first, end_ns // SECOND // EVERY_S + 1):
                a = self.article(symbol, k)
                if start_ns <= a["at"] * SECOND < end_ns:
                    out.append(a)
        return sorted(out, key=lambda a: (a["at"], a["id"]))

    def splits(self, symbol):
        """(date, from, to)"""
        if self.market.known(symbol) and self.market.has_split(symbol):
            return [(date_of(SPLIT_DAY), 1, 2)]
        return []

    def dividends(self, symbol, first, last):
        """(ex date, amount as text) between two dates, both included."""
        if not self.market.known(symbol) or self.market.hash_of(symbol) % 3 == 0:
            return []
        cents = 10 + self.market.hash_of(symbol) % 90
        dates = [datetime.date(y, m, 10) for y in range(max(first.year, 2000), last.year + 1)
                 for m in (2, 5, 8, 11)]
        return [(d, f"0.{cents:02d}") for d in dates if first <= d <= last]


def split_between(events, symbol, first, last):
    return [s for s in events.splits(symbol) if first <= s[0] <= last]


