"""A market made of arithmetic: the same question always has the same answer.

Every number follows from the seed, the symbol and the time alone, so a history, a live
stream and a test's own list of what must arrive agree without anything being stored.
Prices are whole cents; times are UNIX seconds (bars) or nanoseconds (ticks).  Minute
bars exist in the sessions of New York's weekdays, one in a hundred is missing; longer
bars are made of them.  Ticks flow at all hours, so that a stream can be tried at night:
in each slot (a quarter of a second unless said otherwise) one quote, then one trade.
Symbols that begin with ZZ do not exist.
"""
import datetime
import functools
import hashlib
import random
import time
import zoneinfo

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
SECOND = 10 ** 9
DAY = 86400
MINUTES = 390  # of a session
MASK = 2 ** 64 - 1
SPLIT_DAY = (datetime.date(2020, 8, 31) - datetime.date(1970, 1, 1)).days
QUOTES_IN_SHARES_NS = 1762146000 * SECOND  # 2025-11-03 in New York
VENUES = "VKNQPZ"


def mix(x):
    """64 bits to 64 bits that look random (splitmix64's finish)."""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
    return x ^ x >> 31


def date_of(day):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=day)


def day_number(date):
    return (date - datetime.date(1970, 1, 1)).days


@functools.lru_cache(maxsize=20000)
def midnight(day):
    """The UTC second at which this day begins in New York."""
    return int(datetime.datetime.combine(date_of(day), datetime.time(), NEW_YORK).timestamp())


def newyork_day(second):
    day = second // DAY
    return day if second >= midnight(day) else day - 1


def is_session(day):
    return (day + 3) % 7 < 5


def money(cents):
    """12345 as "123.45"."""
    return f"{cents // 100}.{cents % 100:02d}"


