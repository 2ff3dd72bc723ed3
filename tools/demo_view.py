#!/usr/bin/env python3
"""demo_view - start a tickbusd on its simulated exchange and show what it publishes.

    demo_view.py TICKBUSD TICKBUSCTL [--seconds N] [--plain]
                 [--port-base N] [--http URL]

The daemon runs with its built-in demonstration and a state directory that is removed at
the end; `tickbusctl sub` brings bars, feature vectors and matrices as JSON lines, and
/metrics the counters.  On a terminal the picture is redrawn twice a second, else a
snapshot is printed every ten seconds.  Ctrl-C ends it with a summary.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HTTP = "http://127.0.0.1:7480"
START_S = 60
STOP_S = 30
# What the summary calls a drop: everything that a subscriber or the log did not get.
DROPS = ("publish_dropped_total", "json_dropped_total", "bus_dropped_total",
         "bus_lapped_total", "ring_lapped_total", "quarantine_lost_total",
         "ticks_too_late_total", "cancels_lost_total", "faulted_ticks_total")


class View:
    """What has been seen; one thread writes, the drawing reads under the lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.bars = {}     # symbol -> newest 1m bar
        self.vectors = {}  # symbol -> newest 1m vector
        self.indicators = {}  # symbol -> newest 1m indicators, by their names
        self.matrix = None
        self.seen = {"bar": 0, "revision": 0, "tier1": 0, "tier2": 0, "gap": 0}

    def take(self, event):
        with self.lock:
            kind = event.get("event")
            if kind == "NORMALIZED_BAR_READY":
                self.seen["bar" if event["revision"] == 0 else "revision"] += 1
                newest = self.bars.get(event["symbol"])
                if event["timeframe"] == "1m" and (
                        newest is None or newest["timestamp_utc"] <= event["timestamp_utc"]):
                    self.bars[event["symbol"]] = event
            elif kind == "FEATURE_TIER1_READY":
                self.seen["tier1"] += 1
                # A bar has one vector, and one event for each block of indicators.
                if event["timeframe"] == "1m" and "values" in event:
                    self.vectors[event["symbol"]] = event
                elif event["timeframe"] == "1m":
                    self.indicators.setdefault(event["symbol"], {}).update(event["indicators"])
            elif kind == "FEATURE_TIER2_READY":
                self.seen["tier2"] += 1
                self.matrix = event
            elif "gap" in event:
                self.seen["gap"] += 1


def read_metrics(http):
    """{"ticks_accepted_total": 12.0, ...}: each sample, and each family added up; {} when
    nobody answers."""
    values = {}
    try:
        with urllib.request.urlopen(http + "/metrics", timeout=2) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return values
    for line in text.splitlines():
        if line.startswith("tickbus_"):
            name, _, value = line.rpartition(" ")
            name = name[len("tickbus_"):]
            family = name.split("{")[0]
            try:
                values[family] = values.get(family, 0.0) + float(value)
                if family != name:
                    values[name] = float(value)
            except ValueError:
                continue
    return values


# ---- drawing ------------------------------------------------------------------------

def number(value, width, digits, scale=1.0):
    return f"{value * scale:{width}.{digits}f}" if value is not None else " " * (width - 1) + "-"


def signed(text, value, colour):
    if not colour or value is None or value == 0:
        return text
    return f"\x1b[{32 if value > 0 else 31}m{text}\x1b[0m"


