#!/usr/bin/env python3
"""The codec of tickbus.py: tickbus_codec_test.py SAMPLE_PUB PROTOCOL.md [SEED]

Against the tables of the protocol page, against frames that the C side made (sample_pub sends the samples of
proto/sample_test.h through nng), and against bytes that nobody made on purpose.
"""
import datetime
import decimal
import hashlib
import importlib.util
import math
import pathlib
import random
import re
import struct
import subprocess
import sys
import textwrap
import time
import unittest

import fakebus
import tickbus

SAMPLE_PUB, PROTOCOL = sys.argv[1:3]
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
TIME = 1767623400500000000
WANT = {
    "tick": {"seq": 7, "pos": 1001, "event_ns": TIME, "price_e9": 187250000000, "price": decimal.Decimal("187.25"),
             "ask": None, "ask_e9": None, "bid_size": decimal.Decimal("2.5"), "cond": "@ I", "source_id": 2, "flags": 1,
             "no_last": True, "halt": False, "action": "new", "symbol": "AAPL", "epoch": 77,
             "time": datetime.datetime(2026, 1, 5, 14, 30, 0, 500000, datetime.timezone.utc)},
    "bar": {"seq": 9, "high": decimal.Decimal("188.000000001"), "volume": decimal.Decimal(1234.5), "vwap": 187.1,
            "timeframe": "1m", "cause": "late_trade", "late_ticks": 1, "symbol": "AAPL", "source": "sim",
            "state": "TRADED", "is_final": True, "is_valid": True, "is_missing": False},
    "tier1": {"bar_seq": 9, "feature_version": 0x0123456789ABCDEF, "bars_seen": 130, "symbol": "AAPL",
              "is_ml_ready": True, "warm_names": tickbus.VALUES[:7], "timeframe": "1m"},
    "tier2": {"seq": 5, "supersedes": 4, "eigen_min": 0.5, "n_members": 3, "n_included": 2, "status": "provisional",
              "universe": "tech", "triangle": [1.0, -0.25, 1.0], "symbols": ["AAPL", "MSFT"], "method": "pearson"},
    "news": {"seq": 6, "compound": 0.4215, "articles": 4, "is_update": True, "is_repeat": False, "symbol": "AAPL",
             "headline": 'Apple "beats" \u20ac targets', "url": "https://example.com/a", "half_life_s": 3600},
    "status": {"seq": 2, "detail": 17, "state": "gap", "symbol": "AAPL", "text": 'silent "long"'},
}
CODES = {"uint64": "Q", "int64": "q", "uint32": "I", "uint16": "H", "uint8": "B", "double": "d"}


