#!/usr/bin/env python3
"""Killed at the n-th system call: strace_kill.py TICKBUSD [POINTS [SEED]]

The daemon is killed by its tracer at the n-th call that touches a file: while it starts
on what a kill -9 left (loading, recovery, the first checkpoint), and under load (commits
and checkpoints; the write-ahead log is short).  The next start must succeed and hold
everything that was acknowledged.  POINTS `all` takes every n until none is reached;
a number takes that many by chance.
"""
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "unlink", "unlinkat", "fallocate", "openat", "pread64")
MORE = "defaults: {timeframes: [1s], price_types: [last]}\ntier1: {enabled: false}\npublisher: {json: false}\n"
STRACE = shutil.which("strace")


def short_log(text):
    return text.replace("ballast: 0B", "ballast: 1MiB, wal_size: 1MiB")


class Run:
    def __init__(self, binary):
        self.d = faultlib.Daemon(binary, more=MORE, edit=short_log)
        self.acked = 0

    def traced(self, call, n):
        d = self.d
        d.process = subprocess.Popen([STRACE, "-D", "-f", "-qq", "-o", "/dev/null", "-e",
                                      f"inject={call}:signal=KILL:when={n}", d.binary, "--config", d.config],
                                     stderr=d.log)

    def send(self, requests):
        """Send until the connection breaks, or so many requests."""
        s = self.d.ingest()
        try:
            for _ in range(requests):
                first = self.acked + 1
                reply = tb.sbe_reply(s.ask(tb.sbe_ticks("p", "test", first, [
                    tb.trade("AB"[q % 2], q * 0.001, 100, q) for q in range(first, first + 200)])))
                assert reply["status"] == 0, reply
                self.acked += 200
        finally:
            s.close()

    def check(self):
        d = self.d
        d.start()
        held = [t[2] for t in d.all_ticks()]
        assert held == list(range(1, len(held) + 1)), "not in order, or twice"
        assert len(held) >= self.acked, f"{self.acked - len(held)} acknowledged ticks are gone"
        status = d.status()
        assert status["epoch"] == 1 and not status["store"]["alarm"], status
        self.send(2)  # something for the next recovery
        d.kill()

    def at_start(self, call, n):
        """True when it was killed before it was ready."""
        self.traced(call, n)
        try:
            self.d.wait_ready(60)
            reached = False
            self.d.kill()
        except RuntimeError:
            assert self.d.process.poll() == -9, self.d.process.poll()
            reached = True
        self.check()
        return reached

    def under_load(self, call, n):
        self.traced(call, n)
        try:
            self.d.wait_ready(60)
            self.send(40)
            reached = False
            self.d.kill()
        except (OSError, ConnectionError, RuntimeError):
            assert self.d.process.wait(20) == -9
            reached = True
        self.check()
        return reached


def main():
    points = sys.argv[2] if len(sys.argv) > 2 else "16"
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10 ** 9)
    if STRACE is None:
        print("strace_kill: strace is not here: nothing was killed")
        return
    faultlib.traced()
    rng = random.Random(seed)
    print(f"strace_kill: seed {seed}, {points} points", flush=True)
    run, killed, n = Run(sys.argv[1]), 0, 0
    try:
        run.d.start()
        run.send(5)
        run.d.kill()
        if points == "all":
            for call in CALLS:
                n = 1
                while run.at_start(call, n):
                    killed, n = killed + 1, n + 1
                print(f"# start: {call}: {n - 1} points", flush=True)
            for call in ("pwrite64", "fdatasync"):
                for n in range(1, 200, 3):
                    killed += run.under_load(call, n)
        else:
            for i in range(int(points)):
                call = CALLS[i % len(CALLS)]
                n = rng.randrange(1, 25 if call in ("pwrite64", "openat", "pread64") else 4)
                killed += run.under_load(call, 4 * n) if i % 3 == 2 else run.at_start(call, n)
    except BaseException:
        print(f"strace_kill: FAILED with seed {seed} at {call} {n}; state in {run.d.dir}\n{run.d.errors()[-3000:]}",
              file=sys.stderr)
        raise
    run.d.remove()
    assert killed > 0, "no point was reached: nothing was killed"
    print(f"strace_kill: killed at {killed} points, {run.acked} ticks acknowledged, none lost, none twice")


if __name__ == "__main__":
    main()
