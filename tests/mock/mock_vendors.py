#!/usr/bin/env python3
"""The vendors of market data without the vendors: for tests, and to try tickbus without
keys.

	tests/mock/mock_vendors.py --port 8080

prints one line of JSON with its addresses and serves until it is interrupted.  Set the
vendors' base_url to the address under "http", and the streams' to the one under "ws";
any key will do that does not begin with BAD.  Every symbol exists that does not begin
with ZZ; what it costs follows from --seed and the time alone, so the same question
always has the same answer, and what a stream missed is in the history.
GET /mock/report tells who asked how often.  A base_url that ends in /hostile/MODE is
answered by a server that means no good; without a MODE it says which there are.
"""
import argparse
import json
import random
import shutil
import signal
import tempfile
import threading

import mock_certs
import mock_hostile
import mock_http
import mock_ws
from mock_alpaca import Alpaca
from mock_databento import Databento, Gateway
from mock_events import Events
from mock_market import Market
from mock_polygon import Polygon, PolygonStream
from mock_scenarios import Scenarios
from mock_yahoo import Yahoo

VENDORS = (Alpaca, Databento, Polygon, Yahoo)
STREAMS = {"/v2/iex": mock_ws.AlpacaStream, "/v2/sip": mock_ws.AlpacaStream,
           "/v2/delayed_sip": mock_ws.AlpacaStream, "/v2/test": mock_ws.AlpacaStream,
           "/stocks": PolygonStream}


class MockVendors:
    """start(), then .http, .ws ... are addresses; report() at any time; stop()."""

    def __init__(self, port=0, seed=1, ticks_per_s=4, latency_ms=0, rate=None, p429=0.0,
                 p500=0.0, ptruncate=0.0, wait_429="1", stream_cut=None, stream_mute=None,
                 stream_refuse="", scenarios=None, tls=None):
        self.market = Market(seed, ticks_per_s)
        self.events = Events(self.market)
        self.accounts = mock_http.Accounts(rate)
        luck = mock_http.Luck(seed, p429, p500, ptruncate, wait_429)
        self.app = mock_http.App([make(self.market, self.events) for make in VENDORS],
                                 self.accounts, luck,
                                 latency_ms / 1000)
        self.app.websocket = self.websocket
        self.scenarios = Scenarios(scenarios) if scenarios else None
        if self.scenarios:
            self.app.first.append(self.scenarios.look)
        self.fates = mock_ws.Fates(random.Random(seed), stream_cut, stream_mute,
                                   stream_refuse)
        self.hostile = mock_hostile.Hostile()
        self.app.first.insert(0, self.hostile.look)
        self.port, self.servers = port, []
        self.tls, self.made = tls, None
        self.http = self.ws = self.https = self.wss = self.ca = None
        self.misnamed = self.stranger = self.expired = self.old_tls = self.databento_live = None

    def start(self):
        server = mock_http.Server(self.app, self.port)
        self.servers.append(server)
        self.http = f"http://127.0.0.1:{server.port}"
        self.ws = f"ws://127.0.0.1:{server.port}"
        gateway = Gateway(self.market, self.fates, self.app.stopping,
                          self.port and self.port + 1)
        self.servers.append(gateway)
        self.databento_live = f"tcp://127.0.0.1:{gateway.port}"
        if self.tls:
            self.start_tls()
        return self

    def start_tls(self):
        """With the certificate that was given, or with a CA of our own: then there are
        bad certificates to try as well, and an old protocol."""
        if self.tls == "make":
            self.made = mock_certs.make(tempfile.mkdtemp(prefix="tickbus-mock-"))
            self.ca = f"{self.made}/ca.pem"
            self.misnamed = self.open_tls(*self.certificate("misnamed"))
            self.stranger = self.open_tls(*self.certificate("stranger"))
            self.expired = self.open_tls(*self.certificate("expired"))
            self.old_tls = self.open_tls(*self.certificate("server"), old=True)
            self.https = self.open_tls(*self.certificate("server"), self.port and self.port + 2)
        else:
            self.https = self.open_tls(*self.tls, self.port and self.port + 2)
        self.wss = self.https.replace("https", "wss")

    def certificate(self, name):
        return f"{self.made}/{name}.pem", f"{self.made}/{name}.key"

    def open_tls(self, cert, key, port=0, old=False):
        server = mock_http.Server(self.app, port, mock_http.server_tls(cert, key, old))
        self.servers.append(server)
        return f"https://localhost:{server.port}"

    def stop(self):
        self.app.stopping.set()
        for server in self.servers:
            server.stop()
        if self.made:
            shutil.rmtree(self.made)

    def addresses(self):
        every = {"http": self.http, "ws": self.ws, "https": self.https, "wss": self.wss,
                 "databento_live": self.databento_live, "ca": self.ca, "https_misnamed": self.misnamed,
                 "https_stranger": self.stranger, "https_expired": self.expired,
                 "https_old": self.old_tls}
        return {k: v for k, v in every.items() if v}

    def report(self):
        return {**self.accounts.report(), "streams": self.fates.opened,
                "streams_cut": self.fates.cuts}

    def websocket(self, sock, request):
        make = STREAMS.get(request.path)
        if make is None or "Sec-WebSocket-Key" not in request.headers:
            sock.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        ws = mock_ws.WebSocket(sock, request, self.fates.draw())
        mock_ws.play(make(self.market, self.fates.refuse), ws, self.fates,
                     self.app.stopping)


def rate(text):
    n, _, seconds = text.partition("/")
    return int(n), float(seconds or 1)


def span(text):
    least, _, most = text.partition("-")
    return int(least), int(most or least) + 1


def arguments():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=0, help="of http and ws; the next is Databento's live gateway's, the one after "
                   "https and wss; 0: free ones")
    p.add_argument("--tls", nargs="*", metavar="FILE",
                   help="https and wss as well: CERT KEY, or nothing: with a CA of our own, "
                   "and more ports with bad certificates")
    p.add_argument("--seed", type=int, default=1, help="of the market, and of bad luck")
    p.add_argument("--ticks-per-second", type=float, default=4, dest="ticks_per_s",
                   help="trades and quotes of each symbol (default 4)")
    p.add_argument("--latency", type=float, default=0, metavar="MS", dest="latency_ms")
    p.add_argument("--rate", type=rate, metavar="N/S",
                   help="more than N requests in any S seconds are answered 429")
    p.add_argument("--p429", type=float, default=0.0, help="share of answers 429")
    p.add_argument("--wait-429", default="1", metavar="S",
                   help='seconds that such an answer asks to wait; "": does not say')
    p.add_argument("--p500", type=float, default=0.0, help="share of answers 500")
    p.add_argument("--ptruncate", type=float, default=0.0, help="share of bodies cut off")
    p.add_argument("--scenarios", metavar="DIR",
                   help="answer from the index.json files of the folders in it, and nothing else")
    p.add_argument("--stream-cut", type=span, metavar="N-M",
                   help="cut each stream after N to M bytes")
    p.add_argument("--stream-mute", type=float, metavar="S",
                   help="streams stay open and say nothing after S seconds")
    p.add_argument("--stream-refuse", default="", choices=["", "auth", "406"],
                   help="refuse who wants to stream")
    args = p.parse_args()
    if args.tls is not None and len(args.tls) not in (0, 2):
        p.error("--tls takes a certificate and its key, or nothing")
    if args.tls == []:
        args.tls = "make"
    return args


def main():
    vendors = MockVendors(**vars(arguments())).start()
    print(json.dumps(vendors.addresses()), flush=True)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    done.wait()
    vendors.stop()


if __name__ == "__main__":
    main()
