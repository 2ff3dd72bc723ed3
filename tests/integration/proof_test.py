#!/usr/bin/env python3
"""Proof from outside: proof_test.py TICKBUSD TICKBUSCTL

What a daemon published and stored is verified while it runs, after it stopped and after
it was killed; files made of its log hold the same events.  Prints TAP.
"""
import hashlib
import json
import math
import os
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
TESTS = []
MARKET = """
simulator: {enabled: true, seed: 7, symbols: 8, compress: 300, start: 2024-01-02T14:30:00Z,
  trades_per_second: 1, quotes_per_second: 2, late: 2000, out_of_order: 5000, cancels: 500,
  corrections: 500, gaps: 50}
defaults: {timeframes: [10s, 1m], price_types: [last], indicators: [sma(5), "rsi(3)@1m", "bbands(5,2)", tsfresh_return(4)]}
universes:
  u: {symbols: all, timeframe: 10s, window: 20, min_obs: 5}
  e: {symbols: all, timeframe: 10s, window: 20, min_obs: 5, method: ewma}
"""


def test(f):
    TESTS.append(f)
    return f


def ctl(d, *args):
    done = subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), *args],
                          capture_output=True, text=True, timeout=240)
    return done.returncode, done.stdout, done.stderr


def offline(*args):
    done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=240)
    return done.returncode, done.stdout, done.stderr


def wait_for(d, kind, n):
    end = time.monotonic() + 120
    while d.admin("status")["result"]["published"][kind] < n:
        assert time.monotonic() < end, f"fewer than {n} {kind} within 30 s"
        time.sleep(0.05)


def sbe_frames(path):
    with open(path, "rb") as f:
        data = f.read()
    at = 0
    while at < len(data):
        size = struct.unpack_from("<I", data, at)[0]
        yield data[at + 4:at + 4 + size]
        at += 4 + size


def sbe_events(path, kind):
    """As Tickbusd.events() and matrices() give them."""
    for frame in sbe_frames(path):
        if kind == "tier2":
            yield tb.without_recv_ns(frame[40:])
        else:
            yield from map(tb.without_recv_ns, tb.frame_blocks(frame))


def by_place(events):
    return sorted(events, key=lambda e: struct.unpack_from("<Q", e, 8)[0])


@test
def a_running_daemon_is_verified_beside_its_work(d):
    wait_for(d, "tier2", 20)
    end, stored = time.monotonic() + 120, 0
    while stored <= 100:  # what is published is stored a little later
        assert time.monotonic() < end, f"{stored} bars compared within 30 s: {out}"
        code, out, err = ctl(d, "verify", "--json")
        found = json.loads(out)
        assert code == 0 and found["verdict"] == "equal", out + err
        stored = found["kinds"]["bar"]["equal"]
    assert found["kinds"]["tier2"]["equal"] >= 5, out
    middle = found["to"] // 2
    code, out, err = ctl(d, "verify", "--from", str(middle), "--workers", "3", "--heads")
    assert code == 0 and out.startswith(f"equal: positions {middle} to "), out + err
    assert "bar    S" in out and "tier2  u " in out and "tier2  e " in out, out
    # The part of the live path goes on meanwhile, and a later verification sees more.
    wait_for(d, "tier2", 40)
    code, out, err = ctl(d, "verify", "--json")
    assert code == 0 and json.loads(out)["records"] > found["records"], out + err


