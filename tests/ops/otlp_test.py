#!/usr/bin/env python3
"""Traces to a collector of OpenTelemetry: otlp_test.py TICKBUSD TICKBUSCTL

A collector of this file's own takes them, and judges every field by the facts of opentelemetry-proto (trace.proto, common.proto)
and of OTLP's JSON: ids in hex, enums as numbers, 64-bit integers as strings, no key that the schema has not.  What it was told is
compared with `tickbusctl trace`.  Then it is down, slow and rude: nothing that is derived may wait for it.  Prints TAP.
"""
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import tickbusd as tb  # noqa: E402

BINARY, CTL = map(os.path.abspath, sys.argv[1:3])
SPAN_KEYS = {"traceId", "spanId", "traceState", "parentSpanId", "flags", "name", "kind", "startTimeUnixNano", "endTimeUnixNano",
             "attributes", "droppedAttributesCount", "events", "droppedEventsCount", "links", "droppedLinksCount", "status"}
MORE = """
workers: {{threads: 2}}
trace: {{slow: {slow}, otlp: "http://127.0.0.1:{port}{path}", otlp_rate: {rate}}}
defaults: {{timeframes: [1m]}}
universes: {{two: {{symbols: [AAA, BBB], timeframe: 1m, window: 10, min_obs: 3}}}}
"""


# ---- the schema ----

def attributes(rows):
    out = {}
    for row in rows:
        assert set(row) == {"key", "value"} and isinstance(row["key"], str) and row["key"], row
        ((kind, value),) = row["value"].items()
        assert row["key"] not in out, f"{row['key']} twice"
        if kind == "intValue":
            assert isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d*)", value), f"int64 is a string in JSON: {row}"
            assert -2 ** 63 <= int(value) < 2 ** 63, row
            value = int(value)
        else:
            types = {"stringValue": str, "boolValue": bool, "doubleValue": (int, float)}
            assert kind in types and isinstance(value, types[kind]), row
        out[row["key"]] = value
    return out


def nanos(text):
    assert isinstance(text, str) and re.fullmatch(r"0|[1-9]\d*", text) and int(text) < 2 ** 64, f"fixed64 is a string in JSON: {text!r}"
    return int(text)


def span_of(s):
    assert set(s) <= SPAN_KEYS and {"traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"} <= set(s), s
    assert re.fullmatch(r"[0-9a-f]{32}", s["traceId"]) and int(s["traceId"], 16) != 0, s
    assert re.fullmatch(r"[0-9a-f]{16}", s["spanId"]) and int(s["spanId"], 16) != 0, s
    if "parentSpanId" in s:  # a root has none, or an empty one
        assert s["parentSpanId"] == "" or re.fullmatch(r"[0-9a-f]{16}", s["parentSpanId"]), s
    assert isinstance(s["kind"], int) and not isinstance(s["kind"], bool) and 1 <= s["kind"] <= 5, f"enums are numbers: {s}"
    assert isinstance(s["name"], str) and s["name"], s
    start, end = nanos(s["startTimeUnixNano"]), nanos(s["endTimeUnixNano"])
    assert start <= end and abs(end / 1e9 - time.time()) < 600, s
    return {"trace": s["traceId"], "id": s["spanId"], "parent": s.get("parentSpanId", ""), "name": s["name"], "kind": s["kind"],
            "start": start, "end": end, **attributes(s.get("attributes", []))}


def spans_of(text):
    """The resource and the spans of an ExportTraceServiceRequest."""
    body = json.loads(text)
    assert set(body) == {"resourceSpans"} and len(body["resourceSpans"]) == 1, set(body)
    (group,) = body["resourceSpans"]
    assert set(group) <= {"resource", "scopeSpans", "schemaUrl"}, set(group)
    assert set(group["resource"]) <= {"attributes", "droppedAttributesCount"}, group["resource"]
    (scope,) = group["scopeSpans"]
    assert set(scope) <= {"scope", "spans", "schemaUrl"} and set(scope["scope"]) <= {"name", "version", "attributes"}, set(scope)
    spans = [span_of(s) for s in scope["spans"]]
    ids = {(s["trace"], s["id"]) for s in spans}
    assert len(ids) == len(spans), "an id twice in a trace"
    for s in spans:
        assert s["parent"] == "" or (s["trace"], s["parent"]) in ids, f"its parent is not there: {s}"
    return attributes(group["resource"]["attributes"]), spans


# ---- the collector ----

