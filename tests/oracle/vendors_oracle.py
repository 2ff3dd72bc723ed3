#!/usr/bin/env python3
"""Every recorded answer of Alpaca, Polygon and Yahoo through the adapters, against what
Python's json (decimals, not floats) says of the same bytes.

usage: vendors_oracle.py VENDORS_RUN
Without the recorded data it says so and passes; the adapters' unit tests have answers
of their own.  One line per scenario: what was compared, or why it belongs elsewhere.
"""
import gzip
import json
import os
import re
import subprocess
import sys
import urllib.parse
from decimal import ROUND_HALF_UP, Decimal

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

NULL = -2**63
BARS, TRADES, QUOTES, NEWS, ACTIONS = range(5)
VERDICTS = {1: "retry", 2: "limited", 3: "refused", 4: "unknown", 5: "auth",
            6: "forbidden", 7: "garbled"}
RUN = sys.argv[1]
failures = []


def data_dir():
    root = os.environ.get("MESON_SOURCE_ROOT",
                          os.path.join(os.path.dirname(__file__), "..", ".."))
    shared = os.environ.get("TICKBUS_SHARED", os.path.join(root, "..", "shared"))
    path = os.path.join(shared, "data", "vendor_responses")
    if not os.path.isdir(path):
        print("no recorded data at ../shared/data: nothing compared")
        sys.exit(0)
    return path


def run(args, stdin=b""):
    done = subprocess.run([RUN] + [str(a) for a in args], input=stdin,
                          stdout=subprocess.PIPE, check=True, timeout=240)
    return done.stdout.decode().splitlines()


def expect(what, got, want):
    if got != want:
        failures.append(what)
        print(f"  {what}:\n    got    {got!r}\n    wanted {want!r}")


