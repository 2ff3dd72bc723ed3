"""What the tests of live feeds share: a connection that is cut after any number of bytes, and a daemon with a feed."""
import socket
import threading
import time
from datetime import datetime, timezone

import tickbusd as tb


def read_time(text):
    """RFC 3339 in UTC, or nanoseconds as they are, to nanoseconds."""
    if text.isdigit():
        return int(text)
    head, _, rest = text.rstrip("Z").partition(".")
    s = int(datetime.strptime(head, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp())
    return s * 10 ** 9 + int((rest + "0" * 9)[:9])


class CutConnection:
    """A vendor's side of a connection; vendor.cut() says after how many bytes it is cut, vendor.silent that it is mute."""

    def __init__(self, vendor, conn):
        self.v, self.conn = vendor, conn
        self.left = vendor.cut() if vendor.cut else None
        self.lock, self.alive = threading.Lock(), True

    def send(self, data):
        """False: the connection is no more.  A cut may fall on any byte."""
        with self.lock:
            if not self.alive:
                return False
            if self.v.silent:
                return True
            end = self.left is not None and self.left < len(data)
            try:
                self.conn.sendall(data[:self.left] if end else data)
            except OSError:
                end = True
            if self.left is not None:
                self.left -= len(data)
            if end:
                self.alive = False
                try:
                    self.conn.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            return not end


class FeedWorld:
    """A daemon self.d that has a feed FEED of self.vendor."""

    def source(self, name=None):
        rows = self.d.admin("sources")["result"]["sources"]
        return next((r for r in rows if r["source"] == (name or self.FEED)), {})

    def until(self, what, seconds, why):
        end = time.monotonic() + seconds * tb.PATIENCE
        while time.monotonic() < end:
            try:
                if what():
                    return
            except OSError:
                pass  # a slow build: its guard may be opening a listener anew
            time.sleep(0.05)
        raise AssertionError(f"{why}: {self.source()} {self.d.admin('gaps')} {self.d.errors()[-1000:]}")

    def is_whole(self):
        g = self.d.admin("gaps")["result"]
        return self.source().get("state") == "live" and g["open"] + g["lost"] == 0

    def settle(self):
        """No more faults; wait until nothing is missing, then stop the market."""
        self.vendor.cut, self.vendor.silent, self.vendor.history_fails = None, False, 0
        time.sleep(1)
        self.until(self.is_whole, 40, "it does not become whole")
        with self.vendor.lock:
            self.vendor.making = False
        time.sleep(0.5)
        self.until(lambda: self.source()["waiting"] == 0, 5, "ticks wait")
