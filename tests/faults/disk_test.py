#!/usr/bin/env python3
"""Faults of the disk (docs/FAULTS.md, C): disk_test.py TICKBUSD [TEST]"""
import contextlib
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import faultlib  # noqa: E402
import tickbusd as tb  # noqa: E402
from faultlib import until  # noqa: E402

BINARY = sys.argv[1]
MORE = "defaults: {timeframes: [1m], price_types: [last]}\ntier1: {enabled: false}\n"
NO_SPACE = 3
STRACE = shutil.which("strace")
test, TESTS = faultlib.collector()
faultlib.traced()


class Nothing:
    """For tests that start their daemons themselves."""

    def start(self):
        pass

    def remove(self):
        pass

    def errors(self):
        return ""


class Producer:
    """Sends ticks and knows what was acknowledged."""

    def __init__(self, d):
        self.d, self.acked, self.sock = d, 0, d.ingest()

    def again(self, d=None):
        self.sock = (d or self.d).ingest()
        return self

    def send(self, n=500):
        """The status; after 0 the ticks count as acknowledged."""
        first = self.acked + 1
        reply = tb.sbe_reply(self.sock.ask(tb.sbe_ticks("p", "test", first, [
            tb.trade("A", q * 0.001, 100, q) for q in range(first, first + n)])))
        if reply["status"] == 0:
            assert reply["accepted"] + reply["duplicate"] == n, reply
            self.acked += n
        return reply["status"]

    def until_full(self, limit=2000):
        for _ in range(limit):
            status = self.send()
            if status != 0:
                assert status == NO_SPACE, status
                return
        raise AssertionError("the disk does not fill")

    def check(self, d=None):
        """Everything acknowledged is in the log, once."""
        held = [t[2] for t in (d or self.d).all_ticks()]
        assert held == list(range(1, len(held) + 1)), "not in order, or twice"
        assert len(held) >= self.acked, f"{self.acked - len(held)} acknowledged ticks are gone"


def small(text):
    return text.replace("ballast: 0B", "ballast: 1MiB, wal_size: 1MiB")


@contextlib.contextmanager
def daemon_on(path, **kwargs):
    d = faultlib.Daemon(BINARY, state=os.path.join(path, "state"), more=MORE, edit=small, **kwargs)
    try:
        yield d
    except BaseException:
        print(d.errors()[-3000:], file=sys.stderr)
        raise
    finally:
        d.remove()


def fill_and_free(mib, with_neighbour):
    with faultlib.tmpfs(f"size={mib}m") as path:
        if path is None:
            return
        neighbour = os.path.join(path, "neighbour")
        if with_neighbour:
            with open(neighbour, "wb") as f:
                f.write(bytes((mib - 6) << 20))
        with daemon_on(path) as d:
            d.start()
            p = Producer(d)
            p.until_full()
            acked = p.acked
            # Everything but ingest works.
            assert d.status()["state"] == "ready"
            assert d.counter("tickbus_no_space_total") > 0, "refused, and not counted"
            p.check()
            for _ in range(5):
                assert p.send() in (0, NO_SPACE)
            assert d.process.poll() is None
            if not with_neighbour:
                d.kill()
                try:  # a start on a full disk serves, or says why not
                    d.start()
                    p.check()
                except RuntimeError:
                    assert d.process.poll() == 74 and "full" in d.errors(), d.errors()
                return
            os.unlink(neighbour)
            until("ticks to be taken again", lambda: p.send() == 0, 5)
            assert p.acked > acked
            p.check()
            assert d.stop() == 0
            d.start()
            p.again().check()
            if mib > 8:  # it wants room for four of it
                until("the ballast", lambda: d.counter("tickbus_store_ballast") == 1, 15)


@test
def a_full_disk_of_8_mib_refuses_and_resumes(_):
    fill_and_free(8, True)


@test
def a_full_disk_of_16_mib_refuses_and_resumes(_):
    fill_and_free(16, True)


@test
def a_full_disk_of_32_mib_refuses_and_resumes(_):
    fill_and_free(32, True)