@test
def a_matrix_is_traced_to_its_bars_and_to_who_sent_their_ticks(d):
    wait_for(d, "tier2", 60)
    version = "12"
    while ctl(d, "why", "matrix", "u", version)[0] != 0:  # until it is stored
        time.sleep(0.1)
    found = json.loads(ctl(d, "why", "matrix", "u", version, "--json")[1])
    members = [m for m in found["matrix"]["members"] if m["reason"] == "included"]
    assert [b["seq"] for b in found["bars"]] == [m["bar_seq"] for m in members] and len(members) > 5
    assert all(b["chain"] and b["timestamp_utc"] == found["matrix"]["as_of"] for b in found["bars"])
    pair = [m["symbol"] for m in members[1:3]]
    for universe in "u", "e":
        traced = json.loads(ctl(d, "why", "matrix", universe, version, *pair, "--json")[1])
        assert abs(traced["stored"] - traced["recomputed"]) < 1e-12 and traced["returns"] > 5, traced
    bar = next(b for b in found["bars"] if b["symbol"] == pair[0])
    traced = json.loads(ctl(d, "why", "bar", pair[0], "10s", bar["timestamp_utc"], "--json")[1])
    newest, ticks = traced["bar"], traced["ticks"]
    assert newest["symbol"] == pair[0] and newest["timestamp_utc"] == bar["timestamp_utc"]
    trades = [t["tick"] for t in ticks if t["tick"]["price"] is not None]
    assert len(trades) >= newest["trade_count"] > 0 and ticks[0]["tick"]["pos"] == newest["first_pos"]
    assert max(t["price"] for t in trades) == newest["high"], (trades, newest)
    # The simulator numbers what it sends by one: position and sequence go together.
    log = d.admin("log_range", **{"from": ticks[0]["tick"]["pos"], "to": ticks[0]["tick"]["pos"]})["result"]["records"][0]
    assert ticks[0]["producer"] == "sim" and ticks[0]["producer_seq"] > 0
    assert log["source_seq"] == ticks[0]["tick"]["source_seq"] and log["symbol"] == pair[0]
    code, out, err = ctl(d, "why", "feature", pair[0], "10s", bar["timestamp_utc"], "vol_6")
    code, out, err = ctl(d, "why", "feature", pair[0], "10s", bar["timestamp_utc"], "bbands(5,2)")
    assert code == 0 and '"middle":' in out and "made of bar" in out, out + err
    code, out, err = ctl(d, "why", "feature", pair[0], "10s", bar["timestamp_utc"], "vol_6")
    assert code == 0 and "vol_6 0." in out and "made of bar" in out and "producer sim sequence" in out, out + err
    code, out, err = ctl(d, "why", "bar", pair[0], "10s", bar["timestamp_utc"], "--all")
    assert code == 0 and out.count("producer sim") == len(ticks), out
    for args, code, sentence in (
            (["bar", "NOPE", "10s", "2024-01-02T14:31:00Z"], 1, "there is no such bar of NOPE"),
            (["bar", pair[0], "10s", "2024-01-02T14:31:01Z"], 1, "there is no such bar"),
            (["feature", pair[0], "10s", bar["timestamp_utc"], "nonsense"], 1, "no such tier1 with a 'nonsense'"),
            (["matrix", "u", "999999"], 1, "there is no such tier2"),
            (["matrix", "u", version, "A", pair[0]], 1, "A has no row"),
            (["bar", pair[0], "7s", "2024-01-02T14:31:00Z"], 64, "no timeframe"),
            (["bar", pair[0], "10s", "noon"], 64, "no RFC 3339 time"), (["why"], 64, "say matrix, bar")):
        got, out, err = ctl(d, "why", *args)
        assert got == code and sentence in err, (args, got, out, err)


@test
def one_verification_at_a_time_and_it_can_be_cancelled(d):
    wait_for(d, "bar", 500)
    assert d.admin("verify_status")["code"] == "not_found"
    assert d.admin("verify", workers=99)["code"] == "bad_request"
    assert d.admin("verify", **{"from": "9", "to": "8"})["code"] == "bad_request"
    busy = 0
    for _ in range(20):
        first, second = d.admin("verify"), d.admin("verify")
        assert first["ok"] or first["code"] == "busy", first
        busy += not second["ok"]
        d.admin("verify_cancel")
        while d.admin("verify_status")["result"]["running"]:
            time.sleep(0.01)
    assert busy > 0
    verdict = d.admin("verify_status")["result"]["found"]["verdict"]
    assert verdict in ("cancelled", "equal"), verdict
    d.admin("verify")
    assert d.stop() == 0  # while it runs


