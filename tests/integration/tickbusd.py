"""A running tickbusd for tests, and SP over TCP as docs/PROTOCOL.md has it.

Standard library only.  Every daemon gets ports of its own and a directory that
goes with the object.
"""
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

NULL = -(2 ** 63)
SECOND = 10 ** 9
START = 1_700_000_000 // 3600 * 3600 * SECOND  # where the tests' event times begin
KIND_MASK = {"tick": 1, "bar": 2, "tier1": 4, "tier2": 8, "news": 16, "status": 32}


# meson has malloc fill memory with a pattern; a daemon begins with 64 MiB of cache, which it
# would touch at each of some thousand starts.  Those tests that keep it look for what was never set.
if os.environ.get("TICKBUS_PERTURB") != "1":
    os.environ["MALLOC_PERTURB_"] = "0"

BLOCK = 32  # ports that belong to one daemon
_blocks = []  # files whose locks this process holds until it ends


def free_ports(n):
    """n consecutive ports that are free now, outside the ephemeral range, and nobody else's among the tests."""
    assert n <= BLOCK
    for _ in range(1000):
        block = random.randrange(600)
        base = 10000 + block * BLOCK
        try:
            lock = open(os.path.join(tempfile.gettempdir(), f"tickbusd-test-ports.{block}"), "w", encoding="ascii")
        except OSError:  # another user's
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for p in range(base, base + n):
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", p))
        except OSError:
            lock.close()
            continue
        _blocks.append(lock)
        return base
    raise RuntimeError("no free ports")


# Limits are for what hangs, not for what is slow: machines that run checks are shared.
PATIENCE = 4


class SpSocket:
    """One end of an SP connection: REQ (0x30) or SUB (0x21)."""

    def __init__(self, port, protocol, timeout=10 * PATIENCE):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(struct.pack(">4sHH", b"\0SP\0", protocol, 0))
        if len(self.read(8)) != 8:
            raise ConnectionError("no greeting")
        self.request_id = random.getrandbits(31) | 0x80000000

    def read(self, n):
        parts = []
        while n > 0:
            part = self.sock.recv(min(n, 1 << 20))
            if not part:
                raise ConnectionError("closed")
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def message(self):
        return self.read(struct.unpack(">Q", self.read(8))[0])

    def send(self, body):
        self.sock.sendall(struct.pack(">Q", len(body)) + body)

    def ask(self, body):
        self.request_id = 0x80000000 | (self.request_id + 1) & 0x7FFFFFFF
        self.send(struct.pack(">I", self.request_id) + body)
        while True:
            reply = self.message()
            if struct.unpack(">I", reply[:4])[0] == self.request_id:
                return reply[4:]

    def close(self):
        self.sock.close()


def sbe_ticks(producer, source, first_seq, ticks):
    """An SBE ingest request; ticks: (symbol, event_ns, price_e9, size_e8, source_seq).

    Without a symbol it is a clock record.
    """
    out = [struct.pack("<HHHH", 60, 21, 7400, 1),
           struct.pack("<32s16sQI", producer.encode(), source.encode(), first_seq, 0),
           struct.pack("<HH", 120, len(ticks))]
    for symbol, event_ns, price, size, seq in ticks:
        if not symbol:
            price = size = NULL
        out.append(struct.pack("<7q2Q8s3B5x32s", event_ns, price, size, NULL, NULL, NULL,
                               NULL, seq, 0, b"", 1 if symbol else 2, 0, 0, symbol.encode()))
    return b"".join(out)


def sbe_reply(data):
    """(status, durability, accepted, duplicate, rejected, runs)."""
    epoch, last, acc, dup, rej, retry, status, durability = struct.unpack_from("<QQIIIIBB", data, 8)
    block, n = struct.unpack_from("<HH", data, 8 + 168)
    runs = [struct.unpack_from("<QIIBB", data, 180 + i * block) for i in range(n)]
    return {"epoch": epoch, "last_pos": last, "accepted": acc, "duplicate": dup, "rejected": rej,
            "retry_ms": retry, "status": status, "durability": durability, "runs": runs}


