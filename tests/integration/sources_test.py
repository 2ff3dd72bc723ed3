#!/usr/bin/env python3
"""Several sources for one symbol: sources_test.py TICKBUSD TICKBUSCTL

Two sources send the same market; one falls silent, comes back, then goes wrong.  The
bars must be those of the source that was chosen, whoever restarts in between, and the
choice must be told.  Prints TAP.
"""
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tickbusd as tb  # noqa: E402

BINARY, CTL = sys.argv[1], sys.argv[2]
SILENT, BACK, WRONG, END = 100, 140, 220, 300  # seconds
CONFIG = """
defaults: {timeframes: [10s], price_types: [last], sources: [one, two], source_return: 20s}
tier1: {enabled: false}
"""


def market():
    """(second, source, price) in order: what two vendors say of one market."""
    for s in range(END):
        price = 100 + (s % 7) * 0.01
        if not SILENT <= s < BACK:
            yield s + 0.1, "one", price if s < WRONG else price * 1.05
        yield s + 0.2, "two", price


def send(part, seqs, sock):
    for second, source, price in part:
        seqs[source] = seqs.get(source, 0) + 1
        reply = tb.sbe_reply(sock.ask(tb.sbe_ticks(f"p-{source}", source, seqs[source], [
            tb.trade("X", second, price, seqs[source])])))
        assert reply["accepted"] == 1, reply


def finish(sock):
    for n, second in enumerate(range(END, END + 80, 10), 1):
        assert tb.sbe_reply(sock.ask(tb.sbe_ticks("clock", "clock", n, [
            ("", tb.START + second * tb.SECOND, 0, 0, 0)])))["accepted"] == 1


def told(d):
    """(state, text, event time from the start on) of every status event."""
    out = []
    for frame in d.frames(["status"]):
        for b in tb.frame_blocks(frame):
            state, text = b[46], b[80:160].rstrip(b"\0").decode()
            out.append((state, text, int.from_bytes(b[16:24], "little") - tb.START))
    return out


def why(d):
    """What the command line says, in short and in full."""
    run = [subprocess.run([CTL, "--admin", os.path.join(d.dir, "admin.sock"), "why", "source", "X", *more],
                          capture_output=True, text=True, timeout=120) for more in ([], ["--all"], ["--json", "--all"])]
    assert all(r.returncode == 0 for r in run), run
    return run[0].stdout, run[1].stdout, json.loads(run[2].stdout)


def changes(d):
    """The metric, which walks all symbols now and then."""
    for _ in range(100):
        found = re.search(r"^tickbus_source_changes_total (\d+)", d.http("/metrics")[1], re.M)
        if found and int(found.group(1)) > 0:
            break
        time.sleep(0.05)
    time.sleep(0.5)
    return int(re.search(r"^tickbus_source_changes_total (\d+)", d.http("/metrics")[1], re.M).group(1))


def run(kills):
    d = tb.Tickbusd(BINARY, more=CONFIG)
    try:
        d.start()
        all_ticks, seqs = list(market()), {}
        step = len(all_ticks) // (kills + 1) + 1
        for at in range(0, len(all_ticks), step):
            sock = d.ingest()
            send(all_ticks[at:at + step], seqs, sock)
            if kills:
                d.kill()
                d.start()
        finish(d.ingest())
        end = tb.START + END * tb.SECOND
        for _ in range(200):
            # A bar behind the end says that everything before it is stored; what follows it may not be yet.
            held = d.events("bar")
            beyond = [n for n, b in enumerate(held) if int.from_bytes(b[16:24], "little") > end]
            if beyond:
                held = held[:beyond[0]]
                break
            time.sleep(0.05)
        else:
            raise AssertionError("the last bar does not come")
        answer = d.admin("verify")
        assert answer["ok"], answer
        while d.admin("verify_status")["result"]["running"]:
            time.sleep(0.02)
        assert d.admin("verify_status")["result"]["found"]["verdict"] == "equal"
        return held, told(d), why(d), changes(d)
    except BaseException:
        print(d.errors()[-2000:], file=sys.stderr)
        raise
    finally:
        d.remove()


def main():
    quiet, words, (short, full, whole), n_changes = run(0)
    chosen = [(text, at / tb.SECOND) for state, text, at in words if state == 8]
    tests = {
        "the_first_the_silence_the_return_and_the_bad_ticks_are_told":
            [t for t, _ in chosen] == ["one: the first to be heard", "two for one, which is silent",
                                       "one again, before two",
                                       "two for one: 16 of its last 32 ticks were bad"],
        "silence_is_found_within_its_timeout": SILENT + 4 <= chosen[1][1] <= SILENT + 6,
        "the_return_waits_for_its_time": BACK + 19 <= chosen[2][1] <= BACK + 22,
        "divergence_is_told_once": [s for s, _, _ in words].count(9) == 1,
        "every_bar_has_one_source_and_not_twice_the_trades":
            max(int.from_bytes(b[112:120], "little") for b in quiet) <= 11,
    }
    tests["the_command_line_says_who_since_when_and_why"] = (
        short.count("\n") == 1 and "two for one: 16 of its last 32 ticks were bad" in short and
        full.endswith(short) and full.count("\n") == len(words) == len(whole["events"]) and
        whole["chosen"]["state"] == "source_chosen" and whole["chosen"]["source"] == 2)
    tests["each_choice_is_counted"] = n_changes == len(chosen)
    killed, words_killed, _, _ = run(3)
    tests["after_kills_the_bars_are_the_same"] = killed == quiet
    tests["after_kills_the_same_is_told"] = words_killed == words
    print(f"1..{len(tests)}")
    for n, (name, ok) in enumerate(tests.items(), 1):
        print(f"{'ok' if ok else 'not ok'} {n} - {name}")
    if not all(tests.values()):
        print(json.dumps(words, indent=1), short, full, whole, file=sys.stderr)
    return not all(tests.values())


if __name__ == "__main__":
    sys.exit(main())
