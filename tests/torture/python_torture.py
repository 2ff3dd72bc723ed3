#!/usr/bin/env python3
"""A subscriber on the worst network there is: python_torture.py TICKBUSD [--client PROGRAM] [--restarts N] [--cuts N|all]
[--stop SECONDS] [--seed N] [SCENARIO...]

The subscriber is this file's own, in Python, or PROGRAM --child URLS, which says the same (c_torture: libtickbus).

Between daemon and subscriber stands a proxy that cuts connections at chosen bytes and throws messages away.  While a
producer sends, the network or the daemon misbehaves; then both are left alone, and every event of every stream that the
log holds must have been given: once, in order, each linked to the one before (check_chain), with no gap announced.

drops     a fifth of all live messages is thrown away; the subscriber stands still (SIGSTOP) for --stop seconds (3)
cuts      connections are cut behind each of --cuts bytes (120: a random sample; all: 0 .. 4,095) of the dialogue, of
          every socket, catch-up's included; a daemon whose guard ended it (nng's reaper hangs, docs/FAULTS.md) is
          started again, as its service manager would
restarts  the daemon is killed or stopped --restarts times (4), with a fifth of the messages thrown away

The campaign, tools/campaign python: --restarts 100 --cuts all --stop 30
"""
import argparse
import collections
import functools
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "integration"), os.path.join(HERE, "..", "..", "client", "python")]
import tickbus  # noqa: E402
import tickbusd as tb  # noqa: E402
from proxy import Plan, Proxy  # noqa: E402

HEALING_S = 60
DIALOGUE = 4096  # bytes of a connection that are cut through
KINDS = [k for k in tickbus.KINDS if k != "news"]  # it shares its socket with status
MORE = """
defaults: {timeframes: [1s, 1m], price_types: [last]}
universes: {k: {symbols: all, timeframe: 1s, window: 30, min_obs: 5}}
publisher: {heartbeat: 200ms}
"""


class Network:
    """A proxy per socket of the daemon.  cuts holds, per socket, behind which bytes its next connections are cut, those
    from the daemon and, negative, those to it."""

    def __init__(self, ports, rng):
        self.rng, self.cuts, self.plans = rng, {}, []
        self.drop = 0.0
        self.proxies = {name: Proxy(ports[name], functools.partial(self.plan, name), seed=rng.random())
                        for name in KINDS + ["catchup"]}
        self.urls = {name: f"tcp://127.0.0.1:{p.port}" for name, p in self.proxies.items()}

    def plan(self, name, _):
        at = self.cuts[name].pop() if self.cuts.get(name) else None
        # A drop of none at all, so that it can be turned on and off later.
        drop = 0 if name == "catchup" else self.drop or 1e-99
        plan = Plan(drop=drop, reset=at is not None and self.rng.random() < 0.5)
        if at is not None:
            plan.cut_down, plan.cut_up = (at, -1) if at >= 0 else (-1, -at)
        self.plans.append(plan)
        return plan

    def set_drop(self, drop):
        self.drop = drop
        for plan in self.plans:
            plan.drop = drop if plan.drop else 0

    def heal(self):
        self.cuts = {}
        self.set_drop(1e-99)

    def close(self):
        for p in self.proxies.values():
            p.close()

    def sum(self, what):
        return sum(getattr(p, what) for p in self.proxies.values())


class Producer(threading.Thread):
    """Ticks of twelve symbols, one of them rare, until told to end; outlives the daemon."""

    def __init__(self, d, rng):
        super().__init__(daemon=True)
        self.rng, self.is_ended, self.error, self.n = rng, False, None, 0
        urls = {"ingest": f"tcp://127.0.0.1:{d.port['ingest']}"}
        self.pub = tickbus.Publisher("test", "torture", timeout=60, urls=urls)
        self.start()

    def run(self):
        try:
            while not self.is_ended:
                for _ in range(self.rng.randrange(1, 60)):
                    self.n += 1
                    symbol = "RARE" if self.n % 500 == 0 else f"S{self.n % 11}"
                    self.pub.add(symbol, tb.START + self.n * 20_000_000, price=100 + self.n % 7, source_seq=self.n)
                ack = self.pub.flush()
                if ack.rejected:
                    raise AssertionError(f"refused: {ack.rejections[:3]}")
                time.sleep(0.01)
        except (tickbus.TickbusError, AssertionError) as e:
            self.error = e

    def end(self):
        self.is_ended = True
        self.join(70)
        self.pub.close()
        if self.error or self.is_alive():
            raise AssertionError(f"the producer failed: {self.error}")


