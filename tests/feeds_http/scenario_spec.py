"""What a question to tickbus must look like to meet a scenario, and what must come of it."""
import json
import pathlib
import urllib.parse

FOREVER = 2 ** 62
SECOND = 10 ** 9
ATTEMPTS = 3
STEPS = {"1Min": 60, "1m": 60, "1d": 86400, "1Day": 86400}


class Question:
    """Arguments and input of asker."""

    def __init__(self, what, symbols, start=0, end=FOREVER, step=86400, adjust=0, limit=0):
        self.line = f"{what} {symbols} {start} {end} {step} {adjust} {limit}"
        self.what, self.options, self.keys = what, [], {}


def encode(pairs):
    return urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)


def value(text):
    """An example of what a condition admits."""
    return text.lstrip("~")


def alpaca(request):
    query = {k: value(v) for k, v in request.get("query", {}).items()}
    last = request["path"].rsplit("/", 1)[-1]
    what = {"bars": "bars", "trades": "trades", "quotes": "quotes", "news": "news",
            "corporate-actions": "actions"}.get(last, "bars")
    symbols = query.get("symbols", "AAPL")
    q = Question(what, "AAPL" if "$" in symbols else symbols,
                 step=STEPS.get(query.get("timeframe"), 86400))
    key = request.get("headers", {}).get("APCA-API-KEY-ID", "*")
    q.keys = {"ASK_KEY": "goodkey" if key == "*" else key, "ASK_SECRET": "goodsecret"}
    q.options = ["target=" + request["path"] + ("?" + encode(query) if query else "")]
    return q


def polygon(request):
    path = request["path"]
    parts = path.split("/")
    what = {"trades": "trades", "quotes": "quotes"}.get(parts[2], "bars")
    symbol = parts[3] if what != "bars" else parts[4] if len(parts) > 4 else "AAPL"
    if parts[2] == "reference" and parts[3] in ("news", "splits", "dividends"):
        what, symbol = ("news" if parts[3] == "news" else "actions"), "AAPL"
    if symbol in ("tickers", "reference"):
        symbol = "AAPL"
    query = {k: value(v) for k, v in request.get("query", {}).items()}
    # "adjusted" is how the rows are read, and how the adapter asks.
    q = Question(what, symbol, step=60 if "/minute/" in path else 86400, adjust=1)
    auth = request.get("headers", {}).get("Authorization", "~Bearer ")
    if auth != "!":
        q.keys = {"ASK_KEY": "BADKEY" if "BADKEY" in auth else "goodkey"}
    q.options = ["target=" + path + ("?" + encode(query) if query else "")]
    return q


def databento(request):
    form = {k: value(v) for k, v in request.get("form", {}).items()}
    schema = form.get("schema", "trades")
    what = "bars" if schema.startswith("ohlcv") else "quotes" if schema in ("mbp-1", "tbbo") else "trades"
    if request["path"].endswith("symbology.resolve"):
        q = Question("trades", "NVDA,ZZZZZ", 1700000000 * SECOND, 1700086400 * SECOND)
        q.keys, q.options = {"ASK_KEY": "db-goodkey"}, ["dataset=XNAS.ITCH", "resolve=1"]
        return q
    q = Question(what, form.get("symbols", "NVDA"), step=60 if schema.endswith("1m") else 86400)
    is_bad = "QkFES0VZOg" in request.get("headers", {}).get("Authorization", "")
    q.keys = {"ASK_KEY": "BADKEY" if is_bad else "db-goodkey-0123456789"}
    q.options = ["dataset=" + form.get("dataset", "XNAS.ITCH")]
    own = {"dataset", "schema", "symbols"}
    if form.get("encoding", "dbn") != "dbn" or form.get("compression", "zstd") != "zstd" or \
            set(form) - own - {"encoding", "compression"} or schema in ("tbbo", "definition"):
        q.options += ["target=" + request["path"], "form=" + encode(form)]
    return q


def yahoo_name(theirs):
    """How tickbus calls it."""
    if theirs.endswith("=X"):
        return f"{theirs[:3]}/{theirs[3:6]}"
    if theirs.endswith("=F"):
        return "F:" + theirs[:-2]
    return theirs.replace("-", "/")


def yahoo(request, what="bars"):
    query = request.get("query", {})
    if "/chart/" in request["path"]:
        symbol = yahoo_name(request["path"].rsplit("/", 1)[-1])
        start, end = int(query.get("period1", 0)), int(query.get("period2", 2 * 10 ** 9))
        q = Question(what, symbol, start * SECOND, end * SECOND,
                     STEPS.get(query.get("interval"), 86400), 1)
        if query.get("interval") == "1m" and "period1" not in query:
            q = Question("bars", symbol, 0, 7 * 86400 * SECOND, 60, 1)
            q.options = ["target=" + request["path"] + "?interval=1m"]
        return q
    if request["path"] == "/v1/finance/search" and query:
        return Question("news", query["q"], 0, FOREVER)
    q = Question("bars", "AAPL", 0, FOREVER, 86400, 1)
    q.options = ["target=" + request["path"]]
    return q


MAKERS = {"alpaca": alpaca, "polygon": polygon, "databento": databento, "yahoo": yahoo}

# What the words of `error` mean to us: verdicts, and how many requests lead to it.
CLASSES = (
    ("authentication or permission", ("auth", "forbidden"), 1),
    ("authentication", ("auth",), 1),
    ("permission", ("forbidden",), 1),
    ("not a crumb", ("garbled", "limited"), None),
    ("malformed response, retryable", ("garbled",), 2),
    ("malformed", ("garbled",), 2),
    ("last record incomplete", ("garbled",), 2),
    ("incomplete stream", ("garbled", "retry"), None),
    ("permanent", ("refused", "unknown"), 1),
    ("incomplete", ("retry",), ATTEMPTS),
    ("time-out", ("retry",), ATTEMPTS),
    ("retryable", ("retry",), ATTEMPTS),
    ("not followed", ("refused",), 1),
)

# Bodies that were borrowed from another question: whose rows they are.
SYMBOLS = {("alpaca", "rate_limited_then_ok"): "AAPL,TSLA", ("alpaca", "connection_closed"): "IBM",
           ("databento", "rate_limited_then_ok"): "QQQ", ("databento", "server_error_then_ok"): "QQQ"}

# Rows that are outside of the question as we see it: a day of Frankfurt begins at its
# midnight, which is before midnight UTC.
OUTSIDE = {("yahoo", "chart_xetra"): 1}


def class_of(error):
    """(verdicts, requests) or None when it is no error of the request."""
    for words, verdicts, requests in CLASSES:
        if error.startswith(words):
            return verdicts, requests
    return None


def question(vendor, scenario):
    q = MAKERS[vendor](scenario["request"])
    what, symbols, rest = q.line.split(" ", 2)
    q.line = f"{what} {SYMBOLS.get((vendor, scenario['id']), symbols)} {rest}"
    return q


def load(folder):
    """Each vendor's scenarios: (vendor, scenario)."""
    out = []
    for index in sorted(pathlib.Path(folder).glob("*/index.json")):
        data = json.loads(index.read_text(encoding="utf-8"))
        out += [(data["vendor"], s) for s in data["scenarios"]]
    return out
