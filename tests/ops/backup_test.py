#!/usr/bin/env python3
"""tickbusctl backup and restore: backup_test.py TICKBUSD TICKBUSCTL [TEST]

A copy made under load is the log at one moment: it verifies, it begins a new epoch where it is put back, and what
producers send again is taken where it was lost and is a duplicate where it was not.  Nothing holds the daemon up, and
nothing that is not as its manifest says is put back.  Prints TAP.
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import tickbusd as tb  # noqa: E402
from fakevendor import FakeVendor  # noqa: E402

BINARY, CTL = sys.argv[1:3]
BATCH = 500
SEED = int(os.environ.get("TICKBUS_SEED", random.randrange(10 ** 6)))
SYMBOLS = [f"S{i:02}" for i in range(20)]


def ctl(d, *args, admin=True):
    where = ("--admin", f"{d.dir}/admin.sock") if admin else ()
    return subprocess.run([CTL, args[0], *where, *args[1:]], capture_output=True, text=True, timeout=120)


def batch_of(n):
    """The n-th batch of one producer: the same whoever sends it."""
    rng, out = random.Random(SEED * 1000003 + n), []
    for i in range(BATCH):
        seq = n * BATCH + i + 1
        out.append(tb.trade(rng.choice(SYMBOLS), seq * 0.01, 50 + rng.random(), seq))
    return out


class Load(threading.Thread):
    """Sends batches until stopped; the longest wait for an answer."""

    def __init__(self, d):
        super().__init__(daemon=True)
        self.d, self.n, self.worst, self.error = d, 0, 0.0, None
        self.is_over = threading.Event()
        self.start()

    def run(self):
        try:
            s = self.d.ingest()
            while not self.is_over.is_set():
                begin = time.monotonic()
                reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", self.n * BATCH + 1, batch_of(self.n))))
                self.worst = max(self.worst, time.monotonic() - begin)
                assert reply["accepted"] == BATCH, reply
                self.n += 1
            s.close()
        except Exception as e:
            self.error = e

    def stop(self):
        self.is_over.set()
        self.join(30)
        assert self.error is None and not self.is_alive(), self.error


def wait(what, condition, timeout=120):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {timeout} s"
        time.sleep(0.02)


def manifest_of(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as f:
        return json.load(f)


def a_copy_under_load_is_put_back_elsewhere_and_the_epoch_rises(d):
    load, folder = Load(d), d.dir + "-backup"
    other = None
    try:
        wait("load", lambda: load.n >= 20)
        begin, before = time.monotonic(), load.n
        done = ctl(d, "backup", folder)
        took, during = time.monotonic() - begin, load.n - before
        assert done.returncode == 0, done
        wait("more load", lambda: load.n >= before + during + 5)
        load.stop()
        assert load.worst < 3, f"an answer took {load.worst:.2f} s"
        manifest = manifest_of(folder)
        names = {f["name"]: f for f in manifest["files"]}
        assert set(names) == {"tickbus.db", "highwater", "tickbusd.yaml"}, names
        for name, f in names.items():
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            assert len(data) == f["bytes"] and hashlib.sha256(data).hexdigest() == f["sha256"], name
            assert os.stat(os.path.join(folder, name)).st_mode & 0o777 == 0o600, name
        assert not os.path.exists(os.path.join(d.dir, "backup")), "the daemon's copy is still there"
        whole = d.all_ticks()
        held = [t for t in whole if t[0] <= manifest["position"]]
        assert 20 * BATCH <= len(held) < len(whole), manifest
        print(f"# {len(held)} of {len(whole)} ticks, {during * BATCH} during the backup of {took:.2f} s; "
              f"longest answer {load.worst * 1000:.0f} ms; seed {SEED}")

        other = tb.Tickbusd(BINARY, durability="normal")
        done = ctl(other, "restore", folder, "--state-dir", other.dir, "--daemon", BINARY, admin=False)
        assert done.returncode == 0 and f"position {manifest['position']} again" in done.stdout, done
        other.start()
        status = other.admin("status")["result"]
        assert status["epoch"] == manifest["epoch"] + 1 and "an older copy was put back" in status["store"]["alarm"], status
        assert other.all_ticks() == held
        # The producer sends everything again: what was lost is taken, nothing twice.
        s, taken, double = other.ingest(), 0, 0
        for n in range(load.n):
            reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", n * BATCH + 1, batch_of(n))))
            taken, double = taken + reply["accepted"], double + reply["duplicate"]
            assert reply["epoch"] == status["epoch"], reply
        s.close()
        assert double == len(held) and taken == len(whole) - len(held), (taken, double)
        assert [t[1:3] for t in other.all_ticks()] == [t[1:3] for t in whole]
        verified = ctl(other, "verify")
        assert verified.returncode == 0, verified
        # Without a loss the next start is an ordinary one.
        assert other.stop() == 0
        other.start()
        assert other.admin("status")["result"]["epoch"] == status["epoch"]
    finally:
        load.is_over.set()
        if other is not None:
            other.remove()
        shutil.rmtree(folder, ignore_errors=True)


def restore_into_the_same_place_tells_exactly_what_is_lost(d):
    folder = d.dir + "-backup"
    try:
        for n in range(3):
            tb.feed(d, batch_of(n), first_seq=n * BATCH + 1)
        assert ctl(d, "backup", folder).returncode == 0
        lost = (d.admin("status")["result"]["position"] + 1, tb.feed(d, batch_of(3), first_seq=3 * BATCH + 1)["last_pos"])
        busy = ctl(d, "restore", folder, "--config", d.config, "--daemon", BINARY, admin=False)
        assert busy.returncode == 75 and "runs on" in busy.stderr, busy
        assert len(d.all_ticks()) == 4 * BATCH
        assert d.stop() == 0
        done = ctl(d, "restore", folder, "--config", d.config, "--daemon", BINARY, admin=False)
        assert done.returncode == 0 and f"LOST: positions {lost[0]} to {lost[1]} " in done.stdout, done
        kept = [f for f in os.listdir(d.dir) if f.startswith("replaced-")]
        assert len(kept) == 1 and "tickbus.db" in os.listdir(os.path.join(d.dir, kept[0])), os.listdir(d.dir)
        d.start()
        status = d.admin("status")["result"]
        assert (status["store"]["lost_first"], status["store"]["lost_last"]) == lost, status
        assert status["epoch"] == 2, status
        reply = tb.feed(d, batch_of(3), first_seq=3 * BATCH + 1)
        assert reply["accepted"] == BATCH and reply["last_pos"] > lost[1], reply
        # Once more, and again before it was started: epoch 2 was heard of, so the next is 3.
        assert d.stop() == 0
        for _ in range(2):
            time.sleep(1.1)  # what is set aside is named by the second
            done = ctl(d, "restore", folder, "--config", d.config, "--daemon", BINARY, admin=False)
            assert done.returncode == 0, done
        d.start()
        assert d.admin("status")["result"]["epoch"] == 3, d.admin("status")["result"]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def what_is_not_as_its_manifest_says_is_not_put_back(d):
    folder, target = d.dir + "-backup", d.dir + "-target"

    def spoil(name, change):
        path = os.path.join(folder, name)
        with open(path, "rb") as f:
            good = f.read()
        with open(path, "wb") as f:
            f.write(change(good))
        done = ctl(d, "restore", folder, "--state-dir", target, "--daemon", BINARY, admin=False)
        assert done.returncode == 65 and "the backup is not good" in done.stderr, (name, done)
        assert os.listdir(target) == [] if os.path.exists(target) else True, os.listdir(target)
        with open(path, "wb") as f:
            f.write(good)

    def manifest_with(edit):
        def change(text):
            m = json.loads(text)
            edit(m)
            return json.dumps(m).encode()
        return change

    try:
        tb.feed(d, batch_of(0))
        assert ctl(d, "backup", folder).returncode == 0
        rng = random.Random(SEED)
        at = rng.randrange(4096)
        spoil("tickbus.db", lambda b: b[:at] + bytes([b[at] ^ 4]) + b[at + 1:])
        spoil("tickbus.db", lambda b: b[:-1])
        spoil("tickbus.db", lambda b: b + b"x")
        spoil("highwater", lambda b: bytes(len(b)))
        spoil("manifest.json", lambda b: b[:len(b) // 2])
        spoil("manifest.json", manifest_with(lambda m: m["files"].append(
            {"name": "../evil", "bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()})))
        spoil("manifest.json", manifest_with(lambda m: m["files"].pop(0)))
        spoil("manifest.json", manifest_with(lambda m: m["files"].append(m["files"][0])))
        spoil("manifest.json", manifest_with(lambda m: m.update(format=2)))
        shutil.move(os.path.join(folder, "highwater"), os.path.join(folder, "x"))
        os.symlink(os.path.join(folder, "x"), os.path.join(folder, "highwater"))
        done = ctl(d, "restore", folder, "--state-dir", target, "--daemon", BINARY, admin=False)
        assert done.returncode == 65, done
        again = ctl(d, "backup", folder)
        assert again.returncode == 74 and "not empty" in again.stderr, again
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)


def history_is_in_it_and_a_kill_in_the_middle_harms_nothing(d):
    folder = d.dir + "-backup"
    vendor, w = FakeVendor(), None
    try:
        w = tb.Tickbusd(BINARY, durability="normal", more=f"""
