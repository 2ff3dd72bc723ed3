#!/usr/bin/env python3
"""Catch-up from the first event on, where retention has taken most: past_test.py TICKBUSD [TICKBUS_ARCHIVE [C_TORTURE]]

Prints TAP.  One daemon keeps everything and has no archive; the other keeps little, and is killed, as its helper is.
What both give by catch-up must be the same, to the last bit of each chain.  "From 2016 on" is one subscription, through
archive, store and live events, by tickbus.py and by libtickbus (tests/torture/c_torture.c).
"""
import collections
import json
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client", "python"))
import faultlib  # noqa: E402
import newsevents  # noqa: E402
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402

BINARY = sys.argv[1]
HELPER = sys.argv[2] if len(sys.argv) > 2 else ""
C_TORTURE = sys.argv[3] if len(sys.argv) > 3 else ""
SYMBOLS = [f"P{i:02d}" for i in range(6)]
KINDS = ["tick", "bar", "tier1", "tier2", "news", "status"]  # templates from 1 on
N = 30000
LIVE = 3000  # records that come while somebody reads the past
BEGIN = 1_451_916_000 * tb.SECOND  # 2016-01-04T14:00:00Z
DERIVED = """
defaults: {timeframes: [1s, 1m], price_types: [last]}
tier1: {ready_bars: 5, norm_window: 20}
bars: {grace: 200ms, revision_window: 10s}
universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}
"""
LITTLE = "ballast: 0B, snapshot: 1500, retain_size: 200KiB, segment: 250"


def at_of(q):
    """Every 5,000 records, which begin with a clock record, another year."""
    return BEGIN + q * 5_000_000 + q // 5000 * 365 * 86400 * tb.SECOND


def record(q):
    at = at_of(q)
    if q % 200 == 0:
        return ("", at, 0, 0, 0)
    return (SYMBOLS[q * 31 % 97 % len(SYMBOLS)], at, 10 ** 11 + (q * 7919 % 1009) * 10 ** 7, 10 ** 8, q)


def feed(d, first, n):
    """Until every record is taken, whatever happens to the daemon: a sequence is taken once."""
    while n > 0:
        m = min(n, 500)
        try:
            sock = d.ingest()
            reply = tb.sbe_reply(sock.ask(tb.sbe_ticks("past", "test", first, [record(q) for q in range(first, first + m)])))
            sock.close()
        except (OSError, ConnectionError):
            time.sleep(0.05)
            continue
        if reply["status"] == 0:
            say(d, first + m - 1)
            first, n = first + m, n - m