def bar_lines(view, rows, colour):
    yield (f"{'symbol':8}{'bar ends':>10}{'close':>10}{'ret bp':>8}{'spread bp':>10}"
           f"{'volume':>11}{'trades':>7}{'vol_12 bp':>10}{'momentum':>9}{'norm':>7}{'rsi 14':>7}  state")
    for symbol in sorted(view.bars)[:rows]:
        bar, vector = view.bars[symbol], view.vectors.get(symbol)
        values = vector["values"] if vector else {}
        norms = vector["norms"] if vector else {}
        rsi = view.indicators.get(symbol, {}).get("rsi(14)")
        state = bar["state"].upper() + ("" if bar["valid_bar"] else " invalid")
        if bar["revision"]:
            state += f" rev {bar['revision']}"
        ret = number(bar["log_return_1"], 8, 1, 1e4)
        momentum = number(values.get("momentum_score"), 9, 2)
        yield (f"{symbol:8}{bar['timestamp_utc'][11:19]:>10}{number(bar['close'], 10, 2)}"
               f"{signed(ret, bar['log_return_1'], colour)}"
               f"{number(bar['spread_estimate'], 10, 2, 1e4)}{number(bar['volume'], 11, 0)}"
               f"{bar['trade_count']:>7}{number(values.get('vol_12'), 10, 1, 1e4)}"
               f"{signed(momentum, values.get('momentum_score'), colour)}"
               f"{number(norms.get('momentum_score_norm'), 7, 2)}{number(rsi, 7, 1)}  {state}")


def shade(r):
    """A cell of the matrix: red against, green with, the stronger the brighter."""
    step = min(5, int(abs(r) * 6))
    code = 16 + 36 * step if r < 0 else 16 + 6 * step
    return f"\x1b[48;5;{code}m{r * 100:4.0f}\x1b[0m"


