"""Constructed scenarios: the classes of answers that every vendor's client must know.

Written into a folder of the same format as the recorded ones, so that the same test
plays them; they are all there is where the recorded ones are not.
"""
import contextlib
import json
import pathlib
import tempfile

import askerlib  # noqa: F401  (it makes tests/mock known)
import mock_dbn

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
ALPACA = {"APCA-API-KEY-ID": "*", "APCA-API-SECRET-KEY": "*"}


def alpaca_rows(n, more=None):
    rows = [{"t": f"2024-01-02T15:{i:02d}:00Z", "o": 10, "h": 10.5, "l": 9.75, "c": 10.123456789,
             "v": 100 + i, "n": 3, "vw": 10.1} for i in range(n)]
    return {"bars": {"OWN": rows}, "next_page_token": more}


def polygon_rows(n, more=None):
    rows = [{"v": 100.0 + i, "o": 10, "h": 10.5, "l": 9.75, "c": 10.25, "vw": 1.01e1,
             "t": 1704207600000 + 60000 * i} for i in range(n)]
    return {"status": "OK", "request_id": "1", "results": rows, **({"next_url": more} if more else {})}


def yahoo_rows(n):
    times = [1704205800 + 86400 * i for i in range(n)]
    column = [10.25] * n
    quote = {k: column for k in ("open", "high", "low", "close")}
    return {"chart": {"error": None, "result": [{
        "meta": {"symbol": "OWN", "currency": "USD", "gmtoffset": -18000, "timezone": "EST",
                 "exchangeTimezoneName": "America/New_York", "priceHint": 2,
                 "dataGranularity": "1d"},
        "timestamp": times, "indicators": {"quote": [{**quote, "volume": [1000] * n}],
                                           "adjclose": [{"adjclose": column}]}}]}}


def databento_rows(n):
    """zstd around DBN, as the vendor sends it."""
    records = b"".join(mock_dbn.bar(7, 60, 1704207600 + 60 * i, (0, 1000, 1050, 975, 1025, 9))
                       for i in range(n))
    return mock_dbn.zstd(mock_dbn.metadata(
        "XNAS.ITCH", 7, 0, 2 ** 62, [("OWN", 20240101, 20240201, 7)]) + records)