def sample_messages():
    """One message of every topic, as nng delivers them."""
    pub = subprocess.Popen([SAMPLE_PUB], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    poll, out, end = tickbus._Poll(), {}, time.monotonic() + 30
    link = tickbus._Link("tcp://127.0.0.1:" + pub.stdout.readline().strip(), 0x21, poll, 5)
    while len(out) < 7 and time.monotonic() < end:
        link.tick(time.monotonic())
        for each, mask in poll.wait(0.1):
            out.update((m[:m.index(b"|")].decode(), m) for m in each.ready(mask, time.monotonic()))
    link.close()
    pub.stdin.close()
    pub.stdout.close()
    pub.wait()
    return out


MESSAGES = sample_messages()


def sample(kind):
    message = MESSAGES[kind]
    return tickbus.decode(message, message.index(b"|") + 1)


def tables():
    """{heading or group: [(field, offset, code)]} of the protocol page."""
    out, at, text = {}, None, pathlib.Path(PROTOCOL).read_text(encoding="utf-8")
    for line in text.splitlines():
        if m := re.match(r"#### (\w+) \(template", line):
            heading = at = m[1]
        elif m := re.match(r"Group `(\w+)`", line):
            at = f"{heading}.{m[1]}"
        elif m := re.match(r"\| (\d+) \| (\d+) \| ([^|]+) \| (\w+) \|", line):
            kind = m[3].split()[0].rstrip(",")
            array = re.fullmatch(r"(\w+)\[(\d+)\]", kind)
            code = f"{m[2]}s" if kind.startswith("char[") else f"{array[2]}d" if array and array[1] == "double" else \
                f"{m[2]}s" if array or m[4] == "reserved" else CODES[kind]
            out.setdefault(at, []).append((m[4], int(m[1]), code))
    return out


def has_pandas():
    is_there = importlib.util.find_spec("pandas") is not None
    if not is_there:
        print("# pandas is not installed: DataFrames are not looked at")
    return is_there


class Blocks(unittest.TestCase):
    def test_every_block_is_that_of_the_protocol_page(self):
        page = tables()
        page["matrix"] = [(name, at - 32, code) for name, at, code in page["Tier2Frame"] if at >= 32]
        where = {"tick": "TickFrame.events", "bar": "BarFrame.events", "tier1": "Tier1Frame.events", "tier2": "matrix",
                 "news": "NewsFrame.events", "status": "StatusFrame.events", "hb": "Heartbeat.streams", "member": "Tier2Frame.members"}
        for kind, heading in where.items():
            block = tickbus._BLOCKS[kind]
            self.assertEqual([(name, block.offset[name], code) for name, code in block.codes], page[heading], kind)

    def test_every_word_is_that_of_the_protocol_page(self):
        text = pathlib.Path(PROTOCOL).read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| (\w+) \| ((?:bit )?0 .*) \|$", text, re.M))
        values = {name: [v.split()[1].lower() for v in row.split(", ")]
                  for name, row in rows.items() if "bit" not in row}
        flags = {name: {v.split()[2].lower(): 1 << int(v.split()[1]) for v in row.split(", ")}
                 for name, row in rows.items() if "bit" in row}
        words = tickbus._WORDS
        for name, ours in {"TickAction": tickbus.ACTIONS, "RejectReason": tickbus.REASONS,
                           "PriceType": words["bar"]["price_type"], "BarState": words["bar"]["state"],
                           "BarCause": words["bar"]["cause"], "SpreadMethod": words["bar"]["spread_method"],
                           "CorrMethod": words["tier2"]["method"], "Tier2Status": words["tier2"]["status"],
                           "Tier2Reason": tickbus._INCLUDED, "SymbolState": words["status"]["state"],
                           "IngestStatus": tickbus._INGEST_STATUS, "CatchupStatus": tickbus._STATUS,
                           "CatchupFrom": list(tickbus._FROM)}.items():
            self.assertEqual([w.lower() for w in ours], values[name], name)
        self.assertEqual(tickbus.TICK_FLAGS, flags["TickFlags"])
        self.assertEqual([name.replace("is_", "") for name in tickbus._FLAGS["bar"]],
                         [name.replace("is_", "") for name in flags["BarFlags"]])
        kinds = [k for k in values["EventKind"] if k in tickbus.KINDS]
        self.assertEqual({k: values["EventKind"].index(k) for k in kinds}, tickbus.KINDS)
        named = re.search(r"trend_regime and stress_indicator exist on 1d only\):\n(.*?)\.\n", text, re.S)[1]
        self.assertEqual(re.findall(r"\w+", named), tickbus.VALUES)


class Samples(unittest.TestCase):
    def test_every_kind_that_the_daemon_makes_is_read_field_by_field(self):
        for kind, want in WANT.items():
            event = sample(kind).event(0)
            for name, value in want.items():
                self.assertEqual(getattr(event, name), value, f"{kind}.{name}")
            self.assertEqual(set(event.as_dict()), {"kind", *event.fields})
        self.assertEqual(sample("tick").n, 2)

    def test_a_vector_has_its_names_and_its_holes(self):
        event = sample("tier1").event(0)
        self.assertEqual(event.values["rolling_return_6"], 0.25)
        self.assertTrue(math.isnan(event.values["vol_6"]))
        self.assertEqual(event.norms["rolling_return_6_norm"], -0.5)
        self.assertEqual((len(event.values), len(event.norms)), (30, 18))

    def test_a_block_of_indicators_says_what_it_holds(self):
        """Made here of the offsets that docs/PROTOCOL.md gives."""
        message = bytearray(MESSAGES["tier1"])
        block = message.index(b"AAPL".ljust(32, b"\0")) - 464
        values = [101.5, 55.25, 103.0, 101.5, math.nan] + [math.nan] * 19
        struct.pack_into("<24d192s", message, block + 64, *values, b"sma(20) rsi(14) bbands(20,2):upper,middle,lower")
        message[block + 462] = 4 | 1 << 3
        event = tickbus.decode(bytes(message), message.index(b"|") + 1).event(0)
        got = event.indicators
        self.assertEqual(list(got), ["sma(20)", "rsi(14)", "bbands(20,2)"])
        self.assertEqual((got["sma(20)"], got["rsi(14)"]), (101.5, 55.25))
        self.assertEqual([got["bbands(20,2)"][k] for k in ("upper", "middle")], [103.0, 101.5])
        self.assertTrue(math.isnan(got["bbands(20,2)"]["lower"]))
        self.assertEqual((event.values, event.norms, event.warm_names), ({}, {}, []))
        self.assertEqual(sample("tier1").event(0).indicators, {})

    def test_a_matrix_is_full_and_symmetric_and_labelled(self):
        event = sample("tier2").event(0)
        self.assertEqual(event.matrix(), [[1.0, -0.25], [-0.25, 1.0]])
        self.assertEqual([(m.symbol, m.reason, m.n_obs) for m in event.members],
                         [("AAPL", "included", 120), ("BTC/USD", "lagging", 120), ("MSFT", "included", 120)])
        cells = bytearray(MESSAGES["tier2"])
        frame = event.frame
        self.assertEqual(struct.unpack_from("<3d", cells, frame.triangle_at), (1.0, -0.25, 1.0))

    def test_a_heartbeat_names_its_kind_and_streams(self):
        frame = sample("hb")
        self.assertEqual((frame.kind, frame.about, frame.n), ("hb", "bar", 1))
        self.assertEqual(frame.beats()[0][0:2], (9, 1010))

    def test_prices_come_as_asked_for(self):
        message = MESSAGES["bar"]
        for prices, high, volume in (("decimal", decimal.Decimal("188.000000001"), decimal.Decimal("1234.5")),
                                     ("float", 188.000000001, 1234.5), ("int", 188000000001, 123450000000)):
            event = tickbus.decode(message, 4, prices).event(0)
            self.assertEqual((event.high, event.volume), (high, volume))
            self.assertIs(type(event.high), type(high))
        self.assertTrue(math.isnan(tickbus.decode(MESSAGES["tick"], 5, "float").event(0).ask))

    def test_the_chain_is_that_of_the_protocol_page(self):
        block = sample("bar").block(0)
        linked = block[:24] + bytes(8) + block[32:-8] + struct.pack("<Q", 5)
        want = int.from_bytes(hashlib.blake2b(linked, digest_size=8).digest(), "little")
        self.assertEqual(tickbus.Subscriber._link_of(block, 5), want)
        self.assertNotEqual(tickbus.Subscriber._link_of(block, 6), want)


class Tolerance(unittest.TestCase):
    def test_a_longer_block_is_stepped_over_by_its_length(self):
        blocks = [fakebus.tick(i + 1, i + 1, f"S{i}", extra=b"newer!!!") for i in range(3)]
        frame = tickbus.decode(fakebus.frame(blocks, root_extra=b"more"))
        self.assertEqual([(e.seq, e.symbol) for e in map(frame.event, range(3))], [(1, "S0"), (2, "S1"), (3, "S2")])
        self.assertEqual([k[0] for k in frame.keys()], [1, 2, 3])
        self.assertEqual(len(frame.block(2)), tickbus._BLOCKS["tick"].size)

    def test_a_shorter_block_is_malformed(self):
        with self.assertRaises(tickbus.Malformed):
            tickbus.decode(fakebus.frame([fakebus.tick(1, 1)[:-1]]))
        with self.assertRaises(tickbus.Malformed):
            tickbus.decode(struct.pack("<HHHH", 31, 1, 7400, 1) + bytes(31) + struct.pack("<HH", 144, 0))

    def test_other_schemas_and_templates_are_ignored(self):
        self.assertIsNone(tickbus.decode(struct.pack("<HHHH", 32, 1, 7401, 1) + bytes(32)))
        self.assertIsNone(tickbus.decode(struct.pack("<HHHH", 32, 99, 7400, 1) + bytes(32)))

    def test_what_is_cut_short_at_any_byte_is_malformed(self):
        for message in MESSAGES.values():
            body = message[message.index(b"|") + 1:]
            for length in range(len(body)):
                with self.assertRaises(tickbus.Malformed):
                    tickbus.decode(body[:length])

    def test_bytes_that_nobody_made_on_purpose_never_crash_it(self):
        rng, malformed = random.Random(SEED), 0
        bodies = [m[m.index(b"|") + 1:] for m in MESSAGES.values()]
        for _ in range(20000):
            body = bytearray(rng.choice(bodies))
            for _ in range(rng.randrange(1, 6)):
                at = rng.randrange(len(body)) if rng.random() < 0.5 else rng.randrange(min(60, len(body)))
                body[at] = rng.choice((0, 1, 255, rng.randrange(256)))
            body = bytes(body[:rng.randrange(len(body))] if rng.random() < 0.2 else body)
            try:
                frame = tickbus.decode(body)
            except tickbus.Malformed:
                malformed += 1
                continue
            if frame is None:
                continue
            if frame.kind == "hb":
                frame.beats()
                continue
            frame.keys()
            for row in range(min(frame.n, 3)):
                event = frame.event(row)
                repr(event), event.as_dict(), event.time
                if frame.kind == "tier2":
                    event.matrix()
        self.assertGreater(malformed, 1000)

    def test_pages_that_nobody_made_on_purpose_never_crash_it(self):
        rng = random.Random(SEED)
        body = fakebus.page([fakebus.frame([fakebus.tick(1, 1)]), MESSAGES["tier2"][6:]], 9, 10, gone=[("AAPL", 4)], held=[("MSFT", 5)])
        page = tickbus._page(body, "float")
        self.assertEqual(([s.frame.kind for s in page.frames], page.gone[0][3]), (["tick", "tier2"], 4))
        self.assertEqual(page.held, [(0, b"MSFT".ljust(32, b"\0"), 0, 5)])
        older = len(body) - 6 - 48  # the page of a daemon that does not name what it withholds
        self.assertEqual(tickbus._page(body[:older], "float").held, [])
        for length in range(len(body)):
            if length == older:
                continue
            with self.assertRaises(tickbus.Malformed):
                tickbus._page(body[:length], "float")
        for _ in range(5000):
            bad = bytearray(body)
            for _ in range(rng.randrange(1, 5)):
                bad[rng.randrange(len(bad))] = rng.choice((0, 255, rng.randrange(256)))
            try:
                tickbus._page(bytes(bad), "float")
            except tickbus.Malformed:
                pass


class Numbers(unittest.TestCase):
    def test_prices_are_converted_exactly(self):
        for value, want in (("187.25", 187250000000), (187.25, 187250000000), (187, 187 * 10 ** 9),
                            (None, tickbus.NULL), (decimal.Decimal("0.000000001"), 1), (0.1, 100000000),
                            ("1e-9", 1), ("-3", -3 * 10 ** 9),
                            ("9223372036.854775807", 2 ** 63 - 1), (1e-9, 1), (True, 10 ** 9)):
            self.assertEqual(tickbus._exact(value, 9), want, repr(value))

    def test_what_does_not_fit_exactly_is_an_error_with_a_sentence(self):
        for value in ("0.0000000001", 0.1 + 0.2, "9223372036.854775808", math.nan, math.inf, "", "1,5", b"1", object(),
                      decimal.Decimal("1" * 70 + "." + "1" * 9)):
            with self.assertRaisesRegex(ValueError, "finer|no number|out of range"):
                tickbus._exact(value, 9)

    def test_times_are_nanoseconds(self):
        zone = datetime.timezone(datetime.timedelta(hours=2))
        for value in (TIME, "2026-01-05T14:30:00.5Z", "2026-01-05T16:30:00.500000000+02:00",
                      datetime.datetime(2026, 1, 5, 16, 30, 0, 500000, zone)):
            self.assertEqual(tickbus._ns(value), TIME)
        self.assertEqual(tickbus._ns("2026-01-05T14:30:00.500000001Z"), TIME + 1)
        self.assertEqual(tickbus._ns("1969-12-31T23:59:59.999999999Z"), -1)
        for value in ("yesterday", "2026-01-05T14:30:00", datetime.datetime(2026, 1, 5), 1.5, None):
            with self.assertRaises(ValueError):
                tickbus._ns(value)

    def test_nothing_big_is_imported_before_it_is_asked_for(self):
        self.assertFalse({"numpy", "pandas"} & set(sys.modules), "imported")


class Pages(unittest.TestCase):
    def test_the_readme_quotes_an_example_as_it_is(self):
        root = pathlib.Path(PROTOCOL).resolve().parent.parent
        quoted = re.search(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.S)[1]
        example = (root / "client/python/example_bars.py").read_text(encoding="utf-8")
        self.assertIn(textwrap.indent(quoted, "    "), example)


class Tables(unittest.TestCase):
    """Last, because these import pandas, where it is installed."""

    def test_zz_a_dataframe_has_exact_columns(self):
        if not has_pandas():
            return
        import pandas
        blocks = [fakebus.tick(i + 1, i + 1, f"S{i % 2}", price_e9=10 ** 9 + i, extra=b"newer") for i in range(4)]
        frame = tickbus.decode(fakebus.frame(blocks))
        short = tickbus.decode(fakebus.frame([fakebus.tick(9, 9, "S9")]))
        batches = [tickbus.Batch(frame, None, False), tickbus.Batch(frame, [1, 3], False),
                   tickbus.Batch(short, None, False)]
        table = tickbus.dataframe(batches)
        self.assertEqual(list(table.seq), [1, 2, 3, 4, 2, 4, 9])
        self.assertEqual(list(table.symbol), ["S0", "S1", "S0", "S1", "S1", "S1", "S9"])
        self.assertEqual(str(table.time.dtype), "datetime64[ns, UTC]")
        self.assertEqual(table.time[0].value, fakebus.TIME + 1)
        self.assertEqual(table.price[3], 1.000000003)
        self.assertTrue(table.bid.isna().all())
        self.assertEqual(list(tickbus.dataframe(batches[:1], "decimal").price)[3], decimal.Decimal("1.000000003"))
        ints = tickbus.dataframe(batches[:1], "int")
        self.assertEqual((ints.price[3], ints.bid.isna().all()), (10 ** 9 + 3, True))
        self.assertEqual(list(tickbus.dataframe([], kind="bar").columns),
                         list(tickbus.dataframe([tickbus.Batch(sample("bar"), None, False)]).columns))
        self.assertIsInstance(table, pandas.DataFrame)

    def test_zz_the_samples_become_tables(self):
        if not has_pandas():
            return
        bar = tickbus.dataframe([tickbus.Batch(sample("bar"), None, False)]).iloc[0]
        self.assertEqual((bar.high, bar.volume, bar.timeframe, bar.source, bar.cause),
                         (188.000000001, 1234.5, "1m", "sim", "late_trade"))
        vector = tickbus.dataframe([tickbus.Batch(sample("tier1"), None, False)]).iloc[0]
        self.assertEqual((vector.rolling_return_6, vector.rolling_return_6_norm), (0.25, -0.5))
        status = tickbus.dataframe([tickbus.Batch(sample("status"), None, False)]).iloc[0]
        self.assertEqual((status.state, status.text), ("gap", 'silent "long"'))
        matrix = sample("tier2").event(0).dataframe()
        self.assertEqual((matrix.loc["MSFT", "AAPL"], matrix.loc["AAPL", "MSFT"]), (-0.25, -0.25))


if __name__ == "__main__":
    print(f"client.python.codec: seed {SEED}", flush=True)
    unittest.main(argv=sys.argv[:1], verbosity=1)