fetch: {{plain_http: true, private_addresses: true}}
vendors:
  alpaca: {{base_url: "{vendor.url}", feed: iex}}
""")
        w.start(env={"TICKBUS_ALPACA_KEY": "nobody", "TICKBUS_ALPACA_SECRET": "nothing"})
        for n in range(40):
            tb.feed(w, batch_of(n), first_seq=n * BATCH + 1)
        position = w.admin("status")["result"]["position"]
        for _ in range(3):
            assert w.admin("backup")["ok"]  # and cut it anywhere
            time.sleep(random.random() * 0.02)
            w.kill()
            w.start(env={"TICKBUS_ALPACA_KEY": "nobody", "TICKBUS_ALPACA_SECRET": "nothing"})
            status = w.admin("status")["result"]
            assert status["position"] == position and status["store"]["alarm"] == "", status
        # One that is being made when the daemon is asked to stop ends with it.
        assert w.admin("backup")["ok"]
        assert w.stop() == 0
        assert not os.path.exists(os.path.join(w.dir, "backup")), "left behind"
        w.start(env={"TICKBUS_ALPACA_KEY": "nobody", "TICKBUS_ALPACA_SECRET": "nothing"})
        done = ctl(w, "backup", folder)
        assert done.returncode == 0, done
        assert {f["name"] for f in manifest_of(folder)["files"]} == {"tickbus.db", "highwater", "history.db",
                                                                      "tickbusd.yaml"}
        assert w.stop() == 0
        done = ctl(w, "restore", folder, "--config", w.config, "--daemon", BINARY, admin=False)
        assert done.returncode == 0, done
        w.start(env={"TICKBUS_ALPACA_KEY": "nobody", "TICKBUS_ALPACA_SECRET": "nothing"})
        assert w.admin("jobs")["ok"] and w.admin("status")["result"]["position"] == position
    finally:
        vendor.stop()
        if w is not None:
            w.remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    sys.exit(tb.tap([t for t in (a_copy_under_load_is_put_back_elsewhere_and_the_epoch_rises,
                                 restore_into_the_same_place_tells_exactly_what_is_lost,
                                 what_is_not_as_its_manifest_says_is_not_put_back,
                                 history_is_in_it_and_a_kill_in_the_middle_harms_nothing) if only in t.__name__],
                    lambda: tb.Tickbusd(BINARY, durability="normal")))