def say(d, q):
    """Articles behind record @q, until they are taken: what is known already is a duplicate."""
    articles = [newsevents.article(f"{q} {i}", at_of(q) // tb.SECOND, f"Number {q} {i} beats", SYMBOLS[i], SYMBOLS[i + 1])
                for i in range(3)]
    while True:
        try:
            reply = newsevents.send(d, articles)
        except (OSError, ConnectionError):
            time.sleep(0.05)
            continue
        if reply["status"] == "ok" and reply["accepted"] + reply["duplicate"] == len(articles):
            return
        time.sleep(0.05)


def page_request(root, streams=()):
    pos, skip, mask, from_type = root
    return (struct.pack("<HHHH", 24, 31, 7400, 1) + struct.pack("<QIIIB3x", pos, skip, 0, mask, from_type) +
            struct.pack("<HH", 56, len(streams)) + b"".join(streams))


def events_of(page):
    """(kind, seq, pos, body without recv_ns) of each event of a page."""
    for frame in tb.page_frames(page):
        template = struct.unpack_from("<H", frame, 2)[0]
        blocks = [frame[40:]] if template == 4 else tb.frame_blocks(frame)
        for b in blocks:
            yield (template, *struct.unpack_from("<QQ", b), tb.without_recv_ns(b))


def read_all(d, mask=63, root=None, streams=(), until=0):
    """Every event by catch-up, page after page; asks again while it is busy. Fails where anything is gone."""
    root, out = root or (1, 0, mask, 1), []
    end = time.monotonic() + 60 * tb.PATIENCE  # from one page to the next
    while True:
        try:
            sock = d.catchup()
            sock.sock.settimeout(40 * tb.PATIENCE)
            while True:
                page = sock.ask(page_request(root, streams))
                status, done, next_from = page[8 + 36], page[8 + 37], page[8 + 38]
                if status == 3:
                    time.sleep(0.1)
                    assert time.monotonic() < end, "busy for minutes"
                    continue
                assert status == 0, (status, page[48:112], root)
                out += events_of(page)
                root = (*struct.unpack_from("<QI", page, 8 + 24), mask, next_from)
                end = time.monotonic() + 60 * tb.PATIENCE
                if done and root[0] > until:
                    sock.close()
                    return out
        except (OSError, ConnectionError):
            assert time.monotonic() < end, "no daemon for minutes"
            time.sleep(0.05)


def first_held(d):
    return d.admin("log_count")["result"]["first_pos"]


def helper_of(d):
    """Process ids of the daemon's children."""
    try:
        with open(f"/proc/{d.process.pid}/task/{d.process.pid}/children", encoding="ascii") as f:
            mine = [int(p) for p in f.read().split()]
        for task in os.listdir(f"/proc/{d.process.pid}/task"):
            with open(f"/proc/{d.process.pid}/task/{task}/children", encoding="ascii") as f:
                mine += [int(p) for p in f.read().split()]
        return mine
    except OSError:
        return []


def kill_helper(d):
    for pid in helper_of(d):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def make(archive):
    more = DERIVED
    if archive:
        more += f"archive: {{dir: ARCHIVE, program: {HELPER}}}\n"
    d = faultlib.Daemon(BINARY, more=more, edit=lambda t: t.replace("ballast: 0B", LITTLE) if archive else t)
    if archive:
        d.edit_config(lambda t: t.replace("ARCHIVE", d.dir + "/archive") + "derived: {retain: 1s}\n")
    return d.start()


def settled(d, last_pos):
    """All events, when catch-up has come to @last_pos for every kind."""
    return read_all(d, until=last_pos)


def compare(got, want):
    assert len(got) == len(want), (len(got), len(want))
    for g, w in zip(got, want):
        assert g == w, (g[:3], w[:3])


def wait_for_a_state(d):
    """Two saved states are kept, and the log from the older one on.  Where all records come in a second, the first is
    saved behind the first of them and the other behind the last, and then retention has nothing to take."""
    end = time.monotonic() + 20
    while d.counter("tickbus_snapshot_position") <= N // 2 + 1500 and time.monotonic() < end:
        time.sleep(0.1)


def everything_comes_once_though_retention_took_most_of_it():
    rng, seed = random.Random(), os.environ.get("TICKBUS_SEED") or str(random.randrange(1 << 30))
    rng.seed(seed)
    print(f"# seed {seed}", flush=True)
    whole, little = make(False), make(True)
    try:
        feed(whole, 1, N)
        for first in range(1, N + 1, 5000):
            if first + 5000 > N:
                wait_for_a_state(little)
            feed(little, first, 5000)
            what = rng.randrange(3)
            if what == 0:
                kill_helper(little)
            elif what == 1:
                little.kill()
                little.start()
        # What it holds itself is a small part; the counts that let it go are saved every few seconds.
        faultlib.until("retention has taken most", lambda: first_held(little) > N // 2, 90, pause=0.5)
        last = whole.admin("log_count")["result"]["last_pos"]
        want = settled(whole, last)
        got = settled(little, last)
        compare(got, want)
        # A stream from its first sequence on, and from the middle; helper and daemon die meanwhile.
        for kind, seq in (("tick", 1), ("bar", 1), ("news", 1), ("tick", 777), ("bar", 50), ("news", 9)):
            k = KINDS.index(kind)
            stream = struct.pack("<QQIB3x32s", seq, 0, 0, k, SYMBOLS[2].encode())
            kill_helper(little)
            at = {"tick": 112, "bar": 160, "news": 144}[kind]
            mine = [e for e in want if e[0] == k + 1 and e[3][at:at + 32].rstrip(b"\0") == SYMBOLS[2].encode()
                    and e[1] >= seq]
            compare(read_all(little, 1 << k, (0, 0, 1 << k, 0), [stream], until=last), mine)
        little.kill()
        little.start()
        compare(read_all(little, until=last), want)
        check_time(little, want)
        check_subscribers(little)
        check_retention(little)
        assert little.stop() == 0, little.errors()[-2000:]
        verify(little)
    finally:
        for d in (whole, little):
            if sys.exc_info()[0]:
                said = [line for line in d.errors().split("\n") if "warning: slow" not in line]
                print("\n".join(said)[-3000:], file=sys.stderr)
                print(d.admin("archive_status") if d is little and d.process.poll() is None else "", file=sys.stderr)
            d.remove()


def first_page(d, root, streams=()):
    """(status, first_held_pos, first held sequence of each stream that is gone, first position of what came)."""
    sock = d.catchup()
    while (page := sock.ask(page_request(root, streams)))[8 + 36] == 3:
        time.sleep(0.1)
    sock.close()
    block, n = struct.unpack_from("<HH", page, 8 + 120)
    gone = [struct.unpack_from("<Q", page, 8 + 124 + i * block)[0] for i in range(n)]
    return page[8 + 36], struct.unpack_from("<Q", page, 8 + 16)[0], gone, min((e[2] for e in events_of(page)), default=0)


def check_retention(d):
    """Of whole events what is older than a while goes, is said to be gone, and the rest is what it was."""
    last = d.admin("log_count")["result"]["last_pos"]
    want = read_all(d, until=last)
    size = past_bytes(d)
    d.kill()
    d.edit_config(lambda t: t.replace("/archive,", "/archive, every: 200ms, after: 1s, retain_events: 200d,"))
    d.start()
    oldest = (0, 0, 63, 3)
    # All that is older goes, however little of it had rows when retention was asked for first.
    young = at_of(N) - 86400 * tb.SECOND
    first = min(e[2] for e in want if struct.unpack_from("<q", e[3], 16)[0] >= young)
    faultlib.until("the oldest events go", lambda: first_page(d, oldest)[1] == first, 60, pause=0.2)
    assert first_page(d, oldest)[::2] == (0, []) and first_page(d, oldest)[3] == first
    faultlib.until("their files go", lambda: past_bytes(d) < size * 3 // 4, 30)
    held = [e for e in want if e[2] >= first]
    assert first < N + LIVE and len(held) > LIVE, (first, len(held))
    compare(read_all(d, root=oldest, until=last), held)
    # A kind that the store still holds from before that is given, too.
    status, held_pos, gone, begin = first_page(d, (1, 0, 63, 1))
    assert (status, held_pos, gone) == (1, first, []) and begin <= first, (status, held_pos, gone, begin, first)
    assert first_page(d, (at_of(1000), 0, 63, 2))[:2] == (1, first)
    for k, kind in enumerate(KINDS):
        if kind == "tier2":
            continue
        mine = [e for e in want if e[0] == k + 1 and stream_of(e) == f"{kind} {SYMBOLS[2]}"]
        seqs = [e[1] for e in mine if e[2] >= first]
        if not seqs or seqs[0] == 1:
            continue
        stream = struct.pack("<QQIB3x32s", 1, 0, 0, k, SYMBOLS[2].encode())
        status, _, gone, _ = first_page(d, (0, 0, 1 << k, 0), [stream])
        assert (status, gone) == (1, [seqs[0]]), (kind, status, gone, seqs[0])
        stream = struct.pack("<QQIB3x32s", seqs[0], 0, 0, k, SYMBOLS[2].encode())
        compare(read_all(d, 1 << k, (0, 0, 1 << k, 0), [stream], until=last), [e for e in mine if e[2] >= first])
    print(f"# of {len(want)} events {len(held)} are held, from position {first} on", flush=True)


def past_bytes(d):
    return sum(os.path.getsize(os.path.join(folder, n)) for folder, _, names in os.walk(d.dir + "/archive/events") for n in names)


def check_time(d, want):
    """From a time that only the archive knows."""
    at = at_of(1000)
    got = read_all(d, 1, (at, 0, 1, 2))
    mine = [e for e in want if e[0] == 1 and struct.unpack_from("<q", e[3], 16)[0] >= at]
    compare(got, mine)


def stream_of(event):
    """As a subscriber names it: "tick P01", "tier2 k 1"."""
    kind, body = KINDS[event[0] - 1], event[3]
    at = {"tick": 112, "bar": 160, "tier1": 464, "tier2": 104, "news": 144, "status": 48}[kind]
    frame = f" {struct.unpack_from('<I', body, 80)[0]}" if kind == "tier2" else ""
    return f"{kind} {body[at:at + 32].rstrip(bytes(1)).decode()}{frame}"


def lasts_of(events):
    out = {}
    for e in events:
        out[stream_of(e)] = e[1]
    return out


def subscribed(urls, goal):
    """Sequences by stream, by tickbus.py, from 2016 until @goal() is reached."""
    got, lives, end = collections.defaultdict(list), 0, time.monotonic() + 90 * tb.PATIENCE
    with tickbus.Subscriber(",".join(KINDS), start="time", at="2016-01-01T00:00:00Z", check_chain=True, urls=urls) as sub:
        while goal() is None or any(got[s][-1:] != [n] for s, n in goal().items()):
            assert time.monotonic() < end, {s: (got[s][-1:], n) for s, n in (goal() or {}).items() if got[s][-1:] != [n]}
            event = sub.next(0.2)
            lives += isinstance(event, tickbus.Live)
            assert not isinstance(event, (tickbus.Gap, tickbus.Broken)), event
            if isinstance(event, tickbus.Event):
                frame = f" {event.timeframe_s}" if event.kind == "tier2" else ""
                got[f"{event.kind} {event.symbol}{frame}"].append(event.seq)
    assert lives == 1, lives
    return got


def check_subscribers(d):
    """Years ago and live are one subscription: every sequence of every stream, once, in order, chains checked."""
    urls = {k: f"tcp://127.0.0.1:{d.port[k]}" for k in tickbus.PORTS}
    goal = []
    c = subprocess.Popen([C_TORTURE, "--child", json.dumps(urls)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         text=True) if C_TORTURE else None

    def live():
        for first in range(N + 1, N + LIVE + 1, 100):
            feed(d, first, 100)
            time.sleep(0.02)
        goal.append(lasts_of(read_all(d, until=d.admin("log_count")["result"]["last_pos"])))

    feeder = threading.Thread(target=live, daemon=True)
    feeder.start()
    got = subscribed(urls, lambda: goal[0] if goal else None)
    feeder.join()
    results = [("tickbus.py", got)]
    if c:
        out = json.loads(c.communicate(json.dumps(goal[0]) + "\n", 120 * tb.PATIENCE)[0])
        told = [n for n in out["notices"] if not n.startswith("Live")]
        assert not told and not out["late"], (told, out["late"])
        results.append(("libtickbus", out["got"]))
    for name, streams in results:
        assert set(streams) == set(goal[0]), (name, set(streams) ^ set(goal[0]))
        for stream, seqs in streams.items():
            assert seqs == list(range(1, goal[0][stream] + 1)), (name, stream, len(seqs), seqs[:3], goal[0][stream])
        print(f"# {name}: {sum(map(len, streams.values()))} events of {len(streams)} streams, "
              f"{BEGIN // tb.SECOND // 31557600 + 1970} and live", flush=True)


def verify(d):
    out = subprocess.run([HELPER, "--archive", d.dir + "/archive", "verify"], capture_output=True, text=True, check=False)
    assert out.returncode == 0, out
    print("# " + out.stdout.strip().replace("\n", "; "), flush=True)


def main():
    tests = [everything_comes_once_though_retention_took_most_of_it]
    if not HELPER:
        print("1..1\nok 1 - tickbus-archive is absent, so catch-up into the archive is not tested; tools/setup-archive "
              "fetches what it needs", flush=True)
        return 0
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for i, f in enumerate(tests, 1):
        try:
            f()
            print(f"ok {i} - {f.__name__}", flush=True)
        except Exception as e:  # every failure is a line, the rest still runs
            failed += 1
            print(f"not ok {i} - {f.__name__}", flush=True)
            import traceback
            traceback.print_exception(e)
    return 1 if failed else 0


sys.exit(main())