def child():
    """The subscriber: prints what it has got once it has everything that standard input then names."""
    tickbus._Link.DELAY_MIN, tickbus._Link.DELAY_MAX = 0.005, 0.1  # thousands of connections, not hours
    got, notices, goal = collections.defaultdict(list), [], None
    with tickbus.Subscriber(KINDS, start="oldest", urls=json.loads(sys.argv[2]), check_chain=True, heartbeat=0.2,
                            timeout=1.0) as sub:
        while goal is None or any(n not in got[stream][-1:] for stream, n in goal.items()):
            item = sub.next(0.2)
            if isinstance(item, tickbus.Event):
                frame = f" {item.timeframe_s}" if item.kind == "tier2" else ""
                got[f"{item.kind} {item.symbol}{frame}"].append(item.seq)
            elif item is not None:
                notices.append(repr(item))
            if goal is None and select.select([sys.stdin], [], [], 0)[0]:
                goal, end = json.loads(sys.stdin.readline()), time.monotonic() + HEALING_S
            if goal is not None and time.monotonic() > end:
                break
        late = [f"{s}: {got[s][-1:]} of {n}" for s, n in (goal or {}).items() if n not in got[s][-1:]]
        json.dump({"got": got, "notices": notices, "counts": vars(sub.counts), "late": late[:9],
                   "trouble": sub.trouble}, sys.stdout)


def held(d):
    """{stream: [sequences]} of the log, read by catch-up without tickbus.py."""
    out = collections.defaultdict(list)
    for kind in KINDS:
        for frame in d.frames([kind]):
            if kind == "tier2":
                frame_s, name = struct.unpack_from("<I", frame, 120)[0], frame[144:176].rstrip(b"\0").decode()
                out[f"{kind} {name} {frame_s}"].append(struct.unpack_from("<Q", frame, 40)[0])
                continue
            at = {"tick": 112, "bar": 160, "tier1": 464, "status": 48}[kind]
            for block in tb.frame_blocks(frame):
                name = block[at:at + 32].rstrip(b"\0").decode()
                out[f"{kind} {name}"].append(struct.unpack_from("<Q", block)[0])
    return out


def settled(d):
    """held(), once it does not change any more.  The guard may be reviving a listener that was cut to death."""
    before, end = None, time.monotonic() + HEALING_S
    while True:
        try:
            now = held(d)
            if now == before:
                return now
            before = now
        except OSError:
            if time.monotonic() > end:
                raise
            supervise(d)
        time.sleep(1)


