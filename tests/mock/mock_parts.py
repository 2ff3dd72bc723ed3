"""What the vendors of the mock share: requests, answers, times."""
import base64
import datetime
import hashlib
import json
import urllib.parse

SECOND = 10 ** 9
FOR_EVER = 2 ** 62


class Request:
    def __init__(self, method, target, headers, body=b"", base=""):
        url = urllib.parse.urlsplit(target)
        self.method, self.target, self.headers, self.base = method, target, headers, base
        self.path = urllib.parse.unquote(url.path)
        self.query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.form = {}
        if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            self.form = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))


class Answer:
    """An answer and how it is delivered: see mock_http.deliver()."""

    def __init__(self, status=200, body=b"", headers=None, **how):
        self.status, self.headers, self.how = status, dict(headers or {}), how
        if isinstance(body, (dict, list)):
            body = json.dumps(body, separators=(",", ":"))
            self.headers.setdefault("Content-Type", "application/json; charset=UTF-8")
        self.body = body.encode() if isinstance(body, str) else body


class Refusal(Exception):
    """Raised by a vendor: its answer says no."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer


class Number(float):
    """A decimal that json writes as the text it was made of."""

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __repr__(self):
        return self.text


def fingerprint(key):
    """Which key it was, without saying the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:8] if key else "none"


def seal(text):
    """A page token: opaque, and with characters that must be percent-encoded."""
    return base64.b64encode(text.encode()).decode()


def unseal(token):
    return base64.b64decode(token, validate=True).decode()


def instant(text, is_end=False):
    """Nanoseconds of "2024-01-02", RFC 3339 with up to 9 digits, or an integer of ns.
    A date that is an (inclusive) end means its last moment."""
    if text.isdigit() and len(text) > 12:
        return int(text)
    if len(text) == 10:
        at = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
        return (int(at.timestamp()) + (86400 if is_end else 0)) * SECOND - is_end
    text = text.replace(" ", "T").removesuffix("Z")
    zone = ""
    if "+" in text or "-" in text[10:]:
        at = max(text.rfind("+"), text.rfind("-"))
        text, zone = text[:at], text[at:]
    whole, _, fraction = text.partition(".")
    at = datetime.datetime.fromisoformat(whole + (zone or "+00:00"))
    return int(at.timestamp()) * SECOND + int((fraction + "0" * 9)[:9])


def rfc_ns(ns):
    at = datetime.datetime.fromtimestamp(ns // SECOND, datetime.timezone.utc)
    fraction = f".{ns % SECOND:09d}".rstrip("0").rstrip(".")
    return at.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"



def take(rows, n):
    """At most n of them, and the one after, or None."""
    page = []
    for row in rows:
        if len(page) == n:
            return page, row
        page.append(row)
    return page, None