def ns_of(text):
    """RFC 3339 in UTC to nanoseconds, by digits."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    when = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(when.timestamp()) * 10**9 + int((fraction + "000000000")[:9])


def scaled(value, digits):
    if value is None:
        return NULL
    value = Decimal(value) * 10**digits
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def unhex(text):
    return "" if text == "-" else bytes.fromhex(text).decode()


class Page:
    def __init__(self, lines):
        self.rows = {"bar": [], "tick": [], "article": [], "action": []}
        self.problem = self.next = self.currency = None
        self.skipped = 0
        for line in lines:
            kind, *rest = line.split(" ")
            if kind in self.rows:
                self.rows[kind].append(rest)
            elif kind == "problem":
                self.problem = VERDICTS[int(rest[0])], " ".join(rest[1:])
            elif kind == "next":
                self.next = unhex(rest[0])
            elif kind == "currency":
                self.currency = unhex(rest[0])
            elif kind == "skipped":
                self.skipped = int(rest[0])


# ---- what the answers say, read independently ----

def alpaca_bars(body):
    return [[symbol, ns_of(b["t"])] + [scaled(b[k], 9) for k in "ohlc"] +
            [scaled(b.get("v"), 8), scaled(b.get("vw"), 9), scaled(b.get("n"), 0)]
            for symbol, bars in (body["bars"] or {}).items() for b in bars]


def alpaca_id(venue, number):
    return ord(venue) << 56 | number


def alpaca_tick(symbol, t):
    trade = [symbol, ns_of(t["t"]), scaled(t["p"], 9), scaled(t["s"], 8)] + [NULL] * 4
    trade += [alpaca_id(t["x"], t["i"]), 0, 0]
    return trade, "".join(t.get("c") or [])


def alpaca_trades(body):
    rows = []
    for symbol, trades in (body["trades"] or {}).items():
        for t in trades:
            trade, cond = alpaca_tick(symbol, t)
            rows.append(trade + [cond])
            if t.get("u") in ("canceled", "incorrect"):
                ident = trade[8]
                rows.append([symbol, trade[1]] + [NULL] * 6 + [ident, ident, 1, cond])
    return rows


def alpaca_quote(symbol, q):
    lot = 100 if q["t"] < "2025-11-03T05" else 1
    sides = [(q[p], q[s]) for p, s in (("bp", "bs"), ("ap", "as"))]
    prices = [scaled(p, 9) if p else NULL for p, _ in sides]
    sizes = [scaled(s, 8) * lot if p else NULL for p, s in sides]
    return [symbol, ns_of(q["t"]), NULL, NULL] + prices + sizes + [0, 0, 0,
                                                                "".join(q["c"])]


def alpaca_quotes(body):
    return [alpaca_quote(symbol, q) for symbol, quotes in (body["quotes"] or {}).items()
            for q in quotes]


def plain(text):
    import html
    return " ".join(html.unescape(re.sub(r"<[a-zA-Z/!][^>]*>", " ", text)).split())


def articles(rows):
    return [[created, updated, ident, plain(title), url or "", publisher,
             ",".join(symbols[:32])]
            for created, updated, ident, title, url, publisher, symbols in rows]


def alpaca_news(body):
    return articles([(ns_of(n["created_at"]), ns_of(n["updated_at"]), str(n["id"]),
                      n["headline"], n["url"], n.get("source", ""), n["symbols"])
                     for n in body["news"]])


def alpaca_actions(body):
    rows = []
    for kind, actions in body["corporate_actions"].items():
        for a in actions:
            date = int(a["ex_date"].replace("-", ""))
            if "split" in kind:
                rows.append([a["symbol"], 1, date, scaled(a["new_rate"], 9),
                             scaled(a["old_rate"], 9), NULL])
            else:
                rows.append([a["symbol"], 2, date, NULL, NULL, scaled(a["rate"], 9)])
    return rows


def polygon_bars(body, symbol):
    return [[symbol, b["t"] * 10**6] + [scaled(b[k], 9) for k in "ohlc"] +
            [scaled(b.get("v"), 8), scaled(b.get("vw"), 9), scaled(b.get("n"), 0)]
            for b in body.get("results", [])]


def polygon_cond(numbers):
    text = ""
    for n in numbers:
        more = f"{text},{n}" if text else str(n)
        if len(more) > 8:
            break
        text = more
    return text


def polygon_id(venue, trf, ident):
    return venue << 56 | (trf & 15) << 52 | int(ident)


def polygon_trades(body, symbol):
    return [[symbol, t["sip_timestamp"], scaled(t["price"], 9), scaled(t["size"], 8)] +
            [NULL] * 4 + [polygon_id(t["exchange"], t.get("trf_id", 0), t["id"]), 0, 0,
                          polygon_cond(t.get("conditions", []))]
            for t in body.get("results", [])]


def polygon_quotes(body, symbol):
    return [[symbol, q["sip_timestamp"], NULL, NULL, scaled(q["bid_price"], 9),
             scaled(q["ask_price"], 9), scaled(q["bid_size"], 8) * 100,
             scaled(q["ask_size"], 8) * 100, q["sequence_number"], 0, 0,
             polygon_cond(q.get("conditions", []))]
            for q in body.get("results", [])]


def polygon_news(body):
    return articles([(ns_of(n["published_utc"]), ns_of(n["published_utc"]), n["id"],
                      n["title"], n["article_url"], n["publisher"]["name"], n["tickers"])
                     for n in body["results"]])


def polygon_actions(body):
    rows = []
    for a in body["results"]:
        if "split_to" in a:
            rows.append([a["ticker"], 1, int(a["execution_date"].replace("-", "")),
                         scaled(a["split_to"], 9), scaled(a["split_from"], 9), NULL])
        else:
            rows.append([a["ticker"], 2, int(a["ex_dividend_date"].replace("-", "")),
                         NULL, NULL, scaled(a["cash_amount"], 9)])
    return rows


def day_start(zone, seconds):
    local = datetime.fromtimestamp(seconds, ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return int(midnight.replace(tzinfo=ZoneInfo(zone)).timestamp()) * 10**9


def float32(value):
    """The shortest decimal that is the same 32-bit float, by trying."""
    import struct
    bits = struct.pack("<f", float(value))
    for digits in range(1, 10):
        text = f"{float(value):.{digits}g}"
        if struct.pack("<f", float(text)) == bits:
            return scaled(Decimal(text), 9)
    raise ValueError(value)


def yahoo_bars(body, symbol):
    result = body["chart"]["result"][0]
    zone = result["meta"]["exchangeTimezoneName"]
    quote = result["indicators"]["quote"][0]
    rows = []
    for i, when in enumerate(result.get("timestamp", [])):
        prices = [quote[k][i] for k in ("open", "high", "low", "close")]
        if None not in prices:
            rows.append([symbol, day_start(zone, when)] + [float32(p) for p in prices] +
                        [scaled(quote["volume"][i], 8), NULL, NULL])
    return rows


def yahoo_actions(body, symbol):
    result = body["chart"]["result"][0]
    zone = ZoneInfo(result["meta"]["exchangeTimezoneName"])
    rows = []
    for kind, events in result.get("events", {}).items():
        for e in events.values():
            date = int(datetime.fromtimestamp(e["date"], zone).strftime("%Y%m%d"))
            if kind == "splits":
                rows.append([symbol, 1, date, scaled(e["numerator"], 9),
                             scaled(e["denominator"], 9), NULL])
            else:
                rows.append([symbol, 2, date, NULL, NULL, scaled(e["amount"], 9)])
    return rows


def yahoo_news(body):
    def ours(ticker):
        if ticker.endswith("=X") and len(ticker) == 8:
            return f"{ticker[:3]}/{ticker[3:6]}"
        ticker = re.sub(r"-(.)$", r".\1", re.sub(r"^\^", "I:", ticker))
        return re.sub(r"-(...)$", r"/\1", ticker)
    return articles([(n["providerPublishTime"] * 10**9, n["providerPublishTime"] * 10**9,
                      n["uuid"], n["title"], n["link"], n["publisher"],
                      [ours(t) for t in n.get("relatedTickers", [])])
                     for n in body["news"]])


# ---- rows as the adapter printed them, in the same shape ----

def as_numbers(rows):
    return [[row[0]] + [int(x) for x in row[1:]] for row in rows]


def as_ticks(rows):
    """Flags are left out: conditions_test has them."""
    return [[row[0]] + [int(x) for x in row[1:11]] + [unhex(row[12])] for row in rows]


def as_articles(rows):
    return [[int(r[0]), int(r[1]), unhex(r[2]), unhex(r[3]), unhex(r[4]), unhex(r[5]),
             r[6] if len(r) > 6 else ""] for r in rows]


def what_of(vendor, path):
    for word, what in (("/bars", BARS), ("/aggs", BARS), ("/trades", TRADES),
                       ("/quotes", QUOTES), ("news", NEWS), ("search", NEWS),
                       ("corporate-actions", ACTIONS), ("splits", ACTIONS),
                       ("dividends", ACTIONS), ("/chart/", BARS)):
        if word in path:
            return what
    return None


def symbols_of(vendor, request, body):
    query = request.get("query") or {}
    path = urllib.parse.unquote(request["path"])
    if vendor == "alpaca":
        return query.get("symbols", "AAPL")
    if vendor == "polygon":
        found = re.search(r"/(?:ticker|trades|quotes)/([^/?]+)", path)
        return found.group(1) if found else query.get("ticker", "AAPL")
    theirs = query.get("q") or path.rsplit("/", 1)[1]
    return {"EURUSD=X": "EUR/USD", "BTC-USD": "BTC/USD", "GC=F": "F:GC"}.get(theirs,
                                                                           theirs)


def step_of(request):
    text = json.dumps(request)
    return 86400 if re.search(r"1Day|/day/|\"1d\"", text) else 60


def wanted(vendor, what, body, symbols):
    if vendor == "alpaca":
        return (alpaca_bars, alpaca_trades, alpaca_quotes, alpaca_news,
                alpaca_actions)[what](body)
    if vendor == "polygon":
        if what in (NEWS, ACTIONS):
            return (polygon_news if what == NEWS else polygon_actions)(body)
        return (polygon_bars, polygon_trades, polygon_quotes)[what](body, symbols)
    return yahoo_news(body) if what == NEWS else yahoo_bars(body, symbols)


def got(what, page):
    if what == BARS:
        return as_numbers(page.rows["bar"])
    if what in (TRADES, QUOTES):
        return as_ticks(page.rows["tick"])
    if what == NEWS:
        return as_articles(page.rows["article"])
    return as_numbers(page.rows["action"])


def parse(vendor, what, symbols, step, body, adjust, moved=""):
    return Page(run(["parse", vendor, what, symbols, NULL + 1, 2**63 - 1, step, adjust,
                     moved], body))


def compare_200(vendor, scenario, raw, what, symbols):
    request, say = scenario["request"], scenario.get("expect") or {}
    adjust = 1 if vendor == "yahoo" else 0
    moved = "/v3/reference/dividends?" if "dividends" in request["path"] else ""
    step = 86400 if vendor == "yahoo" and "1m" not in json.dumps(request) else \
        step_of(request)
    page = parse(vendor, what, symbols, step, raw, adjust, moved)
    if say.get("error") and re.search("malformed", str(say["error"])):
        expect(f"{vendor} {scenario['id']}", page.problem and page.problem[0], "garbled")
        return f"garbled: {page.problem and page.problem[1]}"
    if page.problem:
        expect(f"{vendor} {scenario['id']}", page.problem, None)
        return "refused"
    body = json.loads(raw, parse_float=Decimal)
    rows = wanted(vendor, what, body, symbols)
    name = f"{vendor} {scenario['id']}"
    expect(name, got(what, page), rows)
    key = {BARS: "bars", TRADES: "trades", QUOTES: "quotes", NEWS: "news"}.get(what)
    if key in say and not truncated(scenario):
        new = [r for r in rows if what != TRADES or r[10] == 0]
        expect(name + " count", len(new), say[key])
    if "more_pages" in say:
        expect(name + " next", page.next != "", say["more_pages"])
    if vendor == "alpaca":
        expect(name + " token", page.next, body.get("next_page_token") or "")
    if "skipped" in say:
        expect(name + " skipped", page.skipped, say["skipped"])
    if vendor == "yahoo" and what == BARS:
        expect(name + " currency", page.currency,
               body["chart"]["result"][0]["meta"]["currency"])
        events = parse(vendor, ACTIONS, symbols, 86400, raw, 1) if step == 86400 else None
        if events:
            expect(name + " events", sorted(got(ACTIONS, events)),
                   sorted(yahoo_actions(body, symbols)))
    return f"{len(rows)} rows equal" + (", more pages" if page.next else "")


def truncated(scenario):
    return any("truncate_at" in r for r in scenario["responses"])


VERDICT_OF = {
    ("alpaca", "bad_key_401"): "auth", ("alpaca", "bad_key_403"): "auth",
    ("alpaca", "feed_not_permitted"): "forbidden",
    ("alpaca", "bars_malformed_symbol"): "refused", ("alpaca", "bars_422"): "refused",
    ("alpaca", "rate_limited_for_ever"): "limited",
    ("alpaca", "rate_limited_then_ok"): "limited",
    ("alpaca", "server_error_then_ok"): "retry",
    ("alpaca", "gateway_timeout_html"): "retry", ("alpaca", "redirect"): "refused",
    ("alpaca", "not_found"): "refused",
    ("polygon", "no_key"): "auth", ("polygon", "unknown_key"): "auth",
    ("polygon", "server_error_then_ok"): "retry",
    ("polygon", "rate_limited_then_ok"): "limited",
    ("polygon", "rate_limited_with_retry_after"): "limited",
    ("polygon", "rate_limited_retry_after_date"): "limited",
    ("polygon", "not_entitled"): "forbidden", ("polygon", "not_found"): "unknown",
    ("yahoo", "chart_minute_range_too_long"): "refused",
    ("yahoo", "search_no_query"): "refused", ("yahoo", "chart_unknown_symbol"): "unknown",
    ("yahoo", "rate_limited_then_ok"): "limited",
    ("yahoo", "server_error_then_ok"): "retry",
}


def compare_error(vendor, scenario, status, raw):
    verdict = Page(run(["problem", vendor, status], raw)).problem
    expect(f"{vendor} {scenario['id']}", verdict[0],
           VERDICT_OF.get((vendor, scenario["id"])))
    return f"{status} is {verdict[0]}: {verdict[1]}"


def body_of(folder, response):
    if "body_file" not in response:
        return b""
    with open(os.path.join(folder, response["body_file"]), "rb") as f:
        raw = f.read()
    if response["body_file"].endswith(".gz"):
        raw = gzip.decompress(raw)
    for old, new in response.get("rewrite", []):
        raw = raw.replace(old.encode(), new.encode())
    return raw.replace(b"{{base}}", b"http://127.0.0.1:1")


def scenarios(folder, vendor):
    with open(os.path.join(folder, vendor, "index.json")) as f:
        index = json.load(f)
    for s in index["scenarios"]:
        lines = []
        for r in s["responses"]:
            status = r.get("status")
            raw = body_of(os.path.join(folder, vendor), r)
            what = what_of(vendor, s["request"]["path"])
            if "fault" in r:
                lines.append("no answer: the fetcher's")
            elif status != 200:
                lines.append(compare_error(vendor, s, status, raw))
            elif what is None:
                lines.append("a route that is not used")
            elif "truncate_at" in r:
                cut = parse(vendor, what, symbols_of(vendor, s["request"], raw), 60,
                            raw[:r["truncate_at"]], 1)
                expect(f"{vendor} {s['id']}", cut.problem and cut.problem[0], "garbled")
                lines.append("cut off: garbled")
            else:
                symbols = symbols_of(vendor, s["request"], raw)
                if vendor == "alpaca" and "bars" in s["id"] and what == BARS:
                    symbols = symbols or "AAPL"
                lines.append(compare_200(vendor, s, raw, what, own(vendor, s, symbols, raw)))
        print(f"{vendor:8} {s['id']:34} {'; '.join(lines)}")


def own(vendor, scenario, symbols, raw):
    """Some answers name other symbols than were asked for: then ask for those."""
    if vendor != "alpaca":
        return symbols
    try:
        body = json.loads(raw)
    except ValueError:
        return symbols
    for key in ("bars", "trades", "quotes"):
        if isinstance(body.get(key), dict) and body[key]:
            return ",".join(body[key])
    return symbols


# ---- questions ----

def questions(folder):
    """What the scenarios' requests say, our questions say too; times by their instant."""
    with open(os.path.join(folder, "alpaca", "index.json")) as f:
        index = json.load(f)
    for s in index["scenarios"]:
        r = s["request"]
        query = r.get("query") or {}
        what = what_of("alpaca", r["path"])
        if r["path"].endswith("nosuchroute") or "symbols" not in query or \
                query.get("sort") == "desc" or "types" in query or \
                not re.fullmatch(r"[A-Z.,]+", query["symbols"]):
            continue
        start = ns_of(query["start"] if "T" in query.get("start", "") else
                      query.get("start", "2022-01-03") + "T00:00:00Z")
        out = run(["ask", "alpaca", what, query["symbols"], start, start + 86400 * 10**9,
                   86400 if query.get("timeframe") == "1Day" else 60, 0,
                   query.get("limit", 0), query.get("feed", ""),
                   query.get("page_token", "")])
        target = urllib.parse.urlsplit(out[0].split(" ", 1)[1])
        asked = dict(urllib.parse.parse_qsl(target.query, strict_parsing=True))
        expect(f"alpaca {s['id']} path", target.path, r["path"])
        for key, value in query.items():
            if key in ("end", "timeframe", "currency"):
                continue
            if key == "start":
                expect(f"alpaca {s['id']} {key}", ns_of(asked[key]), start)
            else:
                expect(f"alpaca {s['id']} {key}", asked.get(key), value)
        expect(f"alpaca {s['id']} keys", out[1:], ["header APCA-API-KEY-ID: KEY",
                                                  "header APCA-API-SECRET-KEY: SECRET"])
    print("alpaca   questions of the scenarios agree")