def run(name, binary, client, seed, misbehave):
    rng = random.Random(f"{seed} {name}")
    d, begin = tb.Tickbusd(binary, more=MORE), time.monotonic()
    network = sub = None
    try:
        d.start()
        network = Network(d.port, rng)
        sub = subprocess.Popen([*client, "--child", json.dumps(network.urls)], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        producer = Producer(d, rng)
        misbehave(d, network, sub, rng)
        producer.end()
        network.heal()
        log = settled(d)
        out, _ = sub.communicate(json.dumps({s: seqs[-1] for s, seqs in log.items()}) + "\n", HEALING_S + 60)
        check(json.loads(out), log)
        print(f"python_torture: {name}: {sum(map(len, log.values()))} events of {len(log)} streams, {producer.n} "
              f"ticks, {network.sum('dropped')} messages thrown away, {network.sum('cuts')} connections cut, "
              f"{json.loads(out)['counts']['resyncs']} resyncs: none lost, none twice "
              f"({time.monotonic() - begin:.0f} s)", flush=True)
    except BaseException:
        print(f"python_torture: {name} FAILED with seed {seed}\n{d.errors()[-2000:]}", flush=True)
        raise
    finally:
        if sub is not None and sub.poll() is None:
            sub.kill()
            sub.communicate()
        if network is not None:
            network.close()
        d.remove()


def check(result, log):
    told = [n for n in result["notices"] if not n.startswith("Live")]
    if told or result["late"]:
        raise AssertionError(f"late {result['late']}, told {told[:5]}, {result['counts']}, {result['trouble']}")
    for stream, seqs in log.items():
        if seqs != list(range(1, len(seqs) + 1)):
            raise AssertionError(f"the log itself has a hole in {stream}: {seqs[:5]} .. {seqs[-5:]}")
        if result["got"].get(stream) != seqs:
            have = result["got"].get(stream, [])
            wrong = next((i for i, (a, b) in enumerate(zip(have, seqs)) if a != b), min(len(have), len(seqs)))
            raise AssertionError(f"{stream}: {len(have)} given of {len(seqs)}, from {wrong} on {have[wrong:wrong + 5]}")
    if set(result["got"]) - set(log):
        raise AssertionError(f"streams that the log does not have: {set(result['got']) - set(log)}")


def supervise(d):
    """Start a daemon that has ended itself; True if it had."""
    if d.process.poll() is None:
        return False
    if d.process.returncode != -signal.SIGABRT:
        raise AssertionError(f"the daemon ended with {d.process.returncode}")
    d.start()
    return True


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("binary")
    p.add_argument("--client")
    p.add_argument("--restarts", type=int, default=4)
    p.add_argument("--cuts", default="120")
    p.add_argument("--stop", type=float, default=3)
    p.add_argument("--seed", default="")
    p.add_argument("scenario", nargs="*", default=["drops", "cuts", "restarts"])
    a = p.parse_intermixed_args()
    a.seed = a.seed or str(random.randrange(10 ** 9))
    print(f"python_torture: seed {a.seed}", flush=True)

    def drops(d, network, sub, rng):
        network.set_drop(0.2)
        time.sleep(2)
        sub.send_signal(signal.SIGSTOP)
        time.sleep(a.stop)
        sub.send_signal(signal.SIGCONT)
        time.sleep(2)

    def places(rng, n_up):
        """Where one socket's connections are cut."""
        if a.cuts == "all":
            return [*range(DIALOGUE), *range(-n_up, 0)]
        return [*range(9), *rng.choices(range(DIALOGUE), k=int(a.cuts) // 10), -1, -rng.randrange(1, n_up)]

    def cuts(d, network, sub, rng):
        end, revived = time.monotonic() + (7200 if a.cuts == "all" else 90), 0
        time.sleep(0.5)
        # First the live sockets, whose losses catch-up makes good; then catch-up, while those go on to lose.
        for cut in (KINDS, ["catchup"]):
            network.set_drop(0.2 if cut == ["catchup"] else 1e-99)
            network.cuts = {name: places(rng, 80 if name == "catchup" else 8) for name in cut}
            for name in cut:
                network.proxies[name].cut_all()  # the ones that were made before
            while any(network.cuts[name] for name in set(cut) & {"tick", "bar", "catchup"}):
                if time.monotonic() > end:
                    raise AssertionError(f"too slow: {[(name, len(at)) for name, at in network.cuts.items()]} are left")
                revived += supervise(d)
                time.sleep(0.05)
        print(f"python_torture: the guard ended the daemon {revived} times", flush=True)

    def restarts(d, network, sub, rng):
        network.set_drop(0.2)
        for _ in range(a.restarts):
            time.sleep(rng.uniform(0.05, 0.6))
            d.kill() if rng.random() < 0.7 else d.stop()
            d.start()
        time.sleep(1)

    for name in a.scenario:
        client = [a.client] if a.client else [sys.executable, __file__]
        run(name, a.binary, client, a.seed, {"drops": drops, "cuts": cuts, "restarts": restarts}[name])


if __name__ == "__main__":
    child() if sys.argv[1:2] == ["--child"] else main()