class Collector:
    """Answers by @script, a list of (status, headers, body, seconds to wait), then 200 {}."""

    def __init__(self, port=0, script=()):
        self.got, self.script, self.lock = [], list(script), threading.Lock()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with collector.lock:
                    status, headers, answer, wait = collector.script.pop(0) if collector.script else (200, {}, b"{}", 0)
                    collector.got.append((time.monotonic(), status, self.path, dict(self.headers), body))
                time.sleep(wait)
                try:
                    self.send_response(status)
                    for k, v in {"Content-Type": "application/json", "Content-Length": str(len(answer)), **headers}.items():
                        self.send_header(k, v)
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.daemon_threads = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def taken(self):
        """Spans of every request that was answered 200."""
        with self.lock:
            return [s for _, status, _, _, body in self.got if status == 200 for s in spans_of(body)[1]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def daemon(port, rate=100000, slow="off", path="/v1/traces"):
    return tb.Tickbusd(BINARY, more=MORE.format(port=port, rate=rate, slow=slow, path=path)).start()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def trade_alone(d, first, n):
    """One request a tick: a step each, nearly."""
    s = d.ingest()
    for q in range(first, first + n):
        ticks = [tb.trade("AAA" if q % 2 else "BBB", q, 100 + q % 7, q)]
        assert tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", q, ticks)))["accepted"] == 1
    s.close()


def metric(d, name):
    return d.admin("metrics")["result"][f"otlp_{name}_total"]


def last_pos(d):
    return d.admin("log_count")["result"]["last_pos"]


def until(condition, what, seconds=240):
    return tb.until(condition, what, seconds)


# ---- tests ----

def every_field_is_as_the_protocol_says(_):
    c = Collector()
    d = daemon(c.port)
    try:
        trade_alone(d, 1, 400)
        last = last_pos(d)
        until(lambda: sum(s["tickbus.records"] for s in c.taken() if s["name"] == "record") >= last, "every record is in a trace")
        path, headers, body = c.got[0][2:]
        assert path == "/v1/traces" and headers["Content-Type"] == "application/json", (path, headers)
        resource, _ = spans_of(body)
        version = d.admin("status")["result"]["version"]
        assert resource["service.name"] == "tickbus" and resource["service.version"] == version, resource
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", resource["service.instance.id"])
        assert resource["process.pid"] == d.process.pid and resource["tickbus.epoch"] == d.admin("status")["result"]["epoch"], resource
        spans = c.taken()
        roots = {s["tickbus.position.first"]: s for s in spans if s["parent"] == ""}
        assert sum(s["name"] == "record" and s["kind"] == 5 for s in spans) == len(roots) == len({s["trace"] for s in spans})
        # Trace after trace, without a hole and without an overlap.
        at = 1
        for first in sorted(roots):
            assert first == at and int(roots[first]["trace"][16:], 16) == first, (first, at)
            at = roots[first]["tickbus.position.last"] + 1
        children = {}
        for s in spans:
            if s["parent"] != "":
                assert s["kind"] == 1, s
                name = s["name"] + (f" {s['tickbus.worker']}" if s["name"] == "worker" else "")
                assert children.setdefault(s["trace"], {}).setdefault(name, s) is s, f"{name} twice"
        # What `tickbusctl trace` tells of it, stage by stage.
        for pos in (2, 3, last // 2, last):
            out = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "trace", str(pos), "--json"], capture_output=True, text=True, check=True)
            step = json.loads(out.stdout)["step"]
            root = roots[step["first_pos"]]
            assert step["otlp_trace_id"] == root["trace"], step
            assert abs((root["end"] - root["start"]) / 1e9 - step["seconds"]) < 1e-6, (root, step)
            told = {s["stage"]: s["seconds"] for s in step["stages"]}
            had = {n: (s["end"] - s["start"]) / 1e9 for n, s in children[root["trace"]].items()}
            assert set(told) == set(had) and all(abs(told[n] - had[n]) < 1e-6 for n in told), (told, had)
            assert {"worker 0", "worker 1", "tier2", "publish"} <= set(had), had
        assert metric(d, "spans") == len(spans) and metric(d, "spans_dropped") == metric(d, "failures") == 0
        assert metric(d, "requests") == len(c.got), (metric(d, "requests"), len(c.got))
        assert d.stop() == 0
    finally:
        d.remove()
        c.close()


def a_collector_that_is_down_gets_what_waited(_):
    port = free_port()
    d = daemon(port, path="")
    try:
        trade_alone(d, 1, 60)
        until(lambda: metric(d, "failures") >= 1, "a request failed")
        last = last_pos(d)
        until(lambda: d.admin("top")["result"]["derived_pending"] == 0, "everything is derived all the same")
        c = Collector(port)
        try:
            until(lambda: sum(s["tickbus.records"] for s in c.taken() if s["name"] == "record") >= last, "what waited was sent")
            assert c.got[0][2] == "/v1/traces", "the path of an address without one"
        finally:
            c.close()
        assert metric(d, "spans_dropped") == 0, "nothing was lost meanwhile"
        until(lambda: "traces are exported again" in d.errors(), "it says so")
        assert "it is asked again" in d.errors(), d.errors()
    finally:
        d.remove()