CONFIG = """
store: {{dir: {dir}, durability: {durability}, ballast: 0B}}
clock: {{mode: {clock}, too_old: 1d, future: 10s}}
listen:
  ingest: tcp://127.0.0.1:{p0}
  tick: tcp://127.0.0.1:{p1}
  bar: tcp://127.0.0.1:{p2}
  tier1: tcp://127.0.0.1:{p3}
  tier2: tcp://127.0.0.1:{p4}
  status: tcp://127.0.0.1:{p5}
  catchup: tcp://127.0.0.1:{p6}
  json_tick: tcp://127.0.0.1:{p7}
  json_bar: tcp://127.0.0.1:{p8}
  json_tier1: tcp://127.0.0.1:{p9}
  json_tier2: tcp://127.0.0.1:{p10}
  json_status: tcp://127.0.0.1:{p11}
  http: 127.0.0.1:{p12}
  admin: {dir}/admin.sock
  ring: {dir}/ring.sock
{more}
"""
NAMES = ("ingest tick bar tier1 tier2 status catchup json_tick json_bar json_tier1 json_tier2 "
         "json_status http").split()


class Tickbusd:
    def __init__(self, binary, durability="full", clock="feed", more=""):
        self.binary = binary
        self.dir = tempfile.mkdtemp(prefix="tickbusd-test-")
        base = free_ports(len(NAMES))
        self.port = {name: base + i for i, name in enumerate(NAMES)}
        self.config = os.path.join(self.dir, "tickbusd.yaml")
        with open(self.config, "w", encoding="ascii") as f:
            os.chmod(self.config, 0o600)
            f.write(CONFIG.format(dir=self.dir, durability=durability, clock=clock, more=more,
                                  **{f"p{i}": base + i for i in range(len(NAMES))}))
        self.process = None
        self.log = open(os.path.join(self.dir, "log"), "ab")

    def start(self, wait=True, env=None):
        self.process = subprocess.Popen([self.binary, "--config", self.config], stderr=self.log,
                                        env={**os.environ, **(env or {})})
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=60):
        end = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"tickbusd ended with {self.process.returncode}: {self.errors()}")
            try:
                with socket.create_connection(("127.0.0.1", self.port["catchup"]), 1):
                    pass
                # The port answers when ingest is open; a bare connect and close may
                # not be what the first real peer meets, so greet properly below.
                self.ingest().close()
                return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("tickbusd is not ready: " + self.errors())

    def errors(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def ingest(self):
        return SpSocket(self.port["ingest"], 0x30)

    def catchup(self):
        return SpSocket(self.port["catchup"], 0x30)

    def subscribe(self, kind):
        return SpSocket(self.port[kind], 0x21)

    def _admin_socket(self):
        """Connected; on a slow machine the daemon's guard may just be opening the listener anew."""
        end = time.monotonic() + 5 * PATIENCE
        while True:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10 * PATIENCE)
            try:
                s.connect(os.path.join(self.dir, "admin.sock"))
                return s
            except OSError:
                s.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def admin(self, cmd, **more):
        with self._admin_socket() as s:
            s.sendall(json.dumps({"id": 1, "cmd": cmd, **more}).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                part = s.recv(1 << 20)
                if not part:
                    raise ConnectionError("admin socket closed")
                data += part
            return json.loads(data)

    def http(self, path):
        with socket.create_connection(("127.0.0.1", self.port["http"]), 5 * PATIENCE) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            data = b""
            while part := s.recv(1 << 16):
                data += part
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()

    def frames(self, kinds, page_events=65536):
        """Every frame of some kinds ("bar", ...) that catch-up holds, oldest first."""
        s, pos, skip = self.catchup(), 0, 0
        mask = sum(KIND_MASK[k] for k in kinds)
        while True:
            page = s.ask(struct.pack("<HHHH", 24, 31, 7400, 1) +
                         struct.pack("<QIIIB3x", pos, skip, page_events, mask, 1) +
                         struct.pack("<HH", 56, 0))
            status, done = page[8 + 36], page[8 + 37]
            if status != 0:
                raise ValueError(f"catch-up answers {status}: {page[8 + 40:8 + 104]}")
            pos, skip = struct.unpack_from("<QI", page, 8 + 24)
            yield from page_frames(page)
            if done:
                s.close()
                return

    def all_ticks(self):
        """Every tick of the log by catch-up: (pos, symbol, source_seq, seq)."""
        return [t for frame in self.frames(["tick"]) for t in frame_ticks(frame)]

    def events(self, kind):
        """The blocks of every held event of a kind that is not tier2, as bytes.

        Without recv_ns, the only field that differs from one run to the next.
        """
        return [without_recv_ns(b) for frame in self.frames([kind]) for b in frame_blocks(frame)]

    def matrices(self):
        """The body of every held matrix: what follows the frame's own fields."""
        return [without_recv_ns(frame[40:]) for frame in self.frames(["tier2"])]

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, timeout=40):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout * PATIENCE)

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def page_frames(page):
    """The frames of a catch-up page."""
    at = 8 + struct.unpack_from("<H", page, 0)[0]
    block, n = struct.unpack_from("<HH", page, at)
    at += 4 + block * n
    _, n = struct.unpack_from("<HH", page, at)
    at += 4
    for _ in range(n):
        size = struct.unpack_from("<I", page, at)[0]
        yield page[at + 4:at + 4 + size]
        at += 4 + size