class Folder:
    """One vendor's folder in the making."""

    def __init__(self, vendor, target, rows, headers, pages=True):
        self.vendor, self.target, self.rows, self.headers = vendor, target, rows, headers
        self.files, self.scenarios = {}, []
        self.classes()
        if pages:
            self.paging()

    @staticmethod
    def written(data):
        return data if isinstance(data, (str, bytes)) else json.dumps(data)

    def body(self, data):
        name = f"body{len(self.files)}"
        self.files[name] = self.written(data)
        return name

    def response(self, status, data=None, headers=None, **how):
        return {"status": status, "headers": JSON if headers is None else headers,
                **({"body_file": self.body(data)} if data is not None else {}), **how}

    def add(self, name, responses, expect):
        request = self.target(name)
        self.scenarios.append({"id": name, "provenance": "constructed of our own",
                               "request": {"method": "GET", "headers": self.headers, **request},
                               "responses": responses, "expect": expect})

    def classes(self):
        ok, n = self.rows(5), {"bars": 5}
        good = self.response(200, ok)
        error = {"message": "no", "status": "ERROR", "error": "no"}
        for status in (408, 425, 500, 502, 503, 504):
            self.add(f"answer_{status}_then_ok", [self.response(status, error), good],
                     {"attempts": 2, **n})
        for status, words in ((400, "permanent"), (401, "authentication"), (403, "permission"),
                              (404, "permanent"), (422, "permanent")):
            self.add(f"answer_{status}", [self.response(status, error)], {"error": words})
        self.add("answer_503_html_for_ever", [self.response(503, "<html>busy</html>", HTML)],
                 {"error": "retryable"})
        for name, headers in (("retry_after_seconds", {"Retry-After": "1"}),
                              ("retry_after_date", {"Retry-After": "{{http_date+2}}"}),
                              ("limit_reset", {"X-RateLimit-Reset": "{{now+2}}",
                                               "X-RateLimit-Remaining": "0"})):
            self.add(name, [self.response(429, error, {**JSON, **headers}), good],
                     {"attempts": 2, "wait_s_at_least": 0.9, **n})
        self.add("limited_without_a_word", [self.response(429, "Too Many Requests", HTML), good],
                 {"attempts": 2, **n})
        self.add("cut_then_ok", [self.response(200, ok, truncate_at=100), good],
                 {"attempts": 2, **n})
        self.add("cut_for_ever", [self.response(200, ok, truncate_at=100)],
                 {"error": "incomplete"})
        self.add("half_of_the_json", [self.response(200, self.written(ok)[:-30])],
                 {"error": "malformed"})
        self.add("garbled_once", [self.response(200, self.written(ok)[:-30]), good],
                 {"attempts": 2, **n})
        self.add("html_with_200", [self.response(200, "<html>sorry</html>", HTML)],
                 {"error": "malformed response, retryable"})
        self.add("nothing_with_200", [self.response(200)], {"error": "malformed"})
        self.add("closed_then_ok", [{"fault": "close_without_response"}, good],
                 {"attempts": 2, **n})
        self.add("stalls_then_ok", [self.response(200, ok, stall_after=50), good],
                 {"attempts": 2, **n})
        self.add("small_chunks", [self.response(200, ok, chunked=7, every_ms=1)], n)
        self.add("redirected", [self.response(302, None, {"Location": "http://localhost:9/x"})],
                 {"error": "not followed"})

    def paging(self):
        link = {"alpaca": "TOKEN+/=", "polygon": "{{base}}/v2/next/2?cursor=A%2BB"}[self.vendor]
        first, second = self.rows(3, link), self.rows(2)
        if self.vendor == "alpaca":
            self.add("second_page", [self.response(200, second)], {"bars": 2, "more_pages": False})
            self.scenarios[-1]["request"]["query"] = {"symbols": "OWN.PAGES", "page_token": link}
            self.add("first_page1", [self.response(200, first)],
                     {"bars": 3, "more_pages": True, "total_over_2_pages": 5})
            self.scenarios[-1]["request"]["query"] = {"symbols": "OWN.PAGES"}
            for row in self.scenarios[-2:]:
                name = row["responses"][0]["body_file"]
                self.files[name] = self.files[name].replace('"OWN"', '"OWN.PAGES"')
        else:
            self.add("second_page", [self.response(200, second)], {"bars": 2, "more_pages": False})
            self.scenarios[-1]["request"].update(path="/v2/next/2", query={"cursor": "A+B"})
            self.add("first_page1", [self.response(200, first)],
                     {"bars": 3, "more_pages": True, "total_over_2_pages": 5})

    def write(self, root):
        folder = pathlib.Path(root, self.vendor)
        folder.mkdir()
        for name, data in self.files.items():
            (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
        (folder / "index.json").write_text(json.dumps(
            {"vendor": self.vendor, "scenarios": self.scenarios}), encoding="utf-8")


def alpaca_target(name):
    return {"path": "/v2/stocks/bars", "query": {"symbols": "OWN", "timeframe": "1Min",
                                                 "x": name}}


def polygon_target(name):
    return {"path": f"/v2/aggs/ticker/OWN/range/1/minute/2024-01-02/{name}"}


def yahoo_target(name):
    return {"path": "/v8/finance/chart/" + name.upper().replace("_", "."),
            "query": {"interval": "1d"}}


def databento_target(name):
    return {"method": "POST", "path": "/v0/timeseries.get_range",
            "form": {"schema": "ohlcv-1m", "symbols": "OWN", "x": name}}


@contextlib.contextmanager
def folder():
    with tempfile.TemporaryDirectory(prefix="tickbus-scenarios-") as root:
        Folder("alpaca", alpaca_target, alpaca_rows, ALPACA).write(root)
        Folder("polygon", polygon_target, polygon_rows, {"Authorization": "~Bearer "}).write(root)
        Folder("databento", databento_target, databento_rows, {"Authorization": "~Basic "},
               pages=False).write(root)
        Folder("yahoo", yahoo_target, yahoo_rows, {}, pages=False).write(root)
        yield root