@test
def a_stopped_daemon_is_verified_and_made_into_files(d):
    wait_for(d, "tier2", 30)
    code, out, err = offline("--verify", "--state-dir", d.dir)
    assert code == 75 and "another" in err + out, out + err
    assert d.stop() == 0
    for workers in "1", "3":
        code, out, err = offline("--verify", "--state-dir", d.dir, "--workers", workers)
        # A clean stop waits until everything is derived and stored.
        assert code == 0 and "state snapshots: 1 equal" in out, out + err
        assert "not stored yet" not in out, out + err
    summaries = []
    for workers, form in ("1", "sbe"), ("4", "sbe"), ("1", "jsonl"), ("4", "jsonl"):
        out_dir = os.path.join(d.dir, f"out-{form}-{workers}")
        code, out, err = offline("--replay", d.dir, "--out", out_dir, "--workers", workers,
                                 "--format", form)
        assert code == 0 and "M/s" in out, out + err
        with open(os.path.join(out_dir, "summary.json"), encoding="ascii") as f:
            summaries.append(f.read())
        for file in json.loads(summaries[-1])["files"]:
            with open(os.path.join(out_dir, file["name"]), "rb") as f:
                assert hashlib.sha256(f.read()).hexdigest() == file["sha256"], file
    assert summaries[0] == summaries[1] and summaries[2] == summaries[3]
    heads = json.loads(summaries[0])["heads"]
    assert heads == json.loads(summaries[2])["heads"] and len(heads) > 16
    with open(os.path.join(d.dir, "out-jsonl-1", "bars.jsonl"), encoding="ascii") as f:
        bars = [json.loads(line) for line in f]
    last = {(h["kind"], h["symbol"]): h for h in heads if h["kind"] != "tier2"}
    for bar in bars:
        if last["bar", bar["symbol"]]["seq"] == bar["seq"]:
            assert last["bar", bar["symbol"]]["chain"] == bar["chain"]
    d.start()
    for kind, name in ("bar", "bars"), ("tier1", "tier1"), ("status", "status"), ("tier2", "tier2"):
        files = list(sbe_events(os.path.join(d.dir, "out-sbe-1", name + ".sbe"), kind))
        held = d.matrices() if kind == "tier2" else d.events(kind)
        assert len(files) > (0 if kind != "status" else -1) and files == by_place(files), kind
        assert by_place(held)[:len(files)] == files, kind


@test
def indicators_are_those_of_the_bars_as_they_ended(d):
    wait_for(d, "bar", 1500)
    d.stop()
    out = os.path.join(d.dir, "files")
    code, _, err = offline("--replay", d.dir, "--out", out)
    assert code == 0, err
    with open(os.path.join(out, "bars.jsonl"), encoding="ascii") as f:
        bars = {(b["symbol"], b["timeframe"], b["timestamp_utc"]): b for b in map(json.loads, f)}
    with open(os.path.join(out, "tier1.jsonl"), encoding="ascii") as f:
        blocks = {}
        for e in map(json.loads, f):
            if "indicators" in e:
                whole = blocks.setdefault((e["symbol"], e["timeframe"], e["time"]), {"indicators": {}})
                whole.update(e, indicators=whole["indicators"] | e["indicators"])
    assert any("rsi(3)" in e["indicators"] for e in blocks.values())
    assert not any("rsi(3)" in e["indicators"] for k, e in blocks.items() if k[1] == "10s")
    closes, compared = {}, 0
    for key, bar in sorted(bars.items(), key=lambda x: x[0][2]):
        if not bar["valid_bar"]:
            continue
        window = closes.setdefault(key[:2], [])
        window.append(bar["close"])
        got, last = blocks[key]["indicators"], window[-5:]
        assert blocks[key]["bar_revision"] <= bar["revision"] and blocks[key]["bars_seen"] == len(window)
        if len(last) < 5:
            assert got["sma(5)"] is None and got["bbands(5,2)"]["upper"] is None, got
            continue
        mean = sum(last) / 5
        reach = 2 * (sum((x - mean) ** 2 for x in last) / 5) ** 0.5
        want = {"upper": mean + reach, "middle": mean, "lower": mean - reach}
        assert abs(got["sma(5)"] - mean) < 1e-9 * mean, (key, got, mean)
        moves = [math.log(b / a) for a, b in zip(last, last[1:])]
        minimal = {"sum_values": sum(moves), "median": statistics.median(moves),
                   "variance": statistics.pvariance(moves), "length": 4}
        assert all(abs(got["tsfresh_return(4)"][k] - x) < 1e-12 for k, x in minimal.items()), (key, got, minimal)
        assert all(abs(got["bbands(5,2)"][k] - x) < 1e-9 * mean for k, x in want.items()), (key, got, want)
        compared += 1
    assert compared > 200, compared


