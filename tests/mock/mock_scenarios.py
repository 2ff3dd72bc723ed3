"""Plays index.json: scenarios of requests and the sequences of answers to them.

A folder holds one folder per vendor with an index.json each; the format is that of the
recorded answers that the project tests against.  What matches nothing is answered 599
and remembered in .unmatched.
"""
import email.utils
import json
import pathlib
import re
import threading
import time

from mock_parts import Answer

HOW = ("truncate_at", "stall_after", "chunked", "every_ms", "fault")


def same(wanted, got):
    if got is None:
        return False
    return got.startswith(wanted[1:]) if wanted.startswith("~") else got == wanted


def header_fits(wanted, got):
    if wanted == "!":
        return got is None
    if got is None or got == "":
        return False
    return wanted == "*" or (wanted[1:] in got if wanted.startswith("~") else got == wanted)


def substitute(text, base):
    text = text.replace("{{base}}", base)
    text = re.sub(r"\{\{now\+(\d+)\}\}", lambda m: str(int(time.time()) + int(m[1])), text)
    return re.sub(r"\{\{http_date\+(\d+)\}\}", lambda m: email.utils.formatdate(
        int(time.time()) + int(m[1]), usegmt=True), text)


class Scenario:
    def __init__(self, vendor, folder, row):
        self.vendor, self.folder, self.row, self.hits = vendor, folder, row, 0
        self.id, self.request = row["id"], row["request"]

    def fits(self, request):
        want = self.request
        return (request.method == want["method"] and request.path == want["path"]
                and all(same(v, request.query.get(k)) for k, v in want.get("query", {}).items())
                and not any(k in request.query for k in want.get("query_absent", []))
                and all(same(v, request.form.get(k)) for k, v in want.get("form", {}).items())
                and all(header_fits(v, request.headers.get(k))
                        for k, v in want.get("headers", {}).items()))

    def answer(self, base):
        responses = self.row["responses"]
        r = responses[min(self.hits, len(responses) - 1)]
        self.hits += 1
        body = b""
        if "body_file" in r:
            body = (self.folder / r["body_file"]).read_bytes()
        for old, new in r.get("rewrite", []):
            body = body.replace(old.encode(), substitute(new, base).encode())
        if b"{{" in body:
            body = substitute(body.decode(), base).encode()
        headers = {k: substitute(v, base) for k, v in r.get("headers", {}).items()}
        return Answer(r.get("status", 200), body, headers, **{k: r[k] for k in HOW if k in r})


class Scenarios:
    def __init__(self, folder):
        self.lock, self.all, self.unmatched, self.times = threading.Lock(), [], [], []
        for index in sorted(pathlib.Path(folder).glob("*/index.json")):
            data = json.loads(index.read_text(encoding="utf-8"))
            self.all += [Scenario(data["vendor"], index.parent, row)
                         for row in data["scenarios"]]

    def reset(self):
        """As if nothing had been asked yet."""
        with self.lock:
            for s in self.all:
                s.hits = 0
            self.unmatched, self.times = [], []

    def look(self, request):
        with self.lock:
            self.times.append(time.monotonic())
            for s in self.all:
                if s.fits(request):
                    return s.answer(request.base)
            self.unmatched.append(f"{request.method} {request.target} {request.form}")
        return Answer(599, f"no scenario for {request.method} {request.target}",
                      {"Content-Type": "text/plain"})