class Market:
    def __init__(self, seed=1, ticks_per_s=4, clock_ns=time.time_ns):
        self.seed, self.slot_ns, self.clock_ns = seed, int(SECOND / ticks_per_s), clock_ns
        cached = functools.lru_cache
        self.hash_of = cached(maxsize=100000)(self._hash_of)
        self.walk = cached(maxsize=4096)(self._walk)
        self.day_bars = cached(maxsize=4096)(self._day_bars)
        self.mid = cached(maxsize=65536)(self._mid)

    @staticmethod
    def known(symbol):
        return not symbol.startswith("ZZ")

    def _hash_of(self, symbol):
        text = f"{self.seed}/{symbol}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")

    def instrument(self, symbol):
        """Databento's number for it."""
        return self.hash_of(symbol) >> 33 | 1

    def has_split(self, symbol):
        return self.hash_of(symbol) % 4 == 0

    def factor(self, symbol, day):
        """What a price of that day was before the split was known: twice as much."""
        return 2 if day < SPLIT_DAY and self.has_split(symbol) else 1

    def level(self, symbol, day):
        """Where the day begins, in cents: three slow waves around a base."""
        h = self.hash_of(symbol)
        base, sway = 2000 + h % 40000, 0
        for period, height in ((512, 2500), (64, 800), (8, 250)):
            i, rest = divmod(day, period)
            a = mix(h ^ (i * 1009 + period)) % 2001 - 1000
            b = mix(h ^ ((i + 1) * 1009 + period)) % 2001 - 1000
            sway += height * (a * (period - rest) + b * rest) // (period * 1000)
        return base * (10000 + sway) // 10000

    def _walk(self, symbol, day):
        """The prices at the borders of the session's minutes, from this day's level to
        the next one's."""
        first, last = self.level(symbol, day), self.level(symbol, day + 1)
        spread = max(1, first // 4000)
        rng = random.Random(mix(self.hash_of(symbol) ^ day))
        steps = rng.choices(range(-spread, spread + 1), k=MINUTES)
        total, at, out = sum(steps), 0, [first]
        for i, step in enumerate(steps, 1):
            at += step
            out.append(max(1, first + at + (last - first - total) * i // MINUTES))
        return out

    def _day_bars(self, symbol, day):
        """(second, open, high, low, close, volume, trades, vwap in 1e-4) per minute."""
        if not is_session(day):
            return []
        walk = self.walk(symbol, day)
        rng = random.Random(mix(self.hash_of(symbol) ^ day ^ 0x5ca1ab1e))
        opening = datetime.datetime.combine(date_of(day), datetime.time(9, 30), NEW_YORK)
        second, spread, out = int(opening.timestamp()), max(1, walk[0] // 4000), []
        for i in range(MINUTES):
            x = rng.getrandbits(48)
            o, c = walk[i], walk[i + 1]
            high = max(o, c) + x % (spread + 1)
            low = max(1, min(o, c) - (x >> 8) % (spread + 1))
            if i == 0 or (x >> 16) % 100:
                out.append((second + 60 * i, o, high, low, c, 100 + (x >> 24) % 90000,
                            1 + (x >> 20) % 400, (o + high + low + c) * 25))
        return out

    @staticmethod
    def merge(start, bars):
        volume = sum(b[5] for b in bars)
        vwap = sum(b[5] * b[7] for b in bars) // volume
        return (start, bars[0][1], max(b[2] for b in bars), min(b[3] for b in bars),
                bars[-1][4], volume, sum(b[6] for b in bars), vwap)

    def stepped(self, symbol, day, step_s):
        bars = self.day_bars(symbol, day)
        if step_s == 60 or not bars:
            return bars
        if step_s >= DAY:
            return [self.merge(midnight(day), bars)]
        groups = {}
        for b in bars:
            groups.setdefault(b[0] // step_s * step_s, []).append(b)
        return [self.merge(start, group) for start, group in groups.items()]

    def bars(self, symbol, step_s, start_ns, end_ns, is_raw=True):
        """Ascending; [start_ns, end_ns), and only what is over by now."""
        if not self.known(symbol):
            return
        now = self.clock_ns() // SECOND
        first, last = -(-start_ns // SECOND), -(-min(end_ns, 2 ** 62) // SECOND)
        last = min(last, now - min(step_s, 60) + 1)
        for day in range(newyork_day(max(first, 0)), newyork_day(max(last, 0)) + 1):
            k = self.factor(symbol, day) if is_raw else 1
            for b in self.stepped(symbol, day, step_s):
                if first <= b[0] < last:
                    yield b if k == 1 else (b[0], *(k * x for x in b[1:5]), b[5] // k, b[6],
                                            k * b[7])

    def _mid(self, symbol, minute):
        day = newyork_day(minute * 60)
        i = (minute * 60 - midnight(day)) // 60 - 570
        price = self.walk(symbol, day)[min(max(i, 0), MINUTES)]
        return price * self.factor(symbol, day)

    def trade(self, symbol, k):
        """(ns, k, cents, shares, venue, is odd lot) of slot k."""
        h = mix(self.hash_of(symbol) ^ k * 2)
        half = self.slot_ns // 2
        ns = k * self.slot_ns + half + h % (half - 1)
        price = self.mid(symbol, ns // (60 * SECOND)) + (h >> 40) % 7 - 3
        is_odd = (h >> 50) % 4 == 0
        size = 1 + (h >> 43) % 99 if is_odd else 100 * (1 + (h >> 43) % 9)
        return ns, k, max(1, price), size, VENUES[(h >> 53) % 6], is_odd

    def quote(self, symbol, k):
        """(ns, k, bid, ask, bid shares, ask shares) of slot k."""
        h = mix(self.hash_of(symbol) ^ (k * 2 + 1))
        half = self.slot_ns // 2
        ns = k * self.slot_ns + h % (half - 1)
        mid = self.mid(symbol, ns // (60 * SECOND))
        bid = max(1, mid - 1 - (h >> 40) % 3)
        return (ns, k, bid, max(bid, mid) + 1 + (h >> 44) % 3, 100 * (1 + (h >> 48) % 9),
                100 * (1 + (h >> 53) % 9))

    def ticks(self, kind, symbol, start_ns, end_ns):
        """Trades or quotes, ascending; [start_ns, end_ns) until now."""
        if not self.known(symbol):
            return
        end_ns = min(end_ns, self.clock_ns())
        make = self.trade if kind == "trades" else self.quote
        for k in range(max(0, start_ns // self.slot_ns), end_ns // self.slot_ns + 1):
            tick = make(symbol, k)
            if start_ns <= tick[0] < end_ns:
                yield tick
