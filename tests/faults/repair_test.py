#!/usr/bin/env python3
"""tickbusd --repair on damaged state directories: repair_test.py TICKBUSD [TEST]

What is good is kept, the rest is told, and the daemon goes on: positions are not used
twice, the lost range is in the status, producers can send again, bars are derived anew.
"""
import os
import random
import re
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import damage  # noqa: E402
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY = sys.argv[1]
test, TESTS = faultlib.collector()


def make():
    return faultlib.Daemon(BINARY, more=damage.MORE)


def repair(d):
    p = subprocess.run([BINARY, "-c", d.config, "--repair"], capture_output=True, text=True, timeout=60 * tb.PATIENCE)
    return p.returncode, p.stdout + p.stderr


def whole_image():
    """A closed store: everything lies in the database."""
    d = make().start()
    damage.fill(d, 1, damage.RECORDS)
    faultlib.until("derived", lambda: damage.settled(d))
    bars = d.events("bar")
    assert d.stop() == 0
    image = {n: open(os.path.join(d.dir, n), "rb").read() for n in ("tickbus.db", "highwater")}
    d.remove()
    return image, bars


def lay(d, image):
    if d.process is not None and d.process.poll() is None:
        d.kill()
    for name in os.listdir(d.dir):
        if name.startswith(("tickbus.db", "highwater")):
            os.unlink(os.path.join(d.dir, name))
    damage.lay(d, image)


def goes_on(d, text, bars):
    """After a repair: what was kept, what was lost, and that it works."""
    kept = int(re.search(r"kept positions \d+ to (\d+)", text).group(1))
    d.start()
    held = [t[2] for t in d.all_ticks()]
    assert held == list(range(1, max(kept, 1))), (kept, len(held))
    status = d.status()
    last = damage.RECORDS + 1
    if kept < last:
        assert f"LOST: positions {kept + 1} to {last}" in text, text
        assert status["store"]["alarm"] and status["epoch"] == 2, status
        assert (status["store"]["lost_first"], status["store"]["lost_last"]) == (kept + 1, last), status
    else:
        assert "LOST" not in text and not status["store"]["alarm"] and status["epoch"] == 1
    # The producer sends again what is gone; it is new, at positions never used.
    if kept < last:
        # Position 1 is the configuration's: tick N stands at N + 1.  Nothing kept: from tick 1 on.
        damage.fill(d, max(kept, 1), damage.RECORDS)
        assert d.status()["position"] > last, d.status()
    held = sorted(t[2] for t in d.all_ticks())
    assert held == list(range(1, damage.RECORDS + 1)), (len(held), d.status())
    faultlib.until("bars derived anew", lambda: len(d.events("bar")) >= min(len(bars), kept // 60))
    got = d.events("bar")
    same = sum(a == b for a, b in zip(got, bars))
    assert same >= kept // 60, (same, kept)  # those of the kept log have their bytes
    assert d.stop() == 0
    return kept


@test
def any_damage_of_the_database_is_repaired_or_left_alone(d):
    image, bars = whole_image()
    rounds = int(os.environ.get("TICKBUS_ROUNDS", "24"))
    seed = int(os.environ.get("TICKBUS_SEED", random.randrange(10 ** 9)))
    print(f"# seed {seed}")
    rng, repaired, hopeless, kept = random.Random(seed), 0, 0, []
    n = 0
    while repaired + hopeless < rounds and n < rounds * 20:
        n += 1
        bent, what = damage.bend(image["tickbus.db"], rng)
        lay(d, {**image, "tickbus.db": bent})
        if damage.start(d):
            d.kill()
            continue
        code, text = repair(d)
        if code != 0:
            assert code == 65, (what, code, text)
            with open(os.path.join(d.dir, "tickbus.db"), "rb") as f:
                assert f.read() == bent, "refused, and changed all the same"
            hopeless += 1
            continue
        try:
            kept.append(goes_on(d, text, bars))
        except RuntimeError:  # names or epochs were damaged: refused as before
            assert d.process.poll() == 65, (what, text, d.errors()[-500:])
            hopeless += 1
            continue
        repaired += 1
        folder = re.search(r"old files are in (\S+)", text).group(1)
        with open(os.path.join(folder, "tickbus.db"), "rb") as f:
            assert f.read() == bent, "the old file was not kept as it was"
        subprocess.run(["rm", "-r", folder], check=True)
    print(f"# {n} blows: {repaired} repaired, {hopeless} not; kept positions from {min(kept)} to {max(kept)}")
    assert repaired > 0


@test
def a_good_database_comes_through_whole(d):
    image, bars = whole_image()
    lay(d, image)
    code, text = repair(d)
    assert code == 0, text
    assert goes_on(d, text, bars) == damage.RECORDS + 1


@test
def repairs_of_one_second_keep_their_files_apart(d):
    image, _ = whole_image()
    lay(d, image)
    now = int(time.time())
    for t in range(now, now + 60):
        os.mkdir(os.path.join(d.dir, f"damaged-{t}"))
    code, text = repair(d)
    assert code == 0, text
    folder = re.search(r"old files are in (\S+)", text).group(1)
    assert re.search(r"/damaged-\d+\.2$", folder), folder
    with open(os.path.join(folder, "tickbus.db"), "rb") as f:
        assert f.read() == image["tickbus.db"]


@test
def a_loss_is_known_without_the_high_water_file(d):
    image, bars = whole_image()
    for at in range(len(image["tickbus.db"]) // 3, len(image["tickbus.db"]), 9_000):
        bent = bytearray(image["tickbus.db"])
        bent[at] ^= 1
        lay(d, {"tickbus.db": bytes(bent)})
        if damage.start(d):
            d.kill()
        elif "data checksum" in d.errors():
            break
    else:
        raise AssertionError("no segment was hit")
    code, text = repair(d)
    assert code == 0 and "LOST" in text, (code, text)
    goes_on(d, text, bars)


@test
def what_is_gone_without_a_trace_is_taken_when_sent_again(d):
    """The rows of the log are gone, the table of producers still has its sequences."""
    image, bars = whole_image()
    lay(d, image)
    db = sqlite3.connect(os.path.join(d.dir, "tickbus.db"))
    db.execute("DELETE FROM segment")
    db.commit()
    db.close()
    code, text = repair(d)
    assert code == 0 and "LOST" in text, (code, text)
    assert goes_on(d, text, bars) == 0


@test
def a_running_daemon_is_left_alone(d):
    damage.fill(d, 1, 100)
    code, text = repair(d)
    assert code == 75 and "another daemon" in text, (code, text)
    assert len(d.all_ticks()) == 100


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, make))