def a_slow_collector_holds_nobody_up(_):
    c = Collector(script=[(200, {}, b"{}", 60)] * 100)
    d = daemon(c.port)
    try:
        trade_alone(d, 1, 1600)
        until(lambda: d.admin("top")["result"]["dispatch_lag"] == 0 and d.admin("top")["result"]["derived_pending"] == 0, "all is derived")
        until(lambda: metric(d, "spans_dropped") > 0, "what the queue could not hold is counted")
        assert metric(d, "spans") == 0 and len(c.got) <= 3
        begin = time.monotonic()
        assert d.stop() == 0
        assert time.monotonic() - begin < 20, "the end waits for the collector"
    finally:
        d.remove()
        c.close()


def answers_are_understood(_):
    partial = json.dumps({"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too <b>old</b>"}}).encode()
    script = [(503, {"Retry-After": "1"}, b"", 0), (429, {}, b"slower", 0), (504, {}, b"", 0), (200, {}, partial, 0),
              (400, {}, b'{"code":3,"message":"bad"}', 0), (200, {}, b"<html>it works</html>", 0), (200, {}, b"x" * 200000, 0), (302, {"Location": "/v1/traces"}, b"", 0)]
    c = Collector(script=script)
    d = daemon(c.port)
    try:
        trade_alone(d, 1, 10)
        until(lambda: len(c.got) >= 4, "the first batch got through at last")
        batch = [g for g in c.got[:4]]
        assert len({g[4] for g in batch}) == 1, "the same batch again, byte for byte"
        gaps = [b[0] - a[0] for a, b in zip(batch, batch[1:])]
        assert gaps[0] >= 0.95 and gaps[1] >= 0.95 and gaps[2] >= 1.9 / 2, gaps
        n = len(spans_of(batch[3][4])[1])
        until(lambda: metric(d, "spans_rejected") == 3, "the partial success is counted")
        assert metric(d, "spans") == n - 3 and metric(d, "failures") == 3, (n, metric(d, "spans"), metric(d, "failures"))
        until(lambda: "the collector refused 3 of" in d.errors(), "and said")
        for k, (seen, failures) in enumerate(((5, 4), (6, 4), (7, 5), (8, 6))):
            trade_alone(d, 11 + k * 10, 10)
            until(lambda: len(c.got) >= seen and metric(d, "failures") == failures, f"{script[seen - 1][:2]} is not repeated")
        dropped = sum(len(spans_of(c.got[k][4])[1]) for k in (4, 6, 7))
        until(lambda: metric(d, "spans_dropped") == dropped, f"{dropped} spans are counted as dropped, not {metric(d, 'spans_dropped')}")
        trade_alone(d, 51, 10)
        until(lambda: len(c.got) >= 9 and "traces are exported again" in d.errors(), "it goes on")
    finally:
        d.remove()
        c.close()


def a_peer_that_speaks_no_http_does_no_harm(_):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        seen = []

        def talk():
            while True:
                try:
                    conn, _ = server.accept()
                except OSError:
                    return
                with conn:
                    conn.recv(1000)
                    conn.sendall((b"\0\xff\r\n" * 50000) if len(seen) % 2 else b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
                    seen.append(1)

        threading.Thread(target=talk, daemon=True).start()
        d = daemon(server.getsockname()[1])
        try:
            trade_alone(d, 1, 20)
            until(lambda: metric(d, "failures") >= 2, "failed twice")
            assert metric(d, "spans") == 0 and d.stop() == 0
            assert "spans are dropped" in d.errors()
        finally:
            d.remove()


def only_so_many_a_second_but_the_slow_always(_):
    c = Collector()
    d = daemon(c.port, rate=1)
    try:
        trade_alone(d, 1, 300)
        until(lambda: metric(d, "traces_passed_over") > 50, "most are passed over")
        until(lambda: c.taken(), "some are not")
        text = open(d.config, encoding="ascii").read()
        with open(d.config, "w", encoding="ascii") as f:
            f.write(text.replace("slow: off", "slow: 1us"))
        assert d.admin("reload")["ok"]
        before, last = metric(d, "traces_passed_over"), last_pos(d)
        trade_alone(d, 301, 50)
        until(lambda: sum(s["tickbus.records"] for s in c.taken() if s.get("tickbus.slow")) >= last_pos(d) - last - 1, "every slow one")
        assert metric(d, "traces_passed_over") <= before + 1
    finally:
        d.remove()
        c.close()


def it_is_off_unless_asked_for(d):
    trade_alone(d, 1, 20)
    assert metric(d, "requests") == metric(d, "traces_passed_over") == 0
    assert "otlp" not in d.admin("top")["result"]["threads"]
    assert "otlp: off" in d.admin("config")["result"]["yaml"]


if __name__ == "__main__":
    sys.exit(tb.tap([every_field_is_as_the_protocol_says, a_collector_that_is_down_gets_what_waited, a_slow_collector_holds_nobody_up,
                     answers_are_understood, a_peer_that_speaks_no_http_does_no_harm, only_so_many_a_second_but_the_slow_always,
                     it_is_off_unless_asked_for], lambda: tb.Tickbusd(BINARY)))