@test
def after_a_kill_what_is_stored_is_equal(d):
    wait_for(d, "bar", 600)
    d.kill()
    code, out, err = offline("--verify", "--state-dir", d.dir, "--json")
    found = json.loads(out)
    assert code == 0 and found["kinds"]["bar"]["equal"] > 0, out + err
    d.start()
    wait_for(d, "bar", 100)
    code, out, err = ctl(d, "verify")
    assert code == 0, out + err


@test
def what_is_asked_wrongly_is_refused(d):
    wait_for(d, "bar", 50)
    d.stop()
    for args, code, sentence in (
            (["--verify"], 64, "needs --state-dir"), (["--replay", d.dir], 64, "needs --out"),
            (["--out", d.dir], 64, "belongs to --replay"), (["--json"], 64, "belong to --verify"),
            (["--verify", "--state-dir", d.dir, "--workers", "0"], 64, "no such value"),
            (["--replay", d.dir, "--out", "x", "--format", "csv"], 64, "no such value"),
            (["--verify", "--state-dir", d.dir, "--from", "9", "--to", "8"], 64, "before it begins"),
            (["--verify", "--state-dir", d.dir + "/none"], 73, "there is no log in"),
            (["--replay", d.dir, "--out", d.dir + "/none/none"], 73, "none/none")):
        got, out, err = offline(*args)
        assert got == code and sentence in err, (args, got, out, err)
    # A config of other bars is another truth, and the database is named as well as its directory.
    other = os.path.join(d.dir, "other.yaml")
    with open(d.config, encoding="ascii") as f, open(other, "w", encoding="ascii") as g:
        os.chmod(other, 0o600)
        g.write(f.read().replace("10s, 1m", "5s, 10s"))
    code, out, err = offline("--replay", os.path.join(d.dir, "tickbus.db"), "--config", other,
                             "--out", os.path.join(d.dir, "other"))
    assert code == 0, out + err
    with open(os.path.join(d.dir, "other", "bars.jsonl"), encoding="ascii") as f:
        assert {json.loads(line)["timeframe"] for line in f} == {"5s", "10s"}


@test
def what_was_retired_is_counted_and_no_difference(d):
    wait_for(d, "bar", 6000)
    code, out, err = ctl(d, "verify", "--json")
    found = json.loads(out)
    assert code == 0 and found["verdict"] == "equal", out + err
    assert found["kinds"]["bar"]["retired"] > 0 and found["kinds"]["bar"]["equal"] > 0, out


def make():
    small = "derived: {retain_size: 1MiB}\n" if TESTS[make.n].__name__.startswith("what_was_retired") else ""
    make.n += 1
    return tb.Tickbusd(BINARY, durability="normal", more=small + MARKET)


make.n = 0

if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