def matrix_lines(view, rows, columns, colour):
    m = view.matrix
    if m is None:
        yield "no matrix yet: its members need 20 bars"
        return
    names = [x["symbol"] for x in m["members"] if x["reason"] == "included"]
    out = [f"{x['symbol']} {x['reason']}" for x in m["members"] if x["reason"] != "included"]
    eigen = m["eigen_min"]
    yield (f"matrix {m['universe']} {m['timeframe']} version {m['version']} as of "
           f"{m['as_of'][11:19]} {m['status']}, {m['method']} over {m['window']} bars, "
           f"smallest eigenvalue {number(eigen, 0, 4) if eigen is not None else '-'}"
           + (f", supersedes {m['supersedes']}" if m["supersedes"] else ""))
    if out:
        yield "without " + ", ".join(out)
    shown = max(0, min(len(names), rows, (columns - 8) // 4))
    for i in range(shown):
        cells = (shade(r) if colour else f"{r * 100:4.0f}" for r in m["matrix"][i][:shown])
        yield f"{names[i]:8}" + "".join(cells)
    if shown < len(names):
        yield f"... and {len(names) - shown} more"


def published(metrics, kind):
    return metrics.get(f'published_total{{kind="{kind}"}}', 0)


def rate(now, before, name, seconds):
    return (now.get(name, 0) - before.get(name, 0)) / seconds if before and seconds > 0 else 0


def head_line(now, before, seconds, http):
    drops = sum(now.get(name, 0) for name in DROPS)
    return (f"tickbus  ticks {now.get('ticks_accepted_total', 0):,.0f} "
            f"({rate(now, before, 'ticks_accepted_total', seconds):,.0f}/s)  "
            f"bars and revisions {published(now, 'bar'):,.0f}  "
            f"vectors {published(now, 'tier1'):,.0f}  "
            f"matrices {published(now, 'tier2'):,.0f}  "
            f"refused {now.get('ticks_rejected_total', 0):,.0f}  drops {drops:,.0f}  page {http}/")


def draw(view, head, colour):
    columns, lines = shutil.get_terminal_size((100, 60))
    room = lines - 4 if colour else 1000
    with view.lock:
        n_bars = min(len(view.bars) + 1, max(4, room * 3 // 5))
        out = [head, ""] + list(bar_lines(view, n_bars - 1, colour)) + [""]
        out += matrix_lines(view, max(2, room - n_bars - 4), columns, colour)
    if not colour:
        print("\n".join(out) + "\n", flush=True)
        return
    # Home, then line by line to its end: no flicker; what is below is wiped.
    sys.stdout.write("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in out[:lines - 1])
                     + "\x1b[J")
    sys.stdout.flush()


# ---- processes ----------------------------------------------------------------------

def launch(args, state):
    with open(os.path.join(state, "log"), "w") as log:
        return subprocess.Popen([args.tickbusd, "--demo", "--state-dir", state], stderr=log,
                                start_new_session=True)


def wait_ready(daemon, http):
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(http + "/readyz", timeout=1) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    return False


def listen(args, state, view):
    sub = subprocess.Popen([args.tickbusctl, "--admin", os.path.join(state, "admin.sock"),
                            "--port", args.port_base, "sub", "bar,tier1,tier2", "--format", "json"],
                           stdout=subprocess.PIPE, text=True, start_new_session=True,
                           stderr=open(os.path.join(state, "log"), "a"))

    def read():
        for line in sub.stdout:
            try:
                view.take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return sub, thread


def stop(process):
    if process is None or process.poll() is not None:
        return process.returncode if process is not None else None
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def watch(args, view, daemon, sub, colour):
    """Draw until the time is over, a program ends or Ctrl-C; the last metrics."""
    began = time.monotonic()
    before, before_at, last = {}, began, {}
    pause = 0.5 if colour else 10.0
    try:
        while daemon.poll() is None and sub.poll() is None:
            left = args.seconds - (time.monotonic() - began) if args.seconds else pause
            if left <= 0:
                break
            time.sleep(min(pause, left))
            now, at = read_metrics(args.http), time.monotonic()
            draw(view, head_line(now or last, before, at - before_at, args.http), colour)
            before, before_at, last = now, at, now or last
    except KeyboardInterrupt:
        pass
    return read_metrics(args.http) or last


def summary(view, metrics, seconds, code):
    drops = {name: int(metrics[name]) for name in DROPS if metrics.get(name)}
    print(f"\n{seconds:.0f} s: {metrics.get('ticks_accepted_total', 0):,.0f} ticks accepted, "
          f"{metrics.get('ticks_rejected_total', 0):,.0f} refused with a reason, "
          f"{metrics.get('ticks_duplicate_total', 0):,.0f} sent twice")
    print(f"published: {published(metrics, 'bar'):,.0f} bars and revisions, "
          f"{published(metrics, 'tier1'):,.0f} feature vectors, "
          f"{published(metrics, 'tier2'):,.0f} matrix versions "
          f"({metrics.get('matrices_superseded_total', 0):,.0f} of them in place of another)")
    seen = view.seen
    print(f"received here: {seen['bar']:,} bars, {seen['revision']:,} revisions, "
          f"{seen['tier1']:,} vectors, {seen['tier2']:,} matrices, {seen['gap']:,} gaps")
    print("drops: " + (", ".join(f"{k} {v:,}" for k, v in drops.items()) or "none"))
    if code != 0:
        print(f"tickbusd ended with exit code {code}")


def main():
    parser = argparse.ArgumentParser(prog="demo", description="watch tickbus work")
    parser.add_argument("tickbusd")
    parser.add_argument("tickbusctl")
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long")
    parser.add_argument("--port-base", default="7400", help="the first port of its sockets")
    parser.add_argument("--http", default=HTTP, help="where the daemon answers")
    parser.add_argument("--plain", action="store_true", help="snapshots, no colours")
    args = parser.parse_args()
    colour = sys.stdout.isatty() and not args.plain
    state = tempfile.mkdtemp(prefix="tickbus-demo-")
    os.chmod(state, 0o700)
    view, daemon, sub, ready, gone, code = View(), None, None, False, False, 1
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        daemon = launch(args, state)
        ready = wait_ready(daemon, args.http)
        if ready:
            sub, thread = listen(args, state, view)
            began = time.monotonic()
            if colour:
                sys.stdout.write("\x1b[?25l\x1b[2J")
            metrics = watch(args, view, daemon, sub, colour)
            gone = sub.poll() is not None
            seconds = time.monotonic() - began
            if colour:
                sys.stdout.write("\x1b[?25h")
            stop(sub)
            thread.join(5)
        code = stop(daemon)
        if ready:
            summary(view, metrics, seconds, code)
        if not ready or gone or code != 0:
            with open(os.path.join(state, "log")) as f:
                sys.stderr.write("tickbusd and tickbusctl said:\n" + f.read()[-4000:])
    except KeyboardInterrupt:
        stop(sub)
        code = stop(daemon)
    finally:
        shutil.rmtree(state, ignore_errors=True)
    return code if code else (0 if ready and not gone else 1)


if __name__ == "__main__":
    sys.exit(main())