def without_recv_ns(block):
    return block[:24] + bytes(8) + block[32:]


def frame_blocks(frame):
    """The events of a frame that holds more than one."""
    at = 8 + struct.unpack_from("<H", frame, 0)[0]
    block, n = struct.unpack_from("<HH", frame, at)
    return [frame[at + 4 + i * block:at + 4 + (i + 1) * block] for i in range(n)]


def frame_ticks(frame):
    out = []
    for block in frame_blocks(frame):
        seq, pos = struct.unpack_from("<QQ", block, 0)
        source_seq = struct.unpack_from("<Q", block, 80)[0]
        symbol = block[112:144].rstrip(b"\0").decode()
        out.append((pos, symbol, source_seq, seq))
    return out


def trade(symbol, second, price, seq, size=100):
    return (symbol, START + int(second * SECOND), int(round(price * 10 ** 9)), size * 10 ** 8, seq)


def clock(second):
    return json.dumps({"type": "clock", "time": str(START + int(second * SECOND))})


def feed(d, ticks, producer="p", first_seq=1):
    s = d.ingest()
    reply = sbe_reply(s.ask(sbe_ticks(producer, "test", first_seq, ticks)))
    s.close()
    return reply


def feed_json(d, body):
    s = d.ingest()
    reply = json.loads(s.ask(body.encode() if isinstance(body, str) else body))
    s.close()
    return reply


def clock_request(second, seq):
    return '{"producer":"c","source":"test","first_seq":%d,"ticks":[%s]}' % (seq, clock(second))


class Listener(threading.Thread):
    """Collects what a PUB socket says, until stopped."""

    def __init__(self, d, kind):
        super().__init__(daemon=True)
        self.sock = d.subscribe(kind)
        self.messages = []
        self.start()
        time.sleep(0.1)

    def run(self):
        try:
            while True:
                self.messages.append(self.sock.message())
        except (OSError, ConnectionError):
            pass

    def wait(self, n, prefix=b"", timeout=10):
        end = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < end:
            got = [m for m in self.messages if m.startswith(prefix)]
            if len(got) >= n:
                return got
            time.sleep(0.02)
        raise AssertionError(f"only {len(got)} of {n} messages {prefix}: {self.messages[:3]}")


def until(condition, what, seconds=10):
    """Wait until @condition() is true, and return it."""
    end = time.monotonic() + seconds * PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return value


def tap(tests, make):
    """Run each of @tests with a started daemon of its own from @make(); the exit code."""
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for i, f in enumerate(tests, 1):
        d = make()
        try:
            d.start()
            f(d)
            print(f"ok {i} - {f.__name__}", flush=True)
        except Exception as e:  # every failure is a line, the rest still runs
            failed += 1
            print(f"not ok {i} - {f.__name__}", flush=True)
            # Standard error: a TAP reader shows nothing of what it does not know.
            where = " < ".join(f"{os.path.basename(x.filename)}:{x.lineno} {x.line}"
                               for x in reversed(traceback.extract_tb(e.__traceback__)[1:]))
            print(f"{f.__name__}: {type(e).__name__}: {str(e)[:2000]}\nat {where}\n{d.errors()[-3000:]}",
                  file=sys.stderr, flush=True)
        finally:
            d.remove()
    return 1 if failed else 0