@test
def a_disk_filled_by_the_log_itself_is_no_crash(_):
    fill_and_free(8, False)


@test
def a_file_size_limit_is_a_full_disk_and_no_signal(_):
    with daemon_on(faultlib.new_dir()) as d:
        d.start()
        p = Producer(d)
        resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (4 << 20, resource.RLIM_INFINITY))
        p.until_full()
        assert d.process.poll() is None
        p.check()
        resource.prlimit(d.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        until("ticks to be taken again", lambda: p.send() == 0, 5)
        assert d.stop() == 0
        d.start()
        p.again().check()
        shutil.rmtree(os.path.dirname(d.state))


@test
def inodes_that_run_out_refuse_the_start_and_nothing_more(_):
    for inodes in (2, 3, 4, 5, 6, 8):
        with faultlib.tmpfs(f"size=16m,nr_inodes={inodes}") as path:
            if path is None:
                return
            with daemon_on(path) as d:
                d.start(wait=False)
                try:
                    d.wait_ready(20)
                    p = Producer(d)
                    assert p.send() == 0
                    p.check()
                except RuntimeError:
                    assert d.process.poll() in (73, 74), (inodes, d.process.poll(), d.errors())
                    assert "No space" in d.errors() or "unable to open" in d.errors(), d.errors()


@test
def a_read_only_file_system_refuses_the_start_with_73(_):
    with faultlib.tmpfs("size=16m") as path:
        if path is None:
            return
        with daemon_on(path) as d:
            d.start()
            p = Producer(d)
            assert p.send() == 0
            assert d.stop() == 0
            subprocess.run(["mount", "-o", "remount,ro", path], check=True)
            d.start(wait=False)
            assert d.process.wait(20) == 73, (d.process.returncode, d.errors())
            assert "read-only" in d.errors(), d.errors()
            subprocess.run(["mount", "-o", "remount,rw", path], check=True)
            d.start()
            p.again().check()


def tracer(d, inject):
    """Attach to a running daemon, all threads."""
    t = subprocess.Popen([STRACE, "-f", "-qq", "-o", "/dev/null", "-p", str(d.process.pid), "-e", f"inject={inject}"],
                         stderr=subprocess.DEVNULL)
    task = f"/proc/{d.process.pid}/task"

    def attached():
        return d.process.poll() is not None or all("TracerPid:\t0" not in open(f"{task}/{tid}/status", encoding="ascii").read()
                   for tid in os.listdir(task))
    until("the tracer", attached)
    return t


def fails_with_74(inject):
    """A fault of the running daemon: no acknowledgement after it, 74, and recovery."""
    with daemon_on(faultlib.new_dir()) as d:
        d.start()
        p = Producer(d)
        for _ in range(5):
            assert p.send() == 0
        t = tracer(d, inject)
        try:
            for _ in range(400):
                if p.send(50) != 0:
                    break
            else:
                raise AssertionError(f"{inject}: nothing failed")
        except (OSError, ConnectionError):
            pass
        assert d.process.wait(20) == 74, (inject, d.process.returncode, d.errors())
        t.wait(10)
        assert "nothing more is acknowledged" in d.errors() or "failed" in d.errors(), d.errors()
        d.start()
        p.again().check()
        status = d.status()
        assert status["epoch"] == 1 and not status["store"]["alarm"], status
        assert p.send() == 0
        shutil.rmtree(os.path.dirname(d.state))


@test
def a_failed_write_or_sync_of_the_running_daemon_ends_it_with_74(_):
    if STRACE is None:
        print("# strace is not here: no call was failed")
        return
    for inject in ("fdatasync:error=EIO:when=3", "pwrite64:error=EIO:when=20", "pwrite64:error=EROFS:when=9",
                   "fdatasync:error=ENOSPC:when=2", "pwrite64:error=EIO:when=4+"):
        fails_with_74(inject)


@test
def a_failed_call_of_the_start_is_refused_and_the_next_start_recovers(_):
    if STRACE is None:
        print("# strace is not here: no call was failed")
        return
    rng = random.Random(27)
    codes = {}
    with daemon_on(faultlib.new_dir()) as d:
        d.start()
        p = Producer(d)
        for _ in range(5):
            assert p.send() == 0
        rounds = int(os.environ.get("TICKBUS_ROUNDS", "12"))
        for i in range(rounds):
            d.kill()
            call = ("pwrite64", "fdatasync", "fsync", "pread64", "ftruncate", "rename,renameat")[i % 6]
            error = rng.choice(("EIO", "ENOSPC"))
            d.process = subprocess.Popen([STRACE, "-D", "-f", "-qq", "-o", "/dev/null", "-e",
                                          f"inject={call}:error={error}:when={rng.randrange(1, 8)}",
                                          BINARY, "--config", d.config], stderr=d.log)
            try:
                d.wait_ready(30)
                code = "ready"
                d.stop()
            except RuntimeError:
                code = d.process.poll()
                assert code in (65, 73, 74), (call, error, code, d.errors()[-2000:])
            codes[code] = codes.get(code, 0) + 1
            d.start()
            p.again().check()
            status = d.status()
            assert status["epoch"] == 1 and not status["store"]["alarm"], (call, error, status)
        print(f"# outcomes {codes}")
        shutil.rmtree(os.path.dirname(d.state))


@test
def a_slow_disk_makes_producers_wait_and_memory_stay(_):
    if STRACE is None:
        print("# strace is not here: no sync was delayed")
        return
    with daemon_on(faultlib.new_dir()) as d:
        d.start()
        p = Producer(d)
        for _ in range(20):
            assert p.send() == 0
        before = d.counter("process_resident_memory_bytes")
        t = tracer(d, "fdatasync:delay_enter=700000")
        begin = time.monotonic()
        assert p.send() == 0
        waited = time.monotonic() - begin
        assert waited > 0.6, f"acknowledged after {waited:.2f} s, before the sync was done"
        # Many producers at once wait as well; reading and watching go on.
        socks = [d.ingest() for _ in range(40)]
        for i, s in enumerate(socks):
            s.send(struct.pack(">I", 0x80000001) + tb.sbe_ticks(f"q{i}", "test", 1, [
                tb.trade("B", k * 0.001, 100, k) for k in range(1, 500)]))
        begin = time.monotonic()
        assert d.status()["state"] == "ready"
        assert time.monotonic() - begin < 0.5, "the admin socket waits for the disk"
        grown = d.counter("process_resident_memory_bytes") - before
        assert grown < 64 << 20, grown
        t.kill()
        t.wait()
        for s in socks:
            assert tb.sbe_reply(s.message()[4:])["accepted"] == 499
            s.close()
        assert len(d.all_ticks()) == p.acked + 40 * 499
        shutil.rmtree(os.path.dirname(d.state))


@test
def a_restored_backup_is_noticed_and_subscribers_are_told(_):
    with daemon_on(faultlib.new_dir()) as d:
        d.start()
        p = Producer(d)
        assert p.send() == 0
        assert d.stop() == 0
        backup = d.state + ".backup"
        shutil.copytree(d.state, backup)
        d.start()
        p.again()
        for _ in range(3):
            assert p.send() == 0
        d.kill()
        for name in ("tickbus.db", "tickbus.db-wal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(d.state, name))
                shutil.copy(os.path.join(backup, name), d.state)
        d.start()
        status = d.status()
        assert status["epoch"] == 2 and status["store"]["alarm"], status
        assert (status["store"]["lost_first"], status["store"]["lost_last"]) == (502, 2001), status
        assert d.counter("tickbus_store_alarm") == 1 and d.counter("tickbus_log_losses_total") == 1
        # The producer kept its ticks: it may send them again, and they are new.
        ticks = tb.Listener(d, "tick")
        p.acked = 500
        assert p.again().send() == 0
        frame = ticks.wait(1, b"tick|")[0][5:]
        assert struct.unpack_from("<Q", frame, 8)[0] == 2, "the frame does not say the new epoch"
        assert d.status()["position"] >= 2002 + 499, "a lost position was used again"
        shutil.rmtree(os.path.dirname(d.state))


if __name__ == "__main__":
    sys.exit(tb.tap(TESTS, Nothing))
