#!/usr/bin/env python3
"""Servers that mean no good: each is refused with a sentence, within seconds, and others
are served meanwhile: hostile_test.py ASKER

Prints TAP.
"""
import resource
import sys
import threading

import askerlib

ASKER = sys.argv[1]
DAY = 86400 * 10 ** 9
MONDAY = 1704067200 * 10 ** 9  # 2024-01-01
LINE = f"bars AAPL {MONDAY + DAY} {MONDAY + 2 * DAY} 60 0 0"
ROWS = None  # of LINE, when nothing is wrong
OPTIONS = ["vendor=alpaca", "attempts=2", "backoff_ms=20", "total_ms=2500", "stall_ms=1000",
           "wait_max_ms=5000", "body_max=20000000"]
IN_TIME_S = 15

# Mode, and what the sentence must say.
REFUSED = (
    ("redirect-file", "not followed"), ("redirect-private", "not followed"),
    ("redirect-loopback", "not followed"), ("redirect-foreign", "not followed"),
    ("gzip-bomb", "20000000"), ("small-bomb", "20000000"), ("endless", "20000000"),
    ("retry-10h", "asks to wait 36000 s"), ("retry-for-ever", "asks to wait"),
    ("html", "HTML page"), ("trickle", ""), ("header-flood", ""), ("long-header", "header is too long"),
    ("no-http", ""), ("mute", ""), ("two-lengths", ""), ("not-gzip", ""), ("deep", ""),
    ("echo-keys", "holds the key"), ("redirect-loop", "not followed"),
    ("bom", "answer 200"), ("wrong-type", "cannot be read"),
    ("array-for-object", "cannot be read"), ("infinity", "cannot be read"),
    ("huge-number", "cannot be read"), ("too-many-digits", "cannot be read"),
    ("price-as-text", "cannot be read"),
)


def ask(base, *more, **how):
    out = askerlib.ask(ASKER, LINE, [*OPTIONS, f"base={base}", *more], **how)
    for text in (out.text, out.err):
        for key in (askerlib.KEY, askerlib.SECRET):
            assert key not in text, "a key was shown"
    return out


def no_key_at(vendor, name):
    assert not vendor.accounts.log, f"{name}: something was asked of the foreign host"
    assert vendor.accounts.connections == 0, f"{name}: the foreign host was called"


class Bystander:
    """Asks an honest server all the time, as another feed would."""

    def __init__(self, base):
        self.base, self.asked, self.wrong = base, 0, []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over.is_set():
            out = ask(self.base)
            self.asked += 1
            if len(out.rows) != ROWS or out.end["end"] != "done" or out.seconds > 10:
                self.wrong.append(out.text[-300:])
            self.is_over.wait(0.3)

    def end(self):
        self.is_over.set()
        self.thread.join()
        assert self.asked > 3 and not self.wrong, self.wrong
        return self.asked


def refused(mock, foreign, mode, words):
    out = ask(f"{mock.http}/hostile/{mode}")
    end = out.end
    assert end["end"] == "failed", out.text
    assert not out.rows, "rows of a hostile answer"
    assert words in end["why"] and len(end["why"]) > 20, end["why"]
    assert out.seconds < IN_TIME_S, f"{out.seconds} s"
    no_key_at(foreign, mode)
    return f"{mode}: {end['why']} ({out.seconds:.1f} s, {end['requests']} requests)"


def bad_certificates(mock):
    notes = []
    for name, base in (("another host's", mock.misnamed), ("a stranger's", mock.stranger),
                       ("an expired one", mock.expired)):
        before = len(mock.accounts.log)
        out = ask(base, f"ca={mock.ca}")
        assert out.end["end"] == "failed" and "certificate" in out.end["why"].lower(), out.text
        assert len(mock.accounts.log) == before, "a request went over a bad connection"
        notes.append(f"{name}: {out.end['why']}")
    out = ask(mock.old_tls, f"ca={mock.ca}")
    assert out.end["end"] == "failed" and not out.rows, out.text
    notes.append(f"TLS 1.1: {out.end['why']}")
    out = ask(mock.https)  # the system's CAs do not know ours
    assert out.end["end"] == "failed", out.text
    good = ask(mock.https, f"ca={mock.ca}")
    assert good.end["end"] == "done" and len(good.rows) == ROWS, good.text[-300:]
    return notes


def strict(mock):
    """As it is configured by default: neither http nor an address of ours."""
    notes = []
    for base in (mock.http, mock.https):
        before = mock.accounts.connections
        out = ask(base, "strict=1", f"ca={mock.ca}")
        assert out.end["end"] == "failed", out.text
        assert mock.accounts.connections == before, "it was called all the same"
        notes.append(out.end["why"])
    return notes


def bad_names(_mock):
    """A name that nobody has, and addresses that are no host's on the Internet."""
    notes = []
    for base in ("https://no-such-vendor.invalid", "https://0.0.0.0", "https://[::1]",
                 "https://169.254.169.254", "https://10.0.0.1"):
        out = ask(base, "strict=1")
        assert out.end["end"] == "failed" and out.seconds < IN_TIME_S, out.text
        notes.append(out.end["why"])
    return notes


def main():
    global ROWS  # pylint: disable=global-statement
    tap = askerlib.Tap()
    mock = askerlib.MockVendors(tls="make").start()
    honest, foreign = askerlib.MockVendors().start(), askerlib.MockVendors().start()
    mock.hostile.foreign = foreign.http
    ROWS = len(list(mock.market.bars("AAPL", 60, MONDAY + DAY, MONDAY + 2 * DAY)))
    other = Bystander(honest.http)
    for mode, words in REFUSED:
        try:
            tap.result(True, refused(mock, foreign, mode, words))
        except (AssertionError, KeyError) as e:
            tap.result(False, mode, e)
    tap.run(bad_certificates, mock)
    tap.run(strict, mock)
    tap.run(bad_names, mock)
    try:
        tap.result(True, f"an honest server was asked {other.end()} times meanwhile, as ever")
    except AssertionError as e:
        tap.result(False, "an honest server was served as ever", e)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    tap.result(most < 300, f"no asker held more than 300 MiB: {most}")
    for server in (mock, honest, foreign):
        server.stop()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