# ---- streams ----

def messages(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def replay(vendor, path, symbols, channels):
    lines = messages(path)
    said = "".join(m["text"] + "\n" for m in lines if m["from"] == "server" and "text" in m)
    return run(["stream", vendor, symbols, channels], said.encode()), lines


def events(lines, vendor):
    for m in lines:
        if m["from"] == "server" and "text" in m:
            yield from json.loads(m["text"], parse_float=Decimal)


def stream_alpaca(folder):
    path = os.path.join(folder, "alpaca", "ws_session.jsonl")
    out, lines = replay("alpaca", path, "AAPL,AMD", "tq")
    ours = [line[4:] for line in out if line.startswith("say ")]
    expect("alpaca stream auth", ours[0], lines[1]["text"])
    want = []
    for e in events(lines, "alpaca"):
        if e["T"] == "t":
            trade, cond = alpaca_tick(e["S"], e)
            want.append(trade + [cond])
        elif e["T"] == "q":
            want.append(alpaca_quote(e["S"], e))
        elif e["T"] == "x":
            ident = alpaca_id(e["x"], e["i"])
            want.append([e["S"], ns_of(e["t"])] + [NULL] * 6 + [ident, ident, 1, ""])
        elif e["T"] == "c":
            want.append([e["S"], ns_of(e["t"]), scaled(e["cp"], 9), scaled(e["cs"], 8)] +
                        [NULL] * 4 + [alpaca_id(e["x"], e["ci"]),
                                      alpaca_id(e["x"], e["oi"]), 2, "".join(e["cc"])])
        elif e["T"] == "s":
            want.append([e["S"], ns_of(e["t"])] + [NULL] * 6 + [0, 0, 0, ""])
    expect("alpaca stream ticks",
           as_ticks([line.split(" ")[1:] for line in out if line.startswith("tick ")]), want)
    expect("alpaca stream end", [line.split(" ")[:2] for line in out[-2:]],
           [["state", "4"], ["problem", "1"]])
    print(f"alpaca   ws_session.jsonl                   {len(want)} ticks equal, ends as "
          "a slow reader: again")

    path = os.path.join(folder, "alpaca", "ws_news_session.jsonl")
    out, lines = replay("alpaca", path, "TSLA,NFLX,BABA", "n")
    want = [alpaca_news({"news": [e]})[0] for e in events(lines, "alpaca")
            if e["T"] == "n"]
    expect("alpaca news stream", as_articles([line.split(" ")[1:] for line in out
                                              if line.startswith("article ")]), want)
    print(f"alpaca   ws_news_session.jsonl              {len(want)} article equal")

    codes = {400: 3, 401: 5, 402: 5, 404: 1, 405: 3, 406: 1, 407: 1, 409: 6, 410: 3,
             411: 6, 500: 1}
    hello = '[{"T":"success","msg":"connected"}]\n'
    for m in messages(os.path.join(folder, "alpaca", "ws_errors.jsonl")):
        code = json.loads(m["text"])[0]["code"]
        out = run(["stream", "alpaca", "AAPL", "t"], (hello + m["text"] + "\n").encode())
        if code == 403:
            expect("alpaca error 403", out[-1].split(" ")[:2], ["state", "1"])
        else:
            expect(f"alpaca error {code}", out[-1].split(" ")[:2],
                   ["problem", str(codes[code])])
    print("alpaca   ws_errors.jsonl                    12 codes judged")


def stream_polygon(folder):
    path = os.path.join(folder, "polygon", "ws_session.jsonl")
    out, lines = replay("polygon", path, "AAPL,AMZN,MSFT,GTE", "tq")
    ours = [line[4:] for line in out if line.startswith("say ")]
    expect("polygon stream auth", ours[0], lines[1]["text"])
    want = []
    for e in events(lines, "polygon"):
        if e["ev"] == "T":
            want.append([e["sym"], e["t"] * 10**6, scaled(e["p"], 9), scaled(e["s"], 8)] +
                        [NULL] * 4 + [polygon_id(e["x"], e.get("trfi", 0), e["i"]), 0, 0,
                                      polygon_cond(e.get("c", []))])
        elif e["ev"] == "Q":
            want.append([e["sym"], e["t"] * 10**6, NULL, NULL, scaled(e["bp"], 9),
                         scaled(e["ap"], 9), e["bs"] * 10**10, e["as"] * 10**10, e["q"],
                         0, 0, str(e["c"])])
    expect("polygon stream ticks",
           as_ticks([line.split(" ")[1:] for line in out if line.startswith("tick ")]), want)
    print(f"polygon  ws_session.jsonl                   {len(want)} ticks equal")
    hello = '[{"ev":"status","status":"connected","message":""}]\n'
    for m, verdict in zip(messages(os.path.join(folder, "polygon", "ws_errors.jsonl")),
                          (5, 1)):
        out = run(["stream", "polygon", "AAPL", "t"], (hello + m["text"] + "\n").encode())
        expect("polygon errors", out[-1].split(" ")[:2], ["problem", str(verdict)])
    print("polygon  ws_errors.jsonl                    2 statuses judged")


def main():
    folder = data_dir()
    for vendor in ("alpaca", "polygon", "yahoo"):
        scenarios(folder, vendor)
    questions(folder)
    stream_alpaca(folder)
    stream_polygon(folder)
    print(f"{len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
