#!/usr/bin/env python3
"""The Python subscriber against nng itself: tickbus_sub_test.py SUBSCRIBER SAMPLE_PUB

Every kind that sample_pub sends (the samples of proto/sample_test.h) must come
out of the subscriber, field by field.
"""
import math
import subprocess
import sys

TIME = 1767623400500000000
WANT = {
    "tick": {"seq": 7, "pos": 1001, "event_ns": TIME, "price_e9": 187250000000, "ask_e9": None,
             "cond": "@ I", "source_id": 2, "flags": 1, "symbol": "AAPL", "epoch": 77},
    "bar": {"seq": 9, "high_e9": 188000000001, "volume_lo": 123450000000, "volume_hi": 0, "vwap": 187.1,
            "timeframe_s": 60, "cause": 1, "late_ticks": 1, "symbol": "AAPL", "source": "sim"},
    "tier1": {"bar_seq": 9, "feature_version": 0x0123456789ABCDEF, "bars_seen": 130, "symbol": "AAPL"},
    "tier2": {"seq": 5, "supersedes": 4, "eigen_min": 0.5, "n_members": 3, "n_included": 2, "status": 1,
              "universe": "tech", "triangle": [1.0, -0.25, 1.0]},
    "status": {"seq": 2, "detail": 17, "state": 2, "symbol": "AAPL", "text": 'silent "long"'},
    "hb": {"last_seq": 9, "pos": 1010, "symbol": "AAPL"},
}


def wrong(event):
    """What is not as the samples have it."""
    for key, value in WANT[event["kind"]].items():
        if event.get(key) != value:
            yield "%s.%s is %r, not %r" % (event["kind"], key, event.get(key), value)
    if event["kind"] == "tier1":
        values = event["value"]
        if len(values) != 30 or values[1] != 0.25 or not math.isnan(values[4]) or len(event["norm"]) != 18:
            yield "tier1.value is %r" % (values,)
    if event["kind"] == "tier2":
        members = [(m["symbol"], m["reason"], m["n_obs"]) for m in event["members"]]
        if members != [("AAPL", 0, 120), ("BTC/USD", 1, 120), ("MSFT", 0, 120)]:
            yield "tier2.members are %r" % (members,)


def main(argv):
    pub = subprocess.Popen([argv[2]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = pub.stdout.readline().strip()
    sub = subprocess.Popen([sys.executable, argv[1], port], stdout=subprocess.PIPE, text=True)
    missing, errors = set(WANT), []
    try:
        for line in sub.stdout:
            event = eval(line, {"__builtins__": {}, "nan": math.nan})  # our own output
            errors += wrong(event)
            missing.discard(event["kind"])
            if not missing or errors:
                break
    finally:
        pub.stdin.close()
        sub.terminate()
        pub.wait()
        sub.wait()
    for text in errors + ["no %s came" % kind for kind in sorted(missing)]:
        print(text)
    print("python subscriber: %s" % ("wrong" if errors or missing else "all kinds agree"))
    return 1 if errors or missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
