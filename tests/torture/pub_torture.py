#!/usr/bin/env python3
"""libtickbus' publisher against a real daemon that dies: pub_torture.py TICKBUSD PUB_TORTURE [KILLS]

KILLS (4) for the last test; hundreds for a campaign.  Prints TAP.
"""
import json
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration")]
import tickbusd as tb  # noqa: E402
from proxy import Plan, Proxy  # noqa: E402

BINARY, PROGRAM = sys.argv[1:3]
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 4


def begin(*args):
    return subprocess.Popen([PROGRAM, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(child, timeout=120):
    out, err = child.communicate(timeout=timeout)
    assert child.returncode == 0, err
    return json.loads(out)


def the_log_holds_each_once(d, n):
    numbers = sorted(source_seq for _, _, source_seq, _ in d.all_ticks())
    assert numbers == list(range(1, n + 1)), f"{len(numbers)} ticks of {n}: {numbers[:20]}"


def two_subscriptions_and_a_publisher_share_a_thread(d):
    got = end(begin("loop", d.port["ingest"], 2000))
    assert got == {"all": 2000, "a": 1000}, got


def what_was_taken_before_the_kill_is_a_duplicate(d):
    # The daemon commits and answers; the answer never arrives; the daemon dies.
    proxy = Proxy(d.port["ingest"], plan=lambda n: Plan(cut_down=20 if n == 0 else -1))
    child = begin("publish", f"tcp://127.0.0.1:{proxy.port}", 1)
    end_s = time.monotonic() + 80
    while proxy.cuts == 0 and time.monotonic() < end_s:
        time.sleep(0.001)
    d.kill()
    proxy.cut_all()
    d.start()
    got = end(child)
    proxy.close()
    assert (got["accepted"], got["duplicate"], got["rejected"]) == (0, 10, 0), got
    the_log_holds_each_once(d, 10)


def kills_at_any_moment_lose_and_double_nothing(d):
    seed = random.randrange(10 ** 9)
    rng = random.Random(seed)
    print(f"# seed {seed}", flush=True)
    batches = 400 + 200 * KILLS
    child = begin("publish", f"tcp://127.0.0.1:{d.port['ingest']}", batches)
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.02, 0.3))
        d.kill()
        d.start()
    got = end(child, 120 + KILLS * 5)
    assert got["accepted"] + got["duplicate"] == batches * 10 and got["rejected"] == 0, got
    the_log_holds_each_once(d, batches * 10)


if __name__ == "__main__":
    sys.exit(tb.tap([two_subscriptions_and_a_publisher_share_a_thread, what_was_taken_before_the_kill_is_a_duplicate,
                     kills_at_any_moment_lose_and_double_nothing], lambda: tb.Tickbusd(BINARY)))
