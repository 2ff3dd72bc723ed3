#!/usr/bin/env python3
"""Subscribers whose daemon is away: away_test.py TICKBUSD TICKBUSCTL

Both libraries, begun before there is a daemon, over one that is killed and comes back, and one that is stopped for so
long that it seems dead.  They have every event once and in order, and say what is the matter while it is.  Prints TAP.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "client", "python")]
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
MORE = "defaults: {timeframes: [1s], price_types: [last]}\n"
KINDS = {"TICK_RECEIVED": "tick", "NORMALIZED_BAR_READY": "bar"}


class World(tb.Tickbusd):
    """tb.tap() starts it: the clients are there before."""

    def __init__(self):
        super().__init__(BINARY, more=MORE)
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.ctl = subprocess.Popen([CTL, "--port", str(self.port["ingest"]), "sub", "tick,bar", "--from", "oldest", "--format", "json"],
                                    stdout=self.out, stderr=self.err)
        self.events, self.notices, self.troubles, self.is_over, self.at = [], [], [], False, 0
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        tb.until(lambda: self.troubles, "that there is no daemon yet is said", 20)
        time.sleep(1)  # tickbusctl waits five for the answer that history begins with

    def read(self):
        with tickbus.Subscriber("tick,bar", start="oldest", port_base=self.port["ingest"]) as sub:
            while not self.is_over:
                item = sub.next(0.1)
                if item is None:
                    if sub.trouble and sub.trouble not in self.troubles:
                        self.troubles.append(sub.trouble)
                elif item.kind in ("tick", "bar"):
                    self.events.append((item.kind, item.symbol, item.seq))
                elif item.kind != "live":
                    self.notices.append(str(item))

    def feed(self, seconds):
        for at in range(self.at, self.at + seconds):
            ticks = [tb.trade(symbol, at + i / 4, 100 + i, at * 4 + i + 1) for i in range(4) for symbol in ("A", "B")]
            assert tb.feed(self, ticks, "p", at * 8 + 1)["accepted"] == 8
            assert tb.feed_json(self, tb.clock_request(at + 1, at + 1))["accepted"] == 1
        self.at += seconds

    def said(self, file):
        return os.pread(file.fileno(), 1 << 26, 0).decode()

    def told(self):
        """What tickbusctl printed."""
        lines = [json.loads(line) for line in self.said(self.out).splitlines(True) if line.endswith("\n")]
        return [(KINDS[e["event"]], e["symbol"], e["seq"]) for e in lines]

    def stored(self):
        with tickbus.history("tick,bar", start="oldest", port_base=self.port["ingest"]) as past:
            return sorted((e.kind, e.symbol, e.seq) for e in past if e.kind in ("tick", "bar"))

    def remove(self):
        self.is_over = True
        self.thread.join()
        self.ctl.kill()
        self.ctl.wait()
        super().remove()


def every_event_comes_once_whatever_the_daemon_does(d):
    assert any("Connection refused" in t and "Errno" not in t for t in d.troubles), d.troubles
    d.feed(8)
    tb.until(lambda: len(d.told()) > 60, "both have begun", 30)
    d.kill()
    tb.until(lambda: "trying again" in d.said(d.err), "tickbusctl says that the connection is lost", 20)
    d.start()
    d.feed(8)
    tb.until(lambda: "connected again" in d.said(d.err), "... and that it is back", 20)
    d.process.send_signal(signal.SIGSTOP)
    try:
        tb.until(lambda: any("nobody greets" in t or "silent" in t for t in d.troubles), "the silence is noticed", 20)
    finally:
        d.process.send_signal(signal.SIGCONT)
    d.feed(8)
    tb.until(lambda: d.admin("top")["result"]["derived_pending"] == 0 and len([e for e in d.stored() if e[0] == "bar"]) >= 46, "bars", 30)
    want = d.stored()
    tb.until(lambda: len(d.events) >= len(want) and len(d.told()) >= len(want), "everything has come", 60)
    time.sleep(0.5)
    for got in (d.events, d.told()):
        assert sorted(got) == want, (len(got), len(want))
        for stream in {e[:2] for e in got}:
            seqs = [e[2] for e in got if e[:2] == stream]
            assert seqs == list(range(1, len(seqs) + 1)), (stream, seqs)
    assert not d.notices and "are lost" not in d.said(d.err), (d.notices, d.said(d.err))


if __name__ == "__main__":
    sys.exit(tb.tap([every_event_comes_once_whatever_the_daemon_does], World))
